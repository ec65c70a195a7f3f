"""How long the intervals of series are: found by the distance of their points."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.errors import BadDataError
from dataportal.granularity import IntervalLength, interval_length
from dataportal.observations import clean
from dataportal.resolutions import (
    FEWEST_STEPS,
    Resolution,
    Stretch,
    compare,
    length_of,
    stated_stretches,
    steps,
    stretches,
)

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
SWITCH = datetime(2025, 9, 30, 22, tzinfo=UTC)
"""When the day-ahead auction of Europe went from hours to quarters of an hour."""
HOURS, QUARTERS, DAYS, MONTHS = map(interval_length, ("1 hour", "PT15M", "P1D", "P1M"))


def times(start: datetime, distance: timedelta, count: int) -> list[datetime]:
    """So many times at one distance."""
    return [start + n * distance for n in range(count)]


def local_days(first: datetime, count: int, *, months: bool = False) -> list[datetime]:
    """Midnights of Berlin, of days or of firsts of months, in UTC."""
    found = []
    for n in range(count):
        year, month = divmod(first.month - 1 + n, 12)
        local = (
            datetime(first.year + year, month + 1, 1, tzinfo=BERLIN)
            if months
            else datetime.combine((first + timedelta(days=n)).date(), first.time(), tzinfo=BERLIN)
        )
        found.append(local.astimezone(UTC))
    return found


def lengths(ts: list[datetime]) -> list[tuple[datetime, IntervalLength | None]]:
    """Where stretches begin, and how long their intervals are."""
    return [(stretch.start, stretch.length) for stretch in stretches(steps(ts))]


def test_a_change_from_hours_to_quarters_is_found_where_it_happens() -> None:
    """The first quarter of an hour is where the last hour ends."""
    ts = times(SWITCH - 48 * HOUR, HOUR, 48) + times(SWITCH, QUARTER, 96)
    assert lengths(ts) == [(ts[0], HOURS), (SWITCH, QUARTERS)]


def test_a_change_to_longer_intervals_is_found_too() -> None:
    """From quarters of an hour to hours."""
    ts = times(SWITCH - 24 * HOUR, QUARTER, 96) + times(SWITCH, HOUR, 24)
    assert lengths(ts) == [(ts[0], QUARTERS), (SWITCH, HOURS)]


@pytest.mark.parametrize("missing", [{5}, {5, 6, 7}, set(range(30, 80)), {7, 9, 11, 13, 15, 17}])
def test_holes_are_no_change(missing: set[int]) -> None:
    """Points that are missing, one, several or every second one for a while."""
    ts = [t for n, t in enumerate(times(SWITCH, QUARTER, 192)) if n not in missing]
    assert lengths(ts) == [(SWITCH, QUARTERS)]


def test_days_and_months_are_those_of_a_calendar() -> None:
    """Of 23 or 25 hours, of 28 to 31 days; and days without weekends are days."""
    year = local_days(datetime(2025, 1, 1), 365)  # noqa: DTZ001 - local
    assert lengths(year) == [(year[0], DAYS)]
    months = local_days(datetime(2023, 1, 1), 30, months=True)  # noqa: DTZ001 - local
    assert lengths(months) == [(months[0], MONTHS)]
    working = [t for t in year if t.astimezone(BERLIN).weekday() < 5]
    assert lengths(working) == [(working[0], DAYS)]


@pytest.mark.parametrize(
    ("distance", "start", "text"),
    [
        (timedelta(days=365), "2023-01-01", "P1Y"),
        (timedelta(days=366), "2024-01-01", "P1Y"),
        (timedelta(days=90), "2023-01-01", "P3M"),
        (timedelta(days=28), "2023-02-01", "P1M"),
        (timedelta(days=28), "2023-03-01", "P28D"),
        (timedelta(days=7), "2023-03-01", "P7D"),
        (timedelta(hours=25), "2025-10-25", "P1D"),
        (timedelta(minutes=3), "2025-10-25", "PT3M"),
        (timedelta(hours=12), "2025-10-25", "PT12H"),
        (timedelta(seconds=0.25), "2025-10-25", "PT0.25S"),
    ],
)
def test_distances_are_read_by_the_calendar(distance: timedelta, start: str, text: str) -> None:
    """A distance names the length of the interval, in ISO 8601."""
    length = length_of(distance, datetime.fromisoformat(start).replace(tzinfo=UTC))
    assert length.iso == text
    assert interval_length(text) == length
    assert interval_length(str(length)) == length


def test_few_points_are_taken_where_they_are_all_there_is() -> None:
    """Three yearly values are yearly; two points say nothing."""
    yearly = [datetime(year, 1, 1, tzinfo=UTC) for year in (2022, 2023, 2024)]
    assert [length.iso for _, length in lengths(yearly) if length] == ["P1Y"]
    assert lengths(yearly[:2]) == []


def test_points_at_no_regular_distance() -> None:
    """Many of them are a stretch of no length."""
    ts = [SWITCH + n * n * HOUR / 7 for n in range(40)]
    assert lengths(ts) == [(SWITCH, None)]


@given(
    distance=st.sampled_from([timedelta(minutes=m) for m in (1, 5, 15, 30, 60)]),
    count=st.integers(2 * FEWEST_STEPS, 60),
    missing=st.sets(st.integers(1, 58), max_size=4),
)
def test_a_regular_series_with_few_holes_has_one_length(
    distance: timedelta, count: int, missing: set[int]
) -> None:
    """Whatever is missing, it is the distance of those points that are there."""
    ts = [t for n, t in enumerate(times(SWITCH, distance, count)) if n not in missing]
    assert {length for _, length in lengths(ts)} == {IntervalLength(rest=distance)}


KNOWN = [Resolution(SWITCH - 1000 * HOUR, HOURS)]


def stretch(start: datetime, last: datetime, length: IntervalLength | None, n: int = 96) -> Stretch:
    """A stretch with so many steps."""
    return Stretch(start, last, length, n)


def test_what_is_known_is_not_recorded_again() -> None:
    """The same answer, or a later one of the same length, changes nothing."""
    assert compare(KNOWN, [stretch(SWITCH - 100 * HOUR, SWITCH, HOURS)]) is None


def test_a_change_is_recorded_once_at_its_beginning() -> None:
    """As the answers come that begin before it, at it and after it."""
    change = compare(
        KNOWN,
        [stretch(SWITCH - 48 * HOUR, SWITCH, HOURS), stretch(SWITCH, SWITCH + 24 * HOUR, QUARTERS)],
    )
    assert change is not None
    assert (change.recorded, change.dropped) == ([Resolution(SWITCH, QUARTERS)], [])
    known = [*KNOWN, *change.recorded]
    later = SWITCH + 20 * HOUR
    assert compare(known, [stretch(later, later + 48 * HOUR, QUARTERS)]) is None


def test_earlier_points_of_the_same_length_move_the_beginning() -> None:
    """A backfill of the years before."""
    earlier = SWITCH - 9000 * HOUR
    change = compare(KNOWN, [stretch(earlier, SWITCH - 2000 * HOUR, HOURS)])
    assert change is not None
    assert change.recorded == [Resolution(earlier, HOURS)]
    assert change.dropped == [KNOWN[0].ts_from]


def test_a_finer_stretch_in_the_middle_ends_where_the_coarser_one_goes_on() -> None:
    """Of a month that was published again in quarters; what lies behind is still in hours."""
    start, last = SWITCH - 900 * HOUR, SWITCH - 800 * HOUR
    change = compare(KNOWN, [stretch(start, last, QUARTERS)])
    assert change is not None
    assert change.recorded == [Resolution(start, QUARTERS)]
    assert (change.after, change.goes_on) == (last, HOURS)


def test_few_points_far_apart_do_not_replace_what_is_known() -> None:
    """As after an outage, of which every fourth quarter of an hour came through."""
    known = [Resolution(SWITCH, QUARTERS)]
    start = SWITCH + 100 * HOUR
    assert compare(known, [stretch(start, start + 5 * HOUR, HOURS, n=5)]) is None
    assert compare(known, [stretch(start, start + 5 * HOUR, None)]) is None


def test_what_was_irregular_can_become_regular() -> None:
    """From there on, whether by few points or many."""
    known = [Resolution(SWITCH, None)]
    change = compare(known, [stretch(SWITCH + HOUR, SWITCH + 9 * HOUR, HOURS, n=8)])
    assert change is not None
    assert change.recorded == [Resolution(SWITCH + HOUR, HOURS)]


def test_what_a_provider_says_counts_from_the_first_point() -> None:
    """Also where the points alone would not show it."""
    said = [Resolution(SWITCH - HOUR, HOURS), Resolution(SWITCH, QUARTERS)]
    assert compare((), stated_stretches(said, SWITCH)) is not None
    batch = clean(
        {"a": {"ts": [SWITCH], "value": [1.0], "resolutions": [(SWITCH.isoformat(), "PT15M")]}},
        series=["a"],
        start=None,
        end=None,
        zone=None,
    )
    assert batch.series["a"].statement
    assert list(batch.series["a"].statement.resolutions) == [Resolution(SWITCH, QUARTERS)]


@pytest.mark.parametrize("wrong", ["PT15M", [("2025-01-01", "PT15M")], [(SWITCH, "often")], [1], 7])
def test_what_a_provider_says_in_another_way_is_refused(wrong: object) -> None:
    """A name of a time without a zone, a length that is none, anything but pairs."""
    answer = {"a": {"ts": [SWITCH], "value": [1.0], "resolutions": wrong}}
    with pytest.raises(BadDataError, match="resolutions must be pairs"):
        clean(answer, series=["a"], start=None, end=None, zone=None)
