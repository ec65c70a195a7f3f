"""Answers with something wrong in any place: refused or taken, but never a bug of the plugin."""

from __future__ import annotations

import asyncio
import copy
import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.conformance_kits import all_kits
from support.http_server import LocalServer, Reply

from dataportal.errors import FetchError, PluginError
from dataportal.observations import clean
from dataportal.plugins.base_plugin import MultiSeriesPlugin
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.rate_limit import RateLimiter
from dataportal.testing import Provider
from dataportal.testing.checks_answers import ordinary_case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.conformance_kits import Kit
    from support.http_server import Request

    from dataportal.plugins.http.rate_limit import RateLimit

JSON = "application/json"
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
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    if value is ...:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return changed


class Asker:
    """Asks a plugin again and again, with one client; what it returns is cleaned."""

    def __init__(self, kit: Kit, runner: asyncio.Runner) -> None:
        self._kit = kit
        self._runner = runner
        _, start, end = ordinary_case(kit.conformance)
        self._window = start.isoformat(), None if end is None else end.isoformat()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._http = HttpClient(rate_limiter=Unhurried(), tls=tls)

    def ask(self, url: str) -> None:
        """A window without anything special."""
        plugin = self._kit.plugin(Provider(url, "c4n4ry-0f-a-s3cr3t"))
        plugin.http = self._http
        clean(
            self._runner.run(self._answer(plugin)),
            series=self._kit.conformance.names,
            start=None,
            end=None,
            zone=None,
        )

    async def _answer(self, plugin: Any) -> Any:
        if isinstance(plugin, MultiSeriesPlugin):
            results: Any = plugin.get_historical_data_multi(*self._window)
            return await results
        return {self._kit.conformance.names[0]: await plugin.get_historical_data(*self._window)}

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._http.aclose())


@pytest.mark.slow
@pytest.mark.parametrize("named_kit", all_kits(), ids=str)
def test_nonsense_is_the_providers_fault(named_kit: Kit) -> None:
    """Whatever stands in whatever place of a JSON document, or is missing there.

    Tables and XML are bent as texts, by the tests of mangled answers.
    """
    kit = named_kit.conformance
    points, _, _ = ordinary_case(kit)
    bodies: list[bytes] = []
    content_types: set[str] = set()

    def good(request: Request) -> Reply:
        reply = kit.provider(request, points)
        assert isinstance(reply.body, bytes)
        bodies.append(reply.body)
        content_types.add(reply.content_type)
        return reply

    with asyncio.Runner() as runner:
        asker = Asker(named_kit, runner)
        with LocalServer(otherwise=good) as server:
            asker.ask(server.url)
        if content_types != {JSON}:
            asker.close()
            assert JSON not in content_types
            return
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
