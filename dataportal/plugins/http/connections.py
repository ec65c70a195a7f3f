"""The connections to providers: a pool for each host and event loop."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

import httpx

from dataportal.errors import PermanentError
from dataportal.redaction import harmless, redact

if TYPE_CHECKING:
    import ssl

if importlib.util.find_spec("sniffio") is None:
    # httpcore tries to import it for every lock it makes, several a request. What is missing is
    # looked for in the whole import path each time, unless it is said to be missing.
    sys.modules["sniffio"] = None  # type: ignore[assignment]  # None is how Python is told


class Connections:
    """Clients of httpx that hold no state but their connections.

    Each host has one of its own: a pool looks through all its connections at every request, which
    with those to many hosts takes longer than the rest of the request.

    Args:
        user_agent: the name to send.
        connect_timeout: seconds to reach a host.
        tls: how certificates are checked; by default as httpx does.
    """

    def __init__(self, user_agent: str, connect_timeout: float, tls: ssl.SSLContext | None) -> None:
        self._user_agent = user_agent
        self._connect_timeout = connect_timeout
        self._tls = tls
        self._clients: dict[asyncio.AbstractEventLoop, dict[str, httpx.AsyncClient]] = {}

    def client(self, host: str) -> httpx.AsyncClient:
        """The client for a host, in the running event loop.

        Raises:
            PermanentError: what the environment says of proxies or certificates cannot be used.
        """
        clients = self._clients.setdefault(asyncio.get_running_loop(), {})
        if host not in clients:
            try:
                # made once: to read all certificates takes as long as several requests
                self._tls = self._tls or httpx.create_ssl_context()
                clients[host] = httpx.AsyncClient(
                    headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip"},
                    timeout=httpx.Timeout(None, connect=self._connect_timeout),
                    follow_redirects=False,
                    verify=self._tls,
                    # sources share the client: what one is told must not travel with another
                    cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
                )
            except (ImportError, ValueError, OSError) as error:
                raise PermanentError(
                    f"the HTTP client cannot be set up ({redact(harmless(str(error), 300))})",
                    hint="Check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE",
                ) from None
        return clients[host]

    async def aclose(self) -> None:
        """Close those of the running event loop."""
        for client in self._clients.pop(asyncio.get_running_loop(), {}).values():
            await client.aclose()
