"""Copies what a plugin answered into plain columns: what its values can do, they do here.

Points may come out of a generator, numbers from a class with a `__float__` of its own, times with a
zone of any making: all of that is foreign code, which may block, fail or end the program. It runs
where this is called, under that caller's guard; what comes out are Python's own values, equal to
those that went in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dataportal.errors import (
    BadDataError,
    ConfigurationError,
    FetchError,
    PermanentError,
    PluginError,
    TransientError,
)
from dataportal.raw_points import (
    MISSING,
    MOST_POINTS,
    NoPoint,
    RawPoints,
    RefusedTime,
    kind_of,
    raw_points,
    short_repr,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dataportal.errors import DataportalError

_PLAIN = {type(None), bool, int, float, complex, str, bytes, date, Decimal, Fraction}
_PLAIN |= {RefusedTime, type(MISSING)}
_PLAIN_ZONES = {type(None), timezone, ZoneInfo}


class Shown:
    """Stands for an object that is neither a time nor a number: a message shows it the same."""

    __slots__ = ("_text",)

    def __init__(self, raw: object) -> None:
        self._text = short_repr(raw)

    def __repr__(self) -> str:
        return self._text


def plain_answer(answer: object) -> dict[Any, RawPoints | FetchError]:
    """The points of each series, by its name, as `observations.clean` takes them.

    Args:
        answer: what a plugin returned, points by series; none of its objects is in the result.

    Raises:
        BadDataError: it has another shape, or more points than are taken.
    """
    if not isinstance(answer, Mapping):
        raise BadDataError(
            f"the plugin returned {kind_of(answer)}, not a mapping from series to points"
        )
    plain: dict[Any, RawPoints | FetchError] = {}
    left = MOST_POINTS
    for raw_name, raw in answer.items():
        name = str.__str__(raw_name) if isinstance(raw_name, str) else Shown(raw_name)
        if name in plain:
            raise BadDataError(f"the plugin returned series {str(name)!r} twice")
        if isinstance(raw, FetchError):
            plain[name] = _plain_fetch_error(raw)
            left -= 1
            continue
        points = raw_points(raw, str(name), most=left)
        # a series without points counts too: there may be no end to them
        left -= max(len(points), 1)
        plain[name] = _plain_points(points)
    return plain


def plain_error(error: DataportalError) -> DataportalError | None:
    """An error that a plugin raised, of the class of ours that it is derived from.

    None where a plugin has no business with it: a database that is out of reach, or a lock that
    another run holds, would stand for something else.
    """
    if isinstance(error, FetchError):
        return _plain_fetch_error(error)
    if isinstance(error, ConfigurationError):
        return ConfigurationError(_text(error.message), hint=_text_or_none(error.hint))
    return None


def _plain_fetch_error(error: FetchError) -> FetchError:
    message, hint = _text(error.message), _text_or_none(error.hint)
    if isinstance(error, TransientError):
        seconds = error.retry_after
        is_sound = type(seconds) in {int, float} and math.isfinite(seconds or 0)
        return TransientError(
            message,
            retry_after=seconds if is_sound else None,
            host=_text_or_none(error.host),
            hint=hint,
        )
    for kind in (PermanentError, BadDataError, PluginError):
        if isinstance(error, kind):
            return kind(message, hint=hint)
    return FetchError(message, hint=hint)


def _text(raw: object) -> str:
    return str.__str__(raw if isinstance(raw, str) else str(raw))


def _text_or_none(raw: object) -> str | None:
    return None if raw is None else _text(raw)


def _plain_points(points: RawPoints) -> RawPoints:
    def column(raw: Sequence[Any] | None, copy: Callable[[Any], Any]) -> list[Any] | None:
        return None if raw is None else _plain_column(raw, copy)

    return RawPoints(
        _plain_column(points.ts, _plain_time),
        _plain_column(points.values, _plain_number),
        column(points.published, _plain_time),
        revised=column(points.revised, _plain_mark),
        ends=column(points.ends, _plain_time),
        left_out=points.left_out,
        unchanged=points.unchanged,
        doubt=None if points.doubt is None else str.__str__(points.doubt),
        stated=_plain_statement(points.stated),
    )


def _plain_statement(stated: Mapping[str, Any]) -> dict[str, Any]:
    """What a plugin from elsewhere may state: what was read wrong, only those of ours know."""
    plain: dict[str, Any] = {}
    if zone := stated.get("published_zone"):
        plain["published_zone"] = _plain_text(zone)
    if unit := stated.get("unit"):
        is_list = isinstance(unit, list | tuple | set | frozenset)
        plain["unit"] = list(map(_plain_text, unit)) if is_list else _plain_text(unit)
    if resolutions := stated.get("resolutions"):
        try:
            plain["resolutions"] = [
                (_plain_time(ts), length if type(length) is timedelta else _plain_text(length))
                for ts, length in _first(resolutions)
            ]
        except (TypeError, ValueError):
            plain["resolutions"] = Shown(resolutions)
    return plain


def _first(statements: Iterable[Any]) -> Iterator[Any]:
    """Each of them, up to as many as there may be points.

    Raises:
        BadDataError: there are more.
    """
    for count, statement in enumerate(statements):
        if count >= MOST_POINTS:
            raise BadDataError(f"an answer states more than {MOST_POINTS:,} resolutions")
        yield statement


def _plain_column(raw: Iterable[Any], copy: Callable[[Any], Any]) -> list[Any]:
    column = list(raw)
    kinds = set(map(type, column)) - _PLAIN
    if not kinds:
        return column
    if kinds == {datetime}:
        times = [value for value in column if type(value) is datetime]
        if set(map(type, map(attrgetter("tzinfo"), times))) <= _PLAIN_ZONES:
            return column
    return [value if type(value) in _PLAIN else copy(value) for value in column]


def _plain_time(raw: object) -> object:
    if isinstance(raw, datetime):
        try:
            time = datetime.combine(raw.date(), raw.timetz())
        except ValueError:
            # pandas.NaT is a datetime without a date
            return Shown(raw)
        if type(time.tzinfo) in _PLAIN_ZONES:
            return time
        offset = time.utcoffset()
        return time.replace(tzinfo=None if offset is None else timezone(offset))
    if isinstance(raw, date):
        return date(raw.year, raw.month, raw.day)
    if isinstance(raw, NoPoint):
        return NoPoint(Shown(raw.raw))
    return _plain_text(raw)


def _plain_number(raw: object) -> object:
    if not isinstance(raw, (Real, Decimal)):
        return _plain_text(raw)
    try:
        return float(raw)
    except (OverflowError, ValueError):
        return math.inf


def _plain_text(raw: object) -> object:
    if isinstance(raw, RefusedTime):
        return RefusedTime(str.__str__(raw))
    return str.__str__(raw) if isinstance(raw, str) else Shown(raw)


def _plain_mark(raw: object) -> object:
    """What orders the files that points stood in; None for any other object."""
    plain = _plain_number(raw) if isinstance(raw, (Real, Decimal)) else _plain_time(raw)
    return None if isinstance(plain, Shown) else plain
