"""Publications of one series: pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dataportal.observations import clean
from dataportal.plugins.data_sources.elexon_plugin.publications import Publications

MOMENTS = st.integers(0, 5).map(lambda hour: datetime(2025, 1, 1, hour, tzinfo=UTC))
ROWS = st.lists(
    st.tuples(MOMENTS, MOMENTS, st.integers(-9, 9)), max_size=40, unique_by=lambda row: row[:2]
)
"""No two that contradict each other."""


def of(rows: list[tuple[datetime, datetime, int]]) -> Publications:
    """All of them, in this order."""
    publications = Publications()
    for row in rows:
        publications.add(*row)
    return publications


@given(ROWS)
def test_the_newest_is_what_the_run_makes_of_every_one(
    rows: list[tuple[datetime, datetime, int]],
) -> None:
    """Whether all publications are handed on or the newest alone: the same values."""
    publications = of(rows)
    every, newest = (
        clean({"a": columns}, series=["a"], start=None, end=None, zone=None).series["a"]
        for columns in (publications.all_columns, publications.newest_columns)
    )
    assert (every.ts, every.values) == (newest.ts, newest.values)


def test_what_comes_twice_is_left_to_the_run() -> None:
    """It compares the values, and refuses those that differ."""
    publications = Publications()
    first, second = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC)
    for published, value in ((second, 1), (first, 7), (second, 2)):
        publications.add(first, published, value)
    assert publications.all_columns["value"] == [1, 7, 2]
    assert publications.newest_columns == {"ts": [first, first], "value": [1, 2]}


def test_without_times_of_publication_every_row_is_newest() -> None:
    """As for data sets that carry none: two values of one time contradict each other."""
    publications = Publications()
    instant = datetime(2025, 1, 1, tzinfo=UTC)
    for value in (1, 2):
        publications.add(instant, "", value)
    publications.add(instant + timedelta(hours=1), "", 3)
    assert publications.newest_columns == {
        "ts": [instant, instant, instant + timedelta(hours=1)],
        "value": [1, 2, 3],
    }
