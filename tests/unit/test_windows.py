"""From where a run asks, and the slices of its window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.granularity import interval_length
from dataportal.schedule import Progress, Slice, slices, window_start
from dataportal.times import EARLIEST

if TYPE_CHECKING:
    from random import Random

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATEST = datetime.max.replace(tzinfo=UTC)
INSTANTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - bounds are naive
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
LOOKBACK = 7 * DAY
HISTORY: timedelta | None = 30 * DAY
DORMANT = 90 * DAY


def start_of(*series: Progress, history: timedelta | None = HISTORY) -> datetime:
    """From where a run asks at NOW."""
    return window_start(
        NOW, series, lookback=LOOKBACK, initial_history=history, dormant_after=DORMANT
    )


def progress(newest: datetime, advanced: datetime = NOW, step: timedelta | None = None) -> Progress:
    """A series with observations."""
    return Progress(newest, advanced, history_asked=True, granularity=step)


NEVER_SEEN = Progress(None, None, history_asked=False)
ASKED_IN_VAIN = Progress(None, None, history_asked=True)
ACTIVE = st.builds(
    progress,
    st.timedeltas(-400 * DAY, 400 * DAY).map(lambda age: NOW - age),
    st.timedeltas(-DAY, DORMANT).map(lambda age: NOW - age),
)
ASLEEP = st.builds(
    progress,
    st.timedeltas(-400 * DAY, 4000 * DAY).map(lambda age: NOW - age),
    st.timedeltas(DORMANT + SECOND, 4000 * DAY).map(lambda age: NOW - age),
)


@given(st.lists(ACTIVE, min_size=1), st.lists(ASLEEP), st.randoms())
def test_a_group_starts_at_the_oldest_of_its_series_that_advance(
    active: list[Progress], asleep: list[Progress], random: Random
) -> None:
    """Each one's newest observation, or now if that lies ahead, less the lookback; no dormant."""
    group = [*active, *asleep]
    random.shuffle(group)
    newest = [series.newest for series in active if series.newest is not None]
    assert start_of(*group) == min(min(ts, NOW) for ts in newest) - LOOKBACK


@given(st.lists(ASLEEP, min_size=1))
def test_of_nothing_but_dormant_series_the_newest_counts(asleep: list[Progress]) -> None:
    """So that the source wakes up when any of them does, without years to ask for."""
    newest = max(min(series.newest, NOW) for series in asleep if series.newest is not None)
    assert start_of(*asleep) == newest - LOOKBACK


@given(st.lists(ACTIVE | ASLEEP))
def test_a_new_series_in_an_old_group_gets_its_history_once(old: list[Progress]) -> None:
    """Never seen: `initial_history`. Asked for in vain: like the others, `lookback`."""
    assert start_of(*old, NEVER_SEEN) <= NOW - 30 * DAY
    assert start_of(*old, NEVER_SEEN) == min(start_of(*old, ASKED_IN_VAIN), NOW - 30 * DAY)
    awake = [series for series in old if series.advanced_at and NOW - series.advanced_at <= DORMANT]
    assert start_of(*awake, ASKED_IN_VAIN) == min(start_of(*awake), NOW - LOOKBACK)


def test_a_newest_observation_ahead_of_now_moves_no_window_ahead() -> None:
    """A forecast is asked for again and again, from the lookback on."""
    assert start_of(progress(NOW + 10 * DAY)) == NOW - LOOKBACK


def test_a_slow_series_is_not_dormant() -> None:
    """One of years has three of its own intervals to advance."""
    year = 365 * DAY
    monthly = progress(NOW - 10 * DAY)
    slow = progress(NOW - 2 * year, NOW - 2 * year, year)
    dead = progress(NOW - 4 * year, NOW - 4 * year, year)
    assert start_of(monthly, slow) == NOW - 2 * year - LOOKBACK
    assert start_of(monthly, dead) == NOW - 10 * DAY - LOOKBACK
    hourly = progress(NOW - 100 * DAY, NOW - 100 * DAY, HOUR)
    assert start_of(monthly, hourly) == NOW - 10 * DAY - LOOKBACK


def test_a_series_of_which_nobody_knows_when_it_advanced_is_not_dormant() -> None:
    """It takes part."""
    old = Progress(NOW - 1000 * DAY, None, history_asked=True)
    assert start_of(old, progress(NOW)) == NOW - 1000 * DAY - LOOKBACK


def test_all_history_begins_before_everything() -> None:
    """And no bound lies before the calendar, however long the lookback."""
    assert start_of(NEVER_SEEN, history=None) == EARLIEST
    assert start_of(NEVER_SEEN, history=timedelta.max) == EARLIEST
    assert start_of(progress(EARLIEST + DAY)) == EARLIEST
    assert start_of() == NOW - LOOKBACK


WINDOWS = st.timedeltas(SECOND, 1000 * DAY)


