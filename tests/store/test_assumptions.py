"""What was back-filled, counted as known from when values are usually there: against a model."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.points_model import (
    HOUR,
    SERIES,
    at,
    bounds,
    cutoff,
    in_range,
    instants,
    known_histories,
    published_histories,
    store_published,
    store_series,
)

from dataportal.availability import parse_availability
from dataportal.store.connection import connect
from dataportal.store.queries import mark_distributed, query
from dataportal.store.read.points import (
    AssumedPoint,
    Cutoff,
    Decision,
    Kind,
    PointQuestion,
    StoredPoints,
    point_columns,
    points_at,
)
from dataportal.store.read.selection import select_series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import psycopg
    from support.points_model import (
        Known,
        Published,
        Version,
    )

BERLIN = ZoneInfo("Europe/Berlin")
SCHEDULED, BACKFILL, RESTORE = 1, 2, 3
"""The keys of three runs; a version of another one counts as one of a schedule."""
FAR = at(1000)


def _local(wall: datetime) -> datetime:
    return cutoff(wall.replace(tzinfo=BERLIN), 0, wall.time(), BERLIN)


def _month(ts: datetime) -> datetime:
    day = ts.astimezone(BERLIN)
    year, month = divmod(day.year * 12 + day.month, 12)
    return _local(datetime(year, month + 1, 3, 6))  # noqa: DTZ001 - by the clocks of a zone


RULES: dict[str, Callable[[datetime], datetime]] = {
    "ts": lambda ts: ts,
    "ts + 3 hours": lambda ts: ts + 3 * HOUR,
    "ts - 30 hours": lambda ts: ts - 30 * HOUR,
    "next day 09:00 Europe/Berlin": lambda ts: cutoff(ts, -1, time(9), BERLIN),
    "D-1 13:00 Europe/Berlin": lambda ts: cutoff(ts, 1, time(13), BERLIN),
    "next month day 3 06:00 Europe/Berlin": _month,
}
rules = st.one_of(st.none(), st.sampled_from(list(RULES)))
runs = st.sampled_from([SCHEDULED, BACKFILL, RESTORE, 4])
properties = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class Assumed:
    """A history, and what is assumed of it."""

    known: Known
    runs: Sequence[int]
    asked_at: datetime | None
    rule: str | None

    def known_from(self, version: Version) -> datetime:
        """From when on the version counts as known."""
        others = [v for v in self.known.versions if (v.series, v.ts) == version[:2]]
        is_first = version == min(others, key=lambda v: v.valid_from)
        run = self.runs[self.known.versions.index(version) % len(self.runs)]
        is_loaded = run == BACKFILL or self.asked_at is None or version.valid_from <= self.asked_at
        if is_first and is_loaded and self.rule is not None:
            return min(version.valid_from, RULES[self.rule](version.ts))
        return version.valid_from

    def version_at(self, series: str, ts: datetime, time: datetime) -> Version | None:
        """The version of one observation that counts as known at a time."""
        for v in self.known.versions:
            is_it = (v.series, v.ts) == (series, ts) and self.known_from(v) <= time
            if is_it and (v.valid_to is None or time < v.valid_to):
                return v
        return None


@st.composite
def assumed_histories(draw: st.DrawFn) -> Assumed:
    """Histories of runs of all kinds, with availability and without."""
    return Assumed(
        draw(known_histories()),
        draw(st.lists(runs, min_size=1, max_size=5)),
        draw(st.one_of(st.none(), instants)),
        draw(rules),
    )


def store(connection: psycopg.Connection[Any], history: Assumed) -> dict[str, int]:
    """Put it into the tables."""
    ids = store_series(connection)
    rule = None if history.rule is None else parse_availability(history.rule).record(None)
    connection.execute(
        "UPDATE time_series SET history_asked_at = %s, availability = %s",
        [history.asked_at, None if rule is None else json.dumps(rule)],
    )
    connection.execute(
        "INSERT INTO fetch_run (run_id, source, kind, window_start, host, pid, version)"
        " OVERRIDING SYSTEM VALUE"
        " SELECT row_number() OVER (), 'grid', kind, now(), 'h', 1, '1'"
        " FROM unnest(ARRAY['scheduled', 'backfill', 'restore']) AS kind"
    )
    connection.execute(
        "INSERT INTO source_state (source, known_through) VALUES ('grid', %s)", [at(20)]
    )
    with connection.cursor().copy(
        "COPY time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id) FROM STDIN"
    ) as copy:
        for number, v in enumerate(history.known.versions):
            run = history.runs[number % len(history.runs)]
            copy.write_row((ids[v.series], *v[1:4], v.valid_to or "infinity", run))
    return ids


@pytest.fixture(params=["inlined", "sharded", pytest.param("citus", marks=pytest.mark.citus)])
def writer(request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the program has it, with statements in either of their forms."""
    url = request.getfixturevalue("citus_url" if request.param == "citus" else "database_url")
    with closing(connect(url, application_name="test")) as connection:
        if request.param != "inlined":
            connection.execute(query("distribute_functions"))
            mark_distributed(connection)
        yield connection


