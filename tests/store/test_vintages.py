"""What providers publish of their own revisions, against a model in plain Python."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.store_feed import open_observer

from dataportal.observations import clean
from dataportal.store.read.history import publications, series_summary
from dataportal.store.records import Counts, RunKind, SeriesRecord, SliceWrite
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    from dataportal.store.records import MergeResult

START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
_number = count()

Vintage = tuple[int, int, float | None]
"""The days of an observation and of its publication, and the value."""
vintages = st.tuples(
    st.integers(0, 3), st.integers(0, 4), st.sampled_from([None, 1.0, 2.0, -0.0, 1e300])
)


answers = st.lists(vintages, min_size=1, max_size=8)


def agreed_values(answer: list[Vintage]) -> dict[tuple[int, int], float | None]:
    """The value of each publication: the number beside nulls, and none of several that differ."""
    values: defaultdict[tuple[int, int], set[float | None]] = defaultdict(set)
    for ts, published, value in answer:
        values[ts, published].add(value)
    return {
        publication: next(iter(several - {None}), None)
        for publication, several in values.items()
        if len(several - {None}) < 2
    }


def day(number: int) -> datetime:
    """So many days after the first."""
    return START + number * DAY


class Model:
    """What is recorded, in the order in which it was, and what follows from that."""

    def __init__(self) -> None:
        self.recorded: list[Vintage] = []
        self.current: dict[int, float] = {}

    def take(self, answer: list[Vintage]) -> int:
        """Record what is new in an answer, and contradicts nothing in it; how much that was."""
        brought = agreed_values(answer)
        new = [
            (ts, published, value)
            for (ts, published), value in brought.items()
            if self.last(ts, published) != (value,)
        ]
        self.recorded += new
        for ts in {ts for ts, _ in brought}:
            value = self.published_by(ts, 99)
            if value is None:
                self.current.pop(ts, None)
            else:
                self.current[ts] = value
        return len(new)

    def last(self, ts: int, published: int) -> tuple[float | None] | None:
        """The value recorded last for a publication, in a tuple; None for none."""
        values = [v for t, p, v in self.recorded if (t, p) == (ts, published)]
        return (values[-1],) if values else None

    def published_by(self, ts: int, at: int) -> float | None:
        """The value as published by a day."""
        days = [p for t, p, _ in self.recorded if t == ts and p <= at]
        values = self.last(ts, max(days)) if days else None
        return None if values is None else values[0]


def store(session: SourceSession, answer: list[Vintage], name: str, **options: Any) -> MergeResult:
    """Store an answer as a run does."""
    raw = [
        {"ts": day(ts), "value": value, "published_at": day(published)}
        for ts, published, value in answer
    ]
    batch = clean({name: raw}, series=[name], start=START, end=None, zone=None)
    agreed = agreed_values(answer)
    contradicting = [v for ts, at, v in answer if v is not None and (ts, at) not in agreed]
    assert batch.rejected == len(contradicting)
    run = session.start_run(RunKind.SCHEDULED, START, None)
    received = Counts(
        received=batch.received,
        duplicates=batch.duplicates,
        rejected=batch.rejected,
        nulls=batch.nulls,
    )
    options = {"accept_retractions": True, **options}
    merged = session.merge(
        SliceWrite(run, batch.series, start=START, end=None, received=received, **options)
    )
    assert merged.counts.received == sum(merged.counts.values()) - merged.counts.received
    return merged


@pytest.mark.slow
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(taken=st.lists(answers, min_size=1, max_size=5))
def test_whatever_is_published(taken: list[list[Vintage]], database_url: str) -> None:
    """Any vintages in any order, twice, rewritten, withdrawn: as of each day what was published.

    The current value is the one published last; the same answer again, in another order, records
    and writes nothing. What contradicts itself in one answer is none of it, and what was stored
    stays.
    """
    name, model = f"s{next(_number)}", Model()
    with (
        closing(SourceSession.open(database_url, name)) as session,
        open_observer(database_url) as look,
    ):
        assert session.try_lock()
        session.register([SeriesRecord(name)])
        for answer in taken:
            assert store(session, answer, name).vintages == model.take(answer)
            again = store(session, answer[::-1], name)
            assert (again.vintages, again.counts.changed) == (0, 0)
            summary = series_summary(look, name)
            assert summary is not None
            for at in range(-1, 6):
                rows = publications(look, summary.series_id, at=day(at))
                expected = {ts: model.published_by(ts, at) for ts in range(4)}
                assert {row.ts: row.value for row in rows} == {
                    day(ts): value for ts, value in expected.items() if value is not None
                }
            stored = look.execute(
                "SELECT ts, value FROM time_series_data WHERE series_id = %s", [summary.series_id]
            ).fetchall()
            assert dict(stored) == {day(ts): value for ts, value in model.current.items()}


def test_an_earlier_publication_is_no_duplicate(database_url: str) -> None:
    """It is kept, and the current value stays; only the same publication again is one too many."""
    with closing(SourceSession.open(database_url, "gdp")) as session:
        assert session.try_lock()
        session.register([SeriesRecord("gdp")])
        answer: list[Vintage] = [(0, 1, 1.0), (0, 3, 2.0), (0, 2, 1.5), (1, 3, 5.0), (1, 3, 5.0)]
        first = store(session, answer, "gdp")
        counts = first.counts
        assert (counts.received, counts.inserted, counts.unchanged) == (5, 2, 2)
        assert (counts.duplicates, first.vintages) == (1, 4)
        late = store(session, [(0, 0, 0.5), (0, 2, 1.5)], "gdp")
        assert (late.counts.unchanged, late.counts.changed, late.vintages) == (2, 0, 1)


def test_a_rewritten_vintage_is_kept_beside_the_first(database_url: str) -> None:
    """The later recorded one answers; what this database knew before can still be told."""
    with closing(SourceSession.open(database_url, "gdp")) as session:
        assert session.try_lock()
        session.register([SeriesRecord("gdp")])
        store(session, [(0, 1, 1.0), (0, 3, 2.0)], "gdp")
        store(session, [(0, 1, 1.5), (0, 3, 2.0)], "gdp")
    with open_observer(database_url) as look:
        rows = look.execute(
            "SELECT value, recorded_at FROM time_series_vintage WHERE published_at = %s"
            " ORDER BY recorded_at",
            [day(1)],
        ).fetchall()
        assert [value for value, _ in rows] == [1.0, 1.5]
        assert rows[0][1] < rows[1][1]
        summary = series_summary(look, "gdp")
        assert summary is not None
        (row,) = publications(look, summary.series_id, at=day(2))
        assert (row.value, row.published_at, row.recorded_at) == (1.5, day(1), rows[1][1])
        assert look.execute("SELECT value FROM time_series_data").fetchall() == [(2.0,)]


def test_an_import_does_not_claim_to_have_been_known_here(database_url: str) -> None:
    """Knowledge time is when this database came to know, however long ago it was published."""
    before = datetime.now(UTC) - timedelta(minutes=1)
    with closing(SourceSession.open(database_url, "gdp")) as session:
        assert session.try_lock()
        session.register([SeriesRecord("gdp")])
        store(session, [(0, 1, 1.0), (0, 3, 2.0)], "gdp")
    with open_observer(database_url) as look:
        for statement in (
            b"SELECT recorded_at FROM time_series_vintage",
            b"SELECT valid_from FROM time_series_data_scd2",
        ):
            rows = look.execute(statement).fetchall()
            assert rows
            assert all(at > before for (at,) in rows)
        known = look.execute("SELECT * FROM time_series_data_as_of(%s)", [day(4)]).fetchall()
        assert known == []


def test_a_withheld_withdrawal_is_recorded_and_withheld_again(database_url: str) -> None:
    """The vintage says what was published; the current value waits for the operator."""
    many = [(number, 1, 1.0) for number in range(4)]
    gone: list[Vintage] = [(number, 2, None) for number in range(4)]
    with closing(SourceSession.open(database_url, "gdp")) as session:
        assert session.try_lock()
        session.register([SeriesRecord("gdp")])
        store(session, [*many], "gdp")
        for recorded in (4, 0):
            merged = store(session, gone, "gdp", accept_retractions=False)
            assert (merged.vintages, merged.counts.withheld) == (recorded, 4)
        assert store(session, gone, "gdp").counts.retracted == 4
    with psycopg.connect(database_url) as connection:
        summary = series_summary(connection, "gdp")
        assert summary is not None
        assert list(publications(connection, summary.series_id, at=day(9))) == []
        assert len(list(publications(connection, summary.series_id, at=day(1)))) == 4


@pytest.mark.parametrize("series", [1, 40])
def test_late_vintages_of_many_series_leave_each_its_own(series: int, database_url: str) -> None:
    """A batch that brings only what was superseded long ago changes no current value of any."""
    names = [f"s{number}" for number in range(series)]
    with closing(SourceSession.open(database_url, "many")) as session:
        assert session.try_lock()
        session.register([SeriesRecord(name) for name in names])

        def store(published: int, value: float) -> MergeResult:
            raw = {
                name: [
                    {"ts": day(n), "value": value, "published_at": day(published)} for n in (0, 1)
                ]
                for name in names
            }
            batch = clean(raw, series=names, start=START, end=None, zone=None)
            run = session.start_run(RunKind.SCHEDULED, START, None)
            received = Counts(received=batch.received)
            return session.merge(
                SliceWrite(run, batch.series, start=START, end=None, received=received)
            )

        assert store(5, 1.0).counts.inserted == 2 * series
        late = store(2, 7.0)
        assert (late.vintages, late.counts.unchanged, late.counts.changed) == (
            2 * series,
            2 * series,
            0,
        )
