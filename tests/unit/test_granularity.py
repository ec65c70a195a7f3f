"""Lengths of intervals by the calendar of a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.granularity import IntervalLength, interval_length

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from([None, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")])
INSTANTS = st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - with a zone
LENGTHS = st.sampled_from(
    [
        *("1 minute", "5 minutes", "15 minutes", "30 minutes", "1 hour", "3 hours", "6 hours"),
        *("1 day", "1 week", "2 weeks", "10 days", "1 month", "2 months", "1 quarter", "1 year"),
        *("P1M", "P3M", "P1Y", "P10Y", "PT15M", "P1DT12H", "P1M2D"),
    ]
)


@given(LENGTHS, INSTANTS, ZONES)
def test_an_instant_lies_in_its_interval(
    text: str, instant: datetime, zone: ZoneInfo | None
) -> None:
    """It begins no later, and none that reaches over the instant could begin before."""
    length = interval_length(text)
    assert length is not None
    start = length.start_of(instant, zone)
    assert start <= instant
    assert instant - start <= 2 * length.longest
    assert length.end_of(start, zone) > start
    assert length.end_of(start, zone) - start <= length.longest


@given(st.sampled_from([1, 2, 3, 4, 6, 12]), INSTANTS, ZONES)
def test_months_follow_one_another(months: int, instant: datetime, zone: ZoneInfo | None) -> None:
    """The interval that an instant lies in ends after it, where the next one begins."""
    length = IntervalLength(months=months)
    start = length.start_of(instant, zone)
    end = length.end_of(start, zone)
    assert start <= instant < end
    assert length.start_of(end, zone) == end
    local = start.astimezone(zone or UTC)
    assert (local.day, local.hour, local.minute) == (1, 0, 0)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("1 day", "2025-03-29T23:00Z", "2025-03-30T22:00Z"),
        ("1 day", "2025-10-25T22:00Z", "2025-10-26T23:00Z"),
        ("1 month", "2025-02-28T23:00Z", "2025-03-31T22:00Z"),
        ("1 year", "2023-12-31T23:00Z", "2024-12-31T23:00Z"),
        ("1 hour", "2025-10-26T00:00Z", "2025-10-26T01:00Z"),
    ],
)
def test_days_and_months_end_by_the_clocks(text: str, start: str, end: str) -> None:
    """Days of 23 and 25 hours in Berlin, and a leap year."""
    length = interval_length(text)
    assert length is not None
    assert length.end_of(datetime.fromisoformat(start), BERLIN) == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("quarterly", IntervalLength(months=3)),
        ("annual", IntervalLength(months=12)),
        ("2 Years", IntervalLength(months=24)),
        ("daily", IntervalLength(days=1)),
        ("P1W", IntervalLength(days=7)),
        ("PT36H", IntervalLength(rest=timedelta(hours=36))),
        ("PT24H", IntervalLength(days=1)),
        *((text, None) for text in ("", None, "hourly or so", "0 hours", "-1 day", "P", "PT")),
        ("999999999 days", None),
        ("P99999999Y", None),
    ],
)
def test_texts_are_read_as_lengths(text: str | None, length: IntervalLength | None) -> None:
    """None for what is no length, and for what is longer than the calendar."""
    assert interval_length(text) == length
