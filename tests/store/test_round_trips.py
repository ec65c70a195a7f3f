"""Budgets of a small run: round trips, counted on the wire, and tuples written."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.store_feed import hour, observations, open_feed, open_observer, tuples
from support.tcp_proxy import Wire

from dataportal.store.read.gaps import gaps_of_series
from dataportal.store.read.overview import open_reader
from dataportal.store.read.selection import select_series
from dataportal.store.records import Counts, Outcome, RunKind, SeriesRecord, SliceWrite
from dataportal.store.session import SourceSession
from dataportal.store.write.diff import Sizes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WEEK: dict[int, float | None] = {n: n / 2 for n in range(168)}
# few enough for the server to answer once, not each time that its buffer of 8 kB is full
FEW: dict[int, float | None] = {n: n / 2 for n in range(4)}


@pytest.fixture
def look(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Sees what has been committed."""
    with open_observer(database_url) as connection:
        yield connection


def round_trips(url: str, points: Mapping[int, float | None], *, due: bool = False) -> int:
    """Those of a whole run of one series beyond what connecting and leaving cost."""
    with Wire(url) as wire:
        psycopg.connect(wire.url).close()
        bare = wire.round_trips
        with closing(SourceSession.open(wire.url, "grid")) as session:
            snapshot = session.try_lock(["load"], with_state=due)
            assert snapshot
            assert (snapshot.state is not None) == due
            session.register([SeriesRecord("load")], snapshot=snapshot)
            run = session.start_run(RunKind.SCHEDULED, hour(0), None)
            session.merge(
                SliceWrite(
                    run,
                    {"load": observations(points)},
                    start=hour(0),
                    end=None,
                    received=Counts(received=len(points)),
                )
            )
            advanced = ["load"] if 168 in points else []
            session.finish_run(run, Outcome.UNCHANGED, history_asked=True, advanced=advanced)
        return wire.round_trips - 2 * bare


@pytest.mark.parametrize(
    ("points", "budget"),
    [
        # settings and schema, lock and series, run row; comparison; end of the run
        (WEEK, 5),
        # and K; current values and closing; opening; figures
        ({**WEEK, 3: -1.0}, 9),
        # and K; both tables; figures
        ({**WEEK, 168: 1.0}, 9),
    ],
    ids=["unchanged", "one revised", "one new"],
)
def test_round_trips_of_a_small_run(
    database_url: str, points: dict[int, float | None], budget: int
) -> None:
    """A week of hourly values, known already but for one at most."""
    with open_feed(database_url) as feed:
        feed(WEEK)
        feed.session.finish_run(feed.run, Outcome.SUCCEEDED, history_asked=True)
    assert round_trips(database_url, points) <= budget
    assert round_trips(database_url, points, due=True) <= 5


def test_more_series_cost_no_more_round_trips(database_url: str) -> None:
    """Twenty series that are revised all together are written like one."""
    names = [f"series {n}" for n in range(20)]
    with open_feed(database_url, *names) as feed:
        feed.merge(dict.fromkeys(names, FEW))
    with Wire(database_url) as wire, closing(SourceSession.open(wire.url, "grid")) as session:
        assert session.try_lock()
        session.register([SeriesRecord(name) for name in names])
        run = session.start_run(RunKind.SCHEDULED, hour(0), None)
        before = wire.round_trips
        merged = session.merge(
            SliceWrite(
                run,
                {name: observations({**FEW, 3: -1.0}) for name in names},
                start=hour(0),
                end=None,
                received=Counts(received=4 * 20),
            )
        )
        assert merged.counts.revised == 20
        assert wire.round_trips - before <= 5


def test_gaps_of_many_series_cost_no_more_round_trips(
    database_url: str, look: psycopg.Connection[Any]
) -> None:
    """Hours and days, with a hole each: what is missing of forty series is asked like of two."""
    names = [f"series {n}" for n in range(40)]
    with open_feed(database_url, *names) as feed:
        feed.merge({name: {0: 1.0, 1: 1.0, 2: 1.0, 4: 1.0, 5: 1.0} for name in names})
    look.execute("UPDATE time_series SET granularity = '1 hour'")
    look.execute("DELETE FROM time_series_resolution WHERE series_id % 2 = 0")
    with Wire(database_url) as wire:

        def cost(count: int) -> int:
            with closing(open_reader(wire.url, command="gaps")) as connection:
                series = [s for s in select_series(connection) if s.granularity][:count]
                before = wire.round_trips
                found = list(gaps_of_series(connection, series))
                assert [gaps.missing for gaps in found] == [1] * count
                return wire.round_trips - before

        few = cost(4)
        # those of which no resolution is recorded are looked at one by one
        assert cost(40) - few <= 18 + 4


def test_revisions_are_written_while_the_rest_is_compared(database_url: str) -> None:
    """In a slice of several blocks they cost K, the new versions and the figures, wherever."""
    few = Sizes(block=2)
    stored = {n: n / 2 for n in range(8)}
    with open_feed(database_url) as feed:
        feed(stored)
    costs = []
    with Wire(database_url) as wire, open_feed(wire.url, sizes=few) as feed:
        for revised in ({}, {1: -1.0}, {2: -1.0}, {1: -2.0, 2: -2.0, 5: -2.0}, {7: -1.0}):
            stored |= revised
            before = wire.round_trips
            assert feed(stored).counts.revised == len(revised)
            costs.append(wire.round_trips - before)
    unchanged, first, second, three, last = costs
    assert max(first, second, three) <= unchanged + 3
    # with nothing left to compare there is one more to wait for
    assert last <= unchanged + 4


def test_an_unchanged_run_writes_nothing_but_its_own_records(
    database_url: str, look: psycopg.Connection[Any]
) -> None:
    """From connecting to the end: a row of fetch_run, what is remembered of the source, no more."""
    with open_feed(database_url) as feed:
        feed(WEEK)
        feed.session.finish_run(feed.run, Outcome.SUCCEEDED, history_asked=True)
    await_no_session(look)
    before, counters = tuples(look), written_tuples(look)
    round_trips(database_url, WEEK)
    await_no_session(look)
    after = written_tuples(look)
    assert tuples(look) == before
    assert {name for name in after if after[name] != counters[name]} == {
        "fetch_run",
        "source_state",
    }


def written_tuples(look: psycopg.Connection[Any]) -> dict[str, int]:
    """Tuples that were ever inserted, updated or deleted, by table; chunks included."""
    look.execute("SELECT pg_stat_clear_snapshot()")
    rows = look.execute(
        "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables"
        " WHERE schemaname IN ('public', '_timescaledb_internal')"
    )
    return dict(rows.fetchall())


def await_no_session(look: psycopg.Connection[Any]) -> None:
    """Returns once the program's server process has ended, and with that told what it wrote."""
    ended = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'dataportal%'"
    )
    deadline = time.monotonic() + 30
    while look.execute(ended.encode()).fetchone() != (0,):
        assert time.monotonic() < deadline
