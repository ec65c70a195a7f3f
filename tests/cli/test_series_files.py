"""`dataportal dump` and `restore`: what they say, and what is left when they end early."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.databases import with_schema
from support.program_sources import Pause, await_end, held_locks
from support.store_feed import history, open_observer
from support.stored_runs import store_run
from support.terminal import run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli, StartCli
    from support.databases import Databases

SERIES_KEYS = {"endpoint_prefix", "source", "versions", "vintages", "known_through"}


@pytest.fixture
def env(database_url: str) -> dict[str, str]:
    """A database with two series; one value of the first was revised."""
    store_run(database_url, [1.0, 2.0, 3.0])
    store_run(database_url, [1.0, 2.5, 3.0])
    store_run(database_url, [5.0], series="wind")
    return {"DATABASE_URL": database_url}


@pytest.fixture
def elsewhere(server_url: str, databases: Databases) -> Iterator[dict[str, str]]:
    """Another database, without series."""
    with databases.fresh(server_url, "migrated", with_schema) as url:
        yield {"DATABASE_URL": url}


def succeed(run_cli: RunCli, env: dict[str, str], *args: str) -> dict[str, Any]:
    """The JSON answer of a command that succeeds and says nothing else."""
    done = run_cli(*args, "--json", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    assert document.keys() == {"ok", "file", "sha256", "series"}
    assert document["ok"]
    return document


@pytest.mark.slow
def test_there_and_back(
    run_cli: RunCli, env: dict[str, str], elsewhere: dict[str, str], tmp_path: Path
) -> None:
    """In JSON with the documented fields, the same checksum both ways, the same bytes at last."""
    out = succeed(run_cli, env, "dump", "load", "wind", "load", "a.jsonl.gz")
    assert out["file"] == "a.jsonl.gz"
    assert [series.keys() for series in out["series"]] == [SERIES_KEYS] * 2
    assert [series["versions"] for series in out["series"]] == [4, 1]
    back = succeed(run_cli, elsewhere, "restore", "a.jsonl.gz")
    assert back["sha256"] == out["sha256"]
    assert [series.keys() for series in back["series"]] == [{*SERIES_KEYS, "outcome", "run_id"}] * 2
    assert [s["outcome"] for s in back["series"]] == ["restored"] * 2
    again = succeed(run_cli, elsewhere, "restore", "a.jsonl.gz")
    assert [(s["outcome"], s["run_id"]) for s in again["series"]] == [("unchanged", None)] * 2
    succeed(run_cli, elsewhere, "dump", "load", "wind", "b.jsonl.gz")
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    assert run_cli("verify", "-q", env=elsewhere).returncode == 0


def test_for_people(run_cli: RunCli, env: dict[str, str], elsewhere: dict[str, str]) -> None:
    """A line for each series; nothing with -q."""
    assert run_cli("dump", "load", "wind", "a.jsonl", env=env).stdout == (
        "load: 4 versions\nwind: 1 versions\nwritten to a.jsonl\n"
    )
    assert run_cli("restore", "a.jsonl", env=elsewhere).stdout == (
        "load: 4 versions: restored by run 1\nwind: 1 versions: restored by run 2\n"
    )
    for args in (("dump", "load", "b.jsonl"), ("restore", "a.jsonl")):
        done = run_cli("-q", *args, env=elsewhere)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_progress_is_shown_on_a_terminal(env: dict[str, str], tmp_path: Path) -> None:
    """And the result after it."""
    code, screen = run_on_terminal(
        "dump", "load", "a.jsonl", env={**os.environ, **env}, cwd=tmp_path
    )
    assert code == 0
    assert "writing" in screen
    assert "written to a.jsonl" in screen


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("dump", "laod", "new.jsonl"), "there is no series 'laod' in this database. Did you mean"),
        (("dump", "load", "there.jsonl"), "there.jsonl is there already"),
        (("dump", "load", "none/new.jsonl"), "cannot be written: No such file or directory"),
        (("dump", "load", "new.zst"), ".zst is not known. End it in .jsonl.gz"),
        (("dump", "load", "new.csv.gz"), ".csv is not known. End it in .jsonl.gz"),
        (("dump", "load"), "SERIES"),
        (("restore",), "FILE"),
        (("restore", "none.jsonl"), "there is no file none.jsonl"),
        (("restore", "there.jsonl"), "there.jsonl:1: "),
        (("restore", "."), "cannot be read: Is a directory"),
    ],
)
def test_what_cannot_be_done(
    run_cli: RunCli, env: dict[str, str], tmp_path: Path, args: tuple[str, ...], message: str
) -> None:
    """2, one line that says why, and no file."""
    (tmp_path / "there.jsonl").write_text("precious\n")
    before = {path.name for path in tmp_path.iterdir()}
    done = run_cli(*args, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    error = json.loads(run_cli(*args, "--json", env=env).stderr)["error"]
    assert error["exit_code"] == 2
    assert (tmp_path / "there.jsonl").read_text() == "precious\n"
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_damaged_file_makes_no_database(
    run_cli: RunCli, env: dict[str, str], tmp_path: Path
) -> None:
    """An embedded one would be made for a file that can be used."""
    run_cli("dump", "load", "a.jsonl", env=env)
    path = tmp_path / "a.jsonl"
    path.write_text(path.read_text().replace('"value":2.5', '"value":2.4'))
    done = run_cli("restore", "a.jsonl", "--json")
    assert done.returncode == 2
    error = json.loads(done.stderr)["error"]
    assert error["kind"] == "file"
    assert "a.jsonl:7: counts or checksum are not those" in error["message"]
    assert "embedded" not in done.stderr


def test_a_series_that_differs(run_cli: RunCli, env: dict[str, str]) -> None:
    """2, and where the difference is."""
    run_cli("dump", "load", "a.jsonl", env=env)
    store_run(env["DATABASE_URL"], [1.0, 9.5, 3.0])
    done = run_cli("restore", "a.jsonl", env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert "series 'load' is stored already, and is not what a.jsonl has of it" in done.stderr
    assert "at 2025-03-01T01:00:00+00:00. Nothing was changed" in done.stderr


def test_a_full_disk_leaves_no_file(env: dict[str, str], tmp_path: Path) -> None:
    """Nor half of one, under any name."""
    store_run(env["DATABASE_URL"], [h / 7 for h in range(2000)], series="long")
    command = f"ulimit -f 64; exec {sys.executable} -m dataportal dump long a.jsonl"
    done = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, **env},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "a.jsonl cannot be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.jsonl*"))
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_no_file(
    start_cli: StartCli, env: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    """Even when all is written but its name."""
    pause = Pause(tmp_path, "before_appearing")
    process = start_cli("dump", "load", "a.jsonl", env={**env, **pause.env})
    pause.wait_until_reached()
    process.send_signal(number)
    _, errors = await_end(process)
    assert (process.returncode, errors) == (128 + number, "")
    assert {path.suffix for path in tmp_path.iterdir() if path.is_file()} <= {".fifo"}


def test_a_kill_leaves_no_file_of_that_name(
    run_cli: RunCli, env: dict[str, str], tmp_path: Path
) -> None:
    """And the next one is not in its way."""
    killed = run_cli("dump", "load", "a.jsonl", env={**env, **kill_at("before_appearing")})
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "a.jsonl").exists()
    assert run_cli("dump", "load", "a.jsonl", env=env).returncode == 0


def kill_at(failpoint: str) -> dict[str, str]:
    """The variables that kill the program at a failpoint."""
    return {"DATAPORTAL_FAILPOINT": f"{failpoint}:kill"}


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", ["mid_copy", "between_tables", "before_commit"])
def test_a_restore_that_is_killed_leaves_nothing(
    run_cli: RunCli, env: dict[str, str], elsewhere: dict[str, str], failpoint: str
) -> None:
    """No series, no version, no run, no lock; and the next one needs no help."""
    store_run(env["DATABASE_URL"], [h / 7 for h in range(2000)], series="long")
    assert run_cli("dump", "load", "long", "a.jsonl.gz", env=env).returncode == 0
    killed = run_cli("restore", "a.jsonl.gz", env={**elsewhere, **kill_at(failpoint)})
    assert killed.returncode == -signal.SIGKILL
    with open_observer(elsewhere["DATABASE_URL"]) as look:
        for table in ("time_series", "time_series_data", "time_series_data_scd2", "fetch_run"):
            count = look.execute(f"SELECT count(*) FROM {table}".encode())  # noqa: S608 - of these
            assert count.fetchone() == (0,)
        while held_locks(elsewhere["DATABASE_URL"]):
            pass  # until the server has noticed
        assert run_cli("restore", "a.jsonl.gz", env=elsewhere).returncode == 0
        assert len(history(look, "long")) == 2000
    assert run_cli("verify", "-q", env=elsewhere).returncode == 0
