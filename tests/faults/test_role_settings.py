"""Whatever a server, a database or a role sets for its sessions: runs and answers stay the same."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from psycopg.sql import SQL, Identifier, Literal
from support.http_server import LocalServer
from support.program_sources import SourceFile, outcomes, table
from support.store_feed import open_observer

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCli

SETTINGS = (
    # how values are read and written
    *(("DateStyle", "German, DMY"), ("DateStyle", "SQL, YMD"), ("IntervalStyle", "iso_8601")),
    *(("IntervalStyle", "sql_standard"), ("TimeZone", "Asia/Kathmandu"), ("TimeZone", "-14")),
    *(("bytea_output", "escape"), ("extra_float_digits", "-15"), ("client_encoding", "LATIN1")),
    *(("standard_conforming_strings", "off"), ("backslash_quote", "off"), ("array_nulls", "off")),
    *(("transform_null_equals", "on"), ("xmloption", "document"), ("quote_all_identifiers", "on")),
    *(("lc_numeric", "C"), ("lc_monetary", "C"), ("lc_time", "C")),
    # transactions, and limits that are meant for people
    *(("default_transaction_isolation", level) for level in ("serializable", "repeatable read")),
    *(("default_transaction_read_only", "on"), ("default_transaction_deferrable", "on")),
    *((f"{name}_timeout", "100") for name in ("statement", "lock", "idle_session", "transaction")),
    *(("idle_in_transaction_session_timeout", "100"), ("synchronous_commit", "off")),
    *(
        ("tcp_keepalives_idle", "7200"),
        ("tcp_user_timeout", "1"),
        ("client_connection_check_interval", "1"),
    ),
    # how statements are planned
    *((f"enable_{way}", "off") for way in ("indexscan", "indexonlyscan", "bitmapscan", "seqscan")),
    *((f"enable_{way}", "off") for way in ("hashjoin", "mergejoin", "nestloop", "sort", "hashagg")),
    *(("plan_cache_mode", "force_generic_plan"), ("work_mem", "64kB"), ("jit_above_cost", "0")),
    *(("jit", "on"), ("from_collapse_limit", "1"), ("constraint_exclusion", "on")),
    *(("parallel_setup_cost", "0"), ("min_parallel_table_scan_size", "0"), ("geqo_threshold", "2")),
    # what else may be in the way
    *(("client_min_messages", "debug5"), ("client_min_messages", "error"), ("row_security", "off")),
    *(("check_function_bodies", "off"), ("default_toast_compression", "pglz")),
    *(("search_path", "public, pg_catalog"), ("application_name", "another")),
)


@pytest.mark.slow
@pytest.mark.timeout(600)  # a hundred and fifty programs, on a machine that may have other work
def test_settings_of_a_database(tmp_path: Path, database_url: str, run_cli: RunCli) -> None:
    """Some fifty, one after the other: each run stores what changed, and the answer is right."""
    env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0"}
    database = urlsplit(database_url).path[1:]
    sources = SourceFile(tmp_path)
    number = 0
    with LocalServer() as server:
        sources.csv("load", f"{server.url}/load.csv", params={"time_format": ""})
        sources.entries["load"]["metadata"]["description"] = "Lüge \\ 'quoted'"
        del sources.entries["load"]["default_params"]["time_format"]
        sources.write()
        for name, value in SETTINGS:
            with open_observer(database_url) as look:
                known = look.execute("SELECT current_setting(%s, true)", [name]).fetchone()
                if known == (None,):
                    continue  # of another version of PostgreSQL
                change = SQL("ALTER DATABASE {} SET {} = {}")
                if name in {"DateStyle", "search_path"}:
                    change = SQL("ALTER DATABASE {} SET {} TO " + value)
                    look.execute(change.format(Identifier(database), Identifier(name)))
                else:
                    look.execute(
                        change.format(Identifier(database), Identifier(name), Literal(value))
                    )
            number += 1
            server.answer("/load.csv", table([number + 0.1, 1e-300, -1234567.891]))
            done = run_cli("fetch", "load", env=env)
            assert done.returncode == 0, (name, value, done.stderr)
            shown = run_cli("history", "load", "--as-of", "now", "--format", "csv", env=env)
            assert shown.returncode == 0, (name, value, shown.stderr)
            for text in (f",{number + 0.1},", ",1e-300,", ",-1234567.891,", "2025-03-01T00:00:00Z"):
                assert text in shown.stdout, (name, value, shown.stdout)
            with open_observer(database_url) as look:
                look.execute("SET default_transaction_read_only = off")
                look.execute(
                    SQL("ALTER DATABASE {} RESET {}").format(Identifier(database), Identifier(name))
                )
        assert run_cli("verify", env=env).returncode == 0
    assert number > 40
    assert outcomes(database_url) == ["succeeded"] * number
