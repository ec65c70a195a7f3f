"""Rate limits: how fast a host may be asked, by all sources of a run together.

Even distances keep any limit on requests a minute, whenever the provider's minute begins; a burst
at its end and another at the beginning of the next would not.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Reserve = Callable[[str, float], Awaitable[float]]
    """Takes the next free slot under a name, so many seconds after the one before: how long from
    now until it begins."""

_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What a provider allows.

    Attributes:
        per_minute: requests a minute.
        key: whose requests count together: an API key; None for everybody's from here.
        everywhere: whether a breach is punished, so that several machines must keep it together.
    """

    per_minute: float
    key: str | None = None
    everywhere: bool = False

    def name(self, host: str) -> str:
        """What identifies host and key, without telling the key."""
        digest = hashlib.sha256((self.key or "").encode()).hexdigest()[:16]
        return f"{host} {digest}" if self.key else host


class RateLimiter:
    """Makes requests wait their turn. For one event loop at a time.

    Args:
        everywhere: takes slots that several machines share; None counts here alone.
    """

    def __init__(self, everywhere: Reserve | None = None) -> None:
        self._everywhere = everywhere
        self._next_slot: dict[str, float] = {}
        self._paused_until: dict[str, float] = {}

    def leave_alone(self, host: str, seconds: float) -> None:
        """Note that the host asked not to be asked for so long."""
        until = time.monotonic() + seconds
        self._paused_until[host] = max(self._paused_until.get(host, until), until)

    def remaining_pause(self, host: str) -> float:
        """The seconds for which the host must not be asked; 0 or less for none."""
        return self._paused_until.get(host, 0.0) - time.monotonic()

    async def wait(self, host: str, limit: RateLimit) -> None:
        """Return when the next request to the host may be sent."""
        name, distance = limit.name(host), _MINUTE / limit.per_minute
        if limit.everywhere and self._everywhere is not None:
            seconds = await self._everywhere(name, distance)
        else:
            now = time.monotonic()
            slot = max(self._next_slot.get(name, now), now)
            self._next_slot[name] = slot + distance
            seconds = slot - now
        if seconds > 0:
            await asyncio.sleep(seconds)
