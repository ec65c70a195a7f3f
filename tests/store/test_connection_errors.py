"""What PostgreSQL refuses is said in one plain line, with what to do, and whether it may pass."""

from __future__ import annotations

import re
import socket
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from support.embedded_user import ignore
from support.store_feed import AtWork, current, hour, open_feed, open_observer

from dataportal.embedded.files import server_files
from dataportal.embedded.server import embedded_server
from dataportal.errors import DatabaseError, DatabaseTransientError, ExitCode, SchemaError
from dataportal.store import connection as under_test
from dataportal.store.connection import connect, database_errors
from dataportal.store.read.overview import database_facts, open_reader
from dataportal.store.records import RunKind, SeriesRecord
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PASSWORD = "canary-4711"  # noqa: S105 - must not be seen anywhere


@contextmanager
def expect_error(kind: type[DatabaseError], reason: str, hint: str | None) -> Iterator[None]:
    """The block raises exactly this kind, with a text of one line and without a password."""
    with pytest.raises(DatabaseError) as caught:
        yield
    error = caught.value
    assert type(error) is kind
    assert reason in error.message
    assert hint is None or hint in (error.hint or "")
    assert str(error).isprintable()
    assert _PASSWORD not in str(error)
    expected = ExitCode.CONFIGURATION if kind is SchemaError else ExitCode.DATABASE
    assert error.exit_code == expected


def change_url(url: str, *, user: str | None = None, database: str | None = None) -> str:
    """The URL for another user, whose password is ours, or another database."""
    parts = urlsplit(url)
    if user:
        address = parts.netloc.rpartition("@")[2]
        parts = parts._replace(netloc=f"{user}:{_PASSWORD}@{address}")
    return parts._replace(path=f"/{database}" if database else parts.path).geturl()


def attempt(url: str) -> None:
    """Connect as the program does."""
    connect(url, application_name="dataportal test").close()


@pytest.fixture
def user(database_url: str) -> Iterator[str]:
    """The name of a role that may log in and not much more."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = f"{connection.info.dbname}_user"
        role = Identifier(name)
        connection.execute(SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, _PASSWORD))
        yield name
        connection.execute(SQL("DROP ROLE {}").format(role))


def test_no_such_database(server_url: str) -> None:
    """Lasts until somebody makes it."""
    with expect_error(DatabaseError, '"nowhere" does not exist', "Create the database first"):
        attempt(change_url(server_url, database="nowhere"))


def test_a_database_that_lets_nobody_in(database_url: str, user: str) -> None:
    """It exists, so nobody is told to create it."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = Identifier(connection.info.dbname)
        connection.execute(SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(name))
    with expect_error(DatabaseError, "permission denied for database", "Grant the role"):
        attempt(change_url(database_url, user=user))


def test_too_many_connections_of_a_role_or_a_database(database_url: str, user: str) -> None:
    """May pass; the option that asks for fewer is named."""
    url = change_url(database_url, user=user)
    with psycopg.connect(database_url, autocommit=True) as connection:
        name, role = Identifier(connection.info.dbname), Identifier(user)
        connection.execute(SQL("ALTER ROLE {} CONNECTION LIMIT 1").format(role))
        with (
            closing(connect(url, application_name="first")),
            expect_error(DatabaseTransientError, "too many connections for role", "--jobs"),
        ):
            attempt(url)
        # the server may not know yet that the first is gone
        connection.execute(SQL("ALTER ROLE {} CONNECTION LIMIT -1").format(role))
        connection.execute(SQL("ALTER DATABASE {} CONNECTION LIMIT 0").format(name))
        with expect_error(DatabaseTransientError, "too many connections for database", "--jobs"):
            attempt(url)
        connection.execute(SQL("ALTER DATABASE {} CONNECTION LIMIT -1").format(name))


