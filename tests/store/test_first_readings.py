"""Databases of version 1.0 whose series of FRED were read wrong: the next run puts them right.

Nothing that was known is rewritten. What is checked here is what a reader gets, by the program and
by SQL, before and after.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.http_server import LocalServer, Reply
from support.program_sources import SourceFile
from support.store_feed import open_observer

from dataportal.store.migrations import migrations
from dataportal.store.queries import query
from dataportal.store.read.overview import open_reader
from dataportal.store.read.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg
    from conftest import RunCli

RELEASED = 4
"""So many migrations had version 1.0."""
KNOWN = datetime(2024, 2, 1, 6, tzinfo=UTC)
"""When its run knew what it stored."""
OPEN = "9999-12-31"
GDP = [
    ("2023-07-01", "27.60", "2023-10-26", "2023-11-28"),
    ("2023-07-01", "27.64", "2023-11-29", "2023-11-29"),
    ("2023-07-01", "27.61", "2023-11-30", OPEN),
    ("2023-10-01", "27.90", "2024-01-25", OPEN),
]
"""Quarters of the gross domestic product, of which one was corrected on two days in a row."""
ICSA = [
    ("2024-01-06", "202", "2024-01-11", "2024-01-17"),
    ("2024-01-06", "203", "2024-01-18", OPEN),
    ("2024-01-13", "187", "2024-01-18", OPEN),
]
"""Initial claims by weeks that end on these Saturdays."""
NAMES = ("ts", "value", "valid_from", "valid_to", "run_id")


class Table(NamedTuple):
    """What a series of FRED had in a database of version 1.0."""

    name: str
    source: str
    rows: list[tuple[str, str, str, str]]


TABLES = (Table("gdp", "gdp", GDP), Table("icsa", "icsa", ICSA))


def midnight(day: str) -> datetime:
    """Of a day, in UTC: that is how version 1.0 read both dates and days of publication."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


@pytest.fixture
def first_url(empty_database_url: str) -> str:
    """A database as version 1.0 left it: its migrations, and the rows that it wrote of FRED."""
    with open_observer(empty_database_url) as look:
        look.execute(query("migration_table"))
        for number, migration in enumerate(migrations()[:RELEASED], 1):
            look.execute(migration.text)
            look.execute(
                "INSERT INTO schema_migration (version, name, sha256, program)"
                " VALUES (%s, %s, %s, '1.0.0')",
                [number, migration.name, migration.sha256],
            )
        look.execute(query("hypertables"))
        for table in TABLES:
            _store(look, table)
    return empty_database_url


def _store(look: psycopg.Connection[Any], table: Table) -> None:
    newest = {day: float(value) for day, value, _, _ in table.rows}
    (series,) = look.execute(
        "INSERT INTO time_series (endpoint_prefix, source, unit, history_asked_at)"
        " VALUES (%s, %s, 'MW', %s) RETURNING series_id",
        [table.name, table.source, KNOWN],
    ).fetchone() or (0,)
    (run,) = look.execute(
        "INSERT INTO fetch_run (source, kind, started_at, finished_at, outcome, window_start,"
        " received, inserted, unchanged, vintages, host, pid, version) VALUES"
        " (%s, 'scheduled', %s, %s, 'succeeded', '0001-01-01', %s, %s, %s, %s, 'first', 1, '1.0.0')"
        " RETURNING run_id",
        [
            *(table.source, KNOWN, KNOWN, len(table.rows), len(newest)),
            *(len(table.rows) - len(newest), len(table.rows)),
        ],
    ).fetchone() or (0,)
    look.execute(
        "INSERT INTO source_state (source, last_attempt_at, last_outcome, last_success_at,"
        " last_knowledge_time, known_through) VALUES (%s, %s, 'succeeded', %s, %s, %s)",
        [table.source, KNOWN, KNOWN, KNOWN, KNOWN + timedelta(seconds=1)],
    )
    for day, value in newest.items():
        row = [midnight(day), value, KNOWN, run, series]
        look.execute("INSERT INTO time_series_data VALUES (%s, %s, %s, %s, %s)", row)
        look.execute(
            "INSERT INTO time_series_data_scd2 (ts, value, valid_from, run_id, series_id)"
            " VALUES (%s, %s, %s, %s, %s)",
            row,
        )
    for day, text, first, _ in table.rows:
        look.execute(
            "INSERT INTO time_series_vintage VALUES (%s, %s, %s, %s, %s, %s)",
            [midnight(day), midnight(first), KNOWN, float(text), run, series],
        )


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """FRED as it is today: two series, and how often they come."""
    rows = {"GDP": GDP, "ICSA": ICSA}
    frequencies = {"GDP": "Quarterly", "ICSA": "Weekly, Ending Saturday"}
    with LocalServer() as server:

        def observations(request: Any) -> Reply:
            first = request.query.get("observation_start", [""])[0]
            found = [
                {"date": day, "value": value, "realtime_start": since, "realtime_end": until}
                for day, value, since, until in rows[request.query["series_id"][0]]
                if day >= first
            ]
            return Reply.json({"realtime_end": OPEN, "count": len(found), "observations": found})

        server.answer("/fred/series/observations", observations)
        server.answer(
            "/fred/series",
            lambda request: Reply.json(
                {"seriess": [{"frequency": frequencies[request.query["series_id"][0]]}]}
            ),
        )
        yield server


