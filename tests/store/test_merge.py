"""The merge: what changed becomes a version, the rest is not touched. In every way that it goes."""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from support.store_feed import (
    PATHS,
    TABLES,
    AtWork,
    Span,
    current,
    history,
    hour,
    open_feed,
    open_observer,
    state_of,
    tuples,
    values,
)

from dataportal.errors import DatabaseError, Interrupted, LockLostError
from dataportal.observations import clean
from dataportal.store.records import Counts, Outcome, SeriesRecord, SliceWrite
from dataportal.store.write.diff import Sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from support.store_feed import Feed

    from dataportal.store.records import MergeResult

LARGE = Sizes().looked_up + 1
"""Points that are written by COPY."""
MICROSECOND = timedelta(microseconds=1)
BOTH_TABLES = pytest.mark.parametrize("table", TABLES)


@pytest.fixture
def look(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Sees what has been committed."""
    with open_observer(database_url) as connection:
        yield connection


@pytest.fixture(params=PATHS)
def feed(request: pytest.FixtureRequest, database_url: str) -> Iterator[Feed]:
    """Merges slices in each of the ways that there are."""
    with open_feed(database_url, "load", "wind", sizes=PATHS[request.param]) as feed:
        yield feed


def counts(merged: MergeResult) -> dict[str, int]:
    """What became of the points; zeros are left out."""
    every = zip(Counts.__slots__, merged.counts.values(), strict=True)
    return {name: count for name, count in every if count}


def tuple_counters(feed: Feed, look: psycopg.Connection[Any]) -> int:
    """Tuples that were ever inserted, updated or deleted in the data tables and their chunks."""
    feed.session._connection.execute("SELECT pg_stat_force_next_flush()")
    row = look.execute(
        "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_all_tables"
        " WHERE relid IN (SELECT unnest(%(tables)s::regclass[])"
        " UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = ANY (%(tables)s::regclass[]))",
        {"tables": [*TABLES]},
    ).fetchone()
    assert row
    return int(row[0])


def test_an_unchanged_answer_writes_no_tuple_and_locks_none(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """Neither the counters of the server nor any tuple's xmin, xmax and ctid move; no K is used."""
    points = {n: n / 3 for n in range(20)}
    feed(points)
    before, counters = tuples(look), tuple_counters(feed, look)
    for _ in range(3):
        merged = feed(points)
        assert counts(merged) == {"received": 20, "unchanged": 20}
        assert merged.knowledge_time is None
    assert tuples(look) == before
    assert tuple_counters(feed, look) == counters


def test_the_counters_would_show_a_write(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """The measure of the test above: one revision is an update, a closing and an opening."""
    feed({0: 1.0})
    counters = tuple_counters(feed, look)
    feed({0: 2.0})
    assert tuple_counters(feed, look) == counters + 3


def test_neighbours_of_a_change_are_not_touched(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """Of twenty points one is revised and one withdrawn: all other tuples stay where they are."""
    feed({n: float(n) for n in range(20)})
    before = tuples(look)
    merged = feed({**{n: float(n) for n in range(20)}, 3: 33.0, 7: None})
    assert counts(merged) == {
        "received": 20,
        "revised": 1,
        "retracted": 1,
        "unchanged": 18,
    }
    # a current row and an open version of each
    assert len(before - tuples(look)) == 4


def test_what_is_compared_is_the_columns_type(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """-0.0 is 0.0, NaN is NaN, and the smallest difference of two doubles is one."""
    nearly = math.nextafter(1.1, 2.0)
    feed({0: -0.0, 1: 0.0, 2: math.nan, 3: 1.1, 4: 5e-324, 5: 0.1 + 0.2})
    before = tuples(look)
    again = feed({0: 0.0, 1: -0.0, 2: -math.nan, 3: 1.1, 4: 5e-324, 5: 0.30000000000000004})
    assert counts(again) == {"received": 6, "unchanged": 6}
    assert tuples(look) == before
    other = feed({3: nearly, 4: 0.0, 5: 0.3})
    assert counts(other) == {"received": 3, "revised": 3}
    assert values(look)[3] == [1.1, nearly]


def test_every_bit_of_a_double_is_kept(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """In both tables, whichever way it was written."""
    exact = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -2.2250738585072014e-308, 1e16 + 2]
    feed(dict(enumerate(exact)))
    packed = [struct.pack("d", value) for value in exact]
    assert [struct.pack("d", v) for _, v in sorted(current(look).items())] == packed
    assert [struct.pack("d", v) for _, (v,) in sorted(values(look).items())] == packed


def test_a_revision_closes_one_version_and_opens_another(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """At one K, later than the one before; the current row has the time and the run, too."""
    first = feed({0: 1.0, 1: 5.0})
    run = feed.start()
    second = feed({0: 2.0, 1: 5.0})
    assert counts(second) == {"received": 2, "revised": 1, "unchanged": 1}
    assert first.knowledge_time
    assert second.knowledge_time
    assert first.knowledge_time < second.knowledge_time
    assert history(look) == {
        0: [
            Span(1.0, first.knowledge_time, second.knowledge_time),
            Span(2.0, second.knowledge_time, None),
        ],
        1: [Span(5.0, first.knowledge_time, None)],
    }
    stored = look.execute(
        "SELECT d.value, d.updated_at, d.run_id, v.run_id FROM time_series_data d"
        " JOIN time_series_data_scd2 v USING (series_id, ts) JOIN time_series USING (series_id)"
        " WHERE ts = %s AND valid_to = 'infinity' AND endpoint_prefix = 'load'",
        [hour(0)],
    ).fetchall()
    assert stored == [(2.0, second.knowledge_time, run, run)]


def test_there_and_back_again_is_three_versions(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """A → B → A: each with a K of its own, without a gap."""
    known = [feed({0: value}).knowledge_time for value in (1.0, 2.0, 1.0)]
    spans = history(look)[0]
    assert [span.value for span in spans] == [1.0, 2.0, 1.0]
    assert [span.since for span in spans] == known
    assert [span.until for span in spans] == [*known[1:], None]
    assert sorted(set(known), key=str) == known


def test_value_null_value_are_three_facts(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """A null closes the version and takes the current row away; the return opens a new one."""
    first = feed({0: 1.0, 1: 9.0})
    gone = feed({0: None})
    assert counts(gone) == {"received": 1, "retracted": 1}
    assert current(look) == {1: 9.0}
    back = feed({0: 1.0})
    assert counts(back) == {"received": 1, "inserted": 1}
    assert history(look)[0] == [
        Span(1.0, first.knowledge_time or hour(0), gone.knowledge_time),
        Span(1.0, back.knowledge_time or hour(0), None),
    ]


def test_a_null_for_nothing_stored_is_nothing(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """Never seen or withdrawn before: counted, and no tuple written."""
    feed({0: 1.0, 1: 2.0})
    feed({0: None})
    before = tuples(look)
    merged = feed({0: None, 5: None})
    assert counts(merged) == {"received": 2, "nulls": 2}
    assert merged.knowledge_time is None
    assert tuples(look) == before


def test_nulls_of_a_first_load_are_nothing(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """Where nothing was stored there is nothing to withdraw, however many there are."""
    merged = feed({0: None, 1: 1.0, 2: None, 3: None})
    assert counts(merged) == {"received": 4, "inserted": 1, "nulls": 3}
    assert (merged.withheld, values(look)) == ((), {1: [1.0]})


def test_what_the_answer_leaves_out_stays_open(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """Between its points, before, after, and in a series with no point or none at all."""
    feed({n: float(n) for n in range(10)}, wind={n: float(n) for n in range(3)})
    before = tuples(look)
    feed({2: 2.0, 7: 7.0})
    # one of many: what is withheld when it is most of a series would go unseen
    feed({n: float(n) for n in range(10) if n != 5})
    feed({}, wind={})
    feed({2: 2.0}, wind={})
    assert tuples(look) == before
    feed({2: 22.0, 7: 77.0})
    assert current(look) == {**{n: float(n) for n in range(10)}, 2: 22.0, 7: 77.0}
    assert current(look, "wind") == {0: 0.0, 1: 1.0, 2: 2.0}


def test_an_answer_without_points_changes_nothing(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """The series that have points in the slice are silent; nothing is closed."""
    feed({0: 1.0}, wind={50: 1.0})
    before = tuples(look)
    merged = feed.merge({}, start=hour(0), end=hour(50))
    assert "load" in merged.silent
    assert "wind" not in merged.silent
    assert merged.counts == Counts()
    assert tuples(look) == before


def test_silent_series_are_named(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """One without a point in the answer but with some stored in the slice, which is half-open."""
    feed({0: 1.0}, wind={10: 1.0})
    assert feed({0: 1.0}, start=hour(0), end=hour(10)).silent == ()
    assert feed({0: 1.0}, start=hour(0), end=hour(11)).silent == ("wind",)
    assert feed({0: 1.0}, start=hour(10)).silent == ("wind",)
    assert feed({0: 1.0}, start=hour(11)).silent == ()
    assert feed({0: 1.0}, wind={10: None}).silent == ()


def test_nulls_that_would_empty_a_series_are_withheld(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """More than half of what is stored in the answer's span, from three points on."""
    cases = [(1, 1, 0), (2, 2, 0), (3, 1, 0), (3, 2, 2), (4, 2, 0), (4, 3, 3), (10, 5, 0)]
    for case, (stored, nulls, withheld) in enumerate([*cases, (10, 6, 6)]):
        span = range(100 * case, 100 * case + stored)
        feed(dict.fromkeys(span, 1.0))
        merged = feed({n: None if n < span[0] + nulls else 1.0 for n in span})
        became = {"retracted": nulls - withheld, "withheld": withheld, "unchanged": stored - nulls}
        assert counts(merged) == {"received": stored, **{k: n for k, n in became.items() if n}}
        assert merged.withheld == (("load",) if withheld else ())
        assert len(current(look).keys() & set(span)) == stored - nulls + withheld


def test_only_what_is_stored_in_the_answers_span_counts(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """A long history outside, and nulls where nothing is stored, change no majority."""
    feed({n: float(n) for n in range(100)})
    assert feed({50: None, 51: None, 52: 52.0}).withheld == ("load",)
    assert feed({50: None, 51: None, 53: 53.0}).withheld == ()
    nothing_there: dict[int, float | None] = dict.fromkeys(range(-50, 0))
    assert feed({**nothing_there, 0: None, 3: 3.0}).withheld == ()
    far = {0: 1.0, 99: 1.0}
    assert feed({60: None, 61: None, 62: 62.0}, wind=far).withheld == ("load",)


def test_values_beside_withheld_nulls_are_stored(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """And so are the retractions of another series in the same answer."""
    feed(dict.fromkeys(range(4), 1.0), wind=dict.fromkeys(range(4), 1.0))
    merged = feed({0: None, 1: None, 2: None, 3: 2.0, 4: 3.0}, wind={0: None, 3: 1.0})
    assert merged.withheld == ("load",)
    assert counts(merged) == {
        "received": 7,
        "inserted": 1,
        "revised": 1,
        "retracted": 1,
        "unchanged": 1,
        "withheld": 3,
    }
    assert current(look) == {0: 1.0, 1: 1.0, 2: 1.0, 3: 2.0, 4: 3.0}
    assert current(look, "wind") == {1: 1.0, 2: 1.0, 3: 1.0}


def test_withheld_nulls_alone_write_nothing(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """Until they are accepted; then all of them go."""
    feed(dict.fromkeys(range(4), 1.0))
    before = tuples(look)
    nulls: dict[int, float | None] = dict.fromkeys(range(4))
    merged = feed(nulls)
    assert (counts(merged), merged.knowledge_time) == (
        {"received": 4, "withheld": 4},
        None,
    )
    assert tuples(look) == before
    accepted = feed(nulls, accept_retractions=True)
    assert counts(accepted) == {"received": 4, "retracted": 4}
    assert accepted.withheld == ()
    assert current(look) == {}
    assert all(spans[-1].until == accepted.knowledge_time for spans in history(look).values())


def test_every_point_received_is_counted_once(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """In an answer that has points of all nine kinds; the run's record has the same figures."""
    feed({0: 1.0, 1: 1.0, 2: 1.0, 3: 1.0}, wind=dict.fromkeys(range(4), 1.0))
    batch = clean(
        {
            "load": [
                *({"ts": hour(n), "value": v} for n, v in enumerate([1.0, 2.0, None, 1.0, 7.0])),
                {"ts": hour(1), "value": 2.0},
                {"ts": hour(-5), "value": 1.0},
                {"ts": hour(6), "value": "much"},
                {"ts": hour(7), "value": None},
            ],
            "wind": [{"ts": hour(n), "value": None if n else 1.0} for n in range(4)],
        },
        series=["load", "wind"],
        start=hour(0),
        end=None,
        zone=None,
    )
    run = feed.start()
    merged = feed.session.merge(
        SliceWrite(
            run,
            batch.series,
            start=hour(0),
            end=None,
            received=Counts(
                received=batch.received,
                duplicates=batch.duplicates,
                rejected=batch.rejected,
                outside=batch.outside,
            ),
        )
    )
    expected = Counts(
        received=13,
        inserted=1,
        revised=1,
        retracted=1,
        unchanged=3,
        duplicates=1,
        rejected=1,
        outside=1,
        withheld=3,
        nulls=1,
    )
    assert merged.counts == expected
    assert expected.received == sum(expected.values()[1:])
    assert values(look)[1] == [1.0, 2.0]
    row = look.execute(
        f"SELECT {', '.join(Counts.__slots__)} FROM fetch_run WHERE run_id = %s",  # noqa: S608 - names of fields
        [run],
    ).fetchone()
    assert row == expected.values()


def test_a_slice_without_news_is_recorded_at_the_end(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """It commits nothing of its own, and its figures come to the run's row with the end."""
    feed({0: 1.0, 1: 1.0})
    run = feed.start()
    before = everything_else(look)
    merged = feed({0: 1.0, 1: 1.0, 2: None})
    assert not merged.recorded
    assert everything_else(look) == before
    feed.session.finish_run(run, Outcome.UNCHANGED, counts=merged.counts)
    row = look.execute(
        "SELECT received, unchanged, nulls, outcome FROM fetch_run WHERE run_id = %s", [run]
    ).fetchone()
    assert row == (3, 2, 1, "unchanged")


def test_slices_add_up_in_their_run(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """Counts are summed; done_until moves on, and stays where a slice says nothing of it."""
    run = feed.start()

    def merge(points: dict[str, Any], done_until: datetime | None) -> None:
        batch = clean(points, series=["load"], start=None, end=None, zone=None)
        feed.session.merge(
            SliceWrite(
                run,
                batch.series,
                start=hour(0),
                end=None,
                received=Counts(received=batch.received),
                done_until=done_until,
            )
        )

    merge({"load": {"ts": [hour(0), hour(1)], "value": [1.0, 2.0]}}, hour(10))
    merge({"load": {"ts": [hour(1), hour(12)], "value": [3.0, 4.0]}}, None)
    row = look.execute(
        "SELECT received, inserted, revised, done_until FROM fetch_run WHERE run_id = %s", [run]
    ).fetchone()
    assert row == (4, 3, 1, hour(10))


@pytest.mark.parametrize("column", ["last_knowledge_time", "known_through"])
def test_knowledge_time_grows_though_the_clock_was_set_back(
    feed: Feed, look: psycopg.Connection[Any], column: str
) -> None:
    """The last K, or what was called final, lies hours ahead: each K is a microsecond later."""
    feed({0: 1.0})
    ahead = datetime.now(UTC) + timedelta(hours=3)
    look.execute(f"UPDATE source_state SET {column} = %s", [ahead])  # noqa: S608 - one of two names
    known = [feed({0: value}).knowledge_time for value in (2.0, 3.0, 2.0)]
    assert known == [ahead + n * MICROSECOND for n in (1, 2, 3)]
    spans = history(look)[0]
    assert [span.value for span in spans] == [1.0, 2.0, 3.0, 2.0]
    assert all(span.until is None or span.since < span.until for span in spans)
    feed.finish()
    assert state_of(feed.session).known_through == known[-1]


def test_merges_of_one_source_never_share_a_knowledge_time(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """However fast they follow one another."""
    known = [feed({0: float(n)}).knowledge_time for n in range(30)]
    assert all(a and b and a < b for a, b in pairwise(known))
    assert len(values(look)[0]) == 30


def test_a_dry_run_tells_and_writes_nothing(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """The same counts as the real merge after it, but no tuple, no figure, no K."""
    feed(dict.fromkeys(range(6), 1.0), wind=dict.fromkeys(range(4), 1.0))
    points = {0: 1.0, 1: 2.0, 2: None, 3: 1.0, 4: 1.0, 5: 1.0, 9: 9.0}
    wind = dict.fromkeys(range(4))
    before = tuples(look), everything_else(look)
    planned = feed(points, wind=wind, dry_run=True)
    assert (tuples(look), everything_else(look)) == before
    assert planned.knowledge_time is None
    done = feed(points, wind=wind)
    assert done.counts == planned.counts
    assert done.withheld == planned.withheld == ("wind",)
    assert done.knowledge_time


def everything_else(look: psycopg.Connection[Any]) -> list[tuple[str, ...]]:
    """The records beside the data."""
    return [
        row
        for table in ("fetch_run", "source_state", "time_series")
        for row in look.execute(f"SELECT ctid::text, xmin::text, t::text FROM {table} t")  # noqa: S608 - one of three names
    ]


@pytest.mark.parametrize("loss", ["unlocked", "without our knowledge"])
def test_without_the_lock_nothing_is_written(
    feed: Feed, look: psycopg.Connection[Any], loss: str
) -> None:
    """Given back, or gone though the connection is there: LockLostError, and no change at all."""
    feed({0: 1.0, 1: 1.0, 2: 1.0})
    before = tuples(look), everything_else(look)
    if loss == "unlocked":
        feed.session.unlock()
    else:
        feed.session._connection.execute("SELECT pg_advisory_unlock_all()")
    with pytest.raises(LockLostError, match="'grid'"):
        feed({0: 2.0, 1: None, 3: 3.0})
    assert (tuples(look), everything_else(look)) == before
    assert feed.session.try_lock()
    assert counts(feed({0: 2.0})) == {"received": 1, "revised": 1}


def test_after_a_stop_nothing_is_written(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """The flag that another thread has set is looked at before the commit."""
    feed({0: 1.0, 1: 1.0})
    before = current(look), history(look), everything_else(look)
    feed.session.stop()
    with pytest.raises(Interrupted):
        feed({0: 2.0, 1: None, 5: 5.0})
    assert (current(look), history(look), everything_else(look)) == before


def test_knowledge_time_is_read_late(
    feed: Feed, look: psycopg.Connection[Any], database_url: str
) -> None:
    """From the server's clock, once something differs: not when the transaction began."""

    def now() -> Any:
        row = look.execute("SELECT clock_timestamp()").fetchone()
        return row and row[0]

    with open_observer(database_url) as other:
        with other.transaction():
            other.execute("LOCK TABLE time_series_data IN ACCESS EXCLUSIVE MODE")
            work = AtWork(lambda: feed({0: 1.0}))
            work.await_blocked(feed, look)
            before = now()
        assert work.end() is None
    [span] = history(look)[0]
    assert before < span.since < now()


@BOTH_TABLES
@pytest.mark.parametrize("points", [2, 7])
def test_a_stop_ends_the_statement_that_is_running(
    feed: Feed, look: psycopg.Connection[Any], database_url: str, table: str, points: int
) -> None:
    """A merge that waits for a table is over at once, and has written nothing."""
    stored = dict.fromkeys(range(points), 1.0)
    feed(stored)
    before = current(look), history(look)
    with open_observer(database_url) as other, other.transaction():
        other.execute(f"LOCK TABLE {table} IN SHARE MODE")
        work = AtWork(lambda: feed({**stored, 0: 2.0}))
        work.await_blocked(feed, look)
        feed.session.stop()
        assert isinstance(work.end(), Interrupted)
    assert (current(look), history(look)) == before


@BOTH_TABLES
@pytest.mark.parametrize("points", [2, 7])
@pytest.mark.parametrize("value", [2.0, None])
def test_another_writer_is_noticed(
    feed: Feed,
    look: psycopg.Connection[Any],
    database_url: str,
    table: str,
    points: int,
    value: float | None,
) -> None:
    """Rows that went away between the comparison and the writing: refused, nothing is stored."""
    stored = dict.fromkeys(range(points), 1.0)
    feed(stored)
    with open_observer(database_url) as other, other.transaction():
        other.execute(f"LOCK TABLE {table} IN SHARE MODE")
        work = AtWork(lambda: feed({**stored, 0: value}))
        work.await_blocked(feed, look)
        other.execute(f"DELETE FROM {table} WHERE ts = %s", [hour(0)])  # noqa: S608 - one of two names
        before = tuples(other)
    error = work.end()
    assert isinstance(error, DatabaseError)
    assert "nothing of this slice was stored" in str(error)
    assert {row[-1] for row in tuples(look)} == {row[-1] for row in before}


def test_large_slices_are_written_by_copy(database_url: str, look: psycopg.Connection[Any]) -> None:
    """A first load, all of it revised, and all of it withdrawn: every version is there."""
    numbers = range(LARGE)
    with open_feed(database_url) as feed:
        first = feed(dict.fromkeys(numbers, 1.0) | {-1: None})
        assert (first.counts.inserted, first.counts.nulls) == (LARGE, 1)
        second = feed(dict.fromkeys(numbers, 2.0))
        assert second.counts.revised == LARGE
        gone = feed(dict.fromkeys(numbers), accept_retractions=True)
        assert gone.counts.retracted == LARGE
    assert current(look) == {}
    versions = history(look)
    assert versions.keys() == set(numbers)
    known = [m.knowledge_time or hour(0) for m in (first, second, gone)]
    expected = [Span(1.0, known[0], known[1]), Span(2.0, known[1], known[2])]
    assert all(spans == expected for spans in versions.values())


def test_a_window_of_two_days_leaves_five_years_alone(
    database_url: str, look: psycopg.Connection[Any]
) -> None:
    """Nothing that is older than the slice changes in any way, though all of it is revised."""
    years = {24 * day: float(day) for day in range(5 * 365)}
    recent = {h for h in years if h >= 24 * (5 * 365 - 2)}
    with open_feed(database_url) as feed:
        feed(years)
        before = tuples(look)
        feed(dict.fromkeys(recent, -1.0), start=hour(min(recent)))
        feed(dict.fromkeys(recent), start=hour(min(recent)), accept_retractions=True)
    assert len(before - tuples(look)) == 2 * len(recent)
    assert {h: v for h, v in years.items() if h not in recent} == current(look)


def test_a_series_registered_again_keeps_its_history(
    database_url: str, look: psycopg.Connection[Any]
) -> None:
    """A unit or a granularity that changes is a warning; no version is touched."""
    with open_feed(database_url) as feed:
        feed.session.register([SeriesRecord("load", unit="MW", granularity="1 hour")])
        feed({0: 1.0})
        before = tuples(look)
        record = SeriesRecord("load", unit="GW", granularity="1 hour", metadata={"a": 1})
        [warning] = feed.session.register([record]).warnings
        assert "'MW'" in warning
        assert "'GW'" in warning
        assert feed.session.register([record]).warnings == []
        feed.finish(Outcome.UNCHANGED)
    assert tuples(look) == before
    assert look.execute("SELECT unit, metadata FROM time_series").fetchone() == ("GW", {"a": 1})
