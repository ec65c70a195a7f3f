"""The roles of sql/roles.sql: what each of them needs it can do, and nothing that harms history."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from support.store_feed import (
    PATHS,
    current,
    history,
    hour,
    open_feed,
    open_observer,
    progress_of,
    state_of,
    values,
)
from support.stored_runs import START

from dataportal.errors import DatabaseError, SchemaError
from dataportal.observations import Observations
from dataportal.store.connection import connect
from dataportal.store.migrations import _apply, migrate, migrations
from dataportal.store.rate_limits import DatabaseRateLimiter
from dataportal.store.read import history as reading
from dataportal.store.read.overview import database_facts, open_reader, overview, states_for_due
from dataportal.store.records import Counts, Outcome, RunKind, SeriesRecord, SliceWrite
from dataportal.store.roles import grants
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Iterator

_PASSWORD = "for-tests-only"  # noqa: S105 - of roles that live as long as a test


@dataclass(frozen=True)
class Roles:
    """URLs of the same database for its owner and for members of both roles."""

    owner: str
    writer: str
    reader: str


def grant(connection: psycopg.Connection[Any], writer: str, reader: str) -> None:
    """Run the script for roles of these names."""
    migrator = f"{connection.info.dbname}_migrator"
    connection.execute(grants(migrator=migrator, writer=writer, reader=reader).encode())


def as_user(url: str, user: str) -> str:
    """The URL for another user."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{user}:{quote(_PASSWORD)}@{address}").geturl()


