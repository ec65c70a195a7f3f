"""fetch-all over 200 sources of 3 requests each, whose answers take 100 ms: against the waits.

The providers are as many local hosts as it takes for the limit of four requests at a time to each
host not to be what is measured.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from measuring import PROGRAM, Verdicts, best, fresh_database, process

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES, REQUESTS, HOSTS = 200, 3, 16
WAIT = 0.1  # seconds
ROUNDS = 3


def reply(page: int) -> bytes:
    """A page, which is a day of hourly values."""
    rows = [{"t": f"2025-01-{page:02}T{hour:02}:00:00Z", "v": hour * 0.25} for hour in range(24)]
    body = json.dumps({"pages": REQUESTS, "rows": rows}).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def providers() -> Iterator[int]:
    """The port of a server on every address of this machine; each answer is a page of values."""
    loop = asyncio.new_event_loop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(WAIT)
                page = re.search(rb"[?&]page=(\d+)", asked)
                writer.write(reply(int(page[1]) if page else 1))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = loop.run_until_complete(asyncio.start_server(answer, "0.0.0.0", 0))  # noqa: S104 - 127.0.0.1 to 127.0.0.16
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


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
        providers() as port,
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
