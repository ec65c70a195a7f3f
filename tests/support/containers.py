"""PostgreSQL server in a container of a test's own: to be restarted, filled up or cut off."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
from support.databases import with_extension

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_PASSWORD = "for-tests-only"  # noqa: S105 - of a container that lives as long as a test
_DATABASE = "grid"
_PATIENCE = 60.0  # seconds until it must let us in
_SMALL = "/small"  # a file system that can be filled
_PORT, _STANDBY_PORT = 5432, 5433


class OwnServer:
    """Runs while it is entered.

    Args:
        image: a PostgreSQL that takes POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB.
    """

    def __init__(self, image: str) -> None:
        import docker

        self._client: Any = docker.from_env()
        self._image = image
        self._container: Any = None

    @property
    def url(self) -> str:
        """Its database, at the container's own address: nothing stands in between."""
        return self._url_of(_DATABASE)

    def standby(self) -> str:
        """The URL of that database on a new standby, which lives in the same container."""
        folder = "/tmp/standby"  # noqa: S108 - not of this machine
        primary = f"postgresql://admin:{_PASSWORD}@127.0.0.1:{_PORT}"
        self._shell(f"pg_basebackup -d {primary} -D {folder} -R -X stream -c fast")
        options = f"-p {_STANDBY_PORT} -c listen_addresses=*"
        self._shell(f"pg_ctl -D {folder} -o '{options}' -l {folder}.log -w start")
        return self._url_of(_DATABASE, _STANDBY_PORT)

    def detach_standby(self) -> None:
        """What the primary does from now on does not come to the standby any more."""
        standby = self._url_of("admin", _STANDBY_PORT)
        with psycopg.connect(standby, autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET primary_conninfo = ''")
            admin.execute("SELECT pg_reload_conf()")
            while admin.execute("SELECT FROM pg_stat_wal_receiver").fetchone() is not None:
                time.sleep(0.05)

    def promote_standby(self) -> None:
        """The standby is the primary from now on; nobody is to use the old one any more."""
        self._shell("pg_ctl -D /tmp/standby -w promote")

    def in_small_tablespace(self, name: str) -> str:
        """The URL of a new database whose files lie in a folder that can be filled."""
        self._shell(f"mkdir {_SMALL}/space")
        with psycopg.connect(self._url_of("admin"), autocommit=True) as admin:
            admin.execute(f"CREATE TABLESPACE {name} LOCATION '{_SMALL}/space'".encode())
        self._make(name, f"TABLESPACE {name}")
        return self._url_of(name)

    def in_restored_dump(self, name: str) -> str:
        """The URL of a new database into which its own was dumped and restored, as operators do."""
        self._make(name)
        prefix = f"postgresql://admin:{_PASSWORD}@127.0.0.1:{_PORT}"
        self._shell(f"pg_dump --format=custom --file=/tmp/{name}.dump {prefix}/{_DATABASE}")
        query = f"psql {prefix}/{name} -qc 'SELECT timescaledb_{{}}_restore()'"
        self._shell(query.format("pre"))
        self._shell(f"pg_restore --exit-on-error --dbname={prefix}/{name} /tmp/{name}.dump")
        self._shell(query.format("post"))
        return self._url_of(name)

    def in_new_database(self) -> str:
        """The URL of an empty database."""
        name = f"grid_{secrets.token_hex(4)}"
        self._make(name)
        return self._url_of(name)

    def kill(self, pid: int) -> None:
        """Kill one of its processes, as the kernel does for want of memory; it starts anew.

        Returns when it lets us in.
        """
        self._shell(f"kill -9 {pid}")
        # it may let somebody in before it has noticed
        with suppress(psycopg.OperationalError), psycopg.connect(self._url_of("admin")) as admin:
            while True:
                admin.execute("SELECT 1")
        self._await()

    def fill(self) -> None:
        """Leave one megabyte of room in that folder."""
        self._shell(
            f"free=$(df --output=avail -k {_SMALL} | tail -n1); "
            f"head -c $(( (free - 1024) * 1024 )) /dev/zero >{_SMALL}/ballast"
        )

    def make_room(self) -> None:
        """Have the room back."""
        self._shell(f"rm {_SMALL}/ballast")

    def restart(self) -> None:
        """Stop it as an operator does, and start it; returns when it lets us in."""
        self._container.restart(timeout=20)
        self._await()

    def cut_off(self) -> None:
        """Take its network away: nobody is told of it, neither the server nor who is connected."""
        self._client.networks.get("bridge").disconnect(self._container)

    def query(self, statement: str) -> str:
        """The answer to a query, asked within the container; the network does not matter."""
        result = self._container.exec_run(
            ["psql", "-h", "127.0.0.1", "-U", "admin", "-Atc", statement, _DATABASE],
            environment={"PGPASSWORD": _PASSWORD},
        )
        assert result.exit_code == 0, result.output
        return str(result.output.decode()).strip()

    def __enter__(self) -> Self:
        self._container = self._client.containers.run(
            self._image,
            "postgres -c fsync=off",
            detach=True,
            environment={
                "POSTGRES_USER": "admin",
                "POSTGRES_PASSWORD": _PASSWORD,
                "POSTGRES_DB": "admin",
            },
            tmpfs={_SMALL: "size=96m,mode=1777"},
        )
        self._await()
        self._make(_DATABASE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.remove(force=True, v=True)
        self._client.close()

    def _url_of(self, database: str, port: int = _PORT) -> str:
        self._container.reload()
        (network,) = self._container.attrs["NetworkSettings"]["Networks"].values()
        return f"postgresql://admin:{_PASSWORD}@{network['IPAddress']}:{port}/{database}"

    def _make(self, database: str, options: str = "") -> None:
        # whatever the server's own encoding is; an image may have been made without any
        statement = f"CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'"
        with psycopg.connect(self._url_of("admin"), autocommit=True) as admin:
            admin.execute(f"{statement} LC_CTYPE 'C' {options}".encode())
        with_extension(self._url_of(database))

    def _shell(self, command: str) -> None:
        result = self._container.exec_run(["sh", "-c", command], user="postgres")
        assert result.exit_code == 0, result.output

    def _await(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                psycopg.connect(self._url_of("admin"), connect_timeout=5).close()
            except (psycopg.OperationalError, ValueError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return
