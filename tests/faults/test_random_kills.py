"""Programs that are killed at any moment, whatever they do: `verify` finds nothing to say after it.

    DATAPORTAL_TEST_KILLS=200 pytest -n0 --timeout=0 tests/faults/test_random_kills.py

takes some minutes. A failure names its seed, which `DATAPORTAL_TEST_KILL_SEED` gives again.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
from threading import Event
from typing import TYPE_CHECKING

import pytest
from support.http_server import LocalServer
from support.invariants import broken_invariants
from support.program_sources import SourceFile, await_unlocked, table
from support.store_feed import open_observer

from dataportal.store.archive.file import read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conftest import RunCli, StartCli
    from support.http_server import Reply, Request

KILLS = int(os.environ.get("DATAPORTAL_TEST_KILLS", "5"))
SEED = os.environ.get("DATAPORTAL_TEST_KILL_SEED") or secrets.token_hex(4)
_LONGEST = 1.5  # seconds until the kill: a run takes less
_SIZES = (3, 40, 12_000)
_SOURCES = ("small", "grows", "revised", "own")


def provider(chance: random.Random) -> LocalServer:
    """Answers with other values each time, some withdrawn; small tables and large ones."""

    def answer(_: Request) -> Reply:
        size = chance.choice(_SIZES)
        nothing = chance.random() < 0.3
        return table(
            {
                hour: None if nothing and not hour % 7 else chance.choice((1.0, 2.0, float(hour)))
                for hour in range(size)
            }
        )

    server = LocalServer()
    for name in _SOURCES:
        server.answer(f"/{name}.csv", answer)
    return server


def commands(chance: random.Random, folder: Path, number: int) -> Sequence[str]:
    """Something that the program may be doing when it is killed."""
    return chance.choice(
        (
            ("fetch-all",),
            ("fetch-all", "--accept-retractions"),
            ("fetch", "grows", "--start", "2025-02-01", "--end", "2025-06-01"),
            ("fetch", "revised", "--accept-retractions"),
            ("dump", "small", "revised", str(folder / f"{number}.jsonl.gz")),
            ("restore", str(folder / "first.jsonl.gz")),
            ("verify",),
        )
    )


@pytest.mark.slow
@pytest.mark.timeout(60 + 10 * KILLS)
def test_kills_at_random(
    tmp_path: Path, database_url: str, run_cli: RunCli, start_cli: StartCli
) -> None:
    """After each the history keeps its promises; and in the end everything is well."""
    chance = random.Random(SEED)  # noqa: S311 - the same again for the same seed
    env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0"}
    sources = SourceFile(tmp_path)
    with provider(chance) as server:
        for name in _SOURCES[:-1]:
            sources.csv(name, f"{server.url}/{name}.csv", max_window="20 days")
        sources.python(
            "own",
            """
            def get_historical_data(self, *window):
                for day in range(1, 29):
                    yield {"ts": f"2025-03-{day:02}T00:00:00Z", "value": random.random()}
            """,
            head="import random",
            initial_history="all",
        )
        sources.write()
        assert run_cli("fetch-all", env=env).returncode in {0, 3}
        dumped = run_cli("dump", *_SOURCES[:-1], str(tmp_path / "first.jsonl.gz"), env=env)
        assert dumped.returncode == 0, dumped.stderr
        for number in range(KILLS):
            command = commands(chance, tmp_path, number)
            program = start_cli(*command, env=env)
            # a moment that nobody chose is what this is about
            Event().wait(chance.uniform(0, _LONGEST))
            program.send_signal(signal.SIGKILL)
            program.communicate()
            await_unlocked(database_url)
            trial = f"kill {number} of seed {SEED}: {' '.join(command)}"
            verified = run_cli("verify", env=env)
            assert verified.returncode == 0, f"{trial}\n{verified.stdout}{verified.stderr}"
            with open_observer(database_url) as look:
                assert not broken_invariants(look), trial
            for path in tmp_path.glob(f"{number}.jsonl.gz"):
                # it appears whole or not at all
                assert list(read(path)), trial
        for name in _SOURCES[:-1]:
            server.answer(f"/{name}.csv", table({0: 1.0, 1: 2.0}))
        last = run_cli("fetch-all", "--accept-retractions", env=env)
        assert last.returncode in {0, 3}, last.stderr
        assert run_cli("verify", env=env).returncode == 0
    with open_observer(database_url) as look:
        # one that said that it would be back counts as killed only after that
        rows = look.execute(
            "SELECT count(*) FROM fetch_run WHERE outcome IS NULL"
            " AND (unlocked_until IS NULL OR unlocked_until < clock_timestamp())"
        ).fetchone()
    assert rows == (0,), SEED
