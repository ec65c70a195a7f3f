"""Reads periods as SDMX and statistical offices write them: `2024-Q1`, `2024-W05`, `Q3 2026`.

SDMX 2.1 and 3.0, Technical Notes, section 4.2: observational time periods are a calendar year,
month or date; a reporting period (A, S, T, Q, M, W, D with a number); or a start and a duration.
Reporting years are taken to begin on 1 January, weeks are those of ISO 8601.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, time, timedelta

from dataportal.granularity import IntervalLength, interval_length

_YEAR_FIRST = re.compile(
    r"(\d{4})(?:[-/:\s]?\s*(?P<kind>[A-Za-z]|[Jj]{2}|[Kk][Ww]|[Mm]{2})[-\s]?\s*(?P<number>\d{1,3})"
    # 2011/12 may be a year that begins in 2011
    r"|[-\s]?\s*(?P<month>\d{2}))?",
    re.ASCII,
)
_NUMBER_FIRST = re.compile(
    r"(?:(?P<kind>[A-Za-z])(?P<number>\d{1,3})|(?P<quarter>[1-4])\s?[Qq])"
    r"[-\s/]?\s*(?P<year>\d{4})",
    re.ASCII,
)
_MONTH = re.compile(
    r"(?:(?P<first>\d{4})[-\s]?)?(?P<name>[A-Za-z]{3,9})\.?(?(first)|[-\s]?(?P<last>\d{4}))",
    re.ASCII,
)
_MONTH_NUMBERS = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
}
_RANGE = re.compile(r"(?P<start>[^/]+)/(?P<duration>P[^/]+)")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})", re.ASCII | re.IGNORECASE)
_MONTHS = {"A": 12, "S": 6, "H": 6, "T": 4, "Q": 3, "B": 2, "M": 1, "K": 3, "KW": 3, "MM": 1}
"""How many months a period has, by the letter that SDMX gives it; B is two months.

K is a quarter of Nordic offices, KW and MM are quarters and months of CBS in the Netherlands.
"""
_WEEKS = ("W", "U")  # uke, the week of Nordic offices
_WHOLE_YEAR = "JJ"  # jaar, of CBS, with the number 00
_DAY, _WEEK = IntervalLength(days=1), IntervalLength(days=7)


def read_period(text: str) -> tuple[datetime, IntervalLength | None]:
    """Where a period begins, local where it says no offset, and how long it is, if it says that.

    `2024`, `2024-A1`, `2024-S1` (or H), `2024-T1` (four months), `2024-Q1`, `2024-B1` (two months),
    `2024-01`, `2024-M01`, `2024-W05`, `2024-D032`, `2024-06-03`; with a dash, a blank or nothing
    between year and letter, or a slash or a colon; `Q1 2024` and `1Q 2024`; `2024 JAN` and
    `January 2024`; `2024-01-01/P1M`, also with a time of day. `2024K1` and
    `2024U05` are quarters and weeks of Nordic offices; `2024KW01`, `2024MM01` and `2024JJ00` are
    quarters, months and years of CBS in the Netherlands.

    Raises:
        ValueError: none of these, or no such period.
    """
    if match := _RANGE.fullmatch(text):
        length = interval_length(match["duration"])
        if length is None:
            raise ValueError(text)
        return _start(match["start"]), length
    match = _YEAR_FIRST.fullmatch(text)
    if match is not None:
        year = int(match[1])
    elif match := _NUMBER_FIRST.fullmatch(text):
        year = int(match["year"])
    elif (match := _MONTH.fullmatch(text)) and match["name"].lower() in _MONTH_NUMBERS:
        year, named = int(match["first"] or match["last"]), _MONTH_NUMBERS[match["name"].lower()]
        return datetime(year, named, 1), IntervalLength(months=1)  # noqa: DTZ001 - local
    else:
        is_date = len(text) <= len("2024-06-03") or _DATE.fullmatch(text) is not None
        return _start(text), _DAY if is_date else None
    groups = match.groupdict()
    if groups.get("quarter"):
        return _reporting_period(year, "Q", int(groups["quarter"]))
    if groups["kind"] is None:
        month = groups.get("month")
        length = IntervalLength(months=12 if month is None else 1)
        return datetime(year, int(month or 1), 1), length  # noqa: DTZ001 - local
    return _reporting_period(year, groups["kind"].upper(), int(groups["number"] or 0))


def _start(text: str) -> datetime:
    """A date or a date with a time; XML lets an offset follow a bare date."""
    date_with_offset = _DATE.fullmatch(text)
    if date_with_offset is not None:
        text = f"{date_with_offset[1]}T00:00{date_with_offset[2]}"
    return datetime.fromisoformat(text)


def _reporting_period(year: int, kind: str, number: int) -> tuple[datetime, IntervalLength]:
    if kind == _WHOLE_YEAR and number == 0:
        kind, number = "A", 1
    if kind in _WEEKS:
        return datetime.combine(date.fromisocalendar(year, number, 1), time()), _WEEK
    if kind == "D":
        if not 1 <= number <= 365 + calendar.isleap(year):
            raise ValueError(f"{year} has no day {number}")
        return datetime(year, 1, 1) + timedelta(days=number - 1), _DAY  # noqa: DTZ001 - local
    months = _MONTHS.get(kind, 0)
    if not months or not 1 <= number <= 12 // months:
        raise ValueError(f"{year} has no period {kind}{number}")
    return (
        datetime(year, (number - 1) * months + 1, 1),  # noqa: DTZ001 - local
        IntervalLength(months=months),
    )
