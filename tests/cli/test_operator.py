"""What an operator does at three in the morning: found, explained, mended, and the hole filled."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply
from support.store_feed import open_observer
from support.terminal import run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import RunCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile


def hours(count: int) -> list[datetime]:
    """The last full hours, oldest first."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return [now - timedelta(hours=h) for h in range(count, 0, -1)]


def csv_answer(times: Sequence[datetime]) -> Reply:
    """A table of these hours; the value is the hour of the day."""
    lines = ["ts,value", *(f"{ts.isoformat()},{ts.hour}" for ts in times)]
    return Reply(body="\n".join(lines).encode(), content_type="text/csv")


def test_a_failing_source_is_mended_and_its_hole_filled_by_three_commands(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """One that finds and explains, one that shows it mended, one that fills; no SQL is written.

    The provider left hours out, then moved its file; what it has by now lies before the lookback.
    """
    times = hours(48)
    metadata = {"name": "Load", "unit": "MW", "granularity": "1 hour"}
    keys = {"metadata": metadata, "lookback": "1 hour", "gaps_stale_after": "2 hours"}
    server.answer("/old.csv", csv_answer(times[:20] + times[26:40]))
    sources.csv("load", f"{server.url}/old.csv", **keys)
    sources.csv("other", f"{server.url}/good.csv")
    sources.write()
    assert run_cli("-q", "fetch-all", env=env).returncode == 0
    server.answer("/old.csv", Reply(404))
    for _ in range(3):
        assert run_cli("-q", "fetch", "load", env=env).returncode == 3

    found = run_cli("healthcheck", env=env)
    assert found.returncode == 4
    (line,) = (line for line in found.stdout.splitlines() if "ILL" in line)
    assert line.startswith("load")
    for words in ("3 attempts in a row failed, since", "/old.csv", "404", "load lacks 12 values"):
        assert words in line
    assert "dataportal gaps load --fill" in line

    server.answer("/new.csv", csv_answer(times))
    sources.csv("load", f"{server.url}/new.csv", **keys)
    sources.write()
    assert run_cli("fetch", "load", env=env).returncode == 0

    filled = run_cli("gaps", "load", "--fill", env=env)
    assert filled.returncode == 0, filled.stderr
    assert "Nothing is still missing" in filled.stdout

    with open_observer(env["DATABASE_URL"]) as look:
        rows = look.execute(
            "SELECT d.ts, d.value FROM time_series_data AS d"
            " JOIN time_series AS s USING (series_id)"
            " WHERE s.endpoint_prefix = 'load' ORDER BY d.ts"
        ).fetchall()
    assert rows == [(ts, float(ts.hour)) for ts in times]
    assert run_cli("healthcheck", env=env).returncode == 0
    listed = json.loads(run_cli("list-sources", "--json", env=env).stdout)["sources"]
    assert {source["source"]: source["reasons"] for source in listed} == {"load": [], "other": []}


@pytest.mark.parametrize("columns", [40, 80])
def test_tables_are_shown_on_narrow_terminals(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    clean_environment: dict[str, str],
    run_cli: RunCli,
    columns: int,
) -> None:
    """What a terminal has no room for is left out or folded; the number of a run never is."""
    sources.csv("a-source-with-a-long-name", f"{server.url}/good.csv")
    sources.csv("late", f"{server.url}/a/rather/long/address/of/a/file/that/is/not/there.csv")
    sources.write()
    screen = ""
    for command in (
        ("fetch-all", "--start", "2025-01-01", "--plan"),
        ("fetch-all", "--start", "2025-01-01"),
        ("fetch-all", "--resume", "--plan"),
        ("fetch-all",),
        ("list-sources",),
        ("list-sources", "--series"),
        ("list-series",),
        ("healthcheck",),
        ("gaps",),
        ("runs",),
    ):
        code, screen = run_on_terminal(
            *command, env={**clean_environment, **env}, cwd=sources.folder, columns=columns
        )
        assert code in {0, 3, 4}, screen
        assert "bug" not in screen
    first_words = {line.split()[0] for line in screen.splitlines() if line.strip()}
    assert {"1", "2", "3", "4"} <= first_words


_START = hours(1)[0].replace(hour=0) - timedelta(days=9)
_DAYS = [_START + timedelta(days=n) for n in range(10)]


def api_answer(unit: str = "MW", *, factor: float = 1, empty: bool = False) -> Reply:
    """Ten days as an API answers them; the value is the number of the day."""
    values = [None if empty else factor * n for n in range(len(_DAYS))]
    rows = zip(_DAYS, values, strict=True)
    return Reply.json([{"t": ts.isoformat(), "v": value, "unit": unit} for ts, value in rows])


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a provider, what its operator is told, and does.

    Attributes:
        answer: what the provider answers from now on.
        words: what healthcheck says of it.
        params: what is mended in the entry.
        env: what is mended in the environment.
        elsewhere: whether the provider has what is asked for at a new address.
        options: what is said once to the command that healthcheck names.
    """

    answer: Reply
    words: tuple[str, ...]
    params: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    elsewhere: bool = False
    options: tuple[str, ...] = ()


_FAULTS = {
    "renamed": Fault(
        Reply(404), ("answered 404", "/data.json"), params={"url": "/new.json"}, elsewhere=True
    ),
    "key expired": Fault(
        Reply(401), ("answered 401", "which takes LOAD_KEY"), env={"LOAD_KEY": "renewed-key"}
    ),
    "format": Fault(
        Reply.json(
            [{"time": ts.isoformat(), "val": n, "unit": "MW"} for n, ts in enumerate(_DAYS)]
        ),
        ("has nothing at 'v'", '"val"'),
        params={"ts": "time", "value": "val"},
    ),
    "unit": Fault(
        api_answer("kW", factor=1000),
        ("the last run was partial", "the answer is in kW, the series in MW", "--accept-units"),
        params={"scale": 0.001},
        options=("--accept-units",),
    ),
    "withdrawn": Fault(
        api_answer(empty=True),
        ("the last run was partial", "dataportal fetch load --accept-retractions"),
        options=("--accept-retractions",),
    ),
}


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=_FAULTS)
def test_what_is_said_leads_from_one_command_to_the_next(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli, fault: Fault
) -> None:
    """Of an ill source healthcheck says why, where the entry is, and what to run then."""

    def write(**params: Any) -> None:
        base = {"url": "/data.json", "query": {"key": "${LOAD_KEY}"}, "ts": "t", "value": "v"}
        params = {**base, "unit": "unit", **params}
        params["url"] = server.url + params["url"]
        plugin = "http_plugin.HttpJsonPlugin"
        sources.add("load", plugin, params, {"stale_after": "1 second", "lookback": "20 days"})
        sources.csv("other", f"{server.url}/good.csv")
        sources.write()

    env = {**env, "LOAD_KEY": "first-key"}
    server.answer("/data.json", api_answer())
    write()
    assert run_cli("-q", "fetch-all", env=env).returncode == 0
    server.answer("/data.json", fault.answer)
    assert run_cli("-q", "fetch", "load", env=env).returncode == 3
    with open_observer(env["DATABASE_URL"]) as look:
        look.execute("UPDATE source_state SET last_success_at = last_success_at - interval '1 h'")

    told = run_cli("-q", "healthcheck", "--only", "load", env=env)
    assert told.returncode == 4
    line, command = told.stderr.splitlines()[-2:]
    for words in (*fault.words, "its entry: sources.yaml:1:"):
        assert words in line
    assert "first-key" not in told.stderr

    server.answer("/new.json" if fault.elsewhere else "/data.json", mended_answer(fault))
    write(**fault.params)
    program, *arguments = shlex.split(command.removeprefix("once it is mended: "))
    assert (program, arguments) == ("dataportal", ["fetch", "load"])
    env = {**env, **fault.env}
    fetched = run_cli(*arguments, *fault.options, env=env)
    assert fetched.returncode == 0, fetched.stderr
    with open_observer(env["DATABASE_URL"]) as look:
        (values,) = look.execute(
            "SELECT array_agg(d.value ORDER BY d.ts) FROM time_series_data AS d"
            " JOIN time_series AS s USING (series_id) WHERE s.endpoint_prefix = 'load'"
        ).fetchone() or (None,)
    expected = None if "--accept-retractions" in fault.options else [*map(float, range(10))]
    assert values == expected


def mended_answer(fault: Fault) -> Reply:
    """What the provider answers to an entry that is mended."""
    return api_answer() if fault.elsewhere or fault.env else fault.answer
