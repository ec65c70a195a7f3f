"""One portal for several threads, and connections that are lost: the whole answer, or an error."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from support.embedded_user import ignore
from support.points_model import at
from support.reading_role import reading_role
from support.tcp_proxy import Wire

import dataportal as dp
from dataportal.embedded.server import embedded_server
from dataportal.store.connection import connect
from dataportal.store.migrations import ensure_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MANY = """
INSERT INTO time_series (endpoint_prefix, source, granularity) VALUES ('long', 'grid', '1 minute');
INSERT INTO time_series_data_scd2 (series_id, ts, value, valid_from, run_id)
SELECT series_id, '2025-01-01Z'::timestamptz + n * interval '1 minute', n, '2025-03-01Z', 1
FROM time_series, generate_series(1, 50000) AS n WHERE endpoint_prefix = 'long'
"""


@pytest.fixture
def long_url(stored_url: str) -> str:
    """A database with a series of 50,000 values besides."""
    with psycopg.connect(stored_url, autocommit=True) as connection:
        connection.execute(MANY.encode())
    return stored_url


def end_connections(url: str) -> None:
    """Let the server end all connections of portals, at whatever they are."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE application_name = 'dataportal portal' AND datname = current_database()"
        )


@pytest.mark.usefixtures("either_way")
def test_several_threads_ask_at_once(portal: dp.Portal) -> None:
    """Each gets its own answer, to whichever question."""
    questions: list[Callable[[], object]] = [
        lambda: portal.read("load", as_of=at(3.5)).to_list(),
        lambda: portal.read(["load", "wind"], wide=True).to_list(),
        lambda: list(portal.rows("wind", release="first")),
        lambda: portal.join([(at(2), at(3))] * 50, ["load", "wind"]).to_list(),
        lambda: portal.matrix("wind").to_list(),
        lambda: portal.series().to_list(),
        lambda: portal.revisions("load").to_list(),
    ]
    wanted = [ask() for ask in questions]
    start = threading.Barrier(8)

    def work(first: int) -> list[tuple[int, object]]:
        start.wait()
        numbers = [(first + step) % len(questions) for step in range(3 * len(questions))]
        return [(number, questions[number]()) for number in numbers]

    with ThreadPoolExecutor(8) as pool:
        for answers in pool.map(work, range(8)):
            assert all(answer == wanted[number] for number, answer in answers)


@pytest.mark.usefixtures("either_way")
def test_an_answer_is_of_one_moment(portal: dp.Portal, stored_url: str) -> None:
    """What is stored while it is read is not in it."""
    rows = portal.rows(["load", "wind"])
    first = next(rows)
    with psycopg.connect(stored_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE time_series_data_scd2 SET valid_to = '2026-01-01Z' WHERE valid_to = 'infinity'"
        )
    assert len([first, *rows]) == 10
    assert portal.read(["load", "wind"]).to_list() == []


def read_rows(portal: dp.Portal) -> Iterator[Any]:
    """Row by row."""
    return iter(portal.rows("long"))


def read_batches(portal: dp.Portal) -> Iterator[Any]:
    """Batch by batch, long."""
    return iter(portal.batches("long", rows=1000))


def read_wide_batches(portal: dp.Portal) -> Iterator[Any]:
    """Batch by batch, side by side."""
    return iter(portal.batches(["long", "load"], rows=1000, wide=True))


@pytest.mark.parametrize("read", [read_rows, read_batches, read_wide_batches])
def test_a_connection_that_ends_in_the_middle_is_an_error(
    long_url: str, read: Callable[[dp.Portal], Iterator[Any]]
) -> None:
    """Never a shorter answer; and the next question gets a connection of its own."""
    with dp.connect(long_url) as portal:
        answer = read(portal)
        next(answer)
        end_connections(long_url)
        with pytest.raises(dp.DatabaseTransientError):
            list(answer)
        assert len(portal.read("long")) == 50_000


def test_a_table_whose_connection_is_cut_is_an_error(long_url: str) -> None:
    """Wherever the network fails while it is read: it is whole, or there is none."""
    errors = 0
    for seconds in (0.03, 0.1, 0.2):
        # slow enough that the answer is on its way then
        with Wire(long_url, delay=0.01) as wire, dp.connect(wire.url) as portal:
            timer = threading.Timer(seconds, wire.cut)
            timer.start()
            try:
                assert portal.read("long").num_rows == 50_000
            except dp.DatabaseTransientError:
                errors += 1
            timer.join()
    assert errors


def test_a_connection_that_idles_may_end(portal: dp.Portal, stored_url: str) -> None:
    """A server that was restarted between two questions is nothing to worry about."""
    assert len(portal.read("load")) == 6
    end_connections(stored_url)
    assert len(portal.read("load")) == 6


def test_a_snapshot_may_be_held_for_half_an_hour(portal: dp.Portal) -> None:
    """Whoever looks at a batch is not hurried; what idles holds nothing."""
    with portal._snapshot() as connection:
        patience = connection.execute("SHOW idle_in_transaction_session_timeout").fetchone()
    assert patience == ("30min",)
    with portal._sessions.session() as connection:
        patience = connection.execute("SHOW idle_in_transaction_session_timeout").fetchone()
    assert patience == ("2min",)


def test_a_reader_that_is_left_gives_its_connection_back(portal: dp.Portal) -> None:
    """Whoever stops in the middle holds no snapshot."""
    for _ in range(20):
        rows = portal.rows("load")
        next(rows)
        del rows
    with portal.batches("load", rows=1) as reader:
        reader.read_next_batch()
    assert len(portal._sessions._idle) <= 4
    with portal._sessions.session() as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dataportal portal'"
            " AND datname = current_database()"
        ).fetchone() or (None,)
    assert count is not None
    assert count <= 4


def test_a_role_that_may_only_read_will_do(stored_url: str) -> None:
    """It needs nothing more, whatever is asked."""
    with reading_role(stored_url) as url, dp.connect(url) as portal:
        assert len(portal.read(["load", "wind"], wide=True)) == 6
        assert len(portal.join([(at(2), at(3))], "load")) == 1
        assert len(portal.revisions("load")) == 6
        assert len(portal.gaps("wind", start=at(0))) == 1


def test_a_process_that_is_forked_gets_connections_of_its_own(portal: dp.Portal) -> None:
    """Those of its parent go on as if nothing had been."""
    assert len(portal.read("load")) == 6
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            os.write(writer, str(len(portal.read("load"))).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        assert answer.read() == "6"
    os.waitpid(child, 0)
    assert len(portal.read("load")) == 6


@pytest.mark.embedded
def test_the_embedded_server_runs_for_as_long_as_the_portal(
    made_home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where it is asked for by name."""
    with (
        embedded_server(say=ignore, data_home=made_home) as url,
        closing(connect(url, application_name="test")) as connection,
    ):
        ensure_schema(connection)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with dp.connect(f"embedded:{made_home}") as portal:
        assert portal.series().to_list() == []
    with pytest.raises(dp.ConfigurationError, match="there is no embedded database"):
        dp.connect(f"embedded:{made_home}-elsewhere")
