"""The lock of a source: its number, who holds it, and that losing it loses the right to write."""

from __future__ import annotations

import hashlib
import os
import socket
from contextlib import closing
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.store_feed import TABLES, AtWork, current, history, open_feed, open_observer, tuples
from support.stored_runs import START

from dataportal.errors import DatabaseTransientError, ExitCode, LockedError
from dataportal.store.connection import connect
from dataportal.store.lock import held_keys, holds, lock_key, try_lock, unlock
from dataportal.store.records import Outcome, RunKind, SeriesRecord
from dataportal.store.session import SourceSession


@pytest.mark.parametrize(
    ("schema", "source", "key"),
    [
        ("public", "smard-1223-de-hour", 1_598_960_818_251_521_238),
        ("public", "migrations", -1_395_299_815_649_001_790),
        ("other", "migrations", 841_862_724_965_356_343),
        ("", "", 6_262_697_966_759_871_979),
        ("öffentlich", "größe", -9_219_121_350_544_868_055),
    ],
)
def test_the_number_of_a_lock_is_pinned(schema: str, source: str, key: int) -> None:
    """Two versions of the program must exclude each other, so it is the same for ever."""
    digest = hashlib.sha256(b"dataportal:%s:%s" % (schema.encode(), source.encode())).hexdigest()
    unsigned = int(digest[:16], 16)
    assert lock_key(schema, source) == key
    assert key == (unsigned - 2**64 if unsigned >= 2**63 else unsigned)


@given(st.text(), st.text())
def test_every_number_fits_postgresql(schema: str, source: str) -> None:
    """A bigint, signed."""
    assert -(2**63) <= lock_key(schema, source) < 2**63


def in_schema(url: str, schema: str) -> str:
    """The URL with a schema of its own to work in."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            psycopg.sql.SQL("CREATE SCHEMA {}").format(psycopg.sql.Identifier(schema))
        )
    option = quote(f"-csearch_path={schema},public", safe="")
    return f"{url}{'&' if '?' in url else '?'}options={option}"


def test_a_lock_is_held_once(database_url: str) -> None:
    """By the session that took it first, until that gives it back or closes."""
    with (
        closing(SourceSession.open(database_url, "grid")) as first,
        closing(SourceSession.open(database_url, "grid")) as second,
        closing(SourceSession.open(database_url, "other")) as other,
    ):
        assert first.try_lock()
        assert not second.try_lock()
        assert other.try_lock()
        first.unlock()
        assert second.try_lock()
        assert not first.try_lock()
        second.close()
        with open_observer(database_url) as look:
            await_free(look, lock_key("public", "grid"))
        assert first.try_lock()


def await_free(look: psycopg.Connection[Any], key: int) -> None:
    """Returns once the server has noticed that the holder has gone."""
    while key in held_keys(look):
        pass


def test_the_server_is_asked_who_holds_it(database_url: str) -> None:
    """Whatever the number's sign and size; somebody else's lock is not ours."""
    with (
        connect(database_url, application_name="first") as first,
        connect(database_url, application_name="two") as two,
    ):
        for key in (0, 1, -1, 2**63 - 1, -(2**63), 2**32, 2**31, -(2**31) - 1):
            assert not holds(first, key)
            assert try_lock(first, key)
            assert (holds(first, key), holds(two, key)) == (True, False)
            assert held_keys(two) == {key}
            unlock(first, key)
            assert not holds(first, key)
            assert held_keys(two) == set()


def test_a_lock_of_two_halves_is_another_one(database_url: str) -> None:
    """Other programs' locks, made of two integers or shared, are not mistaken for it."""
    with (
        connect(database_url, application_name="first") as first,
        connect(database_url, application_name="two") as two,
    ):
        first.execute("SELECT pg_advisory_lock(7, 9)")
        assert not holds(first, (7 << 32) | 9)
        assert try_lock(two, (7 << 32) | 9)


def test_two_schemas_share_no_lock(empty_database_url: str) -> None:
    """Several portals fit into one database, and run the same source at once."""
    urls = [in_schema(empty_database_url, name) for name in ("first", "two")]
    with open_feed(urls[0]) as first, open_feed(urls[1]) as two:
        assert first.run == two.run == 1
        first({0: 1.0})
        two({0: 2.0})
    assert (current_of(urls[0]), current_of(urls[1])) == ({0: 1.0}, {0: 2.0})


def current_of(url: str) -> dict[int, float]:
    """The current values, read through the URL's own schema."""
    with psycopg.connect(url, autocommit=True) as connection:
        return current(connection)


