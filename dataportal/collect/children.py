"""Ends the processes that plugins started and left behind, so that none outlives the program.

Linux tells through /proc which processes a process has started, and hands over to it what those
leave behind; elsewhere nothing is done.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_PATIENCE = 1.0  # seconds between asking a process to end and ending it
_POLL = 0.02
_ROUNDS = 5  # what one that is ended leaves behind comes to light when it has ended
_SET_CHILD_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
_adopts = False
_PROCESSES = Path("/proc")


def children() -> frozenset[int]:
    """The processes that this one has started, and those that they have."""
    return frozenset(_descendants(os.getpid()))


def adopt_orphans() -> None:
    """Become the parent of what children leave behind, also of what cuts itself off as a daemon."""
    global _adopts  # noqa: PLW0603 - asked for once a process
    if _adopts or not sys.platform.startswith("linux"):
        return
    _adopts = True
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_children(but: Collection[int]) -> list[str]:
    """End what was started since; what each was, by its number and its command.

    Args:
        but: the processes that there were before.
    """
    names: list[str] = []
    for _ in range(_ROUNDS):
        left = [pid for pid in children() - set(but) if not _is_dead(pid)]
        if not left:
            break
        names += [f"{pid} ({_command(pid)})" for pid in left]
        _end(left)
    return names


def _end(left: Collection[int]) -> None:
    _send(left, signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE
    while any(not _is_dead(pid) for pid in left) and time.monotonic() < deadline:
        time.sleep(_POLL)
    _send(left, signal.SIGKILL)
    for pid in left:
        # reaped by whoever started it, if it lives
        with suppress(OSError):
            os.waitpid(pid, os.WNOHANG)


def _descendants(pid: int) -> Iterator[int]:
    for tasks in _PROCESSES.joinpath(str(pid), "task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, tasks.read_text().split()):
                yield child
                yield from _descendants(child)


def _send(pids: Collection[int], number: signal.Signals) -> None:
    for pid in pids:
        if not _is_dead(pid):
            with suppress(OSError):
                os.kill(pid, number)


def _is_dead(pid: int) -> bool:
    """Whether it has ended, if only to wait for somebody to ask how."""
    try:
        state = _PROCESSES.joinpath(str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in {"Z", "X"}


def _command(pid: int) -> str:
    try:
        return _PROCESSES.joinpath(str(pid), "comm").read_text().strip()
    except OSError:
        return "?"
