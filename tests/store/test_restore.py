"""Series brought to a file and back: the whole history, byte for byte, and nothing else changed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from support.databases import with_schema
from support.store_feed import (
    AtWork,
    current,
    history,
    hour,
    open_feed,
    open_observer,
    progress_of,
    state_of,
    tuples,
)

from dataportal.availability import parse_availability
from dataportal.errors import ConfigurationError, DatabaseError, FileError
from dataportal.observations import Observations
from dataportal.store.archive import restore as under_test
from dataportal.store.archive.dump import dump
from dataportal.store.archive.file import read, write
from dataportal.store.archive.format import End, Series, Version
from dataportal.store.archive.restore import restore
from dataportal.store.read.history import observations, publications, series_summary
from dataportal.store.read.overview import open_reader, overview
from dataportal.store.read.verify import verify
from dataportal.store.records import Counts, Outcome, RunKind, SeriesRecord, SliceWrite
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from support.databases import Databases
    from support.store_feed import Feed

    from dataportal.store.archive.format import ArchivedSeries, Row

NAMES = ("load", "wind", "rain")
RECORD = SeriesRecord(
    "load",
    name='Load "gross"\t\\N',
    unit="MW",
    granularity="1 hour",
    ts_timezone="Europe/Berlin",
    metadata={"z": 1.5, "a": {"b": [None, "ü"]}},
    availability=parse_availability("next day 09:00").record("Europe/Berlin"),
)


def publish(feed: Feed) -> None:
    """Two publications for one observation of `wind`, then a correction of the second."""
    for value in (1.5, 1.25):
        rows: list[tuple[datetime, datetime, float | None]] = [
            (hour(1), hour(2), 1.0),
            (hour(1), hour(3), value),
        ]
        feed.session.merge(
            SliceWrite(
                feed.run,
                {"wind": Observations([hour(1)], [value], [hour(3)], rows)},
                start=hour(0),
                end=None,
                received=Counts(received=len(rows)),
            )
        )


@pytest.fixture
def filled_url(database_url: str) -> str:
    """Two sources with revisions, retractions, returns and publications, over years."""
    with open_feed(database_url, "load", "wind") as feed:
        feed.session.register([RECORD, SeriesRecord("wind")])
        feed({h: h / 7 for h in range(-20_000, 10, 900)}, wind={0: -0.0})
        feed({0: 1e300, 1: 2.0, 5: 3.0})
        feed({0: 2.0, 1: None, 5: None}, accept_retractions=True)
        publish(feed)
        feed.session.finish_run(feed.run, Outcome.SUCCEEDED, history_asked=True)
        feed.start()
        feed({1: 5.0})
    with open_feed(database_url, "rain", source="other") as feed:
        feed.finish()
    with open_observer(database_url) as look:
        look.execute(
            "INSERT INTO time_series_issue"
            " (issued_at, first_ts, last_ts, run_id, series_id, points)"
            " SELECT known_through - n * interval '1 ms', %s, %s, 1, series_id, 2"
            " FROM time_series JOIN source_state USING (source), generate_series(0, 1) AS n"
            " WHERE endpoint_prefix = 'load'",
            [hour(0), hour(5)],
        )
    return database_url


@pytest.fixture
def other_url(server_url: str, databases: Databases) -> Iterator[str]:
    """Another database, in which keys are other ones."""
    with databases.fresh(server_url, "migrated", with_schema) as url:
        with open_feed(url, *"abc", source="abc") as feed:
            feed.merge({"a": {0: 1.0}})
            feed.finish()
        yield url


def dump_series(url: str, path: Path, *names: str) -> list[ArchivedSeries]:
    """Write these series, or all three, to a file."""
    with open_reader(url) as reader:
        return dump(reader, names or NAMES, path)[0]


def restore_file(url: str, path: Path) -> list[ArchivedSeries]:
    """Bring a file back; nobody is to be waited for."""

    def say(text: str) -> None:
        raise AssertionError(text)

    return restore(url, path, say=say)[0]


def test_a_restored_series_is_dumped_as_the_same_bytes(
    filled_url: str, other_url: str, tmp_path: Path
) -> None:
    """Also from another database, with other keys; and a second time from the same."""
    paths = [tmp_path / f"{number}.jsonl.gz" for number in range(3)]
    entries = dump_series(filled_url, paths[0])
    assert [entry.series.endpoint_prefix for entry in entries] == list(NAMES)
    assert (entries[0].issues, entries[1].vintages) == (2, 3)
    dump_series(filled_url, paths[1])
    assert all(entry.run_id for entry in restore_file(other_url, paths[0]))
    dump_series(other_url, paths[2])
    assert len({path.read_bytes() for path in paths}) == 1
    text = b"".join(msgspec.json.encode(row) for row in read(paths[0]))
    assert b"run_id" not in text
    assert b"series_id" not in text


def test_a_file_that_does_not_know_of_its_initial_history(
    filled_url: str, other_url: str, tmp_path: Path
) -> None:
    """Is dumped as the same bytes all the same: what came first counts as all of it."""
    paths = [tmp_path / f"{number}.jsonl" for number in range(3)]
    dump_series(filled_url, paths[0])
    write(
        paths[1],
        (
            msgspec.structs.replace(row, history_asked_at=None) if isinstance(row, Series) else row
            for row in read(paths[0])
            if not isinstance(row, End)
        ),
    )
    assert paths[0].read_bytes() != paths[1].read_bytes()
    restore_file(other_url, paths[1])
    dump_series(other_url, paths[2])
    assert paths[2].read_bytes() == paths[1].read_bytes()
    with open_observer(other_url) as look:
        rows = look.execute(
            "SELECT endpoint_prefix, history_asked_at = first_known_at FROM time_series"
            " WHERE endpoint_prefix = ANY (%s) AND history_asked_at IS NOT NULL",
            [list(NAMES)],
        ).fetchall()
    assert sorted(rows) == [("load", True), ("wind", True)]


STATED = (
    "SELECT endpoint_prefix, answer_unit, published_timezone, reading FROM time_series"
    " WHERE source = 'grid' ORDER BY endpoint_prefix"
)
LENGTHS = (
    "SELECT endpoint_prefix, ts_from, resolution::text FROM time_series_resolution"
    " JOIN time_series USING (series_id) WHERE source = 'grid' ORDER BY 1, 2"
)


@pytest.mark.parametrize("is_old", [False, True], ids=["file of today", "older file"])
def test_what_answers_stated_of_a_series_comes_along(
    filled_url: str, other_url: str, tmp_path: Path, *, is_old: bool
) -> None:
    """Units, zones, readings, and how long intervals are; a file without them is as good."""
    with open_observer(filled_url) as look:
        look.execute(
            "UPDATE time_series SET answer_unit = 'EUR/MWh', published_timezone = 'US/Central',"
            " reading = 2 WHERE endpoint_prefix = 'wind'"
        )
        look.execute("DELETE FROM time_series_resolution")
        look.execute(
            "INSERT INTO time_series_resolution (ts_from, resolution, run_id, series_id)"
            " SELECT %s + n * interval '1 day', r::interval, 1, series_id FROM time_series,"
            " (VALUES (0, '1 mon'), (1, '15 min'), (2, NULL), (3, '1 day')) AS v (n, r)"
            " WHERE endpoint_prefix = 'wind'",
            [hour(0)],
        )
        stated, lengths = look.execute(STATED.encode()), look.execute(LENGTHS.encode())
        stated_there, lengths_there = stated.fetchall(), lengths.fetchall()
    path = tmp_path / "a.jsonl"
    dump_series(filled_url, path, "load", "wind")
    if is_old:
        fields = ("answer_unit", "published_timezone", "reading", "resolutions")
        rows = [
            msgspec.structs.replace(row, **dict.fromkeys(fields, None))
            if isinstance(row, Series)
            else row
            for row in read(path)
            if not isinstance(row, End)
        ]
        path = tmp_path / "old.jsonl"
        write(path, rows)
        assert not any(field.encode() in path.read_bytes() for field in fields)
    restore_file(other_url, path)
    with open_observer(other_url) as look:
        stated_here = look.execute(STATED.encode()).fetchall()
        lengths_here = look.execute(LENGTHS.encode()).fetchall()
    if is_old:
        assert stated_here == [("load", None, None, 1), ("wind", None, None, 1)]
        return
    assert (
        stated_here
        == stated_there
        == [
            ("load", None, None, 1),
            ("wind", "EUR/MWh", "US/Central", 2),
        ]
    )
    ofs_wind = [(ts, length) for name, ts, length in lengths_here if name == "wind"]
    assert ofs_wind == [(ts, length) for _, ts, length in lengths_there]
    assert len(ofs_wind) == 4
    # what a later answer states is no difference
    assert all(entry.run_id is None for entry in restore_file(other_url, path))


def test_what_is_restored_answers_as_the_original(
    filled_url: str, other_url: str, tmp_path: Path
) -> None:
    """Now, as of any time and as published by any; and keeps all promises."""
    dump_series(filled_url, tmp_path / "a.jsonl")
    restore_file(other_url, tmp_path / "a.jsonl")
    with open_reader(filled_url) as original, open_reader(other_url) as other:
        assert list(verify(other)) == []
        for name in NAMES:
            summaries = [series_summary(reader, name) for reader in (original, other)]
            first, second = summaries
            assert first
            assert second
            assert first.series_id != second.series_id
            for field in SERIES_FIELDS:
                assert getattr(first, field) == getattr(second, field), field
            times = [span.since for spans in history(original, name).values() for span in spans]
            for at in [None, hour(0), *times]:
                answers = [
                    list(observations(reader, summary.series_id, at=at))
                    for reader, summary in ((original, first), (other, second))
                ]
                assert answers[0] == answers[1]
            for at in (hour(1), hour(2), hour(3)):
                assert list(publications(original, first.series_id, at=at)) == list(
                    publications(other, second.series_id, at=at)
                )


SERIES_FIELDS = (
    *("source", "name", "unit", "granularity", "ts_timezone", "metadata", "known_through"),
    *("versions", "observations", "retracted", "first_known", "last_known", "first_ts", "last_ts"),
)


def test_a_restore_is_a_run(filled_url: str, other_url: str, tmp_path: Path) -> None:
    """Which the versions name, whose counts add up, and which is no attempt at the source."""
    dump_series(filled_url, tmp_path / "a.jsonl", "load")
    (entry,) = restore_file(other_url, tmp_path / "a.jsonl")
    with open_reader(other_url) as reader:
        row = overview(reader)["grid"]
        run_ids = reader.execute(
            "SELECT DISTINCT run_id FROM time_series_data_scd2 v JOIN time_series s"
            " USING (series_id) WHERE endpoint_prefix = 'load'"
        ).fetchall()
        counts = reader.execute(
            "SELECT received, inserted, revised, retracted, window_start, done_until FROM fetch_run"
            " WHERE run_id = %s",
            [entry.run_id],
        ).fetchone()
    assert run_ids == [(entry.run_id,)]
    assert row.last_run
    assert (row.last_run.kind, row.last_run.outcome) == (RunKind.RESTORE, Outcome.SUCCEEDED)
    assert (row.state.last_attempt, row.state.last_success) == (None, None)
    # 23 at first, then 0, 1 and 5; 0 revised, 1 and 5 withdrawn, 1 once more
    last = hour(5) + timedelta(microseconds=1)
    assert counts == (30, 27, 1, 2, hour(-20_000), last)


def test_the_next_run_goes_on_from_there(filled_url: str, other_url: str, tmp_path: Path) -> None:
    """Unchanged values are no versions, and K is later than everything that was final.

    Also where the clock of the other database was ahead, as far as clocks may be.
    """
    with open_observer(filled_url) as look:
        look.execute(
            "UPDATE source_state SET known_through = clock_timestamp() + interval '4 minutes'"
            " WHERE source = 'grid'"
        )
        before = current(look)
    dump_series(filled_url, tmp_path / "a.jsonl")
    restore_file(other_url, tmp_path / "a.jsonl")
    with open_feed(other_url, "load", "wind") as feed:
        assert progress_of(feed.session)["load"].history_asked
        final = state_of(feed.session).known_through
        assert final
        assert feed(dict(before)).counts.unchanged == len(before)
        known = feed({0: 77.0}).knowledge_time
        assert known
        assert known > final > utc_now() + timedelta(minutes=2)


def test_a_restored_series_advanced_when_its_newest_value_was_first_known(
    filled_url: str, other_url: str, tmp_path: Path
) -> None:
    """Not when it was restored, nor when that value was revised: it may be dormant."""
    dump_series(filled_url, tmp_path / "a.jsonl")
    restore_file(other_url, tmp_path / "a.jsonl")
    statement = """
        SELECT s.endpoint_prefix, s.advanced_at, min(v.valid_from)
        FROM time_series AS s JOIN time_series_data_scd2 AS v USING (series_id)
        WHERE v.ts = (SELECT max(d.ts) FROM time_series_data AS d WHERE d.series_id = s.series_id)
        AND s.endpoint_prefix = ANY (%s)
        GROUP BY s.endpoint_prefix, s.advanced_at
    """
    with open_observer(other_url) as look:
        rows = look.execute(statement, [list(NAMES)]).fetchall()
    assert rows
    assert all(advanced == first for _, advanced, first in rows), rows


def test_a_series_that_is_the_same_is_left_alone(
    filled_url: str, other_url: str, tmp_path: Path
) -> None:
    """Restored twice, or where it came from, also after a run that found nothing new."""
    dump_series(filled_url, tmp_path / "a.jsonl")
    restore_file(other_url, tmp_path / "a.jsonl")
    for url, source in ((filled_url, "grid"), (other_url, "grid")):
        with open_feed(url, "load", "wind", source=source) as feed:
            feed.session.register([RECORD, SeriesRecord("wind")])
            feed.finish(Outcome.UNCHANGED)
        with open_observer(url) as look:
            before = tuples(look)
            assert [entry.run_id for entry in restore_file(url, tmp_path / "a.jsonl")] == [None] * 3
            assert tuples(look) == before


def test_a_part_that_is_there_is_left_alone(
    filled_url: str, other_url: str, tmp_path: Path
) -> None:
    """And the others are brought."""
    dump_series(filled_url, tmp_path / "one.jsonl", "wind")
    dump_series(filled_url, tmp_path / "all.jsonl")
    restore_file(other_url, tmp_path / "one.jsonl")
    with open_observer(other_url) as look:
        before = history(look, "wind")
        entries = restore_file(other_url, tmp_path / "all.jsonl")
        assert [entry.run_id is None for entry in entries] == [False, True, False]
        assert history(look, "wind") == before
    dump_series(other_url, tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "all.jsonl").read_bytes()


def is_last(row: Row) -> bool:
    """Whether it is the newest version of what was withdrawn and came back."""
    return isinstance(row, Version) and row.ts == hour(1) and row.valid_to is None


def earlier(row: Row) -> Row:
    """The same version, known a moment before."""
    assert isinstance(row, Version)
    return msgspec.structs.replace(row, valid_from=row.valid_from - timedelta(microseconds=1))


def change(row: Row, **fields: Any) -> Row:
    """The same with other fields."""
    return msgspec.structs.replace(row, **fields)


CHANGES: dict[str, Callable[[Row], Row | None]] = {
    "a value": lambda row: change(row, value=0.5) if is_last(row) else row,
    "one version less": lambda row: None if is_last(row) else row,
    "a time": lambda row: earlier(row) if is_last(row) else row,
    "the unit": lambda row: change(row, unit="GW") if isinstance(row, Series) else row,
    "the source": lambda row: change(row, source="x") if isinstance(row, Series) else row,
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_series_that_differs_is_refused(filled_url: str, tmp_path: Path, kind: str) -> None:
    """In whatever it does; nothing of the file is stored, and all is as it was."""
    dump_series(filled_url, tmp_path / "a.jsonl", "load")
    rows = [row for row in read(tmp_path / "a.jsonl") if not isinstance(row, End)]
    new = change(rows[0], endpoint_prefix="new")
    write(tmp_path / "b.jsonl", [new, *(row for row in map(CHANGES[kind], rows) if row)])
    with open_observer(filled_url) as look:
        before = tuples(look)
        with pytest.raises(FileError, match=r"series 'load' is stored already, and is not what"):
            restore_file(filled_url, tmp_path / "b.jsonl")
        assert tuples(look) == before
        names = look.execute("SELECT endpoint_prefix FROM time_series ORDER BY 1").fetchall()
    assert names == [(name,) for name in sorted(NAMES)]


def test_more_versions_here_than_in_the_file_are_a_difference(
    filled_url: str, tmp_path: Path
) -> None:
    """The file is older than what is stored: it is not taken for the same."""
    dump_series(filled_url, tmp_path / "a.jsonl")
    with open_feed(filled_url, "load", "wind") as feed:
        feed.session.register([RECORD, SeriesRecord("wind")])
        feed({6: 1.0})
    with pytest.raises(FileError, match=r"'load' is stored already.*at 2025-03-01T06:00"):
        restore_file(filled_url, tmp_path / "a.jsonl")


def test_a_restore_waits_for_a_run_of_the_source(
    filled_url: str, other_url: str, tmp_path: Path
) -> None:
    """It says for whom, and writes nothing before."""
    dump_series(filled_url, tmp_path / "a.jsonl")
    messages: list[str] = []
    with open_feed(other_url, "rain", source="other") as feed:
        restoring = AtWork(lambda: restore(other_url, tmp_path / "a.jsonl", say=messages.append))
        while not messages:
            assert restoring.is_alive(), restoring.raised
        feed.finish()
    error = restoring.end()
    assert error is None, error
    assert len(messages) == 1
    assert "'other' is locked by host " in messages[0]
    with open_reader(other_url) as reader:
        assert list(verify(reader)) == []


def test_a_dump_is_of_one_moment(filled_url: str, tmp_path: Path) -> None:
    """A merge that is committed while it is written is in it as a whole or not at all."""
    dump_series(filled_url, tmp_path / "a.jsonl")

    def merge(_rows: int) -> None:
        with open_feed(filled_url, "load", "wind") as feed:
            feed({0: 8.0, 9: 9.0}, wind={5: 1.0})
            feed.finish()

    with open_reader(filled_url) as reader:
        dump(reader, NAMES, tmp_path / "b.jsonl", progress=merge)
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_a_file_that_changes_meanwhile_is_refused(
    filled_url: str, other_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look whether it is whole and the storing: nothing is stored."""
    path = tmp_path / "a.jsonl"
    dump_series(filled_url, path)
    rows = [row for row in read(path) if not isinstance(row, End)]

    def exchange_file(where: str) -> None:
        if where == "between_tables":
            path.unlink()
            write(path, [change(rows[0], unit="GW"), *rows[1:]])

    monkeypatch.setattr(under_test, "failpoint", exchange_file)
    with pytest.raises(FileError, match="has changed while it was read"):
        restore_file(other_url, path)
    with open_observer(other_url) as look:
        assert current(look, "load") == {}
        assert look.execute("SELECT count(*) FROM fetch_run").fetchone() == (1,)


