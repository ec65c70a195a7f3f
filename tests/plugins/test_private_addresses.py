"""No link of a public host leads to a private address, whatever its name resolves to, and when.

A name is answered for by whoever owns it: a public address when it is looked up, and a private one
when it is connected to (DNS rebinding). The event loop here has such a name service.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.http_server import LocalServer, Reply

from dataportal.errors import PermanentError
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.private_addresses import is_private

if TYPE_CHECKING:
    from collections.abc import Coroutine

PUBLIC, LOCAL = "93.184.216.34", "127.0.0.1"


class LoopWithNames(asyncio.SelectorEventLoop):
    """An event loop whose name service answers from a list: the last answer stays."""

    def __init__(self, *answers: str) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked = 0

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> list[Any]:
        """The next answer, whatever the name."""
        self.asked += 1
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))]


def run(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it in this loop."""
    try:
        return loop.run_until_complete(work)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def bodies(*requests: tuple[str, str | None]) -> list[bytes]:
    """The bodies of requests, one after the other, with one client."""
    client = HttpClient(request_timeout=10)
    try:
        return [(await client.get(url, linked_from=origin)).body for url, origin in requests]
    finally:
        await client.aclose()


def test_a_name_that_becomes_private_is_not_asked() -> None:
    """Nothing is sent over the connection: its address is looked at before."""
    with LocalServer() as server:
        url = server.answer("/secret", Reply(body=b"inside")).replace(LOCAL, "rebound.example")
        loop = LoopWithNames(PUBLIC, PUBLIC, LOCAL)
        with pytest.raises(PermanentError, match="leads to a private address"):
            run(loop, bodies((url, "http://provider.example/data")))
        assert loop.asked == 3
        assert not server.requests


def test_an_open_connection_is_looked_at_too() -> None:
    """It was opened when nobody minded; its answer is not taken."""
    with LocalServer() as server:
        url = server.answer("/a", Reply(body=b"inside")).replace(LOCAL, "rebound.example")
        loop = LoopWithNames(LOCAL, PUBLIC)
        with pytest.raises(PermanentError, match="leads to a private address"):
            run(loop, bodies((url, None), (url, "http://provider.example/data")))


def test_a_private_source_may_lead_to_its_own_kind() -> None:
    """What is at home in a network may name its neighbours."""
    with LocalServer() as server:
        url = server.answer("/a", Reply(body=b"inside"))
        loop = asyncio.SelectorEventLoop()
        assert run(loop, bodies((url, url))) == [b"inside"]


def test_through_a_proxy_names_are_its_own_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is then to the proxy, which may be private, and looks the name up."""
    with LocalServer() as proxy:
        proxy.answer("/a", Reply(body=b"outside"))
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        work = bodies(("http://provider.example/a", "http://other.example/data"))
        assert run(asyncio.SelectorEventLoop(), work) == [b"outside"]


@given(
    st.ip_addresses()
    | st.integers(0, 2**96 - 1).map(lambda low: IPv6Address(int(IPv6Address("2001::")) + low))
)
def test_every_address_is_public_or_private(address: Any) -> None:
    """As the registries of addresses have it; in brackets, where it has colons.

    Versions of Python differ over whether 6to4 is global; there the address within decides.
    """
    assume(address.version == 4 or address.sixtofour is None)
    host = f"[{address}]" if address.version == 6 else str(address)
    url = httpx.URL(f"http://{host}/")
    private = run(asyncio.SelectorEventLoop(), is_private(url))
    if address.version == 4 or not address.is_global:
        assert private == (not address.is_global or address.is_multicast)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "localhost",
            "a.localhost",
            "LOCALHOST.",
            "127.1",
            "0x7f.1",
            "2130706433",
            "0177.1",
        ),
        *(
            "[::1]",
            "[::ffff:10.0.0.1]",
            "[2002:7f00:1::]",
            "[64:ff9b:1::1]",
            "[64:ff9b::7f00:1]",
            "100.64.0.1",
        ),
    ],
)
def test_every_spelling_of_a_private_address(host: str) -> None:
    """Names of the loopback device, short and octal ones, and addresses within addresses."""
    assert run(asyncio.SelectorEventLoop(), is_private(httpx.URL(f"http://{host}/")))


def test_a_name_is_as_private_as_any_of_its_addresses() -> None:
    """One that does not resolve is not: the request itself will say so."""

    class NoName(asyncio.SelectorEventLoop):
        async def getaddrinfo(self, *_: Any, **__: Any) -> list[Any]:
            raise socket.gaierror

    url = httpx.URL("http://somewhere.example/")
    assert run(LoopWithNames("10.0.0.1"), is_private(url))
    assert not run(LoopWithNames(PUBLIC), is_private(url))
    assert not run(NoName(), is_private(url))
