"""Files for operators that come with the manual: as its pages show them, as tools take them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from support.manual import HOME, page

from dataportal.cli.app import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = HOME / "deploy"


def text(name: str) -> str:
    """The content of a file."""
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("topic", "language", "number", "name"),
    [
        ("systemd", "ini", 0, "dataportal.service"),
        ("systemd", "ini", 1, "dataportal.timer"),
        ("kubernetes", "yaml", 0, "kubernetes-cronjob.yaml"),
    ],
)
def test_a_file_is_what_its_page_shows(topic: str, language: str, number: int, name: str) -> None:
    """So that what is tested of the one holds for the other; the page names the file."""
    shown = page(topic)
    assert shown.blocks(language)[number].strip() == text(name).strip()
    assert f"deploy/{name}" in shown.text


def test_systemd_takes_the_units_and_calls_them_safe(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say, and `security` rates the service 2.0 at most."""
    program = shutil.which("systemd-analyze")
    if program is None and not os.environ.get("CI"):
        pytest.skip("there is no systemd-analyze")
    assert program
    service = text("dataportal.service").replace("/opt/dataportal/bin/dataportal", "/bin/true")
    (tmp_path / "dataportal.service").write_text(service, encoding="utf-8")
    shutil.copy(FOLDER / "dataportal.timer", tmp_path)
    for arguments in (
        ("verify", "dataportal.service", "dataportal.timer"),
        ("security", "--offline=yes", "--threshold=20", "dataportal.service"),
    ):
        paths = [str(tmp_path / a) if a.startswith("dataportal.") else a for a in arguments]
        process = subprocess.run([program, *paths], capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stdout + process.stderr
    assert "ExecStart=/opt/dataportal/bin/dataportal -q " in text("dataportal.service")


def test_lines_of_cron_name_a_user_and_a_command_that_there_is() -> None:
    """As /etc/cron.d wants them; quietly, so that a mail is a fault."""
    lines = [line for line in text("cron.d-dataportal").splitlines() if re.match(r"[*\d]", line)]
    assert len(lines) == 4
    for line in lines:
        *schedule, user, program, quiet, command = line.split()[:9]
        assert len(schedule) == 5
        assert (user, program, quiet) == ("dataportal", "dataportal", "-q")
        assert command in COMMANDS
    assert "deploy/cron.d-dataportal" in page("cron").text


def test_compose_runs_the_command_with_no_more_rights_than_it_needs() -> None:
    """Nothing to write to, no capability, the password in a file, after the database is there."""
    compose = yaml.safe_load(text("compose.yaml"))
    fetch, database = compose["services"]["fetch"], compose["services"]["database"]
    assert fetch["read_only"] is True
    assert fetch["cap_drop"] == ["ALL"]
    assert fetch["environment"] == {"DATABASE_URL_FILE": "/run/secrets/database-url"}
    assert fetch["depends_on"]["database"]["condition"] == "service_healthy"
    assert "pg_isready" in database["healthcheck"]["test"]
    assert set(fetch["secrets"]) | set(database["secrets"]) == set(compose["secrets"])
    assert "deploy/compose.yaml" in page("docker").text
