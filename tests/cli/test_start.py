"""Starting up: what help says, what signals and broken streams do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dataportal import __version__
from dataportal.cli.app import COMMANDS, GROUPS
from dataportal.errors import ExitCode
from dataportal.settings import LOG_FORMATS, LOG_LEVELS

if TYPE_CHECKING:
    from conftest import RunCli

SHARED = ("--config", "--database-url", "--log-level", "--log-format", "--quiet", "--json")
OWN = {
    "fetch": (
        "--start",
        "--end",
        "--plan",
        "--resume",
        "--dry-run",
        "--on-locked",
        "--accept-retractions",
    ),
    "fetch-all": (
        "--jobs",
        "--due",
        "--only",
        "--start",
        "--end",
        "--on-locked",
        "--dry-run",
        "--accept-retractions",
    ),
    "list-sources": ("--check", "--only"),
    "list-series": ("--where",),
    "preview": ("--start", "--end"),
    "new-source": ("--timezone", "--header", "--append"),
    "runs": ("--run", "--failed", "--since", "--limit"),
    "history": ("--ts", "--as-of", "--diff", "--start", "--end", "--format", "--limit", "--plot"),
    "read": ("--as-of", "--lead", "--cutoff", "--issued", "--release", "--at", "--every", "--wide"),
    "gaps": ("--start", "--end", "--as-of", "--fill", "--where"),
    "healthcheck": ("--live", "--only"),
    "report": ("--output", "--only"),
    "verify": ("--since", "--limit"),
    "dump": (),
    "restore": (),
    "maintain": ("--for", "--plan"),
    "migrate": ("--plan", "--print-grants", "--migrator", "--writer", "--reader"),
    "schema": (),
    "help": (),
}


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_every_help_has_all_exit_codes(run_cli: RunCli, command: str | None) -> None:
    """Each with its meaning, word for word, at any width."""
    done = run_cli(*([command] if command else []), "--help", env={"COLUMNS": "40"})
    assert done.returncode == 0
    assert not done.stderr
    for code in ExitCode:
        assert f"{code.value:>3}  {code.meaning}" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_its_options_and_examples(run_cli: RunCli, command: str) -> None:
    """Its own options, the shared ones, examples that begin with the program's name."""
    text = run_cli(command, "--help").stdout
    for option in (*OWN[command], *SHARED):
        assert option in text
    assert "Examples:\n    dataportal " in text
    assert COMMANDS[command] in " ".join(text.split())


def test_the_help_lists_every_command(run_cli: RunCli) -> None:
    """With a line each, and the values that options take."""
    text = run_cli("--help").stdout
    for name, line in COMMANDS.items():
        assert f"  {name}" in text
        assert line in text
    for word in (*LOG_LEVELS, *LOG_FORMATS):
        assert word in text


def test_the_program_alone_shows_its_help(run_cli: RunCli) -> None:
    """The same as --help: each command once, under the heading of its group, and the manual."""
    done = run_cli()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run_cli("--help").stdout
    lines = done.stdout.splitlines()
    for group, commands in GROUPS.items():
        first = lines.index(f"{group}:") + 1
        assert [line.split()[0] for line in lines[first : first + len(commands)]] == list(commands)
    assert list(GROUPS) == ["Collect", "Look", "Keep", "Set up"]
    assert "  The manual: dataportal help" in lines


