"""What a look at stored series costs, however long they are: history, list-series, gaps, read.

python tests/benchmarks/bench_look.py                       # 20 million versions of one series
python tests/benchmarks/bench_look.py --points 500000       # a million
"""

from __future__ import annotations

import argparse
import sys

from measuring import PROGRAM, Verdicts, best, fresh_database, process, python

ROUNDS = 9
SERIES = 100
# minute values, each revised once; a hole of an hour every other day; beside them short series
FILLED = (
    f"""
    INSERT INTO time_series (endpoint_prefix, source, granularity, unit, first_known_at, changed_at)
    SELECT CASE n WHEN 0 THEN 'load' ELSE 'series-' || n END, 'grid', '1 minute', 'MW',
           '2024-01-01Z', '2024-01-02Z'
    FROM generate_series(0, {SERIES}) AS n ORDER BY n
    """,
    """
    INSERT INTO source_state (source, last_attempt_at, last_outcome, last_success_at, known_through)
    VALUES ('grid', now(), 'succeeded', now(), now())
    """,
    """
    INSERT INTO time_series_resolution (ts_from, resolution, run_id, series_id)
    VALUES ('2005-01-01Z', '1 minute', 1, 1)
    """,
    """
    INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)
    SELECT '2005-01-01Z'::timestamptz + p * interval '1 minute', p, '2024-01-02Z', 1, 1
    FROM generate_series(0, {points} - 1) AS p WHERE p % 2880 >= 60
    """,
    """
    INSERT INTO time_series_data_scd2 (ts, value, valid_from, valid_to, run_id, series_id)
    SELECT '2005-01-01Z'::timestamptz + p * interval '1 minute', p - v,
           '2024-01-02Z'::timestamptz - v * interval '1 day',
           CASE v WHEN 0 THEN 'infinity' ELSE '2024-01-02Z'::timestamptz END, 1, 1
    FROM generate_series(0, {points} - 1) AS p, generate_series(0, 1) AS v
    WHERE p % 2880 >= 60 ORDER BY p, v
    """,
    f"""
    INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)
    SELECT '2024-01-01Z'::timestamptz + p * interval '1 minute', p, '2024-01-02Z', 1, s
    FROM generate_series(2, {SERIES} + 1) AS s, generate_series(0, 99) AS p
    """,
    f"""
    INSERT INTO time_series_data_scd2 (ts, value, valid_from, run_id, series_id)
    SELECT '2024-01-01Z'::timestamptz + p * interval '1 minute', p, '2024-01-01Z', 1, s
    FROM generate_series(2, {SERIES} + 1) AS s, generate_series(0, 99) AS p
    """,
    "VACUUM (ANALYZE)",
)
CONNECT = (
    "import os, psycopg\n"
    "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
    "    connection.execute('select 1')"
)
MONTH = ("--start", "2005-03-01", "--end", "2005-04-01")
LOOKS = (
    ("history", "load"),
    ("history", "load", "--limit", "5", "--format", "csv"),
    ("history", "load", "--as-of", "2024-01-01T12:00Z", "--limit", "5"),
    ("history", "load", "--diff", "2024-01-01T12:00Z", "2024-01-03", "--limit", "5"),
    ("history", "load", "--plot", *MONTH),
    ("read", "load", "--limit", "5"),
    ("list-series",),
    ("gaps", "load", *MONTH),
)


def main() -> int:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000_000, help="of the long series")
    size = parser.parse_args()
    verdicts = Verdicts()
    with fresh_database([statement.format(points=size.points) for statement in FILLED]) as url:
        env = {"DATABASE_URL": url}
        bare, *ours = best(
            python(CONNECT, env=env),
            *(process(PROGRAM, *look, env=env) for look in LOOKS),
            rounds=ROUNDS,
        )
    for look, seconds in zip(LOOKS, ours, strict=True):
        what = f"{' '.join(look)}, {2 * size.points:,} versions"
        verdicts.at_most(what, seconds, "psycopg, connect, select 1", bare, 2.5)
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
