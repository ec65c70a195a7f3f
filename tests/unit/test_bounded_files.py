"""What is named as a file and may be none has an end here, in bytes and in time."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from dataportal.bounded_files import open_file, read_beginning

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 200_000])
@pytest.mark.parametrize("most", [8, 200_000])
def test_a_file_is_read_up_to_one_byte_more(tmp_path: Path, size: int, most: int) -> None:
    """That one tells that there are more."""
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    assert len(read_beginning(path, most, patience=1)) == min(size, most + 1)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/urandom"])
def test_a_device_has_no_end_and_is_not_waited_for(device: str) -> None:
    """No more of it is read than of a file."""
    assert len(read_beginning(device, 100_000, patience=1)) == 100_001


@pytest.mark.timeout(20)
def test_a_pipe_to_which_nobody_writes(tmp_path: Path) -> None:
    """Is not waited for without an end, neither as it is opened nor later."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(TimeoutError, match="nothing was written to it"):
        read_beginning(path, 10, patience=0.05)
    with pytest.raises(TimeoutError, match="nothing was written to it"):
        open_file(path, patience=0.05)
    writer = os.open(path, os.O_RDWR)
    try:
        with pytest.raises(TimeoutError, match="nothing was written to it"):
            read_beginning(path, 10, patience=0.05)
        os.write(writer, b"begun")
        with pytest.raises(TimeoutError, match="nothing was written to it"):
            read_beginning(path, 10, patience=0.05)
    finally:
        os.close(writer)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("whole", [True, False])
def test_a_pipe_that_is_written_to_in_parts(tmp_path: Path, *, whole: bool) -> None:
    """Gives them all, also such as come later than the patience for the first."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            file.write(b"one")
            time.sleep(0 if whole else 0.3)
            file.write(bytes(200_000))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        if whole:
            content = read_beginning(path, 10**6, patience=10)
        else:
            with open_file(path, patience=10) as file:
                content = file.read()
    finally:
        writer.join()
    assert content == b"one" + bytes(200_000)


def test_a_folder_and_what_is_not_there(tmp_path: Path) -> None:
    """Are errors that name the reason, and leave no descriptor open."""
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - its numbers, not paths
    for path, reason in ((tmp_path, "Is a directory"), (tmp_path / "none", "No such file")):
        for attempt in (read_beginning, open_file):
            with pytest.raises(OSError, match=reason):
                attempt(path, *([9] if attempt is read_beginning else []), patience=1)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - as above
