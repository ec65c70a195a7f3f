"""Measures how much memory a program takes at most."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

# A process inherits the peak of the one it was forked from, so a small one stands in between.
_WATCH = """
import json, os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    json.dump([os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024], file)
"""


class MemoryUse(NamedTuple):
    """How a program ended, and the most memory it had, in bytes."""

    code: int
    memory: int


def run_watching_memory(
    *command: str,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdout: IO[str] | int | None = None,
    stderr: IO[str] | int | None = None,
) -> MemoryUse:
    """Run a program, named by its whole path, to its end."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        subprocess.run(
            [sys.executable, "-S", "-c", _WATCH, str(report), *command],
            env=dict(env),
            cwd=cwd or os.curdir,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            check=True,
        )
        return MemoryUse(*json.loads(report.read_text()))
