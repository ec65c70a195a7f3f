"""Fixtures of all tests: databases, the program as a process; and the profiles of hypothesis."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple, Protocol

import pytest
from hypothesis import settings
from support.containers import OwnServer
from support.databases import (
    Databases,
    SharedServer,
    admin_connection,
    with_distribution,
    with_extension,
    with_schema,
)
from support.embedded_user import end_server, ignore
from support.warm_starts import WarmStarts

from dataportal.store.connection import connect
from dataportal.store.upkeep.columnstore import enable_columnstore

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path


class Feature(NamedTuple):
    """What some servers have: its name, and a query that answers whether one does."""

    name: str
    test: LiteralString


SERVER_MARKS = {
    "columnstore": Feature(
        "TimescaleDB's Community edition",
        "SELECT current_setting('timescaledb.license', true) = 'timescale'",
    ),
    "citus": Feature(
        "Citus", "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citus')"
    ),
}
_SERVER = pytest.StashKey[SharedServer]()
_LEFT_OUT = pytest.StashKey[dict[str, int]]()
_OF_DATABASE = {
    "columnstore_url",
    "citus_url",
    "server_url",
    "database_url",
    "empty_database_url",
    "own_server",
    "module_server",
}
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    # like the installed command, `python -m` must not import from the current folder
    "PYTHONSAFEPATH": "1",
}
_TIMEOUT = 60.0  # seconds after which a process that was started counts as hanging

settings.register_profile("default", deadline=None, derandomize=False, print_blob=True)
# where the same properties are tried with all examples elsewhere
settings.register_profile("quick", settings.get_profile("default"), max_examples=20)
settings.load_profile("default")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the server once, in the process that the others are started from."""
    parent_server = getattr(config, "workerinput", {}).get("server")
    try:
        config.stash[_SERVER] = (
            SharedServer.from_dict(parent_server)
            if parent_server
            else SharedServer.from_environment(os.environ)
        )
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each worker."""
    node.workerinput["server"] = node.config.stash[_SERVER].as_dict()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Clear up when all workers have ended."""
    if not hasattr(config, "workerinput") and _SERVER in config.stash:
        config.stash[_SERVER].end()


def pytest_report_header(config: pytest.Config) -> str:
    """Say which server is used."""
    return f"database server: {config.stash[_SERVER]}"


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, object, object]:
    """Mark what needs the server, and leave out what needs another kind of it."""
    for item in items:
        if _OF_DATABASE.intersection(getattr(item, "fixturenames", ())) or item.get_closest_marker(
            "docker"
        ):
            item.add_marker(pytest.mark.database)
        if "server_home" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.embedded)
        if any(item.get_closest_marker(mark) for mark in SERVER_MARKS):
            item.add_marker(pytest.mark.database)
    if config.stash[_SERVER].kind != "docker":
        _leave_out(config, items, "docker")
    answer = yield
    # the server is started to be asked, so only if anything is left that needs it
    left_out = {
        mark: _leave_out(config, items, mark)
        for mark in SERVER_MARKS
        if any(item.get_closest_marker(mark) for item in items)
        and not _has_feature(config.stash[_SERVER], mark)
    }
    config.stash[_LEFT_OUT] = left_out
    if hasattr(config, "workeroutput"):
        config.workeroutput["left_out"] = left_out
    return answer


