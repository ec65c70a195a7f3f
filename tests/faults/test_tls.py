"""TLS, to providers and to the database: always verified, by authorities of one's own as well."""

from __future__ import annotations

import select
import socket
import socketserver
import ssl
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import psycopg
import psycopg.conninfo
import pytest
from psycopg.sql import SQL, Identifier
from support.http_server import LocalServer
from support.program_sources import SourceFile, runs_by_source, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import RunCli
    from support.containers import OwnServer

_SSL_REQUEST = 80877103  # the number that PostgreSQL's protocol has for it
CERTIFICATES = Path(__file__).parents[1] / "plugins" / "certificates"
OURS = CERTIFICATES / "authority.pem"
SIGNED = CERTIFICATES / "signed.pem"
"""A key, and a certificate for localhost and 127.0.0.1 by that authority."""
ANOTHER = CERTIFICATES / "valid.pem"


@pytest.fixture
def provider() -> Iterator[LocalServer]:
    """Serves https with the certificate that our authority signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SIGNED)
    with LocalServer(tls=context) as server:
        yield server


@pytest.mark.parametrize(
    ("variables", "outcome"),
    [
        ({}, "failed"),
        ({"SSL_CERT_FILE": str(ANOTHER)}, "failed"),
        ({"SSL_CERT_FILE": str(OURS)}, "succeeded"),
    ],
    ids=["the authorities of the world", "another authority", "our authority"],
)
def test_a_provider_is_trusted_by_its_authority_alone(
    database_url: str,
    tmp_path: Path,
    run_cli: RunCli,
    provider: LocalServer,
    variables: dict[str, str],
    outcome: str,
) -> None:
    """Without it nothing is asked, and the message names SSL_CERT_FILE."""
    sources = SourceFile(tmp_path)
    sources.csv("load", provider.answer("/load.csv", table([1.0])))
    sources.write()
    env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0", **variables}
    run = runs_by_source(run_cli("fetch", "load", "--json", env=env))["load"]
    assert run["outcome"] == outcome
    if outcome == "failed":
        assert "certificate" in run["error"]
        assert "SSL_CERT_FILE" in run["error"]
        assert not provider.requests


class TlsFront(socketserver.ThreadingTCPServer):
    """Speaks TLS with clients of PostgreSQL, as a server does, and hands all on to one without."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _FrontHandler)
        self.target: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(target)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(SIGNED)

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: clients that turn away are what the test is about."""

    def connect_target(self) -> socket.socket:
        """Connect to the target."""
        host, port = str(self.target["host"]), int(self.target.get("port") or 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(f"{host}/.s.PGSQL.{port}")
        return connection


class _FrontHandler(socketserver.BaseRequestHandler):
    server: TlsFront

    def handle(self) -> None:
        """Turn away who does not ask for TLS first."""
        if self.request.recv(8) != struct.pack("!ii", 8, _SSL_REQUEST):
            return
        self.request.sendall(b"S")
        with (
            self.server.context.wrap_socket(self.request, server_side=True) as client,
            self.server.connect_target() as target,
        ):
            while True:
                ready, _, _ = select.select(
                    [client, target], [], [], 0 if client.pending() else None
                )
                source = client if client.pending() or client in ready else target
                if not (data := source.recv(65536)):
                    return
                (target if source is client else client).sendall(data)


@dataclass(frozen=True)
class Secured:
    """A database that is reached by TLS only."""

    user: str
    password: str
    address: str
    port: str
    name: str

    @classmethod
    def at(cls, url: str, address: str | None = None, port: int | None = None) -> Secured:
        """The database of this URL, at another address if one is named."""
        parameters: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(url)
        return cls(
            parameters["user"],
            parameters.get("password") or "",
            address or parameters["host"],
            str(port or parameters.get("port") or 5432),
            parameters["dbname"],
        )

    def url(self, host: str = "localhost", **options: str) -> str:
        """Its address; by whatever name it is called, it is at the same address."""
        address = f"{host}:{self.port}/{self.name}"
        query = urlencode({"hostaddr": self.address, **options})
        return f"postgresql://{self.user}:{self.password}@{address}?{query}"


@contextmanager
def tls_front(target: str) -> Iterator[Secured]:
    """A database behind a front that speaks TLS."""
    with TlsFront(target) as front:
        serving = threading.Thread(target=front.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        yield Secured.at(target, *front.server_address)
        front.shutdown()
        serving.join()


def secure(server: OwnServer) -> Secured:
    """Give it our certificate, and let it turn away who comes without TLS."""
    key, begin, certificate = SIGNED.read_text(encoding="ascii").partition("-----BEGIN CERT")
    access = "local all all trust\nhostssl all all all scram-sha-256\nhostnossl all all all reject"
    files = {"ssl_key_file": key, "ssl_cert_file": begin + certificate, "hba_file": access}
    with psycopg.connect(server.url, autocommit=True) as admin:
        (folder,) = admin.execute("SHOW data_directory").fetchone() or ("",)
        for setting, text in files.items():
            path = f"{folder}/own_{setting}"
            admin.execute(
                SQL("COPY (SELECT unnest({}::text[])) TO PROGRAM {}").format(
                    text.strip().splitlines(), f"umask 077; cat >{path}"
                )
            )
            admin.execute(SQL("ALTER SYSTEM SET {} = {}").format(Identifier(setting), path))
        admin.execute("ALTER SYSTEM SET ssl = on")
        admin.execute("SELECT pg_reload_conf()")
    server.restart()
    return Secured.at(server.url)


@pytest.mark.slow
def test_a_database_is_verified_as_its_address_says(
    empty_database_url: str, run_cli: RunCli
) -> None:
    """With its authority the program works encrypted; refused otherwise, as `sslmode` promises."""
    with tls_front(empty_database_url) as secured:
        check_verification(secured, run_cli)


@pytest.mark.docker
@pytest.mark.slow
def test_postgresql_itself_is_verified(own_server: OwnServer, run_cli: RunCli) -> None:
    """The same with the TLS of the server, which lets nobody in without."""
    check_verification(secure(own_server), run_cli)


def check_verification(secured: Secured, run_cli: RunCli) -> None:
    """Each `sslmode` does what the manual says of it."""
    verified = {"sslmode": "verify-full", "sslrootcert": str(OURS)}
    process = run_cli("migrate", "-q", env={"DATABASE_URL": secured.url(**verified)})
    assert process.returncode == 0, process.stderr
    with psycopg.connect(secured.url(**verified)) as connection:
        assert connection.pgconn.ssl_in_use

    for host, options, reason in (
        ("localhost", {"sslmode": "disable"}, ""),
        ("localhost", {**verified, "sslrootcert": str(ANOTHER)}, "certificate verify failed"),
        ("localhost", {**verified, "sslrootcert": "/nowhere.pem"}, "/nowhere.pem"),
        ("db.example", verified, "does not match host name"),
    ):
        process = run_cli("migrate", env={"DATABASE_URL": secured.url(host, **options)})
        assert (process.returncode, options) == (69, options)
        assert reason in process.stderr
        assert "Traceback" not in process.stderr

    # whoever has a certificate of that authority; and then whoever answers
    for options in ({**verified, "sslmode": "verify-ca"}, {"sslmode": "require"}):
        address = secured.url("db.example", **options)
        assert run_cli("verify", "-q", env={"DATABASE_URL": address}).returncode == 0
