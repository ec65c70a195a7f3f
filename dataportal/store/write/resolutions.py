"""Records how long the intervals of series are, where an answer shows that it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.resolutions import (
    Resolution,
    compare,
    stated_stretches,
    steps,
    stretches,
)
from dataportal.store.queries import query
from dataportal.store.resolutions import stored_steps

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import psycopg

    from dataportal.observations import Observations
    from dataportal.resolutions import ResolutionChange


def record_resolutions(
    connection: psycopg.Connection,
    batch: Mapping[int, Observations],
    known: Mapping[int, Sequence[Resolution]],
    *,
    run_id: int,
    inserted: Collection[int],
    has_points: Collection[int],
) -> None:
    """Record what a slice shows that was just written, in its transaction.

    Args:
        connection: in that transaction.
        batch: the answer.
        known: what is recorded of each series.
        run_id: the run.
        inserted: the series of which points are new.
        has_points: those of which points were stored before the run: where nothing is recorded of
            one, all that is stored of it is looked at, once.
    """
    for series_id, points in batch.items():
        recorded = known.get(series_id, ())
        if not points.ts or not (
            series_id in inserted or (series_id in has_points and not recorded)
        ):
            continue
        stated = points.statement.resolutions if points.statement else ()
        if stated:
            seen = stated_stretches(stated, points.ts[-1])
        elif recorded or series_id not in has_points:
            seen = stretches(steps(points.ts))
        else:
            seen = stretches(stored_steps(connection, series_id))
        change = compare(recorded, seen)
        if change is not None:
            _record(connection, series_id, change, run_id)


def record_stored_resolutions(connection: psycopg.Connection, series_id: int, run_id: int) -> None:
    """Record what all stored points of a series show of which nothing is recorded yet."""
    change = compare((), stretches(stored_steps(connection, series_id)))
    if change is not None:
        _record(connection, series_id, change, run_id)


def _record(
    connection: psycopg.Connection, series_id: int, change: ResolutionChange, run_id: int
) -> None:
    recorded = list(change.recorded)
    if change.after is not None:
        follows = connection.execute(
            query("resolution_follows"), {"series": series_id, "after": change.after}
        ).fetchone()
        if follows is not None:
            recorded.append(Resolution(follows[0], change.goes_on))
    with connection.pipeline():
        if change.dropped:
            connection.execute(
                query("resolution_drop"), {"series": series_id, "ts": change.dropped}
            )
        insert_resolutions(connection, series_id, recorded, run_id)


def insert_resolutions(
    connection: psycopg.Connection, series_id: int, recorded: Sequence[Resolution], run_id: int
) -> None:
    """Insert how long the intervals of a series are, or replace what is recorded of these times."""
    lengths = [resolution.length for resolution in recorded]
    connection.execute(
        query("resolution_record"),
        {
            "series": series_id,
            "run": run_id,
            "ts": [resolution.ts_from for resolution in recorded],
            "months": [length and length.months for length in lengths],
            "days": [length and length.days for length in lengths],
            "rest": [length and length.rest for length in lengths],
        },
    )
