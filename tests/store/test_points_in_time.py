"""The functions of SQL that answer questions of points in time, each against a model in Python."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.points_model import (
    SERIES,
    Change,
    Known,
    Published,
    Record,
    Version,
    at,
    bounds,
    cutoff,
    instants,
    known_histories,
    published_histories,
    store_known,
    store_published,
    store_series,
)
from support.store_feed import open_observer

from dataportal.store.queries import query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns")
LONG_AGO = {"start": None, "end": None}
leads = st.sampled_from([timedelta(hours=n) for n in (-6, 0, 1, 6, 24)])
clocks = st.sampled_from([time(0), time(2, 30), time(6), time(23, 45)])
ranges = st.fixed_dictionaries({"start": bounds, "end": bounds})
properties = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(
    params=["inlined", "sharded", pytest.param("citus", marks=pytest.mark.citus)],
)
def look(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database without series, with the functions in either of their forms."""
    url = request.getfixturevalue("citus_url" if request.param == "citus" else "database_url")
    with open_observer(url) as connection:
        if request.param == "sharded":
            connection.execute(query("distribute_functions"))
        yield connection


class Asked:
    """A history in the tables, for as long as one example takes; asks a function about it."""

    def __init__(self, look: psycopg.Connection[Any], history: Known | Published) -> None:
        self._look = look
        self._history = history
        self._transaction = look.transaction(force_rollback=True)

    def __enter__(self) -> Callable[..., list[tuple[Any, ...]]]:
        self._transaction.__enter__()
        ids = store_series(self._look)
        if isinstance(self._history, Known):
            store_known(self._look, ids, self._history)
        else:
            store_published(self._look, ids, self._history)
        return self._ask

    def __exit__(self, *error: object) -> None:
        self._transaction.__exit__(*error)  # type: ignore[arg-type]

    def _ask(self, function: str, *arguments: Any, **more: Any) -> list[tuple[Any, ...]]:
        names = {"start": "start_ts", "end": "end_ts"}
        words = ["%s"] * (len(arguments) + 1)
        words += [f"{names.get(name, name)} => %s" for name in more]
        statement = f"SELECT * FROM time_series_{function}({', '.join(words)})"  # noqa: S608 - names of this file
        parameters = [[*SERIES, "missing"], *arguments, *more.values()]
        return self._look.execute(statement.encode(), parameters).fetchall()


