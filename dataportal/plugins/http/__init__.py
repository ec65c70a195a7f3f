"""HTTP for plugins: client, answers, errors and rate limits. What is listed here is public."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataportal.plugins.http.client import HttpClient
    from dataportal.plugins.http.errors import NotFoundError
    from dataportal.plugins.http.rate_limit import RateLimit
    from dataportal.plugins.http.response import Answer

__all__ = ["Answer", "HttpClient", "NotFoundError", "RateLimit"]

_MODULES = {
    "Answer": "response",
    "HttpClient": "client",
    "NotFoundError": "errors",
    "RateLimit": "rate_limit",
}


def __getattr__(name: str) -> Any:
    """Each is imported when asked for: a plugin is also imported where nothing is sent."""
    if name in _MODULES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
