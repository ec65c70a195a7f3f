"""Fingrid open data v2, the electricity system of Finland. A key is needed.

Every row says in UTC where its interval begins and ends; `ts` is the begin. The length differs
between data sets (3 minutes, 15 minutes, an hour) and changed over the years within some. Forecasts
are overwritten by later ones, so what was forecast when is known from this database alone.
The data are under CC BY 4.0. API: https://data.fingrid.fi/en/instructions
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from dataportal.granularity import IntervalLength
from dataportal.plugins.base_plugin import (
    BasePlugin,
    MultiSeriesPlugin,
    PermanentError,
    TransientError,
)
from dataportal.plugins.http import NotFoundError, RateLimit
from dataportal.plugins.parameters import Address, Parameters, PositiveNumber, WholeNumber, about
from dataportal.plugins.readers.extract_filters import read_filters
from dataportal.plugins.readers.numbers import NumberFormat, whole_number
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.times import Clip, TimeFormat, Window
from dataportal.redaction import harmless
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataportal.plugins.base_plugin import TimeSeriesDefinition, TimeSeriesMetadata
    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.http.response import Answer

    Columns = dict[str, list[Any]]

BASE_URL = "https://data.fingrid.fi/api"
_PER_MINUTE = 10
_PAGE = 20_000
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # before anything that Fingrid publishes
_AHEAD = timedelta(days=3)  # no forecast reaches further; both ends of a window must be given
_RETRY_AFTER = re.compile(r"try again in (\d+) second", re.IGNORECASE)
# a year of a data set with a value every three minutes has nine pages
_SOURCE_DEFAULTS = {
    "lookback": "2 days",
    "forecast_horizon": "3 days",
    "max_window": "92 days",
}


class _Row(msgspec.Struct, rename="camel"):
    start_time: str
    value: float | str | None
    end_time: str | None = None
    dataset_id: int | str | None = None


class _Pagination(msgspec.Struct, rename="camel"):
    next_page: int | None
    total: int | str | None = None


class _Page(msgspec.Struct):
    data: list[_Row]
    pagination: _Pagination


class FingridParameters(Parameters):
    """What all data sets share."""

    api_key: Annotated[str, about("the key, as a rule `${FINGRID_API_KEY}`", secret=True)]
    per_minute: Annotated[PositiveNumber, about("requests a minute (10)")] = _PER_MINUTE
    base_url: Annotated[Address, about(f"the address of a mirror (`{BASE_URL}`)")] = BASE_URL


class FingridDataset(Parameters):
    """One data set."""

    dataset_id: Annotated[
        WholeNumber,
        about(
            "the number of the data set, such as 124 (consumption); of a group in the "
            "`extract_filter` of each series",
            examples=(124,),
        ),
    ]


class _Api:
    """What both plugins share."""

    def __init__(self, fingrid: FingridParameters) -> None:
        self._key = fingrid.api_key.strip()
        self._base_url = fingrid.base_url.rstrip("/")
        # the limit belongs to the key, whoever uses it
        self._limit = RateLimit(fingrid.per_minute, key=self._key or None, everywhere=True)
        self._times = TimeFormat()
        self._numbers = NumberFormat()

    async def columns(
        self,
        path: str,
        query: Mapping[str, str],
        datasets: set[int],
        *,
        window: Window,
        http: HttpClient,
        until: datetime,
    ) -> dict[int, Columns]:
        """The rows in the window as columns, by data set.

        Args:
            path: below `base_url`.
            query: the parameters of the path beside the window.
            datasets: those requested; of a single one the rows need not name it.
            window: what to ask for; it ends at `until` if it is open.
            http: the client.
            until: up to when anything can be known.
        """
        start, end = max(window.start, _BEGINNING), until if window.end is None else window.end
        if end <= start:
            return {}
        query = {
            **query,
            "startTime": _utc_text(start),
            "endTime": _utc_text(end),
            "format": "json",
            "pageSize": str(_PAGE),
            "locale": "en",
            "sortBy": "startTime",
            "sortOrder": "asc",
        }
        by_dataset: dict[int, Columns] = {}
        clips: dict[int, Clip] = {}
        number, rows = 1, 0
        while True:
            answer = await self._get(http, path, {**query, "page": str(number)})
            if answer.has_no_content:
                return by_dataset
            page = answer.json(_Page)
            rows += len(page.data)
            for row in page.data:
                dataset = _dataset(row, datasets, answer)
                ts = self._ts(row.start_time)
                columns = by_dataset.setdefault(dataset, {"ts": [], "value": []})
                clip = clips.setdefault(dataset, Clip(window))
                if isinstance(ts, str) or clip.takes(ts, self._length(row, ts, window)):
                    columns["ts"].append(ts)
                    columns["value"].append(
                        self._numbers.read(row.value) if isinstance(row.value, str) else row.value
                    )
            after = page.pagination.next_page
            if after is None:
                _check_complete(answer, rows, page.pagination.total)
                return {
                    dataset: clips[dataset].columns(columns)
                    for dataset, columns in by_dataset.items()
                }
            if after <= number or not page.data:
                raise answer.bad(f"is page {number}, and names page {after} as the next")
            number = after

    def _ts(self, text: str) -> datetime | str:
        ts = self._times.read(text)
        if isinstance(ts, datetime) and ts.tzinfo is None:
            return ts.replace(tzinfo=UTC)
        return ts

    def _length(self, row: _Row, ts: datetime, window: Window) -> IntervalLength | None:
        """The length of an interval that began before the window."""
        end = self._ts(row.end_time) if row.end_time and ts < window.start else None
        return IntervalLength(rest=end - ts) if isinstance(end, datetime) and end > ts else None

    async def _get(self, http: HttpClient, path: str, query: Mapping[str, str]) -> Answer:
        try:
            return await http.get(
                f"{self._base_url}{path}",
                params=query,
                headers={"x-api-key": self._key},
                limit=self._limit,
            )
        except TransientError as error:
            # the gateway says how long to wait in its text, not always in the header
            if error.retry_after is None and (match := _RETRY_AFTER.search(error.message)):
                error.retry_after = float(match[1])
            raise


def _dataset(row: _Row, requested: set[int], answer: Answer) -> int:
    dataset = row.dataset_id
    if dataset is None and len(requested) == 1:
        return next(iter(requested))
    known = {str(number): number for number in requested}.get(str(dataset))
    if known is None:
        raise answer.bad(
            f"has a row of data set {harmless(str(dataset), 40)}, which was not asked for"
        )
    return known


def _check_complete(answer: Answer, rows: int, total: int | str | None) -> None:
    try:
        promised = 0 if total is None else whole_number(total)
    except ValueError:
        promised = 0  # it promises nothing
    if rows < promised:
        raise answer.bad(f"is the last page, and {rows} of {promised} rows came")


def _utc_text(instant: datetime) -> str:
    if instant.microsecond:
        instant += timedelta(seconds=1)
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


class FingridDataSourcePlugin(BasePlugin):
    """One data set."""

    parameters = (FingridDataset, FingridParameters)
    source_defaults: ClassVar[Mapping[str, Any]] = _SOURCE_DEFAULTS

    def __init__(self, metadata: TimeSeriesMetadata, default_params: dict[str, Any]) -> None:
        super().__init__(metadata, default_params)
        params = Params(default_params)
        self._dataset = params.read(FingridDataset).dataset_id
        self._api = _Api(params.read(FingridParameters))
        params.finish()
        self.now = utc_now

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,  # noqa: ARG002 - the API's; a data set is one metric
    ) -> Columns:
        """The observations with `start_date <= ts < end_date`, as columns.

        Raises:
            PermanentError: there is no such data set, or the key is refused.
            TransientError: Fingrid is out of reach, or was asked too often.
            BadDataError: an answer has not the shape that Fingrid promises.
        """
        window = Window(start_date, end_date)
        try:
            by_dataset = await self._api.columns(
                f"/datasets/{self._dataset}/data",
                {},
                {self._dataset},
                window=window,
                http=self.http,
                until=self.now() + _AHEAD,
            )
        except NotFoundError as error:
            raise PermanentError(
                f"Fingrid has no data set {self._dataset} ({error.message})",
                hint="They are listed at https://data.fingrid.fi/en/datasets",
            ) from None
        return by_dataset.get(self._dataset, {"ts": [], "value": []})


class FingridMultiSeriesPlugin(MultiSeriesPlugin):
    """Several data sets with one request."""

    parameters = (FingridParameters,)
    series_parameters = (FingridDataset,)
    source_defaults: ClassVar[Mapping[str, Any]] = _SOURCE_DEFAULTS

    def __init__(
        self,
        group_id: str,
        request_params: dict[str, Any],
        series_definitions: list[TimeSeriesDefinition],
        schedule: str,
    ) -> None:
        super().__init__(group_id, request_params, series_definitions, schedule)
        params = Params(request_params)
        self._api = _Api(params.read(FingridParameters))
        shared = params.group_values(FingridDataset)
        self._datasets = read_filters(
            series_definitions, lambda own: _read_dataset(own, shared), params
        )
        self.now = utc_now

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> dict[str, Columns]:
        """The observations of each data set with `start_date <= ts < end_date`, as columns.

        A data set of which Fingrid has nothing in the window, or knows nothing at all, is left out.

        Raises:
            PermanentError: the key is refused.
            TransientError: Fingrid is out of reach, or was asked too often.
            BadDataError: an answer has not the shape that Fingrid promises.
        """
        requested = set(self._datasets.values())
        by_dataset = await self._api.columns(
            "/data",
            {"datasets": ",".join(map(str, sorted(requested)))},
            requested,
            window=Window(start_date, end_date),
            http=self.http,
            until=self.now() + _AHEAD,
        )
        return {
            name: by_dataset[number]
            for name, number in self._datasets.items()
            if number in by_dataset
        }


def _read_dataset(extract_filter: Mapping[str, Any], shared: Mapping[str, Any]) -> int:
    params = Params(extract_filter, shared=shared)
    dataset = params.read(FingridDataset).dataset_id
    params.finish()
    return dataset
