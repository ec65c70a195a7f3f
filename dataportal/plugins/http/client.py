"""The HTTP client of plugins: sends GET requests, keeps limits, hides secrets, sorts failures.

It never tries again: whether to is decided in one place, by the run, from the error's type:

- `TransientError` may pass: timeouts, broken connections, cut bodies, 408, 425, 429, 5xx;
- `PermanentError` will not: a bad certificate, a refused key, other 4xx (404: `NotFoundError`);
- `BadDataError`: an answer that is too large, or is not what it says.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import re
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import getproxies
from weakref import WeakSet

import httpx

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.plugins.http.content_encoding import MIB, read_body, read_start
from dataportal.plugins.http.errors import (
    NotFoundError,
    refusal,
    retry_after_seconds,
    transport_error,
)
from dataportal.plugins.http.host_concurrency import HostConcurrency
from dataportal.plugins.http.private_addresses import is_private
from dataportal.plugins.http.rate_limit import RateLimit, RateLimiter
from dataportal.plugins.http.response import Answer, Mask, excerpt
from dataportal.plugins.http.urls import (
    LAST_PORT,
    address,
    is_trusted,
    onward_address,
    sendable_headers,
)
from dataportal.redaction import harmless, redact
from dataportal.times import utc_now
from dataportal.version import __version__

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from dataportal.plugins.http.loop_proxy import LoopProxy
    from dataportal.validators import ConditionalRequests

__all__ = ["Answer", "HttpClient", "NotFoundError", "RateLimit"]

_REDIRECTS = {301, 302, 303, 307, 308}
_ACCEPTED = frozenset[int](
    {HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION, HTTPStatus.NO_CONTENT}
)
_RANGE = "range"
_PART = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+)")
_LOOK_INTERVAL = 1.0  # seconds after which a wait looks whether there is still anything to wait for

# both write whole URLs, keys included
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


class HttpClient:
    """Sends GET requests. Made anywhere; belongs to the event loop that uses it.

    Each loop that does has connections of its own, and limits requests to a host on its own. What
    a plugin has as `self.http` hands them all over to one loop, from however many of its own.

    Proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY. No cookie is kept.

    Args:
        user_agent: says who asks; some providers turn away those who do not say.
        request_timeout: seconds for one request in all, redirects and the whole body included.
        connect_timeout: seconds to reach the host.
        max_body: bytes that an unpacked body may have.
        max_redirects: redirects followed before giving up.
        per_host: requests under way to one host at a time; the others wait their turn.
        tls: how certificates are checked; by default as httpx does.
        given_up: hosts that are not asked any more, as they used up their retries; others may add
            to it.
        rate_limiter: keeps rate limits; one of its own if not given.
        now: tells the time, for the dates in Retry-After.
    """

    def __init__(
        self,
        *,
        user_agent: str = f"dataportal/{__version__}",
        request_timeout: float = 120.0,
        connect_timeout: float = 10.0,
        max_body: int = 256 * MIB,
        max_redirects: int = 5,
        per_host: int = 4,
        tls: ssl.SSLContext | None = None,
        given_up: Collection[str] = frozenset(),
        rate_limiter: RateLimiter | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        if not user_agent.strip():
            raise ValueError("user_agent must say who asks")
        self._connections = _Connections(user_agent, connect_timeout, tls, per_host)
        self._request_timeout = request_timeout
        self._max_body = max_body
        self._max_redirects = max_redirects
        self._given_up = given_up
        self._rate_limiter = rate_limiter or RateLimiter()
        self._now = now
        self._proxies: WeakSet[LoopProxy] = WeakSet()
        self._proxy: LoopProxy | None = None
        self._conditional: ConditionalRequests | None = None

    def conditional(self, requests: ConditionalRequests) -> HttpClient:
        """The same client for one slice of one source, which asks for what has changed."""
        client = copy.copy(self)
        client._conditional = requests  # noqa: SLF001 - it is the same class
        return client

    def through(self, proxy: LoopProxy) -> HttpClient:
        """The same client for a plugin with event loops of its own, until this one is closed."""
        client = copy.copy(self)
        client._proxy = proxy  # noqa: SLF001 - it is the same class
        self._proxies.add(proxy)
        return client

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        limit: RateLimit | None = None,
        also: Collection[int] = (),
        linked_from: str | None = None,
    ) -> Answer:
        """The complete answer to a GET request; only a success is returned.

        Args:
            url: http or https.
            params: added to the query; a list gives its name several times, None leaves it out.
            headers: custom ones; like passwords and keys they never follow to another host.
            deadline: seconds for this request, instead of the client's `request_timeout`.
            limit: how often the host may be asked; the request waits its turn.
            also: statuses whose answers are returned too, of providers that say "no data" by them.
            linked_from: the address whose answer named this one. Neither it nor a redirect leads to
                a private address then, unless that one is private too.

        Raises:
            TransientError: may pass; `retry_after` is what the provider asks for.
            PermanentError: will not pass by itself; NotFoundError for 404 and 410.
            BadDataError: the body is too large, or cannot be unpacked.
        """
        own_headers = sendable_headers(headers or {})
        target = address(url, params)
        mask = Mask(
            query=target.params.multi_items(),
            headers=own_headers.items(),
            password=target.password,
            url=str(target),
        )
        request = _Request(
            target,
            own_headers,
            mask,
            seconds=self._request_timeout if deadline is None else deadline,
            limit=limit,
            # to who asked for no range it says that there are more pages
            accepted=_ACCEPTED.union(
                also, () if _RANGE in map(str.lower, own_headers) else {HTTPStatus.PARTIAL_CONTENT}
            ),
            linked_from=None if linked_from is None else address(linked_from, None),
        )
        if self._proxy is None:
            return await self._send(request)
        return await self._proxy.run(self._send, request)

    async def aclose(self) -> None:
        """Close the connections; of a plugin's client nothing, as others use it too."""
        if self._proxy is not None:
            return
        for proxy in list(self._proxies):
            await proxy.aclose()
        await self._connections.aclose()

    async def _send(self, request: _Request) -> Answer:
        """The answer, within all limits. In the event loop that the client belongs to."""
        host, shown = request.url.host, request.shown
        client, slot = self._connections.to(host)
        async with slot:
            self._refuse_if_unwanted(host, shown)
            if request.limit is not None:
                await self._wait_for_limit(host, request.limit, shown)
            # where redirects have led to: what fails there is its fault
            place = _Place(request.url)
            try:
                async with asyncio.timeout(request.seconds):
                    get = partial(self._follow, client, request, place)
                    if self._conditional is None:
                        return await get({})
                    return await self._conditional.send(
                        str(request.url), request.headers, get, self._now
                    )
            except TimeoutError:
                host, shown = place.url.host, request.mask.url(str(place.url))
                raise TransientError(
                    f"{host} took longer than {request.seconds:g} s for GET {shown}", host=host
                ) from None
            # the last two: what a host's name or a port is refused with where it is used
            except (httpx.HTTPError, httpx.InvalidURL, OverflowError, UnicodeError) as error:
                host, shown = place.url.host, request.mask.url(str(place.url))
                raise transport_error(error, url=shown, host=host, hide=request.mask) from None

    async def _wait_for_limit(self, host: str, limit: RateLimit, shown: str) -> None:
        """Return when the limit lets the request be sent; nobody waits for what is not sent."""
        waiting = asyncio.ensure_future(self._rate_limiter.wait(host, limit))
        try:
            while not waiting.done():
                await asyncio.wait({waiting}, timeout=_LOOK_INTERVAL)
                self._refuse_if_unwanted(host, shown)
            await waiting
        finally:
            waiting.cancel()

    def _refuse_if_unwanted(self, host: str, shown: str) -> None:
        if host in self._given_up:
            raise TransientError(
                f"{host} used up its retries for another source, so GET {shown} was not sent",
                host=host,
            )
        seconds = self._rate_limiter.remaining_pause(host)
        if seconds > 0:
            raise TransientError(
                f"{host} asked to be left alone for another {seconds:.0f} s, so GET {shown} was "
                "not sent",
                host=host,
                retry_after=seconds,
            )

    async def _follow(
        self,
        client: httpx.AsyncClient,
        request: _Request,
        place: _Place,
        condition: Mapping[str, str],
    ) -> Answer:
        """The answer, wherever redirects lead to.

        Args:
            client: for the host.
            request: what to send.
            place: is kept at the address that is being asked.
            condition: further headers, by which the server may say that the answer is unchanged.
        """
        url, mask = request.url, request.mask
        place.url = url
        headers = dict(request.headers)
        visited = {url}
        # what is known of an answer says nothing about where it may be redirected to
        conditional = {**headers, **condition}
        accepted = request.accepted | ({HTTPStatus.NOT_MODIFIED} if condition else set())
        is_guarded = request.linked_from is not None and not await is_private(request.linked_from)
        while True:
            if is_guarded and await is_private(url):
                raise PermanentError(
                    f"GET {mask.url(str(url))} was not sent: the link of a public host leads to a "
                    "private address"
                )
            async with client.stream("GET", url, headers=conditional) as response:
                location = response.headers.get("location")
                if response.status_code not in _REDIRECTS or not location:
                    answer = await self._read(response, mask, accepted)
                    return replace(answer, redirected=len(visited) > 1)
            here = mask.url(str(url))
            onward = onward_address(url, location, mask, here)
            mask.add_onward(onward.params.multi_items(), onward.password)
            if not is_trusted(url, onward):
                headers = {}
            conditional, accepted = headers, request.accepted
            url = place.url = onward
            if url in visited:
                raise PermanentError(f"GET {here} is redirected in a circle")
            if len(visited) > self._max_redirects:
                raise PermanentError(f"GET {here} is redirected more than {len(visited) - 1} times")
            visited.add(url)

    async def _read(
        self, response: httpx.Response, mask: Mask, accepted: Collection[int]
    ) -> Answer:
        url, host = mask.url(str(response.url)), response.url.host
        if response.status_code not in accepted:
            pause = retry_after_seconds(response.headers.get("retry-after"), self._now())
            try:
                start = excerpt(await read_start(response), mask)
            finally:
                # last, so that who was refused is the first to say so
                if pause is not None:
                    self._rate_limiter.leave_alone(host, pause)
            raise refusal(response.status_code, url=url, host=host, body=start, retry_after=pause)
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            part = _PART.match(response.headers.get("content-range", ""))
            if part is not None and int(part[2]) - int(part[1]) + 1 < int(part[3]):
                raise BadDataError(f"the answer of {url} is only a part of it ({part[0]})")
        body = await read_body(response, url=url, host=host, max_bytes=self._max_body)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, url, headers, body, mask)


@dataclass(frozen=True, slots=True)
class _Request:
    """What is to be sent, and within which limits.

    Attributes:
        url: with all parameters.
        headers: those of the plugin.
        mask: hides the secrets in both.
        seconds: how long it may take once it is sent.
        limit: how often the host may be asked.
        accepted: statuses whose answers are returned.
        linked_from: the address whose answer named this one, if one did.
    """

    url: httpx.URL
    headers: Mapping[str, str]
    mask: Mask
    seconds: float
    limit: RateLimit | None
    accepted: frozenset[int]
    linked_from: httpx.URL | None = None

    @property
    def shown(self) -> str:
        """The address, fit to be shown."""
        return self.mask.url(str(self.url))


@dataclass(slots=True)
class _Place:
    """The address that is being asked."""

    url: httpx.URL


class _Hosts(NamedTuple):
    """What belongs to one event loop."""

    clients: dict[str, httpx.AsyncClient]
    concurrency: HostConcurrency


class _Connections:
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
