"""Columnar answers: every value keeps its time, and what does not fit is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.errors import BadDataError
from dataportal.plugins.http.response import Answer
from dataportal.plugins.readers.columnar import ColumnTimes
from dataportal.plugins.readers.times import Window
from dataportal.raw_points import RefusedTime
from dataportal.times import EPOCH

ANSWER = Answer(200, "https://api.example.org/data", {}, b"{}")
HOUR = timedelta(hours=1)
EVER = Window("0001-01-01T00:00:00Z", None)
SECONDS = st.integers(-(2**31), 2**33)
VALUES = st.none() | st.floats(allow_nan=False) | st.integers()


@given(
    st.lists(st.tuples(SECONDS, VALUES)), SECONDS, SECONDS, st.sampled_from([0, 900, 3600, 86400])
)
def test_what_lies_in_the_window_is_all_there(
    rows: list[tuple[int, Any]], start: int, end: int, earlier: int
) -> None:
    """In its order, each value with its own time, moved to where its interval begins."""
    window = Window(*(datetime.fromtimestamp(s, UTC).isoformat() for s in (start, end)))
    points = ColumnTimes([s for s, _ in rows], ANSWER, window).points(
        "it", [value for _, value in rows], earlier=timedelta(seconds=earlier)
    )
    expected = [(s - earlier, value) for s, value in rows if start <= s - earlier < end]
    assert [int(ts.timestamp()) for ts in points["ts"]] == [s for s, _ in expected]
    assert points["value"] == [value for _, value in expected]


@given(st.lists(SECONDS, min_size=1), st.integers(-50_000, 50_000))
def test_texts_name_the_same_times_as_seconds(seconds: list[int], offset: int) -> None:
    """With an offset of their own, or local to the one that the answer tells."""
    instants = [datetime.fromtimestamp(s, UTC) for s in seconds]
    column = [1] * len(seconds)
    plain = ColumnTimes(seconds, ANSWER, EVER).points("it", column)
    own = ColumnTimes([m.isoformat() for m in instants], ANSWER, EVER, offset=offset)
    shift = timedelta(seconds=offset)
    local = [(m + shift).replace(tzinfo=None).isoformat() for m in instants]
    of_answer = ColumnTimes(local, ANSWER, EVER, offset=offset)
    assert own.points("it", column) == of_answer.points("it", column) == plain


@pytest.mark.parametrize(
    "times", ["now", 5, {}, [1.5], [True], [None], ["noon"], [[]], ["2024-01-01", None]]
)
def test_times_that_are_none_are_refused(times: Any) -> None:
    """With the address, and before any value is looked at."""
    with pytest.raises(BadDataError, match=r"api\.example\.org"):
        ColumnTimes(times, ANSWER, EVER)


@pytest.mark.parametrize("beyond", [10**15, -(10**15), 10**30, float("inf"), float("-inf")])
def test_a_time_beyond_the_calendar_costs_its_point(beyond: float) -> None:
    """Its reason stands in its place, for the run to refuse; the others are as they were."""
    points = ColumnTimes([0, beyond, 3600], ANSWER, EVER).points("it", [1, 2, 3], earlier=HOUR)
    first, refused, last = points["ts"]
    assert (first, last) == (EPOCH - HOUR, EPOCH)
    assert isinstance(refused, RefusedTime)
    assert "beyond the calendar" in refused
    assert points["value"] == [1, 2, 3]


def test_what_would_begin_before_the_calendar_costs_its_point_alone() -> None:
    """A stamp on its first day may be read; an hour before it is no time."""
    times = ["0001-01-01T00", "2024-01-01T01"]
    points = ColumnTimes(times, ANSWER, EVER).points("it", [1, 2], earlier=HOUR)
    assert isinstance(points["ts"][0], RefusedTime)
    assert points["ts"][1] == datetime(2024, 1, 1, tzinfo=UTC)


@given(st.integers(0, 5), st.integers(0, 5))
def test_columns_are_as_long_as_the_times(times: int, values: int) -> None:
    """Else nobody knows which value belongs to which."""
    columns = ColumnTimes([0] * times, ANSWER, EVER)
    if times == values:
        assert len(columns.points("it", [1] * values)["ts"]) == len(columns)
    else:
        with pytest.raises(BadDataError, match=f"{values} values of it and {times} times"):
            columns.points("it", [1] * values)


def test_no_list_at_all_is_nothing() -> None:
    """Providers write null for it; anything else in its place is refused."""
    columns = ColumnTimes([0], ANSWER, EVER)
    assert columns.points("it", None) == {"ts": [], "value": []}
    assert len(ColumnTimes(None, ANSWER, EVER)) == 0
    with pytest.raises(BadDataError, match="no list of it"):
        columns.points("it", 1)
