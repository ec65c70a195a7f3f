"""From a plugin's raw answer to a clean batch: parsed, in UTC, clipped, without doubles, in order.

Pure. Well-formed answers take a fast path over whole columns; whatever is odd in one takes the
exact path, point by point, with the same result.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from numbers import Real
from typing import TYPE_CHECKING, Any

from dataportal.errors import BadDataError
from dataportal.local_times import LocalTime, resolve
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

_SHOWN = 20
"""Rejections that are kept with their reasons; the rest are only counted."""
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ZERO = timedelta()


@dataclass(frozen=True, slots=True)
class Observations:
    """Clean points of one series: `ts` aware, in UTC, strictly ascending; None is "no value"."""

    ts: list[datetime]
    values: list[float | None]

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A point that cannot be taken: its series, its 0-based position in the answer, and why."""

    series: str
    position: int
    reason: str


@dataclass(slots=True)
class Batch:
    """A clean answer: every declared series has its observations, if only an empty list.

    received = duplicates + rejected + outside + the observations of all series.
    """

    series: dict[str, Observations]
    received: int = 0
    duplicates: int = 0
    rejected: int = 0
    outside: int = 0
    rejections: list[Rejection] = field(default_factory=list)

    def reject(self, series: str, position: int, reason: str) -> None:
        """Count a point that cannot be taken."""
        self.rejected += 1
        if len(self.rejections) < _SHOWN:
            self.rejections.append(Rejection(series, position, harmless(reason, 200)))


class _Refused(Exception):  # noqa: N818 - says what becomes of a point, within this module
    """A point cannot be taken; the text says why."""


def clean(
    answer: object,
    *,
    series: Sequence[str],
    start: datetime | None,
    end: datetime | None,
    zone: ZoneInfo | None,
) -> Batch:
    """The answer as a batch of clean observations, with a count of everything left out.

    Args:
        answer: the raw points by series: a list of `{"ts", "value"}`, columns of both, or either
            under `"data"`.
        series: the declared series; points of any other are rejected.
        start: points before are `outside`; None for no such bound.
        end: points at or after are `outside`; None for no such bound.
        zone: where times without an offset are local; None rejects them.

    Raises:
        BadDataError: the answer has another shape.
    """
    if not isinstance(answer, Mapping):
        raise BadDataError(
            f"the plugin returned {_kind(answer)}, not a mapping from series to points"
        )
    batch = Batch({name: Observations([], []) for name in series})
    for name, raw in answer.items():
        points = _points(raw, str(name))
        batch.received += len(points)
        if name not in batch.series:
            for position in range(len(points)):
                batch.reject(str(name), position, "the source declares no such series")
            continue
        fast = points.fast(start, end)
        batch.series[name] = _exact(points, name, batch, start, end, zone) if fast is None else fast
    return batch


class _Columns:
    """Times and values side by side; what stands for a missing one is `_ABSENT`."""

    def __init__(self, ts: Sequence[Any], values: Sequence[Any]) -> None:
        self.ts = ts
        self.values = values

    def __len__(self) -> int:
        return len(self.ts)

    def fast(self, start: datetime | None, end: datetime | None) -> Observations | None:
        """The observations, if everything is as it should be; None if anything is odd."""
        ts = _all_aware(self.ts)
        values = _all_numbers(self.values) if ts is not None else None
        if ts is None or values is None:
            return None
        if not all(map(operator.lt, ts, islice(ts, 1, None))):
            return None
        if ts and ((start is not None and ts[0] < start) or (end is not None and ts[-1] >= end)):
            return None
        return Observations(ts, values)


_ABSENT = object()


def _points(raw: object, name: str) -> _Columns:
    if isinstance(raw, Mapping) and "data" in raw and "ts" not in raw:
        raw = raw["data"]
    if raw is None:
        return _Columns([], [])
    if isinstance(raw, Mapping):
        if "ts" not in raw or "value" not in raw:
            raise BadDataError(
                f"series {name!r}: columns must be named ts and value, not "
                + ", ".join(harmless(str(key), 40) for key in islice(raw, 5))
            )
        ts, values = _column(raw["ts"], name), _column(raw["value"], name)
        if len(ts) != len(values):
            raise BadDataError(f"series {name!r}: {len(ts)} times but {len(values)} values")
        return _Columns(ts, values)
    points = _column(raw, name)
    try:
        return _Columns([p["ts"] for p in points], [p["value"] for p in points])
    except (KeyError, TypeError, IndexError):
        pairs = [
            (p.get("ts", _ABSENT), p.get("value", _ABSENT))
            if isinstance(p, Mapping)
            else (_NoPoint(p), _ABSENT)
            for p in points
        ]
        return _Columns([ts for ts, _ in pairs], [value for _, value in pairs])


def _column(raw: object, name: str) -> Sequence[Any]:
    if isinstance(raw, (str, bytes)) or not hasattr(raw, "__iter__"):
        raise BadDataError(f"series {name!r}: the plugin returned {_kind(raw)}, not a list")
    return raw if isinstance(raw, (list, tuple)) else list(raw)


