"""Due or not, against simulated crons; and where in its schedule a source has its slots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.schedule import (
    RETRY_FAILED_AFTER,
    is_due,
    next_due,
    slot_offset,
)
from dataportal.times import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATEST = datetime.max.replace(tzinfo=UTC)

SCHEDULES = st.sampled_from([MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 7 * HOUR, DAY, 7 * DAY])
LONG_SCHEDULES = SCHEDULES | st.timedeltas(SECOND, 10_000_000 * DAY)
INSTANTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - bounds are naive
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


class Slots(NamedTuple):
    """A schedule with its offset, and what a cron makes of it."""

    schedule: timedelta
    offset: timedelta

    def of(self, instant: datetime) -> int:
        """The number of the slot since the epoch in which the instant lies."""
        return (instant - EPOCH - self.offset) // self.schedule

    def due(self, now: datetime, last: datetime | None, *, failed: bool = False) -> bool:
        """Whether the source is due."""
        return is_due(
            now,
            schedule=self.schedule,
            offset=self.offset,
            last_attempt=last,
            last_failed=failed,
        )

    def next(self, now: datetime, last: datetime | None, *, failed: bool = False) -> datetime:
        """When the source is due next."""
        return next_due(
            now,
            schedule=self.schedule,
            offset=self.offset,
            last_attempt=last,
            last_failed=failed,
        )

    def attempts(self, ticks: Iterable[datetime], last: datetime | None = None) -> list[datetime]:
        """At which of its ticks a cron runs the source; every run succeeds."""
        made: list[datetime] = []
        for tick in ticks:
            if self.due(tick, last):
                made.append(tick)
                last = tick
        return made


SLOTS = SCHEDULES.flatmap(
    lambda schedule: st.builds(
        Slots, st.just(schedule), st.timedeltas(timedelta(), schedule - timedelta.resolution)
    )
)


def consecutive(numbers: list[int]) -> bool:
    """Whether each is the one before plus one."""
    return all(later == earlier + 1 for earlier, later in pairwise(numbers))


@given(
    st.timedeltas(timedelta(), 15 * MINUTE - SECOND),
    st.lists(st.integers(-40, 40), min_size=30, max_size=60),
    st.integers(1, 3),
)
def test_a_cron_that_is_early_or_late_runs_each_slot_once(
    offset: timedelta, jitter: list[int], machines: int
) -> None:
    """Every 5 minutes, up to 40 s off, on one or more machines, for a schedule of 15 minutes."""
    slots = Slots(15 * MINUTE, offset)
    ticks = [NOW + n * 5 * MINUTE + late * SECOND for n, late in enumerate(jitter)]
    made = [slots.of(t) for t in slots.attempts(t for tick in ticks for t in [tick] * machines)]
    assert made[0] == slots.of(ticks[0])
    assert made[-1] == slots.of(ticks[-1])
    assert consecutive(made)


@given(SLOTS, st.integers(0, 86_399), st.integers(1, 20))
def test_a_machine_that_slept_makes_up_with_one_run(slots: Slots, second: int, sleep: int) -> None:
    """However many slots were missed: at the first tick if any was, then once a slot."""
    last = NOW + second * SECOND
    woken = last + sleep * DAY / 5
    ticks = [woken + n * SECOND for n in range(50)]
    made = slots.attempts(ticks, last)
    missed = slots.of(woken) - slots.of(last)
    begun = [t for t in ticks[1:] if slots.of(t) > slots.of(t - SECOND)]
    assert made == ([woken] if missed else []) + begun


def test_three_days_of_sleep_are_one_run() -> None:
    """Of a source that is due every hour."""
    slots = Slots(HOUR, slot_offset("any", HOUR))
    ticks = [NOW + 3 * DAY + n * 5 * MINUTE for n in range(13)]
    assert len(slots.attempts(ticks, NOW)) == 2  # the first tick, and the slot that follows
    assert slots.attempts(ticks, NOW)[0] == ticks[0]


def test_the_repeated_hour_of_autumn_is_two_hours() -> None:
    """A cron by local time fires twice at 02:30: a daily source runs once, an hourly one twice."""
    first = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    ticks = [first - DAY, first, first + HOUR, first + DAY + HOUR]
    assert Slots(DAY, timedelta()).attempts(ticks) == [ticks[0], ticks[1], ticks[3]]
    assert Slots(HOUR, timedelta()).attempts(ticks) == ticks


@given(SLOTS, INSTANTS, st.booleans(), st.timedeltas(-7 * DAY, 30 * DAY))
def test_next_due_is_the_first_slot_that_began_after_the_attempt(
    slots: Slots,
    last: datetime,
    failed: bool,  # noqa: FBT001 - drawn
    later: timedelta,
) -> None:
    """The next boundary; after a failure in 15 minutes at the latest; due from then on."""
    now = last + later
    due = slots.next(now, last, failed=failed)
    assert slots.due(now, last, failed=failed) == (due <= now)
    if last - now > slots.schedule:
        assert due == now
    elif failed and due < (retry := last + min(slots.schedule, RETRY_FAILED_AFTER)):
        assert slots.of(due) == slots.of(last) + 1
    elif failed:
        assert due == retry
        assert slots.of(retry - timedelta.resolution) == slots.of(last)
    else:
        assert slots.of(due) == slots.of(last) + 1
        assert slots.of(due - timedelta.resolution) == slots.of(last)


def test_a_failed_source_is_due_again_after_a_quarter_of_an_hour() -> None:
    """Or after its schedule if that is shorter, or at its next slot if that comes first."""
    daily, often = Slots(DAY, timedelta()), Slots(5 * MINUTE, timedelta())
    assert daily.next(NOW, NOW, failed=True) == NOW + 15 * MINUTE
    assert not daily.due(NOW + 15 * MINUTE - SECOND, NOW, failed=True)
    assert daily.due(NOW + 15 * MINUTE, NOW, failed=True)
    assert not daily.due(NOW + 15 * MINUTE, NOW)
    assert often.next(NOW, NOW, failed=True) == NOW + 5 * MINUTE
    before_midnight = NOW + 12 * HOUR - MINUTE
    assert daily.next(NOW, before_midnight, failed=True) == NOW + 12 * HOUR


def test_an_attempt_at_a_boundary_is_of_the_slot_that_begins() -> None:
    """It is not due again until the next boundary, and then at once."""
    slots = Slots(HOUR, timedelta())
    assert not slots.due(NOW + HOUR - timedelta.resolution, NOW)
    assert slots.due(NOW + HOUR, NOW)
    assert slots.due(NOW, NOW - timedelta.resolution)


@given(SLOTS, INSTANTS)
def test_a_source_never_tried_is_due(slots: Slots, now: datetime) -> None:
    """At once."""
    assert slots.next(now, None) == now
    assert slots.due(now, None)


@given(SLOTS, INSTANTS, st.timedeltas(timedelta(), 100 * 365 * DAY), st.booleans())
def test_a_clock_that_was_wrong_silences_nobody_for_long(
    slots: Slots,
    now: datetime,
    ahead: timedelta,
    failed: bool,  # noqa: FBT001 - drawn
) -> None:
    """An attempt of the future holds a source back for two slots at most."""
    assert slots.next(now, now + ahead, failed=failed) <= now + 2 * slots.schedule
    if ahead > slots.schedule:
        assert slots.due(now, now + ahead, failed=failed)


@given(LONG_SCHEDULES, INSTANTS, st.booleans())
def test_a_schedule_longer_than_the_calendar_is_due_at_its_end(
    schedule: timedelta,
    now: datetime,
    failed: bool,  # noqa: FBT001 - drawn
) -> None:
    """No arithmetic fails, and what was tried just now is not due."""
    slots = Slots(schedule, slot_offset("long", schedule))
    assert now < slots.next(now, now, failed=failed) <= LATEST


@given(st.text(), LONG_SCHEDULES | st.timedeltas(timedelta.resolution, SECOND))
def test_an_offset_lies_within_the_schedule(source: str, schedule: timedelta) -> None:
    """At least zero, less than the schedule, in whole seconds, and the same every time."""
    offset = slot_offset(source, schedule)
    assert timedelta() <= offset < schedule
    assert offset == slot_offset(source, schedule)
    assert not offset.microseconds


@pytest.mark.parametrize(
    ("source", "schedule", "offset"),
    [
        ("smard-1223-de-hour", 15 * MINUTE, timedelta(minutes=12, seconds=35)),
        ("smard-1223-de-hour", HOUR, timedelta(minutes=50, seconds=21)),
        ("sample-co2", HOUR, timedelta(minutes=57, seconds=9)),
    ],
)
def test_offsets_stay_what_they_are(source: str, schedule: timedelta, offset: timedelta) -> None:
    """Machines with different versions of this program share one crontab."""
    assert slot_offset(source, schedule) == offset


def test_offsets_spread_over_the_schedule() -> None:
    """Of 1,000 sources about as many begin in each tenth of the slot."""
    tenths = [slot_offset(f"source-{n}", HOUR) // (HOUR / 10) for n in range(1000)]
    assert all(60 <= tenths.count(tenth) <= 140 for tenth in range(10))
