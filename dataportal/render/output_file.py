"""Writes the lines of an answer to a file, which is there whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dataportal.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def check_output(path: Path) -> None:
    """Look whether a file could be written there, before the work that is for it.

    Raises:
        FileError: its folder is missing, or it is no file.
    """
    if not path.parent.is_dir():
        raise FileError(f"{path} cannot be written: there is no folder {path.parent}")
    if path.exists() and not path.is_file():
        raise FileError(f"{path} cannot be written: it is no file")


def write_lines(path: Path, lines: Iterable[str], *, for_everybody: bool = False) -> None:
    """Write a file of these lines, which takes the place of the one before when it is complete.

    Args:
        path: the file.
        lines: without their ends.
        for_everybody: every user may read it, whatever the umask says.

    Raises:
        FileError: it cannot be written; the one before is as it was.
    """
    hidden = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    try:
        with hidden.open("x", encoding="utf-8", newline="") as file:
            if for_everybody:
                os.fchmod(file.fileno(), 0o644)
            for line in lines:
                file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(path)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        hidden.unlink(missing_ok=True)
