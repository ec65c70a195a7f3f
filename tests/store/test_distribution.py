"""Tables that are distributed over the machines of a Citus cluster.

Tests marked `citus` need a server that has it. What such tables are asked, and in which form, is
tested everywhere: those forms are PostgreSQL's own, and answer the same on tables of one machine.
"""

from __future__ import annotations

import json
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.databases import with_citus
from support.program_sources import SourceFile, table
from support.stored_runs import store_run
from support.tcp_proxy import in_schema

from dataportal.errors import SchemaError, UnsuitableServerError
from dataportal.store import migrations as under_test
from dataportal.store.connection import connect
from dataportal.store.distribution import NOT_DISTRIBUTED, Unit, distribute, read_distribution
from dataportal.store.migrations import (
    Migration,
    ensure_schema,
    migrate,
    migrations,
    require_schema,
    schema_state,
)
from dataportal.store.queries import is_distributed, query, sql_home

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conftest import RunCli

FORMS = sorted((sql_home() / "queries").glob("*_distributed.sql"))


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_a_form_takes_what_its_statement_takes(form: Path) -> None:
    """Whoever sends either of them gives the same parameters."""
    other = query(form.stem.removesuffix("_distributed")).decode()
    parameters = re.compile(r"%\((\w+)\)s")
    assert set(parameters.findall(form.read_text())) == set(parameters.findall(other))


@pytest.mark.database
def test_without_citus_nothing_is_distributed(database_url: str) -> None:
    """It is said what is missing, and the portal goes on as it is."""
    with connect(database_url, application_name="test") as connection:
        with pytest.raises(UnsuitableServerError, match="istribute"):
            distribute(connection, Unit.SERIES)
        assert schema_state(connection).problem is None
        assert not is_distributed(connection)
        assert read_distribution(connection) == NOT_DISTRIBUTED


@pytest.mark.database
def test_a_portal_remembers_that_it_is_distributed(database_url: str) -> None:
    """A connection knows it as soon as it has looked at the schema."""
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("UPDATE schema_migration SET is_distributed = true")
    with connect(database_url, application_name="test") as connection:
        assert schema_state(connection).problem is None
        assert is_distributed(connection)
        assert migrate(connection) == ()


@pytest.mark.database
def test_a_copy_on_one_server_is_no_longer_distributed(database_url: str, run_cli: RunCli) -> None:
    """What remembers it was copied along with the tables; `migrate` says so, and all goes on."""
    store_run(database_url, [1.0, 2.0])
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("UPDATE schema_migration SET is_distributed = true")
    env = {"DATABASE_URL": database_url}
    upkeep = run_cli("maintain", "--plan", env=env)
    assert (upkeep.returncode, "dataportal migrate" in upkeep.stderr) == (78, True)
    done = run_cli("migrate", env=env)
    assert (done.returncode, "here one server has all" in done.stderr) == (0, True)
    assert run_cli("maintain", "--plan", env=env).returncode == 0
    assert "one server" not in run_cli("migrate", env=env).stderr
    with connect(database_url, application_name="test") as connection:
        assert schema_state(connection).problem is None
        assert not is_distributed(connection)


@pytest.mark.citus
@pytest.mark.parametrize("unit", Unit)
def test_a_copy_is_distributed_again(
    run_cli: RunCli, cluster_url: str, sources: SourceFile, unit: Unit
) -> None:
    """In a cluster, by series or by portal, whatever it was before."""
    fetch(sources, run_cli, cluster_url, 1.0, 2.0, 3.0, 4.0)
    before = answers(run_cli, cluster_url, sources.folder)
    with psycopg.connect(cluster_url, autocommit=True) as connection:
        connection.execute("UPDATE schema_migration SET is_distributed = true")
    env = {"DATABASE_URL": cluster_url}
    health = run_cli("healthcheck", env=env, cwd=sources.folder)
    assert (health.returncode, "one server has all of them" in health.stdout) == (78, True)
    done = run_cli("--json", "migrate", "--distribute", unit, env=env)
    assert (done.returncode, json.loads(done.stdout)["distributed_by"]) == (0, unit)
    assert answers(run_cli, cluster_url, sources.folder) == before


