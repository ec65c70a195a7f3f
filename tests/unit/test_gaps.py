"""What is missing between points, against right values by hand and a model in plain Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.gaps import (
    Evidence,
    ExpectedLength,
    Gap,
    Grid,
    days_of_rest,
    expected_lengths,
    find_first_gap,
    find_gap,
    join_ranges,
)
from dataportal.granularity import interval_length
from dataportal.resolutions import Resolution
from dataportal.times import EARLIEST, EPOCH

if TYPE_CHECKING:
    from dataportal.granularity import IntervalLength

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)


def length(granularity: str) -> IntervalLength:
    """The length that a granularity names."""
    named = interval_length(granularity)
    assert named
    return named


def grid(granularity: str, zone: ZoneInfo | None = None, *, rest: tuple[int, ...] = ()) -> Grid:
    """One length for all time."""
    return Grid([ExpectedLength(EARLIEST, length(granularity))], zone, frozenset(rest))


def at(text: str) -> datetime:
    """An instant, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("expected", "after", "before", "first", "missing"),
    [
        # three hours between two points
        (grid("1 hour"), "2025-03-01T00:00Z", "2025-03-01T04:00Z", "2025-03-01T01:00Z", 3),
        # off the grid: no whole interval fits in
        (grid("1 hour"), "2025-03-01T00:00Z", "2025-03-01T01:50Z", None, 0),
        (grid("1 hour"), "2025-03-01T00:00Z", "2025-03-01T02:10Z", "2025-03-01T01:00Z", 1),
        # the night in which clocks go forward has one hour less, in UTC as many as any
        (
            grid("1 hour", BERLIN),
            "2025-03-30T00:00Z",
            "2025-03-30T02:00Z",
            "2025-03-30T01:00Z",
            1,
        ),
        # days of 23 and of 25 hours are days
        (grid("1 day", BERLIN), "2025-03-30T00:00+01:00", "2025-03-31T00:00+02:00", None, 0),
        (grid("1 day", BERLIN), "2025-10-26T00:00+02:00", "2025-10-27T00:00+01:00", None, 0),
        (
            grid("1 day", BERLIN),
            "2025-03-29T00:00+01:00",
            "2025-04-01T00:00+02:00",
            "2025-03-30T00:00+01:00",
            2,
        ),
        (
            grid("1 day", BERLIN),
            "2025-10-25T00:00+02:00",
            "2025-10-28T00:00+01:00",
            "2025-10-26T00:00+02:00",
            2,
        ),
        # also where nobody said which zone it is
        (grid("1 day"), "2025-03-29T00:00+01:00", "2025-04-01T00:00+02:00", "2025-03-29T23:00Z", 2),
        (grid("1 day"), "2025-10-25T00:00+02:00", "2025-10-28T00:00+01:00", "2025-10-25T22:00Z", 2),
        (
            grid("6 hours"),
            "2025-03-29T18:00+01:00",
            "2025-03-30T12:00+02:00",
            "2025-03-29T23:00Z",
            2,
        ),
        # months of 28 to 31 days
        (grid("1 month"), "2024-01-01T00:00Z", "2024-02-01T00:00Z", None, 0),
        (grid("1 month"), "2024-01-01T00:00Z", "2024-04-01T00:00Z", "2024-02-01T00:00Z", 2),
        (grid("1 month"), "2024-01-31T00:00Z", "2024-04-30T00:00Z", "2024-02-29T00:00Z", 2),
        (
            grid("1 month", BERLIN),
            "2025-03-01T00:00+01:00",
            "2025-07-01T00:00+02:00",
            "2025-04-01T00:00+02:00",
            3,
        ),
        (grid("1 quarter"), "2024-01-01T00:00Z", "2025-01-01T00:00Z", "2024-04-01T00:00Z", 3),
        (grid("1 year"), "1999-01-01T00:00Z", "2001-01-01T00:00Z", "2000-01-01T00:00Z", 1),
        # weeks whose days shift
        (grid("1 week"), "1958-03-29T00:00Z", "1958-04-06T00:00Z", None, 0),
        # a weekend is none where there never are values then
        (grid("1 day", rest=(6, 7)), "2025-03-07T00:00Z", "2025-03-10T00:00Z", None, 0),
        (
            grid("1 day", rest=(6, 7)),
            "2025-03-06T00:00Z",
            "2025-03-11T00:00Z",
            "2025-03-07T00:00Z",
            2,
        ),
    ],
)  # fmt: skip
def test_what_is_missing_between_two_points(
    expected: Grid, after: str, before: str, first: str | None, missing: int
) -> None:
    """Where it begins, and how many whole intervals there are."""
    gap = find_gap(expected, at(after), at(before))
    if first is None:
        assert gap is None
    else:
        assert gap == Gap(at(first), at(before), missing, expected.lengths[0].length)


def test_a_change_of_resolution_is_heeded() -> None:
    """Hours before it, quarters of an hour after it, and one gap across it."""
    change = at("2025-10-01T00:00+02:00")
    both = Grid(
        [ExpectedLength(EARLIEST, length("1 hour")), ExpectedLength(change, length("PT15M"))]
    )
    assert find_gap(both, change - HOUR, change) is None
    assert find_gap(both, change - 3 * HOUR, change) == Gap(
        change - 2 * HOUR, change, 2, length("1 hour")
    )
    assert find_gap(both, change, change + HOUR) == Gap(
        change + QUARTER, change + HOUR, 3, length("PT15M")
    )
    assert find_gap(both, change - 2 * HOUR, change + HOUR) == Gap(
        change - HOUR, change + HOUR, 1 + 4, length("1 hour")
    )


