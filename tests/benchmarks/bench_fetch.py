"""fetch-all over 200 sources of 3 requests each, whose answers take 100 ms: against the waits.

The providers are as many local hosts as it takes for the limit of four requests at a time to each
host not to be what is measured.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path

import psycopg
from measuring import PROGRAM, Verdicts, best, fresh_database, process
from providers import json_reply, providers

SOURCES, REQUESTS, HOSTS = 200, 3, 16
WAIT = 0.1  # seconds
ROUNDS = 3


def page(request: bytes) -> bytes:
    """A page, which is a day of hourly values."""
    number = re.search(rb"[?&]page=(\d+)", request)
    day = int(number[1]) if number else 1
    rows = [{"t": f"2025-01-{day:02}T{hour:02}:00:00Z", "v": hour * 0.25} for hour in range(24)]
    return json_reply(json.dumps({"pages": REQUESTS, "rows": rows}).encode())


def sources_file(folder: Path, port: int) -> str:
    """200 sources of JSON in three pages."""
    entries = {
        f"source-{n}": {
            "module": "dataportal.plugins.data_sources.http_plugin",
            "class": "HttpJsonPlugin",
            "schedule": "1 hour",
            "initial_history": "all",
            "metadata": {"name": f"Source {n}", "granularity": "1 hour"},
            "default_params": {
                "url": f"http://127.0.0.{1 + n % HOSTS}:{port}/{n}",
                "rows": "rows",
                "ts": "t",
                "value": "v",
                "paging": {"page": "page", "last": "pages"},
            },
        }
        for n in range(SOURCES)
    }
    path = folder / "sources.yaml"
    path.write_text(json.dumps({"timeseries": entries}), encoding="utf-8")
    return str(path)


def main() -> int:
    """Print every ratio."""
    verdicts = Verdicts()
    with (
        tempfile.TemporaryDirectory() as folder,
        providers(page, WAIT) as port,
        fresh_database() as url,
    ):
        env = {"DATABASE_URL": url, "PLUGIN_CONFIG_PATH": sources_file(Path(folder), port)}
        for jobs in (8, 32):
            (ours,) = best(
                process(PROGRAM, "-q", "fetch-all", "--jobs", str(jobs), env=env), rounds=ROUNDS
            )
            waits = SOURCES * REQUESTS * WAIT / jobs
            what = f"fetch-all, {SOURCES} sources of {REQUESTS} requests, {jobs} jobs"
            verdicts.at_most(what, ours, "the waits ÷ jobs", waits, 1.25)
        with psycopg.connect(url) as connection:
            runs = connection.execute(
                "SELECT outcome, count(*) FROM fetch_run GROUP BY outcome ORDER BY outcome"
            ).fetchall()
            print("runs:", *(f"{count} {outcome}" for outcome, count in runs))
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
