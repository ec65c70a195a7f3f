"""Finds what is missing of stored series, by the lengths of their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

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
from dataportal.store.read.copy_out import stream_records
from dataportal.store.read.selection import select_series
from dataportal.store.resolutions import resolutions, stored_steps
from dataportal.times import time_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    import psycopg

    from dataportal.gaps import ExpectedLength, Gap
    from dataportal.store.read.history import StoredSeries

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
    for number, s in enumerate(series):
        progress(number, len(series))
        yield _gaps(
            connection,
            s,
            known.get(s.series_id, ()),
            start=start,
            end=end,
            at=at,
            since_first=since_first,
        )
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


def _gaps(
    connection: psycopg.Connection,
    series: StoredSeries,
    known: Sequence[Resolution],
    *,
    start: datetime | None,
    end: datetime | None,
    at: datetime | None,
    since_first: bool,
) -> SeriesGaps:
    parameters: dict[str, Any] = {
        "series": series.series_id, "start": start, "end": end, "at": at,
    }  # fmt: skip
    granularity = interval_length(series.granularity)
    if granularity is None:
        return SeriesGaps(series, without_grid=WithoutGrid.NO_GRANULARITY)
    version = "" if at is None else "_as_of"
    edges = _read_edges(connection, f"gaps_edges{version}", parameters)
    if edges.first is None and edges.before is None:
        return SeriesGaps(series, without_grid=WithoutGrid.NO_OBSERVATION)
    window = {**parameters, "start": edges.before or edges.first}
    lengths = _expected_lengths(connection, granularity, known, window)
    zone = time_zone(series.ts_timezone) if series.ts_timezone else None
    grid = Grid(lengths, zone, _rest_days(connection, series, lengths, zone))
    gaps: list[Gap | None] = []
    if start is not None and not (since_first or edges.before) and edges.first is not None:
        gaps.append(find_first_gap(grid, start, edges.first))
    gaps += (
        find_gap(grid, pair.ts, pair.following, start=start)
        for pair in _read_pairs(connection, f"gaps_pairs{version}", window, grid)
    )
    last = edges.last or edges.before
    if end is not None and last is not None:
        gaps.append(find_gap(grid, last, end, start=start))
    return SeriesGaps(series, tuple(gap for gap in gaps if gap is not None), grid.rest_days)


def _expected_lengths(
    connection: psycopg.Connection,
    granularity: IntervalLength,
    known: Sequence[Resolution],
    window: dict[str, Any],
) -> list[ExpectedLength]:
    """The lengths of its intervals; where none are recorded yet, as the points of a window show."""
    with database_errors("reading what is missing"):
        if known:
            times = [resolution.ts_from for resolution in known]
            parameters = {**window, "from": times, "limit": _ENOUGH_POINTS}
            rows = connection.execute(query("gaps_points"), parameters).fetchall()
            return expected_lengths(granularity, known, [Evidence(*row) for row in rows])
        shown = stretches(
            stored_steps(connection, window["series"], start=window["start"], end=window["end"])
        )
    return expected_lengths(
        granularity,
        [Resolution(stretch.start, stretch.length) for stretch in shown],
        [Evidence(stretch.steps, timedelta()) for stretch in shown],
    )


def _rest_days(
    connection: psycopg.Connection,
    series: StoredSeries,
    lengths: Sequence[ExpectedLength],
    zone: tzinfo | None,
) -> frozenset[int]:
    if all(expected.length != _DAY for expected in lengths):
        return frozenset()
    with database_errors("reading what is missing"):
        parameters = {"series": series.series_id, "zone": str(zone or UTC)}
        rows = connection.execute(query("gaps_weekdays"), parameters).fetchall()
    return days_of_rest(dict(rows))


def _read_edges(connection: psycopg.Connection, name: str, parameters: dict[str, Any]) -> _Edges:
    with database_errors("reading what is missing"):
        row = connection.execute(query(name), parameters).fetchone()
    return _Edges(*(row or (None, None, None)))


def _read_pairs(
    connection: psycopg.Connection, name: str, window: dict[str, Any], grid: Grid
) -> Iterator[_Pair]:
    wanted = {
        **window,
        "from": [expected.ts_from for expected in grid.lengths],
        "distances": [least_distance(expected.length) for expected in grid.lengths],
    }
    return stream_records(connection, name, wanted, _Pair)
