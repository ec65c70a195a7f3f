"""What operating costs: the status page, runs, sources in a state, the metrics of a run.

python tests/benchmarks/bench_operate.py                     # 1,000 sources, a million runs
python tests/benchmarks/bench_operate.py --runs 100000
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from measuring import PROGRAM, Verdicts, best, fresh_database, process, python

ROUNDS = 7
SOURCES = 1000
# of each source: hours of 40 days with a hole, one in twenty failing
FILLED = (
    f"""
    INSERT INTO time_series (endpoint_prefix, source, granularity, unit, first_known_at, changed_at)
    SELECT 'series-' || n, 'source-' || n, '1 hour', 'MW', now(), now()
    FROM generate_series(1, {SOURCES}) AS n ORDER BY n
    """,
    f"""
    INSERT INTO source_state (source, last_attempt_at, last_outcome, last_success_at, known_through,
                              failures, failing_since, last_error)
    SELECT 'source-' || n, now(), CASE WHEN n % 20 = 0 THEN 'failed' ELSE 'succeeded' END,
           now() - CASE WHEN n % 20 = 0 THEN interval '2 days' ELSE interval '0' END, now(),
           CASE WHEN n % 20 = 0 THEN 3 ELSE 0 END,
           CASE WHEN n % 20 = 0 THEN now() - interval '1 day' END,
           CASE WHEN n % 20 = 0 THEN 'GET https://api.example.org/v1/series answered 503' END
    FROM generate_series(1, {SOURCES}) AS n
    """,
    f"""
    INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)
    SELECT date_trunc('hour', now()) - h * interval '1 hour', 100 + 50 * sin(h / 4.0) + s % 7,
           now(), 1, s
    FROM generate_series(1, {SOURCES}) AS s, generate_series(1, 960) AS h
    WHERE h <> 200 + s % 50 OR s % 10 > 0
    """,
    """
    INSERT INTO time_series_data_scd2 (ts, value, valid_from, run_id, series_id)
    SELECT ts, value, now() - interval '1 day', 1, series_id FROM time_series_data
    """,
    f"""
    INSERT INTO fetch_run (source, kind, started_at, finished_at, outcome, window_start, received,
                           inserted, revised, error, host, pid, version)
    SELECT 'source-' || 1 + n % {SOURCES}, 'scheduled', at, at + interval '1 second',
           CASE WHEN n % 97 = 0 OR n % {SOURCES} = 19 THEN 'failed' WHEN n % 3 = 0 THEN 'succeeded'
                ELSE 'unchanged' END,
           at - interval '7 days', 168, (n % 3 = 0)::int,
           CASE WHEN n % 9 = 0 THEN n % 40 ELSE 0 END,
           CASE WHEN n % 97 = 0 THEN 'GET https://api.example.org/v1/series answered 503' END,
           'etl', 4711, '1.1.0'
    FROM generate_series(1, {{runs}}) AS n,
         LATERAL (SELECT now() - ({{runs}} - n) * interval '10 seconds' AS at) AS began
    """,
    "VACUUM (ANALYZE)",
)
CONNECT = (
    "import os, psycopg\n"
    "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
    "    connection.execute('select 1')"
)
LOOKS = (
    ("runs",),
    ("runs", "--failed", "--since", "7d"),
    ("runs", "source-7", "source-77"),
    ("list-sources", "--state", "failing"),
)


def main() -> int:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="that are stored")
    size = parser.parse_args()
    verdicts = Verdicts()
    statements = [statement.format(runs=size.runs) for statement in FILLED]
    with fresh_database(statements) as url, tempfile.TemporaryDirectory() as folder:
        sources, page = Path(folder, "sources.yaml"), Path(folder, "status.html")
        sources.write_text(json.dumps({"timeseries": dict(map(_entry, range(1, SOURCES + 1)))}))
        env = {"DATABASE_URL": url, "PLUGIN_CONFIG_PATH": str(sources)}
        bare, report, reading, *looks = best(
            python(CONNECT, env=env),
            process(PROGRAM, "report", "-o", str(page), env=env),
            process(PROGRAM, "gaps", "--start", "30d", env=env),
            *(process(PROGRAM, *look, env=env) for look in LOOKS),
            rounds=ROUNDS,
        )
        bytes_of_page = page.stat().st_size
    beyond = f"report beyond gaps --start 30d, {SOURCES:,} sources, {size.runs:,} runs"
    verdicts.below(beyond, report - reading, 3, "s")
    verdicts.below("its page", bytes_of_page / 1e6, 2, "MB")
    for look, seconds in zip(LOOKS, looks, strict=True):
        what = f"{' '.join(look)}, {size.runs:,} runs"
        verdicts.at_most(what, seconds, "psycopg, connect, select 1", bare, 2.5)
    _judge_metrics(verdicts)
    return verdicts.exit_code


def _judge_metrics(verdicts: Verdicts) -> None:
    """A run of one source with and without a metrics file."""
    with fresh_database() as url, tempfile.TemporaryDirectory() as folder:
        values, sources = Path(folder, "values.csv"), Path(folder, "sources.yaml")
        values.write_text("ts,value\n2025-01-01T00:00Z,1\n")
        name, entry = _entry(1)
        entry["default_params"] = {"path": str(values)}
        sources.write_text(json.dumps({"timeseries": {name: entry}}))
        env = {"DATABASE_URL": url, "PLUGIN_CONFIG_PATH": str(sources)}
        fetch = (PROGRAM, "-q", "fetch", name)
        without, with_metrics = best(
            process(*fetch, env=env),
            process(*fetch, "--metrics-file", str(Path(folder, "x.prom")), env=env),
            rounds=4 * ROUNDS,
        )
    verdicts.below("metrics of a run of one source", 1000 * (with_metrics - without), 20, "ms")


def _entry(number: int) -> tuple[str, dict[str, object]]:
    return f"source-{number}", {
        "module": "dataportal.plugins.data_sources.csv_plugin",
        "class": "CsvDataSourcePlugin",
        "schedule": "1 hour",
        "metadata": {
            "name": f"Load of region {number}",
            "endpoint_prefix": f"series-{number}",
            "unit": "MW",
            "granularity": "1 hour",
        },
        "default_params": {"url": "https://api.example.org/v1/series.csv"},
    }


if __name__ == "__main__":
    sys.exit(main())
