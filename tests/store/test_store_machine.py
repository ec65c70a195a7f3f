"""Whatever is fetched in whatever order, the store agrees with a few lines of plain Python.

After every step both tables are read and compared with
it, and what was once called final is asked for again.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support.store_feed import (
    PATHS,
    TABLES,
    Feed,
    ShardedSizes,
    current,
    history,
    hour,
    hour_of,
    open_observer,
    publications,
    state_of,
    tuples,
)
from support.store_model import Model

from dataportal.errors import LockLostError
from dataportal.store.connection import connect
from dataportal.store.read import history as reading
from dataportal.store.read.verify import Check, Scope, verify
from dataportal.store.records import Counts, Outcome, RunKind, SliceWrite
from dataportal.store.session import SourceSession

if TYPE_CHECKING:
    import psycopg
    from support.store_feed import (
        Points,
    )
    from support.store_model import Answer, Batch, Published

    from dataportal.store.records import MergeResult
    from dataportal.store.write.diff import Sizes

# a few neighbours, and some years away from them
HOURS = st.sampled_from([*range(7), -100_000, -99_999, -9_000, 9_000])
VALUES = st.sampled_from([None, None, 0.0, -0.0, 1.0, 2.0, 0.1 + 0.2])
POINTS = st.dictionaries(HOURS, VALUES, max_size=9)
PUBLISHED = st.dictionaries(
    HOURS, st.dictionaries(st.integers(10_000, 10_005), VALUES, min_size=1, max_size=3), max_size=6
)
STEPS = int(os.environ.get("DATAPORTAL_TEST_STEPS", "1000"))
"""How many steps all machines take together, at least."""
_LENGTH = 15


class StoreMachine(RuleBasedStateMachine):
    """One source with two series, fetched again and again; a new source for every example."""

    connection: ClassVar[psycopg.Connection]
    look: ClassVar[psycopg.Connection[Any]]
    numbers: ClassVar[count[int]]
    sizes: ClassVar[Sizes]
    steps: ClassVar[list[int]]

    def __init__(self) -> None:
        super().__init__()
        number = next(self.numbers)
        self.source = f"source {number}"
        self.load, self.wind = f"load {number}", f"wind {number}"
        self.model = Model((self.load, self.wind))
        self.finals: list[tuple[datetime, Answer]] = []
        self.known: datetime | None = None
        self.totals = Counts()
        self.unrecorded = Counts()
        self.last: tuple[Batch, bool] = ({}, False)

    @initialize()
    def first_run(self) -> None:
        """The source is seen for the first time."""
        self.feed = self.open_session()
        self.ids = dict(self.feed.session._series)
        self.before = self.rows()

    def rows(self) -> set[tuple[str, ...]]:
        """Every tuple of both tables: whatever is written makes a difference."""
        return tuples(self.look)

    def open_session(self) -> Feed:
        """A session on the one connection."""
        session = SourceSession(self.connection, self.source, "public", sizes=self.sizes)
        if isinstance(self.sizes, ShardedSizes):
            self.sizes.choose_statements(session)
        return Feed(session, *self.model.series)

    def merge(self, batch: Batch, *, accept: bool = False, dry_run: bool = False) -> MergeResult:
        """Feed both, and compare what they say and how many tuples it took."""
        merged = self.feed.merge(batch, accept_retractions=accept, dry_run=dry_run)
        known = merged.knowledge_time
        expected = self.model.merge(batch, known, accept=accept, write=not dry_run)
        assert dataclasses.replace(merged, changes=()) == expected
        told = Counter(change.change for change in merged.changes)
        for name in ("inserted", "revised", "retracted"):
            assert told[name] == (getattr(merged.counts, name) if dry_run else 0)
        for change in merged.changes:
            assert batch[change.series][hour_of(change.ts)] == change.value
        self.count(merged, dry_run=dry_run)
        return merged

    def count(self, merged: MergeResult, *, dry_run: bool = False) -> None:
        """K grows, the counts add up, and so do the tuples written: none for what is unchanged."""
        known = merged.knowledge_time
        assert merged.counts.received == sum(merged.counts.values()[1:])
        if known:
            assert self.known is None or known > self.known
            assert all(known > at for at, _ in self.finals)
            self.known = known
        after = self.rows()
        counts = Counts() if dry_run else merged.counts
        assert len(self.before - after) == 2 * counts.revised + 2 * counts.retracted
        assert len(after - self.before) == 2 * counts.inserted + 3 * counts.revised + (
            counts.retracted
        )
        self.before = after
        if not dry_run:
            self.totals += merged.counts
            if not merged.recorded:
                self.unrecorded += merged.counts

    @rule(load=POINTS, wind=POINTS, accept=st.booleans())
    def fetch(self, load: Points, wind: Points, *, accept: bool) -> None:
        """Any answer."""
        self.last = {self.load: load, self.wind: wind}, accept
        self.merge(self.last[0], accept=accept)

    @rule(load=POINTS)
    def fetch_one_series(self, load: Points) -> None:
        """An answer that leaves a series out."""
        self.merge({self.load: load})

    @rule()
    def fetch_again(self) -> None:
        """The last answer once more: what it brought is there already.

        But nulls that were withheld may be a minority now, beside the points that came with them.
        """
        batch, accept = self.last
        once = self.merge(batch, accept=accept).counts
        again = self.merge(batch, accept=accept).counts
        assert once.withheld or again.changed == 0

    @rule(changes=POINTS, low=HOURS, high=HOURS)
    def overlap(self, changes: Points, low: int, high: int) -> None:
        """What is stored in a window, with some changes."""
        stored = {h: v for h, v in self.model.stored(self.load).items() if low <= h <= high}
        within = {h: v for h, v in changes.items() if low <= h <= high}
        self.merge({self.load: {**stored, **within}})

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """Nulls for what is stored; some are withheld, unless they are accepted."""
        stored = sorted(self.model.stored(self.load))
        chosen = data.draw(
            st.lists(st.sampled_from(stored), unique=True) if stored else st.just([])
        )
        self.merge({self.load: dict.fromkeys(chosen)}, accept=data.draw(st.booleans()))

    @rule(points=PUBLISHED)
    def publish(self, points: Published) -> None:
        """Values with the times of their publication: a late one never replaces a newer one."""
        if not points:
            return
        news, newest = self.model.publish(self.load, points)
        size = sum(map(len, points.values()))
        merged = self.feed.session.merge(
            SliceWrite(
                self.feed.run,
                {self.load: publications(points)},
                start=hour(-100_000_0),
                end=None,
                received=Counts(received=size),
            )
        )
        expected = self.model.merge(
            {self.load: newest}, merged.knowledge_time, accept=False, write=True
        )
        assert merged == dataclasses.replace(
            expected,
            counts=expected.counts
            + Counts(received=size - len(newest), unchanged=size - len(newest)),
            knowledge_time=merged.knowledge_time,
            silent=merged.silent,
            vintages=news,
            dated=True,
            recorded=merged.knowledge_time is not None,
        )
        assert (merged.knowledge_time is None) == (not news and not merged.counts.changed)
        self.count(merged)

    @rule(value=st.sampled_from([1.0, 2.0]))
    def there_and_back(self, value: float) -> None:
        """A → B → A."""
        for revision in (value, 3.0, value):
            self.merge({self.wind: {3: revision}})

    @rule(load=POINTS, accept=st.booleans())
    def plan(self, load: Points, *, accept: bool) -> None:
        """A dry run."""
        self.merge({self.load: load}, accept=accept, dry_run=True)

    @rule(load=POINTS)
    def lose_the_lock(self, load: Points) -> None:
        """Nothing can be written until it is had again; what changes nothing writes nothing."""
        self.connection.execute("SELECT pg_advisory_unlock_all()")
        with suppress(LockLostError):
            assert not self.feed.merge({self.load: load}).counts.changed
        assert self.rows() == self.before
        assert self.feed.session.try_lock()

    @rule(minutes=st.integers(1, 4))
    def set_the_clock_back(self, minutes: int) -> None:
        """As seen from the store: its last K lies ahead of the clock, as far as it may."""
        soon = datetime.now(UTC) + timedelta(minutes=minutes)
        ahead = max(self.known or hour(0), soon)
        self.look.execute(
            "UPDATE source_state SET last_knowledge_time = %s WHERE source = %s",
            [ahead, self.source],
        )
        self.known = ahead

    @rule(
        outcome=st.sampled_from([Outcome.SUCCEEDED, Outcome.UNCHANGED, Outcome.FAILED]),
        kind=st.sampled_from(RunKind),
    )
    def finish_and_begin_another_run(self, outcome: Outcome, kind: RunKind) -> None:
        """What is known now is final."""
        self.feed.finish(outcome, self.unrecorded)
        assert self.recorded_counts() == self.totals
        known_through = state_of(self.feed.session).known_through
        assert known_through
        self.finals.append((known_through, self.model.as_of(known_through)))
        assert self.finals[-1][1] == {n: self.model.stored(n) for n in self.model.series}
        self.feed.start(kind)
        self.totals = self.unrecorded = Counts()

    @rule()
    def another_process_goes_on(self) -> None:
        """Nothing that the store needs is in memory."""
        self.connection.execute("SELECT pg_advisory_unlock_all()")
        self.feed = self.open_session()
        self.totals = self.unrecorded = Counts()
        assert self.feed.session._series == self.ids

    @precondition(lambda self: self.finals)
    @rule(data=st.data())
    def ask_again_as_of(self, data: st.DataObject) -> None:
        """The program's own answer is what was recorded when the time became final."""
        at, answer = data.draw(st.sampled_from(self.finals))
        for name, expected in answer.items():
            rows = reading.observations(self.connection, self.ids[name], at=at)
            assert {row.ts: row.value for row in rows} == {
                hour(h): value for h, value in expected.items()
            }

    @invariant()
    def publications_are_those_of_the_model(self) -> None:
        """Every one that was news, in the order in which they were recorded."""
        rows = self.look.execute(
            "SELECT ts, published_at, value FROM time_series_vintage WHERE series_id = %s"
            " ORDER BY ts, published_at, recorded_at",
            [self.ids[self.load]],
        ).fetchall()
        assert rows == [
            (hour(h), hour(at), value)
            for (_, h), recorded in sorted(self.model.published.items())
            for at, values in sorted(recorded.items())
            for value in values
        ]

    @invariant()
    def versions_are_those_of_the_model(self) -> None:
        """One open version at most, none empty, no overlap; the current table is the open ones."""
        self.steps[0] += 1
        for name in self.model.series:
            versions = history(self.look, name)
            model = {h: spans for (of, h), spans in self.model.versions.items() if of == name}
            assert versions == model
            opened = {}
            for h, spans in versions.items():
                assert all(span.until is None or span.since < span.until for span in spans)
                assert all(a.until and a.until <= b.since for a, b in pairwise(spans))
                if spans[-1].until is None:
                    opened[h] = spans[-1].value
            assert current(self.look, name) == opened == self.model.stored(name)

    @invariant()
    def what_was_final_never_changes(self) -> None:
        """As of each K that was called final, from the versions as they are now."""
        for at, answer in self.finals:
            assert self.model.as_of(at) == answer

    def recorded_counts(self) -> Counts:
        """The run's counts in its record."""
        row = self.look.execute(
            f"SELECT {', '.join(Counts.__slots__)} FROM fetch_run WHERE run_id = %s",  # noqa: S608 - names of fields
            [self.feed.run],
        ).fetchone()
        assert row
        return Counts(*row)

    def teardown(self) -> None:
        """Make room, and let the lock go."""
        self.connection.execute("SELECT pg_advisory_unlock_all()")
        for table in ("time_series_data", "time_series_data_scd2", "time_series_vintage"):
            self.look.execute(f"DELETE FROM {table}")  # noqa: S608 - one of two names


