"""Whose turn it is with a host: so many requests at a time, from all threads and event loops.

A semaphore of asyncio belongs to one event loop; plugins from elsewhere have loops of their own,
and ask the same hosts. One whose loop hangs keeps its turn until the time for its request is over,
and no longer: nobody starves on its account.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict, deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_GRACE = 1.0  # seconds that a request may take to notice that its time is over


class Turn:
    """The right to ask one host once, for so many seconds from when it is given."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.lapses = 0.0

    def begin(self) -> None:
        """Let the seconds count from now on."""
        self.lapses = time.monotonic() + self._seconds + _GRACE


class Turns:
    """Gives out turns, in the order in which they are asked for.

    Args:
        at_a_time: turns given at a time for one host.
    """

    def __init__(self, at_a_time: int) -> None:
        self._at_a_time = at_a_time
        self._lock = threading.Lock()
        self._given: defaultdict[str, set[Turn]] = defaultdict(set)
        self._waiting: defaultdict[str, deque[tuple[Turn, asyncio.Future[None]]]]
        self._waiting = defaultdict(deque)

    @asynccontextmanager
    async def turn(self, host: str, seconds: float) -> AsyncIterator[Turn]:
        """Wait for a turn, and give it back in the end.

        Args:
            host: whom to ask.
            seconds: how long that may take. Who waits for something else first begins anew.
        """
        turn, mine = Turn(seconds), asyncio.get_running_loop().create_future()
        with self._lock:
            self._give(host)
            if self._is_free(host):
                self._begin(host, turn)
                mine.set_result(None)
            else:
                self._waiting[host].append((turn, mine))
        try:
            while not mine.done():
                await asyncio.wait((mine,), timeout=self._patience(host))
                with self._lock:
                    self._give(host)
            yield turn
        finally:
            with self._lock:
                self._given[host].discard(turn)
                with suppress(ValueError):
                    self._waiting[host].remove((turn, mine))
                self._give(host)

    def _is_free(self, host: str) -> bool:
        """Whether a turn can be had at once. Under the lock."""
        return not self._waiting[host] and len(self._given[host]) < self._at_a_time

    def _begin(self, host: str, turn: Turn) -> None:
        turn.begin()
        self._given[host].add(turn)

    def _give(self, host: str) -> None:
        """Give what is free to those who wait longest. Under the lock."""
        given, waiting = self._given[host], self._waiting[host]
        now = time.monotonic()
        given -= {turn for turn in given if turn.lapses < now}
        while waiting and len(given) < self._at_a_time:
            turn, theirs = waiting.popleft()
            # a loop that was closed takes no turn any more
            with suppress(RuntimeError):
                theirs.get_loop().call_soon_threadsafe(_settle, theirs)
                self._begin(host, turn)

    def _patience(self, host: str) -> float:
        with self._lock:
            first = min((turn.lapses for turn in self._given[host]), default=0.0)
        return max(first - time.monotonic(), 0.0) + 0.01


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
