"""Verification: content with whatever the program stores, and blind to no fault that is planted."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.store_feed import AtWork, current, hour, open_feed, open_observer

from dataportal.errors import LockedError
from dataportal.observations import Observations
from dataportal.store.read import verify as verification
from dataportal.store.read import verify_steps
from dataportal.store.read.overview import open_reader
from dataportal.store.read.verify import Check, Progress, Scope, verify
from dataportal.store.records import Counts, RunKind, SeriesRecord, SliceWrite
from dataportal.store.verifications import (
    VerificationRecord,
    latest_verifications,
    unfinished_verification,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import psycopg
    from support.store_feed import Feed

    from dataportal.store.read.verify import Fault

YEARS = 9_000  # hours: more than a chunk


def find_faults(url: str, since: datetime | None = None) -> list[Fault]:
    """What a reader finds."""
    with open_reader(url) as reader:
        return list(verify(reader, since=since))


def publish(feed: Feed, *vintages: tuple[int, int, float | None]) -> None:
    """Merge publications of the series `wind`: hour, hour of publication, value."""
    rows = [(hour(h), hour(p), value) for h, p, value in vintages]
    newest = {ts: (at, value) for ts, at, value in sorted(rows, key=lambda row: row[1])}
    times = sorted(newest)
    feed.session.merge(
        SliceWrite(
            feed.run,
            {
                "wind": Observations(
                    times, [newest[ts][1] for ts in times], [newest[ts][0] for ts in times], rows
                )
            },
            start=hour(0),
            end=None,
            received=Counts(received=len(rows)),
            accept_retractions=True,
        )
    )


@pytest.fixture
def filled_url(database_url: str) -> str:
    """Two sources with revisions, retractions, a return, publications, over years."""
    with open_feed(database_url, "load", "wind") as feed:
        feed({h: float(h) for h in range(-2 * YEARS, 10, 500)}, wind={0: 1.0})
        feed({0: 1.0, 1: 2.0, -YEARS: 3.0})
        feed({0: 2.0, 1: None, 4: 1.0})
        feed({4: None}, accept_retractions=True)
        feed.finish()
        feed.start()
        feed({1: 5.0})
        publish(feed, (1, 2, 1.0), (1, 3, 1.5), (1, 4, None), (2, 3, 7.0))
        publish(feed, (1, 3, 1.25), (2, 3, 7.0))
        feed.finish()
    with open_feed(database_url, "rain", source="other") as feed:
        feed.merge({"rain": {0: 1.0}})
        feed.start(RunKind.BACKFILL)
    with open_observer(database_url) as look:
        look.execute(
            "INSERT INTO time_series_issue"
            " SELECT known_through, %s, %s, 1, 1, 1 FROM source_state WHERE source = 'grid'",
            [hour(1), hour(1)],
        )
        look.execute("UPDATE fetch_run SET issues = 1 WHERE run_id = 1")
    return database_url


def test_what_the_program_stores_is_well(filled_url: str) -> None:
    """First loads, revisions, retractions, returns, publications, a run that was killed."""
    assert find_faults(filled_url) == []
    assert find_faults(filled_url, hour(0)) == []


def test_an_empty_database_is_well(database_url: str) -> None:
    """Nothing is no fault."""
    assert find_faults(database_url) == []


def test_a_source_under_a_new_name_is_well(filled_url: str) -> None:
    """It goes on after the last that the other one knew."""
    with open_feed(filled_url, "drizzle", source="new") as feed:
        feed.session.register([SeriesRecord("rain")], renamed_from="other")
        feed.merge({"rain": {0: 2.0}})
    assert find_faults(filled_url) == []


class Planted(NamedTuple):
    """What is done, the checks that find it, and the hour of the observation concerned."""

    checks: set[Check]
    at: int | None
    statements: list[str]


def planted_faults() -> dict[str, Planted]:
    """What planted_faults.sql holds, by name."""
    text = Path(__file__).with_name("planted_faults.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- (\w+): ([a-z ]+?)(?: at (\d+))?$", text, flags=re.MULTILINE)[1:]
    return {
        name: Planted(
            {Check(check) for check in checks.split()},
            int(at) if at else None,
            [statement for statement in statements.split(";") if statement.strip()],
        )
        for name, checks, at, statements in zip(*(iter(parts),) * 4, strict=True)
    }


PLANTED = planted_faults()
ALSO = {
    "another_time",
    "closed_after_last",
    "source_knows_nothing",
    "vintage_of_no_run",
    "infinite_value",
    "known_for_ever",
    "a_negative_count",
    "a_nested_overlap",
    "a_moved_version",
}
"""Further ways to a fault that is told in the words of another one."""
ELSEWHERE = {"known_ahead"}
"""No fault of an observation: tests/faults/test_clocks.py has it."""


def unguard(look: Any) -> None:
    """Take the constraints away that keep such rows out."""
    names = look.execute(
        "SELECT conname::text FROM pg_constraint WHERE contype IN ('c', 'u')"
        " AND conrelid = 'time_series_data_scd2'::regclass"
    ).fetchall()
    for (name,) in names:
        look.execute(f"ALTER TABLE time_series_data_scd2 DROP CONSTRAINT {name}".encode())
    look.execute("DROP INDEX time_series_vintage_newest")
    look.execute("ALTER TABLE time_series_issue DROP CONSTRAINT time_series_issue_pkey")
    look.execute("ALTER TABLE time_series_issue DROP CONSTRAINT time_series_issue_check")


def age_runs(look: Any) -> None:
    """Have all runs that ended end days ago."""
    look.execute(
        "UPDATE fetch_run SET started_at = started_at - interval '3 days',"
        " finished_at = finished_at - interval '3 days'"
    )


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(filled_url: str, name: str) -> None:
    """By its checks and no other, at its key."""
    checks, at, statements = PLANTED[name]
    with open_observer(filled_url) as look:
        unguard(look)
        for statement in statements:
            assert look.execute(statement.encode()).rowcount > 0, statement
    faults = find_faults(filled_url)
    assert {fault.check for fault in faults} == checks
    if name not in ALSO:
        assert verification._FAULTS[name][1] in {fault.message for fault in faults}
    if at is None:
        assert all(fault.run_id and not fault.ts for fault in faults)
    else:
        assert {fault.ts for fault in faults} == {hour(at).isoformat()}
        assert all(fault.series_id for fault in faults)
        # what lies before is not looked at
        assert {fault.check for fault in find_faults(filled_url, hour(0))} == checks
        assert find_faults(filled_url, hour(at + 1)) == []


def test_every_fault_has_been_planted() -> None:
    """A check that nobody has seen fail proves nothing."""
    assert set(PLANTED) == set(verification._FAULTS) - ELSEWHERE | ALSO
    assert set.union(*(plan.checks for plan in PLANTED.values())) == set(Check)


def test_times_that_python_has_not_are_told(filled_url: str) -> None:
    """Infinity, and years before our era."""
    with open_observer(filled_url) as look:
        for ts in ("infinity", "4000-01-01 BC"):
            look.execute(
                "INSERT INTO time_series_data SELECT %s, value, updated_at, run_id, series_id"
                " FROM time_series_data LIMIT 1",
                [ts],
            )
    faults = find_faults(filled_url)
    assert {fault.ts for fault in faults} == {
        "infinity",
        "4000-01-01T00:00:00+00:00 BC",
    }


@pytest.mark.parametrize("rows", [0.5, 3.0, 1e6])
def test_every_series_is_looked_at_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch, rows: float
) -> None:
    """However many there are, in steps of any size, and with rows of no series between them."""
    monkeypatch.setattr(verify_steps, "_MOST_ROWS", rows)
    names = [f"s{number}" for number in range(9)]
    with open_feed(database_url, *names) as feed:
        feed.merge({name: {0: 1.0} for name in names})
    steps: list[tuple[int, int]] = []
    with open_observer(database_url) as look:
        look.execute("DELETE FROM time_series WHERE series_id % 4 = 0")
        look.execute("UPDATE time_series_data SET value = 2")
    with open_reader(database_url) as reader:
        faults = list(verify(reader, progress=lambda done, of: steps.append((done, of))))
    lost = [fault for fault in faults if fault.check is Check.SERIES]
    wrong = [fault.series_id for fault in faults if fault.check is Check.CURRENT]
    assert len(wrong) == len(set(wrong)) == len(names)
    assert {fault.series_id for fault in lost} == {i for i in wrong if i and i % 4 == 0}
    assert steps[0] == (0, 8)
    assert steps[-1] == (8, 8)
    assert steps == sorted(steps)


def test_a_merge_at_work_is_no_fault(filled_url: str) -> None:
    """Between its two tables, not committed: nothing of it is seen."""
    with open_observer(filled_url) as writer, writer.transaction(force_rollback=True):
        writer.execute("UPDATE time_series_data SET value = value + 1")
        assert find_faults(filled_url) == []
    with open_observer(filled_url) as look:
        assert current(look, "rain") == {0: 1.0}


@pytest.mark.slow
def test_runs_at_work_cause_no_alarm(database_url: str) -> None:
    """Loads, revisions and retractions one after the other, looked at again and again meanwhile."""

    def work() -> None:
        for number in range(12):
            with open_feed(database_url) as feed:
                feed({h: float(number) for h in range(number, number + 5_000, 2)})
                feed(dict.fromkeys(range(number, number + 40, 2)), accept_retractions=True)
                feed.finish()

    working = AtWork(work)
    looks = 0
    while working.is_alive():
        assert find_faults(database_url) == []
        looks += 1
    assert working.end() is None
    assert looks > 1
    assert find_faults(database_url) == []


POINTS = st.dictionaries(st.integers(-3, 3), st.none() | st.sampled_from([0.0, 1.0, 2.5]))


@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(answers=st.lists(POINTS, min_size=1, max_size=6))
def test_no_sequence_of_answers_breaks_a_promise(
    database_url: str, answers: list[dict[int, float | None]]
) -> None:
    """Values, nulls and returns in any order."""
    with open_feed(database_url) as feed:
        for answer in answers:
            feed(answer, accept_retractions=True)
        feed.finish()
    assert find_faults(database_url) == []


def test_a_fault_far_back_is_out_of_reach_of_since(filled_url: str) -> None:
    """Which is what makes it quick."""
    with open_observer(filled_url) as look:
        look.execute("UPDATE time_series_data SET value = -1 WHERE ts = %s", [hour(-2 * YEARS)])
    assert [fault.ts for fault in find_faults(filled_url)] == [hour(-2 * YEARS).isoformat()]
    assert find_faults(filled_url, hour(-2 * YEARS) + timedelta(microseconds=1)) == []


@pytest.fixture
def two_readers(filled_url: str) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """Two connections that take steps at the same time."""
    with open_reader(filled_url) as first, open_reader(filled_url) as second:
        yield first, second


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_in_small_steps(
    filled_url: str,
    two_readers: tuple[psycopg.Connection, psycopg.Connection],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """By two connections, with the time of each series in pieces: the same faults, each once.

    Of runs that ended long ago the versions are not counted one run after the other.
    """
    _, _, statements = PLANTED[name]
    with open_observer(filled_url) as look:
        unguard(look)
        for statement in statements:
            look.execute(statement.encode())
        look.execute("ANALYZE time_series_data_scd2")
    expected = find_faults(filled_url)
    with open_observer(filled_url) as look:
        age_runs(look)
    assert Counter(find_faults(filled_url)) == Counter(expected)
    monkeypatch.setattr(verify_steps, "_MOST_ROWS", 4.0)
    done: list[int] = []
    faults = list(verify(*two_readers, step_done=lambda state: done.append(len(state.left))))
    assert Counter(faults) == Counter(expected)
    assert len(done) > 4
    assert done[-1] == 0


def test_two_of_everything_are_found_too(filled_url: str) -> None:
    """Where neither table has its key any more, so that their numbers agree."""
    with open_observer(filled_url) as look:
        unguard(look)
        look.execute("ALTER TABLE time_series_data DROP CONSTRAINT time_series_data_pkey")
        for table in ("time_series_data", "time_series_data_scd2"):
            look.execute(
                f"INSERT INTO {table} SELECT * FROM {table} WHERE ts = %s AND series_id = 1"  # noqa: S608
                + (" AND valid_to = 'infinity'" if table.endswith("scd2") else ""),
                [hour(0)],
            )
    assert Check.VERSIONS in {fault.check for fault in find_faults(filled_url)}


def test_runs_that_wrote_meanwhile_are_no_fault(
    filled_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither those at work, nor one that is new, nor a restore that was not to be seen yet."""
    with open_observer(filled_url) as look:
        look.execute("ANALYZE time_series_data_scd2")
    monkeypatch.setattr(verify_steps, "_MOST_ROWS", 8.0)
    with (
        open_feed(filled_url, "load", "wind") as feed,
        open_feed(filled_url, "snow", source="snow") as other,
        open_reader(filled_url) as reader,
        open_observer(filled_url) as late,
        late.transaction(),
    ):
        late.execute(
            "INSERT INTO fetch_run (source, kind, started_at, finished_at, outcome, window_start,"
            " received, inserted, host, pid, version)"
            " VALUES ('other', 'restore', now(), now(), 'succeeded', now(), 1, 1, 'h', 1, '1')"
        )
        late.execute(
            "INSERT INTO time_series_data_scd2 (ts, value, valid_from, valid_to, run_id, series_id)"
            " SELECT '2020-01-01', 1, '2020-01-02', '2020-01-03', max(run_id),"
            " (SELECT min(series_id) FROM time_series) FROM fetch_run"
        )
        hours = count(100)

        def work(_: object) -> None:
            # what is written while the first steps are done is enough
            if (hour_number := next(hours)) < 110:
                feed({hour_number: 1.0})
                other.merge({"snow": {hour_number: 1.0}})
            if late.info.transaction_status.name != "IDLE":
                late.execute("COMMIT")

        assert list(verify(reader, step_done=work)) == []
        feed.finish()
    assert find_faults(filled_url) == []


