"""Four programs that run the same fetch-all at once, against one: answers that take two seconds.

Each stands for a machine, and every source is fetched once.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from bench_many import ANSWER, sources_file
from measuring import PROGRAM, Verdicts, fresh_database
from providers import providers

MACHINES, WAIT, JOBS = 4, 2.0, 8


def seconds_of(machines: int, env: dict[str, str]) -> float:
    """How long it takes until so many programs, begun together, have all ended."""
    started = time.perf_counter()
    programs = [
        subprocess.Popen(
            [PROGRAM, "-q", "fetch-all", "--due", "--jobs", str(JOBS)], env={**os.environ, **env}
        )
        for _ in range(machines)
    ]
    assert [program.wait() for program in programs] == [0] * machines
    return time.perf_counter() - started


def main() -> int:
    """Print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=200)
    size = parser.parse_args()
    verdicts = Verdicts()
    with (
        tempfile.TemporaryDirectory() as name,
        providers(lambda _: ANSWER, WAIT) as port,
        fresh_database() as url,
    ):
        path = sources_file(Path(name), port, size.sources)
        env = {"DATABASE_URL": url, "PLUGIN_CONFIG_PATH": path}
        one = seconds_of(1, env)
        with psycopg.connect(url, autocommit=True) as connection:
            # all are due again
            connection.execute("UPDATE source_state SET last_attempt_at = NULL")
            four = seconds_of(MACHINES, env)
            runs = connection.execute(
                "SELECT count(*) FROM fetch_run WHERE outcome IN ('succeeded', 'unchanged')"
            ).fetchone()
        assert runs == (2 * size.sources,), runs
        what = f"{MACHINES} machines, {size.sources} sources of {WAIT:g} s, {JOBS} jobs each"
        verdicts.at_most(what, four, "one", one, 0.45)
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
