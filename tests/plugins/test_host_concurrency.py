"""Whose turn it is with a host, across threads and event loops."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from support.http_server import LocalServer, Reply

from dataportal.plugins.http import HttpClient
from dataportal.plugins.http import host_concurrency as turns
from dataportal.plugins.http.host_concurrency import Turns

if TYPE_CHECKING:
    import pytest
    from support.http_server import Request


def test_a_host_is_asked_so_often_at_a_time_by_all_loops_together() -> None:
    """Plugins in threads of their own count with the others."""
    under_way: list[int] = []
    most: list[int] = []
    together = threading.Barrier(3)

    def reply(request: Request) -> Reply:
        under_way.append(1)
        most.append(len(under_way))
        together.wait(20)  # three come at a time, or nobody goes on
        under_way.pop()
        return Reply.json([])

    async def ask(client: HttpClient, url: str) -> None:
        try:
            await asyncio.gather(*(client.get(url) for _ in range(4)))
        finally:
            await client.aclose()

    client = HttpClient(per_host=3)
    with LocalServer() as server, ThreadPoolExecutor(3) as threads:
        url = server.answer("/data", reply)
        list(threads.map(lambda _: asyncio.run(ask(client, url)), range(3)))
        assert server.asked("/data") == 12
    assert max(most) == 3


@settings(max_examples=30, deadline=None)
@given(
    at_a_time=st.integers(1, 3),
    plan=st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=20),
)
def test_turns_are_never_lost(at_a_time: int, plan: list[tuple[int, bool]]) -> None:
    """Whoever gives up while waiting or while asking, the others are served, never too many."""

    async def everybody() -> None:
        given = Turns(at_a_time)
        inside: list[int] = []

        async def one(steps: int) -> None:
            async with given.turn("host", 60):
                inside.append(1)
                assert len(inside) <= at_a_time
                try:
                    for _ in range(steps):
                        await asyncio.sleep(0)
                finally:
                    inside.pop()

        tasks = []
        for steps, stays in plan:
            task = asyncio.create_task(one(steps))
            tasks.append(task)
            await asyncio.sleep(0)
            if not stays:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert all(task.cancelled() or task.exception() is None for task in tasks)
        assert not given._waiting["host"]
        assert not given._given["host"]

    asyncio.run(asyncio.wait_for(everybody(), 20))


def test_turns_come_in_order() -> None:
    """Who waits longest is next."""
    order: list[int] = []

    async def everybody() -> None:
        given = Turns(1)

        async def one(number: int) -> None:
            async with given.turn("host", 60):
                order.append(number)
                await asyncio.sleep(0)

        await asyncio.gather(*(one(number) for number in range(10)))

    asyncio.run(everybody())
    assert order == list(range(10))


def test_a_loop_that_hangs_keeps_its_turn_for_its_time_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A plugin that blocks in the middle of a request does not keep its host from others."""
    monkeypatch.setattr(turns, "_GRACE", 0.05)
    given = Turns(1)
    taken, over = threading.Event(), threading.Event()

    async def hang() -> None:
        async with given.turn("host", 0.05):
            taken.set()
            over.wait(20)

    async def wait() -> None:
        async with asyncio.timeout(20), given.turn("host", 60):
            over.set()

    thread = threading.Thread(target=asyncio.run, args=(hang(),))
    thread.start()
    assert taken.wait(20)
    asyncio.run(wait())
    thread.join(20)
    assert not thread.is_alive()


def test_hosts_have_turns_of_their_own() -> None:
    """One that is busy holds up no other."""

    async def both() -> None:
        given = Turns(1)
        async with asyncio.timeout(20), given.turn("one", 60), given.turn("two", 60):
            pass

    asyncio.run(both())