def test_two_databases_share_no_lock(database_url: str, empty_database_url: str) -> None:
    """Of one server."""
    with open_feed(database_url), open_feed(empty_database_url):
        for url in (database_url, empty_database_url):
            with open_observer(url) as look:
                assert lock_key("public", "grid") in held_keys(look)
                assert len(held_keys(look)) == 1


def test_the_holder_is_named(database_url: str) -> None:
    """Host, process and since when, from its run; and whether it is a backfill."""
    with (
        closing(SourceSession.open(database_url, "grid")) as holder,
        closing(SourceSession.open(database_url, "grid")) as other,
        open_observer(database_url) as look,
    ):
        assert str(other.holder()) == "a run that has just ended"
        assert holder.try_lock()
        assert str(other.holder()).startswith("dataportal grid from ")
        holder.register([SeriesRecord("load")])
        for kind in RunKind:
            run = holder.start_run(kind, START, START)
            row = look.execute(
                "SELECT started_at FROM fetch_run WHERE run_id = %s", [run]
            ).fetchone()
            assert row
            since = f"{row[0]:%Y-%m-%dT%H:%M:%SZ}"
            current = other.holder()
            assert str(current) == f"host {socket.gethostname()}, pid {os.getpid()}, since {since}"
            assert current.backfill == (kind is RunKind.BACKFILL)
            holder.finish_run(run, Outcome.SUCCEEDED)
        assert str(other.holder()).startswith("dataportal grid from ")


def test_a_killed_run_is_not_the_holder(database_url: str) -> None:
    """Its record without an end is older than the session that holds the lock now."""
    with open_feed(database_url) as killed:
        pid = killed.session._connection.info.backend_pid
        with open_observer(database_url) as look:
            look.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    with (
        closing(SourceSession.open(database_url, "grid")) as holder,
        closing(SourceSession.open(database_url, "grid")) as other,
    ):
        assert holder.try_lock()
        assert str(other.holder()).startswith("dataportal grid from ")


def test_a_terminated_connection_has_lost_its_lock(database_url: str) -> None:
    """What it wanted to store is not stored, the error may pass, and another may go on at once."""
    with open_feed(database_url) as feed, open_observer(database_url) as look:
        feed({0: 1.0, 1: 1.0})
        before = tuples(look)
        pid = feed.session._connection.info.backend_pid
        assert look.execute("SELECT pg_terminate_backend(%s, 10000)", [pid]).fetchone() == (True,)
        with open_feed(database_url) as second:
            for _ in range(2):
                with pytest.raises(DatabaseTransientError) as caught:
                    feed({0: 2.0, 1: None, 2: 3.0})
                assert caught.value.exit_code == ExitCode.DATABASE
                assert "storing the observations" in str(caught.value)
            assert tuples(look) == before
            second({0: 5.0})
            with pytest.raises(DatabaseTransientError):
                feed.finish()
        assert current(look) == {0: 5.0, 1: 1.0}
        assert [span.value for span in history(look)[0]] == [1.0, 5.0]


@pytest.mark.parametrize("table", TABLES)
def test_a_connection_that_ends_while_it_writes(database_url: str, table: str) -> None:
    """Before the first table and between the two: nothing of the slice is stored."""
    with open_feed(database_url) as feed, open_observer(database_url) as look:
        feed({0: 1.0, 1: 1.0})
        before = current(look), history(look)
        pid = feed.session._connection.info.backend_pid
        with open_observer(database_url) as other, other.transaction():
            other.execute(f"LOCK TABLE {table} IN SHARE MODE")
            work = AtWork(lambda: feed({0: 2.0, 1: None, 2: 3.0}, accept_retractions=True))
            work.await_blocked(feed, look)
            look.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
            assert isinstance(work.end(), DatabaseTransientError)
        assert (current(look), history(look)) == before


def test_a_source_that_runs_cannot_be_taken_over(database_url: str) -> None:
    """One that was renamed waits until the run under its old name has ended."""
    with open_feed(database_url, source="old") as old:
        old({0: 1.0})
        with closing(SourceSession.open(database_url, "new")) as new:
            assert new.try_lock()
            with pytest.raises(LockedError, match="'old'") as caught:
                new.register([SeriesRecord("load")], renamed_from="old")
            assert f"pid {os.getpid()}" in caught.value.holder
            with open_observer(database_url) as look:
                owner = "SELECT source FROM time_series"
                assert look.execute(owner).fetchall() == [("old",)]
                old.session.unlock()
                new.register([SeriesRecord("load")], renamed_from="old")
                assert look.execute(owner).fetchall() == [("new",)]
                assert lock_key("public", "old") not in held_keys(look)