def _leave_out(config: pytest.Config, items: list[pytest.Item], mark: str) -> int:
    """Leave out what has this mark; how many tests that were."""
    left_out = [item for item in items if item.get_closest_marker(mark)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    return len(left_out)


def _has_feature(server: SharedServer, mark: str) -> bool:
    """Whether the server has what tests of this mark need, for which it is started."""
    if server.kind == "embedded":
        return False
    with server.serve() as url, admin_connection(url) as admin:
        row = admin.execute(SERVER_MARKS[mark].test).fetchone()
    return row == (True,)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from each worker what it left out."""
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", {})


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say so where tests were not run for want of a server."""
    for mark, count in config.stash.get(_LEFT_OUT, {}).items():
        terminalreporter.write_line(
            f"{mark}: {count} tests were not run, as the server has not {SERVER_MARKS[mark].name}"
        )


@pytest.fixture(scope="session")
def server_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """The URL of a role that may create databases on the test run's server."""
    with pytestconfig.stash[_SERVER].serve() as url:
        yield url


@pytest.fixture(scope="session")
def databases(server_url: str, pytestconfig: pytest.Config) -> Iterator[Databases]:
    """Makes databases; for the fixtures below."""
    with admin_connection(server_url) as admin:
        yield Databases(admin, pytestconfig.stash[_SERVER])


@pytest.fixture
def database_url(server_url: str, databases: Databases) -> Iterator[str]:
    """A fresh database with the schema of this program; dropped after the test."""
    with databases.fresh(server_url, "migrated", with_schema) as url:
        yield url


@pytest.fixture
def citus_url(server_url: str, databases: Databases) -> Iterator[str]:
    """A fresh database with its tables distributed over a cluster of one server."""
    with databases.fresh(server_url, "citus", with_distribution) as url:
        yield url


@pytest.fixture
def columnstore_url(database_url: str) -> str:
    """A fresh database with the columnstore on, in which no policy works by itself."""
    with closing(connect(database_url, application_name="dataportal test")) as connection:
        enable_columnstore(connection, timedelta())
        connection.execute(
            "SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs"
            " WHERE hypertable_name IS NOT NULL"
        )
    return database_url


@pytest.fixture
def empty_database_url(server_url: str, databases: Databases) -> Iterator[str]:
    """A fresh database without our tables, but with TimescaleDB where the server has it."""
    with databases.fresh(server_url, "empty", with_extension) as url:
        yield url


@pytest.fixture
def own_server(pytestconfig: pytest.Config) -> Iterator[OwnServer]:
    """A server in a container of the test's own."""
    with OwnServer(pytestconfig.stash[_SERVER].image) as server:
        yield server


@pytest.fixture(scope="module")
def module_server(pytestconfig: pytest.Config) -> Iterator[OwnServer]:
    """One in which the tests of a module have databases of their own."""
    with OwnServer(pytestconfig.stash[_SERVER].image) as server:
        yield server


@pytest.fixture
def open_folder(pytestconfig: pytest.Config) -> Iterator[Path]:
    """An empty folder that every user can reach, which pytest's own ones are not.

    The embedded server of root runs as another user.
    """
    folder = pytestconfig.stash[_SERVER].folder / secrets.token_hex(4)
    folder.mkdir()
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def server_home(open_folder: Path) -> Iterator[Path]:
    """A home for an embedded server of the test's own, which does not exist yet."""
    yield open_folder / "home"
    end_server(open_folder / "home")


@pytest.fixture
def made_home(server_home: Path) -> Path:
    """A home with an embedded server's data in it, and no server running."""
    from dataportal.embedded.server import embedded_server

    with embedded_server(say=ignore, data_home=server_home, durable=False):
        pass
    return server_home


class RunCli(Protocol):
    """The program as a process of its own, to its end."""

    def __call__(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        input: str | None = None,  # noqa: A002 - named as in subprocess.run
    ) -> subprocess.CompletedProcess[str]:
        """Run it and wait; `env` is added to a clean environment, `cwd` an empty folder."""


class StartCli(Protocol):
    """The program as a process of its own, running."""

    def __call__(
        self, *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.Popen[str]:
        """Start it with pipes for stdout and stderr; killed after the test if it still runs."""


@pytest.fixture
def clean_environment(tmp_path: Path, open_folder: Path) -> dict[str, str]:
    """An environment in which nothing of ours is set, with a home and data home of its own."""
    home = tmp_path / "home"
    home.mkdir()
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        # where an embedded server goes if the program starts one
        "XDG_DATA_HOME": str(open_folder),
        **_ENVIRONMENT,
    }


@pytest.fixture
def start_cli(tmp_path: Path, clean_environment: dict[str, str]) -> Iterator[StartCli]:
    """Starts the program; see StartCli."""
    processes: list[subprocess.Popen[str]] = []

    def start(
        *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dataportal", *args],
            env={**clean_environment, **(env or {})},
            cwd=cwd or tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        with process:
            process.kill()


@pytest.fixture(scope="session")
def warm_starts() -> Iterator[WarmStarts | None]:
    """What the program is started from, if DATAPORTAL_TEST_WARM says so."""
    if not os.environ.get("DATAPORTAL_TEST_WARM"):
        yield None
        return
    warm = WarmStarts({**_ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath)})
    yield warm
    warm.close()


@pytest.fixture
def run_cli(
    tmp_path: Path, clean_environment: dict[str, str], warm_starts: WarmStarts | None
) -> RunCli:
    """Runs the program; see RunCli."""

    def run(
        *args: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        input: str | None = None,  # noqa: A002 - named as in subprocess.run
    ) -> subprocess.CompletedProcess[str]:
        variables = {**clean_environment, **(env or {})}
        folder = cwd or tmp_path
        if warm_starts and warm_starts.suits(variables):
            return warm_starts.run(
                args, env=variables, cwd=folder, input_text=input or "", patience=_TIMEOUT
            )
        return subprocess.run(
            [sys.executable, "-m", "dataportal", *args],
            env=variables,
            cwd=folder,
            input=input or "",
            capture_output=True,
            encoding="utf-8",
            timeout=_TIMEOUT,
            check=False,
        )

    return run
