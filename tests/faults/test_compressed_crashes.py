"""Kills in the middle of work on compressed chunks: of the program, and of its server process.

Each trial ends one command once. Then the invariants hold, `verify` finds nothing, the same command
needs no help, and the database holds what it holds where nobody was killed. Runs that revise,
withdraw and go by slices, with data that differ, are in `test_crash_matrix.py`.
"""

from __future__ import annotations

import json
import signal
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
from cli.test_maintain import OLD_RUNS
from support.compression import compress_all, rows_outside
from support.invariants import Finals, broken_invariants
from support.program_sources import Pause, SourceFile, await_end, await_unlocked
from support.store_feed import hour, open_feed, open_observer

from dataportal.store.connection import connect
from dataportal.store.migrations import migrate
from dataportal.store.upkeep.columnstore import (
    enable_columnstore,
    read_columnstore,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import RunCli, StartCli
    from support.containers import OwnServer

pytestmark = [pytest.mark.columnstore, pytest.mark.slow]
RUN = ("fetch", "load", "--accept-retractions")
Published = dict[int, dict[int | None, float | None]]
"""Values by the hour that they are for, and by the hour at which they were published, if any."""


class Kind(NamedTuple):
    """A kind of run: what the provider answers before the run that is killed, and to it."""

    before: Published
    answer: Published


def _plain(values: Mapping[int, float | None]) -> Published:
    return {h: {None: value} for h, value in values.items()}


STORED: dict[int, float | None] = {h: float(h) for h in range(160)}
KINDS = {
    # many, so that they are copied, in the middle of those of another series
    "first load": Kind({}, _plain({h: float(h) for h in range(9_000)})),
    "unchanged": Kind(_plain(STORED), _plain(STORED)),
    "revised": Kind(_plain(STORED), _plain({**STORED, **dict.fromkeys(range(3, 160, 20), -1.0)})),
    "withdrawn": Kind(_plain(STORED), _plain({**STORED, **dict.fromkeys(range(3, 160, 20))})),
    "publications": Kind(
        {h: {h: float(h), h + 1: float(h)} for h in range(160)},
        {h: {h: float(h), h + 1: float(h), h + 2: -1.0} for h in range(100, 160)},
    ),
}
WRITING = ("after_start", "after_fetch", "between_tables", "before_commit", "after_commit")
PASSED = {
    **dict.fromkeys(KINDS, WRITING),
    "first load": (*WRITING, "mid_copy", "after_chunks"),
    "unchanged": WRITING[:2],
}
"""The failpoints by which a run of each kind comes."""
KEPT_UP = (
    *("before_merged", "before_merged@2", "before_compressed", "after_compressed"),
    *("before_compressed@3", "after_compressed@3", "after_vacuumed", "after_vacuumed@2"),
)
TURNED_OFF = ("before_rows", "before_rows@2", "before_disabled")


def answer(folder: Path, values: Published) -> None:
    """Let the provider answer that from now on: a point for each publication."""
    points = [
        {"ts": hour(h).isoformat(), "value": value}
        | ({} if at is None else {"published_at": hour(at).isoformat()})
        for h, by_time in values.items()
        for at, value in by_time.items()
    ]
    (folder / "answer.json").write_text(json.dumps(points), encoding="utf-8")


def stored(look: psycopg.Connection[Any]) -> dict[str, Any]:
    """All that is stored but for the clock: knowledge times by their order in each source."""
    versions = look.execute(
        "SELECT source, endpoint_prefix, ts, value, valid_from, nullif(valid_to, 'infinity')"
        " FROM time_series_data_scd2 JOIN time_series USING (series_id) ORDER BY 2, 3, 5"
    ).fetchall()
    values = look.execute(
        "SELECT source, endpoint_prefix, ts, value, d.updated_at"
        " FROM time_series_data AS d JOIN time_series USING (series_id) ORDER BY 2, 3"
    ).fetchall()
    vintages = look.execute(
        "SELECT source, endpoint_prefix, ts, published_at, value, recorded_at"
        " FROM time_series_vintage JOIN time_series USING (series_id) ORDER BY 2, 3, 4, 6"
    ).fetchall()
    times: dict[str, set[Any]] = {}
    for source, *_, since, until in versions:
        times.setdefault(source, set()).update({since, until} - {None})
    for source, *_, recorded in vintages:
        times.setdefault(source, set()).add(recorded)
    order = {
        (source, time): number
        for source, known in times.items()
        for number, time in enumerate(sorted(known))
    }
    return {
        "versions": [(*v[:4], order[v[0], v[4]], order.get((v[0], v[5]))) for v in versions],
        "values": [(*d[:4], order[d[0], d[4]]) for d in values],
        "vintages": [(*p[:5], order[p[0], p[5]]) for p in vintages],
        "written": look.execute(
            "SELECT source, sum(inserted), sum(revised), sum(retracted), sum(vintages)"
            " FROM fetch_run WHERE inserted + revised + retracted + vintages > 0"
            " GROUP BY source ORDER BY source"
        ).fetchall(),
    }


def assert_sound(url: str, run_cli: RunCli) -> None:
    """The invariants hold, by the tests' own queries and by `verify`."""
    with open_observer(url) as look:
        assert broken_invariants(look) == []
    verified = run_cli("verify", env={"DATABASE_URL": url})
    assert verified.returncode == 0, verified.stdout + verified.stderr


def turn_on(url: str) -> None:
    """The columnstore, in which no policy works by itself."""
    with closing(connect(url, application_name="test")) as connection:
        enable_columnstore(connection, timedelta())
        connection.execute(
            "SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs"
            " WHERE hypertable_name IS NOT NULL"
        )


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, Any]]:
    """What each kind of run comes to that nobody kills."""
    return {}


