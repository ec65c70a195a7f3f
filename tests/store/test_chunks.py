"""Chunks are opened ahead of slices: as wide as their times ask for, and without waiting long."""

from __future__ import annotations

import re
import signal
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.program_sources import Pause, SourceFile, await_ends, await_unlocked
from support.store_feed import (
    TABLES,
    AtWork,
    hour,
    hour_of,
    open_feed,
    open_observer,
    progress_of,
    tuples,
)
from support.store_feed import history as versions

from dataportal.observations import Observations
from dataportal.store.archive.dump import dump
from dataportal.store.archive.restore import restore
from dataportal.store.read.overview import open_reader
from dataportal.store.read.storage import read_storage
from dataportal.store.records import Counts, SliceWrite
from dataportal.store.write.chunks import ChunkOpener, first_in_chunks
from dataportal.store.write.diff import Sizes
from dataportal.times import EPOCH, utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli, StartCli

EVERY_YEAR: dict[int, float | None] = {n * 8_766: float(n) for n in range(-20, 20)}
LARGE = Sizes(inserted_up_to=0, looked_up=1)
MOMENTS = st.datetimes(timezones=st.just(UTC))
CHUNKS = """
SELECT count(*), (SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb')
FROM pg_inherits WHERE inhparent = ANY (%s::regclass[])
"""
DECADE, CENTURY = timedelta(days=3_650), timedelta(days=36_500)
PLANNING = 10.0  # milliseconds, of a question without bounds


class Chunk(NamedTuple):
    """What TimescaleDB says of one."""

    table: str
    start: datetime
    end: datetime


def chunks(look: psycopg.Connection[Any]) -> tuple[int, int]:
    """How many there are; and 1 where there may be any."""
    row = look.execute(CHUNKS.encode(), [list(TABLES)]).fetchone()
    assert row
    return int(row[0]), int(row[1])


def chunk_bounds(look: psycopg.Connection[Any]) -> list[Chunk]:
    """Of every chunk; none on a plain PostgreSQL."""
    if not chunks(look)[1]:
        return []
    rows = look.execute(
        "SELECT hypertable_name::text, range_start, range_end FROM timescaledb_information.chunks"
        " ORDER BY 1, 2"
    )
    return [Chunk(*row) for row in rows]


def assert_intervals_are_regular(look: psycopg.Connection[Any]) -> None:
    """Nothing is left of what a function changed for a moment."""
    if chunks(look)[1]:
        rows = look.execute("SELECT time_interval FROM timescaledb_information.dimensions")
        assert {interval for (interval,) in rows} == {timedelta(days=365)}


def year(number: int) -> int:
    """The hour at which a year begins."""
    return hour_of(datetime(number, 1, 1, tzinfo=UTC))


CENTURIES: dict[int, float | None] = {year(n): float(n) for n in range(1700, 2009)}


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
        opener = ChunkOpener(feed.session._connection)
        assert opener.open_chunks([ts, ts[:3]], dated=False, ahead=True) is None
        made, possible = chunks(look)
        assert (made > 0) == bool(possible)
        assert tuples(look) == set()
        feed(EVERY_YEAR)
        assert chunks(look) == (made, possible) or not possible
        assert_intervals_are_regular(look)


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


@pytest.mark.parametrize("sizes", [Sizes(), LARGE], ids=["small", "large"])
def test_how_wide_a_chunk_is_follows_from_its_time(database_url: str, sizes: Sizes) -> None:
    """A century before 1970, ten years for what is older than ten years, else a year."""
    years = [1000, 1700, 1750, 1969, 1970, 1985, 1999, 2009, 2030, 2031, 2100]
    with open_feed(database_url, sizes=sizes) as feed, open_observer(database_url) as look:
        feed({year(n): float(n) for n in years})
        assert len(versions(look)) == len(years)
        for chunk in chunk_bounds(look):
            width = chunk.end - chunk.start
            if chunk.start < EPOCH:
                assert width == CENTURY, chunk
            elif chunk.start < utc_now() - timedelta(days=3_652):
                assert width == DECADE, chunk
            else:
                assert width == timedelta(days=365), chunk
        assert_intervals_are_regular(look)


def test_chunks_that_reach_beyond_all_calendars_are_read(
    database_url: str, run_cli: RunCli
) -> None:
    """The first and the last year that there is; commands that look at chunks can name them."""
    with open_feed(database_url) as feed:
        feed({year(1): 1.0, hour_of(datetime(9999, 12, 31, tzinfo=UTC)): 2.0})
        feed.finish()
    for command in ("list-sources", "verify"):
        done = run_cli(command, "--json", env={"DATABASE_URL": database_url})
        assert "error" not in done.stdout, done.stdout
    with open_reader(database_url) as reader:
        assert read_storage(reader).tables


