"""FRED and ALFRED, the economic data of the Federal Reserve Bank of St. Louis. A key is needed.

FRED serves the values of today, ALFRED every value with the days on which it was the published one
(`realtime_start` to `realtime_end`, both inclusive). With `vintages` all of them are fetched, and
`history SERIES --as-of DAY --by published` gives the series as it stood on any day.

The date of an observation is the first day of its month, quarter or year, but of a week the last
one, where `frequency` says "Ending": then `ts` is the first day, as everywhere. Dates carry no time
and are midnight in UTC. A day of publication carries no time either, and figures come out in the
course of it: they are taken as published at its end in US Central, where the bank is.

Values are texts; "." is "no value". Of more than 2,000 days of publication the API tells no more
than these in one answer: then the days are asked for, and the answers in pieces.
API: https://fred.stlouisfed.org/docs/api/fred/series_observations.html
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from dataportal.local_times import end_of_day
from dataportal.plugins.base_plugin import BadDataError, BasePlugin
from dataportal.plugins.http import RateLimit
from dataportal.plugins.parameters import Address, Parameters, PositiveNumber, about, one_of
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.times import Window
from dataportal.raw_points import RefusedTime

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from dataportal.plugins.base_plugin import TimeSeriesMetadata
    from dataportal.plugins.http.response import Answer

BASE_URL = "https://api.stlouisfed.org/fred"
PUBLICATION_ZONE = "America/Chicago"
"""The zone of the days on which FRED says that something was published."""
_FIRST_DAY, _LAST_DAY = date(1776, 7, 4), date(9999, 12, 31)  # of real time, as the API has it
_DAY = timedelta(days=1)
_PAGE, _DAYS_PAGE = 100_000, 10_000
_MOST_VINTAGES = 2_000
_PER_MINUTE = 120
_NO_VALUE = "."
_TOO_MANY_VINTAGES = re.compile(r"vintage dates.*exceed", re.IGNORECASE | re.DOTALL)
_ENDING = re.compile(r"(bi)?weekly\s*,\s*ending\s+(\w+)", re.IGNORECASE)
_AS_OF = re.compile(r"(bi)?weekly\s*,\s*as of\b", re.IGNORECASE)
_ENDING_CODE = re.compile(r"(bw|w)e(su|m|tu|w|th|f|sa)", re.IGNORECASE)
_WEEKDAYS = ("m", "tu", "w", "th", "f", "sa", "su")
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_BAD_REQUEST = (HTTPStatus.BAD_REQUEST,)
_ZONE = ZoneInfo(PUBLICATION_ZONE)


class _Row(msgspec.Struct):
    realtime_start: date
    realtime_end: date
    date: date
    value: str


class _Page(msgspec.Struct):
    realtime_end: date
    count: int
    observations: list[_Row]


class _Series(msgspec.Struct):
    frequency: str


class _SeriesPage(msgspec.Struct):
    seriess: list[_Series]


class _VintagesPage(msgspec.Struct):
    count: int
    vintage_dates: list[date]


class _Weeks(msgspec.Struct, frozen=True):
    """Weeks that are dated by their last day: that day's number, 0 for Monday, and their days."""

    last_weekday: int
    days: int

    @property
    def shift(self) -> timedelta:
        """From the first day to the last one."""
        return timedelta(days=self.days - 1)

    def first_other(self, days: Iterable[date]) -> date | None:
        """The first of these days that is another weekday."""
        return next((day for day in days if day.weekday() != self.last_weekday), None)


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
    stamp: Annotated[
        str,
        one_of(("start", "provider")),
        about("`provider` for the dates that FRED gives: of weeks the last day (start)"),
    ] = "start"
    units: Annotated[str | None, about("as the API has them")] = None
    frequency: Annotated[str | None, about("as the API has it")] = None
    aggregation_method: Annotated[str | None, about("as the API has it")] = None
    per_minute: Annotated[
        PositiveNumber, about("requests a minute (120, which the API allows a key)")
    ] = _PER_MINUTE
    base_url: Annotated[Address, about(f"the address of a mirror (`{BASE_URL}`)")] = BASE_URL


class FredDataSourcePlugin(BasePlugin):
    """One series of FRED, by default with its whole history of publication."""

    parameters = (FredParameters,)

    # revisions reach back to the first observation, and a series is small
    source_defaults: ClassVar[Mapping[str, Any]] = {
        "initial_history": "all",
        "lookback": "10000 years",
    }
    # the first took publications as known at midnight UTC, and weeks as begun on their last day
    reading: ClassVar[int] = 2

    def __init__(self, metadata: TimeSeriesMetadata, default_params: dict[str, Any]) -> None:
        super().__init__(metadata, default_params)
        params = Params(default_params)
        fred = params.read(FredParameters)
        self._series_id = fred.series_id
        self._common: dict[str, str | int] = {
            "series_id": fred.series_id,
            "api_key": fred.api_key,
            "file_type": "json",
        }
        self._query = {**self._common, "limit": _PAGE}
        for name in ("units", "frequency", "aggregation_method"):
            if (value := getattr(fred, name)) is not None:
                self._query[name] = value
        self._limit = RateLimit(fred.per_minute, key=fred.api_key or None)
        self._vintages = fred.vintages
        self._keeps_dates = fred.stamp == "provider"
        self._base_url = fred.base_url.rstrip("/")
        params.finish()

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,  # noqa: ARG002 - the API's; a series is one metric
    ) -> dict[str, Any]:
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
            # a week that begins before is dated up to so many days later
            query["observation_end"] = _days_later(window.end.date(), 13).isoformat()
        rows, realtime_end = await self._rows(query)
        is_whole = query.keys().isdisjoint({"observation_start", "observation_end"})
        weeks = None if self._keeps_dates else await self._weeks(rows, is_whole=is_whole)
        shift = timedelta() if weeks is None else weeks.shift
        points = list(_points(rows, realtime_end) if self._vintages else _latest(rows))
        columns: dict[str, Any] = {
            "ts": [_start(day, shift) for day, _, _ in points],
            "value": [value for _, value, _ in points],
            "reread": (self.reading, lambda ts, published: _reread(ts, published, weeks)),
        }
        if weeks is not None:
            columns["end"] = [_midnight(_days_later(day, 1)) for day, _, _ in points]
        if self._vintages:
            columns["published_at"] = [_publication(day) for _, _, day in points]
            columns["published_zone"] = PUBLICATION_ZONE
        return columns

    async def _rows(self, query: dict[str, str | int]) -> tuple[list[_Row], date]:
        """The rows of a request, and where real time ends in them: later ones are not asked for."""
        if not self._vintages:
            return await self._pages(query)
        whole = {**query, **_real_time(_FIRST_DAY, _LAST_DAY)}
        answer = await self._ask("series/observations", {**whole, "offset": 0}, also=_BAD_REQUEST)
        if answer.status not in _BAD_REQUEST:
            return await self._pages(whole, answer)
        days = []
        if _TOO_MANY_VINTAGES.search(answer.excerpt()):
            days = await self._vintage_days()
        if not days:
            raise answer.refusal(urlsplit(self._base_url).hostname or "")
        rows: list[_Row] = []
        realtime_end = _LAST_DAY
        for first, last in _pieces(days):
            piece, realtime_end = await self._pages({**query, **_real_time(first, last)})
            rows = _merge(rows, piece, first)
        return rows, realtime_end

    async def _pages(
        self, query: Mapping[str, str | int], answer: Answer | None = None
    ) -> tuple[list[_Row], date]:
        """All pages of a request, of which the first may be there already."""
        rows: list[_Row] = []
        while True:
            if answer is None:
                answer = await self._ask("series/observations", {**query, "offset": len(rows)})
            if answer.has_no_content and not rows:
                return [], date.max
            page = answer.json(_Page)
            rows += page.observations
            if len(rows) >= page.count:
                return rows, page.realtime_end
            if not page.observations:
                raise answer.bad(f"ends after {len(rows)} of {page.count} observations")
            answer = None

    async def _vintage_days(self) -> list[date]:
        """All days on which something of the series was published, in order."""
        days: list[date] = []
        while True:
            query = {**self._common, **_real_time(_FIRST_DAY, _LAST_DAY), "limit": _DAYS_PAGE}
            answer = await self._ask("series/vintagedates", {**query, "offset": len(days)})
            page = answer.json(_VintagesPage)
            days += page.vintage_dates
            if len(days) >= page.count:
                return sorted(set(days))
            if not page.vintage_dates:
                raise answer.bad(f"ends after {len(days)} of {page.count} days")

    async def _weeks(self, rows: Sequence[_Row], *, is_whole: bool) -> _Weeks | None:
        """How the dates name weeks by their last day; None if they are the first of something.

        Args:
            rows: of an answer.
            is_whole: whether the series has no others.

        Raises:
            BadDataError: a date is another weekday than its series says.
        """
        days = sorted({row.date for row in rows})
        asked = str(self._query.get("frequency", "")).lower()
        weeks: _Weeks | None = None
        answer: Answer | None = None
        if match := _ENDING_CODE.fullmatch(asked):
            weeks = _Weeks(_WEEKDAYS.index(match[2]), 14 if match[1] == "bw" else 7)
        elif asked in {"w", "bw"} and days:
            # of a series that has this frequency nothing is aggregated: its dates are its own
            answer = await self._ask("series", self._common)
            if not _AS_OF.match(_frequency(answer)):
                weeks = _Weeks(days[0].weekday(), 14 if asked == "bw" else 7)
        elif not asked and days and not _are_days_or_months(days, is_whole=is_whole):
            answer = await self._ask("series", self._common)
            weeks = _read_weeks(_frequency(answer))
        other = None if weeks is None else weeks.first_other(days)
        if weeks is not None and other is not None:
            end = _DAY_NAMES[weeks.last_weekday]
            reason = f"says that weeks of {self._series_id} end on {end}"
            reason += f", and one is dated {other}, a {_DAY_NAMES[other.weekday()]}"
            raise answer.bad(reason) if answer else BadDataError(f"FRED {reason}")
        return weeks

    async def _ask(
        self, path: str, query: Mapping[str, str | int], *, also: Collection[int] = ()
    ) -> Answer:
        return await self.http.get(
            f"{self._base_url}/{path}", params=dict(query), limit=self._limit, also=also
        )


