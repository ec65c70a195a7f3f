"""Values as people read them: instants in their zone, ages, spans, numbers."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

NOTHING = "-"
_STEPS = (
    (timedelta(days=365), "y"),
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "min"),
    (timedelta(seconds=1), "s"),
)


def moment(at: datetime | None, zone: tzinfo) -> str:
    """`2025-03-01 06:00+01:00`: with the offset, and no more digits than it needs."""
    if at is None:
        return NOTHING
    try:
        local = at.astimezone(zone)
    except OverflowError:
        local = at
    if local.microsecond:
        digits = "microseconds"
    elif local.second:
        digits = "seconds"
    else:
        digits = "minutes"
    text = local.isoformat(" ", digits)
    return text.removesuffix("+00:00") + "Z" if local.tzinfo is UTC else text


def age(at: datetime | None, now: datetime) -> str:
    """`5 min ago`, `in 2 h`, `now`."""
    if at is None:
        return NOTHING
    if abs(now - at) < timedelta(seconds=1):
        return "now"
    return f"{span(now - at)} ago" if at < now else f"in {span(at - now)}"


def span(length: timedelta) -> str:
    """`45 s`, `12 min`, `3 h`, `40 d`: one unit, rounded down, of which there are two or more."""
    for unit, name in _STEPS:
        if length >= 2 * unit or unit == timedelta(seconds=1):
            return f"{int(length / unit)} {name}"
    raise AssertionError  # the last step always fits


def seconds(length: float) -> str:
    """`0.4 s`, `12.3 s`, `5 min`."""
    return f"{length:.1f} s" if length < 120 else span(timedelta(seconds=length))  # noqa: PLR2004 - as in span


def number(value: float | None) -> str:
    """The shortest text that reads back as exactly this number; empty for no value."""
    return "" if value is None else repr(float(value)).removesuffix(".0")


def counted(count: int, thing: str) -> str:
    """`1 source`, `2,000 sources`."""
    return f"{count:,} {thing}" + ("" if count == 1 else "s")
