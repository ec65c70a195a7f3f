"""What a command imports: start-up is a feature, and time is what it is made of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.stored_runs import store_run

from dataportal.errors import ExitCode
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
    store_run(database_url, [1.5], record=SeriesRecord("load"))
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


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["healthcheck", "--live"], ["help"], ["help", "cron"]],
)
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
    # nobody asked to be told
    assert not [m for m in modules if m.startswith("dataportal.monitoring")]


def test_a_plugin_brings_no_command_line_of_a_library(tmp_path: Path) -> None:
    """Whichever command imports it: httpx goes without the one it comes with."""
    entry = {
        "module": "dataportal.plugins.data_sources.http_plugin",
        "class": "HttpJsonPlugin",
        "schedule": "1 day",
        "default_params": {"url": "https://api.example.org", "ts": "t", "value": "v"},
    }
    path = tmp_path / "sources.yaml"
    path.write_text(json.dumps({"timeseries": {"load": entry}}), encoding="utf-8")
    modules = imported_modules("list-sources", "--check", env={"PLUGIN_CONFIG_PATH": str(path)})
    assert "httpx" in modules
    assert not {m.split(".")[0] for m in modules} & {"rich", "pygments", "click"}


def test_what_httpx_looks_for_in_vain_is_looked_for_once() -> None:
    """As httpcore does several times a request; what is there is found."""
    script = (
        "import sys\n"
        "from importlib.machinery import PathFinder\n"
        "from dataportal.__main__ import main\n"
        "names, find = [], PathFinder.find_spec\n"
        "def find_spec(name, *rest):\n"
        "    names.append(name)\n"
        "    return None if name == 'sniffio' else find(name, *rest)\n"
        "PathFinder.find_spec = find_spec\n"
        "sys.argv = ['dataportal', '--version']\n"
        "main()\n"
        "for _ in range(3):\n"
        "    try:\n"
        "        import sniffio\n"
        "    except ModuleNotFoundError as error:\n"
        "        assert error.name == 'sniffio'\n"
        "    else:\n"
        "        raise AssertionError\n"
        "assert names.count('sniffio') == 1\n"
        "import httpx\n"
        "assert 'sniffio' not in names[names.index('httpx'):]\n"
        "print('done')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["done"]), done.stderr


def test_who_imports_it_keeps_a_process_of_their_own() -> None:
    """In a notebook modules are missing for nobody, and stamina tells of retries as it did."""
    script = (
        "import importlib, pkgutil, sys\n"
        "import stamina.instrumentation as instrumentation\n"
        "hooks = instrumentation.get_on_retry_hooks()\n"
        "missing = {name for name, module in sys.modules.items() if module is None}\n"
        "import dataportal\n"
        "for module in pkgutil.walk_packages(dataportal.__path__, 'dataportal.'):\n"
        "    importlib.import_module(module.name)\n"
        "assert 'httpx' in sys.modules and 'dataportal.__main__' in sys.modules\n"
        "assert missing == {name for name, module in sys.modules.items() if module is None}\n"
        "assert instrumentation.get_on_retry_hooks() == hooks != ()\n"
        "print('done')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_a_command_says_of_retries_what_its_run_says(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """And the library beneath says nothing besides."""
    entry = json.loads((tmp_path / "sources.yaml").read_text(encoding="utf-8"))
    entry["timeseries"]["load"]["default_params"] = {"url": "http://127.0.0.1:9/load.csv"}
    (tmp_path / "sources.yaml").write_text(json.dumps(entry), encoding="utf-8")
    env = {**os.environ, **environment, "MAX_RETRIES": "1", "RETRY_DELAY_SECONDS": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "dataportal", "fetch", "load"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.INCOMPLETE
    assert "tries again" in done.stderr
    assert "stamina" not in done.stdout + done.stderr
    assert "scheduled" not in done.stdout + done.stderr
