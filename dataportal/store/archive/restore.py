"""Brings series back from a file that `dump` wrote, whole or not at all.

The role that fetches may do it: versions are inserted as they were, and none that is there is
touched. A series that is there already must be the same in every line, and then nothing is to do.
The file is read several times rather than held: once to be sure that it is whole, once to compare
what is there, and once for each table, current values before versions as everywhere.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import msgspec

from dataportal.errors import FileError, LockLostError
from dataportal.failpoints import failpoint
from dataportal.store import lock, runs, series
from dataportal.store.archive.dump import series_rows
from dataportal.store.archive.file import read
from dataportal.store.archive.format import End, Series, Version, Vintage
from dataportal.store.archive.summary import counted
from dataportal.store.connection import connect, database_errors
from dataportal.store.migrations import ensure_schema
from dataportal.store.queries import query
from dataportal.store.records import RunKind, SeriesRecord
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    import psycopg

    from dataportal.store.archive.format import Row
    from dataportal.store.archive.summary import Part

_LOCK_POLL = 0.5  # seconds
_BLOCK = 64 * 1024  # bytes of a COPY


def contents(path: Path) -> tuple[list[Part], str]:
    """What a file holds, which is read to its end, and the SHA-256 in its last line.

    Raises:
        FileError: it cannot be used.
    """
    parts: list[Part] = []
    checksum = ""

    def rows() -> Iterator[Row]:
        nonlocal checksum
        for row in read(path):
            if isinstance(row, End):
                checksum = row.sha256
            else:
                yield row

    for _ in counted(rows(), parts):
        pass
    return parts, checksum


def restore(url: str, path: Path, *, say: Callable[[str], None]) -> tuple[list[Part], str]:
    """Store what a file holds, in one transaction, under the locks of all its sources.

    Args:
        url: the database.
        path: the file.
        say: told when another run is waited for.

    Returns:
        What it held; `run_id` of a part is None where the series was there already, the same.

    Raises:
        FileError: the file cannot be used, or holds a series that is there and differs.
        DatabaseError: the database cannot be used.
    """
    parts, checksum = contents(path)
    with ExitStack() as stack:
        connection = stack.enter_context(
            closing(connect(url, application_name="dataportal restore"))
        )
        schema = ensure_schema(connection)
        sources = sorted({part.series.source for part in parts})
        keys = {source: lock.lock_key(schema, source) for source in sources}
        with database_errors("taking the lock"):
            for source, key in keys.items():
                _wait_for(connection, source, key, say)
        with database_errors("storing the series"), connection.transaction():
            if not all(lock.holds(connection, key) for key in keys.values()):
                raise LockLostError("a lock is not held any more; nothing was written")
            new = _new(connection, path, parts)
            if new:
                _store(connection, schema, path, checksum, new)
            failpoint("before_commit")
    return parts, checksum


def _wait_for(
    connection: psycopg.Connection, source: str, key: int, say: Callable[[str], None]
) -> None:
    told = False
    while not lock.try_lock(connection, key):
        if not told:
            told = True
            say(
                f"waits: source {source!r} is locked by {lock.find_holder(connection, key, source)}"
            )
        time.sleep(_LOCK_POLL)


def _new(connection: psycopg.Connection, path: Path, parts: list[Part]) -> list[Part]:
    """The parts that are not stored yet; those that are have been compared."""
    rows = connection.execute(
        query("series_stored"), {"names": [part.series.endpoint_prefix for part in parts]}
    )
    stored = {name for _, name, *_ in rows}
    if stored:
        _compare(connection, path, stored)
    return [part for part in parts if part.series.endpoint_prefix not in stored]


def _compare(connection: psycopg.Connection, path: Path, stored: set[str]) -> None:
    """Look whether the file has of these series what a dump would write now."""
    name = ""
    there = _nothing()
    try:
        for row in read(path):
            if isinstance(row, Series | End):
                _same(path, name, None, next(there, None))
            if isinstance(row, Series):
                name = row.endpoint_prefix
                there = series_rows(connection, name) if name in stored else _nothing()
            if name in stored and not isinstance(row, End):
                _same(path, name, row, next(there, None))
    finally:
        # before the transaction in which its cursor is
        there.close()


def _nothing() -> Generator[Row]:
    yield from ()


def _same(path: Path, name: str, row: Row | None, there: Row | None) -> None:
    if _plain(row) == _plain(there):
        return
    one = row or there
    at = f", at {one.ts.isoformat()}" if isinstance(one, Version | Vintage) else ""
    raise FileError(
        f"series {name!r} is stored already, and is not what {path} has of it{at}",
        hint="Nothing was changed. Restore it into a database, or a schema, that does not have it",
    )


def _plain(row: Row | None) -> Row | None:
    """Without what a run changes that brings nothing."""
    if isinstance(row, Series):
        return msgspec.structs.replace(row, known_through=None, history_asked=False)
    return row


def _store(
    connection: psycopg.Connection, schema: str, path: Path, checksum: str, parts: list[Part]
) -> None:
    by_name = {part.series.endpoint_prefix: part for part in parts}
    ids: dict[str, int] = {}
    for part in parts:
        source = part.series.source
        registered = series.register(
            connection, schema=schema, source=source, series=[_record(part.series)],
            renamed_from=None,
        )  # fmt: skip
        ids |= registered.ids
        part.run_id = runs.start_run(
            connection, source, RunKind.RESTORE, part.first or utc_now(), None
        )

    def copied(name: str, line: Callable[[Any], str | None]) -> None:
        _copy(connection, name, _lines(path, checksum, by_name, ids, line))

    copied("restore_copy_data", _current)
    failpoint("between_tables")
    copied("restore_copy_history", _version)
    copied("restore_copy_vintages", _vintage)
    for name, part in by_name.items():
        connection.execute(
            query("restore_record"),
            {
                "run": part.run_id,
                "source": part.series.source,
                "asked": [ids[name]] if part.series.history_asked else [],
                "known": part.known,
                "known_through": part.series.known_through,
                "last": part.last,
                "inserted": part.inserted,
                "revised": part.revised,
                "retracted": part.retracted,
                "vintages": part.vintages,
            },
        )


def _record(line: Series) -> SeriesRecord:
    return SeriesRecord(**{name: getattr(line, name) for name in SeriesRecord.__slots__})


def _copy(connection: psycopg.Connection, name: str, lines: Iterator[str]) -> None:
    with connection.cursor().copy(query(name)) as copy:
        block = bytearray()
        for line in lines:
            block += line.encode()
            if len(block) >= _BLOCK:
                copy.write(bytes(block))
                block.clear()
                failpoint("mid_copy")
        copy.write(bytes(block))


def _lines(
    path: Path,
    checksum: str,
    by_name: dict[str, Part],
    ids: dict[str, int],
    line: Callable[[Any], str | None],
) -> Iterator[str]:
    """What a table gets of the parts that are to be stored, as COPY reads it."""
    tail = ""
    for row in read(path):
        if isinstance(row, Series):
            part = by_name.get(row.endpoint_prefix)
            tail = f"\t{part.run_id}\t{ids[row.endpoint_prefix]}\n" if part else ""
        elif isinstance(row, End):
            if row.sha256 != checksum:
                raise FileError(f"{path} has changed while it was read", hint="Run this again")
        elif tail and (text := line(row)):
            yield text + tail


def _current(row: Version | Vintage) -> str | None:
    if isinstance(row, Vintage) or row.valid_to is not None:
        return None
    return f"{row.ts.isoformat()}\t{row.value!r}\t{row.valid_from.isoformat()}"


def _version(row: Version | Vintage) -> str | None:
    if isinstance(row, Vintage):
        return None
    until = row.valid_to.isoformat() if row.valid_to else "infinity"
    return f"{row.ts.isoformat()}\t{row.value!r}\t{row.valid_from.isoformat()}\t{until}"


def _vintage(row: Version | Vintage) -> str | None:
    if isinstance(row, Version):
        return None
    value = r"\N" if row.value is None else repr(row.value)
    times = f"{row.ts.isoformat()}\t{row.published_at.isoformat()}\t{row.recorded_at.isoformat()}"
    return f"{times}\t{value}"