def _points(rows: Sequence[_Row], realtime_end: date) -> Iterator[tuple[date, str | None, date]]:
    """Every value with the day of its publication, and "no value" from the day after its last one.

    An interval of real time that ends where that of the answer does is open: it has no last day.
    """
    starts = {(row.date, row.realtime_start) for row in rows}
    for row in rows:
        yield row.date, _value(row), row.realtime_start
        if row.realtime_end < realtime_end:
            after = row.realtime_end + _DAY
            if (row.date, after) not in starts:
                yield row.date, None, after


def _latest(rows: Sequence[_Row]) -> Iterator[tuple[date, str | None, date]]:
    for row in rows:
        yield row.date, _value(row), row.realtime_start


def _merge(rows: list[_Row], piece: Sequence[_Row], first: date) -> list[_Row]:
    """Rows with those of the piece of real time that begins on `first`, right after them.

    Real time is cut to the piece: a value that goes on is one row again.
    """
    open_rows = {row.date: row for row in rows if row.realtime_end == first - _DAY}
    merged = list(rows)
    for row in piece:
        before = open_rows.get(row.date) if row.realtime_start == first else None
        if before is not None and before.value == row.value:
            before.realtime_end = row.realtime_end
        else:
            merged.append(row)
    return merged


def _pieces(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """Ranges of real time, both ends included, with as many of these days as the API allows."""
    firsts = [*days[::_MOST_VINTAGES], _LAST_DAY]
    for first, following in pairwise(firsts):
        yield first, _LAST_DAY if following == _LAST_DAY else following - _DAY


def _real_time(first: date, last: date) -> dict[str, str]:
    return {"realtime_start": first.isoformat(), "realtime_end": last.isoformat()}


def _are_days_or_months(days: Sequence[date], *, is_whole: bool) -> bool:
    """Whether the dates alone show that they are days, or the first ones of months and more."""
    is_daily = any(later - earlier == _DAY for earlier, later in pairwise(days))
    return is_daily or ((is_whole or len(days) > 1) and all(day.day == 1 for day in days))


def _frequency(answer: Answer) -> str:
    """How often the series of an answer comes; "" where the answer knows no series."""
    series = answer.json(_SeriesPage).seriess
    return series[0].frequency.strip() if series else ""


def _read_weeks(frequency: str) -> _Weeks | None:
    """The weeks that a frequency such as "Weekly, Ending Friday" names; None for any other."""
    match = _ENDING.match(frequency)
    if match is None or match[2].capitalize() not in _DAY_NAMES:
        return None
    return _Weeks(_DAY_NAMES.index(match[2].capitalize()), 14 if match[1] else 7)


def _reread(
    ts: datetime, published: datetime | None, weeks: _Weeks | None
) -> tuple[datetime, datetime | None]:
    """Where the first reading's ts and day of publication, both at midnight, are today."""
    if weeks is not None and ts.weekday() == weeks.last_weekday:
        ts -= weeks.shift
    if published is not None and published.astimezone(UTC).time() == time():
        published = _publication(published.astimezone(UTC).date())
    return ts, published


def _value(row: _Row) -> str | None:
    return None if row.value.strip() == _NO_VALUE else row.value


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _start(day: date, shift: timedelta) -> datetime | RefusedTime:
    """When an interval begins that is named by a day so much later."""
    try:
        return _midnight(day - shift)
    except OverflowError:
        return RefusedTime(f"what begins before {day} is beyond the calendar")


def _publication(day: date) -> datetime:
    """By when what is published on a day is out: the end of it where the bank is."""
    try:
        return end_of_day(day, _ZONE)
    except OverflowError:  # a day that is yet to come for everybody
        return datetime.max.replace(tzinfo=UTC)


def _days_later(day: date, days: int) -> date:
    return day + min(timedelta(days=days), date.max - day)
