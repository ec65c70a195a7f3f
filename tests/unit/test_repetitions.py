"""Which of several points of one time counts, or that they contradict one another."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.repetitions import Repeated, choice, contradiction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
VALUES = st.lists(st.none() | st.sampled_from([0.0, -0.0, 1.0, 1.5, 1e300]), min_size=1, max_size=6)


def chosen_value(values: Sequence[float | None], repeated: Repeated) -> float | str | None:
    """The value that counts, or that none does."""
    position = choice(range(len(values)), values, repeated)
    return "none" if position is None else values[position]


@given(VALUES)
def test_only_numbers_that_differ_contradict_one_another(values: list[float | None]) -> None:
    """A null says nothing against a number, and 0 and -0 are one."""
    numbers = {value for value in values if value is not None}
    if len(numbers) > 1:
        assert chosen_value(values, Repeated.REFUSE) == "none"
    else:
        assert chosen_value(values, Repeated.REFUSE) == next(iter(numbers), None)


@given(VALUES, st.randoms())
def test_a_refusal_does_not_depend_on_the_order(values: list[float | None], random: Random) -> None:
    """Nor do its words, of values as they are stored: without a sign of 0."""
    values = [None if value is None else value + 0.0 for value in values]
    mixed = list(values)
    random.shuffle(mixed)
    assert chosen_value(values, Repeated.REFUSE) == chosen_value(mixed, Repeated.REFUSE)
    assert contradiction((NOON, None), values) == contradiction((NOON, None), mixed)


@given(VALUES)
def test_first_and_last_choose_among_the_numbers(values: list[float | None]) -> None:
    """A null behind the last number, or before the first one, does not count."""
    numbers: list[float | None] = [value for value in values if value is not None]
    numbers = numbers or [None]
    assert chosen_value(values, Repeated.FIRST) == numbers[0]
    assert chosen_value(values, Repeated.LAST) == numbers[-1]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([2.0, 1.5, None], "2 different values (1.5, 2)"),
        ([float(n) for n in range(9)], "9 different values (0, 1, 2, 3, 4 and 4 more)"),
    ],
)
def test_a_contradiction_names_time_values_and_the_way_out(
    values: list[float | None], words: str
) -> None:
    """As they are stored, and no more than a few of them."""
    text = contradiction((NOON, datetime(2025, 6, 2, tzinfo=UTC)), values)
    assert text.startswith("2025-06-01T12:00:00Z, published at 2025-06-02T00:00:00Z, has ")
    assert words in text
    assert "repeated: last or first" in text
