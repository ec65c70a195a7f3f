"""Cleans a plugin's raw answer: parsed, in UTC, clipped to the window, without doubles, in order.

Pure. Well-formed answers take a fast path over whole columns; whatever is odd in one takes the
exact path, point by point, with the same result.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING

from dataportal.errors import BadDataError, FetchError
from dataportal.local_times import LocalTime, resolve
from dataportal.raw_points import MISSING, NoPoint, kind_of, raw_points, short_repr
from dataportal.redaction import harmless, redact
from dataportal.repetitions import Repeated, choice, contradiction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from dataportal.raw_points import RawPoints
    from dataportal.repetitions import Moment

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
    """

    ts: list[datetime]
    values: list[float | None]
    published: list[datetime] | None = None
    vintages: list[Vintage] | None = None

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
) -> Batch:
    """The answer as a batch of clean observations, with a count of everything left out.

    Args:
        answer: the raw points by series: a list of `{"ts", "value"}`, columns of both, or either
            under `"data"`; for a series that alone failed, the error: it counts as one point
            that cannot be taken.
        series: the declared series; points of any other are rejected.
        start: points before are `outside`; None for no such bound.
        end: points at or after are `outside`; None for no such bound.
        zone: where times without an offset are local; None rejects them.
        repeated: what several numbers for one time mean, or for one publication of it.

    Raises:
        BadDataError: the answer has another shape.
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
    for name, raw in answer.items():
        if isinstance(raw, FetchError):
            batch.received += 1
            batch.reject(str(name), 0, redact(str(raw)))
            continue
        if isinstance(raw, Mapping) and raw.get("unchanged") is True:
            batch.unchanged.add(str(name))
        if isinstance(raw, Mapping) and isinstance(doubt := raw.get("doubt"), str):
            batch.doubt = batch.doubt or redact(harmless(doubt, 500))
        points = raw_points(raw, str(name))
        batch.received += len(points)
        if name not in batch.series:
            for position in range(len(points)):
                batch.reject(str(name), position, "the source declares no such series")
            continue
        columns = points.clean_columns(start, end)
        if columns is not None:
            batch.series[name] = Observations(*columns)
        else:
            batch.series[name] = _clean_point_by_point(
                points, name, batch, start, end, zone, repeated
            )
    return batch


def _clean_point_by_point(
    points: RawPoints,
    name: str,
    batch: Batch,
    start: datetime | None,
    end: datetime | None,
    zone: ZoneInfo | None,
    repeated: Repeated,
) -> Observations:
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
                published = _parse_publication(points.published[position])
        except _Rejected as rejected:
            # a time that was read still tells which of two hours its neighbours mean
            at = "" if time is None else f", at {raw_ts!s}"
            reasons[position] = f"{rejected}{at}"
        times.append(time)
        values.append(value)
        publications.append(published)
    resolved = resolve(times, zone) if zone is not None else times
    position_at: dict[datetime, dict[datetime | None, int]] = {}
    repetitions: dict[Moment, list[int]] = {}
    for position, ts in enumerate(resolved):
        if position in reasons:
            batch.reject(name, position, reasons[position])
        elif isinstance(ts, LocalTime) or ts is None:
            reason = ts.reason if isinstance(ts, LocalTime) else "has no time"
            batch.reject(name, position, f"{points.ts[position]!s} {reason}")
        elif (start is not None and ts < start) or (end is not None and ts >= end):
            batch.outside += 1
            if end is not None and ts >= end:
                batch.left_out_from = min(ts, batch.left_out_from or ts)
        else:
            _place(position, (ts, publications[position]), position_at, repetitions)
    _settle(repetitions, position_at, points, values, name, batch, repeated)
    ordered = sorted(position_at)
    if points.published is None:
        return Observations(ordered, [values[position_at[ts][None]] for ts in ordered])
    return _published_observations(ordered, position_at, values)


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


def _parse_publication(raw: object) -> datetime:
    if raw is MISSING or raw is None:
        raise _Rejected("has no published_at, which other points of the series have")
    instant = _parse_time(raw)
    if isinstance(instant, LocalTime):
        raise _Rejected(f"published_at {short_repr(raw)} has no offset")
    return instant


def _parse_time(raw: object) -> datetime | LocalTime:
    if isinstance(raw, str):
        try:
            time = datetime.fromisoformat(raw)
        except ValueError:
            raise _Rejected(f"{short_repr(raw)} is not an ISO 8601 time") from None
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
