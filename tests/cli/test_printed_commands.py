"""The commands that the program prints, typed as they stand, go on with the same file and database.

The folder that they run in has no sources.yaml, and the environment names no database.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from support.http_server import Reply
from support.program_sources import await_unlocked, table
from support.store_feed import open_observer

if TYPE_CHECKING:
    from conftest import RunCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

_SECRET = "gr8-secret-word"  # noqa: S105 - of no server
_PRINTED = re.compile(r"dataportal (?:--config|--database-url) .*")
_WINDOW = ("--start", "2025-02-27", "--end", "2025-03-03")


def printed(text: str) -> list[list[str]]:
    """The arguments of each command in a text that names a file or a database."""
    return [shlex.split(match[0])[1:] for match in _PRINTED.finditer(text)]


@pytest.fixture
def given(sources: SourceFile, database_url: str) -> list[str]:
    """The options that name a file beside which nothing else lies, and the database."""
    own = sources.folder / "own files"
    own.mkdir()
    sources.folder = own
    return ["--config", "own files/sources.yaml", "--database-url", database_url]


@pytest.fixture
def env() -> dict[str, str]:
    """No database, and no patience with providers."""
    return {"MAX_RETRIES": "0"}


def gone_on(run_cli: RunCli, text: str, env: dict[str, str], given: list[str]) -> Any:
    """What the only command of the text does; it names what was given, but for a password."""
    (arguments,) = printed(text)
    if password := urlsplit(given[-1]).password:
        assert password not in text
        arguments = [argument.replace("***", password) for argument in arguments]
    assert arguments[: len(given)] == given
    return run_cli(*arguments, env=env)


def test_a_backfill_is_resumed_by_the_command_of_its_end_and_of_list_sources(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
    given: list[str],
) -> None:
    """The line at the end, that of list-sources, and the field of JSON are the same command."""
    sources.csv("load", f"{server.url}/good.csv")
    sources.csv("late", f"{server.url}/late.csv")
    sources.write()
    first = run_cli(*given, "fetch-all", *_WINDOW, env=env)
    assert first.returncode == 3
    listed = run_cli(*given, "list-sources", env=env)
    assert printed(listed.stdout) == printed(first.stdout)
    document = json.loads(run_cli(*given, "--json", "list-sources", env=env).stdout)
    assert printed(document["backfill"]["resume"]) == printed(first.stdout)
    server.answer("/late.csv", table([1.0, 2.0]))
    done = gone_on(run_cli, first.stdout, env, given)
    assert done.returncode == 0
    assert "late" in done.stdout


def test_a_run_that_was_broken_off_is_resumed_by_the_command_of_runs(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
    given: list[str],
    database_url: str,
) -> None:
    """`runs` needs no file of sources, but the command that goes on does."""
    sources.csv("load", f"{server.url}/good.csv")
    sources.write()
    fault = {"DATAPORTAL_FAILPOINT": "after_start:kill"}
    assert run_cli(*given, "fetch", "load", *_WINDOW, env={**env, **fault}).returncode == -9
    await_unlocked(database_url)
    with open_observer(database_url) as look:
        look.execute("UPDATE fetch_run SET outcome = 'interrupted', finished_at = now()")
        (run,) = look.execute("SELECT run_id FROM fetch_run").fetchone() or (0,)
    shown = run_cli(*given, "runs", "--run", str(run), env=env)
    done = gone_on(run_cli, shown.stdout, env, given)
    assert done.returncode == 0, done.stderr


def test_an_ill_source_is_fetched_by_the_command_of_healthcheck(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
    given: list[str],
) -> None:
    """A few sources by their names, many by their state."""
    names = [f"load-{n}" for n in range(6)]
    for name in names:
        sources.csv(name, f"{server.url}/late.csv", metadata={"name": name})
    sources.write()
    run_cli(*given, "fetch-all", env=env)
    many = run_cli(*given, "healthcheck", env=env)
    few = run_cli(*given, "healthcheck", "--only", "load-[01]", env=env)
    server.answer("/late.csv", table([1.0]))
    assert "2 sources" in gone_on(run_cli, few.stdout, env, given).stdout
    assert "4 succeeded" in gone_on(run_cli, many.stdout, env, given).stdout


def test_gaps_are_filled_by_the_commands_of_gaps_and_healthcheck(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
    given: list[str],
) -> None:
    """Each of the commands names the file, as it runs a source; JSON has the same."""
    metadata = {"name": "load", "granularity": "1 hour"}
    holes: dict[int, object] = {0: 1.0, 1: 1.0, 5: 1.0}
    whole: dict[int, object] = dict.fromkeys(range(6), 1.0)
    address = server.answer("/load.csv", table(holes))
    sources.csv("load", address, metadata=metadata)
    sources.write()
    run_cli(*given, "fetch", "load", env=env)
    shown = run_cli(*given, "gaps", "load", env=env)
    document = json.loads(run_cli(*given, "--json", "gaps", "load", env=env).stdout)
    assert printed(document["commands"][0]["command"]) == printed(shown.stdout)
    server.answer("/load.csv", table(whole))
    assert gone_on(run_cli, shown.stdout, env, given).returncode == 0
    after = run_cli(*given, "gaps", "load", env=env)
    assert "Nothing is missing" in after.stdout


def test_withheld_values_are_withdrawn_by_the_command_of_the_run(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
    given: list[str],
) -> None:
    """It is kept in the database for whoever asks later, so it names the file, but no address."""
    rows = [{"t": f"2025-03-01T0{n}:00:00Z", "v": float(n)} for n in range(5)]
    params = {"url": f"{server.url}/load.json", "ts": "t", "value": "v"}
    sources.add("load", "http_plugin.HttpJsonPlugin", params, {"initial_history": "all"})
    sources.write()
    server.answer("/load.json", Reply.json(rows))
    assert run_cli(*given, "fetch", "load", env=env).returncode == 0
    server.answer("/load.json", Reply.json([{**row, "v": None} for row in rows]))
    window = ("--start", "2025-03-01", "--end", "2025-03-02")
    partial = run_cli(*given, "--json", "fetch", "load", *window, env=env)
    assert partial.returncode == 3
    (arguments,) = printed(json.loads(partial.stdout)["runs"][0]["reason"])
    assert arguments == [*given[:2], "fetch", "load", "--accept-retractions"]


def test_a_drafted_entry_is_looked_at_by_the_command_of_new_source(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli, given: list[str]
) -> None:
    """The file into which it was put is named, with the space in its name."""
    made = run_cli(*given, "new-source", f"{server.url}/good.csv", "--append", env=env)
    assert made.returncode == 0, made.stderr
    (arguments,) = printed(made.stderr)
    path = sources.folder / "sources.yaml"
    path.write_text(path.read_text().replace("TODO", "known"), encoding="utf-8")
    looked = run_cli(*arguments, "--start", "2025-02-01", env=env)
    assert looked.returncode == 0, looked.stderr


def test_what_to_do_about_an_error_is_typed_as_it_stands(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli, given: list[str]
) -> None:
    """Hints name the options too, in text and in JSON; a file of the usual name is not named."""
    sources.csv("load", f"{server.url}/good.csv")
    sources.write()
    wrong = run_cli(*given, "fetch", "laod-de", env=env)
    shown = gone_on(run_cli, wrong.stderr, env, given)
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[1].startswith("load")
    as_json = run_cli(*given, "--json", "fetch", "laod-de", env=env)
    assert printed(json.loads(as_json.stderr)["error"]["hint"]) == printed(wrong.stderr)
    (sources.folder.parent / "sources.yaml").symlink_to(sources.folder / "sources.yaml")
    usual = run_cli("--config", "./sources.yaml", "fetch", "laod-de", env=env)
    assert "See: dataportal list-sources" in usual.stderr
    other = {**env, "PLUGIN_CONFIG_PATH": "other.yaml"}
    unusual = run_cli("--config", "sources.yaml", "fetch", "laod-de", env=other)
    assert "See: dataportal --config sources.yaml list-sources" in unusual.stderr


def test_no_command_has_a_secret(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """The address of the database is named with its password masked; a page does not name it."""
    sources.csv("load", f"{server.url}/good.csv")
    path = sources.write()
    url = f"postgresql://me:{_SECRET}@127.0.0.1:1/x"
    given = ("--config", str(path), "--database-url", url)
    wrong = run_cli(*given, "fetch", "laod-de", env=env)
    assert _SECRET not in wrong.stderr
    assert "--database-url 'postgresql://me:***@127.0.0.1:1/x'" in wrong.stderr
    run_cli(*given, "report", "-o", "status.html", env=env)
    page = Path(sources.folder / "status.html").read_text(encoding="utf-8")
    assert _SECRET not in page
    assert "--database-url" not in page


def test_a_page_names_the_file_of_sources(
    sources: SourceFile,
    server: LocalServer,
    env: dict[str, str],
    run_cli: RunCli,
    given: list[str],
) -> None:
    """What finds out more of an ill source is typed as the page has it, and says no address."""
    sources.csv("late", f"{server.url}/late.csv")
    sources.write()
    run_cli(*given, "fetch-all", env=env)
    page = run_cli(*given, "report", "-o", "-", env=env)
    assert "dataportal --config &#x27;own files/sources.yaml&#x27; fetch late" in page.stdout
    assert "--database-url" not in page.stdout
