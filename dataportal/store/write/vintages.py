"""Records vintages: values by the time at which their provider published them.

Append-only. What was published later than anything else is also the current value; an older
publication, however late it is imported, never replaces a newer one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataportal.observations import Observations
from dataportal.store.queries import query, query_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import psycopg

_BLOCK = 20_000
"""Points sent with one statement."""

VintageRow = tuple[int, "datetime", "datetime", float | None]
"""series_id, ts, published_at and value."""


@dataclass(frozen=True, slots=True)
class VintageDiff:
    """What the publications of a batch are beside those that are recorded.

    Attributes:
        new: those not recorded yet, or recorded with another value.
        current: the batch without the points for which something newer was published before.
        superseded: how many points change no current value, as something newer was published, in
            the batch or before.
    """

    new: list[VintageRow]
    current: Mapping[int, Observations]
    superseded: int


def compare_vintages(
    connection: psycopg.Connection, batch: Mapping[int, Observations]
) -> VintageDiff:
    """Compare the publications of a batch with those that are recorded; reads only."""
    dated = {i: o for i, o in batch.items() if o.vintages}
    if not dated:
        return VintageDiff([], batch, 0)
    bounds = {
        "low": min(o.ts[0] for o in dated.values()),
        "high": max(o.ts[-1] for o in dated.values()),
    }
    rows = [(i, *vintage) for i, o in dated.items() for vintage in o.vintages or ()]
    new = [
        row for block in _blocks(rows) for row in _select(connection, "vintage_new", block, bounds)
    ]
    newest = [
        (i, ts, published, None)
        for i, o in dated.items()
        for ts, published in zip(o.ts, o.published or (), strict=True)
    ]
    late: defaultdict[int, set[datetime]] = defaultdict(set)
    for block in _blocks(newest):
        for series_id, ts in _select(connection, "vintage_superseded", block, bounds):
            late[series_id].add(ts)
    current = {i: _drop_points(o, late[i]) if i in late else o for i, o in batch.items()}
    earlier = len(rows) - len(newest)
    return VintageDiff(new, current, earlier + sum(map(len, late.values())))


def insert_vintages(
    connection: psycopg.Connection, rows: Sequence[VintageRow], *, run_id: int, known: datetime
) -> None:
    """Add publications, as known from `known` on."""
    for block in _blocks(rows):
        connection.execute(
            query("vintage_insert"), {**_arrays(block), "run": run_id, "known": known}
        )


def _drop_points(observations: Observations, times: set[datetime]) -> Observations:
    """Observations without those at these times, and without their publications."""
    points = [
        (ts, value)
        for ts, value in zip(observations.ts, observations.values, strict=True)
        if ts not in times
    ]
    return Observations([ts for ts, _ in points], [value for _, value in points])


def _select(
    connection: psycopg.Connection,
    name: str,
    block: Sequence[VintageRow],
    bounds: Mapping[str, Any],
) -> list[Any]:
    cursor = connection.cursor(binary=True)
    return cursor.execute(query_for(connection, name), {**_arrays(block), **bounds}).fetchall()


def _arrays(block: Sequence[VintageRow]) -> dict[str, list[Any]]:
    columns = zip(*block, strict=True)
    return dict(zip(("series", "ts", "published", "value"), map(list, columns), strict=True))


def _blocks(rows: Sequence[VintageRow]) -> Iterator[Sequence[VintageRow]]:
    for start in range(0, len(rows), _BLOCK):
        yield rows[start : start + _BLOCK]