def once(rows: list[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """The rows, none of which is there twice."""
    assert len(set(rows)) == len(rows)
    return set(rows)


@properties
@given(history=known_histories(), time=instants, span=ranges)
def test_known_as_of(
    look: psycopg.Connection[Any], history: Known, time: datetime, span: dict[str, Any]
) -> None:
    """For each ts the version that was known at the time."""
    with Asked(look, history) as ask:
        rows = once(ask("known_as_of", time, **span))
    assert rows == history.answer(lambda v: v.known_at(time), **span)


@properties
@given(history=known_histories(), lead=leads, span=ranges)
def test_known_lead(
    look: psycopg.Connection[Any], history: Known, lead: timedelta, span: dict[str, Any]
) -> None:
    """For each ts the version that was known that long before it, or after it."""
    with Asked(look, history) as ask:
        rows = once(ask("known_lead", lead, **span))
    assert rows == history.answer(lambda v: v.known_at(v.ts - lead), **span)


@properties
@given(
    history=known_histories(),
    days=st.integers(-1, 2),
    clock=clocks,
    zone=st.sampled_from(ZONES),
    span=ranges,
)
def test_known_cutoff(
    look: psycopg.Connection[Any],
    history: Known,
    days: int,
    clock: time,
    zone: str,
    span: dict[str, Any],
) -> None:
    """For each ts the version known when the zone's clocks showed that time."""
    with Asked(look, history) as ask:
        rows = once(ask("known_cutoff", days, clock, zone, **span))
    expected = history.answer(
        lambda v: v.known_at(cutoff(v.ts, days, clock, ZoneInfo(zone))), **span
    )
    assert rows == expected


@properties
@given(history=known_histories(), number=st.integers(1, 4), span=ranges)
def test_known_release(
    look: psycopg.Connection[Any], history: Known, number: int, span: dict[str, Any]
) -> None:
    """The version of that number in the order in which they became known."""
    with Asked(look, history) as ask:
        rows = once(ask("known_release", number, **span))
    assert rows == history.release(number, **span)


decisions = st.lists(st.tuples(st.integers(-1, 7).map(at), instants), max_size=8)


@properties
@given(history=known_histories(), rows=decisions)
def test_known_at(
    look: psycopg.Connection[Any], history: Known, rows: list[tuple[datetime, datetime]]
) -> None:
    """A row for each one asked and each series, in their order, also where nothing was known."""
    with Asked(look, history) as ask:
        answer = ask("known_at", [ts for ts, _ in rows], [time for _, time in rows])
    expected = []
    for number, (ts, decided) in enumerate(rows, 1):
        for series in SERIES:
            version = history.value_at(series, ts, decided)
            value = (version.value, version.valid_from) if version else (None, None)
            expected.append((number, series, ts, decided, *value))
    assert answer == expected


@properties
@given(history=known_histories(), span=ranges)
def test_known_revisions(
    look: psycopg.Connection[Any], history: Known, span: dict[str, Any]
) -> None:
    """What followed a value, nothing after it, and what came back; how old the ts was then."""
    with Asked(look, history) as ask:
        rows = once(ask("known_revisions", **span))
    assert rows == history.revisions(**span)


@properties
@given(history=known_histories(), issued=instants, extent=st.tuples(bounds, bounds))
def test_known_issue(
    look: psycopg.Connection[Any],
    history: Known,
    issued: datetime,
    extent: tuple[datetime | None, datetime | None],
) -> None:
    """What was known when a run had ended, from the first ts that it answered to the last one."""
    first, last = sorted(bound or at(3) for bound in extent)
    with Asked(look, history) as ask:
        look.execute(
            "INSERT INTO time_series_issue"
            " (series_id, issued_at, first_ts, last_ts, points, run_id)"
            " SELECT series_id, %s, %s, %s, 9, 4"
            " FROM time_series WHERE endpoint_prefix = 'load'",
            [issued, first, last],
        )
        issues = ask("known_issues")
        rows = once(ask("known_issue", issued))
        none = ask("known_issue", issued + timedelta(microseconds=1))
    assert issues == [("load", issued, first, last, 9, 4)]
    assert none == []
    assert rows == {
        v
        for v in history.versions
        if v.series == "load" and first <= v.ts <= last and v.known_at(issued)
    }


recorded_cuts = st.integers(-1, 31).map(at)


@properties
@given(history=published_histories(), time=instants, recorded_by=recorded_cuts, span=ranges)
def test_published_as_of(
    look: psycopg.Connection[Any],
    history: Published,
    time: datetime,
    recorded_by: datetime,
    span: dict[str, Any],
) -> None:
    """For each ts the newest publication by the time, as it was recorded by the other."""
    with Asked(look, history) as ask:
        rows = once(ask("published_as_of", time, recorded_by, **span))
    assert rows == history.answer(lambda _: time, recorded_by, **span)


@properties
@given(history=published_histories(), lead=leads, recorded_by=recorded_cuts, span=ranges)
def test_published_lead(
    look: psycopg.Connection[Any],
    history: Published,
    lead: timedelta,
    recorded_by: datetime,
    span: dict[str, Any],
) -> None:
    """For each ts the newest publication that long before it."""
    with Asked(look, history) as ask:
        rows = once(ask("published_lead", lead, recorded_by, **span))
    assert rows == history.answer(lambda ts: ts - lead, recorded_by, **span)


@properties
@given(
    history=published_histories(),
    days=st.integers(-1, 1),
    clock=clocks,
    zone=st.sampled_from(ZONES),
    recorded_by=recorded_cuts,
    span=ranges,
)
def test_published_cutoff(
    look: psycopg.Connection[Any],
    history: Published,
    days: int,
    clock: time,
    zone: str,
    recorded_by: datetime,
    span: dict[str, Any],
) -> None:
    """For each ts the newest publication when the zone's clocks showed that time."""
    with Asked(look, history) as ask:
        rows = once(ask("published_cutoff", days, clock, zone, recorded_by, **span))
    expected = history.answer(
        lambda ts: cutoff(ts, days, clock, ZoneInfo(zone)), recorded_by, **span
    )
    assert rows == expected


@properties
@given(
    history=published_histories(), number=st.integers(1, 4), recorded_by=recorded_cuts, span=ranges
)
def test_published_release(
    look: psycopg.Connection[Any],
    history: Published,
    number: int,
    recorded_by: datetime,
    span: dict[str, Any],
) -> None:
    """The publication of that number that changed the value of its ts."""
    with Asked(look, history) as ask:
        rows = once(ask("published_release", number, recorded_by, **span))
    assert rows == history.release(number, recorded_by, **span)


@properties
@given(history=published_histories(), rows=decisions, recorded_by=recorded_cuts)
def test_published_at(
    look: psycopg.Connection[Any],
    history: Published,
    rows: list[tuple[datetime, datetime]],
    recorded_by: datetime,
) -> None:
    """A row for each one asked and each series, in their order, by both cuts."""
    with Asked(look, history) as ask:
        answer = ask(
            "published_at", [ts for ts, _ in rows], [time for _, time in rows], recorded_by
        )
    expected: list[tuple[Any, ...]] = []
    for number, (ts, decided) in enumerate(rows, 1):
        for series in SERIES:
            record = history.value_at(series, ts, decided, recorded_by)
            expected.append((number, series, ts, decided, *(record[2:] if record else [None] * 3)))
    assert answer == expected


@properties
@given(history=published_histories(), recorded_by=recorded_cuts, span=ranges)
def test_published_revisions(
    look: psycopg.Connection[Any],
    history: Published,
    recorded_by: datetime,
    span: dict[str, Any],
) -> None:
    """From each release to the next."""
    with Asked(look, history) as ask:
        rows = once(ask("published_revisions", recorded_by, **span))
    assert rows == history.revisions(recorded_by, **span)


@properties
@given(history=published_histories(), recorded_by=recorded_cuts, number=st.integers(-8, 8))
def test_published_issues(
    look: psycopg.Connection[Any], history: Published, recorded_by: datetime, number: int
) -> None:
    """The times of publication with what came out then, and one of them whole."""
    issued = at(number * 3)
    with Asked(look, history) as ask:
        issues = once(ask("published_issues", recorded_by))
        later = once(ask("published_issues", recorded_by, issued_from=issued))
        earlier = once(ask("published_issues", recorded_by, issued_before=issued))
        rows = once(ask("published_issue", issued, recorded_by))
    assert issues == history.issues(recorded_by)
    assert later | earlier == issues
    assert {time >= issued for _, time, *_ in later} <= {True}
    assert {time < issued for _, time, *_ in earlier} <= {True}
    assert rows == history.issue(issued, recorded_by)


def values(rows: list[tuple[Any, ...]]) -> dict[datetime, float]:
    """The values by their ts."""
    return {row[1]: row[2] for row in rows}


def test_right_values_by_hand(look: psycopg.Connection[Any]) -> None:
    """A → B → A and a withdrawal, as somebody would work them out on paper."""
    history = Known(
        (
            Version("load", at(24), 1.0, at(0), at(6)),
            Version("load", at(24), 2.0, at(6), at(30)),
            Version("load", at(24), 1.0, at(30), at(31)),
            Version("load", at(25), 5.0, at(12), None),
        )
    )
    with Asked(look, history) as ask:
        assert values(ask("known_lead", timedelta(hours=24))) == {at(24): 1.0}
        assert values(ask("known_lead", timedelta(hours=12))) == {at(24): 2.0, at(25): 5.0}
        assert values(ask("known_as_of", at(32))) == {at(25): 5.0}
        assert values(ask("known_release", 1)) == {at(24): 1.0, at(25): 5.0}
        assert values(ask("known_release", 3)) == {at(24): 1.0}
        assert set(ask("known_revisions")) == {
            Change("load", at(24), 1.0, 2.0, at(6), timedelta(hours=-18)),
            Change("load", at(24), 2.0, 1.0, at(30), timedelta(hours=6)),
            Change("load", at(24), 1.0, None, at(31), timedelta(hours=7)),
        }


@pytest.mark.parametrize("day", ["2025-03-30", "2025-03-31", "2025-10-26", "2025-10-27"])
@pytest.mark.parametrize("clock", [time(0), time(2, 30), time(6)])
@pytest.mark.parametrize("days", [0, 1])
def test_a_cutoff_where_the_clocks_change(
    look: psycopg.Connection[Any], day: str, clock: time, days: int
) -> None:
    """To the microsecond: what becomes known at the cutoff counts, and what does later does not."""
    zone, start = "Europe/Berlin", datetime.fromisoformat(f"{day}T00:00:00+00:00")
    ts = [start + timedelta(hours=hours) for hours in range(-3, 27)]
    versions = []
    for instant in ts:
        decided = cutoff(instant, days, clock, ZoneInfo(zone))
        later = decided + timedelta(microseconds=1)
        versions += [
            Version("load", instant, 1.0, decided - timedelta(days=1), decided),
            Version("load", instant, 2.0, decided, later),
            Version("load", instant, 3.0, later, None),
        ]
    with Asked(look, Known(tuple(versions))) as ask:
        assert values(ask("known_cutoff", days, clock, zone)) == dict.fromkeys(ts, 2.0)


def test_a_restated_publication_has_two_answers(look: psycopg.Connection[Any]) -> None:
    """1.0 one day and 9.9 the next, under one time of publication: each by its own second cut."""
    history = Published(
        (
            Record("load", at(0), None, at(0), at(5)),
            Record("load", at(0), 1.0, at(1), at(5)),
            Record("load", at(0), 9.9, at(1), at(29)),
            Record("load", at(0), 9.9, at(2), at(29)),
            Record("load", at(0), None, at(3), at(29)),
        )
    )
    with Asked(look, history) as ask:
        for recorded_by, value in ((at(5), 1.0), (at(29), 9.9)):
            ((_, _, answer, *_),) = ask("published_as_of", at(1), recorded_by)
            assert answer == value
        first = ask("published_release", 1, at(40))
        second = ask("published_release", 2, at(40))
        assert ask("published_release", 3, at(40)) == []
    # the third one repeats the second: it releases nothing
    assert first == [Record("load", at(0), 9.9, at(1), at(29))]
    assert second == [Record("load", at(0), None, at(3), at(29))]


def test_a_function_is_bound_to_its_tables(look: psycopg.Connection[Any]) -> None:
    """Whatever the search_path of whoever asks."""
    history = Known((Version("load", at(0), 1.0, at(0), None),))
    with Asked(look, history) as ask:
        look.execute("SET LOCAL search_path = ''")
        rows = look.execute(
            "SELECT value FROM public.time_series_known_as_of(ARRAY['load'], now())"
        ).fetchall()
        assert rows == [(1.0,)]
        look.execute("SET LOCAL search_path = public")
        assert ask("known_as_of", at(1)) != []


def test_functions_are_stable_and_safe_in_parallel(database_url: str) -> None:
    """So that a query may be planned with them, and run by several processes."""
    with open_observer(database_url) as look:
        functions = look.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND proname LIKE 'time\\_series\\_%' AND (provolatile, proparallel) <> ('s', 's')"
        )
        assert functions.fetchall() == []