questions = st.one_of(
    instants.map(lambda time: PointQuestion(kind=Kind.AS_OF, at=time, assume=True)),
    st.integers(-30, 30).map(
        lambda n: PointQuestion(kind=Kind.LEAD, lead=timedelta(hours=n), assume=True)
    ),
    st.integers(-1, 1).map(
        lambda n: PointQuestion(kind=Kind.CUTOFF, cutoff=Cutoff(n, time(6), BERLIN), assume=True)
    ),
)


def decision(question: PointQuestion, ts: datetime) -> datetime:
    """The time at which a question asks for a ts; by publication without one: after all."""
    if question.kind is Kind.AS_OF:
        return question.at or FAR
    if question.lead is not None:
        return ts - question.lead
    assert question.cutoff
    return cutoff(ts, question.cutoff.days, question.cutoff.clock, question.cutoff.zone)


def answers(
    connection: psycopg.Connection[Any],
    question: PointQuestion,
    span: dict[str, Any],
    limit: int,
) -> dict[tuple[str, datetime], AssumedPoint]:
    """What the store answers of all series: the last rows, and the text, have the same."""
    points: dict[tuple[str, datetime], AssumedPoint] = {}
    for series in select_series(connection, SERIES):
        stored = StoredPoints(connection, question, series, **span)
        rows = list(stored)
        assert [row.ts for row in rows] == sorted({row.ts for row in rows})
        assert (
            list(StoredPoints(connection, question, series, **span, limit=limit)) == rows[-limit:]
        )
        lines = csv.reader(io.StringIO("\n".join(stored.csv_blocks())))
        words = [[row.final, row.assumed] for row in rows if isinstance(row, AssumedPoint)]
        assert [[cell == "true" for cell in line[-2:]] for line in lines] == words
        names = [column.label for column in point_columns(question)]
        batches = list(stored.record_batches(names, rows=3))
        assert [tuple(row.values()) for batch in batches for row in batch.to_pylist()] == rows
        points |= {
            (series.endpoint_prefix, row.ts): row for row in rows if isinstance(row, AssumedPoint)
        }
    return points


@properties
@given(
    history=assumed_histories(),
    question=questions,
    span=st.fixed_dictionaries({"start": bounds, "end": bounds}),
    limit=st.integers(1, 4),
)
def test_what_would_have_been_known(
    writer: psycopg.Connection[Any],
    history: Assumed,
    question: PointQuestion,
    span: dict[str, Any],
    limit: int,
) -> None:
    """Only first versions of loads count earlier, each says that it does, and is never final."""
    with writer.transaction(force_rollback=True):
        store(writer, history)
        points = answers(writer, question, span, limit)
    expected = {
        (v.series, v.ts): AssumedPoint(
            v.ts,
            v.value,
            v.valid_from,
            v.valid_to,
            d >= v.valid_from and d <= at(20),
            d < v.valid_from,
        )
        for v in history.known.versions
        if in_range(v.ts, **span)
        for d in [decision(question, v.ts)]
        if history.version_at(v.series, v.ts, d) == v
    }
    assert points == expected


@properties
@given(
    history=assumed_histories(),
    published=published_histories(),
    question=questions,
    by_now=st.booleans(),
    recorded_by=st.one_of(st.none(), instants),
    span=st.fixed_dictionaries({"start": bounds, "end": bounds}),
    limit=st.integers(1, 4),
)
def test_what_would_have_been_published(
    writer: psycopg.Connection[Any],
    history: Assumed,
    published: Published,
    question: PointQuestion,
    by_now: bool,  # noqa: FBT001 - drawn by its name
    recorded_by: datetime | None,
    span: dict[str, Any],
    limit: int,
) -> None:
    """What the provider says counts alone; else the value that would have been known then."""
    moment = None if by_now and question.kind is Kind.AS_OF else question.at
    question = PointQuestion(
        kind=question.kind, published=True, recorded_by=recorded_by, at=moment,
        lead=question.lead, cutoff=question.cutoff, assume=True,
    )  # fmt: skip
    with writer.transaction(force_rollback=True):
        store_published(writer, store(writer, history), published)
        points = answers(writer, question, span, limit)
        decided = [Decision(ts, decision(question, ts)) for ts in sorted({at(n) for n in range(7)})]
        joined = list(
            points_at(writer, SERIES, decided, published=True, recorded_by=recorded_by, assume=True)
        )
    cut = recorded_by or FAR
    by_observation = published.publications(cut, **span)
    real = published.answer(lambda ts: decision(question, ts), cut, **span)
    is_final = recorded_by is not None and recorded_by <= at(20)
    expected = {
        (r.series, r.ts): AssumedPoint(
            r.ts, r.value, r.published_at, r.recorded_at, is_final, False
        )
        for r in real
    } | {
        (v.series, v.ts): AssumedPoint(v.ts, v.value, None, v.valid_from, False, True)
        for v in history.known.versions
        if in_range(v.ts, **span) and (v.series, v.ts) not in by_observation
        if v.valid_from <= cut
        if history.version_at(v.series, v.ts, decision(question, v.ts)) == v
    }
    assert points == expected
    if span == {"start": None, "end": None}:
        found = {
            (row.series, row.ts): (row.value, row.since, row.recorded_at)
            for row in joined
            if row.value is not None
        }
        wanted = {key: p[1:4] for key, p in expected.items() if key[1] in {d.ts for d in decided}}
        assert found == wanted


@properties
@given(
    history=assumed_histories(),
    decided=st.lists(st.tuples(st.integers(-1, 7).map(at), instants), min_size=1, max_size=12),
)
def test_decisions(
    writer: psycopg.Connection[Any],
    history: Assumed,
    decided: list[tuple[datetime, datetime]],
) -> None:
    """Each row of a table of decisions has what would have been known then, in its order."""
    with writer.transaction(force_rollback=True):
        store(writer, history)
        rows = list(points_at(writer, SERIES, [Decision(*d) for d in decided], assume=True))
    expected = []
    for number, (ts, time_of) in enumerate(decided, start=1):
        for series in SERIES:
            v = history.version_at(series, ts, time_of)
            cells: tuple[Any, ...] = (None, None, None, False)
            if v is not None:
                cells = (v.value, v.valid_from, None, time_of < v.valid_from)
            expected.append((number, series, ts, time_of, *cells))
    assert [tuple(row) for row in rows] == expected


@properties
@given(history=assumed_histories(), question=questions)
def test_what_is_assumed_is_written_nowhere(
    writer: psycopg.Connection[Any], history: Assumed, question: PointQuestion
) -> None:
    """The plain question gives the same before and after, and no version is another one."""
    plain = PointQuestion(
        kind=question.kind, at=question.at, lead=question.lead, cutoff=question.cutoff
    )
    everything = "SELECT series_id, ts, value, valid_from, valid_to FROM time_series_data_history"

    def rows() -> list[Any]:
        series = select_series(writer, SERIES)
        answered = [list(StoredPoints(writer, plain, s)) for s in series]
        return [answered, sorted(writer.execute(everything).fetchall(), key=repr)]

    with writer.transaction(force_rollback=True):
        store(writer, history)
        before = rows()
        answers(writer, question, {}, 1)
        assert rows() == before


def test_a_rule_names_the_same_instants_in_both_languages(
    writer: psycopg.Connection[Any],
) -> None:
    """Right values by hand, also on days when clocks change."""
    cases = [
        ("ts + 2 hours", "2025-03-30T00:30Z", "2025-03-30T02:30Z"),
        ("next day 09:00 Europe/Berlin", "2025-03-29T23:30Z", "2025-03-31T07:00Z"),
        ("next day 09:00 Europe/Berlin", "2025-03-29T22:30Z", "2025-03-30T07:00Z"),
        ("D-1 13:00 Europe/Berlin", "2025-10-26T12:00Z", "2025-10-25T11:00Z"),
        ("next month day 15 08:30 America/New_York", "2025-01-31T23:00Z", "2025-02-15T13:30Z"),
        ("next quarter 10:00 UTC", "2025-02-10T00:00Z", "2025-04-01T10:00Z"),
        ("same week day 5 17:00 UTC", "2025-03-05T00:00Z", "2025-03-07T17:00Z"),
        ("next year day 32 00:00 UTC", "2024-02-10T00:00Z", "2025-02-01T00:00Z"),
        ("2 weeks earlier 06:00 UTC", "2025-03-05T00:00Z", "2025-02-17T06:00Z"),
    ]
    for text, ts, expected in cases:
        record = json.dumps(parse_availability(text).record(None))
        row = writer.execute(
            "SELECT time_series_available_at(%s::jsonb, %s)", [record, datetime.fromisoformat(ts)]
        ).fetchone()
        assert row == (datetime.fromisoformat(expected).astimezone(UTC),), text
