"""Databases of earlier programs: brought up to date with every version as it was."""

from __future__ import annotations

import json
import shutil
import signal
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.invariants import broken_invariants
from support.program_sources import held_locks
from support.schemas import describe_schema
from support.store_feed import open_feed, open_observer

from dataportal.observations import Observations
from dataportal.store.connection import connect
from dataportal.store.migrations import ensure_schema, migrations, schema_state
from dataportal.store.queries import query, sql_home
from dataportal.store.read.history import observations
from dataportal.store.read.overview import open_reader
from dataportal.store.read.verify import verify
from dataportal.store.records import Counts, SliceWrite

if TYPE_CHECKING:
    from conftest import RunCli

    from dataportal.store.migrations import Migration

FIRST, *LATER = migrations()
# of the history in first_database.sql, and of nothing else: never to be changed
CHECKSUM = "8ba3cec7f93eaff20fd595f11c34d039"
_DUMP = Path(__file__).with_name("first_database.sql")


@pytest.fixture
def first_url(empty_database_url: str) -> str:
    """A database as the first released program left it, with its history."""
    with open_observer(empty_database_url) as look:
        look.execute(FIRST.text)
        # a hypertable where TimescaleDB is, as the first program made it
        look.execute(query("hypertables"))
        look.execute(_DUMP.read_bytes())
    assert checksum(empty_database_url) == CHECKSUM
    return empty_database_url


def checksum(url: str) -> str:
    """Of all current values and all versions: to the last bit and microsecond."""
    with open_observer(url) as look:
        row = look.execute(
            "SELECT md5(string_agg(line, E'\\n' ORDER BY line COLLATE \"C\")) FROM ("
            " SELECT concat_ws('|', 'data', series_id, ts, value, updated_at, run_id) AS line"
            " FROM time_series_data UNION ALL"
            " SELECT concat_ws('|', 'scd2', series_id, ts, value, valid_from, valid_to, run_id)"
            " FROM time_series_data_scd2) AS lines"
        ).fetchone()
    assert row
    return str(row[0])


def assert_up_to_date(url: str, fresh_url: str) -> None:
    """The schema is that of a new database, the history the old one, and all promises are kept."""
    assert describe_schema(url) == describe_schema(fresh_url)
    assert checksum(url) == CHECKSUM
    with open_reader(url) as reader:
        assert list(verify(reader)) == []


def applied_names(url: str) -> tuple[str, ...]:
    """The names of the migrations that are recorded."""
    with closing(connect(url, application_name="dataportal test")) as connection:
        return schema_state(connection).applied


def test_the_first_schema_becomes_the_present_one(
    first_url: str, database_url: str, run_cli: RunCli
) -> None:
    """By `migrate`: what was pending is applied, once."""
    env = {"DATABASE_URL": first_url}
    assert run_cli("history", "load", env=env).returncode == 78
    done = json.loads(run_cli("migrate", "--json", env=env).stdout)
    assert done["applied"] == [migration.name for migration in LATER]
    assert json.loads(run_cli("migrate", "--json", env=env).stdout)["applied"] == []
    assert_up_to_date(first_url, database_url)


def test_no_series_of_the_past_is_expected_to_go_on(first_url: str, run_cli: RunCli) -> None:
    """What earlier runs brought was not counted: none stands still before it went on again."""
    assert run_cli("migrate", env={"DATABASE_URL": first_url}).returncode == 0
    with open_observer(first_url) as look:
        rows = look.execute("SELECT DISTINCT advances, advanced_at FROM time_series").fetchall()
    assert rows == [(0, None)]


def test_series_of_the_past_know_when_they_changed(first_url: str, run_cli: RunCli) -> None:
    """As if each version had been stored by this program."""
    assert run_cli("migrate", env={"DATABASE_URL": first_url}).returncode == 0
    with open_observer(first_url) as look:
        changed = look.execute("SELECT count(changed_at) FROM time_series").fetchone()
        assert changed != (0,)
        assert not [fault for fault in broken_invariants(look) if "first and last change" in fault]


def test_a_run_brings_it_up_to_date(first_url: str, database_url: str) -> None:
    """And goes on where the first program stopped: what is the same is no new version."""
    with open_feed(first_url, "load") as feed:
        assert_up_to_date(first_url, database_url)
        with open_observer(first_url) as look:
            rows = look.execute(
                "SELECT ts, value FROM time_series_data WHERE series_id = 1 ORDER BY ts"
            ).fetchall()
            (known,) = look.execute(
                "SELECT last_knowledge_time FROM source_state WHERE source = 'grid'"
            ).fetchone() or (None,)

        def merge(value: float) -> Counts:
            points = Observations([ts for ts, _ in rows], [v for _, v in rows[:-1]] + [value])
            return feed.session.merge(
                SliceWrite(
                    feed.run,
                    {"load": points},
                    start=rows[0][0],
                    end=None,
                    received=Counts(received=len(rows)),
                )
            ).counts

        assert merge(rows[-1][1]).unchanged == len(rows)
        assert checksum(first_url) == CHECKSUM
        assert merge(-1.0).revised == 1
    with open_reader(first_url) as reader:
        assert list(verify(reader)) == []
        before = {o.ts: o.value for o in observations(reader, 1, at=known)}
        assert before == dict(rows)


@pytest.mark.slow
@pytest.mark.parametrize("position", range(1, len(LATER) + 1))
def test_an_interrupted_upgrade_is_resumed(
    first_url: str,
    database_url: str,
    run_cli: RunCli,
    position: int,
) -> None:
    """Killed within any of its migrations: those before it are done, the next needs no help."""
    env = {"DATABASE_URL": first_url}
    failpoint = f"migration_before_commit@{position}:kill"
    killed = run_cli("migrate", env={**env, "DATAPORTAL_FAILPOINT": failpoint})
    assert killed.returncode == -signal.SIGKILL
    while held_locks(first_url):
        pass  # until the server has noticed
    done = [FIRST, *LATER][:position]
    assert applied_names(first_url) == tuple(migration.name for migration in done)
    assert checksum(first_url) == CHECKSUM
    assert run_cli("migrate", "-q", env=env).returncode == 0
    assert_up_to_date(first_url, database_url)


@pytest.mark.slow
@pytest.mark.parametrize("migration", LATER, ids=lambda migration: migration.name)
def test_a_program_that_lacks_a_migration_is_refused(
    database_url: str, run_cli: RunCli, tmp_path: Path, migration: Migration
) -> None:
    """Every command of it that needs a database, and the database is left as it is."""
    older = tmp_path / "older"
    package = Path(__file__).resolve().parents[2] / "dataportal"
    shutil.copytree(package, older / "dataportal", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(sql_home(), older / "sql")
    for later in LATER[LATER.index(migration) :]:
        (older / "sql" / "migrations" / f"{later.name}.sql").unlink()
    before = describe_schema(database_url)
    sample = str(package / "sample" / "sources.yaml")
    for command in (("migrate",), ("fetch-all",), ("history", "sunspots"), ("verify",)):
        done = run_cli(
            "--config",
            sample,
            *command,
            env={"DATABASE_URL": database_url, "PYTHONPATH": str(older)},
        )
        assert done.returncode == 78, done.stderr
        assert "Update dataportal" in done.stderr
    assert describe_schema(database_url) == before
    with closing(connect(database_url, application_name="dataportal test")) as connection:
        assert ensure_schema(connection) == "public"
    with open_observer(database_url) as look:
        assert look.execute("SELECT count(*) FROM fetch_run").fetchone() == (0,)
