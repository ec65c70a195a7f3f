"""Rate limits shared by several machines: slots for requests, taken from the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.collect.workers import WorkerThread
from dataportal.store.rate_limits import DatabaseRateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable


class SharedRateLimiter:
    """The slots of one command; connects when the first is asked for. For one event loop.

    Args:
        url: the database.
        connect: makes the connection.
    """

    def __init__(
        self, url: str, connect: Callable[[str], DatabaseRateLimiter] = DatabaseRateLimiter
    ) -> None:
        self._url = url
        self._connect = connect
        self._thread: WorkerThread | None = None
        self._database: DatabaseRateLimiter | None = None

    async def reserve(self, name: str, distance: float) -> float:
        """Take the next free slot under a name; the seconds until it begins.

        Args:
            name: the host and key.
            distance: seconds from one slot to the next.

        Raises:
            DatabaseError: the database cannot be asked.
        """
        if self._thread is None:
            self._thread = WorkerThread("request slots")
        return await self._thread.call(self._take, name, distance)

    def close(self) -> None:
        """Let go of the connection; waits for nothing."""
        if self._thread is not None:
            if self._database is not None:
                self._thread.send(self._database.close)
            self._thread.close()

    def _take(self, name: str, distance: float) -> float:
        if self._database is None:
            self._database = self._connect(self._url)
        try:
            return self._database.take(name, distance)
        except BaseException:
            self._database.close()
            self._database = None
            raise
