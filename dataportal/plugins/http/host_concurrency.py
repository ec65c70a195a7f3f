"""Limits concurrent requests per host."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager


class HostConcurrency:
    """Slots for requests to hosts, given out in the order in which they are asked for.

    Belongs to the event loop that uses it.

    Args:
        per_host: requests under way to one host at a time.
    """

    def __init__(self, per_host: int) -> None:
        self._slots: defaultdict[str, asyncio.Semaphore]
        self._slots = defaultdict(lambda: asyncio.Semaphore(per_host))

    def slot(self, host: str) -> AbstractAsyncContextManager[None]:
        """A slot for one request to a host: to enter it waits until one is free."""
        return self._slots[host]
