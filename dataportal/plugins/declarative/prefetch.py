"""Sends the next requests while an answer is still being read."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

Q = TypeVar("Q")
A = TypeVar("A")

MAX_PENDING = 3
"""Requests that are sent ahead: few, so that one source does not take all that a host allows."""


class Prefetcher(Generic[Q, A]):
    """Gives the answers to requests in order, and sends a few expected requests ahead.

    To be closed by `cancel`, within the task that uses it.

    Args:
        send: sends a request and returns its answer; may raise.
    """

    def __init__(self, send: Callable[[Q], Awaitable[A]]) -> None:
        self._send = send
        self._pending: deque[tuple[Q, asyncio.Task[A]]] = deque()

    def expect(self, requests: Iterable[Q]) -> None:
        """Send the first of these requests, which are in the order in which they will be needed.

        Where others are pending instead, nothing is sent: the next answer cancels those.
        """
        for number, request in enumerate(islice(requests, MAX_PENDING)):
            if number == len(self._pending):
                self._pending.append((request, asyncio.ensure_future(self._send(request))))
            elif self._pending[number][0] != request:
                return

    async def answer(self, request: Q) -> A:
        """The answer to a request; if another one was expected, all pending ones are cancelled.

        Raises:
            Exception: as `send` does.
        """
        if self._pending and self._pending[0][0] == request:
            _, task = self._pending.popleft()
            return await task
        await self.cancel()
        return await self._send(request)

    async def cancel(self) -> None:
        """Cancel all pending requests, and wait until they have ended."""
        tasks = [task for _, task in self._pending]
        self._pending.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
