"""Cleans a plugin's raw answer: parsed, in UTC, clipped to the window, without doubles, in order.

Pure. Well-formed answers take a fast path over whole columns; whatever is odd in one takes the
exact path, point by point, with the same result.

More than 500 lines, as both paths must agree to the point and are read beside each other.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Real
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from dataportal.errors import BadDataError, FetchError
from dataportal.local_times import ClockChanges, LocalTime, end_of_day, instants_of, resolve
from dataportal.raw_points import (
    MISSING,
    MOST_POINTS,
    NoPoint,
    RefusedTime,
    kind_of,
    raw_points,
    short_repr,
)
from dataportal.redaction import harmless, redact
from dataportal.repetitions import Repeated, choice, contradiction
from dataportal.statements import same_unit, statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from dataportal.granularity import IntervalLength
    from dataportal.raw_points import LeftOut, RawPoints
    from dataportal.repetitions import Moment
    from dataportal.statements import Statement

_BOTH = 2  # hours of an autumn night that clocks show alike
_MOST_REJECTIONS = 20
"""Rejections that are kept with their reasons; the rest are only counted."""
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

Vintage = tuple[datetime, datetime, float | None]
"""The ts, the time of publication and the value that was published."""


@dataclass(frozen=True, slots=True)
class Observations:
    """Clean points of one series: `ts` aware, in UTC, strictly ascending; None is "no value".

    Where the points carry times of publication, `values` are the newest published ones,
    `published` says when they were, and `vintages` has every (ts, published_at, value), in order.
    `statement` is what the answer states of the series besides.
    """

    ts: list[datetime]
    values: list[float | None]
    published: list[datetime] | None = None
    vintages: list[Vintage] | None = None
    statement: Statement | None = None

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def newest(self) -> datetime | None:
        """The last `ts` that has a value."""
        backwards = zip(reversed(self.ts), reversed(self.values), strict=True)
        return next((ts for ts, value in backwards if value is not None), None)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A point that cannot be taken: its series, its 0-based position in the answer, and why."""

    series: str
    position: int
    reason: str


@dataclass(slots=True)
class Batch:
    """A clean answer: every declared series has its observations, if only an empty list.

    received = duplicates + rejected + outside + nulls + the observations of all series, or their
    vintages where they have some.

    `nulls` stood beside a number of the same time, which counts; those among the observations are
    not counted here.

    `before` are those of the ones outside that lie before the window, `after` those after it.
    `refused_series` are those of which a point cannot be taken. `unchanged` are those of which the
    provider said that some of it is as it was when it was stored. `left_out_from` is the earliest
    time at or after the end that was left out. `doubt` is why the answer may be a page, of which
    nobody asked for the others.
    """

    series: dict[str, Observations]
    received: int = 0
    duplicates: int = 0
    rejected: int = 0
    outside: int = 0
    nulls: int = 0
    before: int = 0
    after: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    refused_series: set[str] = field(default_factory=set)
    unchanged: set[str] = field(default_factory=set)
    left_out_from: datetime | None = None
    doubt: str | None = None

    def reject(self, series: str, position: int, reason: str) -> None:
        """Count a point that cannot be taken."""
        self.rejected += 1
        self.refused_series.add(series)
        if len(self.rejections) < _MOST_REJECTIONS:
            self.rejections.append(Rejection(series, position, harmless(reason, 900)))

    def count_left_out(self, left_out: LeftOut) -> None:
        """Count the points that a plugin left out by itself, as if they had been in its answer."""
        outside = left_out.before + left_out.after + left_out.elsewhere
        self.received += outside + left_out.duplicates
        self.duplicates += left_out.duplicates
        self.outside += outside
        self.before += left_out.before
        self.after += left_out.after

    def leave_out(
        self, *, before: int = 0, after: int = 0, earliest: datetime | None = None
    ) -> None:
        """Count points that lie outside of the window; `earliest` is the first one after it."""
        self.outside += before + after
        self.before += before
        self.after += after
        if earliest is not None:
            self.left_out_from = min(earliest, self.left_out_from or earliest)


class _Rejected(Exception):  # noqa: N818 - says what becomes of a point, within this module
    """A point cannot be taken; the text says why."""


