"""The columnstore: what it changes is the room that history takes, and nothing else.

These need TimescaleDB's Community edition.
"""

from __future__ import annotations

import json
import re
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from store.test_roles import as_user, grant
from support.compression import chunk_names, compress_all, rows_outside, storage_of
from support.http_server import LocalServer
from support.invariants import Finals, broken_invariants
from support.program_sources import SourceFile, table
from support.store_feed import (
    PATHS,
    AtWork,
    current,
    hour,
    hour_of,
    open_feed,
    open_observer,
    publications,
    values,
)

from dataportal.errors import DatabaseError, UpkeepError
from dataportal.store.connection import connect
from dataportal.store.read import history as reading
from dataportal.store.read.overview import open_reader
from dataportal.store.read.verify import verify
from dataportal.store.upkeep.columnstore import (
    ColumnstoreState,
    disable_columnstore,
    enable_columnstore,
    read_columnstore,
)
from dataportal.store.upkeep.maintain import maintain, open_upkeep
from dataportal.store.upkeep.plan import Work
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from conftest import RunCli

pytestmark = pytest.mark.columnstore
DAY = timedelta(days=1)
GIVES_WAY = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.DuplicateObject,
    # of a policy, which names the chunks that it could not compress this time
    psycopg.errors.DataException,
    psycopg.errors.RaiseException,
)


def assert_sound(url: str) -> None:
    """The invariants hold, by the tests' own queries and by `verify`."""
    with open_observer(url) as look:
        assert broken_invariants(look) == []
    with open_reader(url) as reader:
        assert list(verify(reader)) == []


def test_it_is_turned_on_and_off(database_url: str) -> None:
    """A series at a time, in the order of its times; by a policy; a width that fits hours."""
    with open_feed(database_url) as feed:
        feed({h: float(h) for h in range(1_000)})
    with closing(connect(database_url, application_name="test")) as connection:
        assert read_columnstore(connection).enabled is False
        state = enable_columnstore(connection, 30 * DAY)
        assert (state.enabled, state.after, state.chunk_interval) == (True, 30 * DAY, 90 * DAY)
        # again, with another AFTER
        assert enable_columnstore(connection, 7 * DAY).after == 7 * DAY
        rows = connection.execute(
            "SELECT hypertable::text, segmentby, orderby"
            " FROM timescaledb_information.hypertable_columnstore_settings ORDER BY 1"
        ).fetchall()
        assert rows == [
            ("time_series_data", "series_id", "ts"),
            ("time_series_data_scd2", "series_id", "ts,valid_to"),
            ("time_series_vintage", "series_id", "ts,published_at,recorded_at"),
        ]
    compress_all(database_url)
    with closing(connect(database_url, application_name="test")) as connection:
        assert disable_columnstore(connection) == 2
        state = read_columnstore(connection)
        # chunks to come are as wide as before
        assert state == ColumnstoreState(
            enabled=False, after=None, chunk_interval=365 * DAY, reason=None
        )
        assert disable_columnstore(connection) == 0
        jobs = connection.execute(
            "SELECT count(*) FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL"
        )
        assert jobs.fetchone() == (0,)
    with open_observer(database_url) as look:
        assert rows_outside(look) == {"time_series_data": 1_000, "time_series_data_scd2": 1_000}
    assert_sound(database_url)


