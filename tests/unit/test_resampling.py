"""Values by the hour, the local day, the week and the month of a calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import fsum
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.resampling import Aggregate, interval_bounds, parse_step, resample

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
STEPS = ("15 minutes", "1 hour", "6 hours", "1 day", "1 week", "1 month", "3 months", "1 year")
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu")


def hours(first: str, number: int) -> list[tuple[datetime, float]]:
    """Hourly values, each the number of its hour."""
    start = datetime.fromisoformat(first)
    return [(start + n * HOUR, float(n)) for n in range(number)]


@pytest.mark.parametrize(
    ("first", "size"),
    [("2025-03-29T23:00Z", 23), ("2025-06-30T22:00Z", 24), ("2025-10-25T22:00Z", 25)],
)
def test_a_local_day_has_its_own_length(first: str, size: int) -> None:
    """On the days on which the clocks change it is of 23 or 25 hours."""
    points = hours(first, 30)
    day, rest = resample(points, parse_step("1 day"), Aggregate.COUNT, BERLIN)
    assert (day.start, day.size, day.value) == (points[0][0], size, size)
    assert day.end - day.start == size * HOUR
    assert rest.size == 30 - size


def test_the_hour_that_occurs_twice_is_two() -> None:
    """And quarters of an hour are its quarters."""
    points = [(ts, 1.0) for ts, _ in hours("2025-10-25T22:00Z", 25)]
    intervals = list(resample(points, parse_step("1 hour"), Aggregate.SUM, BERLIN))
    assert [interval.start for interval in intervals] == [ts for ts, _ in points]
    six = list(resample(points, parse_step("6 hours"), Aggregate.COUNT, BERLIN))
    assert [interval.size for interval in six] == [7, 6, 6, 6]


def test_months_and_weeks_are_of_the_calendar() -> None:
    """A quarter begins in January, April, July or October; a week on a Monday."""
    ts = datetime(2025, 5, 15, 12, tzinfo=UTC)
    quarter = interval_bounds(ts, parse_step("3 months"), BERLIN)
    assert [t.isoformat() for t in quarter] == [
        "2025-03-31T22:00:00+00:00",
        "2025-06-30T22:00:00+00:00",
    ]
    week = interval_bounds(ts, parse_step("1 week"), UTC)
    assert [t.isoformat() for t in week] == [
        "2025-05-12T00:00:00+00:00",
        "2025-05-19T00:00:00+00:00",
    ]


def test_each_aggregate() -> None:
    """By hand; no value is no value, and nothing makes no interval."""
    numbers = [4.0, None, 1.0, 7.0, 2.0]
    points = [(ts, numbers[hour]) for hour, (ts, _) in enumerate(hours("2025-01-01T00:00Z", 5))]
    values = {
        aggregate: [i.value for i in resample(points, parse_step("1 day"), aggregate, UTC)]
        for aggregate in Aggregate
    }
    assert values == {
        "mean": [3.5], "sum": [14.0], "min": [1.0], "max": [7.0], "first": [4.0], "last": [2.0],
        "count": [4.0],
    }  # fmt: skip
    assert list(resample([], parse_step("1 day"), Aggregate.SUM, UTC)) == []
    assert list(resample([(points[0][0], None)], parse_step("1 day"), Aggregate.SUM, UTC)) == []


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("zone", ZONES)
def test_the_ends_of_the_calendar(step: str, zone: str) -> None:
    """An interval that would begin before them, or end after them, is cut off there."""
    calendar = ZoneInfo(zone)
    ends = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    intervals = list(
        resample([(ts, 1.0) for ts in ends], parse_step(step), Aggregate.SUM, calendar)
    )
    assert [interval.size for interval in intervals] == [1, 1]
    for ts in ends:
        low, high = interval_bounds(ts, parse_step(step), calendar)
        assert low <= ts <= high


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fortnight", "is not a length"),
        ("P1M1D", "mixes months with days"),
        ("5 months", "into a year"),
        ("7 hours", "into a day"),
        ("36 hours", "into a day"),
        ("0 hours", "is not a length"),
    ],
)
def test_what_is_no_step(text: str, reason: str) -> None:
    """Is refused, and why."""
    with pytest.raises(ValueError, match=reason):
        parse_step(text)


@given(
    start=st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
    distances=st.lists(st.integers(1, 5000), max_size=40),
    step=st.sampled_from(STEPS),
    zone=st.sampled_from(ZONES),
)
def test_every_value_is_in_one_interval(
    start: datetime, distances: list[int], step: str, zone: str
) -> None:
    """That holds its time; intervals follow each other, and their sums are that of all values."""
    ts, points = start.replace(tzinfo=UTC), []
    for distance in distances:
        ts += timedelta(minutes=distance)
        points.append((ts, float(distance)))
    calendar = ZoneInfo(zone)
    intervals = list(resample(points, parse_step(step), Aggregate.SUM, calendar))
    assert sum(interval.size for interval in intervals) == len(points)
    assert fsum(interval.value for interval in intervals) == fsum(distances)
    starts = [interval.start for interval in intervals]
    assert starts == sorted(set(starts))
    for ts, _ in points:
        low, high = interval_bounds(ts, parse_step(step), calendar)
        assert low <= ts < high
        assert low in starts