def clean(
    answer: object,
    *,
    series: Sequence[str],
    start: datetime | None,
    end: datetime | None,
    zone: ZoneInfo | None,
    repeated: Repeated = Repeated.REFUSE,
    lengths: Mapping[str, IntervalLength] = MappingProxyType({}),
    units: Mapping[str, str] = MappingProxyType({}),
) -> Batch:
    """The answer as a batch of clean observations, with a count of everything left out.

    Args:
        answer: the raw points by series: a list of `{"ts", "value"}`, columns of both, or either
            under `"data"`; for a series that alone failed, the error: it counts as one point
            that cannot be taken.
        series: the declared series; points of any other are rejected.
        start: points before are `outside`, unless their interval reaches beyond it; None for no
            such bound.
        end: points at or after are `outside`; None for no such bound.
        zone: where times without an offset are local; None rejects them.
        repeated: what several numbers for one time mean, or for one publication of it.
        lengths: the lengths of intervals, of the series of which they are known. What the answer
            says itself, as the `end` of a point, comes first.
        units: the units that the answers before named, of the series of which they are known.

    Raises:
        BadDataError: the answer has another shape, or more points than are taken.
        FetchError: the first of them, where there are only errors in it.
    """
    if not isinstance(answer, Mapping):
        raise BadDataError(
            f"the plugin returned {kind_of(answer)}, not a mapping from series to points"
        )
    failures = [raw for raw in answer.values() if isinstance(raw, FetchError)]
    if failures and len(failures) == len(answer):
        raise failures[0]
    batch = Batch({name: Observations([], []) for name in series})
    left = MOST_POINTS
    for name, raw in answer.items():
        if isinstance(raw, FetchError):
            batch.received += 1
            batch.reject(str(name), 0, redact(str(raw)))
            continue
        points = raw_points(raw, str(name), most=left)
        left -= len(points)
        if points.unchanged:
            batch.unchanged.add(str(name))
        if points.doubt is not None:
            batch.doubt = batch.doubt or redact(harmless(points.doubt, 500))
        batch.received += len(points)
        batch.count_left_out(points.left_out)
        if name not in batch.series:
            for position in range(len(points)):
                batch.reject(str(name), position, "the source declares no such series")
            continue
        stated = statement(points.stated, name)
        if _has_other_unit(stated, units.get(name), name, points, batch):
            continue
        window = _Window(start, end, zone, lengths.get(name))
        observations = _clean_points(points, name, batch, window, repeated)
        batch.series[name] = replace(observations, statement=stated) if stated else observations
    return batch


def _clean_points(
    points: RawPoints, name: str, batch: Batch, window: _Window, repeated: Repeated
) -> Observations:
    columns = points.clean_columns(window.zone)
    if columns is not None:
        return window.clip(*columns, points.ends, batch)
    return _clean_point_by_point(points, name, batch, window, repeated)


def _has_other_unit(
    stated: Statement | None, unit: str | None, name: str, points: RawPoints, batch: Batch
) -> bool:
    """Whether the answer has another unit than the series; then none of its points is taken."""
    if stated is None or stated.unit is None or not len(points):
        return False
    if stated.other_units:
        named = " and in ".join([stated.unit, *stated.other_units])
        reason = f"the answer has values in {named}: nothing of it is stored. Ask for one of them"
    elif unit is not None and not same_unit(stated.unit, unit):
        reason = (
            f"the answer is in {stated.unit}, the series in {unit}: nothing of it is stored. If it "
            "is the same unit under another name, the entry converts it (scale), or it is meant: "
            "fetch it with --accept-units"
        )
    else:
        return False
    batch.rejected += len(points) - 1
    batch.reject(name, 0, reason)
    return True


@dataclass(frozen=True, slots=True)
class _Window:
    """The window [start, end), and how far the intervals of a series reach into it."""

    start: datetime | None
    end: datetime | None
    zone: ZoneInfo | None
    length: IntervalLength | None

    def is_before(self, ts: datetime, end: object) -> bool:
        """Whether the interval that begins at `ts` ends where the window begins, or before."""
        if self.start is None or ts >= self.start:
            return False
        until = self._instant(end)
        if until is None and self.length is not None:
            until = self.length.end_of(ts, self.zone)
        return until is None or until <= self.start

    def clip(
        self,
        ts: list[datetime],
        values: list[float | None],
        ends: Sequence[object] | None,
        batch: Batch,
    ) -> Observations:
        """The part of ascending times that lies in the window, with their values."""
        low, high = 0, len(ts)
        if ts and self.end is not None and ts[-1] >= self.end:
            high = bisect_left(ts, self.end)
            batch.leave_out(after=len(ts) - high, earliest=ts[high])
        if ts and self.start is not None and ts[0] < self.start:
            low = min(bisect_left(ts, self.start), high)
            # of intervals without an overlap only the last one can reach into the window
            while low and not self.is_before(ts[low - 1], ends[low - 1] if ends else None):
                low -= 1
            batch.leave_out(before=low)
        if high - low == len(ts):
            return Observations(ts, values)
        return Observations(ts[low:high], values[low:high])

    def _instant(self, end: object) -> datetime | None:
        if not isinstance(end, datetime):
            return None
        if end.tzinfo is not None:
            return end
        instants = instants_of(end, self.zone) if self.zone is not None else ()
        return max(instants, default=None)


