"""Runs that are killed at any failpoint: the old state or the new, and the next needs no help."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import LocalServer, Reply
from support.program_sources import (
    SourceFile,
    await_end,
    await_unlocked,
    held_locks,
    outcomes,
    recorded_runs,
    runs_by_source,
    table,
)
from support.store_feed import current, hour, open_observer, values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli, StartCli

BEFORE: dict[int, Any] = {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0, 4: 5.0, 5: 6.0}
"""What is stored when the run that is killed begins."""
SMALL: dict[int, Any] = {0: 1.0, 1: 2.5, 2: None, 3: 4.0, 4: 5.0, 5: 6.0, 6: 7.0}
"""One value revised, one withdrawn, one new."""
LARGE: dict[int, Any] = {h: float(h) for h in range(100, 9_100)}
"""New values only, so many that they are copied in several blocks."""
OLD_HISTORY = {h: [v] for h, v in BEFORE.items()}
SMALL_HISTORY = {**OLD_HISTORY, 1: [2.0, 2.5], 6: [7.0]}
LARGE_HISTORY = {**OLD_HISTORY, **{h: [v] for h, v in LARGE.items()}}


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A provider."""
    with LocalServer() as local:
        yield local


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failpoint", "answer", "committed"),
    [
        ("after_start", SMALL, False),
        ("after_fetch", SMALL, False),
        ("between_tables", SMALL, False),
        ("before_commit", SMALL, False),
        ("after_commit", SMALL, True),
        ("mid_copy", LARGE, False),
        ("between_tables", LARGE, False),
        ("after_commit", LARGE, True),
    ],
)
def test_a_run_that_is_killed(
    failpoint: str,
    answer: dict[int, Any],
    committed: bool,  # noqa: FBT001 - a column of the table above
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    run_cli: RunCli,
) -> None:
    """All of its slice is stored or nothing; the next run makes it whole, each version once."""
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    sources.csv("load", server.answer("/load.csv", table(BEFORE), table(answer)))
    sources.write()
    new = SMALL_HISTORY if answer is SMALL else LARGE_HISTORY
    assert run_cli("fetch", "load", env=env).returncode == 0

    second_run = run_cli("fetch", "load", env={**env, "DATAPORTAL_FAILPOINT": f"{failpoint}:kill"})

    assert second_run.returncode == -signal.SIGKILL
    await_unlocked(database_url)
    with open_observer(database_url) as look:
        assert values(look) == (new if committed else OLD_HISTORY)
        assert current(look) == open_versions(look)
    assert last_outcome(run_cli, env) == "interrupted"

    assert run_cli("fetch", "load", env=env).returncode == 0
    with open_observer(database_url) as look:
        assert values(look) == new
        assert current(look) == open_versions(look)
    last = "unchanged" if committed else "succeeded"
    # the next run of a source records that one was killed
    assert outcomes(database_url) == ["succeeded", "interrupted", last]
    assert last_outcome(run_cli, env) == ("unchanged" if committed else "succeeded")


def open_versions(look: Any) -> dict[int, float]:
    """What the current table must hold: the versions that nothing has ended."""
    rows = look.execute("SELECT ts, value FROM time_series_data_scd2 WHERE valid_to = 'infinity'")
    hours = {hour(h): h for h in {*BEFORE, *SMALL, *LARGE}}
    return {hours[ts]: value for ts, value in rows}


def last_outcome(run_cli: RunCli, env: dict[str, str]) -> str:
    """How the newest run of the only source ended, as list-sources shows it."""
    (source,) = json.loads(run_cli("list-sources", "--json", env=env).stdout)["sources"]
    return str(source["last_run"]["outcome"])


def backfill(start_cli: StartCli, env: dict[str, str]) -> Any:
    """Ten days of the source `load`."""
    return start_cli(
        *("fetch", "load", "--json", "--start", hour(0).isoformat(), "--end"),
        hour(240).isoformat(),
        env=env,
    )


def kill_at_seven(
    sources: SourceFile, server: LocalServer, answer: Reply, start_cli: StartCli, url: str
) -> None:
    """Kill a backfill of ten slices while it waits for the seventh."""
    slow_answer = Reply(body=answer.body, content_type="text/csv", hold=Event())
    address = server.answer("/load.csv", *[answer] * 6, slow_answer, answer)
    sources.csv("load", address, max_window="1 day")
    sources.write()
    process = backfill(start_cli, {"DATABASE_URL": url})
    server.wait_for("/load.csv", 7)
    process.kill()
    await_end(process)


