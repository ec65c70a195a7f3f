"""Finds points of a series that are missing by the length of its intervals. Pure.

A point is missing where a whole interval fits between two points that follow each other. So clocks
that change, months of any length and points that are off the grid make no gap by themselves.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from dataportal.granularity import IntervalLength
from dataportal.times import EARLIEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo

    from dataportal.resolutions import Resolution

_LATEST = datetime.max.replace(tzinfo=UTC)
_HOUR = timedelta(hours=1)
_SHORTEST_MONTH = 28  # days
_FEWEST_POINTS = 12
_FEWEST_DAYS = 20  # four weeks without weekends
_DAY = IntervalLength(days=1)


class ExpectedLength(NamedTuple):
    """How long the intervals of a series are from `ts_from` on, up to the next one's."""

    ts_from: datetime
    length: IntervalLength


class Gap(NamedTuple):
    """So many points that are missing: the first one at `start`, all of them before `end`."""

    start: datetime
    end: datetime
    missing: int
    length: IntervalLength


@dataclass(frozen=True, slots=True)
class Grid:
    """When the points of a series are to be expected.

    Attributes:
        lengths: of its intervals, in order of the ts from which on they hold. Not empty.
        zone: whose calendar days and months are of; None for UTC.
        rest_days: the weekdays, Monday 1, on which a daily series never has a point.
    """

    lengths: Sequence[ExpectedLength]
    zone: tzinfo | None = None
    rest_days: frozenset[int] = frozenset()

    def length_at(self, instant: datetime) -> tuple[IntervalLength, datetime | None]:
        """The length of the interval that begins at an instant, and up to when it holds."""
        following = max(1, bisect_right(self.lengths, instant, key=_ts_from))
        until = self.lengths[following].ts_from if following < len(self.lengths) else None
        return self.lengths[following - 1].length, until

    def is_expected(self, instant: datetime, length: IntervalLength) -> bool:
        """Whether a point belongs on this weekday."""
        if length != _DAY or not self.rest_days:
            return True
        return instant.astimezone(self.zone or UTC).isoweekday() not in self.rest_days


class Evidence(NamedTuple):
    """What stored points show of a length: how many there are, and the least distance of two.

    Attributes:
        points: counted no further than need be.
        nearest: None where there are not two.
    """

    points: int
    nearest: timedelta | None


def expected_lengths(
    granularity: IntervalLength, resolutions: Sequence[Resolution], shown: Sequence[Evidence]
) -> list[ExpectedLength]:
    """The lengths to expect of a series, from what is said of it and what its points show.

    Args:
        granularity: what sources.yaml says.
        resolutions: the lengths that were found of it, in order of `ts_from`.
        shown: what is stored of each of them.

    Returns:
        One for the time before the first point, and one for each change. Points at no regular
        distance, or a few that lie further apart than the granularity says, show holes. So does a
        length at which no two values are stored: then an answer had nulls in between.
    """
    lengths: list[ExpectedLength] = []
    for resolution, evidence in zip(resolutions, shown, strict=True):
        length = resolution.length
        if length is None or not _is_shown(length, granularity, evidence):
            length = granularity
        if not lengths or lengths[-1].length != length:
            lengths.append(ExpectedLength(resolution.ts_from, length))
    if lengths:
        return [ExpectedLength(EARLIEST, lengths[0].length), *lengths[1:]]
    return [ExpectedLength(EARLIEST, granularity)]


def _is_shown(length: IntervalLength, granularity: IntervalLength, evidence: Evidence) -> bool:
    if least_distance(length) > least_distance(granularity):
        return evidence.points >= _FEWEST_POINTS
    return evidence.nearest is not None and evidence.nearest < least_distance(length)


def days_of_rest(points: Mapping[int, int]) -> frozenset[int]:
    """The weekdays on which a daily series never has a point, by how many it has on each.

    A series that is too short to tell has none.
    """
    if sum(points.values()) < _FEWEST_DAYS:
        return frozenset()
    return frozenset(day for day in range(1, 8) if not points.get(day))


def least_distance(length: IntervalLength) -> timedelta:
    """How far two points are apart at least between which one is missing."""
    shortest = timedelta(days=_SHORTEST_MONTH * length.months + length.days) + length.rest
    return 2 * shortest - _tolerance(length)


def find_gap(
    grid: Grid, after: datetime, before: datetime, *, start: datetime | None = None
) -> Gap | None:
    """What is missing between two points that follow each other.

    Args:
        grid: when points are to be expected.
        after: the first of the two points.
        before: the second one; or an end, to which all that would be over by then is expected.
        start: what would lie before that does not count; None for `after`.
    """
    return _missing(grid, _next(grid, after), before, start or after)


def find_first_gap(grid: Grid, start: datetime, before: datetime) -> Gap | None:
    """What is missing from a start up to the first point of all."""
    length, _ = grid.length_at(start)
    if not (length.months or length.days):
        number = (before - start) // length.rest
        return Gap(before - number * length.rest, before, number, length) if number else None
    return _missing(grid, length.start_of(start, grid.zone), before, start)


def join_ranges(
    ranges: Iterable[tuple[datetime, datetime]], within: timedelta
) -> list[tuple[datetime, datetime]]:
    """The ranges in order, those as one that lie no further apart than `within`."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(ranges):
        if joined and start - joined[-1][1] <= within:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _missing(grid: Grid, at: datetime | None, before: datetime, start: datetime) -> Gap | None:
    first: datetime | None = None
    first_length: IntervalLength | None = None
    missing = 0
    while at is not None and at < before:
        length, until = grid.length_at(at)
        stop = before if until is None or until > before else until
        found, number = _count(grid, at, stop, length, start)
        missing += number
        if first is None and number:
            first, first_length = found, length
        at = until
    if first is None or first_length is None:
        return None
    return Gap(first, before, missing, first_length)


def _count(
    grid: Grid, at: datetime, stop: datetime, length: IntervalLength, start: datetime
) -> tuple[datetime, int]:
    """The first missing point, and how many there are from `at` up to `stop`."""
    limit = stop + min(_tolerance(length), _LATEST - stop)
    if not (length.months or length.days):
        if at < start:
            at += -((at - start) // length.rest) * length.rest
        return at, max(0, (limit - at) // length.rest)
    first, number = at, 0
    while (end := length.end_of(at, grid.zone)) <= limit and at < stop:
        if at >= start and grid.is_expected(at, length):
            first = first if number else at
            number += 1
        at = end
    return first, number


def _next(grid: Grid, after: datetime) -> datetime:
    """Where the next point is to be expected."""
    length, until = grid.length_at(after)
    end = length.end_of(after, grid.zone)
    return end if until is None else min(end, until)


def _tolerance(length: IntervalLength) -> timedelta:
    """By how much an interval may be shorter when clocks change that nobody told of."""
    fixed = not (length.months or length.days)
    return timedelta() if fixed and length.rest <= _HOUR else _HOUR


def _ts_from(expected: ExpectedLength) -> datetime:
    return expected.ts_from