def prepare_run(url: str, kind: str, folder: Path, run_cli: RunCli) -> None:
    """Compressed chunks with what is stored before, and another series in them; the answer."""
    with open_feed(url, "wind", source="wind") as feed:
        feed.merge({"wind": {h: float(h % 7) for h in range(9_000)}})
        feed.finish()
    sources = SourceFile(folder)
    sources.python(
        "load",
        f"""
        def get_historical_data(self, *window):
            with open({str(folder / "answer.json")!r}) as answer:
                return json.load(answer)
        """,
        initial_history="all",
        lookback="1000 days",
    )
    sources.write()
    if KINDS[kind].before:
        answer(folder, KINDS[kind].before)
        assert run_cli(*RUN, env={"DATABASE_URL": url}, cwd=folder).returncode == 0
    assert compress_all(url) > 0
    answer(folder, KINDS[kind].answer)


@pytest.mark.parametrize(
    ("kind", "failpoint"), [(kind, point) for kind in KINDS for point in PASSED[kind]]
)
def test_a_run_that_is_killed(
    kind: str,
    failpoint: str,
    columnstore_url: str,
    empty_database_url: str,
    tmp_path: Path,
    outcomes: dict[str, dict[str, Any]],
    run_cli: RunCli,
) -> None:
    """What was there before, or all of it; the next one comes to what one comes to by itself."""
    url, env = columnstore_url, {"DATABASE_URL": columnstore_url}
    if kind not in outcomes:
        other = empty_database_url
        with closing(connect(other, application_name="test")) as connection:
            migrate(connection)
        turn_on(other)
        prepare_run(other, kind, tmp_path, run_cli)
        assert run_cli(*RUN, env={"DATABASE_URL": other}).returncode == 0
        with open_observer(other) as look:
            outcomes[kind] = stored(look)
    prepare_run(url, kind, tmp_path, run_cli)
    with open_observer(url) as look:
        before, finals = stored(look), Finals(look)

    killed = run_cli(*RUN, env={**env, "DATAPORTAL_FAILPOINT": f"{failpoint}:kill"})

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    await_unlocked(url)
    with open_observer(url) as look:
        assert stored(look) == (outcomes[kind] if failpoint == "after_commit" else before)
    assert_sound(url, run_cli)
    again = run_cli(*RUN, env=env)
    assert again.returncode == 0, again.stderr
    with open_observer(url) as look:
        assert stored(look) == outcomes[kind]
        assert finals.changed_sources(look) == []
    assert_sound(url, run_cli)
    assert run_cli("maintain", env=env).returncode == 0
    with open_observer(url) as look:
        assert stored(look) == outcomes[kind]
    assert_sound(url, run_cli)


def fill(url: str) -> None:
    """All kinds of work for `maintain` on chunks, all of which are past."""
    names = ("load", "wind", "sun")
    with open_feed(url, *names) as feed:
        feed.merge({name: {h: float(h % 50) for h in range(6_900)} for name in names})
        assert compress_all(url) == 2
        feed.merge({name: dict.fromkeys(range(0, 6_900, 50), -1.0) for name in names})
        feed.merge({name: {h: float(h % 50) for h in range(-8_000, -1_600)} for name in names})
        with open_observer(url) as look:
            for table, known in (("data", "updated_at"), ("data_scd2", "valid_from")):
                # as an earlier version opened them
                look.execute(
                    f"INSERT INTO time_series_{table} (ts, value, {known}, run_id, series_id)"  # noqa: S608
                    " SELECT t, 0, now(), 0, 0 FROM generate_series(timestamptz '1960-06-01',"
                    " timestamptz '1968-06-01', interval '365 days') AS t"
                )
                look.execute(f"DELETE FROM time_series_{table} WHERE run_id = 0")  # noqa: S608
        feed.merge({"load": {-n * 8_766: float(n) for n in range(57, 65)}})
        feed.finish()


