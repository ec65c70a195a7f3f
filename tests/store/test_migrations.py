"""The schema: made once by whoever comes first, never half, and never changed by the wrong one."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.sql import SQL, Identifier
from support.databases import with_extension
from support.schemas import describe_schema
from support.store_feed import current, history, open_feed, open_observer

from dataportal.errors import DatabaseError, DatabaseTransientError, ExitCode, SchemaError
from dataportal.store import migrations as under_test
from dataportal.store.connection import connect
from dataportal.store.lock import lock_key, try_lock
from dataportal.store.migrations import (
    Migration,
    ensure_schema,
    migrate,
    migrations,
    require_schema,
    schema_state,
)
from dataportal.store.read.overview import database_facts, open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from conftest import RunCli, StartCli
    from support.databases import Databases

RELEASED = {
    "0001_schema": "5f5b751ee4c0714f3fc4d1cafff8e2ce7b3973f1e7d7d730a4db9cf0d21befb6",
    "0002_vintages": "4b10db8f5e3e0e1d9ed6c5643a13471f9a8ca2703c13bc5cd5883601301255c2",
    "0003_request_slots": "bb5af7b2477b9b3983fcb2a06af8483aff64b1221fb275d70e9450098752e48f",
    "0004_restores": "92b8567daa26f90338c1a96e5de102aefa3e756defe6cee12b590177c0fa2fea",
    "0005_doubts": "1b1054b326f220ee6227f77fa3ef06379a963377662a93d592cc97c14ba95e00",
    "0006_advances": "7c2135baac0299b8da969a7916fece91e70c9e7e04f2e6d7b490abfa288c109a",
    "0007_resolutions": "1cdc2446e55bdc1ee3ab333213440fd9d5134aa6f2ca2956a14ad189f7fcb588",
    "0008_points_in_time": "4869813c8aec996a11d4bba59ff96e21f92a2de42bba4b64335fa07077878659",
    "0009_changes": "17671a1b38bc266ffb13318000a254b37cc1e76855fc328b26dffc38706c9d2a",
    "0010_runs": "ef8ece138c2e4b9a84708d4e80c643326556db08455158efae8bc16f69d99035",
    "0011_statements": "f5f930a7ece2deef464ae753081755f29bc0fe77f5283bb290ec1454bb9980b3",
    "0012_backfills": "3a8c0f8838afaebde17f83674867b8244421fab2ac23f78f4c3326b93819a1d4",
    "0013_reminders": "a44422a8f2244eab9c9d8ab65c2a0be4a1f82544629535a67f6ecf843ac6dd96",
    "0014_chunks": "718b6453c1b3372fad9067acca11466bf9c7770a4e92d7518f2c7053af621a0f",
    "0015_availability": "a5269b7cf000c488d00774f8ad623485310e5b6118190509ac792a43705e4545",
    "0016_verifications": "21b681ce8b16f2a7714e5aef44ce6b30ff14ac2fa612e318ff3e9c0db1e6f6c8",
    "0017_portable": "da6e6850e22ae8592cfe7384d92031ceba9ddcfcf65548924d3f26dc4c50ca78",
    "0018_timelines": "b72ebc3c5917b9f96c8b2b48580486f8f391bba1d8b7386be15d37d6b59bcca2",
    "0019_newest": "8a9faf4f16ea6f1060bf82d9402203c00dad5f7de059752748c31a9beee3ccd8",
    "0020_published": "a1cb1cdc810a92f5c3e664f8e747bff4bb938e3c5d71f4ff3edecd9a38af452b",
}
HYPERTABLES = ("time_series_data", "time_series_data_scd2", "time_series_vintage")
NAMES = tuple(migration.name for migration in migrations())
MORE = Migration(len(NAMES) + 1, f"{len(NAMES) + 1:04}_more", b"CREATE TABLE more (n int)")


@contextmanager
def connection_to(url: str) -> Iterator[psycopg.Connection]:
    """A connection as the program has it."""
    with connect(url, application_name="dataportal test") as connection:
        yield connection


def applied_names(url: str) -> list[str]:
    """The names recorded; none where nothing is recorded at all."""
    with connection_to(url) as connection:
        return list(schema_state(connection).applied)


def test_released_migrations_never_change() -> None:
    """A new file gets a line above; a line above is there for ever."""
    assert {migration.name: migration.sha256 for migration in migrations()} == RELEASED


def test_migrations_are_numbered_from_one() -> None:
    """Without a gap, in the order of their names."""
    assert [m.version for m in migrations()] == list(range(1, len(NAMES) + 1))
    assert sorted(NAMES) == list(NAMES)


def test_an_empty_database_gets_everything_once(empty_database_url: str) -> None:
    """Then there is nothing left to do, and the schema is the one that a reader wants."""
    with connection_to(empty_database_url) as connection:
        with pytest.raises(SchemaError, match=r"missing.*dataportal migrate") as caught:
            require_schema(connection)
        assert caught.value.exit_code == ExitCode.CONFIGURATION
        messages: list[str] = []
        assert migrate(connection, say=messages.append) == NAMES
        assert messages == [f"applied {name}" for name in NAMES]
        assert migrate(connection, say=messages.append) == ()
        assert len(messages) == len(NAMES)
        assert require_schema(connection) == ensure_schema(connection) == "public"


def test_eight_at_once_make_one_schema(empty_database_url: str, database_url: str) -> None:
    """One of them applies each migration, the others find it done, and nobody fails."""
    together = Barrier(8)

    def one(_: int) -> tuple[str, ...]:
        with connection_to(empty_database_url) as connection:
            together.wait()
            return migrate(connection)

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(one, range(8)))
    assert sorted(done) == [*[()] * 7, NAMES]
    assert describe_schema(empty_database_url) == describe_schema(database_url)


def test_two_processes_at_once_make_one_schema(
    start_cli: StartCli, empty_database_url: str, database_url: str
) -> None:
    """Both succeed."""
    env = {"DATABASE_URL": empty_database_url}
    both = [start_cli("migrate", "--json", env=env) for _ in range(2)]
    for process in both:
        _, messages = process.communicate(timeout=60)
        assert (process.returncode, messages) == (0, "")
    assert describe_schema(empty_database_url) == describe_schema(database_url)


def test_first_runs_at_once_make_one_schema(empty_database_url: str) -> None:
    """Of different sources: each finds or makes what it needs, and stores its points."""
    together = Barrier(4)

    def one(number: int) -> None:
        together.wait()
        with open_feed(empty_database_url, f"series {number}", source=f"source {number}") as feed:
            feed.merge({f"series {number}": {0: float(number)}})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(one, range(4)))
    with open_observer(empty_database_url) as look:
        assert [current(look, f"series {n}") for n in range(4)] == [{0: float(n)} for n in range(4)]


def test_a_crash_before_the_commit_leaves_nothing(
    run_cli: RunCli, empty_database_url: str, database_url: str
) -> None:
    """And the next one succeeds unaided, though the server may not have noticed the crash yet."""
    env = {"DATABASE_URL": empty_database_url}
    killed = run_cli("migrate", env={**env, "DATAPORTAL_FAILPOINT": "migration_before_commit:kill"})
    assert killed.returncode == -9
    with open_observer(empty_database_url) as look:
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert look.execute(tables).fetchone() == (0,)
    done = run_cli("migrate", "-q", env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert describe_schema(empty_database_url) == describe_schema(database_url)


def test_a_migration_that_fails_leaves_those_before_it(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names it; once it is right, it is applied alone."""
    wrong = Migration(MORE.version, MORE.name, b"CREATE TABLE more (n int); SELECT 1 / 0")
    monkeypatch.setattr(under_test, "migrations", lambda: (*migrations(), wrong))
    with connection_to(empty_database_url) as connection:
        with pytest.raises(DatabaseError, match=f"{MORE.name}.*division by zero"):
            migrate(connection)
        assert applied_names(empty_database_url) == list(NAMES)
        monkeypatch.setattr(under_test, "migrations", lambda: (*migrations(), MORE))
        with pytest.raises(SchemaError, match=r"older.*dataportal migrate"):
            require_schema(connection)
        assert migrate(connection) == (MORE.name,)
        assert applied_names(empty_database_url) == [*NAMES, MORE.name]