@pytest.mark.parametrize("path", PATHS)
def test_history_is_the_same(path: str, columnstore_url: str, database_url: str) -> None:
    """Random merges, the chunks compressed in between: values, versions and finals as in rows."""
    assert columnstore_url == database_url
    chance = Random(path)  # noqa: S311 - to be repeated, not to be secret
    expected: dict[int, list[float]] = {}
    stored: dict[int, float] = {}
    finals = None
    for step in range(6):
        answer: dict[int, float | None] = {
            h: float(chance.randrange(4)) for h in chance.sample(range(300), 120)
        }
        if step > 2:
            for h in chance.sample(sorted(answer), 20):
                answer[h] = None
        with open_feed(database_url, sizes=PATHS[path]) as feed:
            feed(answer, accept_retractions=True)
            feed.finish()
        for h, value in answer.items():
            if value is None:
                stored.pop(h, None)
            elif stored.get(h) != value:
                expected.setdefault(h, []).append(value)
                stored[h] = value
        with open_observer(database_url) as look:
            assert (current(look), values(look)) == (stored, expected)
            assert finals is None or finals.changed_sources(look) == []
            finals = Finals(look)
        compress_all(database_url)
        with open_observer(database_url) as look:
            assert rows_outside(look) == {"time_series_data": 0, "time_series_data_scd2": 0}
            assert (current(look), values(look)) == (stored, expected)
            assert finals.changed_sources(look) == []
        assert_sound(database_url)


def test_publications_are_compressed_too(columnstore_url: str) -> None:
    """A second publication of one ts comes beside a compressed one; the same again is nothing."""
    with open_feed(columnstore_url) as feed:
        feed.session.merge(dated(feed.run, {h: {h + 1: float(h)} for h in range(50)}))
        feed.finish()
    assert compress_all(columnstore_url) == 3
    with open_feed(columnstore_url) as feed:
        again = feed.session.merge(dated(feed.run, {h: {h + 1: float(h)} for h in range(50)}))
        assert (again.vintages, again.counts.unchanged) == (0, 50)
        later = feed.session.merge(dated(feed.run, {7: {9: 70.0}}))
        assert (later.vintages, later.counts.revised) == (1, 1)
        feed.finish()
    assert_sound(columnstore_url)


def dated(run: int, points: dict[int, dict[int, float | None]]) -> Any:
    """A slice of publications of the series `load`."""
    from dataportal.store.records import Counts, SliceWrite

    received = Counts(received=sum(map(len, points.values())))
    return SliceWrite(
        run, {"load": publications(points)}, start=hour(0), end=None, received=received
    )


def test_a_run_that_brings_nothing_new_opens_nothing(columnstore_url: str) -> None:
    """No row is written, and none is made one."""
    points: dict[int, float | None] = {h: float(h) for h in range(5_000)}
    with open_feed(columnstore_url) as feed:
        feed(points)
        compress_all(columnstore_url)
        assert feed(points).counts.unchanged == 5_000
    with open_observer(columnstore_url) as look:
        assert rows_outside(look) == {"time_series_data": 0, "time_series_data_scd2": 0}


def test_a_revision_opens_what_lies_around_it(columnstore_url: str) -> None:
    """A thousand rows for each of two points far apart, not all that lie between them."""
    points: dict[int, float | None] = {h: float(h) for h in range(6_000)}
    with open_feed(columnstore_url, "load", "wind") as feed:
        feed(points, wind=points)
        compress_all(columnstore_url)
        assert feed({10: -1.0, 5_990: -1.0}).counts.revised == 2
    with open_observer(columnstore_url) as look:
        # of the history the versions that begin as well; batches end where a chunk does
        outside = rows_outside(look)
        assert 0 < outside["time_series_data"] <= 2_000
        assert 0 < outside["time_series_data_scd2"] <= 2_002
    assert_sound(columnstore_url)


@pytest.mark.slow
def test_a_slice_may_open_more_rows_than_the_server_allows_by_itself(columnstore_url: str) -> None:
    """100,000 in one statement is TimescaleDB's own limit: a year of a dozen series has more."""
    names = [f"s{n}" for n in range(13)]
    with open_feed(columnstore_url, *names) as feed:
        feed.merge({name: {h: float(h) for h in range(8_000)} for name in names})
        compress_all(columnstore_url)
        result = feed.merge({name: dict.fromkeys(range(0, 8000, 100), -1.0) for name in names})
        assert result.counts.revised == 13 * 80
        feed.finish()
    assert_sound(columnstore_url)


