"""Streams stored rows: as records, or by the million as text that PostgreSQL writes.

To make an object of every row takes ten times as long as the server takes to write it. So whole
blocks of its text are changed into the form that this program writes.
"""

from __future__ import annotations

import re
import select
from contextlib import nullcontext
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import psycopg

from dataportal.store.connection import database_errors
from dataportal.store.queries import query_for
from dataportal.store.rows import record_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

T = TypeVar("T")

ROWS_AT_A_TIME = 10_000
"""Rows that are taken from the server at a time."""
_cursors = count(1)
_BLOCK = 1_000
"""Lines of a block: few enough that it is changed within the processor's cache."""
_SHORT_FRACTION = re.compile(rb"(\.\d{1,5})Z")
# From 1e15 on PostgreSQL writes an exponent, Python from 1e16 on. And PostgreSQL writes a digit
# more where reading back without it depends on rounding to even, as no smaller number does.
_LARGE_NUMBER = re.compile(rb"-?[\d.]+e\+\d+")


def stream_records(
    connection: psycopg.Connection,
    name: str,
    parameters: Mapping[str, Any],
    record: type[T],
    *,
    at_a_time: int = ROWS_AT_A_TIME,
) -> Iterator[T]:
    """The rows of a query, through a cursor of the server's.

    Outside of a transaction they have one of their own. Within one, several may be read side by
    side.

    Args:
        connection: in autocommit mode.
        name: the query; its columns are the fields of the record.
        parameters: of the query.
        record: what to make of each row.
        at_a_time: how many rows are taken from the server at a time.
    """
    is_within = connection.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS
    with (
        database_errors("reading the history"),
        nullcontext() if is_within else connection.transaction(),
        connection.cursor(
            f"dataportal_{next(_cursors)}", binary=True, row_factory=record_row(record)
        ) as cursor,
    ):
        cursor.itersize = at_a_time
        cursor.execute(query_for(connection, name), parameters)
        yield from cursor


def csv_blocks(
    connection: psycopg.Connection, name: str, parameters: Mapping[str, Any]
) -> Iterator[str]:
    """The rows of a query of times and numbers as lines of CSV, many lines at a time.

    Times are ISO 8601 in UTC as `times.iso` writes them, numbers the shortest text that reads back
    as exactly this number, as `render.formatting.number` writes them; nothing is an empty cell.

    Args:
        connection: one of `connect`, whose settings the text depends on.
        name: the query.
        parameters: of the query.
    """
    statement = b"COPY (" + query_for(connection, name) + b") TO STDOUT (FORMAT csv)"
    with database_errors("reading the history"):
        for block in _copy_blocks(connection, statement, parameters):
            yield format_block(block)


def _copy_blocks(
    connection: psycopg.Connection, statement: bytes, parameters: Mapping[str, Any]
) -> Iterator[bytes]:
    """What COPY sends. Taken from libpq itself: psycopg's own way costs thrice the time a row."""
    server = connection.pgconn
    rows: list[memoryview] = []
    with connection.cursor().copy(statement, parameters):
        while True:
            size, row = server.get_copy_data(1)
            if size > 0:
                rows.append(row)
                if len(rows) < _BLOCK:
                    continue
            elif size == 0:  # nothing has arrived yet
                select.select([server.socket], [], [])
                server.consume_input()
                continue
            if rows:
                yield b"".join(rows)
                rows.clear()
            if size < 0:
                break
        result = server.get_result()
        while server.get_result() is not None:
            pass
    if result is not None and result.status != psycopg.pq.ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(result)


def format_block(block: bytes) -> str:
    """Lines as PostgreSQL writes them, as they are written here; without the last line end."""
    # no exponent is 0, so that only the offset of UTC reads +00
    block = block.removesuffix(b"\n").replace(b" ", b"T").replace(b"+00", b"Z")
    block = _SHORT_FRACTION.sub(lambda match: match[1].ljust(7, b"0") + b"Z", block)
    if b"e+" in block:
        block = _LARGE_NUMBER.sub(_without_exponent, block)
    return block.decode("ascii")


def _without_exponent(match: re.Match[bytes]) -> bytes:
    return repr(float(match[0])).removesuffix(".0").encode()
