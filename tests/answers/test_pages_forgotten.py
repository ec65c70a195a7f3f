"""An answer of exactly 100 rows that covers a part of its window smells of pages nobody asked for.

That is a doubt: kept with the source, shown by `list-sources`, an illness for `healthcheck` (4),
until the entry says `paging: none`, or pages. The run succeeds; a doubt is no warning that passes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import program
from support.databases import with_schema
from support.http_server import LocalServer, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from conftest import RunCli
    from support.databases import Databases
    from support.http_server import Request
    from support.program_sources import SourceFile

HOUR, QUARTER, MINUTE = timedelta(hours=1), timedelta(minutes=15), timedelta(minutes=1)
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
# of a window of 30 days, some way behind its beginning
BEGIN = NOW - timedelta(days=29)
PLACES: dict[str, Any] = {"ts": "t", "value": "v"}


def rows(count: int, first: datetime = BEGIN, step: timedelta = HOUR, **more: Any) -> list[Any]:
    """So many rows at this distance."""
    return [{"t": f"{first + n * step:%Y-%m-%dT%H:%MZ}", "v": n, **more} for n in range(count)]


def ending(count: int, step: timedelta = HOUR) -> list[Any]:
    """Those that end now, newest first."""
    return rows(count, NOW - count * step, step)[::-1]


def csv(rows_of_one: Sequence[Mapping[str, Any]]) -> Reply:
    """The same as a table."""
    lines = ["t,v", *(f"{row['t']},{row['v']}" for row in rows_of_one)]
    return Reply(body="\n".join(lines).encode(), content_type="text/csv")


def xml(rows_of_one: Sequence[Mapping[str, Any]]) -> Reply:
    """The same as XML."""
    text = "".join(f'<r t="{row["t"]}" v="{row["v"]}"/>' for row in rows_of_one)
    return Reply(body=f"<a>{text}</a>".encode(), content_type="text/xml")


@dataclass(frozen=True)
class Source:
    """A source, and whether its answer is doubtful."""

    reply: Reply | Callable[[Request], Reply]
    doubtful: bool = True
    kind: str = "Json"
    params: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)


SIZES = {
    f"{count}-rows": Source(Reply.json(rows(count, step=QUARTER)))
    for count in (50, 100, 200, 250, 500, 1000)
} | {f"{count}-at-the-end": Source(Reply.json(ending(count))) for count in (50, 100, 200, 500)}
SHAPES = {
    "5000-minutes": Source(Reply.json(rows(5000, step=MINUTE))),
    "10000-minutes": Source(Reply.json(rows(10000, step=MINUTE))),
    "table": Source(csv(rows(100)), kind="Csv"),
    "xml": Source(xml(rows(100)), kind="Xml", params={"rows": "r", "ts": "@t", "value": "@v"}),
    "columns": Source(
        Reply.json({"t": [r["t"] for r in rows(100)], "v": [r["v"] for r in rows(100)]}),
        params={"layout": "columns"},
    ),
    "in-no-order": Source(Reply.json(sorted(rows(100), key=lambda row: row["v"] * 37 % 100))),
    "in-the-middle": Source(Reply.json(rows(100, NOW - timedelta(days=15)))),
    # a filter leaves a few of a hundred rows: it is the answer that is cut
    "filtered": Source(
        Reply.json([{**row, "of": row["v"] % 4} for row in rows(100)]),
        params={"filter": {"of": 0}},
    ),
    # a file a day, of which each is cut
    "each-day": Source(
        lambda request: Reply.json(
            rows(100, datetime.fromisoformat(request.query["day"][0]), timedelta(minutes=5))
        ),
        params={"each": "day", "query": {"day": "{start:%Y-%m-%d}"}},
        keys={"initial_history": "3 days"},
    ),
    # all there ever was, and the newest hundred came
    "all-history": Source(Reply.json(ending(100)), keys={"initial_history": "all"}),
    # it says itself that there is more
    "206": Source(Reply(206, Reply.json(rows(37)).body)),
}
CLEAR = {
    "99-rows": Source(Reply.json(rows(99)), doubtful=False),
    "101-rows": Source(Reply.json(rows(101)), doubtful=False),
    "24-rows": Source(Reply.json(rows(24)), doubtful=False),
    "168-rows": Source(Reply.json(rows(168)), doubtful=False),
    "720-rows": Source(Reply.json(ending(720)), doubtful=False),
    "no-rows": Source(Reply.json([]), doubtful=False),
    # 100 rows that fill their window
    "fills-its-window": Source(
        Reply.json(ending(100)), doubtful=False, keys={"initial_history": "99 hours"}
    ),
    "nearly-fills-its-window": Source(
        Reply.json(rows(100, NOW - 103 * HOUR)),
        doubtful=False,
        keys={"initial_history": "104 hours"},
    ),
    # who says something of pages knows
    "paging-none": Source(Reply.json(rows(100)), doubtful=False, params={"paging": "none"}),
    "pages": Source(
        Reply.json(rows(100)), doubtful=False, params={"paging": {"next": "header:Link"}}
    ),
    "total": Source(
        Reply.json({"n": 100, "rows": rows(100)}),
        doubtful=False,
        params={"rows": "rows", "paging": {"page": "p", "total": "n"}},
    ),
}
SOURCES = SIZES | SHAPES | CLEAR


@dataclass(frozen=True)
class Commands:
    """What the commands said of all sources after one run of each."""

    runs: Mapping[str, Any]
    listed: Mapping[str, Any]
    checked: Mapping[str, Any]
    table: str
    code: int


@pytest.fixture(scope="module")
def commands(
    server_url: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Commands]:
    """All sources fetched once, and then asked about."""
    folder = tmp_path_factory.mktemp("forgotten")
    with databases.fresh(server_url, "migrated", with_schema) as url, LocalServer() as server:
        entries = {
            name: entry(server.answer(f"/{n}", source.reply), source)
            for n, (name, source) in enumerate(SOURCES.items())
        }
        write(folder, entries)

        def output_of(*args: str) -> Any:
            return program(*args, folder=folder, database_url=url)

        runs = json.loads(output_of("fetch-all", "--json").stdout)["runs"]
        listed = json.loads(output_of("list-sources", "--json").stdout)["sources"]
        health = output_of("healthcheck", "--json")
        yield Commands(
            {run["source"]: run for run in runs},
            {row["source"]: row for row in listed},
            {row["source"]: row for row in json.loads(health.stdout)["checks"]},
            output_of("list-sources").stdout,
            health.returncode,
        )


def entry(address: str, source: Source) -> dict[str, Any]:
    """An entry of sources.yaml."""
    return {
        "module": "dataportal.plugins.data_sources.http_plugin",
        "class": f"Http{source.kind}Plugin",
        "schedule": "1 day",
        "initial_history": "30 days",
        **source.keys,
        "default_params": {**PLACES, "url": address, **source.params},
    }


def write(folder: Path, entries: Mapping[str, Any]) -> None:
    """The file."""
    text = json.dumps({"timeseries": entries})
    (folder / "sources.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", [*SIZES, *SHAPES])
def test_a_round_number_of_rows_is_a_doubt(commands: Commands, name: str) -> None:
    """The run succeeds; list-sources shows the doubt with what settles it, healthcheck is ill."""
    assert commands.runs[name]["outcome"] == "succeeded"
    (doubt,) = commands.listed[name]["doubts"]
    assert doubt["kind"] == "pages"
    assert "paging: none" in doubt["message"]
    assert commands.listed[name]["state"] == "doubtful"
    check = commands.checked[name]
    assert check["ok"] is False
    assert "paging: none" in check["message"]
    assert commands.code == 4


@pytest.mark.parametrize("name", CLEAR)
def test_any_other_answer_is_none(commands: Commands, name: str) -> None:
    """Another number, a window that is full, or an entry that speaks of pages."""
    assert commands.listed[name]["doubts"] == []
    check = commands.checked[name]
    assert "paging" not in (check["message"] or "")
    # a first run that finds no points is no success, and ill for that
    assert check["ok"] is (name != "no-rows"), check


def test_the_table_of_sources_shows_a_doubt(commands: Commands) -> None:
    """In the line of the source."""
    (line,) = [line for line in commands.table.splitlines() if line.startswith("100-rows ")]
    assert "doubtful" in line


def describe(sources: SourceFile, address: str, **params: Any) -> None:
    """One source of JSON rows."""
    sources.add(
        "load",
        "http_plugin.HttpJsonPlugin",
        {**PLACES, "url": address},
        {"schedule": "1 day", "initial_history": "30 days", "params": params},
    )
    sources.write()


def test_a_doubt_stays_until_the_entry_settles_it(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Later answers of other sizes settle nothing; `paging: none` does, at once."""
    address = server.answer("/a", Reply.json(rows(100)), Reply.json(ending(24)))
    describe(sources, address)
    quiet = run_cli("-q", "fetch", "load", env=env)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    for _ in range(2):
        ill = run_cli("-q", "healthcheck", env=env)
        assert ill.returncode == 4
        assert "load" in ill.stderr
        assert "paging" in ill.stderr
        assert run_cli("-q", "fetch", "load", env=env).returncode == 0
    describe(sources, address, paging="none")
    assert run_cli("healthcheck", env=env).returncode == 0
    assert run_cli("fetch", "load", env=env).returncode == 0
    # and it is forgotten: without the key there is nothing to doubt of what came since
    describe(sources, address)
    assert run_cli("healthcheck", env=env).returncode == 0


