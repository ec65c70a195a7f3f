"""What is recorded of a run, and what follows from its end for its source."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.store_feed import (
    hour,
    open_feed,
    open_observer,
    progress_of,
    state_of,
)
from support.stored_runs import START

from dataportal import __version__
from dataportal.errors import UsageError
from dataportal.redaction import remember_secret
from dataportal.store.read.overview import open_reader, overview
from dataportal.store.read.runs import SeriesChanges, find_run, newest_runs, run_changes
from dataportal.store.records import (
    Backfill,
    Counts,
    Outcome,
    RunKind,
    SeriesRecord,
    SliceWrite,
    SourceState,
)
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from support.store_feed import Feed

GOOD = {Outcome.SUCCEEDED, Outcome.UNCHANGED}
NO_ATTEMPT = (Outcome.INTERRUPTED, Outcome.SKIPPED)


@pytest.fixture
def look(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Sees what has been committed."""
    with open_observer(database_url) as connection:
        yield connection


@pytest.fixture
def feed(database_url: str) -> Iterator[Feed]:
    """A source with a scheduled run begun."""
    with open_feed(database_url, "load", "wind") as feed:
        yield feed


def column(look: psycopg.Connection[Any], name: str, run: int) -> Any:
    """What is recorded of a run."""
    row = look.execute(f"SELECT {name} FROM fetch_run WHERE run_id = %s", [run]).fetchone()  # noqa: S608 - a literal
    assert row
    return row[0]


def state_after(feed: Feed, outcome: Outcome, kind: RunKind = RunKind.SCHEDULED) -> SourceState:
    """The state after another run that ended like this."""
    feed.start(kind)
    feed.session.finish_run(feed.run, outcome, error=f"why {outcome}", prune=True)
    return state_of(feed.session)


def test_nothing_is_remembered_of_a_source_that_never_ran(database_url: str) -> None:
    """An answer all the same."""
    with closing(SourceSession.open(database_url, "new")) as session:
        assert state_of(session) == SourceState("new")
        assert session.unfinished_backfill() is None