def test_a_start_leaves_out_what_lies_before() -> None:
    """Of a gap that reaches over it; what is missing from it up to a first point is one too."""
    hourly = grid("1 hour")
    gap = find_gap(hourly, EPOCH, EPOCH + 5 * HOUR, start=EPOCH + 2.5 * HOUR)
    assert gap == Gap(EPOCH + 3 * HOUR, EPOCH + 5 * HOUR, 2, length("1 hour"))
    assert find_first_gap(hourly, EPOCH, EPOCH + 2.5 * HOUR) == Gap(
        EPOCH + 0.5 * HOUR, EPOCH + 2.5 * HOUR, 2, length("1 hour")
    )
    assert find_first_gap(hourly, EPOCH, EPOCH + 0.5 * HOUR) is None
    assert find_first_gap(grid("1 month"), at("2025-01-01T00:00Z"), at("2025-04-01T00:00Z")) == Gap(
        at("2025-01-01T00:00Z"), at("2025-04-01T00:00Z"), 3, length("1 month")
    )


@pytest.mark.parametrize("granularity", ["1 minute", "6 hours", "1 week", "1 year"])
def test_the_ends_of_the_calendar_are_no_faults(granularity: str) -> None:
    """All of it is missing before a first point and behind a last one."""
    expected = grid(granularity, BERLIN)
    latest = datetime.max.replace(tzinfo=UTC)
    before = find_first_gap(expected, EARLIEST, EPOCH)
    behind = find_gap(expected, EPOCH, latest)
    assert before
    assert behind
    assert before.missing > 1900
    assert behind.missing > 8000


@given(
    st.sampled_from(["15 minutes", "1 hour", "1 day", "1 week", "1 month"]),
    st.sampled_from([None, BERLIN]),
    st.sets(st.integers(1, 60), min_size=1, max_size=55),
)
def test_what_was_taken_out_is_what_is_missing(
    granularity: str, zone: ZoneInfo | None, taken: set[int]
) -> None:
    """Of a year with a change of clocks: each stretch that was taken out, and nothing else."""
    expected = grid(granularity, zone)
    step = expected.lengths[0].length
    points = [datetime(2025, 3, 1, tzinfo=zone or UTC).astimezone(UTC)]
    for _ in range(61):
        points.append(step.end_of(points[-1], zone))
    left = [n for n in range(62) if n not in taken]
    gaps = [find_gap(expected, points[a], points[b]) for a, b in pairwise(left)]
    assert [gap for gap in gaps if gap] == [
        Gap(points[a + 1], points[b], b - a - 1, step) for a, b in pairwise(left) if b - a > 1
    ]


def test_lengths_that_the_points_do_not_show_are_not_believed() -> None:
    """Less than a dozen points further apart show holes; so do values that lie nowhere so close."""
    hour, two, quarter = length("1 hour"), length("2 hours"), length("PT15M")
    later = EPOCH + timedelta(days=1)

    def few(distance: timedelta) -> Evidence:
        return Evidence(3, distance)

    def expected(said: IntervalLength, *found: tuple[IntervalLength | None, Evidence]) -> list[str]:
        resolutions = [Resolution((EPOCH, later)[n], found[n][0]) for n in range(len(found))]
        lengths = expected_lengths(said, resolutions, [evidence for _, evidence in found])
        assert lengths[0].ts_from == EARLIEST
        return [str(e.length) for e in lengths]

    many = Evidence(12, 2 * HOUR)
    assert expected(hour) == ["1 hour"]
    assert expected(hour, (two, few(2 * HOUR))) == ["1 hour"]
    assert expected(hour, (two, many)) == ["2 hours"]
    assert expected(hour, (quarter, few(QUARTER))) == ["15 minutes"]
    assert expected(hour, (quarter, Evidence(12, HOUR))) == ["1 hour"]
    assert expected(hour, (quarter, Evidence(1, None))) == ["1 hour"]
    assert expected(hour, (None, many)) == ["1 hour"]
    assert expected(quarter, (hour, Evidence(12, HOUR)), (quarter, few(QUARTER))) == [
        "1 hour",
        "15 minutes",
    ]


def test_days_of_rest_are_those_without_any_point() -> None:
    """Of a series that is long enough to tell."""
    assert days_of_rest({1: 5, 2: 5, 3: 5, 4: 5, 5: 5}) == {6, 7}
    assert days_of_rest({1: 5, 2: 5, 3: 5, 4: 5, 5: 5, 6: 1}) == {7}
    assert days_of_rest({1: 3}) == frozenset()


def test_ranges_that_lie_close_are_joined() -> None:
    """In order; those further apart stay apart."""
    ranges = [(EPOCH + n * HOUR, EPOCH + (n + 1) * HOUR) for n in (9, 0, 2, 30)]
    assert join_ranges(ranges, timedelta(hours=7)) == [
        (EPOCH, EPOCH + 10 * HOUR),
        (EPOCH + 30 * HOUR, EPOCH + 31 * HOUR),
    ]