def test_a_server_that_is_full(made_home: Path) -> None:
    """Of connections: for ordinary roles first, then for everybody."""
    with (server_files(made_home).data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("max_connections = 4\nsuperuser_reserved_connections = 2\nmax_wal_senders = 0\n")
    with embedded_server(say=ignore, data_home=made_home) as url, ExitStack() as stack:
        first = stack.enter_context(closing(connect(url, application_name="first")))
        first.execute("CREATE ROLE ordinary LOGIN")
        ordinary = change_url(url, user="ordinary")
        stack.enter_context(closing(connect(ordinary, application_name="second")))
        with expect_error(DatabaseTransientError, "remaining connection slots", "--jobs"):
            attempt(ordinary)
        for _ in range(2):
            stack.enter_context(closing(connect(url, application_name="more")))
        with expect_error(DatabaseTransientError, "too many clients", "--jobs"):
            attempt(url)


def test_a_server_that_asks_for_a_password(made_home: Path) -> None:
    """A wrong one, none, a role that is not there or not let in: lasts; the right one works."""
    with embedded_server(say=ignore, data_home=made_home) as url:
        with connect(url, application_name="owner") as connection:
            connection.execute("SET password_encryption = 'scram-sha-256'")
            connection.execute("CREATE ROLE asked LOGIN PASSWORD 'right'")
            connection.execute("CREATE ROLE rejected LOGIN")
            connection.execute("CREATE ROLE powerless NOLOGIN")
            rules = server_files(made_home).data / "pg_hba.conf"
            before = rules.read_text(encoding="utf-8")
            added = "local all asked scram-sha-256\nlocal all rejected reject\n"
            rules.write_text(added + before, encoding="utf-8")
            connection.execute("SELECT pg_reload_conf()")
        right = change_url(url, user="asked").replace(_PASSWORD, "right")
        who = "Check the user and the password"
        await_rules(change_url(url, user="asked"))
        with expect_error(DatabaseError, 'authentication failed for user "asked"', who):
            attempt(change_url(url, user="asked"))
        with expect_error(DatabaseError, "no password supplied", who):
            attempt(change_url(url, user="asked").replace(f":{_PASSWORD}", ""))
        with expect_error(DatabaseError, "pg_hba.conf rejects connection", who):
            attempt(change_url(url, user="rejected"))
        with expect_error(DatabaseError, 'role "nobody-at-all" does not exist', who):
            attempt(change_url(url, user="nobody-at-all"))
        with expect_error(DatabaseError, 'role "powerless" is not permitted to log in', who):
            attempt(change_url(url, user="powerless"))
        attempt(right)


def await_rules(url: str) -> None:
    """Returns once the server has read its new rules: then this URL is refused."""
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://127.0.0.1:99999/x",
        "postgresql://127.0.0.1:0/x",
        "postgresql://127.0.0.1:port/x",
        f"postgresql://127.0.0.1:{'9' * 300}/x",
        "postgresql://user:sesame-7@[::1/x",
        "postgresql://user:sesame-7@ho st/x",
        "postgresql://xn--é.example/x",
        f"postgresql://{'a' * 70}.example/x",
        "postgresql://a..b/x",
        "postgresql://127.0.0.1/x?sslmode=sesame",
        "postgresql://127.0.0.1/x?no_such_parameter=1",
        "host=127.0.0.1 port=1 password='sesame-7",
    ],
)
def test_an_address_that_none_can_have(address: str) -> None:
    """Is refused for good, in a line that shows neither a password nor hundreds of digits."""
    with pytest.raises(DatabaseError) as caught:
        connect(address, application_name="test")
    assert caught.value.exit_code == ExitCode.CONFIGURATION
    message = str(caught.value)
    assert message.startswith("the address of the database cannot be used: ")
    assert "sesame-7" not in message
    assert not re.search(r"\d{30}", message)