def test_questions_are_answered_alike(columnstore_url: str) -> None:
    """As of each knowledge time, before and after compression, bit for bit."""
    known = []
    with open_feed(columnstore_url) as feed:
        for round_ in range(4):
            result = feed({h: h * 0.1 + round_ for h in range(0, 2_000, round_ + 1)})
            known.append(result.knowledge_time)
        feed.finish()

    def answers() -> list[Any]:
        with open_reader(columnstore_url) as reader:
            return [list(reading.observations(reader, 1, at=k)) for k in known]

    before = answers()
    assert [len(rows) for rows in before] == [2_000] * 4
    compress_all(columnstore_url)
    assert answers() == before


def run_maintain(url: str) -> list[Work]:
    """Keep the tables up, without an error; what was done."""
    with open_upkeep(url) as connection:
        assert connection is not None
        from dataportal.store.read.storage import read_storage

        results = list(maintain(connection, read_storage(connection)))
    assert [r.error for r in results] == [None] * len(results)
    return [result.action.work for result in results]


NAMES = ("load", "wind", "sun")


def fill(url: str, revised: Iterable[int] | None = None) -> None:
    """Three series in one chunk, which is past; compressed and revised at those hours, if any."""
    with open_feed(url, *NAMES) as feed:
        feed.merge({name: {h: float(h % 50) for h in range(7_000)} for name in NAMES})
        if revised is not None:
            compress_all(url)
            feed.merge({name: dict.fromkeys(revised, -1.0) for name in NAMES})
        feed.finish()


def contents(url: str) -> list[Any]:
    """All versions and current values."""
    with open_observer(url) as look:
        return [(values(look, name), current(look, name)) for name in NAMES]


def test_maintain_compresses_what_is_old_and_what_was_opened(columnstore_url: str) -> None:
    """Until there is nothing left to do; in little room, also after revisions."""
    fill(columnstore_url)
    before, rows = contents(columnstore_url), storage_of(columnstore_url)
    assert rows.gain > 0.5 * rows.bytes
    assert run_maintain(columnstore_url).count(Work.COMPRESS) == 2
    compressed = storage_of(columnstore_url)
    assert Work.COMPRESS not in [a.work for a in compressed.actions]
    assert compressed.compressed_share > 0.9
    assert compressed.bytes < 0.35 * rows.bytes
    assert contents(columnstore_url) == before
    with open_feed(columnstore_url, *NAMES) as feed:
        feed.merge({name: dict.fromkeys(range(0, 7000, 20), -1.0) for name in NAMES})
        feed.finish()
    before, opened = contents(columnstore_url), storage_of(columnstore_url)
    assert run_maintain(columnstore_url).count(Work.RECOMPRESS) == 2
    again = storage_of(columnstore_url)
    assert again.bytes < 0.4 * opened.bytes
    assert not {Work.COMPRESS, Work.RECOMPRESS} & {a.work for a in again.actions}
    assert contents(columnstore_url) == before
    assert_sound(columnstore_url)


@pytest.mark.parametrize("failpoint", ["before_compressed", "after_compressed"])
@pytest.mark.parametrize("revised", [None, range(0, 7_000, 50)])
def test_a_kill_in_the_middle_loses_nothing(
    failpoint: str, revised: Iterable[int] | None, columnstore_url: str, run_cli: RunCli
) -> None:
    """The chunk is as it was or as it was to be; the next one goes on."""
    env = {"DATABASE_URL": columnstore_url}
    fill(columnstore_url, revised)
    before = contents(columnstore_url)
    killed = run_cli("maintain", env={**env, "DATAPORTAL_FAILPOINT": f"{failpoint}:kill"})
    assert killed.returncode == -9
    assert contents(columnstore_url) == before
    assert run_cli("maintain", env=env).returncode == 0
    assert contents(columnstore_url) == before
    assert storage_of(columnstore_url).compressed_share > 0.9
    with open_observer(columnstore_url) as look:
        assert rows_outside(look) == {"time_series_data": 0, "time_series_data_scd2": 0}
    assert_sound(columnstore_url)


