"""The connection to the database is lost, refused or led astray: noticed, and nothing written."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import psycopg.conninfo
import pytest
from psycopg.sql import SQL, Identifier
from support.http_server import LocalServer
from support.invariants import broken_invariants
from support.program_sources import (
    Pause,
    SourceFile,
    await_end,
    await_unlocked,
    held_locks,
    outcomes,
    runs_by_source,
    table,
)
from support.store_feed import current, open_observer, values
from support.tcp_proxy import Wire

from dataportal.store import lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli, StartCli

ONCE = {"MAX_RETRIES": "0"}
TWICE = {"MAX_RETRIES": "1", "RETRY_DELAY_SECONDS": "0"}


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A provider."""
    with LocalServer() as local:
        yield local


def terminate(url: str) -> None:
    """End the server's end of every connection of a source."""
    with open_observer(url) as look:
        look.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'dataportal load'"
        )


@pytest.mark.parametrize("how", ["terminated", "cut"])
def test_a_connection_lost_while_the_provider_is_asked(
    how: str,
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    start_cli: StartCli,
    run_cli: RunCli,
) -> None:
    """The lock is lost with it: a second runner goes on, and what the first was told is dropped."""
    answer = table([1.0], hold=Event())
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", answer, table([2.0])))
    sources.write()
    with Wire(database_url) as wire:
        first = start_cli("fetch", "load", "--json", env={**ONCE, "DATABASE_URL": wire.url})
        server.wait_for("/load.csv")
        if how == "cut":
            wire.cut()
            await_unlocked(database_url)
        else:
            terminate(database_url)

        second = run_cli("fetch", "load", env={"DATABASE_URL": database_url})

        assert second.returncode == 0, second.stderr
        assert answer.hold
        answer.hold.set()
        out, _ = await_end(first)
    assert first.returncode == 69
    run = runs_by_source(out)["load"]
    assert run["outcome"] == "failed"
    assert run["error"].startswith("storing the observations: ")
    with open_observer(database_url) as look:
        assert values(look) == {0: [2.0]}
        assert broken_invariants(look) == []
    assert outcomes(database_url) == ["failed", "succeeded"]
    assert held_locks(database_url) == 0


@pytest.mark.parametrize("failpoint", ["after_fetch", "between_tables", "before_commit"])
def test_a_connection_cut_while_it_writes(
    failpoint: str, tmp_path: Path, server: LocalServer, database_url: str, start_cli: StartCli
) -> None:
    """The transaction is undone; the run connects anew, asks again, and stores each value once."""
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", table([1.0, 2.0])))
    sources.write()
    pause = Pause(tmp_path, failpoint)
    with Wire(database_url) as wire:
        process = start_cli(
            "fetch", "load", "--json", env={**TWICE, **pause.env, "DATABASE_URL": wire.url}
        )
        pause.wait_until_reached()
        wire.cut()
        with open_observer(database_url) as look:
            assert current(look) == {}
        pause.go_on()
        out, err = await_end(process)
    assert process.returncode == 0, err
    assert runs_by_source(out)["load"]["outcome"] == "succeeded"
    assert server.asked("/load.csv") == 2
    with open_observer(database_url) as look:
        assert values(look) == {0: [1.0], 1: [2.0]}
        assert broken_invariants(look) == []
    assert outcomes(database_url) == ["succeeded"]


def test_a_slow_line(
    tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """A database far away takes longer, and nothing else."""
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", table([1.0, 2.0])))
    sources.write()
    with Wire(database_url, delay=0.02) as wire:
        run = run_cli("fetch", "load", "--json", env={**ONCE, "DATABASE_URL": wire.url})
    assert runs_by_source(run)["load"]["outcome"] == "succeeded"


def no_such_database(url: str) -> str:
    """One that is not there."""
    return urlsplit(url)._replace(path="/nowhere").geturl()


def no_such_user(url: str) -> str:
    """A role that is not there."""
    with open_observer(url) as look:
        look.execute("DROP ROLE IF EXISTS nobody_at_all")
    return (
        urlsplit(url)
        ._replace(netloc=f"nobody_at_all:secret@{urlsplit(url).netloc.rpartition('@')[2]}")
        .geturl()
    )


def closed_to_everybody(url: str) -> str:
    """A database that takes no connections."""
    name = urlsplit(url).path[1:]
    other = urlsplit(url)._replace(path="/postgres").geturl()
    with psycopg.connect(other, autocommit=True) as admin:
        admin.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(name)))
    return url


def nobody_listens(url: str) -> str:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"postgresql://me@127.0.0.1:{port}/db"


