"""When values are usually available: what sources.yaml may say of it, and what is made of that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.availability import parse_availability

UNITS = ("day", "week", "month", "quarter", "year")


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("ts", {"text": "ts", "shift": "PT0S"}),
        ("ts + 2 hours", {"text": "ts + 2 hours", "shift": "PT7200S"}),
        ("TS+PT90M", {"text": "ts + 90 minutes", "shift": "PT5400S"}),
        ("ts - 36h", {"text": "ts - 36 hours", "shift": "PT-129600S"}),
        (
            "next day 09:00 Europe/Berlin",
            {
                "text": "next day 09:00 Europe/Berlin",
                "unit": "day",
                "shift": "P1DT9H0M",
                "zone": "Europe/Berlin",
            },
        ),
        (
            "D-1  13:05",
            {"text": "previous day 13:05 UTC", "unit": "day", "shift": "P-1DT13H5M", "zone": "UTC"},
        ),
        (
            "D 9:00",
            {"text": "same day 09:00 UTC", "unit": "day", "shift": "P0DT9H0M", "zone": "UTC"},
        ),
        (
            "3 days later 00:30 UTC",
            {"text": "3 days later 00:30 UTC", "unit": "day", "shift": "P3DT0H30M", "zone": "UTC"},
        ),
        (
            "next month day 15 08:30",
            {
                "text": "next month day 15 08:30 UTC",
                "unit": "month",
                "shift": "P1M14DT8H30M",
                "zone": "UTC",
            },
        ),
        (
            "2 Quarters later 10:00",
            {
                "text": "2 quarters later 10:00 UTC",
                "unit": "quarter",
                "shift": "P6M0DT10H0M",
                "zone": "UTC",
            },
        ),
        (
            "same week day 5 17:00 UTC",
            {
                "text": "same week day 5 17:00 UTC",
                "unit": "week",
                "shift": "P0W4DT17H0M",
                "zone": "UTC",
            },
        ),
    ],
)
def test_what_may_be_said(text: str, record: dict[str, str]) -> None:
    """A fixed time after ts, or a time of day so many days, weeks, months … after its own."""
    assert parse_availability(text).record(None) == record


def test_the_zone_of_the_times_counts_where_none_is_said() -> None:
    """The words name it, so that nobody has to guess; a zone that is said is kept."""
    stated = parse_availability("next day 09:00").record("Europe/Berlin")
    assert stated["text"] == "next day 09:00 Europe/Berlin"
    assert stated["zone"] == "Europe/Berlin"
    assert parse_availability("next day 09:00 UTC").record("Europe/Berlin")["zone"] == "UTC"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not say when values are available; write it like ts"),
        ("2 hours", "does not say when values are available; write it like ts"),
        ("next day", "does not say when values are available"),
        ("ts + soon", "is not a duration"),
        ("ts + 1 month", "has no fixed length: say it in days"),
        ("ts + P1M", "has no fixed length: say it in days"),
        ("ts + 2y", "has no fixed length: say it in days"),
        ("ts + 999999 days", "is longer than any value is waited for"),
        ("next day 24:00", "24:00 is no time of day"),
        ("next day 09:60", "9:60 is no time of day"),
        ("next day 09:00 Berlin", "'Berlin' is not a time zone"),
        ("next day day 2 09:00", "a day has no day of its own"),
        ("next month day 31 09:00", "not every month has a day 31: say one up to 28"),
        ("next week day 0 09:00", "not every week has a day 0"),
    ],
)
def test_anything_else_is_refused(text: str, reason: str) -> None:
    """With what is wrong, and how it is written."""
    with pytest.raises(ValueError, match=reason):
        parse_availability(text)


@given(
    unit=st.sampled_from(UNITS),
    count=st.integers(-9999, 9999),
    day=st.integers(1, 7),
    minutes=st.integers(0, 24 * 60 - 1),
)
def test_what_is_shown_can_be_written(unit: str, count: int, day: int, minutes: int) -> None:
    """The words that are kept mean the same when they are read again."""
    side = "later" if count >= 0 else "earlier"
    nth = "" if unit == "day" else f" day {day}"
    text = f"{abs(count)} {unit}s {side}{nth} {minutes // 60}:{minutes % 60:02}"
    record = parse_availability(text).record("UTC")
    assert parse_availability(record["text"]).record(None) == record
