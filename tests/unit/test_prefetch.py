"""Requests that are sent ahead: every answer is that to its request, and few are pending."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.plugins.declarative.prefetch import MAX_PENDING, Prefetcher

NUMBERS = st.lists(st.integers(0, 4), max_size=6)


@given(st.lists(st.tuples(NUMBERS, st.integers(0, 4)), max_size=8))
def test_every_answer_is_that_to_its_request(steps: list[tuple[list[int], int]]) -> None:
    """Whatever was expected; at most three are pending, and in the end none."""
    pending: set[object] = set()
    most_pending = 0

    async def send(request: int) -> int:
        nonlocal most_pending
        token = object()
        pending.add(token)
        most_pending = max(most_pending, len(pending))
        try:
            await asyncio.sleep(0)
            return request * 2
        finally:
            pending.discard(token)

    async def all_of_them() -> None:
        prefetcher = Prefetcher[int, int](send)
        for expected, request in steps:
            prefetcher.expect(expected)
            assert await prefetcher.answer(request) == request * 2
        await prefetcher.cancel()

    asyncio.run(all_of_them())
    assert not pending
    assert most_pending <= MAX_PENDING


def test_nothing_is_sent_behind_what_will_be_cancelled() -> None:
    """What was expected turned out wrong: the new requests wait until it is gone."""
    sent: list[int] = []

    async def send(request: int) -> int:
        sent.append(request)
        await asyncio.sleep(0)
        return request

    async def wrongly() -> None:
        prefetcher = Prefetcher[int, int](send)
        prefetcher.expect([1, 2])
        prefetcher.expect([5, 6, 7])
        await asyncio.sleep(0)
        assert sent == [1, 2]
        assert await prefetcher.answer(5) == 5
        await prefetcher.cancel()

    asyncio.run(wrongly())


def test_what_fails_does_so_in_its_turn() -> None:
    """Not before; and what follows it is given up without a word."""
    sent: list[int] = []

    async def send(request: int) -> int:
        sent.append(request)
        if request >= 2:
            raise ValueError(request)
        return request

    async def in_order() -> None:
        prefetcher = Prefetcher[int, int](send)
        try:
            prefetcher.expect([1, 2, 3, 4])
            await asyncio.sleep(0)
            assert sent == [1, 2, 3]
            assert await prefetcher.answer(1) == 1
            with pytest.raises(ValueError, match=r"^2$"):
                await prefetcher.answer(2)
        finally:
            await prefetcher.cancel()

    asyncio.run(in_order())