@pytest.mark.database
def test_a_form_answers_what_its_statement_answers(database_url: str) -> None:
    """Of runs that brought, revised, withdrew and brought back, and of when values came."""
    published = datetime(2025, 3, 2, tzinfo=UTC)
    answers: tuple[tuple[float | None, ...], ...] = (
        (1.0, 2.0),
        (1.5, None, 3.0),
        (1.5, 2.0, None),
        (1.0, 2.5, 3.0),
    )
    for number, values in enumerate(answers):
        store_run(database_url, values, published=published + timedelta(days=number))
    store_run(database_url, [7.0, 8.0], series="wind")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE time_series SET history_asked_at = '2025-01-01'")
        runs = connection.execute("SELECT run_id, source, started_at, finished_at FROM fetch_run")
        questions: list[tuple[str, dict[str, Any]]] = []
        for run, source, started, finished in runs.fetchall():
            bounds = {
                "low": datetime(1, 1, 2, tzinfo=UTC),
                "high": datetime(9999, 1, 1, tzinfo=UTC),
            }
            asked = {"run": run, "source": source, "started": started, "finished": finished}
            questions.append(("run_changes", {**asked, **bounds}))
        for series in (1, 2):
            for start in (None, datetime(2025, 3, 1, 1, tzinfo=UTC)):
                part = {"series": series, "start": start, "end": None, "quantiles": [0.0, 0.5]}
                questions.append(("history_availability", part))
                for recorded in (None, datetime(2025, 1, 1, tzinfo=UTC)):
                    asked = {**part, "recorded": recorded}
                    questions.append(("history_published_availability", asked))
        for name, parameters in questions:
            plain, form = (
                connection.execute(query(statement), parameters).fetchall()
                for statement in (name, f"{name}_distributed")
            )
            assert plain == form, name
            assert plain


QUESTIONS = (
    ["history", "load", "--as-of", "now"],
    ["history", "load", "wind", "--as-of", "2026-01-01"],
    ["history", "load", "--matrix"],
    ["history", "load", "--revisions-by", "age"],
    ["read", "load", "wind"],
    ["read", "load", "wind", "--as-of", "now"],
    ["read", "load", "--lead", "1h"],
    ["read", "load", "--cutoff", "D-1 06:00 UTC"],
    ["read", "load", "--release", "first"],
    ["read", "load", "--release", "2"],
    ["gaps"],
    ["list-series"],
    ["runs"],
    ["runs", "--run", "1"],
    ["history", "load", "--availability"],
)
"""What a portal is asked, and answers the same however its tables lie."""


@pytest.fixture
def cluster_url(empty_database_url: str) -> str:
    """A database without tables, which is a cluster of one server."""
    with_citus(empty_database_url)
    return empty_database_url


@pytest.fixture
def sources(tmp_path: Path) -> SourceFile:
    """Two sources, the first of which has been revised since the file was first read."""
    sources = SourceFile(tmp_path)
    for name in ("load", "wind"):
        sources.csv(name, str(tmp_path / f"{name}.csv"))
    sources.write()
    return sources


def write_table(path: Path, values: Sequence[float | None]) -> None:
    """A table of hourly values."""
    body = table(values).body
    path.write_bytes(body if isinstance(body, bytes) else b"".join(body))


def fetch(sources: SourceFile, run_cli: RunCli, url: str, *values: float | None) -> dict[str, Any]:
    """What a run of both says of the first source; the second one never changes."""
    write_table(sources.folder / "load.csv", values)
    write_table(sources.folder / "wind.csv", [1.0, 2.0, 3.0])
    done = run_cli("--json", "fetch-all", env={"DATABASE_URL": url}, cwd=sources.folder)
    assert done.returncode == 0, done.stderr
    (load,) = [run for run in json.loads(done.stdout)["runs"] if run["source"] == "load"]
    return dict(load)


def answers(run_cli: RunCli, url: str, folder: Path) -> dict[str, Any]:
    """The answer to each question, without the time at which it was given."""
    documents = {}
    for question in QUESTIONS:
        done = run_cli("--json", *question, env={"DATABASE_URL": url}, cwd=folder)
        assert done.returncode == 0, (question, done.stderr)
        documents[" ".join(question)] = json.loads(
            done.stdout, object_hook=lambda fields: {**fields, "as_of": None, "final": None}
        )
    return documents


