"""`dataportal fetch-all`, as a process with a provider and a database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.http_server import Reply
from support.program_sources import (
    await_end,
    held_locks,
    outcomes,
    recorded_runs,
    runs_by_source,
    table,
)
from support.store_feed import open_observer

if TYPE_CHECKING:
    from conftest import RunCli, StartCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile


def good(sources: SourceFile, server: LocalServer, *names: str) -> None:
    """Sources of these names that come well."""
    for name in names:
        sources.csv(name, f"{server.url}/good.csv")


def test_a_source_that_fails_harms_no_other(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Refused, broken, crashed, hanging, gone: each is told with its reason, the rest is stored."""
    good(sources, server, "first", "last")
    sources.csv("refused", server.answer("/refused.csv", Reply(403)))
    sources.csv("page", server.answer("/page.csv", Reply(body=b"<!doctype html><p>Sorry")))
    sources.python("bug", "def get_historical_data(self, *window): return {}['nothing']")
    sources.python("leaves", "def get_historical_data(self, *window): sys.exit(7)")
    sources.python(
        "hangs", "def get_historical_data(self, *window): threading.Event().wait()", timeout="1s"
    )
    sources.python("import", "pass", head="raise RuntimeError('no licence')")
    sources.write()

    done = run_cli("fetch-all", "--json", "--jobs", "3", env=env)

    assert done.returncode == 3
    runs = runs_by_source(done)
    assert {name for name, run in runs.items() if run["outcome"] == "succeeded"} == {
        "first",
        "last",
    }
    reasons = {name: run["error"] for name, run in runs.items() if run["error"]}
    assert "403" in reasons["refused"]
    assert "page of HTML" in reasons["page"]
    assert "KeyError" in reasons["bug"]
    assert "plugin_bug.py:" in reasons["bug"]
    assert "SystemExit" in reasons["leaves"]
    assert "did not answer within" in reasons["hangs"]
    assert "no licence" in reasons["import"]
    assert "Traceback" not in done.stderr
    assert sorted(map(str, outcomes(env["DATABASE_URL"]))) == ["failed"] * 6 + ["succeeded"] * 2
    assert held_locks(env["DATABASE_URL"]) == 0


