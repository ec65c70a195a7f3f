"""Tables that are distributed over the machines of a Citus cluster.

Tests marked `citus` need a server that has it. What such tables are asked, and in which form, is
tested everywhere: those forms are PostgreSQL's own, and answer the same on tables of one machine.
"""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.databases import with_citus
from support.program_sources import SourceFile, table

from dataportal.errors import UnsuitableServerError
from dataportal.store.connection import connect
from dataportal.store.distribution import distribute, nodes
from dataportal.store.migrations import migrate, schema_state
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
            distribute(connection)
        assert schema_state(connection).problem is None
        assert not is_distributed(connection)
        assert nodes(connection) == []


@pytest.mark.database
def test_a_portal_remembers_that_it_is_distributed(database_url: str) -> None:
    """A connection knows it as soon as it has looked at the schema."""
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("UPDATE schema_migration SET is_distributed = true")
    with connect(database_url, application_name="test") as connection:
        assert schema_state(connection).problem is None
        assert is_distributed(connection)
        assert migrate(connection) == ()


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
def test_what_is_stored_goes_along(run_cli: RunCli, cluster_url: str, sources: SourceFile) -> None:
    """Every answer stays what it was, `verify` finds nothing, and runs go on from there."""
    fetch(sources, run_cli, cluster_url, 1.0, 2.0, 3.0, 4.0)
    fetch(sources, run_cli, cluster_url, 1.0, 2.5, 3.0, 4.0)
    before = answers(run_cli, cluster_url, sources.folder)
    env = {"DATABASE_URL": cluster_url}
    for _ in range(2):
        done = run_cli("--json", "migrate", "--distribute", env=env)
        assert done.returncode == 0, done.stderr
        assert [node["has_shards"] for node in json.loads(done.stdout)["nodes"]] == [True]
        assert answers(run_cli, cluster_url, sources.folder) == before
    assert run_cli("verify", env=env).returncode == 0
    again = fetch(sources, run_cli, cluster_url, 1.0, 2.5, 3.0, 4.0)
    assert (again["outcome"], again["unchanged"]) == ("unchanged", 4)
    revised = fetch(sources, run_cli, cluster_url, 1.5, None, 3.0, 4.0, 5.0)
    assert (revised["inserted"], revised["revised"], revised["retracted"]) == (1, 1, 1)
    for command in (["verify"], ["verify", "--sample", "50%"], ["report", "-o", "-"]):
        done = run_cli(*command, env=env, cwd=sources.folder)
        assert done.returncode == 0, done.stderr
    health = json.loads(run_cli("--json", "healthcheck", env=env, cwd=sources.folder).stdout)
    assert "Citus" in str(health["checks"])
    assert len(health["storage"]["nodes"]) == 1


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
            text = f"COPY ({versions}) TO STDOUT"
            with connection.cursor().copy(text.encode()) as copy:
                stored.append(b"".join(copy))
    assert stored[0] == stored[1]
