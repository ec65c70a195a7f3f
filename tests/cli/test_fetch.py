"""`dataportal fetch`, as a process with a provider and a database."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from support.http_server import Reply
from support.program_sources import (
    await_end,
    outcomes,
    read_until,
    recorded_runs,
    runs_by_source,
    table,
)
from support.store_feed import current, hour, open_feed, open_observer

from dataportal.store.records import Counts

if TYPE_CHECKING:
    from conftest import RunCli, StartCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

RUN_KEYS = {
    *("source", "run_id", "kind", "outcome", "reason", "window", "seconds", "error", "warnings"),
    *("vintages", "withdrawn", *Counts.__slots__),
}


TWO = """
from datetime import UTC, datetime
from dataportal.plugins.base_plugin import MultiSeriesPlugin

class Plugin(MultiSeriesPlugin):
    source_defaults = {"initial_history": "all"}

    def get_historical_data_multi(self, start_date, end_date=None):
        return {"load": [{"ts": datetime(2025, 3, 1, tzinfo=UTC), "value": 1.0}]}
"""


def load(sources: SourceFile, server: LocalServer, *replies: Reply) -> None:
    """One source `load` whose provider answers so."""
    sources.csv("load", server.answer("/load.csv", *replies))
    sources.write()


def test_what_came_is_stored_and_told(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """A table for people on stdout, with the log on stderr; every field of the contract in JSON."""
    load(sources, server, table([1.5, None, 2.5]))
    first = run_cli("fetch", "load", env=env)
    assert first.returncode == 0
    assert re.search(r"^load +succeeded +2 +0 +0 +0 .* 1 nulls$", first.stdout, re.MULTILINE)
    assert "load: succeeded (2 new)" in first.stderr

    again = run_cli("fetch", "load", "--json", env=env)

    document = json.loads(again.stdout)
    assert document.keys() == {"ok", "runs"}
    (run,) = document["runs"]
    assert run.keys() == RUN_KEYS
    assert (run["outcome"], run["unchanged"], run["nulls"]) == ("unchanged", 2, 1)
    assert run["received"] == sum(run[name] for name in Counts.__slots__[1:])
    with open_observer(env["DATABASE_URL"]) as look:
        assert current(look) == {0: 1.5, 2: 2.5}
        row = look.execute(
            "SELECT outcome, received, unchanged, nulls FROM fetch_run ORDER BY run_id DESC LIMIT 1"
        )
        assert row.fetchone() == ("unchanged", run["received"], 2, 1)


def test_a_series_stands_for_its_source(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Named by its endpoint_prefix; named twice it is still run once."""
    sources.csv(
        "load",
        server.answer("/load.csv", table([1.0])),
        metadata={"endpoint_prefix": "grid-load", "unit": "MW"},
    )
    sources.write()
    done = run_cli("fetch", "grid-load", "load", "--json", env=env)
    assert list(runs_by_source(done)) == ["load"]
    assert outcomes(env["DATABASE_URL"]) == ["succeeded"]


