"""How the server answers questions of points in time: by the index of each series alone.

Beside 2 and beside 149 other series, on the tables as the server has them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support import manual
from support.databases import with_schema
from support.fleets import NAMED, make_fleet

from dataportal.store.queries import query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.databases import Databases

pytestmark = [pytest.mark.slow, pytest.mark.database]

QUESTIONS = {
    "known_as_of": "%(names)s, '2026-03-01', {range}",
    "known_lead": "%(names)s, '24 hours', {range}",
    "known_cutoff": "%(names)s, 1, '06:00', 'Europe/Berlin', {range}",
    "known_release": "%(names)s, 1, {range}",
    "known_at": "%(names)s, %(times)s, %(times)s",
    "known_issues": "%(names)s",
    "known_issue": "%(names)s, '2026-01-01'",
    "known_revisions": "%(names)s, {range}",
    "assumed_versions": "%(names)s, {range}",
    "assumed_as_of": "%(names)s, '2026-03-01', {range}",
    "assumed_lead": "%(names)s, '24 hours', {range}",
    "assumed_cutoff": "%(names)s, 1, '06:00', 'Europe/Berlin', {range}",
    "assumed_at": "%(names)s, %(times)s, %(times)s",
    "published_as_of": "%(names)s, '2026-03-01', 'infinity', {range}",
    "published_lead": "%(names)s, '24 hours', 'infinity', {range}",
    "published_cutoff": "%(names)s, 1, '06:00', 'Europe/Berlin', 'infinity', {range}",
    "published_release": "%(names)s, 1, 'infinity', {range}",
    "published_at": "%(names)s, %(times)s, %(times)s, 'infinity'",
    "published_issues": "%(names)s, 'infinity', {range}",
    "published_issue": "%(names)s, '2026-01-01', 'infinity'",
    "published_revisions": "%(names)s, 'infinity', {range}",
}
RANGE = "'2025-01-01', '2025-04-01'"
# a table that is not one of data, or a catalogue of the server
_SCAN = re.compile(r"Seq Scan on (?:\w+\.)?(time_series_(?:data|data_scd2|vintage)|_hyper_\w+)\b")
_NOT_INLINED = re.compile(r"Function Scan on (?:\w+\.)?time_series_")


@pytest.fixture(scope="module", params=[3, 150])
def fleet(
    request: pytest.FixtureRequest, server_url: str, databases: Databases
) -> Iterator[psycopg.Connection[Any]]:
    """A database of so many series with decades of data, as a session of a person has it."""
    others = [f"other-{number}" for number in range(request.param - 3)]
    # as many rows either way: of a chunk of a page or two the server reads all
    step = "8 days" if others else "4 hours"

    def prepare(url: str) -> None:
        with_schema(url)
        make_fleet(url, [*NAMED[:3], *others], step=step)

    with (
        databases.fresh(server_url, f"fleet{request.param}", prepare) as url,
        psycopg.connect(url, autocommit=True, options="-c TimeZone=UTC") as connection,
    ):
        yield connection


def plan(connection: psycopg.Connection[Any], statement: str, parameters: Any = None) -> str:
    """How the server would answer."""
    rows = connection.execute(f"EXPLAIN {statement}".encode(), parameters)
    return "\n".join(line for (line,) in rows)


def assert_by_index(text: str) -> None:
    """No table of data is read from end to end, and every function is part of the statement."""
    assert not _SCAN.search(text), text
    assert not _NOT_INLINED.search(text), text


@pytest.mark.parametrize("names", [1, 3])
@pytest.mark.parametrize("function", QUESTIONS)
def test_each_function(fleet: psycopg.Connection[Any], function: str, names: int) -> None:
    """For up to three series it looks into the index of each."""
    arguments = QUESTIONS[function].format(range=RANGE)
    times = fleet.execute(
        "SELECT array_agg(t) FROM generate_series('2025-01-01Z'::timestamptz, '2026-01-01Z',"
        " '8 days') AS t"
    ).fetchone()
    assert times
    parameters = {"names": list(NAMED[:names]), "times": times[0]}
    statement = f"SELECT * FROM time_series_{function}({arguments})"  # noqa: S608 - of this file
    assert_by_index(plan(fleet, statement, parameters))


@pytest.mark.parametrize(
    "name",
    [
        *(f"read_assumed_{kind}" for kind in ("as_of", "lead", "cutoff", "at")),
        *(f"read_assumed_published_{kind}" for kind in ("as_of", "lead", "cutoff", "at")),
        *(f"versions_{kind}" for kind in ("known", "published", "assumed")),
        "history_availability",
        "history_published_availability",
    ],
)
def test_each_question_of_availability(fleet: psycopg.Connection[Any], name: str) -> None:
    """By the index of the series, and of the runs only those are looked up that are needed."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    row = fleet.execute(
        "SELECT series_id FROM time_series WHERE endpoint_prefix = %s", [NAMED[0]]
    ).fetchone()
    assert row
    times = [start + timedelta(days=8 * n) for n in range(40)]
    parameters = {
        "series": row[0], "name": NAMED[0], "names": [NAMED[0]], "start": start,
        "end": start + timedelta(days=90), "at": start + timedelta(days=400),
        "known_through": start, "recorded_by": None, "recorded": None,
        "lead": timedelta(hours=24), "days": 1, "clock": time(6), "zone": "Europe/Berlin",
        "ts": times, "decided_at": times, "quantiles": [0.5],
    }  # fmt: skip
    with fleet.transaction(force_rollback=True):
        fleet.execute(
            "INSERT INTO fetch_run (source, kind, window_start, host, pid, version)"
            " SELECT 'other', 'scheduled', now(), 'h', 1, '1' FROM generate_series(1, 50000)"
        )
        fleet.execute("ANALYZE fetch_run")
        text = plan(fleet, query(name).decode(), parameters)
    assert_by_index(text)
    assert not re.search(r"Seq Scan on (\w+\.)?fetch_run", text), text


