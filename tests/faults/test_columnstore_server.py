"""Compressed chunks on a server of the test's own: its disk is full, it is dumped and restored."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest
from support.compression import compress_all, rows_outside, storage_of
from support.invariants import broken_invariants
from support.store_feed import current, open_feed, open_observer, values

from dataportal.store.connection import connect
from dataportal.store.migrations import migrate
from dataportal.store.read.overview import open_reader
from dataportal.store.read.verify import verify
from dataportal.store.upkeep.columnstore import enable_columnstore, read_columnstore

if TYPE_CHECKING:
    from conftest import RunCli
    from support.containers import OwnServer

pytestmark = [pytest.mark.columnstore, pytest.mark.docker, pytest.mark.slow]
NAMES = [f"s{n}" for n in range(30)]


def with_columnstore(url: str) -> None:
    """A schema, and the columnstore on, in which nothing works by itself."""
    with closing(connect(url, application_name="test")) as connection:
        migrate(connection)
        enable_columnstore(connection, timedelta())
        connection.execute(
            "SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs"
            " WHERE hypertable_name IS NOT NULL"
        )


def checksum(url: str) -> object:
    """Of all current values and versions."""
    with open_observer(url) as look:
        return look.execute(
            "SELECT (SELECT sum(hashtextextended(d::text, 0)) FROM time_series_data AS d),"
            " (SELECT sum(hashtextextended(v::text, 0)) FROM time_series_data_scd2 AS v)"
        ).fetchone()


def assert_sound(url: str) -> None:
    """The invariants hold, and `verify` finds nothing."""
    with open_observer(url) as look:
        assert broken_invariants(look) == []
    with open_reader(url) as reader:
        assert list(verify(reader)) == []


def test_a_disk_that_fills_up_during_upkeep(own_server: OwnServer, run_cli: RunCli) -> None:
    """69 and what to do; every value is there, compressed or not. With room it goes on."""
    url = own_server.in_small_tablespace("full_up")
    with_columnstore(url)
    chance = Random(1)  # noqa: S311 - what hardly compresses
    with open_feed(url, *NAMES) as feed:
        feed.merge({name: {h: chance.random() for h in range(6_900)} for name in NAMES})
        feed.finish()
    before, rows = checksum(url), storage_of(url)
    own_server.fill()
    full = run_cli("maintain", env={"DATABASE_URL": url})
    assert full.returncode == 69, full.stdout
    assert "The server's disk is full: make room, then run again" in full.stderr
    assert checksum(url) == before
    own_server.make_room()
    assert_sound(url)
    done = run_cli("maintain", env={"DATABASE_URL": url})
    assert done.returncode == 0, done.stderr
    assert checksum(url) == before
    assert storage_of(url).bytes < 0.3 * rows.bytes
    # to take it back needs room as well: chunks become rows, or stay as they are
    own_server.fill()
    refused = run_cli("migrate", "--no-columnstore", env={"DATABASE_URL": url})
    assert refused.returncode == 69
    assert "disk is full" in refused.stderr
    assert checksum(url) == before
    own_server.make_room()
    assert run_cli("migrate", "--no-columnstore", env={"DATABASE_URL": url}).returncode == 0
    assert checksum(url) == before
    assert_sound(url)


def test_a_dump_by_postgres_is_restored(own_server: OwnServer, run_cli: RunCli) -> None:
    """Compressed chunks, open ones and the policy come over, and the next revision is stored."""
    url = own_server.url
    with_columnstore(url)
    with open_feed(url) as feed:
        feed({h: float(h) for h in range(5_000)})
        compress_all(url)
        feed(dict.fromkeys(range(0, 5_000, 700), -1.0))
        feed.finish()
    there = own_server.in_restored_dump("moved")
    assert checksum(there) == checksum(url)
    with open_observer(url) as look, open_observer(there) as moved:
        assert rows_outside(moved) == rows_outside(look)
        assert (values(moved), current(moved)) == (values(look), current(look))
    with closing(connect(there, application_name="test")) as connection:
        state = read_columnstore(connection)
        assert (state.enabled, state.after) == (True, timedelta())
    with open_feed(there) as feed:
        assert feed({100: -2.0, 9_000: 1.0}).counts.revised == 1
        feed.finish()
    assert run_cli("maintain", env={"DATABASE_URL": there}).returncode == 0
    assert_sound(there)
