"""The database server restarts, is full, or its network goes away without a word."""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING

import pytest
from support.conditional_twins import ValidatingServer
from support.http_server import LocalServer
from support.invariants import Finals, broken_invariants
from support.program_sources import (
    Pause,
    SourceFile,
    await_end,
    held_locks,
    outcomes,
    runs_by_source,
    table,
)
from support.store_feed import current, open_observer, values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from conftest import RunCli, StartCli
    from support.containers import OwnServer

pytestmark = [pytest.mark.docker, pytest.mark.slow]
MINUTES = 90.0  # seconds in which a server must have noticed that a client's network is gone
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A provider."""
    with LocalServer() as local:
        yield local


def csv_of(points: Mapping[int, object]) -> bytes:
    """The file of a table."""
    body = table(points).body
    assert isinstance(body, bytes)
    return body


def test_a_server_that_restarts_during_a_fetch(
    tmp_path: Path, server: LocalServer, own_server: OwnServer, start_cli: StartCli
) -> None:
    """The answer is dropped with the lock; the run connects anew and stores what it asks then."""
    slow_answer = table([1.0], hold=Event())
    sources, env = SourceFile(tmp_path), {"RETRY_DELAY_SECONDS": "0", "MAX_RETRIES": "3"}
    sources.csv("load", server.answer("/load.csv", slow_answer, table([2.0])))
    sources.write()
    process = start_cli("fetch", "load", "--json", env={**env, "DATABASE_URL": own_server.url})
    server.wait_for("/load.csv")
    own_server.restart()
    assert slow_answer.hold
    slow_answer.hold.set()
    out, err = await_end(process)
    assert process.returncode == 0, err
    assert "tries again" in err
    assert "psycopg" not in err
    assert runs_by_source(out)["load"]["outcome"] == "succeeded"
    assert server.asked("/load.csv") == 2
    with open_observer(own_server.url) as look:
        assert values(look) == {0: [2.0]}
        assert broken_invariants(look) == []
    assert outcomes(own_server.url) == ["succeeded"]
    assert held_locks(own_server.url) == 0


def test_a_server_that_restarts_in_the_middle_of_a_copy(
    tmp_path: Path, server: LocalServer, own_server: OwnServer, start_cli: StartCli
) -> None:
    """Of what was sent nothing is stored; the run connects anew, asks again and stores it all."""
    many = {h: float(h) for h in range(-30_000, 0)}
    sources, pause = SourceFile(tmp_path), Pause(tmp_path, "mid_copy@1")
    sources.csv("load", server.answer("/load.csv", table(many)))
    sources.write()
    env = {"RETRY_DELAY_SECONDS": "0", "MAX_RETRIES": "3", "DATABASE_URL": own_server.url}
    process = start_cli("fetch", "load", "--json", env={**env, **pause.env})
    pause.wait_until_reached()
    own_server.restart()
    with open_observer(own_server.url) as look:
        assert values(look) == {}
    pause.go_on()
    out, err = await_end(process)
    assert process.returncode == 0, err
    assert "tries again" in err
    assert runs_by_source(out)["load"]["inserted"] == len(many)
    with open_observer(own_server.url) as look:
        assert len(values(look)) == len(many)
        assert broken_invariants(look) == []
    assert outcomes(own_server.url) == ["succeeded"]


def test_a_failover_to_a_standby_that_lost_the_last_seconds(
    tmp_path: Path, server: LocalServer, own_server: OwnServer, run_cli: RunCli
) -> None:
    """What was lost is asked for again and stored, as known from then on, and that is told once.

    Also where the provider would call the answer unchanged: what it said of it was lost too.
    """
    provider, sources = ValidatingServer(server), SourceFile(tmp_path)
    first, second = {-3: 1.0, -2: 2.0}, {-3: 1.5, -2: 2.0, -1: 3.0}
    sources.csv("load", provider.file("/load.csv", csv_of(first)))
    sources.csv("old", server.answer("/old.csv", table({-2000: 1.0, -1000: 2.0})))
    sources.write()
    primary = {"DATABASE_URL": own_server.url}
    assert run_cli("fetch", "load", env=primary).returncode == 0
    standby = own_server.standby()
    with open_observer(standby) as look:
        while len(values(look)) != len(first):
            pass
    own_server.detach_standby()

    # from here on all of it is lost
    provider.file("/load.csv", csv_of(second))
    assert run_cli("fetch", "load", env=primary).returncode == 0
    assert run_cli("fetch", "load", env=primary).returncode == 0
    assert provider.unchanged == 1
    bounds = ("--start", "2000-01-01", "--end", "2100-01-01")
    assert run_cli("fetch", "old", *bounds, env=primary).returncode == 0
    own_server.promote_standby()

    replica = {"DATABASE_URL": standby}
    dry = run_cli("fetch", "load", "--dry-run", "--json", env=replica)
    done = run_cli("fetch", "load", "old", "--json", env=replica)
    for process in (dry, done):
        assert process.returncode == 3, process.stderr
        load = runs_by_source(process)["load"]
        assert load["outcome"] == "partial"
        assert "another database server has taken over (timeline 1, now 2)" in load["reason"]
    runs = runs_by_source(done)
    assert provider.unchanged == 1
    assert (runs["load"]["inserted"], runs["load"]["revised"]) == (1, 1)
    assert run_cli("fetch", "old", *bounds, env=replica).returncode == 0
    with open_observer(standby) as look:
        assert values(look)[-3] == [1.0, 1.5]
        assert current(look)[-1] == 3.0
        assert broken_invariants(look) == []
    with open_observer(own_server.url) as lost, open_observer(standby) as look:
        assert current(look) == current(lost)
    assert run_cli("verify", env=replica).returncode == 0
    # and from then on the provider's word counts again
    assert run_cli("fetch", "load", env=replica).returncode == 0
    assert provider.unchanged == 2


def test_a_disk_that_fills_up(
    tmp_path: Path, server: LocalServer, own_server: OwnServer, run_cli: RunCli
) -> None:
    """69 and a message of its own, tried once; nothing of the slice is stored, and later all is."""
    url = own_server.in_small_tablespace("full_up")
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": url}
    few = {-2: 0.5, -1: 0.5}
    many = {h: float(h) for h in range(-100_000, 0)}
    sources.csv("load", server.answer("/load.csv", table(few), table(many)))
    sources.write()
    assert run_cli("fetch", "load", env=env).returncode == 0
    with open_observer(url) as look:
        finals = Finals(look)

    own_server.fill()
    process = run_cli("fetch", "load", "--json", env=env)

    assert process.returncode == 69, process.stdout
    error = runs_by_source(process)["load"]["error"]
    assert "No space left on device" in error
    assert "The server's disk is full: make room, then run again" in error
    assert server.asked("/load.csv") == 2
    with open_observer(url) as look:
        assert current(look) == few
        assert broken_invariants(look) == []
        assert finals.changed_sources(look) == []
    own_server.make_room()
    assert run_cli("fetch", "load", env=env).returncode == 0
    with open_observer(url) as look:
        assert current(look) == many
        assert values(look)[-1] == [0.5, -1.0]
        assert broken_invariants(look) == []


def test_a_disk_that_fills_up_during_upkeep(own_server: OwnServer, run_cli: RunCli) -> None:
    """69; what a REINDEX has left by then goes with the next upkeep, and every run is there."""
    url = own_server.in_small_tablespace("full_up")
    env = {"DATABASE_URL": url}
    assert run_cli("migrate", env=env).returncode == 0
    runs = (
        "INSERT INTO fetch_run (source, kind, started_at, finished_at, outcome, window_start,"
        " inserted, host, pid, version) SELECT 'load', 'scheduled', now(), now(), 'succeeded',"
        " now(), 1, 'host', 1, '1.0' FROM generate_series(1, 50000)"
    )
    with open_observer(url) as look:
        # in the middle of it all, so that every page of the indexes is kept
        for _ in range(4):
            look.execute(runs)
        look.execute("DELETE FROM fetch_run WHERE run_id % 4 <> 0")
    with open_observer(url) as look:
        look.execute("VACUUM ANALYZE fetch_run")
    own_server.fill()
    full = run_cli("maintain", env=env)
    assert full.returncode == 69, full.stdout
    assert "The server's disk is full: make room, then run again" in full.stderr
    own_server.make_room()
    done = run_cli("maintain", env=env)
    assert done.returncode == 0, done.stderr
    with open_observer(url) as look:
        assert look.execute("SELECT count(*) FROM fetch_run").fetchone() == (50_000,)
        unfinished = look.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
        assert unfinished.fetchone() == (0,)


def test_a_network_that_goes_away_without_a_word(
    tmp_path: Path, server: LocalServer, own_server: OwnServer, start_cli: StartCli
) -> None:
    """Both ends notice within a minute: the run fails, nothing is written, the lock is free."""
    slow_answer = table([1.0], hold=Event())
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", slow_answer))
    sources.write()
    env = {"DATABASE_URL": own_server.url, "MAX_RETRIES": "0"}
    process = start_cli("fetch", "load", "--json", env=env)
    server.wait_for("/load.csv")
    assert own_server.query(LOCKS) == "1"
    own_server.cut_off()
    start = time.monotonic()
    assert slow_answer.hold
    slow_answer.hold.set()
    out, _ = await_end(process, MINUTES)
    assert process.returncode == 69
    assert runs_by_source(out)["load"]["outcome"] == "failed"
    while own_server.query(LOCKS) != "0":
        assert time.monotonic() - start < MINUTES
    assert own_server.query("SELECT count(*) FROM time_series_data_scd2") == "0"