@dataclass(frozen=True, slots=True)
class _NoPoint:
    """Stands for a point that is no mapping."""

    raw: object


def _all_aware(raw: Sequence[Any]) -> list[datetime] | None:
    kinds = set(map(type, raw))
    try:
        if kinds == {str}:
            moments = list(map(datetime.fromisoformat, raw))
            if len(min(raw, key=len)) < len("2000-01-01T00"):
                return None  # a bare date is local midnight
        elif kinds == {datetime}:
            moments = list(raw)
        else:
            return [] if not kinds else None
        zones = set(map(operator.attrgetter("tzinfo"), moments))
        if zones == {UTC}:
            return moments
        if None in zones:
            return None
        return [moment.astimezone(UTC) for moment in moments]
    except (ValueError, OverflowError):
        return None


def _all_numbers(raw: Sequence[Any]) -> list[float | None] | None:
    kinds = set(map(type, raw))
    if not kinds <= {float, int, type(None)}:
        return None
    if kinds <= {float}:
        values = list(raw)
        # the sum of squares is finite only if every value is; adding 0.0 turns -0.0 into 0.0
        if all(map(math.isfinite, values)):
            return values if 0.0 not in values else [value + 0.0 for value in values]
        return None
    try:
        values = [value if value is None else value + 0.0 for value in raw]
    except OverflowError:
        return None
    return values if all(v is None or math.isfinite(v) for v in values) else None


def _exact(
    points: _Columns,
    name: str,
    batch: Batch,
    start: datetime | None,
    end: datetime | None,
    zone: ZoneInfo | None,
) -> Observations:
    moments: list[datetime | LocalTime | None] = []
    values: list[float | None] = []
    reasons: dict[int, str] = {}
    for position, (raw_ts, raw_value) in enumerate(zip(points.ts, points.values, strict=True)):
        moment: datetime | LocalTime | None = None
        value: float | None = None
        try:
            moment = _moment(raw_ts)
            value = _value(raw_value)
        except _Refused as refused:
            # a time that was read still tells which of two hours its neighbours mean
            reasons[position] = str(refused)
        moments.append(moment)
        values.append(value)
    resolved = resolve(moments, zone) if zone is not None else moments
    taken: dict[datetime, float | None] = {}
    for position, moment in enumerate(resolved):
        if position in reasons:
            batch.reject(name, position, reasons[position])
        elif isinstance(moment, LocalTime) or moment is None:
            reason = moment.reason if isinstance(moment, LocalTime) else "has no time"
            batch.reject(name, position, f"{points.ts[position]!s} {reason}")
        elif (start is not None and moment < start) or (end is not None and moment >= end):
            batch.outside += 1
        else:
            batch.duplicates += moment in taken
            taken[moment] = values[position]
    order = sorted(taken)
    return Observations(order, [taken[moment] for moment in order])


def _moment(raw: object) -> datetime | LocalTime:
    if isinstance(raw, str):
        try:
            moment = datetime.fromisoformat(raw)
        except ValueError:
            raise _Refused(f"{_text(raw)} is not an ISO 8601 time") from None
    elif isinstance(raw, datetime):
        # a subclass, such as a library's timestamp, becomes a plain datetime
        moment = datetime.combine(raw.date(), raw.timetz())
    elif isinstance(raw, date):
        moment = datetime(raw.year, raw.month, raw.day)  # noqa: DTZ001 - local midnight
    elif raw is _ABSENT or raw is None:
        raise _Refused("has no ts")
    elif isinstance(raw, _NoPoint):
        raise _Refused(f"{_text(raw.raw)} is no point with ts and value")
    else:
        raise _Refused(f"{_text(raw)} is no time; a plugin turns it into one")
    if moment.utcoffset() is None:
        return LocalTime(moment.replace(tzinfo=None, fold=0))
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _Refused(f"{_text(raw)} is beyond the calendar in UTC") from None


def _value(raw: object) -> float | None:
    if raw is None:
        return None
    if raw is _ABSENT:
        raise _Refused("has no value")
    if isinstance(raw, bool) or not isinstance(raw, (str, Real, Decimal)):
        raise _Refused(f"{_text(raw)} is no number")
    if isinstance(raw, str) and not _DECIMAL.fullmatch(raw):
        raise _Refused(f"{_text(raw)} is no plain decimal number")
    try:
        value = float(raw)
    except (OverflowError, ValueError):
        value = math.inf
    if math.isnan(value):
        return None
    if math.isinf(value):
        raise _Refused(f"{_text(raw)} is infinite, or larger than a double can hold")
    return value + 0.0


def _text(raw: object) -> str:
    try:
        return harmless(repr(raw), 80)
    except Exception:  # noqa: BLE001 - a foreign object's repr must not lose the other points
        return _kind(raw)


def _kind(raw: object) -> str:
    return f"a {type(raw).__name__}"
