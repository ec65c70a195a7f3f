"""What a shell completes, and how long answers are shown on a terminal."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from support.terminal import run_on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile


@pytest.fixture
def three_sources(sources: SourceFile, server: LocalServer) -> SourceFile:
    """Two whose names begin alike, and one with a name that a shell would run."""
    sources.csv("load-de", f"{server.url}/good.csv", tags=["grid"])
    sources.csv("load-fr", f"{server.url}/good.csv", tags=["grid"])
    sources.csv("loud$(touch /tmp/x)", f"{server.url}/good.csv")
    sources.write()
    return sources


def completed(run_cli: RunCli, line: str, **env: str) -> list[str]:
    """What bash would offer for the last word of a line; nothing else is written anywhere."""
    done = run_cli(
        env={
            "_DATAPORTAL_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(line.count(" ")),
            **env,
        }
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("dataportal fetch lo", ["load-de", "load-fr"]),
        ("dataportal fetch load-de load-f", ["load-fr"]),
        ("dataportal fetch-all --only g", ["grid"]),
        ("dataportal list-sources --state fa", ["failing"]),
        ("dataportal list-sources --state never", ["never-run"]),
        ("dataportal runs lo", ["load-de", "load-fr"]),
        ("dataportal gaps load-d", ["load-de"]),
        ("dataportal help monit", ["monitoring"]),
        ("dataportal --config nowhere.yaml fetch lo", []),
        ("dataportal repo", ["report"]),
    ],
)
def test_names_are_completed(
    three_sources: SourceFile, run_cli: RunCli, line: str, names: list[str]
) -> None:
    """From the file that the line or the environment names; a broken one offers nothing."""
    assert completed(run_cli, line) == names
    (three_sources.folder / "sources.yaml").write_text("timeseries: [", encoding="utf-8")
    if "lo" in line or "--only" in line:
        assert completed(run_cli, line) == []


_ASKS_BASH = """
code=$(dataportal --show-completion) || exit
eval "$code"
complete -p dataportal
COMP_WORDS=(dataportal fetch lo) COMP_CWORD=2
_dataportal_completion dataportal
echo "${COMPREPLY[@]}"
"""


def test_bash_is_taught(
    three_sources: SourceFile, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    """What is shown is code that completes names then; and it is put where bash looks."""
    program = tmp_path / "dataportal"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dataportal "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    path = f"{tmp_path}:{clean_environment['PATH']}"
    env = {**clean_environment, "HOME": str(tmp_path), "PATH": path}

    def ask(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "--norc", "-c", script],
            cwd=three_sources.folder,
            env=env,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    asked = ask(_ASKS_BASH)
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout.splitlines()[-1] == "load-de load-fr"
    installed = ask("dataportal --install-completion; echo $?")
    assert installed.stdout.splitlines()[-1] == "0"
    assert installed.stderr == ""
    assert "dataportal.sh" in (tmp_path / ".bashrc").read_text(encoding="utf-8")


def test_a_state_is_named_as_one_word(
    three_sources: SourceFile, env: dict[str, str], run_cli: RunCli
) -> None:
    """As it is completed; a shell would take it for two."""
    for state in ("never-run", "never run"):
        listed = run_cli("list-sources", "--state", state, env=env)
        assert "load-de" in listed.stdout


def test_series_are_those_of_the_database(
    three_sources: SourceFile, env: dict[str, str], run_cli: RunCli
) -> None:
    """Where one is named and answers in time; else those of the file. No server is started."""
    with psycopg.connect(env["DATABASE_URL"]) as connection:
        connection.execute(
            "INSERT INTO time_series (endpoint_prefix, source) VALUES ('load-old', 'gone')"
        )
    assert completed(run_cli, "dataportal read lo", **env) == ["load-old"]
    there = f"dataportal --database-url {env['DATABASE_URL']} history lo"
    assert completed(run_cli, there) == ["load-old"]
    begun = time.monotonic()
    for url in ("postgresql://127.0.0.1:1/none", "postgresql://192.0.2.1/none", "embedded:", "?"):
        names = completed(run_cli, "dataportal read lo", DATABASE_URL=url)
        assert names == ([] if url == "?" else ["load-de", "load-fr"])
    assert time.monotonic() - begun < 20


def test_a_long_answer_is_paged_on_a_terminal(
    sources: SourceFile, server: LocalServer, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    """By PAGER, with what less needs; a short one, and one of a fetch, is not."""
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\ncat; echo "paged, LESS=$LESS"\n', encoding="utf-8")
    pager.chmod(0o755)
    env = {**clean_environment, "PAGER": str(pager), "DATABASE_URL": "postgresql://127.0.0.1:1/x"}
    for number in range(60):
        sources.csv(f"source-{number}", f"{server.url}/good.csv")
    sources.write()
    _, seen = run_on_terminal("list-sources", env=env, cwd=sources.folder)
    assert "paged, LESS=-FRX" in seen
    assert "source-59" in seen
    _, seen = run_on_terminal("list-sources", "--only", "source-1", env=env, cwd=sources.folder)
    assert "source-1" in seen
    assert "paged" not in seen
    for extra in (["--json"], ["--check"]):
        _, seen = run_on_terminal("list-sources", *extra, env=env, cwd=sources.folder)
        assert "paged" not in seen
    _, seen = run_on_terminal("fetch-all", "--dry-run", env=env, cwd=sources.folder)
    assert "paged" not in seen
