"""Rows as Arrow record batches: the same ones, in their order, however they lie in time."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from support.points_model import at

from dataportal.errors import DatabaseTransientError
from dataportal.store.connection import connect
from dataportal.store.read.arrow import (
    TS,
    VALUE,
    Column,
    ColumnKind,
    Span,
    record_batches,
    snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

COLUMNS = (
    TS,
    VALUE,
    Column("since", ColumnKind.TIME, "known_from"),
    Column("until", ColumnKind.TIME, "known_to"),
)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the program has it."""
    with closing(connect(database_url, application_name="test")) as connection:
        yield connection


def store_versions(connection: psycopg.Connection[Any], hours: list[int], versions: int) -> None:
    """So many versions of each observation of series 1, a minute apart, the last one open."""
    connection.execute(
        "INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id)"
        " SELECT 1, ts, n, ts + n * interval '1 minute',"
        "        CASE WHEN n = %(versions)s THEN 'infinity'"
        "             ELSE ts + (n + 1) * interval '1 minute' END, 1"
        " FROM unnest(%(times)s::timestamptz[]) AS ts, generate_series(1, %(versions)s) AS n",
        {"times": [at(hour) for hour in hours], "versions": versions},
    )


def read_versions(
    connection: psycopg.Connection[Any], span: Span, rows: int
) -> list[pa.RecordBatch]:
    """All versions of series 1."""
    parameters = {"series": 1}
    with snapshot(connection):
        return list(
            record_batches(connection, "matrix_versions", parameters, COLUMNS, span, rows=rows)
        )


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("hours", "versions"),
    [
        (list(range(50)), 1),
        ([0, 1, 2], 40),  # more versions of one observation than a batch may have rows
        ([0, 500_000, 500_001, 500_002, 1_000_000], 3),  # a century
        ([0], 1),
    ],
)
def test_every_row_comes_once_in_order(
    connection: psycopg.Connection[Any], hours: list[int], versions: int, rows: int
) -> None:
    """However dense or sparse the observations are, and however many versions each has."""
    store_versions(connection, hours, versions)
    wanted = [
        {
            "ts": at(hour),
            "value": float(n),
            "known_from": at(hour) + timedelta(minutes=n),
            "known_to": None if n == versions else at(hour) + timedelta(minutes=n + 1),
        }
        for hour in hours
        for n in range(1, versions + 1)
    ]
    batches = read_versions(connection, Span(at(hours[0]), at(hours[-1]), None), rows)
    assert pa.Table.from_batches(batches).to_pylist() == wanted
    assert max(batch.num_rows for batch in batches) <= max(4 * rows, 8 * versions)


def test_times_are_utc_and_a_column_without_value_is_empty(
    connection: psycopg.Connection[Any],
) -> None:
    """The types are the same whether there are rows or not."""
    store_versions(connection, [0], 1)
    (batch,) = read_versions(connection, Span(at(0), at(1), timedelta(hours=1)), 10)
    time = pa.timestamp("us", tz="UTC")
    assert batch.schema.types == [time, pa.float64(), time, time]
    assert batch.column("known_to").to_pylist() == [None]
    assert read_versions(connection, Span(at(5), at(6), None), 10) == []


def test_a_connection_that_is_lost_between_two_batches_is_an_error(
    database_url: str, connection: psycopg.Connection[Any]
) -> None:
    """Never a shorter answer."""
    store_versions(connection, list(range(100)), 1)
    process = connection.info.backend_pid
    span = Span(at(0), at(99), timedelta(hours=1))
    batches = record_batches(connection, "matrix_versions", {"series": 1}, COLUMNS, span, rows=10)

    def read_all() -> None:
        with (
            snapshot(connection),
            closing(connect(database_url, application_name="other")) as other,
        ):
            assert next(batches).num_rows == 10
            other.execute("SELECT pg_terminate_backend(%s, 10000)", [process])
            list(batches)

    with pytest.raises(DatabaseTransientError):
        read_all()