def test_pages_settle_it_too(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """Once the entry asks for them."""
    address = server.answer("/a", Reply.json(rows(100)), Reply.json(rows(100)), Reply.json([]))
    describe(sources, address)
    run_cli("fetch", "load", env=env)
    assert run_cli("healthcheck", env=env).returncode == 4
    describe(sources, address, paging={"page": "p"})
    assert run_cli("healthcheck", env=env).returncode == 0


def test_a_backfill_raises_a_doubt_as_well(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """By its own window: a year of which a hundred hours came."""
    first = datetime(2024, 1, 1, tzinfo=UTC)
    describe(sources, server.answer("/a", Reply.json(ending(24)), Reply.json(rows(100, first))))
    run_cli("fetch", "load", env=env)
    assert run_cli("healthcheck", env=env).returncode == 0
    window = ("--start", "2024-01-01", "--end", "2025-01-01")
    assert run_cli("fetch", "load", *window, env=env).returncode == 0
    assert run_cli("healthcheck", env=env).returncode == 4


def test_a_dry_run_leaves_no_doubt_behind(
    sources: SourceFile, server: LocalServer, env: dict[str, str], run_cli: RunCli
) -> None:
    """It writes nothing; but it tells."""
    describe(sources, server.answer("/a", Reply.json(rows(100)), Reply.json(ending(24))))
    done = run_cli("fetch", "load", "--dry-run", "--json", env=env)
    (run,) = json.loads(done.stdout)["runs"]
    assert any("paging" in warning for warning in run["warnings"])
    run_cli("fetch", "load", env=env)
    assert run_cli("healthcheck", env=env).returncode == 0
