"""Observations as text, by the million: the same as row by row, to the last digit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.store_feed import open_feed, open_observer

from dataportal.errors import DatabaseTransientError
from dataportal.render.csv_output import csv_blocks, csv_lines
from dataportal.store.read.copy_out import format_block
from dataportal.store.read.history import find_series, observations
from dataportal.store.read.overview import open_reader

if TYPE_CHECKING:
    from dataportal.store.read.history import StoredObservations

TITLES = ("series", "ts", "value", "valid_from", "valid_to")
MICROSECOND = timedelta(microseconds=1)
# what no time zone of Python moves beyond its calendar
TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [
        0.0,
        -0.0,
        1e15,
        -1e15,
        1.5e15,
        9999999999999998.0,
        1234567890123456.8,
        1e16,
        6.962030584117966e16,
        1e-5,
        1e-4,
        5e-324,
    ]
)


def row_by_row(rows: StoredObservations, name: str) -> str:
    """The CSV made of one object for each observation."""
    cells = ((name, o.ts, o.value, o.valid_from, o.valid_to) for o in rows)
    return "\n".join(csv_lines(TITLES, cells))


def in_blocks(rows: StoredObservations, name: str) -> str:
    """The CSV made of what the server copies out."""
    return "\n".join(csv_blocks(TITLES, name, rows.csv_blocks()))


def test_copied_text_is_what_rows_would_give(database_url: str) -> None:
    """For every time and every number that can be stored; whatever the series is called."""
    with open_observer(database_url) as look, open_reader(database_url) as reader:

        @settings(max_examples=60)
        @given(
            points=st.lists(
                st.tuples(TIMES, NUMBERS, TIMES, st.booleans()),
                unique_by=lambda p: p[0],
                max_size=20,
            ),
            name=st.sampled_from(["load", "=1+1", 'a "b", c', "Größe"]),
        )
        def holds(points: list[tuple[datetime, float, datetime, bool]], name: str) -> None:
            look.execute("DELETE FROM time_series_data_scd2")
            look.cursor().executemany(
                "INSERT INTO time_series_data_scd2 (ts, value, valid_from, valid_to, run_id,"
                " series_id) VALUES (%s, %s, %s, %s, 1, 1)",
                [
                    (ts, value, known, "infinity" if is_open else known + MICROSECOND)
                    for ts, value, known, is_open in points
                ],
            )
            for at in (None, *(known for _, _, known, _ in points[:2])):
                rows = observations(reader, 1, at=at)
                assert in_blocks(rows, name) == row_by_row(rows, name)

        holds()


def test_bounds_hold_for_copied_text_too(database_url: str) -> None:
    """Start and end are put into the statement as they are given."""
    with open_feed(database_url) as feed, open_reader(database_url) as reader:
        known = feed({n: n / 4 for n in range(50)}).knowledge_time
        series = find_series(reader, "load")
        assert series is not None
        first, *_, last = observations(reader, series.series_id)
        for at in (None, known):
            rows = observations(
                reader, series.series_id, at=at, start=first.ts + MICROSECOND, end=last.ts
            )
            text = in_blocks(rows, "load")
            assert text == row_by_row(rows, "load")
            assert len(text.splitlines()) == 49


def test_half_of_it_may_be_left_unread(database_url: str) -> None:
    """The connection can be used again at once, and gives all of it."""
    with open_feed(database_url) as feed, open_reader(database_url) as reader:
        feed({n: float(n) for n in range(25_000)})
        rows = observations(reader, 1)
        blocks = rows.csv_blocks()
        assert next(blocks).startswith("2025-03-01T00:00:00Z,0,")
        blocks.close()  # type: ignore[attr-defined]  # a generator
        assert sum(len(block.splitlines()) for block in rows.csv_blocks()) == 25_000


def test_a_connection_that_is_cut_half_way_is_said(database_url: str) -> None:
    """A part is never taken for the whole."""
    with open_feed(database_url) as feed, open_reader(database_url) as reader:
        # more than what may be on its way between the two
        feed({n: n + 0.1 for n in range(400_000)})
        blocks = observations(reader, 1).csv_blocks()
        next(blocks)
        with open_observer(database_url) as look:
            look.execute("SELECT pg_terminate_backend(%s, 10000)", [reader.info.backend_pid])
        with pytest.raises(DatabaseTransientError, match="reading the history"):
            list(blocks)


def test_a_fault_of_the_server_half_way_is_said(database_url: str) -> None:
    """What it had sent before does not hide it."""
    with open_feed(database_url) as feed, open_reader(database_url) as reader:
        feed({n: n + 0.1 for n in range(100_000)})
        reader.execute("SET statement_timeout = 50")
        blocks = observations(reader, 1).csv_blocks()
        next(blocks)
        with open_observer(database_url) as look:
            look.execute("SELECT pg_cancel_backend(%s)", [reader.info.backend_pid])
        with pytest.raises(DatabaseTransientError, match="too long, or was cancelled"):
            list(blocks)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (
            b"2025-03-01 00:00:00+00,1,2025-03-01 00:00:00.5+00,\n",
            "2025-03-01T00:00:00Z,1,2025-03-01T00:00:00.500000Z,",
        ),
        (
            b"0001-01-01 00:00:00+00,-1.5e+15,2025-03-01 00:00:00+00,2025-03-01 00:00:01+00\n",
            "0001-01-01T00:00:00Z,-1500000000000000,2025-03-01T00:00:00Z,2025-03-01T00:00:01Z",
        ),
    ],
)
def test_what_is_mended(written: bytes, meant: str) -> None:
    """Blank and offset, the digits of a fraction, one range of numbers; the last line end goes."""
    assert format_block(written) == meant
