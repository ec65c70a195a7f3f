"""Formats values for people: instants in their zone, ages, durations, numbers, sizes, plurals."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

NOTHING = "-"
_UNITS = (
    (timedelta(days=365), "y"),
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "min"),
    (timedelta(seconds=1), "s"),
)


def format_instant(instant: datetime | None, zone: tzinfo) -> str:
    """The local time with its offset, no longer than it must be: `2025-03-01 06:00+01:00`."""
    if instant is None:
        return NOTHING
    try:
        local = instant.astimezone(zone)
    except OverflowError:
        local = instant
    if local.microsecond:
        digits = "microseconds"
    elif local.second:
        digits = "seconds"
    else:
        digits = "minutes"
    text = local.isoformat(" ", digits)
    return text.removesuffix("+00:00") + "Z" if local.tzinfo is UTC else text


def format_second(instant: datetime | None, zone: tzinfo) -> str:
    """The same, to the second: for when something happened, and for bounds like 10 years ago."""
    return format_instant(instant and instant.replace(microsecond=0), zone)


def format_age(instant: datetime | None, now: datetime) -> str:
    """How long before or after `now` it is: `5 min ago`, `in 2 h`, `now`."""
    if instant is None:
        return NOTHING
    if abs(now - instant) < timedelta(seconds=1):
        return "now"
    if instant < now:
        return f"{format_span(now - instant)} ago"
    return f"in {format_span(instant - now)}"


def format_span(duration: timedelta) -> str:
    """A duration in one unit, of which there are two or more, rounded down: `12 min`, `40 d`."""
    for unit, name in _UNITS:
        if duration >= 2 * unit or unit == timedelta(seconds=1):
            return f"{int(duration / unit)} {name}"
    raise AssertionError  # the last unit always fits


def format_seconds(seconds: float) -> str:
    """How long something took: `0.4 s`, `12.3 s`, `5 min`."""
    if seconds < 120:  # noqa: PLR2004 - as in format_span
        return f"{seconds:.1f} s"
    return format_span(timedelta(seconds=seconds))


def format_number(value: float | None) -> str:
    """The shortest text that reads back as exactly this number; empty for no value."""
    return "" if value is None else repr(float(value)).removesuffix(".0")


def pluralize(count: int, noun: str) -> str:
    """The count with its noun: `1 source`, `2,000 sources`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def format_bytes(count: int) -> str:
    """A size in the largest unit of which there is one or more: `16 kB`, `1.2 GB`."""
    size, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:  # noqa: PLR2004 - by which the units grow
            break
        size, unit = size / 1000, larger
    return f"{size:,.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"  # noqa: PLR2004
