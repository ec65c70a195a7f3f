"""One run of one source: lock, window, slices, and how it ended.

The work is a line of steps, each of which may be tried again: prepare (connect, lock, still due?,
register, window, run row), then slice after slice (fetch, clean, merge). A step that failed gives
up its place, its connection and with it the lock while it waits, and takes them anew.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from dataportal.collect.events import Finished, Started, Stored, Waiting, Warned
from dataportal.collect.lease import Hold, lasting
from dataportal.collect.outcome import Tally
from dataportal.collect.plugin_call import broken
from dataportal.collect.results import OnLocked
from dataportal.collect.retry import Retries
from dataportal.collect.slice import Slicing
from dataportal.collect.windows import planned, scheduled
from dataportal.config import build_plugin
from dataportal.errors import DatabaseError, DataportalError, LockedError, UsageError
from dataportal.failpoints import failpoint
from dataportal.schedule import is_due
from dataportal.store.records import Outcome, RunKind, SeriesRecord
from dataportal.store.session import SourceSession
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import datetime

    from dataportal.collect.results import RunRequest, RunResult
    from dataportal.collect.run_context import Surroundings
    from dataportal.config import BuiltPlugin, Limits, Source
    from dataportal.schedule import Slice
    from dataportal.store.records import SeriesProgress, SourceSnapshot

_LAST_WORDS = 3.0  # seconds to record that a run was interrupted


class _NotDue(Exception):  # noqa: N818 - another machine was quicker; nothing is wrong
    """Under the lock the source turned out not to be due any more."""


class SourceRun:
    """Runs one source once.

    Args:
        request: the source, and what is asked of it.
        around: what all runs share.
    """

    def __init__(self, request: RunRequest, around: Surroundings) -> None:
        self._request = request
        self._source = request.source
        self._around = around
        self._hold = Hold(request.source, around, request.on_locked, state=request.only_if_due)
        self._limits: Limits = self._source.resolved({})
        self._built: BuiltPlugin | None = None
        self._run_id: int | None = None
        self._progress: Mapping[str, SeriesProgress] = {}
        self._parts: list[Slice] = []
        self._tally = Tally(self._source, request.kind)
        self._prepared = False
        self._concluded = False

    async def run(self) -> RunResult | None:
        """What came of it; None if the source was not due after all."""
        begun = time.monotonic()
        result = self._tally.result
        try:
            await self._steps()
            outcome = self._tally.conclude()
            self._warn(self._tally.unseen())
            await self._finish(outcome)
            self._hold.hand_back()
        except _NotDue:
            self._hold.hand_back()
            return None
        except LockedError as error:
            # before the first slice, or between two of them, another run was quicker
            self._tally.locked(error, fails=self._request.on_locked is OnLocked.FAIL)
            await self._finish_quietly()
        except asyncio.CancelledError:
            if not self._concluded:
                self._tally.interrupted(self._around.stop_code)
                await self._last_words()
        except DataportalError as error:
            if isinstance(error, DatabaseError) and not self._hold.connected and not self._prepared:
                self._around.database_fault = self._around.database_fault or lasting(error)
            self._around.failed(self._source.name, error)
            self._tally.failed(error)
            await self._finish_quietly()
        except Exception as error:  # noqa: BLE001 - a bug in one source must not end the others
            self._around.failed(self._source.name, error)
            self._tally.bug(error)
            await self._finish_quietly()
        finally:
            self._hold.leave()
            result.seconds = time.monotonic() - begun
        self._around.events(Finished(result))
        return result

    async def _steps(self) -> None:
        await self._tried(lambda _: self._prepare())
        for number, part in enumerate(self._parts, 1):
            await self._tried(lambda retries, part=part: self._slice(part, retries))  # type: ignore[misc]  # a default binds the loop's variable
            self._around.events(Stored(self._source.name, number, len(self._parts)))
            if self._request.kind is RunKind.BACKFILL and number < len(self._parts):
                await self._hold.let_others_in()

    async def _tried(self, step: Callable[[Retries], Awaitable[None]]) -> None:
        """Take a step, again and again where that may help; nothing is held while it waits."""
        retries = Retries(
            retries=self._around.settings.max_retries,
            first_wait=self._around.settings.retry_delay,
            # the plugin class may have had its say since the last step
            budget=self._limits.timeout.total_seconds(),
            give_up=self._around.hosts_given_up,
            waiting=lambda seconds, why: self._around.events(
                Waiting(self._source.name, seconds, why)
            ),
        )
        async for attempt in retries.attempts():
            with attempt:
                try:
                    snapshot = await self._hold.take()
                    if snapshot is not None:
                        await self._register(snapshot)
                    await step(retries)
                except asyncio.CancelledError:
                    raise
                except BaseException:
                    self._hold.leave()
                    raise

    async def _register(self, snapshot: SourceSnapshot) -> None:
        """Find out under the lock whether there is anything to do, and with which series."""
        request, source, state = self._request, self._source, snapshot.state
        # there is a state only where the source is to be due
        if state is not None and self._run_id is None:
            is_still_due = is_due(
                self._around.now(),
                schedule=source.schedule,
                offset=source.slot_offset,
                last_attempt=state.last_attempt,
                last_failed=state.last_failed,
            )
            if not is_still_due:
                raise _NotDue
        registration = await self._hold.do(
            SourceSession.register,
            _records(source),
            snapshot=snapshot,
            renamed_from=source.renamed_from,
            dry_run=request.dry_run,
        )
        self._progress = registration.progress
        self._warn(registration.warnings)

    def _warn(self, warnings: Iterable[str]) -> None:
        for warning in warnings:
            self._tally.result.warnings.append(warning)
            self._around.events(Warned(self._source.name, warning))

    async def _prepare(self) -> None:
        """Make the plugin, find the window, and record that the run begins."""
        fault: DataportalError | None = None
        try:
            self._built = await self._build()
            self._limits = self._built.limits
        except DataportalError as error:
            fault = error  # an attempt that failed is one too, with a window and a row
        start, end = await self._window()
        if self._run_id is None and not self._request.dry_run:
            self._run_id = await self._hold.do(
                SourceSession.start_run, self._request.kind, start, end
            )
        self._tally.begins(self._run_id, start, end)
        if fault is not None:
            raise fault
        self._prepared = True
        failpoint("after_start")
        self._around.events(Started(self._source.name, len(self._parts)))

    async def _build(self) -> BuiltPlugin:
        around = self._around
        try:
            async with asyncio.timeout(self._limits.timeout.total_seconds()):
                return await around.lanes.call(
                    build_plugin, self._source, env=around.env, root=around.root
                )
        except TimeoutError as error:
            raise broken(error, self._source) from None

    async def _window(self) -> tuple[datetime, datetime | None]:
        """The window of the run; its slices, of which some may be done already, are noted."""
        request, limits, now = self._request, self._limits, self._around.now()
        start, end, done_until = request.start, request.end, None
        if request.resume:
            backfill = await self._hold.do(SourceSession.unfinished_backfill)
            if backfill is None:
                raise UsageError(
                    f"source {self._source.name!r} has no unfinished backfill to resume",
                    hint="Start one with --start and --end",
                )
            start, end, done_until = backfill.start, backfill.end, backfill.done_until
            self._run_id = backfill.run_id
            self._tally.resumes(backfill)
            if not request.dry_run:
                await self._hold.do(SourceSession.resume_run, backfill.run_id)
        if start is not None:
            end, self._parts = planned(
                self._source, done_until or start, end, limits=limits, now=now
            )
            return start, end
        stored = self._progress
        known = {name for name, row in stored.items() if row.newest or row.history_asked}
        self._tally.expects({one.endpoint_prefix for one in self._source.series} - known)
        start, self._parts = scheduled(self._source, stored, limits=limits, now=now)
        return start, None

    async def _slice(self, part: Slice, retries: Retries) -> None:
        if self._built is None:
            raise UsageError(f"source {self._source.name!r} has no plugin")
        slicing = Slicing(self._request, self._built, self._hold, self._around, self._run_id)
        merged, batch = await slicing.take(
            part, is_only=len(self._parts) == 1, seconds=retries.remaining
        )
        self._tally.add(merged, batch)

    async def _finish(self, outcome: Outcome) -> None:
        if self._run_id is None or self._request.dry_run:
            return
        self._concluded = True
        await self._hold.do(
            SourceSession.finish_run,
            self._run_id,
            outcome,
            error=self._tally.result.error or self._tally.result.reason,
            counts=self._tally.unrecorded(),
            history_asked=self._request.kind is RunKind.SCHEDULED,
        )

    async def _finish_quietly(self) -> None:
        """Record an end that is no good; should that fail too, the first fault is what counts."""
        if self._run_id is None or self._request.dry_run:
            return
        try:
            if not self._hold.connected:
                await self._hold.connect()
            await self._record_end(self._tally.result.outcome)
        except (DatabaseError, asyncio.CancelledError):
            return

    async def _last_words(self) -> None:
        if self._run_id is None or self._request.dry_run:
            return
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await self._hold.stop()
                if not self._hold.connected:
                    await self._hold.connect()
                await self._record_end(Outcome.INTERRUPTED)
        except (TimeoutError, DatabaseError, asyncio.CancelledError):
            return

    async def _record_end(self, outcome: Outcome) -> None:
        if self._run_id is not None:
            result = self._tally.result
            said = result.error or result.reason
            await self._hold.do(
                SourceSession.finish_run,
                self._run_id,
                outcome,
                error=said,
                counts=self._tally.unrecorded(),
            )


def _records(source: Source) -> list[SeriesRecord]:
    return [
        SeriesRecord(
            endpoint_prefix=series.endpoint_prefix,
            name=series.name,
            description=series.description,
            granularity=series.granularity,
            unit=series.unit,
            domain=series.domain,
            category=series.category,
            subcategory=series.subcategory,
            update_frequency=format_duration(source.schedule),
            ts_timezone=source.timezone,
            metadata=series.extra,
        )
        for series in source.series
    ]
