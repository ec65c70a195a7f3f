"""Tells a pooler that gives each session a server process of its own from one that does not.

In session mode an advisory lock is safe. In transaction mode it stays on a process that somebody
else is served by next. A client that is alone sees the same process before and after in both.
"""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg

from dataportal.errors import DatabaseTransientError, UnsuitableServerError

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 10.0  # seconds for a second connection of the pooler
_lock = threading.Lock()
_suitable: set[str] = set()


def process_id(connection: psycopg.Connection) -> int:
    """The server process that serves the connection right now."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0


def is_pooled(connection: psycopg.Connection) -> bool:
    """Whether a pooler stands in between, which may have but one server process to give."""
    return process_id(connection) != connection.info.backend_pid


def check_pooling(
    url: str, connection: psycopg.Connection, connect: Callable[[], psycopg.Connection]
) -> None:
    """Make sure, once a command, that a pooler leaves the connection its server process.

    Asked which process serves it, before and after another connection is asked the same. Outside of
    a transaction a pooler in transaction mode gives the other one the same process, or has given
    the first one another by then.

    Args:
        url: the pooler.
        connection: one to it, in autocommit mode, which nobody else uses.
        connect: opens another one.

    Raises:
        UnsuitableServerError: it does not.
        DatabaseTransientError: it gives no second connection in time.
    """
    with _lock:
        if url in _suitable:
            return
        before = process_id(connection)
        other = _process_of_another(connect)
        if before == other or process_id(connection) != before:
            raise UnsuitableServerError(
                "a connection pooler in transaction mode stands between dataportal and the "
                "database",
                hint="Set pool_mode = session for it, or point DATABASE_URL at PostgreSQL itself: "
                "the lock of a source needs a session of its own",
            )
        _suitable.add(url)


def _process_of_another(connect: Callable[[], psycopg.Connection]) -> int:
    """The server process of another connection, which is closed again."""
    processes: list[int] = []
    faults: list[psycopg.Error] = []

    def ask() -> None:
        try:
            with closing(connect()) as other:
                processes.append(process_id(other))
        except psycopg.Error as error:
            faults.append(error)

    # a pooler whose connections are all taken lets one wait, and no limit of the server counts
    thread = threading.Thread(target=ask, name="pooler", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    if faults:
        raise faults[0]
    if not processes:
        raise DatabaseTransientError(
            f"the connection pooler gave no second connection within {_PATIENCE:.0f} s",
            hint="Let it have more connections: dataportal needs one for each of its --jobs, and "
            "one more",
        )
    return processes[0]