def test_a_policy_may_work_beside_merges(columnstore_url: str) -> None:
    """Compressed again and again while revisions come: all of them are stored, none twice."""
    stop: list[bool] = []

    def compress() -> None:
        with psycopg.connect(columnstore_url, autocommit=True) as connection:
            jobs = connection.execute(
                "SELECT job_id FROM timescaledb_information.jobs WHERE hypertable_name IS NOT NULL"
            ).fetchall()
            while not stop:
                for job in jobs:
                    # one of the two may have to give way: the policy tries again by itself
                    with suppress(*GIVES_WAY):
                        connection.execute("CALL run_job(%s)", job)

    expected: dict[int, list[float]] = {}
    with open_feed(columnstore_url) as feed:
        feed(dict.fromkeys(range(3000), 0.0))
        policy = AtWork(compress)
        try:
            for step in range(1, 15):
                changes: dict[int, float | None] = {h: float(step) for h in range(step, 3_000, 97)}
                changes |= {3_000 + 10 * step + n: 1.0 for n in range(10)}
                for _ in range(5):
                    try:
                        assert feed(changes).counts.revised == sum(h < 3_000 for h in changes)
                        break
                    except DatabaseError:
                        pass  # the merge gave way: a run would try again, too
                else:
                    pytest.fail("gave way each time")
                for h, value in changes.items():
                    assert value is not None
                    expected.setdefault(h, [0.0] if h < 3_000 else []).append(value)
        finally:
            stop.append(True)
            assert policy.end() is None
        feed.finish()
    with open_observer(columnstore_url) as look:
        stored = values(look)
        assert {h: stored[h] for h in expected} == expected
        assert len(stored) == 3_000 + 140
    assert_sound(columnstore_url)


def test_dump_and_restore(
    columnstore_url: str, empty_database_url: str, run_cli: RunCli, tmp_path: Path
) -> None:
    """A compressed history is dumped whole, and is the same where it is restored."""
    with open_feed(columnstore_url) as feed:
        feed({h: float(h) for h in range(2_000)})
        feed(dict.fromkeys(range(0, 2000, 3), -1.0))
        feed.finish()
    compress_all(columnstore_url)
    env = {"DATABASE_URL": columnstore_url}
    assert run_cli("dump", "load", "load.jsonl.gz", cwd=tmp_path, env=env).returncode == 0
    there = {"DATABASE_URL": empty_database_url}
    assert run_cli("restore", "load.jsonl.gz", cwd=tmp_path, env=there).returncode == 0
    with open_observer(columnstore_url) as look, open_observer(empty_database_url) as other:
        assert values(look) == values(other)
        assert current(look) == current(other)
    # and back into a portal with the columnstore on, where it is there already
    assert run_cli("restore", "load.jsonl.gz", cwd=tmp_path, env=env).returncode == 0


