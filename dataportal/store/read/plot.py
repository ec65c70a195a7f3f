"""Reads a series for a plot: in a few parts, however many points it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.store.rows import record_row

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

    from dataportal.store.read.revisions import Part


@dataclass(frozen=True, slots=True)
class PlotPart:
    """Points of a series that are drawn together: from when to when, lowest and highest value."""

    first_ts: datetime
    last_ts: datetime
    low: float
    high: float


def plot_parts(
    connection: psycopg.Connection, part: Part, *, at: datetime | None, buckets: int
) -> list[PlotPart]:
    """A part of a series in so many parts of equal length or fewer, in order; empty ones left out.

    Args:
        connection: one that reads.
        part: of which series, and of which part.
        at: as known, or published, at this time; None for now.
        buckets: how many.
    """
    name = "history_current" if at is None else "history_as_of"
    if part.by_publication:
        name = "history_as_published"
    if part.limit is not None:
        name += "_newest"
    statement = query("plot_buckets").replace(b"/* rows */", query(name))
    parameters = part.parameters(at=at, buckets=buckets)
    with database_errors("reading the series"):
        cursor = connection.cursor(row_factory=record_row(PlotPart))
        return cursor.execute(statement, parameters).fetchall()
