"""Reads rows of times, numbers and flags as Arrow record batches, tens of thousands at a time.

The server puts each column of a block into one array, which is read from its bytes: neither it nor
this program handles rows. That takes the time of ADBC, a quarter of its work here, and needs no
second connection: what is read is in the same snapshot, by the same settings, with the same errors.

A question is asked of one span of ts after the other, each about as long as a block, so that only
a block is held. All of them must be asked in one transaction of REPEATABLE READ.

    with snapshot(connection):
        for batch in record_batches(connection, "matrix_versions", parameters, VERSIONS, span): …

`array` in binary: https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/arrayfuncs.c
"""

from __future__ import annotations

import struct
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from dataportal.errors import DatabaseError, MissingExtraError
from dataportal.store.connection import database_errors
from dataportal.store.queries import query, query_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

ROWS_OF_BATCH = 65_536
"""Rows that a batch has, about: few enough that several of them fit into memory."""
_MOST_ROWS = 4 * ROWS_OF_BATCH
"""Rows of a batch at most, where a span holds more than it was thought to."""
_MOST_OF_ALL = 2**31 - 1
_MICROSECOND = timedelta(microseconds=1)
_EPOCH_2000 = 946_684_800_000_000
"""Microseconds from 1970 to 2000, from where PostgreSQL counts."""
_INFINITY = 2**63 - 1
_HEADER = struct.Struct(">iiIii")
_LENGTH = 4
_LARGEST_CHANGE = 8
_DEFAULT_INTERVAL = timedelta(hours=1)


class ColumnKind(Enum):
    """What a column holds: its bytes in a row, and what stands on the wire where nothing does."""

    TIME = (8, b"coalesce(%s, 'infinity')")
    NUMBER = (8, b"coalesce(%s, 'NaN')")
    FLAG = (1, b"coalesce(%s, false)")

    def __init__(self, width: int, expression: bytes) -> None:
        self.width = width
        self.expression = expression


class Column(NamedTuple):
    """A column of a query, and what it is called in a batch.

    Attributes:
        source: its name in the query.
        kind: TIME is `timestamp[us, UTC]` in a batch, NUMBER `double`, FLAG `bool`.
        name: its name in the batch; None for the same.
    """

    source: str
    kind: ColumnKind
    name: str | None = None

    @property
    def label(self) -> str:
        """Its name in the batch."""
        return self.name or self.source


TS = Column("ts", ColumnKind.TIME)
VALUE = Column("value", ColumnKind.NUMBER)


@dataclass(frozen=True, slots=True)
class Span:
    """The ts that a question is asked about: from `first` to `last`, both included.

    Attributes:
        first: the first one.
        last: the last one.
        interval: how far apart observations are, about; None where nobody knows.
    """

    first: datetime
    last: datetime
    interval: timedelta | None = None


def require_arrow() -> None:
    """Nothing, where pyarrow is installed.

    Raises:
        MissingExtraError: it is not; names the command that installs it.
    """
    if find_spec("pyarrow") is None:
        raise MissingExtraError(
            "pyarrow is missing, which makes tables",
            hint="Install the extra: pip install 'dataportal[frames]'",
        )