def test_a_failure_of_the_file_leaves_the_connection_usable(
    filled_url: str, tmp_path: Path
) -> None:
    """The cursor is closed before its transaction."""
    with open_reader(filled_url) as reader:
        with pytest.raises(FileError, match="No such file or directory"):
            dump(reader, NAMES, tmp_path / "none" / "a.jsonl")
        with pytest.raises(LookupError, match="snow"):
            dump(reader, ["load", "snow"], tmp_path / "a.jsonl")
        dump(reader, NAMES, tmp_path / "a.jsonl")


def test_a_series_of_a_source_that_another_one_took(
    filled_url: str, other_url: str, tmp_path: Path
) -> None:
    """A name that is there under another source is refused, whatever its history."""
    dump_series(filled_url, tmp_path / "a.jsonl", "rain")
    with open_feed(other_url, "rain", source="mine"):
        pass
    with pytest.raises((FileError, ConfigurationError), match="rain"):
        restore_file(other_url, tmp_path / "a.jsonl")


def test_a_database_that_cannot_be_written(filled_url: str, tmp_path: Path) -> None:
    """Is told as such; the file is not to blame."""
    dump_series(filled_url, tmp_path / "a.jsonl")
    option = "options=-cdefault_transaction_read_only%3Don"
    url = f"{filled_url}{'&' if '?' in filled_url else '?'}{option}"
    with open_observer(filled_url) as look:
        look.execute("ALTER TABLE time_series RENAME TO gone")
    with pytest.raises(DatabaseError):
        restore_file(url, tmp_path / "a.jsonl")
