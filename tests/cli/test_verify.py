"""`dataportal verify`: says nothing too much, names what is wrong, and ends with 4."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.store_feed import open_observer
from support.stored_runs import store_run
from support.terminal import run_on_terminal

from dataportal.store.read.verify import Check

if TYPE_CHECKING:
    from conftest import RunCli

KEYS = {"series", "series_id", "ts", "valid_from", "published_at", "run_id", "message"}


@pytest.fixture
def env(database_url: str) -> dict[str, str]:
    """A database with a history of five observations, one of which has two versions."""
    store_run(database_url, [1.0, 2.0, 3.0, 4.0, 5.0])
    store_run(database_url, [1.0, 2.5, 3.0, 4.0, 5.0])
    return {"DATABASE_URL": database_url}


@pytest.fixture
def damaged(env: dict[str, str]) -> dict[str, str]:
    """The same, with every current value but the first tampered with."""
    with open_observer(env["DATABASE_URL"]) as look:
        look.execute("UPDATE time_series_data SET value = value + 1 WHERE ts > '2025-03-01'")
    return env


def test_all_is_well(run_cli: RunCli, env: dict[str, str]) -> None:
    """A line for each check, and silence with -q."""
    done = run_cli("verify", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()[1:]
    assert [line.split()[:3] for line in lines] == [[check, "ok", "0"] for check in Check]
    done = run_cli("verify", "-q", env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_wrong_is_named(run_cli: RunCli, damaged: dict[str, str]) -> None:
    """By series, time, version and run; with -q on stderr alone."""
    done = run_cli("verify", env=damaged)
    assert (done.returncode, done.stderr) == (4, "")
    assert "current    BROKEN       4  " in done.stdout
    named = [line for line in done.stdout.splitlines() if line.startswith("current: ")]
    assert len(named) == 4
    assert named[0].startswith("current: load at 2025-03-01T01:00:00+00:00 known since 20")
    assert named[0].endswith(" run 2: the current value is not that of the open version")
    quiet = run_cli("verify", "-q", env=damaged)
    assert (quiet.returncode, quiet.stdout) == (4, "")
    assert quiet.stderr == done.stdout


def test_keys_are_limited_and_counted(run_cli: RunCli, damaged: dict[str, str]) -> None:
    """So that a broken database does not fill a mailbox."""
    done = run_cli("verify", "--limit", "1", env=damaged)
    assert done.stdout.count("current: load at ") == 1
    assert "current: and 3 more; --limit shows more of them" in done.stdout


def verify_document(run_cli: RunCli, env: dict[str, str], *args: str) -> dict[str, Any]:
    """The JSON answer, whose fields are those that are documented."""
    done = run_cli("verify", "--json", *args, env=env)
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if document["ok"] else 4)
    assert document.keys() == {"ok", "since", "checks"}
    assert [check["check"] for check in document["checks"]] == list(Check)
    assert all(check.keys() == {"check", "ok", "found", "keys"} for check in document["checks"])
    return document


def test_json(run_cli: RunCli, damaged: dict[str, str]) -> None:
    """Found, counted, keys; and what lies before --since is left out."""
    document = verify_document(run_cli, damaged)
    assert (document["ok"], document["since"]) == (False, None)
    (broken,) = (check for check in document["checks"] if not check["ok"])
    assert (broken["check"], broken["found"], len(broken["keys"])) == ("current", 4, 4)
    assert {frozenset(key) for key in broken["keys"]} == {frozenset(KEYS)}
    key = broken["keys"][0]
    assert (key["series"], key["series_id"], key["run_id"]) == ("load", 1, 2)
    document = verify_document(run_cli, damaged, "--since", "2025-03-01T05:00Z")
    assert (document["ok"], document["since"]) == (True, "2025-03-01T05:00:00Z")


def test_progress_is_shown_on_a_terminal(env: dict[str, str]) -> None:
    """And leaves nothing behind but the result."""
    code, text = run_on_terminal("verify", env=env)
    assert code == 0
    assert "verifying" in text
    assert "everything belongs to a series" in text


def test_a_database_out_of_reach(run_cli: RunCli) -> None:
    """69, as everywhere."""
    done = run_cli("verify", env={"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"})
    assert done.returncode == 69


def test_the_reader_of_the_output_may_leave(damaged: dict[str, str]) -> None:
    """`dataportal verify | head -1`: no traceback."""
    command = f"{sys.executable} -m dataportal verify | head -1"
    done = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, **damaged},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.split()[0], done.stderr) == ("CHECK", "")
