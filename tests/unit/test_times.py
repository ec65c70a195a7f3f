"""Durations and instants as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.times import format_duration, iso, parse_duration, parse_instant, time_zone

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LENGTHS = st.timedeltas(timedelta(), timedelta(days=100 * 365))
INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - bounds
    lambda instant: instant.replace(tzinfo=UTC)
)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("15 minutes", 15 * MINUTE),
        ("1 hour", HOUR),
        ("7 days", 7 * DAY),
        ("2 weeks", 14 * DAY),
        ("1 month", 30 * DAY),
        ("1 quarter", 91 * DAY),
        ("1 year", 365 * DAY),
        ("7d", 7 * DAY),
        ("7D", 7 * DAY),
        ("2w", 14 * DAY),
        ("1h30m", 90 * MINUTE),
        ("1h 30m", 90 * MINUTE),
        ("1 hour, 30 minutes", 90 * MINUTE),
        ("1.5 hours", 90 * MINUTE),
        ("90 s", 90 * SECOND),
        ("90 secs", 90 * SECOND),
        ("5 mins", 5 * MINUTE),
        ("2 hrs", 2 * HOUR),
        ("100 ms", SECOND / 10),
        ("100ms", SECOND / 10),
        ("250 milliseconds", SECOND / 4),
        ("3 microseconds", timedelta(microseconds=3)),
        ("  15   MINUTES ", 15 * MINUTE),
        ("hourly", HOUR),
        ("Daily", DAY),
        ("weekly", 7 * DAY),
        ("monthly", 30 * DAY),
        ("yearly", 365 * DAY),
        ("PT15M", 15 * MINUTE),
        ("pt15m", 15 * MINUTE),
        ("P1D", DAY),
        ("P1M", 30 * DAY),
        ("P1Y2M3W4DT5H6M7.5S", 450 * DAY + 5 * HOUR + 6 * MINUTE + 7.5 * SECOND),
        ("PT0.25H", 15 * MINUTE),
        ("0 minutes", timedelta()),
    ],
)
def test_a_duration_is_read(text: str, length: timedelta) -> None:
    """In words, in short, in ISO 8601; a month is 30 days."""
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "minutes", "15", "1 lightyear", "-1 hour", "PT-5M", "-PT5M", "P", "PT", "P1DT"),
        *("1,5 hours", "1 hour ago", "1 hour and 5 minutes", "*/5", "12:30", "inf days", "1e3 s"),
        *("1..5 h", "1 h x", "P1H", "P1.5Y", "nan seconds", "1 months 2"),
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """With the text itself and an example of how to write one."""
    with pytest.raises(ValueError, match="is not a duration; write it like 15 minutes") as refused:
        parse_duration(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize("text", ["1" * 30 + " days", "9" * 400 + " s", "P9999999999Y", "PT9e9H"])
def test_a_duration_that_nothing_can_hold_is_refused(text: str) -> None:
    """A ValueError, whatever the arithmetic under it raises."""
    with pytest.raises(ValueError, match=text[:10]):
        parse_duration(text)


@given(st.text(max_size=12) | st.from_regex(r"[0-9.]{0,3}[ ]?[a-zPT,. ]{0,8}", fullmatch=True))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    """Nothing else is raised, and no duration is negative."""
    try:
        length = parse_duration(text)
    except ValueError:
        length = timedelta()
    assert length >= timedelta()


@given(st.integers(1, 5000), st.sampled_from(["week", "day", "hour", "minute", "second"]))
def test_each_unit_may_be_plural_or_not(count: int, unit: str) -> None:
    """`1 hours` and `2 hour` are understood too."""
    length = count * timedelta(**{f"{unit}s": 1})
    assert parse_duration(f"{count} {unit}") == parse_duration(f"{count}{unit}s") == length


@given(LENGTHS)
def test_a_duration_survives_being_shown_and_read(length: timedelta) -> None:
    """To the microsecond."""
    assert parse_duration(format_duration(length)) == length


@given(st.integers(1, 10**6))
def test_a_whole_duration_is_shown_in_whole_units(seconds: int) -> None:
    """Never a fraction, never an exponent, never a bare week."""
    count, _, unit = format_duration(seconds * SECOND).partition(" ")
    assert count.isdecimal()
    assert unit.endswith("s") == (count != "1")
    assert (count, unit) != ("1", "week")


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (15 * MINUTE, "15 minutes"),
        (HOUR, "1 hour"),
        (90 * MINUTE, "90 minutes"),
        (DAY, "1 day"),
        (7 * DAY, "7 days"),
        (14 * DAY, "2 weeks"),
        (30 * DAY, "30 days"),
        (timedelta(), "0 seconds"),
        (2.5 * SECOND, "2.5 seconds"),
        (1234567.5 * SECOND, "1234567.5 seconds"),
        (timedelta(microseconds=1), "0.000001 seconds"),
    ],
)
def test_a_duration_is_shown(length: timedelta, text: str) -> None:
    """In its largest whole unit; a week alone is 7 days; no digit of a second is lost."""
    assert format_duration(length) == text


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-03-01", datetime(2025, 2, 28, 23, tzinfo=UTC)),
        ("2025-03-01T06:00", datetime(2025, 3, 1, 5, tzinfo=UTC)),
        ("2025-03-01 06:00:00.5", datetime(2025, 3, 1, 5, 0, 0, 500_000, tzinfo=UTC)),
        ("2025-03-01T06:00Z", datetime(2025, 3, 1, 6, tzinfo=UTC)),
        ("2025-03-01T06:00+05:30", datetime(2025, 3, 1, 0, 30, tzinfo=UTC)),
        (" 20250301T06Z\n", datetime(2025, 3, 1, 6, tzinfo=UTC)),
        ("2025-W09-6", datetime(2025, 2, 28, 23, tzinfo=UTC)),
        ("2025-07-01T12:00", datetime(2025, 7, 1, 10, tzinfo=UTC)),
        ("now", NOW),
        ("NOW", NOW),
        ("7d", NOW - 7 * DAY),
        ("2 weeks", NOW - 14 * DAY),
        ("2 Weeks ago", NOW - 14 * DAY),
        ("PT15M", NOW - 15 * MINUTE),
    ],
)
def test_an_instant_is_read(text: str, instant: datetime) -> None:
    """With an offset, local to the zone without one, or so long before now; always in UTC."""
    read = parse_instant(text, zone=BERLIN, now=NOW)
    assert read == instant
    assert read.tzinfo is UTC


def test_without_a_zone_times_are_utc() -> None:
    """Also where the machine is set to another one."""
    assert parse_instant("2025-03-01T06:00") == datetime(2025, 3, 1, 6, tzinfo=UTC)


def test_of_a_local_hour_that_occurs_twice_the_first_is_meant() -> None:
    """And the second can be said with its offset."""
    first = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert parse_instant("2025-10-26T02:30", zone=BERLIN) == first
    assert parse_instant("2025-10-26T02:30+01:00", zone=BERLIN) == first + HOUR


def test_a_local_time_that_does_not_exist_is_refused() -> None:
    """Saying where and why; beside the gap all is well, and so is a zone without it."""
    with pytest.raises(ValueError, match=r"2025-03-30T02:30.*Europe/Berlin: the clocks skip it"):
        parse_instant("2025-03-30T02:30", zone=BERLIN)
    change = datetime(2025, 3, 30, 1, tzinfo=UTC)
    assert parse_instant("2025-03-30T03:00", zone=BERLIN) == change
    assert parse_instant("2025-03-30T01:59:59", zone=BERLIN) == change - SECOND
    assert parse_instant("2025-03-30T02:30") == change + 90 * MINUTE


@pytest.mark.parametrize(("text", "whole"), [("2025", "2025-01-01"), ("2025-03", "2025-03-01")])
def test_a_year_or_a_month_stands_for_its_beginning(text: str, whole: str) -> None:
    """As ISO 8601 lets a time end early; local to the zone like any other."""
    assert parse_instant(text, zone=BERLIN) == parse_instant(whole, zone=BERLIN)


@pytest.mark.parametrize("text", ["now", "7d", "2 weeks", "PT15M"])
def test_without_a_now_nothing_is_relative(text: str) -> None:
    """It is an error, not the clock of the machine."""
    with pytest.raises(ValueError, match="is not an ISO 8601 time"):
        parse_instant(text)


@pytest.mark.parametrize(
    "text", ["", "soon", "2025-02-30", "2025-3-1", "24:00", "-7d", "99999 years", "1740787200"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    """Saying what would be one; a date that no calendar has, and a time before all calendars."""
    with pytest.raises(ValueError, match=r"neither an ISO 8601 time such as .* nor a duration"):
        parse_instant(text, now=NOW)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("0001-01-01", BERLIN),
        ("0001-01-01T00:00+14:00", UTC),
        ("9999-12-31T23:59-01:00", UTC),
        ("9999-12-31T23:59", ZoneInfo("America/New_York")),
    ],
)
def test_an_instant_beyond_the_calendar_is_refused(text: str, zone: ZoneInfo | timezone) -> None:
    """A ValueError like any other: its local time can be written, its UTC cannot."""
    with pytest.raises(ValueError, match=text[:10]):
        parse_instant(text, zone=zone, now=NOW)


@given(INSTANTS, st.sampled_from([UTC, BERLIN, timezone(timedelta(hours=-9, minutes=-30))]))
def test_an_instant_survives_being_written_and_read(
    instant: datetime, zone: ZoneInfo | timezone
) -> None:
    """From any zone: the text is UTC, ends with Z, and means the same in every zone."""
    text = iso(instant.astimezone(zone))
    assert text.endswith("Z")
    assert "+" not in text
    assert ("." in text) == bool(instant.microsecond)
    assert parse_instant(text, zone=zone) == instant


@given(INSTANTS, LENGTHS)
def test_a_relative_instant_lies_before_now(now: datetime, length: timedelta) -> None:
    """By exactly the length that was written."""
    assert parse_instant(format_duration(length), now=now) == now - length


def test_iso_shows_microseconds_only_where_there_are_any() -> None:
    """A Z in place of the offset, from whatever zone."""
    assert iso(datetime(2025, 7, 1, 12, tzinfo=BERLIN)) == "2025-07-01T10:00:00Z"
    assert iso(datetime(2025, 7, 1, 12, 0, 0, 7, UTC)) == "2025-07-01T12:00:00.000007Z"


def test_a_zone_is_found_by_its_name() -> None:
    """As the IANA database names it."""
    assert time_zone("Europe/Berlin") == BERLIN


@pytest.mark.parametrize(
    "name",
    ["", " ", "Berlin", "Europe", "Mars/Phobos", "../etc/passwd", "/etc/passwd", "a\0b", "ä"],
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    """Whatever the file system says of it."""
    with pytest.raises(ValueError, match="is not a time zone; write it like Europe/Berlin"):
        time_zone(name)
