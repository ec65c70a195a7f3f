"""Backfills of many sources: planned, interrupted, and gone on with, as processes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.program_sources import await_end, await_unlocked, runs_by_source, table
from support.store_feed import open_observer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import RunCli, StartCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

_PLUGIN = """
async def get_historical_data(self, start_date, end_date=None, metrics=None):
    from datetime import datetime, timedelta
    if os.environ.get("BROKEN") == self._meta.endpoint_prefix:
        raise TransientError("the provider is away")
    ts, end = datetime.fromisoformat(start_date), datetime.fromisoformat(end_date)
    points = []
    while ts < end:
        points.append({"ts": ts.isoformat(), "value": ts.day})
        ts += timedelta(hours=6)
    return {"data": points}
"""
_NAMES = ("hist-a", "hist-b", "hist-c", "hist-d")
_WINDOW = ("--start", "2025-01-01", "--end", "2025-01-13")
_POINTS = 12 * 4
START_OF_WINDOW = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def histories(sources: SourceFile) -> SourceFile:
    """Four sources with three slices each, one that is disabled, and one that is another's."""
    for name in _NAMES:
        module = name.replace("-", "_")
        sources.python(module, _PLUGIN, max_window="4 days", tags=["old"])
        sources.entries[name] = sources.entries.pop(module)
    sources.python("off", _PLUGIN, enabled=False, tags=["old"])
    sources.python("other", _PLUGIN)
    sources.write()
    return sources


