"""Connections to hosts, for each event loop that uses them, and slots for requests there."""

from __future__ import annotations

import asyncio
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import getproxies

import httpx

from dataportal.errors import PermanentError
from dataportal.plugins.http.host_concurrency import HostConcurrency
from dataportal.plugins.http.urls import LAST_PORT
from dataportal.redaction import harmless, redact

if TYPE_CHECKING:
    import ssl
    from contextlib import AbstractAsyncContextManager

LOCATION = "dataportal.location"
"""Where a redirect leads, among the extensions of an answer."""


class _Hosts(NamedTuple):
    """What belongs to one event loop."""

    clients: dict[str, httpx.AsyncClient]
    concurrency: HostConcurrency


class Connections:
    """Connections to hosts, and slots for requests there, in the event loop that uses them.

    Each host has a client of httpx of its own, without any state but its connections: a pool looks
    through all of them at every request, which with those to many hosts takes longer than the rest
    of the request.

    Args:
        user_agent: the name to send.
        connect_timeout: seconds to reach a host.
        tls: how certificates are checked; by default as httpx does.
        per_host: requests under way to one host at a time.
    """

    def __init__(
        self,
        user_agent: str,
        connect_timeout: float,
        tls: ssl.SSLContext | None,
        per_host: int,
    ) -> None:
        self._user_agent = user_agent
        self._connect_timeout = connect_timeout
        self._tls = tls
        self._per_host = per_host
        self._hosts: dict[asyncio.AbstractEventLoop, _Hosts] = {}

    def to(self, host: str) -> tuple[httpx.AsyncClient, AbstractAsyncContextManager[None]]:
        """What a request to a host is sent with, and the slot that it takes.

        Raises:
            PermanentError: what the environment says of proxies or certificates cannot be used.
        """
        loop = asyncio.get_running_loop()
        hosts = self._hosts.get(loop)
        if hosts is None:
            hosts = self._hosts[loop] = _Hosts({}, HostConcurrency(self._per_host))
        client = hosts.clients.get(host)
        if client is None:
            client = hosts.clients[host] = self._client()
        return client, hosts.concurrency.slot(host)

    async def aclose(self) -> None:
        """Close those of the running event loop."""
        hosts = self._hosts.pop(asyncio.get_running_loop(), None)
        if hosts is not None:
            for client in hosts.clients.values():
                await client.aclose()

    def _client(self) -> httpx.AsyncClient:
        try:
            _check_proxies()
            # made once: to read all certificates takes as long as several requests
            self._tls = self._tls or httpx.create_ssl_context()
            return httpx.AsyncClient(
                headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip"},
                timeout=httpx.Timeout(None, connect=self._connect_timeout),
                follow_redirects=False,
                event_hooks={"response": [_set_location_aside]},
                verify=self._tls,
                # sources share the client: what one is told must not travel with another
                cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            )
        except (ImportError, ValueError, OSError, httpx.InvalidURL) as error:
            raise PermanentError(
                f"the HTTP client cannot be set up ({redact(harmless(str(error), 300))})",
                hint="Check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE",
            ) from None


def _check_proxies() -> None:
    """Raise ValueError for a proxy in the environment whose port only connecting would refuse."""
    for scheme, text in getproxies().items():
        if scheme in {"http", "https", "all"}:
            port = httpx.URL(text if "://" in text else f"http://{text}").port
            if port is not None and not 0 < port <= LAST_PORT:
                raise ValueError(f"the proxy for {scheme} has the port {port}")


async def _set_location_aside(response: httpx.Response) -> None:
    """Keep httpx from reading where a redirect leads: what is no address it calls a cut answer."""
    if response.has_redirect_location:
        response.extensions[LOCATION] = response.headers.pop("location")
