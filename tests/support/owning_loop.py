"""An event loop in a thread that owns an HTTP client, and loops of other threads that use it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.loop_proxy import LoopProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

T = TypeVar("T")


class OwningLoop:
    """The loop that a client belongs to, as the program's own does.

    Attributes:
        http: the client.
        proxy: hands requests over to the loop.
    """

    def __init__(self, http: HttpClient) -> None:
        self.loop = asyncio.new_event_loop()
        self.http = http
        self.proxy = LoopProxy(self.loop)
        self.plugin_http = http.through(self.proxy)
        """What a plugin with loops of its own has."""
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of what runs in the loop itself."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def start(self) -> None:
        """Let it run."""
        self._thread.start()

    def end(self) -> None:
        """Close the client, and then the loop."""
        self.run(self.http.aclose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(30)
        self.loop.close()


@contextmanager
def owning_loop(**options: Any) -> Iterator[OwningLoop]:
    """A loop that owns a client with these options."""
    owner = OwningLoop(HttpClient(**options))
    owner.start()
    try:
        yield owner
    finally:
        owner.end()


def each_in_a_loop_of_its_own(
    works: Sequence[Callable[[], Coroutine[Any, Any, T]]],
) -> list[T]:
    """The results of works that run at the same time, each in a thread and a loop of its own."""
    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(lambda work: asyncio.run(work()), works))
