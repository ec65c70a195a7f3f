"""Offsets from UTC, in every spelling that providers have for them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.plugins.readers.utc_offsets import read_utc_offset

QUARTERS = st.integers(-18 * 4, 18 * 4)


@given(QUARTERS, st.sampled_from(["", "UTC", "GMT"]), st.sampled_from([":", ""]))
def test_every_spelling_is_the_same_offset(quarters: int, prefix: str, separator: str) -> None:
    """`3600`, `+01:00`, `+0100`, `UTC+1`, with a minus of either kind."""
    offset = timedelta(minutes=15 * quarters)
    hours, minutes = divmod(abs(15 * quarters), 60)
    for sign in ["+"] if quarters >= 0 else ["-", "\u2212"]:
        assert read_utc_offset(f"{prefix}{sign}{hours:02}{separator}{minutes:02}") == offset
        if not minutes:
            assert read_utc_offset(f"{prefix}{sign}{hours}") == offset
    seconds = 900 * quarters
    # a sign and two or four digits are a time of day
    assert read_utc_offset(seconds) == read_utc_offset(float(seconds)) == offset
    if abs(seconds) > 9999 or seconds >= 0:
        assert read_utc_offset(str(seconds)) == offset


@pytest.mark.parametrize("text", ["Z", "z", "UTC", "gmt", "0", 0, "+00:00", " Z "])
def test_utc_is_none(text: object) -> None:
    """By any of its names."""
    assert read_utc_offset(text) == timedelta()


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", True, False, "CET", "Europe/Berlin", "+1:2:3", "1.5", 0.5, [], {}, "++1"),
        *("+19:00", 70000, "-70000", float("inf"), float("nan"), "1e3", "٣٦٠٠"),
    ],
)
def test_what_is_none_is_refused(value: object) -> None:
    """Names, fractions of seconds, and more than 18 hours."""
    with pytest.raises(ValueError, match="is no offset from UTC"):
        read_utc_offset(value)
