"""Answers that are archives: the files in them, unpacked within limits."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib

_DEEPEST = 2  # some providers put archives into archives
_MOST_FILES = 10_000


class CannotOpen(Exception):  # noqa: N818 - the reader that asked says which answer
    """An archive that is broken, encrypted or too large; the text says why."""


def files(body: bytes, *, limit: int, depth: int = 0) -> list[bytes]:
    """The files of a ZIP or gzip archive in the order of their names; anything else, as it is.

    Args:
        body: bytes that may be an archive.
        limit: bytes that all files together may have.
        depth: archives that it lies in.

    Raises:
        CannotOpen: it cannot be unpacked.
    """
    try:
        if body.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(body)) as packed:
                inner = packed.read(limit + 1)
            return _unfolded([inner], limit, depth)
        if body.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                members = sorted(
                    (m for m in archive.infolist() if not m.is_dir()), key=lambda m: m.filename
                )
                if len(members) > _MOST_FILES:
                    raise CannotOpen(f"holds more than {_MOST_FILES} files")
                found, left = [], limit
                for member in members:
                    with archive.open(member) as packed:
                        found.append(packed.read(left + 1))
                    left -= len(found[-1])
                    if left < 0:
                        raise _too_large(limit)
            return _unfolded(found, limit, depth)
    # RuntimeError for what is encrypted, or packed in a way that zipfile does not know
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as e:
        raise CannotOpen(str(e)) from None
    return [body]


def _unfolded(found: list[bytes], limit: int, depth: int) -> list[bytes]:
    if sum(map(len, found)) > limit:
        raise _too_large(limit)
    if depth == _DEEPEST:
        return found
    return [inner for file in found for inner in files(file, limit=limit, depth=depth + 1)]


def _too_large(limit: int) -> CannotOpen:
    return CannotOpen(f"unfolds to more than {limit >> 20} MiB")
