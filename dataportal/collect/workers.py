"""Threads that one coroutine each may wait for: for blocking store calls, and foreign plugins.

Daemon threads, never joined and never taken from the default executor: whatever one of them is
stuck in, it holds up neither the event loop nor the end of the program.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """One thread that carries out one call after the other."""

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, from this lane's thread.

        A caller that is cancelled leaves; the thread ends the call, and its result is dropped.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def carry_out() -> None:
            result: T | None = None
            fault: BaseException | None = None
            try:
                result = function(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
                fault = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, future, result, fault)

        self._work.put(carry_out)
        return await future

    def send(self, function: Callable[[], object]) -> None:
        """Have the function called after all that was given before; nobody waits for it."""

        def carry_out() -> None:
            with suppress(Exception):
                function()

        self._work.put(carry_out)

    def close(self) -> None:
        """End the thread once it has done what it was given; does not wait for that."""
        self._work.put(None)

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            work()


class Lanes:
    """Threads for one call at a time, used again when it is over: to start one takes time."""

    def __init__(self) -> None:
        self._free: list[Lane] = []

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result. A thread whose call fails, or that nobody awaits, is let go."""
        lane = self._free.pop() if self._free else Lane("call")
        try:
            result = await lane.call(function, *args, **kwargs)
        except BaseException:
            lane.close()
            raise
        self._free.append(lane)
        return result

    def close(self) -> None:
        """End the threads that are free; waits for nothing."""
        while self._free:
            self._free.pop().close()


def _settle(future: asyncio.Future[Any], result: object, fault: BaseException | None) -> None:
    if future.cancelled():
        return
    if fault is None:
        future.set_result(result)
    elif isinstance(fault, StopIteration):  # a future cannot hold one
        future.set_exception(RuntimeError("StopIteration escaped"))
    else:
        future.set_exception(fault)
