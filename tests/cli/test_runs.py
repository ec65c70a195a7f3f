"""`dataportal runs`, as a process: what happened, when, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply
from support.program_sources import Pause, await_end, await_unlocked, table

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCli, StartCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile


@pytest.fixture
def two_sources(sources: SourceFile, server: LocalServer) -> SourceFile:
    """One that works, and one whose provider has nothing."""
    sources.csv("good", f"{server.url}/good.csv")
    sources.csv("gone", server.answer("/gone.csv", Reply(404)))
    sources.write()
    return sources


def told(run_cli: RunCli, env: dict[str, str], *options: str) -> Any:
    """The JSON answer."""
    process = run_cli("runs", *options, "--json", env=env)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_a_failure_is_found_and_explained(
    two_sources: SourceFile, env: dict[str, str], run_cli: RunCli
) -> None:
    """Without sources.yaml and without SQL: which run, when, its window, and why."""
    assert run_cli("fetch-all", env=env).returncode == 3
    (two_sources.folder / "sources.yaml").unlink()
    runs = told(run_cli, env)["runs"]
    assert {run["source"]: run["outcome"] for run in runs} == {
        "good": "succeeded",
        "gone": "failed",
    }
    assert [run["run_id"] for run in runs] == sorted((r["run_id"] for r in runs), reverse=True)
    (failed,) = told(run_cli, env, "--failed", "--since", "1h")["runs"]
    assert failed["source"] == "gone"
    assert "404" in failed["error"]
    assert failed["seconds"] >= 0
    assert failed["window"]["end"] is None
    shown = run_cli("runs", "g*", "--failed", env=env)
    assert "404" in shown.stdout
    assert "good" not in shown.stdout
    assert told(run_cli, env, "--since", "2999-01-01") == {"runs": []}


def test_sources_are_named_by_their_tags_too(
    two_sources: SourceFile, env: dict[str, str], run_cli: RunCli
) -> None:
    """As the file has them by now, where no name is meant; without the file there are none."""
    two_sources.entries["gone"]["tags"] = ["abroad"]
    two_sources.entries["good"]["tags"] = ["gone"]
    path = two_sources.write()
    run_cli("fetch-all", env=env)
    assert [run["source"] for run in told(run_cli, env, "abr*")["runs"]] == ["gone"]
    assert [run["source"] for run in told(run_cli, env, "gone")["runs"]] == ["gone"]
    path.unlink()
    missing = run_cli("runs", "abroad", env=env)
    assert missing.returncode == 2
    assert "no source 'abroad' ever ran here" in missing.stderr


def test_one_run_is_shown_whole(
    two_sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Its counts, and what it changed in each series."""
    run_cli("fetch", "good", env=env)
    server.answer("/good.csv", table([1.0, 5.0, 3.0]))
    run_cli("fetch", "good", env=env)
    run_id = told(run_cli, env, "good", "--limit", "1")["runs"][0]["run_id"]
    answer = told(run_cli, env, "--run", str(run_id))
    assert (answer["run"]["inserted"], answer["run"]["revised"]) == (1, 1)
    assert answer["changes"] == [
        {
            "series": "good",
            "inserted": 1,
            "revised": 1,
            "retracted": 0,
            "first_ts": "2025-03-01T01:00:00Z",
            "last_ts": "2025-03-01T02:00:00Z",
        }
    ]
    shown = run_cli("runs", "--run", str(run_id), env=env).stdout
    assert f"run {run_id} of good: scheduled, succeeded" in shown
    assert "1 revised" in shown


def test_a_killed_run_is_interrupted(
    two_sources: SourceFile,
    env: dict[str, str],
    run_cli: RunCli,
    start_cli: StartCli,
    tmp_path: Path,
) -> None:
    """Shown so at once, recorded so by the next run of its source; a backfill says how to go on."""
    pause = Pause(tmp_path, "after_start")
    process = start_cli("fetch", "good", "--start", "2025-03-01", env={**env, **pause.env})
    pause.wait_until_reached()
    (run,) = told(run_cli, env)["runs"]
    assert run["outcome"] == "running"
    process.kill()
    await_end(process)
    await_unlocked(env["DATABASE_URL"])
    (run,) = told(run_cli, env, "--failed")["runs"]
    assert run["outcome"] == "interrupted"
    assert "killed" in run["error"]
    shown = run_cli("runs", "--run", str(run["run_id"]), env=env).stdout
    assert "dataportal fetch good --resume" in shown
    assert run_cli("fetch", "good", env=env).returncode == 0
    (killed,) = told(run_cli, env, "--failed")["runs"]
    assert killed["outcome"] == "interrupted"
    assert killed["finished_at"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--run", "7"), "there is no run 7"),
        (("goood",), "'goood' ever ran here"),
        (("good", "--run", "1"), "leave SOURCE"),
        (("--since", "yesterday-ish"), "--since"),
    ],
)
def test_what_cannot_be_answered_is_a_usage_error(
    two_sources: SourceFile,
    env: dict[str, str],
    run_cli: RunCli,
    options: tuple[str, ...],
    words: str,
) -> None:
    """With what is wrong, and 2."""
    run_cli("fetch", "good", env=env)
    process = run_cli("runs", *options, env=env)
    assert process.returncode == 2
    assert words in process.stderr
