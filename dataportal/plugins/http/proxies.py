"""The proxies that the environment names, and what of it cannot be used."""

from __future__ import annotations

from urllib.request import getproxies, proxy_bypass

import httpx

from dataportal.plugins.http.urls import check_host

_PROXIED = {"http", "https", "all"}


def environment_proxies() -> dict[str, str]:
    """What HTTP_PROXY, HTTPS_PROXY and ALL_PROXY say, by `http`, `https` and `all`."""
    return {scheme: text for scheme, text in getproxies().items() if scheme in _PROXIED}


def check_proxies(proxies: dict[str, str]) -> None:
    """Refuse what only connecting would refuse.

    Raises:
        ValueError: a proxy has no host, or a name or a port that there is not, or is no address.
    """
    for scheme, text in proxies.items():
        try:
            url = _address(text)
        except httpx.InvalidURL:
            # whose message may quote a password, where the host was forgotten
            raise ValueError(f"the proxy for {scheme} is no address") from None
        if not url.host:
            raise ValueError(f"the proxy for {scheme} names no host")
        try:
            check_host(url)
        except ValueError as error:
            raise ValueError(f"of the proxy for {scheme}: {error}") from None


def proxy_of(url: httpx.URL) -> httpx.URL | None:
    """The proxy by which a request to the address goes; None if it goes there directly."""
    proxies = environment_proxies()
    text = proxies.get(url.scheme) or proxies.get("all")
    if text is None or proxy_bypass(url.host):
        return None
    return _address(text)


def _address(text: str) -> httpx.URL:
    return httpx.URL(text if "://" in text else f"http://{text}")
