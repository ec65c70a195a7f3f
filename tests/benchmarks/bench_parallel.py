"""First loads and backfills side by side, each opening chunks, against one after the other.

python tests/benchmarks/bench_parallel.py --rounds 3
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import psycopg
from measuring import PROGRAM, Verdicts, best, fresh_database, process

SOURCES, YEARS = 8, 6
ROWS = SOURCES * YEARS * 8_766
ENTRY = """
  source-{number}:
    module: counting
    class: Counting
    schedule: 1 day
    initial_history: all
    metadata: {{endpoint_prefix: series-{number}, granularity: 1 hour}}
    default_params: {{}}
"""
PLUGIN = f"""
from datetime import UTC, datetime, timedelta

from dataportal.plugins.base_plugin import BasePlugin

FIRST, LAST = datetime(2010, 1, 1, tzinfo=UTC), datetime({2010 + YEARS}, 1, 1, tzinfo=UTC)


class Counting(BasePlugin):
    def get_historical_data(self, start_date, end_date=None, metrics=None):
        start = max(FIRST, datetime.fromisoformat(start_date))
        end = LAST if end_date is None else datetime.fromisoformat(end_date)
        hours = range((end - start) // timedelta(hours=1))
        return {{
            "ts": [start + timedelta(hours=n) for n in hours],
            "value": [n * 0.5 for n in hours],
        }}
"""
EMPTY = (
    "TRUNCATE time_series_data, time_series_data_scd2, time_series, fetch_run, source_state",
    # hypertables keep the chunks of what was truncated otherwise
    """
    DO $$ BEGIN
        IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
            PERFORM drop_chunks(t, older_than => timestamptz '2100-01-01')
            FROM unnest(ARRAY['time_series_data', 'time_series_data_scd2']::regclass[]) AS t;
        END IF;
    END $$
    """,
)


def main() -> int:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    verdicts = Verdicts()
    with tempfile.TemporaryDirectory() as folder, fresh_database() as url:
        home = Path(folder)
        (home / "counting.py").write_text(PLUGIN)
        entries = "".join(ENTRY.format(number=n) for n in range(SOURCES))
        (home / "sources.yaml").write_text(f"timeseries:{entries}")
        env = {"DATABASE_URL": url, "PLUGIN_CONFIG_PATH": str(home / "sources.yaml")}
        backfill = ("--start", "2010-01-01", "--end", f"{2010 + YEARS}-01-01")
        for what, window in (("first loads", ()), ("backfills in slices", backfill)):
            seconds = dict.fromkeys((1, SOURCES), float("inf"))
            for _ in range(rounds):
                for jobs in (1, SOURCES):
                    with psycopg.connect(url, autocommit=True) as connection:
                        for statement in EMPTY:
                            connection.execute(statement.encode())
                    command = (PROGRAM, "-q", "fetch-all", "--jobs", str(jobs), *window)
                    seconds[jobs] = min(seconds[jobs], *best(process(*command, env=env), rounds=1))
                    with psycopg.connect(url) as connection:
                        row = connection.execute("SELECT count(*) FROM time_series_data").fetchone()
                        assert row
                        assert row[0] > 0.9 * ROWS, row
            verdicts.at_least(
                f"{SOURCES} {what} side by side",
                ROWS / seconds[SOURCES],
                "one after the other",
                ROWS / seconds[1],
                1.5,
                "rows/s",
            )
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
