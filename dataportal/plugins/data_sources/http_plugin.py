"""Any API that answers with JSON, CSV or XML, described in sources.yaml alone.

`HttpJsonPlugin`, `HttpCsvPlugin` and `HttpXmlPlugin` fetch one series; the same names with
`MultiSeries` in them fetch several from one answer. The parameters are those of

- `Request`: where and how to ask, period by period and page by page;
- `JsonReader`, `CsvReader` or `XmlReader`: where the rows are;
- `Points`: where times and values stand in a row, and how they are written.

The `extract_filter` of a series in a group says what is its own: `value` (its place in the row),
`rows` (where its rows are), what fields of the address stand for, and what must stand in which
place of a row.
"""

from __future__ import annotations

import re
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from dataportal.errors import FetchError
from dataportal.plugins.base_plugin import BadDataError, BasePlugin, MultiSeriesPlugin
from dataportal.plugins.declarative.csv_records import CsvReader
from dataportal.plugins.declarative.extraction import Points
from dataportal.plugins.declarative.json_records import JsonReader
from dataportal.plugins.declarative.request import Request
from dataportal.plugins.declarative.xml_records import XmlReader
from dataportal.plugins.http import NotFoundError
from dataportal.plugins.readers.archives import CannotOpen, files
from dataportal.plugins.readers.extract_filters import read_filters
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.times import Window
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from dataportal.plugins.base_plugin import TimeSeriesDefinition, TimeSeriesMetadata
    from dataportal.plugins.declarative.records import Document, Reader
    from dataportal.plugins.declarative.series_extraction import Wanted
    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.http.response import Answer

    Columns = dict[str, Any]

_MOST_BYTES = 256 * 1024 * 1024
_CHOOSES = re.compile(r"\[\?|\[[^\]]*=")
"""In an expression or a path that leaves rows out."""


class _Api:
    """An API as its parameters describe it."""

    def __init__(self, params: Params, reader: type[Reader]) -> None:
        self._request = Request(params, utc_now)
        self._points = Points(params, utc_now)
        self._reader = reader(params, self._points.decimal)
        for fault in (
            *self._points.faults(self._reader),
            *self._request.paging.faults(self._reader),
        ):
            params.fault(fault)
        if self._request.paging.counts_rows and _CHOOSES.search(self._reader.rows):
            params.fault("with paging rows must find all of a page: filter chooses among them")
        params.finish()

    def wanted(self, extract_filter: Mapping[str, Any]) -> Wanted:
        """The series of which a filter speaks.

        Raises:
            ValueError: it says nothing usable.
        """
        wanted = self._points.wanted(extract_filter, self._request.names, self._reader)
        if wanted.rows and self._request.paging.counts_rows:
            raise ValueError("rows of its own cannot be had where paging counts rows")
        return wanted

    async def fetch(
        self, series: Sequence[Wanted], window: Window, *, http: HttpClient, zone: ZoneInfo | None
    ) -> list[Columns | FetchError]:
        """What the API has of each series in the window, or may have; or what is wrong with it.

        Raises:
            FetchError: the request that all share failed, or one failed as all others will.
        """
        takers: dict[tuple[tuple[str, str], ...], list[Wanted]] = {}
        for one in series:
            takers.setdefault(tuple(sorted(one.names.items())), []).append(one)
        for key, own in takers.items():
            try:
                await self._collect(dict(key), own, window, http)
            except (NotFoundError, BadDataError) as error:
                if len(takers) == 1:
                    raise
                for one in own:
                    one.fault = error
        return [self._finished(one, window, zone) for one in series]

    def _finished(self, one: Wanted, window: Window, zone: ZoneInfo | None) -> Columns | FetchError:
        found = self._points.finished(one, window, zone)
        if isinstance(found, FetchError) or not one.unchanged:
            return found
        return {**found, "unchanged": True}

    async def _collect(
        self, names: Mapping[str, str], own: Sequence[Wanted], window: Window, http: HttpClient
    ) -> None:
        by_rows: dict[str, list[Wanted]] = {}
        for one in own:
            by_rows.setdefault(one.rows or self._reader.rows, []).append(one)
        pages = self._request.pages(window, names, http=http, read=self._documents)
        async with aclosing(pages):
            async for documents in pages:
                if documents is None:
                    for one in own:
                        one.unchanged = True
                    continue
                for document in documents:
                    for rows, takers in by_rows.items():
                        self._points.collect(document.records(rows), takers, window)

    def _documents(self, answer: Answer) -> list[Document]:
        try:
            bodies = files(answer.body, limit=_MOST_BYTES)
        except CannotOpen as fault:
            raise answer.bad(f"is an archive that cannot be opened: {fault}") from None
        if not bodies:
            raise answer.bad("is an archive without a file")
        return [self._reader.read(replace(answer, body=body)) for body in bodies]


class _Single(BasePlugin):
    """One series."""

    reader: ClassVar[type[Reader]]
    """What reads the answers."""

    def __init__(self, metadata: TimeSeriesMetadata, default_params: dict[str, Any]) -> None:
        super().__init__(metadata, default_params)
        self._api = _Api(Params(default_params), self.reader)
        self._api.wanted({})

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,  # noqa: ARG002 - the API's; a place is one metric
    ) -> Columns:
        """The points with `start_date <= ts < end_date`, as columns; local times a day around."""
        wanted = [self._api.wanted({})]
        window = Window(start_date, end_date)
        (found,) = await self._api.fetch(wanted, window, http=self.http, zone=self.zone)
        if isinstance(found, FetchError):
            raise found
        return found


class _Several(MultiSeriesPlugin):
    """Several series that share their requests."""

    reader: ClassVar[type[Reader]]
    """What reads the answers."""

    def __init__(
        self,
        group_id: str,
        request_params: dict[str, Any],
        series_definitions: list[TimeSeriesDefinition],
        schedule: str,
    ) -> None:
        super().__init__(group_id, request_params, series_definitions, schedule)
        self._api = _Api(Params(request_params), self.reader)
        read_filters(series_definitions, self._api.wanted)

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> dict[str, Columns | FetchError]:
        """The points of each series with `start_date <= ts < end_date`, as columns."""
        wanted = read_filters(self._series_definitions, self._api.wanted)
        window = Window(start_date, end_date)
        series = list(wanted.values())
        found = await self._api.fetch(series, window, http=self.http, zone=self.zone)
        return dict(zip(wanted, found, strict=True))


class HttpJsonPlugin(_Single):
    """One series from an API that answers with JSON."""

    reader = JsonReader


class HttpCsvPlugin(_Single):
    """One series from an API that answers with a table of text."""

    reader = CsvReader


class HttpXmlPlugin(_Single):
    """One series from an API that answers with XML."""

    reader = XmlReader


class HttpJsonMultiSeriesPlugin(_Several):
    """Several series from answers in JSON."""

    reader = JsonReader


class HttpCsvMultiSeriesPlugin(_Several):
    """Several series from tables of text."""

    reader = CsvReader


class HttpXmlMultiSeriesPlugin(_Several):
    """Several series from answers in XML."""

    reader = XmlReader
