"""When values are usually available: reads what sources.yaml says of it.

    ts + 2 hours                      so long after the start of the interval; also ts - 36 hours
    next day 09:00 Europe/Berlin      also same day, previous day, 2 days later, 2 days earlier
    D-1 13:00 Europe/Berlin           the same in the words of `read --cutoff`
    next month day 15 08:30           also week, quarter, year; day 1 unless it is said

A calendar unit begins by the clocks of the zone. A week begins on Monday.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from dataportal.times import format_duration, parse_duration, time_zone

if TYPE_CHECKING:
    from collections.abc import Mapping

_HINT = "write it like ts + 2 hours, next day 09:00 Europe/Berlin, or next month day 15 08:30"
_FROM_TS = re.compile(r"ts(?:\s*(?P<sign>[-+])\s*(?P<length>\S.*))?", re.IGNORECASE)
_CALENDAR = re.compile(
    r"(?:(?P<word>same|next|previous)\s+(?P<unit>day|week|month|quarter|year)"
    r"|(?P<count>\d{1,4})\s+(?P<units>day|week|month|quarter|year)s?\s+(?P<side>later|earlier)"
    r"|(?P<decision>D)(?:\s*(?P<sign>[-+])\s*(?P<days>\d{1,4}))?)"
    r"(?:\s+day\s+(?P<day>\d{1,3}))?"
    r"\s+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?:\s+(?P<zone>\S+))?",
    re.IGNORECASE | re.ASCII,
)
_NO_MONTH = re.compile(r"\b(?:months?|quarters?|years?|y)\b|\dy\b|P\d+[YM]", re.IGNORECASE)
_WORDS = {"same": 0, "next": 1, "previous": -1}
_PERIODS = {"day": "{}D", "week": "{}W", "month": "{}M", "quarter": "{}M", "year": "{}Y"}
_MONTHS_OF_QUARTER = 3
_DAYS = {"week": 7, "month": 28, "quarter": 90, "year": 365}
"""Days that every one of these has: a month without a 30th would be silently another."""
_LONGEST = timedelta(days=36_500)
_HOURS, _MINUTES = 24, 60


@dataclass(frozen=True, slots=True)
class Availability:
    """When a value is usually available.

    Attributes:
        text: as people write it.
        unit: of the calendar, from whose beginning it is counted: day, week, month, quarter, year;
            None for a fixed time from ts on.
        shift: how long after that, as a duration of ISO 8601 whose parts may be negative.
        zone: whose calendar it is; None for that of the source's times, else UTC.
    """

    text: str
    unit: str | None
    shift: str
    zone: str | None = None

    def record(self, zone: str | None) -> Mapping[str, str]:
        """As `time_series.availability` has it.

        Args:
            zone: of the source's times.
        """
        if self.unit is None:
            return {"text": self.text, "shift": self.shift}
        name = self.zone or zone or "UTC"
        text = self.text if self.zone else f"{self.text} {name}"
        return {"text": text, "unit": self.unit, "shift": self.shift, "zone": name}


def parse_availability(text: str) -> Availability:
    """What a text such as `ts + 2 hours` or `next day 09:00 Europe/Berlin` says.

    Raises:
        ValueError: something else; says what it may be.
    """
    stripped = " ".join(text.split())
    if match := _FROM_TS.fullmatch(stripped):
        return _from_ts(match["sign"], match["length"])
    match = _CALENDAR.fullmatch(stripped)
    if match is None:
        raise ValueError(f"{text!r} does not say when values are available; {_HINT}")
    return _by_calendar(match)


def _from_ts(sign: str | None, written: str | None) -> Availability:
    if written is None:
        return Availability("ts", None, "PT0S")
    if _NO_MONTH.search(written):
        raise ValueError(
            f"{written!r} has no fixed length: say it in days, or write next month day 15 08:30"
        )
    length = parse_duration(written)
    if length > _LONGEST:
        raise ValueError(f"{written!r} is longer than any value is waited for")
    seconds = f"{length.total_seconds():f}".rstrip("0").rstrip(".")
    minus = "-" if sign == "-" else ""
    return Availability(f"ts {sign} {format_duration(length)}", None, f"PT{minus}{seconds}S")


def _by_calendar(match: re.Match[str]) -> Availability:
    unit = (match["unit"] or match["units"] or "day").lower()
    if match["word"]:
        count = _WORDS[match["word"].lower()]
    else:
        is_before = (match["side"] or "").lower() == "earlier" or match["sign"] == "-"
        count = int(match["count"] or match["days"] or 0) * (-1 if is_before else 1)
    day, hour, minute = int(match["day"] or 1), int(match["hour"]), int(match["minute"])
    if hour >= _HOURS or minute >= _MINUTES:
        raise ValueError(f"{hour}:{minute:02} is no time of day; write it like 09:00")
    if match["day"] is not None and unit == "day":
        raise ValueError("a day has no day of its own: leave it out, or say next month day 15")
    if not 1 <= day <= _DAYS.get(unit, 1):
        raise ValueError(f"not every {unit} has a day {day}: say one up to {_DAYS[unit]}")
    if match["zone"]:
        time_zone(match["zone"])
    clock = f"{hour:02}:{minute:02}"
    day_text = f" day {day}" if match["day"] else ""
    zone_text = f" {match['zone']}" if match["zone"] else ""
    months = count * _MONTHS_OF_QUARTER if unit == "quarter" else count
    period = _PERIODS[unit].format(months)
    days = f"{day - 1}D" if unit != "day" else ""
    return Availability(
        f"{_phrase(count, unit)}{day_text} {clock}{zone_text}",
        unit,
        f"P{period}{days}T{hour}H{minute}M",
        match["zone"],
    )


def _phrase(count: int, unit: str) -> str:
    words = {number: word for word, number in _WORDS.items()}
    if count in words:
        return f"{words[count]} {unit}"
    return f"{abs(count)} {unit}s {'later' if count > 0 else 'earlier'}"
