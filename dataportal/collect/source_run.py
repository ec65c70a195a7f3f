"""One run of one source, from its lock to its outcome.

    prepare   connect, lock, still due?, register the series, plan the window, insert the run's row
    slices    one after the other: fetch, clean, merge
    finish    find the outcome, record it, hand the connection on

Prepare and every slice are steps that may be tried again. A step that failed gives up its slot, its
connection and with it the lock while it waits, and acquires them anew.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from dataportal.collect.events import Finished, Started, Stored, Waiting, Warned
from dataportal.collect.lease import Lease, permanent_fault
from dataportal.collect.outcome import RunReport
from dataportal.collect.plugin_call import plugin_error
from dataportal.collect.reminders import is_news, recovery
from dataportal.collect.retry import Retries
from dataportal.collect.slice import SliceRun
from dataportal.collect.windows import plan_backfill, plan_scheduled_run, with_correction
from dataportal.config import build_plugin
from dataportal.errors import (
    DatabaseError,
    DataportalError,
    EncodingError,
    KnowledgeAheadError,
    LockedError,
    TransientError,
    UsageError,
)
from dataportal.failpoints import failpoint
from dataportal.on_locked import OnLocked
from dataportal.store.records import RunKind
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import datetime

    from dataportal.collect.results import RunRequest, RunResult
    from dataportal.collect.run_context import RunContext
    from dataportal.config import BuiltPlugin
    from dataportal.schedule import Slice
    from dataportal.store.records import Backfill, Registration, SeriesProgress, SourceSnapshot

_OWN_MODULES = "dataportal.plugins.data_sources."
_INTERRUPTION_PATIENCE = 3.0  # seconds to record that a run was interrupted


class _NotDue(Exception):  # noqa: N818 - another machine was quicker; nothing is wrong
    """Under the lock the source turned out not to be due any more."""


class SourceRun:
    """Runs one source once.

    Args:
        request: the source, and what is asked of the run.
        context: what all runs share.
    """

    def __init__(self, request: RunRequest, context: RunContext) -> None:
        self._request = request
        self._source = request.source
        self._context = context
        self._lease = Lease(
            request.source,
            context,
            request.on_locked,
            reads_state=request.only_if_due,
            reads_validators=request.may_skip_unchanged,
            register=self._register,
        )
        # until the plugin class is known, which may have limits of its own
        self._limits = self._source.limits({})
        self._built: BuiltPlugin | None = None
        self._run_id: int | None = None
        self._progress: Mapping[str, SeriesProgress] = {}
        self._slices: list[Slice] = []
        self._report = RunReport(self._source, request.kind, dry_run=request.dry_run)
        self._is_prepared = False
        self._is_concluded = False

    async def run(self, *, comes_back: bool = False) -> RunResult | None:
        """The result of the run; None if the source was not due after all.

        Args:
            comes_back: whether who finds the source locked, before anything is done, comes back.

        Raises:
            LockedError: only if so.
        """
        started = time.monotonic()
        self._lease.comes_back = comes_back and self._request.on_locked is OnLocked.SKIP
        try:
            await self._with_retries(self._prepare)
            await self._run_slices()
            await self._finish()
        except _NotDue:
            self._lease.hand_back()
            return None
        except LockedError as error:
            if comes_back and not self._is_prepared and self._request.on_locked is OnLocked.SKIP:
                raise
            # before the first slice, or between two of them, another run was quicker
            self._report.stay_out(error, fails=self._request.on_locked is OnLocked.FAIL)
            await self._record_failure()
        except asyncio.CancelledError:
            if not self._is_concluded:
                self._report.interrupt(self._context.stop_code)
                await self._record_interruption()
        except DataportalError as error:
            self._note_database_fault(error)
            self._context.on_failure(self._source.name, error)
            self._report.fail(error)
            await self._record_failure()
        except Exception as error:  # noqa: BLE001 - a bug in one source must not end the others
            self._context.on_failure(self._source.name, error)
            self._report.fail_with_bug(error)
            await self._record_failure()
        finally:
            self._lease.release()
            self._report.result.seconds = time.monotonic() - started
        self._context.emit(Finished(self._report.result))
        return self._report.result

    async def _with_retries(self, step: Callable[[Retries], Awaitable[None]]) -> None:
        """Take a step, again and again where that may help; nothing is leased while it waits."""
        retries = Retries(
            retries=self._context.settings.max_retries,
            first_wait=self._context.settings.retry_delay,
            budget=self._limits.timeout.total_seconds(),
            hosts_given_up=self._context.hosts_given_up,
            on_wait=lambda seconds, why: self._context.emit(
                Waiting(self._source.name, seconds, why)
            ),
        )
        async for attempt in retries.attempts():
            with attempt:
                try:
                    registration = await self._lease.acquire()
                    if registration is not None:
                        self._warn(registration.warnings)
                    await step(retries)
                except asyncio.CancelledError:
                    raise
                except BaseException as error:
                    await self._announce_wait(error, retries)
                    self._lease.release()
                    raise

    async def _announce_wait(self, error: BaseException, retries: Retries) -> None:
        """Before a wait for the next attempt: nobody is to take the run for dead meanwhile."""
        if isinstance(error, TransientError) and self._lease.connected:
            # should the database be gone too, there is nobody to tell
            with suppress(DatabaseError):
                await self._lease.announce_absence(retries.seconds_left())

    def _register(self, session: SourceSession, snapshot: SourceSnapshot) -> Registration:
        """Find out under a new lock whether the source is still due, and register its series.

        In the source's own thread, while the run waits for it.
        """
        request = self._request
        # there is a state only where the source is to be due
        is_due = (
            snapshot.state is None
            or self._run_id is not None
            or request.should_run(snapshot.state, self._context.now())
        )
        if not is_due:
            raise _NotDue
        registration = session.register(
            self._source.series,
            snapshot=snapshot,
            renamed_from=self._source.renamed_from,
            dry_run=request.dry_run,
        )
        self._progress = registration.progress
        self._report.failover = snapshot.failover or self._report.failover
        if request.kind is RunKind.SCHEDULED and not request.dry_run and self._run_id is None:
            self._begin_at_once(session)
        return registration

    def _begin_at_once(self, session: SourceSession) -> None:
        """Do what `_prepare` would do, without a way back to the event loop in between.

        Whatever does not go well, or takes time, is left to that.
        """
        # modules from elsewhere may do anything, for any time, as they are imported
        if not self._source.module.startswith(_OWN_MODULES):
            return
        try:
            self._built = build_plugin(self._source, env=self._context.env, root=self._context.root)
        except DataportalError:
            return
        self._limits = self._built.limits
        start = self._plan_schedule()
        if not self._needs_correction:
            self._begin(session, start, None)

    def _begin(self, session: SourceSession, start: datetime, end: datetime | None) -> None:
        """Record that the run begins."""
        self._run_id = session.start_run(self._request.kind, start, end, self._request.backfill)
        self._report.begin(self._run_id, start, end)

    def _warn(self, warnings: Iterable[str]) -> None:
        for warning in warnings:
            self._report.result.warnings.append(warning)
            self._context.emit(Warned(self._source.name, warning))

    async def _prepare(self, _: Retries) -> None:
        """Make the plugin, plan the window, and record that the run begins."""
        fault: DataportalError | None = None
        if self._run_id is None or self._built is None:
            try:
                self._built = await self._build_plugin()
                self._limits = self._built.limits
            except DataportalError as error:
                fault = error  # an attempt that failed is one too, with a window and a row
            start, end = await self._plan()
            if self._run_id is None and not self._request.dry_run:
                await self._lease.call(self._begin, start, end)
            self._report.begin(self._run_id, start, end)
        if self._run_id is not None:
            self._lease.serve(self._run_id)
        if fault is not None:
            raise fault
        self._is_prepared = True
        failpoint("after_start")
        self._context.emit(Started(self._source.name, len(self._slices)))

    async def _build_plugin(self) -> BuiltPlugin:
        context = self._context
        try:
            async with asyncio.timeout(self._limits.timeout.total_seconds()):
                return await context.workers.call(
                    build_plugin, self._source, env=context.env, root=context.root
                )
        except TimeoutError as error:
            raise plugin_error(error, self._source) from None

    async def _plan(self) -> tuple[datetime, datetime | None]:
        """Plan the slices that are still to do; the window of the whole run."""
        request, limits, now = self._request, self._limits, self._context.now()
        start, end, done_until = request.start, request.end, None
        if request.resume:
            backfill = await self._resume_backfill()
            start, end, done_until = backfill.start, backfill.end, backfill.done_until
        if start is not None:
            end, self._slices = plan_backfill(
                self._source, done_until or start, end, limits=limits, now=now
            )
            await self._plan_correction()
            return start, end
        start = self._plan_schedule()
        await self._plan_correction()
        return start, None

    def _plan_schedule(self) -> datetime:
        """Plan the slices of a run as the schedule has it; the start of its window."""
        stored = self._progress
        known = {name for name, series in stored.items() if series.newest or series.history_asked}
        self._report.expect_new_series(
            {series.endpoint_prefix for series in self._source.series} - known
        )
        start, self._slices = plan_scheduled_run(
            self._source, stored, limits=self._limits, now=self._context.now()
        )
        return start

    @property
    def _needs_correction(self) -> bool:
        """Whether anything is stored that was read in an older way."""
        reading = 1 if self._built is None else self._built.reading
        return any(s.newest is not None and s.reading < reading for s in self._progress.values())

    async def _plan_correction(self) -> None:
        """Plan to ask for all that is stored, first of all, if that was read in an older way."""
        if not self._needs_correction:
            return
        oldest = await self._lease.call(SourceSession.oldest)
        if oldest is not None:
            self._slices = with_correction(self._slices, oldest)

    async def _resume_backfill(self) -> Backfill:
        backfill = await self._lease.call(SourceSession.unfinished_backfill, self._request.backfill)
        if backfill is None:
            raise UsageError(
                f"source {self._source.name!r} has no unfinished backfill to resume",
                hint="Start one with --start and --end",
            )
        self._run_id = backfill.run_id
        self._report.resume(backfill)
        if not self._request.dry_run:
            await self._lease.call(SourceSession.resume_run, backfill.run_id)
            self._lease.serve(backfill.run_id)
        return backfill

    async def _run_slices(self) -> None:
        """Run all slices, oldest first."""
        total = len(self._slices)
        for number, window in enumerate(self._slices, 1):
            await self._with_retries(partial(self._run_slice, window))
            self._context.emit(Stored(self._source.name, number, total))
            if self._request.kind is RunKind.BACKFILL and number < total:
                await self._lease.yield_lock()

    async def _run_slice(self, window: Slice, retries: Retries) -> None:
        if self._built is None:
            raise UsageError(f"source {self._source.name!r} has no plugin")
        slice_run = SliceRun(self._request, self._built, self._lease, self._context, self._run_id)
        merged, batch = await slice_run.run(
            window, is_only=len(self._slices) == 1, seconds_left=retries.seconds_left
        )
        self._report.add(merged, batch, self._progress)
        self._warn(merged.notes)

    async def _finish(self) -> None:
        """Find the outcome of a run whose slices are all stored, and record it."""
        self._report.conclude()
        self._warn(self._report.new_series_warnings())
        if self._report.doubt:
            self._warn([self._report.doubt])
        if self._has_row:
            self._is_concluded = True
            await self._record_outcome(
                history_asked=self._request.kind is RunKind.SCHEDULED, unlocks=True
            )
        self._lease.hand_back()

    async def _record_failure(self) -> None:
        """Record an end that is no good; should that fail too, the first fault is what counts."""
        if not self._has_row:
            return
        try:
            if not self._lease.connected:
                await self._lease.connect()
            await self._record_outcome()
        except (DatabaseError, asyncio.CancelledError):
            return

    async def _record_interruption(self) -> None:
        """End what the database is doing, and record that the run was interrupted, if in time."""
        try:
            async with asyncio.timeout(_INTERRUPTION_PATIENCE):
                await self._lease.stop()
                # the row may be on its way
                await self._lease.settle()
                if not self._has_row:
                    return
                if not self._lease.connected:
                    await self._lease.connect()
                await self._record_outcome()
        except (TimeoutError, DatabaseError, asyncio.CancelledError):
            return

    @property
    def _has_row(self) -> bool:
        return self._run_id is not None and not self._request.dry_run

    async def _record_outcome(self, *, history_asked: bool = False, unlocks: bool = False) -> None:
        """Write the outcome into the run's row.

        Args:
            history_asked: the first run asked for all.
            unlocks: the lock is of no more use.
        """
        if self._run_id is None:
            return
        result = self._report.result
        is_news = self._note_news()
        await self._lease.call(
            SourceSession.finish_run,
            self._run_id,
            result.outcome,
            error=result.error or result.reason,
            counts=self._report.take_unrecorded(),
            history_asked=history_asked,
            advanced=self._report.advanced_series,
            # that of the plugin's class is not known where it could not be made
            lookback=self._limits.lookback if self._built else None,
            refused_series=self._report.refused_series,
            doubt=self._report.doubt,
            settled=self._source.speaks_of_pages,
            told=is_news,
            answers=self._report.answers if self._limits.forecast_horizon else None,
            keeps_server=self._report.knows_server,
            unlocks=unlocks,
        )

    def _note_news(self) -> bool:
        """Find out whether the end of the run is news; whether an ill end is told."""
        result, remind = self._report.result, self._context.remind
        state = self._context.states.get(self._source.name)
        if remind is None or result.kind is not RunKind.SCHEDULED:
            return False
        if state is not None:
            error, now = result.error or result.reason, self._context.now()
            result.is_news = is_news(state, result.outcome, error, now=now, remind=remind)
            result.recovery = recovery(state, result.outcome)
        return result.is_news and not result.good

    def _note_database_fault(self, error: DataportalError) -> None:
        """Keep the other sources from trying again what cannot be had at all."""
        context = self._context
        if isinstance(error, EncodingError | KnowledgeAheadError):
            return  # of this source alone
        if isinstance(error, DatabaseError) and not self._lease.connected and not self._is_prepared:
            context.database_fault = context.database_fault or permanent_fault(error)
