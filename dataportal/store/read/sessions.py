"""Connections that only read, for several threads: each serves one of them at a time."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg

from dataportal.store.read.overview import open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT = 4
"""Connections that are kept for the next question."""


class ReadingSessions:
    """Hands out connections in autocommit mode that can write nothing.

    One that has served is kept for the next question. Nothing of a process that was forked is used
    in the new one.

    Args:
        url: the database.
        command: what the server shows as the name of the connections.
    """

    def __init__(self, url: str, command: str) -> None:
        self._url = url
        self._command = command
        self._idle: list[psycopg.Connection] = []
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._is_closed = False

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection]:
        """A connection for the length of the block.

        Raises:
            DatabaseError: the server is out of reach, or refuses.
            SchemaError: the schema does not fit this program.
        """
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Close all that are idle, and each of the others once it has served."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        if self._process == os.getpid():
            for connection in idle:
                connection.close()

    def _take(self) -> psycopg.Connection:
        while (connection := self._take_idle()) is not None:
            # the server may have been restarted since
            with suppress(psycopg.Error):
                connection.execute("SELECT 1")
                return connection
            connection.close()
        return open_reader(self._url, command=self._command)

    def _take_idle(self) -> psycopg.Connection | None:
        with self._lock:
            if self._process != os.getpid():
                self._idle, self._process = [], os.getpid()
            return self._idle.pop() if self._idle else None

    def _give_back(self, connection: psycopg.Connection) -> None:
        is_idle = connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
        with self._lock:
            if is_idle and not self._is_closed and len(self._idle) < _KEPT:
                self._idle.append(connection)
                return
        connection.close()