def test_a_server_out_of_reach(tmp_path: Path) -> None:
    """No one listens at the port, or there is no such socket: may pass."""
    hint = "Check that the server runs and is reachable"
    with expect_error(DatabaseTransientError, "Connection refused", hint):
        attempt(f"postgresql://me:{_PASSWORD}@127.0.0.1:1/x")
    with expect_error(DatabaseTransientError, "No such file or directory", hint):
        attempt(f"postgresql://me:{_PASSWORD}@/x?host={quote(str(tmp_path), safe='')}")


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is made and then nothing comes: given up after a while; may pass."""
    monkeypatch.setattr(under_test, "_CONNECT_TIMEOUT", 2)  # the least that libpq accepts
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://me:{_PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/x"
        with expect_error(DatabaseTransientError, "timeout", "Check that the server runs"):
            attempt(url)


def test_a_server_that_is_something_else() -> None:
    """It hangs up: one line says so."""
    with socket.create_server(("127.0.0.1", 0)) as other:

        def hang_up() -> None:
            while True:
                try:
                    peer, _ = other.accept()
                except OSError:
                    return
                peer.recv(1024)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                peer.close()

        work = AtWork(hang_up)
        url = f"postgresql://me:{_PASSWORD}@127.0.0.1:{other.getsockname()[1]}/x"
        with expect_error(DatabaseTransientError, "connecting to the database", None):
            attempt(url)
        other.shutdown(socket.SHUT_RDWR)
        assert work.end() is None


def test_a_read_only_replica(server_home: Path) -> None:
    """Reading works; a run, or a first one, is told to use the primary."""
    with embedded_server(say=ignore, data_home=server_home, durable=False) as url:
        with open_feed(url) as feed:
            feed({0: 1.0})
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE empty")
    (server_files(server_home).data / "standby.signal").touch()
    primary = "read-only replica: use the primary"
    with embedded_server(say=ignore, data_home=server_home) as url:
        with open_reader(url) as reader:
            assert database_facts(reader).server_version
            assert reader.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
            assert current(reader) == {0: 1.0}
        with closing(SourceSession.open(url, "grid")) as session:
            assert session.try_lock()
            session.register([SeriesRecord("load")])
            with expect_error(DatabaseError, "recording the run", primary):
                session.start_run(RunKind.SCHEDULED, hour(0), None)
            with expect_error(DatabaseError, "registering the series", primary):
                session.register([SeriesRecord("load", unit="MW")])
        with expect_error(DatabaseError, "applying migration", primary):
            SourceSession.open(change_url(url, database="empty"), "grid")


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("statement_timeout", "The statement took too long"),
        ("lock_timeout", "Somebody else holds a lock on the table"),
    ],
)
def test_a_statement_that_takes_too_long(database_url: str, setting: str, reason: str) -> None:
    """Or waits too long: may pass; nothing was written, and the session goes on."""
    with open_feed(database_url) as feed, open_observer(database_url) as look:
        feed({0: 1.0})
        feed.session._connection.execute(f"SET {setting} = '1ms'".encode())
        with open_observer(database_url) as other, other.transaction():
            other.execute("LOCK TABLE time_series_data IN ACCESS EXCLUSIVE MODE")
            with expect_error(DatabaseTransientError, "storing the observations", reason):
                feed({0: 2.0})
        assert current(look) == {0: 1.0}
        feed.session._connection.execute(f"SET {setting} = '1min'".encode())
        feed({0: 2.0})
        assert current(look) == {0: 2.0}


@pytest.mark.parametrize("read_only", [False, True])
def test_limits_of_a_database_are_not_those_of_a_session(
    database_url: str, *, read_only: bool
) -> None:
    """A session waits for providers, and its transactions take what they take."""
    with open_observer(database_url) as admin:
        here = Identifier(admin.info.dbname)
        row = admin.execute("SELECT current_setting('transaction_timeout', true)").fetchone()
        names = ["idle_session_timeout", *(["transaction_timeout"] if row != (None,) else [])]
        for name in names:
            admin.execute(SQL("ALTER DATABASE {} SET {} = '300ms'").format(here, Identifier(name)))
        with connect(database_url, application_name="limits", read_only=read_only) as connection:
            # longer than the limit: once between two statements, once within a transaction
            admin.execute("SELECT pg_sleep(0.6)")
            for name in names:
                assert connection.execute(f"SHOW {name}".encode()).fetchone() == ("0",)
            with connection.transaction():
                connection.execute("SELECT pg_sleep(0.6)")


def test_a_deadlock(database_url: str) -> None:
    """Of which the run is the victim: may pass, and nothing was written."""
    with (
        open_feed(database_url) as feed,
        open_observer(database_url) as look,
        open_observer(database_url) as other,
    ):
        feed({0: 1.0})
        ours = feed.session._connection
        ours.execute("SET deadlock_timeout = '1ms'")
        other.execute("SET deadlock_timeout = '1h'")
        theirs = other.info.backend_pid

        def hold_and_wait() -> None:
            with other.transaction():
                other.execute("LOCK TABLE time_series_data_scd2 IN SHARE MODE")
                other.execute("LOCK TABLE time_series IN EXCLUSIVE MODE")

        with (
            expect_error(DatabaseTransientError, "deadlock detected", None),
            ours.transaction(),
        ):
            ours.execute("LOCK TABLE time_series IN EXCLUSIVE MODE")
            work = AtWork(hold_and_wait)
            while look.execute("SELECT pg_blocking_pids(%s) = '{}'", [theirs]).fetchone() == (
                True,
            ):
                assert work.is_alive(), work.raised
            feed({0: 2.0})
        assert work.end() is None
        assert current(look) == {0: 1.0}


def test_a_program_that_was_held_up(database_url: str) -> None:
    """In the middle of a transaction, so that the server ended it: may pass.

    Its farewell says why, if it arrives before the end of the connection is noticed.
    """
    with connect(database_url, application_name="held up") as connection:
        pid = connection.info.backend_pid
        connection.execute("SET idle_in_transaction_session_timeout = '1ms'")
        with (
            open_observer(database_url) as look,
            expect_error(DatabaseTransientError, "storing the observations: ", None),
            database_errors("storing the observations"),
            connection.transaction(),
        ):
            connection.execute("SELECT 1")
            alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
            while look.execute(alive, [pid]).fetchone() == (1,):
                pass
            connection.execute("SELECT 1")


STATES: dict[str, tuple[type[DatabaseError], str | None]] = {
    "25P03": (DatabaseTransientError, "held up in the middle of a transaction"),
    "53100": (DatabaseError, "disk is full"),
    "53200": (DatabaseTransientError, "short of resources"),
    "53300": (DatabaseTransientError, "--jobs"),
    "57014": (DatabaseTransientError, "took too long"),
    "57P02": (DatabaseTransientError, "is restarting"),
    "55P03": (DatabaseTransientError, "Somebody else holds a lock"),
    "40001": (DatabaseTransientError, None),
    "40P01": (DatabaseTransientError, None),
    "08006": (DatabaseTransientError, "The connection broke"),
    "25006": (DatabaseError, "use the primary"),
    "42501": (DatabaseError, "Grant the role"),
    "42P01": (SchemaError, "dataportal migrate"),
    "42703": (SchemaError, "dataportal migrate"),
    "28000": (DatabaseError, "Check the user and the password"),
    "3D000": (DatabaseError, "Create the database first"),
    "23505": (DatabaseError, None),
    "XX001": (DatabaseError, None),
}


def test_each_error_of_a_statement_has_its_meaning(database_url: str) -> None:
    """As the server raises it: whether it may pass, and what to do; no two hints are the same."""
    hints = [hint for _, hint in STATES.values() if hint and "migrate" not in hint]
    assert len(set(hints)) == len(hints)
    with connect(database_url, application_name="states") as connection:
        for state, (kind, hint) in STATES.items():
            with expect_error(kind, "doing this: what the server says", hint):
                raise_in_server(connection, state, "what the server says")


def test_an_error_is_one_harmless_line(database_url: str) -> None:
    """Of a text with line ends, escapes and a password in a URL the first line is shown, tame."""
    text = f"\n\x1b[31mred postgresql://me:{_PASSWORD}@host/x\x07\nDETAIL of it"
    with (
        connect(database_url, application_name="states") as connection,
        expect_error(DatabaseError, r"\x1b[31mred postgresql://me:***@host/x\x07", None),
    ):
        raise_in_server(connection, "XX000", text)


def raise_in_server(connection: psycopg.Connection[Any], state: str, text: str) -> None:
    """Have the server raise an error, where the store would meet it."""
    statement = SQL("DO $_$ BEGIN RAISE EXCEPTION USING errcode = {}, message = {}; END $_$")
    with database_errors("doing this"):
        connection.execute(statement.format(state, text))
