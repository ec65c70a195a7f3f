"""A run that brings nothing new, against a bare connect and SELECT; and on a large database.

python tests/benchmarks/bench_small_run.py                                # a million observations
python tests/benchmarks/bench_small_run.py --series 1142 --points 87600   # 100 million
"""

from __future__ import annotations

import argparse
import sys

import psycopg
from measuring import Verdicts, best, fresh_database
from runs import START, hours, whole_run

ROUNDS = 40
TS = hours(168)
WEEK = {"small": {"ts": TS, "value": [n / 2 for n in range(168)]}}
# hourly values up to the week of the small run; a tenth of them revised once
POINTS = f"""
SELECT timestamptz '{START}' - p * interval '1 hour' AS ts, s AS series_id, p
FROM generate_series(1000, 999 + {{series}}) AS s, generate_series(1, {{points}}) AS p
"""
FILLED = (
    f"""
    INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)
    SELECT ts, p, '2024-01-02Z', 1, series_id FROM ({POINTS}) AS point
    """,
    f"""
    INSERT INTO time_series_data_scd2 (ts, value, valid_from, valid_to, run_id, series_id)
    SELECT ts, p - v, timestamptz '2024-01-02Z' - v * interval '1 hour',
           CASE v WHEN 0 THEN 'infinity' ELSE timestamptz '2024-01-02Z' END, 1, series_id
    FROM ({POINTS}) AS point, generate_series(0, CASE p % 10 WHEN 0 THEN 1 ELSE 0 END) AS v
    """,
    "VACUUM (ANALYZE)",
)
SELECT = """
SELECT ts, value FROM time_series_data
WHERE series_id = (SELECT series_id FROM time_series WHERE endpoint_prefix = 'small')
  AND ts BETWEEN %s AND %s
"""


def bare(url: str) -> None:
    """Connect, and read the same points."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(SELECT.encode(), (TS[0], TS[-1]))
        assert len(rows.fetchall()) == 168


def small_run(url: str) -> None:
    """Nothing new."""
    assert whole_run(url, WEEK, source="small").unchanged == 168


def main() -> int:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=50)
    parser.add_argument("--points", type=int, default=20_000, help="observations of each")
    size = parser.parse_args()
    verdicts = Verdicts()
    with fresh_database() as url:
        whole_run(url, WEEK, source="small")
        works = (lambda: small_run(url), lambda: bare(url))
        ours, theirs = best(*works, rounds=ROUNDS)
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in FILLED:
                connection.execute(statement.format(**vars(size)).encode())
        (filled,) = best(works[0], rounds=ROUNDS)
    verdicts.at_most("a small run", ours, "connect and SELECT", theirs, 2)
    count = size.series * size.points
    what = f"a small run with {count:,} observations"
    verdicts.at_most(what, filled, "without any others", ours, 1.5)
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
