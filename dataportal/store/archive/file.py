"""Writes and reads the file that holds the whole history of series; gzip where it ends in .gz.

The same history gives the same bytes. Neither way holds more than a line of it.
"""

from __future__ import annotations

import gzip
import os
import secrets
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import msgspec

from dataportal.bounded_files import open_file
from dataportal.errors import FileError
from dataportal.failpoints import failpoint
from dataportal.store.archive.format import FORMAT, End, Head, LineSequence, parse_line
from dataportal.store.clock import TOLERANCE
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from dataportal.store.archive.format import Row

_PIPE_PATIENCE = 30.0  # seconds for whoever writes into a pipe
_LONGEST_LINE = 4 * 1024 * 1024
_GZIP = ".gz"
_OTHER_KINDS = {".zst", ".xz", ".bz2", ".zip", ".7z", ".csv", ".tsv", ".xlsx", ".parquet"}


def check_target(path: Path) -> None:
    """Look whether `write` could write a file of this name, which finds out only at its end.

    Raises:
        FileError: there is something of this name, or the ending promises another kind of file.
    """
    _check_ending(path)
    if os.path.lexists(path):
        raise FileError(f"{path} is there already", hint="Name another file, or remove it first")


def write(path: Path, rows: Iterable[Row]) -> End:
    """Write a file of these rows, which appears under its name whole or not at all.

    Returns:
        Its last line.

    Raises:
        FileError: there is a file of this name, or it cannot be written.
    """
    check_target(path)
    sequence, encode, line = LineSequence(), msgspec.json.Encoder().encode_into, bytearray()

    def put(row: Head | Row | End) -> None:
        encode(row, line)
        line.extend(b"\n")
        file.write(line)
        if not isinstance(row, End):
            sequence.add(line, row)

    with _create_file(path) as file:
        put(Head(FORMAT))
        for row in rows:
            put(row)
        end = sequence.end()
        put(end)
    return end


def read(path: Path) -> Iterator[Row | End]:
    """The rows of a file, and at the end its last line.

    What comes before the last line is of a file that may yet turn out to be damaged.

    Raises:
        FileError: it cannot be read, is no such file, is cut, or was changed; says at which line.
    """
    _check_ending(path)
    if path.is_dir():
        raise FileError(
            f"{path} cannot be read: Is a directory",
            hint="Name a file that dump wrote without --format",
        )
    number, sequence, latest = 0, LineSequence(), utc_now() + TOLERANCE
    try:
        with _open_file(path) as file:
            while text := file.readline(_LONGEST_LINE):
                number += 1
                row = _parse_whole_line(text, latest)
                sequence.check(row)
                if not isinstance(row, End):
                    sequence.add(text, row)
                if not isinstance(row, Head):
                    yield row
        if not sequence.complete:
            _parse_whole_line(b"", latest)
    except FileNotFoundError:
        raise FileError(f"there is no file {path}") from None
    except EOFError:
        raise FileError(
            f"{path} is cut: it ends in line {number}", hint="Nothing of it is used"
        ) from None
    except (ValueError, gzip.BadGzipFile, zlib.error) as error:
        raise FileError(
            f"{path}:{number}: {error}", hint="The file is damaged; nothing of it is used"
        ) from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from None


def _parse_whole_line(text: bytes, latest: datetime) -> Head | Row | End:
    if text.endswith(b"\n"):
        return parse_line(text, latest=latest)
    if len(text) == _LONGEST_LINE:
        raise ValueError("the line is too long")
    raise EOFError


def _check_ending(path: Path) -> None:
    for suffix in path.suffixes[-2:]:
        if suffix.lower() in _OTHER_KINDS:
            raise FileError(
                f"{path.name}: {suffix} is not known", hint="End it in .jsonl.gz, or .jsonl"
            )


@contextmanager
def _open_file(path: Path) -> Iterator[IO[bytes]]:
    with open_file(path, patience=_PIPE_PATIENCE) as raw:
        if path.suffix.lower() != _GZIP:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as file:
            yield file  # type: ignore[misc]  # typed as its own class, and reads like any other


@contextmanager
def _create_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file, which gets its name when all is written, and vanishes when it is not."""
    hidden = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with hidden.open("xb") as raw:
            if path.suffix.lower() == _GZIP:
                # neither the name nor the time goes into the file: the same history, the same bytes
                with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
                    yield file  # type: ignore[misc]  # as above
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        failpoint("before_appearing")
        # unlike a rename, a link fails where the name is taken
        os.link(hidden, path)
    except FileExistsError:
        raise FileError(
            f"{path} has appeared meanwhile", hint="Name another file; this one is left as it is"
        ) from None
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        hidden.unlink(missing_ok=True)
