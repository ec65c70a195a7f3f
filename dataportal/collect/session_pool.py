"""Pools database sessions: the runs of one command hand them on to each other.

To connect costs more than a small run does, on either side. A session comes with the thread that
its blocking calls are made from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataportal.collect.workers import WorkerThread
from dataportal.errors import DatabaseError
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg


@dataclass(frozen=True, slots=True)
class ThreadedSession:
    """A session, and the thread that its calls are made from."""

    session: SourceSession
    thread: WorkerThread

    def close(self) -> None:
        """Close the connection once its thread has done what it was given; waits for nothing."""
        self.thread.send(self.session.close)
        self.thread.close()


class SessionPool:
    """Opens sessions, and keeps those that are handed back for the next sources.

    Args:
        url: the database.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: list[ThreadedSession] = []

    async def open(self, source: str) -> ThreadedSession:
        """A session for a source, under its name, without its lock.

        Raises:
            DatabaseError: the database is out of reach.
        """
        while (session := self.take_over(source)) is not None:
            try:
                await session.thread.call(session.session.take_name)
            except DatabaseError:
                # the server may have been restarted since: a new one will find out
                session.close()
            except BaseException:
                session.close()
                raise
            else:
                return session
        return await self.connect(source)

    def take_over(self, source: str) -> ThreadedSession | None:
        """One that was handed back, for another source; None if there is none.

        Its connection may be lost, and has the name of the source before until the lock is taken.
        """
        if not self._idle:
            return None
        idle = self._idle.pop()
        return ThreadedSession(idle.session.reuse_for(source), idle.thread)

    async def connect(self, source: str) -> ThreadedSession:
        """A new one.

        Raises:
            DatabaseError: the database is out of reach.
        """
        thread = WorkerThread("store")
        try:
            return ThreadedSession(await thread.call(SourceSession.open, self._url, source), thread)
        except BaseException:
            thread.close()
            raise

    def hand_back(self, session: ThreadedSession) -> None:
        """Take a session back that is sound: no transaction is open, nobody uses it any more."""
        if session.session.is_locked:
            session.thread.send(session.session.release)
        self._idle.append(session)

    async def look(self, question: Callable[[psycopg.Connection], None]) -> None:
        """Let a question be asked by a connection that nobody uses, if there is one.

        Raises:
            DatabaseError: it is out of reach by now.
        """
        if self._idle:
            idle = self._idle[-1]
            await idle.thread.call(idle.session.look, question)

    def close(self) -> None:
        """Close those that nobody uses; waits for nothing."""
        while self._idle:
            self._idle.pop().close()
