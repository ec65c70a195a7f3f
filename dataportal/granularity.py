"""Calendar lengths of intervals: where one ends, and where the one that an instant lies in begins.

A granularity of days, months or years has no fixed length: it follows the calendar of a zone. Pure.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from dataportal.times import (
    EARLIEST,
    EPOCH,
    format_duration,
    parse_duration,
    parse_iso_duration,
)

if TYPE_CHECKING:
    from datetime import tzinfo

_LATEST = datetime.max.replace(tzinfo=UTC)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_MONTHS_OF_YEAR = 12
_MARGIN = timedelta(days=2)  # zones are less than that from UTC
_CALENDAR_TERM = re.compile(r"(\d{1,4})\s*(month|quarter|year|y)s?", re.IGNORECASE)
_CALENDAR_WORDS = {"monthly": 1, "quarterly": 3, "yearly": 12, "annual": 12, "annually": 12}
_MONTHS = {"month": 1, "quarter": 3, "year": 12, "y": 12}


@dataclass(frozen=True, slots=True)
class IntervalLength:
    """The length of an interval: months and days of a calendar, and a rest of fixed length.

    Attributes:
        months: as many as it has; 12 for a year.
        days: whole days by the clocks of a zone, of 23 or 25 hours too.
        rest: what is no whole day.
    """

    months: int = 0
    days: int = 0
    rest: timedelta = timedelta()

    @property
    def longest(self) -> timedelta:
        """No interval of this length is longer."""
        return timedelta(days=31 * self.months + self.days) + self.rest + _HOUR

    def end_of(self, start: datetime, zone: tzinfo | None) -> datetime:
        """Where the interval that begins at `start` ends.

        Args:
            start: aware, or a local time; so is the end.
            zone: whose calendar it is; None for UTC.
        """
        if not (self.months or self.days):
            return start + self.rest if _far_from_the_ends(start, self.rest) else _LATEST
        if start.tzinfo is None:
            return _add(start, self.months, self.days) + self.rest
        if not _far_from_the_ends(start, self.longest):
            return _LATEST
        wall = start.astimezone(zone or UTC).replace(tzinfo=None)
        end = _add(wall, self.months, self.days).replace(tzinfo=zone or UTC).astimezone(UTC)
        return end + self.rest

    def start_of(self, instant: datetime, zone: tzinfo | None) -> datetime:
        """Where the interval that the instant lies in begins, or an earlier instant.

        Intervals are taken to begin with the years, months, days and hours of the zone's clocks.
        Where nobody knows on which day they do, as of weeks, no later than any of them could.
        """
        zone = zone or UTC
        if instant - EARLIEST < self.longest + _MARGIN or not self:
            return instant
        local = instant.astimezone(zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self.rest and not (self.months or self.days):
            return min(_clock_floor(instant, self.rest, local.utcoffset()), instant)
        if self.rest or (self.months and self.days) or self.months > _MONTHS_OF_YEAR:
            return (instant - self.longest).replace(minute=0, second=0, microsecond=0)
        if self.months:
            month = (local.month - 1) // self.months * self.months + 1
            return midnight.replace(month=month, day=1).astimezone(UTC)
        if self.days > 1:
            # the first midnight of which such an interval may reach over the instant
            midnight = (local - timedelta(days=self.days - 1)).replace(fold=0)
            if midnight.time() != datetime.min.time():
                midnight = midnight.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight.astimezone(UTC)

    def __str__(self) -> str:
        """As people write it: `15 minutes`, `1 day`, `3 months`."""
        terms = [f"{self.months} month" + ("s" if self.months != 1 else "")] if self.months else []
        if self.months and not self.months % _MONTHS_OF_YEAR:
            years = self.months // _MONTHS_OF_YEAR
            terms = [f"{years} year" + ("s" if years != 1 else "")]
        fixed = timedelta(days=self.days) + self.rest
        return " ".join(terms + ([format_duration(fixed)] if fixed else []))

    @property
    def iso(self) -> str:
        """The same in ISO 8601: `PT15M`, `P1D`, `P3M`."""
        years, months = divmod(self.months, _MONTHS_OF_YEAR)
        hours, rest = divmod(self.rest, _HOUR)
        minutes, rest = divmod(rest, timedelta(minutes=1))
        seconds = f"{rest.total_seconds():f}".rstrip("0").rstrip(".")
        date = "".join(
            f"{n}{unit}" for n, unit in ((years, "Y"), (months, "M"), (self.days, "D")) if n
        )
        time = "".join(
            f"{n}{unit}"
            for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S"))
            if n not in {0, "0"}
        )
        return f"P{date}" + (f"T{time}" if time or not date else "")

    def __bool__(self) -> bool:
        return bool(self.months or self.days or self.rest)


@lru_cache(maxsize=256)
def interval_length(granularity: str | timedelta | None) -> IntervalLength | None:
    """The length that a granularity such as `15 minutes`, `P1D`, `1 month` names; None for others.

    A year is twelve months here, and not 365 days. What is longer than the calendar is none.
    """
    length = _read_length(granularity)
    try:
        fits = length is not None and length.longest < _LATEST - EARLIEST
    except OverflowError:
        fits = False
    return length if fits else None


def _read_length(granularity: str | timedelta | None) -> IntervalLength | None:
    if isinstance(granularity, timedelta):
        return IntervalLength(0, *_days_and_rest(granularity)) or None
    text = (granularity or "").strip()
    if (months := _CALENDAR_WORDS.get(text.lower())) is not None:
        return IntervalLength(months)
    if match := _CALENDAR_TERM.fullmatch(text):
        return IntervalLength(int(match[1]) * _MONTHS[match[2].lower()]) or None
    try:
        if (duration := parse_iso_duration(text)) is not None:
            months = duration.years * _MONTHS_OF_YEAR + duration.months
            return IntervalLength(months, *_days_and_rest(duration.rest)) or None
        return IntervalLength(0, *_days_and_rest(parse_duration(text))) or None
    except (ValueError, OverflowError):
        return None


def _days_and_rest(length: timedelta) -> tuple[int, timedelta]:
    return (0, length) if length % _DAY else (length // _DAY, timedelta())


def _clock_floor(instant: datetime, step: timedelta, offset: timedelta | None) -> datetime:
    """The last multiple of the step on the zone's clocks; of several hours also on those of UTC."""
    in_utc = instant - (instant - EPOCH) % step
    by_clock = instant - (instant + (offset or timedelta()) - EPOCH) % step
    return by_clock if step <= _HOUR else min(in_utc, by_clock)


def _add(wall: datetime, months: int, days: int) -> datetime:
    if months:
        year, month = divmod(wall.year * _MONTHS_OF_YEAR + wall.month - 1 + months, 12)
        if year > MAXYEAR:
            return datetime.max  # noqa: DTZ901 - local
        day = min(wall.day, calendar.monthrange(year, month + 1)[1])
        wall = wall.replace(year=year, month=month + 1, day=day)
    return wall + timedelta(days=days)


def _far_from_the_ends(instant: datetime, length: timedelta) -> bool:
    return _LATEST - instant.replace(tzinfo=UTC) > length + _MARGIN
