"""A thousand requests to FRED: how far they came is said, and what was broken off goes on."""

from __future__ import annotations

import re
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.http_server import LocalServer, Reply
from support.program_sources import SourceFile, await_end, await_unlocked
from support.store_feed import open_observer
from support.terminal import run_on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCli, StartCli
    from support.http_server import Request

SERIES = 1000
JOBS = 8
MONTHS = ("2024-01-01", "2024-02-01", "2024-03-01")
WINDOW = ("--start", "2024-01-01", "--end", "2024-04-01")
PATH = "/fred/series/observations"
STORED = (
    "SELECT count(*), count(DISTINCT series_id), sum(value), count(DISTINCT (series_id, ts))"
    " FROM time_series_data_scd2"
)


def observations(request: Request) -> Reply:
    """What FRED answers of a series: its months, each published on the day after."""
    number = int(request.query["series_id"][0].removeprefix("S"))
    rows = [
        {
            "realtime_start": f"{month[:8]}02",
            "realtime_end": "9999-12-31",
            "date": month,
            "value": str(number),
        }
        for month in MONTHS
        if request.query["observation_start"][0] <= month <= request.query["observation_end"][0]
    ]
    return Reply.json({"realtime_end": "9999-12-31", "count": len(rows), "observations": rows})


@pytest.mark.slow
def test_a_thousand_requests_say_how_far_they_came_and_go_on_from_there(
    tmp_path: Path,
    database_url: str,
    clean_environment: dict[str, str],
    run_cli: RunCli,
    start_cli: StartCli,
) -> None:
    """No request that was answered and stored is made again; each figure is stored once."""
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    with LocalServer() as server:
        base_url = server.answer(PATH, observations).removesuffix("/series/observations")
        asked: Counter[str] = Counter()
        for number in range(SERIES):
            params = {"series_id": f"S{number}", "api_key": "c4n4ry", "base_url": base_url}
            params["per_minute"] = "60000"
            sources.add(f"fred-{number}", "fred_plugin.FredDataSourcePlugin", params, {})
        sources.write()
        plan = run_cli("fetch-all", *WINDOW, "--plan", env=env)
        assert f"{SERIES:,}" in plan.stdout
        assert server.asked(PATH) == 0

        command = ("fetch-all", "--jobs", str(JOBS))
        process = start_cli(*command, *WINDOW, env=env)
        server.wait_for(PATH, SERIES // 3)
        process.send_signal(signal.SIGINT)
        out, said = await_end(process)
        assert process.returncode == 130, said
        match = re.search(r"([\d,]+) of 1,000 sources done, ([\d,]+) left; to go on: ", out)
        assert match, out
        finished, left = (int(number.replace(",", "")) for number in match.groups())
        assert finished + left == SERIES
        assert SERIES // 3 - JOBS <= finished < SERIES
        await_unlocked(database_url)

        code, screen = run_on_terminal(
            *command, "--resume", env={**clean_environment, **env}, cwd=tmp_path
        )
        assert code == 0, screen
        assert re.search(rf"\d+ of {left} sources, \d+ of about {left} slices, ", screen)
        asked.update(request.query["series_id"][0] for request in server.requests)
        assert len(asked) == SERIES
        # but for what was under way when it was broken off
        assert sum(asked.values()) <= SERIES + 2 * JOBS
        assert max(asked.values()) <= 2
        assert run_cli(*command, "--resume", env=env).returncode == 2
        assert "c4n4ry" not in out + said + screen
    with open_observer(database_url) as look:
        total = 3 * sum(range(SERIES))
        assert look.execute(STORED.encode()).fetchone() == (3 * SERIES, SERIES, total, 3 * SERIES)
    assert run_cli("verify", env=env).returncode == 0
