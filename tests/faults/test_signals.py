"""SIGTERM and SIGINT wherever a run may be: out within ten seconds, and nothing half done."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

import psycopg
import pytest
from support.http_server import LocalServer, Reply
from support.invariants import broken_invariants
from support.program_sources import (
    IN_TIME,
    Pause,
    SourceFile,
    await_end,
    await_unlocked,
    held_locks,
    outcomes,
    read_until,
    table,
)
from support.store_feed import current, open_observer, values
from support.tcp_proxy import Wire

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from conftest import RunCli, StartCli

LARGE = {h: float(h) for h in range(20_000)}
BLOCKS = """
async def get_historical_data(self, start_date, end_date=None, metrics=None):
    import time
    print("asked", file=sys.stderr, flush=True)
    time.sleep(600)
"""
WAITS = """
async def get_historical_data(self, start_date, end_date=None, metrics=None):
    await asyncio.gather(*(self.http.get(self._defaults["url"]) for _ in range(8)))
"""
ASKS_IN_THREADS = """
def get_historical_data(self, start_date, end_date=None, metrics=None):
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: asyncio.run(self.http.get(self._defaults["url"])), range(8)))
"""
HEEDS_NOTHING = """
async def get_historical_data(self, start_date, end_date=None, metrics=None):
    print("asked", file=sys.stderr, flush=True)
    while True:
        try:
            await asyncio.sleep(600)
        except BaseException:
            pass
"""


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A provider."""
    with LocalServer() as local:
        yield local


@dataclass
class Stage:
    """What a situation is made of."""

    folder: Path
    server: LocalServer
    url: str
    start_cli: StartCli
    stack: ExitStack

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start the program on the source `load`."""
        variables = {"DATABASE_URL": self.url, **(env or {})}
        return self.start_cli(*(args or ("fetch", "load")), env=variables)

    def sources(self) -> SourceFile:
        """The sources.yaml to come."""
        return SourceFile(self.folder)

    def answer(self, reply: Reply, **keys: object) -> None:
        """Write a sources.yaml with the source `load`, which gets this answer."""
        sources = self.sources()
        sources.csv("load", self.server.answer("/load.csv", reply), **keys)
        sources.write()


def waiting_for_an_answer(stage: Stage) -> subprocess.Popen[str]:
    """The provider has the question and says nothing."""
    stage.answer(table([1.0], hold=Event()))
    process = stage.start()
    stage.server.wait_for("/load.csv")
    return process


def in_the_shared_loop(stage: Stage) -> subprocess.Popen[str]:
    """The same with a built-in plugin that asks in pieces, whose answer trickles."""
    stage.answer(Reply(body=iter([b"t"] * 10_000), pause=0.1, content_type="text/csv"))
    process = stage.start()
    stage.server.wait_for("/load.csv")
    return process


def waiting_for_the_next_attempt(stage: Stage) -> subprocess.Popen[str]:
    """A failed attempt, and a minute to go."""
    stage.answer(Reply(503))
    process = stage.start("fetch", "load", "--log-format", "json")
    read_until(process, "503")
    return process


def about_to_commit(stage: Stage) -> subprocess.Popen[str]:
    """All is written, and the thread of the store is stuck where nothing can be cancelled."""
    stage.answer(table([1.0, 2.0]))
    pause = Pause(stage.folder, "before_commit")
    process = stage.start(env=pause.env)
    pause.wait_until_reached()
    return process


def writing(stage: Stage) -> subprocess.Popen[str]:
    """A COPY of many rows that waits for somebody else's lock on the table."""
    stage.answer(table(LARGE))
    look = stage.stack.enter_context(psycopg.connect(stage.url))
    look.execute("LOCK TABLE time_series_data_scd2")
    process = stage.start()
    watch = stage.stack.enter_context(open_observer(stage.url))
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> %s"
        # other tests use the same server
        " AND datname = current_database()"
    )
    while watch.execute(query, [look.info.backend_pid]).fetchone() == (0,):
        assert process.poll() is None
    return process


def waiting_for_the_lock(stage: Stage) -> subprocess.Popen[str]:
    """Another run has the source."""
    stage.answer(table([1.0]))
    look = stage.stack.enter_context(open_observer(stage.url))
    from dataportal.store.lock import lock_key

    look.execute("SELECT pg_advisory_lock(%s)", [lock_key("public", "load")])
    process = stage.start("fetch", "load", "--on-locked", "wait")
    read_until(process, "locked by")
    return process