def test_the_version_is_shown(run_cli: RunCli) -> None:
    """Of the package, on stdout."""
    assert run_cli("--version").stdout == f"dataportal {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["-q", "healthcheck", "--live"],
        ["healthcheck", "-q", "--live"],
        ["healthcheck", "--live", "--quiet"],
    ],
)
def test_shared_options_stand_before_or_after_the_command(
    run_cli: RunCli, arguments: list[str]
) -> None:
    """`-q fetch-all` and `fetch-all -q` are one."""
    done = run_cli(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_option_after_the_command_beats_the_same_before_it(run_cli: RunCli) -> None:
    """The last word counts."""
    done = run_cli("--config", "one.yaml", "list-sources", "--config", "two.yaml")
    assert done.returncode == 78
    assert "two.yaml" in done.stderr
    assert "one.yaml" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-q"], "missing command"),
        (["fetsh"], "Did you mean 'fetch'"),
        (["fetch"], "SOURCE"),
        (["migrate", "--plam"], "--plan"),
        (["migrate", "extra"], "extra"),
        (["--log-level", "loud", "migrate"], "debug, info"),
        (["fetch-all", "--jobs", "0"], "--jobs"),
        (["history", "x", "--format", "xml"], "--format"),
        (["history", "x", "--ts", "yesterday-ish"], "--ts"),
        (["history", "x", "--ts", "now", "--as-of", "now"], "exclude each other"),
        (["history", "x", "--diff", "now", "7d"], "swap them"),
        (["history", "x", "--start", "now", "--end", "7d"], "--start now"),
        (["migrate", "--writer", "w"], "--print-grants"),
        (["verify", "--since", "often"], "--since"),
        (["verify", "--limit", "0"], "--limit"),
    ],
)
def test_wrong_usage_is_2_and_says_what_to_do(
    run_cli: RunCli, arguments: list[str], message: str
) -> None:
    """One line on stderr, nothing on stdout; the same as JSON with --json."""
    done = run_cli(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("dataportal: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    done = run_cli(*arguments, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    error = json.loads(done.stderr)["error"]
    assert error.keys() == {"kind", "message", "hint", "exit_code", "page"}
    assert (error["kind"], error["exit_code"]) == ("usage", 2)


def test_a_password_given_by_mistake_is_not_repeated(run_cli: RunCli) -> None:
    """Not even where an argument is quoted because nothing is known about it."""
    done = run_cli("migrate", "postgresql://me:canary-pw@host/db")
    assert done.returncode == 2
    assert "canary" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_start_up_ends_it_at_once(tmp_path: Path, number: signal.Signals) -> None:
    """While imports are still at work: nothing is said, and the exit code tells which signal."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "typer.py").write_text(f"open({str(fifo)!r}, 'w').close(); import time; time.sleep(60)")
    process = subprocess.Popen(
        [sys.executable, "-m", "dataportal", "--help"],
        env={**os.environ, "PYTHONPATH": str(slow)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with process:
        fifo.read_text()  # returns when the import has begun
        process.send_signal(number)
        assert process.stdout
        assert process.stdout.read() == b""
    assert process.returncode == 128 + number


@pytest.mark.timeout(60)
def test_a_configuration_that_is_no_file(tmp_path: Path, run_cli: RunCli) -> None:
    """One without an end is refused; one that comes through a pipe is as good as a file."""
    refused = run_cli("--config", "/dev/zero", "list-sources")
    assert refused.returncode == 78
    assert refused.stderr.startswith("dataportal: /dev/zero is larger than 64 MiB")
    entry = """
timeseries:
  from_a_pipe:
    module: dataportal.plugins.data_sources.csv_plugin
    class: CsvDataSourcePlugin
    schedule: 1 day
    metadata: {name: n, unit: MW}
    default_params: {path: a.csv}
"""
    shown = run_cli("--config", "/dev/stdin", "list-sources", "--json", input=entry)
    assert json.loads(shown.stdout)["sources"][0]["source"] == "from_a_pipe", shown.stderr


def test_a_document_that_was_not_written_is_no_success(clean_environment: dict[str, str]) -> None:
    """Whatever kept it away, and though nothing failed."""
    code = """
import sys
from dataportal.cli import run
from dataportal.render import view
view.show = lambda lines: None
sys.exit(run(["list-sources", "--catalogue", "--json"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=clean_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    message = json.loads(done.stderr)["error"]["message"]
    assert message == "the output could not be written: it is empty"


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "</dev/null >/dev/null"])
def test_closed_streams_do_no_harm(redirection: str) -> None:
    """No traceback; but a closed stdout got no answer, which is no success."""
    command = f"exec {sys.executable} -m dataportal --help {redirection}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == (1 if redirection.startswith(">&-") else 0)
    assert "Traceback" not in done.stdout + done.stderr
    if redirection == ">&-":
        assert done.stderr.startswith("dataportal: the output could not be written: ")


def test_a_full_disk_behind_stdout_is_said() -> None:
    """What could not be written is no success."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dataportal", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("dataportal: the output could not be written: No space left")
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_went_away_is_no_error() -> None:
    """`dataportal --help | true`: no traceback, no error."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "dataportal", "--help"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
