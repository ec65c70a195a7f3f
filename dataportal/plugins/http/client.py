"""The HTTP client plugins ask providers with: keeps limits, hides secrets, sorts failures.

It never tries again: whether to is decided in one place, by the run, from the error's type:

- `TransientError` may pass: timeouts, broken connections, cut bodies, 408, 425, 429, 5xx;
- `PermanentError` will not: a bad certificate, a refused key, other 4xx (404: `NotFoundError`);
- `BadDataError`: an answer that is too large, or is not what it says.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from dataportal.errors import PermanentError, TransientError
from dataportal.plugins.http.body import MIB, first_bytes, whole_body
from dataportal.plugins.http.connections import Connections
from dataportal.plugins.http.errors import NotFoundError, broken, refusal, seconds_to_wait
from dataportal.plugins.http.host_concurrency import Turns
from dataportal.plugins.http.rate_limit import Pace, RateLimit
from dataportal.plugins.http.response import Answer, Mask, excerpt
from dataportal.plugins.http.urls import address, is_trusted, onward_address, sendable
from dataportal.plugins.http.validators import request_key, validator_of
from dataportal.times import utc_now
from dataportal.version import __version__

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from dataportal.validators import Recall

__all__ = ["Answer", "HttpClient", "NotFoundError", "RateLimit"]

_MOVED = {301, 302, 303, 307, 308}
_TAKEN = {HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION, HTTPStatus.NO_CONTENT}
_LOOK = 1.0  # seconds after which a wait looks whether there is still anything to wait for
_NOTHING: Mapping[str, str] = {}

# both write whole URLs, keys included
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


class HttpClient:
    """Sends GET requests. Made anywhere; each event loop that uses it has connections of its own.

    Proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY. No cookie is kept.

    Args:
        user_agent: says who asks; some providers turn away those who do not say.
        request_timeout: seconds for one request in all, redirects and the whole body included.
        connect_timeout: seconds to reach the host.
        max_body: bytes that an unpacked body may have.
        max_redirects: redirects followed before giving up.
        per_host: requests under way to one host at a time, from all event loops together; the
            others wait their turn.
        tls: how certificates are checked; by default as httpx does.
        given_up: hosts that are not asked any more, as they used up their retries; others may add
            to it.
        pace: keeps rate limits; one of its own if not given.
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
        pace: Pace | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        if not user_agent.strip():
            raise ValueError("user_agent must say who asks")
        self._connections = Connections(user_agent, connect_timeout, tls)
        self._request_timeout = request_timeout
        self._max_body = max_body
        self._max_redirects = max_redirects
        self._turns = Turns(per_host)
        self._given_up = given_up
        self._pace = pace or Pace()
        self._now = now
        self._recall: Recall | None = None

    def recalling(self, recall: Recall) -> HttpClient:
        """The same client for one slice of one source, which recalls what it was told before."""
        client = copy.copy(self)
        client._recall = recall  # noqa: SLF001 - it is the same class
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
    ) -> Answer:
        """The complete answer to a GET request; only a success is returned.

        Args:
            url: http or https.
            params: added to the query; a list gives its name several times, None leaves it out.
            headers: custom ones; like passwords and keys they never follow to another host.
            deadline: seconds for this request, instead of the client's `request_timeout`.
            limit: how often the host may be asked; the request waits its turn.
            also: statuses whose answers are returned too, of providers that say "no data" by them.

        Raises:
            TransientError: may pass; `retry_after` is what the provider asks for.
            PermanentError: will not pass by itself; NotFoundError for 404 and 410.
            BadDataError: the body is too large, or cannot be unpacked.
        """
        extra = sendable(headers or {})
        target = address(url, params)
        mask = Mask(
            query=target.params.multi_items(),
            headers=extra.items(),
            password=target.password,
            url=str(target),
        )
        host, shown = target.host, mask.url(str(target))
        client = self._connections.client(host)
        seconds = self._request_timeout if deadline is None else deadline
        async with self._turns.turn(host, seconds) as turn:
            self._refuse_if_unwanted(host, shown)
            if limit is not None:
                await self._slot(host, limit, shown)
                turn.begin()
            try:
                async with asyncio.timeout(seconds):
                    taken = _TAKEN | set(also)
                    return await self._recalled(client, target, extra, mask, taken)
            except TimeoutError:
                raise TransientError(
                    f"{host} took longer than {seconds:g} s for GET {shown}", host=host
                ) from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise broken(error, url=shown, host=host, hide=mask) from None

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await self._connections.aclose()

    async def _slot(self, host: str, limit: RateLimit, shown: str) -> None:
        """Return when the limit lets the request be sent; nobody waits for what is not sent."""
        waiting = asyncio.ensure_future(self._pace.wait(host, limit))
        try:
            while not waiting.done():
                await asyncio.wait({waiting}, timeout=_LOOK)
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
        seconds = self._pace.left_alone(host)
        if seconds > 0:
            raise TransientError(
                f"{host} asked to be left alone for another {seconds:.0f} s, so GET {shown} was "
                "not sent",
                host=host,
                retry_after=seconds,
            )

    async def _recalled(
        self,
        client: httpx.AsyncClient,
        url: httpx.URL,
        headers: dict[str, str],
        mask: Mask,
        taken: Collection[int],
    ) -> Answer:
        """The answer; without its body if the server says that it is the one that was kept."""
        recall = self._recall
        if recall is None:
            return await self._follow(client, url, headers, mask, taken)
        recall.asked += 1
        key = request_key(str(url), headers)
        if condition := recall.condition(key):
            answer = await self._follow(client, url, headers, mask, taken, condition)
            if not answer.unchanged:
                return self._noted(answer, key, headers, recall)
            if recall.confirm(key, answer.headers):
                return replace(answer, note=recall.known[key].note)
        answer = await self._follow(client, url, headers, mask, taken)
        return self._noted(answer, key, headers, recall)

    def _noted(self, answer: Answer, key: str, headers: dict[str, str], recall: Recall) -> Answer:
        validator = validator_of(answer.headers, sent=headers, now=self._now())
        if validator is None or answer.status != HTTPStatus.OK or answer.redirected:
            return answer

        def keep(first: datetime | None, last: datetime | None, note: str) -> None:
            told = msgspec.structs.replace(validator, first=first, last=last, note=note)
            recall.keep(key, told)

        return replace(answer, on_keep=keep)

    async def _follow(
        self,
        client: httpx.AsyncClient,
        url: httpx.URL,
        headers: dict[str, str],
        mask: Mask,
        taken: Collection[int],
        condition: Mapping[str, str] = _NOTHING,
    ) -> Answer:
        seen = {url}
        # what is known of an answer says nothing about where it may be redirected to
        asking = {**headers, **condition}
        also = {HTTPStatus.NOT_MODIFIED} if condition else set()
        while True:
            async with client.stream("GET", url, headers=asking) as response:
                location = response.headers.get("location")
                if response.status_code not in _MOVED or not location:
                    answer = await self._read(response, mask, {*taken, *also})
                    return replace(answer, redirected=len(seen) > 1)
            here = mask.url(str(url))
            onward = onward_address(url, location, mask, here)
            if not is_trusted(url, onward):
                headers = {}
            asking, also = headers, set()
            url = onward
            if url in seen:
                raise PermanentError(f"GET {here} is redirected in a circle")
            if len(seen) > self._max_redirects:
                raise PermanentError(f"GET {here} is redirected more than {len(seen) - 1} times")
            seen.add(url)

    async def _read(self, response: httpx.Response, mask: Mask, taken: Collection[int]) -> Answer:
        url, host = mask.url(str(response.url)), response.url.host
        if response.status_code not in taken:
            pause = seconds_to_wait(response.headers.get("retry-after"), self._now())
            try:
                said = excerpt(await first_bytes(response), mask)
            finally:
                # last, so that who was refused is the first to say so
                if pause is not None:
                    self._pace.leave_alone(host, pause)
            raise refusal(response.status_code, url=url, host=host, body=said, retry_after=pause)
        body = await whole_body(response, url=url, host=host, most=self._max_body)
        named = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, url, named, body, mask)