@pytest.fixture
def roles(database_url: str) -> Iterator[Roles]:
    """Both roles in a database that gives nothing to everybody."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = connection.info.dbname
        groups = {kind: Identifier(f"{name}_{kind}") for kind in ("writer", "reader")}
        users = {kind: f"{name}_{kind}_user" for kind in groups}
        connection.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(name)))
        grant(connection, f"{name}_writer", f"{name}_reader")
        for kind, group in groups.items():
            connection.execute(
                SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}").format(
                    Identifier(users[kind]), _PASSWORD, group
                )
            )
        yield Roles(database_url, *(as_user(database_url, users[kind]) for kind in groups))
        for user in users.values():
            connection.execute(SQL("DROP ROLE {}").format(Identifier(user)))
        for group in (*groups.values(), Identifier(f"{name}_migrator")):
            connection.execute(SQL("DROP OWNED BY {}").format(group))
            connection.execute(SQL("DROP ROLE {}").format(group))


@pytest.mark.parametrize("path", PATHS)
def test_the_writer_does_complete_runs(roles: Roles, path: str) -> None:
    """From opening to closing: first load, revision, retraction, over years; and prunes."""
    years: dict[int, float | None] = {h: float(h) for h in range(-50_000, 20_000, 5_000)}
    with open_feed(roles.writer, sizes=PATHS[path]) as feed:
        assert feed(years).counts.inserted == len(years)
        feed.session.finish_run(feed.run, Outcome.SUCCEEDED, history_asked=True)
    with open_observer(roles.owner) as look:
        look.execute(
            "INSERT INTO fetch_run (source, kind, started_at, finished_at, outcome, window_start,"
            " host, pid, version) VALUES ('grid', 'scheduled', '2000-01-01', '2000-01-01',"
            " 'unchanged', '2000-01-01', 'h', 1, '1')"
        )
    with open_feed(roles.writer, sizes=PATHS[path]) as feed:
        session = feed.session
        assert session.register([SeriesRecord("load", unit="MW"), SeriesRecord("wind")]).warnings
        assert progress_of(session)["load"].history_asked
        merged = feed({**years, 0: 0.5, 5_000: None}, wind={0: 1.0})
        assert (merged.counts.revised, merged.counts.retracted) == (1, 1)
        published = Observations([hour(1)], [2.0], [hour(3)], [(hour(1), hour(3), 2.0)])
        assert (
            session.merge(
                SliceWrite(
                    feed.run,
                    {"wind": published},
                    start=hour(0),
                    end=None,
                    received=Counts(received=1),
                )
            ).vintages
            == 1
        )
        feed.finish()
        backfill = session.start_run(RunKind.BACKFILL, START, hour(1))
        session.finish_run(backfill, Outcome.FAILED)
        assert session.unfinished_backfill()
        session.resume_run(backfill)
        session.finish_run(backfill, Outcome.UNCHANGED)
        assert state_of(session).last_success
        with closing(SourceSession.open(roles.writer, "grid")) as other:
            assert not other.try_lock()
            assert str(other.holder()).startswith("dataportal grid from ")
    assert states_for_due(roles.writer)["grid"].failures == 0
    with open_observer(roles.owner) as look:
        assert values(look)[0] == [0.0, 0.5]
        assert 5_000 not in current(look)
        assert history(look)[5_000][-1].until == merged.knowledge_time
        old = look.execute("SELECT count(*) FROM fetch_run WHERE started_at < '2001-01-01'")
        assert old.fetchone() == (0,)


def test_the_writer_takes_a_renamed_source_over(roles: Roles) -> None:
    """Which writes to the series and to the memory of both sources."""
    with open_feed(roles.writer, source="old") as feed:
        feed({0: 1.0})
    with closing(SourceSession.open(roles.writer, "new")) as session:
        assert session.try_lock()
        session.register([SeriesRecord("load")], renamed_from="old")
    with open_observer(roles.owner) as look:
        assert look.execute("SELECT source FROM time_series").fetchall() == [("new",)]


DAMAGE = (
    "DELETE FROM time_series_data_scd2",
    "TRUNCATE time_series_data_scd2",
    "TRUNCATE time_series_data",
    "UPDATE time_series_data_scd2 SET value = 0",
    "UPDATE time_series_data_scd2 SET valid_from = '-infinity'",
    "UPDATE time_series_data_scd2 SET ts = ts + interval '1 hour'",
    "UPDATE time_series_data_scd2 SET run_id = 0",
    "UPDATE time_series_data_scd2 SET series_id = 0",
    "UPDATE time_series_data_scd2 SET valid_to = now(), value = 0",
    "UPDATE time_series_data_history SET value = 0",
    "DELETE FROM time_series_data_history",
    (
        "INSERT INTO time_series_data_scd2 SELECT * FROM time_series_data_scd2"
        " ON CONFLICT (series_id, ts, valid_to) DO UPDATE SET value = 0"
    ),
    "DROP TABLE time_series_data_scd2 CASCADE",
    "ALTER TABLE time_series_data_scd2 DROP COLUMN value",
    "ALTER TABLE time_series_data_scd2 OWNER TO CURRENT_USER",
    (
        "CREATE TRIGGER harm BEFORE INSERT ON time_series_data_scd2 FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    "UPDATE time_series_vintage SET value = 0",
    "DELETE FROM time_series_vintage",
    "TRUNCATE time_series_vintage",
    "UPDATE time_series_issue SET points = 0",
    "DELETE FROM time_series_issue",
    "DELETE FROM time_series",
    "DELETE FROM source_state",
    "DELETE FROM schema_migration",
    "INSERT INTO schema_migration VALUES (9, '9', '9', now(), '9')",
    "CREATE TABLE more (n int)",
    "CREATE FUNCTION harm() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DROP FUNCTION time_series_data_as_of",
)
WRITES = (
    "INSERT INTO time_series_data SELECT * FROM time_series_data",
    "INSERT INTO time_series_data_scd2 SELECT * FROM time_series_data_scd2",
    "UPDATE time_series_data SET value = 0",
    "UPDATE time_series_data_scd2 SET valid_to = now()",
    "DELETE FROM time_series_data",
    "UPDATE time_series SET name = ''",
    "UPDATE source_state SET failures = 0",
    "UPDATE fetch_run SET error = ''",
    "DELETE FROM fetch_run",
    "SELECT * FROM time_series_data FOR UPDATE",
)


def chunks(look: psycopg.Connection[Any]) -> list[str]:
    """The tables that TimescaleDB keeps versions in; none where it is not."""
    rows = look.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent = 'time_series_data_scd2'::regclass"
    )
    return [name for (name,) in rows]


def assert_refused(url: str, statements: tuple[str, ...], look: psycopg.Connection[Any]) -> None:
    """None of these can be done, and nothing has changed."""
    before = current(look), history(look)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    assert (current(look), history(look)) == before


def fill(url: str) -> None:
    """Some history."""
    with open_feed(url) as feed:
        feed({0: 1.0, 1: 1.0, -20_000: 1.0})
        feed({0: 2.0, 1: None})
        feed.finish()


def damage_to(look: psycopg.Connection[Any]) -> tuple[str, ...]:
    """What nobody but the owner may do, also behind the back of the table."""
    made = chunks(look)
    behind = [f"DELETE FROM {chunk}" for chunk in made]  # noqa: S608 - names from the catalogue
    behind += [f"UPDATE {chunk} SET value = 0" for chunk in made]  # noqa: S608
    if made:
        behind.append("SELECT drop_chunks('time_series_data_scd2', older_than => now())")
    return (*DAMAGE, *behind)


def test_the_writer_can_neither_change_nor_delete_a_version(roles: Roles) -> None:
    """Nor drop, truncate, own or redefine anything; in its chunks neither."""
    fill(roles.writer)
    with open_observer(roles.owner) as look:
        assert_refused(roles.writer, damage_to(look), look)


SHADOWS = """
CREATE TEMP TABLE time_series_data (ts timestamptz);
CREATE TEMP TABLE pg_extension (extname text, extnamespace oid);
CREATE FUNCTION pg_temp.dataportal_open_chunks_of(regclass, text[], timestamptz[])
RETURNS integer LANGUAGE sql AS 'SELECT 1 / 0';
CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql
AS $$SELECT timestamptz 'infinity'$$;
SET search_path = pg_temp, public, pg_catalog;
"""


def test_the_writer_opens_chunks_with_the_rights_of_the_owner(roles: Roles) -> None:
    """As wide as their times ask for; by that function alone, whatever lies in its own path."""
    with open_observer(roles.owner) as look:
        name = look.info.dbname
        look.execute(
            SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(
                Identifier(name), Identifier(f"{name}_writer")
            )
        )
    with psycopg.connect(roles.writer, autocommit=True) as writer:
        writer.execute(SHADOWS)
        opened = writer.execute(
            "SELECT public.dataportal_open_chunks('history', ARRAY['1700-01-01', '1750-01-01',"
            " '1999-01-01']::timestamptz[])"
        ).fetchone()
        assert writer.execute("SELECT current_user = session_user").fetchone() == (True,)
        for statement in (
            (
                "SELECT public.dataportal_open_chunks_of('public.time_series_data',"
                " ARRAY['updated_at'], ARRAY[now()])"
            ),
            "ALTER FUNCTION public.dataportal_open_chunks(text, timestamptz[]) RESET ALL",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                writer.execute(statement.encode())
        assert writer.execute(
            "SELECT public.dataportal_open_chunks('fetch_run', ARRAY[now()])"
        ).fetchone() == (None,)
    with open_observer(roles.owner) as look:
        assert opened == (3 if chunks(look) else 0,)
        assert len(chunks(look)) in {0, 2}
        assert not history(look)
        if chunks(look):
            with (
                pytest.raises(psycopg.errors.InsufficientPrivilege),
                psycopg.connect(roles.writer) as writer,
            ):
                writer.execute(
                    "SELECT set_chunk_time_interval('time_series_data_scd2', INTERVAL '1 day')"
                )


def test_the_reader_opens_no_chunks(roles: Roles) -> None:
    """The function is not for everybody."""
    with (
        psycopg.connect(roles.reader) as reader,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        reader.execute("SELECT dataportal_open_chunks('data', ARRAY[now()])")


def test_a_writer_without_that_right_stores_all_the_same(roles: Roles) -> None:
    """As roles were before: what is old is stored, and the run tells what is missing."""
    with open_observer(roles.owner) as look:
        look.execute(
            SQL("REVOKE EXECUTE ON FUNCTION dataportal_open_chunks FROM {}").format(
                Identifier(f"{look.info.dbname}_writer")
            )
        )
    with open_feed(roles.writer) as feed:
        merged = feed({-2_000_000: 1.0})
        assert merged.counts.inserted == 1
        assert len(merged.notes) == 1
        assert "permission denied for function" in merged.notes[0]


def test_a_writer_of_before_keeps_its_rights(empty_database_url: str) -> None:
    """Who could add versions may open chunks, without grants anew."""
    with connect(empty_database_url, application_name="test") as connection:
        for migration in migrations()[:13]:
            _apply(connection, migration)
        name = f"{connection.info.dbname}_before"
        connection.execute(SQL("CREATE ROLE {}").format(Identifier(name)))
        try:
            connection.execute(
                SQL("GRANT INSERT ON time_series_data_scd2 TO {}").format(Identifier(name))
            )
            migrate(connection)
            assert connection.execute(
                "SELECT has_function_privilege(%s, oid, 'execute') FROM pg_proc"
                " WHERE proname LIKE 'dataportal_open_chunks%%' ORDER BY proname",
                [name],
            ).fetchall() == [(True,), (False,)]
        finally:
            connection.execute(SQL("DROP OWNED BY {}").format(Identifier(name)))
            connection.execute(SQL("DROP ROLE {}").format(Identifier(name)))


def test_the_reader_cannot_write_at_all(roles: Roles) -> None:
    """Neither what the writer can nor what it cannot."""
    fill(roles.writer)
    with open_observer(roles.owner) as look:
        assert_refused(roles.reader, (*damage_to(look), *WRITES), look)
    with pytest.raises(DatabaseError, match=r"sql/README.md lists for it"), open_feed(roles.reader):
        pass


def test_the_reader_reads_everything(roles: Roles) -> None:
    """Each answer that the program gives, and the view, the function and the tables."""
    fill(roles.writer)
    with open_reader(roles.reader) as reader:
        assert reading.series_names(reader) == ["load"]
        summary = reading.series_summary(reader, "load")
        assert summary
        assert summary.versions == 4
        series, known, last = summary.series_id, summary.first_known, summary.last_known
        assert known
        assert last
        assert len(list(reading.observations(reader, series))) == 2
        assert len(list(reading.observations(reader, series, at=known))) == 3
        assert len(reading.versions(reader, series, hour(0))) == 2
        assert len(list(reading.differences(reader, series, known, last))) == 2
        assert len(reading.latest_revisions(reader, series, limit=9)) == 2
        assert overview(reader)["grid"].series[0].newest == hour(0)
        assert database_facts(reader).server_version
        assert reader.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
        for table in (
            "time_series_data_history",
            "time_series_data",
            "fetch_run",
            f"time_series_data_as_of('{known + timedelta(0)}')",
        ):
            assert reader.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() != (0,)  # noqa: S608


def test_no_table_is_forgotten(roles: Roles) -> None:
    """Both roles may read whatever the migrations made."""
    with open_observer(roles.owner) as look:
        relations = look.execute(
            "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'v', 'p')"
            " AND relnamespace = current_schema()::regnamespace"
        ).fetchall()
    assert len(relations) > 7
    for url in (roles.reader, roles.writer):
        with psycopg.connect(url, autocommit=True) as connection:
            for relation in relations:
                connection.execute(SQL("SELECT FROM {}").format(Identifier(*relation)))


def test_the_writer_takes_slots_for_requests(roles: Roles) -> None:
    """Of rate limits that several machines keep together."""
    with closing(DatabaseRateLimiter(roles.writer)) as slots:
        assert slots.take("host", 60.0) <= 0
        assert 0 < slots.take("host", 60.0) <= 60


def test_the_script_can_be_run_again(roles: Roles) -> None:
    """It takes back what is too much, and everything goes on."""
    with psycopg.connect(roles.owner, autocommit=True) as connection:
        name = connection.info.dbname
        writer = Identifier(f"{name}_writer")
        connection.execute(SQL("GRANT ALL ON time_series_data_scd2 TO {}").format(writer))
        for _ in range(2):
            grant(connection, f"{name}_writer", f"{name}_reader")
    fill(roles.writer)
    with open_observer(roles.owner) as look:
        assert_refused(roles.writer, damage_to(look), look)


def test_roles_have_names_of_their_own(database_url: str) -> None:
    """Unless others are set; and they cannot log in."""
    with psycopg.connect(database_url) as connection, connection.transaction(force_rollback=True):
        connection.execute(grants().encode())
        names = [f"dataportal_{role}" for role in ("migrator", "reader", "writer")]
        rows = connection.execute(
            "SELECT rolname, rolcanlogin, rolsuper FROM pg_roles"
            " WHERE rolname = ANY (%s) ORDER BY 1",
            [names],
        ).fetchall()
    assert rows == [(name, False, False) for name in names]


def test_grants_are_for_one_schema(roles: Roles) -> None:
    """Another portal in the same database is out of reach."""
    with psycopg.connect(roles.owner, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA other")
    option = f"options={quote('-csearch_path=other', safe='')}"
    owner, writer = (f"{u}{'&' if '?' in u else '?'}{option}" for u in (roles.owner, roles.writer))
    SourceSession.open(owner, "grid").close()
    with pytest.raises((SchemaError, DatabaseError)):
        SourceSession.open(writer, "grid")
    with psycopg.connect(roles.writer) as connection, pytest.raises(psycopg.Error, match="denied"):
        connection.execute("SELECT FROM other.time_series_data_scd2")