@pytest.mark.citus
@pytest.mark.parametrize("unit", ["series", "portal"])
def test_what_is_stored_goes_along(
    run_cli: RunCli, cluster_url: str, sources: SourceFile, unit: str
) -> None:
    """Every answer stays what it was, `verify` finds nothing, and runs go on from there."""
    fetch(sources, run_cli, cluster_url, 1.0, 2.0, 3.0, 4.0)
    fetch(sources, run_cli, cluster_url, 1.0, 2.5, 3.0, 4.0)
    before = answers(run_cli, cluster_url, sources.folder)
    env = {"DATABASE_URL": cluster_url}
    for _ in range(2):
        done = run_cli("--json", "migrate", "--distribute", unit, env=env)
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert document["distributed_by"] == unit
        assert [node["has_shards"] for node in document["nodes"]] == [True]
        assert answers(run_cli, cluster_url, sources.folder) == before
    assert run_cli("verify", env=env).returncode == 0
    again = fetch(sources, run_cli, cluster_url, 1.0, 2.5, 3.0, 4.0)
    assert (again["outcome"], again["unchanged"]) == ("unchanged", 4)
    revised = fetch(sources, run_cli, cluster_url, 1.5, None, 3.0, 4.0, 5.0)
    assert (revised["inserted"], revised["revised"], revised["retracted"]) == (1, 1, 1)
    for command in (
        ["verify"],
        ["verify", "--sample", "50%"],
        ["report", "-o", "-"],
        ["maintain"],
        ["runs", "--run", "4"],
    ):
        done = run_cli(*command, env=env, cwd=sources.folder)
        assert done.returncode == 0, done.stderr
    other = {"series": "portal", "portal": "series"}[unit]
    refused = run_cli("migrate", "--distribute", other, env=env)
    assert (refused.returncode, f"by {unit} already" in refused.stderr) == (78, True)
    health = json.loads(run_cli("--json", "healthcheck", env=env, cwd=sources.folder).stdout)
    assert "Citus" in str(health["checks"])
    assert len(health["storage"]["nodes"]) == 1
    assert health["storage"]["distributed_by"] == unit
    with psycopg.connect(cluster_url, autocommit=True) as connection:
        connection.execute("UPDATE time_series_data SET value = 99")
    broken = run_cli("verify", env=env)
    assert broken.returncode == 4
    told = broken.stdout + broken.stderr
    assert ("+00:00" in told, "+05:45" in told) == (True, False)


@pytest.mark.citus
def test_a_killed_distribution_leaves_all_as_it_was(
    run_cli: RunCli, cluster_url: str, sources: SourceFile
) -> None:
    """And the next one goes through."""
    fetch(sources, run_cli, cluster_url, 1.0, 2.0, 3.0, 4.0)
    before = answers(run_cli, cluster_url, sources.folder)
    env = {"DATABASE_URL": cluster_url}
    killed = {**env, "DATAPORTAL_FAILPOINT": "distribute_before_commit:kill"}
    assert run_cli("migrate", "--distribute", env=killed).returncode == -9
    assert answers(run_cli, cluster_url, sources.folder) == before
    assert json.loads(run_cli("--json", "migrate", env=env).stdout)["nodes"] == []
    assert run_cli("migrate", "--distribute", env=env).returncode == 0
    assert answers(run_cli, cluster_url, sources.folder) == before


@pytest.mark.citus
def test_series_come_back_from_a_dump(
    run_cli: RunCli, cluster_url: str, citus_url: str, sources: SourceFile
) -> None:
    """Into a portal that is distributed, out of one that is."""
    run_cli("migrate", "--distribute", env={"DATABASE_URL": cluster_url})
    fetch(sources, run_cli, cluster_url, 1.0, 2.0, 3.0, 4.0)
    fetch(sources, run_cli, cluster_url, 1.0, 2.5, None, 4.0)
    file = str(sources.folder / "all.jsonl.gz")
    for command, url in (("dump", cluster_url), ("restore", citus_url)):
        words = ["load", "wind", file] if command == "dump" else [file]
        done = run_cli(command, *words, env={"DATABASE_URL": url}, cwd=sources.folder)
        assert done.returncode == 0, done.stderr
    assert run_cli("verify", env={"DATABASE_URL": citus_url}).returncode == 0
    versions = "SELECT ts, value, valid_from, valid_to FROM time_series_data_scd2 ORDER BY 1, 2, 3"
    stored = []
    for url in (cluster_url, citus_url):
        with closing(psycopg.connect(url)) as connection:
            connection.execute("SET extra_float_digits = 1")
            connection.execute("SET TimeZone = 'UTC'")
            text = f"COPY ({versions}) TO STDOUT"
            with connection.cursor().copy(text.encode()) as copy:
                stored.append(b"".join(copy))
    assert stored[0] == stored[1]