def test_a_run_is_recorded_when_it_begins(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """At once, with who does it: a killed one leaves its trace, and says nothing of the source."""
    row = look.execute(
        "SELECT source, kind, outcome, finished_at, window_start, window_end, host, pid, version"
        " FROM fetch_run WHERE run_id = %s",
        [feed.run],
    ).fetchone()
    assert row == (
        *("grid", "scheduled", None, None, START, None),
        *(socket.gethostname(), os.getpid(), __version__),
    )
    assert state_of(feed.session) == SourceState("grid")


@pytest.mark.parametrize("outcome", [o for o in Outcome if o not in NO_ATTEMPT])
def test_a_scheduled_run_is_an_attempt(
    feed: Feed, look: psycopg.Connection[Any], outcome: Outcome
) -> None:
    """However it ends; a success only if everything was taken, be it nothing new."""
    state = state_after(feed, outcome)
    assert state.last_attempt == column(look, "started_at", feed.run)
    assert (state.last_outcome, state.last_error) == (outcome, f"why {outcome}")
    assert state.failures == (1 if outcome is Outcome.FAILED else 0)
    assert state.last_failed == (outcome is Outcome.FAILED)
    finished = column(look, "finished_at", feed.run)
    assert (state.last_success is not None) == (outcome in GOOD)
    if state.last_success:
        assert abs(state.last_success - finished) < timedelta(seconds=5)
    assert column(look, "outcome", feed.run) == outcome
    assert column(look, "error", feed.run) == f"why {outcome}"
    assert state.known_through


@pytest.mark.parametrize("outcome", NO_ATTEMPT)
def test_what_did_not_come_to_an_end_is_no_attempt(
    feed: Feed, look: psycopg.Connection[Any], outcome: Outcome
) -> None:
    """It is recorded, and the source's state is that of the run before."""
    before = state_after(feed, Outcome.FAILED)
    for kind in RunKind:
        assert state_after(feed, outcome, kind) == before
        assert column(look, "outcome", feed.run) == outcome
        assert column(look, "finished_at", feed.run)


@pytest.mark.parametrize("outcome", [o for o in Outcome if o not in NO_ATTEMPT])
def test_a_backfill_is_no_attempt_either(feed: Feed, outcome: Outcome) -> None:
    """It makes a source neither fresh nor failing nor not due; but what it knows is final."""
    before = state_after(feed, Outcome.FAILED)
    after = state_after(feed, outcome, RunKind.BACKFILL)
    assert before.known_through
    assert after.known_through
    assert before.known_through < after.known_through
    assert after == SourceState(
        before.source,
        before.last_attempt,
        before.last_outcome,
        before.last_success,
        after.known_through,
        before.failures,
        before.failing_since,
        before.reminded_at,
        before.last_error,
    )


def test_the_first_doubt_stays_until_it_is_settled(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """Whatever else is doubted since, and however many runs end without one."""

    def doubts_after(**more: Any) -> Any:
        feed.start(RunKind.BACKFILL)
        feed.session.finish_run(feed.run, Outcome.SUCCEEDED, **more)
        (doubts,) = look.execute("SELECT doubts FROM source_state").fetchone() or (None,)
        return doubts

    assert doubts_after() is None
    first = doubts_after(doubt="100 rows")
    assert first["pages"]["message"] == "100 rows"
    assert doubts_after(doubt="50 rows") == first
    assert doubts_after() == first
    assert doubts_after(settled=True) is None
    assert doubts_after(doubt="50 rows", settled=True) is None


def test_failures_in_a_row_are_counted(feed: Feed) -> None:
    """From the last attempt that did not fail; what is no attempt does not end the row."""
    story = [
        (Outcome.FAILED, RunKind.SCHEDULED, 1),
        (Outcome.FAILED, RunKind.SCHEDULED, 2),
        (Outcome.INTERRUPTED, RunKind.SCHEDULED, 2),
        (Outcome.SUCCEEDED, RunKind.BACKFILL, 2),
        (Outcome.FAILED, RunKind.BACKFILL, 2),
        (Outcome.FAILED, RunKind.SCHEDULED, 3),
        (Outcome.PARTIAL, RunKind.SCHEDULED, 0),
        (Outcome.FAILED, RunKind.SCHEDULED, 1),
        (Outcome.SUCCEEDED, RunKind.SCHEDULED, 0),
    ]
    assert [state_after(feed, outcome, kind).failures for outcome, kind, _ in story] == [
        failures for *_, failures in story
    ]


def test_a_success_forgets_the_error(feed: Feed) -> None:
    """And a failure keeps the time of the last success."""
    state_after(feed, Outcome.FAILED)
    feed.start()
    feed.finish()
    good = state_of(feed.session)
    assert (good.last_error, good.last_outcome) == (None, Outcome.SUCCEEDED)
    assert state_after(feed, Outcome.FAILED).last_success == good.last_success
    assert state_after(feed, Outcome.EMPTY).last_success == good.last_success


def test_known_through_is_the_end_of_the_run(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """After everything it stored; also of one that changed nothing; it only grows."""

    def now() -> datetime:
        row = look.execute("SELECT clock_timestamp()").fetchone()
        assert row
        return datetime.fromisoformat(row[0].isoformat())

    known = feed({0: 1.0}).knowledge_time
    feed.finish()
    first = state_of(feed.session).known_through
    assert known
    assert first
    assert known < first < now()
    before = now()
    second = state_after(feed, Outcome.UNCHANGED).known_through
    assert second
    assert first < before < second < now()


@pytest.mark.parametrize("column", ["last_knowledge_time", "known_through"])
def test_known_through_never_goes_back(
    feed: Feed, look: psycopg.Connection[Any], column: str
) -> None:
    """Though the clock was set back: not before the last K, nor before itself."""
    ahead = datetime.now(UTC) + timedelta(days=1)
    look.execute(f"UPDATE source_state SET {column} = %s", [ahead])  # noqa: S608 - one of two names
    assert state_after(feed, Outcome.UNCHANGED).known_through == ahead
    assert state_after(feed, Outcome.FAILED).known_through == ahead


@pytest.mark.parametrize("loss", ["unlocked", "without our knowledge", "another connection"])
def test_nothing_is_final_without_the_lock(
    feed: Feed, look: psycopg.Connection[Any], database_url: str, loss: str
) -> None:
    """Somebody else may be writing what is older: the end is recorded, known_through stays."""
    feed.finish()
    before = state_of(feed.session).known_through
    feed.start()
    if loss == "unlocked":
        feed.session.unlock()
    with closing(SourceSession.open(database_url, "grid")) as other:
        if loss == "without our knowledge":
            feed.session._connection.execute("SELECT pg_advisory_unlock_all()")
            assert other.try_lock()
        session = other if loss == "another connection" else feed.session
        session.finish_run(feed.run, Outcome.FAILED, error="lost")
    state = state_of(feed.session)
    assert (state.known_through, state.failures) == (before, 1)
    assert column(look, "outcome", feed.run) == "failed"


def test_an_error_is_kept_without_its_secrets(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """On one line of printable text, not longer than anybody reads."""
    remember_secret("canary-4712")
    text = "GET https://a/?api_key=canary-1&x=canary-4712\nfailed: \x1b[31m" + "x" * 9_000
    feed.session.finish_run(feed.run, Outcome.FAILED, error=text)
    for message in (column(look, "error", feed.run), state_of(feed.session).last_error):
        assert message
        assert "canary" not in message
        assert "failed" in message
        assert message.isprintable()
        assert len(message) < 2_100


def test_the_initial_history_has_been_asked_for_once(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """Of the series that took part; a series added later is still to be asked for."""
    statement = "SELECT endpoint_prefix, history_asked_at FROM time_series"
    feed.session.finish_run(feed.run, Outcome.SUCCEEDED)
    assert {p.history_asked for p in progress_of(feed.session).values()} == {False}
    feed.start()
    feed.session.finish_run(feed.run, Outcome.SUCCEEDED, history_asked=True)
    before = dict(look.execute(statement).fetchall())
    assert all(before.values())
    feed.session.register([SeriesRecord(name) for name in ("load", "wind", "sun")])
    progress = progress_of(feed.session)
    assert {name: p.history_asked for name, p in progress.items()} == {
        "load": True,
        "wind": True,
        "sun": False,
    }
    feed.start()
    feed.session.finish_run(feed.run, Outcome.SUCCEEDED, history_asked=True)
    after = dict(look.execute(statement).fetchall())
    assert {name: after[name] for name in before} == before
    assert after["sun"]


@pytest.mark.parametrize(
    ("kind", "outcome", "counted"),
    [
        (RunKind.SCHEDULED, Outcome.SUCCEEDED, 1),
        (RunKind.SCHEDULED, Outcome.PARTIAL, 1),
        (RunKind.SCHEDULED, Outcome.FAILED, 0),
        (RunKind.SCHEDULED, Outcome.INTERRUPTED, 0),
        (RunKind.BACKFILL, Outcome.SUCCEEDED, 0),
    ],
)
def test_a_run_that_advanced_a_series_is_remembered(
    feed: Feed, look: psycopg.Connection[Any], kind: RunKind, outcome: Outcome, counted: int
) -> None:
    """When it was, whatever became of the run; as a sign that it goes on if a schedule asked."""
    statement = "SELECT advances, advanced_at FROM time_series ORDER BY endpoint_prefix"
    assert look.execute(statement).fetchall() == [(0, None)] * 2
    before = None
    for count in (1, 2, 3):
        feed.start(kind)
        feed.session.finish_run(feed.run, outcome, advanced=["load"])
        load, wind = look.execute(statement).fetchall()
        assert wind == (0, None)
        assert load[0] == min(counted * count, 2)
        assert before is None or load[1] > before
        before = load[1]


def test_the_lookback_of_the_last_run_is_remembered(feed: Feed, database_url: str) -> None:
    """Up to a century; a run that does not know it leaves it."""
    for lookback in (timedelta(days=2), timedelta.max, timedelta(microseconds=1), timedelta()):
        for told in (lookback, None):
            feed.start()
            feed.session.finish_run(feed.run, Outcome.SUCCEEDED, lookback=told)
            with open_reader(database_url) as reader:
                kept = overview(reader)["grid"].lookback
            assert kept is not None
            assert kept == min(lookback, timedelta(days=36_500))


def test_progress_is_the_newest_observation(feed: Feed) -> None:
    """And when its value was written; none where there is nothing."""
    feed({0: 1.0, 5: 1.0})
    known = feed({5: 2.0, -9_000: 3.0}).knowledge_time
    progress = progress_of(feed.session)
    assert (progress["load"].newest, progress["load"].advanced_at) == (hour(5), known)
    assert (progress["wind"].newest, progress["wind"].advanced_at) == (None, None)
    feed({5: None})
    assert progress_of(feed.session)["load"].newest == hour(0)


def test_a_revision_of_the_newest_observation_is_no_advance(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """Once runs tell when a series advanced, what revises its last value wakes no dormant one."""
    feed({5: 1.0})
    feed.session.finish_run(feed.run, Outcome.SUCCEEDED, advanced=["load"])
    advanced = look.execute(
        "SELECT advanced_at FROM time_series WHERE endpoint_prefix = 'load'"
    ).fetchone()
    feed.start()
    revised = feed({5: 2.0}).knowledge_time
    at = progress_of(feed.session)["load"].advanced_at
    assert (at,) == advanced
    assert at is not None
    assert revised is not None
    assert at < revised


def old_run(look: psycopg.Connection[Any], **changes: Any) -> int:
    """A finished run of 91 days ago that wrote nothing, but for the changes."""
    row = {
        "source": "grid",
        "kind": "scheduled",
        "started_at": datetime.now(UTC) - timedelta(days=91),
        "finished_at": datetime.now(UTC) - timedelta(days=91),
        "outcome": "unchanged",
        "window_start": START,
        "host": "host",
        "pid": 1,
        "version": "1",
        **changes,
    }
    inserted = look.execute(
        f"INSERT INTO fetch_run ({', '.join(row)})"  # noqa: S608 - names from above
        f" VALUES ({', '.join(['%s'] * len(row))}) RETURNING run_id",
        [*row.values()],
    ).fetchone()
    assert inserted
    return int(inserted[0])


def test_old_runs_that_wrote_nothing_are_forgotten(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """Those that wrote a version or never ended, the young ones and other sources' are kept."""
    forgotten = {old_run(look), old_run(look, outcome="failed"), old_run(look, kind="backfill")}
    kept = {
        feed.run,
        *(old_run(look, **{name: 1}) for name in ("inserted", "revised", "retracted", "vintages")),
        old_run(look, finished_at=None, outcome=None),
        old_run(look, started_at=datetime.now(UTC) - timedelta(days=89)),
        old_run(look, source="other"),
    }
    feed.finish(Outcome.UNCHANGED)
    left = {run for (run,) in look.execute("SELECT run_id FROM fetch_run")}
    assert left == kept
    assert not left & forgotten


def test_they_are_forgotten_a_few_at_a_time(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """The oldest first: the end of one run must not take long."""
    for days in range(100, 250):
        old_run(look, started_at=datetime.now(UTC) - timedelta(days=days))
    feed.finish()
    row = look.execute("SELECT count(*), min(started_at) FROM fetch_run").fetchone()
    assert row
    assert row[0] == 51
    assert row[1] > datetime.now(UTC) - timedelta(days=151)
    state_after(feed, Outcome.UNCHANGED)
    assert look.execute("SELECT count(*) FROM fetch_run").fetchone() == (2,)


def test_they_are_forgotten_without_being_told_to(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """One run in eight does so: that none of two hundred does, nobody will ever see."""
    old = old_run(look)
    for _ in range(200):
        feed.session.finish_run(feed.run, Outcome.UNCHANGED)
    assert look.execute("SELECT 1 FROM fetch_run WHERE run_id = %s", [old]).fetchone() is None


def backfill(feed: Feed, *, end: datetime = hour(10)) -> int:  # noqa: B008 - a constant
    """A backfill that begins."""
    feed.run = feed.session.start_run(RunKind.BACKFILL, START, end)
    return feed.run


def done_until(feed: Feed, end: datetime) -> None:
    """A slice of the run is stored."""
    feed.session.merge(
        SliceWrite(feed.run, {}, start=START, end=end, received=Counts(), done_until=end)
    )


def test_a_backfill_can_be_taken_up_again(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """Killed, failed or interrupted, with the bounds it had and as far as it came."""
    run = backfill(feed)
    assert feed.session.unfinished_backfill() == Backfill(run, START, hour(10), None)
    done_until(feed, hour(4))
    expected = Backfill(run, START, hour(10), hour(4))
    assert feed.session.unfinished_backfill() == expected
    for outcome in (Outcome.FAILED, Outcome.INTERRUPTED):
        feed.session.finish_run(run, outcome, error="why")
        assert feed.session.unfinished_backfill() == expected
        look.execute("UPDATE fetch_run SET pid = 0, host = 'elsewhere' WHERE run_id = %s", [run])
        feed.session.resume_run(run)
        assert column(look, "outcome", run) is None
        assert column(look, "finished_at", run) is None
        assert column(look, "error", run) is None
        assert (column(look, "host", run), column(look, "pid", run)) == (
            socket.gethostname(),
            os.getpid(),
        )
        assert feed.session.unfinished_backfill() == expected
    done_until(feed, hour(10))
    assert feed.session.unfinished_backfill() is None


@pytest.mark.parametrize(
    "outcome", [Outcome.SUCCEEDED, Outcome.UNCHANGED, Outcome.EMPTY, Outcome.PARTIAL]
)
def test_a_backfill_that_ended_is_not_unfinished(feed: Feed, outcome: Outcome) -> None:
    """Whatever it brought."""
    feed.session.finish_run(backfill(feed), outcome)
    assert feed.session.unfinished_backfill() is None


def test_the_newest_unfinished_backfill_of_the_source_counts(feed: Feed, database_url: str) -> None:
    """Not a scheduled run, not another source's, not one that is done."""
    first, second, third = backfill(feed), backfill(feed, end=hour(5)), backfill(feed)
    done_until(feed, hour(10))
    feed.session.finish_run(third, Outcome.FAILED)
    feed.start()
    feed.finish(Outcome.FAILED)
    with open_feed(database_url, "rain", source="other") as other:
        backfill(other)
    unfinished = feed.session.unfinished_backfill()
    assert unfinished == Backfill(second, START, hour(5), None)
    feed.session.finish_run(second, Outcome.SUCCEEDED)
    unfinished = feed.session.unfinished_backfill()
    assert unfinished
    assert unfinished.run_id == first


def test_what_was_killed_is_closed_by_the_next_run(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """As interrupted, under the lock; a run that said that it would be back is left alone."""
    killed, waits = feed.run, backfill(feed)
    look.execute(
        "UPDATE fetch_run SET outcome = NULL, finished_at = NULL WHERE run_id = %s", [killed]
    )
    feed.session.leave_lock(waits, 60)
    next_run = feed.start()
    assert column(look, "outcome", killed) == Outcome.INTERRUPTED
    assert "killed" in column(look, "error", killed)
    assert column(look, "finished_at", killed) <= column(look, "started_at", next_run)
    assert column(look, "finished_at", waits) is None
    feed.session.leave_lock(waits, -1)
    feed.start()
    assert column(look, "outcome", waits) == Outcome.INTERRUPTED
    assert column(look, "outcome", next_run) == Outcome.INTERRUPTED


def test_a_source_fails_since_the_first_failure_in_a_row(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """A good run ends it; a backfill and an interruption are no matter."""
    first = state_after(feed, Outcome.FAILED)
    assert first.failing_since == column(look, "started_at", feed.run)
    second = state_after(feed, Outcome.FAILED)
    assert (second.failures, second.failing_since) == (2, first.failing_since)
    state_after(feed, Outcome.SUCCEEDED, RunKind.BACKFILL)
    assert state_after(feed, Outcome.INTERRUPTED).failing_since == first.failing_since
    assert state_after(feed, Outcome.PARTIAL).failing_since is None
    assert state_after(feed, Outcome.FAILED).failing_since == column(look, "started_at", feed.run)


def test_the_newest_runs_are_read_newest_first(feed: Feed, database_url: str) -> None:
    """Of all sources or of some, perhaps only what did not end well, perhaps only lately."""
    feed.finish(Outcome.FAILED)
    with open_feed(database_url, "rain", source="other") as other:
        other.finish(Outcome.SUCCEEDED)
        at_work = other.start()
        with closing(open_reader(database_url)) as reader:
            everything = newest_runs(reader, limit=9)
            assert [run.run_id for run in everything] == [at_work, other.run - 1, feed.run]
            assert [run.outcome for run in everything] == ["running", "succeeded", "failed"]
            assert newest_runs(reader, limit=1) == everything[:1]
            assert newest_runs(reader, ["o*"], limit=9) == everything[:2]
            assert newest_runs(reader, ["grid", "other"], limit=9) == everything
            assert newest_runs(reader, limit=9, not_well=True) == everything[2:]
            since = everything[1].started_at
            assert newest_runs(reader, limit=9, since=since) == everything[:2]
            with pytest.raises(UsageError, match="'othr' ever ran here") as unknown:
                newest_runs(reader, ["othr"], limit=9)
            assert "other" in str(unknown.value.hint)


def test_what_a_run_changed_is_found_by_series(feed: Feed, database_url: str) -> None:
    """New, revised and withdrawn, each only of this run, with the first and last ts of it."""
    feed({0: 1, 1: 2, 2: 3, 3: 4}, wind={0: 5})
    feed.finish()
    changing = feed.start()
    feed({0: 1, 1: 9, 2: None, 7: 3}, wind={0: 5})
    feed.finish()
    feed.start()
    feed({1: 10, 2: 3})
    feed.finish()
    with closing(open_reader(database_url)) as reader:
        changes = run_changes(reader, find_run(reader, changing))
        first = run_changes(reader, find_run(reader, changing - 1))
        with pytest.raises(UsageError, match="there is no run 999"):
            find_run(reader, 999)
    assert changes == [SeriesChanges("load", 1, 1, 1, hour(1), hour(7))]
    assert first == [
        SeriesChanges("load", 4, 0, 0, hour(0), hour(3)),
        SeriesChanges("wind", 1, 0, 0, hour(0), hour(0)),
    ]
