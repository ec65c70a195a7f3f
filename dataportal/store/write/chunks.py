"""Opens the chunks of hypertables that a slice needs, before its transaction.

For two reasons. A transaction that opens a chunk keeps every other one that needs one waiting until
it ends; opened in short transactions of their own, they let first loads and backfills side by side
meet at the tables no more. And how wide a chunk is follows from its ts alone, a century before
1970, ten years for what is older than ten years, while a slice that opens one by itself gets the
interval of the table. The function that opens them is the owner's, and belongs to the schema.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from dataportal.failpoints import failpoint
from dataportal.store.queries import query
from dataportal.times import EPOCH, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

_OLD = timedelta(days=3_650)
"""What is older lies in wide chunks; of a few days more or less the function decides."""
CHUNK_STEP = timedelta(days=365)
"""Of each such part of what is old a time is named: wide chunks begin and end where one does, and
so do those of databases that had chunks of one width."""
_TABLES = {"time_series_data": "data", "time_series_data_scd2": "history"}


def lies_in_chunks(connection: psycopg.Connection) -> bool:
    """Whether the database has TimescaleDB, so that its tables may lie in chunks."""
    extension = "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"
    return connection.execute(extension).fetchone() is not None


class ChunkOpener:
    """Opens chunks for the slices of a run, and remembers for which times it has done so.

    Args:
        connection: that of the run.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._open: set[tuple[str, int]] = set()

    def open_chunks(
        self, columns: Sequence[Sequence[datetime]], *, dated: bool, ahead: bool
    ) -> str | None:
        """Open what is missing for points at these times; nothing on a plain PostgreSQL.

        Args:
            columns: the times of each series, ascending.
            dated: publications of these times are stored as well.
            ahead: also for times for which the slice would open the same chunk by itself.

        Returns:
            Why that could not be done, if so; the slice can be stored all the same.

        Raises:
            psycopg.OperationalError: the connection is lost, or somebody held a lock for too long.
        """
        bound = utc_now() - _OLD
        old = first_in_chunks(
            [ts[: bisect_left(ts, bound)] for ts in columns], CHUNK_STEP // timedelta.resolution
        )
        # current values before versions, as everywhere
        tables = ("vintages", "data", "history") if dated else ("data", "history")
        try:
            for table in tables:
                self._open_chunks(table, old)
            if ahead:
                self._open_recent([ts[bisect_left(ts, bound) :] for ts in columns])
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            reason = error.diag.message_primary or type(error).__name__
            return f"chunks of old points may be too many, as none could be opened: {reason}"
        return None

    def _open_chunks(self, table: str, firsts: dict[int, datetime]) -> None:
        ts = [first for start, first in firsts.items() if (table, start) not in self._open]
        if ts:
            self._connection.execute(query("chunk_open"), {"table": table, "ts": ts})
            self._open.update((table, start) for start in firsts)
            failpoint("after_chunks")

    def _open_recent(self, columns: Sequence[Sequence[datetime]]) -> None:
        if not any(columns) or not lies_in_chunks(self._connection):
            return
        rows = self._connection.execute(query("chunk_intervals"), {"tables": list(_TABLES)})
        intervals: dict[str, int] = dict(rows.fetchall())
        for name, table in _TABLES.items():
            if interval := intervals.get(name):
                self._open_chunks(table, first_in_chunks(columns, interval))


def first_in_chunks(columns: Iterable[Sequence[datetime]], interval: int) -> dict[int, datetime]:
    """A time in each chunk that these times lie in, by where the chunk begins.

    Args:
        columns: times, ascending each.
        interval: microseconds that a chunk covers; chunks begin at its multiples since 1970.
    """
    firsts: dict[int, datetime] = {}
    for ts in columns:
        position = 0
        while position < len(ts):
            number = (ts[position] - EPOCH) // timedelta.resolution // interval
            firsts.setdefault(number * interval, ts[position])
            try:
                following = EPOCH + timedelta(microseconds=(number + 1) * interval)
            except OverflowError:
                break
            position = bisect_left(ts, following, position)
    return firsts