@pytest.fixture
def sources(tmp_path: Path, server: LocalServer) -> SourceFile:
    """The two series, which ask for little on each run."""
    sources = SourceFile(tmp_path)
    for name, series in (("gdp", "GDP"), ("icsa", "ICSA")):
        params = {"series_id": series, "api_key": "k" * 32, "base_url": f"{server.url}/fred"}
        sources.add(
            name,
            "fred_plugin.FredDataSourcePlugin",
            params,
            {"lookback": "7 days", "forecast_horizon": "1 day"},
        )
    sources.write()
    return sources


def known(url: str, at: datetime) -> list[tuple[Any, ...]]:
    """Everything as it was known at a time, to the byte."""
    with open_observer(url) as look:
        return look.execute(
            "SELECT series_id, ts, value, valid_from, run_id FROM time_series_data_as_of(%s)"
            " ORDER BY 1, 2",
            [at],
        ).fetchall()


def published(url: str, name: str, at: datetime, by: datetime | None = None) -> dict[str, float]:
    """A series as published by a time, as recorded by another: the newest record of each counts."""
    with open_observer(url) as look:
        rows = look.execute(
            "SELECT DISTINCT ON (v.ts) v.ts, v.value FROM time_series_vintage v"
            " JOIN time_series s USING (series_id) WHERE s.endpoint_prefix = %s"
            " AND v.published_at <= %s AND v.recorded_at <= %s"
            " ORDER BY v.ts, v.published_at DESC, v.recorded_at DESC",
            [name, at, by or datetime.max.replace(tzinfo=UTC)],
        ).fetchall()
    return {ts.date().isoformat(): value for ts, value in rows if value is not None}


def test_a_database_of_the_first_version_is_put_right(
    first_url: str, sources: SourceFile, run_cli: RunCli
) -> None:
    """By the next run: weeks are under their first days, publications at the ends of theirs."""
    env = {"DATABASE_URL": first_url}
    assert run_cli("migrate", env=env).returncode == 0
    before = known(first_url, KNOWN)
    looked_ahead = published(first_url, "gdp", datetime(2023, 11, 29, 6, tzinfo=UTC))
    assert looked_ahead == {"2023-07-01": 27.64}
    done = run_cli("fetch-all", "--json", env=env)
    assert done.returncode == 0, done.stderr
    runs = {run["source"]: run for run in json.loads(done.stdout)["runs"]}
    for name, withdrawn, vintages in (("gdp", 0, 4), ("icsa", 2, 3)):
        run = runs[name]
        assert run["outcome"] == "succeeded"
        assert run["withdrawn"] == withdrawn
        assert run["vintages"] == 2 * vintages
        assert run["retracted"] == 0
        assert len(run["warnings"]) == 1
        assert "what was known before stays as it was" in run["warnings"][0]
    with open_reader(first_url) as reader:
        assert list(verify(reader)) == []
    # the past is as it was, to the byte, whichever way it is asked for
    assert known(first_url, KNOWN) == before
    at = datetime(2023, 11, 29, 6, tzinfo=UTC)
    assert published(first_url, "gdp", at, by=KNOWN) == looked_ahead
    assert published(first_url, "icsa", datetime(2024, 1, 18, 6, tzinfo=UTC), by=KNOWN) == {
        "2024-01-06": 203.0,
        "2024-01-13": 187.0,
    }


@pytest.mark.parametrize(
    ("series", "at", "expected"),
    [
        ("gdp", "2023-10-26T12:00Z", {}),
        ("gdp", "2023-10-27T12:00Z", {"2023-07-01": 27.60}),
        ("gdp", "2023-11-29T00:00Z", {"2023-07-01": 27.60}),
        ("gdp", "2023-11-30T00:00Z", {"2023-07-01": 27.60}),
        ("gdp", "2023-11-30T05:59:59.999999Z", {"2023-07-01": 27.64}),
        ("gdp", "2023-11-30T06:00Z", {"2023-07-01": 27.64}),
        ("gdp", "2023-12-01T06:00Z", {"2023-07-01": 27.61}),
        ("gdp", "2024-01-25T12:00Z", {"2023-07-01": 27.61}),
        ("gdp", "2024-01-26T06:00Z", {"2023-07-01": 27.61, "2023-10-01": 27.90}),
        ("icsa", "2024-01-11T12:00Z", {}),
        ("icsa", "2024-01-12T06:00Z", {"2023-12-31": 202.0}),
        ("icsa", "2024-01-18T12:00Z", {"2023-12-31": 202.0}),
        ("icsa", "2024-01-19T06:00Z", {"2023-12-31": 203.0, "2024-01-07": 187.0}),
    ],
)
def test_as_published_by_any_time_after_it_was_put_right(
    first_url: str,
    sources: SourceFile,
    run_cli: RunCli,
    series: str,
    at: str,
    expected: dict[str, float],
) -> None:
    """What a reader gets by default is what was public then."""
    env = {"DATABASE_URL": first_url}
    assert run_cli("fetch", series, env=env).returncode == 0
    answer = run_cli("history", series, "--as-of", at, "--by", "published", "--json", env=env)
    found = json.loads(answer.stdout)["observations"] if answer.stdout else []
    assert {o["ts"][:10]: o["value"] for o in found} == expected


