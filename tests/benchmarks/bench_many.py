"""What a run costs the client: fetch-all over many sources that answer at once, with nothing new.

Processor time of the program, against that of a bare httpx GET and the bare statements of a run for
each source, by one process and over one connection; each without what it takes to start.

python tests/benchmarks/bench_many.py --sources 400 --many 10000
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import PROGRAM, Verdicts, fresh_database
from providers import json_reply, providers

if TYPE_CHECKING:
    from collections.abc import Sequence

HOSTS = 16
BARE = r"""
import sys
import httpx, psycopg
url, hosts, port, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
client = httpx.Client()
with psycopg.connect(url, autocommit=True) as db:
    for n in range(count):
        name = f"source-{n}"
        db.execute("SELECT pg_try_advisory_lock(%s)", [n])
        run = db.execute(
            "INSERT INTO fetch_run (source, kind, window_start, host, pid, version)"
            " VALUES (%s, 'scheduled', now(), 'h', 1, 'v') RETURNING run_id",
            [name],
        ).fetchone()[0]
        client.get(f"http://127.0.0.{1 + n % hosts}:{port}/{n}").json()
        db.execute(
            "SELECT ts, value FROM time_series_data"
            " WHERE series_id = (SELECT series_id FROM time_series WHERE endpoint_prefix = %s)",
            [name],
        ).fetchall()
        db.execute(
            "UPDATE fetch_run SET finished_at = now(), outcome = 'unchanged'"
            " WHERE run_id = %s",
            [run],
        )
        db.execute("UPDATE source_state SET last_success_at = now() WHERE source = %s", [name])
        db.execute("SELECT pg_advisory_unlock(%s)", [n])
"""
ROWS = [{"t": f"2026-01-01T{hour:02}:00:00Z", "v": hour * 0.25} for hour in range(24)]
ANSWER = json_reply(json.dumps({"rows": ROWS}).encode())


def sources_file(folder: Path, port: int, count: int) -> str:
    """As many sources, each of one series of a day of hours."""
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
            },
        }
        for n in range(count)
    }
    path = folder / f"sources-{count}.yaml"
    path.write_text(json.dumps({"timeseries": entries}), encoding="utf-8")
    return str(path)


def run(*command: str, env: dict[str, str] | None = None) -> tuple[float, float, float]:
    """Seconds of processor time, seconds, and the most MB of a command."""
    child = subprocess.Popen(
        command,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    started = os.times().elapsed
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    assert status == 0, command
    return usage.ru_utime + usage.ru_stime, os.times().elapsed - started, usage.ru_maxrss / 1024


def least(rounds: int, *command: str, env: dict[str, str] | None = None) -> Sequence[float]:
    """The least of several rounds of each figure."""
    return [
        min(figures)
        for figures in zip(*(run(*command, env=env) for _ in range(rounds)), strict=True)
    ]


def main() -> int:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=400)
    parser.add_argument("--many", type=int, default=0, help="sources of one large command")
    parser.add_argument("--rounds", type=int, default=3)
    size = parser.parse_args()
    verdicts = Verdicts()
    with (
        tempfile.TemporaryDirectory() as name,
        providers(lambda _: ANSWER, 0) as port,
        fresh_database() as url,
    ):
        folder = Path(name)
        bare = (sys.executable, "-c", BARE, url, str(HOSTS), str(port))
        env = {"DATABASE_URL": url, "PLUGIN_CONFIG_PATH": sources_file(folder, port, size.sources)}
        fetch = (PROGRAM, "-q", "fetch-all")
        run(*fetch, env=env)
        one = {**env, "PLUGIN_CONFIG_PATH": sources_file(folder, port, 1)}
        start, bare_start = (
            least(size.rounds, *fetch, env=one)[0],
            least(size.rounds, *bare, "1")[0],
        )
        ours, seconds, memory = least(size.rounds, *fetch, env=env)
        theirs = least(size.rounds, *bare, str(size.sources))[0]
        per_source, per_bare = (
            1000 * (figure - first) / (size.sources - 1)
            for figure, first in ((ours, start), (theirs, bare_start))
        )
        what = f"processor time of fetch-all, {size.sources} sources, each"
        verdicts.at_most(what, per_source, "a bare GET and statements", per_bare, 2, "ms")
        if size.many:
            many = {**env, "PLUGIN_CONFIG_PATH": sources_file(folder, port, size.many)}
            run(*fetch, env=many)
            _, many_seconds, many_memory = run(*fetch, env=many)
            what = f"fetch-all over {size.many} sources"
            verdicts.at_most(what, many_seconds, f"{size.sources} sources", seconds, 25)
            each = 1024 * (many_memory - memory) / (size.many - size.sources)
            verdicts.below(f"{what}, memory of each more", each, 10, "kB")
    return verdicts.exit_code


if __name__ == "__main__":
    sys.exit(main())
