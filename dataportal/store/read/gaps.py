"""Finds what is missing of stored series, by the lengths of their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from dataportal.gaps import (
    Evidence,
    Grid,
    days_of_rest,
    expected_lengths,
    find_first_gap,
    find_gap,
    least_distance,
)
from dataportal.granularity import IntervalLength, interval_length
from dataportal.resolutions import Resolution, stretches
from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.store.read.selection import select_series
from dataportal.store.resolutions import resolutions, stored_steps
from dataportal.store.rows import record_row
from dataportal.times import time_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    import psycopg

    from dataportal.gaps import ExpectedLength, Gap
    from dataportal.store.read.history import StoredSeries

T = TypeVar("T")
_AT_A_TIME = 100
_ENOUGH_POINTS = 12
_DAY = IntervalLength(days=1)


class WithoutGrid(StrEnum):
    """Why nobody can say what is missing of a series."""

    NO_GRANULARITY = "has no granularity"
    NO_OBSERVATION = "has no observation yet"


@dataclass(frozen=True, slots=True)
class SeriesGaps:
    """What is missing of a series.

    Attributes:
        series: the series.
        gaps: in order of ts.
        rest_days: the weekdays, Monday 1, on which it never has a point, and none is expected.
        without_grid: why nothing can be said of it; None where it can.
    """

    series: StoredSeries
    gaps: tuple[Gap, ...] = ()
    rest_days: frozenset[int] = frozenset()
    without_grid: WithoutGrid | None = None

    @property
    def missing(self) -> int:
        """How many points are missing."""
        return sum(gap.missing for gap in self.gaps)


class _WeekdayPoints(NamedTuple):
    """How many points there are on a day of the week, Monday 1."""

    weekday: int
    points: int


class _Pair(NamedTuple):
    """Two observations that follow each other."""

    ts: datetime
    following: datetime


class _Edges(NamedTuple):
    """The last ts before a window, and the first and the last one in it; None for none."""

    before: datetime | None
    first: datetime | None
    last: datetime | None


def gaps_of_series(
    connection: psycopg.Connection,
    series: Sequence[StoredSeries],
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    at: datetime | None = None,
    since_first: bool = False,
    progress: Callable[..., None] = lambda _done, _total=None: None,
) -> Iterator[SeriesGaps]:
    """What is missing of each of these series, one after the other.

    Args:
        connection: one that reads.
        series: the series.
        start: what should be there from then on, also before the first observation; None for
            from the first one on.
        end: what should be over by then, also after the last observation; None for up to the
            last one.
        at: as it was known at this time; None for now.
        since_first: what would lie before the first observation is not missing all the same.
        progress: called with the number of series that are done, and that of all.
    """
    known = resolutions(connection, [s.series_id for s in series])
    search = _Search(connection, start, end, at, since_first)
    for first in range(0, len(series), _AT_A_TIME):
        part = search.gaps(series[first : first + _AT_A_TIME], known)
        for number, gaps in enumerate(part, first):
            progress(number, len(series))
            yield gaps
    progress(len(series), len(series))


def gaps_of_sources(
    connection: psycopg.Connection, windows: Mapping[str, tuple[datetime, datetime]]
) -> dict[str, tuple[SeriesGaps, ...]]:
    """What is missing in a window of each of these sources, but for before a first observation."""
    series = [s for s in select_series(connection) if s.source in windows] if windows else []
    return {
        source: tuple(
            gaps_of_series(
                connection,
                [s for s in series if s.source == source],
                start=start,
                end=end,
                since_first=True,
            )
        )
        for source, (start, end) in windows.items()
    }


@dataclass(slots=True)
class _Regular:
    """A series whose points come at known distances, and what is known of it so far."""

    series: StoredSeries
    granularity: IntervalLength
    edges: _Edges
    lengths: Sequence[ExpectedLength] = ()
    rest_days: frozenset[int] = frozenset()

    @property
    def zone(self) -> tzinfo | None:
        return time_zone(self.series.ts_timezone) if self.series.ts_timezone else None

    @property
    def grid(self) -> Grid:
        return Grid(self.lengths, self.zone, self.rest_days)


@dataclass(frozen=True, slots=True)
class _Search:
    """A search of many series: each question is asked of all of them at once.

    So the way to a server that is far away is gone a few times, and not a few times for each.
    """

    connection: psycopg.Connection
    start: datetime | None
    end: datetime | None
    at: datetime | None
    since_first: bool

    def gaps(
        self, series: Sequence[StoredSeries], known: Mapping[int, Sequence[Resolution]]
    ) -> list[SeriesGaps]:
        """What is missing of each of these series."""
        regular = self._regular_series(series)
        self._expect_lengths(regular.values(), known)
        self._expect_rest(regular.values())
        pairs = dict(zip(regular, self._pairs(regular.values()), strict=True))
        return [
            self._series_gaps(regular[s.series_id], pairs[s.series_id])
            if s.series_id in regular
            else SeriesGaps(s, without_grid=_reason_without_grid(s))
            for s in series
        ]

    def _regular_series(self, series: Sequence[StoredSeries]) -> dict[int, _Regular]:
        """Those of which anything can be said."""
        lengths = [(s, interval_length(s.granularity)) for s in series]
        known = [(s, length) for s, length in lengths if length is not None]
        parameters = [{**self._window(s), "start": self.start} for s, _ in known]
        edges = self._ask(f"gaps_edges{self._version}", parameters, _Edges)
        return {
            s.series_id: _Regular(s, length, ends)
            for (s, length), (ends,) in zip(known, edges, strict=True)
            if ends.first is not None or ends.before is not None
        }

    def _expect_lengths(
        self, regular: Iterable[_Regular], known: Mapping[int, Sequence[Resolution]]
    ) -> None:
        """The lengths of intervals; where none are recorded yet, as the points show."""
        recorded = []
        for regular_series in regular:
            if regular_series.series.series_id in known:
                recorded.append(regular_series)
                continue
            window = self._window(regular_series.series, regular_series.edges)
            with database_errors("reading what is missing"):
                shown = stretches(
                    stored_steps(
                        self.connection, window["series"], start=window["start"], end=self.end
                    )
                )
            regular_series.lengths = expected_lengths(
                regular_series.granularity,
                [Resolution(stretch.start, stretch.length) for stretch in shown],
                [Evidence(stretch.steps, timedelta()) for stretch in shown],
            )
        parameters = [
            {
                **self._window(regular_series.series, regular_series.edges),
                "from": [
                    resolution.ts_from for resolution in known[regular_series.series.series_id]
                ],
                "limit": _ENOUGH_POINTS,
            }
            for regular_series in recorded
        ]
        points = self._ask("gaps_points", parameters, Evidence)
        for regular_series, evidence in zip(recorded, points, strict=True):
            resolutions_of = known[regular_series.series.series_id]
            regular_series.lengths = expected_lengths(
                regular_series.granularity, resolutions_of, evidence
            )

    def _expect_rest(self, regular: Iterable[_Regular]) -> None:
        """The weekdays without points, of those that have a point a day."""
        daily = [
            regular_series
            for regular_series in regular
            if any(e.length == _DAY for e in regular_series.lengths)
        ]
        parameters = [
            {"series": regular_series.series.series_id, "zone": str(regular_series.zone or UTC)}
            for regular_series in daily
        ]
        counts = self._ask("gaps_weekdays", parameters, _WeekdayPoints)
        for regular_series, rows in zip(daily, counts, strict=True):
            regular_series.rest_days = days_of_rest(dict(rows))

    def _pairs(self, regular: Iterable[_Regular]) -> list[list[_Pair]]:
        """Observations that follow each other so far apart that one may be missing between."""
        parameters = [
            {
                **self._window(regular_series.series, regular_series.edges),
                "from": [expected.ts_from for expected in regular_series.lengths],
                "distances": [
                    least_distance(expected.length) for expected in regular_series.lengths
                ],
            }
            for regular_series in regular
        ]
        return self._ask(f"gaps_pairs{self._version}", parameters, _Pair)

    def _series_gaps(self, regular_series: _Regular, pairs: Sequence[_Pair]) -> SeriesGaps:
        edges, grid, start = regular_series.edges, regular_series.grid, self.start
        gaps: list[Gap | None] = []
        if start is not None and not (self.since_first or edges.before) and edges.first is not None:
            gaps.append(find_first_gap(grid, start, edges.first))
        gaps += (find_gap(grid, pair.ts, pair.following, start=start) for pair in pairs)
        last = edges.last or edges.before
        if self.end is not None and last is not None:
            gaps.append(find_gap(grid, last, self.end, start=start))
        return SeriesGaps(
            regular_series.series, tuple(gap for gap in gaps if gap is not None), grid.rest_days
        )

    @property
    def _version(self) -> str:
        return "" if self.at is None else "_as_of"

    def _window(self, series: StoredSeries, edges: _Edges | None = None) -> dict[str, Any]:
        """Where to look at a series: from its last point before the window on, where one is."""
        start = edges.before or edges.first if edges else None
        return {"series": series.series_id, "start": start, "end": self.end, "at": self.at}

    def _ask(
        self, name: str, parameters: Sequence[dict[str, Any]], record: type[T]
    ) -> list[list[T]]:
        """The rows of a query for each of these parameters."""
        with database_errors("reading what is missing"), self.connection.pipeline():
            cursors = [
                self.connection.cursor(binary=True, row_factory=record_row(record)).execute(
                    query(name), of_series
                )
                for of_series in parameters
            ]
            return [cursor.fetchall() for cursor in cursors]


def _reason_without_grid(series: StoredSeries) -> WithoutGrid:
    if interval_length(series.granularity) is None:
        return WithoutGrid.NO_GRANULARITY
    return WithoutGrid.NO_OBSERVATION
