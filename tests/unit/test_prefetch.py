"""Questions that are put before their turn."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.plugins.declarative.prefetch import MOST, Ahead

NUMBERS = st.lists(st.integers(0, 4), max_size=6)


@given(st.lists(st.tuples(NUMBERS, st.integers(0, 4)), max_size=8))
def test_every_answer_is_that_to_its_question(wanted: list[tuple[list[int], int]]) -> None:
    """Whatever was expected; at most three are under way, and in the end none."""
    under_way: set[object] = set()
    most = 0

    async def ask(question: int) -> int:
        nonlocal most
        this = object()
        under_way.add(this)
        most = max(most, len(under_way))
        try:
            await asyncio.sleep(0)
            return question * 2
        finally:
            under_way.discard(this)

    async def all_of_them() -> None:
        ahead = Ahead[int, int](ask)
        for expected, question in wanted:
            ahead.expect(expected)
            assert await ahead.answer(question) == question * 2
        await ahead.drop()

    asyncio.run(all_of_them())
    assert not under_way
    assert most <= MOST


def test_nothing_is_asked_behind_what_will_be_dropped() -> None:
    """What was expected turned out wrong: the new questions wait until it is gone."""
    asked: list[int] = []

    async def ask(question: int) -> int:
        asked.append(question)
        await asyncio.sleep(0)
        return question

    async def wrongly() -> None:
        ahead = Ahead[int, int](ask)
        ahead.expect([1, 2])
        ahead.expect([5, 6, 7])
        await asyncio.sleep(0)
        assert asked == [1, 2]
        assert await ahead.answer(5) == 5
        await ahead.drop()

    asyncio.run(wrongly())


def test_what_fails_does_so_in_its_turn() -> None:
    """Not before; and what follows it is given up without a word."""
    asked: list[int] = []

    async def ask(question: int) -> int:
        asked.append(question)
        if question >= 2:
            raise ValueError(question)
        return question

    async def in_order() -> None:
        ahead = Ahead[int, int](ask)
        try:
            ahead.expect([1, 2, 3, 4])
            await asyncio.sleep(0)
            assert asked == [1, 2, 3]
            assert await ahead.answer(1) == 1
            with pytest.raises(ValueError, match=r"^2$"):
                await ahead.answer(2)
        finally:
            await ahead.drop()

    asyncio.run(in_order())
