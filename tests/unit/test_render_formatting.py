"""Values as people read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.render.formatting import (
    format_age,
    format_instant,
    format_number,
    format_seconds,
    format_span,
    pluralize,
)
from dataportal.times import parse_instant

MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(  # noqa: DTZ001 - made aware
    lambda at: at.replace(tzinfo=UTC)
)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_exactly(value: float) -> None:
    """No digit that matters is left out."""
    assert float(format_number(value)) == value


def test_no_value_is_no_text() -> None:
    """An empty cell, not a word that a program could take for a number."""
    assert format_number(None) == ""


@given(MOMENTS, st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]))
def test_a_moment_reads_back_exactly(at: datetime, zone: str) -> None:
    """The offset is always there, so that the hour that occurs twice is told apart."""
    assert parse_instant(format_instant(at, ZoneInfo(zone))) == at


@pytest.mark.parametrize(
    ("at", "zone", "text"),
    [
        (datetime(2025, 3, 1, 6, tzinfo=UTC), UTC, "2025-03-01 06:00Z"),
        (datetime(2025, 3, 1, 6, 0, 7, tzinfo=UTC), UTC, "2025-03-01 06:00:07Z"),
        (datetime(2025, 3, 1, 6, tzinfo=UTC), ZoneInfo("Europe/Berlin"), "2025-03-01 07:00+01:00"),
        (None, UTC, "-"),
    ],
)
def test_moments_have_no_more_digits_than_they_need(
    at: datetime | None, zone: ZoneInfo, text: str
) -> None:
    """Seconds appear only where there are any."""
    assert format_instant(at, zone) == text


def test_the_first_moment_of_all_can_be_shown_in_every_zone() -> None:
    """A time that has no local counterpart is shown in UTC instead of failing."""
    first = datetime(1, 1, 1, tzinfo=UTC)
    assert format_instant(first, ZoneInfo("America/New_York")).startswith("0001-01-01")


@given(st.timedeltas(timedelta(), timedelta(days=40_000)))
def test_a_span_is_a_whole_number_of_one_unit(length: timedelta) -> None:
    """It is never longer than what it stands for, and off by less than half."""
    amount, unit = re.fullmatch(r"(\d+) (s|min|h|d|y)", format_span(length)).groups()  # type: ignore[union-attr]
    units = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "y": 86_400 * 365}
    shown = timedelta(seconds=int(amount) * units[unit])
    assert shown <= length < max(shown * 1.5, timedelta(seconds=2))


@pytest.mark.parametrize(
    ("offset", "text"),
    [
        (timedelta(), "now"),
        (timedelta(seconds=-5), "5 s ago"),
        (timedelta(minutes=5), "in 5 min"),
        (timedelta(days=-1), "24 h ago"),
    ],
)
def test_ages_say_before_or_after(offset: timedelta, text: str) -> None:
    """What lies ahead is told apart from what is past."""
    now = datetime(2025, 3, 1, tzinfo=UTC)
    assert format_age(now + offset, now) == text


@pytest.mark.parametrize(("length", "text"), [(0.04, "0.0 s"), (12.34, "12.3 s"), (300, "5 min")])
def test_run_times_are_short(length: float, text: str) -> None:
    """A tenth of a second is exact enough, and a minute beyond two of them."""
    assert format_seconds(length) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 sources"), (1, "1 source"), (2_000, "2,000 sources")]
)
def test_one_thing_is_not_several(count: int, text: str) -> None:
    """And thousands are set apart."""
    assert pluralize(count, "source") == text
