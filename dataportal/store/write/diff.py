"""What a batch would change of what is stored: pure.

Values are compared as the doubles that the column holds, and as PostgreSQL compares them: 0.0 is
-0.0, NaN is NaN, and 0.1 + 0.2 is not 0.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress, count, repeat
from math import isnan
from operator import attrgetter, ne
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from dataportal.observations import Observations


@dataclass(frozen=True, slots=True)
class Sizes:
    """From where on another way is taken, for time and for memory; the outcome is the same.

    Attributes:
        inserted_up_to: rows that are inserted from arrays; COPY is quicker, but for its round trip.
        looked_up: points that are looked up at a time. A slice that has more makes chunks first.
        block: points that are read, compared and sent at a time.
        spread: so many times the points of a window, and
        slack: so many more, may be stored in it to be read and compared here. A few points that
            are spread over millions of stored ones are looked up in the database instead.
    """

    inserted_up_to: int = 200
    looked_up: int = 4_000
    block: int = 50_000
    spread: int = 4
    slack: int = 1_000


class Part(NamedTuple):
    """Points of one series as columns, ascending; the values of a retraction are None."""

    series_id: int
    ts: Sequence[datetime]
    values: Sequence[float | None]


class Grid(NamedTuple):
    """Points of series that have the same times; the values of one series after the other.

    Both series and times ascend.
    """

    series: list[int]
    ts: Sequence[datetime]
    values: list[float | None]


class Rows:
    """Points of any series, part by part: as many at a time as a statement can bear."""

    def __init__(self, parts: Sequence[Part] = ()) -> None:
        self.parts = list(parts)
        self._told = 0

    def __len__(self) -> int:
        return sum(len(part.ts) for part in self.parts)

    def add(self, series_id: int, ts: Sequence[datetime], values: Sequence[float | None]) -> None:
        """Add points of one series, if there are any."""
        if ts:
            self.parts.append(Part(series_id, ts, values))

    def latest(self) -> Rows:
        """Those that were added since this was asked last."""
        before, self._told = self._told, len(self.parts)
        return Rows(self.parts[before:])

    def grids(self, size: int) -> list[Grid]:
        """The same points in as few grids as it takes, of so many points if not of one series.

        What is revised together is revised at the same times, more often than not.
        """
        found: dict[tuple[datetime, ...], list[Grid]] = {}
        for series_id, ts, values in sorted(self.parts, key=attrgetter("series_id")):
            same = found.setdefault(tuple(ts), [])
            if not same or len(same[-1].values) + len(ts) > size:
                same.append(Grid([], ts, []))
            same[-1].series.append(series_id)
            same[-1].values.extend(values)
        return [grid for same in found.values() for grid in same]


@dataclass(slots=True)
class Changes:
    """The points of a batch that differ from what is stored."""

    inserted: Rows = field(default_factory=Rows)
    revised: Rows = field(default_factory=Rows)
    retracted: Rows = field(default_factory=Rows)

    def candidates(self) -> dict[int, int]:
        """How many points would be retracted, by series."""
        found: dict[int, int] = {}
        for series_id, ts, _ in self.retracted.parts:
            found[series_id] = found.get(series_id, 0) + len(ts)
        return found

    def keep(self, series: Collection[int]) -> None:
        """Take the retractions of these series out."""
        self.retracted.parts = [p for p in self.retracted.parts if p.series_id not in series]


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a series' points in a batch, and the span of time that is theirs alone.

    Attributes:
        series_id: the series.
        ts: their times, ascending; not empty.
        values: their values.
        high: the end of the span, inclusive.
    """

    series_id: int
    ts: Sequence[datetime]
    values: Sequence[float | None]
    high: datetime

    @property
    def low(self) -> datetime:
        """The first ts."""
        return self.ts[0]

    def chosen(self, numbers: Sequence[int]) -> tuple[list[datetime], list[float | None]]:
        """The points with these numbers."""
        return [self.ts[n] for n in numbers], [self.values[n] for n in numbers]


def windows(batch: Mapping[int, Observations | Window], size: int) -> Iterator[Window]:
    """The batch in windows of so many points at most; those of a series adjoin."""
    for series_id, points in batch.items():
        count = len(points.ts)
        if count <= size:
            yield Window(series_id, points.ts, points.values, points.ts[-1])
            continue
        for first in range(0, count, size):
            after = min(first + size, count)
            # up to the next window's first point, which is later: nothing lies between the two
            high = points.ts[-1] if after == count else points.ts[after] - points.ts[0].resolution
            yield Window(series_id, points.ts[first:after], points.values[first:after], high)


def blocks(parts: Iterable[Window], size: int) -> Iterator[list[Window]]:
    """Windows together that have so many points at most, if they are not one alone."""
    block: list[Window] = []
    points = 0
    for window in parts:
        if block and points + len(window.ts) > size:
            yield block
            block, points = [], 0
        block.append(window)
        points += len(window.ts)
    if block:
        yield block


def compare(
    window: Window, ts: Sequence[datetime], values: Sequence[float], changes: Changes
) -> None:
    """Add to `changes` what a window would change of all that is stored in its span.

    Most answers bring what is there already, then something new: whole lists are compared, and a
    loop in Python sees the differences only.

    Args:
        window: a part of the batch.
        ts: the stored times in its span; in ascending order they are compared faster.
        values: the stored values.
        changes: is added to.
    """
    all_known = ts == window.ts
    if all_known and values == window.values:
        return
    if not ts and None not in window.values:
        changes.inserted.add(window.series_id, window.ts, window.values)
        return
    before: Sequence[float | None]
    if all_known:
        before = values
    elif ts == window.ts[: len(ts)]:
        before = [*values, *repeat(None, len(window.ts) - len(ts))]
    else:
        before = list(map(dict(zip(ts, values, strict=True)).get, window.ts))
    inserted: list[int] = []
    revised: list[int] = []
    retracted: list[int] = []
    for n in compress(count(), map(ne, window.values, before)):
        value, was = window.values[n], before[n]
        if value is None:
            retracted.append(n)
        elif was is None:
            inserted.append(n)
        elif not (isnan(value) and isnan(was)):
            revised.append(n)
    changes.inserted.add(window.series_id, *window.chosen(inserted))
    changes.revised.add(window.series_id, *window.chosen(revised))
    changes.retracted.add(window.series_id, *window.chosen(retracted))
