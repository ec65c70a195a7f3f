"""Format of the file that holds the whole history of series: its lines, and their order.

    {"type":"dataportal","format":1}
    {"type":"series","endpoint_prefix":"load","source":"grid","known_through":"2025-03-03T06:00:00Z",…}
    {"type":"version","ts":"2025-03-01T00:00:00Z","value":1.5,"valid_from":"…","valid_to":null}
    {"type":"vintage","ts":"2025-03-01T00:00:00Z","published_at":"…","recorded_at":"…","value":null}
    {"type":"issue","issued_at":"…","first_ts":"…","last_ts":"…","points":48}
    {"type":"end","series":1,"versions":1,"vintages":1,"sha256":"…"}

After its `series` line come the versions of a series, by ts and valid_from, then its vintages, by
ts, published_at and recorded_at, then its issues, by issued_at. `valid_to` is null while a version
is current; `value` is null for a publication of "no value". Times are UTC. Keys of a database, such
as series_id and run_id, are not in it. The last line counts the others, and its `issues` are left
out where there are none; it has the SHA-256 of all lines before it. Of a series line what no answer
has stated is left out, from `history_asked_at` on: a file without it is as good.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec

from dataportal.granularity import interval_length
from dataportal.redaction import harmless
from dataportal.series import is_name
from dataportal.times import iso, time_zone

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from dataportal.granularity import IntervalLength

FORMAT = 1

Instant: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """One line of the file; which one, its field `type` says."""


class Head(Line, frozen=True, tag="dataportal"):
    """The first line: which format this is."""

    format: int


class SeriesResolution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long intervals are from a time on, in ISO 8601; None for no regular distance."""

    ts_from: Instant
    resolution: str | None

    @property
    def length(self) -> IntervalLength | None:
        """The same as a length."""
        return interval_length(self.resolution)


class Series(Line, frozen=True, tag="series", omit_defaults=True):
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
    history_asked_at: Instant | None = None
    """When it had been: what had come by then is its initial history."""
    availability: dict[str, str] | None = None
    """When its values are usually available."""
    answer_unit: str | None = None
    """The unit that its answers name."""
    published_timezone: str | None = None
    """The zone of whose days its provider publishes."""
    reading: Annotated[int, msgspec.Meta(ge=1, le=32_767)] | None = None
    """By which reading of its provider it is stored; None for the first."""
    resolutions: tuple[SeriesResolution, ...] | None = None
    """How long its intervals are, in order of `ts_from`; None where that was not recorded."""


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


class Issue(Line, frozen=True, tag="issue"):
    """What a run of a forecast answered, and since when all of it was known."""

    issued_at: Instant
    first_ts: Instant
    last_ts: Instant
    points: int


class End(Line, frozen=True, tag="end", omit_defaults=True):
    """The last line: what the others amount to."""

    series: int
    versions: int
    vintages: int
    sha256: str
    issues: int = 0


Row: TypeAlias = Series | Version | Vintage | Issue
_INSTANTS = {
    Series: ("known_through", "history_asked_at"),
    Version: ("ts", "valid_from", "valid_to"),
    Vintage: ("ts", "published_at", "recorded_at"),
    Issue: ("issued_at", "first_ts", "last_ts"),
}
_DEEPEST = 100
_MOST_POINTS = 2**31  # what the column holds
_DECODER: msgspec.json.Decoder[Head | Row | End] = msgspec.json.Decoder(Head | Row | End)


def parse_line(text: bytes, *, latest: datetime) -> Head | Row | End:
    """A line of the file.

    Args:
        text: the line.
        latest: nothing can have been known later.

    Raises:
        ValueError: it is none of these, of a later format, or has what no database can hold.
    """
    try:
        row = _DECODER.decode(text)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if isinstance(row, Head):
        if row.format != FORMAT:
            raise ValueError(f"format {row.format} is not known; update dataportal")
        return row
    if isinstance(row, End):
        return row
    row = _in_utc(row)
    if isinstance(row, Series):
        _check_texts(row)
        known = row.known_through
    elif isinstance(row, Version):
        known = row.valid_to or row.valid_from
    else:
        known = row.issued_at if isinstance(row, Issue) else row.recorded_at
    if known is not None and known > latest:
        raise ValueError(f"it was known at {iso(known)}, which is yet to come")
    if isinstance(row, Version | Vintage) and not isfinite(row.value or 0.0):
        raise ValueError("the value is not finite")
    return row


def _in_utc(row: Row) -> Row:
    """The same times in UTC, in which they are kept and shown; a file of our own has them so."""
    changes = {}
    for name in _INSTANTS[type(row)]:
        instant = getattr(row, name)
        if instant is None or instant.tzinfo is UTC:
            continue
        changes[name] = _utc(instant)
    return msgspec.structs.replace(row, **changes) if changes else row


def _utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{instant.isoformat()} is beyond the calendar in UTC") from None


def _check_texts(row: Series) -> None:
    for name in (row.endpoint_prefix, row.source):
        if not is_name(name):
            raise ValueError(f"{_quote(name)} is no name: it is empty, too long or not printable")
    _check_characters(msgspec.structs.asdict(row), 0)
    if row.published_timezone is not None:
        time_zone(row.published_timezone)
    _check_resolutions(row.resolutions or ())


