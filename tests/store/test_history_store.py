"""What the store answers about the past: as of a time, differences, versions, the summary."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.store_feed import history, hour, hour_of, open_feed, open_observer

from dataportal.errors import UsageError
from dataportal.store.connection import connect
from dataportal.store.queries import query
from dataportal.store.read import history as reading
from dataportal.store.read import revisions
from dataportal.store.read.overview import open_reader
from dataportal.store.read.plot import plot_parts
from dataportal.store.records import Outcome, SeriesRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MICROSECOND = timedelta(microseconds=1)
# A → B → A, a withdrawal and a return, one withdrawn for good, one that comes late, one at rest
STORY: tuple[dict[int, float | None], ...] = (
    {0: 1.0, 1: 1.0, 2: 1.0, 4: 1.0},
    {0: 2.0, 1: None, 4: 1.0},
    {0: 1.0, 1: 1.0, 3: 5.0, 2: None},
    {0: 1.0, 1: 3.0, 4: 1.0},
    {1: None, -9_000: 8.0},
)


@pytest.fixture
def known(database_url: str) -> list[datetime]:
    """The knowledge times of the story, each told by a run of its own."""
    times = []
    with open_feed(database_url) as feed:
        for points in STORY:
            feed.start()
            known = feed(points, accept_retractions=True).knowledge_time
            assert known
            times.append(known)
            feed.finish()
    return times


@pytest.fixture
def reader(database_url: str, known: list[datetime]) -> Iterator[psycopg.Connection]:
    """Reads as the program does."""
    with open_reader(database_url) as connection:
        yield connection


def load(reader: psycopg.Connection) -> reading.SeriesSummary:
    """The series of the story."""
    summary = reading.series_summary(reader, "load")
    assert summary
    return summary


def tell(chapters: Sequence[dict[int, float | None]]) -> dict[int, float]:
    """What is known after these answers."""
    folded: dict[int, float | None] = {}
    for points in chapters:
        folded |= points
    return {h: value for h, value in folded.items() if value is not None}


def moments(known: Sequence[datetime]) -> list[datetime]:
    """Each knowledge time, the microsecond before it, and far away."""
    far = [datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)]
    return far + [at - rest for at in known for rest in (MICROSECOND, timedelta())]


def test_as_of_is_what_had_been_told(reader: psycopg.Connection, known: list[datetime]) -> None:
    """Including the knowledge time itself, excluding the next; in order of ts."""
    for at in moments(known):
        expected = tell([points for points, k in zip(STORY, known, strict=True) if k <= at])
        rows = list(reading.observations(reader, load(reader).series_id, at=at))
        assert [(row.ts, row.value) for row in rows] == [
            (hour(h), expected[h]) for h in sorted(expected)
        ]
        assert all(row.valid_from <= at for row in rows)
        assert all(row.valid_to is None or at < row.valid_to for row in rows)


def test_now_is_the_last_of_all(reader: psycopg.Connection) -> None:
    """Without a time the open versions are given; the same as of a time to come."""
    series = load(reader).series_id
    now = list(reading.observations(reader, series))
    later = reading.observations(reader, series, at=datetime(2999, 1, 1, tzinfo=UTC))
    assert now == list(later)
    assert {hour_of(row.ts): row.value for row in now} == tell(STORY)
    assert {row.valid_to for row in now} == {None}


def test_a_window_is_half_open(reader: psycopg.Connection, known: list[datetime]) -> None:
    """Its start belongs to it and its end does not, in every answer."""
    series = load(reader).series_id
    window: dict[str, Any] = {"start": hour(1), "end": hour(4)}
    assert [hour_of(o.ts) for o in reading.observations(reader, series, **window)] == [3]
    assert [hour_of(o.ts) for o in reading.observations(reader, series, at=known[0], **window)] == [
        1,
        2,
    ]
    changes = reading.differences(reader, series, known[0], known[-1], **window)
    assert [hour_of(change.ts) for change in changes] == [1, 2, 3]
    revisions = reading.latest_revisions(reader, series, limit=99, **window)
    assert {hour_of(change.ts) for change in revisions} == {1, 2}


def test_an_answer_is_final_up_to_what_is_known_through(
    database_url: str, reader: psycopg.Connection
) -> None:
    """Of the series' own source; a later one is provisional, and what never ran is, too."""
    summary = load(reader)
    through = summary.known_through
    assert through
    assert summary.last_known
    assert summary.last_known <= through
    assert summary.is_final(through)
    assert summary.is_final(datetime(1970, 1, 1, tzinfo=UTC))
    assert not summary.is_final(through + MICROSECOND)
    with open_feed(database_url, "rain", source="other") as feed:
        rain = reading.series_summary(reader, "rain")
        assert rain
        assert not rain.is_final(datetime(1970, 1, 1, tzinfo=UTC))
        feed.finish(Outcome.UNCHANGED)
    rain = reading.series_summary(reader, "rain")
    assert rain
    assert rain.is_final(through)
    assert load(reader) == summary


