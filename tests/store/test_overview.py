"""All sources at a glance: their newest runs, their series, and what is to be known for due."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest
from support.store_feed import (
    hour,
    open_feed,
    open_observer,
    state_of,
)

from dataportal.errors import DatabaseError, SchemaError
from dataportal.store.connection import connect, database_errors
from dataportal.store.read.overview import (
    database_facts,
    open_reader,
    overview,
    source_states,
    states_for_due,
)
from dataportal.store.records import Outcome, RunKind, SeriesRecord, SourceState
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataportal.store.read.overview import RunRow, SourceRow


def read_overview(url: str) -> dict[str, SourceRow]:
    """The overview as a reading command has it."""
    with open_reader(url) as reader:
        return overview(reader)


def is_among(names: list[str], row: SourceRow) -> bool:
    """Whether it is the row of one of these sources."""
    return row.state.source in names


def last_run(url: str, source: str = "grid") -> RunRow:
    """The newest run of a source."""
    run = read_overview(url)[source].last_run
    assert run
    return run


@pytest.mark.parametrize("look", [read_overview, states_for_due])
def test_nothing_has_run(database_url: str, look: Callable[[str], dict[str, object]]) -> None:
    """No sources."""
    assert look(database_url) == {}


def test_states_are_those_of_the_sources(database_url: str) -> None:
    """Of every one, as its own session reads it; the overview says the same."""
    expected = {}
    for source, outcome in (("a", Outcome.SUCCEEDED), ("b", Outcome.FAILED), ("c", None)):
        with open_feed(database_url, source, source=source) as feed:
            if outcome:
                feed.finish(outcome)
            expected[source] = state_of(feed.session)
    assert expected["c"] == SourceState("c")
    assert states_for_due(database_url) == expected
    with open_reader(database_url) as reader:
        assert source_states(reader) == expected
    assert {name: row.state for name, row in read_overview(database_url).items()} == expected


def test_what_is_due_can_be_asked_first_of_all(empty_database_url: str) -> None:
    """It brings the schema up to date; a reader refuses to, and changes nothing."""
    with pytest.raises(SchemaError, match="dataportal migrate"):
        open_reader(empty_database_url)
    assert states_for_due(empty_database_url) == {}
    open_reader(empty_database_url).close()


def test_a_reader_cannot_write(database_url: str) -> None:
    """Whatever its role may."""
    with (
        open_reader(database_url) as reader,
        pytest.raises(DatabaseError, match="read-only transaction"),
        database_errors("writing"),
    ):
        reader.execute("DELETE FROM fetch_run")


def test_a_run_that_goes_on(database_url: str) -> None:
    """Its lock is held: it is running, by this process."""
    with open_feed(database_url) as feed:
        run = last_run(database_url)
        assert run.running
        assert (run.run_id, run.kind, run.outcome) == (feed.run, RunKind.SCHEDULED, None)
        assert (run.finished_at, run.host, run.pid) == (None, socket.gethostname(), os.getpid())


def test_a_killed_run_is_shown_as_interrupted(database_url: str) -> None:
    """It has no end, and nobody holds its lock; the locks of other sources are not its own."""
    with open_feed(database_url) as feed, open_observer(database_url) as look:
        pid = feed.session._connection.info.backend_pid
        look.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    with open_feed(database_url, "rain", source="other"):
        run = last_run(database_url)
        assert (run.running, run.outcome, run.finished_at) == (False, Outcome.INTERRUPTED, None)
        assert last_run(database_url, "other").running


def test_locks_are_those_of_the_readers_schema(empty_database_url: str) -> None:
    """A run of the same source in another schema makes no killed one alive."""
    urls = {}
    for schema in ("one", "two"):
        with psycopg.connect(empty_database_url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
        option = f"options={quote(f'-csearch_path={schema},public', safe='')}"
        urls[schema] = f"{empty_database_url}{'&' if '?' in empty_database_url else '?'}{option}"
    with open_feed(urls["one"]) as killed, open_observer(empty_database_url) as look:
        pid = killed.session._connection.info.backend_pid
        look.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    with open_feed(urls["two"]):
        assert last_run(urls["one"]).outcome is Outcome.INTERRUPTED
        assert last_run(urls["two"]).running


def test_the_newest_run_counts(database_url: str) -> None:
    """Of whatever kind, with its outcome and its error."""
    with open_feed(database_url) as feed:
        feed.finish()
        for kind, outcome in (
            (RunKind.BACKFILL, Outcome.PARTIAL),
            (RunKind.SCHEDULED, Outcome.FAILED),
        ):
            feed.start(kind)
            feed.session.finish_run(feed.run, outcome, error=f"why {outcome}")
            run = last_run(database_url)
            assert (run.run_id, run.kind, run.outcome) == (feed.run, kind, outcome)
            assert run.error == f"why {outcome}"
            assert run.finished_at
            assert run.started_at < run.finished_at
            assert not run.running


def test_series_and_their_newest_observations(database_url: str) -> None:
    """In the order of their names, under the source that owns them; None where there is nothing."""
    with open_feed(database_url, "wind", "load", "sun") as feed:
        feed({0: 1.0, 20_000: 1.0, -20_000: 1.0}, wind={3: 1.0, 4: 1.0})
        feed({}, wind={4: None})
    with open_feed(database_url, "rain", source="other"):
        sources = read_overview(database_url)
    assert list(sources) == ["grid", "other"]
    assert [(s.endpoint_prefix, s.newest) for s in sources["grid"].series] == [
        ("load", hour(20_000)),
        ("sun", None),
        ("wind", hour(3)),
    ]
    assert [s.endpoint_prefix for s in sources["other"].series] == ["rain"]


def test_only_the_series_that_are_asked_for_are_looked_at(database_url: str) -> None:
    """The others come without an observation; all else of them is there all the same."""
    for source in ("grid", "other"):
        with open_feed(database_url, source, source=source) as feed:
            feed.merge({source: {0: 1.0}})
    with open_reader(database_url) as reader:
        for names in ([], ["grid"], ["grid", "other"], ["nowhere"]):
            sources = overview(reader, newest_if=partial(is_among, names))
            assert list(sources) == ["grid", "other"]
            looked_at = [name for name, row in sources.items() if row.series[0].newest]
            assert looked_at == [name for name in sources if name in names]
            assert all(row.last_run for row in sources.values())


def test_a_renamed_source_takes_its_series_and_its_memory_along(database_url: str) -> None:
    """What is left under the old name is its runs."""
    with open_feed(database_url, source="old") as feed:
        feed({0: 1.0})
        feed.finish()
        before = state_of(feed.session)
    with closing(SourceSession.open(database_url, "new")) as session:
        assert session.try_lock()
        session.register([SeriesRecord("load")], renamed_from="old")
        state = state_of(session)
    sources = read_overview(database_url)
    assert [len(sources[name].series) for name in ("old", "new")] == [0, 1]
    assert sources["new"].last_run is None
    assert sources["old"].last_run
    assert (state.last_success, state.known_through) == (before.last_success, before.known_through)


def test_a_source_that_was_never_recorded_has_no_run(database_url: str) -> None:
    """Registered, and stopped before its first run."""
    with closing(SourceSession.open(database_url, "grid")) as session:
        assert session.try_lock()
        session.register([SeriesRecord("load")])
    assert read_overview(database_url)["grid"].last_run is None


def test_facts_about_the_server(database_url: str) -> None:
    """Its version, and that of TimescaleDB where it is; and with that its views."""
    with connect(database_url, application_name="facts") as connection:
        facts = database_facts(connection)
        row = connection.execute(
            "SELECT current_setting('server_version'),"
            " (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb')"
        ).fetchone()
        views = connection.execute(
            "SELECT to_regclass('timescaledb_information.hypertables') IS NOT NULL,"
            " pg_is_in_recovery()"
        ).fetchone()
    assert (facts.server_version, facts.timescaledb) == row
    assert views == (facts.timescaledb is not None, False)
