"""Reads how long the intervals of series are, from which time on."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from dataportal.granularity import IntervalLength
from dataportal.resolutions import Resolution, Steps
from dataportal.store.connection import database_errors
from dataportal.store.queries import query

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime, timedelta

    import psycopg

    ResolutionRow = tuple[int, datetime, int | None, int | None, timedelta | None]

_MOST_STEPS = 100_000
"""Changes of distance that are looked at in what is stored: a series that has more is irregular."""


def resolutions(
    connection: psycopg.Connection, series: Collection[int]
) -> dict[int, list[Resolution]]:
    """What is recorded of these series, by series_id, in order of `ts_from`.

    A series of which nothing is recorded is left out: then its `granularity` is all there is.
    """
    with database_errors("reading the resolutions"):
        return resolutions_by_series(select_resolutions(connection, series))


def select_resolutions(
    connection: psycopg.Connection, series: Collection[int]
) -> psycopg.Cursor[ResolutionRow]:
    """Select what is recorded of series, in a pipeline without waiting."""
    return connection.execute(query("resolution_read"), {"series": list(series)})


def resolutions_by_series(rows: Iterable[ResolutionRow]) -> dict[int, list[Resolution]]:
    """The rows of `select_resolutions`, by series_id, in order of `ts_from`."""
    known: dict[int, list[Resolution]] = {}
    for series_id, ts_from, months, days, rest in rows:
        length = None
        if months is not None and days is not None and rest is not None:
            length = IntervalLength(months, days, rest)
        known.setdefault(series_id, []).append(Resolution(ts_from, length))
    return known


def stored_steps(
    connection: psycopg.Connection,
    series_id: int,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Iterator[Steps]:
    """The distances between the stored points of a series with start <= ts < end, in order."""
    bounds = {"series": series_id, "start": start, "end": end, "limit": _MOST_STEPS}
    rows = connection.execute(query("resolution_steps"), bounds).fetchall()
    for (first_ts, distance, first), (_, _, following) in pairwise(rows):
        yield Steps(first_ts, distance, following - first)
