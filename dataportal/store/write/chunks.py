"""Makes the chunks of hypertables that a large slice needs, before its transaction.

A transaction that opens a chunk keeps every other one that needs one waiting until it ends. So the
chunks are opened in short transactions of their own; first loads and backfills side by side then
meet at the tables no more. TimescaleDB's own `create_chunk` is not in the Apache edition; a row
that comes and goes within one transaction leaves its chunk behind in every edition.

It is a help, not a need: a role that may not delete, as the writer of sql/roles.sql, leaves it to
the slice itself, and so does whatever else goes wrong here.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from dataportal.store.connection import pipelined_transaction
from dataportal.store.queries import query
from dataportal.times import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

# current values before versions, as everywhere
_TABLES = {"time_series_data": "data", "time_series_data_scd2": "history"}


def make_chunks(connection: psycopg.Connection, columns: Sequence[Sequence[datetime]]) -> None:
    """Make what is missing for points at these times, each column ascending.

    Does nothing on a database without TimescaleDB. The connection must be outside of a transaction.
    """
    with suppress(psycopg.Error):
        extension = "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"
        if connection.execute(extension).fetchone() is None:
            return
        intervals = connection.execute(query("chunk_intervals"), {"tables": list(_TABLES)})
        times = [
            (table, ts)
            for table, interval in intervals
            for ts in first_in_chunks(columns, interval).values()
        ]
        missing: dict[str, list[datetime]] = {table: [] for table in _TABLES}
        rows = connection.execute(
            query("chunk_missing"),
            {"tables": [table for table, _ in times], "ts": [ts for _, ts in times]},
        )
        for table, ts in rows:
            missing[table].append(ts)
        for table, kind in _TABLES.items():
            if ts := missing[table]:
                with pipelined_transaction(connection):
                    connection.execute(query(f"chunk_mark_{kind}"), {"ts": ts})
                    connection.execute(
                        query(f"chunk_unmark_{kind}"), {"ts": ts, "low": ts[0], "high": ts[-1]}
                    )


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
