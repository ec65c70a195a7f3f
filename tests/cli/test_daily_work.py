"""The program under the roles that it is meant for, from an empty database on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from support.http_server import LocalServer
from support.program_sources import SourceFile, runs_by_source, table
from support.store_feed import current, history, open_observer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli

ROLES = ("migrator", "writer", "reader")
_PASSWORD = "for-tests-only"  # noqa: S105 - of roles that live as long as a test


@dataclass(frozen=True)
class Portal:
    """A database that gives nothing to everybody, and a user of it for each role."""

    admin: str
    users: dict[str, dict[str, str]]
    printed: tuple[str, ...]
    """The arguments that print the grants for its roles."""


@pytest.fixture
def portal(empty_database_url: str, run_cli: RunCli) -> Iterator[Portal]:
    """Set up as sql/README.md says, up to the grants on the tables."""
    with psycopg.connect(empty_database_url, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(name)))
        admin.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        groups = {role: f'{name}\'s "{role}"' for role in ROLES}
        options = [word for role, group in groups.items() for word in (f"--{role}", group)]
        printed = ("migrate", "--print-grants", *options)
        done = run_cli(*printed)
        assert (done.returncode, done.stderr) == (0, "")
        admin.execute(done.stdout.encode())
        users = {role: f"{name}_{role}_user" for role in ROLES}
        for role, user in users.items():
            admin.execute(
                SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}").format(
                    Identifier(user), _PASSWORD, Identifier(groups[role])
                )
            )
        url = urlsplit(empty_database_url)
        host = url.netloc.rpartition("@")[2]
        yield Portal(
            empty_database_url,
            {
                role: {"DATABASE_URL": url._replace(netloc=f"{user}:{_PASSWORD}@{host}").geturl()}
                for role, user in users.items()
            },
            printed,
        )
        for owner in (*users.values(), *groups.values()):
            admin.execute(SQL("DROP OWNED BY {} CASCADE").format(Identifier(owner)))
            admin.execute(SQL("DROP ROLE {}").format(Identifier(owner)))


def grant_on_tables(portal: Portal, run_cli: RunCli) -> None:
    """The grants on the tables, by who owns them; the document has the same text as stdout."""
    text = run_cli(*portal.printed).stdout
    document = json.loads(run_cli(*portal.printed, "--json").stdout)
    assert document == {"ok": True, "sql": text}
    with psycopg.connect(portal.users["migrator"]["DATABASE_URL"], autocommit=True) as owner:
        notices: list[str] = []
        owner.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        owner.execute(text.encode())
        assert notices == []


@pytest.mark.slow
def test_the_daily_work_needs_no_more_than_its_role(
    portal: Portal, tmp_path: Path, run_cli: RunCli
) -> None:
    """Migrated by one, fetched by another with a revision and a retraction, read by a third."""
    migrator, writer, reader = (portal.users[role] for role in ROLES)
    sources = SourceFile(tmp_path)
    with LocalServer() as server:
        url = server.answer(
            "/load.csv",
            table([1.0, 2.0, 3.0, 4.0]),
            table([1.0, 2.5, None, 4.0]),
            table([1.0, 2.5, None, 4.0]),
        )
        sources.csv("load", url)
        sources.write()

        early = run_cli("fetch", "load", env=writer)
        assert early.returncode == 78
        assert "may not apply migration" in early.stderr
        assert run_cli("migrate", "-q", env=migrator).returncode == 0
        grant_on_tables(portal, run_cli)

        runs = [
            runs_by_source(run_cli("fetch-all", "--json", env=writer))["load"] for _ in range(3)
        ]
    assert [run["outcome"] for run in runs] == ["succeeded", "succeeded", "unchanged"]
    assert [(run["revised"], run["retracted"]) for run in runs] == [(0, 0), (1, 1), (0, 0)]
    with open_observer(portal.admin) as look:
        assert {h: len(spans) for h, spans in history(look).items()} == {0: 1, 1: 2, 2: 1, 3: 1}
        assert current(look) == {0: 1.0, 1: 2.5, 3: 4.0}

    for command in (
        ("history", "load"),
        ("history", "load", "--as-of", "now"),
        ("list-sources",),
        ("healthcheck",),
        ("verify",),
        ("dump", "load", "a.jsonl"),
        ("migrate", "--plan"),
    ):
        done = run_cli(*command, env=reader)
        assert (done.returncode, command, done.stderr.count("ermission")) == (0, command, 0)
    refused = run_cli("fetch", "load", env=reader)
    assert refused.returncode != 0
    assert refuses_damage(writer["DATABASE_URL"])

    path = tmp_path / "b.jsonl"
    path.write_bytes(as_another_series((tmp_path / "a.jsonl").read_bytes()))
    assert run_cli("restore", "b.jsonl", env=reader).returncode != 0
    done = run_cli("restore", "b.jsonl", "--json", env=writer)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["series"][0]["outcome"] == "restored"
    assert run_cli("verify", "-q", env=reader).returncode == 0
    assert refuses_damage(writer["DATABASE_URL"])


def as_another_series(content: bytes) -> bytes:
    """The same file for a series and a source of another name."""
    *lines, end = content.splitlines(keepends=True)
    text = b"".join(lines).replace(b'prefix":"load"', b'prefix":"again"')
    text = text.replace(b'"source":"load"', b'"source":"again"')
    fields: dict[str, Any] = json.loads(end)
    fields["sha256"] = hashlib.sha256(text).hexdigest()
    return text + json.dumps(fields).encode() + b"\n"


def refuses_damage(url: str) -> bool:
    """Whether the server lets this role neither change nor delete a version."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (
            b"UPDATE time_series_data_scd2 SET value = 0",
            b"UPDATE time_series_data_scd2 SET valid_from = now()",
            b"DELETE FROM time_series_data_scd2",
            b"TRUNCATE time_series_data_scd2",
            b"DELETE FROM time_series_vintage",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    return True


def test_names_of_roles_are_what_is_asked_for(run_cli: RunCli) -> None:
    """Nothing is asked of a database, and the usual names need no setting."""
    plain = run_cli("migrate", "--print-grants", env={"DATABASE_URL": "postgresql://127.0.0.1:9/x"})
    assert (plain.returncode, plain.stderr) == (0, "")
    assert plain.stdout.startswith("-- Roles for the daily work")
    named = run_cli("migrate", "--print-grants", "--writer", "o'neil")
    assert named.stdout == f"SET dataportal.writer = 'o''neil';\n{plain.stdout}"
