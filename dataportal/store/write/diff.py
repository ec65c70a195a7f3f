"""Compares a batch with what is stored: which points are new, revised or retracted. Pure.

Values are compared as the doubles that the column holds, and as PostgreSQL compares them: 0.0 is
-0.0, NaN is NaN, and 0.1 + 0.2 is not 0.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress, count, pairwise, repeat
from math import isnan
from operator import attrgetter, ne
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from dataportal.observations import Observations


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes from which on another way is taken, for time and for memory; the outcome is the same.

    Attributes:
        inserted_up_to: rows that are inserted from arrays; COPY is quicker, but for its round trip.
        looked_up: points that are looked up at a time. A slice that has more makes chunks first.
        block: points that are read, compared and sent at a time.
        spread: so many times the points of a span, and
        slack: so many more, may be stored in it to be read and compared here. A few points that
            are spread over millions of stored ones are looked up in the database instead.
    """

    inserted_up_to: int = 200
    looked_up: int = 4_000
    block: int = 50_000
    spread: int = 4
    slack: int = 1_000


class SeriesPoints(NamedTuple):
    """Points of one series as columns, ascending; the values of a retraction are None."""

    series_id: int
    ts: Sequence[datetime]
    values: Sequence[float | None]


class PointGrid(NamedTuple):
    """Points of series that have the same times; the values of one series after the other.

    Both series and times ascend.
    """

    series: list[int]
    ts: Sequence[datetime]
    values: list[float | None]

    def neighbourhoods(self, widest: timedelta) -> Iterator[PointGrid]:
        """The same points in grids whose times follow each other at `widest` at most."""
        size = len(self.ts)
        bounds = [n for n in range(1, size) if self.ts[n] - self.ts[n - 1] > widest]
        if not bounds:
            yield self
            return
        rows = [self.values[first : first + size] for first in range(0, len(self.values), size)]
        for first, end in pairwise([0, *bounds, size]):
            values = [value for row in rows for value in row[first:end]]
            yield PointGrid(self.series, self.ts[first:end], values)


class Points:
    """Points of any series, to be written in the same way."""

    def __init__(self, columns: Sequence[SeriesPoints] = ()) -> None:
        self.columns = list(columns)
        self._taken = 0

    def __len__(self) -> int:
        return sum(len(points.ts) for points in self.columns)

    def add(self, series_id: int, ts: Sequence[datetime], values: Sequence[float | None]) -> None:
        """Add points of one series, if there are any."""
        if ts:
            self.columns.append(SeriesPoints(series_id, ts, values))

    def take_new(self) -> Points:
        """Those that were added since this was called last; they stay here as well."""
        first, self._taken = self._taken, len(self.columns)
        return Points(self.columns[first:])

    def grids(self, size: int) -> list[PointGrid]:
        """The same points in as few grids as it takes, of so many points if not of one series.

        What is revised together is revised at the same times, more often than not.
        """
        grids: dict[tuple[datetime, ...], list[PointGrid]] = {}
        for series_id, ts, values in sorted(self.columns, key=attrgetter("series_id")):
            same_times = grids.setdefault(tuple(ts), [])
            if not same_times or len(same_times[-1].values) + len(ts) > size:
                same_times.append(PointGrid([], ts, []))
            same_times[-1].series.append(series_id)
            same_times[-1].values.extend(values)
        return [grid for same_times in grids.values() for grid in same_times]


@dataclass(slots=True)
class Diff:
    """The points of a batch that differ from what is stored."""

    inserted: Points = field(default_factory=Points)
    revised: Points = field(default_factory=Points)
    retracted: Points = field(default_factory=Points)

    def series(self) -> list[int]:
        """The series_ids of those that differ, ascending."""
        kinds = (self.inserted, self.revised, self.retracted)
        return sorted({points.series_id for kind in kinds for points in kind.columns})

    def retractions_by_series(self) -> dict[int, int]:
        """How many points would be retracted, by series_id."""
        counts: dict[int, int] = {}
        for series_id, ts, _ in self.retracted.columns:
            counts[series_id] = counts.get(series_id, 0) + len(ts)
        return counts

    def drop_retractions(self, series: Collection[int]) -> None:
        """Leave the points of these series as they are stored, which would be retracted."""
        self.retracted.columns = [p for p in self.retracted.columns if p.series_id not in series]


@dataclass(frozen=True, slots=True)
class SeriesSpan:
    """Points of a series in a batch, and the span of time in which the batch has no others of it.

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
        """The start of the span: the first ts."""
        return self.ts[0]

    def pick(self, positions: Sequence[int]) -> tuple[list[datetime], list[float | None]]:
        """The times and the values at these positions."""
        return [self.ts[n] for n in positions], [self.values[n] for n in positions]


def spans(batch: Mapping[int, Observations | SeriesSpan], size: int) -> Iterator[SeriesSpan]:
    """The batch in spans of so many points at most; those of a series adjoin."""
    for series_id, points in batch.items():
        count = len(points.ts)
        if count <= size:
            yield SeriesSpan(series_id, points.ts, points.values, points.ts[-1])
            continue
        for first in range(0, count, size):
            after = min(first + size, count)
            # up to the next span's first point, which is later: nothing lies between the two
            high = points.ts[-1] if after == count else points.ts[after] - points.ts[0].resolution
            yield SeriesSpan(series_id, points.ts[first:after], points.values[first:after], high)


def blocks(batch_spans: Iterable[SeriesSpan], size: int) -> Iterator[list[SeriesSpan]]:
    """Spans together that have so many points at most, if they are not one alone."""
    block: list[SeriesSpan] = []
    points = 0
    for span in batch_spans:
        if block and points + len(span.ts) > size:
            yield block
            block, points = [], 0
        block.append(span)
        points += len(span.ts)
    if block:
        yield block


def compare(span: SeriesSpan, ts: Sequence[datetime], values: Sequence[float], diff: Diff) -> None:
    """Add to `diff` what a span would change of all that is stored in it.

    Most answers bring what is there already, then something new: whole lists are compared, and a
    loop in Python sees the differences only.

    Args:
        span: of the batch.
        ts: the stored times in it; in ascending order they are compared faster.
        values: the stored values.
        diff: is added to.
    """
    all_known = ts == span.ts
    if all_known and values == span.values:
        return
    if not ts and None not in span.values:
        diff.inserted.add(span.series_id, span.ts, span.values)
        return
    stored: Sequence[float | None]
    if all_known:
        stored = values
    elif ts == span.ts[: len(ts)]:
        stored = [*values, *repeat(None, len(span.ts) - len(ts))]
    else:
        stored = list(map(dict(zip(ts, values, strict=True)).get, span.ts))
    inserted: list[int] = []
    revised: list[int] = []
    retracted: list[int] = []
    for n in compress(count(), map(ne, span.values, stored)):
        value, before = span.values[n], stored[n]
        if value is None:
            retracted.append(n)
        elif before is None:
            inserted.append(n)
        elif not (isnan(value) and isnan(before)):
            revised.append(n)
    diff.inserted.add(span.series_id, *span.pick(inserted))
    diff.revised.add(span.series_id, *span.pick(revised))
    diff.retracted.add(span.series_id, *span.pick(retracted))
