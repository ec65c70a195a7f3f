"""Providers are asked no faster than they allow: every request is sent under their limit."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest
from support.conformance_kits import all_kits
from support.http_server import LocalServer

from dataportal.plugins.base_plugin import MultiSeriesPlugin
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.rate_limit import RateLimiter
from dataportal.testing import Provider
from dataportal.testing.checks_answers import ordinary_case

if TYPE_CHECKING:
    from support.conformance_kits import Kit

    from dataportal.plugins.http.rate_limit import RateLimit

SECRET = "c4n4ry-0f-a-s3cr3t"  # noqa: S105 - it opens nothing


class Noted(RateLimiter):
    """Notes what would be waited for, and lets every request pass."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[RateLimit] = []

    async def wait(self, host: str, limit: RateLimit) -> None:
        """Return at once."""
        assert host == "127.0.0.1"
        self.limits.append(limit)


@pytest.mark.parametrize("kit_and_limit", all_kits(), ids=str)
def test_every_request_is_sent_under_the_limit(kit_and_limit: Kit) -> None:
    """Every page and every part, under one limit; who has a key is counted by that alone."""
    kit, expected = kit_and_limit.conformance, kit_and_limit.limit
    points, start, end = ordinary_case(kit)
    rate_limiter = Noted()

    async def ask(url: str) -> None:
        plugin = kit_and_limit.plugin(Provider(url, SECRET))
        is_group = isinstance(plugin, MultiSeriesPlugin)
        fetch = plugin.get_historical_data_multi if is_group else plugin.get_historical_data
        plugin.http = HttpClient(
            rate_limiter=rate_limiter, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        try:
            await fetch(start.isoformat(), None if end is None else end.isoformat())
        finally:
            await plugin.http.aclose()

    with LocalServer(otherwise=lambda request: kit.provider(request, points)) as server:
        asyncio.run(ask(server.url))
        assert len(server.requests) > 0
        assert len(rate_limiter.limits) == (0 if expected is None else len(server.requests))
    if expected is not None:
        (limit,) = set(rate_limiter.limits)
        assert (limit.per_minute, limit.everywhere) == (expected.per_minute, expected.everywhere)
        assert (limit.key is not None) == (expected.counted_by != "host")
        assert (limit.key == SECRET) == (expected.counted_by == "key")
