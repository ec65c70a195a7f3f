"""Errors of requests, by whether they may pass, will not, or the answer is bad."""

from __future__ import annotations

import math
import socket
import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from dataportal.errors import FetchError

_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
# errors of a server that asking again cannot mend
_PERMANENT_OF_SERVER = {
    HTTPStatus.NOT_IMPLEMENTED,
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
}
_PROXIES = "variables HTTP_PROXY, HTTPS_PROXY and ALL_PROXY"
_LONGEST_PAUSE = 1e10  # seconds, some 300 years; whoever says more says nothing
_MESSAGES: dict[type[httpx.HTTPError], str] = {
    httpx.TimeoutException: "{host} could not be reached in time for",
    httpx.ProxyError: "the proxy refused",
    httpx.RemoteProtocolError: "{host} broke off its answer to",
    httpx.ConnectError: "no connection to {host} for",
    httpx.NetworkError: "the connection to {host} broke in",
}


class RefusedError(PermanentError):
    """The provider refuses the request (4xx), and will do so again.

    Args:
        message: what it said.
        status: the status code.
    """

    def __init__(self, message: str, status: int, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class NotFoundError(RefusedError):
    """The provider has nothing under this address (404 or 410)."""


def refusal(
    status: int,
    *,
    url: str,
    host: str,
    body: str,
    retry_after: float | None,
    method: str = "GET",
    hint: str | None = None,
) -> FetchError:
    """The error for an answer with a status that is no success.

    Args:
        status: the status code.
        url: the URL asked, fit to be shown.
        host: the host asked.
        body: how the answer begins, fit to be shown.
        retry_after: the seconds the provider asks to wait.
        method: how it was asked.
        hint: what to do about a refused key, if that is known better.
    """
    message = f"{host} answered {_status_name(status)} to {method} {url}"
    message += f": {body}" if body else ""
    if status in _TRANSIENT or (
        status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _PERMANENT_OF_SERVER
    ):
        return TransientError(message, retry_after=retry_after, host=host)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return PermanentError(
            message,
            hint=hint
            or "Check the key; the source's parameters in sources.yaml say which environment "
            "variable it is taken from",
        )
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return NotFoundError(message, status)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return PermanentError(message, hint="Check the proxy in HTTP_PROXY and HTTPS_PROXY")
    if status >= HTTPStatus.BAD_REQUEST:
        return RefusedError(message, status)
    return BadDataError(message)


def transport_error(
    error: Exception,
    *,
    url: str,
    host: str,
    hide: Callable[[str], str],
    method: str = "GET",
    proxy: httpx.URL | None = None,
) -> FetchError:
    """The error for a request that got no complete answer; `proxy` is where it was sent, if any."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return PermanentError(
                f"the certificate of {host} is not valid ({cause.verify_message}): {method} {url} "
                "was not sent",
                hint="If a proxy or a company network signs certificates here, name its authority "
                "in SSL_CERT_FILE",
            )
        if isinstance(cause, socket.gaierror):
            suspect = _PROXIES if proxy else "address"
            return TransientError(
                f"the name {proxy.host if proxy else host}{' of the proxy' if proxy else ''} "
                f"could not be resolved for {method} {url} ({cause.strerror})",
                host=host,
                hint=f"If it stays so, check the {suspect} and the network",
            )
    reason = harmless(hide(str(error)), 200) or type(error).__name__
    for kind, message in _MESSAGES.items():
        if isinstance(error, kind):
            is_unreached = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            by_proxy = proxy if is_unreached else None
            peer = f"the proxy {_peer(by_proxy)}" if by_proxy else host
            return TransientError(
                f"{message.format(host=peer)} {method} {url} ({reason})",
                host=host,
                hint=f"If it stays so, check the {_PROXIES}" if by_proxy else None,
            )
    return PermanentError(f"{method} {url} cannot be sent ({reason})")


def _peer(proxy: httpx.URL) -> str:
    return proxy.host if proxy.port is None else f"{proxy.host}:{proxy.port}"


def retry_after_seconds(text: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, never less than 0; None if it says nothing.

    Seconds or an HTTP date (RFC 9110, section 10.2.3); rubbish counts as nothing.
    """
    header = (text or "").strip()
    try:
        seconds = float(header) if header.isascii() else math.nan
    except ValueError:
        try:
            instant = parsedate_to_datetime(header)
            seconds = (instant.replace(tzinfo=instant.tzinfo or UTC) - now).total_seconds()
        except (ValueError, OverflowError):
            return None
    # also false of what is no number
    return max(seconds, 0.0) if -math.inf < seconds < _LONGEST_PAUSE else None


def _status_name(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__]
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions
