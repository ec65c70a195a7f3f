"""Publications of one series: pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dataportal.observations import clean
from dataportal.plugins.data_sources.elexon_plugin.publications import Publications

MOMENTS = st.integers(0, 5).map(lambda hour: datetime(2025, 1, 1, hour, tzinfo=UTC))
ROWS = st.lists(st.tuples(MOMENTS, MOMENTS, st.integers(-9, 9)), max_size=40)


def of(rows: list[tuple[datetime, datetime, int]]) -> Publications:
    """All of them, in this order."""
    found = Publications()
    for row in rows:
        found.add(*row)
    return found


@given(ROWS)
def test_the_newest_is_what_the_run_makes_of_every_one(
    rows: list[tuple[datetime, datetime, int]],
) -> None:
    """Whether all publications are handed on or the newest alone: the same values."""
    found = of(rows)
    every, newest = (
        clean({"a": columns}, series=["a"], start=None, end=None, zone=None).series["a"]
        for columns in (found.every, found.newest)
    )
    assert (every.ts, every.values) == (newest.ts, newest.values)


@given(ROWS)
def test_a_publication_counts_once(rows: list[tuple[datetime, datetime, int]]) -> None:
    """However often it comes; the last value of it stays."""
    found = of(rows)
    last = {(moment, published): value for moment, published, value in rows}
    told = found.every
    pairs = zip(told["ts"], told["published_at"], strict=True)
    assert dict(zip(pairs, told["value"], strict=True)) == last
    assert len(told["ts"]) == len(last)


def test_without_times_of_publication_the_last_counts() -> None:
    """As for data sets that carry none."""
    found = Publications()
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    for value in (1, 2):
        found.add(moment, "", value)
    found.add(moment + timedelta(hours=1), "", 3)
    assert found.newest == {"ts": [moment, moment + timedelta(hours=1)], "value": [2, 3]}
