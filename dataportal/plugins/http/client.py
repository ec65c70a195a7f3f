"""The HTTP client of plugins: asks by GET or POST, keeps limits, hides secrets, sorts failures.

It never tries again: whether to is decided in one place, by the run, from the error's type:

- `TransientError` may pass: timeouts, broken connections, cut bodies, 408, 425, 429, 5xx;
- `PermanentError` will not: a bad certificate, a refused key, other 4xx (404: `NotFoundError`);
- `BadDataError`: an answer that is too large, or is not what it says.

More than 500 lines, as half of them say what the public methods take.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import re
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import httpx

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.plugins.http.connections import LOCATION, Connections
from dataportal.plugins.http.content_encoding import MIB, read_body, read_start
from dataportal.plugins.http.errors import (
    NotFoundError,
    refusal,
    retry_after_seconds,
)
from dataportal.plugins.http.outgoing import (
    OutgoingRequest,
    Place,
    private_link_error,
    request_failure,
)
from dataportal.plugins.http.private_addresses import (
    connection_guard,
    has_private_peer,
    is_private,
)
from dataportal.plugins.http.rate_limit import RateLimit, RateLimiter
from dataportal.plugins.http.request_body import request_body
from dataportal.plugins.http.response import Answer, Mask, excerpt, hide_all
from dataportal.plugins.http.tokens import TokenStore
from dataportal.plugins.http.urls import (
    address,
    is_trusted,
    onward_address,
    sendable_headers,
)
from dataportal.times import utc_now
from dataportal.version import __version__

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from dataportal.plugins.http.connections import HostClient
    from dataportal.plugins.http.loop_proxy import LoopProxy
    from dataportal.plugins.http.request_body import RequestBody
    from dataportal.plugins.http.tokens import Login, Token
    from dataportal.validators import ConditionalRequests

__all__ = ["Answer", "HttpClient", "NotFoundError", "RateLimit"]

_REDIRECTS = {301, 302, 303, 307, 308}
_KEEP_METHOD = {HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}
_ACCEPTED = frozenset[int](
    {HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION, HTTPStatus.NO_CONTENT}
)
# by POST a result may be created
_ACCEPTED_OF_POST = _ACCEPTED | {HTTPStatus.CREATED}
_RANGE = "range"
_PART = re.compile(r"bytes\s+(\d{1,20})-(\d{1,20})/(\d{1,20})(?!\d)")
_LOOK_INTERVAL = 1.0  # seconds after which a wait looks whether there is still anything to wait for

# both write whole URLs, keys included
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


class HttpClient:
    """Sends requests. Made anywhere; belongs to the event loop that uses it.

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
        on_answer: called with each answer to a request.
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
        on_answer: Callable[[Answer], None] = lambda _: None,
    ) -> None:
        if not user_agent.strip():
            raise ValueError("user_agent must say who asks")
        self._connections = Connections(user_agent, connect_timeout, tls, per_host)
        self._request_timeout = request_timeout
        self._max_body = max_body
        self._max_redirects = max_redirects
        self._given_up = given_up
        self._rate_limiter = rate_limiter or RateLimiter()
        self._now = now
        self._on_answer = on_answer
        self._under_way: dict[int, tuple[Place, OutgoingRequest]] = {}
        self._proxies: WeakSet[LoopProxy] = WeakSet()
        self._proxy: LoopProxy | None = None
        self._conditional: ConditionalRequests | None = None
        # shared by all copies: one token serves all sources of a run
        self._tokens = TokenStore()

    def conditional(self, requests: ConditionalRequests) -> HttpClient:
        """The same client for one slice of one source, which asks for what has changed."""
        client = copy.copy(self)
        client._conditional = requests  # noqa: SLF001 - it is the same class
        return client

    def for_call(self) -> HttpClient:
        """The same client for one call of a plugin, whose requests it can tell from all others."""
        client = copy.copy(self)
        client._under_way = {}  # noqa: SLF001 - it is the same class
        return client

    @property
    def under_way(self) -> list[str]:
        """The requests that were sent and are not answered: host, method and address, to show."""
        return [
            f"{place.url.host} has not answered {request.method} {request.mask.url(str(place.url))}"
            for place, request in self._under_way.values()
        ]

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
        login: Login | None = None,
        state: str = "",
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
            login: how the token is had that goes along; it is asked for once for all requests of a
                run, and once more where a request is refused with 401.
            state: what a list of files says of this one, such as its size and the time of its last
                change: it names the state that `Answer.keep` keeps, see `kept_answer`.

        Raises:
            TransientError: may pass; `retry_after` is what the provider asks for.
            PermanentError: will not pass by itself; NotFoundError for 404 and 410.
            BadDataError: the body is too large, or cannot be unpacked.
        """
        request = self._request(
            "GET", url, params, headers, deadline=deadline, limit=limit, also=also, login=login
        )
        if linked_from is not None:
            request = replace(request, linked_from=address(linked_from, None))
        return await self._answer(replace(request, state=state) if state else request)

    def is_kept(
        self,
        url: str,
        *,
        state: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        login: Login | None = None,
    ) -> bool:
        """Whether the answer to a GET request was kept in this state, and is still stored."""
        if self._conditional is None or not state:
            return False
        request = self._state_request(url, params, headers, login)
        return self._conditional.knows(*request.identity, state)

    def kept_answer(
        self,
        url: str,
        *,
        state: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        login: Login | None = None,
    ) -> Answer:
        """The answer that `is_kept`: it is unchanged, and nobody is asked for it."""
        request = self._state_request(url, params, headers, login)
        if self._conditional is not None:
            self._conditional.confirm_unasked(*request.identity, state)
        return Answer(HTTPStatus.NOT_MODIFIED, request.shown, {}, b"", request.mask)

    def unconditional(self) -> HttpClient:
        """The same client for what is no part of the answer, such as a list of its files."""
        client = copy.copy(self)
        client._conditional = None  # noqa: SLF001 - it is the same class
        return client

    def _state_request(
        self,
        url: str,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        login: Login | None,
    ) -> OutgoingRequest:
        return self._request(
            "GET", url, params, headers, deadline=None, limit=None, also=(), login=login
        )

    async def post(
        self,
        url: str,
        *,
        form: Mapping[str, Any] | None = None,
        json: Any = None,
        body: str | bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        limit: RateLimit | None = None,
        also: Collection[int] = (),
        safe: bool = True,
        confidential: bool = False,
        login: Login | None = None,
    ) -> Answer:
        """The complete answer to a POST request; only a success is returned.

        It counts as a question, which may be asked again: a run does so after a failure that may
        pass. It follows a redirect by 307 and 308 on the same host alone, by 303 as a GET request,
        and by no other, as clients differ on what these ask for.

        Args:
            url: http or https.
            form: the fields of a form; a list gives its name several times, None leaves it out.
            json: a document, in place of `form`.
            body: a text (in UTF-8) or bytes, in place of both; `headers` say what it is.
            params: as of `get`, and so are `headers`, `deadline`, `limit`, `also` and `login`.
            headers: see `params`.
            deadline: see `params`.
            limit: see `params`.
            also: see `params`.
            safe: whether to ask twice does no harm. If not, a failure after it was sent will not
                pass by itself.
            confidential: whether no message may quote the answer, and whether 2xx of every kind is
                a success: what a login sends and gets.
            login: see `params`.

        Raises:
            FetchError: as `get` does.
        """
        request = self._request(
            "POST",
            url,
            params,
            headers,
            body=request_body(form=form, json=json, body=body),
            deadline=deadline,
            limit=limit,
            also=also,
            login=login,
        )
        return await self._answer(replace(request, safe=safe, confidential=confidential))

    def _request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        *,
        body: RequestBody | None = None,
        deadline: float | None,
        limit: RateLimit | None,
        also: Collection[int],
        login: Login | None,
    ) -> OutgoingRequest:
        own_headers = sendable_headers(headers or {})
        target = address(url, params)
        fields: Collection[tuple[str, str]] = ()
        content = None
        if body is not None:
            own_headers = body.headers(own_headers)
            content, fields = body.content, body.fields
        mask = Mask(
            query=(*target.params.multi_items(), *fields),
            headers=own_headers.items(),
            password=target.password,
            url=str(target),
        )
        return OutgoingRequest(
            target,
            own_headers,
            mask,
            seconds=self._request_timeout if deadline is None else deadline,
            limit=limit,
            # to who asked for no range it says that there are more pages
            accepted=(_ACCEPTED if method == "GET" else _ACCEPTED_OF_POST).union(
                also, () if _RANGE in map(str.lower, own_headers) else {HTTPStatus.PARTIAL_CONTENT}
            ),
            method=method,
            content=content,
            login=login,
        )

    async def _answer(self, request: OutgoingRequest) -> Answer:
        """The answer, of the loop that the client belongs to."""
        if self._proxy is None:
            answer = await self._send_with_token(request)
        else:
            answer = await self._proxy.run(self._send_with_token, request)
        self._on_answer(answer)
        return answer

    async def _send_with_token(self, request: OutgoingRequest) -> Answer:
        """The answer; a token that the provider refuses is renewed once."""
        login, answer = request.login, None
        if login is None:
            return await self._send(request)
        # asked for while no slot of the host is taken, as it may be the same host
        token = await self._tokens.token(login, partial(self._log_in, login))
        answer = await self._send(request.with_token(token))
        if answer.status == HTTPStatus.UNAUTHORIZED:
            renewed = await self._tokens.after_refusal(login, token, partial(self._log_in, login))
            if renewed is not None:
                token = renewed
                answer = await self._send(request.with_token(token))
        if answer.status != HTTPStatus.UNAUTHORIZED:
            token.is_proved = True
            return answer
        if HTTPStatus.UNAUTHORIZED in request.accepted:
            return answer
        raise answer.refusal(
            request.url.host,
            hint="The login was taken, and its token is refused: look at header, token and scope "
            "under auth, and whether the account may have these data",
        )

    async def _log_in(self, login: Login) -> Token:
        """A new token, within all limits of a request, but once."""
        client = copy.copy(self)
        # its answer is no answer of the source, and is had in this loop
        client._conditional = client._proxy = None  # noqa: SLF001 - it is the same class
        return await login.ask(client)

    async def aclose(self) -> None:
        """Close the connections; of a plugin's client nothing, as others use it too."""
        if self._proxy is not None:
            return
        for proxy in list(self._proxies):
            await proxy.aclose()
        await self._connections.aclose()

    async def _send(self, request: OutgoingRequest) -> Answer:
        """The answer, within all limits. In the event loop that the client belongs to."""
        host = request.url.host
        client, slot = self._connections.to(host)
        async with slot:
            self._refuse_if_unwanted(host, request)
            if request.limit is not None:
                await self._wait_for_limit(host, request.limit, request)
            # where redirects have led to: what fails there is its fault
            place = Place(request.url)
            self._under_way[id(place)] = (place, request)
            try:
                async with asyncio.timeout(request.seconds):
                    return await self._follow_on_condition(client, request, place)
            # the last two: what a host's name or a port is refused with where it is used
            except (
                TimeoutError,
                TransientError,
                httpx.HTTPError,
                httpx.InvalidURL,
                OverflowError,
                UnicodeError,
            ) as error:
                raise request_failure(error, request, place) from None
            finally:
                del self._under_way[id(place)]

    async def _follow_on_condition(
        self, client: HostClient, request: OutgoingRequest, place: Place
    ) -> Answer:
        """The answer; a GET request may ask whether the one that was kept has changed."""
        follow = partial(self._follow, client, request, place)
        if self._conditional is None:
            return await follow({})
        if request.method != "GET":
            self._conditional.sent += 1
            return await follow({})
        url, headers = request.identity
        return await self._conditional.send(url, headers, follow, self._now, state=request.state)

    async def _wait_for_limit(self, host: str, limit: RateLimit, request: OutgoingRequest) -> None:
        """Return when the limit lets the request be sent; nobody waits for what is not sent."""
        waiting = asyncio.ensure_future(self._rate_limiter.wait(host, limit))
        try:
            while not waiting.done():
                await asyncio.wait({waiting}, timeout=_LOOK_INTERVAL)
                self._refuse_if_unwanted(host, request)
            await waiting
        finally:
            waiting.cancel()

    def _refuse_if_unwanted(self, host: str, request: OutgoingRequest) -> None:
        shown = f"{request.method} {request.shown}"
        if host in self._given_up:
            raise TransientError(
                f"{host} used up its retries for another source, so {shown} was not sent",
                host=host,
            )
        seconds = self._rate_limiter.remaining_pause(host)
        if seconds > 0:
            raise TransientError(
                f"{host} asked to be left alone for another {seconds:.0f} s, so {shown} was "
                "not sent",
                host=host,
                retry_after=seconds,
            )

    async def _follow(
        self,
        client: HostClient,
        request: OutgoingRequest,
        place: Place,
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
        method, content = request.method, request.content
        headers = dict(request.headers)
        visited = {url}
        # what is known of an answer says nothing about where it may be redirected to
        conditional = {**headers, **condition}
        accepted = request.accepted | ({HTTPStatus.NOT_MODIFIED} if condition else set())
        is_guarded = request.linked_from is not None and not await is_private(request.linked_from)
        while True:
            refusal = partial(private_link_error, f"{method} {mask.url(str(url))}")
            if is_guarded and await is_private(url):
                raise refusal()
            # its name may have another address by now
            guard = connection_guard(url, refusal) if is_guarded else None
            place.is_sent = True
            response = await client.send(
                method, url, conditional, content, {} if guard is None else {"trace": guard}
            )
            try:
                # a connection that was there before
                if guard is not None and has_private_peer(response.extensions["network_stream"]):
                    raise refusal()
                location, status = response.extensions.get(LOCATION), response.status_code
                if status not in _REDIRECTS or not location:
                    # who asks too often was not heard
                    place.is_sent = status != HTTPStatus.TOO_MANY_REQUESTS
                    answer = await self._read(response, request, method, accepted)
                    return replace(answer, redirected=True) if len(visited) > 1 else answer
            finally:
                await response.aclose()
            here = f"{method} {mask.url(str(url))}"
            onward = onward_address(url, location, mask, here)
            mask.add_onward(onward.params.multi_items(), onward.password)
            is_same_place = is_trusted(url, onward)
            if method == "POST" and status == HTTPStatus.SEE_OTHER:
                method, content = "GET", None
                headers = {n: v for n, v in headers.items() if n.lower() != "content-type"}
            elif method == "POST" and (status not in _KEEP_METHOD or not is_same_place):
                raise PermanentError(
                    f"{here} is redirected ({status}) to {mask.url(str(onward))}, and what it "
                    "sends is not sent there",
                    hint="If that is where it belongs, write it as the address",
                )
            if not is_same_place:
                headers = {}
            conditional, accepted = headers, request.accepted
            url = place.url = onward
            if url in visited:
                raise PermanentError(f"{here} is redirected in a circle")
            if len(visited) > self._max_redirects:
                raise PermanentError(f"{here} is redirected more than {len(visited) - 1} times")
            visited.add(url)

    async def _read(
        self,
        response: httpx.Response,
        request: OutgoingRequest,
        method: str,
        accepted: Collection[int],
    ) -> Answer:
        mask = request.mask
        url, host = mask.url(str(response.url)), response.url.host
        is_success = request.confidential and response.is_success
        if response.status_code not in accepted and not is_success:
            pause = retry_after_seconds(response.headers.get("retry-after"), self._now())
            try:
                start = excerpt(await read_start(response), mask)
            finally:
                # last, so that who was refused is the first to say so
                if pause is not None:
                    self._rate_limiter.leave_alone(host, pause)
            raise refusal(
                response.status_code,
                method=method,
                url=url,
                host=host,
                body="" if request.confidential else start,
                retry_after=pause,
            )
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            part = _PART.match(response.headers.get("content-range", ""))
            if part is not None and int(part[2]) - int(part[1]) + 1 < int(part[3]):
                raise BadDataError(f"the answer of {url} is only a part of it ({part[0]})")
        body = await read_body(
            response, method=method, url=url, host=host, max_bytes=self._max_body
        )
        headers = {name.lower(): value for name, value in response.headers.items()}
        hide = hide_all if request.confidential else mask
        return Answer(response.status_code, url, headers, body, hide, method=method)
