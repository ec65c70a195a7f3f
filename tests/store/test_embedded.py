"""The embedded server, when nothing goes wrong."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest
from support.embedded_user import ignore, is_down, postmaster, user

from dataportal.embedded.account import server_account
from dataportal.embedded.files import server_files
from dataportal.embedded.server import embedded_server
from dataportal.errors import DatabaseError, ExitCode


@pytest.mark.slow
def test_it_serves_and_stops(server_home: Path) -> None:
    """A database that can be written to is there in the block, and no process after it."""
    with embedded_server(say=ignore, data_home=server_home) as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'ä€𝄞' AS text")
            row = connection.execute("SELECT text, upper(text) FROM kept").fetchone()
        assert row == ("ä€𝄞", "Ä€𝄞")
    assert is_down(server_home)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_creation_is_announced_once(server_home: Path) -> None:
    """What was made is said, with its place and the other way; later uses are silent."""
    messages: list[str] = []
    with embedded_server(say=messages.append, data_home=server_home, durable=False):
        pass
    [line] = messages
    assert str(server_home) in line
    assert "PostgreSQL 18" in line
    assert "DATABASE_URL" in line
    with embedded_server(say=messages.append, data_home=server_home):
        pass
    assert messages == [line]


def test_data_outlives_the_server(server_home: Path) -> None:
    """What was committed in one block is there in the next."""
    with (
        embedded_server(say=ignore, data_home=server_home, durable=False) as url,
        psycopg.connect(url) as connection,
    ):
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with (
        embedded_server(say=ignore, data_home=server_home) as url,
        psycopg.connect(url) as connection,
    ):
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


@pytest.mark.slow
def test_settings_keep_data_safe_and_neighbours_out(server_home: Path) -> None:
    """Commits reach the disk, times are UTC, text is UTF-8, and there is no port to connect to."""
    with (
        embedded_server(say=ignore, data_home=server_home) as url,
        psycopg.connect(url) as connection,
    ):
        rows = connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)",
            [["fsync", "synchronous_commit", "full_page_writes", "TimeZone", "server_encoding"]],
        ).fetchall()
        assert dict(rows) == {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "TimeZone": "UTC",
            "server_encoding": "UTF8",
        }
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        folder = Path(connection.info.host)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_server_never_runs_as_root(server_home: Path) -> None:
    """Its processes and its files belong to an unprivileged user, whoever started it."""
    with embedded_server(say=ignore, data_home=server_home, durable=False):
        account = server_account(server_home / "postgresql-18")
        assert account.uid != 0
        status = Path(f"/proc/{postmaster(server_home)}/status").read_text(encoding="utf-8")
        ids = {line.split(":")[0]: line.split()[1:] for line in status.splitlines() if ":" in line}
        assert set(ids["Uid"]) == {str(account.uid)}
        assert set(ids["Gid"]) == {str(account.gid)}
        if os.geteuid() == 0:
            assert ids["Groups"] == []
        data = server_files(server_home).data
        assert data.stat().st_uid == account.uid
        assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_no_secret_of_ours_is_in_its_environment(server_home: Path) -> None:
    """The server's environment, which its user can read, has nothing of ours."""
    with user(server_home, env={"EIA_API_KEY": "canary-4711"}):
        path = Path(f"/proc/{postmaster(server_home)}/environ")
        # as that user: root of a container may not
        owner = path.stat()
        read = ["cat", str(path)]
        done = subprocess.run(
            read, user=owner.st_uid, group=owner.st_gid, capture_output=True, check=True
        )
        assert b"PATH=" in done.stdout
        assert b"canary-4711" not in done.stdout


def test_users_share_one_server(server_home: Path) -> None:
    """Two blocks at once have the same server; it goes on until the last one has ended."""
    with embedded_server(say=ignore, data_home=server_home, durable=False) as outer:
        first = postmaster(server_home)
        with embedded_server(say=ignore, data_home=server_home) as inner:
            assert inner == outer
            assert postmaster(server_home) == first
        with user(server_home) as (_, theirs):
            assert theirs == outer
        with psycopg.connect(outer) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert postmaster(server_home) == first
    assert is_down(server_home)


def test_a_failing_block_stops_the_server(server_home: Path) -> None:
    """An error inside passes through unchanged and leaves no server behind."""
    with (
        pytest.raises(ZeroDivisionError),
        embedded_server(say=ignore, data_home=server_home, durable=False),
    ):
        raise ZeroDivisionError
    assert is_down(server_home)


def test_one_that_exists_needs_no_permission(made_home: Path) -> None:
    """Quiet commands use the database that is there, and say nothing."""
    messages: list[str] = []
    with (
        embedded_server(say=messages.append, create=False, data_home=made_home) as url,
        psycopg.connect(url) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert messages == []


@pytest.mark.parametrize(
    "env",
    [
        {"LANG": "C", "LC_ALL": "C", "PGPORT": "1", "PGHOST": "nowhere.invalid", "PGUSER": "x"},
        {"LC_ALL": "xx_YY.UTF-8", "PGDATA": "/nowhere", "TZ": "Asia/Tokyo", "PGDATABASE": "x"},
    ],
)
def test_the_environment_does_not_matter(server_home: Path, env: dict[str, str]) -> None:
    """Locales that do not exist, and variables for other servers, change nothing."""
    with user(server_home, env=env) as (_, url), psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting('TimeZone'), lower('Ä')").fetchone()
        assert row == ("UTC", "ä")


def test_why_it_does_not_start(made_home: Path) -> None:
    """The error has the end of the server's log, and nothing is left running."""
    with (server_files(made_home).data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("nonsense_setting = 1\n")
    with (
        pytest.raises(DatabaseError, match="nonsense_setting") as caught,
        embedded_server(say=ignore, data_home=made_home),
    ):
        pass
    assert caught.value.exit_code == ExitCode.DATABASE
    assert "server.log" in str(caught.value)
    assert is_down(made_home)


def test_the_log_does_not_grow_for_ever(made_home: Path) -> None:
    """A log of more than a megabyte is put aside at the next start."""
    log = server_files(made_home).log
    with log.open("a", encoding="utf-8") as file:
        file.write("x" * (1 << 20))
    with embedded_server(say=ignore, data_home=made_home):
        assert log.stat().st_size < 1 << 16
