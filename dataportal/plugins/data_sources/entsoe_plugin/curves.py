"""Expands the curves of market documents: positions of a Period to intervals and their values.

Curve A01 has a Point for every interval; one left out has no value. Curve A03 has a Point only
where the value changes; one left out has the value of the one before it, up to the end of its
Period and never beyond ("The Introduction of Different TimeSeries Possibilities (CurveType) within
ENTSO-E Electronic Documents", ENTSO-E 2014).
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_left
from datetime import MAXYEAR, UTC, timedelta
from typing import TYPE_CHECKING

from dataportal.times import parse_iso_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from dataportal.plugins.data_sources.entsoe_plugin.documents import Period
    from dataportal.plugins.readers.times import Window

FIXED_BLOCKS, VARIABLE_BLOCKS = "A01", "A03"
# of ISO 8601, whole numbers of a reasonable size
_RESOLUTION = re.compile(r"P(?:\d{1,3}[YMWD])*(?:T(?:\d{1,5}[HMS])+)?")
# so many days are 273 years: what is longer is no answer but an attack, or a mistake
_MOST_DAYS = 100_000


def intervals(
    period: Period,
    value: str,
    zones: Sequence[ZoneInfo],
    window: Window,
    *,
    by: str = "",
    left_out: Callable[[str, int, int], None] = lambda _kind, _before, _after: None,
) -> Iterator[tuple[datetime, datetime | None, str, str]]:
    """Where each interval of a Period begins, and ends if it began before the window; its value.

    And what its Point has at `by`.

    Args:
        period: of any curve and resolution.
        value: the local name of the value in a Point, such as quantity.
        zones: those by which days, months and years may begin; the first is taken in which the
            Period begins and ends at midnight.
        window: intervals that end before it, or begin after it, are left out.
        by: a local name in a Point, such as imbalance_Price.category: where a position occurs
            more than once, Points that say something else there are a curve of their own. Points
            that do not are all yielded.
        left_out: told how many are left out before and after, and what their Point has at `by`.

    Raises:
        ValueError: a curve, a resolution or a position that makes no sense; says which.
    """
    if period.curve not in {FIXED_BLOCKS, VARIABLE_BLOCKS}:
        raise ValueError(
            f"curve type {period.curve!r}, neither {FIXED_BLOCKS} nor {VARIABLE_BLOCKS}"
        )
    try:
        grid = _grid(period, zones)
    except OverflowError:
        raise ValueError("a Period beyond the calendar") from None
    curves, repeated = _curves(period, value, by, grid.count)
    low = _first_inside(grid, period, window)
    high = grid.count if window.end is None else min(grid.count, grid.first_from(window.end))
    for curve, values in curves.items():
        positions = sorted(values)
        ends = [*positions[1:], grid.count + 1]
        for position, next_position in zip(positions, ends, strict=True):
            end = next_position - 1 if period.curve == VARIABLE_BLOCKS else position
            begin = position - 1
            points = [values[position]]
            if repeated:
                points += repeated.get((curve, position), ())
            if begin < low or end > high:
                before = max(0, min(end, low) - begin)
                after = max(0, end - max(begin, high))
                for _, kind in points:
                    left_out(kind, before, after)
                begin, end = max(begin, low), min(end, high)
            for index in range(begin, end):
                start = grid.start(index)
                end_of_first = _end(grid, index, period) if start < window.start else None
                for point in points:
                    yield start, end_of_first, *point


def _curves(
    period: Period, value: str, by: str, count: int
) -> tuple[dict[str, dict[int, tuple[str, str]]], dict[tuple[str, int], list[tuple[str, str]]]]:
    """The value and the kind of each position of each curve, and what stands there once more."""
    is_single = len({position for position, _ in period.points}) == len(period.points)
    curves: dict[str, dict[int, tuple[str, str]]] = {}
    repeated: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for position, fields in period.points:
        if position > count:
            raise ValueError(
                f"position {position} in a Period of {count} intervals of {period.resolution}"
            )
        kind = fields.get(by, "")
        if value not in fields:
            raise ValueError(f"a Point at position {position} without {value}")
        curve = "" if is_single else kind
        point = (fields[value], kind)
        if curves.setdefault(curve, {}).setdefault(position, point) is not point:
            repeated.setdefault((curve, position), []).append(point)
    return curves, repeated


def _first_inside(grid: _FixedGrid | _CalendarGrid, period: Period, window: Window) -> int:
    """The index of the first interval that ends after the window's start."""
    first = grid.first_from(window.start)
    reaches = 0 < first <= grid.count and _end(grid, first - 1, period) > window.start
    return first - 1 if reaches else first