@pytest.mark.citus
def test_several_portals_share_a_cluster(
    run_cli: RunCli, cluster_url: str, sources: SourceFile
) -> None:
    """A schema for each: what one does is never seen by the other."""
    urls = {}
    for schema, unit in (("one", "portal"), ("two", "portal"), ("three", "series")):
        with psycopg.connect(cluster_url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
        urls[schema] = in_schema(cluster_url, schema)
        done = run_cli("migrate", "--distribute", unit, env={"DATABASE_URL": urls[schema]})
        assert done.returncode == 0, done.stderr
    for number, url in enumerate(urls.values(), 1):
        fetch(sources, run_cli, url, *[float(number)] * (number + 2))
        fetch(sources, run_cli, url, 0.5, *[float(number)] * (number + 1))
    for number, url in enumerate(urls.values(), 1):
        env = {"DATABASE_URL": url}
        done = run_cli("--json", "read", "load", env=env, cwd=sources.folder)
        values = [row["value"] for row in json.loads(done.stdout)["observations"]]
        assert values == [0.5, *[float(number)] * (number + 1)]
        assert run_cli("verify", env=env).returncode == 0
        health = run_cli("healthcheck", env=env, cwd=sources.folder)
        assert health.returncode == 0, health.stdout
        runs = json.loads(run_cli("--json", "runs", env=env, cwd=sources.folder).stdout)["runs"]
        assert len(runs) == 4


MORE = b"""-- changes tables on all machines; and, in one go, a function over them
ALTER TABLE time_series_data ADD COLUMN note text;
CREATE INDEX more_one ON time_series_data (run_id);
ALTER TABLE time_series_data_scd2 ADD COLUMN note text, ALTER COLUMN run_id SET NOT NULL;
CREATE INDEX more_two ON time_series_data_scd2 (run_id);
ALTER TABLE time_series ADD COLUMN note text;
CREATE OR REPLACE FUNCTION time_series_known_as_of(
    names text[], at timestamptz, start_ts timestamptz DEFAULT NULL,
    end_ts timestamptz DEFAULT NULL)
RETURNS TABLE (series text, ts timestamptz, value double precision, valid_from timestamptz,
               valid_to timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT s.endpoint_prefix, v.ts, v.value + 1000, v.valid_from, nullif(v.valid_to, 'infinity')
    FROM time_series AS s
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.series_id, d.ts) d.ts, d.value, d.valid_from, d.valid_to
        FROM time_series_data_scd2 AS d
        WHERE d.series_id = s.series_id AND d.valid_from <= at AND d.valid_to > at
        ORDER BY d.series_id, d.ts
    ) AS v
    WHERE s.endpoint_prefix = ANY (names);
END
"""


@pytest.mark.citus
@pytest.mark.parametrize("unit", Unit)
def test_a_migration_reaches_tables_that_are_distributed(
    run_cli: RunCli,
    cluster_url: str,
    sources: SourceFile,
    monkeypatch: pytest.MonkeyPatch,
    unit: Unit,
) -> None:
    """In one transaction; its functions take the form that goes there."""
    run_cli("migrate", "--distribute", unit, env={"DATABASE_URL": cluster_url})
    fetch(sources, run_cli, cluster_url, 1.0, 2.0, 3.0)
    number = len(migrations()) + 1
    with connect(cluster_url, application_name="test") as connection:
        assert schema_state(connection).problem is None
        for text, fails in ((MORE + b"; SELECT 1 / 0", True), (MORE, False)):
            more = Migration(number, f"{number:04}_more", text)
            monkeypatch.setattr(under_test, "migrations", lambda more=more: (*migrations(), more))
            if fails:
                with pytest.raises(Exception, match="division by zero"):
                    migrate(connection)
            else:
                assert migrate(connection) == (more.name,)
        query_text = "SELECT value FROM time_series_known_as_of('{load}', now()) ORDER BY ts"
        assert connection.execute(query_text).fetchall() == [(1001.0,), (1002.0,), (1003.0,)]


NAMED = (
    "SELECT * FROM time_series_known_as_of('{load}', now())",
    "SELECT * FROM time_series_known_lead('{load}', '-10 years')",
    "SELECT * FROM time_series_known_cutoff('{load}', -3650, '06:00', 'Europe/Berlin')",
    "SELECT * FROM time_series_known_release('{load}', 1)",
    "SELECT * FROM time_series_known_revisions('{load}')",
    "SELECT * FROM time_series_known_at('{load}', '{2025-03-01}', '{2100-01-01}')",
    "SELECT * FROM time_series_published_as_of('{load}', 'infinity', 'infinity')",
    "SELECT * FROM time_series_published_lead('{load}', '-10 years', 'infinity')",
    "SELECT * FROM time_series_published_cutoff('{load}', -3650, '06:00', 'UTC', 'infinity')",
    "SELECT * FROM time_series_published_release('{load}', 1, 'infinity')",
    "SELECT * FROM time_series_published_revisions('{load}', 'infinity')",
    "SELECT * FROM time_series_published_issue('{load}', '2025-03-03', 'infinity')",
    "SELECT * FROM time_series_published_issues('{load}', 'infinity')",
    "SELECT * FROM time_series_published_at('{load}', '{2025-03-01}', '{2100-01-01}', 'infinity')",
    "SELECT * FROM time_series_assumed_as_of('{load}', now())",
    "SELECT * FROM time_series_assumed_lead('{load}', '-10 years')",
    "SELECT * FROM time_series_assumed_at('{load}', '{2025-03-01}', '{2100-01-01}')",
)
"""Questions of a series that is named, which all have an answer."""


@pytest.mark.citus
def test_only_machines_of_the_series_are_asked(citus_url: str) -> None:
    """Where another part of the tables cannot be reached, runs and questions go on as ever."""
    publication = datetime(2025, 3, 2, tzinfo=UTC)
    store_run(citus_url, [1.0, 2.0], published=publication)
    parts = """
        SELECT p.table_name, p.shardid FROM citus_shards AS p, time_series AS s
        WHERE s.endpoint_prefix = 'load' AND p.table_name::text LIKE 'time\\_series\\_%'
          AND p.shardid <> get_shard_id_for_distribution_column(p.table_name, s.series_id)
    """
    with psycopg.connect(citus_url, autocommit=True) as connection:
        connection.execute("SET citus.enable_manual_changes_to_shards = on")
        for name, shard in connection.execute(parts.encode()).fetchall():
            connection.execute(f"ALTER TABLE {name}_{shard} RENAME TO gone_{shard}".encode())
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT count(*) FROM time_series_data")
    given: tuple[tuple[float | None, ...], ...] = ((1.0, 2.0), (1.5, None, 3.0), (1.5, 2.0, None))
    for number, values in enumerate(given, 1):
        assert store_run(citus_url, values, published=publication + timedelta(days=number))
    store_run(citus_url, [4.0])
    with psycopg.connect(citus_url, autocommit=True) as connection:
        stored = "SELECT value FROM time_series_data WHERE series_id = 1 ORDER BY ts"
        assert connection.execute(stored).fetchall() == [(4.0,), (2.0,)]
        for question in NAMED:
            assert connection.execute(question.encode()).fetchall(), question


@pytest.mark.citus
def test_a_worker_is_no_place_for_a_portal(cluster_url: str) -> None:
    """Whoever names one in place of the coordinator is told so, and nothing is made there."""
    with psycopg.connect(cluster_url, autocommit=True) as connection:
        connection.execute("UPDATE pg_dist_local_group SET groupid = 1")
    with connect(cluster_url, application_name="test") as connection:
        for work in (require_schema, ensure_schema, migrate):
            with pytest.raises(SchemaError, match=r"is a worker of a Citus cluster.*, localhost:"):
                work(connection)
        assert connection.execute("SELECT to_regclass('schema_migration')").fetchone() == (None,)


@pytest.mark.citus
def test_a_schema_that_citus_shards_as_a_whole_is_refused(cluster_url: str) -> None:
    """Before anything is made in it, with the way out."""
    with psycopg.connect(cluster_url, autocommit=True) as connection:
        connection.execute("SET citus.enable_schema_based_sharding = on")
        connection.execute("CREATE SCHEMA one")
    with connect(in_schema(cluster_url, "one"), application_name="test") as connection:
        with pytest.raises(SchemaError, match="sharded by Citus as a whole"):
            migrate(connection)
        assert connection.execute("SELECT to_regclass('schema_migration')").fetchone() == (None,)
