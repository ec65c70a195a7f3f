"""What a database can hold whose encoding is not UTF-8.

A database without an encoding (SQL_ASCII) keeps the bytes that it is given, which are UTF-8 here.
One in LATIN1 and the like keeps what it has characters for, and refuses the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.errors import EncodingError
from dataportal.store.connection import database_errors
from dataportal.store.queries import query

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

_HOLDS_ALL = {"UTF8", "SQL_ASCII"}


def holds_all(connection: psycopg.Connection) -> bool:
    """Whether the database can hold every text."""
    return connection.info.parameter_status("server_encoding") in _HOLDS_ALL


def storable(connection: psycopg.Connection, text: str | None) -> str | None:
    r"""A message of ours as the database can hold it: what it may not have becomes \xNN."""
    if text is None or holds_all(connection):
        return text
    return text.encode("ascii", "backslashreplace").decode()


def find_unstorable(connection: psycopg.Connection, texts: Iterable[str]) -> str | None:
    """Why the database cannot hold these texts; None if it can."""
    if holds_all(connection):
        return None
    try:
        with database_errors("its texts cannot be stored"):
            connection.execute(query("encoding_check"), {"text": "\n".join(texts).encode()})
    except EncodingError as error:
        return str(error)
    return None
