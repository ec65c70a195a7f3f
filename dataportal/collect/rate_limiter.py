"""Slots for requests, taken from the database by whichever event loop asks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from dataportal.collect.workers import Lane
from dataportal.store.rate_limits import RequestSlots

if TYPE_CHECKING:
    from collections.abc import Callable


class SharedSlots:
    """The slots of one command; connects when the first is asked for.

    Args:
        url: the database.
        connect: makes the connection.
    """

    def __init__(self, url: str, connect: Callable[[str], RequestSlots] = RequestSlots) -> None:
        self._url = url
        self._connect = connect
        self._lane: Lane | None = None
        self._making = threading.Lock()
        self._slots: RequestSlots | None = None

    async def reserve(self, name: str, distance: float) -> float:
        """Take the next free slot under a name; the seconds until it begins.

        Raises:
            DatabaseError: the database cannot be asked.
        """
        with self._making:
            lane = self._lane = self._lane or Lane("request slots")
        return await lane.call(self._take, name, distance)

    def close(self) -> None:
        """Let go of the connection; waits for nothing."""
        if self._lane is not None:
            if self._slots is not None:
                self._lane.send(self._slots.close)
            self._lane.close()

    def _take(self, name: str, distance: float) -> float:
        if self._slots is None:
            self._slots = self._connect(self._url)
        try:
            return self._slots.take(name, distance)
        except BaseException:
            self._slots.close()
            self._slots = None
            raise