def stored(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All current values, by series."""
    values: dict[str, list[tuple[Any, ...]]] = {}
    with open_observer(url) as look:
        for name, *row in look.execute(
            "SELECT s.endpoint_prefix, d.ts, d.value FROM time_series_data AS d"
            " JOIN time_series AS s USING (series_id) ORDER BY 1, 2"
        ):
            values.setdefault(name, []).append(tuple(row))
    return values


def answer(process: Any) -> dict[str, Any]:
    """The JSON document."""
    document: dict[str, Any] = json.loads(process.stdout)
    return document


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_backfill_that_is_killed_anywhere_goes_on_to_the_same_end(
    histories: SourceFile, env: Mapping[str, str], run_cli: RunCli, seed: int
) -> None:
    """Those not begun begin, those begun go on, those done are left alone; nothing is lost."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    arguments = ["fetch-all", "--only", "hist-*", "--jobs", "2", "--json"]
    command = [*arguments, *_WINDOW]
    code = -9
    for _ in range(30):
        place = chance.choice(["after_start", "between_tables"])
        fault = {"DATAPORTAL_FAILPOINT": f"{place}@{chance.randint(1, 4)}:kill"}
        process = run_cli(*command, env={**env, **fault})
        code = process.returncode
        await_unlocked(env["DATABASE_URL"])
        command = [*arguments, "--resume"]
        if code in {0, 2}:
            break
        assert code == -9, process.stderr
        assert _longest_absence(env["DATABASE_URL"]) <= timedelta(seconds=15)
    if code == -9:
        code = run_cli(*command, env=env).returncode
    # the last kill may have come when nothing was left to do but to say so: then nothing is left
    assert code in {0, 2}
    values = stored(env["DATABASE_URL"])
    assert set(values) == set(_NAMES)
    assert {name: len(rows) for name, rows in values.items()} == dict.fromkeys(_NAMES, _POINTS)
    with open_observer(env["DATABASE_URL"]) as look:
        rows = look.execute(
            "SELECT count(*), count(DISTINCT (series_id, ts)) FROM time_series_data_scd2"
        ).fetchone()
    assert rows == (4 * _POINTS, 4 * _POINTS)
    assert run_cli("verify", env=env).returncode == 0
    assert run_cli(*command, env=env).returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_backfill_that_gets_signals_at_any_time_stores_what_an_uninterrupted_one_does(
    histories: SourceFile,
    env: Mapping[str, str],
    start_cli: StartCli,
    run_cli: RunCli,
    seed: int,
) -> None:
    """Whichever signal, whenever it comes: resumed, the values and their versions are the same."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    command = ["fetch-all", "--only", "hist-*", "--jobs", "2", *_WINDOW]
    signals = 0
    for _ in range(40):
        process = start_cli(*command, env=env)
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.2, 1.5))
        chosen = chance.choice([signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
        process.send_signal(chosen)
        await_end(process)
        await_unlocked(env["DATABASE_URL"])
        # before the first statement nothing is written down yet, and there is nothing to resume
        if _has_backfill(env["DATABASE_URL"]):
            command = ["fetch-all", "--resume", "--jobs", "2"]
        if process.returncode in {0, 2}:
            break
        signals += 1
        assert process.returncode in {-chosen, 128 + chosen}
    assert signals
    assert run_cli(*command, env=env).returncode in {0, 2}
    ends = [START_OF_WINDOW + timedelta(hours=6 * n) for n in range(_POINTS)]
    whole = [(ts, float(ts.day)) for ts in ends]
    assert stored(env["DATABASE_URL"]) == dict.fromkeys(_NAMES, whole)
    with open_observer(env["DATABASE_URL"]) as look:
        rows = look.execute(
            "SELECT count(*), count(DISTINCT (series_id, ts)) FROM time_series_data_scd2"
        ).fetchone()
    assert rows == (4 * _POINTS, 4 * _POINTS)
    assert run_cli("verify", env=env).returncode == 0


def _longest_absence(url: str) -> timedelta:
    """How long a run that was killed is taken for one that has only left its lock to others."""
    with open_observer(url) as look:
        row = look.execute(
            "SELECT max(unlocked_until) - clock_timestamp() FROM fetch_run WHERE outcome IS NULL"
        ).fetchone()
    return (row and row[0]) or timedelta()


def _has_backfill(url: str) -> bool:
    with open_observer(url) as look:
        row = look.execute("SELECT count(*) FROM backfill").fetchone()
    return row is not None and row[0] > 0


def test_what_is_left_of_a_backfill_is_said_and_gone_on_with(
    histories: SourceFile, env: Mapping[str, str], run_cli: RunCli
) -> None:
    """At its end and in list-sources, with the command; sources that failed are tried again."""
    broken = {**env, "BROKEN": "hist-b"}
    first = run_cli("fetch", "hist-*", *_WINDOW, env=broken)
    assert first.returncode == 3
    sentence = "backfill from 2025-01-01T00:00:00Z: 3 of 4 sources done, 1 left; to go on: "
    assert sentence + "dataportal fetch-all --resume" in first.stdout
    listed = run_cli("list-sources", env=env)
    assert sentence in listed.stdout
    document = answer(run_cli("list-sources", "--json", env=env))
    assert document["backfill"]["left"] == ["hist-b"]
    run_cli("fetch", "other", env=env)
    entry = histories.entries.pop("hist-b")
    histories.write()
    without = run_cli("fetch", "hist-*", "--resume", env=env)
    assert "of the backfill 1 left out" in without.stderr
    assert "hist-b" in without.stderr
    histories.entries["hist-b"] = entry
    histories.write()
    resumed = run_cli("fetch-all", "--resume", "--json", env=env)
    assert set(runs_by_source(resumed)) == {"hist-b"}
    assert runs_by_source(resumed)["hist-b"]["outcome"] == "succeeded"
    assert len(stored(env["DATABASE_URL"])["hist-b"]) == _POINTS
    assert "backfill" not in run_cli("list-sources", env=env).stdout
    nothing = run_cli("fetch-all", "--resume", env=env)
    assert nothing.returncode == 2
    assert "no unfinished backfill" in nothing.stderr


def test_quietly_what_is_left_of_a_backfill_is_said_all_the_same(
    histories: SourceFile,
    server: LocalServer,
    env: Mapping[str, str],
    run_cli: RunCli,
    start_cli: StartCli,
) -> None:
    """Under -q the log says which source failed; one line more, which command goes on.

    One that a signal ends says so, too; one that reaches its end says nothing.
    """
    command = ("-q", "fetch", "hist-*", *_WINDOW)
    failed = run_cli(*command, env={**env, "BROKEN": "hist-b"})
    assert (failed.returncode, failed.stdout) == (3, "")
    log, left = failed.stderr.splitlines()
    assert "hist-b: failed" in log
    assert left == (
        "dataportal: backfill from 2025-01-01T00:00:00Z: 3 of 4 sources done, 1 left; to go on: "
        "dataportal fetch-all --resume"
    )
    done = run_cli("-q", "fetch-all", "--resume", env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    held = threading.Event()
    for name in ("slow-a", "slow-b"):
        histories.csv(name, server.answer("/slow.csv", table([1.0], hold=held)))
    histories.write()
    process = start_cli("-q", "fetch", "slow-*", *_WINDOW, env=env)
    server.wait_for("/slow.csv", 1)
    process.send_signal(signal.SIGTERM)
    _, said = await_end(process)
    held.set()
    assert process.returncode == 143
    first, second = said.splitlines()
    assert "interrupted; 0 new" in first
    assert second.endswith("0 of 2 sources done, 2 left; to go on: dataportal fetch-all --resume")


def test_what_was_broken_off_is_gone_on_with_before_what_failed(
    histories: SourceFile, env: Mapping[str, str], run_cli: RunCli
) -> None:
    """A nightly backfill in which a source failed does not hide the great one of the day."""
    fault = {"DATAPORTAL_FAILPOINT": "after_start@2:kill"}
    great = ("fetch-all", "--only", "hist-*", "--start", "2024-12-01", "--end", "2024-12-09")
    run_cli(*great, "--jobs", "1", env={**env, **fault})
    await_unlocked(env["DATABASE_URL"])
    nightly = run_cli("fetch", "hist-*", *_WINDOW, env={**env, "BROKEN": "hist-b"})
    assert nightly.returncode == 3
    first = answer(run_cli("fetch-all", "--resume", "--json", env=env))
    assert first["backfill"]["window"]["start"] == "2024-12-01T00:00:00Z"
    assert first["backfill"]["left"] == []
    second = answer(run_cli("fetch-all", "--resume", "--json", env=env))
    assert {run["source"] for run in second["runs"]} == {"hist-b"}
    assert second["backfill"]["left"] == []


def test_sources_are_named_by_globs_and_tags(
    histories: SourceFile, env: Mapping[str, str], run_cli: RunCli
) -> None:
    """As with --only; what is disabled is fetched only by its own name."""
    by_tag = runs_by_source(run_cli("fetch", "old", *_WINDOW, "--json", env=env))
    assert set(by_tag) == set(_NAMES)
    by_glob = runs_by_source(run_cli("fetch", "hist-[ab]", "other", *_WINDOW, "--json", env=env))
    assert set(by_glob) == {"hist-a", "hist-b", "other"}
    wrong = run_cli("fetch", "hist_*", env=env)
    assert wrong.returncode == 2
    assert "there is no source 'hist_*'" in wrong.stderr


def test_a_backfill_of_many_is_shown_before_it_begins(
    histories: SourceFile, env: Mapping[str, str], run_cli: RunCli
) -> None:
    """Slices by source, and what is stored already; nobody is asked, nothing is recorded."""
    run_cli("fetch", "hist-a", *_WINDOW, env=env)
    shown = run_cli("fetch-all", "--only", "old", *_WINDOW, "--plan", env=env)
    assert shown.returncode == 0
    assert "4 sources, 12 slices" in shown.stdout
    (line,) = (line for line in shown.stdout.splitlines() if line.startswith("hist-a "))
    assert line.split()[1:3] == ["3", "-"]
    assert "2025-01-12 18:00Z" in line
    document = answer(run_cli("fetch-all", "--only", "old", *_WINDOW, "--plan", "--json", env=env))
    assert [len(plan["slices"]) for plan in document["plans"]] == [3, 3, 3, 3]
    assert document["plans"][0]["newest"] == "2025-01-12T18:00:00Z"
    assert document["plans"][1]["newest"] is None
    assert set(stored(env["DATABASE_URL"])) == {"hist-a"}


def test_what_is_left_of_a_backfill_is_shown_before_it_is_gone_on_with(
    histories: SourceFile, env: Mapping[str, str], run_cli: RunCli
) -> None:
    """What is done, begun and not begun, slice by slice, as --resume then does it; nobody is asked.

    It was broken off in the third slice of the second of four sources.
    """
    fault = {"DATAPORTAL_FAILPOINT": "between_tables@6:kill"}
    great = ("fetch-all", "--only", "hist-*", *_WINDOW, "--jobs", "1")
    assert run_cli(*great, env={**env, **fault}).returncode == -9
    await_unlocked(env["DATABASE_URL"])
    histories.python("younger", _PLUGIN)
    histories.write()
    shown = run_cli("fetch-all", "--resume", "--plan", env=env)
    assert shown.returncode == 0, shown.stderr
    rows = {line.split()[0]: line for line in shown.stdout.splitlines()}
    assert rows["hist-a"].split()[1:3] == ["done", "0"]
    assert rows["hist-b"].split()[1:4] == ["begun", "1", "-"]
    assert "2025-01-09 00:00Z  2025-01-13 00:00Z" in rows["hist-b"]
    assert rows["hist-c"].split()[1:5] == ["not", "begun", "3", "-"]
    assert "3 sources, 7 slices" in shown.stdout
    assert "1 of 4 sources done, 3 left" in shown.stdout
    assert not {"younger", "other", "off"} & rows.keys()
    document = answer(run_cli("fetch", "hist-[bd]", "--resume", "--plan", "--json", env=env))
    assert document["backfill"]["left"] == ["hist-b", "hist-c", "hist-d"]
    assert [(p["source"], p["state"], len(p["slices"])) for p in document["plans"]] == [
        ("hist-b", "begun", 1),
        ("hist-d", "not begun", 3),
    ]
    single = run_cli("fetch", "hist-b", "--resume", "--plan", env=env)
    assert single.stdout.splitlines()[0] == "hist-b: begun, 1 slice"
    resumed = runs_by_source(run_cli("fetch-all", "--resume", "--json", env=env))
    assert set(resumed) == {"hist-b", "hist-c", "hist-d"}
    for command in (("fetch-all",), ("fetch", "hist-*"), ("fetch", "hist-b")):
        nothing = run_cli(*command, "--resume", "--plan", env=env)
        assert nothing.returncode == 2
        assert "no unfinished backfill" in nothing.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--plan",), "--plan needs --start or --resume"),
        (("--resume", "--start", "2025-01-01"), "--resume takes the range"),
        (("--resume", "--due"), "--resume takes the range"),
        (("--resume",), "there is no unfinished backfill of several sources"),
    ],
)
def test_what_does_not_go_together_is_refused(
    histories: SourceFile,
    env: Mapping[str, str],
    run_cli: RunCli,
    options: tuple[str, ...],
    words: str,
) -> None:
    """With what to do instead, and 2."""
    process = run_cli("fetch-all", *options, env=env)
    assert process.returncode == 2
    assert words in process.stderr


def test_where_there_is_no_terminal_lines_say_how_far_a_backfill_is(
    sources: SourceFile, server: LocalServer, env: Mapping[str, str], start_cli: StartCli
) -> None:
    """As often as PROGRESS_SECONDS says, also while a provider keeps everybody waiting."""
    held = threading.Event()
    sources.csv("slow", server.answer("/slow.csv", table([1.0], hold=held)))
    sources.write()
    process = start_cli("fetch", "slow", *_WINDOW, env={**env, "PROGRESS_SECONDS": "0.01"})
    assert process.stderr is not None
    for _ in range(3):
        assert "0 of 1 source" in process.stderr.readline()
    held.set()
    _, rest = process.communicate()
    assert process.returncode == 0, rest
    silent = start_cli("fetch", "slow", *_WINDOW, env={**env, "PROGRESS_SECONDS": "0"})
    assert "of 1 source" not in silent.communicate()[1]
