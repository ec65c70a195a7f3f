"""Runs many sources side by side, and ends them all when it is told to stop.

At most `jobs` sources have a slot at a time. One that waits for its next attempt gives its slot
up; one that fails, hangs or breaks harms no other.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from dataportal.collect.children import children, end_children
from dataportal.collect.events import Finished, Waiting, Warned
from dataportal.collect.rate_limiter import SharedRateLimiter
from dataportal.collect.results import RunResult, due_requests
from dataportal.collect.retry import Retries
from dataportal.collect.run_context import RunContext
from dataportal.collect.session_pool import SessionPool
from dataportal.collect.source_run import SourceRun
from dataportal.collect.workers import WorkerPool
from dataportal.errors import DatabaseError, ExitCode, LockedError
from dataportal.on_locked import OnLocked
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.rate_limit import RateLimiter
from dataportal.redaction import harmless, redact
from dataportal.store.records import Outcome
from dataportal.store.session import SourceSession
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    import psycopg

    from dataportal.collect.events import Listener
    from dataportal.collect.results import RunRequest
    from dataportal.collect.stop import StopSignal
    from dataportal.settings import Settings
    from dataportal.store.records import SourceState

T = TypeVar("T")
R = TypeVar("R")

_LOOK_INTERVAL = 0.25  # seconds between two looks at the locks that others hold
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
    question: Callable[[psycopg.Connection], None] | None = None,
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
        question: what to ask the database after the runs, by one of their connections: to open
            another one costs more than most questions. Not asked where none is left.
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
        results = await _Runs(context, stop).run_all(requests)
        if question is not None and not stop:
            with suppress(DatabaseError):
                await context.sessions.look(question)
        return results
    finally:
        await context.http.aclose()
        for process in end_children(before):
            events(Warned("plugins", f"left the process {process} behind, which was ended"))
        context.sessions.close()
        context.workers.close()
        shared.close()


class _Runs:
    """The tasks of one command: started while there are slots, cancelled when it shall stop.

    Several machines may run the same command. So that they do not all try the same locks one after
    the other, each begins at another place of the list, looks first which are held, leaves out what
    it sees locked once it has met the others, and comes back at the end to what it left out.
    """

    def __init__(self, context: RunContext, stop: StopSignal) -> None:
        self._context = context
        self._stop = stop
        self._tasks: dict[str, asyncio.Task[RunResult | None]] = {}
        self._stopped = asyncio.Event()
        self._began = context.now()
        self._left_out: list[RunRequest] = []
        self._has_met_others = False
        self._locked: set[str] = set()
        self._finished: set[str] = set()
        self._looked_at = 0.0

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
        tasks = [self._tasks.get(request.source.name) for request in requests]
        results = [t.result() for t in tasks if t and t.done() and not t.cancelled()]
        return [result for result in results if result is not None]

    async def _work(self, requests: Sequence[RunRequest]) -> None:
        states = self._context.states = await self._source_states()
        due = due_requests(requests, states, self._context.now())
        if len(due) > 1:
            await self._look(due)
        for request in _own_order(due):
            # a slot is taken by the run itself; this only keeps ten thousand from queueing up
            async with self._context.slots:
                pass
            if self._has_met_others:
                await self._look(due)
                if self._is_done(request):
                    continue
                if request.on_locked is OnLocked.SKIP and request.source.name in self._locked:
                    self._left_out.append(request)
                    continue
            self._start(request, comes_back=len(due) > 1)
            await asyncio.sleep(0)
        await self._await_tasks()
        if self._left_out:
            await self._come_back()

    def _start(self, request: RunRequest, *, comes_back: bool) -> None:
        work = self._run(request, comes_back=comes_back)
        self._tasks[request.source.name] = asyncio.create_task(work)

    async def _run(self, request: RunRequest, *, comes_back: bool) -> RunResult | None:
        try:
            result = await SourceRun(request, self._context).run(comes_back=comes_back)
        except LockedError:
            self._left_out.append(request)
            result = None
        self._has_met_others = self._has_met_others or result is None
        return result

    async def _await_tasks(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    async def _come_back(self) -> None:
        """Run what was locked, but for those of which a run has ended since this command began."""
        self._looked_at = 0.0
        for request in self._left_out:
            await self._look(self._left_out)
            if self._is_done(request):
                continue
            if reason := await self._reason_to_skip(request):
                result = RunResult(request.source.name, request.kind, Outcome.SKIPPED)
                result.reason = reason
                self._tasks[result.source] = asyncio.create_task(_return(result))
                self._context.emit(Finished(result))
                continue
            async with self._context.slots:
                pass
            self._start(request, comes_back=False)
            await asyncio.sleep(0)
        await self._await_tasks()

    async def _reason_to_skip(self, request: RunRequest) -> str | None:
        """Why a source that was left out is not run now either; None if it may be free."""
        name = request.source.name
        if name in self._finished:
            return "another run has fetched it meanwhile"
        if request.on_locked is not OnLocked.SKIP or name not in self._locked:
            return None
        holder = await self._ask(SourceSession.holder_of, name, None)
        # of one that has just ended, or a backfill between two slices, the lock is waited for
        if holder is None or holder.passes or holder.backfill:
            return None
        return harmless(redact(f"source {name!r} is locked by {holder}"))

    def _is_done(self, request: RunRequest) -> bool:
        """Whether a source that was due is not any more, as another machine was quicker."""
        return request.only_if_due and request.source.name in self._finished

    async def _look(self, due: Sequence[RunRequest]) -> None:
        """Find out now and then which locks others hold, and which runs have ended."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._looked_at <= _LOOK_INTERVAL:
            return
        names = [request.source.name for request in due]
        locked = await self._ask(SourceSession.locked_sources, names, set[str]())
        # our own are locked too, and under way
        self._locked = locked - {n for n, task in self._tasks.items() if not task.done()}
        self._has_met_others = self._has_met_others or bool(self._locked)
        self._finished = await self._ask(SourceSession.sources_run_since, self._began, set[str]())
        self._looked_at = loop.time()

    async def _ask(self, method: Callable[[SourceSession, T], R], argument: T, otherwise: R) -> R:
        """What the database says; `otherwise` where it does not, as the runs will say why."""
        sessions = self._context.sessions
        try:
            session = await sessions.open("")
        except DatabaseError:
            return otherwise
        try:
            answer = await session.thread.call(method, session.session, argument)
        except DatabaseError:
            session.close()
            return otherwise
        except BaseException:
            session.close()
            raise
        sessions.hand_back(session)
        return answer

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
        for task in self._tasks.values():
            task.cancel()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE
        pending = {task for task in self._tasks.values() if not task.done()}
        while pending and loop.time() < deadline:
            if self._stop.times > 1:
                deadline = min(deadline, loop.time() + _HURRY)
            _, pending = await asyncio.wait(pending, timeout=0.1)


def _own_order(requests: Sequence[RunRequest]) -> Sequence[RunRequest]:
    """The same requests, begun at a place that depends on this machine and process.

    Those that wait for locks, such as a backfill, keep their order.
    """
    if any(request.on_locked is not OnLocked.SKIP for request in requests):
        return requests
    process = f"{socket.gethostname()}:{os.getpid()}".encode()
    place = int.from_bytes(hashlib.sha256(process).digest()[:8]) % max(1, len(requests))
    return [*requests[place:], *requests[:place]]


async def _return(result: RunResult) -> RunResult:
    """The result, as a task has it."""
    return result
