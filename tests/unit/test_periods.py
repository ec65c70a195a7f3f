"""Periods of SDMX and of statistical offices: where each begins, and how long it is."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.granularity import IntervalLength
from dataportal.plugins.readers.periods import read_period

YEARS = st.integers(1000, 9998)
SEPARATORS = st.sampled_from(["-", " ", ""])
MONTHS = {"A": 12, "S": 6, "H": 6, "T": 4, "Q": 3, "B": 2, "M": 1}


@given(YEARS, st.sampled_from(sorted(MONTHS)), st.data(), SEPARATORS)
def test_periods_of_months_follow_one_another(
    year: int, kind: str, data: st.DataObject, separator: str
) -> None:
    """Each begins where the one before ends, whatever stands between year and letter."""
    months = MONTHS[kind]
    number = data.draw(st.integers(1, 12 // months))
    letter = data.draw(st.sampled_from([kind, kind.lower()]))
    width = data.draw(st.sampled_from(["", "02"]))
    start, length = read_period(f"{year}{separator}{letter}{number:{width}}")
    assert length == IntervalLength(months=months)
    assert start == datetime.fromisoformat(f"{year}-{(number - 1) * months + 1:02}-01")
    assert read_period(f"{letter}{number} {year}") == (start, length)
    with pytest.raises(ValueError, match="no period"):
        read_period(f"{year}-{letter}{12 // months + 1}")


@given(st.dates(date(1000, 1, 4), date(9998, 12, 20)))
def test_weeks_and_days_are_those_of_the_calendar(day: date) -> None:
    """Weeks of ISO 8601, which begin on Monday; days by their number in the year."""
    year, week, weekday = day.isocalendar()
    monday = datetime.combine(day - timedelta(days=weekday - 1), datetime.min.time())
    assert read_period(f"{year}-W{week:02}") == (monday, IntervalLength(days=7))
    number = day.timetuple().tm_yday
    midnight = datetime.combine(day, datetime.min.time())
    assert read_period(f"{day.year:04}-D{number:03}") == (midnight, IntervalLength(days=1))
    assert read_period(day.isoformat()) == (midnight, IntervalLength(days=1))


@pytest.mark.parametrize(
    ("text", "start", "length"),
    [
        ("2024-01-01/P1M", "2024-01-01", IntervalLength(months=1)),
        ("2024-02-10/P10D", "2024-02-10", IntervalLength(days=10)),
        ("2024-02-10T06:00:00/PT6H", "2024-02-10T06:00", IntervalLength(rest=timedelta(hours=6))),
        ("2024-01-01+01:00/P1Y", "2024-01-01T00:00+01:00", IntervalLength(months=12)),
        ("2024-01-01Z", "2024-01-01T00:00+00:00", IntervalLength(days=1)),
        ("2024-01-01T12:30", "2024-01-01T12:30", None),
        ("2024", "2024-01-01", IntervalLength(months=12)),
        ("2024-07", "2024-07-01", IntervalLength(months=1)),
        ("202407", "2024-07-01", IntervalLength(months=1)),
        ("2024 JUL", "2024-07-01", IntervalLength(months=1)),
        ("2024-Jul", "2024-07-01", IntervalLength(months=1)),
        ("July 2024", "2024-07-01", IntervalLength(months=1)),
        ("Sep. 2024", "2024-09-01", IntervalLength(months=1)),
        ("2024/Q3", "2024-07-01", IntervalLength(months=3)),
        ("2024:Q3", "2024-07-01", IntervalLength(months=3)),
        ("3Q 2024", "2024-07-01", IntervalLength(months=3)),
        ("3Q2024", "2024-07-01", IntervalLength(months=3)),
    ],
)
def test_ranges_dates_and_years(text: str, start: str, length: IntervalLength | None) -> None:
    """With the offset that they say, and the length of their duration."""
    assert read_period(text) == (datetime.fromisoformat(start), length)


@pytest.mark.parametrize(
    "text",
    [
        *("2023-W53", "2023-D366", "2024-Q0", "2024-Z1", "Q5 2024", "2024-13", "24-Q1", "2024-Q"),
        *(
            "2011/12",
            "2024/03",
            "Jul-24",
            "Juli 2024",
            "2024 JUL 2024",
            "5Q 2024",
            "1W 2024",
            "JUL",
        ),
        *("2024-01-01/", "2024-01-01/P", "2024-01-01/1M", "/P1M", "", "Q1", "2024-Q1-Q2"),
    ],
)
def test_what_is_no_period_is_refused(text: str) -> None:
    """And nothing is guessed."""
    with pytest.raises(ValueError):  # noqa: PT011 - of datetime too
        read_period(text)
