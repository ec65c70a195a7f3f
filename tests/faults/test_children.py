"""Processes that plugins start: none outlives the program, and none does its work."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.program_sources import PATIENCE, SourceFile, await_end, outcomes

if TYPE_CHECKING:
    from conftest import RunCli, StartCli

_POINT = "{'ts': '2026-01-01T00:00:00Z', 'value': 1.0}"
_HEAD = """
import multiprocessing, signal, subprocess, time
from pathlib import Path

def note(pid):
    with open(Path(__file__).parent / "pids", "a") as file:
        file.write(f"{pid}\\n")

def sleep():
    note(os.getpid())
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)

def fork(child):
    pid = os.fork()
    if pid == 0:
        child()
    note(pid)
"""
_STARTS = {
    "a fork that sleeps": "fork(sleep)",
    "a fork that comes back": "fork(lambda: None)",
    "a fork that fails": "fork(lambda: 1 / 0)",
    "a fork that leaves": "fork(sys.exit)",
    "a fork of a fork": "fork(lambda: fork(sleep))",
    "a daemon": "fork(lambda: (os.setsid(), fork(sleep)))",
    "another program": "note(subprocess.Popen(['sleep', '600']).pid)",
    "a session of its own": "note(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)",
    "a process of Python": "multiprocessing.get_context('fork').Process(target=sleep).start()",
}


def forking_source(folder: Path, start: str, then: str) -> None:
    """A source whose plugin starts something, and then does something else."""
    sources = SourceFile(folder)
    sources.python(
        "forks",
        f"""
        def get_historical_data(self, *window):
            {start}
            while not (Path(__file__).parent / "pids").exists():
                time.sleep(0.01)
            {then}
            return [{_POINT}]
        """,
        head=_HEAD,
        initial_history="all",
    )
    sources.write()


def is_running(pid: int) -> bool:
    """Whether there is such a process, and not only what is left of it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return state.rpartition(")")[2].split()[0] not in "ZX"


def pids(folder: Path) -> list[int]:
    """Those that the plugin has noted."""
    return [int(line) for line in (folder / "pids").read_text(encoding="utf-8").split()]


@pytest.mark.parametrize("kind", _STARTS)
def test_no_child_outlives_the_program(
    tmp_path: Path, database_url: str, run_cli: RunCli, kind: str
) -> None:
    """Whatever it is and does; the run is as good as without it."""
    forking_source(tmp_path, _STARTS[kind], "pass")
    done = run_cli("fetch", "forks", env={"DATABASE_URL": database_url})
    assert done.returncode == 0, done.stderr
    assert outcomes(database_url) == ["succeeded"]
    started = pids(tmp_path)
    assert started
    assert not [pid for pid in started if is_running(pid)]
    if "sleep" in _STARTS[kind]:
        assert "left the process" in done.stderr


def test_nor_a_preview(tmp_path: Path, run_cli: RunCli) -> None:
    """Which stores nothing, and leaves nothing behind."""
    forking_source(tmp_path, "fork(sleep)", "pass")
    done = run_cli("preview", "forks")
    assert done.returncode in {0, 3}, done.stderr
    assert not [pid for pid in pids(tmp_path) if is_running(pid)]


def test_nor_one_that_is_ended_by_a_signal(
    tmp_path: Path, database_url: str, start_cli: StartCli
) -> None:
    """Although its plugin hangs."""
    forking_source(tmp_path, "fork(sleep)", "time.sleep(600)")
    program = start_cli("fetch", "forks", env={"DATABASE_URL": database_url})
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "pids").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    program.terminate()
    await_end(program)
    assert program.returncode == 143
    assert not [pid for pid in pids(tmp_path) if is_running(pid)]
