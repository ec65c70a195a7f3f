"""Connections to hosts, for each event loop that uses them, and slots for requests there."""

from __future__ import annotations

import asyncio
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import httpx

from dataportal.errors import PermanentError
from dataportal.plugins.http.host_concurrency import HostConcurrency
from dataportal.plugins.http.proxies import check_proxies, environment_proxies
from dataportal.redaction import harmless, redact

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager

LOCATION = "dataportal.location"
"""Where a redirect leads, among the extensions of an answer."""


class HostClient(Protocol):
    """Sends requests to a host, without any state but its connections."""

    async def send(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes | None,
        extensions: Mapping[str, Any],
    ) -> httpx.Response:
        """The answer once its headers have come; it must be closed.

        Where a redirect leads stands under LOCATION among its extensions.
        """

    async def aclose(self) -> None:
        """Close the connections."""


class _Hosts(NamedTuple):
    """What belongs to one event loop."""

    clients: dict[str, HostClient]
    concurrency: HostConcurrency


class Connections:
    """Connections to hosts, and slots for requests there, in the event loop that uses them.

    Each host has a client of its own: a pool looks through all of its connections at every request,
    which with those to many hosts takes longer than the rest of the request.

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
        # as it is before any plugin may set one for itself
        self._proxies = environment_proxies()
        self._hosts: dict[asyncio.AbstractEventLoop, _Hosts] = {}

    def to(self, host: str) -> tuple[HostClient, AbstractAsyncContextManager[None]]:
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

    def _client(self) -> HostClient:
        headers = httpx.Headers(
            {
                "Accept": "*/*",
                "Accept-Encoding": "gzip",
                "Connection": "keep-alive",
                "User-Agent": self._user_agent,
            }
        )
        try:
            check_proxies(self._proxies)
            # made once: to read all certificates takes as long as several requests
            self._tls = self._tls or httpx.create_ssl_context()
            kind = _ProxiedClient if self._proxies else _DirectClient
            return kind(headers, httpx.Timeout(None, connect=self._connect_timeout), self._tls)
        except (ImportError, ValueError, OSError, httpx.InvalidURL) as error:
            raise PermanentError(
                f"the HTTP client cannot be set up ({redact(harmless(str(error), 300))})",
                hint="Check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE",
            ) from None


class _DirectClient:
    """Sends requests without any proxy.

    The client of httpx is left out, which for cookies, redirects, hooks and settings of its own,
    none of which are used here, takes half as long again as the rest of the request.
    """

    def __init__(self, headers: httpx.Headers, timeout: httpx.Timeout, tls: ssl.SSLContext) -> None:
        self._headers = headers
        self._timeout = timeout.as_dict()
        self._transport = httpx.AsyncHTTPTransport(verify=tls)

    async def send(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes | None,
        extensions: Mapping[str, Any],
    ) -> httpx.Response:
        """As HostClient has it."""
        merged = self._headers.copy()
        if headers:
            merged.update(headers)
        request = httpx.Request(
            method,
            url,
            headers=merged,
            content=content,
            extensions={"timeout": self._timeout, **extensions},
        )
        if url.userinfo:
            # sets the header at its first step, and has no other
            next(httpx.BasicAuth(url.username, url.password).auth_flow(request))
        response = await self._transport.handle_async_request(request)
        response.request = request
        await _set_location_aside(response)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


class _ProxiedClient:
    """Sends requests by the proxies that the environment names, as httpx reads it."""

    def __init__(self, headers: httpx.Headers, timeout: httpx.Timeout, tls: ssl.SSLContext) -> None:
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=timeout,
            follow_redirects=False,
            event_hooks={"response": [_set_location_aside]},
            verify=tls,
            # sources share the client: what one is told must not travel with another
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )

    async def send(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes | None,
        extensions: Mapping[str, Any],
    ) -> httpx.Response:
        """As HostClient has it."""
        request = self._client.build_request(
            method, url, headers=headers, content=content, extensions=dict(extensions)
        )
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _set_location_aside(response: httpx.Response) -> None:
    """Keep httpx from reading where a redirect leads: what is no address it calls a cut answer."""
    if response.has_redirect_location:
        response.extensions[LOCATION] = response.headers.pop("location")
