"""Writes files whole: who reads one sees the file before or the new one, never a part."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dataportal.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_replaceable(path: Path) -> None:
    """Look whether a file of that name could be written.

    Raises:
        FileError: its folder is missing, or there is something that is no file, such as a device,
            whose place a file would take for ever.
    """
    if not path.parent.is_dir():
        raise FileError(f"{path} cannot be written: there is no folder {path.parent}")
    if path.exists() and not path.is_file():
        raise FileError(f"{path} cannot be written: it is no file")


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A place beside a file to write to; at the end what is there becomes that file.

    Of a link the file that it leads to is meant. After an error all is as it was.

    Raises:
        FileError: the file cannot be written.
    """
    check_replaceable(path)
    target = Path(os.path.realpath(path))
    hidden = target.with_name(f".{target.name}.{os.urandom(4).hex()}.part")
    try:
        yield hidden
        hidden.replace(target)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)
