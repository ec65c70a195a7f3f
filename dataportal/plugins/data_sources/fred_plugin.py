"""FRED and ALFRED, the economic data of the Federal Reserve Bank of St. Louis. A key is needed.

FRED serves the values of today, ALFRED every value with the days on which it was the published one
(`realtime_start` to `realtime_end`, both inclusive). With `vintages` all of them are fetched, and
`history SERIES --as-of DAY --by published` gives the series as it stood on any day.

The date of an observation is the first day of its period; dates and real-time days carry no time
and are taken as midnight in UTC. Values are texts; "." is "no value".
API: https://fred.stlouisfed.org/docs/api/fred/series_observations.html
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from dataportal.plugins.base_plugin import BasePlugin
from dataportal.plugins.http import RateLimit
from dataportal.plugins.parameters import Parameters, PositiveNumber, about
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.times import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dataportal.plugins.base_plugin import TimeSeriesMetadata

BASE_URL = "https://api.stlouisfed.org/fred"
_FIRST_DAY, _LAST_DAY = date(1776, 7, 4), date(9999, 12, 31)  # of real time, as the API has it
_PAGE = 100_000
_PER_MINUTE = 120
_NO_VALUE = "."


class _Row(msgspec.Struct):
    realtime_start: date
    realtime_end: date
    date: date
    value: str


class _Page(msgspec.Struct):
    realtime_end: date
    count: int
    observations: list[_Row]


class FredParameters(Parameters):
    """One series."""

    series_id: Annotated[
        str, about("such as GDP, UNRATE, CPIAUCSL", examples=("GDP", "UNRATE", "CPIAUCSL"))
    ]
    api_key: Annotated[str, about("the key, as a rule `${FRED_API_KEY}`", secret=True)]
    vintages: Annotated[
        bool,
        about("false for series that ALFRED does not have, such as daily market data (true)"),
    ] = True
    units: Annotated[str | None, about("as the API has them")] = None
    frequency: Annotated[str | None, about("as the API has it")] = None
    aggregation_method: Annotated[str | None, about("as the API has it")] = None
    per_minute: Annotated[
        PositiveNumber, about("requests a minute (120, which the API allows a key)")
    ] = _PER_MINUTE
    base_url: Annotated[str, about(f"the address of a mirror (`{BASE_URL}`)")] = BASE_URL


class FredDataSourcePlugin(BasePlugin):
    """One series of FRED, by default with its whole history of publication."""

    parameters = (FredParameters,)

    # revisions reach back to the first observation, and a series is small
    source_defaults: ClassVar[Mapping[str, Any]] = {
        "initial_history": "all",
        "lookback": "10000 years",
    }

    def __init__(self, metadata: TimeSeriesMetadata, default_params: dict[str, Any]) -> None:
        super().__init__(metadata, default_params)
        params = Params(default_params)
        fred = params.read(FredParameters)
        self._query: dict[str, str | int] = {
            "series_id": fred.series_id,
            "api_key": fred.api_key,
            "file_type": "json",
            "limit": _PAGE,
        }
        for name in ("units", "frequency", "aggregation_method"):
            if (value := getattr(fred, name)) is not None:
                self._query[name] = value
        self._limit = RateLimit(fred.per_minute, key=fred.api_key or None)
        self._vintages = fred.vintages
        self._base_url = fred.base_url.rstrip("/")
        params.finish()

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,  # noqa: ARG002 - the API's; a series is one metric
    ) -> dict[str, list[Any]]:
        """The observations with `start_date <= ts < end_date`, as columns with `published_at`.

        Raises:
            PermanentError: FRED knows no such series, or refuses the key.
            BadDataError: an answer has not the shape that FRED promises.
        """
        window = Window(start_date, end_date)
        query = dict(self._query)
        if window.start.date() > _FIRST_DAY:
            query["observation_start"] = window.start.date().isoformat()
        if window.end is not None:
            query["observation_end"] = window.end.date().isoformat()
        if self._vintages:
            query["realtime_start"] = _FIRST_DAY.isoformat()
            query["realtime_end"] = _LAST_DAY.isoformat()
        rows, realtime_end = await self._rows(query)
        points = list(_points(rows, realtime_end) if self._vintages else _latest(rows))
        columns: dict[str, list[Any]] = {
            "ts": [ts for ts, _, _ in points],
            "value": [value for _, value, _ in points],
        }
        if self._vintages:
            columns["published_at"] = [published for _, _, published in points]
        return columns

    async def _rows(self, query: dict[str, str | int]) -> tuple[list[_Row], date]:
        rows: list[_Row] = []
        while True:
            answer = await self.http.get(
                f"{self._base_url}/series/observations",
                params={**query, "offset": len(rows)},
                limit=self._limit,
            )
            if answer.has_no_content and not rows:
                return [], date.max
            page = answer.json(_Page)
            rows += page.observations
            if len(rows) >= page.count:
                return rows, page.realtime_end
            if not page.observations:
                raise answer.bad(f"ends after {len(rows)} of {page.count} observations")


def _points(
    rows: list[_Row], realtime_end: date
) -> Iterable[tuple[datetime, str | None, datetime]]:
    """Every value with the day of its publication, and "no value" from the day after its last one.

    An interval of real time that ends where that of the answer does is open: it has no last day.
    """
    starts = {(row.date, row.realtime_start) for row in rows}
    for row in rows:
        yield _midnight(row.date), _value(row), _midnight(row.realtime_start)
        if row.realtime_end < realtime_end:
            after = row.realtime_end + timedelta(days=1)
            if (row.date, after) not in starts:
                yield _midnight(row.date), None, _midnight(after)


def _latest(rows: list[_Row]) -> Iterable[tuple[datetime, str | None, datetime]]:
    for row in rows:
        yield _midnight(row.date), _value(row), _midnight(row.realtime_start)


def _value(row: _Row) -> str | None:
    return None if row.value.strip() == _NO_VALUE else row.value


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
