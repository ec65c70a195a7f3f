"""Reads SQL statements from their files: beside the code in a wheel, above it in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from dataportal.errors import ConfigurationError


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