def _end(grid: _FixedGrid | _CalendarGrid, index: int, period: Period) -> datetime:
    return period.end if index + 1 == grid.count else grid.start(index + 1)


class _FixedGrid:
    """Intervals that all have the same length."""

    def __init__(self, period: Period, step: timedelta) -> None:
        self._begin, self._step = period.start, step
        self.count = -((period.start - period.end) // step)

    def start(self, index: int) -> datetime:
        """Where the interval with this index, from 0, begins."""
        return self._begin + index * self._step

    def first_from(self, instant: datetime) -> int:
        """The index of the first interval that begins then or later."""
        return max(0, -((self._begin - instant) // self._step))


class _CalendarGrid:
    """Intervals that are days, months or years of a time zone's calendar."""

    def __init__(self, period: Period, months: int, step: timedelta, zone: ZoneInfo) -> None:
        if (period.end - period.start).days > _MOST_DAYS:
            raise ValueError(f"a Period of more than {_MOST_DAYS:,} days")
        wall = period.start.astimezone(zone).replace(tzinfo=None)
        self._starts: list[datetime] = []
        while True:
            count = len(self._starts)
            local = _add_months(wall, months * count) + step * count
            start = local.replace(tzinfo=zone).astimezone(UTC)
            if start >= period.end:
                return
            self._starts.append(start)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._starts)

    def start(self, index: int) -> datetime:
        """Where the interval with this index, from 0, begins."""
        return self._starts[index]

    def first_from(self, instant: datetime) -> int:
        """The index of the first interval that begins then or later."""
        return bisect_left(self._starts, instant)


def interval_length(resolution: str) -> timedelta:
    """The length of an interval; of a month and a year the days that it has at least.

    Raises:
        ValueError: the resolution is no length of an interval.
    """
    months, step = _parse_resolution(resolution)
    return step + timedelta(days=28 * months)


def _parse_resolution(resolution: str) -> tuple[int, timedelta]:
    """The months of a resolution, with its years; and the rest of it, by the clocks if in days."""
    duration = parse_iso_duration(resolution) if _RESOLUTION.fullmatch(resolution) else None
    if duration is None or not any(duration):
        raise ValueError(f"resolution {resolution[:20]!r}, which is no length of an interval")
    years, months, step = duration
    return years * 12 + months, step


def _grid(period: Period, zones: Sequence[ZoneInfo]) -> _FixedGrid | _CalendarGrid:
    months, step = _parse_resolution(period.resolution)
    if months == 0 and "T" in period.resolution:
        return _FixedGrid(period, step)
    zone = next((z for z in zones if _is_midnight(period, z)), zones[0])
    return _CalendarGrid(period, months, step, zone)


def _is_midnight(period: Period, zone: ZoneInfo) -> bool:
    return all(
        (local := instant.astimezone(zone)).hour == local.minute == 0
        for instant in (period.start, period.end)
    )


def _add_months(wall: datetime, months: int) -> datetime:
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    if year > MAXYEAR:
        raise OverflowError
    day = min(wall.day, calendar.monthrange(year, month + 1)[1])
    return wall.replace(year=year, month=month + 1, day=day)