def _clean_point_by_point(
    points: RawPoints, name: str, batch: Batch, window: _Window, repeated: Repeated
) -> Observations:
    zone, end = window.zone, window.end
    times, values, publications, reasons = _read_points(points, zone)
    resolved = times
    if zone is not None:
        for position in _repetitions(times, [values, publications, points.ends], reasons, zone):
            times[position] = None
        resolved = resolve(times, zone)
    position_at: dict[datetime, dict[datetime | None, int]] = {}
    repetitions: dict[Moment, list[int]] = {}
    for position, ts in enumerate(resolved):
        if position in reasons:
            batch.reject(name, position, reasons[position])
        elif ts is None:  # a row that repeats another one
            batch.duplicates += 1
        elif isinstance(ts, LocalTime):
            batch.reject(name, position, f"{points.ts[position]!s} {ts.reason}")
        elif end is not None and ts >= end:
            batch.leave_out(after=1, earliest=ts)
        elif window.is_before(ts, points.ends[position] if points.ends else None):
            batch.leave_out(before=1)
        else:
            _place(position, (ts, publications[position]), position_at, repetitions)
    _settle(repetitions, position_at, points, values, name, batch, repeated)
    ordered = sorted(position_at)
    if points.published is None:
        return Observations(ordered, [values[position_at[ts][None]] for ts in ordered])
    return _published_observations(ordered, position_at, values)


class _Points(NamedTuple):
    """What could be read of points, side by side, and why the others cannot be taken."""

    times: list[datetime | LocalTime | None]
    values: list[float | None]
    publications: list[datetime | None]
    reasons: dict[int, str]


def _read_points(points: RawPoints, zone: ZoneInfo | None) -> _Points:
    times: list[datetime | LocalTime | None] = []
    values: list[float | None] = []
    publications: list[datetime | None] = []
    reasons: dict[int, str] = {}
    for position, (raw_ts, raw_value) in enumerate(zip(points.ts, points.values, strict=True)):
        time: datetime | LocalTime | None = None
        value: float | None = None
        published: datetime | None = None
        try:
            time = _parse_time(raw_ts)
            value = _parse_value(raw_value)
            if points.published is not None:
                published = _parse_publication(points.published[position], zone)
        except _Rejected as rejected:
            # a time that was read still tells which of two hours its neighbours mean
            at = "" if time is None else f", at {raw_ts!s}"
            reasons[position] = f"{rejected}{at}"
        times.append(time)
        values.append(value)
        publications.append(published)
    return _Points(times, values, publications, reasons)


def _repetitions(
    times: Sequence[datetime | LocalTime | None],
    beside: Sequence[Sequence[object] | None],
    reasons: Mapping[int, str],
    zone: ZoneInfo,
) -> set[int]:
    """The points with a local time that is there more often than the clocks show it, but once each.

    Of those that are equal in all that is beside them. Two in an hour that occurs twice are two
    hours, also if they are equal.
    """
    positions: defaultdict[datetime, list[int]] = defaultdict(list)
    changes = ClockChanges(zone)
    for position, time in enumerate(times):
        if isinstance(time, LocalTime) and changes.touch(time.wall.date()):
            positions[time.wall].append(position)
    repeated: set[int] = set()
    for wall, several in positions.items():
        if len(several) <= _BOTH or len(instants_of(wall, zone)) < _BOTH:
            continue
        known: set[tuple[object, ...]] = set()
        for position in several:
            content = tuple(column[position] if column else None for column in beside)
            if position not in reasons and content in known:
                repeated.add(position)
            known.add(content)
    return repeated


def _place(
    position: int,
    moment: Moment,
    position_at: dict[datetime, dict[datetime | None, int]],
    repetitions: dict[Moment, list[int]],
) -> None:
    """Note which point has a time, or that several have it."""
    ts, publication = moment
    before = position_at.setdefault(ts, {}).setdefault(publication, position)
    if before != position:
        repetitions.setdefault(moment, [before]).append(position)


