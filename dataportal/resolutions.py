"""Finds how long the intervals of a series are, and where that changes. Pure.

A provider that goes from hours to quarters of an hour sends the same field as before: only the
distance of its points shows it. A distance is taken for the length of the intervals where it keeps
coming back. A whole multiple of it is a hole, until it keeps coming back itself.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, timedelta
from itertools import groupby, islice
from operator import sub
from typing import TYPE_CHECKING, NamedTuple

from dataportal.granularity import IntervalLength

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

FEWEST_STEPS = 12
"""So many distances must be equal to count: half a day of hours, a year of months. Fewer count
only where nothing else is known of a series."""
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_MONTH = 365.2425 / 12  # days
_MONTH_TOLERANCE = 2.5  # days, as February is shorter by two
_SHORTEST_MONTH = 28  # days
_FEBRUARY = 2


class Resolution(NamedTuple):
    """How long the intervals of a series are from `ts_from` on, up to the next one's.

    `length` None: the points come at no regular distance.
    """

    ts_from: datetime
    length: IntervalLength | None


class Steps(NamedTuple):
    """Points that follow each other at one distance: so many steps, the first one at `start`."""

    start: datetime
    distance: timedelta
    number: int


@dataclass(slots=True)
class Stretch:
    """Points whose intervals are of one length, from the first ts to the last one.

    Attributes:
        start: the first ts.
        last: the last one whose interval is of that length.
        length: of the intervals; None for points at no regular distance.
        steps: how many distances show it; `FEWEST_STEPS` where the provider says so itself.
    """

    start: datetime
    last: datetime
    length: IntervalLength | None
    steps: int


class ResolutionChange(NamedTuple):
    """What is to be recorded of a series.

    Attributes:
        recorded: resolutions to be added; one of the same `ts_from` is replaced.
        dropped: `ts_from` of those that are wrong.
        after: the last ts that was looked at, if what lies behind keeps the length it had.
        goes_on: that length, to be recorded for the first stored ts behind `after`, if any.
    """

    recorded: list[Resolution]
    dropped: list[datetime]
    after: datetime | None = None
    goes_on: IntervalLength | None = None


def steps(ts: Sequence[datetime]) -> Iterator[Steps]:
    """The distances between ascending times, equal ones together."""
    position = 0
    for distance, equal in groupby(map(sub, islice(ts, 1, None), ts)):
        number = sum(1 for _ in equal)
        yield Steps(ts[position], distance, number)
        position += number


def stretches(points: Iterable[Steps]) -> list[Stretch]:
    """The stretches of equal length among points, with at least `FEWEST_STEPS` each.

    Points of one distance alone are one however few they are, from three points on. Many points
    without any stretch are one of no length.
    """
    runs: list[Stretch] = []
    count = 0
    for start, distance, number in points:
        count += number
        length, last = length_of(distance, start), start + distance * number
        run = runs[-1] if runs else None
        if run is not None and run.length == length:
            run.last, run.steps = last, run.steps + number
        elif run is not None and _is_hole(distance, length, number, run):
            run.last = last
        else:
            if run is not None:
                run.last = start - timedelta.resolution
            runs.append(Stretch(start, last, length, number))
    if len(runs) == 1 and runs[0].steps > 1:
        return runs
    regular: list[Stretch] = []
    for run in runs:
        if run.steps < FEWEST_STEPS:
            continue
        if regular and regular[-1].length == run.length:
            regular[-1].last, regular[-1].steps = run.last, regular[-1].steps + run.steps
        else:
            regular.append(run)
    if not regular and count >= FEWEST_STEPS:
        return [Stretch(runs[0].start, runs[-1].last, None, count)]
    return regular


def stated_stretches(stated: Sequence[Resolution], last: datetime) -> list[Stretch]:
    """The stretches that a provider names itself, up to the last ts of its answer."""
    ends = [*(following.ts_from for following in stated[1:]), None]
    return [
        Stretch(
            ts_from,
            last if end is None else end - timedelta.resolution,
            length,
            FEWEST_STEPS,
        )
        for (ts_from, length), end in zip(stated, ends, strict=True)
        if ts_from <= last
    ]


def compare(known: Sequence[Resolution], seen: Sequence[Stretch]) -> ResolutionChange | None:
    """What is to be recorded of a series of which `known` is recorded; None for nothing.

    Args:
        known: in order of `ts_from`.
        seen: the stretches of an answer, or of all that is stored, in order.
    """
    rows = list(known)
    after: datetime | None = None
    goes_on: IntervalLength | None = None
    for stretch in seen:
        at = bisect_right(rows, stretch.start, key=_ts_from) - 1
        before = rows[at].length if at >= 0 else None
        contradicted = [
            n
            for n, row in enumerate(rows)
            if stretch.start < row.ts_from <= stretch.last and row.length != stretch.length
        ]
        if at >= 0 and before == stretch.length and not contradicted:
            continue
        if stretch.length is None and rows:
            continue  # points that are missing here and there prove nothing
        if stretch.steps < FEWEST_STEPS and rows and not _is_first(rows, stretch):
            continue
        was = bisect_right(known, stretch.last, key=_ts_from) - 1
        goes_on = known[was].length if was >= 0 else None
        is_open = was + 1 == len(known) and goes_on not in {None, stretch.length}
        after = stretch.last if is_open else None
        rows = [
            *(row for row in rows if not stretch.start <= row.ts_from <= stretch.last),
            Resolution(stretch.start, stretch.length),
        ]
        rows.sort(key=_ts_from)
        rows = _without_repetitions(rows)
    recorded = [row for row in rows if row not in known]
    times = {row.ts_from for row in rows}
    dropped = [row.ts_from for row in known if row.ts_from not in times]
    if not (recorded or dropped):
        return None
    return ResolutionChange(recorded, dropped, after, goes_on if after else None)


def length_of(distance: timedelta, start: datetime) -> IntervalLength:
    """The length of an interval that ends so long after `start`, by the calendar from a day on.

    A day may have 23 or 25 hours, a month 28 to 31 days.
    """
    days = round(distance / _DAY)
    if not days or abs(distance - days * _DAY) > _HOUR:
        return IntervalLength(rest=distance)
    months = round(days / _MONTH)
    # four weeks are a month in February alone, whichever zone its midnight is of
    is_february = (start + 14 * _HOUR).astimezone(UTC).month == _FEBRUARY
    is_month = months and abs(days - months * _MONTH) < _MONTH_TOLERANCE
    if is_month and (days > _SHORTEST_MONTH or is_february):
        return IntervalLength(months=months)
    return IntervalLength(days=days)


def _is_hole(distance: timedelta, length: IntervalLength, number: int, run: Stretch) -> bool:
    """Whether so many steps of this distance are holes among the intervals of a run."""
    own = run.length
    if own is None or number >= FEWEST_STEPS or number > run.steps:
        return False
    if own.months:
        return bool(length.months) and not length.months % own.months
    if own.days:
        days = round(distance / _DAY)
        return abs(distance - days * _DAY) <= _HOUR and not days % own.days
    return not distance % own.rest


def _is_first(rows: Sequence[Resolution], stretch: Stretch) -> bool:
    """Whether a short stretch may replace what is known: only what was found irregular."""
    return all(row.length is None for row in rows) and bool(stretch.length)


def _without_repetitions(rows: Sequence[Resolution]) -> list[Resolution]:
    """The rows of which each differs from the one before it."""
    kept: list[Resolution] = []
    for row in rows:
        if not kept or kept[-1].length != row.length:
            kept.append(row)
    return kept


def _ts_from(row: Resolution) -> datetime:
    return row.ts_from
