"""Providers are asked no faster than they allow: every request waits for its turn."""

from __future__ import annotations

import asyncio
import importlib
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import LocalServer

from dataportal.plugins.base_plugin import MultiSeriesPlugin
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.rate_limit import RateLimiter
from dataportal.testing import Provider
from dataportal.testing.checks_answers import ordinary

if TYPE_CHECKING:
    from dataportal.plugins.http.rate_limit import RateLimit
    from dataportal.testing import Conformance

SECRET = "c4n4ry-0f-a-s3cr3t"  # noqa: S105 - it opens nothing
LIMITS = {
    "citybikes": (5, False),
    "eia": (120, True),
    "energy_charts": (30, False),
    "fingrid": (10, True),
    "open_meteo": (80, False),
    "tankerkoenig": (12, True),
}
"""Requests a minute, and whether all machines count together, by provider."""


class Noted(RateLimiter):
    """Notes what would be waited for, and lets every request pass."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[RateLimit] = []

    async def wait(self, host: str, limit: RateLimit) -> None:
        """Return at once."""
        assert host == "127.0.0.1"
        self.limits.append(limit)


def kits() -> list[tuple[str, str, Conformance]]:
    """Each kit of each provider, with the names of both."""
    return [
        (provider, name, kit)
        for provider in LIMITS
        for name, kit in importlib.import_module(f"conformance.{provider}_plugin").KITS.items()
    ]


@pytest.mark.parametrize(
    ("provider", "kit"), [pytest.param(p, kit, id=name) for p, name, kit in kits()]
)
def test_every_request_waits_for_its_turn(provider: str, kit: Conformance) -> None:
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
        plugin.http = HttpClient(rate_limiter=pace, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        try:
            await fetch(start.isoformat(), None if end is None else end.isoformat())
        finally:
            await plugin.http.aclose()

    with LocalServer(otherwise=lambda request: kit.provider(request, points)) as server:
        asyncio.run(ask(server.url))
        assert len(pace.limits) == len(server.requests) > 0
    (limit,) = set(pace.limits)
    assert (limit.per_minute, limit.everywhere) == LIMITS[provider]
    assert limit.key is not None
    assert (limit.key == SECRET) == (provider not in {"citybikes", "energy_charts"})