def test_three_centuries_are_a_dozen_chunks(database_url: str) -> None:
    """And are quick to plan for, in a question without bounds, beside ten years of hours."""
    with open_feed(database_url, "load", "wind") as feed, open_observer(database_url) as look:
        feed(CENTURIES)
        assert len(chunk_bounds(look)) <= 2 * 12
        feed({}, wind=dict.fromkeys(range(year(2015), year(2026), 5_000), 1.0))
        look.execute("SELECT count(*) FROM time_series_data_as_of(now()) WHERE series_id = 1")
        times = []
        for _ in range(5):
            rows = look.execute(
                "EXPLAIN (SUMMARY) SELECT * FROM time_series_data_as_of(now()) WHERE series_id = 1"
            ).fetchall()
            plan = "\n".join(line for (line,) in rows)
            times.append(float(re.findall(r"Planning Time: ([\d.]+) ms", plan)[0]))
        assert min(times) <= PLANNING


def test_how_far_a_series_has_come_is_asked_of_few_chunks(database_url: str) -> None:
    """Of those that may hold something recent: what others hold does not hold a run up."""
    recent = hour_of(utc_now())
    with open_feed(database_url) as feed, open_observer(database_url) as look:
        feed({recent - n * 8_760: float(n) for n in range(9)})
        if not chunk_bounds(look):
            return  # no TimescaleDB
        connection = feed.session._connection
        with connection.transaction():
            assert progress_of(feed.session)["load"].newest == hour(recent)
            rows = connection.execute(
                "SELECT count(DISTINCT relation) FROM pg_locks WHERE pid = pg_backend_pid()"
                " AND relation IN (SELECT inhrelid FROM pg_inherits"
                " WHERE inhparent = 'time_series_data'::regclass)"
            )
            assert rows.fetchone() in {(1,), (2,)}


def test_an_interval_that_somebody_chose_is_kept(database_url: str) -> None:
    """A shorter one is that of new data; a longer one holds for what is old as well."""
    with open_feed(database_url) as feed, open_observer(database_url) as look:
        if not chunks(look)[1]:
            return
        for table, days in (("time_series_data", 30), ("time_series_data_scd2", 7_300)):
            look.execute(
                "SELECT set_chunk_time_interval(%s, make_interval(days => %s))", [table, days]
            )
        feed({year(1990): 1.0, year(1750): 1.0, year(2025): 1.0})
        widths: dict[str, list[int]] = {table: [] for table in TABLES}
        for chunk in chunk_bounds(look):
            widths[chunk.table].append((chunk.end - chunk.start).days)
        assert widths["time_series_data"] == [36_500, 3_650, 30]
        assert widths["time_series_data_scd2"] == [36_500, 7_300, 7_300]
        intervals = dict(
            look.execute(
                "SELECT hypertable_name::text, time_interval"
                " FROM timescaledb_information.dimensions"
            ).fetchall()
        )
        assert intervals["time_series_data"] == timedelta(days=30)
        assert intervals["time_series_data_scd2"] == timedelta(days=7_300)


def test_narrow_chunks_of_before_stay_and_gaps_are_filled(database_url: str) -> None:
    """A wide chunk ends where an old one begins; no row is anywhere but where it was."""
    with open_feed(database_url) as feed, open_observer(database_url) as look:
        look.execute(
            "INSERT INTO time_series_data_scd2 (ts, value, valid_from, run_id, series_id)"
            " SELECT t, 0, now(), 1, 99"
            " FROM unnest(ARRAY['1983-06-01', '1850-01-01']::timestamptz[]) AS t"
        )
        before = [chunk for chunk in chunk_bounds(look) if chunk.table == "time_series_data_scd2"]
        feed(CENTURIES)
        after = chunk_bounds(look)
        assert set(before) <= set(after)
        assert len(after) <= 2 * 12
        assert look.execute(
            "SELECT count(*) FROM time_series_data_scd2 WHERE series_id = 99"
        ).fetchone() == (2,)


def test_publications_lie_in_wide_chunks_too(database_url: str) -> None:
    """Their table is a hypertable like the others."""
    times = [hour(h) for h in CENTURIES]
    published = [ts + timedelta(days=400) for ts in times]
    rows: list[tuple[datetime, datetime, float | None]] = [
        (ts, at, 1.0) for ts, at in zip(times, published, strict=True)
    ]
    with open_feed(database_url) as feed, open_observer(database_url) as look:
        feed.session.merge(
            SliceWrite(
                feed.run,
                {"load": Observations(times, [1.0] * len(times), published, rows)},
                start=times[0],
                end=None,
                received=Counts(received=len(times)),
            )
        )
        assert len(chunk_bounds(look)) <= 3 * 12


@pytest.fixture
def opener(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that opens chunks, in a transaction, and has yet to commit."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "SELECT dataportal_open_chunks('data', ARRAY['1700-01-01']::timestamptz[])"
        )
        yield connection