def test_runs_that_ended_long_ago_are_not_counted(
    filled_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sum over their rows is enough where all is well: what is remembered takes no room."""
    with open_feed(filled_url, "load") as feed:
        feed({20: 1.0})
    with open_observer(filled_url) as look:
        age_runs(look)
        look.execute("UPDATE fetch_run SET started_at = now() WHERE finished_at IS NULL")
        (newest,) = look.execute("SELECT max(run_id) FROM fetch_run").fetchone() or (0,)
    state = Progress()
    with open_reader(filled_url) as reader:
        assert list(verify(reader, begin=state)) == []
    assert state.tally.settled_versions != 0
    assert state.tally.settled_vintages != 0
    assert 1 not in state.tally.versions
    assert state.tally.versions[newest] == 1
    # also where one is not counted by its number alone
    with open_observer(filled_url) as look:
        look.execute("UPDATE time_series_data_scd2 SET run_id = 2 WHERE run_id = 1")
        look.execute("UPDATE time_series_data SET run_id = 2 WHERE run_id = 1")
    messages = {(fault.run_id, fault.message) for fault in find_faults(filled_url)}
    assert (1, "it wrote more versions than there are of it") in messages


def test_what_was_broken_off_goes_on(filled_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From what is recorded: each range is looked at once, and runs are judged by all of them."""
    monkeypatch.setattr(verify_steps, "_MOST_ROWS", 4.0)
    with open_observer(filled_url) as look:
        look.execute("UPDATE time_series_data SET value = value + 1")
        look.execute("UPDATE fetch_run SET inserted = inserted - 1 WHERE run_id = 1")
        look.execute("ANALYZE time_series_data_scd2")
    whole = find_faults(filled_url)
    stopped = Progress()
    record = VerificationRecord.open(filled_url)
    assert record
    with closing(record), open_reader(filled_url) as reader:
        record.begin(Scope())
        steps = 0

        def stop(state: Progress, record: VerificationRecord = record) -> None:
            nonlocal steps
            steps += 1
            if steps == 3:
                record.keep(state)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(verify(reader, begin=stopped, step_done=stop))
        with pytest.raises(LockedError, match="another program is at work on it"):
            unfinished_verification(reader)
    again = VerificationRecord.open(filled_url, stopped_number(filled_url))
    assert again
    with closing(again), open_reader(filled_url) as reader:
        unfinished = unfinished_verification(reader)
        assert unfinished
        with open_reader(filled_url) as second, pytest.raises(LockedError):
            unfinished_verification(second)
        assert len(unfinished.progress.left) > 0
        assert unfinished.progress.found.total() == len(unfinished.progress.faults) > 0
        rest = list(verify(reader, scope=unfinished.scope, begin=unfinished.progress))
        early = [f for f in unfinished.progress.faults if f not in rest]
        assert Counter([*early, *rest]) == Counter(whole)
        again.finish(len(whole))
        assert unfinished_verification(reader) is None
        (latest,) = latest_verifications(reader)
        assert (latest.found, latest.is_whole) == (len(whole), True)


def stopped_number(url: str) -> int:
    """The number of the verification that was begun last."""
    with open_observer(url) as look:
        (number,) = look.execute("SELECT max(verification_id) FROM verification").fetchone() or (0,)
    return int(number)


@pytest.mark.parametrize("check", Check)
def test_one_check_finds_what_it_finds_among_all(filled_url: str, check: Check) -> None:
    """And nothing else."""
    with open_observer(filled_url) as look:
        unguard(look)
        plan = next(plan for plan in PLANTED.values() if check in plan.checks)
        look.execute("UPDATE time_series_data SET updated_at = now() WHERE series_id = 2")
        for statement in plan.statements:
            look.execute(statement.encode())
    expected = [fault for fault in find_faults(filled_url) if fault.check is check]
    assert expected
    with open_reader(filled_url) as reader:
        assert Counter(verify(reader, scope=Scope((check,)))) == Counter(expected)


def test_a_sample_looks_at_a_share(filled_url: str) -> None:
    """Of what is well it says nothing; of what is all wrong it finds some, and not all."""
    with open_reader(filled_url) as reader:
        for _ in range(5):
            assert list(verify(reader, scope=Scope(sample=0.3))) == []
        with open_observer(filled_url) as look:
            look.execute("UPDATE time_series_data SET value = value + 1")
        found = [len(list(verify(reader, scope=Scope(sample=0.3)))) for _ in range(5)]
    everything = len(find_faults(filled_url))
    assert 0 < sum(found) < 5 * everything
