"""`dataportal list-sources`, as a process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.http_server import Reply
from support.store_feed import open_feed

if TYPE_CHECKING:
    from conftest import RunCli
    from support.http_server import LocalServer
    from support.program_sources import SourceFile

KEYS = {
    *("source", "where", "file", "state", "reasons", "enabled", "missing_env", "tags", "schedule"),
    *("stale_after", "last_run", "last_attempt", "last_success", "failures", "known_through"),
    *("newest", "next_due", "series", "doubts", "failing_since"),
}


@pytest.fixture
def all_kinds(sources: SourceFile, server: LocalServer) -> SourceFile:
    """A sources.yaml with one source of every state."""
    for name in ("fresh", "asleep", "working"):
        sources.csv(name, f"{server.url}/good.csv")
    sources.csv("ill", server.answer("/ill.csv", Reply(404)))
    sources.csv("old", f"{server.url}/good.csv", data_stale_after="1 day")
    sources.csv("off", f"{server.url}/good.csv", enabled=False)
    sources.csv("keyed", f"{server.url}/good.csv", requires_env=["GRID_KEY"])
    sources.write()
    return sources


def states(stdout: str) -> dict[str, str]:
    """The state of each source."""
    return {source["source"]: source["state"] for source in json.loads(stdout)["sources"]}


def test_every_source_says_how_it_stands(
    all_kinds: SourceFile, database_url: str, run_cli: RunCli
) -> None:
    """Each state is told by its word, alike in the table and in JSON, whose fields are complete."""
    env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0"}
    assert run_cli("fetch", "fresh", "ill", "old", env=env).returncode == 3
    with open_feed(database_url, "working", source="working") as runner:
        runner.start()
        document = run_cli("list-sources", "--json", env=env)
        table = run_cli("list-sources", env=env)
    assert document.returncode == 0
    assert states(document.stdout) == {
        "fresh": "ok",
        "asleep": "never run",
        "working": "running",
        "ill": "failing",
        "old": "stale",
        "off": "disabled",
        "keyed": "needs GRID_KEY",
    }
    for source in json.loads(document.stdout)["sources"]:
        assert source.keys() == KEYS
        (line,) = (
            row for row in table.stdout.splitlines() if row.startswith(source["source"] + " ")
        )
        assert line.rstrip().endswith(source["state"])
    (fresh,) = (
        source for source in json.loads(document.stdout)["sources"] if source["source"] == "fresh"
    )
    assert fresh["newest"] == fresh["series"][0]["newest"] == "2025-03-01T01:00:00Z"
    assert fresh["last_run"]["outcome"] == "succeeded"


def test_no_plugin_is_imported_unless_checked(sources: SourceFile, run_cli: RunCli) -> None:
    """A plugin whose import fails is listed like any other; --check names its fault, with 78."""
    trace = sources.folder / "imported"
    sources.python(
        "odd", "pass", head=f"open({str(trace)!r}, 'w').close(); raise RuntimeError('no licence')"
    )
    sources.write()
    assert states(run_cli("list-sources", "--json").stdout) == {"odd": "never run"}
    assert not trace.exists()
    checked = run_cli("list-sources", "--check")
    assert checked.returncode == 78
    assert "no licence" in checked.stdout + checked.stderr
    assert trace.exists()


def test_check_needs_neither_network_nor_database(
    all_kinds: SourceFile, server: LocalServer, run_cli: RunCli
) -> None:
    """Everything is looked at, a variable that is not set is no fault."""
    unreachable = {"DATABASE_URL": "postgresql://me@127.0.0.1:1/db"}
    done = run_cli("list-sources", "--check", "--json", env=unreachable)
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["ok"] is True
    assert {source["source"] for source in document["sources"]} == set(all_kinds.entries)
    assert not server.requests


def test_parameters_of_a_plugin_are_checked(sources: SourceFile, run_cli: RunCli) -> None:
    """All of a source's faults at once, with the place of its entry."""
    sources.smard("load", "http://127.0.0.1:1", params={"filter": "brown", "resolution": "hours"})
    sources.write()
    done = run_cli("list-sources", "--check")
    assert done.returncode == 78
    messages = done.stdout + done.stderr
    assert "sources.yaml:1:" in messages
    assert "'brown'" in messages
    assert "'hours'" in messages


def test_without_its_database_it_lists_what_the_file_says(
    all_kinds: SourceFile, run_cli: RunCli
) -> None:
    """State unknown for what is to run, and 69."""
    done = run_cli("list-sources", "--json", env={"DATABASE_URL": "postgresql://me@127.0.0.1:1/db"})
    assert done.returncode == 69
    by_source = states(done.stdout)
    assert by_source.keys() == all_kinds.entries.keys()
    assert by_source["fresh"] == "unknown"
    assert by_source["off"] == "disabled"