def test_roles_may_do_what_they_might(columnstore_url: str, run_cli: RunCli) -> None:
    """The writer revises what is compressed, can delete no version of it, and does no upkeep."""
    with open_feed(columnstore_url) as feed:
        feed({h: float(h) for h in range(500)})
        feed.finish()
    compress_all(columnstore_url)
    with psycopg.connect(columnstore_url, autocommit=True) as owner:
        name = owner.info.dbname
        # a TimescaleDB before 2.29 grants no right to a column while it is on
        with closing(connect(columnstore_url, application_name="test")) as connection:
            disable_columnstore(connection)
            grant(owner, f"{name}_writer", f"{name}_reader")
            enable_columnstore(connection, timedelta())
        compress_all(columnstore_url)
        owner.execute(
            f"CREATE ROLE {name}_user LOGIN PASSWORD 'for-tests-only'"
            f" IN ROLE {name}_writer".encode()
        )
        try:
            url = as_user(columnstore_url, f"{name}_user")
            with open_feed(url) as feed:
                assert feed({3: -1.0, 600: 1.0}).counts.revised == 1
                feed.finish()
            with psycopg.connect(url, autocommit=True) as writer:
                for statement in (
                    "DELETE FROM time_series_data_scd2",
                    "UPDATE time_series_data_scd2 SET value = 0",
                    "SELECT decompress_chunk(c) FROM show_chunks('time_series_data_scd2') AS c",
                ):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        writer.execute(statement.encode())
            for command in (("migrate", "--no-columnstore"), ("migrate", "--columnstore", "9d")):
                refused = run_cli(*command, env={"DATABASE_URL": url})
                assert refused.returncode == 78
                assert "this role may not change how" in refused.stderr
        finally:
            owner.execute(f"DROP OWNED BY {name}_user; DROP ROLE {name}_user".encode())
            for group in ("writer", "reader", "migrator"):
                owner.execute(f"DROP OWNED BY {name}_{group}; DROP ROLE {name}_{group}".encode())
    with closing(connect(columnstore_url, application_name="test")) as connection:
        assert read_columnstore(connection).after == timedelta()
    assert_sound(columnstore_url)


def test_what_somebody_else_compresses_otherwise_stays_so(
    database_url: str, run_cli: RunCli
) -> None:
    """It is named, and nothing is changed: neither that table nor the others."""
    with closing(connect(database_url, application_name="test")) as connection:
        connection.execute(
            "ALTER TABLE time_series_data_scd2 SET (timescaledb.compress,"
            " timescaledb.compress_segmentby = 'run_id', timescaledb.compress_orderby = 'ts')"
        )
        with pytest.raises(UpkeepError, match=r"somebody else .* segmentby run_id, orderby ts"):
            enable_columnstore(connection, 30 * DAY)
        state = read_columnstore(connection)
        assert (state.enabled, state.after) == (False, None)
    for options in (("--columnstore",), ("--no-columnstore",), ("--columnstore", "--plan")):
        done = run_cli("migrate", *options, env={"DATABASE_URL": database_url})
        assert (done.returncode, done.stdout) == (78, "")
        assert len(done.stderr.strip().splitlines()) == 1


def test_what_somebody_else_left_to_the_server_to_choose_stays_so(
    database_url: str, run_cli: RunCli
) -> None:
    """How it chose stands with the chunks that it compressed; once these are rows, it is ours."""
    with open_feed(database_url, "load", "wind") as feed:
        hours: dict[int, float | None] = {h: float(h) for h in range(3_000)}
        feed.merge({"load": hours, "wind": hours})
    with open_observer(database_url) as look:
        look.execute("ALTER TABLE time_series_data_scd2 SET (timescaledb.compress)")
        look.execute("SELECT compress_chunk(c) FROM show_chunks('time_series_data_scd2') AS c")
        settings = "SELECT * FROM timescaledb_information.chunk_columnstore_settings"
        before = look.execute(settings).fetchall()
        for options in (("--columnstore",), ("--no-columnstore",), ("--columnstore", "--plan")):
            done = run_cli("migrate", *options, env={"DATABASE_URL": database_url})
            assert (done.returncode, done.stdout) == (78, "")
            assert re.search("somebody else .* segmentby series_id, orderby ts DESC", done.stderr)
        assert look.execute(settings).fetchall() == before
        look.execute("SELECT decompress_chunk(c) FROM show_chunks('time_series_data_scd2') AS c")
        look.execute("ALTER TABLE time_series_data_scd2 SET (timescaledb.compress = false)")
    on = run_cli("migrate", "--columnstore", "84 hours", env={"DATABASE_URL": database_url})
    assert on.stdout.endswith("when all in them is older than 84 hours\n")
    assert_sound(database_url)