def test_what_is_final_never_changes(database_url: str, known: list[datetime]) -> None:
    """Whatever is fetched after it, with a clock that was set back, too: later K are later."""
    with open_feed(database_url) as feed, open_reader(database_url) as reader:
        series = load(reader)
        through = series.known_through
        assert through
        before = list(reading.observations(reader, series.series_id, at=through))
        with open_observer(database_url) as look:
            look.execute("UPDATE source_state SET last_knowledge_time = NULL")
            look.execute("UPDATE source_state SET known_through = known_through + interval '1 day'")
        feed(dict.fromkeys(range(-5, 9), 77.0))
        feed(dict.fromkeys(range(-5, 9)), accept_retractions=True)
        for at in (through, through + timedelta(days=1)):
            again = list(reading.observations(reader, series.series_id, at=at))
            assert [(o.ts, o.value) for o in again] == [(o.ts, o.value) for o in before]


def test_versions_of_one_observation(reader: psycopg.Connection, known: list[datetime]) -> None:
    """Oldest first, each with its run, which grows; none for what was never seen."""
    series = load(reader).series_id
    runs = {}
    expected: dict[int, list[tuple[float, int, int | None]]] = {
        0: [(1.0, 0, 1), (2.0, 1, 2), (1.0, 2, None)],
        1: [(1.0, 0, 1), (1.0, 2, 3), (3.0, 3, 4)],
        2: [(1.0, 0, 2)],
        4: [(1.0, 0, None)],
    }
    for h, times in expected.items():
        versions = reading.versions(reader, series, hour(h))
        assert [(v.value, v.valid_from, v.valid_to) for v in versions] == [
            (value, known[a], None if b is None else known[b]) for value, a, b in times
        ]
        runs[h] = [v.run_id for v in versions]
        assert runs[h] == sorted(set(runs[h]))
    assert runs[1][0] == runs[0][0]
    assert reading.versions(reader, series, hour(77)) == []


def test_the_summary_counts(reader: psycopg.Connection, known: list[datetime]) -> None:
    """Versions, current observations, those withdrawn now; the first and the last of each time."""
    summary = load(reader)
    assert (summary.versions, summary.observations, summary.retracted) == (10, 4, 2)
    assert (summary.first_ts, summary.last_ts) == (hour(-9_000), hour(4))
    assert (summary.first_known, summary.last_known) == (known[0], known[-1])
    assert reading.series_summary(reader, "laod") is None
    assert reading.series_names(reader) == ["load"]


def test_the_summary_of_a_series_without_points(database_url: str) -> None:
    """Counts of zero and no times; what sources.yaml says of it is there."""
    record = SeriesRecord(
        "calm", "Calm", unit="m/s", ts_timezone="Europe/Berlin", metadata={"a": 1}
    )
    with open_feed(database_url, source="calm") as feed, open_reader(database_url) as reader:
        feed.session.register([record])
        summary = reading.series_summary(reader, "calm")
    assert summary
    assert (summary.name, summary.unit, summary.ts_timezone) == ("Calm", "m/s", "Europe/Berlin")
    assert summary.metadata == {"a": 1}
    assert (summary.versions, summary.observations, summary.retracted) == (0, 0, 0)
    assert {summary.first_ts, summary.last_ts, summary.first_known, summary.last_known} == {None}