def test_a_condition_reaches_the_index(fleet: psycopg.Connection[Any]) -> None:
    """Also one that stands outside of the function."""
    text = plan(
        fleet,
        "SELECT * FROM time_series_known_as_of(ARRAY['mauna-loa-co2'], now())"
        " WHERE ts >= '2026-01-01'",
    )
    assert_by_index(text)
    assert re.search(r"Index Cond: .*ts >= '2026-01-01", text)


def statements() -> list[tuple[str, str]]:
    """Every question for data in the manual and beside the schema, with the topic of its page."""
    pages = [*manual.everything(), manual.Page(manual.ROOT / "sql" / "README.md")]
    texts = [(page.topic, text) for page in pages for text in _texts(page)]
    return [
        (topic, text)
        for topic, text in texts
        # these repair, or compare whole tables
        if topic not in {"troubleshooting", "moving"}
        and re.search(r"\btime_series_(data|vintage|known|published)", text)
    ]


def _texts(page: manual.Page) -> Iterator[str]:
    for block in page.blocks("sql"):
        if "LOCK TABLE" in block:  # what repairs takes all series
            continue
        for text in block.split(";\n"):
            yield re.sub(r"^--.*\n", "", text.strip(), flags=re.MULTILINE)
    for language in ("python", "r"):
        for block in page.blocks(language):
            yield from re.findall(r'"{1,3}(\s*SELECT .*?)"{1,3}', block, flags=re.DOTALL)


MACROS = {
    "$__timeFilter(d.ts)": "d.ts >= '2026-01-01'",
    "$__timeFrom()": "'2026-01-01'",
    "$__timeTo()": "'2026-04-01'",
    "${as_of}": "2026-03-01 06:00Z",
    # as R writes parameters
    "$1": "'mauna-loa-co2'",
    "$2": "'2026-03-01 06:00Z'",
    "$3": "'2026-01-01'",
}
"""What a dashboard of Grafana and a program put into a statement."""


@pytest.mark.parametrize(("topic", "statement"), statements())
def test_each_statement_of_the_manual(
    fleet: psycopg.Connection[Any], topic: str, statement: str
) -> None:
    """Answers by the index of the series that it names, few or many beside them."""
    text = statement.removesuffix(";")
    for macro, value in MACROS.items():
        text = text.replace(macro, value)
    parameters: Any = {"series": NAMED[0], "at": "2026-03-01 06:00Z"}
    if "%s" in text:
        parameters = [NAMED[0], "2026-03-01 06:00Z", "2026-01-01"]
    elif "%(" not in text:
        parameters = None
    assert_by_index(plan(fleet, text, parameters))


def pages_touched(connection: psycopg.Connection[Any], statement: str) -> int:
    """How many pages of tables and indexes the server looks at."""
    explain = f"EXPLAIN (ANALYZE, BUFFERS) {statement}".encode()
    connection.execute(explain)  # what it reads of its catalogues the first time does not count
    lines = [line for (line,) in connection.execute(explain)]
    match = re.search(r"shared hit=(\d+)(?: read=(\d+))?|shared read=(\d+)", "\n".join(lines))
    assert match
    return sum(int(number or 0) for number in match.groups())


def test_others_do_not_cost(server_url: str, databases: Databases) -> None:
    """A question of ten series reads as many pages beside ten times as many rows of others."""
    names = [f"mine-{number}" for number in range(10)]

    def prepare(url: str) -> None:
        with_schema(url)
        make_fleet(url, names, start="2024-01-01", end="2026-01-01", step="6 hours")

    with (
        databases.fresh(server_url, "own_fleet", prepare) as url,
        psycopg.connect(url, autocommit=True, options="-c TimeZone=UTC") as connection,
    ):
        statement = (
            f"SELECT * FROM time_series_known_as_of(ARRAY{names}, '2025-12-01', '2025-01-01',"  # noqa: S608 - of this test
            " '2025-12-01')"
        )
        alone = pages_touched(connection, statement)
        connection.execute(
            "INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, run_id)"
            " SELECT 1000 + n, ts, 1, now(), 1 FROM generate_series(1, 100) AS n,"
            " generate_series('2024-01-01Z'::timestamptz, '2026-01-01Z', '6 hours') AS ts"
        )
        connection.execute("ANALYZE")
        beside = pages_touched(connection, statement)
        assert 0.8 * alone <= beside <= 1.2 * alone
