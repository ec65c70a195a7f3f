"""Connects to PostgreSQL, and turns its errors into those of this program, with what to do."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg

from dataportal.errors import (
    DatabaseAddressError,
    DatabaseError,
    DatabaseTransientError,
    EncodingError,
    SchemaError,
    UnsuitableServerError,
)
from dataportal.redaction import harmless, redact
from dataportal.store.pooling import check_pooling, process_id
from dataportal.store.queries import query

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONNECT_TIMEOUT = 10
_WITH_TRANSACTION_TIMEOUT = 170000  # the version of PostgreSQL that has it first
# A dead peer is noticed within a minute, although nothing is sent while a provider is asked.
_KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


def connect(
    url: str, *, application_name: str, read_only: bool = False, holds_lock: bool = False
) -> psycopg.Connection:
    """A connection in autocommit mode, in UTC, with every time limit set.

    No statement is prepared: a generic plan no longer leaves out chunks by their time range.
    Behind a pooler the limits are set only where each session has a server process of its own.

    Args:
        url: the database.
        application_name: what the server shows.
        read_only: nothing can be written.
        holds_lock: the lock of a source is taken on it, which needs a server process of its own.

    Raises:
        DatabaseTransientError: out of reach for now.
        UnsuitableServerError: a pooler in transaction mode stands in between, and a lock is to be
            taken; or it is no PostgreSQL.
        DatabaseError: refused.
    """
    connection, _ = connect_and_query(
        url, b"", application_name=application_name, read_only=read_only, holds_lock=holds_lock
    )
    return connection


def connect_and_query(
    url: str,
    statement: bytes,
    *,
    application_name: str,
    read_only: bool = False,
    holds_lock: bool = False,
) -> tuple[psycopg.Connection, psycopg.Cursor | None]:
    """What `connect` makes, and the answer to a first statement that travels with its limits.

    Args:
        url: the database.
        statement: one that asks, without parameters; empty for none. It travels before the search
            path is put right: functions in it are named with their schema.
        application_name: as of `connect`, like the following.
        read_only: see there.
        holds_lock: see there.

    Returns:
        The connection; and the answer, or None where it was refused, or must be asked for anew.

    Raises:
        DatabaseError: as of `connect`.
    """
    name = _ascii_name(application_name)
    with database_errors("connecting to the database"):
        connection = _open(url, name)
        try:
            _check_vendor(connection)
            process = connection.info.backend_pid
            is_set, answer = _set_session(connection, process, statement, read_only=read_only)
            if is_set:
                return connection, answer
            # Where a pooler stands in between, that process serves others too
            if holds_lock:
                check_pooling(url, connection, lambda: _open(url, name))
                _set_session(connection, process_id(connection), b"", read_only=read_only)
            else:
                connection.execute(query("session_pooled_settings"))
        except BaseException:
            connection.close()
            raise
    return connection, None


def _open(url: str, name: str) -> psycopg.Connection:
    try:
        return psycopg.connect(
            url,
            autocommit=True,
            application_name=name,
            connect_timeout=_CONNECT_TIMEOUT,
            # text as text, also from a database made without an encoding (SQL_ASCII)
            client_encoding="utf8",
            prepare_threshold=None,
            **_KEEPALIVE,  # type: ignore[arg-type]  # psycopg types them as one union
        )
    except psycopg.Error as error:
        reason = _first_line(str(error))
        if isinstance(error, psycopg.ProgrammingError) or _NO_VALUE.search(reason):
            raise _address_error(reason) from error
        raise
    except UnicodeError as error:
        raise _address_error("the host has a name that none can have") from error


def _address_error(reason: str) -> DatabaseAddressError:
    reason = reason.removeprefix("connection is bad: ")
    shown = _LONG_NUMBER.sub(r"\1…", harmless(redact(reason), 500))
    return DatabaseAddressError(
        f"the address of the database cannot be used: {shown}",
        hint="It is postgresql://USER@HOST:PORT/DATABASE, in which % and two digits stand for what "
        "has a meaning there",
    )


def _check_vendor(connection: psycopg.Connection) -> None:
    # its advisory locks are granted to everybody
    if connection.info.parameter_status("crdb_version"):
        raise UnsuitableServerError(
            "the database is CockroachDB, whose advisory locks keep nobody out",
            hint="Point DATABASE_URL at PostgreSQL, with or without TimescaleDB",
        )


def _set_session(
    connection: psycopg.Connection, process: int, statement: bytes, *, read_only: bool
) -> tuple[bool, psycopg.Cursor | None]:
    """Set the limits of the session, if that server process serves it, and ask a statement.

    Returns:
        Whether they are set; and the answer, or None where it was refused, or must be asked for
        anew.
    """
    has_limit = connection.info.server_version >= _WITH_TRANSACTION_TIMEOUT
    settings = query("session_settings") % {
        b"process": b"%d" % process,
        b"read_only": b"'on'" if read_only else b"'off'",
        b"transaction_timeout": b"'transaction_timeout'" if has_limit else b"NULL",
    }
    batch = [settings, b"SHOW search_path"]
    try:
        cursor = connection.execute(b";\n".join([*batch, statement]))
    except psycopg.Error:
        if not statement:
            raise
        # one that fails takes back what was set before it
        statement = b""
        cursor = connection.execute(b";\n".join(batch))
    is_set = cursor.rowcount > 0
    cursor.nextset()
    (search_path,) = cursor.fetchone() or ("",)
    if is_set and "pg_catalog" in search_path.lower():
        connection.execute(query("session_search_path"))
        return True, None
    return is_set, cursor.set_result(-1) if statement else None


def rename(connection: psycopg.Connection, *, application_name: str) -> None:
    """Let the server show a connection by another name."""
    name = _ascii_name(application_name)
    connection.execute("SELECT set_config('application_name', %s, false)", (name,))


@contextmanager
def pipelined_transaction(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction whose statements travel together: nothing within may wait for an answer.

    psycopg's own `transaction()` in a pipeline waits at its beginning and twice at its end.
    """
    try:
        with connection.pipeline():
            connection.execute("BEGIN")
            yield
            connection.execute("COMMIT")
    except BaseException:
        # a connection that is gone has nothing left to roll back
        with suppress(psycopg.Error):
            connection.rollback()
        raise


