"""Chunks are opened ahead of large slices, so that these do not wait for one another."""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from support.store_feed import TABLES, AtWork, hour, open_feed, open_observer, tuples

from dataportal.store.write.chunks import first_in_chunks, make_chunks
from dataportal.store.write.diff import Sizes
from dataportal.times import EPOCH

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

EVERY_YEAR: dict[int, float | None] = {n * 8_766: float(n) for n in range(-20, 20)}
LARGE = Sizes(inserted_up_to=0, looked_up=1)
MOMENTS = st.datetimes(timezones=st.just(UTC))
CHUNKS = """
SELECT count(*), (SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb')
FROM pg_inherits WHERE inhparent = ANY (%s::regclass[])
"""


def chunks(look: psycopg.Connection[Any]) -> tuple[int, int]:
    """How many there are; and 1 where there may be any."""
    row = look.execute(CHUNKS.encode(), [list(TABLES)]).fetchone()
    assert row
    return int(row[0]), int(row[1])


@given(
    columns=st.lists(st.lists(MOMENTS, unique=True).map(sorted), max_size=3),
    days=st.integers(1, 5_000),
)
def test_every_time_lies_in_a_chunk_that_is_found(columns: list[list[datetime]], days: int) -> None:
    """And each chunk is found by one of the times that lie in it; also before 1970."""
    length = timedelta(days=days)
    firsts = first_in_chunks(columns, length // timedelta.resolution)
    microseconds = length // timedelta.resolution
    assert all((ts - EPOCH) // length * microseconds == start for start, ts in firsts.items())
    assert set(firsts) == {(ts - EPOCH) // length * microseconds for ts in chain(*columns)}


def test_chunks_are_made_ahead_and_nothing_else(database_url: str) -> None:
    """On TimescaleDB all that the points need, in both tables, and no row; elsewhere nothing."""
    ts = [hour(h) for h in EVERY_YEAR]
    with open_feed(database_url) as feed, open_observer(database_url) as look:
        make_chunks(feed.session._connection, [ts, ts[:3]])
        made, possible = chunks(look)
        assert made == 2 * possible * len(first_in_chunks([ts], 365 * 86_400 * 10**6))
        assert tuples(look) == set()
        feed(EVERY_YEAR)
        assert chunks(look) == (made, possible) or not possible


def test_large_slices_do_not_wait_for_one_another(database_url: str) -> None:
    """Not even where each needs chunks that nobody has opened yet."""
    with (
        open_feed(database_url, sizes=LARGE) as slow,
        open_feed(database_url, "wind", source="other", sizes=LARGE) as quick,
        open_observer(database_url) as look,
        open_observer(database_url) as other,
    ):
        quick.session._connection.execute("SET lock_timeout = '20s'")
        with other.transaction():
            # at the end of its transaction the slow one has to wait for this row
            other.execute("SELECT FROM source_state WHERE source = 'grid' FOR UPDATE")
            work = AtWork(lambda: slow(EVERY_YEAR))
            work.await_blocked(slow, look)
            assert quick.merge({"wind": EVERY_YEAR}).counts.inserted == len(EVERY_YEAR)
        assert work.end() is None
