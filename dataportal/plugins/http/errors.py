"""Sorts what can go wrong with a request: may it pass, will it not, or is the answer bad?"""

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

_TRY_AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
# errors of a server that asking again cannot mend
_STAYS = {
    HTTPStatus.NOT_IMPLEMENTED,
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
}
_BROKEN: dict[type[httpx.HTTPError], str] = {
    httpx.TimeoutException: "{host} could not be reached in time for",
    httpx.ProxyError: "the proxy refused",
    httpx.RemoteProtocolError: "{host} broke off its answer to",
    httpx.ConnectError: "no connection to {host} for",
    httpx.NetworkError: "the connection to {host} broke in",
}


class NotFoundError(PermanentError):
    """The provider has nothing under this address (404 or 410)."""


def refusal(
    status: int, *, url: str, host: str, body: str, retry_after: float | None
) -> FetchError:
    """The error for an answer with a status that is no success.

    Args:
        status: the status code.
        url: the URL asked, fit to be shown.
        host: the host asked.
        body: how the answer begins, fit to be shown.
        retry_after: the seconds the provider asks to wait.
    """
    said = f"{host} answered {_status_name(status)} to GET {url}" + (f": {body}" if body else "")
    if status in _TRY_AGAIN or (
        status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _STAYS
    ):
        return TransientError(said, retry_after=retry_after, host=host)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return PermanentError(
            said,
            hint="Check the key; the source's parameters in sources.yaml say which environment "
            "variable it is taken from",
        )
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return NotFoundError(said)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return PermanentError(said, hint="Check the proxy in HTTP_PROXY and HTTPS_PROXY")
    if status >= HTTPStatus.BAD_REQUEST:
        return PermanentError(said)
    return BadDataError(said)


def broken(
    error: httpx.HTTPError | httpx.InvalidURL, *, url: str, host: str, hide: Callable[[str], str]
) -> FetchError:
    """The error for a request that got no complete answer."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return PermanentError(
                f"the certificate of {host} is not valid ({cause.verify_message}): GET {url} was "
                "not sent",
                hint="If a proxy or a company network signs certificates here, name its authority "
                "in SSL_CERT_FILE",
            )
        if isinstance(cause, socket.gaierror):
            return TransientError(
                f"the name {host} could not be resolved for GET {url} ({cause.strerror})",
                host=host,
                hint="If it stays so, check the address and the network",
            )
    told = harmless(hide(str(error)), 200) or type(error).__name__
    for kind, said in _BROKEN.items():
        if isinstance(error, kind):
            return TransientError(f"{said.format(host=host)} GET {url} ({told})", host=host)
    return PermanentError(f"GET {url} cannot be sent ({told})")


def seconds_to_wait(text: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, never less than 0; None if it says nothing.

    Seconds or an HTTP date (RFC 9110, section 10.2.3); rubbish counts as nothing.
    """
    said = (text or "").strip()
    try:
        seconds = float(said) if said.isascii() else math.nan
    except ValueError:
        try:
            moment = parsedate_to_datetime(said)
        except ValueError:
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


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
