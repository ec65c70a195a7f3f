"""Locales, terminals, pipes and users without a home: no traceback, no escape codes, valid JSON."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.http_server import LocalServer, Reply
from support.program_sources import SourceFile, runs_by_source, table
from support.store_feed import open_observer
from support.tcp_proxy import Wire
from support.terminal import run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli

COMMANDS = (
    ["fetch-all"],
    ["list-sources"],
    ["history", "load"],
    ["history", "load", "--as-of", "now"],
    ["healthcheck"],
    ["verify"],
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
NAME = "Last in Zürich \N{ELECTRIC PLUG}"


@pytest.fixture
def env(tmp_path: Path, database_url: str, clean_environment: dict[str, str]) -> dict[str, str]:
    """An environment with a source whose name is not ASCII."""
    with LocalServer() as server:
        sources = SourceFile(tmp_path)
        sources.csv(
            "load",
            server.answer("/load.csv", table([1.5] * 500)),
            metadata={"name": NAME, "unit": "€/MWh"},
        )
        sources.write()
        variables = {**clean_environment, "DATABASE_URL": database_url, "MAX_RETRIES": "0"}
        process = subprocess.run(
            [sys.executable, "-m", "dataportal", "fetch", "load"],
            env=variables,
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
    return variables


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"HOME": None, "XDG_DATA_HOME": None},
        {"TERM": "dumb", "COLUMNS": "40"},
        {"TERM": None, "PATH": None, "LANG": None},
        {"LANG": "tlh_KL.UTF-8", "TZ": "Mars/Olympus", "COLUMNS": "no number"},
    ],
    ids=["C", "no home", "dumb", "nothing at all", "nonsense"],
)
def test_away_from_a_terminal(
    changes: dict[str, str | None], tmp_path: Path, env: dict[str, str]
) -> None:
    """Plain text, and JSON that is valid."""
    variables = {k: v for k, v in {**env, **changes}.items() if v is not None}
    for number, command in enumerate(COMMANDS):
        as_json = (number + len(changes)) % 2
        process = subprocess.run(
            [sys.executable, "-m", "dataportal", *command, *(["--json"] if as_json else [])],
            env=variables,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        output = process.stdout + process.stderr
        assert b"Traceback" not in output, output
        assert b"\x1b" not in output
        assert process.returncode in {0, 3, 4}, output
        if as_json:
            json.loads(process.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "columns"),
    [({"NO_COLOR": "1"}, 100), ({"TERM": "dumb"}, 80), ({}, 40), ({"LANG": "C"}, 20)],
    ids=["NO_COLOR", "dumb", "40 columns", "20 columns in C"],
)
def test_on_a_terminal(
    changes: dict[str, str], columns: int, tmp_path: Path, env: dict[str, str]
) -> None:
    """No colour where none is wanted, no code at all where none is understood."""
    for command in COMMANDS:
        code, output = run_on_terminal(
            *command, env={**env, **changes}, cwd=tmp_path, columns=columns
        )
        assert "Traceback" not in output
        assert code in {0, 3, 4}, output
        if "NO_COLOR" in changes:
            assert not [m for m in COLOUR.findall(output) if re.search(r"[34][0-7]", m)], output
        if changes.get("TERM") == "dumb":
            assert "\x1b" not in output


@pytest.mark.slow
def test_a_reader_that_has_seen_enough(tmp_path: Path, env: dict[str, str]) -> None:
    """`… | head -c 1`: no traceback, nothing on stderr about it."""
    for command in (*COMMANDS[1:4], ["history", "load", "--as-of", "now", "--json"]):
        process = subprocess.run(
            ["sh", "-c", '"$0" -m dataportal "$@" | head -c 1', sys.executable, *command],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert len(process.stdout) == 1
        assert "Traceback" not in process.stderr
        assert "Broken pipe" not in process.stderr


@pytest.mark.slow
def test_a_reader_that_never_looks(tmp_path: Path, env: dict[str, str]) -> None:
    """It has gone before anything is written: that is the same, and changes no exit code."""
    for command in COMMANDS:
        ours, theirs = os.pipe()
        os.close(ours)
        with os.fdopen(theirs) as nowhere:
            process = subprocess.run(
                [sys.executable, "-m", "dataportal", *command],
                env=env,
                cwd=tmp_path,
                stdout=nowhere,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                check=False,
            )
        assert "Traceback" not in process.stderr
        assert "Broken pipe" not in process.stderr
        assert process.returncode in {0, 3, 4}


@pytest.mark.slow
def test_a_user_without_a_name_or_a_place_to_write(
    database_url: str, open_folder: Path, env: dict[str, str], tmp_path: Path
) -> None:
    """Everything works that writes nothing but to the database; the rest is refused in a line.

    The user has no name, no home and no folder of its own: none may be written to, not even the
    one for temporary files.
    """
    shutil.copy(tmp_path / "sources.yaml", open_folder)
    open_folder.chmod(0o555)
    variables = {k: v for k, v in env.items() if k not in {"HOME", "XDG_DATA_HOME", "DATABASE_URL"}}
    variables["TMPDIR"] = str(open_folder)
    if os.geteuid() != 0:  # whose account names a home
        variables["HOME"] = str(open_folder)

    def run(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
        process = subprocess.run(
            [*as_nobody_at_all(), sys.executable, "-m", "dataportal", *command],
            env={**variables, **more},
            cwd=open_folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert "Traceback" not in process.stderr
        assert "\x1b" not in process.stdout + process.stderr
        return process

    refusal = run("fetch-all")
    assert refusal.returncode == 78, refusal.stderr
    assert "Set XDG_DATA_HOME to a folder of yours, or DATABASE_URL" in refusal.stderr
    # as whom one connects is the server's affair: by a way that is open to everybody
    with Wire(database_url) as wire:
        for command in COMMANDS:
            process = run(*command, "--json", DATABASE_URL=wire.url)
            assert process.returncode in {0, 3, 4}, process.stderr
            json.loads(process.stdout)
        dump = run("dump", "load", "load.jsonl", DATABASE_URL=wire.url)
    assert dump.returncode == 2
    assert "load.jsonl cannot be written: " in dump.stderr
    assert [path.name for path in open_folder.iterdir()] == ["sources.yaml"]


def as_nobody_at_all() -> list[str]:
    """What makes a command run as a user that nobody knows; as ourselves if we are not root."""
    if os.geteuid() != 0:
        return []
    number = str(random.randrange(20_000, 60_000))  # noqa: S311 - any will do
    user = ["setpriv", "--reuid", number, "--regid", number, "--clear-groups", "--no-new-privs"]
    # where the interpreter lies among root's own files; nothing can be written with this
    reading = ["--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search"]
    for way in (user, [*user, *reading]):
        if not subprocess.run(
            [*way, sys.executable, "-c", "import dataportal"], cwd="/", check=False
        ).returncode:
            return way
    raise AssertionError("no other user can run the interpreter")


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A provider."""
    with LocalServer() as local:
        yield local


def test_texts_of_a_provider_are_harmless(
    tmp_path: Path, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """Line breaks, control characters and terminal escapes of an error reach no log as such."""
    nasty = "no\r\nsuch \x1b[31mkey\x1b[0m \x07 \u202e\u2028 =cmd|' /C calc'!A0"
    sources = SourceFile(tmp_path)
    sources.csv("load", server.answer("/load.csv", Reply(400, nasty.encode())))
    sources.write()
    env = {"DATABASE_URL": database_url}
    process = run_cli("fetch", "load", "--json", "--log-level", "debug", env=env)
    assert process.returncode == 3
    output = process.stderr + json.loads(process.stdout)["runs"][0]["error"]
    output += run_cli("list-sources", env=env).stdout + run_cli("healthcheck", env=env).stdout
    with open_observer(database_url) as look:
        row = look.execute("SELECT error FROM fetch_run").fetchone()
    assert row
    for text in (output.replace("\n", ""), row[0]):
        assert text.isprintable(), text
    assert "such" in row[0]
    assert runs_by_source(process)["load"]["outcome"] == "failed"
