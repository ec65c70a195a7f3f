"""`dataportal verify`: says nothing too much, names what is wrong, and ends with 4."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.store_feed import open_observer
from support.stored_runs import store_run
from support.terminal import run_on_terminal

from dataportal.store.read.overview import open_reader
from dataportal.store.read.verify import Check, Progress, Scope, verify
from dataportal.store.verifications import VerificationRecord

if TYPE_CHECKING:
    from conftest import RunCli, StartCli

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
    assert done.stdout.splitlines()[-1].startswith("do not repair it at once: copy the database")


def verify_document(run_cli: RunCli, env: dict[str, str], *args: str) -> dict[str, Any]:
    """The JSON answer, whose fields are those that are documented."""
    done = run_cli("verify", "--json", *args, env=env)
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if document["ok"] else 4)
    assert document.keys() == {"ok", "since", "sample", "checks"}
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


def test_a_signal_breaks_it_off(run_cli: RunCli, start_cli: StartCli, env: dict[str, str]) -> None:
    """143, with how to go on; which goes on with it."""
    with psycopg.connect(env["DATABASE_URL"]) as holder, open_observer(env["DATABASE_URL"]) as look:
        holder.execute("LOCK TABLE time_series_data IN ACCESS EXCLUSIVE MODE")
        program = start_cli("verify", env=env)
        waiting = (
            "SELECT count(*) FROM pg_locks WHERE NOT granted"
            " AND relation = 'time_series_data'::regclass"
        )
        while look.execute(waiting).fetchone() == (0,):
            assert program.poll() is None
        program.send_signal(signal.SIGTERM)
        _, said = program.communicate(timeout=20)
        assert program.returncode == 143
        assert "broken off; dataportal verify --resume goes on with it" in said
        holder.rollback()
    done = run_cli("verify", "--resume", env=env)
    assert (done.returncode, done.stderr) == (0, "")


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


def test_what_was_verified_is_shown(run_cli: RunCli, damaged: dict[str, str]) -> None:
    """By healthcheck, with what was found; what is well makes up for it once all is looked at."""

    def verification() -> dict[str, Any]:
        done = run_cli("healthcheck", "--json", env=damaged)
        checks = json.loads(done.stdout)["checks"]
        (check,) = (c for c in checks if c["check"] == "verification")
        assert done.returncode == 4 or check["ok"] or done.returncode == 78
        return dict(check)

    assert run_cli("verify", env=damaged).returncode == 4
    check = verification()
    assert not check["ok"]
    assert check["message"].startswith("everything at 20")
    assert check["message"].endswith(": 4 faults")
    assert check["remarks"] == ["after the repair run: dataportal verify"]
    text = run_cli("healthcheck", env=damaged).stdout
    assert ": 4 faults; after the repair run: dataportal verify" in text
    with open_observer(damaged["DATABASE_URL"]) as look:
        look.execute("UPDATE time_series_data SET value = value - 1 WHERE ts > '2025-03-01'")
    assert (
        run_cli("verify", "--only", "current", "--since", "2025-03-01", env=damaged)
    ).returncode == 0
    check = verification()
    assert not check["ok"]
    assert check["message"].startswith("since 2025-03-01 00:00Z · current at 20")
    assert run_cli("verify", "-q", env=damaged).returncode == 0
    check = verification()
    assert check["ok"]
    assert check["message"].endswith(": well")
    assert check["remarks"] == []


def test_one_check_alone(run_cli: RunCli, damaged: dict[str, str]) -> None:
    """What it does not look at is not in the answer."""
    done = run_cli("verify", "--only", "runs", "--only", "series", env=damaged)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["CHECK", "runs", "series"]
    document = json.loads(run_cli("verify", "--only", "current", "--json", env=damaged).stdout)
    assert [(c["check"], c["found"]) for c in document["checks"]] == [("current", 4)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "curent"], "Did you mean 'current'?"),
        (["--sample", "1"], "such as: --sample 1%"),
        (["--sample", "0%"], "no percentage"),
        (["--sample", "nan%"], "no percentage"),
        (["--sample", "101%"], "no percentage"),
        (["--resume", "--sample", "5%"], "--resume takes what is looked at"),
    ],
)
def test_options_that_cannot_be(
    run_cli: RunCli, env: dict[str, str], arguments: list[str], words: str
) -> None:
    """2, with the way out; nothing is recorded."""
    done = run_cli("verify", *arguments, env=env)
    assert done.returncode == 2
    assert words.lower() in done.stderr.lower()
    with open_observer(env["DATABASE_URL"]) as look:
        assert look.execute("SELECT count(*) FROM verification").fetchone() == (0,)


def test_a_sample(run_cli: RunCli, env: dict[str, str]) -> None:
    """Looks at a part, and says how much."""
    done = run_cli("verify", "--sample", "50%", "--json", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["sample"] == 0.5


def test_a_verification_that_was_killed_goes_on(run_cli: RunCli, damaged: dict[str, str]) -> None:
    """Where it was; without one there is nothing to go on with, and all is looked at."""
    done = run_cli("verify", "--resume", env=damaged)
    assert done.returncode == 4
    assert "none was broken off: begins anew" in done.stderr
    with open_observer(damaged["DATABASE_URL"]) as look:
        # as one that is killed after it has looked at all but the runs
        look.execute(
            "INSERT INTO verification (checks, version, found, progress) SELECT checks, version, 1,"
            " jsonb_build_object('left', '[]'::jsonb, 'versions', '[[1, 5], [2, 1]]'::jsonb,"
            " 'vintages', '[]'::jsonb, 'began', now(), 'recent',"
            " '[[1, 5, 0, 0], [2, 1, 0, 0]]'::jsonb, 'found', '{\"current\": 1}'::jsonb,"
            " 'settled', '{\"last\": 0, \"but\": []}'::jsonb, 'settled_versions', 0,"
            " 'settled_vintages', 0,"
            ' \'faults\', \'[{"check": "current", "message": "so it was", "ts": "2025"}]\''
            "::jsonb) FROM verification"
        )
    done = run_cli("verify", "--resume", env=damaged)
    assert (done.returncode, done.stderr) == (4, "")
    assert "current: at 2025: so it was" in done.stdout
    assert "current    BROKEN       1  " in done.stdout
    assert "runs       ok           0  " in done.stdout


def test_one_that_is_at_work_is_left_to_whoever_is(
    run_cli: RunCli, damaged: dict[str, str]
) -> None:
    """A second `--resume` is refused, and says why; when the other is gone, it goes on."""
    url = damaged["DATABASE_URL"]
    state = Progress()
    with open_reader(url) as reader:
        list(verify(reader, begin=state))
    record = VerificationRecord.open(url)
    assert record
    with closing(record):
        record.begin(Scope())
        record.keep(state)
        done = run_cli("verify", "--resume", env=damaged)
        assert (done.returncode, done.stdout) == (11, "")
        assert "is not broken off: another program is at work on it" in done.stderr
        assert "without --resume" in done.stderr
    done = run_cli("verify", "--resume", env=damaged)
    assert (done.returncode, done.stderr) == (4, "")
    assert "current    BROKEN       4  " in done.stdout


def test_a_role_that_only_reads_verifies(run_cli: RunCli, env: dict[str, str]) -> None:
    """And says that nothing is kept of it; with -q nothing at all."""
    url = env["DATABASE_URL"]
    reading = {
        "DATABASE_URL": f"{url}{'&' if '?' in url else '?'}options=-crole%3Dpg_read_all_data"
    }
    done = run_cli("verify", env=reading)
    assert done.returncode == 0
    assert "not kept: this role may not write to the table verification" in done.stderr
    done = run_cli("-q", "verify", env=reading)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
