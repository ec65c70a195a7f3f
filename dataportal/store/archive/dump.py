"""Writes the whole history of series to a file: metadata, every version, every vintage."""

from __future__ import annotations

from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING

import psycopg

from dataportal.store.archive.file import write
from dataportal.store.archive.format import Series, Version, Vintage
from dataportal.store.archive.summary import counted
from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.store.read.streams import stream

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from dataportal.store.archive.format import Row
    from dataportal.store.archive.summary import Part

_TOLD_EVERY = 10_000  # rows


def dump(
    connection: psycopg.Connection,
    names: Sequence[str],
    path: Path,
    *,
    progress: Callable[[int], None] = lambda _rows: None,
) -> tuple[list[Part], str]:
    """Write these series to a file, all as they are at one moment; none may be there twice.

    Args:
        connection: in autocommit mode; may be read-only.
        names: their endpoint_prefixes; the file has them in this order.
        path: does not exist yet, and does not if anything fails.
        progress: told now and then how many rows have been written.

    Returns:
        What was written of each, and the SHA-256 in the file's last line.

    Raises:
        LookupError: there is no series of a name; it is the error's argument.
        FileError: the file is there already, or cannot be written.
        DatabaseError: the database cannot be asked.
    """
    parts: list[Part] = []

    def rows() -> Iterator[Row]:
        for done, row in enumerate(chain.from_iterable(series_rows(connection, n) for n in names)):
            if not done % _TOLD_EVERY:
                progress(done)
            yield row

    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with (
        database_errors("reading the history"),
        connection.transaction(),
        # closed before the transaction, also when writing fails
        closing(counted(rows(), parts)) as lines,
    ):
        end = write(path, lines)
    return parts, end.sha256


def series_rows(connection: psycopg.Connection, name: str) -> Generator[Row]:
    """The lines that a file has of a series.

    Raises:
        LookupError: there is none of this name.
        DatabaseError: the database cannot be asked.
    """
    with database_errors("reading the series"):
        row = connection.execute(query("dump_series"), {"name": name}).fetchone()
    if row is None:
        raise LookupError(name)
    series_id, *fields = row
    yield Series(*fields)
    for values in stream(connection, "dump_versions", {"series": series_id}):
        yield Version(*values)
    for values in stream(connection, "dump_vintages", {"series": series_id}):
        yield Vintage(*values)
