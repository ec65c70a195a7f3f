"""Concurrent processes: each source is fetched by one of them, and none is in another's way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from socket import gethostname
from threading import Event
from typing import TYPE_CHECKING

import pytest
from support.databases import with_schema
from support.embedded_user import await_true
from support.http_server import LocalServer, Reply
from support.invariants import broken_invariants
from support.program_sources import (
    Pause,
    SourceFile,
    await_end,
    await_ends,
    held_locks,
    outcomes,
    recorded_runs,
    runs_by_source,
    table,
)
from support.store_feed import current, open_observer, values
from support.tcp_proxy import in_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli, StartCli
    from support.databases import Databases

ANSWER = table([1.0, 2.0, 3.0])
STORED = {0: 1.0, 1: 2.0, 2: 3.0}
MIGRATING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name LIKE 'dataportal%' AND pid <> pg_backend_pid()"
    " AND (query LIKE '%pg_try_advisory_lock%' OR cardinality(pg_blocking_pids(pid)) > 0)"
)


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A provider."""
    with LocalServer() as local:
        yield local


@pytest.mark.slow
def test_twenty_processes_on_one_source(
    tmp_path: Path, server: LocalServer, database_url: str, start_cli: StartCli
) -> None:
    """One fetches; nineteen do not wait, but skip it, and name the one that holds it."""
    slow_answer = table([1.0, 2.0, 3.0], hold=Event())
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    sources.csv("load", server.answer("/load.csv", slow_answer))
    sources.write()

    processes = [start_cli("fetch", "load", "--json", env=env) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        ends = {pool.submit(await_end, process): process for process in processes}
        finished = as_completed(ends)
        others = [next(finished) for _ in range(19)]
        (holder,) = [process for future, process in ends.items() if future not in others]
        assert holder.poll() is None
        assert slow_answer.hold
        slow_answer.hold.set()
        last = next(finished)

    assert {process.returncode for process in processes} == {0}
    assert runs_by_source(last.result()[0])["load"]["outcome"] == "succeeded"
    runs = [runs_by_source(future.result()[0])["load"] for future in others]
    assert {run["outcome"] for run in runs} == {"skipped"}
    # who came before the holder had recorded its run can only name what the server knows
    names = (f"host {gethostname()}, pid {holder.pid}, since 2", "dataportal load from ")
    assert all(any(f"locked by {name}" in run["reason"] for name in names) for run in runs), runs
    assert any(names[0] in run["reason"] for run in runs), runs
    assert server.asked("/load.csv") == 1
    assert outcomes(database_url) == ["succeeded"]
    assert held_locks(database_url) == 0
    with open_observer(database_url) as look:
        assert current(look) == STORED
        assert broken_invariants(look) == []


@pytest.mark.slow
def test_four_machines_share_two_hundred_sources(
    tmp_path: Path, server: LocalServer, database_url: str, start_cli: StartCli
) -> None:
    """`fetch-all --due` four times at once: every source is fetched once, and none is left out."""
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    names = [sources.csv(f"s{n}", server.answer(f"/{n}.csv", ANSWER)) for n in range(200)]
    sources.write()

    processes = [start_cli("fetch-all", "--due", "--json", env=env) for _ in range(4)]
    outputs = await_ends(processes)

    assert {process.returncode for process in processes} == {0}, outputs
    assert {n: server.asked(f"/{n}.csv") for n in range(200)} == dict.fromkeys(range(200), 1)
    fetched = [
        name
        for out, _ in outputs
        for name, run in runs_by_source(out).items()
        if run["outcome"] != "skipped"
    ]
    assert sorted(fetched) == sorted(names)
    runs = recorded_runs(database_url)
    assert sorted(run.source for run in runs) == sorted(names)
    assert {run.outcome for run in runs} == {"succeeded"}
    assert held_locks(database_url) == 0
    with open_observer(database_url) as look:
        assert broken_invariants(look) == []


@pytest.mark.slow
def test_eight_first_runs_on_an_empty_database(
    tmp_path: Path, server: LocalServer, empty_database_url: str, start_cli: StartCli
) -> None:
    """One schema comes of it, all store what they fetched, and none reports an error.

    The first is in the middle of making it when the others want to.
    """
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": empty_database_url}
    names = [sources.csv(f"s{n}", server.answer(f"/{n}.csv", ANSWER)) for n in range(8)]
    sources.write()

    pause = Pause(tmp_path, "migration_before_commit")
    processes = [start_cli("fetch", names[0], "--json", env={**env, **pause.env})]
    pause.wait_until_reached()
    processes += [start_cli("fetch", name, "--json", env=env) for name in names[1:]]
    with open_observer(empty_database_url) as look:
        while look.execute(MIGRATING).fetchone() != (7,):
            assert not any(process.poll() for process in processes)
    pause.go_on()
    outputs = await_ends(processes)

    assert {process.returncode for process in processes} == {0}, outputs
    assert outcomes(empty_database_url) == ["succeeded"] * 8
    with open_observer(empty_database_url) as look:
        assert [current(look, name) for name in names] == [STORED] * 8
        assert broken_invariants(look) == []
        versions = look.execute("SELECT version FROM schema_migration ORDER BY 1").fetchall()
    assert versions == [(n,) for n in range(1, len(versions) + 1)]


def test_fetch_all_beside_fetch(
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    start_cli: StartCli,
    run_cli: RunCli,
) -> None:
    """It passes over the source that is being fetched, and fetches the others."""
    slow_answer = table([1.0, 2.0, 3.0], hold=Event())
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    sources.csv("slow", server.answer("/slow.csv", slow_answer))
    sources.csv("quick", server.answer("/quick.csv", ANSWER))
    sources.write()
    first = start_cli("fetch", "slow", env=env)
    server.wait_for("/slow.csv")

    second = run_cli("fetch-all", "--json", env=env)

    assert second.returncode == 0
    runs = runs_by_source(second)
    assert {name: run["outcome"] for name, run in runs.items()} == {
        "slow": "skipped",
        "quick": "succeeded",
    }
    assert f"pid {first.pid}" in runs["slow"]["reason"]
    assert slow_answer.hold
    slow_answer.hold.set()
    await_end(first)
    assert first.returncode == 0
    assert server.asked("/slow.csv") == 1


@pytest.mark.parametrize("apart", ["schemas", "databases"])
def test_the_same_source_elsewhere_is_another_one(
    apart: str,
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    server_url: str,
    databases: Databases,
    start_cli: StartCli,
    run_cli: RunCli,
) -> None:
    """While it is fetched into one schema or database, it is fetched into another as well."""
    slow_answer = table([5.0], hold=Event())
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", slow_answer, ANSWER))
    sources.write()
    with databases.fresh(server_url, "migrated", with_schema) as second_url:
        other = second_url
        if apart == "schemas":
            with open_observer(database_url) as look:
                look.execute("CREATE SCHEMA other")
            other = in_schema(database_url, "other")
        first = start_cli("fetch", "load", env={"DATABASE_URL": database_url})
        server.wait_for("/load.csv")

        second = run_cli("fetch", "load", "--json", env={"DATABASE_URL": other})

        assert runs_by_source(second)["load"]["outcome"] == "succeeded"
        assert first.poll() is None
        assert slow_answer.hold
        slow_answer.hold.set()
        await_end(first)
        assert first.returncode == 0
        with open_observer(database_url) as look:
            assert values(look) == {0: [5.0]}
        with open_observer(other) as look:
            if apart == "schemas":
                look.execute("SET search_path = other")
            assert current(look) == STORED


def test_what_a_killed_machine_held_is_fetched_by_the_other(
    tmp_path: Path, server: LocalServer, database_url: str, start_cli: StartCli
) -> None:
    """Within the command that was under way: what it found locked it comes back to at its end."""
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    for n in range(6):
        sources.csv(f"s{n}", server.answer(f"/{n}.csv", ANSWER))
    held = Event()
    sources.csv("slow", server.answer("/slow.csv", Reply(body=ANSWER.body, hold=held)))
    sources.write()
    pause = Pause(tmp_path, "after_start")
    first = start_cli("fetch-all", "--only", "s[0-5]", "--jobs", "1", env={**env, **pause.env})
    pause.wait_until_reached()
    second = start_cli("fetch-all", "--json", "--jobs", "2", env=env)
    server.wait_for("/slow.csv")
    # all but what the first one holds, and what is slow
    await_true(lambda: outcomes(database_url).count("succeeded") == 5)
    first.kill()
    await_end(first)
    await_true(lambda: held_locks(database_url) == 1)
    held.set()
    out, err = await_end(second)
    assert second.returncode == 0, err
    assert {run["outcome"] for run in runs_by_source(out).values()} == {"succeeded"}
    assert len(runs_by_source(out)) == 7
