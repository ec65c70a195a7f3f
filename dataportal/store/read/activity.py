"""What became of sources lately: newest values, what runs changed by day, what they wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dataportal.store.connection import database_errors
from dataportal.store.queries import query, query_for
from dataportal.store.rows import record_row
from dataportal.times import EARLIEST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime, tzinfo

    import psycopg

    from dataportal.store.read.storage import Storage


class DayChanges(NamedTuple):
    """What the runs of a day changed."""

    day: date
    inserted: int
    revised: int
    retracted: int


class NewestValues(NamedTuple):
    """The newest values of a series, in order of ts, which are seconds since 1970."""

    ts: Sequence[float]
    values: Sequence[float]


class _WrittenRows(NamedTuple):
    source: str
    observations: int
    versions: int
    vintages: int


class _SourceDay(NamedTuple):
    source: str
    day: date
    inserted: int
    revised: int
    retracted: int


def changes_by_day(
    connection: psycopg.Connection, *, since: datetime, zone: tzinfo
) -> dict[str, list[DayChanges]]:
    """What runs that began at `since` or later changed, by source and the days of that zone."""
    parameters = {"since": since, "zone": str(zone)}
    by_source: dict[str, list[DayChanges]] = {}
    with database_errors("reading what runs changed"):
        cursor = connection.cursor(row_factory=record_row(_SourceDay))
        for source, day, inserted, revised, retracted in cursor.execute(
            query("activity_days"), parameters
        ):
            changes = DayChanges(day, inserted, revised, retracted)
            by_source.setdefault(source, []).append(changes)
    return by_source


def newest_values(
    connection: psycopg.Connection, series: Sequence[int], *, recent: datetime, limit: int
) -> dict[int, NewestValues]:
    """The newest values of these series, by their keys; a series without any is left out.

    Args:
        connection: one that reads.
        series: their keys.
        recent: where to look first; only series without a value since then are looked for before.
        limit: so many values of each at most.
    """
    values: dict[int, NewestValues] = {}
    with database_errors("reading the newest values"):
        for since in (recent, EARLIEST):
            if left := [series_id for series_id in series if series_id not in values]:
                parameters = {"series": left, "since": since, "limit": limit}
                rows = connection.execute(query_for(connection, "activity_values"), parameters)
                values |= {row[0]: NewestValues(*row[1:]) for row in rows}
    return values


def disk_shares(connection: psycopg.Connection, storage: Storage) -> dict[str, int]:
    """About how many bytes of the data tables are of each source: by the rows it has written."""
    with database_errors("reading what the sources have written"):
        cursor = connection.cursor(row_factory=record_row(_WrittenRows))
        written = cursor.execute(query("activity_written")).fetchall()
    sizes = {table.table: table.bytes for table in storage.tables}
    shares = dict.fromkeys((rows.source for rows in written), 0.0)
    for table, counts in (
        ("time_series_data", [max(0, rows.observations) for rows in written]),
        ("time_series_data_scd2", [rows.versions for rows in written]),
        ("time_series_vintage", [rows.vintages for rows in written]),
    ):
        for rows, count in zip(written, counts, strict=True):
            shares[rows.source] += sizes.get(table, 0) * count / max(1, sum(counts))
    return {source: round(share) for source, share in shares.items()}
