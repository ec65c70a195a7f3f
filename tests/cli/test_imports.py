"""What a command imports: start-up is a feature, and time is what it is made of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.stored_runs import stored

from dataportal.store.records import SeriesRecord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# what takes longer to import than the rest of start-up, or leads to it
HEAVY = {"httpx", "psycopg", "rich", "structlog", "yaml", "stamina", "msgspec", "asyncio"}
OF_RUNS = {"httpx", "rich", "stamina", "tenacity", "msgspec"}
OURS_OF_RUNS = ("dataportal.plugins", "dataportal.collect.engine", "dataportal.observations")


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    """One source that was fetched a moment ago, and is due once a year."""
    stored(database_url, [1.5], record=SeriesRecord("load"))
    entry = {
        "module": "dataportal.plugins.data_sources.csv_plugin",
        "class": "CsvDataSourcePlugin",
        "schedule": "365 days",
        "default_params": {"path": "nowhere.csv"},
    }
    path = tmp_path / "sources.yaml"
    path.write_text(json.dumps({"timeseries": {"load": entry}}), encoding="utf-8")
    return {"DATABASE_URL": database_url, "PLUGIN_CONFIG_PATH": str(path)}


def imported_modules(*arguments: str, env: Mapping[str, str] | None = None) -> set[str]:
    """The names of all modules that a command has imported when it ends, which it does well."""
    script = (
        "import sys\n"
        "from dataportal.__main__ import main\n"
        f"sys.argv = ['dataportal', *{arguments!r}]\n"
        "assert main() == 0\n"
        "print('\\n' + ' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return {*done.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["healthcheck", "--live"]])
def test_nothing_heavy_is_imported_before_it_is_needed(arguments: list[str]) -> None:
    """Help, the version and the probe of a container start in the time that typer takes."""
    modules = imported_modules(*arguments)
    assert "typer" in modules
    assert not {m.split(".")[0] for m in modules} & HEAVY
    parts = ("dataportal.plugins", "dataportal.store", "dataportal.collect", "dataportal.config")
    assert not [m for m in modules if m.startswith(parts)]


@pytest.mark.parametrize(
    "arguments",
    [["healthcheck"], ["list-sources"], ["fetch-all", "--due"], ["history", "load"]],
)
def test_what_only_looks_imports_nothing_of_what_runs(
    environment: dict[str, str], arguments: list[str]
) -> None:
    """Neither the engine nor a plugin, no HTTP client, no log; also where nothing is due."""
    modules = imported_modules(*arguments, env=environment)
    assert "psycopg" in modules
    assert not {m.split(".")[0] for m in modules} & OF_RUNS
    assert not [m for m in modules if m.startswith(OURS_OF_RUNS)]


def test_what_runs_imports_no_more_than_it_uses(environment: dict[str, str]) -> None:
    """The check of every plugin imports the plugin, and asks neither network nor database."""
    modules = imported_modules("list-sources", "--check", env=environment)
    assert "dataportal.plugins.data_sources.csv_plugin" in modules
    assert not {m.split(".")[0] for m in modules} & {"psycopg", "stamina", "rich"}


def test_a_run_under_cron_imports_nothing_for_looks(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """It begins every five minutes: no tables, no colours, no command line of a library."""
    (tmp_path / "nowhere.csv").write_text("ts,value\n2024-01-01T00:00Z,1\n")
    modules = imported_modules("-q", "fetch", "load", env=environment)
    assert {"httpx", "psycopg", "stamina"} <= modules
    assert not {m.split(".")[0] for m in modules} & {"rich", "pygments", "click", "structlog"}
