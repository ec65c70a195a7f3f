"""Leases what a source needs while it runs: a slot among the jobs, a connection, the lock."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from dataportal.collect.events import Waiting
from dataportal.collect.workers import WorkerThread
from dataportal.errors import DatabaseError, LockedError, SchemaError, UnsuitableServerError
from dataportal.on_locked import OnLocked
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataportal.collect.run_context import RunContext
    from dataportal.collect.session_pool import ThreadedSession
    from dataportal.config import Source
    from dataportal.store.records import Registration, SourceSnapshot

P = ParamSpec("P")
T = TypeVar("T")

_LOCK_POLL = (0.2, 2.0)  # seconds between two looks at a lock that somebody holds
_HANDOVER = 1.0  # seconds in which a server notices that the client of a lock has gone
_GAP = 0.3  # seconds for which a backfill leaves the lock to others between two slices
_GAP_POLL = 0.1  # seconds between two looks for that gap
_GAP_PATIENCE = 30.0  # seconds to wait for it; a slice should not take longer
_ABSENCE = 15.0
"""Seconds for which a run says at a time that it does without its lock.

One that is killed meanwhile is taken for alive no longer.
"""


class Lease:
    """A source's slot among the running ones, its connection and its lock.

    All three are acquired together and given up together, as often as the run has to wait.

    Args:
        source: the source.
        context: what all runs share.
        on_locked: what to do if another run holds the lock.
        reads_state: whether the source's state will be asked for once the lock is acquired.
        reads_validators: whether a slice may ask for what has changed alone.
        register: called in the source's own thread as soon as a new connection has the lock, with
            what is stored of the source.

    Attributes:
        comes_back: whether the source is left out for now if it is locked: then nobody waits.
    """

    def __init__(
        self,
        source: Source,
        context: RunContext,
        on_locked: OnLocked,
        *,
        reads_state: bool,
        reads_validators: bool,
        register: Callable[[SourceSession, SourceSnapshot], Registration],
    ) -> None:
        self._source = source.name
        self._series = [series.endpoint_prefix for series in source.series]
        self._context = context
        self._on_locked = on_locked
        self._reads_state = reads_state
        self._reads_validators = reads_validators
        self._register = register
        self._session: ThreadedSession | None = None
        self._had_session = False
        self.comes_back = False
        self._has_slot = False
        self._run_id: int | None = None

    def serve(self, run_id: int | None) -> None:
        """From now on the lease is for this run: it says when it does without its lock."""
        self._run_id = run_id

    async def acquire(self) -> Registration | None:
        """Have all three; what came of registering the series, if the connection is a new one.

        Raises:
            LockedError: another run holds the lock.
            DatabaseError: the database is out of reach; known at once if another source found out.
        """
        if not self._has_slot:
            await self._context.slots.acquire()
            self._has_slot = True
        if self._session is not None:
            return None
        if self._context.database_fault is not None:
            raise self._context.database_fault
        registration = await self._begin()
        return registration or await self._await_lock(self._lock_and_register)

    async def _begin(self) -> Registration | None:
        """Look for the lock once, by a connection that others used before, if one is left."""
        sessions = self._context.sessions
        while (session := sessions.take_over(self._source)) is not None:
            self._session = session
            try:
                return await self.call(self._lock_and_register)
            except DatabaseError:
                # the server may have been restarted since: a new connection will find out
                if not session.session.is_lost:
                    raise
                session.close()
                self._session = None
        self._session = await sessions.connect(self._source)
        return await self.call(self._lock_and_register)

    def _lock_and_register(self, session: SourceSession) -> Registration | None:
        """None if somebody else holds the lock."""
        snapshot = session.try_lock(
            self._series, with_state=self._reads_state, with_validators=self._reads_validators
        )
        return None if snapshot is None else self._register(session, snapshot)

    async def connect(self) -> None:
        """Have a connection, if without the lock.

        Raises:
            DatabaseError: the database is out of reach.
        """
        self._session = await self._context.sessions.open(self._source)

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._session is not None

    @property
    def keeps_no_validators(self) -> bool:
        """Whether it is known without asking that nothing is kept of the answers."""
        return self._session is not None and self._session.session.keeps_no_validators

    async def call(
        self,
        method: Callable[Concatenate[SourceSession, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The result of a function of the session, called in the source's own thread.

        Raises:
            DatabaseError: there is no connection; or as the function does.
        """
        if self._session is None:
            raise DatabaseError("there is no connection to the database")
        return await self._session.thread.call(method, self._session.session, *args, **kwargs)

    async def stop(self) -> None:
        """End the statement that is running, from a thread of its own."""
        if self._session is None:
            return
        thread = WorkerThread(f"stop {self._source}")
        try:
            await thread.call(self._session.session.stop)
        finally:
            thread.close()

    async def settle(self) -> None:
        """Return when the session's thread has ended what it was called for."""
        if self._session is not None:
            await self._session.thread.call(bool)

    async def yield_lock(self) -> None:
        """Leave the lock to others for a moment: between slices a backfill lets the schedule in."""
        await self.announce_absence(_ABSENCE)
        await self.call(SourceSession.unlock)
        await asyncio.sleep(_GAP)
        if not await self.call(SourceSession.try_lock):
            await self._await_lock(SourceSession.try_lock)

    async def announce_absence(self, seconds: float) -> None:
        """Record, if a run is under way, that it does without its lock for so many seconds."""
        if self._run_id is not None and self._session is not None:
            await self.call(SourceSession.leave_lock, self._run_id, seconds)

    def hand_back(self) -> None:
        """Give up all three after a run that ended well: others may have the connection."""
        if self._session is not None:
            self._context.sessions.hand_back(self._session)
        self._session = None
        self.release()

    def release(self) -> None:
        """Give up the slot, and the connection, which frees the lock."""
        if self._session is not None:
            self._session.close()
            self._had_session = True
        self._session = None
        if self._has_slot:
            self._has_slot = False
            self._context.slots.release()

    async def _await_lock(self, take: Callable[[SourceSession], T | None]) -> T:
        """What `take` gives once it has the lock, which somebody else has just been seen to hold.

        Raises:
            LockedError: it is not to be waited for.
        """
        pause, longest_pause = _LOCK_POLL
        started = time.monotonic()
        announced = False
        announced_until = started + _ABSENCE
        while True:
            holder = await self.call(SourceSession.holder)
            waited = time.monotonic() - started
            # an attempt that follows at once may find the lock of the one before, whose connection
            # the server has yet to end
            is_handed_over = self._had_session or (holder.passes and not self.comes_back)
            if is_handed_over and waited < _HANDOVER:
                await asyncio.sleep(_GAP_POLL)
                if (result := await self.call(take)) is not None:
                    return result
                continue
            # a backfill lets the schedule in between its slices
            expects_gap = holder.backfill and waited < _GAP_PATIENCE
            may_wait = self._on_locked is OnLocked.WAIT or (
                self._on_locked is OnLocked.SKIP and expects_gap
            )
            if not may_wait:
                raise LockedError(
                    f"source {self._source!r} is locked by {holder}", holder=str(holder)
                )
            if not announced:
                announced = True
                self._context.emit(Waiting(self._source, None, f"locked by {holder}"))
            if time.monotonic() > announced_until - _ABSENCE / 2:
                announced_until = time.monotonic() + _ABSENCE
                await self.announce_absence(_ABSENCE)
            await asyncio.sleep(_GAP_POLL if holder.backfill else pause)
            pause = min(2 * pause, longest_pause)
            if (result := await self.call(take)) is not None:
                return result


def permanent_fault(error: DatabaseError) -> DatabaseError:
    """The same fault of the database, as one that the other sources do not try again."""
    if isinstance(error, SchemaError | UnsuitableServerError):
        return error
    return DatabaseError(error.message, hint=error.hint)
