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


@given(ROWS)
def test_a_publication_counts_once(rows: list[tuple[datetime, datetime, int]]) -> None:
    """However often it comes; the last value of it stays."""
    publications = of(rows)
    last = {(instant, published): value for instant, published, value in rows}
    columns = publications.all_columns
    pairs = zip(columns["ts"], columns["published_at"], strict=True)
    assert dict(zip(pairs, columns["value"], strict=True)) == last
    assert len(columns["ts"]) == len(last)


def test_without_times_of_publication_the_last_counts() -> None:
    """As for data sets that carry none."""
    publications = Publications()
    instant = datetime(2025, 1, 1, tzinfo=UTC)
    for value in (1, 2):
        publications.add(instant, "", value)
    publications.add(instant + timedelta(hours=1), "", 3)
    assert publications.newest_columns == {
        "ts": [instant, instant + timedelta(hours=1)],
        "value": [2, 3],
    }