def work_left(url: str, run_cli: RunCli) -> set[str]:
    """What `maintain` would do with chunks."""
    plan = run_cli("maintain", "--plan", "--json", env={"DATABASE_URL": url})
    kinds = {action["work"] for action in json.loads(plan.stdout)["actions"]}
    return kinds & {"merge", "compress", "recompress"}


@pytest.mark.parametrize("failpoint", KEPT_UP)
def test_upkeep_that_is_killed(failpoint: str, columnstore_url: str, run_cli: RunCli) -> None:
    """No value, no version and no chunk is lost; the next ones do what is left."""
    url, env = columnstore_url, {"DATABASE_URL": columnstore_url}
    fill(url)
    assert work_left(url, run_cli) == {"merge", "compress", "recompress"}
    with open_observer(url) as look:
        before = stored(look)
    killed = run_cli("maintain", env={**env, "DATAPORTAL_FAILPOINT": f"{failpoint}:kill"})
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    await_unlocked(url)
    assert_kept_up(url, before, run_cli)


def assert_kept_up(url: str, before: dict[str, Any], run_cli: RunCli) -> None:
    """All is as before, now and when the upkeep was done; then nothing is left to be done."""
    with open_observer(url) as look:
        assert stored(look) == before
        assert_sound(url, run_cli)
        # what becomes of chunks that were made one is looked at the next time
        for _ in range(2):
            done = run_cli("maintain", env={"DATABASE_URL": url})
            assert done.returncode == 0, done.stdout + done.stderr
        assert work_left(url, run_cli) == set()
        assert rows_outside(look) == {"time_series_data": 0, "time_series_data_scd2": 0}
        assert stored(look) == before
        assert_sound(url, run_cli)


@pytest.mark.parametrize("failpoint", TURNED_OFF)
def test_turning_it_off_is_killed(failpoint: str, columnstore_url: str, run_cli: RunCli) -> None:
    """What is rows stays rows, what is not is still answered; the next time ends it."""
    url, env = columnstore_url, {"DATABASE_URL": columnstore_url}
    fill(url)
    with open_observer(url) as look:
        before = stored(look)
    off = ("migrate", "--no-columnstore")
    killed = run_cli(*off, env={**env, "DATAPORTAL_FAILPOINT": f"{failpoint}:kill"})
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    plan = run_cli(*off, "--plan", env=env)
    assert "are not compressed by themselves" in plan.stdout
    assert "would be turned off" in plan.stdout
    assert_turned_off(url, before, run_cli)


def assert_turned_off(url: str, before: dict[str, Any], run_cli: RunCli) -> None:
    """All is as before, now and when it was turned off, which works."""
    with open_observer(url) as look:
        assert stored(look) == before
        assert_sound(url, run_cli)
        off = run_cli("migrate", "--no-columnstore", env={"DATABASE_URL": url})
        assert off.returncode == 0, off.stderr
        assert state_of(url) == (False, None)
        assert stored(look) == before
        assert rows_outside(look)["time_series_data"] == len(before["values"])
        assert_sound(url, run_cli)


@pytest.mark.parametrize("was_on", [False, True])
def test_turning_it_on_is_killed(was_on: bool, database_url: str, run_cli: RunCli) -> None:  # noqa: FBT001 - a parameter
    """All of it or nothing; the next time does it."""
    url, env = database_url, {"DATABASE_URL": database_url}
    with open_feed(url) as feed:
        feed({h: float(h) for h in range(3_000)})
        feed.finish()
    if was_on:
        turn_on(url)
    found = state_of(url)
    on = ("migrate", "--columnstore", "90d")
    killed = run_cli(*on, env={**env, "DATAPORTAL_FAILPOINT": "before_enabled:kill"})
    assert killed.returncode == -signal.SIGKILL
    assert state_of(url) == found
    assert_sound(url, run_cli)
    assert run_cli(*on, env=env).returncode == 0
    assert state_of(url) == (True, timedelta(days=90))


def state_of(url: str) -> tuple[bool, timedelta | None]:
    """Whether the columnstore is on, and its AFTER."""
    with closing(connect(url, application_name="test")) as connection:
        state = read_columnstore(connection)
    return state.enabled, state.after


