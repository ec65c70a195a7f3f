"""URLs and headers of requests: what can be sent, and what may go along with a redirect."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpx

from dataportal.errors import PermanentError
from dataportal.plugins.http.response import Mask
from dataportal.redaction import harmless, redact

if TYPE_CHECKING:
    from collections.abc import Mapping

_LAST_PORT = 65535
_LONG_PORT = 10**9  # no number to show
_NO_NAME = re.compile(r"[\s%](?!25)")  # %25 stands before the zone of an IPv6 address


def sendable_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that a plugin may set itself.

    Raises:
        PermanentError: a header has characters that none can carry.
    """
    for name, value in headers.items():
        # httpx would quote the value, which may be a key with a line break at its end
        if not all(text.isascii() and text.isprintable() for text in (name, value)):
            raise PermanentError(
                f"the header {harmless(name, 60)!r} has characters that no header can carry",
                hint="Often a line break at the end of a key: set the variable without it",
            )
    reserved = {"accept-encoding", "host"}
    return {
        name: value
        for name, value in headers.items()
        if name.lower() not in reserved and (value.strip() or name.lower() != "user-agent")
    }


def address(text: str, params: Mapping[str, Any] | None) -> httpx.URL:
    """The http or https address of a text, with further query parameters.

    Raises:
        PermanentError: the text is no such address.
    """
    try:
        url = _parse(text.strip())
        query = {name: value for name, value in (params or {}).items() if value is not None}
        url = url.copy_merge_params(query) if query else url
        check_host(url)
    except (httpx.InvalidURL, TypeError, ValueError) as error:
        shown, reason = Mask().url(text), harmless(redact(str(error)), 200)
        raise PermanentError(f"{shown} is not an address that can be asked ({reason})") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise PermanentError(f"{Mask().url(text)} is not an http or https address")
    return url.copy_with(fragment=None) if url.fragment else url


@lru_cache(maxsize=256)
def _parse(text: str) -> httpx.URL:
    """A source asks the same address again and again, with other parameters."""
    return httpx.URL(text)


def check_host(url: httpx.URL) -> None:
    """Raise ValueError for a host or a port that only the attempt to connect would find wrong."""
    if url.port is not None and not 0 < url.port <= _LAST_PORT:
        shown = url.port if abs(url.port) < _LONG_PORT else "with so many digits"
        raise ValueError(f"there is no port {shown}")
    try:
        # what looking a name up begins with; an international name is read back for messages
        url.raw_host.decode("ascii").encode("idna")
        if _NO_NAME.search(url.host):
            raise ValueError("no host can have this name")
    except UnicodeError:
        raise ValueError("no host can have this name") from None


def onward_address(url: httpx.URL, location: str, mask: Mask, here: str) -> httpx.URL:
    """Where a redirect leads, without the secrets of this request if it leads elsewhere.

    Args:
        url: where it leads from.
        location: what the answer says.
        mask: knows the secrets.
        here: method and address, fit to be shown.
    """
    try:
        onward = url.join(location).copy_with(fragment=None)
        check_host(onward)
    except (httpx.InvalidURL, ValueError):
        raise PermanentError(f"{here} is redirected to what is no address") from None
    if onward.scheme not in {"http", "https"} or not onward.host:
        raise PermanentError(f"{here} is redirected to what is no http or https address")
    if is_trusted(url, onward):
        return onward
    query = onward.params.multi_items()
    harmless_query = [(name, value) for name, value in query if not mask.knows(value)]
    if len(harmless_query) < len(query):
        onward = onward.copy_with(params=harmless_query)
    if mask.knows(str(onward)):
        raise PermanentError(f"{here} is redirected to {onward.host}, and the key with it")
    return onward


def is_trusted(url: httpx.URL, onward: httpx.URL) -> bool:
    """Whether what was meant for one URL may be sent to the other: the same host, no less safe."""
    if (url.scheme, url.host, url.port) == (onward.scheme, onward.host, onward.port):
        return True
    upgraded = (url.scheme, onward.scheme) == ("http", "https") and url.host == onward.host
    return upgraded and url.port is None and onward.port is None
