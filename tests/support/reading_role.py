"""A login that may only read a database, as sql/roles.sql makes its group."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import psycopg
from psycopg.sql import SQL, Identifier

from dataportal.store.roles import grants

if TYPE_CHECKING:
    from collections.abc import Iterator

_PASSWORD = "for-tests-only"  # noqa: S105 - of a role that lives as long as a test


@contextmanager
def reading_role(url: str) -> Iterator[str]:
    """The URL of the same database for a role that may only read it; dropped at the end."""
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        groups = {kind: f"{name}_{kind}" for kind in ("migrator", "writer", "reader")}
        user = f"{name}_analyst"
        connection.execute(grants(**groups).encode())
        connection.execute(
            SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}").format(
                Identifier(user), _PASSWORD, Identifier(groups["reader"])
            )
        )
        parts = urlsplit(url)
        address = parts.netloc.rpartition("@")[2]
        yield parts._replace(netloc=f"{user}:{quote(_PASSWORD)}@{address}").geturl()
        connection.execute(SQL("DROP ROLE {}").format(Identifier(user)))
        for group in groups.values():
            role = Identifier(group)
            connection.execute(SQL("DROP OWNED BY {}; DROP ROLE {}").format(role, role))
