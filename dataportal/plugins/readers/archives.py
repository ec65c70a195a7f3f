"""Unpacks answers that are ZIP, tar or gzip archives, within limits of size and depth."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from dataportal.plugins.http.file_kinds import is_office_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MAX_DEPTH = 3  # some providers put archives into archives; .tar.gz is one in another
_NESTED = (".zip", ".gz", ".tgz", ".tar")
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_MAX_FILES = 10_000
_NO_DATE = (1980, 1, 1, 0, 0, 0)  # what stands in a ZIP archive where nobody set a date


class ArchiveError(Exception):
    """An archive that is broken, encrypted or too large; the text says why."""


class UnwantedFilesError(ArchiveError):
    """An archive none of whose files is wanted.

    Attributes:
        names: of the files that it has.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


class ArchiveFile(NamedTuple):
    """A file of an archive.

    Attributes:
        body: its bytes.
        name: its name; empty for what is no archive, or has no names in it.
        time: when it was written, by whatever clock; None if it does not say.
        path: its name, behind those of the archives that it is in: `outer.zip/inner.csv`.
    """

    body: bytes
    name: str = ""
    time: datetime | None = None
    path: str = ""


def unpack(
    body: bytes, *, limit: int, is_wanted: Callable[[str], bool] = lambda _: True
) -> list[ArchiveFile]:
    """The files of a ZIP, tar or gzip archive in the order of their names; others as they are.

    Office files, which are archives too, stay as they are.

    Args:
        body: bytes that may be an archive.
        limit: bytes that all files together may have.
        is_wanted: whether a file counts, by its path; the others need not be unpacked.

    Raises:
        ArchiveError: it cannot be unpacked, or no file of it is wanted; then it names them.
    """
    names: list[str] = []

    def is_taken(path: str) -> bool:
        names.append(path)
        return is_wanted(path) or path.lower().endswith(_NESTED)

    files = _unpack(ArchiveFile(body), limit, 0, is_taken)
    if not names:
        return files  # no archive, or one without files
    wanted = [file for file in files if is_wanted(file.path)]
    if not wanted and not all(map(is_wanted, names)):
        raise UnwantedFilesError(names)
    return wanted


def _unpack(
    file: ArchiveFile, limit: int, depth: int, is_taken: Callable[[str], bool]
) -> list[ArchiveFile]:
    body = file.body
    try:
        if body.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(body)) as stream:
                content = stream.read(limit + 1)
            return _unpack_nested([file._replace(body=content)], limit, depth, is_taken)
        if body.startswith(b"PK\x03\x04") and not is_office_file(body):
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                members = sorted(
                    (m for m in archive.infolist() if not m.is_dir()), key=lambda m: m.filename
                )
                if len(members) > _MAX_FILES:
                    raise ArchiveError(f"holds more than {_MAX_FILES} files")
                files, remaining = [], limit
                for member in members:
                    path = _path(file, member.filename)
                    if not is_taken(path):
                        continue
                    with archive.open(member) as stream:
                        content = stream.read(remaining + 1)
                    files.append(ArchiveFile(content, member.filename, _time(member), path))
                    remaining -= len(content)
                    if remaining < 0:
                        raise _too_large(limit)
            return _unpack_nested(files, limit, depth, is_taken)
        if body[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
            return _unpack_nested(_tar_files(file, limit, is_taken), limit, depth, is_taken)
    # RuntimeError for what is encrypted, or packed in a way that zipfile does not know
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError, RuntimeError) as e:
        raise ArchiveError(str(e)) from None
    return [file]


def _time(member: zipfile.ZipInfo) -> datetime | None:
    if member.date_time == _NO_DATE:
        return None
    try:
        return datetime(*member.date_time, tzinfo=UTC)
    except ValueError:
        return None


def _tar_files(file: ArchiveFile, limit: int, is_taken: Callable[[str], bool]) -> list[ArchiveFile]:
    """The files of a tar archive that are taken, in the order of their names."""
    files, remaining = [], limit
    with tarfile.open(fileobj=io.BytesIO(file.body), mode="r:") as archive:
        members = sorted((m for m in archive.getmembers() if m.isreg()), key=lambda m: m.name)
        if len(members) > _MAX_FILES:
            raise ArchiveError(f"holds more than {_MAX_FILES} files")
        for member in members:
            path = _path(file, member.name)
            stream = archive.extractfile(member) if is_taken(path) else None
            if stream is None:
                continue
            content = stream.read(remaining + 1)
            time = datetime.fromtimestamp(member.mtime, UTC) if member.mtime > 0 else None
            files.append(ArchiveFile(content, member.name, time, path))
            remaining -= len(content)
            if remaining < 0:
                raise _too_large(limit)
    return files


def _path(file: ArchiveFile, name: str) -> str:
    return f"{file.path}/{name}" if file.path else name


def _unpack_nested(
    files: list[ArchiveFile], limit: int, depth: int, is_taken: Callable[[str], bool]
) -> list[ArchiveFile]:
    if sum(len(file.body) for file in files) > limit:
        raise _too_large(limit)
    if depth == _MAX_DEPTH:
        return files
    return [inner for file in files for inner in _unpack(file, limit, depth + 1, is_taken)]


def _too_large(limit: int) -> ArchiveError:
    return ArchiveError(f"unfolds to more than {limit >> 20} MiB")
