"""What a source has while it runs: a place, a connection, the lock. Taken and given up together."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from dataportal.collect.events import Waiting
from dataportal.collect.results import OnLocked
from dataportal.collect.workers import Lane
from dataportal.errors import DatabaseError, LockedError, SchemaError
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dataportal.collect.run_context import Surroundings
    from dataportal.collect.session_pool import ThreadedSession
    from dataportal.config import Source
    from dataportal.store.records import SourceSnapshot

P = ParamSpec("P")
T = TypeVar("T")

_LOCK_POLL = (0.2, 2.0)  # seconds between two looks at a lock that somebody holds
_HANDOVER = 1.0  # seconds in which a server notices that the client of a lock has gone
_GAP = 0.3  # seconds for which a backfill leaves the lock to others between two slices
_GAP_POLL = 0.1  # seconds between two looks for that gap
_GAP_PATIENCE = 30.0  # seconds to wait for it; a slice should not take longer


class Hold:
    """A source's place among the running ones, its connection and its lock.

    Args:
        source: the source.
        around: what all runs share.
        on_locked: what to do if another run holds the lock.
        state: whether the source's state will be asked for once the lock is had.
    """

    def __init__(
        self, source: Source, around: Surroundings, on_locked: OnLocked, *, state: bool
    ) -> None:
        self._source = source.name
        self._series = [series.endpoint_prefix for series in source.series]
        self._around = around
        self._on_locked = on_locked
        self._state = state
        self._held: ThreadedSession | None = None
        self._seated = False

    async def take(self) -> SourceSnapshot | None:
        """Have all three; what is stored of the source, if the connection is a new one.

        Raises:
            LockedError: another run holds the lock.
            DatabaseError: the database is out of reach; known at once if another source found out.
        """
        if not self._seated:
            await self._around.seats.acquire()
            self._seated = True
        if self._held is not None:
            return None
        if self._around.database_fault is not None:
            raise self._around.database_fault
        await self.connect()
        return await self._lock(self._series)

    async def connect(self) -> None:
        """Have a connection, if without the lock.

        Raises:
            DatabaseError: the database is out of reach.
        """
        self._held = await self._around.sessions.open(self._source)

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._held is not None

    async def do(
        self,
        method: Callable[Concatenate[SourceSession, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The result of a function of the session, carried out in the source's own thread."""
        held = self._connection()
        return await held.lane.call(method, held.session, *args, **kwargs)

    async def stop(self) -> None:
        """End the statement that is running, from a thread of its own."""
        if self._held is None:
            return
        lane = Lane(f"stop {self._source}")
        try:
            await lane.call(self._held.session.stop)
        finally:
            lane.close()

    async def let_others_in(self) -> None:
        """Leave the lock for a moment, so that the schedule has its turn during a backfill."""
        await self.do(SourceSession.unlock)
        await asyncio.sleep(_GAP)
        await self._lock()

    def hand_back(self) -> None:
        """Give up all three after a run that ended well: others may have the connection."""
        if self._held is not None:
            self._around.sessions.hand_back(self._held)
        self._held = None
        self.leave()

    def leave(self) -> None:
        """Give up the place, and the connection, which frees the lock."""
        if self._held is not None:
            self._held.close()
        self._held = None
        if self._seated:
            self._seated = False
            self._around.seats.release()

    def _connection(self) -> ThreadedSession:
        if self._held is None:
            raise DatabaseError("there is no connection to the database")
        return self._held

    async def _lock(self, series: Sequence[str] = ()) -> SourceSnapshot:
        pause, longest = _LOCK_POLL
        begun = time.monotonic()
        told = False
        state = self._state and bool(series)
        while (snapshot := await self.do(SourceSession.try_lock, series, with_state=state)) is None:
            holder = await self.do(SourceSession.holder)
            waited = time.monotonic() - begun
            if holder.passes and waited < _HANDOVER:
                await asyncio.sleep(_GAP_POLL)
                continue
            # a backfill lets the schedule in between its slices
            patient = holder.backfill and waited < _GAP_PATIENCE
            may_wait = self._on_locked is OnLocked.WAIT or (
                self._on_locked is OnLocked.SKIP and patient
            )
            if not may_wait:
                raise LockedError(
                    f"source {self._source!r} is locked by {holder}", holder=str(holder)
                )
            if not told:
                told = True
                self._around.events(Waiting(self._source, None, f"locked by {holder}"))
            await asyncio.sleep(_GAP_POLL if holder.backfill else pause)
            pause = min(2 * pause, longest)
        return snapshot


def lasting(error: DatabaseError) -> DatabaseError:
    """The same fault, for the sources after: not to be tried again for each of them."""
    if isinstance(error, SchemaError):
        return error
    return DatabaseError(error.message, hint=error.hint)
