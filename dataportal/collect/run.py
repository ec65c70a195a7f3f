"""One run of one source: lock, window, slices, and how it ended.

The work is a line of steps, each of which may be tried again: prepare (connect, lock, still due?,
register, window, run row), then slice after slice (fetch, clean, merge). A step that failed gives
up its place, its connection and with it the lock while it waits, and takes them anew.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dataportal.collect.asking import ask, broken
from dataportal.collect.events import Finished, Started, Stored, Waiting, Warned
from dataportal.collect.lanes import Lane
from dataportal.collect.results import OnLocked, RunResult
from dataportal.collect.retries import Retries
from dataportal.collect.verdict import Tally
from dataportal.config import Limits, build_plugin
from dataportal.errors import (
    DatabaseError,
    DataportalError,
    ExitCode,
    Interrupted,
    LockedError,
    SchemaError,
    UsageError,
)
from dataportal.failpoints import failpoint
from dataportal.observations import clean
from dataportal.schedule import Progress, Slice, is_due, slices, window_start
from dataportal.store.records import Counts, Outcome, RunKind, SeriesRecord
from dataportal.times import format_duration, parse_duration

if TYPE_CHECKING:
    from dataportal.collect.engine import Surroundings
    from dataportal.collect.results import RunRequest
    from dataportal.config import BuiltPlugin, Source
    from dataportal.store.session import SourceSession

_LOCK_POLL = (0.2, 2.0)  # seconds between two looks at a lock that somebody holds
_GAP = 0.3  # seconds for which a backfill leaves the lock to others between two slices
_GAP_POLL = 0.1  # seconds between two looks for that gap
_GAP_PATIENCE = 30.0  # seconds to wait for it; a slice should not take longer
_BACKFILL_SLICE = timedelta(days=366)
"""A slice of a backfill whose source does not say: one transaction that is neither tiny nor long."""
_LAST_WORDS = 3.0  # seconds to record that a run was interrupted


def planned(
    start: datetime, end: datetime | None, *, limits: Limits, now: datetime
) -> tuple[datetime, list[Slice]]:
    """The end of a backfill, which is absolute from its beginning, and its slices."""
    last = now + limits.forecast_horizon if end is None else end
    longest = limits.max_window or _BACKFILL_SLICE
    parts = slices(
        start, last, now=now, forecast_horizon=limits.forecast_horizon, max_window=longest
    )
    return last, parts


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
        self._session: SourceSession | None = None
        self._lane: Lane | None = None
        self._built: BuiltPlugin | None = None
        self._limits: Limits = self._source.resolved({})
        self._run_id: int | None = None
        self._parts: list[Slice] = []
        self._tally = Tally(self._source, request.kind)
        self._seat = False
        self._opened = False
        self._concluded = False

    async def run(self) -> RunResult | None:
        """What came of it; None if the source was not due after all."""
        begun = time.monotonic()
        result = self._tally.result
        try:
            await self._steps()
            outcome = self._tally.conclude()
            await self._finish(outcome)
        except _NotDue:
            return None
        except LockedError as error:
            # between two slices, or before an attempt, another run was quicker
            self._tally.locked(error, fails=self._request.on_locked is OnLocked.FAIL)
            await self._finish_quietly()
        except asyncio.CancelledError:
            if not self._concluded:
                self._tally.interrupted(self._around.stop_code)
                await self._last_words()
        except DataportalError as error:
            if isinstance(error, DatabaseError) and not self._opened:
                self._around.database_fault = self._around.database_fault or _lasting(error)
            self._tally.failed(error)
            await self._finish_quietly()
        except Exception as error:  # noqa: BLE001 - a bug in one source must not end the others
            self._around.unexpected(self._source.name, error)
            self._tally.bug(error)
            await self._finish_quietly()
        finally:
            self._leave()
            result.seconds = time.monotonic() - begun
        self._around.events(Finished(result))
        return result

    async def _steps(self) -> None:
        retries = self._retries()
        async for attempt in retries.attempts():
            with attempt:
                try:
                    await self._enter()
                    await self._prepare()
                except BaseException:
                    self._leave()
                    raise
        # the plugin class may have other limits than the product
        retries = self._retries()
        for number, part in enumerate(self._parts, 1):
            async for attempt in retries.attempts():
                with attempt:
                    try:
                        await self._enter()
                        await self._slice(part, retries.remaining())
                    except asyncio.CancelledError:
                        raise
                    except BaseException:
                        self._leave()
                        raise
            self._around.events(Stored(self._source.name, number, len(self._parts)))
            if self._request.kind is RunKind.BACKFILL and number < len(self._parts):
                await self._let_others_in()

    def _retries(self) -> Retries:
        settings = self._around.settings
        return Retries(
            retries=settings.max_retries,
            first_wait=settings.retry_delay,
            budget=self._limits.timeout.total_seconds(),
            give_up=self._around.hosts_given_up,
            waiting=lambda seconds, why: self._around.events(
                Waiting(self._source.name, seconds, why)
            ),
        )

    async def _enter(self) -> None:
        """Have a place among the running sources, a connection, and the lock."""
        if not self._seat:
            await self._around.seats.acquire()
            self._seat = True
        if self._around.database_fault is not None:
            raise self._around.database_fault
        if self._session is None:
            self._lane = self._lane or Lane(f"store {self._source.name}")
            self._session = await self._lane.call(
                self._around.open_session, self._around.database_url, self._source.name
            )
            self._opened = True
            await self._lock()

    async def _lock(self) -> None:
        session, lane = self._held()
        waits = self._request.on_locked is OnLocked.WAIT
        pause, longest = _LOCK_POLL
        begun = time.monotonic()
        told = False
        while not await lane.call(session.try_lock):
            holder = await lane.call(session.holder)
            patient = holder.backfill and time.monotonic() - begun < _GAP_PATIENCE
            if not waits and (self._request.on_locked is OnLocked.FAIL or not patient):
                raise LockedError(
                    f"source {self._source.name!r} is locked by {holder}", holder=str(holder)
                )
            if not told:
                told = True
                self._around.events(Waiting(self._source.name, None, f"locked by {holder}"))
            await asyncio.sleep(_GAP_POLL if holder.backfill else pause)
            pause = min(2 * pause, longest)

    def _held(self) -> tuple[SourceSession, Lane]:
        if self._session is None or self._lane is None:
            raise Interrupted
        return self._session, self._lane

    async def _prepare(self) -> None:
        """Find out under the lock what is to be done, and record that it begins."""
        session, lane = self._held()
        request, source, now = self._request, self._source, self._around.now()
        if request.only_if_due:
            state = await lane.call(session.state)
            if not is_due(
                now,
                schedule=source.schedule,
                offset=source.slot_offset,
                last_attempt=state.last_attempt,
                last_failed=state.last_failed,
            ):
                raise _NotDue
        warnings = await lane.call(
            session.register, _records(source), renamed_from=source.renamed_from
        )
        for warning in warnings:
            self._tally.result.warnings.append(warning)
            self._around.events(Warned(source.name, warning))
        fault: DataportalError | None = None
        try:
            self._built = await self._build()
            self._limits = self._built.limits
        except DataportalError as error:
            fault = error
        start, end = await self._window(now)
        if self._run_id is None and not request.dry_run:
            self._run_id = await lane.call(session.start_run, request.kind, start, end)
        self._tally.begins(self._run_id, start, end)
        if fault is not None:
            raise fault
        failpoint("after_start")
        self._around.events(Started(source.name, len(self._parts)))

    async def _build(self) -> BuiltPlugin:
        lane = Lane(f"import {self._source.name}")
        around = self._around
        try:
            async with asyncio.timeout(self._limits.timeout.total_seconds()):
                return await lane.call(
                    build_plugin, self._source, env=around.env, root=around.root
                )
        except TimeoutError as error:
            raise broken(error, self._source) from None
        finally:
            lane.close()

    async def _window(self, now: datetime) -> tuple[datetime, datetime | None]:
        session, lane = self._held()
        request, limits = self._request, self._limits
        start, end = request.start, request.end
        done_until: datetime | None = None
        if request.resume:
            backfill = await lane.call(session.unfinished_backfill)
            if backfill is None:
                raise UsageError(
                    f"source {self._source.name!r} has no unfinished backfill to resume",
                    hint="Start one with --start and --end",
                )
            start, end, done_until = backfill.start, backfill.end, backfill.done_until
            self._run_id = backfill.run_id
            await lane.call(session.resume_run, backfill.run_id)
        if start is not None:
            end, self._parts = planned(done_until or start, end, limits=limits, now=now)
            return start, end
        start = window_start(
            now,
            await self._progress(),
            lookback=limits.lookback,
            initial_history=limits.initial_history,
            dormant_after=limits.dormant_after,
        )
        self._parts = slices(
            start,
            None,
            now=now,
            forecast_horizon=limits.forecast_horizon,
            max_window=limits.max_window,
        )
        return start, None

    async def _progress(self) -> list[Progress]:
        session, lane = self._held()
        stored = await lane.call(session.progress)
        return [
            Progress(
                stored[series.endpoint_prefix].newest,
                stored[series.endpoint_prefix].advanced_at,
                stored[series.endpoint_prefix].history_asked,
                _granularity(series.granularity),
            )
            for series in self._source.series
        ]

    async def _slice(self, part: Slice, seconds: float) -> None:
        session, lane = self._held()
        if self._built is None:
            raise Interrupted
        answer = await ask(
            self._built, self._source, part, http=self._around.http, seconds=seconds
        )
        failpoint("after_fetch")
        horizon = self._around.now() + self._limits.forecast_horizon
        batch = await lane.call(
            clean,
            answer,
            series=[series.endpoint_prefix for series in self._source.series],
            start=part.start,
            end=horizon if part.end is None else min(part.end, horizon),
            zone=self._limits.zone,
        )
        received = Counts(
            received=batch.received,
            duplicates=batch.duplicates,
            rejected=batch.rejected,
            outside=batch.outside,
        )
        merged = await lane.call(
            session.merge,
            self._run_id or 0,
            batch.series,
            start=part.start,
            end=part.end,
            received=received,
            done_until=part.end,
            accept_retractions=self._request.accept_retractions,
            dry_run=self._request.dry_run,
        )
        self._tally.add(merged, batch.rejections)

    async def _let_others_in(self) -> None:
        """Leave the lock for a moment, so that the schedule has its turn during a backfill."""
        session, lane = self._held()
        await lane.call(session.unlock)
        await asyncio.sleep(_GAP)
        try:
            await self._lock()
        except LockedError:
            self._leave()
            raise

    async def _finish(self, outcome: Outcome) -> None:
        if self._run_id is None:
            return
        session, lane = self._held()
        self._concluded = True
        await lane.call(
            session.finish_run,
            self._run_id,
            outcome,
            error=self._tally.result.error or self._tally.result.reason,
            history_asked=self._request.kind is RunKind.SCHEDULED,
        )

    async def _finish_quietly(self) -> None:
        """Record an end that is no good; should that fail too, the first fault is what counts."""
        if self._run_id is None:
            return
        try:
            if self._session is None:
                self._lane = self._lane or Lane(f"store {self._source.name}")
                self._session = await self._lane.call(
                    self._around.open_session, self._around.database_url, self._source.name
                )
            session, lane = self._held()
            result = self._tally.result
            await lane.call(
                session.finish_run,
                self._run_id,
                result.outcome,
                error=result.error or result.reason,
            )
        except (DatabaseError, Interrupted):
            return

    async def _last_words(self) -> None:
        session, lane = self._session, self._lane
        if session is None or lane is None or self._run_id is None:
            return
        stopping = Lane(f"stop {self._source.name}")
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await stopping.call(session.stop)
                await lane.call(
                    session.finish_run, self._run_id, Outcome.INTERRUPTED, error="interrupted"
                )
        except (TimeoutError, DatabaseError, asyncio.CancelledError):
            return
        finally:
            stopping.close()

    def _leave(self) -> None:
        """Give up the place, and the connection, which frees the lock."""
        if self._lane is not None:
            if self._session is not None:
                self._lane.send(self._session.close)
            self._lane.close()
        self._session = self._lane = None
        if self._seat:
            self._seat = False
            self._around.seats.release()


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


def _lasting(error: DatabaseError) -> DatabaseError:
    """The same fault, for the sources after: not to be tried again for each of them."""
    if isinstance(error, SchemaError):
        return error
    return DatabaseError(error.message, hint=error.hint)


def _granularity(text: str | None) -> timedelta | None:
    try:
        return None if text is None else parse_duration(text)
    except ValueError:
        return None
