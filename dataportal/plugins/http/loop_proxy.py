"""Hands requests from other event loops over to the one that owns the HTTP client.

A plugin from elsewhere runs in a thread and an event loop of its own, and may start more of both.
Connections and limits belong to one loop: it sends for all of them, and each waits in its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")

_PATIENCE = 1.0  # seconds for what is cancelled to let go of its connection


class LoopProxy:
    """Runs coroutines in the loop that owns the client, for whoever awaits them in another loop.

    Args:
        loop: the owner; it has to run while anything is handed over to it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._under_way: set[asyncio.Task[Any] | None] = set()
        self._closed = False

    async def run(
        self, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The function's result, in the running event loop; cancelled together with its caller.

        Raises:
            CancelledError: `cancel` ended it, or nothing is taken any more.
        """
        if self._closed:
            raise asyncio.CancelledError
        work = self._work(function, *args, **kwargs)
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # the owner is closed
            work.close()
            raise asyncio.CancelledError from None
        return await asyncio.wrap_future(future)

    async def cancel(self) -> None:
        """End what is under way. In the owner's loop."""
        tasks = {task for task in self._under_way if task is not None}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_PATIENCE)

    async def aclose(self) -> None:
        """End what is under way, and take nothing any more. In the owner's loop."""
        self._closed = True
        await self.cancel()

    async def _work(
        self, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if self._closed:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        self._under_way.add(task)
        try:
            return await function(*args, **kwargs)
        finally:
            self._under_way.discard(task)
