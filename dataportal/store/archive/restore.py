"""Restores series from a file that `dump` wrote, whole or not at all.

The role that fetches may do it: versions are inserted as they were, and none that is there is
touched. A series that is there already must be the same in every line, and then nothing is to do.
The file is read several times rather than held: once to be sure that it is whole, once to compare
what is there, and once for each table, current values before versions as everywhere.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg.rows import dict_row

from dataportal.errors import FileError, LockLostError
from dataportal.failpoints import failpoint
from dataportal.resolutions import Resolution
from dataportal.store import lock, runs, series
from dataportal.store.archive.dump import series_rows
from dataportal.store.archive.file import read
from dataportal.store.archive.format import End, Issue, Series, Version, Vintage, count_rows
from dataportal.store.connection import connect, database_errors
from dataportal.store.migrations import ensure_schema
from dataportal.store.queries import query
from dataportal.store.records import RunKind, SeriesRecord, StatedFacts
from dataportal.store.write.chunks import CHUNK_STEP, ChunkOpener, lies_in_chunks
from dataportal.store.write.resolutions import insert_resolutions, record_stored_resolutions
from dataportal.times import EPOCH, LATEST, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from datetime import datetime
    from pathlib import Path

    import psycopg

    from dataportal.store.archive.format import ArchivedSeries, Row

_LOCK_POLL = 0.5  # seconds
_BLOCK = 64 * 1024  # bytes of a COPY


def contents(path: Path) -> tuple[list[ArchivedSeries], str]:
    """What a file holds, which is read to its end, and the SHA-256 in its last line.

    Raises:
        FileError: it cannot be used.
    """
    archived: list[ArchivedSeries] = []
    checksum = ""

    def rows() -> Iterator[Row]:
        nonlocal checksum
        for row in read(path):
            if isinstance(row, End):
                checksum = row.sha256
            else:
                yield row

    for _ in count_rows(rows(), archived):
        pass
    return archived, checksum


def restore(
    url: str, path: Path, *, say: Callable[[str], None]
) -> tuple[list[ArchivedSeries], str]:
    """Store what a file holds, in one transaction, under the locks of all its sources.

    Args:
        url: the database.
        path: the file.
        say: called with one line of text when another run is waited for.

    Returns:
        What it held; `run_id` is None where the series was there already, the same.

    Raises:
        FileError: the file cannot be used, or holds a series that is there and differs.
        DatabaseError: the database cannot be used.
    """
    archived, checksum = contents(path)
    with ExitStack() as stack:
        connection = stack.enter_context(
            closing(connect(url, application_name="dataportal restore", holds_lock=True))
        )
        schema = ensure_schema(connection)
        sources = sorted({entry.series.source for entry in archived})
        keys = {source: lock.lock_key(schema, source) for source in sources}
        with database_errors("taking the lock"):
            for source, key in keys.items():
                _await_lock(connection, source, key, say)
        with database_errors("opening chunks"):
            _open_chunks(connection, path, say)
        with database_errors("storing the series"), connection.transaction():
            if not all(lock.holds(connection, key) for key in keys.values()):
                raise LockLostError("a lock is not held any more; nothing was written")
            new = _new_series(connection, path, archived)
            if new:
                _store(connection, schema, path, checksum, new)
            failpoint("before_commit")
    return archived, checksum


def _await_lock(
    connection: psycopg.Connection, source: str, key: int, say: Callable[[str], None]
) -> None:
    is_announced = False
    while not lock.try_lock(connection, key):
        if not is_announced:
            is_announced = True
            say(
                f"waits: source {source!r} is locked by {lock.find_holder(connection, key, source)}"
            )
        time.sleep(_LOCK_POLL)


def _open_chunks(connection: psycopg.Connection, path: Path, say: Callable[[str], None]) -> None:
    """Open the chunks of hypertables ahead, each as wide as its time asks for."""
    if not lies_in_chunks(connection):
        return
    versions: dict[int, datetime] = {}
    vintages: dict[int, datetime] = {}
    for row in read(path):
        if isinstance(row, Version | Vintage):
            firsts = versions if isinstance(row, Version) else vintages
            firsts.setdefault((row.ts - EPOCH) // CHUNK_STEP, row.ts)
    chunks = ChunkOpener(connection)
    for firsts, dated in ((versions, False), (vintages, True)):
        trouble = chunks.open_chunks([sorted(firsts.values())], dated=dated, ahead=False)
        if trouble:
            say(trouble)


def _new_series(
    connection: psycopg.Connection, path: Path, archived: list[ArchivedSeries]
) -> list[ArchivedSeries]:
    """Those that are not stored yet; those that are have been compared."""
    cursor = connection.cursor(row_factory=dict_row)
    names = [entry.series.endpoint_prefix for entry in archived]
    rows = cursor.execute(query("series_stored"), {"names": names})
    stored = {row["endpoint_prefix"] for row in rows}
    if stored:
        _compare(connection, path, stored)
    return [entry for entry in archived if entry.series.endpoint_prefix not in stored]


def _compare(connection: psycopg.Connection, path: Path, stored: set[str]) -> None:
    """Look whether the file has of these series what a dump would write now."""
    name = ""
    stored_rows = _no_rows()
    try:
        for row in read(path):
            if isinstance(row, Series | End):
                _check_same(path, name, None, next(stored_rows, None))
            if isinstance(row, Series):
                name = row.endpoint_prefix
                stored_rows = series_rows(connection, name) if name in stored else _no_rows()
            if name in stored and not isinstance(row, End):
                _check_same(path, name, row, next(stored_rows, None))
    finally:
        # before the transaction in which its cursor is
        stored_rows.close()


def _no_rows() -> Generator[Row]:
    yield from ()


def _check_same(path: Path, name: str, row: Row | None, stored: Row | None) -> None:
    if _comparable(row) == _comparable(stored):
        return
    times = [r.ts for r in (row, stored) if isinstance(r, Version | Vintage)]
    times += [r.issued_at for r in (row, stored) if isinstance(r, Issue)]
    at = f", at {times[0].isoformat()}" if times else ""
    raise FileError(
        f"series {name!r} is stored already, and is not what {path} has of it{at}",
        hint="Nothing was changed. Restore it into a database, or a schema, that does not have it",
    )


def _comparable(row: Row | None) -> Row | None:
    """A row without what a run changes that brings nothing."""
    if isinstance(row, Series):
        return msgspec.structs.replace(
            row,
            known_through=None,
            history_asked=False,
            history_asked_at=None,
            answer_unit=None,
            published_timezone=None,
            reading=None,
            resolutions=None,
        )
    return row


def _store(
    connection: psycopg.Connection,
    schema: str,
    path: Path,
    checksum: str,
    archived: list[ArchivedSeries],
) -> None:
    by_name = {entry.series.endpoint_prefix: entry for entry in archived}
    ids: dict[str, int] = {}
    for entry in archived:
        source, records = entry.series.source, [_record(entry.series)]
        registered, _ = series.register(
            connection, schema=schema, source=source, records=records, renamed_from=None
        )
        ids |= registered
        entry.run_id = runs.start_run(
            connection, source, RunKind.RESTORE, entry.first or utc_now(), None
        )

    def copy(name: str, line: Callable[[Any], str | None]) -> None:
        _copy(connection, name, _copy_lines(path, checksum, by_name, ids, line))

    copy("restore_copy_data", _current_line)
    failpoint("between_tables")
    copy("restore_copy_history", _version_line)
    copy("restore_copy_vintages", _vintage_line)
    copy("restore_copy_issues", _issue_line)
    facts = {ids[name]: _stated_facts(entry.series) for name, entry in by_name.items()}
    series.keep_facts(connection, facts)
    for name, entry in by_name.items():
        connection.execute(
            query("restore_record"),
            {
                "run": entry.run_id,
                "source": entry.series.source,
                "series": ids[name],
                "asked": entry.series.history_asked,
                "asked_at": entry.series.history_asked_at,
                "known": entry.known,
                "known_through": entry.series.known_through,
                "end": None if entry.last is None else _moment_after(entry.last),
                "inserted": entry.inserted,
                "revised": entry.revised,
                "retracted": entry.retracted,
                "vintages": entry.vintages,
                "issues": entry.issues,
            },
        )
        if entry.run_id is None:
            continue
        if entry.series.resolutions:
            lengths = [Resolution(r.ts_from, r.length) for r in entry.series.resolutions]
            insert_resolutions(connection, ids[name], lengths, entry.run_id)
        else:  # a file of an older program does not say them
            record_stored_resolutions(connection, ids[name], entry.run_id)


def _moment_after(instant: datetime) -> datetime:
    return instant if instant == LATEST else instant + timedelta.resolution


def _record(line: Series) -> SeriesRecord:
    return SeriesRecord(**{name: getattr(line, name) for name in SeriesRecord.__slots__})


def _stated_facts(line: Series) -> StatedFacts:
    return StatedFacts(line.answer_unit, line.published_timezone, line.reading or 1)


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


def _copy_lines(
    path: Path,
    checksum: str,
    by_name: dict[str, ArchivedSeries],
    ids: dict[str, int],
    line: Callable[[Any], str | None],
) -> Iterator[str]:
    """What a table gets of the series that are to be stored, as COPY reads it."""
    tail = ""
    for row in read(path):
        if isinstance(row, Series):
            entry = by_name.get(row.endpoint_prefix)
            tail = f"\t{entry.run_id}\t{ids[row.endpoint_prefix]}\n" if entry else ""
        elif isinstance(row, End):
            if row.sha256 != checksum:
                raise FileError(f"{path} has changed while it was read", hint="Run this again")
        elif tail and (text := line(row)):
            yield text + tail


def _current_line(row: Version | Vintage | Issue) -> str | None:
    if not isinstance(row, Version) or row.valid_to is not None:
        return None
    return f"{row.ts.isoformat()}\t{row.value!r}\t{row.valid_from.isoformat()}"


def _version_line(row: Version | Vintage | Issue) -> str | None:
    if not isinstance(row, Version):
        return None
    until = row.valid_to.isoformat() if row.valid_to else "infinity"
    return f"{row.ts.isoformat()}\t{row.value!r}\t{row.valid_from.isoformat()}\t{until}"


def _issue_line(row: Version | Vintage | Issue) -> str | None:
    if not isinstance(row, Issue):
        return None
    return "\t".join(
        (
            row.issued_at.isoformat(),
            row.first_ts.isoformat(),
            row.last_ts.isoformat(),
            str(row.points),
        )
    )


def _vintage_line(row: Version | Vintage | Issue) -> str | None:
    if not isinstance(row, Vintage):
        return None
    value = r"\N" if row.value is None else repr(row.value)
    times = f"{row.ts.isoformat()}\t{row.published_at.isoformat()}\t{row.recorded_at.isoformat()}"
    return f"{times}\t{value}"
