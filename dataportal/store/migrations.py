"""Migrations: brings the schema of a database to what this program needs.

Migrations are the numbered files in `sql/migrations/`. Each is applied once, in order, in a
transaction of its own together with its record, under an advisory lock. A released file never
changes again: its SHA-256 is recorded and compared.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from dataportal.errors import DatabaseTransientError, SchemaError
from dataportal.failpoints import failpoint
from dataportal.store.connection import connect_and_query, database_errors
from dataportal.store.lock import lock_key, try_lock, unlock
from dataportal.store.queries import (
    is_distributed,
    mark_distributed,
    query,
    sql_home,
    unmark_distributed,
)
from dataportal.store.rows import record_row
from dataportal.store.statements import split_statements
from dataportal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOCK_WAIT = 120.0  # seconds; a migration of a large table may take its time
_POLL = 0.05
_TAKEN_NAMES = (
    psycopg.errors.DuplicateTable,
    psycopg.errors.DuplicateFunction,
    psycopg.errors.DuplicateObject,
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name, its text and the hash of that."""

    version: int
    name: str
    text: bytes

    @property
    def sha256(self) -> str:
        """What is recorded, and compared ever after."""
        return _sha256(self.text)


@cache
def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


@dataclass(frozen=True, slots=True)
class SchemaState:
    """What is applied to a database, and pending; `problem` is None if this program may use it."""

    schema: str
    applied: tuple[str, ...]
    pending: tuple[str, ...]
    problem: SchemaError | None


