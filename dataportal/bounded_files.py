"""Reads what is named as a file and may be none: a device without an end, a silent pipe."""

from __future__ import annotations

import errno
import os
import select
import stat
from io import BufferedReader, FileIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 64 * 1024


def read_beginning(path: str | Path, most: int, *, patience: float) -> bytes:
    """What a file begins with.

    Args:
        path: a file, or a pipe such as `/dev/stdin`.
        most: bytes that are wanted; one more tells that it is longer.
        patience: seconds that a pipe may keep silent.

    Raises:
        OSError: it cannot be read, or keeps silent for longer.
    """
    with _open(path) as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return _read_file(file.fileno(), most)
        content = bytearray()
        while len(content) <= most:
            _await_content(file, patience)
            part = file.read(min(_BLOCK, most + 1 - len(content)))
            if part == b"":
                break
            content += part or b""
        return bytes(content)


def open_file(path: str | Path, *, patience: float) -> BufferedReader:
    """A file of any length, open for reading once something can be read, or its end was reached.

    Args:
        path: a file, or a pipe such as `/dev/stdin`.
        patience: seconds that a pipe may keep silent before its first byte.

    Raises:
        OSError: it cannot be read, or keeps silent for longer.
    """
    file = _open(path)
    try:
        _await_content(file, patience)
        os.set_blocking(file.fileno(), True)
    except OSError:
        file.close()
        raise
    return BufferedReader(file)


def _open(path: str | Path) -> FileIO:
    # without the flag a pipe to which nobody writes is waited for as it is opened
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return FileIO(number)  # which closes it, and refuses a folder
    except OSError:
        os.close(number)
        raise


def _await_content(file: FileIO, patience: float) -> None:
    if not select.select([file], [], [], patience)[0]:
        silence = f"nothing was written to it for {patience:g} seconds"
        raise TimeoutError(errno.ETIMEDOUT, silence)


def _read_file(number: int, most: int) -> bytes:
    content = b""
    while len(content) <= most and (part := os.read(number, most + 1 - len(content))):
        content = content + part if content else part
    return content
