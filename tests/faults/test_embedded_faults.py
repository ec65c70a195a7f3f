"""The embedded server when processes are killed, many come at once, and files are left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from support.embedded_user import (
    await_true,
    await_url,
    ignore,
    is_down,
    postmaster,
    start_user,
    user,
)
from support.http_server import LocalServer
from support.program_sources import SourceFile, table

from dataportal.embedded.files import server_files
from dataportal.embedded.server import embedded_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import RunCli


def answers(url: str) -> bool:
    """Whether the server lets us in and works."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def descendants(pid: int) -> Iterator[int]:
    """The process and all that it has started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            yield from descendants(int(child))


@pytest.mark.slow
def test_eight_first_users_at_once(server_home: Path) -> None:
    """They get one and the same server, made once; when all have left it is down."""
    users = [start_user(server_home) for _ in range(8)]
    with ExitStack() as ends:
        for process in users:
            ends.enter_context(process)
        urls = {await_url(process) for process in users}
        assert len(urls) == 1
        assert answers(urls.pop())
    assert all(process.returncode == 0 for process in users)
    assert is_down(server_home)


@pytest.mark.slow
def test_users_that_come_and_go(made_home: Path) -> None:
    """Starts and stops that overlap in any way leave every user with a server that answers."""
    script = (
        "import sys; from pathlib import Path; import psycopg\n"
        "from dataportal.embedded.server import embedded_server\n"
        "for _ in range(6):\n"
        "    with embedded_server(say=print, data_home=Path(sys.argv[1])) as url:\n"
        "        psycopg.connect(url).close()\n"
    )
    command = [sys.executable, "-c", script, str(made_home)]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert is_down(made_home)


def test_a_killed_user_leaves_a_server_that_the_next_one_stops(made_home: Path) -> None:
    """After kill -9 of its only user the server runs on; the next user takes it and ends it."""
    with start_user(made_home) as process:
        await_url(process)
        first = postmaster(made_home)
        process.kill()
    assert not is_down(made_home)
    with embedded_server(say=ignore, data_home=made_home) as url:
        assert postmaster(made_home) == first
        assert answers(url)
    assert is_down(made_home)


def test_one_of_two_users_is_killed(made_home: Path) -> None:
    """The other one goes on, and still counts as the last."""
    with embedded_server(say=ignore, data_home=made_home) as url:
        with start_user(made_home) as process:
            assert await_url(process) == url
            process.kill()
        assert answers(url)
    assert is_down(made_home)


@pytest.mark.slow
def test_a_killed_server_loses_nothing_that_was_committed(server_home: Path) -> None:
    """After kill -9 of all its processes a user leaves in peace, and the next one has the data."""
    with embedded_server(say=ignore, data_home=server_home) as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        for pid in list(descendants(postmaster(server_home))):
            os.kill(pid, signal.SIGKILL)
        await_true(lambda: is_down(server_home))
        assert (server_files(server_home).data / "postmaster.pid").exists()
    with (
        embedded_server(say=ignore, data_home=server_home) as url,
        psycopg.connect(url) as connection,
    ):
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
    assert is_down(server_home)


def test_a_killed_server_is_mended_for_a_second_user(made_home: Path) -> None:
    """While the first user still holds on, a second one gets a new server that works."""
    with embedded_server(say=ignore, data_home=made_home):
        first = postmaster(made_home)
        os.kill(first, signal.SIGKILL)
        with user(made_home) as (_, url):
            assert postmaster(made_home) != first
            assert answers(url)
    assert is_down(made_home)


def test_a_number_that_now_belongs_to_another_program(made_home: Path) -> None:
    """A postmaster.pid whose number has been given away neither stops the start nor that program.

    The other program runs as the server's own user, which is what PostgreSQL is misled by.
    """
    files = server_files(made_home)
    with embedded_server(say=ignore, data_home=made_home):
        recorded = (files.data / "postmaster.pid").read_text(encoding="utf-8")
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    if files.account.is_other:
        # root's interpreter may be out of that user's reach
        command = ["/bin/sh", "-c", "echo; read line; exit 0"]
    options = {**files.account.process_options(), "stdin": subprocess.PIPE}
    with subprocess.Popen(command, **options, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            stale = files.data / name
            stale.write_text(recorded.replace(recorded.split()[0], str(other.pid), 1), "utf-8")
            os.chown(stale, files.account.uid, files.account.gid)
        with embedded_server(say=ignore, data_home=made_home) as url:
            assert answers(url)
        other.communicate(b"\n")
    assert other.returncode == 0
    assert is_down(made_home)


def test_rubbish_in_the_pid_file(made_home: Path) -> None:
    """A postmaster.pid that was cut short or overwritten does not keep the server from starting."""
    files = server_files(made_home)
    for rubbish in ("", "not a number\n", "0\n", "4194304\n/elsewhere\n"):
        stale = files.data / "postmaster.pid"
        stale.write_text(rubbish, encoding="utf-8")
        os.chown(stale, files.account.uid, files.account.gid)
        with embedded_server(say=ignore, data_home=made_home) as url:
            assert answers(url)
    assert is_down(made_home)


def test_a_half_made_data_directory(server_home: Path) -> None:
    """What an initdb that was killed has left is cleared away, and a whole one is made."""
    half = server_home / "postgresql-18.new"
    (half / "base" / "1").mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n", encoding="ascii")
    with embedded_server(say=ignore, data_home=server_home, durable=False) as url:
        assert answers(url)
    assert not half.exists()


@pytest.mark.slow
def test_a_user_killed_while_the_data_directory_is_made(server_home: Path) -> None:
    """Initdb may outlive who started it; the next user waits for its end and makes a whole one."""
    staging = server_home / "postgresql-18.new"
    with start_user(server_home) as process:
        await_true((staging / "PG_VERSION").exists)
        process.kill()
    assert not server_files(server_home).data.exists()
    with embedded_server(say=ignore, data_home=server_home, durable=False) as url:
        assert answers(url)
    assert not staging.exists()
    assert is_down(server_home)


def test_a_user_killed_before_the_server_answered(made_home: Path) -> None:
    """A server on its way up is waited for, by whoever comes next."""
    files = server_files(made_home)
    for attempt in range(5):
        with start_user(made_home) as process:
            await_true((files.data / "postmaster.pid").exists)
            process.kill()
        with embedded_server(say=ignore, data_home=made_home) as url:
            assert answers(url), attempt
        assert is_down(made_home)


def test_a_server_that_does_not_answer_is_waited_for(made_home: Path) -> None:
    """One that stands still is neither doubled nor given up, but used once it moves on."""
    with embedded_server(say=ignore, data_home=made_home) as url:
        first = postmaster(made_home)
        os.kill(first, signal.SIGSTOP)
        try:
            with start_user(made_home) as process:
                guard = server_files(made_home).open_lock("guard")
                await_true(lambda: is_locked(guard))
                os.close(guard)
                os.kill(first, signal.SIGCONT)
                assert await_url(process) == url
                process.communicate()
            assert postmaster(made_home) == first
        finally:
            os.kill(first, signal.SIGCONT)


def is_locked(descriptor: int) -> bool:
    """Whether somebody else has the lock."""
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def test_the_terminal_does_not_end_the_server(made_home: Path) -> None:
    """Ctrl-C reaches the process group of who started the server, but not the server itself."""
    with start_user(made_home) as process:
        await_url(process)
        first = postmaster(made_home)
        with embedded_server(say=ignore, data_home=made_home) as url:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate()
            assert answers(url)
            assert postmaster(made_home) == first
    assert is_down(made_home)


@pytest.mark.slow
def test_an_interrupted_start_leaves_nothing_running(server_home: Path) -> None:
    """SIGINT at any moment of the first start ends in a home that the next user can use."""
    files = (
        server_home / "postgresql-18.guard",
        server_home / "postgresql-18.new" / "PG_VERSION",
        server_home / "postgresql-18" / "server.log",
        server_home / "postgresql-18" / "postmaster.pid",
    )
    for file in files:
        with start_user(server_home) as process:
            await_true(file.exists)
            process.send_signal(signal.SIGINT)
            process.communicate()
        await_true(lambda: is_down(server_home))
        with embedded_server(say=ignore, data_home=server_home, durable=False) as url:
            assert answers(url)
        shutil.rmtree(server_home)


def test_a_backend_that_is_killed(made_home: Path) -> None:
    """The server recovers by itself while it is in use."""
    with embedded_server(say=ignore, data_home=made_home) as url:
        with psycopg.connect(url) as connection:
            os.kill(connection.info.backend_pid, signal.SIGKILL)

        def has_recovered() -> bool:
            try:
                return answers(url)
            except psycopg.OperationalError:
                return False

        await_true(has_recovered)
    assert is_down(made_home)


@pytest.mark.slow
def test_a_cron_line_that_lost_its_database(
    tmp_path: Path, open_folder: Path, run_cli: RunCli
) -> None:
    """Under -q an embedded database that stands there is used only where it is named."""
    sources = SourceFile(tmp_path)
    with LocalServer() as server:
        sources.csv("load", server.answer("/load.csv", table([1.5])))
        sources.write()
        named = {"DATABASE_URL": f"embedded:{open_folder}/dataportal"}
        assert run_cli("fetch", "load", env=named).returncode == 0
        asked = len(server.requests)
        for command in ("fetch-all", "list-sources", "healthcheck", "verify", "migrate"):
            process = run_cli("-q", command)
            assert (process.returncode, process.stdout) == (78, ""), process.stderr
            assert "DATABASE_URL=embedded:" in process.stderr
        assert len(server.requests) == asked
        for env, options in (
            (named, ()),
            ({"DATABASE_URL": "embedded:"}, ()),
            ({}, ("--database-url", "embedded:")),
        ):
            process = run_cli("-q", *options, "fetch-all", env=env)
            assert (process.returncode, process.stderr) == (0, "")
    elsewhere = run_cli("-q", "fetch-all", env={"DATABASE_URL": f"embedded:{tmp_path}/none"})
    assert elsewhere.returncode == 78
    assert "run once without -q" in elsewhere.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_a_disk_that_is_full(server_home: Path, tmp_path: Path, run_cli: RunCli) -> None:
    """Is told as that, with the folder; with room again, what was committed is there."""
    sources = SourceFile(tmp_path)
    sources.csv("load", "load.csv")
    (tmp_path / "load.csv").write_bytes(table([1.0, 2.0]).body)  # type: ignore[arg-type]  # in one piece
    sources.write()
    env = {"DATABASE_URL": f"embedded:{server_home}", "MAX_RETRIES": "0"}
    assert run_cli("fetch", "load", env=env).returncode == 0
    (data,) = server_home.glob("postgresql-*[0-9]")
    # what a server says that cannot write, in the log of one that cannot start
    configuration = data / "postgresql.conf"
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(f"{text}\ninclude 'No space left on device'\n", encoding="utf-8")
    done = run_cli("fetch", "load", env=env)
    assert done.returncode == 69
    assert "its disk is full" in done.stderr
    assert str(data) in done.stderr
    configuration.write_text(text, encoding="utf-8")
    assert run_cli("verify", env=env).returncode == 0
