"""Providers are asked no faster than they allow: every request waits for its turn."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import LocalServer
from support.provider_kits import kits, limits

from dataportal.plugins.base_plugin import MultiSeriesPlugin
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.rate_limit import Pace
from dataportal.testing import Provider
from dataportal.testing.checks_answers import ordinary

if TYPE_CHECKING:
    from support.provider_kits import Limit

    from dataportal.plugins.http.rate_limit import RateLimit
    from dataportal.testing import Conformance

SECRET = "c4n4ry-0f-a-s3cr3t"  # noqa: S105 - it opens nothing


class Noted(Pace):
    """Notes what would be waited for, and lets every request pass."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[RateLimit] = []

    async def wait(self, host: str, limit: RateLimit) -> None:
        """Return at once."""
        assert host == "127.0.0.1"
        self.limits.append(limit)


@pytest.mark.parametrize(
    ("expected", "kit"),
    [
        pytest.param(expected, kit, id=name)
        for module, expected in limits().items()
        for name, kit in kits(module).items()
    ],
)
def test_every_request_waits_for_its_turn(expected: Limit, kit: Conformance) -> None:
    """Every page and every part, under one limit; who has a key is counted by that alone."""
    points, start, end = ordinary(kit)
    pace = Noted()

    async def ask(url: str) -> None:
        params = kit.params(Provider(url, SECRET))
        plugin: Any
        if issubclass(kit.plugin, MultiSeriesPlugin):
            plugin = kit.plugin("group", params, list(kit.series), "1 hour")
            fetch = plugin.get_historical_data_multi
        else:
            plugin = kit.plugin(kit.metadata, params)
            fetch = plugin.get_historical_data
        plugin.http = HttpClient(pace=pace, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        try:
            await fetch(start.isoformat(), None if end is None else end.isoformat())
        finally:
            await plugin.http.aclose()

    with LocalServer(otherwise=lambda request: kit.provider(request, points)) as server:
        asyncio.run(ask(server.url))
        assert len(pace.limits) == len(server.requests) > 0
    (limit,) = set(pace.limits)
    assert limit.key is not None
    assert (limit.per_minute, limit.everywhere, limit.key == SECRET) == expected
