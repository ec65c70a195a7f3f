"""When a source is due, where the window of a run starts, and its slices. Pure; times in UTC."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from dataportal.times import EARLIEST, EPOCH, LATEST, multiply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

RETRY_FAILED_AFTER = timedelta(minutes=15)
"""A failed source is due again after this, or after its schedule if that is shorter."""
_DORMANT_INTERVALS = 3
"""A series counts as dormant only after this many of its own intervals: a yearly one is slow,
not dead."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a series has come.

    Attributes:
        newest: its newest ts; None where nothing is stored.
        advanced_at: when a run last brought a newer one than all before.
        history_asked: whether its initial history has been asked for.
        granularity: the length of its intervals, if that is known.
    """

    newest: datetime | None
    advanced_at: datetime | None
    history_asked: bool
    granularity: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """A half-open part [start, end) of a window; end None reaches to the newest there is.

    Attributes:
        start: what is asked for begins here; an interval that began before may reach into it.
        end: the first instant that is no part of it.
        ask_from: where the interval that `start` lies in begins, so that no provider sends a part
            of one; None for `start`.
    """

    start: datetime
    end: datetime | None
    ask_from: datetime | None = None


def slot_offset(source: str, schedule: timedelta) -> timedelta:
    """How far after each multiple of the schedule a source is due, so that not all start at once.

    Derived from the name alone: every machine that shares a crontab finds the same. At least zero
    and less than the schedule, in whole seconds where the schedule allows.
    """
    digest = hashlib.sha256(source.encode()).digest()
    share = int.from_bytes(digest[:8]) / 2**64
    offset = timedelta(seconds=int(schedule.total_seconds() * share))
    return min(offset, schedule - timedelta.resolution)


def next_due(
    now: datetime,
    *,
    schedule: timedelta,
    offset: timedelta,
    last_attempt: datetime | None,
    last_failed: bool,
) -> datetime:
    """When the source is due next; `now` or earlier means that it is due now.

    Args:
        now: the present.
        schedule: how long a slot is.
        offset: where in a multiple of the schedule since the epoch a slot begins.
        last_attempt: when the last scheduled attempt with a finished outcome started.
        last_failed: whether it failed.
    """
    # a clock that was wrong by more than a slot must not silence a source until it comes true
    if last_attempt is None or last_attempt - now > schedule:
        return now
    slots = (last_attempt - EPOCH - offset) // schedule + 1
    try:
        boundary = EPOCH + offset + slots * schedule
    except OverflowError:
        boundary = LATEST
    if last_failed:
        return min(boundary, last_attempt + min(schedule, RETRY_FAILED_AFTER))
    return boundary


def is_due(
    now: datetime,
    *,
    schedule: timedelta,
    offset: timedelta,
    last_attempt: datetime | None,
    last_failed: bool,
) -> bool:
    """Whether a slot began since the last attempt; however many did, one run makes up for all.

    The arguments are those of `next_due`.
    """
    due_at = next_due(
        now, schedule=schedule, offset=offset, last_attempt=last_attempt, last_failed=last_failed
    )
    return due_at <= now


def window_start(
    now: datetime,
    series: Sequence[Progress],
    *,
    lookback: timedelta,
    initial_history: timedelta | None,
    dormant_after: timedelta,
) -> datetime:
    """From where a scheduled run asks: the earliest that any series of the source needs.

    A series that advanced lately: `lookback` before its newest observation, or before now if that
    lies ahead. A dormant one joins in only if there is no other: then the newest of them counts.
    A new one: `initial_history` (None = all there is) before now, once; then `lookback`.
    """
    starts: list[datetime] = []
    dormant: list[datetime] = []
    for progress in series:
        if progress.newest is None:
            back = lookback if progress.history_asked else initial_history
            starts.append(EARLIEST if back is None else _subtract(now, back))
            continue
        patience = max(
            dormant_after, multiply(_DORMANT_INTERVALS, progress.granularity or timedelta())
        )
        is_dormant = progress.advanced_at is not None and now - progress.advanced_at > patience
        (dormant if is_dormant else starts).append(_subtract(min(progress.newest, now), lookback))
    if starts:
        return min(starts)
    return max(dormant, default=_subtract(now, lookback))


def slices(
    start: datetime,
    end: datetime | None,
    *,
    now: datetime,
    forecast_horizon: timedelta,
    max_window: timedelta | None,
    interval_start: Callable[[datetime], datetime] = lambda instant: instant,
) -> list[Slice]:
    """The window [start, end) in slices no longer than `max_window`, oldest first, without gaps.

    An open end stays open if one slice is enough; else it becomes now + `forecast_horizon`. A
    window without a beginning and an end is all there is: it is one slice, as nearly all of many
    would lie before the first observation.

    Every slice but the first begins where an interval does, as `interval_start` says of the one
    that an instant lies in; a slice is never shorter than that allows.
    """
    ask_from = interval_start(start) if start > EARLIEST else start
    first = ask_from if ask_from < start else None
    if max_window is None or (end is None and start <= EARLIEST):
        return [Slice(start, end, first)] if end is None or start < end else []
    last = _add(now, forecast_horizon) if end is None else end
    if end is None and last - start <= max_window:
        return [Slice(start, None, first)]
    sliced: list[Slice] = []
    while start < last:
        until = last
        if last - start > max_window:
            reach = max_window
            while (until := interval_start(start + reach)) <= start:
                reach = multiply(2, reach)  # an interval is longer than a slice
                if last - start <= reach:
                    until = last
                    break
            until = min(until, last)
        sliced.append(Slice(start, until, None if sliced else first))
        start = until
    return sliced


def _subtract(instant: datetime, length: timedelta) -> datetime:
    """So long before the instant, or where the calendar begins."""
    return instant - length if instant - EARLIEST > length else EARLIEST


def _add(instant: datetime, length: timedelta) -> datetime:
    """So long after the instant, or where the calendar ends."""
    return instant + length if LATEST - instant > length else LATEST
