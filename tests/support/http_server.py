"""The local HTTP server of `dataportal.testing`, which tests of the program use as well."""

from __future__ import annotations

from dataportal.testing.local_server import LocalServer, Reply, Request

__all__ = ["LocalServer", "Reply", "Request"]
