"""Reads the shapes in which a plugin may answer, as columns of times and values. Pure.

Well-formed columns become clean ones at once; whatever is odd in them is left to the caller.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from dataportal.errors import BadDataError
from dataportal.local_times import instants_of_quiet_days
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

MISSING: Final = object()
"""Stands for a ts, a value or a published_at that a point does not have."""

MOST_POINTS = 10_000_000
"""An answer may have so many. Each takes some 100 bytes and more, and no provider sends as many."""


STATED: Final = ("unit", "resolutions", "published_zone", "withdrawn", "reread")
"""What an answer may say of a series beside its columns."""


class RawPoints:
    """Times and values side by side, as the plugin gave them; `MISSING` where there is none.

    Args:
        ts: the times.
        values: as many values.
        published: as many times of publication; None where no point carries one.
        revised: as many times of the files that they stood in, or what else orders these; None for
            one that is not known, and in place of all where no file is newer than another.
        ends: as many ends of intervals; None where no point carries one.
        left_out: what the plugin left out by itself.
        unchanged: whether the provider said that some of it is as it was when it was stored.
        doubt: why the answer may be a page, of which nobody asked for the others.
        stated: what the answer says of the series besides, as `statements` reads it.
    """

    def __init__(
        self,
        ts: Sequence[Any],
        values: Sequence[Any],
        published: Sequence[Any] | None = None,
        revised: Sequence[Any] | None = None,
        ends: Sequence[Any] | None = None,
        left_out: LeftOut | None = None,
        *,
        unchanged: bool = False,
        doubt: str | None = None,
        stated: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.ts = ts
        self.values = values
        self.published = published
        self.revised = revised
        self.ends = ends
        self.left_out = left_out or LeftOut()
        self.unchanged = unchanged
        self.doubt = doubt
        self.stated = stated

    def __len__(self) -> int:
        return len(self.ts)

    def newest(self, positions: Sequence[int]) -> Sequence[int]:
        """Those of several points that stand in the newest file, if the time of each is known."""
        if self.revised is None:
            return positions
        times = [self.revised[position] for position in positions]
        if None in times:
            return positions
        try:
            newest = max(times)
        except TypeError:
            return positions
        return [position for position, time in zip(positions, times, strict=True) if time == newest]

    def clean_columns(
        self, zone: ZoneInfo | None
    ) -> tuple[list[datetime], list[float | None]] | None:
        """Times in UTC and values as floats, if all are well-formed; None if anything is odd.

        Args:
            zone: where times without an offset are local; None where it is not known.
        """
        ts = _instants(self.ts, zone) if self.published is None else None
        values = _finite_numbers(self.values) if ts is not None else None
        if ts is None or values is None:
            return None
        if not all(map(operator.lt, ts, islice(ts, 1, None))):
            return None
        return ts, values


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Points of an answer that a plugin did not hand over.

    Attributes:
        before: those before the window.
        after: those at its end or after it.
        elsewhere: those outside of it, on whichever side.
        duplicates: those that are equal to another one in every field.
    """

    before: int = 0
    after: int = 0
    elsewhere: int = 0
    duplicates: int = 0


