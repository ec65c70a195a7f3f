"""Worker threads that one coroutine each may wait for: for blocking store calls, foreign plugins.

Daemon threads, never joined and never taken from the default executor: whatever one of them is
stuck in, it holds up neither the event loop nor the end of the program.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from dataportal.process_end import end_process

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class WorkerThread:
    """One thread that makes one call after the other."""

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, from this thread.

        A caller that is cancelled leaves; the thread ends the call, and its result is dropped.
        """
        loop, process = asyncio.get_running_loop(), os.getpid()
        future: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            result: T | None = None
            fault: BaseException | None = None
            try:
                result = function(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
                fault = error
            if os.getpid() != process:
                # a child that the function forked came back: of all threads it has this one
                end_process(1)
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, future, result, fault)

        self._work.put(work)
        return await future

    def send(self, function: Callable[[], object]) -> None:
        """Have the function called after all that was given before; nobody waits for it."""

        def work() -> None:
            with suppress(Exception):
                function()

        self._work.put(work)

    def close(self) -> None:
        """End the thread once it has done what it was given; does not wait for that."""
        self._work.put(None)

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            work()


class WorkerPool:
    """Threads for one call at a time, used again when it is over: to start one takes time."""

    def __init__(self) -> None:
        self._idle: list[WorkerThread] = []

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result. A thread whose call fails, or that nobody awaits, is let go."""
        thread = self._idle.pop() if self._idle else WorkerThread("call")
        try:
            result = await thread.call(function, *args, **kwargs)
        except BaseException:
            thread.close()
            raise
        self._idle.append(thread)
        return result

    def close(self) -> None:
        """End the threads that are idle; waits for nothing."""
        while self._idle:
            self._idle.pop().close()


def _settle(future: asyncio.Future[Any], result: object, fault: BaseException | None) -> None:
    if future.cancelled():
        return
    if fault is None:
        future.set_result(result)
    elif isinstance(fault, StopIteration):  # a future cannot hold one
        future.set_exception(RuntimeError("StopIteration escaped"))
    else:
        future.set_exception(fault)