def test_a_source_that_there_is_not(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Wrong usage, with the nearest name; nothing else is fetched."""
    load(sources, server, table([1.0]))
    done = run_cli("fetch", "load", "laod", env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean 'load'?" in done.stderr
    assert not server.requests


def test_a_variable_that_the_source_requires(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Asked for by name it is no source that is left out, but 78 with the variable's name."""
    sources.csv("load", server.answer("/load.csv", table([1.0])), requires_env=["GRID_KEY"])
    sources.write()
    done = run_cli("fetch", "load", env=env)
    assert done.returncode == 78
    assert "GRID_KEY" in done.stderr
    assert run_cli("fetch", "load", env={**env, "GRID_KEY": "x"}).returncode == 0


def test_a_good_run_is_silent_under_q_and_a_bad_one_is_not(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """A mail from cron means that something is wrong: one line, with source and reason."""
    load(sources, server, table([1.0]), Reply(404, b"gone", content_type="text/plain"))
    good = run_cli("-q", "fetch", "load", env=env)
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    bad = run_cli("-q", "fetch", "load", env=env)
    assert (bad.returncode, bad.stdout) == (3, "")
    (line,) = bad.stderr.splitlines()
    assert "load: failed: 127.0.0.1 answered 404 Not Found" in line


def test_what_may_pass_is_tried_again(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """As often as MAX_RETRIES says, and what will not pass is not; one run, one row."""
    load(sources, server, Reply(503), Reply(502), table([1.0]))
    patient = {**env, "MAX_RETRIES": "2", "RETRY_DELAY_SECONDS": "0.01"}
    assert run_cli("fetch", "load", env=patient).returncode == 0
    assert server.asked("/load.csv") == 3
    assert outcomes(env["DATABASE_URL"]) == ["succeeded"]
    server.answer("/load.csv", Reply(403))
    assert run_cli("fetch", "load", env=patient).returncode == 3
    assert server.asked("/load.csv") == 4


def test_points_that_cannot_be_taken_leave_the_rest(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Partial, 3, with the position and the reason of the first; the good ones are stored."""
    load(sources, server, table([1.0, "many", 3.0]))
    done = run_cli("fetch", "load", "--json", env=env)
    assert done.returncode == 3
    run = runs_by_source(done)["load"]
    assert (run["outcome"], run["inserted"], run["rejected"]) == ("partial", 2, 1)
    assert "point 1: 'many' is no" in run["reason"]
    with open_observer(env["DATABASE_URL"]) as look:
        assert current(look) == {0: 1.0, 2: 3.0}


def test_an_answer_without_points_changes_nothing(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Empty, which is no failure, and no success either: the source does not become fresh."""
    load(sources, server, table([]))
    done = run_cli("fetch", "load", "--json", env=env)
    assert done.returncode == 0
    assert runs_by_source(done)["load"]["outcome"] == "empty"
    assert run_cli("healthcheck", env=env).returncode == 4


def test_a_plan_says_how_many_requests_it_takes(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Of a described source for each slice; nobody is asked, and the run asks no more than that."""
    url = server.answer("/days", Reply.json([{"t": "2025-03-01T00:00:00Z", "v": 1}]))
    params = {
        "url": url,
        "max_requests": 6,
        "each": {"period": "day", "station": ["A", "B"]},
        "query": {"day": "{start:%Y-%m-%d}", "station": "{station}"},
        "ts": "t",
        "value": "v",
    }
    sources.add("days", "http_plugin.HttpJsonPlugin", params, {"max_window": "2 days"})
    sources.write()
    bounds = ("--start", "2025-03-01", "--end", "2025-03-04")
    plan = run_cli("fetch", "days", *bounds, "--plan", "--json", env=env)
    slices = json.loads(plan.stdout)["plans"][0]["slices"]
    assert [window["requests"] for window in slices] == [4, 2]
    text = run_cli("fetch", "days", *bounds, "--plan", env=env).stdout
    assert "days: 2 slices, 6 requests" in text
    longer = (*bounds[:-1], "2025-03-05")
    text = run_cli("fetch", "days", *longer, "--plan", env=env).stdout
    assert "days: 2 slices, 8 requests, more than its max_requests of 6" in text
    assert not server.requests
    run_cli("fetch", "days", *bounds, env=env)
    assert server.asked("/days") == 6


def test_a_backfill_goes_in_slices_oldest_first(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """What --plan shows is what is asked; points beyond the range are not stored."""
    sources.csv("load", server.answer("/load.csv", table(range(60))), max_window="1 day")
    sources.write()
    bounds = ("--start", "2025-03-01", "--end", "2025-03-03T06:00")
    plan = run_cli("fetch", "load", *bounds, "--plan", "--json", env=env)
    slices = json.loads(plan.stdout)["plans"][0]["slices"]
    starts = ["2025-03-01T00:00:00Z", "2025-03-02T00:00:00Z", "2025-03-03T00:00:00Z"]
    assert [window["start"] for window in slices] == starts
    assert not server.requests
    assert "3 slices" in run_cli("fetch", "load", *bounds, "--plan", env=env).stdout

    done = run_cli("fetch", "load", *bounds, "--json", env=env)

    run = runs_by_source(done)["load"]
    assert run["window"] == {"start": starts[0], "end": "2025-03-03T06:00:00Z"}
    assert (run["kind"], run["inserted"]) == ("backfill", 54)
    assert server.asked("/load.csv") == 3
    (row,) = recorded_runs(env["DATABASE_URL"])
    assert (row.kind, row.done_until) == ("backfill", hour(54))


def test_a_new_series_that_does_not_come_is_told_once(
    sources: SourceFile, env: dict[str, str], run_cli: RunCli
) -> None:
    """Where others of its group do: with the first run that asks for it, and not again."""
    (sources.folder / "plugin_two.py").write_text(TWO)
    series = [{"endpoint_prefix": "load"}, {"endpoint_prefix": "laod"}]
    group = {"module": "plugin_two", "class": "Plugin", "schedule": "365 days"}
    document = {"request_groups": {"two": {**group, "request_params": {}, "timeseries": series}}}
    (sources.folder / "sources.yaml").write_text(json.dumps(document))
    first = runs_by_source(run_cli("fetch", "two", "--json", env=env))["two"]
    assert (first["outcome"], first["inserted"]) == ("succeeded", 1)
    assert first["warnings"] == [
        "no points for 'laod', asked for the first time: is the name right?"
    ]
    again = runs_by_source(run_cli("fetch", "two", "--json", env=env))["two"]
    assert (again["outcome"], again["warnings"]) == ("unchanged", [])


def test_all_there_is_comes_at_once(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """A scheduled run without a beginning is one request, however short the slices of backfills."""
    sources.csv("load", server.answer("/load.csv", table(range(60))), max_window="1 day")
    sources.write()
    done = run_cli("fetch", "load", "--json", env=env)
    run = runs_by_source(done)["load"]
    assert (run["inserted"], run["window"]["end"]) == (60, None)
    assert server.asked("/load.csv") == 1


def test_a_dry_run_writes_nothing(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """It says what would be; no row of any kind is left."""
    load(sources, server, table([1.0, 2.0]))
    done = run_cli("fetch", "load", "--dry-run", "--json", env=env)
    assert done.returncode == 0
    run = runs_by_source(done)["load"]
    assert (run["run_id"], run["inserted"], run["outcome"]) == (None, 2, "succeeded")
    assert [(one["series"], one["value"], one["change"]) for one in run["changes"]] == [
        ("load", 1.0, "inserted"),
        ("load", 2.0, "inserted"),
    ]
    assert run["changes_left_out"] == 0
    with open_observer(env["DATABASE_URL"]) as look:
        for relation in ("time_series", "time_series_data_scd2", "fetch_run", "source_state"):
            row = look.execute(f"SELECT count(*) FROM {relation}").fetchone()  # noqa: S608 - ours
            assert row == (0,), relation


def test_a_dry_run_names_the_points_that_it_would_write(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """New, revised and withdrawn ones, with time and value; of many the first and the last."""
    load(sources, server, table([float(n) for n in range(20)]))
    first = run_cli("fetch", "load", "--dry-run", env=env)
    assert "and 14 between" in first.stdout
    assert first.stdout.count(" new") >= 6
    assert run_cli("fetch", "load", env=env).returncode == 0
    load(sources, server, table([0.0, 7.5, None, *(float(n) for n in range(3, 20))]))
    told = run_cli("fetch", "load", "--dry-run", env=env)
    lines = [line.split() for line in told.stdout.splitlines() if line.startswith("load  ")]
    assert [line[-2:] for line in lines if line[-1] in {"revised", "withdrawn"}] == [
        ["7.5", "revised"],
        [lines[-1][-2], "withdrawn"],
    ]
    run = runs_by_source(run_cli("fetch", "load", "--dry-run", "--json", env=env))["load"]
    assert [(one["value"], one["change"]) for one in run["changes"]] == [
        (7.5, "revised"),
        (None, "retracted"),
    ]
    written = runs_by_source(run_cli("fetch", "load", "--json", env=env))["load"]
    assert "changes" not in written


def test_a_source_that_another_run_holds(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
    start_cli: StartCli,
) -> None:
    """Skipped with the holder's name, or 11, or waited for, as the caller likes."""
    load(sources, server, table([1.0]))
    with open_feed(env["DATABASE_URL"], "load", source="load") as holder:
        holder.start()
        skipped = run_cli("fetch", "load", "--json", env=env)
        assert skipped.returncode == 0
        run = runs_by_source(skipped)["load"]
        assert run["outcome"] == "skipped"
        assert re.search(r"locked by host .+, pid \d+, since ", run["reason"])
        assert run_cli("fetch", "load", "--on-locked", "fail", env=env).returncode == 11
        waiting = start_cli("fetch", "load", "--on-locked", "wait", env=env)
        read_until(waiting, "locked by")
        assert not server.requests
    await_end(waiting)
    assert waiting.returncode == 0
    assert server.asked("/load.csv") == 1


def test_nulls_that_would_withdraw_most_of_a_series(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Withheld and named, until --accept-retractions lets them through."""
    load(sources, server, table([1.0, 2.0, 3.0]), table([9.0, None, None]))
    assert run_cli("fetch", "load", env=env).returncode == 0
    withheld = run_cli("fetch", "load", env=env)
    assert withheld.returncode == 3
    assert "--accept-retractions" in withheld.stderr
    with open_observer(env["DATABASE_URL"]) as look:
        assert current(look) == {0: 9.0, 1: 2.0, 2: 3.0}
    accepted = run_cli("fetch", "load", "--accept-retractions", "--json", env=env)
    assert runs_by_source(accepted)["load"]["retracted"] == 2
    with open_observer(env["DATABASE_URL"]) as look:
        assert current(look) == {0: 9.0}


def test_a_database_out_of_reach(sources: SourceFile, server: LocalServer, run_cli: RunCli) -> None:
    """69; the password is in no message, and the provider is not asked for nothing."""
    load(sources, server, table([1.0]))
    gone = {"DATABASE_URL": "postgresql://me:canary-pw@127.0.0.1:1/db", "MAX_RETRIES": "0"}
    done = run_cli("fetch", "load", env=gone)
    assert (done.returncode, done.stdout) == (69, "")
    assert "canary" not in done.stderr
    as_json = run_cli("fetch", "load", "--json", env=gone)
    assert json.loads(as_json.stderr)["error"]["exit_code"] == 69
    assert not server.requests


def test_a_lock_whose_holder_has_just_gone_is_no_reason_to_skip(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    start_cli: StartCli,
) -> None:
    """A lock without a run under way is given a moment; what came after it is not left out."""
    load(sources, server, table([1.0]))
    with open_feed(env["DATABASE_URL"], "load", source="load") as holder:
        holder.finish()
        running = start_cli("fetch", "load", "--json", env=env)
        with open_observer(env["DATABASE_URL"]) as look:
            asks = (
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dataportal load'"
                " AND datname = current_database()"
            )
            while look.execute(asks).fetchone() != (2,):
                assert running.poll() is None
    stdout, _ = await_end(running)
    assert runs_by_source(stdout)["load"]["outcome"] == "succeeded"
