"""The advisory lock of a source: held by the very connection that writes, gone when that is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataportal.store.queries import query
from dataportal.store.records import RunKind

if TYPE_CHECKING:
    import psycopg


def lock_key(schema: str, name: str) -> int:
    """The lock's number: the first 8 bytes, signed, of SHA-256 of `dataportal:<schema>:<name>`."""
    digest = hashlib.sha256(f"dataportal:{schema}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def halves(key: int) -> dict[str, str]:
    """The number as pg_locks shows it, in two."""
    high, low = divmod(key & 0xFFFFFFFFFFFFFFFF, 1 << 32)
    return {"high": str(high), "low": str(low)}


def try_lock(connection: psycopg.Connection, key: int) -> bool:
    """Take the lock if nobody holds it; never waits."""
    return taken(ask_for(connection, key))


def ask_for(connection: psycopg.Connection, key: int) -> psycopg.Cursor[Any]:
    """Take the lock if nobody holds it; `taken` tells, if in a pipeline after it."""
    return connection.execute("SELECT pg_try_advisory_lock(%s)", (key,))


def taken(asked: psycopg.Cursor[Any]) -> bool:
    """Whether the lock was taken."""
    row = asked.fetchone()
    return row is not None and bool(row[0])


def unlock(connection: psycopg.Connection, key: int) -> None:
    """Give the lock back."""
    connection.execute("SELECT pg_advisory_unlock(%s)", (key,))


def holds(connection: psycopg.Connection, key: int) -> bool:
    """Whether this very server process holds the lock, asked of the server."""
    return connection.execute(query("lock_is_held"), halves(key)).fetchone() is not None


def held_keys(connection: psycopg.Connection) -> set[int]:
    """The numbers of all advisory locks held in this database."""
    return {row[0] for row in connection.execute(query("lock_held_keys"))}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, in words.

    A backfill makes room now and then. A holder that `passes` has no run under way: it has just
    ended, and the server is about to notice, or it is about to begin.
    """

    text: str
    backfill: bool = False
    passes: bool = False

    def __str__(self) -> str:
        return self.text


def find_holder(connection: psycopg.Connection, key: int, source: str) -> Holder:
    """Who holds the lock of a source: host, process and since when, as far as is known."""
    row = connection.execute(query("lock_holder"), {"key": key, "source": source}).fetchone()
    if row is None:
        return Holder("a run that has just ended", passes=True)
    application, client, host, pid, started, kind = row
    if host is None:
        said = f"{application or 'a session'} from {client or 'this machine'}"
        return Holder(said, passes=True)
    text = f"host {host}, pid {pid}, since {started:%Y-%m-%dT%H:%M:%SZ}"
    return Holder(text, backfill=kind == RunKind.BACKFILL)