def test_it_is_done_as_a_user_types_it(database_url: str, run_cli: RunCli, tmp_path: Path) -> None:
    """On, upkeep, a fetch that revises, upkeep, off: each says what it did, and all stays sound."""
    env = {"DATABASE_URL": database_url}
    with LocalServer() as server:
        sources = SourceFile(tmp_path)
        first = {h: float(h) for h in range(3_000)}
        second = {**first, 5: -1.0, 2_900: -1.0}
        sources.csv("load", server.answer("/load.csv", table(first), table(second)))
        sources.write()
        assert run_cli("fetch", "load", env=env).returncode == 0
        plan = run_cli("migrate", "--columnstore", "--plan", env=env)
        assert "would be turned on, for what is older than 30 d" in plan.stdout
        on = run_cli("migrate", "--columnstore", "--json", env=env)
        assert on.returncode == 0, on.stderr
        assert json.loads(on.stdout)["columnstore"] == {
            "enabled": True,
            "after": 30 * 86_400.0,
            "chunk_interval": 90 * 86_400.0,
            "reason": None,
        }
        kept = run_cli("maintain", env=env)
        assert kept.returncode == 0, kept.stderr
        assert "compressed" in kept.stdout
        plan = run_cli("migrate", "--columnstore", "90d", "--plan", env=env)
        assert plan.stdout.endswith("would stay on, for what is older than 90 d\n")
        assert "compressed" in run_cli("healthcheck", env=env).stdout
        fetched = run_cli("fetch", "load", "--json", env=env)
        assert json.loads(fetched.stdout)["runs"][0]["revised"] == 2
        assert run_cli("maintain", env=env).returncode == 0
        assert run_cli("verify", env=env).returncode == 0
        plan = run_cli("migrate", "--no-columnstore", "--plan", env=env)
        assert "would be turned off" in plan.stdout
        off = run_cli("migrate", "--no-columnstore", env=env)
        assert off.returncode == 0
        assert "made rows again" in off.stdout
    with open_observer(database_url) as look:
        assert current(look) == second
    assert_sound(database_url)


def test_grants_can_be_run_again(columnstore_url: str) -> None:
    """Also where the columnstore is on; whoever had more than its due has that no longer."""
    with psycopg.connect(columnstore_url, autocommit=True) as owner:
        name = owner.info.dbname
        try:
            # a TimescaleDB before 2.29 grants no right to a column while it is on
            with closing(connect(columnstore_url, application_name="test")) as connection:
                disable_columnstore(connection)
                grant(owner, f"{name}_writer", f"{name}_reader")
                enable_columnstore(connection, timedelta())
            for _ in range(2):
                grant(owner, f"{name}_writer", f"{name}_reader")
                row = owner.execute(
                    "SELECT has_column_privilege(%(r)s, t, 'valid_to', 'UPDATE'),"
                    " has_column_privilege(%(r)s, t, 'value', 'UPDATE'),"
                    " has_table_privilege(%(r)s, t, 'SELECT'),"
                    " has_table_privilege(%(r)s, t, 'INSERT'),"
                    " has_table_privilege(%(r)s, t, 'DELETE')"
                    " FROM (VALUES ('time_series_data_scd2'::regclass)) AS v (t)",
                    {"r": f"{name}_writer"},
                ).fetchone()
                assert row == (True, False, True, True, False)
        finally:
            for group in ("writer", "reader", "migrator"):
                owner.execute(f"DROP OWNED BY {name}_{group}; DROP ROLE {name}_{group}".encode())


