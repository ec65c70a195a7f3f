"""Long answers, taken from the server some rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.store.connection import database_errors
from dataportal.store.queries import query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg

_FETCH = 10_000


def stream(
    connection: psycopg.Connection, name: str, parameters: Mapping[str, Any]
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, through a cursor of the server's, in a transaction of their own."""
    with (
        database_errors("reading the history"),
        connection.transaction(),
        connection.cursor(f"dataportal_{name}", binary=True) as cursor,
    ):
        cursor.itersize = _FETCH
        cursor.execute(query(name), parameters)
        yield from cursor
