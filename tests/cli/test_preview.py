"""`dataportal preview`, as a process: asks as a run would, stores nothing, says what is odd."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply
from support.program_sources import recorded_runs, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import RunCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

CHECK = "hunter2-hunter2-hunter2"
_WINDOW = ("--start", "2025-03-01", "--end", "2025-03-03")


@pytest.fixture
def load(sources: SourceFile, server: LocalServer) -> SourceFile:
    """A source with thirty values from 1 March on."""
    server.answer("/load.csv", table([float(n % 6) for n in range(30)]))
    sources.csv("load", f"{server.url}/load.csv?apikey=${{LOAD_KEY}}")
    sources.write()
    return sources


def told(process: Any) -> Any:
    """The JSON document."""
    assert process.returncode in {0, 3}, process.stderr
    return json.loads(process.stdout)


def test_what_a_run_would_get_is_shown(
    load: SourceFile, server: LocalServer, run_cli: RunCli
) -> None:
    """Requests without secrets, points in UTC and local time, counts; no database is needed."""
    env = {"LOAD_KEY": CHECK, "SCHEDULER_TIMEZONE": "Europe/Berlin"}
    shown = run_cli("preview", "load", *_WINDOW, env=env)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert CHECK not in shown.stdout + shown.stderr
    assert f"GET {server.url}/load.csv?apikey=" in shown.stdout
    assert "load: 30 points, every 1 hour" in shown.stdout
    assert "2025-03-01 00:00Z  2025-03-01 01:00+01:00" in shown.stdout
    assert "30 points received" in shown.stdout
    assert "nothing looks wrong" in shown.stdout
    document = told(run_cli("preview", "load", *_WINDOW, "--json", env=env))
    assert document["ok"] is True
    (series,) = document["series"]
    assert (series["points"], series["interval"]) == (30, "1 hour")
    assert series["first"][0] == {"ts": "2025-03-01T00:00:00Z", "value": 0.0}
    assert series["last"][-1] == {"ts": "2025-03-02T05:00:00Z", "value": 5.0}
    (request,) = document["requests"]
    assert (request["method"], request["status"]) == ("GET", 200)
    assert request["shape"] == "31 lines, the first: ts,value"
    assert f"    {request['shape']}" in shown.stdout


def test_nothing_is_stored_and_values_are_compared(
    load: SourceFile, server: LocalServer, env: Mapping[str, str], run_cli: RunCli
) -> None:
    """Values a thousand times the stored ones look wrong: 3."""
    env = {**env, "LOAD_KEY": CHECK}
    assert run_cli("fetch", "load", env=env).returncode == 0
    server.answer("/load.csv", table([1000.0 * (n % 6) for n in range(30)]))
    shown = run_cli("preview", "load", *_WINDOW, env=env)
    assert shown.returncode == 3
    assert "looks wrong: load: its values are 1,000 times the stored ones" in shown.stdout
    assert len(recorded_runs(env["DATABASE_URL"])) == 1


def test_a_draft_is_read_from_stdin(server: LocalServer, run_cli: RunCli) -> None:
    """Its faults have their line; without sources.yaml, without a database."""
    server.answer("/load.csv", table([1.0, 2.0]))
    draft = f"""\
timeseries:
  draft:
    module: dataportal.plugins.data_sources.csv_plugin
    class: CsvDataSourcePlugin
    schedule: 1 day
    metadata: {{name: Draft, granularity: 1 hour}}
    default_params: {{url: {server.url}/load.csv}}
"""
    shown = run_cli("preview", "-", *_WINDOW, input=draft)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "draft: 2 points" in shown.stdout
    wrong = run_cli("preview", "-", input=draft.replace("schedule", "shedule"))
    assert wrong.returncode == 78
    assert "-:5:5" in wrong.stderr
    assert "schedule" in wrong.stderr


def test_a_provider_that_refuses_is_shown(
    load: SourceFile, server: LocalServer, run_cli: RunCli
) -> None:
    """The reason, and 3; points that cannot be taken are named; a window without points too."""
    env = {"LOAD_KEY": CHECK}
    server.answer("/load.csv", Reply(403))
    refused = run_cli("preview", "load", *_WINDOW, env=env)
    assert refused.returncode == 3
    assert "no answer can be used" in refused.stdout
    assert CHECK not in refused.stdout + refused.stderr
    server.answer("/load.csv", Reply(body=b"ts,value\n2025-03-01T00:00:00Z,1\nyesterday,2\n"))
    rejected = told(run_cli("preview", "load", *_WINDOW, "--json", env=env))
    assert rejected["ok"] is False
    assert rejected["rejected"] == 1
    assert "1 of 2 points cannot be taken" in rejected["oddities"][0]
    server.answer("/load.csv", table([1.0]))
    outside = run_cli("preview", "load", "--start", "2025-04-01", env=env)
    assert outside.returncode == 3
    assert "lie outside of the window, 1 before" in outside.stdout
    assert run_cli("preview", "load", env=env).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("laod",), 2, "there is no source 'laod'"),
        (("load", "--end", "2025-01-01"), 2, "--end needs --start"),
        (("l*",), 2, "matches several sources"),
    ],
)
def test_what_cannot_be_previewed_is_said(
    load: SourceFile, run_cli: RunCli, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """With what to do."""
    load.csv("later", "later.csv")
    load.write()
    process = run_cli("preview", *arguments, env={"LOAD_KEY": CHECK})
    assert process.returncode == code
    assert words in process.stderr
