"""Numbers as tables write them: groups of three digits by whatever sign."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.plugins.readers.numbers import NumberFormat


@given(st.integers(-(10**15), 10**15), st.sampled_from([" ", "\u00a0", "\u202f", "\u2009"]))
def test_any_blank_stands_between_groups(number: int, blank: str) -> None:
    """Whichever of them the source names, as a person sees no difference."""
    text = f"{number:,},5".replace(",", blank, f"{number:,}".count(","))
    expected = number + (0.5 if number >= 0 else -0.5) if number else 0.5
    for thousands in (" ", "\u00a0"):
        assert NumberFormat(decimal=",", thousands=thousands).value(text) == expected


@pytest.mark.parametrize("sign", ["'", "\u2019"])
def test_either_apostrophe_stands_between_groups(sign: str) -> None:
    """That of a typewriter, and that of a printer."""
    assert NumberFormat(thousands=sign).value("1\u2019234'567.5") == 1234567.5


@pytest.mark.parametrize("text", ["1 23", "1  234", "12 34 567", "1.234 567", "1 234,5", "1'234"])
def test_groups_of_another_length_are_no_number(text: str) -> None:
    """Nor is another sign than that of the source."""
    assert isinstance(NumberFormat(thousands=" ").value(text), str)
