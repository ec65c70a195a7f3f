"""Asks for what will be wanted next while an answer is read."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

Q = TypeVar("Q")
A = TypeVar("A")

MOST = 3
"""Questions under way: that one source alone does not take all of a host's turns."""


class Ahead(Generic[Q, A]):
    """Questions and their answers, in order, of which a few are put before their turn.

    To be closed by `drop`, within the task that asks.

    Args:
        ask: the answer to a question; may raise.
    """

    def __init__(self, ask: Callable[[Q], Awaitable[A]]) -> None:
        self._ask = ask
        self._under_way: deque[tuple[Q, asyncio.Task[A]]] = deque()

    def expect(self, questions: Iterable[Q]) -> None:
        """Put the first of them, which are in the order in which they will be wanted.

        Where others are under way, which the next answer drops, nothing is put behind them.
        """
        for number, question in enumerate(islice(questions, MOST)):
            if number == len(self._under_way):
                asking = asyncio.ensure_future(self._ask(question))
                self._under_way.append((question, asking))
            elif self._under_way[number][0] != question:
                return

    async def answer(self, question: Q) -> A:
        """The answer; what else was expected in its place is dropped.

        Raises:
            Exception: as `ask` does.
        """
        if self._under_way and self._under_way[0][0] == question:
            _, asking = self._under_way.popleft()
            return await asking
        await self.drop()
        return await self._ask(question)

    async def drop(self) -> None:
        """Give up what is under way."""
        given_up = [asking for _, asking in self._under_way]
        self._under_way.clear()
        for asking in given_up:
            asking.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