def test_old_chunks_become_one(database_url: str) -> None:
    """As wide as they would be made now; every version stays as it was."""
    with open_observer(database_url) as look:
        for name in ("time_series_data", "time_series_data_scd2"):
            # as an earlier version opened them
            columns = {"time_series_data": "updated_at", "time_series_data_scd2": "valid_from"}
            look.execute(
                f"INSERT INTO {name} (ts, value, {columns[name]}, run_id, series_id)"  # noqa: S608
                " SELECT t, 0, now(), 0, 0 FROM generate_series("
                "timestamptz '1950-06-01', timestamptz '1999-06-01', interval '365 days') AS t"
            )
            look.execute(f"DELETE FROM {name}")  # noqa: S608
        before = len(chunk_names(look))
    with open_feed(database_url) as feed:
        feed({-n * 8_760: float(n) for n in range(26, 75)})
        feed({-n * 8_760: -float(n) for n in range(30, 60)})
        feed.finish()
    with open_observer(database_url) as look:
        stored = values(look), current(look)
    with open_upkeep(database_url) as connection:
        assert connection
        storage = storage_of(database_url)
        assert {action.work for action in storage.actions} >= {Work.MERGE}
        results = [*maintain(connection, storage)]
    assert [result.error for result in results] == [None] * len(results)
    assert before >= 2 * 49
    with open_observer(database_url) as look:
        assert len(chunk_names(look)) <= 2 * 6
        assert (values(look), current(look)) == stored
    assert_sound(database_url)
    with open_feed(database_url) as feed:
        assert feed({-30 * 8_760: 5.0, -31 * 8_760 + 1: 6.0}).counts.revised == 1


@pytest.mark.parametrize("is_on", [False, True])
def test_an_interval_is_not_set_while_chunks_are_opened(database_url: str, is_on: bool) -> None:  # noqa: FBT001 - a parameter
    """Who opens one sets back what it found: the interval is changed before that, or after it."""
    recent = hour_of(utc_now())
    with open_feed(database_url) as feed:
        feed({recent - h: float(h) for h in range(1_000)})
    with (
        psycopg.connect(database_url) as opener,
        closing(connect(database_url, application_name="test")) as connection,
        open_observer(database_url) as look,
    ):
        if is_on:
            # then nothing else of what is to be done needs a lock of the tables
            enable_columnstore(connection, DAY)
            look.execute("SELECT set_chunk_time_interval('time_series_data', interval '7 days')")
        opener.execute("SELECT dataportal_open_chunks('data', ARRAY['1700-01-01']::timestamptz[])")
        work = AtWork(lambda: enable_columnstore(connection, 30 * DAY))
        blocked = "SELECT pg_blocking_pids(%s) = '{}'"
        while look.execute(blocked, [connection.info.backend_pid]).fetchone() == (True,):
            assert work.is_alive(), work.raised
        opener.commit()
        assert work.end() is None
        assert read_columnstore(connection).chunk_interval == 90 * DAY
        rows = look.execute(
            "SELECT DISTINCT time_interval FROM timescaledb_information.dimensions"
            " WHERE hypertable_name LIKE 'time_series%' AND column_name = 'ts'"
        )
        assert rows.fetchall() == [(90 * DAY,)]


@pytest.mark.slow
@pytest.mark.parametrize("turn", ["on", "off"])
def test_who_reads_for_long_is_let_by(turn: str, database_url: str) -> None:
    """It waits for seconds only, as all others wait behind it, and is tried again."""
    with open_feed(database_url) as feed:
        feed({0: 1.0})
    with (
        psycopg.connect(database_url) as reader,
        closing(connect(database_url, application_name="test")) as connection,
        open_observer(database_url) as look,
    ):
        if turn == "off":
            enable_columnstore(connection, DAY)
        reader.execute("SELECT FROM time_series_data_scd2").fetchall()
        change = partial(enable_columnstore, connection, DAY)
        work = AtWork(change if turn == "on" else partial(disable_columnstore, connection))
        blocked = "SELECT pg_blocking_pids(%s) = '{}'"
        for is_free in (True, False):
            while look.execute(blocked, [connection.info.backend_pid]).fetchone() == (is_free,):
                assert work.is_alive(), work.raised
        reader.rollback()
        assert work.end() is None
        assert read_columnstore(connection).enabled == (turn == "on")
