"""The files around the package: what pip, cron, Docker and a reader of the folder get."""

from __future__ import annotations

import ast
import fnmatch
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement

import dataportal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import RunCli

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    *("dataportal", "tests", "sql"),
    *("README.md", "pyproject.toml", "sources.yaml", "crontab.example", "Dockerfile", "LICENSE"),
    "requirements.txt",
}
# what a source distribution adds
OPTIONAL = {"PKG-INFO"}
LOCKS = ("requirements.txt", ".ci/build-requirements.txt")
# the distributions whose packages go by another name
DISTRIBUTIONS = {"yaml": "pyyaml", "python_calamine": "python-calamine"}
# the extra frames, and what users bring
WHERE_INSTALLED = {"pyarrow", "pandas", "polars", "matplotlib"}
CRON_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
# what the classic builder of Docker understands
FLAGS = {
    "FROM": {"platform"},
    "COPY": {"from", "chown"},
    "HEALTHCHECK": {"interval", "timeout", "start-period", "retries"},
}


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads(_text("pyproject.toml"))["project"]
    return project


def test_the_top_level_is_what_was_agreed() -> None:
    """Nothing more and nothing less, but for dotfiles and what git ignores."""
    ignored = [line.rstrip("/") for line in _text(".gitignore").split()]
    found = {
        entry.name
        for entry in ROOT.iterdir()
        if not entry.name.startswith(".")
        and not any(fnmatch.fnmatch(entry.name, pattern) for pattern in ignored)
    }
    assert found - OPTIONAL == TOP_LEVEL


def test_the_licence_is_there_whole() -> None:
    """Apache 2.0, as pyproject.toml says, from its title to the end of its terms."""
    text = _text("LICENSE")
    assert _project()["license"] == "Apache-2.0"
    assert text.split()[:4] == ["Apache", "License", "Version", "2.0,"]
    assert re.findall(r"^   (\d)\. ", text, re.MULTILINE) == list("123456789")
    assert "END OF TERMS AND CONDITIONS" in text


def test_every_python_that_is_promised_is_named() -> None:
    """requires-python is the oldest of the classifiers, and they have no gap."""
    versions = [
        int(found[1])
        for line in _project()["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", line))
    ]
    assert _project()["requires-python"] == f">=3.{versions[0]}"
    assert versions == list(range(versions[0], versions[-1] + 1))
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", dataportal.__version__)


def test_the_state_of_development_agrees_with_the_version() -> None:
    """Stable from 1.0 on, but for what is tried out before a version."""
    major, *_, last = re.split(r"[.](?=\d)", dataportal.__version__)
    is_stable = int(major) >= 1 and last.isdecimal()
    states = [line for line in _project()["classifiers"] if line.startswith("Development Status")]
    assert states == [
        f"Development Status :: {'5 - Production/Stable' if is_stable else '4 - Beta'}"
    ]


def test_no_address_of_the_project_leads_nowhere() -> None:
    """Whatever project.urls names is no placeholder: a package index shows them to everybody."""
    hosts = {urlsplit(url).hostname or "" for url in _project().get("urls", {}).values()}
    reserved = ("example", "example.com", "example.org", "example.net", "invalid", "localhost")
    assert not [host for host in hosts if f".{host}".endswith(tuple(f".{r}" for r in reserved))]


def test_what_is_imported_is_what_is_depended_on() -> None:
    """Of the dependencies each is imported, and nothing else is; tzdata is only read.

    But for what is used where it happens to be installed.
    """
    texts = " ".join(_project()["dependencies"]).lower()
    assert set(_imported()) - WHERE_INSTALLED == set(re.findall(r"(?:^| )([a-z0-9-]+)", texts)) - {
        "tzdata"
    }


def _imported() -> Iterator[str]:
    for path in (ROOT / "dataportal").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in (full.partition(".")[0] for full in names):
                if name != "dataportal" and name not in sys.stdlib_module_names:
                    yield DISTRIBUTIONS.get(name, name)


def _cron_lines() -> list[list[str]]:
    """The jobs: five fields and the rest of the line each."""
    lines = [line for line in _text("crontab.example").splitlines() if line.strip()]
    return [
        line.split(maxsplit=5)
        for line in lines
        if not line.startswith("#") and not re.match(r"[A-Z_]+=", line)
    ]


def test_cron_gets_the_variables_it_lacks() -> None:
    """Whom to write to, where the command is, which database."""
    names = re.findall(r"^([A-Z_]+)=\S", _text("crontab.example"), re.MULTILINE)
    assert {"MAILTO", "PATH", "DATABASE_URL", "PLUGIN_CONFIG_PATH"} <= set(names)


def test_cron_keeps_what_stands_there_when_the_lines_are_added(tmp_path: Path) -> None:
    """By the command at the head of the file; a crontab that was there comes first."""
    (command,) = re.findall(r"^#   (\(crontab .*)$", _text("crontab.example"), re.MULTILINE)
    crontab = tmp_path / "crontab"
    crontab.write_text(
        '#!/bin/sh\nif [ "$1" = -l ]; then cat table; else cat > new && mv new table; fi\n',
        encoding="utf-8",
    )
    crontab.chmod(0o755)
    table = tmp_path / "table"
    shutil.copy(ROOT / "crontab.example", tmp_path)
    for before in (None, "0 3 * * * backup\n"):
        table.unlink(missing_ok=True)
        if before is not None:
            table.write_text(before, encoding="utf-8")
        env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        subprocess.run(["sh", "-c", command], cwd=tmp_path, env=env, check=True)
        assert table.read_text(encoding="utf-8") == (before or "") + _text("crontab.example")