class ColumnstoreMachine(StoreMachine):
    """The same, while chunks are compressed, and made rows again, at any moment."""

    def rows(self) -> set[tuple[str, ...]]:
        """Every row of both tables, wherever it lies: of a compressed one that changes."""
        return {
            (table, *row)
            for table in TABLES
            for row in self.look.execute(f"SELECT t::text FROM {table} AS t")  # noqa: S608 - one of two names
        }

    @rule(
        table=st.sampled_from([*TABLES, "time_series_vintage"]),
        function=st.sampled_from(["compress_chunk", "compress_chunk", "decompress_chunk"]),
    )
    def change_chunks(self, table: str, function: str) -> None:
        """All those of a table; nothing is lost by it."""
        for chunk in self.look.execute(f"SELECT show_chunks('{table}')::text").fetchall():
            self.look.execute(f"SELECT {function}(%s::regclass)".encode(), chunk)
        assert self.rows() == self.before

    @rule()
    def keep_up(self) -> None:
        """As `maintain` compresses what was written to compressed chunks."""
        for table in TABLES:
            for chunk in self.look.execute(f"SELECT show_chunks('{table}')::text").fetchall():
                compress = "SELECT compress_chunk(%s::regclass, recompress => true)"
                self.look.execute(compress.encode(), chunk)
        assert self.rows() == self.before

    def teardown(self) -> None:
        """What `verify` looks at in rows is as it should be."""
        scope = Scope(frozenset({Check.INTERVALS, Check.VERSIONS, Check.CURRENT, Check.VINTAGES}))
        assert list(verify(self.look, scope=scope)) == []
        super().teardown()


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_the_store_agrees_with_the_model(database_url: str, path: str) -> None:
    """After every step, in each of the ways that a slice can take."""
    run_machine(database_url, PATHS[path])


