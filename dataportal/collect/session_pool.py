"""Pools database sessions: the runs of one command hand them on to each other.

To connect costs more than a small run does, on either side. A session comes with the thread that
its blocking calls are made from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dataportal.collect.workers import WorkerThread
from dataportal.errors import DatabaseError
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

T = TypeVar("T")


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
        """A session for a source, without its lock.

        Raises:
            DatabaseError: the database is out of reach.
        """
        session, _ = await self.begin(source, SourceSession.take_name)
        return session

    async def begin(
        self, source: str, first: Callable[[SourceSession], T]
    ) -> tuple[ThreadedSession, T]:
        """A session for a source, and the result of its first call, in one go.

        Raises:
            DatabaseError: the database is out of reach; or as `first` does.
        """
        while self._idle:
            idle = self._idle.pop()
            session = ThreadedSession(idle.session.reuse_for(source), idle.thread)
            try:
                return session, await session.thread.call(first, session.session)
            except DatabaseError:
                is_lost = session.session.is_lost
                session.close()
                # the server may have been restarted since: a new one will find out
                if not is_lost:
                    raise
            except BaseException:
                session.close()
                raise
        thread = WorkerThread("store")
        try:
            opened, result = await thread.call(self._open, source, first)
        except BaseException:
            thread.close()
            raise
        return ThreadedSession(opened, thread), result

    def _open(self, source: str, first: Callable[[SourceSession], T]) -> tuple[SourceSession, T]:
        session = SourceSession.open(self._url, source)
        try:
            return session, first(session)
        except BaseException:
            session.close()
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
