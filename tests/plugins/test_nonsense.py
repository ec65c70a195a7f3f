"""Answers with something wrong in any place: refused or taken, but never a bug of the plugin."""

from __future__ import annotations

import asyncio
import copy
import importlib
import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.http_server import LocalServer, Reply

from dataportal.errors import FetchError, PluginError
from dataportal.observations import clean
from dataportal.plugins.base_plugin import MultiSeriesPlugin
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.rate_limit import RateLimiter
from dataportal.testing import Provider
from dataportal.testing.checks_answers import ordinary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.http_server import Request

    from dataportal.plugins.http.rate_limit import RateLimit
    from dataportal.testing import Conformance

PROVIDERS = (
    *("citybikes", "eia", "elexon", "energy_charts", "fingrid"),
    *("fred", "http", "open_meteo", "smard", "tankerkoenig"),
)
NONSENSE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from(["", "now", "2024-01-01T00", "9999-12-31T23:59:59Z", "0001-01-01T00", "-1"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["name", "data", "time", "id", "error"]), inner, max_size=2
        )
    ),
    max_leaves=4,
)


class Unhurried(RateLimiter):
    """Lets every request pass."""

    async def wait(self, host: str, limit: RateLimit) -> None:
        """Return at once."""


def kits() -> list[Any]:
    """Each kit of each provider that answers with JSON, by name."""
    return [
        pytest.param(kit, id=name)
        for provider in PROVIDERS
        for name, kit in importlib.import_module(f"conformance.{provider}_plugin").KITS.items()
        if not name.startswith(("csv", "xml"))
    ]


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part of a JSON document."""
    yield path
    if isinstance(document, dict):
        for key, value in document.items():
            yield from places(value, (*path, key))
    elif isinstance(document, list):
        for position, value in enumerate(document[:2]):
            yield from places(value, (*path, position))


def bent(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value in one place; without that place for `...`."""
    if not path:
        return None if value is ... else value
    changed = copy.deepcopy(document)
    part = changed
    for key in path[:-1]:
        part = part[key]
    if value is ...:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    return changed


class Asker:
    """Asks a plugin again and again, with one client; what it returns is cleaned."""

    def __init__(self, kit: Conformance, runner: asyncio.Runner) -> None:
        self._kit = kit
        self._runner = runner
        _, start, end = ordinary(kit)
        self._window = start.isoformat(), None if end is None else end.isoformat()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._http = HttpClient(rate_limiter=Unhurried(), tls=tls)

    def ask(self, url: str) -> None:
        """A window without anything special."""
        kit = self._kit
        params = kit.params(Provider(url, "c4n4ry-0f-a-s3cr3t"))
        plugin: Any
        if issubclass(kit.plugin, MultiSeriesPlugin):
            plugin = kit.plugin("group", params, list(kit.series), "1 hour")
        else:
            plugin = kit.plugin(kit.metadata, params)
        plugin.http = self._http
        clean(
            self._runner.run(self._answer(plugin)),
            series=kit.names,
            start=None,
            end=None,
            zone=None,
        )

    async def _answer(self, plugin: Any) -> Any:
        if isinstance(plugin, MultiSeriesPlugin):
            found: Any = plugin.get_historical_data_multi(*self._window)
            return await found
        return {self._kit.names[0]: await plugin.get_historical_data(*self._window)}

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._http.aclose())


@pytest.mark.slow
@pytest.mark.parametrize("kit", kits())
def test_nonsense_is_the_providers_fault(kit: Conformance) -> None:
    """Whatever stands in whatever place, or is missing there."""
    points, _, _ = ordinary(kit)
    bodies: list[bytes] = []

    def good(request: Request) -> Reply:
        reply = kit.provider(request, points)
        assert isinstance(reply.body, bytes)
        bodies.append(reply.body)
        return reply

    with asyncio.Runner() as runner:
        asker = Asker(kit, runner)
        with LocalServer(otherwise=good) as server:
            asker.ask(server.url)
        document = json.loads(bodies[0])

        @settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=60)
        @given(st.sampled_from(list(places(document))), NONSENSE | st.just(...))
        def try_it(path: tuple[Any, ...], value: Any) -> None:
            bodies[0] = json.dumps(bent(document, path, value)).encode()
            try:
                asker.ask(server.url)
            except FetchError as error:
                assert not isinstance(error, PluginError)  # noqa: PT017 - others are right

        with LocalServer(otherwise=lambda _: Reply(body=bodies[0])) as server:
            try_it()
        asker.close()