def test_cron_understands_every_line() -> None:
    """Five fields in their ranges; a % would end the command."""
    for *fields, command in _cron_lines():
        assert len(fields) == len(CRON_FIELDS), fields
        for field, (least, most) in zip(fields, CRON_FIELDS, strict=True):
            found = re.fullmatch(r"(?:\*(?:/(\d+))?|(\d+))", field)
            assert found, field
            assert all(least <= int(number) <= most for number in found.groups() if number)
        assert not re.search(r"(?<!\\)%", command)


def test_cron_runs_what_there_is(run_cli: RunCli) -> None:
    """The schedule, a deep re-fetch at a time of its own and a check; each quiet and known."""
    commands = [line[-1] for line in _cron_lines()]
    assert commands == [
        "dataportal -q fetch-all --due",
        "dataportal -q fetch-all --start 90d",
        "dataportal -q maintain --for 20m",
        "dataportal -q healthcheck",
    ]
    assert _cron_lines()[0][:5] == ["*/5", "*", "*", "*", "*"]
    minutes = [line[0] for line in _cron_lines()[1:]]
    assert len(set(minutes)) == len(minutes)
    assert all(int(minute) % 5 for minute in minutes)
    for command in commands:
        # an option that does not exist is refused before the help is shown
        assert run_cli(*shlex.split(command)[1:], "--help").returncode == 0


def _instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile, comments left out and lines joined."""
    kept = re.sub(r"^\s*#.*\n", "", _text("Dockerfile"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", kept).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def _said(name: str) -> list[str]:
    return [rest for instruction, rest in _instructions() if instruction == name]


def test_the_image_is_built_by_any_builder() -> None:
    """No parser of its own, no flag and no heredoc that the classic builder does not know."""
    assert not re.match(r"#\s*(syntax|check)\s*=", _text("Dockerfile"))
    for name, rest in _instructions():
        assert "<<" not in rest
        words = itertools.takewhile(lambda word: word.startswith("--"), rest.split())
        flags = {word.removeprefix("--").partition("=")[0] for word in words}
        assert flags <= FLAGS.get(name, set()), (name, rest)


def test_the_image_can_be_built_on_another_one() -> None:
    """Both stages stand on BASE_IMAGE."""
    assert _instructions()[0] == ("ARG", "BASE_IMAGE=python:3.13-slim")
    assert [rest.split()[0] for rest in _said("FROM")] == ["${BASE_IMAGE}", "${BASE_IMAGE}"]


def test_the_image_runs_the_program_itself_as_nobody_special() -> None:
    """No shell in between, which would keep signals to itself; a user that needs no name."""
    assert json.loads(_said("ENTRYPOINT")[-1]) == ["dataportal"]
    assert json.loads(_said("CMD")[-1]) == ["--help"]
    assert json.loads(_said("HEALTHCHECK")[-1].partition("CMD ")[2]) == [
        *("dataportal", "healthcheck", "--live")
    ]
    assert _said("STOPSIGNAL") == ["SIGTERM"]
    user = re.fullmatch(r"(\d+):(\d+)", _said("USER")[-1])
    assert user
    assert all(int(number) >= 10_000 for number in user.groups())
    assert not any("embedded" in rest for rest in _said("RUN"))


def test_docker_sees_what_the_image_is_made_of_only() -> None:
    """.dockerignore lets in what exists and is needed, so no secret that lies about."""
    lines = [line for line in _text(".dockerignore").splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    left_out = {"tests", "crontab.example", "Dockerfile"}
    assert let_in == TOP_LEVEL - left_out | {LOCKS[1], ".ci/sbom.py"}


def _locked(name: str) -> dict[str, str]:
    """The versions that a lock file names, by distribution."""
    found = {}
    for entry in re.sub(
        r"\\\n\s*", "", re.sub(r"^#.*\n", "", _text(name), flags=re.MULTILINE)
    ).splitlines():
        if entry:
            place = re.fullmatch(
                r"([a-z0-9-]+)==(\S+)( ; [^#]+?)?((?: ?--hash=sha256:[0-9a-f]{64})+)", entry
            )
            assert place, entry
            found[place[1]] = place[2]
    return found


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        (LOCKS[0], _project()["dependencies"]),
        (LOCKS[1], tomllib.loads(_text("pyproject.toml"))["build-system"]["requires"]),
    ],
)
def test_the_locks_fit_what_is_depended_on(lock: str, wanted: list[str]) -> None:
    """Each package at one version that pyproject.toml allows, with hashes, from no named place."""
    versions = _locked(lock)
    assert len(versions) > len(wanted)
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(versions[requirement.name]), requirement
        for extra in requirement.extras:
            assert f"{requirement.name}-{extra}" in versions
    assert "://" not in _text(lock)


def test_the_image_installs_what_is_locked_and_nothing_else() -> None:
    """Every pip that may use an index asks for hashes; the others use none."""
    commands = [
        part
        for rest in _said("RUN")
        for part in rest.split(" && ")
        if re.search(r"pip\b.* (install|wheel|download) ", part)
    ]
    assert len(commands) == 4
    for command in commands:
        locked = re.search(r"--require-hashes -r /locks/(\S+)", command)
        assert bool(locked) != ("--no-index" in command), command
    assert {f"/locks/{Path(lock).name}" for lock in LOCKS} <= set(" ".join(commands).split())


def test_ci_can_be_started() -> None:
    """It is executable, and bash can read it."""
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)