def test_a_long_series_is_counted_up_to_a_limit(
    reader: psycopg.Connection, known: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond it a count is not known, unless all is asked for; the extents are all the same."""
    everything = load(reader)
    monkeypatch.setattr(reading, "COUNTED_UP_TO", 5)
    summary = load(reader)
    assert (summary.versions, summary.observations, summary.retracted) == (None, 4, None)
    assert (summary.first_ts, summary.last_ts) == (everything.first_ts, everything.last_ts)
    assert (summary.first_known, summary.last_known) == (known[0], known[-1])
    assert not summary.is_counted
    monkeypatch.setattr(reading, "COUNTED_UP_TO", 3)
    assert load(reader).observations is None
    counted = reading.series_summary(reader, "load", count_all=True)
    assert counted
    assert (counted.versions, counted.observations, counted.retracted) == (10, 4, 2)
    assert (counted.publications, counted.counted_up_to) == (0, None)


def test_a_series_says_when_it_changed(database_url: str) -> None:
    """At the first and the last knowledge time of its versions, whatever others did meanwhile."""
    with (
        open_feed(database_url, "load", "wind") as feed,
        open_reader(database_url) as reader,
    ):
        for wind, load_value in ((1.0, 1.0), (1.0, 2.0), (None, 2.0), (None, 2.0)):
            feed({0: load_value}, wind={0: wind}, accept_retractions=True)
        for name in ("load", "wind"):
            summary = reading.series_summary(reader, name)
            assert summary
            assert summary.first_known_at == summary.first_known is not None
            assert summary.changed_at == summary.last_known


def test_the_latest_revisions_of_a_long_series(
    reader: psycopg.Connection, known: list[datetime]
) -> None:
    """Where they lie within what the newest runs that revised asked for, all are found."""
    summary = load(reader)
    assert reading.recent_revisions(reader, summary, limit=99) == reading.latest_revisions(
        reader, summary.series_id, limit=99
    )


def test_a_limit_gives_the_end_of_each_answer(
    reader: psycopg.Connection, known: list[datetime]
) -> None:
    """The same rows as without it, however few are read."""
    series = load(reader).series_id
    far = datetime(2999, 1, 1, tzinfo=UTC)
    for limit in (1, 2, 99):
        for at in (None, known[0], far):
            everything = list(reading.observations(reader, series, at=at))
            assert (
                list(reading.observations(reader, series, at=at, limit=limit))
                == (everything[-limit:])
            )
        changes = list(reading.differences(reader, series, known[0], far))
        assert (
            list(reading.differences(reader, series, known[0], far, limit=limit))
            == (changes[-limit:])
        )


@pytest.mark.parametrize(
    "name",
    [
        "history_current_newest",
        "history_as_of_newest",
        "history_as_published_newest",
        "history_differences_newest",
        "history_published_differences",
        "history_bounds",
    ],
)
def test_few_rows_of_a_long_series_are_few_rows_read(database_url: str, name: str) -> None:
    """The index is read from its end, and no more of it than the limit asks for."""
    with open_observer(database_url) as look:
        look.execute(LONG.encode())
    with open_reader(database_url) as reader:
        reader.execute("SET track_io_timing = off")
        parameters = {
            "series": 7, "limit": 5, "start": None, "end": None, "recorded": None,
            "at": hour(99_999), "first": hour(-1), "second": hour(99_999),
        }  # fmt: skip
        explain = b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + query(name)
        row = reader.execute(explain, parameters).fetchone()
    assert row
    plan = row[0][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 100, json.dumps(plan, indent=1)


LONG = f"""
INSERT INTO time_series_data (ts, value, updated_at, run_id, series_id)
SELECT '{hour(0)}'::timestamptz + n * interval '1 minute', n, '{hour(0)}', 1, 7
FROM generate_series(1, 30000) AS n;
INSERT INTO time_series_data_scd2 (ts, value, valid_from, valid_to, run_id, series_id)
SELECT '{hour(0)}'::timestamptz + n * interval '1 minute', n + v,
       '{hour(0)}'::timestamptz + v * interval '1 hour',
       CASE v WHEN 1 THEN 'infinity' ELSE '{hour(1)}'::timestamptz END, 1, 7
FROM generate_series(1, 30000) AS n, generate_series(0, 1) AS v;
INSERT INTO time_series_vintage (ts, published_at, recorded_at, value, run_id, series_id)
SELECT '{hour(0)}'::timestamptz + n * interval '1 minute', '{hour(0)}', '{hour(0)}', n, 1, 7
FROM generate_series(1, 30000) AS n;
ANALYZE time_series_data, time_series_data_scd2, time_series_vintage
"""  # noqa: S608 - of this file alone
"""30,000 observations of series 7, each revised once, and published."""


def test_a_withdrawal_is_the_last_thing_known(database_url: str) -> None:
    """Of a series whose only value was withdrawn."""
    with open_feed(database_url) as feed, open_reader(database_url) as reader:
        feed({0: 1.0})
        gone = feed({0: None}).knowledge_time
        summary = load(reader)
    assert (summary.last_known, summary.retracted, summary.last_ts) == (gone, 1, None)


def test_differences_are_those_of_the_two_answers(
    reader: psycopg.Connection, known: list[datetime]
) -> None:
    """For every pair of times; and they say when the change became known."""
    series = load(reader).series_id

    def as_of(at: datetime) -> dict[datetime, float]:
        return {o.ts: o.value for o in reading.observations(reader, series, at=at)}

    for first in moments(known):
        for second in (at for at in moments(known) if first <= at):
            before, after = as_of(first), as_of(second)
            changes = list(reading.differences(reader, series, first, second))
            assert [(c.ts, c.before, c.after) for c in changes] == [
                (ts, before.get(ts), after.get(ts))
                for ts in sorted(before.keys() | after.keys())
                if before.get(ts) != after.get(ts)
            ]
            assert all(first < c.known_at <= second for c in changes)
            assert all(as_of(c.known_at).get(c.ts) == c.after for c in changes)
            assert all(as_of(c.known_at - MICROSECOND).get(c.ts) != c.after for c in changes)


def test_a_difference_was_known_when_the_last_change_was(database_url: str) -> None:
    """Of a value that went, came back and went again the last withdrawal counts."""
    with open_feed(database_url) as feed, open_reader(database_url) as reader:
        first, _, _, last = (feed({0: v}).knowledge_time for v in (1.0, None, 2.0, None))
        assert first
        assert last
        [change] = reading.differences(reader, load(reader).series_id, first, last)
    assert (change.before, change.after, change.known_at) == (1.0, None, last)


def test_revisions_are_newest_first(reader: psycopg.Connection, known: list[datetime]) -> None:
    """Changes to what had been known: no first values; a return comes from nothing."""
    series = load(reader).series_id
    revisions = reading.latest_revisions(reader, series, limit=99)
    assert [(hour_of(c.ts), c.before, c.after, known.index(c.known_at)) for c in revisions] == [
        (1, 3.0, None, 4),
        (1, 1.0, 3.0, 3),
        (2, 1.0, None, 2),
        (1, None, 1.0, 2),
        (0, 2.0, 1.0, 2),
        (1, 1.0, None, 1),
        (0, 1.0, 2.0, 1),
    ]
    assert reading.latest_revisions(reader, series, limit=3) == revisions[:3]


def test_the_matrix_has_what_was_known_at_each_time(
    reader: psycopg.Connection, known: list[datetime]
) -> None:
    """Every column is the answer as of its time, and together they are all knowledge times."""
    series = load(reader).series_id
    vintages = revisions.matrix(reader, revisions.Part(series_id=series))
    rows = list(vintages.rows)
    assert vintages.times == known
    assert [row.ts for row in rows] == sorted({row.ts for row in rows})
    for number, at in enumerate(known):
        column = {row.ts: row.values[number] for row in rows if row.values[number] is not None}
        assert column == {o.ts: o.value for o in reading.observations(reader, series, at=at)}
    part = revisions.Part(series_id=series, start=hour(1), end=hour(3))
    assert [hour_of(row.ts) for row in revisions.matrix(reader, part).rows] == [1, 2]
    last = revisions.matrix(reader, revisions.Part(series_id=series, limit=2))
    assert [row.ts for row in last.rows] == [row.ts for row in rows[-2:]]
    assert revisions.matrix(reader, revisions.Part(series_id=99)).times == []


def test_a_matrix_of_too_many_columns_is_refused(
    reader: psycopg.Connection, known: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do about it."""
    monkeypatch.setattr(revisions, "MOST_TIMES", 2)
    with pytest.raises(UsageError, match=r"more than 2 columns.*--limit"):
        revisions.matrix(reader, revisions.Part(series_id=load(reader).series_id))


def test_revisions_are_told_apart_by_their_age(database_url: str) -> None:
    """The time from ts to the change: count, bias, mean, largest; withdrawals on their own."""
    # values, and the hours after ts at which they came and ended
    versions = [
        (10.0, 0.0, 0.5),
        (12.0, 0.5, 1.0),
        (8.0, 1.0, 2.0),
        (9.0, 2.0, 24.0),
        (9.5, 24.0, 50.0),
        (9.5, 100.0, 900.0),
        (1.0, 900.0, 10_000.0),
    ]
    with open_observer(database_url) as look:
        look.execute("INSERT INTO time_series (endpoint_prefix, source) VALUES ('load', 'grid')")
        for value, since, until in versions:
            look.execute(
                "INSERT INTO time_series_data_scd2 (ts, value, valid_from, valid_to, run_id,"
                " series_id) VALUES (%(ts)s, %(value)s, %(since)s, %(until)s, 1, 1)",
                {
                    "ts": hour(0),
                    "value": value,
                    "since": hour(0) + timedelta(hours=since),
                    "until": hour(0) + timedelta(hours=until),
                },
            )
        look.execute("UPDATE time_series_data_scd2 SET valid_to = 'infinity' WHERE value = 1")
    with open_reader(database_url) as reader:
        ages = revisions.revisions_by_age(reader, revisions.Part(series_id=1), "load")
    figures = {a.age_up_to: (a.count, a.bias, a.mean, a.largest, a.withdrawals) for a in ages}
    nothing = (0, None, None, None, 0)
    assert figures == {
        timedelta(): nothing,
        timedelta(hours=1): (2, -1.0, 3.0, 4.0, 0),
        timedelta(hours=6): (1, 1.0, 1.0, 1.0, 0),
        timedelta(days=1): (1, 0.5, 0.5, 0.5, 0),
        timedelta(days=7): (0, None, None, None, 2),
        timedelta(days=30): nothing,
        None: (1, -8.5, 8.5, 8.5, 0),
    }


def test_a_plot_has_every_extreme_however_few_its_parts(database_url: str) -> None:
    """In order, from the first ts to the last; the same of fewer points than parts."""
    values = [float(n * 7919 % 1000) for n in range(5000)]
    with open_feed(database_url) as feed, open_reader(database_url) as reader:
        feed(dict(enumerate(values)))
        part = revisions.Part(series_id=load(reader).series_id)
        parts = plot_parts(reader, part, at=None, buckets=40)
        few = revisions.Part(series_id=part.series_id, limit=3)
        last = plot_parts(reader, few, at=None, buckets=40)
        (one,) = plot_parts(reader, dataclasses.replace(few, limit=1), at=None, buckets=40)
        assert plot_parts(reader, part, at=hour(-99_999), buckets=40) == []
    assert len(parts) == 40
    assert (parts[0].first_ts, parts[-1].last_ts) == (hour(0), hour(4999))
    assert (min(p.low for p in parts), max(p.high for p in parts)) == (min(values), max(values))
    assert [p.low for p in last] == [p.high for p in last] == values[-3:]
    assert (one.low, one.high, one.first_ts) == (values[-1], values[-1], hour(4999))


@st.composite
def answers(draw: st.DrawFn) -> list[dict[int, float | None]]:
    """Some answers of a provider, one after the other."""
    values = st.sampled_from([None, 1.0, 2.0, 0.1])
    hours = st.sampled_from([0, 1, 2, 3, -20_000])
    return draw(st.lists(st.dictionaries(hours, values, max_size=5), min_size=1, max_size=8))


def test_sql_and_program_give_the_same_answers(database_url: str) -> None:
    """For random histories and times: the function, the program, and the versions themselves."""
    with (
        open_feed(database_url) as feed,
        open_observer(database_url) as look,
        open_reader(database_url) as reader,
    ):
        series = load(reader).series_id

        @settings(max_examples=40)
        @given(answers(), st.data())
        def check(answers: list[dict[int, float | None]], data: st.DataObject) -> None:
            look.execute("DELETE FROM time_series_data")
            look.execute("DELETE FROM time_series_data_scd2")
            known = [feed(points, accept_retractions=True).knowledge_time for points in answers]
            times = moments([k for k in known if k])
            at = data.draw(st.sampled_from(times) | st.datetimes(timezones=st.just(UTC)))
            rows = look.execute(
                "SELECT ts, value, valid_from, valid_to FROM time_series_data_as_of(%s)"
                " WHERE series_id = %s ORDER BY ts",
                [at, series],
            ).fetchall()
            assert [reading.Observation(*row) for row in rows] == list(
                reading.observations(reader, series, at=at)
            )
            assert {hour_of(ts): value for ts, value, *_ in rows} == {
                h: span.value
                for h, spans in history(look).items()
                for span in spans
                if span.since <= at and (span.until is None or at < span.until)
            }

        check()


def test_the_function_reads_its_own_tables(
    database_url: str, reader: psycopg.Connection, known: list[datetime]
) -> None:
    """Whatever tables of the same name the caller's search_path leads to."""
    with open_observer(database_url) as look:
        look.execute("CREATE SCHEMA elsewhere")
        look.execute("CREATE TABLE elsewhere.time_series_data_scd2 (LIKE time_series_data_scd2)")
        home = look.execute("SELECT current_schema()").fetchone()
        assert home
        look.execute("SET search_path = elsewhere, pg_catalog")
        count = psycopg.sql.SQL("SELECT count(*) FROM {}.time_series_data_as_of(%s)")
        row = look.execute(count.format(psycopg.sql.Identifier(home[0])), [known[-1]])
        assert row.fetchone() == (len(tell(STORY)),)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@pytest.mark.parametrize("at", ["'2999-01-01'", "now()", "'-infinity'"])
def test_the_function_is_inlined(database_url: str, at: str) -> None:
    """A condition on series_id and ts reaches the index, and nothing calls a function."""
    with open_feed(database_url) as feed, connect(database_url, application_name="x") as connection:
        feed({n: float(n) for n in range(-30_000, 30_000, 10)})
        connection.execute("ANALYZE time_series_data_scd2")
        row = connection.execute(
            f"EXPLAIN (FORMAT JSON) SELECT value FROM time_series_data_as_of({at})"  # noqa: S608 - one of three
            f" WHERE series_id = 1 AND ts = '{hour(10)}'"
        ).fetchone()
    assert row
    plan = [*nodes(row[0][0]["Plan"])]
    assert not [node for node in plan if "Function" in node["Node Type"]]
    conditions = [node["Index Cond"] for node in plan if "Index Cond" in node]
    assert len(conditions) == 1, json.dumps(row[0], indent=1)
    assert "series_id = 1" in conditions[0]
    assert "ts = " in conditions[0]


def test_the_view_shows_open_ends_as_null(database_url: str, known: list[datetime]) -> None:
    """And says of each version whether it is current."""
    with open_observer(database_url) as look:
        rows = look.execute(
            "SELECT ts, value, valid_from, valid_to, is_current FROM time_series_data_history"
        ).fetchall()
        versions = history(look)
    assert all(is_current == (valid_to is None) for *_, valid_to, is_current in rows)
    assert len(rows) == sum(map(len, versions.values()))
    assert {(hour_of(ts), *rest) for ts, *rest, _ in rows} == {
        (h, *span) for h, spans in versions.items() for span in spans
    }


def test_long_answers_stream(database_url: str) -> None:
    """More rows than one look at the cursor brings, in order; half of it can be left unread."""
    numbers = range(25_000)
    with open_feed(database_url) as feed, open_reader(database_url) as reader:
        feed({n: float(n) for n in numbers})
        series = load(reader).series_id
        rows = iter(reading.observations(reader, series))
        assert next(rows).value == 0.0
        rows.close()  # type: ignore[attr-defined]  # a generator
        assert [o.value for o in reading.observations(reader, series)] == [*map(float, numbers)]
