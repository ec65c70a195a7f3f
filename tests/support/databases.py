"""A PostgreSQL server for the tests, and fresh databases in it that cost next to nothing.

The server is one of three kinds:

    url        the one DATAPORTAL_TEST_DATABASE_URL names, with a role that may create databases
    docker     a container of DATAPORTAL_TEST_IMAGE, or of the TimescaleDB image if it is at hand
    embedded   the one of the extra `embedded`, on a folder of its own, without fsync

The first kind that there is serves; DATAPORTAL_TEST_SERVER names one that must, or the tests fail.
All workers of a test run share one server and the templates that databases are cloned from.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import secrets
import shutil
import tempfile
import time
import warnings
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

KINDS = ("url", "docker", "embedded")
_IMAGE = "timescale/timescaledb:latest-pg17"
_PASSWORD = "for-tests-only"  # noqa: S105 - of a container that lives as long as the tests
_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it has a name of its own
_PATIENCE = 60.0  # seconds until a container must let us in


@dataclass(frozen=True, slots=True)
class SharedServer:
    """Which server a test run uses, and the folder through which its workers share it."""

    kind: str
    image: str
    folder: Path

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> SharedServer:
        """What the environment asks for, with a new folder.

        Raises:
            ValueError: DATAPORTAL_TEST_SERVER names no kind of server, or one without its URL.
        """
        image = env.get("DATAPORTAL_TEST_IMAGE") or _IMAGE
        required = env.get("DATAPORTAL_TEST_SERVER")
        if required and required not in KINDS:
            raise ValueError(f"DATAPORTAL_TEST_SERVER={required!r} is none of {', '.join(KINDS)}")
        if required == "url" and not env.get("DATAPORTAL_TEST_DATABASE_URL"):
            raise ValueError("DATAPORTAL_TEST_SERVER=url needs DATAPORTAL_TEST_DATABASE_URL")
        if required:
            kind = required
        elif env.get("DATAPORTAL_TEST_DATABASE_URL"):
            kind = "url"
        elif env.get("DATAPORTAL_TEST_IMAGE") or _image_at_hand(image):
            kind = "docker"
        else:
            kind = "embedded"
        folder = Path(tempfile.mkdtemp(prefix="dataportal-test-"))
        # the embedded server of root runs as another user, who has to pass
        folder.chmod(0o755)
        return cls(kind, image, folder)

    @classmethod
    def from_dict(cls, description: Mapping[str, str]) -> SharedServer:
        """The one that `as_dict` describes."""
        return cls(description["kind"], description["image"], Path(description["folder"]))

    def as_dict(self) -> dict[str, str]:
        """What another process needs to share it."""
        return {"kind": self.kind, "image": self.image, "folder": str(self.folder)}

    def __str__(self) -> str:
        return f"{self.kind} ({self.image})" if self.kind == "docker" else self.kind

    @contextmanager
    def serve(self) -> Iterator[str]:
        """The URL of a role that may create databases, while the server runs."""
        if self.kind == "url":
            yield os.environ["DATAPORTAL_TEST_DATABASE_URL"]
        elif self.kind == "docker":
            with self.lock():
                url = self._container()
            yield url
        else:
            from dataportal.embedded.server import embedded_server

            with embedded_server(say=print, data_home=self._data_home, durable=False) as url:
                yield url

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One worker at a time."""
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def end(self) -> None:
        """Removes what the run has left: to be called once, when all workers have ended."""
        if self.kind == "url":
            with admin_connection(os.environ["DATAPORTAL_TEST_DATABASE_URL"]) as connection:
                Databases(connection, self).drop_all()
        if (container := self.folder / "container").exists():
            import docker

            client = docker.from_env()
            client.containers.get(json.loads(container.read_text())["id"]).remove(
                force=True, v=True
            )
            client.close()
        shutil.rmtree(self._data_home, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data_home(self) -> Path:
        """Where the embedded server has its data."""
        return _MEMORY / self.folder.name if _in_memory() else self.folder / "server"

    def _container(self) -> str:
        """The URL of the container, started by the worker that comes first."""
        record = self.folder / "container"
        if record.exists():
            return str(json.loads(record.read_text())["url"])
        from testcontainers.core.config import testcontainers_config
        from testcontainers.core.container import DockerContainer

        # its reaper would end the container with the worker that started it, while others go on
        testcontainers_config.ryuk_disabled = True
        container = (
            DockerContainer(self.image)
            .with_env("POSTGRES_USER", "admin")
            .with_env("POSTGRES_PASSWORD", _PASSWORD)
            .with_env("POSTGRES_DB", "admin")
            .with_command("postgres -c fsync=off -c full_page_writes=off -c max_connections=200")
            .with_exposed_ports(5432)
        )
        if _in_memory():
            container.with_tmpfs_mount("/var/lib/postgresql/data")
        container.start()
        host, port = container.get_container_host_ip(), container.get_exposed_port(5432)
        url = f"postgresql://admin:{_PASSWORD}@{host}:{port}/admin"
        record.write_text(json.dumps({"id": container.get_wrapped_container().id, "url": url}))
        _await(url)
        return url


@dataclass(frozen=True, slots=True)
class Databases:
    """Makes and drops the databases of one test run."""

    admin: psycopg.Connection[Any]
    server: SharedServer

    @contextmanager
    def fresh(self, url: str, template: str, prepare: Callable[[str], None]) -> Iterator[str]:
        """The URL of a new database, cloned from a template that is made when first asked for.

        Args:
            url: one of the same server.
            template: its name.
            prepare: fills the template, given its URL.
        """
        source = self._template(url, template, prepare)
        name = f"{self._prefix}_{secrets.token_hex(6)}"
        self._run(f"CREATE DATABASE {{}} TEMPLATE {{}} {self._strategy}", name, source)
        try:
            yield _in_database(url, name)
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    def drop_all(self) -> None:
        """Drops every database of this test run."""
        pattern = self._prefix.replace("_", r"\_") + r"\_%"
        rows = self.admin.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", [pattern]
        )
        for (name,) in rows.fetchall():
            self._run("ALTER DATABASE {} IS_TEMPLATE false", name)
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    @property
    def _strategy(self) -> str:
        """How to copy: as files takes half the time where a checkpoint waits for no disk."""
        return "" if self.server.kind == "url" else "STRATEGY FILE_COPY"

    @property
    def _prefix(self) -> str:
        return self.server.folder.name.replace("-", "_").lower()

    def _template(self, url: str, template: str, prepare: Callable[[str], None]) -> str:
        name = f"{self._prefix}_{template}"
        with self.server.lock():
            if self._count(
                "SELECT count(*) FROM pg_database WHERE datname = %s AND datistemplate", name
            ):
                return name
            # whatever the server's own encoding is; an image may have been made without any
            self._run(
                "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'",
                name,
            )
            prepare(_in_database(url, name))
            # TimescaleDB keeps a background worker in every database that may be connected to, and
            # one that anybody is connected to cannot be cloned. It leaves templates alone.
            self._run("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)
            self.admin.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s",
                [name],
            )
            self._run("ALTER DATABASE {} IS_TEMPLATE true", name)
        return name

    def _count(self, query: Any, *values: Any) -> int:
        row = self.admin.execute(query, values).fetchone()
        return int(row[0]) if row else 0

    def _run(self, statement: Any, *names: str) -> None:
        self.admin.execute(SQL(statement).format(*map(Identifier, names)))