class RefusedTime(str):
    """Stands for a time that a plugin could read and must not take; the text is the reason."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NoPoint:
    """Stands for a point that is no mapping."""

    raw: object


def raw_points(raw: object, name: str, *, most: int = MOST_POINTS) -> RawPoints:
    """What a plugin returned for the series `name`, as columns; those that are there already stay.

    Args:
        raw: what it returned. What yields points is asked for one at a time, and need not keep it.
        name: the series.
        most: so many points may be taken.

    Raises:
        BadDataError: neither points nor columns of the same length, or more than `most`.
    """
    if type(raw) is RawPoints:
        return raw
    if not isinstance(raw, Mapping):
        return _listed_points(raw, name, most)
    doubt = raw.get("doubt")
    stated = {key: raw[key] for key in STATED if key in raw}
    unchanged = raw.get("unchanged") is True
    left_out = _left_out_counts(raw, name)
    if "data" in raw and "ts" not in raw:
        raw = raw["data"]
    points = (
        _columns(raw, name, most) if isinstance(raw, Mapping) else _listed_points(raw, name, most)
    )
    points.left_out, points.unchanged = left_out, unchanged
    points.doubt = doubt if isinstance(doubt, str) else None
    points.stated = stated
    return points


def _columns(raw: Mapping[Any, Any], name: str, most: int) -> RawPoints:
    if "ts" not in raw or "value" not in raw:
        raise BadDataError(
            f"series {name!r}: columns must be named ts and value, not "
            + ", ".join(harmless(str(key), 40) for key in islice(raw, 5))
        )
    ts, values = _column(raw["ts"], name, most), _column(raw["value"], name, most)
    if len(ts) != len(values):
        raise BadDataError(f"series {name!r}: {len(ts)} times but {len(values)} values")
    published, revised, ends = (
        _beside(raw, key, len(ts), name) for key in ("published_at", "revised_at", "end")
    )
    return RawPoints(ts, values, published, revised=revised, ends=ends)


def _listed_points(raw: object, name: str, most: int) -> RawPoints:
    if raw is None:
        return RawPoints([], [])
    if type(raw) not in {list, tuple}:
        return _drain(_iterable(raw, name), name, most)
    points = _column(raw, name, most)
    if (columns := _bare_columns(points)) is not None:
        return RawPoints(*columns)
    published, ends = (
        [p.get(key, absent) if isinstance(p, Mapping) else absent for p in points]
        if any(isinstance(p, Mapping) and key in p for p in points)
        else None
        for key, absent in (("published_at", MISSING), ("end", None))
    )
    try:
        return RawPoints(
            [p["ts"] for p in points], [p["value"] for p in points], published, None, ends
        )
    except (KeyError, TypeError, IndexError):
        pairs = [
            (p.get("ts", MISSING), p.get("value", MISSING))
            if isinstance(p, Mapping)
            else (NoPoint(p), MISSING)
            for p in points
        ]
        ts, values = [ts for ts, _ in pairs], [value for _, value in pairs]
        return RawPoints(ts, values, published, None, ends)


def _drain(points: Iterable[Any], name: str, most: int) -> RawPoints:
    """Columns of points that come one at a time, and may be one object that changes."""
    ts: list[Any] = []
    values: list[Any] = []
    published: list[Any] | None = None
    ends: list[Any] | None = None
    for count, point in enumerate(points):
        if count >= most:
            raise _too_many(name)
        if not isinstance(point, Mapping):
            try:
                pair = point["ts"], point["value"]
            except (KeyError, TypeError, IndexError):
                pair = NoPoint(point), MISSING
        else:
            pair = point.get("ts", MISSING), point.get("value", MISSING)
            if published is None and "published_at" in point:
                published = [MISSING] * count
            if ends is None and "end" in point:
                ends = [None] * count
        ts.append(pair[0])
        values.append(pair[1])
        is_mapping = isinstance(point, Mapping)
        if published is not None:
            published.append(point.get("published_at", MISSING) if is_mapping else MISSING)
        if ends is not None:
            ends.append(point.get("end") if is_mapping else None)
    return RawPoints(ts, values, published, None, ends)


def _bare_columns(points: Sequence[Any]) -> tuple[list[Any], list[Any]] | None:
    """The columns of points that have a ts and a value, and nothing beside them; else None."""
    if {*map(type, points)} != {dict} or {*map(len, points)} != {2}:
        return None
    try:
        return [point["ts"] for point in points], [point["value"] for point in points]
    except KeyError:
        return None


def _left_out_counts(raw: Mapping[Any, Any], name: str) -> LeftOut:
    """What the plugin says under `outside` and `duplicates`."""
    outside, duplicates = raw.get("outside", 0), raw.get("duplicates", 0)
    sides = {"elsewhere": outside} if not isinstance(outside, Mapping) else dict(outside)
    counts = {**sides, "duplicates": duplicates}
    is_sound = counts.keys() <= {"before", "after", "elsewhere", "duplicates"} and all(
        type(count) is int and count >= 0 for count in counts.values()
    )
    if not is_sound:
        raise BadDataError(
            f"series {name!r}: outside must be a number of points, or those before and after"
        )
    return LeftOut(**counts)


def _beside(raw: Mapping[str, Any], key: str, count: int, name: str) -> Sequence[Any] | None:
    """A further column, as long as that of the times; None where there is none."""
    if key not in raw:
        return None
    column = _column(raw[key], name, MOST_POINTS)
    if len(column) != count:
        raise BadDataError(f"series {name!r}: {count} times but {len(column)} of {key}")
    return column


def _column(raw: object, name: str, most: int) -> Sequence[Any]:
    """A list or tuple as it is, of anything else its elements."""
    if isinstance(raw, (list, tuple)) and type(raw) in {list, tuple}:
        column: Sequence[Any] = raw
    else:
        column = list(islice(_iterable(raw, name), most + 1))
    if len(column) > most:
        raise _too_many(name)
    return column


def _iterable(raw: object, name: str) -> Iterable[Any]:
    if isinstance(raw, (str, bytes)) or not hasattr(raw, "__iter__"):
        raise BadDataError(f"series {name!r}: the plugin returned {kind_of(raw)}, not a list")
    return cast("Iterable[Any]", raw)


def _too_many(name: str) -> BadDataError:
    return BadDataError(
        f"series {name!r}: the answer has more than {MOST_POINTS:,} points, which are not taken",
        hint="Ask for less at a time with max_window",
    )


def _instants(raw: Sequence[Any], zone: ZoneInfo | None) -> list[datetime] | None:
    kinds = set(map(type, raw))
    try:
        if kinds == {str}:
            times = list(map(datetime.fromisoformat, raw))
            if len(min(raw, key=len)) < len("2000-01-01T00"):
                return None  # a bare date is local midnight
        elif kinds == {datetime}:
            times = list(raw)
        else:
            return [] if not kinds else None
        zones = set(map(operator.attrgetter("tzinfo"), times))
        if zones == {UTC}:
            return times
        if None in zones:
            return None if zone is None else instants_of_quiet_days(times, zone)
        return [time.astimezone(UTC) for time in times]
    except (ValueError, OverflowError):
        return None


def _finite_numbers(raw: Sequence[Any]) -> list[float | None] | None:
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


def short_repr(raw: object) -> str:
    """The object as a message shows it, in one short line, whatever it is."""
    try:
        return harmless(repr(raw), 80)
    except Exception:  # noqa: BLE001 - a foreign object's repr must not lose the other points
        return kind_of(raw)


def kind_of(raw: object) -> str:
    """The type of the object, for a message: `a list`."""
    return f"a {type(raw).__name__}"