def test_a_day_of_publication_is_one_of_us_central(
    first_url: str, sources: SourceFile, run_cli: RunCli
) -> None:
    """Who asks for a bare day gets what was public by its end there."""
    env = {"DATABASE_URL": first_url}
    assert run_cli("fetch", "gdp", env=env).returncode == 0
    values = []
    for day in ("2023-11-28", "2023-11-29", "2023-11-30"):
        answer = run_cli("history", "gdp", "--as-of", day, "--by", "published", "--json", env=env)
        values += [o["value"] for o in json.loads(answer.stdout)["observations"]]
    assert values == [27.60, 27.64, 27.61]


def test_it_is_put_right_once(first_url: str, sources: SourceFile, run_cli: RunCli) -> None:
    """The run after that finds nothing to do, and asks for no more than its lookback."""
    env = {"DATABASE_URL": first_url}
    assert run_cli("fetch-all", env=env).returncode == 0
    again = json.loads(run_cli("fetch-all", "--json", env=env).stdout)
    for run in again["runs"]:
        assert run["outcome"] in {"unchanged", "empty"}
        assert (run["withdrawn"], run["vintages"], run["warnings"]) == (0, 0, [])


@pytest.mark.parametrize(
    "options", [["--dry-run"], ["--start", "2024-01-10", "--end", "2024-01-20"]]
)
def test_whoever_comes_first_finds_it(
    first_url: str, sources: SourceFile, run_cli: RunCli, options: list[str]
) -> None:
    """A backfill puts all that is stored right before its own range; a dry run shows it."""
    env = {"DATABASE_URL": first_url}
    before = known(first_url, datetime.now(UTC)) if options == ["--dry-run"] else None
    done = run_cli("fetch", "icsa", *options, "--json", env=env)
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert run["withdrawn"] == 2
    now = known(first_url, datetime.now(UTC))
    if before is not None:
        assert now == before
    else:
        weeks = [ts.date().isoformat() for _, ts, *_ in now if ts > midnight("2023-12-01")]
        assert weeks == ["2023-12-31", "2024-01-07"]


def test_a_stamp_whose_twin_does_not_come_stays(
    first_url: str, sources: SourceFile, run_cli: RunCli, server: LocalServer
) -> None:
    """What FRED does not have any more is nobody's to move."""
    rows = [
        {"date": day, "value": value, "realtime_start": since, "realtime_end": until}
        for day, value, since, until in ICSA
        if day != "2024-01-06"
    ]
    server.answer(
        "/fred/series/observations",
        Reply.json({"realtime_end": OPEN, "count": len(rows), "observations": rows}),
    )
    env = {"DATABASE_URL": first_url}
    (run,) = json.loads(run_cli("fetch", "icsa", "--json", env=env).stdout)["runs"]
    assert run["withdrawn"] == 1
    with open_observer(first_url) as look:
        stored = look.execute(
            "SELECT ts, value FROM time_series_data JOIN time_series USING (series_id)"
            " WHERE endpoint_prefix = 'icsa' ORDER BY ts"
        ).fetchall()
    assert stored == [(midnight("2024-01-06"), 203.0), (midnight("2024-01-07"), 187.0)]
    with open_reader(first_url) as reader:
        assert list(verify(reader)) == []


def test_who_keeps_the_dates_of_the_provider_has_its_publications_put_right(
    first_url: str, sources: SourceFile, run_cli: RunCli
) -> None:
    """`stamp: provider`: no week moves, and none is withdrawn; days of publication end."""
    sources.entries["icsa"]["default_params"]["stamp"] = "provider"
    sources.write()
    env = {"DATABASE_URL": first_url}
    done = run_cli("fetch", "icsa", "--json", env=env)
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert (run["outcome"], run["withdrawn"], run["vintages"]) == ("succeeded", 0, 6)
    day = datetime(2024, 1, 18, 12, tzinfo=UTC)
    assert published(first_url, "icsa", day) == {"2024-01-06": 202.0}
    after = datetime(2024, 1, 19, 6, tzinfo=UTC)
    assert published(first_url, "icsa", after) == {"2024-01-06": 203.0, "2024-01-13": 187.0}
    with open_reader(first_url) as reader:
        assert list(verify(reader)) == []
