"""Rate limits and Retry-After, for all sources of a run, and for all machines together."""

from __future__ import annotations

import re
import time
from threading import Event
from typing import TYPE_CHECKING

import pytest
from support.http_server import LocalServer, Reply
from support.program_sources import IN_TIME, SourceFile, await_ends, runs_by_source, table
from support.store_feed import open_observer

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCli, StartCli
    from support.http_server import Request

ASKING = """
async def get_historical_data(self, start_date, end_date=None, metrics=None):
    limit = RateLimit({per_minute}, key="c4n4ry-of-a-key", everywhere={everywhere})
    for _ in range(2):
        await self.http.get(self._defaults["url"], limit=limit)
    return [{{"ts": "2025-01-01T00:00:00Z", "value": 1}}]
"""
HEAD = "from dataportal.plugins.http import RateLimit"


class Clock:
    """Notes when it was asked."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def reply(self, request: Request) -> Reply:
        """An empty answer."""
        assert re.match(r"dataportal/\d", request.headers["user-agent"])
        self.times.append(time.monotonic())
        return Reply.json([])

    def all_in_their_slots(self, start: float, distance: float) -> bool:
        """Whether no request came before its slot: the k-th not before k distances."""
        return all(instant >= start + n * distance for n, instant in enumerate(sorted(self.times)))


@pytest.mark.slow
def test_two_processes_keep_a_limit_together(
    tmp_path: Path, database_url: str, start_cli: StartCli
) -> None:
    """Counted in the database under host and key: twelve requests of two take twelve slots."""
    clock, distance, env = Clock(), 0.15, {"DATABASE_URL": database_url}
    with LocalServer() as server:
        url = server.answer("/data", clock.reply)
        folders = [tmp_path / name for name in ("one", "two")]
        for folder in folders:
            folder.mkdir()
            sources = SourceFile(folder)
            for number in range(3):
                body = ASKING.format(per_minute=60 / distance, everywhere=True)
                name = f"{folder.name}{number}"
                sources.python(name, body, head=HEAD, params={"url": url})
            sources.write()
        start = time.monotonic()
        runs = await_ends([start_cli("--json", "fetch-all", env=env, cwd=f) for f in folders])
    assert [len(runs_by_source(stdout)) for stdout, _ in runs] == [3, 3]
    assert len(clock.times) == 12
    assert clock.all_in_their_slots(start, distance)
    with open_observer(database_url) as look:
        rows = look.execute("SELECT name FROM request_slot").fetchall()
    assert len(rows) == 1
    assert re.fullmatch(r"127\.0\.0\.1 [0-9a-f]{16}", rows[0][0])


def test_all_sources_of_a_run_keep_a_limit_together(
    tmp_path: Path, database_url: str, run_cli: RunCli
) -> None:
    """Plugins in threads of their own wait for each other."""
    clock, distance = Clock(), 0.05
    with LocalServer() as server:
        url = server.answer("/data", clock.reply)
        sources = SourceFile(tmp_path)
        for number in range(4):
            body = ASKING.format(per_minute=60 / distance, everywhere=False)
            sources.python(f"s{number}", body, head=HEAD, params={"url": url})
        sources.write()
        start = time.monotonic()
        process = run_cli("fetch-all", env={"DATABASE_URL": database_url})
    assert process.returncode == 0, process.stderr
    assert len(clock.times) == 8
    assert clock.all_in_their_slots(start, distance)


def test_a_host_is_left_alone_by_all_sources_of_a_run(
    tmp_path: Path, database_url: str, run_cli: RunCli
) -> None:
    """One is told to come back in an hour: the others do not even ask, and say why."""
    busy = Reply(429, b"", headers={"Retry-After": "3600"})
    with LocalServer() as server:
        sources = SourceFile(tmp_path)
        for number in range(5):
            server.answer(f"/{number}.csv", busy)
            sources.csv(f"s{number}", f"{server.url}/{number}.csv")
        sources.write()
        env = {"DATABASE_URL": database_url}
        process = run_cli("--json", "fetch-all", "--jobs", "1", env=env)
        assert len(server.requests) == 1
    runs = runs_by_source(process)
    assert {run["outcome"] for run in runs.values()} == {"failed"}
    assert sum("was not sent" in run["error"] for run in runs.values()) == 4


WAITING = """
async def get_historical_data(self, start_date, end_date=None, metrics=None):
    requests = [self.http.get(self._defaults["url"]) for _ in range(8)]
    await asyncio.gather(*requests)
"""


def test_a_plugin_that_is_abandoned_frees_its_host(
    tmp_path: Path, database_url: str, run_cli: RunCli
) -> None:
    """What it still asks for, and nobody waits for any more, keeps nobody else from the host."""
    with LocalServer() as server:
        sources = SourceFile(tmp_path)
        url = server.answer("/silent", Reply(hold=Event()))
        sources.python("late", WAITING, params={"url": url}, timeout="2 seconds")
        sources.csv("quick", server.answer("/quick.csv", table([1.0])))
        sources.write()
        env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0"}
        start = time.monotonic()
        process = run_cli("--json", "fetch-all", env=env)
        assert time.monotonic() - start < IN_TIME
        assert server.asked("/silent") == 4
    runs = runs_by_source(process)
    assert "did not answer within" in runs["late"]["error"]
    assert runs["quick"]["outcome"] == "succeeded"