def test_a_run_brings_an_older_schema_up_to_date(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all its history in place."""
    with open_feed(database_url) as feed, open_observer(database_url) as look:
        feed({0: 1.0})
        feed({0: 2.0})
        before = history(look)
        monkeypatch.setattr(under_test, "migrations", lambda: (*migrations(), MORE))
        with open_feed(database_url, "wind", source="other"):
            assert applied_names(database_url) == [*NAMES, MORE.name]
        assert history(look) == before


def assert_refused(url: str, reason: str) -> None:
    """Every way to use this schema is refused, and changes nothing."""
    before = describe_schema(url)
    with connection_to(url) as connection:
        for use in (require_schema, ensure_schema, migrate):
            with pytest.raises(SchemaError, match=reason) as caught:
                use(connection)
            assert caught.value.exit_code == ExitCode.CONFIGURATION
        with pytest.raises(SchemaError, match=reason):
            open_reader(url)
    assert describe_schema(url) == before


@pytest.mark.parametrize("pending", [False, True])
def test_a_newer_schema_is_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch, *, pending: bool
) -> None:
    """Also by a program that has a migration of its own for it."""
    with open_observer(database_url) as look:
        look.execute("INSERT INTO schema_migration VALUES (77, '0077_later', 'x', now(), '9')")
    if pending:
        monkeypatch.setattr(under_test, "migrations", lambda: (*migrations(), MORE))
    assert_refused(database_url, "newer than this program.*0077_later.*Update dataportal")


@pytest.mark.parametrize("pending", [False, True])
def test_a_changed_migration_is_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch, *, pending: bool
) -> None:
    """The schema was made by another program, so nothing is added to it either."""
    with open_observer(database_url) as look:
        look.execute("UPDATE schema_migration SET sha256 = 'x' WHERE version = 1")
    if pending:
        monkeypatch.setattr(under_test, "migrations", lambda: (*migrations(), MORE))
    assert_refused(database_url, f"{NAMES[0]} in the database is not the one of this program")


def test_a_connection_without_a_schema_is_refused(empty_database_url: str) -> None:
    """A search_path that leads nowhere; the setting is named."""
    with connection_to(empty_database_url) as connection:
        connection.execute("SET search_path = nowhere")
        for use in (require_schema, ensure_schema, migrate):
            with pytest.raises(SchemaError, match=r"no schema to work in.*search_path"):
                use(connection)


def test_a_role_that_may_not_is_told_who_may(empty_database_url: str) -> None:
    """Nothing is left behind, and the command that needs another role is named."""
    with connection_to(empty_database_url) as connection:
        role = Identifier(f"powerless_{connection.info.dbname}")
        connection.execute(SQL("CREATE ROLE {}").format(role))
        try:
            connection.execute(SQL("SET ROLE {}").format(role))
            for use in (ensure_schema, migrate):
                with pytest.raises(
                    SchemaError, match=r"may not apply.*dataportal.*migrate"
                ) as caught:
                    use(connection)
                assert caught.value.exit_code == ExitCode.CONFIGURATION
            connection.execute("RESET ROLE")
            assert schema_state(connection).applied == ()
        finally:
            connection.execute(SQL("DROP ROLE {}").format(role))


def test_who_waits_too_long_is_told_so(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else holds the lock for migrations: that may pass."""
    monkeypatch.setattr(under_test, "_LOCK_WAIT", 0.0)
    with (
        connection_to(empty_database_url) as holder,
        connection_to(empty_database_url) as other,
    ):
        assert try_lock(holder, lock_key("public", "migrations"))
        with pytest.raises(DatabaseTransientError, match="another process has been migrating"):
            migrate(other)
    assert applied_names(empty_database_url) == []


def test_the_lock_is_given_back(empty_database_url: str) -> None:
    """After success, and after a failure."""
    with (
        connection_to(empty_database_url) as connection,
        connection_to(empty_database_url) as other,
    ):
        connection.execute("SET default_transaction_read_only = on")
        with pytest.raises(DatabaseError):
            migrate(connection)
        assert migrate(other) == NAMES
        connection.execute("SET default_transaction_read_only = off")
        assert migrate(connection) == ()


def timescale(look: psycopg.Connection[Any]) -> bool:
    """Whether the server has TimescaleDB."""
    rows = look.execute("SELECT FROM pg_available_extensions WHERE name = 'timescaledb'")
    return rows.fetchone() is not None


def assert_hypertables(url: str, *, expected: bool) -> None:
    """The data tables are hypertables of yearly chunks, or plain tables."""
    with open_observer(url) as look, connection_to(url) as connection:
        facts = database_facts(connection)
        assert (facts.timescaledb is not None) == expected
        if not expected:
            assert look.execute(
                "SELECT to_regclass('_timescaledb_catalog.hypertable')"
            ).fetchone() == (None,)
            return
        assert look.execute(
            "SELECT hypertable_name, column_name, time_interval"
            " FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' ORDER BY 1"
        ).fetchall() == [(name, "ts", timedelta(days=365)) for name in HYPERTABLES]


def test_data_tables_are_hypertables_where_timescaledb_is(database_url: str) -> None:
    """And plain tables elsewhere; either way with the indexes of the migrations alone."""
    with open_observer(database_url) as look:
        expected = timescale(look)
        indexes = look.execute(
            "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public'"
            " AND tablename LIKE 'time_series_data%' ORDER BY 1"
        ).fetchall()
    assert_hypertables(database_url, expected=expected)
    assert indexes == [
        ("time_series_data", "time_series_data_pkey"),
        ("time_series_data_scd2", "time_series_data_scd2_series_id_ts_valid_to_key"),
    ]


def test_hypertables_are_made_with_the_tables(empty_database_url: str) -> None:
    """In one transaction: there is no moment at which a run could take plain tables for ready."""
    with connection_to(empty_database_url) as connection:
        for migration in migrations():
            under_test._apply(connection, migration)
        assert require_schema(connection) == "public"
    with open_observer(empty_database_url) as look:
        assert_hypertables(empty_database_url, expected=timescale(look))


def test_an_extension_that_comes_later_is_used(server_url: str, databases: Databases) -> None:
    """`migrate` turns tables that are full into hypertables; every version stays as it was."""
    with databases.fresh(server_url, "bare", lambda _: None) as url:
        with open_feed(url) as feed:
            feed({n: float(n) for n in range(-30_000, 0, 500)})
            feed(dict.fromkeys(range(-30_000, 0, 1_000), -1.0))
        assert_hypertables(url, expected=False)
        with open_observer(url) as look:
            before = current(look), history(look)
        with_extension(url)
        with connection_to(url) as connection:
            assert migrate(connection) == ()
            assert migrate(connection) == ()
        with open_observer(url) as look:
            assert_hypertables(url, expected=timescale(look))
            assert (current(look), history(look)) == before
        with open_feed(url) as feed:
            assert feed(dict.fromkeys(range(-30_000, 0, 500), -1.0)).counts.revised == 30


def test_an_extension_that_comes_later_finds_centuries(
    server_url: str, databases: Databases
) -> None:
    """What is old gets wide chunks then too, and no row is lost or changed."""
    years: dict[int, float | None] = {-n * 8_766: float(n) for n in range(325)}
    with databases.fresh(server_url, "bare", lambda _: None) as url:
        with open_feed(url) as feed:
            feed(years)
            feed({0: -1.0, -2_000_000: -1.0})
        with open_observer(url) as look:
            before = current(look), history(look)
        with_extension(url)
        with connection_to(url) as connection:
            migrate(connection)
        with open_observer(url) as look:
            assert (current(look), history(look)) == before
            assert look.execute("SELECT to_regclass('dataportal_move')").fetchone() == (None,)
            made = look.execute(
                "SELECT count(*) FROM pg_inherits"
                " WHERE inhparent = 'time_series_data_scd2'::regclass"
            ).fetchone()
            assert made
            assert made[0] <= 20
            assert (made[0] > 0) == timescale(look)


def test_no_second_portal_by_accident(database_url: str) -> None:
    """A schema that is first in the path from now on is no place for new tables; 78."""
    with connect(database_url, application_name="test") as connection:
        connection.execute("CREATE SCHEMA before")
        connection.execute("SET search_path = before, public")
        for use in (require_schema, ensure_schema, migrate):
            with pytest.raises(SchemaError, match=r"'before'.*'public'.*search_path") as caught:
                use(connection)
            assert caught.value.exit_code is ExitCode.CONFIGURATION
        assert connection.execute("SELECT to_regclass('before.time_series')").fetchone() == (None,)
        # asked for by itself, and from then on also with the other one behind it
        connection.execute("SET search_path = before")
        assert ensure_schema(connection) == "before"
        connection.execute("SET search_path = before, public")
        assert ensure_schema(connection) == "before"


ACCIDENTS = {
    "an empty table of migrations": (
        "CREATE TABLE before.schema_migration (version int, name text, sha256 text, program text)",
        "before, public",
    ),
    "one between": (
        "CREATE SCHEMA middle; CREATE TABLE middle.schema_migration (LIKE schema_migration)",
        "before, middle, public",
    ),
    "quotes and a schema that is not there": ("SELECT", '"before", nowhere, "public"'),
    "the schema of the role": (
        """DO $$ BEGIN EXECUTE format('CREATE SCHEMA %I', current_user); END $$""",
        '"$user", public',
    ),
}


@pytest.mark.parametrize("kind", ACCIDENTS)
def test_other_accidents_make_no_second_portal(database_url: str, kind: str) -> None:
    """Whatever lies in front of the portal, or between."""
    with connect(database_url, application_name="test") as connection:
        statement, path = ACCIDENTS[kind]
        connection.execute(f"CREATE SCHEMA before; {statement}".encode())
        connection.execute(f"SET search_path = {path}".encode())
        for use in (require_schema, ensure_schema, migrate):
            with pytest.raises(SchemaError, match=r"'public'.*search_path"):
                use(connection)
        rows = connection.execute("SELECT 1 FROM pg_tables WHERE tablename = 'time_series'")
        assert len(rows.fetchall()) == 1


def test_no_second_portal_where_the_first_is_not_to_be_used(database_url: str) -> None:
    """A role that lost its right to the schema makes no other one in the next."""
    role = f"dataportal_test_{secrets.token_hex(6)}"
    with connect(database_url, application_name="test") as connection:
        connection.execute(
            f"CREATE ROLE {role}; GRANT {role} TO CURRENT_USER; CREATE SCHEMA other;"
            f" GRANT CREATE, USAGE ON SCHEMA other TO {role};"
            " REVOKE ALL ON SCHEMA public FROM public;"
            f" SET search_path = public, other; SET ROLE {role}".encode()
        )
        try:
            with pytest.raises(SchemaError, match=r"'other'.*'public'"):
                ensure_schema(connection)
        finally:
            connection.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_a_table_of_migrations_that_is_not_ours(empty_database_url: str) -> None:
    """Of a name that is ours: 78, with the way to a schema of one's own."""
    with connect(empty_database_url, application_name="test") as connection:
        connection.execute("CREATE TABLE schema_migration (id integer)")
        for use in (require_schema, ensure_schema, migrate):
            with pytest.raises(SchemaError, match="schema of its own: search_path"):
                use(connection)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE time_series (id integer)",
        "CREATE VIEW fetch_run AS SELECT 1 AS run_id",
        "CREATE SEQUENCE time_series",
        "CREATE TYPE time_series AS (id integer)",
        "CREATE FUNCTION time_series_data_as_of(timestamptz) RETURNS int RETURN 1",
    ],
)
def test_what_is_somebody_elses(empty_database_url: str, statement: str) -> None:
    """Of a name that is ours: 78, with the way to a schema of one's own."""
    with connect(empty_database_url, application_name="test") as connection:
        connection.execute(statement.encode())
        for use in (ensure_schema, migrate):
            with pytest.raises(SchemaError, match="schema of its own: search_path"):
                use(connection)


def test_tables_that_end_with_the_connection(empty_database_url: str) -> None:
    """None are made where the search path begins with them; 78, with the way out."""
    with connect(empty_database_url, application_name="test") as connection:
        connection.execute("SET search_path TO pg_temp, public")
        for use in (require_schema, ensure_schema, migrate):
            with pytest.raises(SchemaError, match=r"begins with 'pg_temp'.*path%3Dpublic"):
                use(connection)
