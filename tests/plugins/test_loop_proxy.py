"""Plugins with event loops of their own use the client of another one, as if it were theirs."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.http_server import LocalServer, Reply
from support.owning_loop import OwningLoop, each_in_a_loop_of_its_own, owning_loop

from dataportal.errors import PermanentError, TransientError
from dataportal.plugins.http import HttpClient, NotFoundError
from dataportal.validators import ConditionalRequests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dataportal.plugins.http import Answer


@pytest.fixture
def owner() -> Iterator[OwningLoop]:
    """A loop that owns a client, which sends one request at a time to a host."""
    with owning_loop(per_host=1) as running:
        yield running


def silent(server: LocalServer) -> str:
    """An address that is never answered."""
    return server.answer("/silent", Reply(hold=threading.Event()))


def connections_to(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The addresses that connections come from, from now on."""
    addresses: list[object] = []
    accept = server._server.get_request

    def get_request() -> tuple[object, object]:
        connection, address = accept()
        addresses.append(address)
        return connection, address

    monkeypatch.setattr(server._server, "get_request", get_request)
    return addresses


def quick(server: LocalServer) -> str:
    """An address that is answered at once."""
    return server.answer("/quick", Reply.json([1]))


def test_what_comes_and_what_goes_wrong_is_the_same(server: LocalServer, owner: OwningLoop) -> None:
    """Parameters and headers go along; errors come as they are, with all that they say."""
    server.answer("/gone", Reply(404))
    server.answer("/busy", Reply(503, headers={"Retry-After": "0"}))

    async def ask() -> None:
        http = owner.plugin_http
        answer = await http.get(quick(server), params={"a": [1, 2]}, headers={"X-Key": "k"})
        assert answer.json() == [1]
        assert (await http.get(f"{server.url}/gone", also=(404,))).status == 404
        with pytest.raises(NotFoundError):
            await http.get(f"{server.url}/gone")
        with pytest.raises(TransientError) as caught:
            await http.get(f"{server.url}/busy")
        assert (caught.value.retry_after, caught.value.host) == (0, "127.0.0.1")
        with pytest.raises(PermanentError, match="not an http or https address"):
            await http.get("ftp://127.0.0.1/")
        with pytest.raises(TransientError, match=r"longer than 0.2 s"):
            await http.get(silent(server), deadline=0.2)

    asyncio.run(ask())
    assert server.requests[0].query == {"a": ["1", "2"]}
    assert server.requests[0].headers["x-key"] == "k"


