"""Errors of the database, through the whole program: one plain message of its own for each.

What may pass is tried again, as often as it was allowed; what lasts is tried once.
"""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from support.embedded_user import ignore
from support.http_server import LocalServer
from support.invariants import broken_invariants
from support.program_sources import (
    Pause,
    SourceFile,
    await_end,
    held_locks,
    outcomes,
    runs_by_source,
    table,
)
from support.store_feed import AtWork, current, open_observer, values
from support.tcp_proxy import Wire

from dataportal.embedded.files import server_files
from dataportal.embedded.server import embedded_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli, StartCli
    from support.containers import OwnServer

pytestmark = pytest.mark.slow
PASSWORD = "canary-4711"  # noqa: S105 - must not be seen anywhere
TWICE = {"MAX_RETRIES": "1", "RETRY_DELAY_SECONDS": "0"}
WAITING = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'dataportal load'"
    " AND datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
)


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A provider."""
    with LocalServer() as local:
        yield local


def as_user(url: str, name: str) -> str:
    """The URL for another user, with our password."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{name}:{PASSWORD}@{address}").geturl()


def fetch_in_vain(url: str, folder: Path, server: LocalServer, run_cli: RunCli) -> tuple[str, int]:
    """The one line that a fetch ends with, and how often it tried to connect."""
    sources = SourceFile(folder)
    sources.csv("load", server.answer("/load.csv", table([1.0])))
    sources.write()
    with Wire(url) as wire:
        process = run_cli("fetch", "load", "-q", env={**TWICE, "DATABASE_URL": wire.url})
    assert (process.returncode, process.stdout) == (69, "")
    (line,) = process.stderr.splitlines()
    assert PASSWORD not in line
    assert not server.requests
    return line, wire.connections


def test_too_many_connections(
    tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """May pass: tried again, in vain; the option that asks for fewer is named."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = f"{connection.info.dbname}_user"
        role, password = Identifier(name), PASSWORD
        connection.execute(
            SQL("CREATE ROLE {} LOGIN PASSWORD {} CONNECTION LIMIT 0").format(role, password)
        )
        try:
            line, tries = fetch_in_vain(as_user(database_url, name), tmp_path, server, run_cli)
        finally:
            connection.execute(SQL("DROP ROLE {}").format(role))
    assert "too many connections for role" in line
    assert "lower --jobs" in line
    assert tries == 2


def check_wrong_password(url: str, folder: Path, server: LocalServer, run_cli: RunCli) -> None:
    """Lasts: tried once, and neither the right nor the wrong one is shown."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET password_encryption = 'scram-sha-256'")
        connection.execute("CREATE ROLE asked LOGIN PASSWORD 'right-4711'")
    line, tries = fetch_in_vain(as_user(url, "asked"), folder, server, run_cli)
    assert 'authentication failed for user "asked"' in line
    assert "Check the user and the password" in line
    assert "right-4711" not in line
    assert tries == 1


def test_a_wrong_password(
    tmp_path: Path, server: LocalServer, made_home: Path, run_cli: RunCli
) -> None:
    """Lasts: tried once, and neither the right nor the wrong one is shown."""
    rules = server_files(made_home).data / "pg_hba.conf"
    rule = "local all asked scram-sha-256\n"
    rules.write_text(rule + rules.read_text(encoding="utf-8"), encoding="utf-8")
    with embedded_server(say=ignore, data_home=made_home, durable=False) as url:
        check_wrong_password(url, tmp_path, server, run_cli)


@pytest.mark.docker
def test_a_wrong_password_over_the_network(
    tmp_path: Path, server: LocalServer, own_server: OwnServer, run_cli: RunCli
) -> None:
    """The same where the server asks everybody for a password."""
    check_wrong_password(own_server.url, tmp_path, server, run_cli)


def write_sources(folder: Path, server: LocalServer) -> None:
    """One source, whose value is another one the second time."""
    sources = SourceFile(folder)
    sources.csv("load", server.answer("/load.csv", table([1.5]), table([2.5])))
    sources.write()


def check_read_only(url: str, server: LocalServer, run_cli: RunCli) -> None:
    """What was fetched into the primary is shown; a fetch is refused, the provider not asked."""
    with Wire(url) as wire:
        process = run_cli("fetch", "load", "--json", env={**TWICE, "DATABASE_URL": wire.url})
    history = run_cli("history", "load", "--as-of", "now", "--json", env={"DATABASE_URL": url})
    assert process.returncode == 69
    run = runs_by_source(process)["load"]
    assert run["outcome"] == "failed"
    assert "This server is a read-only replica: use the primary" in run["error"]
    assert "Traceback" not in process.stderr
    assert server.asked("/load.csv") == 1
    assert wire.connections <= 3
    assert history.returncode == 0
    assert "1.5" in history.stdout