@pytest.mark.columnstore
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", sorted(set(PATHS) - {"sharded"}))
def test_the_compressed_store_agrees_with_the_model(columnstore_url: str, path: str) -> None:
    """After every step, whatever of it is compressed; in half as many steps."""
    run_machine(columnstore_url, PATHS[path], ColumnstoreMachine, steps=STEPS / 2)


@pytest.mark.citus
@pytest.mark.slow
def test_the_distributed_store_agrees_with_the_model(citus_url: str) -> None:
    """After every step, too."""
    run_machine(citus_url, PATHS["sharded"])


def run_machine(
    url: str, path: Sizes, kind: type[StoreMachine] = StoreMachine, steps: float = STEPS
) -> None:
    """Run one, with its part of the steps."""
    with connect(url, application_name="machine") as its_own, open_observer(url) as ours:
        # a TimescaleDB before 2.22 misses rows by a plan made before they were opened
        ours.prepare_threshold = None

        class Machine(kind):  # type: ignore[valid-type, misc]
            connection, look, numbers = its_own, ours, count()
            sizes = path
            steps: ClassVar[list[int]] = [0]

        wanted = steps / len(PATHS)
        # some examples end early: some more of them than the steps would need
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=int(1.5 * wanted / _LENGTH), stateful_step_count=_LENGTH
            ),
        )
        assert Machine.steps[0] >= wanted
