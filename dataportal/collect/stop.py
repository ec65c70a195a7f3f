"""The signal to stop: set by a signal handler, or by anybody, from any thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from dataportal.errors import ExitCode


class StopSignal:
    """Says that the work shall end, and with which exit code; the first one counts."""

    def __init__(self) -> None:
        self.code: ExitCode | None = None
        self.times = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_set: Callable[[], None] | None = None

    def set(self, code: ExitCode) -> None:
        """End the work. Safe in a signal handler and in any thread."""
        self.code = self.code or code
        self.times += 1
        self._notify()

    def __bool__(self) -> bool:
        return self.code is not None

    def attach(self, loop: asyncio.AbstractEventLoop, on_set: Callable[[], None]) -> None:
        """Call `on_set` within `loop` whenever it is set, also if it was set before."""
        self._loop, self._on_set = loop, on_set
        if self.code is not None:
            self._notify()

    def detach(self) -> None:
        """Call nobody any more."""
        self._loop = self._on_set = None

    def _notify(self) -> None:
        if self._loop is not None and self._on_set is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_set)