def admin_connection(url: str) -> psycopg.Connection[Any]:
    """A connection that makes and drops databases."""
    return psycopg.connect(url, autocommit=True, client_encoding="utf8")


def with_extension(url: str) -> None:
    """Gives a database TimescaleDB where the server has it and the role may."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_available_extensions"
            " WHERE name = 'timescaledb' AND current_setting('is_superuser') = 'on'"
        ).fetchone()
        if row and row[0]:
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")


def with_schema(url: str) -> None:
    """Gives a database all that a migrated one has."""
    from dataportal.store.connection import connect
    from dataportal.store.migrations import migrate

    with_extension(url)
    with closing(connect(url, application_name="dataportal test")) as connection:
        migrate(connection)


def with_distribution(url: str) -> None:
    """Gives a database all that a migrated one has, and distributes its tables by Citus."""
    from dataportal.store.connection import connect
    from dataportal.store.distribution import Unit, distribute
    from dataportal.store.migrations import schema_state

    with_citus(url)
    with_schema(url)
    with closing(connect(url, application_name="dataportal test")) as connection:
        assert schema_state(connection).problem is None
        distribute(connection, Unit.SERIES)


def with_citus(url: str) -> None:
    """Makes a database a cluster of one server, which plans and has the data."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION citus")
        # as the server calls itself; clients may come another way
        node = "'localhost', current_setting('port')::integer"
        connection.execute(f"SELECT citus_set_coordinator_host({node})".encode())
        connection.execute(
            f"SELECT citus_set_node_property({node}, 'shouldhaveshards', true)".encode()
        )
        name = Identifier(connection.info.dbname)
        settings = (
            # as every shard of every table is a table of its own
            "citus.shard_count = 4",
            # a machine goes by its own settings, not by those of the session that asks
            "TimeZone = 'Asia/Kathmandu'",
            "IntervalStyle = 'sql_standard'",
            "extra_float_digits = -8",
        )
        for setting in settings:
            connection.execute(SQL("ALTER DATABASE {} SET " + setting).format(name))


def _in_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _in_memory() -> bool:
    """Whether the server shall have its data there."""
    return bool(os.environ.get("DATAPORTAL_TEST_IN_MEMORY"))


def _image_at_hand(image: str) -> bool:
    # a run that nobody has asked for Docker must not wait for a download
    if not (os.environ.get("DOCKER_HOST") or Path("/var/run/docker.sock").exists()):
        return False
    import docker
    from docker.errors import DockerException

    try:
        with closing(docker.from_env()) as client:
            client.images.get(image)
    except DockerException:
        is_there = False
    else:
        is_there = True
    # of a socket that may not be reached the client leaves one of its own open
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return is_there


def _await(url: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
