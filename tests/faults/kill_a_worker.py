"""Kills a worker of a Citus cluster at random moments of runs that write; run on demand.

    python tests/faults/kill_a_worker.py --url postgresql://… --kill COMMAND --start COMMAND

The database is one without a portal whose workers are named to the coordinator. The commands kill
one of the workers as a power cut would (`pg_ctl -m immediate stop`), and start it again. After each
kill the source must hold one of its two states in every series, the same in all; `verify` must
find nothing; and the next run must succeed. What is prepared and not ended is counted, as it shows
that kills have hit the two phases of a commit. Ends with 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

SERIES, POINTS = 20, 8_760
_STATES = (0, 1)
_FIRST = datetime(2025, 1, 1, tzinfo=UTC)
_STATES_STORED = """
SELECT value - (series_id - %(first)s) * hour AS state, count(*)
FROM (
    SELECT d.series_id, d.value,
           row_number() OVER (PARTITION BY d.series_id ORDER BY d.ts) - 1 AS hour
    FROM time_series_data AS d
) AS d
WHERE (hour + series_id - %(first)s) %% 10 = 0
GROUP BY 1 ORDER BY 1
"""


def main() -> int:
    """Kill as often as asked for; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="of the coordinator")
    parser.add_argument("--kill", required=True, help="a command that kills a worker")
    parser.add_argument("--start", required=True, help="a command that starts it again")
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    chance = random.Random(asked.seed)  # noqa: S311 - moments, no secrets
    say(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory() as folder:
        source = Source(Path(folder), asked.url)
        source.run("migrate", "--distribute")
        length = 0.0
        for state in (0, 1, 0, 1):
            started = time.monotonic()
            source.fetch(state)
            length = time.monotonic() - started
        wrong = sum(
            trial(source, number, moment(chance, number, length), asked)
            for number in range(asked.times)
        )
    say(f"{asked.times} kills of runs of {length:.1f} s, {wrong} wrong")
    return 1 if wrong else 0


def moment(chance: random.Random, number: int, length: float) -> float:
    """Seconds after which to kill: anywhere, or half of the times where a run commits."""
    return (
        chance.uniform(0.2, length)
        if number % 4 < len(_STATES)
        else chance.gauss(0.95, 0.1) * length
    )


def say(line: str) -> None:
    """A line for who waits."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Source:
    """A source with two states, between which a tenth of all values differ."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        series = "".join(
            f"\n      - {{endpoint_prefix: s{n}, extract_filter: {{value_column: s{n}}}}}"
            for n in range(SERIES)
        )
        (folder / "sources.yaml").write_text(
            "request_groups:\n  all:\n"
            "    module: dataportal.plugins.data_sources.csv_plugin\n"
            "    class: CsvMultiSeriesPlugin\n    schedule: 1 day\n    timezone: UTC\n"
            f"    request_params: {{path: now.csv, ts_column: ts}}\n    timeseries:{series}\n"
        )
        for state in _STATES:
            with (folder / f"{state}.csv").open("w") as file:
                file.write("ts," + ",".join(f"s{n}" for n in range(SERIES)) + "\n")
                for hour in range(POINTS):
                    ts = _FIRST + timedelta(hours=hour)
                    values = (
                        n * hour + (state if (hour + n) % 10 == 0 else 0) for n in range(SERIES)
                    )
                    file.write(f"{ts.isoformat()},{','.join(map(str, values))}\n")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The program, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "dataportal", *words],
            cwd=self.folder,
            env={**os.environ, "DATABASE_URL": self.url, "MAX_RETRIES": "0"},
            capture_output=True,
            text=True,
            check=False,
        )

    def fetch(self, state: int) -> int:
        """Run the source once with its table in a state; the exit code."""
        (self.folder / "now.csv").write_bytes((self.folder / f"{state}.csv").read_bytes())
        return self.run("-q", "fetch-all").returncode

    def states(self) -> list[tuple[int, int]]:
        """How many of the values that differ are in each state; all in one, if all is well."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute("SELECT min(series_id) FROM time_series").fetchone()
            rows = connection.execute(_STATES_STORED, {"first": 0 if row is None else row[0]})
        return [(int(state), count) for state, count in rows]


def trial(source: Source, number: int, delay: float, asked: argparse.Namespace) -> bool:
    """Kill the worker once while a run writes; whether anything is wrong after that."""
    state = number % 2
    with subprocess.Popen(
        ["sh", "-c", f"sleep {delay:.3f}; {asked.kill}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as killer:
        code = source.fetch(state)
        killer.wait()
    subprocess.run(shlex.split(asked.start), check=True, stdout=subprocess.DEVNULL)
    with psycopg.connect(source.url, autocommit=True) as connection:
        prepared = connection.execute(
            "SELECT coalesce(sum(result::integer), 0) FROM run_command_on_workers("
            "'SELECT count(*) FROM pg_prepared_xacts') WHERE success"
        ).fetchone()
        # what Citus does by itself within a minute
        connection.execute("SELECT recover_prepared_transactions()")
    states = source.states()
    verified = source.run("verify")
    again = source.fetch(state)
    ended = source.states()
    is_wrong = (
        len(states) != 1
        or verified.returncode != 0
        or again != 0
        or [one for one, _ in ended] != [state]
        or source.run("verify").returncode != 0
    )
    say(
        f"{number + 1}: killed after {delay:.1f} s, the run ended with {code}; prepared "
        f"{prepared}, {'old' if states[:1] and states[0][0] != state else 'new'} state"
        f"{f'; WRONG: {states}, {ended}, {again}, {verified.stdout}' if is_wrong else ''}"
    )
    return is_wrong


if __name__ == "__main__":
    sys.exit(main())
