"""A request on its way: what is to be sent within which limits, and the error if it fails."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from dataportal.errors import PermanentError, TransientError
from dataportal.plugins.http.errors import transport_error
from dataportal.plugins.http.proxies import proxy_of
from dataportal.plugins.http.tokens import SentAlong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.errors import FetchError
    from dataportal.plugins.http.rate_limit import RateLimit
    from dataportal.plugins.http.response import Mask
    from dataportal.plugins.http.tokens import Login, Token


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """What is to be sent, and within which limits.

    Attributes:
        url: with all parameters.
        headers: those of the plugin.
        mask: hides the secrets in both.
        seconds: how long it may take once it is sent.
        limit: how often the host may be asked.
        accepted: statuses whose answers are returned.
        linked_from: the address whose answer named this one, if one did.
        method: GET or POST.
        content: the body, of POST.
        safe: whether it may be sent again after a failure.
        confidential: whether nothing of the answer may be shown.
        login: how the token is had that goes along.
        state: of the answer, as a list of files says it.
    """

    url: httpx.URL
    headers: Mapping[str, str]
    mask: Mask
    seconds: float
    limit: RateLimit | None
    accepted: frozenset[int]
    linked_from: httpx.URL | None = None
    method: str = "GET"
    content: bytes | None = None
    safe: bool = True
    confidential: bool = False
    login: Login | None = None
    state: str = ""

    def with_token(self, token: Token) -> OutgoingRequest:
        """The same with a token, whose refusal (401) is returned, and is no error yet."""
        sent_along = self.login.send(token.text) if self.login else SentAlong({}, {})
        url = self.url.copy_merge_params(sent_along.query) if sent_along.query else self.url
        return replace(
            self,
            url=url,
            headers={**self.headers, **sent_along.headers},
            accepted=self.accepted | {HTTPStatus.UNAUTHORIZED},
        )

    @property
    def identity(self) -> tuple[str, Mapping[str, str]]:
        """Address and headers that are the same in every run, whichever token goes along."""
        if self.login is None:
            return str(self.url), self.headers
        empty = self.login.send("")
        url = self.url
        for name in empty.query:
            url = url.copy_remove_param(name)
        return str(url), {**self.headers, **empty.headers}

    @property
    def shown(self) -> str:
        """The address, fit to be shown."""
        return self.mask.url(str(self.url))


@dataclass(slots=True)
class Place:
    """The address that is being asked, and whether it may have heard of the request."""

    url: httpx.URL
    is_sent: bool = False


def private_link_error(request: str) -> PermanentError:
    """The error for a request, fit to be shown, that a public host led to a private address."""
    return PermanentError(
        f"{request} was not sent: the link of a public host leads to a private address"
    )


def request_failure(error: Exception, request: OutgoingRequest, place: Place) -> FetchError:
    """The error for a request that got no complete answer, or a refusal that may pass."""
    host, shown = place.url.host, request.mask.url(str(place.url))
    if isinstance(error, TransientError):
        failure: FetchError = error
    elif isinstance(error, TimeoutError):
        failure = TransientError(
            f"{host} took longer than {request.seconds:g} s for {request.method} {shown}",
            host=host,
        )
    else:
        failure = transport_error(
            error,
            method=request.method,
            url=shown,
            host=host,
            hide=request.mask,
            proxy=proxy_of(place.url),
        )
        # what found no connection was not sent
        place.is_sent &= not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    if request.safe or not place.is_sent or not isinstance(failure, TransientError):
        return failure
    return PermanentError(
        f"{failure.message}; it is not sent again, as that might do harm", hint=failure.hint
    )
