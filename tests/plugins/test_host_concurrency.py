"""So many requests at a time to each host, from all threads and event loops together."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from support.http_server import Reply
from support.owning_loop import each_in_a_loop_of_its_own, owning_loop

from dataportal.plugins.http.host_concurrency import HostConcurrency

if TYPE_CHECKING:
    from support.http_server import LocalServer, Request


def test_a_host_is_asked_so_often_at_a_time_by_all_loops_together(server: LocalServer) -> None:
    """Plugins in threads of their own count with the others."""
    under_way: list[int] = []
    most: list[int] = []
    together = threading.Barrier(4)

    def reply(request: Request) -> Reply:
        under_way.append(1)
        most.append(len(under_way))
        together.wait(20)  # four come at a time, or nobody goes on
        under_way.pop()
        return Reply.json([])

    url = server.answer("/data", reply)
    with owning_loop(per_host=4) as owner:

        async def ask() -> None:
            await asyncio.gather(*(owner.plugin_http.get(url) for _ in range(4)))

        async def built_in() -> None:
            await asyncio.gather(*(owner.http.get(url) for _ in range(4)))

        works = [ask, ask, ask, lambda: asyncio.to_thread(owner.run, built_in())]
        each_in_a_loop_of_its_own(works)
    assert server.asked("/data") == 16
    assert max(most) == 4


@settings(max_examples=30, deadline=None)
@given(
    at_a_time=st.integers(1, 3),
    plan=st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=20),
)
def test_slots_are_never_lost(at_a_time: int, plan: list[tuple[int, bool]]) -> None:
    """Whoever gives up while waiting or while asking, the others are served, never too many."""

    async def everybody() -> None:
        concurrency = HostConcurrency(at_a_time)
        inside: list[int] = []

        async def ask(steps: int) -> None:
            async with concurrency.slot("host"):
                inside.append(1)
                assert len(inside) <= at_a_time
                try:
                    for _ in range(steps):
                        await asyncio.sleep(0)
                finally:
                    inside.pop()

        tasks = []
        for steps, stays in plan:
            task = asyncio.create_task(ask(steps))
            tasks.append(task)
            await asyncio.sleep(0)
            if not stays:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert all(task.cancelled() or task.exception() is None for task in tasks)
        # all slots are free: they can be had at once, and together
        for _ in range(at_a_time):
            await asyncio.wait_for(concurrency.slot("host").__aenter__(), 0.0001)

    asyncio.run(asyncio.wait_for(everybody(), 20))


def test_slots_come_in_order() -> None:
    """Who waits longest is next."""
    order: list[int] = []

    async def everybody() -> None:
        concurrency = HostConcurrency(1)

        async def ask(number: int) -> None:
            async with concurrency.slot("host"):
                order.append(number)
                await asyncio.sleep(0)

        await asyncio.gather(*(ask(number) for number in range(10)))

    asyncio.run(everybody())
    assert order == list(range(10))


def test_slots_come_in_order_over_several_loops(server: LocalServer) -> None:
    """Whichever thread it asks from, who waits longest is next."""
    hold = threading.Event()
    first = server.answer("/first", Reply(body=b"[]", hold=hold))
    urls = [server.answer(f"/{number}", Reply.json([])) for number in range(8)]
    with owning_loop(per_host=1) as owner:
        waiting: list[threading.Thread] = []
        for url in [first, *urls]:

            async def ask(url: str = url) -> None:
                await owner.plugin_http.get(url)

            thread = threading.Thread(target=asyncio.run, args=(ask(),))
            thread.start()
            waiting.append(thread)
            while len(owner.proxy._under_way) < len(waiting):
                owner.run(asyncio.sleep(0))
        hold.set()
        for thread in waiting:
            thread.join(30)
    assert [request.path for request in server.requests] == ["/first", *(f"/{n}" for n in range(8))]


def test_a_loop_that_hangs_keeps_its_slot_for_its_request_alone(server: LocalServer) -> None:
    """A plugin that blocks in the middle of a request does not keep its host from others."""
    hold, over = threading.Event(), threading.Event()
    slow = server.answer("/slow", Reply(body=b"[]", hold=hold))
    quick = server.answer("/quick", Reply.json([]))
    with owning_loop(per_host=1) as owner:

        async def hang() -> None:
            task = asyncio.create_task(owner.plugin_http.get(slow))
            await asyncio.to_thread(server.wait_for, "/slow")
            hold.set()
            over.wait(20)  # blocks the loop
            await task

        async def wait() -> None:
            async with asyncio.timeout(20):
                await owner.plugin_http.get(quick)
            over.set()

        thread = threading.Thread(target=asyncio.run, args=(hang(),))
        thread.start()
        server.wait_for("/slow")
        asyncio.run(wait())
        thread.join(20)
        assert not thread.is_alive()


def test_a_loop_that_hangs_keeps_its_slot_for_its_time_alone(server: LocalServer) -> None:
    """Also where the provider never answers it."""
    over = threading.Event()
    silent = server.answer("/silent", Reply(body=b"[]", hold=threading.Event()))
    quick = server.answer("/quick", Reply.json([]))
    with owning_loop(per_host=1, request_timeout=0.3) as owner:

        async def hang() -> None:
            task = asyncio.create_task(owner.plugin_http.get(silent))
            await asyncio.to_thread(server.wait_for, "/silent")
            over.wait(20)  # blocks the loop
            await asyncio.wait({task})

        async def wait() -> None:
            async with asyncio.timeout(20):
                await owner.plugin_http.get(quick)
            over.set()

        thread = threading.Thread(target=asyncio.run, args=(hang(),))
        thread.start()
        server.wait_for("/silent")
        asyncio.run(wait())
        thread.join(20)
        assert not thread.is_alive()


def test_hosts_have_slots_of_their_own() -> None:
    """One that is busy holds up no other."""

    async def both() -> bool:
        concurrency = HostConcurrency(1)
        async with asyncio.timeout(20), concurrency.slot("one"), concurrency.slot("two"):
            return True

    assert asyncio.run(both())
