"""Parses and formats instants and durations: ISO 8601, and as people write them.

All instants are aware datetimes in UTC. ISO 8601 throughout; durations also as in `15 minutes`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import tzinfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
"""The start of an `initial_history: all`: before everything that was ever observed."""
LATEST = datetime.max.replace(tzinfo=UTC)
"""The last instant that the calendar has."""

_UNITS = {
    "microsecond": timedelta(microseconds=1),
    "millisecond": timedelta(milliseconds=1),
    "ms": timedelta(milliseconds=1),
    "second": timedelta(seconds=1),
    "sec": timedelta(seconds=1),
    "s": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "m": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "hr": timedelta(hours=1),
    "h": timedelta(hours=1),
    "day": timedelta(days=1),
    "d": timedelta(days=1),
    "week": timedelta(weeks=1),
    "w": timedelta(weeks=1),
    # calendar units as lengths: a schedule or a lookback needs no calendar
    "month": timedelta(days=30),
    "quarter": timedelta(days=91),
    "year": timedelta(days=365),
    "y": timedelta(days=365),
}
_TERM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)(?=[\s\d,]|$)\s*,?", re.IGNORECASE)
_YEAR_OR_MONTH = re.compile(r"\d{4}(-\d\d)?", re.ASCII)
_ISO_DURATION = re.compile(
    r"P(?!$)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+(?:\.\d+)?)D)?"
    r"(?:T(?!$)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?",
    re.IGNORECASE,
)
_ISO_FIXED_UNITS = ("week", "day", "hour", "minute", "second")
_WORDS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}


def utc_now() -> datetime:
    """The present instant; the one clock of the program, handed on where tests set another."""
    return datetime.now(UTC)


class IsoDuration(NamedTuple):
    """A duration of ISO 8601, whose years and months have no length before they are dated.

    Attributes:
        years: as many as it says.
        months: the same; may be more than 12.
        rest: its weeks, days, hours, minutes and seconds.
    """

    years: int
    months: int
    rest: timedelta


def parse_iso_duration(text: str) -> IsoDuration | None:
    """The duration that an ISO 8601 text such as `PT15M`, `P1D` or `P1Y6M` names; None for others.

    Whole years, months and weeks; days, hours, minutes and seconds may have a fraction.

    Raises:
        OverflowError: it is longer than datetime can hold.
    """
    match = _ISO_DURATION.fullmatch(text)
    if match is None:
        return None
    years, months, *fixed = match.groups()
    amounts = zip(_ISO_FIXED_UNITS, fixed, strict=True)
    return IsoDuration(
        int(float(years or 0)),
        int(float(months or 0)),
        sum((float(n) * _UNITS[unit] for unit, n in amounts if n), timedelta()),
    )


@lru_cache(maxsize=256)
def parse_duration(text: str) -> timedelta:
    """The length of `15 minutes`, `1 hour`, `2 weeks`, `1h 30m`, `PT15M` or `P1D`.

    A month counts as 30 days, a year as 365.

    Raises:
        ValueError: not a duration, negative, or longer than datetime can hold.
    """
    stripped = text.strip()
    try:
        if duration := parse_iso_duration(stripped):
            years, months, rest = duration
            return years * _UNITS["year"] + months * _UNITS["month"] + rest
        if stripped.lower() in _WORDS:
            return _WORDS[stripped.lower()]
        total, position = timedelta(), 0
        while position < len(stripped):
            term = _TERM.match(stripped, position)
            unit = term and _unit(term[2])
            if term is None or unit is None:
                break
            total += float(term[1]) * unit
            position = term.end()
        else:
            if stripped:
                return total
    except OverflowError:
        raise ValueError(f"{text!r} is longer than any history") from None
    raise ValueError(f"{text!r} is not a duration; write it like 15 minutes, 1 hour, 7 days, PT15M")


def _unit(word: str) -> timedelta | None:
    lower = word.lower()
    return _UNITS.get(lower) or _UNITS.get(lower.removesuffix("s"))


def multiply(count: int, length: timedelta) -> timedelta:
    """So many times the length, or the longest there is."""
    return length * count if length <= timedelta.max // count else timedelta.max


def format_duration(length: timedelta) -> str:
    """The duration in its largest whole unit: `15 minutes`, `1 hour`, `7 days`."""
    for name in ("week", "day", "hour", "minute", "second"):
        count, rest = divmod(length, _UNITS[name])
        if count and not rest and not (name == "week" and count < 2):  # noqa: PLR2004 - 7 days
            return f"{count} {name}" + ("s" if count != 1 else "")
    seconds, rest = divmod(length, _UNITS["second"])
    return f"{seconds}.{rest.microseconds:06}".rstrip("0").rstrip(".") + " seconds"


def parse_instant(text: str, *, zone: tzinfo = UTC, now: datetime | None = None) -> datetime:
    """The instant that an ISO 8601 text names, or one that lies a duration before `now`.

    `2025`, `2025-03`, `2025-03-01`, `2025-03-01T06:00`, `2025-03-01T06:00+01:00`; with `now` given
    also `now`, and `7d` and `2 weeks`, read as "that long ago". A time without an offset is local
    to `zone`; of a local hour that occurs twice the first is meant.

    Raises:
        ValueError: neither, a local time that does not exist in `zone`, or beyond the calendar.
    """
    stripped = text.strip()
    if now is not None and stripped.lower() == "now":
        return now
    try:
        # ISO 8601 lets a time end early, which fromisoformat does not
        rest = "-01-01"[3 * stripped.count("-") :] if _YEAR_OR_MONTH.fullmatch(stripped) else ""
        time = datetime.fromisoformat(stripped + rest)
    except ValueError:
        if now is None:
            raise ValueError(f"{text!r} is not an ISO 8601 time") from None
        try:
            return now - parse_duration(stripped.lower().removesuffix("ago").strip())
        except (ValueError, OverflowError):
            raise ValueError(
                f"{text!r} is neither an ISO 8601 time such as 2025-03-01T06:00Z "
                "nor a duration such as 7d"
            ) from None
    local = time.replace(tzinfo=zone) if time.tzinfo is None else time
    try:
        instant = local.astimezone(UTC)
        on_clock = instant.astimezone(local.tzinfo)
    except OverflowError:
        raise ValueError(f"{text!r} is beyond the calendar in UTC") from None
    if on_clock.replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(f"{text!r} does not exist in {zone}: the clocks skip it")
    return instant


def iso(instant: datetime) -> str:
    """The instant in ISO 8601, in UTC with a Z, with microseconds only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def time_zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name.

    Raises:
        ValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; write it like Europe/Berlin") from None