def _settle(
    repetitions: Mapping[Moment, Sequence[int]],
    position_at: dict[datetime, dict[datetime | None, int]],
    points: RawPoints,
    values: Sequence[float | None],
    name: str,
    batch: Batch,
    repeated: Repeated,
) -> None:
    """Leave the point that counts in `position_at`, or none, where several have the same time."""
    for moment, positions in repetitions.items():
        ts, publication = moment
        newest = points.newest(positions)
        numbers = [position for position in newest if values[position] is not None]
        taken = choice(newest, values, repeated)
        if taken is not None:
            position_at[ts][publication] = taken
            nulls = len(newest) - len(numbers) if numbers else 0
            batch.nulls += nulls
            batch.duplicates += len(positions) - nulls - 1
            continue
        batch.nulls += len(newest) - len(numbers)
        batch.duplicates += len(positions) - len(newest)
        reason = contradiction(moment, [values[position] for position in numbers])
        for position in numbers:
            batch.reject(name, position, reason)
        del position_at[ts][publication]
        if not position_at[ts]:
            del position_at[ts]


def _published_observations(
    ordered: list[datetime],
    position_at: Mapping[datetime, Mapping[datetime | None, int]],
    values: Sequence[float | None],
) -> Observations:
    vintages = [
        (ts, published, values[position])
        for ts in ordered
        for published, position in sorted(position_at[ts].items(), key=lambda pair: pair[0] or ts)
        if published is not None
    ]
    newest = {ts: (published, value) for ts, published, value in vintages}
    return Observations(
        ordered,
        [newest[ts][1] for ts in ordered],
        [newest[ts][0] for ts in ordered],
        vintages,
    )


def _parse_publication(raw: object, zone: ZoneInfo | None) -> datetime:
    if raw is MISSING or raw is None:
        raise _Rejected("has no published_at, which other points of the series have")
    instant = _parse_time(raw)
    if not isinstance(instant, LocalTime):
        return instant
    if zone is None:
        raise _Rejected(f"published_at {short_repr(raw)} has no offset, and the source no timezone")
    if _is_bare_date(raw):
        return end_of_day(instant.wall.date(), zone)
    instants = instants_of(instant.wall, zone)
    if not instants:
        raise _Rejected(f"published_at {short_repr(raw)} does not exist in {zone}")
    # of two instants the later one: by then it was public for certain
    return max(instants)


def _is_bare_date(raw: object) -> bool:
    if isinstance(raw, str):
        return len(raw.strip()) <= len("2000-01-01")
    return not isinstance(raw, datetime)


def _parse_time(raw: object) -> datetime | LocalTime:
    if isinstance(raw, str):
        time = _parse_text(raw)
    elif isinstance(raw, datetime):
        try:
            # a subclass, such as a library's timestamp, becomes a plain datetime
            time = datetime.combine(raw.date(), raw.timetz())
        except ValueError:
            # pandas.NaT is a datetime without a date
            raise _Rejected(f"{short_repr(raw)} is no time") from None
    elif isinstance(raw, date):
        time = datetime(raw.year, raw.month, raw.day)  # noqa: DTZ001 - local midnight
    elif raw is MISSING or raw is None:
        raise _Rejected("has no ts")
    elif isinstance(raw, NoPoint):
        raise _Rejected(f"{short_repr(raw.raw)} is no point with ts and value")
    else:
        raise _Rejected(f"{short_repr(raw)} is no time; a plugin turns it into one")
    if time.utcoffset() is None:
        return LocalTime(time.replace(tzinfo=None, fold=0))
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise _Rejected(f"{short_repr(raw)} is beyond the calendar in UTC") from None


def _parse_text(raw: str) -> datetime:
    if isinstance(raw, RefusedTime):
        raise _Rejected(str(raw))
    try:
        return datetime.fromisoformat(raw)
    except ValueError:
        raise _Rejected(f"{short_repr(raw)} is not an ISO 8601 time") from None


def _parse_value(raw: object) -> float | None:
    if raw is None:
        return None
    if raw is MISSING:
        raise _Rejected("has no value")
    if isinstance(raw, bool) or not isinstance(raw, (str, Real, Decimal)):
        raise _Rejected(f"{short_repr(raw)} is no number")
    if isinstance(raw, str) and not _DECIMAL.fullmatch(raw):
        raise _Rejected(f"{short_repr(raw)} is no plain decimal number")
    try:
        value = float(raw)
    except (OverflowError, ValueError):
        value = math.inf
    if math.isnan(value):
        return None
    if math.isinf(value):
        raise _Rejected(f"{short_repr(raw)} is infinite, or larger than a double can hold")
    return value + 0.0