@contextmanager
def database_errors(action: str) -> Iterator[None]:
    """Turn whatever PostgreSQL raises inside into a `DatabaseError` that says what to do.

    Args:
        action: what is being done; the message begins with it.
    """
    try:
        yield
    except psycopg.Error as error:
        raise _database_error(error, action) from error
    except UnicodeEncodeError as error:
        # such as a name on the command line in another encoding
        raise EncodingError(f"{action}: {harmless(str(error), 200)}", hint=_UTF8) from error


# What libpq says of a parameter before it looks for a server.
_NO_VALUE = re.compile(r"invalid (port number|\w+ value):? \"")
_LONG_NUMBER = re.compile(r"(\d{20})\d+")

_UTF8 = "Keep the portal in a database made with ENCODING 'UTF8'; dump and restore bring it there"
_ERRORS: dict[str, tuple[type[DatabaseError], str | None]] = {
    "28": (DatabaseError, "Check the user and the password in DATABASE_URL"),
    "3D": (DatabaseError, "Create the database first, or correct its name in DATABASE_URL"),
    "42501": (DatabaseError, "Grant the role what sql/README.md lists for it"),
    "42P01": (SchemaError, "Bring the schema up to date with: dataportal migrate"),
    "42703": (SchemaError, "Bring the schema up to date with: dataportal migrate"),
    "25P03": (DatabaseTransientError, "The program was held up in the middle of a transaction"),
    "25006": (DatabaseError, "This server is a read-only replica: use the primary"),
    "53100": (DatabaseError, "The server's disk is full: make room, then run again"),
    "53300": (DatabaseTransientError, "The server has no connection left: lower --jobs"),
    "53": (DatabaseTransientError, "The server is short of resources"),
    "57014": (DatabaseTransientError, "The statement took too long, or was cancelled"),
    "57": (DatabaseTransientError, "The server is restarting or ended the connection"),
    "55P03": (DatabaseTransientError, "Somebody else holds a lock on the table"),
    "22P05": (EncodingError, _UTF8),
    "22021": (EncodingError, _UTF8),
    "40": (DatabaseTransientError, None),
    "08": (DatabaseTransientError, "The connection broke"),
}

# What PgBouncer says, with a state that stands for much else.
_STATEMENT_POOLING = "transaction blocks not allowed in statement pooling mode"

# Before a session exists the server's message is all there is, without an SQLSTATE.
_STATES_OF_TEXTS: tuple[tuple[str, str], ...] = (
    ("conversion between UTF8 and ", "22P05"),
    ("too many clients", "53300"),
    ("remaining connection slots", "53300"),
    ("too many connections", "53300"),
    ("authentication failed", "28"),
    ("no password supplied", "28"),
    ("pg_hba.conf", "28"),
    ("permission denied for database", "42501"),
    ('role "', "28"),
    ('" does not exist', "3D"),
)


def _ascii_name(application_name: str) -> str:
    """As much of a name as the server can show and keeps."""
    return application_name.strip().encode("ascii", "replace").decode()[:63]


def _database_error(error: psycopg.Error, action: str) -> DatabaseError:
    state = error.sqlstate or _state_from_text(str(error))
    reason = harmless(redact(_first_line(str(error))), 500)
    message = f"{action}: {reason}{_untranslatable(reason)}"
    if _STATEMENT_POOLING in reason:
        return UnsuitableServerError(
            message,
            hint="Set pool_mode = session for the pooler, or point DATABASE_URL at PostgreSQL "
            "itself: what is read together is read in one transaction",
        )
    for code in (state, state[:2]):
        if code in _ERRORS:
            error_class, hint = _ERRORS[code]
            return error_class(message, hint=hint)
    if isinstance(error, psycopg.OperationalError):
        return DatabaseTransientError(message, hint="Check that the server runs and is reachable")
    return DatabaseError(message)


def _untranslatable(reason: str) -> str:
    """The character that the server names by its bytes, in whatever language."""
    sequence = re.search(r"(?:0x[0-9a-f]{2} ?)+", reason)
    if sequence is None:
        return ""
    raw = bytes(int(byte, 16) for byte in sequence[0].split())
    return f" ({harmless(raw.decode('utf-8', 'replace'))!r})"


def _state_from_text(text: str) -> str:
    return next((state for phrase, state in _STATES_OF_TEXTS if phrase in text), "")


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "no reason given"
