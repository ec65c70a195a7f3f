"""Unpacks answers that are ZIP or gzip archives, within limits of size and depth."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from datetime import UTC, datetime
from typing import NamedTuple

from dataportal.plugins.http.file_kinds import is_office_file

_MAX_DEPTH = 2  # some providers put archives into archives
_MAX_FILES = 10_000
_NO_DATE = (1980, 1, 1, 0, 0, 0)  # what stands in a ZIP archive where nobody set a date


class ArchiveError(Exception):
    """An archive that is broken, encrypted or too large; the text says why."""


class ArchiveFile(NamedTuple):
    """A file of an archive.

    Attributes:
        body: its bytes.
        name: its name; empty for what is no archive, or has no names in it.
        time: when it was written, by whatever clock; None if it does not say.
    """

    body: bytes
    name: str = ""
    time: datetime | None = None


def unpack(body: bytes, *, limit: int) -> list[ArchiveFile]:
    """The files of a ZIP or gzip archive in the order of their names; anything else as it is.

    Office files, which are archives too, stay as they are.

    Args:
        body: bytes that may be an archive.
        limit: bytes that all files together may have.

    Raises:
        ArchiveError: it cannot be unpacked.
    """
    return _unpack(ArchiveFile(body), limit, 0)


def _unpack(file: ArchiveFile, limit: int, depth: int) -> list[ArchiveFile]:
    body = file.body
    try:
        if body.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(body)) as stream:
                content = stream.read(limit + 1)
            return _unpack_nested([file._replace(body=content)], limit, depth)
        if body.startswith(b"PK\x03\x04") and not is_office_file(body):
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                members = sorted(
                    (m for m in archive.infolist() if not m.is_dir()), key=lambda m: m.filename
                )
                if len(members) > _MAX_FILES:
                    raise ArchiveError(f"holds more than {_MAX_FILES} files")
                files, remaining = [], limit
                for member in members:
                    with archive.open(member) as stream:
                        content = stream.read(remaining + 1)
                    files.append(ArchiveFile(content, member.filename, _time(member)))
                    remaining -= len(content)
                    if remaining < 0:
                        raise _too_large(limit)
            return _unpack_nested(files, limit, depth)
    # RuntimeError for what is encrypted, or packed in a way that zipfile does not know
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as e:
        raise ArchiveError(str(e)) from None
    return [file]


def _time(member: zipfile.ZipInfo) -> datetime | None:
    if member.date_time == _NO_DATE:
        return None
    try:
        return datetime(*member.date_time, tzinfo=UTC)
    except ValueError:
        return None


def _unpack_nested(files: list[ArchiveFile], limit: int, depth: int) -> list[ArchiveFile]:
    if sum(len(file.body) for file in files) > limit:
        raise _too_large(limit)
    if depth == _MAX_DEPTH:
        return files
    return [inner for file in files for inner in _unpack(file, limit, depth + 1)]


def _too_large(limit: int) -> ArchiveError:
    return ArchiveError(f"unfolds to more than {limit >> 20} MiB")
