"""The most memory that the program takes: a long backfill, and one large answer.

python tests/benchmarks/bench_memory.py                    # 10 million points in slices
python tests/benchmarks/bench_memory.py --points 1000000
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from measuring import PROGRAM, Verdicts, fresh_database
from support.memory_use import run_watching_memory

SOURCES = """
timeseries:
  counting:
    module: counting
    class: Counting
    schedule: 1 day
    timeout: 1 hour
    metadata: {{endpoint_prefix: counting, granularity: 1 minute}}
    default_params: {{shape: {shape}}}
"""
PLUGIN = """
from datetime import datetime, timedelta

from dataportal.plugins.base_plugin import BasePlugin


class Counting(BasePlugin):
    def get_historical_data(self, start_date, end_date=None, metrics=None):
        start, end = map(datetime.fromisoformat, (start_date, end_date))
        minute = timedelta(minutes=1)
        count = (end - start) // minute
        if self._defaults["shape"] == "columns":
            return {
                "ts": [start + n * minute for n in range(count)],
                "value": [n * 0.5 for n in range(count)],
            }
        return [
            {"ts": (start + n * minute).isoformat(), "value": n * 0.5} for n in range(count)
        ]
"""
A_MILLION = ("--start", "2020-01-01", "--end", "2021-11-25T10:40:00Z")


def peak(url: str, shape: str, *window: str, one_slice: bool = False) -> float:
    """Peak memory, in MB, of the backfill of a window by a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "counting.py").write_text(PLUGIN)
        sources = SOURCES.format(shape=shape)
        if one_slice:
            sources = sources.replace("    schedule", "    max_window: 9000 days\n    schedule")
        (home / "sources.yaml").write_text(sources)
        code, memory = run_watching_memory(
            *(PROGRAM, "-q", "fetch", "counting", *window),
            cwd=home,
            env={**os.environ, "DATABASE_URL": url, "PLUGIN_CONFIG_PATH": "sources.yaml"},
        )
        assert code == 0
    return memory / 2**20


def main() -> int:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000_000, help="of the long backfill")
    points = parser.parse_args().points
    verdicts = Verdicts()
    with fresh_database() as url:
        years = points / 525_960
        long = ("--start", f"{years * 365.25:.0f} days", "--end", "0 days")
        most = peak(url, "columns", *long)
    verdicts.below(f"backfill of {points:,} points in slices", most, 200, "MB")
    for shape, goal in (("columns", 400), ("points", 700)):
        with fresh_database() as url:
            most = peak(url, shape, *A_MILLION, one_slice=True)
            verdicts.below(f"one answer of a million points as {shape}", most, goal, "MB")
            again = peak(url, shape, *A_MILLION, one_slice=True)
            verdicts.below("the same once more", again, goal, "MB")
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
