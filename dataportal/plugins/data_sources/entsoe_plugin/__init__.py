"""The ENTSO-E Transparency Platform: load, generation, prices and exchanges of Europe.

A token is needed; it is free. Times are true instants in UTC, of the START of the interval.
Quantities are means in MW, stored water is in MWh, prices are in EUR/MWh unless the zone has
another currency. Corrections are served without a word and without a time of publication, so every
run looks back.

Errors and "no data" come in the same document with the same code, under HTTP 200 or 400: only its
text tells them apart. Guide: https://transparencyplatform.zendesk.com, "Web API".
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import urlsplit

from dataportal.plugins.base_plugin import (
    BadDataError,
    MultiSeriesPlugin,
    PermanentError,
    TransientError,
)
from dataportal.plugins.data_sources.entsoe_plugin.datasets import DatasetParameters, read_request
from dataportal.plugins.data_sources.entsoe_plugin.documents import ACKNOWLEDGEMENT, read_document
from dataportal.plugins.data_sources.entsoe_plugin.series import (
    SelectionParameters,
    SeriesExtraction,
)
from dataportal.plugins.http import RateLimit
from dataportal.plugins.http.errors import retry_after_seconds
from dataportal.plugins.parameters import Address, Parameters, PositiveNumber, about
from dataportal.plugins.readers.archives import ArchiveError, unpack
from dataportal.plugins.readers.extract_filters import read_filters
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.single_series import SingleSeriesPlugin
from dataportal.plugins.readers.times import Window
from dataportal.redaction import harmless
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from dataportal.plugins.base_plugin import FetchError, TimeSeriesDefinition
    from dataportal.plugins.data_sources.entsoe_plugin.datasets import DocumentRequest
    from dataportal.plugins.data_sources.entsoe_plugin.documents import MarketDocument
    from dataportal.plugins.data_sources.entsoe_plugin.series import Selection
    from dataportal.plugins.http.response import Answer

    Columns = dict[str, list[Any]]

BASE_URL = "https://web-api.tp.entsoe.eu/api"
# 400 a minute are allowed, and more bring ten minutes of silence: some room for those that are late
_PER_MINUTE = 380
_COOLDOWN = 600.0  # seconds
_PAGE, _LAST_OFFSET = 100, 4800
_MAX_BYTES = 256 * 1024 * 1024
_BAD_REQUEST, _TOO_MANY = HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS
_NO_DATA = "no matching data found"
_TRANSIENT = re.compile(r"unexpected|internal|temporar|try again|time.?out|maintenance|max allowed")
_TOO_MUCH = re.compile(r"exceeds|amount of requested data|number of instances")


class EntsoeParameters(Parameters):
    """How the platform is asked."""

    api_key: Annotated[str, about("the token, as a rule `${ENTSOE_API_KEY}`", secret=True)]
    per_minute: Annotated[PositiveNumber, about("requests a minute (380)")] = _PER_MINUTE
    base_url: Annotated[Address, about(f"the address of a mirror (`{BASE_URL}`)")] = BASE_URL


class EntsoeMultiSeriesPlugin(MultiSeriesPlugin):
    """Several series of the platform; those that come in one answer share its request.

    The `extract_filter` of each series may give any of the `request_params` too, and beats them
    there: `psr_type: solar` of one zone's generation, `zone: FR` of the load of several.
    """

    series_parameters = (EntsoeParameters, DatasetParameters, SelectionParameters)

    source_defaults: ClassVar[Mapping[str, Any]] = {
        "lookback": "7 days",
        "forecast_horizon": "2 days",
        "max_window": "35 days",
    }

    def __init__(
        self,
        group_id: str,
        request_params: dict[str, Any],
        series_definitions: list[TimeSeriesDefinition],
        schedule: str,
    ) -> None:
        super().__init__(group_id, request_params, series_definitions, schedule)
        self._selections = read_filters(series_definitions, self._read_selection)
        self._host = urlsplit(self._base_url).hostname

    def _read_selection(
        self, extract_filter: Mapping[str, Any]
    ) -> tuple[DocumentRequest, Selection]:
        params = Params(extract_filter, shared=self._request_params)
        entsoe = params.read(EntsoeParameters)
        self._key, self._base_url = entsoe.api_key.strip(), entsoe.base_url
        self._limit = RateLimit(entsoe.per_minute, key=self._key or None, everywhere=True)
        is_single = len(self._series_definitions) == 1
        request, selection = read_request(params, is_single=is_single)
        params.finish()
        return request, selection

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> dict[str, Columns | FetchError]:
        """The intervals of each series with `start_date <= ts < end_date`, as columns.

        An error in place of those that failed alone; what several share is requested once.

        Raises:
            TransientError: out of reach, under maintenance, or asked too often.
            PermanentError: the platform refuses the one request that there is.
            BadDataError: the one answer that there is cannot be read.
        """
        window = Window(start_date, end_date)
        by_request: dict[DocumentRequest, dict[str, SeriesExtraction]] = {}
        for name, (request, selection) in self._selections.items():
            by_request.setdefault(request, {})[name] = SeriesExtraction(selection)
        results: dict[str, Columns | FetchError] = {}
        for request, extractions in by_request.items():
            zones = request.zones if self.zone is None else (self.zone, *request.zones)
            try:
                results |= await self._fetch(request, extractions, window, zones)
            except (PermanentError, BadDataError) as error:
                if len(by_request) == 1:
                    raise
                results |= dict.fromkeys(extractions, error)
        return results

    async def _fetch(
        self,
        request: DocumentRequest,
        extractions: Mapping[str, SeriesExtraction],
        window: Window,
        zones: Sequence[ZoneInfo],
    ) -> dict[str, Columns | FetchError]:
        """The intervals of each series that shares a request, or what is wrong with it."""
        errors: dict[str, Columns | FetchError] = {}
        last: Answer | None = None
        async for answer, documents in self._pages(request, window):
            last = answer
            for document, series in [
                (page, series) for page in documents for series in page.series
            ]:
                for name, extraction in extractions.items():
                    try:
                        extraction.add(
                            series,
                            request.dataset.value,
                            window=window,
                            zones=zones,
                            created=document.created if document.created[0] else None,
                        )
                    except ValueError as error:
                        errors.setdefault(name, answer.bad(f"has {error}"))
        for name, extraction in extractions.items():
            if last is not None and extraction.several_units:
                errors.setdefault(name, last.bad(f"has {extraction.several_units}"))
            if last is not None and extraction.mismatch:
                reason = f"has nothing of what was asked for ({extraction.mismatch})"
                errors.setdefault(name, last.bad(reason))
        return {name: extraction.columns for name, extraction in extractions.items()} | errors

    async def _pages(
        self, request: DocumentRequest, window: Window
    ) -> AsyncIterator[tuple[Answer, list[MarketDocument]]]:
        """The documents of each answer to a request, range by range and page by page."""
        for start, end in request.ranges(window):
            query: dict[str, Any] = {
                "securityToken": self._key,
                **dict(request.query),
                "periodStart": f"{start:%Y%m%d%H%M}",
                "periodEnd": f"{end:%Y%m%d%H%M}",
            }
            last_page: list[MarketDocument] = []
            for offset in range(0, _LAST_OFFSET + 2 * _PAGE, _PAGE):
                answer = await self.http.get(
                    self._base_url,
                    # not sent with the first page: data items without pages refuse it
                    params={**query, "offset": offset or None},
                    limit=self._limit,
                    also=(_BAD_REQUEST, _TOO_MANY),
                )
                documents = self._documents(answer)
                if documents and [d.series for d in documents] == [d.series for d in last_page]:
                    raise answer.bad("is the same page again, whatever the offset")
                if documents and offset > _LAST_OFFSET:
                    raise answer.bad("is one page too many", "Set a shorter max_window")
                yield answer, documents
                is_packed = len(documents) > 1
                count = len(documents) if is_packed else sum(len(d.series) for d in documents)
                # a full page has just so many: what has more does not come in pages
                if not request.dataset.paged or count != _PAGE:
                    break
                last_page = documents

    def _documents(self, answer: Answer) -> list[MarketDocument]:
        """The documents of an answer, oldest first; none for "no data"."""
        if answer.status == _TOO_MANY:
            retry_after = retry_after_seconds(answer.headers.get("retry-after"), utc_now())
            raise TransientError(
                f"ENTSO-E was asked too often: {_TOO_MANY.value} for {answer.url}: "
                f"{answer.excerpt()}",
                retry_after=_COOLDOWN if retry_after is None else retry_after,
                host=self._host,
            )
        if answer.has_no_content:
            return []
        if answer.is_page:
            raise TransientError(
                f"ENTSO-E answered {answer.url} with a page of HTML, as during maintenance: "
                f"{answer.excerpt()}",
                host=self._host,
            )
        try:
            files = unpack(answer.body, limit=_MAX_BYTES)
        except ArchiveError as fault:
            raise answer.bad(f"is an archive that cannot be opened: {fault}") from None
        documents = []
        for file in files:
            part = answer.part(file.body, file.name)
            document = read_document(file.body, part)
            if document.kind == ACKNOWLEDGEMENT:
                self._check_acknowledgement(document, answer)
            elif answer.status == _BAD_REQUEST or not document.series:
                raise part.bad("is a document without series, and without a reason")
            else:
                documents.append(document)
        return sorted(documents, key=lambda document: document.created)

    def _check_acknowledgement(self, document: MarketDocument, answer: Answer) -> None:
        """Raise what an acknowledgement reports, unless that is "no data"."""
        reasons = harmless(answer.hide("; ".join(document.reasons)), 300) or "no reason"
        lower = reasons.lower()
        if _NO_DATA in lower:
            return
        if _TRANSIENT.search(lower):
            message = f"ENTSO-E could not answer {answer.url}: {reasons}"
            raise TransientError(message, host=self._host)
        hint = "Ask for less at a time: set max_window" if _TOO_MUCH.search(lower) else None
        raise PermanentError(f"ENTSO-E refused {answer.url}: {reasons}", hint=hint)


class EntsoeDataSourcePlugin(SingleSeriesPlugin):
    """One series; all it says of itself is among its `default_params`, as of the group."""

    group = EntsoeMultiSeriesPlugin
