"""How fast a host is asked: evenly, together, and by several machines as by one."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import psycopg
from support.http_server import LocalServer, Reply
from support.owning_loop import each_in_a_loop_of_its_own, owning_loop

from dataportal.collect.rate_limiter import SharedRateLimiter
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.rate_limit import RateLimit, RateLimiter
from dataportal.store.rate_limits import DatabaseRateLimiter

if TYPE_CHECKING:
    from support.http_server import Request

FAST = RateLimit(per_minute=3000)  # every 20 ms
DISTANCE = 60 / FAST.per_minute


def test_requests_from_several_threads_keep_their_distance() -> None:
    """However many event loops ask at once, the k-th request is sent k slots after the first."""
    sent: list[float] = []

    def reply(request: Request) -> Reply:
        del request
        sent.append(time.monotonic())
        return Reply.json({})

    with LocalServer() as server, owning_loop() as owner:
        url = server.answer("/data", reply)

        async def ask() -> None:
            await asyncio.gather(*(owner.plugin_http.get(url, limit=FAST) for _ in range(4)))

        begun = time.monotonic()
        each_in_a_loop_of_its_own([ask] * 3)
    assert len(sent) == 12
    assert all(at >= begun + slot * DISTANCE for slot, at in enumerate(sorted(sent)))


def test_nobody_waits_for_a_host_that_was_given_up() -> None:
    """The second request of a slow pair is refused long before its minute has passed."""
    slow = RateLimit(per_minute=1)
    given_up: set[str] = set()

    def refused(request: Request) -> Reply:
        given_up.add("127.0.0.1")
        return Reply(503)

    async def both(url: str) -> list[str]:
        client = HttpClient(given_up=given_up)
        try:
            async with asyncio.timeout(30):
                requests = (client.get(url, limit=slow) for _ in range(2))
                return [
                    str(error) for error in await asyncio.gather(*requests, return_exceptions=True)
                ]
        finally:
            await client.aclose()

    with LocalServer() as server:
        errors = asyncio.run(both(server.answer("/data", refused)))
        assert len(server.requests) == 1
    assert "503" in errors[0]
    assert "used up its retries for another source" in errors[1]


def test_hosts_and_keys_have_slots_of_their_own() -> None:
    """What is asked of one does not hold up another; the key does not show."""
    slow = RateLimit(per_minute=0.001, key="c4n4ry-of-a-key")
    limiter = RateLimiter()

    async def once() -> None:
        async with asyncio.timeout(5):
            await limiter.wait("one", slow)
            await limiter.wait("two", slow)
            await limiter.wait("one", RateLimit(per_minute=0.001, key="another"))
            await limiter.wait("one", RateLimit(per_minute=0.001))

    asyncio.run(once())
    assert "c4n4ry" not in slow.name("one")


def test_slots_are_shared_by_everybody_who_uses_the_database(database_url: str) -> None:
    """Eight connections take slots at once: no two get the same, none comes too early."""

    def take(_: int) -> float:
        with closing(DatabaseRateLimiter(database_url)) as slots:
            before = time.monotonic()
            return before + slots.take("host", 0.5)

    with ThreadPoolExecutor(8) as threads:
        begins = sorted(threads.map(take, range(8)))
    # the wait is counted from the server's clock, a little later than ours
    assert all(later - earlier > 0.4 for earlier, later in pairwise(begins))


def test_a_key_is_stored_hashed(database_url: str) -> None:
    """One row for each host and key; nothing in it tells the key."""
    limit = RateLimit(per_minute=60_000, key="c4n4ry-of-a-key", everywhere=True)
    shared = SharedRateLimiter(database_url)
    limiter = RateLimiter(everywhere=shared.reserve)

    async def twice() -> None:
        for _ in range(2):
            await limiter.wait("api.example.org", limit)

    asyncio.run(twice())
    shared.close()
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT name FROM request_slot").fetchall()
    assert len(rows) == 1
    assert rows[0][0].startswith("api.example.org ")
    assert "c4n4ry" not in rows[0][0]