def _check_resolutions(resolutions: Sequence[SeriesResolution]) -> None:
    for resolution in resolutions:
        if resolution.resolution is not None and resolution.length is None:
            raise ValueError(f"{_quote(resolution.resolution)} is no length of an interval")
        _utc(resolution.ts_from)
    if any(a.ts_from >= b.ts_from for a, b in pairwise(resolutions)):
        raise ValueError("the resolutions are not in their order")


def _check_characters(value: object, depth: int) -> None:
    """Look whether PostgreSQL can hold every text in it, of which none may have a NUL."""
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply")
    if isinstance(value, str) and "\0" in value:
        raise ValueError(f"{_quote(value)} has a NUL in it")
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_characters(key, depth)
            _check_characters(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_characters(inner, depth + 1)


def _quote(text: str) -> str:
    """The text as a message shows it."""
    return repr(harmless(text, 60))


class LineSequence:
    """Counts and hashes the lines of a file, and checks that each may follow the one before."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._counts = {Series: 0, Version: 0, Vintage: 0, Issue: 0}
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
        series, versions, vintages, issues = self._counts.values()
        return End(series, versions, vintages, self._digest.hexdigest(), issues)

    def check(self, row: Head | Row | End) -> None:
        """Look whether this line may be the next: then no version overlaps another.

        Raises:
            ValueError: it may not.
        """
        fault = self._find_fault(row)
        if fault is not None:
            raise ValueError(fault)
        if isinstance(row, End):
            self._before = row

    def _find_fault(self, row: Head | Row | End) -> str | None:
        before = self._before
        if isinstance(before, End):
            return "there is more after the last line"
        if (before is None) != isinstance(row, Head):
            return "this is no file of dataportal dump"
        if isinstance(row, End):
            is_right = row == self.end()
            return None if is_right else "counts or checksum are not those of the lines before"
        if isinstance(row, Series):
            is_again = row.endpoint_prefix in self._names
            self._names.add(row.endpoint_prefix)
            return f"series {row.endpoint_prefix!r} is there twice" if is_again else None
        return None if isinstance(row, Head) else _order_fault(row, before)


def _order_fault(row: Version | Vintage | Issue, before: Head | Row | None) -> str | None:
    if isinstance(before, Head):
        return "it belongs to no series"
    if isinstance(row, Issue):
        return _issue_fault(row, before)
    if isinstance(before, Issue):
        return "a version or a vintage after the issues"
    if isinstance(row, Version):
        return _version_fault(row, before)
    if isinstance(before, Vintage) and not _vintage_key(before) < _vintage_key(row):
        return "the vintages are not in their order"
    return None


def _issue_fault(row: Issue, before: Head | Row | None) -> str | None:
    if row.first_ts > row.last_ts or not 0 < row.points < _MOST_POINTS:
        return "the issue holds nothing"
    if isinstance(before, Issue) and before.issued_at >= row.issued_at:
        return "the issues are not in their order"
    return None


def _version_fault(row: Version, before: Head | Row | None) -> str | None:
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


def _vintage_key(row: Vintage) -> tuple[datetime, datetime, datetime]:
    return row.ts, row.published_at, row.recorded_at


@dataclass(slots=True)
class ArchivedSeries:
    """What a file holds of one series.

    Attributes:
        series: its line.
        inserted: versions before which nothing was known of the observation.
        revised: versions that took the place of another one.
        retracted: versions that ended without another one.
        vintages: publications.
        issues: runs of a forecast.
        first, last: the range of ts.
        known: the last knowledge time in it.
        run_id: the run that its versions name in the database that they were restored into.
    """

    series: Series
    inserted: int = 0
    revised: int = 0
    retracted: int = 0
    vintages: int = 0
    issues: int = 0
    first: datetime | None = None
    last: datetime | None = None
    known: datetime | None = None
    run_id: int | None = None
    _before: Version | None = field(default=None, repr=False)

    @property
    def versions(self) -> int:
        """How many there are."""
        return self.inserted + self.revised

    def add(self, row: Version | Vintage | Issue) -> None:
        """Take another line into account."""
        if isinstance(row, Issue):
            self._advance(row.issued_at)
            self.issues += 1
            return
        self.first = self.first or row.ts
        self.last = max(self.last or row.ts, row.ts)
        if isinstance(row, Version):
            self._advance(max(row.valid_from, row.valid_to or row.valid_from))
            before = self._before
            if before and before.ts == row.ts and before.valid_to == row.valid_from:
                self.revised += 1
                self.retracted -= 1
            else:
                self.inserted += 1
            self.retracted += row.valid_to is not None
            self._before = row
        else:
            self._advance(row.recorded_at)
            self.vintages += 1

    def _advance(self, known: datetime) -> None:
        self.known = max(self.known or known, known)


def count_rows(rows: Iterable[Row], archived: list[ArchivedSeries]) -> Generator[Row]:
    """The same rows; those of each series are counted, as they pass, in `archived`."""
    for row in rows:
        if isinstance(row, Series):
            archived.append(ArchivedSeries(row))
        else:
            archived[-1].add(row)
        yield row
