"""Compresses the chunks of a database at once, and looks what of them is rows again."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from support.store_feed import TABLES, open_observer

from dataportal.store.connection import connect
from dataportal.store.read.storage import read_storage

if TYPE_CHECKING:
    import psycopg

    from dataportal.store.read.storage import Storage


def compress_all(url: str) -> int:
    """Compress every chunk, whatever its age; how many there are."""
    with open_observer(url) as look:
        chunks = chunk_names(look)
        for chunk in chunks:
            look.execute(f"SELECT compress_chunk('{chunk}', recompress => true)".encode())
            look.execute(f"VACUUM {chunk}".encode())
    return len(chunks)


def chunk_names(look: psycopg.Connection[Any]) -> list[str]:
    """The chunks of all tables of observations."""
    return [
        name
        for table in (*TABLES, "time_series_vintage")
        for (name,) in look.execute(f"SELECT show_chunks('{table}')::text".encode())
    ]


def rows_outside(look: psycopg.Connection[Any]) -> dict[str, int]:
    """How many rows of each table are no longer, or not yet, compressed."""
    counts = {}
    for table in TABLES:
        counts[table] = 0
        for (chunk,) in look.execute(f"SELECT show_chunks('{table}')::text".encode()).fetchall():
            count = f"SELECT count(*) FROM ONLY {chunk}"  # noqa: S608 - as the server names it
            row = look.execute(count.encode()).fetchone()
            counts[table] += row[0] if row else 0
    return counts


def storage_of(url: str) -> Storage:
    """How much room the tables take, and what upkeep is due."""
    with closing(connect(url, application_name="dataportal test")) as connection:
        return read_storage(connection)
