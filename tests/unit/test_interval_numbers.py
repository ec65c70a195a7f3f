"""The n-th interval of a local day, whatever the clocks do on it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataportal.plugins.declarative.interval_numbers import (
    IntervalNumbers,
    first_instant,
    interval_count,
    number_in_day,
)

HOUR = timedelta(hours=1)
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
ZONES = st.sampled_from(
    [
        *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"),
        *("America/Sao_Paulo", "Atlantic/Azores", "Africa/Cairo", "Pacific/Auckland", "UTC"),
    ]
).map(ZoneInfo)
DAYS = st.dates(date(1990, 1, 1), date(2035, 1, 1))
LENGTHS = st.sampled_from([HOUR, HOUR / 2, HOUR / 4, HOUR / 12])


@given(DAYS, ZONES)
def test_a_day_begins_at_its_first_instant(day: date, zone: ZoneInfo) -> None:
    """On the clock it is that day then, and was another one a moment before."""
    first = first_instant(day, zone)
    assert first.astimezone(zone).date() == day
    assert (first - timedelta.resolution).astimezone(zone).date() < day


@given(DAYS, LENGTHS, ZONES)
@example(date(2013, 4, 7), HOUR, LORD_HOWE)
def test_the_intervals_of_a_day_follow_one_another(
    day: date, length: timedelta, zone: ZoneInfo
) -> None:
    """As many as fit between the first instants of two days; each is found by its number again.

    Clocks that change by half an hour leave half an hour beside whole ones.
    """
    first, following = first_instant(day, zone), first_instant(day + 24 * HOUR, zone)
    count = interval_count(day, length, zone)
    rest = following - (first + count * length)
    assert rest == (HOUR / 2 if zone == LORD_HOWE and rest and length == HOUR else timedelta())
    for number in {0, 1, count // 2, count - 1}:
        begin = first + number * length
        assert number_in_day(begin, length, zone) == number
        assert number_in_day(begin + length / 2, length, zone) == number


@given(DAYS, st.integers(0, 86399))
def test_in_utc_numbers_are_hours(day: date, second: int) -> None:
    """There every day has 24."""
    instant = datetime.combine(day, time(), tzinfo=UTC) + timedelta(seconds=second)
    assert number_in_day(instant, HOUR, UTC) == instant.hour


@pytest.mark.parametrize(
    ("first", "cells", "position"),
    [
        ((1,), ("1",), 0),
        ((0,), (0,), 0),
        ((1,), ("025",), 24),
        ((1,), (23.0,), 22),
        ((1,), (0,), -1),
        ((1, 1), ("3", "2"), 9),
        ((0, 1), (2, 2), 9),
        ((0, 0), ("2", 1), 9),
    ],
)
def test_positions_are_counted_from_nought(
    first: tuple[int, ...], cells: tuple[object, ...], position: int
) -> None:
    """Of one number, or of an hour and its quarter."""
    places = ("n",) * len(cells)
    assert IntervalNumbers(("d",), places, HOUR / 4, first).position(cells) == position


@pytest.mark.parametrize("cell", ["", None, "1a", 1.5, True, float("nan"), 10**9, "H1", "٣"])
def test_what_is_no_number_is_refused(cell: object) -> None:
    """A flag, a fraction, and more than any day has; digits of other scripts are read."""
    interval = IntervalNumbers(("d",), ("n",), HOUR, (1,))
    if cell == "٣":
        assert interval.position((cell,)) == 2
        return
    with pytest.raises(ValueError, match="is no number of an interval"):
        interval.position((cell,))


def test_a_part_that_an_hour_does_not_have_is_refused() -> None:
    """The fifth quarter."""
    interval = IntervalNumbers(("d",), ("h", "q"), HOUR / 4, (1, 1))
    with pytest.raises(ValueError, match="5 is no part of an hour of 4"):
        interval.position((1, 5))
