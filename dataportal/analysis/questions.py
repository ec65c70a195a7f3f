"""Reads which version of each observation is asked for, from options of a command or arguments.

Texts are those of `read`. Where one cannot be understood, the message names the option as whoever
asked calls it.
"""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from dataportal.errors import UsageError
from dataportal.store.read.points import Cutoff
from dataportal.times import parse_duration, parse_instant, time_zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo
    from zoneinfo import ZoneInfo

    from dataportal.analysis.wording import Wording

LATEST = "latest"
_CUTOFF = re.compile(
    r"D\s*(?:(?P<sign>[-+])\s*(?P<days>\d{1,4}))?\s+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?:\s+(?P<zone>\S+))?",
    re.IGNORECASE | re.ASCII,
)
_LONGEST_LEAD = timedelta(days=365_000)  # PostgreSQL's calendar begins 4713 BC


class IssueTime(NamedTuple):
    """Which run of a forecast is meant.

    Attributes:
        text: as it was written.
        start: not before; None for the latest of all.
        length: how long a span the text names; nothing for an exact time.
        day: the day that it names, which begins by the clocks of a series.
    """

    text: str
    start: datetime | None
    length: timedelta
    day: date | None


def check_exclusive(given: Sequence[str], wording: Wording) -> None:
    """Nothing, where at most one is given of the options that say which version is meant.

    Raises:
        UsageError: several are.
    """
    if len(given) > 1:
        raise UsageError(
            f"{' and '.join(map(wording.option, given))} exclude each other",
            hint="Each of them says by itself which version of an observation is meant",
        )


def parse_time(
    name: str, text: str, *, zone: tzinfo, now: datetime | None, wording: Wording
) -> datetime:
    """The instant that the text of an option names.

    Raises:
        UsageError: not a time, and why.
    """
    try:
        return parse_instant(text, zone=zone, now=now)
    except ValueError as error:
        raise UsageError(f"{wording.option(name)}: {error}") from None


def bare_day(text: str | None) -> date | None:
    """The day that a text names, if it is a bare date."""
    try:
        return None if text is None else date.fromisoformat(text.strip())
    except ValueError:
        return None


def parse_lead(text: str, wording: Wording) -> timedelta:
    """How long before its ts a value was known; negative for after it.

    Raises:
        UsageError: no duration, or one longer than any history.
    """
    is_after = text.strip().startswith("-")
    try:
        lead = parse_duration(text.strip().removeprefix("-"))
    except ValueError as error:
        raise UsageError(f"{wording.option('lead')}: {error}") from None
    return check_lead(-lead if is_after else lead, text, wording)


def check_lead(lead: timedelta, text: str, wording: Wording) -> timedelta:
    """The lead, which fits into a calendar.

    Raises:
        UsageError: it does not.
    """
    if abs(lead) > _LONGEST_LEAD:
        raise UsageError(f"{wording.option('lead', text)} is longer than any history")
    return lead


def parse_cutoff(text: str, *, zone: tzinfo, wording: Wording) -> Cutoff:
    """A time of day, so many days before the local day of a ts: `D-1 06:00 Europe/Berlin`.

    Args:
        text: as it is written.
        zone: whose clocks are meant where the text names none.
        wording: whose words a message uses.

    Raises:
        UsageError: it is none.
    """
    match, hint = _CUTOFF.fullmatch(text.strip()), "Write it like 'D-1 06:00 Europe/Berlin'"
    if match is None:
        raise UsageError(f"{wording.quoted_option('cutoff', text)} is no time of day", hint=hint)
    try:
        clock = time(int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
    except ValueError as error:
        raise UsageError(f"{wording.quoted_option('cutoff', text)}: {error}", hint=hint) from None
    days = int(match["days"] or 0) * (-1 if match["sign"] == "+" else 1)
    name = match["zone"] or getattr(zone, "key", "UTC")
    return Cutoff(days, clock, parse_zone("cutoff", name, wording))


def parse_issue(text: str, *, zone: tzinfo, now: datetime, wording: Wording) -> IssueTime:
    """Which run of a forecast a text means: its time, the day or the minute of it, or `latest`.

    Raises:
        UsageError: it is no time.
    """
    if text.strip().lower() == LATEST:
        return IssueTime(text, None, timedelta(), None)
    start = parse_time("issued", text, zone=zone, now=now, wording=wording)
    day = bare_day(text)
    if day is not None:
        return IssueTime(text, start, timedelta(days=1), day)
    length = timedelta()
    if not start.microsecond:
        length = timedelta(seconds=1) if start.second else timedelta(minutes=1)
    return IssueTime(text, start, length, None)


def parse_release(text: str, wording: Wording) -> int:
    """The number of a version: `first`, or one from 1 on.

    Raises:
        UsageError: it is none.
    """
    if text.strip().lower() == "first":
        return 1
    if text.isdecimal() and 0 < int(text) < 1_000_000:  # noqa: PLR2004 - versions of one observation
        return int(text)
    raise UsageError(
        f"{wording.quoted_option('release', text)} is none: say first, a number from 1 on, or "
        "latest"
    )


def parse_zone(option: str, name: str, wording: Wording) -> ZoneInfo:
    """The time zone that an option names.

    Raises:
        UsageError: there is none.
    """
    try:
        return time_zone(name)
    except ValueError as error:
        raise UsageError(f"{wording.option(option)}: {error}") from None
