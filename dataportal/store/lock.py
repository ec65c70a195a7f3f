"""The advisory lock of a source: held by the connection that writes, gone when that is."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dataportal.store.queries import query
from dataportal.store.records import RunKind
from dataportal.store.rows import record_row

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

_PROCESS = secrets.token_hex(8)
_Row = tuple[bool, str, "datetime", "datetime"]  # whether, the mark, the database's time, its start


class Grant(NamedTuple):
    """A lock that was taken.

    Attributes:
        clock: the database's time.
        server_started_at: when its server had started.
    """

    clock: datetime
    server_started_at: datetime


def lock_key(schema: str, name: str) -> int:
    """The lock's number: the first 8 bytes, signed, of SHA-256 of `dataportal:<schema>:<name>`."""
    digest = hashlib.sha256(f"dataportal:{schema}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def try_lock(connection: psycopg.Connection, key: int) -> bool:
    """Take the lock if nobody holds it; never waits."""
    return grant(send_try_lock(connection, key)) is not None


def send_try_lock(connection: psycopg.Connection, key: int) -> psycopg.Cursor[_Row]:
    """Send `try_lock`, in a pipeline without waiting; `grant` reads what came of it."""
    return connection.execute(query("lock_take"), {"key": key, "mark": _mark(connection)})


def grant(cursor: psycopg.Cursor[_Row]) -> Grant | None:
    """The lock, by the cursor of `send_try_lock`; None where somebody else holds it."""
    row = cursor.fetchone()
    return Grant(*row[2:]) if row and row[0] else None


def unlock(connection: psycopg.Connection, key: int) -> None:
    """Give the lock back."""
    connection.execute("SELECT pg_advisory_unlock(%s)", (key,))


def holds(connection: psycopg.Connection, key: int) -> bool:
    """Whether this very server process holds the lock, asked of the server."""
    return send_is_held(connection, key).fetchone() is not None


def send_is_held(connection: psycopg.Connection, key: int) -> psycopg.Cursor[tuple[int]]:
    """Send `holds`, in a pipeline without waiting; no row: it is not held."""
    high, low = divmod(key & 0xFFFFFFFFFFFFFFFF, 1 << 32)
    # the number as pg_locks shows it: its upper and its lower 32 bits
    parameters = {"high": str(high), "low": str(low), "mark": _mark(connection)}
    return connection.execute(query("lock_is_held"), parameters)


def held_keys(connection: psycopg.Connection) -> set[int]:
    """The numbers of all advisory locks held in this database."""
    return {key for (key,) in connection.execute(query("lock_held_keys"))}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock.

    Attributes:
        text: in words.
        backfill: whether it is a backfill, which gives the lock to others now and then.
        passes: whether it has no run under way: it has just ended, and the server is about to
            notice, or it is about to begin.
    """

    text: str
    backfill: bool = False
    passes: bool = False

    def __str__(self) -> str:
        return self.text


class _HolderRow(NamedTuple):
    """The session that holds a lock; the other fields are None where it has no run under way."""

    application_name: str | None
    client: str | None
    host: str | None
    pid: int | None
    started_at: datetime | None
    kind: str | None


def find_holder(connection: psycopg.Connection, key: int, source: str) -> Holder:
    """Who holds the lock of a source: host, process and since when, as far as is known."""
    cursor = connection.cursor(row_factory=record_row(_HolderRow))
    holder = cursor.execute(query("lock_holder"), {"key": key, "source": source}).fetchone()
    if holder is None:
        return Holder("a run that has just ended", passes=True)
    if holder.host is None:
        session = f"{holder.application_name or 'a session'} from {holder.client or 'this machine'}"
        return Holder(session, passes=True)
    text = f"host {holder.host}, pid {holder.pid}, since {holder.started_at:%Y-%m-%dT%H:%M:%SZ}"
    return Holder(text, backfill=holder.kind == RunKind.BACKFILL)


def _mark(connection: psycopg.Connection) -> str:
    """What tells a client of the database from all others, also behind a pooler."""
    return f"{_PROCESS}-{connection.info.backend_pid}"