@contextmanager
def snapshot(connection: psycopg.Connection, *, patient: bool = False) -> Iterator[None]:
    """All that is read within is as it was when it was begun.

    Args:
        connection: one of `connect`, outside of a transaction.
        patient: somebody may look at what was read for half an hour before they read on.
    """
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with database_errors("reading the values"), connection.transaction():
        if patient:
            connection.execute(query("snapshot_settings"))
        yield


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The fields that the batches of these columns have."""
    import pyarrow as pa

    types = {
        ColumnKind.TIME: pa.timestamp("us", tz="UTC"),
        ColumnKind.NUMBER: pa.float64(),
        ColumnKind.FLAG: pa.bool_(),
    }
    return pa.schema([pa.field(column.label, types[column.kind]) for column in columns])


def record_batches(
    connection: psycopg.Connection,
    name: str,
    parameters: Mapping[str, Any],
    columns: Sequence[Column],
    span: Span,
    *,
    rows: int = ROWS_OF_BATCH,
) -> Iterator[pa.RecordBatch]:
    """The rows of a query of one series, in its order; none of them is ever left out.

    Args:
        connection: in a transaction of REPEATABLE READ.
        name: the query, in order of ts; takes the ts from `start` on and before `end`.
        parameters: of the query, but for these two.
        columns: those wanted, of which the first is `ts`.
        span: outside of which there are no rows that are wanted.
        rows: how many a batch has, about.

    Raises:
        DatabaseError: the connection was lost, or the server refused.
        MissingExtraError: pyarrow is not installed.
    """
    require_arrow()
    start, end = span.first, span.last + _MICROSECOND
    step = rows * (span.interval or _DEFAULT_INTERVAL)
    most = rows * _MOST_ROWS // ROWS_OF_BATCH
    while start < end:
        stop = end if end - start <= step else start + step
        bounds = {**parameters, "start": start, "end": stop}
        batch = record_batch(connection, name, bounds, columns, most=most)
        count = batch.num_rows
        if count == most:
            # of the last ts there may be more rows
            last = batch.column(0)[count - 1].as_py()
            rest = _rows_before(batch, last)
            most = most if rest else most * _LARGEST_CHANGE
            batch, stop, step = batch.slice(0, rest), last if rest else start, (last - start) / 2
        else:
            change = rows / count if count else _LARGEST_CHANGE
            step *= min(max(change, 1 / _LARGEST_CHANGE), _LARGEST_CHANGE)
        step = min(max(step, _MICROSECOND), end - span.first)
        if batch.num_rows:
            yield batch
        start = stop


def record_batch(
    connection: psycopg.Connection,
    name: str,
    parameters: Mapping[str, Any],
    columns: Sequence[Column],
    *,
    most: int = _MOST_OF_ALL,
) -> pa.RecordBatch:
    """The rows of a query as one batch, in its order.

    Args:
        connection: one that reads.
        name: the query.
        parameters: of the query.
        columns: those wanted.
        most: the first so many rows only. That there is a limit keeps the order, too: no workers
            of the server share such a query between them.
    """
    import pyarrow as pa

    arrays = b", ".join(
        b"array_agg(" + c.kind.expression % b'"%s"' % c.source.encode() + b")" for c in columns
    )
    limit = b" LIMIT %d" % most
    rows = query_for(connection, name) + limit
    statement = b"SELECT " + arrays + b" FROM (" + rows + b") AS answer"
    with database_errors("reading the values"):
        cursor = connection.cursor(binary=True)
        cursor.execute(statement, parameters)
        result = cursor.pgresult
    schema = arrow_schema(columns)
    texts = [None if result is None else result.get_value(0, n) for n in range(len(columns))]
    return pa.record_batch(
        [
            _arrow_array(text, column.kind, field.type)
            for text, column, field in zip(texts, columns, schema, strict=True)
        ],
        schema=schema,
    )


def _rows_before(batch: pa.RecordBatch, last: datetime) -> int:
    """How many rows come before the first one of that ts, which are in order."""
    import pyarrow.compute as pc

    return int(pc.index(batch.column(0), last).as_py())


def _arrow_array(text: bytes | None, kind: ColumnKind, arrow_type: pa.DataType) -> pa.Array:
    """The elements of an array as PostgreSQL sends it; None is that of no row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if text is None:
        return pa.nulls(0, arrow_type)
    count, data = _elements(text, kind.width)
    if kind is ColumnKind.FLAG:
        flags = pa.Array.from_buffers(pa.uint8(), count, [None, pa.py_buffer(data)])
        return flags.cast(arrow_type)
    if kind is ColumnKind.NUMBER:
        numbers = pa.Array.from_buffers(arrow_type, count, [None, pa.py_buffer(data)])
        is_nothing = pc.is_nan(numbers)
        nothing = pa.nulls(1, arrow_type)[0]
        return pc.if_else(is_nothing, nothing, numbers) if pc.any(is_nothing).as_py() else numbers
    ticks = pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(data)])
    times = pc.add(ticks, _integer(_EPOCH_2000))
    is_nothing = pc.equal(ticks, _integer(_INFINITY))
    if pc.any(is_nothing).as_py():
        times = pc.if_else(is_nothing, pa.nulls(1, pa.int64())[0], times)
    return times.view(arrow_type)


def _integer(number: int) -> pa.Int64Scalar:
    """The number as Arrow has it.

    Not by `pa.scalar`, nor by `pa.array`, which import pandas, where that is installed, to see
    whether it is of it: that takes as long and as much memory as a million rows.
    """
    import pyarrow as pa

    buffer = pa.py_buffer(number.to_bytes(8, sys.byteorder))
    return pa.Array.from_buffers(pa.int64(), 1, [None, buffer])[0]


def _elements(text: bytes, width: int) -> tuple[int, bytearray]:
    """How many elements of that many bytes an array has, and these one after the other.

    The bytes of the same place in all elements are copied in one go, which changes their order
    from that of the network too.
    """
    _, has_null, _, count, _ = _HEADER.unpack_from(text)
    size, first = _LENGTH + width, _HEADER.size + _LENGTH
    if has_null or len(text) != _HEADER.size + count * size:
        raise DatabaseError("reading the values: the server sent an array of another shape")
    data = bytearray(count * width)
    for place in range(width):
        here = place if sys.byteorder == "big" else width - 1 - place
        data[here::width] = text[first + place :: size]
    return count, data
