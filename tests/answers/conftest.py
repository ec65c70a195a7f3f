"""What the tests of answers share: all cases of a module, run by one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.answer_runs import run_cases
from support.databases import with_schema
from support.http_server import LocalServer
from support.program_sources import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.answer_runs import Case, Result
    from support.databases import Databases


@pytest.fixture(scope="module")
def results(
    request: pytest.FixtureRequest,
    server_url: str,
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, Result]]:
    """What came of the CASES of the module that asks, by their names."""
    cases: Mapping[str, Case] = request.module.CASES
    folder = tmp_path_factory.mktemp("answers")
    with databases.fresh(server_url, "migrated", with_schema) as url:
        yield run_cases(cases, folder=folder, database_url=url)


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A provider that answers as the test lays out."""
    with LocalServer() as server:
        yield server


@pytest.fixture
def other_server() -> Iterator[LocalServer]:
    """Another one, on another port: another host, as far as secrets go."""
    with LocalServer() as server:
        yield server


@pytest.fixture
def sources(tmp_path: Path) -> SourceFile:
    """The sources.yaml of the folder that the program runs in."""
    return SourceFile(tmp_path)


@pytest.fixture
def env(database_url: str) -> dict[str, str]:
    """A database, and no patience with providers."""
    return {"DATABASE_URL": database_url, "MAX_RETRIES": "0"}
