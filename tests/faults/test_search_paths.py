"""Whatever the search path is, our tables and functions are found, and nobody else's are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from support.http_server import LocalServer
from support.program_sources import SourceFile, table
from support.store_feed import open_observer

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCli

# what somebody may have for himself, of names that are ours or PostgreSQL's
_OTHERS = """
CREATE SCHEMA portal; CREATE SCHEMA theirs;
CREATE FUNCTION theirs.time_series_data_as_of(timestamptz) RETURNS integer
    LANGUAGE sql RETURN 1;
CREATE FUNCTION theirs.clock_timestamp() RETURNS timestamptz
    LANGUAGE sql RETURN '1999-01-01Z'::timestamptz;
CREATE TABLE theirs.pg_class (oid integer);
CREATE TABLE theirs.time_zone_names (id integer);
"""
PATHS = (
    "portal",
    "portal, pg_catalog",
    "pg_catalog, portal",
    '"portal","pg_catalog"',
    "portal, public, pg_catalog",
    "portal, theirs, public",
    "portal, theirs, pg_catalog",
    "portal, theirs, public, pg_catalog",
    "portal, PG_CATALOG",
)
# of a name in quotes every character counts
_ODD_NAMES = ("a, pg_catalog", 'ours ", pg_catalog', " pg_catalog ", "x.pg_catalog")


@pytest.mark.parametrize("path", PATHS)
def test_any_search_path(
    tmp_path: Path, empty_database_url: str, run_cli: RunCli, path: str
) -> None:
    """Every command does the same; also where pg_catalog comes last."""
    with open_observer(empty_database_url) as look:
        look.execute(_OTHERS.encode())
    join = "&" if "?" in empty_database_url else "?"
    options = quote(f"-csearch_path={path.replace(' ', '')}")
    env = {"DATABASE_URL": f"{empty_database_url}{join}options={options}"}
    sources = SourceFile(tmp_path)
    with LocalServer() as server:
        answers = [table([1.0, None, 3.0]), table({h: h + 0.5 for h in range(12_000)})]
        sources.csv("load", server.answer("/load.csv", *answers), max_window="3000 days")
        sources.write()
        for _ in range(3):
            done = run_cli("fetch", "load", env=env)
            assert done.returncode == 0, done.stderr
    for command in (
        ("history", "load"),
        ("history", "load", "--as-of", "now", "--format", "csv"),
        ("history", "load", "--diff", "2020", "now"),
        ("list-sources",),
        ("list-sources", "--json"),
        ("healthcheck",),
        ("verify",),
        ("dump", "load", "a.jsonl"),
        ("restore", "a.jsonl"),
        ("migrate",),
    ):
        done = run_cli(*command, env=env)
        assert done.returncode == 0, (command, done.stderr)
    assert (
        ",1.5," in run_cli("history", "load", "--start", "2020", "--format", "csv", env=env).stdout
    )
    with open_observer(empty_database_url) as look:
        rows = look.execute(
            "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'time_series%'"
        ).fetchall()
        years = look.execute(
            "SELECT min(extract(year FROM started_at)) > 2000 FROM portal.fetch_run"
        ).fetchone()
    assert rows == [("portal",)]
    assert years == (True,)


@pytest.mark.parametrize("name", _ODD_NAMES)
def test_a_schema_whose_name_has_commas_and_quotes(
    tmp_path: Path, empty_database_url: str, run_cli: RunCli, name: str
) -> None:
    """It is one name, and the portal lies there."""
    quoted = f'"{name.replace(chr(34), 2 * chr(34))}"'
    with open_observer(empty_database_url) as look:
        look.execute(f"CREATE SCHEMA {quoted}".encode())
    join = "&" if "?" in empty_database_url else "?"
    options = quote("-csearch_path=" + f"{quoted}, pg_catalog".replace(" ", "\\ "))
    env = {"DATABASE_URL": f"{empty_database_url}{join}options={options}"}
    (tmp_path / "load.csv").write_text("ts,value\n2025-01-01,1\n", encoding="utf-8")
    sources = SourceFile(tmp_path)
    sources.csv("load", "load.csv", timezone="UTC")
    sources.write()
    for command in (("fetch", "load"), ("read", "load"), ("verify",)):
        done = run_cli(*command, env=env)
        assert done.returncode == 0, (command, done.stderr)
    with open_observer(empty_database_url) as look:
        rows = look.execute(
            "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'time_series%'"
        ).fetchall()
    assert rows == [(name,)]