def test_a_read_only_replica(
    tmp_path: Path, server: LocalServer, server_home: Path, run_cli: RunCli
) -> None:
    """Shows what it has; a fetch into it is refused, and its provider is not asked."""
    write_sources(tmp_path, server)
    with embedded_server(say=ignore, data_home=server_home, durable=False) as url:
        assert run_cli("fetch", "load", env={"DATABASE_URL": url}).returncode == 0
    (server_files(server_home).data / "standby.signal").touch()
    with embedded_server(say=ignore, data_home=server_home, durable=False) as url:
        check_read_only(url, server, run_cli)


@pytest.mark.docker
def test_a_replica_that_follows_its_primary(
    tmp_path: Path, server: LocalServer, own_server: OwnServer, run_cli: RunCli
) -> None:
    """The same of a standby beside its primary, which goes on to take what is fetched."""
    write_sources(tmp_path, server)
    assert run_cli("fetch", "load", env={"DATABASE_URL": own_server.url}).returncode == 0
    standby = own_server.standby()
    check_read_only(standby, server, run_cli)
    assert run_cli("fetch", "load", env={"DATABASE_URL": own_server.url}).returncode == 0
    with open_observer(standby) as look:
        while values(look) != {0: [1.5, 2.5]}:
            assert broken_invariants(look) == []
        assert current(look) == {0: 2.5}


@pytest.mark.parametrize("retries", [0, 1])
def test_a_statement_that_the_server_ends(
    retries: int, tmp_path: Path, server: LocalServer, database_url: str, start_cli: StartCli
) -> None:
    """As at its time limit: nothing is written; what is tried again is asked for and stored."""
    slow_answer = table([1.0], hold=Event())
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", slow_answer, table([2.0])))
    sources.write()
    env = {**TWICE, "MAX_RETRIES": str(retries), "DATABASE_URL": database_url}
    process = start_cli("fetch", "load", "--json", env=env)
    server.wait_for("/load.csv")
    with open_observer(database_url) as other, open_observer(database_url) as look:
        with other.transaction():
            other.execute("LOCK TABLE time_series_data IN ACCESS EXCLUSIVE MODE")
            assert slow_answer.hold
            slow_answer.hold.set()
            while (waiting_pid := look.execute(WAITING).fetchone()) is None:
                assert process.poll() is None
            look.execute("SELECT pg_cancel_backend(%s)", waiting_pid)
            while waiting_pid == look.execute(WAITING).fetchone():
                pass
        out, _ = await_end(process)
        run = runs_by_source(out)["load"]
        if retries:
            assert (process.returncode, run["outcome"]) == (0, "succeeded")
            assert values(look) == {0: [2.0]}
        else:
            assert (process.returncode, run["outcome"]) == (69, "failed")
            assert "The statement took too long, or was cancelled" in run["error"]
            assert values(look) == {}
        assert broken_invariants(look) == []
    assert server.asked("/load.csv") == 1 + retries
    assert held_locks(database_url) == 0


def test_a_deadlock(
    tmp_path: Path, server: LocalServer, database_url: str, start_cli: StartCli
) -> None:
    """Of which the run is the victim: it begins the slice anew, and stores each value once."""
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", table([1.0, 2.0])))
    sources.write()
    pause = Pause(tmp_path, "between_tables")
    env = {**TWICE, **pause.env, "DATABASE_URL": database_url}
    process = start_cli("fetch", "load", "--json", env=env)
    pause.wait_until_reached()
    with open_observer(database_url) as other, open_observer(database_url) as look:
        other.execute("SET deadlock_timeout = '1h'")
        theirs = other.info.backend_pid

        def hold_and_wait() -> None:
            with other.transaction():
                other.execute("LOCK TABLE time_series_data_scd2 IN SHARE MODE")
                other.execute("LOCK TABLE time_series_data IN SHARE MODE")

        work = AtWork(hold_and_wait)
        waits = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
        while look.execute(waits, [theirs]).fetchone() != (True,):
            assert work.is_alive(), work.raised
        pause.go_on()
        out, err = await_end(process)
        assert work.end() is None
        assert process.returncode == 0, err
        assert runs_by_source(out)["load"]["outcome"] == "succeeded"
        assert "deadlock detected" in err
        assert current(look) == {0: 1.0, 1: 2.0}
        assert values(look) == {0: [1.0], 1: [2.0]}
        assert broken_invariants(look) == []
    assert server.asked("/load.csv") == 2
    assert outcomes(database_url) == ["succeeded"]
