"""Unpacks answers that are ZIP or gzip archives, within limits of size and depth."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib

_MAX_DEPTH = 2  # some providers put archives into archives
_MAX_FILES = 10_000


class ArchiveError(Exception):
    """An archive that is broken, encrypted or too large; the text says why."""


def unpack(body: bytes, *, limit: int, depth: int = 0) -> list[bytes]:
    """The files of a ZIP or gzip archive in the order of their names; anything else as it is.

    Args:
        body: bytes that may be an archive.
        limit: bytes that all files together may have.
        depth: how many archives it lies in.

    Raises:
        ArchiveError: it cannot be unpacked.
    """
    try:
        if body.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(body)) as stream:
                content = stream.read(limit + 1)
            return _unpack_nested([content], limit, depth)
        if body.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                members = sorted(
                    (m for m in archive.infolist() if not m.is_dir()), key=lambda m: m.filename
                )
                if len(members) > _MAX_FILES:
                    raise ArchiveError(f"holds more than {_MAX_FILES} files")
                contents, remaining = [], limit
                for member in members:
                    with archive.open(member) as stream:
                        contents.append(stream.read(remaining + 1))
                    remaining -= len(contents[-1])
                    if remaining < 0:
                        raise _too_large(limit)
            return _unpack_nested(contents, limit, depth)
    # RuntimeError for what is encrypted, or packed in a way that zipfile does not know
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as e:
        raise ArchiveError(str(e)) from None
    return [body]


def _unpack_nested(contents: list[bytes], limit: int, depth: int) -> list[bytes]:
    if sum(map(len, contents)) > limit:
        raise _too_large(limit)
    if depth == _MAX_DEPTH:
        return contents
    return [inner for file in contents for inner in unpack(file, limit=limit, depth=depth + 1)]


def _too_large(limit: int) -> ArchiveError:
    return ArchiveError(f"unfolds to more than {limit >> 20} MiB")
