"""Database sessions that the runs of one command hand on to each other.

To connect costs more than a small run does, on either side. A session comes with the thread that
its blocking calls are made from.
"""

from __future__ import annotations

from dataclasses import dataclass

from dataportal.collect.workers import Lane
from dataportal.errors import DatabaseError
from dataportal.store.session import SourceSession


@dataclass(frozen=True, slots=True)
class ThreadedSession:
    """A session, and its thread."""

    session: SourceSession
    lane: Lane

    def close(self) -> None:
        """Close the connection once its thread has done what it was given; waits for nothing."""
        self.lane.send(self.session.close)
        self.lane.close()


class Sessions:
    """Opens sessions, and keeps those that were handed back sound for the next who ask.

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
        while self._idle:
            idle = self._idle.pop()
            try:
                return ThreadedSession(
                    await idle.lane.call(idle.session.reuse_for, source), idle.lane
                )
            except DatabaseError:
                # the server may have been restarted since: one that is new will tell
                idle.close()
            except BaseException:
                idle.close()
                raise
        lane = Lane("store")
        try:
            return ThreadedSession(await lane.call(SourceSession.open, self._url, source), lane)
        except BaseException:
            lane.close()
            raise

    def hand_back(self, held: ThreadedSession) -> None:
        """Take a session back that is sound: no transaction is open, nobody uses it any more."""
        held.lane.send(held.session.release)
        self._idle.append(held)

    def close(self) -> None:
        """Close those that nobody uses; waits for nothing."""
        while self._idle:
            self._idle.pop().close()
