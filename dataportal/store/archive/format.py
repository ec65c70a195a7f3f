"""The lines of a file that holds the whole history of series, and the order in which they come.

    {"type":"dataportal","format":1}
    {"type":"series","endpoint_prefix":"load","source":"grid","known_through":"2025-03-03T06:00:00Z",…}
    {"type":"version","ts":"2025-03-01T00:00:00Z","value":1.5,"valid_from":"…","valid_to":null}
    {"type":"vintage","ts":"2025-03-01T00:00:00Z","published_at":"…","recorded_at":"…","value":null}
    {"type":"end","series":1,"versions":1,"vintages":1,"sha256":"…"}

After its `series` line come the versions of a series, by ts and valid_from, then its vintages, by
ts, published_at and recorded_at. `valid_to` is null while a version is current; `value` is null
for a publication of "no value". Times are UTC. Keys of a database, such as series_id and run_id,
are not in it. The last line counts the others and has the SHA-256 of all lines before it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from math import isfinite
from typing import Annotated, Any, TypeAlias

import msgspec

FORMAT = 1

Instant: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """One line of the file; which one, its field `type` says."""


class Head(Line, frozen=True, tag="dataportal"):
    """The first line: which format this is."""

    format: int


class Series(Line, frozen=True, tag="series"):
    """What is known of a series besides its history."""

    endpoint_prefix: str
    source: str
    name: str | None
    description: str | None
    granularity: str | None
    unit: str | None
    domain: str | None
    category: str | None
    subcategory: str | None
    update_frequency: str | None
    ts_timezone: str | None
    metadata: dict[str, Any]
    history_asked: bool
    """Whether its initial history had been asked for."""
    known_through: Instant | None
    """Answers as of any time up to here were final."""


class Version(Line, frozen=True, tag="version"):
    """A version of an observation; `valid_to` is None while it is current."""

    ts: Instant
    value: float
    valid_from: Instant
    valid_to: Instant | None


class Vintage(Line, frozen=True, tag="vintage"):
    """A publication; `value` is None where there was none any more."""

    ts: Instant
    published_at: Instant
    recorded_at: Instant
    value: float | None


class End(Line, frozen=True, tag="end"):
    """The last line: what the others amount to."""

    series: int
    versions: int
    vintages: int
    sha256: str


Row: TypeAlias = Series | Version | Vintage
_DECODER: msgspec.json.Decoder[Head | Row | End] = msgspec.json.Decoder(Head | Row | End)


def decoded(text: bytes) -> Head | Row | End:
    """The line.

    Raises:
        ValueError: it is none of these, or of a later format.
    """
    try:
        row = _DECODER.decode(text)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    if isinstance(row, Head) and row.format != FORMAT:
        raise ValueError(f"format {row.format} is not known; update dataportal")
    if isinstance(row, Version | Vintage) and not isfinite(row.value or 0.0):
        raise ValueError("the value is not finite")
    return row


class Sequence:
    """Counts and hashes the lines of a file, one after the other."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._counts = {Series: 0, Version: 0, Vintage: 0}
        self._names: set[str] = set()
        self._before: Head | Row | End | None = None

    @property
    def complete(self) -> bool:
        """Whether the last line has been there."""
        return isinstance(self._before, End)

    def add(self, text: bytes | bytearray, row: Head | Row) -> None:
        """One line more, as it stands in the file."""
        self._digest.update(text)
        if not isinstance(row, Head):
            self._counts[type(row)] += 1
        self._before = row

    def end(self) -> End:
        """The last line for those that were added."""
        series, versions, vintages = self._counts.values()
        return End(series, versions, vintages, self._digest.hexdigest())

    def check(self, row: Head | Row | End) -> None:
        """Look whether this line may be the next: then no version overlaps another.

        Raises:
            ValueError: it may not.
        """
        fault = self._fault(row)
        if fault is not None:
            raise ValueError(fault)
        if isinstance(row, End):
            self._before = row

    def _fault(self, row: Head | Row | End) -> str | None:
        before = self._before
        if isinstance(before, End):
            return "there is more after the last line"
        if (before is None) != isinstance(row, Head):
            return "this is no file of dataportal dump"
        if isinstance(row, End):
            right = row == self.end()
            return None if right else "counts or checksum are not those of the lines before"
        if isinstance(row, Series):
            again = row.endpoint_prefix in self._names
            self._names.add(row.endpoint_prefix)
            return f"series {row.endpoint_prefix!r} is there twice" if again else None
        return None if isinstance(row, Head) else _misplaced(row, before)


def _misplaced(row: Version | Vintage, before: Head | Row | None) -> str | None:
    if isinstance(before, Head):
        return "it belongs to no series"
    if isinstance(row, Version):
        return _misplaced_version(row, before)
    if isinstance(before, Vintage) and not _key(before) < _key(row):
        return "the vintages are not in their order"
    return None


def _misplaced_version(row: Version, before: Head | Row | None) -> str | None:
    if isinstance(before, Vintage):
        return "a version after the vintages"
    if row.valid_to is not None and row.valid_from >= row.valid_to:
        return "the version ends before it begins"
    if not isinstance(before, Version) or before.ts < row.ts:
        return None
    if before.ts > row.ts:
        return "the versions are not in their order"
    if before.valid_to is None or before.valid_to > row.valid_from:
        return "the version begins before the one before it ends"
    return None


def _key(row: Vintage) -> tuple[datetime, datetime, datetime]:
    return row.ts, row.published_at, row.recorded_at