@pytest.mark.slow
def test_a_backfill_goes_on_where_it_was_killed(
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    run_cli: RunCli,
    start_cli: StartCli,
) -> None:
    """`--resume` asks for the slices that were not stored, and for nothing else; then never again.

    The run keeps its row, with the counts of both halves.
    """
    env = {"DATABASE_URL": database_url}
    answer = table([float(h) for h in range(300)])
    kill_at_seven(SourceFile(tmp_path), server, answer, start_cli, database_url)
    with open_observer(database_url) as look:
        assert set(current(look)) == set(range(6 * 24))
    (run,) = recorded_runs(database_url)
    assert (run.kind, run.outcome, run.done_until) == ("backfill", None, hour(6 * 24))
    requests = server.asked("/load.csv")

    second_run = run_cli("fetch", "load", "--resume", "--json", env=env)

    assert second_run.returncode == 0
    assert server.asked("/load.csv") - requests == 4
    shown_run = runs_by_source(second_run)["load"]
    assert (shown_run["outcome"], shown_run["kind"]) == ("succeeded", "backfill")
    assert shown_run["window"]["start"], shown_run["window"]["end"] == (hour(0), hour(240))
    with open_observer(database_url) as look:
        assert set(current(look)) == set(range(240))
    (run,) = recorded_runs(database_url)
    assert (run.outcome, run.done_until, run.inserted) == ("succeeded", hour(240), 240)

    third_run = run_cli("fetch", "load", "--resume", env=env)

    assert third_run.returncode == 2
    assert "no unfinished backfill" in third_run.stdout + third_run.stderr
    assert server.asked("/load.csv") - requests == 4
    assert len(recorded_runs(database_url)) == 1


def test_a_resumed_backfill_whose_rest_is_empty(
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    run_cli: RunCli,
    start_cli: StartCli,
) -> None:
    """A run that stored points is not called empty for the part that was left of it."""
    answer = table([float(h) for h in range(100)])
    kill_at_seven(SourceFile(tmp_path), server, answer, start_cli, database_url)

    second_run = run_cli("fetch", "load", "--resume", "--json", env={"DATABASE_URL": database_url})

    assert second_run.returncode == 0
    assert runs_by_source(second_run)["load"]["outcome"] != "empty"
    (run,) = recorded_runs(database_url)
    assert (run.outcome, run.inserted) != ("empty", 100)
    assert run.done_until == hour(240)


def test_a_backfill_killed_before_its_first_slice(
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    run_cli: RunCli,
) -> None:
    """It is resumed from its start, with the end that it had at first."""
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    sources.csv("load", server.answer("/load.csv", table([1.0, 2.0])))
    sources.write()
    args = ("fetch", "load", "--start", hour(0).isoformat())
    first_run = run_cli(*args, env={**env, "DATAPORTAL_FAILPOINT": "after_start:kill"})
    assert first_run.returncode == -signal.SIGKILL
    (before,) = recorded_runs(database_url)
    assert before.window_end
    assert before.window_end > hour(0) + timedelta(days=30)

    assert run_cli("fetch", "load", "--resume", env=env).returncode == 0

    (run,) = recorded_runs(database_url)
    assert (run.outcome, run.inserted) == ("succeeded", 2)
    assert run.window_end == run.done_until == before.window_end


def test_an_error_that_nobody_foresaw(
    tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """A bug in the middle of writing undoes the slice, is told as such, and frees the lock."""
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    sources.csv("load", server.answer("/load.csv", table(BEFORE)))
    sources.write()

    fetch = run_cli("fetch", "load", env={**env, "DATAPORTAL_FAILPOINT": "between_tables:raise"})

    assert fetch.returncode == 1
    assert "Traceback" not in fetch.stderr
    with open_observer(database_url) as look:
        assert current(look) == {}
    assert outcomes(database_url) == ["failed"]
    assert held_locks(database_url) == 0
    assert run_cli("fetch", "load", env=env).returncode == 0
