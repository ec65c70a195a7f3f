"""Runs many sources side by side, and ends them all when it is told to.

At most `jobs` sources have a place at a time. One that waits for its next attempt gives its place
up; one that fails, hangs or breaks harms no other.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dataportal.collect.lanes import Lane
from dataportal.collect.run import SourceRun
from dataportal.errors import DatabaseError, ExitCode
from dataportal.plugins.http import HttpClient
from dataportal.schedule import is_due
from dataportal.store.overview import states_for_due
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dataportal.collect.events import Listener
    from dataportal.collect.results import RunRequest, RunResult
    from dataportal.collect.stop import StopSignal
    from dataportal.settings import Settings

_PATIENCE = 7.0  # seconds from the wish to end until runs that do not heed it are left behind
_HURRY = 1.0  # seconds, after the second such wish


def _present() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Surroundings:
    """What all runs of one command share.

    Attributes:
        settings: retries and waits.
        database_url: where to store.
        root: the folder of sources.yaml, for plugins and files beside it.
        env: the environment, for `${VAR}`.
        events: told what happens.
        seats: as many as sources may run at a time.
        http: the client of all built-in plugins.
        now: tells the time.
        open_session: connects a source to the store.
        hosts_given_up: hosts that used up their retries.
        database_fault: why the database cannot be used, once that is known.
        stop_code: the exit code of a run that was interrupted.
        unexpected: told of exceptions that nobody foresaw.
    """

    settings: Settings
    database_url: str
    root: Path
    env: Mapping[str, str]
    events: Listener
    seats: asyncio.Semaphore
    http: HttpClient
    now: Callable[[], datetime] = _present
    open_session: Callable[[str, str], SourceSession] = SourceSession.open
    hosts_given_up: set[str] = field(default_factory=set)
    database_fault: DatabaseError | None = None
    stop_code: ExitCode = ExitCode.SIGTERM
    unexpected: Callable[[str, Exception], None] = lambda _source, _error: None


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
    unexpected: Callable[[str, Exception], None] = lambda _source, _error: None,
    now: Callable[[], datetime] = _present,
    open_session: Callable[[str, str], SourceSession] = SourceSession.open,
) -> list[RunResult]:
    """Run all requests; their results in the order of the requests, without those not due.

    Never raises for what goes wrong with a source: its result says so. Returns within 10 s of
    `stop`, whatever plugins do.

    Raises:
        DatabaseError: which sources are due cannot be found out.
    """
    around = Surroundings(
        settings=settings,
        database_url=database_url,
        root=root,
        env=env,
        events=events,
        seats=asyncio.Semaphore(jobs),
        http=HttpClient(),
        now=now,
        open_session=open_session,
        unexpected=unexpected,
    )
    if any(request.only_if_due for request in requests):
        requests = await _due(requests, database_url, now())
    runs = _Runs(around, stop)
    try:
        return await runs.all(requests, jobs)
    finally:
        await around.http.aclose()


async def _due(
    requests: Sequence[RunRequest], database_url: str, now: datetime
) -> list[RunRequest]:
    """Those that are due by what the database says now; each is asked again under its lock."""
    lane = Lane("due")
    try:
        states = await lane.call(states_for_due, database_url)
    finally:
        lane.close()
    return [
        request
        for request in requests
        if not request.only_if_due
        or (state := states.get(request.source.name)) is None
        or is_due(
            now,
            schedule=request.source.schedule,
            offset=request.source.slot_offset,
            last_attempt=state.last_attempt,
            last_failed=state.last_failed,
        )
    ]


class _Runs:
    """The tasks of one command: begun while there are places, cancelled when it shall end."""

    def __init__(self, around: Surroundings, stop: StopSignal) -> None:
        self._around = around
        self._stop = stop
        self._tasks: list[asyncio.Task[RunResult | None]] = []
        self._woken = asyncio.Event()

    async def all(self, requests: Sequence[RunRequest], jobs: int) -> list[RunResult]:
        del jobs
        self._stop.attach(asyncio.get_running_loop(), self._on_stop)
        begin = asyncio.create_task(self._begin(requests))
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait({begin, woken}, return_when=asyncio.FIRST_COMPLETED)
            if not self._stop:
                everything = asyncio.gather(*self._tasks)
                await asyncio.wait({everything, woken}, return_when=asyncio.FIRST_COMPLETED)
            if self._stop:
                begin.cancel()
                await self._end()
        finally:
            woken.cancel()
            self._stop.detach()
        results = [t.result() for t in self._tasks if t.done() and not t.cancelled()]
        return [result for result in results if result is not None]

    async def _begin(self, requests: Sequence[RunRequest]) -> None:
        """Start one run after the other, each as soon as there is a place for it."""
        for request in requests:
            # a place is taken by the run itself; this only keeps ten thousand from queueing up
            async with self._around.seats:
                pass
            self._tasks.append(asyncio.create_task(SourceRun(request, self._around).run()))
            await asyncio.sleep(0)

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