class _AppliedRow(NamedTuple):
    """What the database says of a migration, and the schemas that it was asked in and found in."""

    current_schema: str | None
    table_schema: str
    version: int
    name: str
    sha256: str
    is_distributed: bool


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations of this program, in order."""
    files = sorted((sql_home() / "migrations").glob("*.sql"))
    return tuple(Migration(int(f.name[:4]), f.stem, f.read_bytes()) for f in files)


def connect_to_schema(
    url: str, *, application_name: str, read_only: bool = False, holds_lock: bool = False
) -> tuple[psycopg.Connection, str]:
    """A connection and the schema's name; both are asked for together.

    A connection that may write brings the schema up to date where the role may.

    Args:
        url: the database.
        application_name: as of `connection.connect`, like the following.
        read_only: see there.
        holds_lock: see there.

    Raises:
        SchemaError: the schema does not fit, and cannot be made to.
        DatabaseError: as of `connect`.
    """
    connection, applied = connect_and_query(
        url,
        query("migration_applied"),
        application_name=application_name,
        read_only=read_only,
        holds_lock=holds_lock,
    )
    try:
        if read_only:
            return connection, require_schema(connection, applied)
        return connection, ensure_schema(connection, applied)
    except BaseException:
        connection.close()
        raise


def schema_state(
    connection: psycopg.Connection, applied: psycopg.Cursor | None = None
) -> SchemaState:
    """What is applied, what is pending, and why the schema cannot be used, if so.

    Args:
        connection: to the database.
        applied: the answer to `migration_applied`, where it is there already.

    Raises:
        DatabaseError: the server cannot be asked.
    """
    with database_errors("reading the state of the schema"):
        try:
            cursor = applied or connection.execute(query("migration_applied"))
            rows = _applied_rows(cursor)
        except psycopg.errors.UndefinedTable:
            rows = []
        except psycopg.errors.UndefinedColumn as error:
            raise SchemaError(
                "there is a table schema_migration that is not dataportal's",
                hint="Give dataportal a schema of its own: search_path in DATABASE_URL",
            ) from error
        if rows:
            schema = rows[0].current_schema
        else:
            (schema,) = connection.execute("SELECT current_schema()").fetchone() or (None,)
    # one further down the path is somebody else's
    recorded = {
        row.version: (row.name, row.sha256)
        for row in sorted(rows, key=lambda row: row.version)
        if row.table_schema == schema
    }
    if any(row.is_distributed for row in rows if row.table_schema == schema):
        mark_distributed(connection)
    known = migrations()
    mismatch = _schema_mismatch(schema, recorded, known)
    if not (mismatch or recorded):
        with database_errors("looking for another schema"):
            other = connection.execute(query("migration_elsewhere")).fetchone()
        mismatch = None if other is None else _second_portal_error(schema, other[0])
        mismatch = _worker_error(connection) or mismatch
    # nothing is ever added to a schema that this program does not understand
    pending = () if mismatch else tuple(m.name for m in known if m.version not in recorded)
    return SchemaState(
        schema=schema or "",
        applied=tuple(name for name, _ in recorded.values()),
        pending=pending,
        problem=mismatch or _pending_error(schema, pending, is_new=not recorded),
    )


def _applied_rows(cursor: psycopg.Cursor[Any]) -> list[_AppliedRow]:
    cursor.row_factory = record_row(_AppliedRow)
    return cursor.fetchall()


def _schema_mismatch(
    schema: str | None, applied: dict[int, tuple[str, str]], known: tuple[Migration, ...]
) -> SchemaError | None:
    if schema is None:
        return SchemaError(
            "the connection has no schema to work in", hint="Set search_path in DATABASE_URL"
        )
    if schema.startswith("pg_temp"):
        return SchemaError(
            "the search path begins with 'pg_temp', whose tables end with the connection",
            hint="Name a schema in DATABASE_URL: options=-csearch_path%3Dpublic",
        )
    ours = {m.version: m for m in known}
    for version, (name, sha256) in applied.items():
        if version not in ours:
            return SchemaError(
                f"the schema is newer than this program (it has {name})",
                hint="Update dataportal; the database is left as it is",
            )
        if ours[version].sha256 != sha256:
            return SchemaError(
                f"migration {name} in the database is not the one of this program",
                hint="Use the version of dataportal that made this schema, or its successor",
            )
    return None


def _worker_error(connection: psycopg.Connection) -> SchemaError | None:
    """What a worker of a cluster has of a portal is a part that only the coordinator can use."""
    with database_errors("asking which server of a cluster this is"):
        if connection.execute(query("migration_cluster")).fetchone() == (None,):
            return None
        row = connection.execute(query("migration_coordinator")).fetchone()
    if row is None:
        return None
    (coordinator,) = row
    return SchemaError(
        "this server is a worker of a Citus cluster: a portal is used through its coordinator"
        + (f", {coordinator}" if coordinator else ""),
        hint="Name the coordinator in DATABASE_URL, and in DATABASE_READ_URL a replica of it",
    )


def _second_portal_error(schema: str | None, other: str) -> SchemaError:
    """A schema that got in front of the path by accident must not become another portal."""
    return SchemaError(
        f"there are no tables of dataportal in schema {schema!r}, which comes first in the search "
        f"path of what this role may use, and there are some in {other!r}: none are made",
        hint=f"Name the schema in DATABASE_URL: options=-csearch_path%3D{other} for what is "
        "there, or the new one alone",
    )


def _pending_error(
    schema: str | None, pending: tuple[str, ...], *, is_new: bool
) -> SchemaError | None:
    if not pending:
        return None
    state = "missing" if is_new else "older than this program"
    return SchemaError(
        f"the schema in {schema!r} is {state} (pending: {', '.join(pending)})",
        hint="Bring it up to date with: dataportal migrate",
    )


def require_schema(connection: psycopg.Connection, applied: psycopg.Cursor | None = None) -> str:
    """The schema's name, if this program may use it as it is; changes nothing.

    Args:
        connection: to the database.
        applied: see `schema_state`.

    Raises:
        SchemaError: missing, too old or too new; names the way out.
    """
    state = schema_state(connection, applied)
    if state.problem:
        raise state.problem
    return state.schema


def ensure_schema(connection: psycopg.Connection, applied: psycopg.Cursor | None = None) -> str:
    """The schema's name, after bringing it up to date where the role may.

    Args:
        connection: to the database.
        applied: see `schema_state`.

    Raises:
        SchemaError: it cannot be brought up to date with this role, or is newer.
    """
    state = schema_state(connection, applied)
    if state.problem is None:
        return state.schema
    if not state.pending:
        raise state.problem
    migrate(connection)
    return require_schema(connection)


def migrate(
    connection: psycopg.Connection, *, say: Callable[[str], None] = lambda _: None
) -> tuple[str, ...]:
    """Apply what is pending, and make hypertables where TimescaleDB is; the names applied.

    Functions of distributed tables are made anew in the form that their engine takes. Of a copy of
    distributed tables, which lie on one machine, it is recorded that they do.

    Safe to call from several processes at once, and again after a crash.

    Raises:
        SchemaError: the role may not, or the schema is newer than this program.
        DatabaseError: the server refused or went away.
    """
    with schema_lock(connection):
        state = schema_state(connection)
        if state.problem and not state.pending:
            raise state.problem
        if not state.applied:
            _check_sharding(connection, state.schema)
        if is_distributed(connection) and _is_copy(connection):
            with database_errors("recording where the tables lie"):
                connection.execute(query("migration_undistributed"))
            unmark_distributed(connection)
            say("the tables were distributed where they were copied from; here one server has all")
        for migration in migrations():
            if migration.name in state.pending:
                _apply(connection, migration)
                say(f"applied {migration.name}")
        with database_errors("making hypertables"):
            connection.execute(query("hypertables"))
        if is_distributed(connection) and state.pending:
            with database_errors("making the functions of distributed tables"):
                connection.execute(query("distribute_functions"))
    return state.pending


def _is_copy(connection: psycopg.Connection) -> bool:
    """Whether tables that are recorded as distributed came without the engine, as by pg_dump."""
    with database_errors("asking whether the tables are distributed"):
        if connection.execute(query("migration_cluster")).fetchone() == (None,):
            return True
        return connection.execute(query("migration_distribution")).fetchone() == (False,)


def _check_sharding(connection: psycopg.Connection, schema: str) -> None:
    """Refuse a schema of which Citus would put the records of runs out of reach of their locks."""
    with database_errors("asking whether the schema is sharded"):
        if connection.execute(query("migration_sharding")).fetchone() == (None,):
            return
        is_sharded = connection.execute(query("migration_sharded_schema")).fetchone() == (True,)
    if is_sharded:
        raise SchemaError(
            f"schema {schema!r} is sharded by Citus as a whole, also the tables of runs, which "
            "must lie where their locks are",
            hint="Make a schema with citus.enable_schema_based_sharding off, and give all that is "
            "observed to one machine with: dataportal migrate --distribute portal",
        )


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    try:
        with (
            database_errors(f"applying migration {migration.name}"),
            connection.transaction(),
        ):
            connection.execute(query("migration_table"))
            if is_distributed(connection):
                # what changes a table is sent on to the machines as a text, of which they take one
                # statement, and in one order with what changes a function
                connection.execute(query("distribute_sequentially"))
                for statement in split_statements(migration.text.decode()):
                    connection.execute(statement.encode())
            else:
                connection.execute(migration.text)
            connection.execute(query("hypertables"))
            failpoint("migration_before_commit")
            connection.execute(
                query("migration_record"),
                {
                    "version": migration.version,
                    "name": migration.name,
                    "sha256": migration.sha256,
                    "program": __version__,
                },
            )
    except DatabaseTransientError:
        raise
    except SchemaError:
        raise
    except Exception as error:
        cause = error.__cause__
        if isinstance(cause, _TAKEN_NAMES):
            kind = "table" if isinstance(cause, psycopg.errors.DuplicateTable) else "function"
            raise SchemaError(
                f"there is a {kind} already that migration {migration.name} is to make, and it is "
                "not dataportal's",
                hint="Give dataportal a schema of its own: search_path in DATABASE_URL",
            ) from error
        if isinstance(cause, psycopg.errors.InsufficientPrivilege):
            raise SchemaError(
                f"this role may not apply migration {migration.name}",
                hint="Run it once with a role that may create tables in this schema: "
                "dataportal --database-url … migrate",
            ) from error
        raise


@contextmanager
def schema_lock(connection: psycopg.Connection) -> Iterator[None]:
    """One process at a time changes the schema; the others wait for two minutes.

    Raises:
        DatabaseTransientError: another has not ended by then.
    """
    key = lock_key(schema_state(connection).schema, "migrations")
    _wait_for_lock(connection, key)
    try:
        yield
    finally:
        if not connection.closed:
            unlock(connection, key)


def _wait_for_lock(connection: psycopg.Connection, key: int) -> None:
    deadline = time.monotonic() + _LOCK_WAIT
    with database_errors("taking the lock for migrations"):
        while not try_lock(connection, key):
            if time.monotonic() > deadline:
                raise DatabaseTransientError(
                    "another process has been migrating the schema for two minutes",
                    hint="Wait for it, or look for it in pg_stat_activity",
                )
            time.sleep(_POLL)
