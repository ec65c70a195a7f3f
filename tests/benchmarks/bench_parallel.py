"""First loads and backfills side by side, each opening chunks, against one after the other.

python tests/benchmarks/bench_parallel.py --rounds 3
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from measuring import PROGRAM, Verdicts, best, fresh_database, process
from providers import json_reply, providers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOURCES, YEARS = 8, 6
ROWS = SOURCES * YEARS * 8_766
START = datetime(2010, 1, 1, tzinfo=UTC)
WAIT = 0.1  # seconds
BACKFILL = ("--start", f"{START.year}-01-01", "--end", f"{START.year + YEARS}-01-01")
PLUGIN = f"""
from datetime import UTC, datetime, timedelta

from dataportal.plugins.base_plugin import BasePlugin

FIRST = datetime({START.year}, 1, 1, tzinfo=UTC)
LAST = datetime({START.year + YEARS}, 1, 1, tzinfo=UTC)


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


@cache
def all_hours(_request: bytes) -> bytes:
    """All hours of a source."""
    hours = (START + timedelta(hours=n) for n in range(YEARS * 8_766))
    rows = [{"t": f"{hour:%Y-%m-%dT%H}:00:00Z", "v": n * 0.5} for n, hour in enumerate(hours)]
    return json_reply(json.dumps(rows).encode())


@contextmanager
def environment(kind: str, entry: Mapping[str, object], url: str) -> Iterator[dict[str, str]]:
    """The environment for eight sources of one kind; {number} in the entry is a source's own."""
    metadata = {"endpoint_prefix": kind + " {number}", "granularity": "1 hour"}
    text = json.dumps(
        {"schedule": "1 day", "initial_history": "all", "metadata": metadata, **entry}
    )
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "counting.py").write_text(PLUGIN)
        sources = {f"source-{n}": json.loads(text.replace("{number}", str(n))) for n in range(1, 9)}
        (home / "sources.yaml").write_text(json.dumps({"timeseries": sources}))
        yield {"DATABASE_URL": url, "PLUGIN_CONFIG_PATH": str(home / "sources.yaml")}


def rates(env: dict[str, str], *window: str, rounds: int) -> tuple[float, float]:
    """Rows a second of eight sources side by side, and of one after the other."""
    url = env["DATABASE_URL"]
    seconds = dict.fromkeys((SOURCES, 1), float("inf"))
    for _ in range(rounds):
        for jobs in seconds:
            with psycopg.connect(url, autocommit=True) as connection:
                for statement in EMPTY:
                    connection.execute(statement.encode())
            command = (PROGRAM, "-q", "fetch-all", "--jobs", str(jobs), *window)
            seconds[jobs] = min(seconds[jobs], *best(process(*command, env=env), rounds=1))
            with psycopg.connect(url) as connection:
                row = connection.execute("SELECT count(*) FROM time_series_data").fetchone()
                assert row
                assert row[0] > 0.9 * ROWS, row
    return ROWS / seconds[SOURCES], ROWS / seconds[1]


def main() -> int:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    verdicts = Verdicts()
    against, unit = "one after the other", "rows/s"
    with fresh_database() as url:
        for wait in (WAIT, 0):
            with providers(all_hours, wait) as port:
                json_api = {
                    "module": "dataportal.plugins.data_sources.http_plugin",
                    "class": "HttpJsonPlugin",
                    "default_params": {
                        "url": f"http://127.0.0.{{number}}:{port}/",
                        "ts": "t",
                        "value": "v",
                    },
                }
                with environment("load", json_api, url) as env:
                    ours, theirs = rates(env, rounds=rounds)
            what = f"{SOURCES} first loads side by side, answers in {wait * 1000:.0f} ms"
            if wait:
                verdicts.at_least(what, ours, against, theirs, 1.5, unit)
            else:
                print(f"         {what}: ratio {ours / theirs:.2f}, for comparison", flush=True)
        counting = {"module": "counting", "class": "Counting", "default_params": {}}
        with environment("backfill", counting, url) as env:
            ours, theirs = rates(env, *BACKFILL, rounds=rounds)
        what = f"{SOURCES} backfills in slices side by side"
        verdicts.at_least(what, ours, against, theirs, 1.5, unit)
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
