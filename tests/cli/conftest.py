"""What the tests of commands share: a provider, a sources.yaml, a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.http_server import LocalServer
from support.program_sources import SourceFile, table
from support.reading_role import reading_role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A provider that has two points at /good.csv, and whatever the test lays out."""
    with LocalServer() as server:
        server.answer("/good.csv", table([1.0, 2.0]))
        yield server


@pytest.fixture
def sources(tmp_path: Path) -> SourceFile:
    """The sources.yaml of the folder that the program runs in."""
    return SourceFile(tmp_path)


@pytest.fixture
def env(database_url: str) -> dict[str, str]:
    """A database, and no patience with providers."""
    return {"DATABASE_URL": database_url, "MAX_RETRIES": "0"}


@pytest.fixture
def reader_url(database_url: str) -> Iterator[str]:
    """The database for a role that may only read it."""
    with reading_role(database_url) as url:
        yield url
