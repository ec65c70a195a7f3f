"""Runs many sources side by side, and ends them all when it is told to.

At most `jobs` sources have a place at a time. One that waits for its next attempt gives its place
up; one that fails, hangs or breaks harms no other.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dataportal.collect.due import due
from dataportal.collect.events import Waiting
from dataportal.collect.rate_limiter import SharedRateLimiter
from dataportal.collect.retry import Retries
from dataportal.collect.run_context import Surroundings, present
from dataportal.collect.session_pool import Sessions
from dataportal.collect.source_run import SourceRun
from dataportal.collect.workers import WorkerPool
from dataportal.errors import ExitCode
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.rate_limit import RateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from dataportal.collect.events import Listener
    from dataportal.collect.results import RunRequest, RunResult
    from dataportal.collect.stop import StopSignal
    from dataportal.settings import Settings
    from dataportal.store.records import SourceState

_DATABASE_PATIENCE = 60.0  # seconds for a database that is restarting
_PATIENCE = 7.0  # seconds from the wish to end until runs that do not heed it are left behind
_HURRY = 1.0  # seconds, after the second such wish


async def collect(
    requests: Sequence[RunRequest],
    *,
    settings: Settings,
    database_url: str,
    root: Path,
    env: Mapping[str, str],
    jobs: int,
    events: Listener,
    stop: StopSignal,
    failed: Callable[[str, BaseException], None],
    now: Callable[[], datetime] = present,
) -> list[RunResult]:
    """Run all requests; their results in the order of the requests, without those not due.

    Never raises for what goes wrong with a source: its result says so. Returns within 10 s of
    `stop`, whatever plugins do.

    Raises:
        DatabaseError: the database cannot be used by any of them.
    """
    given_up: set[str] = set()
    shared = SharedRateLimiter(database_url)
    around = Surroundings(
        settings=settings,
        root=root,
        env=env,
        events=events,
        seats=asyncio.Semaphore(jobs),
        lanes=WorkerPool(),
        sessions=Sessions(database_url),
        http=HttpClient(given_up=given_up, rate_limiter=RateLimiter(shared.reserve), now=now),
        hosts_given_up=given_up,
        now=now,
        failed=failed,
    )
    try:
        return await _Runs(around, stop).all(requests)
    finally:
        await around.http.aclose()
        around.sessions.close()
        around.lanes.close()
        shared.close()


class _Runs:
    """The tasks of one command: begun while there are places, cancelled when it shall end."""

    def __init__(self, around: Surroundings, stop: StopSignal) -> None:
        self._around = around
        self._stop = stop
        self._tasks: list[asyncio.Task[RunResult | None]] = []
        self._woken = asyncio.Event()

    async def all(self, requests: Sequence[RunRequest]) -> list[RunResult]:
        self._stop.attach(asyncio.get_running_loop(), self._on_stop)
        work = asyncio.create_task(self._work(requests))
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait((work, woken), return_when=asyncio.FIRST_COMPLETED)
            if self._stop:
                work.cancel()
                await self._end()
                await asyncio.wait((work,), timeout=_HURRY)
            else:
                work.result()
        finally:
            woken.cancel()
            self._stop.detach()
        results = [t.result() for t in self._tasks if t.done() and not t.cancelled()]
        return [result for result in results if result is not None]

    async def _work(self, requests: Sequence[RunRequest]) -> None:
        states = await self._states()
        for request in due(requests, states, self._around.now()):
            # a place is taken by the run itself; this only keeps ten thousand from queueing up
            async with self._around.seats:
                pass
            self._tasks.append(asyncio.create_task(SourceRun(request, self._around).run()))
            await asyncio.sleep(0)
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _states(self) -> Mapping[str, SourceState]:
        """What is remembered of every source; proves, once for all, that the database is there."""
        retries = Retries(
            retries=self._around.settings.max_retries,
            first_wait=self._around.settings.retry_delay,
            budget=_DATABASE_PATIENCE,
            give_up=set(),
            waiting=lambda seconds, why: self._around.events(Waiting("database", seconds, why)),
        )
        sessions = self._around.sessions
        async for attempt in retries.attempts():
            with attempt:
                held = await sessions.open("")
                try:
                    states = await held.lane.call(held.session.states)
                except BaseException:
                    held.close()
                    raise
                sessions.hand_back(held)
                return states
        raise AssertionError  # the last attempt returns or raises

    def _on_stop(self) -> None:
        self._around.stop_code = self._stop.code or ExitCode.SIGTERM
        self._woken.set()

    async def _end(self) -> None:
        """Cancel everything, and wait for the last words, but not for ever."""
        for task in self._tasks:
            task.cancel()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE
        pending = {task for task in self._tasks if not task.done()}
        while pending and loop.time() < deadline:
            if self._stop.times > 1:
                deadline = min(deadline, loop.time() + _HURRY)
            _, pending = await asyncio.wait(pending, timeout=0.1)
