"""Reads SQL statements from their files: beside the code in a wheel, above it in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from dataportal.errors import ConfigurationError

if TYPE_CHECKING:
    import psycopg


@cache
def sql_home() -> Path:
    """The folder that holds `migrations/` and `queries/`.

    Raises:
        ConfigurationError: the installation is incomplete.
    """
    package = Path(__file__).resolve().parent.parent
    for home in (package / "sql", package.parent / "sql"):
        if (home / "migrations").is_dir():
            return home
    raise ConfigurationError(
        "the SQL files are missing from this installation", hint="Install dataportal again"
    )


@cache
def query(name: str) -> bytes:
    """The statement in `queries/<name>.sql`, which is read once.

    In bytes, as psycopg takes texts only as literals.
    """
    return (sql_home() / "queries" / f"{name}.sql").read_bytes()


def query_for(connection: psycopg.Connection[Any], name: str) -> bytes:
    """The statement in `queries/<name>.sql`, in the form that the engine behind a connection takes.

    Where the tables are distributed over several machines that is `<name>_distributed.sql`, if
    there is one: its planner refuses what is quickest elsewhere.
    """
    form = f"{name}_distributed"
    return query(form if is_distributed(connection) and form in _query_names() else name)


@cache
def _query_names() -> frozenset[str]:
    return frozenset(path.stem for path in (sql_home() / "queries").iterdir())


def is_distributed(connection: psycopg.Connection[Any]) -> bool:
    """Whether the tables of the connection's portal lie on several machines.

    It is known of connections that `connect` has made.
    """
    return connection in _DISTRIBUTED


def mark_distributed(connection: psycopg.Connection[Any]) -> None:
    """Remember of a connection that its tables lie on several machines."""
    _DISTRIBUTED.add(connection)


def unmark_distributed(connection: psycopg.Connection[Any]) -> None:
    """Remember of a connection that its tables lie on one machine, as most do."""
    _DISTRIBUTED.discard(connection)


_DISTRIBUTED: WeakSet[psycopg.Connection[Any]] = WeakSet()
