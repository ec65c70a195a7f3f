"""Writes the lines of an answer to a file, which is there whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dataportal.atomic_files import atomic_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def write_lines(path: Path, lines: Iterable[str], *, for_everybody: bool = False) -> None:
    """Write a file of these lines, which takes the place of the one before when it is complete.

    Args:
        path: the file.
        lines: without their ends.
        for_everybody: every user may read it, whatever the umask says.

    Raises:
        FileError: it cannot be written; the one before is as it was.
    """
    with atomic_file(path) as hidden, hidden.open("x", encoding="utf-8", newline="") as file:
        if for_everybody:
            os.fchmod(file.fileno(), 0o644)
        for line in lines:
            file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())
