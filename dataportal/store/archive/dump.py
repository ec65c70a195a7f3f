"""Dumps the whole history of series to a file: metadata, versions, vintages, issues."""

from __future__ import annotations

from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import dict_row

from dataportal.store.archive.file import write
from dataportal.store.archive.format import (
    Issue,
    Series,
    SeriesResolution,
    Version,
    Vintage,
    count_rows,
)
from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.store.read.copy_out import stream_records
from dataportal.store.resolutions import resolutions

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from dataportal.store.archive.format import ArchivedSeries, Row

_PROGRESS_EVERY = 10_000  # rows


def dump(
    connection: psycopg.Connection,
    names: Sequence[str],
    path: Path,
    *,
    progress: Callable[[int], None] = lambda _rows: None,
) -> tuple[list[ArchivedSeries], str]:
    """Write these series to a file, all as they are at one instant; none may be named twice.

    Args:
        connection: in autocommit mode; may be read-only.
        names: their endpoint_prefixes; the file has them in this order.
        path: does not exist yet, and does not if anything fails.
        progress: called now and then with how many rows have been written.

    Returns:
        What was written of each, and the SHA-256 in the file's last line.

    Raises:
        LookupError: there is no series of a name; it is the error's argument.
        FileError: the file is there already, or cannot be written.
        DatabaseError: the database cannot be asked.
    """
    archived: list[ArchivedSeries] = []

    def rows() -> Iterator[Row]:
        for done, row in enumerate(chain.from_iterable(series_rows(connection, n) for n in names)):
            if not done % _PROGRESS_EVERY:
                progress(done)
            yield row

    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with (
        database_errors("reading the history"),
        connection.transaction(),
        # closed before the transaction, also when writing fails
        closing(count_rows(rows(), archived)) as lines,
    ):
        end = write(path, lines)
    return archived, end.sha256


def series_line(connection: psycopg.Connection, name: str) -> Series:
    """What is known of a series besides its history.

    Raises:
        LookupError: there is none of this name.
        DatabaseError: the database cannot be asked.
    """
    return _series_line(connection, name)[1]


def series_issues(connection: psycopg.Connection, series_id: int) -> Iterator[Issue]:
    """The runs of a forecast, the oldest first.

    Raises:
        DatabaseError: the database cannot be asked.
    """
    return stream_records(connection, "dump_issues", {"series": series_id}, Issue)


def series_rows(connection: psycopg.Connection, name: str) -> Generator[Row]:
    """The lines that a file has of a series.

    Raises:
        LookupError: there is none of this name.
        DatabaseError: the database cannot be asked.
    """
    series_id, line = _series_line(connection, name)
    yield line
    parameters = {"series": series_id}
    yield from stream_records(connection, "dump_versions", parameters, Version)
    yield from stream_records(connection, "dump_vintages", parameters, Vintage)
    yield from series_issues(connection, series_id)


def _series_line(connection: psycopg.Connection, name: str) -> tuple[int, Series]:
    with database_errors("reading the series"):
        cursor = connection.cursor(row_factory=dict_row)
        columns = cursor.execute(query("dump_series"), {"name": name}).fetchone()
    if columns is None:
        raise LookupError(name)
    series_id = columns.pop("series_id")
    recorded = resolutions(connection, [series_id]).get(series_id, ())
    lengths = tuple(
        SeriesResolution(ts_from, None if length is None else length.iso)
        for ts_from, length in recorded
    )
    reading = columns.pop("reading")
    return series_id, Series(
        **columns, reading=reading if reading > 1 else None, resolutions=lengths or None
    )