def cut(
    start: datetime,
    end: datetime | None,
    max_window: timedelta | None,
    horizon: timedelta = timedelta(),
) -> list[Slice]:
    """The slices of a window, at NOW."""
    return slices(start, end, now=NOW, forecast_horizon=horizon, max_window=max_window)


@given(INSTANTS, st.timedeltas(SECOND, 400 * DAY), st.integers(1, 200), st.integers(0, 99))
def test_slices_tile_the_window(
    start: datetime, width: timedelta, count: int, percent: int
) -> None:
    """From start to end, oldest first, no gap, no overlap, none empty, none longer than allowed."""
    end = start + width * count - width * percent / 100
    parts = cut(start, end, width)
    assert parts[0].start == start
    assert parts[-1].end == end
    assert all(earlier.end == later.start for earlier, later in pairwise(parts))
    lengths = [part.end - part.start for part in parts if part.end is not None]
    assert len(lengths) == len(parts) == count
    assert all(timedelta() < length <= width for length in lengths)


@given(st.timedeltas(-30 * DAY, 300 * DAY), WINDOWS | st.none(), st.timedeltas(timedelta(), DAY))
def test_an_open_end_stays_open_if_one_slice_is_enough(
    age: timedelta, max_window: timedelta | None, horizon: timedelta
) -> None:
    """Else it becomes now plus the forecast horizon, and the slices are those of that window."""
    start = NOW - age
    if max_window is not None:
        max_window = max(max_window, HOUR)
    parts = cut(start, None, max_window, horizon)
    if max_window is None or age + horizon <= max_window:
        assert parts == [Slice(start, None)]
    else:
        assert len(parts) > 1
        assert parts == cut(start, NOW + horizon, max_window)


@given(WINDOWS | st.none(), st.timedeltas(timedelta(), 1000 * DAY))
def test_all_there_is_is_one_slice(max_window: timedelta | None, horizon: timedelta) -> None:
    """However short a slice may be; a window with an end is cut, however early it begins."""
    assert cut(EARLIEST, None, max_window, horizon) == [Slice(EARLIEST, None)]
    assert len(cut(EARLIEST, EARLIEST + 3 * DAY, DAY)) == 3


def test_a_window_just_as_long_as_allowed_is_one_slice() -> None:
    """With an open end, which stays open, and with a given one."""
    assert cut(NOW - DAY, None, DAY) == [Slice(NOW - DAY, None)]
    assert cut(NOW - DAY, None, DAY + HOUR, HOUR) == [Slice(NOW - DAY, None)]
    assert cut(NOW - DAY, NOW, DAY) == [Slice(NOW - DAY, NOW)]


@given(INSTANTS, st.timedeltas(timedelta(), DAY), WINDOWS | st.none())
def test_a_window_that_ends_before_it_starts_has_no_slice(
    start: datetime, before: timedelta, max_window: timedelta | None
) -> None:
    """Nor has an empty one."""
    assert cut(start, start - before, max_window) == []


@given(INSTANTS, st.timedeltas(SECOND, 1000 * DAY))
def test_without_a_longest_window_there_is_one_slice(start: datetime, length: timedelta) -> None:
    """Just as it was asked for."""
    assert cut(start, start + length, None) == [Slice(start, start + length)]


def test_slices_reach_to_the_ends_of_the_calendar() -> None:
    """No arithmetic fails there."""
    century = 100 * 365 * DAY
    parts = cut(EARLIEST, LATEST, century)
    assert (parts[0].start, parts[-1].end) == (EARLIEST, LATEST)
    assert cut(EARLIEST + SECOND, None, century, timedelta.max)[-1].end == LATEST
    assert cut(EARLIEST, None, timedelta.max, timedelta.max) == [Slice(EARLIEST, None)]


@pytest.mark.parametrize("text", ["P9000Y", "9000 years", "P999Y", "1200 months"])
def test_an_interval_as_long_as_the_calendar(text: str) -> None:
    """Is no trap: a window in slices shorter than it has an end."""
    length = interval_length(text)
    assert length
    sliced = slices(
        datetime(1900, 3, 1, tzinfo=UTC),
        NOW,
        now=NOW,
        forecast_horizon=timedelta(),
        max_window=DAY,
        interval_start=lambda instant: length.start_of(instant, None),
    )
    assert sliced[-1].end == NOW


@pytest.mark.parametrize("text", ["P10000Y", "P9999999Y", "999999999999 months", "4000000 days"])
def test_an_interval_longer_than_the_calendar(text: str) -> None:
    """Is none: nothing could be calculated with it."""
    assert interval_length(text) is None
    # nor does a source wait for three of them
    slow = progress(NOW - 100 * DAY, NOW - 99 * DAY, timedelta.max)
    assert start_of(slow) == NOW - 107 * DAY
