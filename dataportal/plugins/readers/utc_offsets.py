"""Reads offsets from UTC as providers state them: `3600`, `+01:00`, `-0330`, `UTC+1`, `Z`."""

from __future__ import annotations

import re
from datetime import timedelta

_MOST = timedelta(hours=18)
_SECONDS = re.compile(r"[+-]?\d{1,6}(?:\.0+)?", re.ASCII)
_CLOCK = re.compile(
    r"(?:UTC|GMT)?\s*(?P<sign>[+\-\u2212])\s*(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?", re.ASCII
)
_NAMED = {"z", "utc", "gmt"}


def read_utc_offset(value: object) -> timedelta:
    """How far local times are ahead of UTC: a number of seconds, or a text.

    A sign with one, two or four digits is hours and minutes, with more it is seconds.

    Raises:
        ValueError: neither, or more than 18 hours.
    """
    text = "" if isinstance(value, bool) or value is None else str(value).strip()
    offset: timedelta | None = None
    if text.lower() in _NAMED:
        offset = timedelta()
    elif not isinstance(value, int | float) and (match := _CLOCK.fullmatch(text)):
        offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
        offset = offset if match["sign"] == "+" else -offset
    elif _SECONDS.fullmatch(text):
        offset = timedelta(seconds=float(text))
    if offset is None or abs(offset) > _MOST:
        raise ValueError(f"{text or value!r} is no offset from UTC")
    return offset