REFUSALS = {
    no_such_database: "Create the database first",
    no_such_user: "Check the user and the password",
    closed_to_everybody: "connecting to the database",
    nobody_listens: "Check that the server runs and is reachable",
}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.__name__)
def test_a_database_that_lets_nobody_in(
    refusal: Any, tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """69 and one plain line; the provider is not even asked, and the retries have an end."""
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", table([1.0])))
    sources.write()
    env = {**TWICE, "DATABASE_URL": refusal(database_url)}
    fetch = run_cli("fetch", "load", "-q", env=env)
    assert (fetch.returncode, fetch.stdout) == (69, "")
    (line,) = fetch.stderr.splitlines()
    assert REFUSALS[refusal] in line
    assert not server.requests


@contextmanager
def pgbouncer(url: str, folder: Path, mode: str, *, size: int = 20) -> Iterator[str]:
    """The database by way of a PgBouncer with so many connections of its own."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None and not os.environ.get("CI"):
        pytest.skip("there is no pgbouncer: apt-get install pgbouncer")
    assert program, "CI needs pgbouncer: apt-get install pgbouncer"
    parameters: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    address = " ".join(f"{name}={value}" for name, value in parameters.items() if name != "dbname")
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"""[databases]
db = dbname={parameters["dbname"]} {address}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
"""
    )
    # it will not run as root; the embedded server's socket is for the user that this one has
    with subprocess.Popen(
        [program, str(settings)],
        user="nobody" if os.geteuid() == 0 else None,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            assert process.stderr
            for line in process.stderr:
                if "process up" in line:
                    break
            yield f"postgresql://me@127.0.0.1:{port}/db"
        finally:
            process.kill()


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_in_between(
    mode: str,
    open_folder: Path,
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    run_cli: RunCli,
) -> None:
    """One that shares its processes is refused for good before anything is asked or locked."""
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", table([1.0])))
    sources.csv("wind", f"{server.url}/load.csv")
    sources.write()
    with pgbouncer(database_url, open_folder, mode) as url:
        with psycopg.connect(url, autocommit=True) as through:
            assert through.execute("SELECT 1").fetchone() == (1,)
        fetch = run_cli("fetch-all", "-q", env={**ONCE, "DATABASE_URL": url})
        if mode == "session":
            assert (fetch.returncode, fetch.stdout, fetch.stderr) == (0, "", "")
            with open_observer(database_url) as look:
                assert current(look, "load") == current(look, "wind") == {0: 1.0}
                assert not broken_invariants(look)
            return
        assert held_locks(database_url) == 0
    assert fetch.returncode == 78
    assert "a connection pooler in transaction mode stands between" in fetch.stderr
    assert "pool_mode = session" in fetch.stderr
    assert not server.requests
    assert outcomes(database_url) == []
    assert run_cli("fetch", "load", env={"DATABASE_URL": database_url}).returncode == 0


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_what_takes_no_lock_works_through_a_pooler(
    mode: str,
    open_folder: Path,
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    run_cli: RunCli,
) -> None:
    """And leaves nothing behind on the server's processes, which others are served by next."""
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", table([1.0, 2.0])))
    sources.write()
    assert run_cli("fetch", "load", env={"DATABASE_URL": database_url}).returncode == 0
    with pgbouncer(database_url, open_folder, mode, size=1) as url:
        env = {"DATABASE_URL": url}
        for command in (
            ("list-sources",),
            ("history", "load", "--as-of", "now", "--format", "csv"),
            ("healthcheck",),
            ("verify",),
            ("runs",),
        ):
            through, directly = (
                run_cli(*command, env={"DATABASE_URL": u}) for u in (url, database_url)
            )
            assert through.returncode == directly.returncode == 0, through.stderr
        assert (
            run_cli("history", "load", "--start", "2025-01-01", env=env).stdout
            == (
                run_cli(
                    "history", "load", "--start", "2025-01-01", env={"DATABASE_URL": database_url}
                )
            ).stdout
        )
        with psycopg.connect(url, autocommit=True) as other:
            for name in ("default_transaction_read_only", "jit", "statement_timeout"):
                row = other.execute(
                    "SELECT setting = reset_val FROM pg_settings WHERE name = %s", [name]
                ).fetchone()
                assert row == (True,), name


def test_a_pooler_without_transactions_is_refused(
    open_folder: Path, tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """For good, also by what only reads: one answer may be of several statements."""
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", table([1.0, 2.0])))
    sources.write()
    assert run_cli("fetch", "load", env={"DATABASE_URL": database_url}).returncode == 0
    with pgbouncer(database_url, open_folder, "statement") as url:
        for command in (("fetch", "load"), ("runs",), ("read", "load")):
            refused = run_cli(*command, env={**ONCE, "DATABASE_URL": url})
            assert refused.returncode == 78, refused.stderr
            assert "pool_mode = session" in refused.stderr
            assert "dataportal help database" in refused.stderr


def test_two_clients_on_one_process_are_told_apart(open_folder: Path, database_url: str) -> None:
    """Each gets the lock there; only who took it last holds it, by the mark beside it."""
    key = 4711
    with (
        pgbouncer(database_url, open_folder, "transaction", size=1) as url,
        psycopg.connect(url, autocommit=True) as one,
        psycopg.connect(url, autocommit=True) as two,
    ):
        assert lock.try_lock(one, key)
        assert lock.holds(one, key)
        assert lock.try_lock(two, key)
        assert lock.holds(two, key)
        assert not lock.holds(one, key)


def test_cockroachdb_is_refused_by_name(database_url: str, tmp_path: Path, run_cli: RunCli) -> None:
    """By what it says of itself as a session begins; its locks would be granted to everybody."""
    sources = SourceFile(tmp_path)
    sources.csv("load", "nowhere.csv")
    sources.write()
    status = b"crdb_version\0CockroachDB CCL v24.1.0\0"
    message = b"S" + (len(status) + 4).to_bytes(4, "big") + status
    with Wire(database_url, greeting=message) as wire:
        for command in (("fetch", "load"), ("list-sources",)):
            process = run_cli(*command, env={**ONCE, "DATABASE_URL": wire.url})
            assert process.returncode == 78, process.stderr
            assert "the database is CockroachDB" in process.stderr