def test_a_broken_entry_stands_beside_the_others(
    sources: SourceFile, server: LocalServer, database_url: str, run_cli: RunCli
) -> None:
    """Listed as broken with its reason, where a whole file of faults ends with 78."""
    sources.csv("fine", f"{server.url}/good.csv")
    sources.csv("wrong", f"{server.url}/good.csv", timezone="Berlin")
    sources.write()
    done = run_cli("list-sources", "--json", env={"DATABASE_URL": database_url})
    assert states(done.stdout) == {"fine": "never run", "wrong": "broken"}
    del sources.entries["fine"]
    sources.write()
    assert run_cli("list-sources", env={"DATABASE_URL": database_url}).returncode == 78


def test_sources_are_picked_by_their_state(
    all_kinds: SourceFile, env: dict[str, str], run_cli: RunCli
) -> None:
    """To list them and to fetch them; each state by its word, and several together."""
    assert run_cli("fetch", "fresh", "ill", "old", env=env).returncode == 3

    def listed(*options: str) -> set[str]:
        return set(states(run_cli("list-sources", "--json", *options, env=env).stdout))

    assert listed("--state", "failing") == {"ill"}
    assert listed("--state", "failing", "--state", "stale") == {"ill", "old"}
    assert listed("--state", "needs", "--only", "k*") == {"keyed"}
    assert listed("--state", "running") == set()
    (ill,) = json.loads(run_cli("list-sources", "--json", "--only", "ill", env=env).stdout)[
        "sources"
    ]
    assert ill["failing_since"] == ill["last_attempt"]
    again = run_cli("fetch-all", "--state", "failing", "--state", "never run", "--json", env=env)
    assert again.returncode == 3
    assert {run["source"] for run in json.loads(again.stdout)["runs"]} == {
        *("ill", "asleep", "working")
    }
    wrong = run_cli("list-sources", "--state", "faling", env=env)
    assert wrong.returncode == 2
    assert "failing" in wrong.stderr


def test_what_only_the_database_knows_is_listed(
    all_kinds: SourceFile, env: dict[str, str], run_cli: RunCli
) -> None:
    """A source that the file no longer names is gone, unless another one was renamed from it."""
    run_cli("fetch", "fresh", env=env)
    all_kinds.entries["new"] = all_kinds.entries.pop("fresh")
    all_kinds.write()
    document = run_cli("list-sources", "--json", "--state", "gone", env=env)
    (gone,) = json.loads(document.stdout)["sources"]
    assert gone.keys() == KEYS
    assert (gone["source"], gone["state"]) == ("fresh", "gone")
    assert gone["newest"] == gone["series"][0]["newest"] == "2025-03-01T01:00:00Z"
    for options in ((), ("--series",)):
        shown = run_cli("list-sources", *options, env=env)
        (line,) = (line for line in shown.stdout.splitlines() if line.endswith(" gone"))
        assert "fresh" in line
    all_kinds.entries["new"]["renamed_from"] = "fresh"
    all_kinds.write()
    assert "gone" not in states(run_cli("list-sources", "--json", env=env).stdout).values()


def test_what_only_reads_may_ask_a_replica(
    sources: SourceFile,
    server: LocalServer,
    database_url: str,
    empty_database_url: str,
    run_cli: RunCli,
) -> None:
    """DATABASE_READ_URL for history and the like; a fetch writes to DATABASE_URL as ever."""
    sources.csv("load", f"{server.url}/good.csv")
    sources.write()
    env = {"DATABASE_URL": database_url, "DATABASE_READ_URL": empty_database_url}
    assert run_cli("fetch", "load", env=env).returncode == 0
    for command in (("history", "load"), ("list-series",), ("runs",), ("healthcheck",)):
        elsewhere = run_cli(*command, env=env)
        assert elsewhere.returncode == 78, elsewhere.stdout
        assert "schema" in elsewhere.stderr + elsewhere.stdout
        assert run_cli(*command, "--database-url", database_url, env=env).returncode == 0
    reader = run_cli("list-series", env={"DATABASE_READ_URL": database_url})
    assert reader.returncode == 0
    assert "load" in reader.stdout
    wrong = run_cli("history", "load", env={**env, "DATABASE_READ_URL": "nonsense"})
    assert wrong.returncode == 78
    assert "DATABASE_READ_URL" in wrong.stderr
