"""Resamples values to longer intervals of a calendar: local days of 23, 24 or 25 hours. Pure."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from enum import StrEnum
from math import fsum
from typing import TYPE_CHECKING, NamedTuple

from dataportal.granularity import interval_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo

    from dataportal.granularity import IntervalLength

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_MONTHS_OF_YEAR = 12
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_MARGIN = timedelta(days=2)  # zones are less than that from UTC
_MONDAY = datetime(1970, 1, 5)  # noqa: DTZ001 - a local day


class Aggregate(StrEnum):
    """What becomes of the values of an interval."""

    MEAN = "mean"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    COUNT = "count"


class Interval(NamedTuple):
    """An interval that holds values: where it begins and ends, their aggregate, and how many."""

    start: datetime
    end: datetime
    value: float
    size: int


def parse_step(text: str) -> IntervalLength:
    """The length of intervals that `1 day`, `6 hours`, `1 week` or `3 months` names.

    Raises:
        ValueError: none, or one that fits into no day, week or year a whole number of times.
    """
    length = interval_length(text)
    if length is None:
        raise ValueError(f"{text!r} is not a length; write it like 1 hour, 1 day, 1 week, 1 month")
    if length.months and (length.days or length.rest):
        raise ValueError(f"{text!r} mixes months with days")
    if length.months and _MONTHS_OF_YEAR % length.months and length.months % _MONTHS_OF_YEAR:
        raise ValueError(f"{text!r} does not fit into a year a whole number of times")
    if length.rest and _DAY % length.rest:
        raise ValueError(f"{text!r} does not fit into a day a whole number of times")
    return length


def interval_bounds(
    ts: datetime, length: IntervalLength, zone: tzinfo
) -> tuple[datetime, datetime]:
    """Where the interval that a time lies in begins and ends, in UTC.

    Months are counted from January, days from midnight by the clocks of the zone, several days from
    a Monday, hours from midnight. On days on which the clocks change, an interval of several hours
    may be an hour shorter or longer.
    """
    if ts - _EARLIEST < _MARGIN or _LATEST - ts < _MARGIN:
        zone = UTC  # the clocks of the zone may be beyond the calendar
    local = ts.astimezone(zone)
    wall = local.replace(tzinfo=None, fold=0)
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    if length.months:
        number = (wall.year * _MONTHS_OF_YEAR + wall.month - 1) // length.months * length.months
        return _instant(_month(number), zone), _instant(_month(number + length.months), zone)
    if length.days:
        # from a Monday on, as weeks are
        first = _add(midnight, -timedelta(days=(midnight - _MONDAY).days % length.days))
        return _instant(first, zone), _instant(_add(first, timedelta(days=length.days)), zone)
    if length.rest <= _HOUR:
        # the hour that occurs twice is two hours
        start = ts - (wall - midnight) % length.rest
        return start, _add(start, length.rest)
    start_wall = wall - (wall - midnight) % length.rest
    return _instant(start_wall, zone), _instant(_add(start_wall, length.rest), zone)


def resample(
    points: Iterable[tuple[datetime, float | None]],
    length: IntervalLength,
    aggregate: Aggregate,
    zone: tzinfo,
) -> Iterator[Interval]:
    """The intervals in which there are values, in order.

    Args:
        points: times in order, and values; None is no value.
        length: of the intervals, as `parse_step` gives it.
        aggregate: what becomes of their values.
        zone: whose calendar it is.
    """
    start = end = _EARLIEST
    values: list[float] = []
    for ts, value in points:
        if value is None:
            continue
        if ts >= end:
            if values:
                yield Interval(start, end, _aggregate(aggregate, values), len(values))
            start, end = interval_bounds(ts, length, zone)
            values = []
        values.append(value)
    if values:
        yield Interval(start, end, _aggregate(aggregate, values), len(values))


def _aggregate(aggregate: Aggregate, values: Sequence[float]) -> float:  # noqa: PLR0911 - one a kind
    match aggregate:
        case Aggregate.MEAN:
            return fsum(values) / len(values)
        case Aggregate.SUM:
            return fsum(values)
        case Aggregate.MIN:
            return min(values)
        case Aggregate.MAX:
            return max(values)
        case Aggregate.FIRST:
            return values[0]
        case Aggregate.LAST:
            return values[-1]
        case Aggregate.COUNT:
            return float(len(values))


def _month(number: int) -> datetime:
    year, month = divmod(number, _MONTHS_OF_YEAR)
    if year < MINYEAR:
        return datetime.min  # noqa: DTZ901 - local
    return datetime(year, month + 1, 1) if year <= MAXYEAR else datetime.max  # noqa: DTZ001, DTZ901 - local


def _add(time: datetime, length: timedelta) -> datetime:
    """The sum, or the end of the calendar that it would lie beyond."""
    try:
        return time + length
    except OverflowError:
        end = datetime.min if length < timedelta() else datetime.max  # noqa: DTZ901 - see below
        return end.replace(tzinfo=time.tzinfo)


def _instant(wall: datetime, zone: tzinfo) -> datetime:
    try:
        return wall.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return _LATEST if wall.year == MAXYEAR else _EARLIEST