def test_an_entry_that_cannot_be_used_stops_no_other(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """It is named with its place and a suggestion, and the exit code is 3."""
    good(sources, server, "first")
    sources.csv("wrong", f"{server.url}/good.csv", shedule="1 hour")
    sources.write()
    done = run_cli("fetch-all", "--json", env=env)
    assert done.returncode == 3
    runs = runs_by_source(done)
    assert runs["first"]["outcome"] == "succeeded"
    assert "did you mean 'schedule'" in runs["wrong"]["error"]
    assert "sources.yaml:1:" in runs["wrong"]["error"]


def test_sources_that_are_not_to_run_are_left_out(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Disabled, or without the variable they need: no run, no failure."""
    good(sources, server, "first")
    sources.csv("off", f"{server.url}/good.csv", enabled=False)
    sources.csv("keyed", f"{server.url}/good.csv", requires_env=["GRID_KEY"])
    sources.write()
    done = run_cli("fetch-all", "--json", env=env)
    assert done.returncode == 0
    assert list(runs_by_source(done)) == ["first"]


def test_some_are_chosen_by_name_or_tag(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """A pattern may be repeated; one that matches nothing is a slip of the pen."""
    good(sources, server, "de-load", "de-wind", "fr-load")
    sources.csv("at-load", f"{server.url}/good.csv", tags=["alpine"])
    sources.write()
    done = run_cli("fetch-all", "--only", "de-*", "--only", "alpine", "--json", env=env)
    assert set(runs_by_source(done)) == {"de-load", "de-wind", "at-load"}
    missed = run_cli("fetch-all", "--only", "es-*", env=env)
    assert missed.returncode == 2
    assert "'es-*' matches no source" in missed.stderr


def test_only_what_is_due(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """A source is due once a slot; a backfill, or a run by hand that was no attempt, is none."""
    good(sources, server, "first")
    sources.write()
    backfill = ("fetch", "first", "--start", "2025-03-01", "--end", "2025-03-02")
    assert run_cli(*backfill, env=env).returncode == 0
    first = run_cli("fetch-all", "--due", "--json", env=env)
    assert runs_by_source(first)["first"]["kind"] == "scheduled"
    second = run_cli("fetch-all", "--due", "--json", env=env)
    assert json.loads(second.stdout) == {"ok": True, "runs": []}
    assert [run.kind for run in recorded_runs(env["DATABASE_URL"])] == ["backfill", "scheduled"]
    with open_observer(env["DATABASE_URL"]) as look:
        look.execute("UPDATE source_state SET last_attempt_at = '2001-01-01Z'")
    assert (
        runs_by_source(run_cli("fetch-all", "--due", "--json", env=env))["first"]["unchanged"] == 2
    )


def test_a_deep_refetch_finds_late_revisions(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Older than a source's lookback: from --start on, as backfills."""
    good(sources, server, "first")
    sources.write()
    assert run_cli("fetch-all", env=env).returncode == 0
    server.answer("/good.csv", table([1.5, 2.0]))
    done = run_cli("fetch-all", "--start", "2025-02-01", "--json", env=env)
    run = runs_by_source(done)["first"]
    assert (run["kind"], run["revised"], run["unchanged"]) == ("backfill", 1, 1)


def test_what_a_plugin_prints_is_no_result(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Stdout stays one JSON document; the print is still to be seen, on stderr."""
    sources.python(
        "chatty",
        """
        def get_historical_data(self, *window):
            import os, subprocess
            print("here I am")
            os.write(1, b"and here")
            subprocess.run(["echo", "my child too"], check=True)
            return [{"ts": "2025-03-01T00:00:00Z", "value": 1}]
        """,
        initial_history="all",
    )
    sources.write()
    done = run_cli("fetch-all", "--json", env=env)
    assert runs_by_source(done)["chatty"]["inserted"] == 1
    assert all(text in done.stderr for text in ("here I am", "and here", "my child too"))


def test_a_signal_ends_it_in_time(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    start_cli: StartCli,
) -> None:
    """SIGTERM: 143 with what is done told, what is not recorded as interrupted, no lock left."""
    good(sources, server, "quick")
    sources.csv("slow", server.answer("/slow.csv", Reply(body=[b"ts,value\n"] * 99, pause=60)))
    sources.write()
    running = start_cli("fetch-all", "--json", env=env)
    server.wait_for("/slow.csv")
    running.terminate()
    stdout, _ = await_end(running, 10)
    assert running.returncode == 143
    assert runs_by_source(stdout)["slow"]["outcome"] == "interrupted"
    assert "interrupted" in outcomes(env["DATABASE_URL"])
    assert held_locks(env["DATABASE_URL"]) == 0


def test_a_lost_database_url_never_makes_a_database_under_q(
    sources: SourceFile, server: LocalServer, run_cli: RunCli
) -> None:
    """78, with both ways out; nothing is written anywhere."""
    good(sources, server, "first")
    sources.write()
    done = run_cli("-q", "fetch-all", "--due")
    assert done.returncode == 78
    assert "DATABASE_URL" in done.stderr
    assert not server.requests
    empty = run_cli("fetch-all", env={"DATABASE_URL": ""})
    assert empty.returncode == 78
    assert "empty" in empty.stderr


def test_a_failure_that_does_not_change_is_told_once(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """With --remind: as it begins, as it changes, and when it is over; the exit code stays 3."""
    sources.csv("load", server.answer("/load.csv", Reply(404)))
    sources.write()

    def told(*options: str) -> tuple[int, str]:
        process = run_cli("-q", "fetch-all", "--remind", "1d", *options, env=env)
        return process.returncode, process.stdout + process.stderr

    code, first = told()
    assert code == 3
    assert "404" in first
    assert told() == (3, "")
    server.answer("/load.csv", Reply(410))
    code, changed = told()
    assert code == 3
    assert "410" in changed
    assert told() == (3, "")
    with open_observer(env["DATABASE_URL"]) as look:
        look.execute("UPDATE source_state SET reminded_at = reminded_at - interval '25 hours'")
    code, reminder = told()
    assert code == 3
    assert "410" in reminder
    assert told() == (3, "")
    server.answer("/load.csv", table([1.0]))
    code, over = told()
    assert code == 0
    assert "works again, after it had failed since" in over
    assert told() == (0, "")
    wrong = run_cli("fetch-all", "--remind", "often", env=env)
    assert wrong.returncode == 2
    assert "--remind" in wrong.stderr


def test_the_failures_of_one_host_are_told_together(
    sources: SourceFile, env: dict[str, str], run_cli: RunCli
) -> None:
    """The first in full, the others by their names in one line; each is failed all the same."""
    for number in range(8):
        sources.csv(f"load-{number}", f"http://127.0.0.1:1/load-{number}.csv")
    sources.write()
    process = run_cli("-q", "fetch-all", env=env)
    assert process.returncode == 3
    first, others = process.stderr.splitlines()
    assert "no connection to 127.0.0.1" in first
    assert "failed 7 sources besides: load-" in others
    assert "and 2 more" in others
    assert {run.outcome for run in recorded_runs(env["DATABASE_URL"])} == {"failed"}
