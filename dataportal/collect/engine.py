"""Runs many sources side by side, and ends them all when it is told to stop.

At most `jobs` sources have a slot at a time. One that waits for its next attempt gives its slot
up; one that fails, hangs or breaks harms no other.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dataportal.collect.children import children, end_children
from dataportal.collect.events import Waiting, Warned
from dataportal.collect.rate_limiter import SharedRateLimiter
from dataportal.collect.results import due_requests
from dataportal.collect.retry import Retries
from dataportal.collect.run_context import RunContext
from dataportal.collect.session_pool import SessionPool
from dataportal.collect.source_run import SourceRun
from dataportal.collect.workers import WorkerPool
from dataportal.errors import ExitCode
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.rate_limit import RateLimiter
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from dataportal.collect.events import Listener
    from dataportal.collect.results import RunRequest, RunResult
    from dataportal.collect.stop import StopSignal
    from dataportal.settings import Settings
    from dataportal.store.records import SourceState

_DATABASE_PATIENCE = 60.0  # seconds for a database that is restarting
_PATIENCE = 7.0  # seconds from the stop until runs that do not heed it are left behind
_HURRY = 1.0  # seconds, after the second stop


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
    on_failure: Callable[[str, BaseException], None],
    remind: timedelta | None = None,
    now: Callable[[], datetime] = utc_now,
) -> list[RunResult]:
    """Run all requests; their results in the order of the requests, without those not due.

    Never raises for what goes wrong with a source: its result says so. Returns within 10 s of
    `stop`, whatever plugins do.

    Args:
        requests: what to run.
        settings: retries and waits.
        database_url: where it is stored.
        root: the folder of sources.yaml.
        env: the environment, for `${VAR}`.
        jobs: how many sources may run at a time.
        events: called with each event.
        stop: ends the work when it is set.
        on_failure: called with a source and the exception behind its failure.
        remind: how long a failure that does not change is no news; None tells it at each run.
        now: the clock.

    Raises:
        DatabaseError: the database cannot be used by any of them.
    """
    given_up: set[str] = set()
    shared = SharedRateLimiter(database_url)
    context = RunContext(
        settings=settings,
        root=root,
        env=env,
        emit=events,
        slots=asyncio.Semaphore(jobs),
        workers=WorkerPool(),
        sessions=SessionPool(database_url),
        http=HttpClient(given_up=given_up, rate_limiter=RateLimiter(shared.reserve), now=now),
        hosts_given_up=given_up,
        now=now,
        on_failure=on_failure,
        remind=remind,
    )
    before = children()
    try:
        return await _Runs(context, stop).run_all(requests)
    finally:
        await context.http.aclose()
        for process in end_children(before):
            events(Warned("plugins", f"left the process {process} behind, which was ended"))
        context.sessions.close()
        context.workers.close()
        shared.close()


class _Runs:
    """The tasks of one command: started while there are slots, cancelled when it shall stop."""

    def __init__(self, context: RunContext, stop: StopSignal) -> None:
        self._context = context
        self._stop = stop
        self._tasks: list[asyncio.Task[RunResult | None]] = []
        self._stopped = asyncio.Event()

    async def run_all(self, requests: Sequence[RunRequest]) -> list[RunResult]:
        self._stop.attach(asyncio.get_running_loop(), self._on_stop)
        work = asyncio.create_task(self._work(requests))
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
            if self._stop:
                work.cancel()
                await self._end()
                await asyncio.wait((work,), timeout=_HURRY)
            else:
                work.result()
        finally:
            stopped.cancel()
            self._stop.detach()
        results = [t.result() for t in self._tasks if t.done() and not t.cancelled()]
        return [result for result in results if result is not None]

    async def _work(self, requests: Sequence[RunRequest]) -> None:
        states = self._context.states = await self._source_states()
        for request in due_requests(requests, states, self._context.now()):
            # a slot is taken by the run itself; this only keeps ten thousand from queueing up
            async with self._context.slots:
                pass
            self._tasks.append(asyncio.create_task(SourceRun(request, self._context).run()))
            await asyncio.sleep(0)
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _source_states(self) -> Mapping[str, SourceState]:
        """What is remembered of every source; proves, once for all, that the database is there."""
        retries = Retries(
            retries=self._context.settings.max_retries,
            first_wait=self._context.settings.retry_delay,
            budget=_DATABASE_PATIENCE,
            hosts_given_up=set(),
            on_wait=lambda seconds, why: self._context.emit(Waiting("database", seconds, why)),
        )
        sessions = self._context.sessions
        async for attempt in retries.attempts():
            with attempt:
                session = await sessions.open("")
                try:
                    states = await session.thread.call(session.session.states)
                except BaseException:
                    session.close()
                    raise
                sessions.hand_back(session)
                return states
        raise AssertionError  # the last attempt returns or raises

    def _on_stop(self) -> None:
        self._context.stop_code = self._stop.code or ExitCode.SIGTERM
        self._stopped.set()

    async def _end(self) -> None:
        """Cancel every run, and wait until they have recorded that, but not for ever."""
        for task in self._tasks:
            task.cancel()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE
        pending = {task for task in self._tasks if not task.done()}
        while pending and loop.time() < deadline:
            if self._stop.times > 1:
                deadline = min(deadline, loop.time() + _HURRY)
            _, pending = await asyncio.wait(pending, timeout=0.1)