def test_all_loops_share_the_connections(
    server: LocalServer, owner: OwningLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, from whichever loop: the connection is used again."""
    connections = connections_to(server, monkeypatch)

    async def ask() -> Answer:
        return await owner.plugin_http.get(quick(server))

    for _ in range(3):
        asyncio.run(ask())
    owner.run(owner.http.get(quick(server)))
    assert len(connections) == 1


def test_a_plugin_may_have_as_many_threads_and_loops_as_it_likes(
    server: LocalServer, owner: OwningLoop
) -> None:
    """At the same time, within each other, and through a loop that lives longer than a call."""
    url = quick(server)

    async def ask() -> list[int]:
        inner = await asyncio.to_thread(lambda: asyncio.run(owner.plugin_http.get(url)))
        direct = await owner.plugin_http.get(url)
        return [*inner.json(), *direct.json()]

    assert each_in_a_loop_of_its_own([ask] * 5) == [[1, 1]] * 5
    with asyncio.Runner() as runner:
        for _ in range(2):
            assert runner.run(ask()) == [1, 1]


def test_a_plugin_closes_nothing(
    server: LocalServer, owner: OwningLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it calls its client is that of all."""
    connections = connections_to(server, monkeypatch)

    async def close() -> None:
        await owner.plugin_http.aclose()
        assert (await owner.plugin_http.get(quick(server))).json() == [1]

    owner.run(owner.http.get(quick(server)))
    asyncio.run(close())
    owner.run(owner.http.get(quick(server)))
    assert len(connections) == 1


def test_a_request_that_is_cancelled_frees_its_slot(server: LocalServer, owner: OwningLoop) -> None:
    """Whoever cancels it in the plugin's loop, and whether it was sent or waits for its slot."""

    async def give_up() -> None:
        sent = asyncio.create_task(owner.plugin_http.get(silent(server)))
        await asyncio.to_thread(server.wait_for, "/silent")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(owner.plugin_http.get(quick(server)), 0.05)
        sent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sent
        async with asyncio.timeout(20):
            assert (await owner.plugin_http.get(quick(server))).json() == [1]

    asyncio.run(give_up())
    assert server.asked("/quick") == 1
    assert not owner.proxy._under_way


def test_a_loop_that_ends_takes_its_requests_along(server: LocalServer, owner: OwningLoop) -> None:
    """As `asyncio.run` does with all that is left when the work is done."""

    async def leave() -> None:
        task = asyncio.create_task(owner.plugin_http.get(silent(server)))
        await asyncio.to_thread(server.wait_for, "/silent")
        assert not task.done()

    asyncio.run(leave())
    assert owner.run(owner.http.get(quick(server))).json() == [1]


def test_a_loop_that_was_closed_harms_nobody(
    server: LocalServer, owner: OwningLoop, caplog: pytest.LogCaptureFixture
) -> None:
    """Its request goes to its end, and there is nobody to tell."""
    hold = threading.Event()
    url = server.answer("/slow", Reply(body=b"[]", hold=hold))
    loop = asyncio.new_event_loop()
    task = loop.create_task(owner.plugin_http.get(url))
    loop.run_until_complete(asyncio.to_thread(server.wait_for, "/slow"))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    hold.set()
    assert owner.run(owner.http.get(quick(server))).json() == [1]
    # nothing is left of it, not even a complaint
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # as it was left behind on purpose
    del task
    assert not caplog.records


def test_what_nobody_waits_for_is_ended(server: LocalServer, owner: OwningLoop) -> None:
    """An abandoned plugin's requests end, whether sent or waiting; it may ask again later."""
    results: list[BaseException | Answer] = []

    async def plugin() -> None:
        requests = [owner.plugin_http.get(silent(server)) for _ in range(3)]
        results.extend(await asyncio.gather(*requests, return_exceptions=True))
        results.append(await owner.plugin_http.get(quick(server)))

    thread = threading.Thread(target=asyncio.run, args=(plugin(),))
    thread.start()
    server.wait_for("/silent")
    while len(owner.proxy._under_way) < 3:
        owner.run(asyncio.sleep(0))
    owner.run(owner.proxy.cancel())
    thread.join(20)
    assert [type(result) for result in results[:3]] == [asyncio.CancelledError] * 3
    assert not isinstance(results[3], BaseException)
    assert server.asked("/silent") == 1


def test_a_client_that_is_closed_sends_nothing_for_anybody(server: LocalServer) -> None:
    """What is under way ends; what comes later, also once the loop has ended, is not sent."""
    ended: list[type[BaseException]] = []

    async def ask(owner: OwningLoop, url: str) -> None:
        try:
            await owner.plugin_http.get(url)
        except asyncio.CancelledError as error:
            ended.append(type(error))

    with owning_loop() as owner:
        thread = threading.Thread(target=asyncio.run, args=(ask(owner, silent(server)),))
        thread.start()
        server.wait_for("/silent")
        owner.run(owner.http.aclose())
        thread.join(20)
        asyncio.run(ask(owner, quick(server)))
    asyncio.run(ask(owner, quick(server)))
    other = OwningLoop(HttpClient())
    other.loop.close()
    asyncio.run(ask(other, quick(server)))
    assert ended == [asyncio.CancelledError] * 4
    assert server.asked("/quick") == 0


def test_limits_hold_over_all_loops(server: LocalServer) -> None:
    """A host that was given up, or asked to be left alone, is asked from no loop."""
    given_up: set[str] = set()
    with owning_loop(given_up=given_up) as owner:
        busy = server.answer("/busy", Reply(429, headers={"Retry-After": "60"}))

        async def ask(url: str) -> None:
            await owner.plugin_http.get(url)

        with pytest.raises(TransientError, match="429"):
            owner.run(owner.http.get(busy))
        with pytest.raises(TransientError, match="asked to be left alone"):
            asyncio.run(ask(quick(server)))
        given_up.add("127.0.0.1")
        with pytest.raises(TransientError, match="used up its retries"):
            asyncio.run(ask(quick(server)))
    assert server.asked("/quick") == 0


def test_what_is_kept_of_an_answer_is_known_where_it_is_asked_for(
    server: LocalServer, owner: OwningLoop
) -> None:
    """A plugin calls `keep` in its own thread."""
    url = server.answer("/a", Reply(body=b"[1]", headers={"ETag": '"a"'}))
    requests = ConditionalRequests()

    async def ask() -> None:
        answer = await owner.http.conditional(requests).through(owner.proxy).get(url)
        answer.keep(note="it")

    asyncio.run(ask())
    assert [(kept.etag, kept.note) for kept in requests.fresh.values()] == [('"a"', "it")]


@settings(max_examples=15, deadline=None)
@given(
    plans=st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6),
        min_size=1,
        max_size=4,
    )
)
def test_no_slot_is_lost_between_loops(plans: list[list[tuple[int, bool]]]) -> None:
    """Whoever gives up in whichever loop, the others are served, and all slots are free after."""

    async def plugin(owner: OwningLoop, url: str, plan: list[tuple[int, bool]]) -> None:
        tasks = []
        for steps, stays in plan:
            task = asyncio.create_task(owner.plugin_http.get(url))
            tasks.append((task, stays))
            for _ in range(steps):
                await asyncio.sleep(0)
            if not stays:
                task.cancel()
        for task, stays in tasks:
            if stays:
                assert (await task).json() == [1]
        await asyncio.gather(*(task for task, _ in tasks), return_exceptions=True)

    with LocalServer() as server, owning_loop(per_host=2) as owner:
        url = quick(server)
        each_in_a_loop_of_its_own([lambda p=plan: plugin(owner, url, p) for plan in plans])  # type: ignore[misc]  # a default binds the loop's variable

        async def two() -> None:
            hold = threading.Event()
            together = server.answer("/together", Reply(body=b"[]", hold=hold))
            both = [asyncio.create_task(owner.http.get(together)) for _ in range(2)]
            await asyncio.to_thread(server.wait_for, "/together", 2)
            hold.set()
            await asyncio.gather(*both)

        owner.run(two())
        assert not owner.proxy._under_way
