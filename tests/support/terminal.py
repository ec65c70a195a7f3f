"""Runs the program on a pseudo-terminal, as somebody who sits there sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def run_on_terminal(
    *args: str, env: Mapping[str, str], cwd: Path | None = None, columns: int = 100
) -> tuple[int, str]:
    """Run the program with a pseudo-terminal as stdin, stdout and stderr; nothing is paged.

    Returns:
        its exit code, and everything that appeared on the screen, with all escape codes.
    """
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "dataportal", *args],
        env={"TERM": "xterm-256color", "PAGER": "", **env},
        cwd=cwd,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    screen = bytearray()
    with process:
        try:
            while chunk := os.read(controller, 65536):
                screen += chunk
        except OSError:
            pass  # how Linux says that nobody holds the other end any more
    os.close(controller)
    return process.returncode, screen.decode().replace("\r\n", "\n")
