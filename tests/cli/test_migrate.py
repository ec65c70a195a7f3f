"""`dataportal migrate`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg

from dataportal.store.migrations import migrations

if TYPE_CHECKING:
    from conftest import RunCli

KEYS = {"ok", "schema", "applied", "pending", "present", "nodes", "distributed_by"}
NAMES = [migration.name for migration in migrations()]


def test_a_plan_changes_nothing(run_cli: RunCli, empty_database_url: str) -> None:
    """What is pending is named, and still pending afterwards."""
    env = {"DATABASE_URL": empty_database_url}
    for _ in range(2):
        done = run_cli("migrate", "--plan", "--json", env=env)
        assert done.returncode == 0
        document = json.loads(done.stdout)
        assert document.keys() == KEYS
        assert (document["ok"], document["pending"]) == (False, NAMES)
    assert NAMES[0] in run_cli("migrate", "--plan", env=env).stdout


def test_everything_pending_is_applied_once(run_cli: RunCli, empty_database_url: str) -> None:
    """And the second time there is nothing to do."""
    env = {"DATABASE_URL": empty_database_url}
    first = run_cli("migrate", "--json", env=env)
    assert first.returncode == 0
    assert json.loads(first.stdout)["applied"] == NAMES
    second = json.loads(run_cli("migrate", "--json", env=env).stdout)
    assert second.keys() == KEYS
    assert (second["ok"], second["applied"], second["present"]) == (True, [], NAMES)
    text = run_cli("migrate", env=env)
    assert "up to date" in text.stdout


def test_quiet_means_silent(run_cli: RunCli, empty_database_url: str) -> None:
    """When all goes well."""
    done = run_cli("migrate", "-q", env={"DATABASE_URL": empty_database_url})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_newer_schema_is_left_alone(run_cli: RunCli, database_url: str) -> None:
    """78, and what to update; for every command that meets it."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO schema_migration (version, name, sha256, program)"
            " VALUES (9999, '9999_later', 'x', '99.0')"
        )
    for command in (["migrate"], ["migrate", "--plan"], ["history", "x"]):
        done = run_cli(*command, env={"DATABASE_URL": database_url})
        assert done.returncode == 78
        assert "Update dataportal" in done.stderr
