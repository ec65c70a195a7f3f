"""Parquet and Arrow files of a long series: how long they take, and how much memory.

python tests/benchmarks/bench_tables.py                    # ten million rows
python tests/benchmarks/bench_tables.py --rows 1000000
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import psycopg
from measuring import PROGRAM, Verdicts, best, fresh_database, process
from support.memory_use import run_watching_memory

ROUNDS = 3
LONG = """
INSERT INTO time_series (endpoint_prefix, source, granularity) VALUES ('long', 'bench', '1 minute');
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, run_id)
SELECT (SELECT series_id FROM time_series WHERE endpoint_prefix = 'long'),
       '2000-01-01Z'::timestamptz + p * interval '1 minute', sin(p) * 1000,
       '2026-01-01Z', 1
FROM generate_series(1, {rows}) AS p;
"""
MEGABYTE = 1_000_000
MOST_MEMORY = 350


def main() -> int:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the series")
    size = parser.parse_args()
    verdicts = Verdicts()
    with fresh_database() as url, tempfile.TemporaryDirectory() as name:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(LONG.format(rows=size.rows).encode())
            connection.execute("VACUUM ANALYZE time_series_data_scd2")
        folder, env = Path(name), {**os.environ, "DATABASE_URL": url}

        def command(target: str) -> list[str]:
            return [PROGRAM, "-q", "read", "long", "-o", str(folder / target)]

        parquet, arrow = best(
            process(*command("long.parquet"), env=env),
            process(*command("long.arrow"), env=env),
            rounds=ROUNDS,
        )
        verdicts.at_most(f"{size.rows:,} rows as Parquet", parquet, "as Arrow", arrow, 1.5)
        for target in ("long.parquet", "long.arrow"):
            use = run_watching_memory(*command(target), env=env, cwd=folder)
            verdicts.below(f"memory, {target}", use.memory / MEGABYTE, MOST_MEMORY, "MB")
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
