"""What the tables take of the disk, and which part of it is whose."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.store.rows import record_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

CURRENT, HISTORY = "time_series_data", "time_series_data_scd2"
PUBLISHED = "time_series_vintage"
TABLES = {
    CURRENT: "current values",
    HISTORY: "every version",
    PUBLISHED: "publications",
    "time_series_issue": "issues of forecasts",
    "time_series_resolution": "lengths of intervals",
    "time_series": "series",
    "fetch_run": "runs",
    "source_state": "states of sources",
}
"""The tables that may grow, and what a row of each is."""


class TableSize(NamedTuple):
    """What a table takes with its indexes, and about how many rows it has."""

    name: str
    bytes: int
    rows: int


class _WrittenRows(NamedTuple):
    source: str
    observations: int
    versions: int
    vintages: int


def table_sizes(connection: psycopg.Connection) -> list[TableSize]:
    """The tables of the portal, the largest first."""
    with database_errors("reading the sizes of the tables"):
        cursor = connection.cursor(row_factory=record_row(TableSize))
        return cursor.execute(query("disk_tables"), {"tables": list(TABLES)}).fetchall()


def disk_shares(connection: psycopg.Connection, sizes: Sequence[TableSize]) -> dict[str, int]:
    """About how many bytes of the data tables are of each source: by the rows it has written."""
    with database_errors("reading what the sources have written"):
        cursor = connection.cursor(row_factory=record_row(_WrittenRows))
        written = cursor.execute(query("disk_written")).fetchall()
    size_by_name = {size.name: size.bytes for size in sizes}
    shares = dict.fromkeys((rows.source for rows in written), 0.0)
    for table, count in (
        (CURRENT, [max(0, rows.observations) for rows in written]),
        (HISTORY, [rows.versions for rows in written]),
        (PUBLISHED, [rows.vintages for rows in written]),
    ):
        for rows, number in zip(written, count, strict=True):
            shares[rows.source] += size_by_name.get(table, 0) * number / max(1, sum(count))
    return {source: round(share) for source, share in shares.items()}
