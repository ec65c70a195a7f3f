"""`dataportal healthcheck`, as a process."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply
from support.store_feed import open_observer

if TYPE_CHECKING:
    from conftest import RunCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile


def checks(stdout: str) -> dict[str, Any]:
    """The checks by the thing or the source looked at."""
    return {check["source"] or check["check"]: check for check in json.loads(stdout)["checks"]}


def test_all_is_well(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """0 with a line for each thing looked at; nothing at all under -q; it writes nothing."""
    sources.csv("load", f"{server.url}/good.csv")
    sources.csv("off", f"{server.url}/good.csv", enabled=False)
    sources.csv("keyed", f"{server.url}/good.csv", requires_env=["GRID_KEY"])
    sources.write()
    assert run_cli("fetch-all", env=env).returncode == 0
    done = run_cli("healthcheck", "--json", env=env)
    assert done.returncode == 0
    by_name = checks(done.stdout)
    assert json.loads(done.stdout)["ok"] is True
    assert all(check["ok"] for check in by_name.values())
    assert by_name["load"]["state"] == "ok"
    assert "PostgreSQL" in by_name["database"]["message"]
    quiet = run_cli("-q", "healthcheck", env=env)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert len(server.requests) == 1


def test_what_makes_a_source_ill(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Failing, never fetched, stale by its last success, stale by its data: 4, each with why."""
    sources.csv("failing", server.answer("/gone.csv", Reply(404)))
    sources.csv("late", f"{server.url}/good.csv", stale_after="2 days")
    sources.csv("ended", f"{server.url}/good.csv", data_stale_after="1 day")
    sources.csv("well", f"{server.url}/good.csv")
    sources.write()
    assert run_cli("fetch-all", env=env).returncode == 3
    sources.csv("new", f"{server.url}/good.csv")
    sources.write()
    with open_observer(env["DATABASE_URL"]) as look:
        look.execute(
            "UPDATE source_state SET last_success_at = last_success_at - interval '3 days'"
            " WHERE source = 'late'"
        )
    done = run_cli("healthcheck", "--json", env=env)
    assert done.returncode == 4
    reasons = {
        name: check["message"] for name, check in checks(done.stdout).items() if not check["ok"]
    }
    assert reasons.keys() == {"failing", "late", "ended", "new"}
    assert "404" in reasons["failing"]
    assert "last success" in reasons["late"]
    assert "newest observation" in reasons["ended"]
    assert "never" in reasons["new"]
    quiet = run_cli("-q", "healthcheck", "--only", "late", "--only", "well", env=env)
    assert (quiet.returncode, quiet.stdout) == (4, "")
    assert "late" in quiet.stderr
    assert "well" not in quiet.stderr.split()
    assert run_cli("healthcheck", "--only", "well", env=env).returncode == 0


@pytest.mark.parametrize(
    ("change", "code", "check"),
    [
        ({"DATABASE_URL": "postgresql://me:canary-pw@127.0.0.1:1/db"}, 69, "database"),
        ({"DATABASE_URL": ""}, 78, None),
        ({"PLUGIN_CONFIG_PATH": "elsewhere.yaml"}, 78, "configuration"),
    ],
)
def test_what_it_needs_is_not_there(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
    change: dict[str, str],
    code: int,
    check: str | None,
) -> None:
    """The documented exit code, the thing that is wrong named, and no secret."""
    sources.csv("load", f"{server.url}/good.csv")
    sources.write()
    done = run_cli("healthcheck", "--json", env={**env, **change})
    assert done.returncode == code
    assert "canary" not in done.stdout + done.stderr
    if check:
        assert checks(done.stdout)[check]["ok"] is False


def test_an_empty_database_is_named(
    sources: SourceFile, server: LocalServer, empty_database_url: str, run_cli: RunCli
) -> None:
    """78 with `dataportal migrate`: a command that reads makes no tables."""
    sources.csv("load", f"{server.url}/good.csv")
    sources.write()
    done = run_cli("healthcheck", "--json", env={"DATABASE_URL": empty_database_url})
    assert done.returncode == 78
    assert "dataportal migrate" in checks(done.stdout)["schema"]["message"]
    with open_observer(empty_database_url) as look:
        row = look.execute("SELECT to_regclass('time_series')").fetchone()
    assert row == (None,)


def test_a_source_that_lost_its_variable(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Grows stale like any other; one that never had it is no fault, and `-q` says which it is."""
    for name in ("had", "never"):
        sources.csv(name, f"{server.url}/good.csv", requires_env=["GRID_KEY"], stale_after="1 day")
    sources.write()
    with_key = {**env, "GRID_KEY": "canary"}
    assert run_cli("fetch", "had", env=with_key).returncode == 0
    assert run_cli("healthcheck", env=env).returncode == 0
    with open_observer(env["DATABASE_URL"]) as look:
        look.execute(
            "UPDATE source_state SET last_success_at = last_success_at - interval '2 days'"
        )
    done = run_cli("-q", "healthcheck", env=env)
    assert done.returncode == 4
    assert "GRID_KEY is not set" in done.stderr
    assert "never" not in done.stderr
    assert run_cli("list-sources", "--state", "needs", env=env).stdout.count("needs GRID_KEY") == 2


def test_live_asks_nothing(run_cli: RunCli) -> None:
    """For probes of containers: no file, no database, and the program itself answers."""
    done = run_cli("healthcheck", "--live", env={"DATABASE_URL": "postgresql://me@127.0.0.1:1/db"})
    assert (done.returncode, done.stdout) == (0, "live\n")


def test_a_gap_makes_a_source_ill_that_minds_it(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """From its gaps_stale_after on, for 30 days; what is younger, older or not minded does not."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    def without(*days_ago: int) -> Reply:
        gone = {now - timedelta(days=days) for days in days_ago}
        hours = [now - timedelta(hours=n) for n in range(24 * 60)]
        rows = [f"{hour:%Y-%m-%dT%H:%MZ},1" for hour in hours if hour not in gone]
        return Reply(body="\n".join(["ts,value", *rows]).encode())

    hourly = {"granularity": "1 hour"}
    for name, days_ago, options in (
        ("old", (5, 9), {"gaps_stale_after": "3 days"}),
        ("young", (2,), {"gaps_stale_after": "3 days"}),
        ("ancient", (40,), {"gaps_stale_after": "3 days"}),
        ("unminded", (5,), {}),
    ):
        url = server.answer(f"/{name}.csv", without(*days_ago))
        sources.csv(name, url, metadata=hourly, initial_history="all", **options)
    sources.write()
    assert run_cli("fetch-all", env=env).returncode == 0
    done = run_cli("healthcheck", "--json", env=env)
    assert done.returncode == 4
    by_name = checks(done.stdout)
    assert {name for name, check in by_name.items() if not check["ok"]} == {"old"}
    assert by_name["old"]["state"] == "stale"
    assert by_name["old"]["message"].startswith("old lacks 2 values from ")
    assert by_name["old"]["message"].endswith("longer ago than 3 days: dataportal gaps old --fill")
