"""Values of one series at points in time: the last of them, and as text, are the same values."""

from __future__ import annotations

import csv
import io
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.points_model import (
    SERIES,
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

from dataportal.store.connection import connect
from dataportal.store.read.arrow import ROWS_OF_BATCH
from dataportal.store.read.points import (
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
    from collections.abc import Iterator

    import psycopg
    from support.points_model import (
        Known,
        Published,
    )

    from dataportal.store.read.history import StoredSeries

questions = st.one_of(
    st.just(PointQuestion()),
    instants.map(lambda time: PointQuestion(kind=Kind.AS_OF, at=time)),
    st.integers(-6, 30).map(lambda n: PointQuestion(kind=Kind.LEAD, lead=timedelta(hours=n))),
    st.integers(0, 1).map(
        lambda n: PointQuestion(
            kind=Kind.CUTOFF, cutoff=Cutoff(n, time(6), ZoneInfo("Europe/Berlin"))
        )
    ),
    st.integers(1, 3).map(lambda n: PointQuestion(kind=Kind.RELEASE, number=n)),
)
properties = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def writer(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the program has it."""
    with closing(connect(database_url, application_name="test")) as connection:
        yield connection


def check_all_ways(
    connection: psycopg.Connection[Any],
    question: PointQuestion,
    series: StoredSeries,
    span: dict[str, Any],
    limit: int,
) -> None:
    """Rows are in order of ts; the last ones are the last of all; text has the same ones."""
    rows = list(StoredPoints(connection, question, series, **span))
    assert rows == sorted(rows)
    assert list(StoredPoints(connection, question, series, **span, limit=limit)) == rows[-limit:]
    text = "\n".join(StoredPoints(connection, question, series, **span).csv_blocks())
    cells = [
        (
            datetime.fromisoformat(ts),
            float(value) if value else None,
            datetime.fromisoformat(since),
            datetime.fromisoformat(until) if until else None,
            {"true": True, "false": False}[final],
        )
        for ts, value, since, until, final in csv.reader(io.StringIO(text))
    ]
    assert cells == rows
    names = [column.label for column in point_columns(question)]
    for size in (1, 2, ROWS_OF_BATCH):
        stored = StoredPoints(connection, question, series, **span)
        batches = list(stored.record_batches(names, rows=size))
        assert [tuple(row.values()) for batch in batches for row in batch.to_pylist()] == rows
        assert all(batch.num_rows for batch in batches)
    for row in rows:
        decided = question.decision(row.ts)
        if decided is not None:
            assert row.final == series.is_final(decided)


@properties
@given(
    history=known_histories(),
    question=questions,
    span=st.fixed_dictionaries({"start": bounds, "end": bounds}),
    limit=st.integers(1, 4),
    known_through=st.one_of(st.none(), instants),
)
def test_what_was_known(
    writer: psycopg.Connection[Any],
    history: Known,
    question: PointQuestion,
    span: dict[str, Any],
    limit: int,
    known_through: datetime | None,
) -> None:
    """In rows, the last of them, and as text; each says whether it is final."""
    with writer.transaction(force_rollback=True):
        store_known(writer, store_series(writer), history)
        writer.execute(
            "INSERT INTO source_state (source, known_through) VALUES ('grid', %s)", [known_through]
        )
        for series in select_series(writer, SERIES):
            check_all_ways(writer, question, series, span, limit)


@properties
@given(
    history=published_histories(),
    question=questions,
    recorded_by=st.one_of(st.none(), instants),
    span=st.fixed_dictionaries({"start": bounds, "end": bounds}),
    limit=st.integers(1, 4),
)
def test_what_was_published(
    writer: psycopg.Connection[Any],
    history: Published,
    question: PointQuestion,
    recorded_by: datetime | None,
    span: dict[str, Any],
    limit: int,
) -> None:
    """The same by the times of publication, where the latest of all is as of now."""
    kind = Kind.AS_OF if question.kind is Kind.LATEST else question.kind
    question = PointQuestion(
        kind=kind, published=True, recorded_by=recorded_by, at=question.at, lead=question.lead,
        cutoff=question.cutoff, number=question.number,
    )  # fmt: skip
    with writer.transaction(force_rollback=True):
        store_published(writer, store_series(writer), history)
        writer.execute(
            "INSERT INTO source_state (source, known_through) VALUES ('grid', %s)", [at(20)]
        )
        for series in select_series(writer, SERIES):
            check_all_ways(writer, question, series, span, limit)


@given(
    ts=st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    days=st.integers(-2, 9),
    clock=st.times().map(lambda t: t.replace(fold=0)),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
)
def test_the_program_cuts_off_as_the_model_does(
    ts: datetime, days: int, clock: time, zone: str
) -> None:
    """Whatever the clocks do: what is called final is what is answered."""
    calendar = ZoneInfo(zone)
    assert Cutoff(days, clock, calendar).instant(ts) == cutoff(ts, days, clock, calendar)


def test_decisions_go_in_blocks(
    writer: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their numbers and their order go through all of them."""
    from dataportal.store.read import points

    monkeypatch.setattr(points, "DECISIONS_AT_A_TIME", 3)
    with writer.transaction(force_rollback=True):
        store_series(writer)
        decisions = [Decision(at(n % 3), at(-n)) for n in range(10)]
        rows = list(points_at(writer, SERIES, decisions))
    assert [(row.number, row.series) for row in rows] == [
        (number, series) for number in range(1, 11) for series in SERIES
    ]
    assert [(row.ts, row.decided_at) for row in rows[::2]] == decisions
