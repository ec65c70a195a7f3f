"""Tells private, loopback and link-local addresses, to which no public host may lead a request.

A name may have another address when it is connected to than when it was looked up, as whoever owns
it answers for it: so the address that a connection really has is looked at too.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from dataportal.plugins.http.proxies import proxy_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import httpx


# of IPv4 addresses in IPv6: RFC 6052, RFC 4291 (2.5.5.1), RFC 8215
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
_LOCAL_TRANSLATION = IPv6Network("64:ff9b:1::/48")
_LAST_32_BITS = 2**32 - 1


async def is_private(url: httpx.URL) -> bool:
    """Whether the host of a URL is private, by any address that its name has.

    A name that does not resolve is not; neither is one that a proxy will look up, but `localhost`.
    """
    host = url.host.rstrip(".").lower()
    literal = _literal(host)
    if literal is not None:
        return _is_private(literal)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    if proxy_of(url) is not None:
        return False
    try:
        addresses = await asyncio.get_running_loop().getaddrinfo(
            host, url.port, type=socket.SOCK_STREAM
        )
    except OSError:
        return False  # the request itself will say so
    return any(
        _is_private(ip_address(str(sockaddr[0]).partition("%")[0])) for *_, sockaddr in addresses
    )


def connection_guard(
    url: httpx.URL, refusal: Callable[[], Exception]
) -> Callable[[str, Mapping[str, Any]], Awaitable[None]] | None:
    """What refuses a new connection to a private address, before anything is sent over it.

    For the extension `trace` of a request; None where a proxy connects. See
    https://www.encode.io/httpcore/extensions/.

    Args:
        url: of the request.
        refusal: makes the error to be raised.
    """
    if proxy_of(url) is not None:
        return None

    async def guard(event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete" and has_private_peer(info["return_value"]):
            await info["return_value"].aclose()
            raise refusal()

    return guard


def has_private_peer(stream: Any) -> bool:
    """Whether a connection is to a private address."""
    address = stream.get_extra_info("server_addr")
    return bool(address) and _is_private(ip_address(str(address[0]).partition("%")[0]))


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, in any spelling that the system takes: `127.1`, `0x7f000001`."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _is_private(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        # those of Teredo are public by no registry, whatever address they hold
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and any(address in network for network in _TRANSLATED):
            inner = IPv4Address(int(address) & _LAST_32_BITS)
        if inner is not None:
            return _is_private(inner)
        if address in _LOCAL_TRANSLATION:
            return True
    return not address.is_global or address.is_multicast
