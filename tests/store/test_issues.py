"""What is recorded of the runs of a forecast, so that each of them can be had whole later."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.http_server import LocalServer, Reply
from support.program_sources import SourceFile, runs_by_source
from support.store_feed import open_feed, open_observer

from dataportal.observations import Observations
from dataportal.store.records import AnswerExtent, Counts, Outcome, RunKind, SliceWrite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg
    from conftest import RunCli
    from support.http_server import Request
    from support.store_feed import Feed

STEP = timedelta(hours=6)
"""Longer than the tests take: what lies ahead when they are read does so when they are run."""
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


class Issue(NamedTuple):
    """What is recorded of one run and series."""

    issued_at: datetime
    first: int
    last: int
    points: int
    run_id: int


@pytest.fixture
def look(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Sees what has been committed."""
    with open_observer(database_url) as connection:
        yield connection


@pytest.fixture
def feed(database_url: str) -> Iterator[Feed]:
    """A source with two series."""
    with open_feed(database_url, "load", "wind") as feed:
        yield feed


def ahead(steps: int) -> datetime:
    """So many steps from now."""
    return NOW + steps * STEP


def issue(
    feed: Feed,
    points: dict[int, float],
    *,
    outcome: Outcome = Outcome.SUCCEEDED,
    kind: RunKind = RunKind.SCHEDULED,
    extent: AnswerExtent | None = None,
) -> None:
    """A run that answers `load` with these values by the hour from now."""
    feed.start(kind)
    observations = Observations([ahead(h) for h in points], list(points.values()))
    feed.session.merge(
        SliceWrite(
            feed.run,
            {"load": observations},
            start=ahead(-48),
            end=None,
            received=Counts(received=len(points)),
        )
    )
    first, last = (ahead(min(points)), ahead(max(points))) if points else (None, None)
    answers = {"load": extent or AnswerExtent(first, last, len(points))}
    feed.session.finish_run(feed.run, outcome, answers=answers, prune=True)


