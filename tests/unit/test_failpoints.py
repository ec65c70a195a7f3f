"""The places at which other tests stop or kill the program: real processes that pass one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
from dataportal.failpoints import failpoint
print("before", flush=True)
failpoint("here")
print("after", flush=True)
"""


def started(env: dict[str, str]) -> subprocess.Popen[str]:
    """A process that passes the place `here`."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={name: text for name, text in os.environ.items() if "FAILPOINT" not in name} | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    "armed", [None, "", "there:kill", "here", "here:", "here:sing", ":kill", "here@2:kill"]
)
def test_a_place_that_is_not_armed_has_no_effect(armed: str | None) -> None:
    """Not in production, not where another place is armed, not for an unknown action."""
    with started({} if armed is None else {"DATAPORTAL_FAILPOINT": armed}) as process:
        out, err = process.communicate(timeout=30)
    assert (out, err, process.returncode) == ("before\nafter\n", "", 0)


def test_kill_ends_the_process_there() -> None:
    """As a power cut would: no clean-up, nothing said."""
    with started({"DATAPORTAL_FAILPOINT": "here:kill"}) as process:
        out, err = process.communicate(timeout=30)
    assert (out, err, process.returncode) == ("before\n", "", -signal.SIGKILL)


def test_a_later_time_can_be_meant() -> None:
    """The process that comes by a second time is killed then, and not before."""
    twice = PROGRAM + 'failpoint("here")\nprint("not reached", flush=True)\n'
    done = subprocess.run(
        [sys.executable, "-c", twice],
        env={**os.environ, "DATAPORTAL_FAILPOINT": "here@2:kill"},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("before\nafter\n", -signal.SIGKILL)


def test_raise_raises_an_error_that_nobody_expects() -> None:
    """One that names the place."""
    with started({"DATAPORTAL_FAILPOINT": "here:raise"}) as process:
        out, err = process.communicate(timeout=30)
    assert (out, process.returncode) == ("before\n", 1)
    assert err.endswith("RuntimeError: failpoint here\n")


def test_pause_waits_until_it_is_told_to_go_on(tmp_path: Path) -> None:
    """The process says where it is, and does nothing more until something is written back."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    armed = {"DATAPORTAL_FAILPOINT": "here:pause", "DATAPORTAL_FAILPOINT_FIFO": str(fifo)}
    with started(armed) as process:
        assert fifo.read_text() == "here"
        assert process.poll() is None
        fifo.write_text("go on")
        out, err = process.communicate(timeout=30)
    assert (out, err, process.returncode) == ("before\nafter\n", "", 0)