def test_nobody_opens_a_chunk_of_another_width_meanwhile(
    database_url: str, opener: psycopg.Connection[Any]
) -> None:
    """Who needs one waits, and then gets one of its own width; who needs none does not wait."""
    with (
        open_feed(database_url) as feed,
        open_feed(database_url, "wind", source="other") as ready,
        open_observer(database_url) as look,
    ):
        if not chunks(look)[1]:
            assert feed({0: 1.0}).counts.inserted == 1
            return
        work = AtWork(lambda: feed({0: 1.0}))
        work.await_blocked(feed, look)
        assert ready.merge({"wind": {}}).counts.inserted == 0
        opener.commit()
        assert work.end() is None
        widths = [chunk.end - chunk.start for chunk in chunk_bounds(look)]
        assert sorted(widths) == [timedelta(days=365)] * 2 + [CENTURY]
        assert_intervals_are_regular(look)


def test_what_is_rolled_back_leaves_nothing(
    database_url: str, opener: psycopg.Connection[Any]
) -> None:
    """Neither chunk nor interval."""
    opener.rollback()
    with open_observer(database_url) as look:
        assert chunk_bounds(look) == []
        assert_intervals_are_regular(look)


def centuries_of(sources: SourceFile, *names: str) -> None:
    """Sources whose tables reach from 1700 to 2008."""
    lines = ["ts,value", *(f"{n}-01-01T00:00:00Z,{n}" for n in range(1700, 2009))]
    for name in names:
        (sources.folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        sources.csv(name, f"{name}.csv")
    sources.write()


def test_programs_that_open_chunks_at_once(
    database_url: str, tmp_path: Path, start_cli: StartCli
) -> None:
    """Four first loads of three centuries, begun together: the chunks of one, and all the rows."""
    names = ["a", "b", "c", "d"]
    centuries_of(SourceFile(tmp_path), *names)
    env = {"DATABASE_URL": database_url}
    programs = [start_cli("-q", "fetch", name, env=env) for name in names]
    ends = await_ends(programs)
    assert [program.returncode for program in programs] == [0] * 4, ends
    with open_observer(database_url) as look:
        assert len(chunk_bounds(look)) <= 2 * 12
        assert_intervals_are_regular(look)
        for name in names:
            assert len(versions(look, name)) == 309


@pytest.mark.parametrize("time", [1, 2])
def test_a_program_killed_between_chunks_leaves_no_trace(
    database_url: str, tmp_path: Path, run_cli: RunCli, time: int
) -> None:
    """But chunks that are there already; the next run has the same, and stores everything."""
    centuries_of(SourceFile(tmp_path), "a")
    env = {"DATABASE_URL": database_url}
    killed = run_cli("fetch", "a", env={**env, "DATAPORTAL_FAILPOINT": f"after_chunks@{time}:kill"})
    assert killed.returncode == -signal.SIGKILL
    await_unlocked(database_url)
    with open_observer(database_url) as look:
        assert tuples(look) == set()
        assert_intervals_are_regular(look)
        made = chunk_bounds(look)
        assert run_cli("fetch", "a", env=env).returncode == 0
        assert set(made) <= set(chunk_bounds(look))
        assert len(chunk_bounds(look)) <= 2 * 12
        assert len(versions(look, "a")) == 309


def test_a_program_killed_while_it_waits_for_the_lock(
    database_url: str, tmp_path: Path, start_cli: StartCli, run_cli: RunCli
) -> None:
    """Nothing is changed for good, and nobody waits for the dead."""
    centuries_of(SourceFile(tmp_path), "a")
    pause = Pause(tmp_path, "after_chunks")
    program = start_cli("fetch", "a", env={"DATABASE_URL": database_url, **pause.env})
    pause.wait_until_reached()
    with open_observer(database_url) as look, look.transaction():
        look.execute("LOCK TABLE ONLY time_series_data_scd2 IN SHARE UPDATE EXCLUSIVE MODE")
        pause.go_on()
        program.kill()
        program.wait()
    assert run_cli("fetch", "a", env={"DATABASE_URL": database_url}).returncode == 0
    with open_observer(database_url) as look:
        assert_intervals_are_regular(look)
        assert len(versions(look, "a")) == 309


def test_a_file_that_reaches_centuries_back_is_restored(
    database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    """Into as few chunks as it came from."""
    with open_feed(database_url) as feed:
        feed(CENTURIES)
        feed.finish()
    path = tmp_path / "load.jsonl.gz"
    with open_reader(database_url) as reader:
        dump(reader, ["load"], path)
    restore(empty_database_url, path, say=lambda _: None)
    with open_observer(database_url) as old, open_observer(empty_database_url) as new:
        assert chunk_bounds(new) == chunk_bounds(old)
        assert len(versions(new)) == 309
        assert_intervals_are_regular(new)


def test_a_portal_in_a_schema_of_its_own(database_url: str) -> None:
    """Its chunks are its own, beside hypertables of others of the same name."""
    option = f"{'&' if '?' in database_url else '?'}options=-csearch_path%3Dother"
    with open_observer(database_url) as look:
        look.execute("CREATE SCHEMA other")
        with open_feed(database_url + option) as feed:
            feed({year(1750): 1.0})
        assert len(chunk_bounds(look)) == 2 * chunks(look)[1]
        assert chunks(look)[0] == 0