def issues(look: psycopg.Connection[Any], series: str = "load") -> list[Issue]:
    """What is recorded of a series, oldest first."""
    rows = look.execute(
        "SELECT issued_at, first_ts, last_ts, points, run_id"
        " FROM time_series_known_issues(ARRAY[%s]) ORDER BY 1",
        [series],
    )
    return [
        Issue(at, (first - NOW) // STEP, (last - NOW) // STEP, points, run)
        for at, first, last, points, run in rows
    ]


def values(look: psycopg.Connection[Any], issued_at: datetime) -> dict[int, float]:
    """What one issue of `load` said."""
    rows = look.execute(
        "SELECT ts, value FROM time_series_known_issue(ARRAY['load'], %s)", [issued_at]
    )
    return {(ts - NOW) // STEP: value for ts, value in rows}


def test_each_issue_is_whole(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """Also the values that stayed as they were, and where all of them did; none that it lacked."""
    answers = [{0: 1.0, 1: 1.0, 2: 1.0}, {1: 1.0, 2: 2.0, 3: 2.0}, {1: 1.0, 2: 2.0, 3: 2.0}]
    for points in answers:
        issue(feed, points)
    recorded = issues(look)
    assert [(i.first, i.last, i.points) for i in recorded] == [(0, 2, 3), (1, 3, 3), (1, 3, 3)]
    assert [values(look, i.issued_at) for i in recorded] == answers
    assert len({i.issued_at for i in recorded}) == 3
    assert issues(look, "wind") == []


def test_what_was_issued_is_final(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """Its time is the one up to which its own end made all final."""
    issue(feed, {1: 1.0})
    (recorded,) = issues(look)
    assert look.execute("SELECT known_through FROM source_state").fetchone() == (
        recorded.issued_at,
    )


def test_its_run_is_not_forgotten(feed: Feed, look: psycopg.Connection[Any]) -> None:
    """Though it changed nothing, and 90 days have passed; others like it are."""
    issue(feed, {1: 1.0})
    issue(feed, {1: 1.0}, outcome=Outcome.UNCHANGED)
    feed.start()
    feed.finish(Outcome.UNCHANGED)
    look.execute("UPDATE fetch_run SET started_at = started_at - interval '100 days'")
    issue(feed, {1: 1.0}, outcome=Outcome.UNCHANGED)
    counts = look.execute("SELECT issues FROM fetch_run ORDER BY run_id").fetchall()
    # the run of the fixture has no end
    assert counts == [(1,), (1,), (1,)]
    assert len(issues(look)) == 3


@pytest.mark.parametrize("outcome", [Outcome.INTERRUPTED, Outcome.SKIPPED])
def test_a_run_that_was_no_attempt_issued_nothing(
    feed: Feed, look: psycopg.Connection[Any], outcome: Outcome
) -> None:
    """It made nothing final either."""
    issue(feed, {1: 1.0}, outcome=outcome)
    assert issues(look) == []


def test_what_was_never_answered_ahead_is_no_forecast(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """Once it was, a scheduled run counts also where it ends before now; a backfill does not."""
    issue(feed, {-3: 1.0, -2: 1.0})
    assert issues(look) == []
    issue(feed, {-1: 1.0, 5: 1.0})
    issue(feed, {-3: 1.0, -2: 1.0})
    issue(feed, {-20: 1.0}, kind=RunKind.BACKFILL)
    assert [(i.first, i.last) for i in issues(look)] == [(-1, 5), (-3, -2)]


def test_unchanged_reaches_as_far_as_the_last_time(
    feed: Feed, look: psycopg.Connection[Any]
) -> None:
    """Of what a server called unchanged the extent is known from before, or not at all."""
    issue(feed, {}, extent=AnswerExtent(unchanged=True))
    assert issues(look) == []
    issue(feed, {0: 1.0, 5: 1.0})
    issue(feed, {}, extent=AnswerExtent(unchanged=True), outcome=Outcome.UNCHANGED)
    issue(feed, {7: 1.0}, extent=AnswerExtent(ahead(7), ahead(7), 1, unchanged=True))
    assert [(i.first, i.last) for i in issues(look)] == [(0, 5), (0, 5), (0, 7)]


def test_extents_of_slices_add_up() -> None:
    """To one answer, whatever is missing in one of them."""
    one, two = AnswerExtent(ahead(1), ahead(2), 2), AnswerExtent(ahead(3), ahead(4), 2)
    assert one + two == two + one == AnswerExtent(ahead(1), ahead(4), 4)
    assert AnswerExtent() + one == one
    assert one + AnswerExtent(unchanged=True) == AnswerExtent(ahead(1), ahead(2), 2, unchanged=True)


def table(first: int, last: int, value: float) -> Reply:
    """An answer of a provider."""
    lines = (f"{ahead(step).isoformat()},{value}" for step in range(first, last + 1))
    return Reply(body="\n".join(["ts,value", *lines]).encode(), content_type="text/csv")


@pytest.mark.slow
def test_the_program_records_what_a_forecast_answered(
    tmp_path: Path, database_url: str, run_cli: RunCli
) -> None:
    """With the first and last ts of each run, unchanged ones too; of other sources nothing."""
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    with LocalServer() as server:
        url = server.answer("/a", *[table(*a) for a in ((0, 4, 1.0), (2, 6, 1.0), (2, 6, 1.0))])
        sources.csv("load", url, forecast_horizon="2 days")
        sources.csv("wind", server.answer("/b", table(-3, 3, 1.0)))
        sources.write()
        outcomes = [
            runs_by_source(run_cli("fetch", "load", "wind", "--json", env=env))["load"]["outcome"]
            for _ in range(3)
        ]
    assert outcomes == ["succeeded", "succeeded", "unchanged"]
    with open_observer(database_url) as look:
        recorded = issues(look)
        assert [(i.first, i.last, i.points) for i in recorded] == [(0, 4, 5), (2, 6, 5), (2, 6, 5)]
        assert issues(look, "wind") == []
        assert values(look, recorded[2].issued_at) == dict.fromkeys(range(2, 7), 1.0)


@pytest.mark.slow
def test_a_server_that_calls_it_unchanged(
    tmp_path: Path, database_url: str, run_cli: RunCli
) -> None:
    """Each such run issued what the one before did: it reaches as far, and is there for ever."""
    sources, env = SourceFile(tmp_path), {"DATABASE_URL": database_url}
    asked: list[bool] = []

    def answer(request: Request) -> Reply:
        asked.append(request.headers.get("if-none-match") == '"1"')
        if asked[-1]:
            return Reply(status=304)
        reply = table(0, 4, 1.0)
        return dataclasses.replace(reply, headers={"ETag": '"1"'})

    with LocalServer() as server:
        sources.csv("load", server.answer("/a", answer), forecast_horizon="2 days")
        sources.write()
        for _ in range(3):
            run = runs_by_source(run_cli("fetch", "load", "--json", env=env))["load"]
            assert run["outcome"] in {"succeeded", "unchanged"}
    assert asked == [False, True, True]
    with open_observer(database_url) as look:
        recorded = issues(look)
        assert [(i.first, i.last, i.points) for i in recorded] == [(0, 4, 5)] * 3
        assert len({i.run_id for i in recorded}) == 3
