"""Verification of a whole history on two connections, against counting the rows of its tables.

python tests/benchmarks/bench_verify.py --series 114 --points 8760   # a million observations
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from measuring import Verdicts, best, fresh_database

from dataportal.store.connection import connect
from dataportal.store.read.overview import open_reader
from dataportal.store.read.verify import verify

if TYPE_CHECKING:
    import psycopg

TABLES = ("time_series_data", "time_series_data_scd2", "time_series_vintage", "time_series_issue")
# hourly values that came by runs of a day each; of each tenth there is a version before
FILLED = (
    (
        "INSERT INTO time_series (endpoint_prefix, source)"
        " SELECT 's' || n, 'bench' FROM generate_series(1, {series}) AS n"
    ),
    (
        "INSERT INTO source_state (source, last_knowledge_time, known_through)"
        " VALUES ('bench', now(), now())"
    ),
    (
        "INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)"
        " SELECT ts, p, ts + interval '3 days', 1 + p / 24, series_id"
        " FROM time_series, generate_series(0, {points} - 1) AS p,"
        " LATERAL (SELECT timestamptz '2025-01-01Z' + p * interval '1 hour' AS ts) AS t"
    ),
    (
        "INSERT INTO time_series_data_scd2 (ts, value, valid_from, valid_to, run_id, series_id)"
        " SELECT ts, value, updated_at, 'infinity', run_id, series_id FROM time_series_data"
    ),
    (
        "INSERT INTO time_series_data_scd2 (ts, value, valid_from, valid_to, run_id, series_id)"
        " SELECT ts, value - 1, updated_at - interval '1 day', updated_at, run_id, series_id"
        " FROM time_series_data WHERE value::bigint % 10 = 0"
    ),
    (
        "INSERT INTO fetch_run (source, kind, started_at, finished_at, outcome, window_start,"
        " received, inserted, revised, host, pid, version)"
        " SELECT 'bench', 'scheduled', '2025-01-01', '2025-01-01', 'succeeded', '2025-01-01',"
        " count(*), count(*), 0, 'h', 1, 'v' FROM time_series_data_scd2"
        " GROUP BY run_id ORDER BY run_id"
    ),
    "VACUUM (ANALYZE)",
)


def count(connection: psycopg.Connection) -> None:
    """Count the rows of all tables that are verified."""
    for table in TABLES:
        connection.execute(f"SELECT count(*) FROM {table}".encode())


def main() -> int:
    """Print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=114)
    parser.add_argument("--points", type=int, default=8_760, help="observations of each")
    parser.add_argument("--rounds", type=int, default=3)
    size = parser.parse_args()
    verdicts = Verdicts()
    filled = [statement.format(**vars(size)) for statement in FILLED]
    with fresh_database(filled) as url, ExitStack() as stack:
        readers = [stack.enter_context(closing(open_reader(url))) for _ in range(2)]
        bare = stack.enter_context(closing(connect(url, application_name="bench")))
        assert list(verify(*readers)) == []
        ours, theirs = best(lambda: list(verify(*readers)), lambda: count(bare), rounds=size.rounds)
    what = f"verify, {size.series * size.points:,} observations"
    verdicts.at_most(what, ours, "count(*) of the tables", theirs, 6)
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
