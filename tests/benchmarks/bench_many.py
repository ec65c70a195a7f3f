"""What a run costs the client: fetch-all over many sources that answer at once, with nothing new.

Processor time of the program, against that of a bare GET by httpx.AsyncClient and the statements of
a run, one after the other, for each source, by one process and over one connection; each without
what it takes to start.

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

from dataportal.store.queries import sql_home

if TYPE_CHECKING:
    from collections.abc import Sequence

HOSTS = 16
QUERIES = sql_home() / "queries"
BARE = r"""
import asyncio, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
import httpx, psycopg
url, port, queries = sys.argv[1], sys.argv[3], Path(sys.argv[5])
hosts, count = int(sys.argv[2]), int(sys.argv[4])
names = (
    "lock_take", "series_progress", "validators_kept", "run_start", "merge_read_span", "run_finish"
)
take, series, validators, start, read, finish = (
    (queries / f"{name}.sql").read_bytes() for name in names
)
now, day = datetime.now(UTC), timedelta(days=1)
low = datetime(2026, 1, 1, tzinfo=UTC)
figures = (
    "received", "inserted", "revised", "retracted", "unchanged", "duplicates", "rejected",
    "outside", "withheld", "nulls",
)

async def main():
    clients = [httpx.AsyncClient() for _ in range(hosts)]
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as db:
        for n in range(count):
            name = f"source-{n}"
            db.execute("SELECT set_config('application_name', %s, false)", [name])
            db.execute(take, {"key": n, "mark": "bare"}).fetchone()
            number = db.execute(series, {"source": name, "names": [name]}).fetchone()[0]
            db.execute(validators, {"source": name}).fetchone()
            run = db.execute(
                start,
                {
                    "source": name, "kind": "scheduled", "start": now, "end": None, "host": "h",
                    "pid": 1, "version": "v", "backfill": None, "at_once": True,
                },
            ).fetchone()[0]
            answer = await clients[n % hosts].get(f"http://127.0.0.{1 + n % hosts}:{port}/{n}")
            answer.json()
            db.execute(
                read, {"series": number, "low": low, "high": low + day, "limit": 1097}
            ).fetchall()
            db.execute(
                finish,
                {
                    "earliest": now - day, "latest": now + day, "run": run, "outcome": "unchanged",
                    "error": None, "key": n, "lookback": day, "settled": False, "told": False,
                    **dict.fromkeys(figures, 0),
                },
            ).fetchone()
            db.execute("SELECT pg_advisory_unlock(%s)", [n])

asyncio.run(main())
"""
"""The statements of a run as the program sends them, and a GET by the client that it has."""
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
            least(size.rounds, *bare, "1", str(QUERIES))[0],
        )
        ours, seconds, memory = least(size.rounds, *fetch, env=env)
        theirs = least(size.rounds, *bare, str(size.sources), str(QUERIES))[0]
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
