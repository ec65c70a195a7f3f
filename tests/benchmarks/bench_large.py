"""What healthcheck, list-sources and a small run cost on a large database, against an empty one.

python tests/benchmarks/bench_large.py                              # a million observations
python tests/benchmarks/bench_large.py --series 1142 --points 87600  # 100 million
python tests/benchmarks/bench_large.py --chunk-days 2               # 2,000 chunks (TimescaleDB)
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import bench_start
from bench_small_run import WEEK, small_run
from measuring import PROGRAM, Verdicts, best, fresh_databases, process
from runs import whole_run

RUNS = 40
YEARS = 10
# spread evenly over the years up to now; a tenth of them revised once
POINTS = f"""
SELECT date_trunc('hour', now()) - interval '{YEARS} years' * (p::float8 / {{points}}) AS ts,
       s.series_id, p
FROM time_series AS s, generate_series(0, {{points}} - 1) AS p
WHERE s.series_id <= {{series}}
"""
FILLED = (
    f"""
    INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)
    SELECT ts, p, now(), 1, series_id FROM ({POINTS}) AS point
    """,
    f"""
    INSERT INTO time_series_data_scd2 (ts, value, valid_from, valid_to, run_id, series_id)
    SELECT ts, p - v, now() - v * interval '1 hour',
           CASE v WHEN 0 THEN 'infinity' ELSE now() END, 1, series_id
    FROM ({POINTS}) AS point, generate_series(0, CASE p % 10 WHEN 0 THEN 1 ELSE 0 END) AS v
    """,
    "VACUUM (ANALYZE)",
)
CHUNKS = """
SELECT set_chunk_time_interval(relation, INTERVAL '{days} days')
FROM unnest(ARRAY['time_series_data', 'time_series_data_scd2']) AS relation
"""


def main() -> int:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=1_000, help="that have observations")
    parser.add_argument("--points", type=int, default=1_000, help="observations of each")
    parser.add_argument("--rounds", type=int, default=9, help="of each command")
    parser.add_argument("--chunk-days", type=int, help="the interval of chunks, with TimescaleDB")
    size = parser.parse_args()
    bench_start.SOURCES = max(bench_start.SOURCES, size.series)
    commands = [("healthcheck",), ("list-sources",)]
    # the newest observation of each series is as old in both
    without = [s for s in bench_start.fresh_sources() if "INTO time_series_data " not in s]
    filled = [*without, *(statement.format(**vars(size)) for statement in FILLED)]
    if size.chunk_days:
        filled.insert(0, CHUNKS.format(days=size.chunk_days))
    with (
        tempfile.TemporaryDirectory() as folder,
        fresh_databases(without, filled) as (small, large),
    ):
        path = str(bench_start.sources_file(Path(folder)))
        seconds = best(
            *(
                process(PROGRAM, *c, env=_env(url, path))
                for c in commands
                for url in (large, small)
            ),
            rounds=size.rounds,
        )
        for url in (small, large):
            whole_run(url, WEEK, source="small")
        run_on_large, run_on_small = best(
            lambda: small_run(large), lambda: small_run(small), rounds=RUNS
        )
    verdicts = Verdicts()
    for command, ours, theirs in zip(commands, seconds[::2], seconds[1::2], strict=True):
        what = f"{command[0]} with {size.series * size.points:,} observations"
        verdicts.at_most(what, ours, "without any", theirs, 1.5)
    what = f"a small run with {size.series * size.points:,} observations"
    verdicts.at_most(what, run_on_large, "without any", run_on_small, 1.5)
    return verdicts.exit_code


def _env(url: str, path: str) -> dict[str, str]:
    return {"DATABASE_URL": url, "PLUGIN_CONFIG_PATH": path}


if __name__ == "__main__":
    sys.exit(main())
