"""Fixtures of the tests of the Python API: a portal, and two series of an hour each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

import dataportal as dp

if TYPE_CHECKING:
    from collections.abc import Iterator

HISTORY = """
INSERT INTO time_series (endpoint_prefix, source, name, unit, granularity, ts_timezone, metadata)
VALUES ('load', 'grid', 'Load of the grid', 'MW', '1 hour', 'Europe/Berlin', '{"licence": "CC0"}'),
       ('wind', 'weather', 'Wind', 'MW', '1 hour', NULL, '{}');
INSERT INTO source_state (source, known_through)
VALUES ('grid', '2025-03-03Z'), ('weather', '2025-03-02Z');
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id)
SELECT series_id, ts, v.value + extract(hour FROM ts), ts + v.since,
       coalesce(ts + v.until, 'infinity'), 1
FROM time_series,
     generate_series('2025-03-01Z'::timestamptz, '2025-03-01 05:00Z', '1 hour') AS ts,
     (VALUES (100, interval '1 hour', interval '6 hours'), (200, interval '6 hours', NULL))
         AS v (value, since, until)
WHERE endpoint_prefix = 'load' OR ts >= '2025-03-01 02:00Z';
INSERT INTO time_series_data (series_id, ts, value, updated_at, run_id)
SELECT series_id, ts, value, valid_from, run_id FROM time_series_data_scd2
WHERE valid_to = 'infinity';
"""
"""Six hours of load from 1 March on: 100 and more after an hour, 200 after six; four of wind."""


@pytest.fixture
def stored_url(database_url: str) -> str:
    """A database with the two series of `HISTORY`."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(HISTORY.encode())
    return database_url


@pytest.fixture
def portal(stored_url: str) -> Iterator[dp.Portal]:
    """A portal to it."""
    with dp.connect(stored_url) as portal:
        yield portal


@pytest.fixture(params=["arrow", "tuples"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the extra `frames`, and as if it were not installed."""
    if request.param == "tuples":
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    return str(request.param)
