"""What the tests of plugins share: a server of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.http_server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """An HTTP server that answers as the test lays out."""
    with LocalServer() as running:
        yield running


@pytest.fixture
def other_server() -> Iterator[LocalServer]:
    """Another one, on another port: another place, as far as secrets go."""
    with LocalServer() as running:
        yield running