@pytest.fixture
def crash_database(module_server: OwnServer) -> str:
    """The URL of a database of its own, with the columnstore on."""
    url = module_server.in_new_database()
    with closing(connect(url, application_name="test")) as connection:
        migrate(connection)
    turn_on(url)
    return url


def backend_of(url: str) -> int:
    """The process of the server that works for the program."""
    with open_observer(url) as look:
        row = look.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'dataportal%' ORDER BY state = 'idle'"
        ).fetchone()
    assert row
    return int(row[0])


def end_backend(
    server: OwnServer,
    arguments: tuple[str, ...],
    failpoint: str,
    url: str,
    folder: Path,
    start_cli: StartCli,
) -> None:
    """Kill the server's process once the program is there: it says so, and has no more to say."""
    pause = Pause(folder, failpoint)
    program = start_cli(*arguments, env={"DATABASE_URL": url, "MAX_RETRIES": "0", **pause.env})
    pause.wait_until_reached()
    server.kill(backend_of(url))
    pause.go_on()
    _, said = await_end(program)
    assert program.returncode in {3, 69}, said
    assert "Traceback" not in said


@pytest.mark.docker
@pytest.mark.parametrize("kind", ["first load", "revised", "withdrawn", "publications"])
@pytest.mark.parametrize("failpoint", ["between_tables", "before_commit"])
def test_the_server_process_of_a_run_is_killed(
    kind: str,
    failpoint: str,
    module_server: OwnServer,
    crash_database: str,
    tmp_path: Path,
    run_cli: RunCli,
    start_cli: StartCli,
) -> None:
    """And with it all others of the server, which starts anew: nothing of the slice is stored."""
    url, env = crash_database, {"DATABASE_URL": crash_database}
    prepare_run(url, kind, tmp_path, run_cli)
    with open_observer(url) as look:
        before = stored(look)
    end_backend(module_server, RUN, failpoint, url, tmp_path, start_cli)
    with open_observer(url) as look:
        assert stored(look) == before
    assert_sound(url, run_cli)
    again = run_cli(*RUN, env=env)
    assert again.returncode == 0, again.stderr
    with open_observer(url) as look:
        after = stored(look)
    assert (after["values"], after["vintages"]) != (before["values"], before["vintages"])
    assert_sound(url, run_cli)
    unchanged = run_cli(*RUN, "--json", env=env)
    assert json.loads(unchanged.stdout)["runs"][0]["outcome"] == "unchanged"


@pytest.mark.docker
@pytest.mark.parametrize(
    "failpoint",
    ["before_merged", "before_compressed", "before_compressed@3", "after_vacuumed", "before_rows"],
)
def test_the_server_process_of_upkeep_is_killed(
    failpoint: str,
    module_server: OwnServer,
    crash_database: str,
    tmp_path: Path,
    run_cli: RunCli,
    start_cli: StartCli,
) -> None:
    """Chunks are as they were or as they were to be; the next time it is done."""
    url = crash_database
    fill(url)
    with open_observer(url) as look:
        before = stored(look)
    off = failpoint == "before_rows"
    command = ("migrate", "--no-columnstore") if off else ("maintain",)
    end_backend(module_server, command, failpoint, url, tmp_path, start_cli)
    (assert_turned_off if off else assert_kept_up)(url, before, run_cli)


@pytest.mark.docker
def test_a_server_process_that_makes_an_index_anew_is_killed(
    module_server: OwnServer, crash_database: str, run_cli: RunCli, start_cli: StartCli
) -> None:
    """What it leaves behind is cleared away by the next one."""
    url, env = crash_database, {"DATABASE_URL": crash_database}
    with open_observer(url) as look:
        look.execute(OLD_RUNS.replace("7001", "60000").replace("n = 1", "n = 0"))
        look.execute("DELETE FROM fetch_run WHERE run_id > 100")
    # what a session did is counted when it has ended
    with open_observer(url) as look:
        look.execute("VACUUM ANALYZE fetch_run")
    unfinished = (
        "SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indrelid = 'fetch_run'::regclass"
    )
    with closing(psycopg.connect(url)) as holder, closing(psycopg.connect(url)) as look:
        look.autocommit = True
        # an old snapshot is waited for
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT FROM source_state").fetchall()
        program = start_cli("maintain", env=env)
        while look.execute(unfinished).fetchone() != (1,):
            assert program.poll() is None
        module_server.kill(backend_of(url))
        _, said = await_end(program)
        assert program.returncode == 69, said
    with open_observer(url) as look:
        assert look.execute(unfinished).fetchone() == (1,)
        assert_sound(url, run_cli)
        assert run_cli("maintain", env=env).returncode == 0
        assert look.execute(unfinished).fetchone() == (0,)
        assert_sound(url, run_cli)
