"""Writes a sources.yaml for tests that run the program, and reads what its runs left behind.

Example:
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", table([1.5, 2.5])))
    sources.write()
    run_cli("fetch", "load", env={"DATABASE_URL": database_url})
    assert [run.outcome for run in recorded_runs(database_url)] == ["succeeded"]
"""

from __future__ import annotations

import json
import os
import textwrap
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from support.http_server import Reply
from support.store_feed import hour, open_observer

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

_BUILT_IN = "dataportal.plugins.data_sources"
_PLUGIN = '''\
"""A plugin of a test."""

import asyncio, json, os, sys, threading
from dataportal.plugins.base_plugin import BasePlugin, TransientError
{head}

class Plugin(BasePlugin):
{body}
'''
# what a run may take until a signal has ended it, and what any other wait may take
IN_TIME = 10.0
PATIENCE = 60.0


@dataclass(slots=True)
class SourceFile:
    """The sources.yaml of a folder; each method adds an entry, `write` makes the file.

    Keys of an entry, such as `timeout="2 seconds"`, are given by name.
    """

    folder: Path
    entries: dict[str, Any] = field(default_factory=dict)

    def csv(self, name: str, url: str, **keys: Any) -> str:
        """A source of one series from a table at a URL, or in a file if it is no URL."""
        parameter = "url" if "://" in url else "path"
        return self.add(name, "csv_plugin.CsvDataSourcePlugin", {parameter: url}, keys)

    def smard(self, name: str, base_url: str, **keys: Any) -> str:
        """A source of one series that runs in the event loop of all built-in plugins."""
        params = {"filter": 1, "region": "DE", "resolution": "hour", "base_url": base_url}
        return self.add(name, "smard_plugin.SmardDataSourcePlugin", params, keys)

    def python(self, name: str, body: str, *, head: str = "", **keys: Any) -> str:
        """A source with a plugin of its own beside sources.yaml, whose class has this body."""
        module = f"plugin_{name}"
        body = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
        code = _PLUGIN.format(head=textwrap.dedent(head), body=body)
        (self.folder / f"{module}.py").write_text(code, encoding="utf-8")
        return self.add(name, f"{module}.Plugin", {}, keys)

    def add(self, name: str, plugin: str, params: Mapping[str, Any], keys: dict[str, Any]) -> str:
        """A source with this plugin; its name."""
        module, _, cls = plugin.rpartition(".")
        self.entries[name] = {
            "module": module if module.startswith("plugin_") else f"{_BUILT_IN}.{module}",
            "class": cls,
            # long, so that no slot begins while a test runs
            "schedule": "365 days",
            "metadata": {"name": name, "unit": "MW"},
            "default_params": {**params, **keys.pop("params", {})},
            **keys,
        }
        return name

    def write(self, **further: Any) -> Path:
        """The file, as JSON, which is YAML as well."""
        path = self.folder / "sources.yaml"
        path.write_text(
            json.dumps({"timeseries": {**self.entries, **further}}, ensure_ascii=False),
            encoding="utf-8",
        )
        return path


def table(values: Sequence[object] | Mapping[int, object], **options: Any) -> Reply:
    """A CSV table of hourly values from `stored.START` on; options as of a Reply."""
    rows = values.items() if isinstance(values, dict) else enumerate(values)
    lines = ["ts,value", *(f"{hour(h).isoformat()},{'' if v is None else v}" for h, v in rows)]
    return Reply(body="\n".join(lines).encode() + b"\n", content_type="text/csv", **options)


class Run(NamedTuple):
    """A row of fetch_run."""

    source: str
    kind: str
    outcome: str | None
    error: str | None
    inserted: int
    done_until: datetime | None
    window_end: datetime | None


def recorded_runs(url: str) -> list[Run]:
    """All runs, oldest first."""
    with open_observer(url) as look:
        rows = look.execute(
            "SELECT source, kind, outcome, error, inserted, done_until, window_end"
            " FROM fetch_run ORDER BY run_id"
        )
        return [Run(*row) for row in rows]


def outcomes(url: str) -> list[str | None]:
    """How all runs ended, oldest first."""
    return [run.outcome for run in recorded_runs(url)]


def held_locks(url: str) -> int:
    """How many locks of sources are held in this database."""
    with open_observer(url) as look:
        row = look.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchone()
    assert row
    return int(row[0])


def await_unlocked(url: str) -> None:
    """Wait until no lock is held: a server may take a moment to see that its client is gone."""
    deadline = time.monotonic() + PATIENCE
    while held_locks(url):
        assert time.monotonic() < deadline, "a lock is still held"


def runs_by_source(process: subprocess.CompletedProcess[str] | str) -> dict[str, dict[str, Any]]:
    """The runs that `--json` told of, by the names of their sources."""
    text = process if isinstance(process, str) else process.stdout
    return {run["source"]: run for run in json.loads(text)["runs"]}


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What the process writes to stderr, up to the line with these words."""
    assert process.stderr
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"{words!r} was not written, but: {''.join(lines)}")


def await_end(process: subprocess.Popen[str], patience: float = PATIENCE) -> tuple[str, str]:
    """Wait for its end, which comes in time; what it wrote to stdout and stderr until then."""
    return process.communicate(timeout=patience)


def await_ends(processes: Iterable[subprocess.Popen[str]]) -> list[tuple[str, str]]:
    """The same of several, in their order."""
    return [await_end(process) for process in processes]


class Pause:
    """A failpoint at which the program stops until it is told to go on."""

    def __init__(self, folder: Path, name: str) -> None:
        self._fifo = folder / f"{name}.fifo"
        os.mkfifo(self._fifo)
        self.env = {
            "DATAPORTAL_FAILPOINT": f"{name}:pause",
            "DATAPORTAL_FAILPOINT_FIFO": str(self._fifo),
        }

    def wait_until_reached(self) -> None:
        """Wait until the program is there."""
        assert self._fifo.read_text(encoding="utf-8")

    def go_on(self) -> None:
        """Let it go on."""
        self._fifo.write_text("go", encoding="utf-8")