def a_plugin_that_blocks(stage: Stage) -> subprocess.Popen[str]:
    """Its thread sleeps in a system call."""
    sources = stage.sources()
    sources.python("load", BLOCKS)
    sources.write()
    process = stage.start()
    read_until(process, "asked")
    return process


def a_plugin_that_waits_for_its_provider(stage: Stage) -> subprocess.Popen[str]:
    """From an event loop of its own, with more requests than its host is sent at a time."""
    return _start_plugin(stage, WAITS)


def a_plugin_that_asks_in_threads(stage: Stage) -> subprocess.Popen[str]:
    """Each of which has a loop of its own, and has to end before the process does."""
    return _start_plugin(stage, ASKS_IN_THREADS)


def _start_plugin(stage: Stage, plugin: str) -> subprocess.Popen[str]:
    url = stage.server.answer("/load.csv", table([1.0], hold=Event()))
    sources = stage.sources()
    sources.python("load", plugin, params={"url": url})
    sources.write()
    process = stage.start()
    stage.server.wait_for("/load.csv", 4)
    return process


def a_plugin_that_heeds_nothing(stage: Stage) -> subprocess.Popen[str]:
    """It swallows every cancellation."""
    sources = stage.sources()
    sources.python("load", HEEDS_NOTHING)
    sources.write()
    process = stage.start()
    read_until(process, "asked")
    return process


def a_database_that_does_not_answer(stage: Stage) -> subprocess.Popen[str]:
    """Connected, and then nothing comes back."""
    wire = stage.stack.enter_context(Wire(stage.url))
    slow_answer = table([1.0], hold=Event())
    stage.answer(slow_answer)
    process = stage.start(env={"DATABASE_URL": wire.url})
    stage.server.wait_for("/load.csv")
    wire.freeze()
    assert slow_answer.hold
    slow_answer.hold.set()
    return process


def connecting(stage: Stage) -> subprocess.Popen[str]:
    """The database's port is open, and nobody answers."""
    wire = stage.stack.enter_context(Wire(stage.url))
    wire.freeze()
    stage.answer(table([1.0]))
    process = stage.start(env={"DATABASE_URL": wire.url})
    while not wire.connections:
        assert process.poll() is None
    return process


SITUATIONS: list[Callable[[Stage], subprocess.Popen[str]]] = [
    waiting_for_an_answer,
    in_the_shared_loop,
    waiting_for_the_next_attempt,
    about_to_commit,
    writing,
    waiting_for_the_lock,
    a_plugin_that_blocks,
    a_plugin_that_waits_for_its_provider,
    a_plugin_that_asks_in_threads,
    a_plugin_that_heeds_nothing,
    a_database_that_does_not_answer,
    connecting,
]


@pytest.mark.slow
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_sigterm(
    situation: Callable[[Stage], subprocess.Popen[str]],
    times: int,
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    start_cli: StartCli,
    run_cli: RunCli,
) -> None:
    """143 within ten seconds; nothing is stored, nobody holds the lock, the next run succeeds."""
    with ExitStack() as stack:
        process = situation(Stage(tmp_path, server, database_url, start_cli, stack))
        start = time.monotonic()
        for _ in range(times):
            process.send_signal(signal.SIGTERM)
        _, err = await_end(process)
        assert time.monotonic() - start < IN_TIME
        assert process.returncode == 128 + signal.SIGTERM, err
        assert "Traceback" not in err
        assert "was destroyed" not in err
        assert "never awaited" not in err
    await_unlocked(database_url)
    with open_observer(database_url) as look:
        assert current(look) == {}
        assert broken_invariants(look) == []
    reached = situation in {waiting_for_the_lock, connecting}
    silent = situation is a_database_that_does_not_answer
    assert outcomes(database_url) in ([[]] if reached else [["interrupted"], [None]])
    if not (silent or reached or situation is about_to_commit or times == 2):
        assert outcomes(database_url) == ["interrupted"]

    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", table([1.0])))
    sources.write()
    assert run_cli("fetch", "load", env={"DATABASE_URL": database_url}).returncode == 0
    with open_observer(database_url) as look:
        assert values(look) == {0: [1.0]}


def test_sigint_is_told_from_sigterm(
    tmp_path: Path, server: LocalServer, database_url: str, start_cli: StartCli
) -> None:
    """130, and the run is recorded as interrupted."""
    with ExitStack() as stack:
        stage = Stage(tmp_path, server, database_url, start_cli, stack)
        process = waiting_for_an_answer(stage)
        process.send_signal(signal.SIGINT)
        await_end(process)
    assert process.returncode == 128 + signal.SIGINT
    assert outcomes(database_url) == ["interrupted"]
    assert held_locks(database_url) == 0
