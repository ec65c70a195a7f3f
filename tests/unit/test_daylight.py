"""Flags and marks that tell the two hours of an autumn night apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.plugins.declarative.daylight import DaylightFlags
from dataportal.plugins.readers.local_labels import FIRST, SECOND
from dataportal.raw_points import RefusedTime

# zones, and the first of the two instants of the doubled hour
NEW_YORK = ("America/New_York", datetime(2025, 11, 2, 5, tzinfo=UTC))
DUBLIN = ("Europe/Dublin", datetime(2025, 10, 26, tzinfo=UTC))


def hour_of(flags: DaylightFlags, flag: object, night: tuple[str, datetime]) -> int | RefusedTime:
    """Which of the two hours of a night is meant."""
    zone, first = night
    return flags.side(flag, first, first + timedelta(hours=1), ZoneInfo(zone))


@pytest.mark.parametrize(
    ("flag", "side"),
    [
        *((flag, FIRST) for flag in ("Y", "yes", "true", True, 1, 1.0, "summer", "EDT", "edt")),
        *((flag, SECOND) for flag in ("N", "No", "false", False, 0, "winter", "EST", "standard")),
        *((flag, FIRST) for flag in ("-04:00", "-0400", "UTC-4", "-14400")),
        *((flag, SECOND) for flag in ("-05:00", "-0500", "GMT-5", "-18000")),
    ],
)
def test_words_abbreviations_and_offsets_are_known(flag: object, side: int) -> None:
    """Without being described."""
    assert hour_of(DaylightFlags("f"), flag, NEW_YORK) == side


def test_winter_time_is_the_second_hour_also_where_the_zone_calls_it_otherwise() -> None:
    """Dublin counts its summer time as the standard one."""
    flags = DaylightFlags("f")
    assert [hour_of(flags, flag, DUBLIN) for flag in ("IST", "GMT", "summer", "winter")] == [
        FIRST,
        SECOND,
        FIRST,
        SECOND,
    ]


@pytest.mark.parametrize("flag", ["", None, "maybe", "CET", "+09:00", 2])
def test_what_says_nothing_is_refused(flag: object) -> None:
    """With the local time and what stands there."""
    side = hour_of(DaylightFlags("f"), flag, NEW_YORK)
    assert isinstance(side, RefusedTime)
    assert side.startswith("2025-11-02 01:00 occurs twice in America/New_York, and dst finds ")


def test_words_of_ones_own_come_in_place_of_the_known_ones() -> None:
    """Y may mean that an hour is repeated."""
    flags = DaylightFlags("f", ["N"], ["Y", "R"])
    assert [hour_of(flags, flag, NEW_YORK) for flag in "NYR"] == [FIRST, SECOND, SECOND]
    assert isinstance(hour_of(flags, "EDT", NEW_YORK), RefusedTime)


@given(
    st.integers(0, 23),
    st.sampled_from(["", ":30", ":00:00"]),
    st.sampled_from(["A", "B", "X", "*", "'"]),
)
def test_a_mark_behind_the_digits_is_cut_out(hour: int, minutes: str, mark: str) -> None:
    """Behind the hour or at the end; what is left is the label."""
    flags = DaylightFlags(None, ["A", "*"], ["B", "X", "'"])
    for label in {f"{hour}{mark}{minutes}", f"{hour:02}{minutes}{mark}"}:
        assert flags.mark(label) == mark
        assert flags.without_mark(label) == label.replace(mark, "")
    assert flags.mark(f"{hour}{minutes}") == ""


@pytest.mark.parametrize("label", ["2 AM", "2AM", "1 Aug 2025", "02:00 BST"])
def test_letters_of_a_word_are_no_marks(label: str) -> None:
    """AM is no A."""
    flags = DaylightFlags(None, ["A"], ["B"])
    assert flags.mark(label) == ""
    assert flags.without_mark(label) == label


def test_an_hour_without_a_mark_is_the_other_one() -> None:
    """Where only one of them is marked."""
    assert hour_of(DaylightFlags(None, (), ["X"]), "", NEW_YORK) == FIRST
    assert hour_of(DaylightFlags(None, ["*"], ()), "", NEW_YORK) == SECOND
    both = hour_of(DaylightFlags(None, ["A"], ["B"]), "", NEW_YORK)
    assert isinstance(both, RefusedTime)
