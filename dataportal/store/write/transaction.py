"""Stores one slice of a run in one transaction: all of it, or nothing.

It begins when there is something to write, with a look whether the lock is still held: what was
read before was read under the lock, so that nobody else has changed it. Statements travel together
where none waits for another's answer: a slice that brings nothing new costs one round trip.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from dataportal.errors import Interrupted, LockLostError
from dataportal.failpoints import failpoint
from dataportal.processors import available_processors
from dataportal.store import lock
from dataportal.store.clock import check_time
from dataportal.store.queries import query, query_for
from dataportal.store.records import Counts, MergeResult, PointChange, StatedFacts
from dataportal.store.resolutions import resolutions_by_series, select_resolutions
from dataportal.store.series import keep_facts
from dataportal.store.validators import BEGIN, check_state, write_validators
from dataportal.store.write.corrections import find_corrections
from dataportal.store.write.diff import Diff
from dataportal.store.write.merge import ExactWrites, Merge, WriteContext
from dataportal.store.write.resolutions import record_resolutions
from dataportal.store.write.vintages import compare_vintages, insert_vintages
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from dataportal.observations import Observations
    from dataportal.store.records import SliceWrite
    from dataportal.store.write.chunks import ChunkOpener
    from dataportal.store.write.diff import Sizes

_SLOTS = threading.BoundedSemaphore(max(2, available_processors()))
"""For large slices of a process: more would only wait for each other, for the interpreter here and
for the log and the pages there."""
_SLOT_POLL = 0.1  # seconds between two looks at the stop flag


class SliceTransaction:
    """Stores slices of one source on the connection that holds its lock.

    Args:
        connection: that connection; no transaction is open.
        source: the source.
        key: the number of its lock.
        series: the series_id of each of its series, by endpoint_prefix.
        has_points: the series_id of those of which points were stored before the run.
        facts: what is kept of each that its answers state; what a slice adds is put in.
        stopped: asked now and then; True ends the transaction with `Interrupted`.
        chunks: opens chunks on that connection, outside of transactions.
        sizes: from which on another way is taken.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        *,
        source: str,
        key: int,
        series: Mapping[str, int],
        has_points: Collection[int],
        facts: dict[int, StatedFacts],
        stopped: Callable[[], bool],
        chunks: ChunkOpener,
        sizes: Sizes,
    ) -> None:
        self._connection = connection
        self._source = source
        self._key = key
        self._series = series
        self._has_points = has_points
        self._facts = facts
        self._stopped = stopped
        self._chunks = chunks
        self._sizes = sizes

    def store(self, write: SliceWrite) -> MergeResult:
        """Store a slice: what it did to the store. Raises what `SourceSession.merge` does."""
        batch = {self._series[name]: o for name, o in write.observations.items()}
        size = sum(map(len, batch.values()))
        trouble = None
        if not write.dry_run:
            trouble = self._chunks.open_chunks(
                [o.ts for o in batch.values()],
                dated=any(o.vintages for o in batch.values()),
                ahead=size > self._sizes.looked_up,
            )
        facts = self._new_facts(batch, write)
        begin = _begin_statement(write, has_facts=bool(facts))
        validators = write.validators
        with self._slot(size), self._rollback_at_end():
            merge, silent = self._read_stored(batch, write, begin)
            if validators is not None:
                check_state(self._connection, self._series.values(), validators)
            vintages = compare_vintages(self._connection, batch)
            if merge is None and any(o.ts for o in vintages.current.values()):
                merge = self._new_merge(vintages.current)
            diff, withheld = Diff(), dict[int, int]()
            counts = Counts(unchanged=vintages.superseded)
            # the same for all that this transaction writes
            context = cache(lambda: self._write_context(write.run_id, is_begun=begin is not None))
            writes = ExactWrites(self._connection, context, self._sizes.block)
            if merge is not None:
                diff = merge.compare(None if write.dry_run else writes)
                withheld = {} if write.accept_retractions else merge.withhold(diff)
                counts += merge.counts(diff, withheld)
            corrections = find_corrections(self._connection, batch, self._facts)
            publications = [*vintages.new, *corrections.vintages]
            withdrawn = len(corrections.withdrawn)
            known = None
            if (counts.changed or publications or withdrawn) and not write.dry_run:
                known = context().known
                insert_vintages(self._connection, publications, run_id=write.run_id, known=known)
                writes.retract(corrections.withdrawn)
                writes.check()
                if merge is not None:
                    merge.write(diff, writes)
                self._record_resolutions(batch, diff, context())
            keep_facts(self._connection, facts)
            wrote = known is not None or validators is not None or bool(facts)
            result = MergeResult(
                counts + write.received,
                known,
                silent=self._names([i for i in silent if i not in corrections.notes]),
                withheld=self._names(withheld),
                vintages=len(publications),
                withdrawn=withdrawn,
                notes=(
                    *([trouble] if trouble else ()),
                    *(
                        f"series {name!r}: {corrections.notes[number]}"
                        for name, number in self._series.items()
                        if number in corrections.notes
                    ),
                ),
                dated=any(o.vintages for o in batch.values()),
                recorded=not write.dry_run and (wrote or write.done_until is not None),
                changes=self._changes(diff) if write.dry_run else (),
            )
            if validators is not None:
                write_validators(
                    self._connection, self._source, self._series.values(), validators, result
                )
            if self._stopped():
                raise Interrupted
            if not write.dry_run:
                self._commit(write, result, diff.series())
        self._facts.update(facts)
        return result

    def _record_resolutions(
        self, batch: Mapping[int, Observations], diff: Diff, context: WriteContext
    ) -> None:
        record_resolutions(
            self._connection,
            batch,
            context.resolutions,
            run_id=context.run_id,
            inserted={points.series_id for points in diff.inserted.columns},
            has_points=self._has_points,
        )

    def _new_facts(
        self, batch: Mapping[int, Observations], write: SliceWrite
    ) -> dict[int, StatedFacts]:
        """What the answers state and is not kept yet, of the series of which points are taken."""
        facts = {}
        for series_id, points in batch.items():
            stated, kept = points.statement, self._facts[series_id]
            if stated is None or not points.ts or write.dry_run:
                continue
            unit = (stated.unit if write.accept_units else None) or kept.unit or stated.unit
            zone = stated.published_zone or kept.zone
            fact = StatedFacts(unit, zone, max(kept.reading, stated.reading))
            if fact != kept:
                facts[series_id] = fact
        return facts

    @contextmanager
    def _slot(self, size: int) -> Iterator[None]:
        """A large slice waits for one of the few slots there are."""
        if size <= self._sizes.looked_up:
            yield
            return
        while not _SLOTS.acquire(timeout=_SLOT_POLL):
            if self._stopped():
                raise Interrupted
        try:
            yield
        finally:
            _SLOTS.release()

    @contextmanager
    def _rollback_at_end(self) -> Iterator[None]:
        """Roll back what was begun within and not committed."""
        try:
            yield
        except BaseException:
            # a connection that is gone has nothing left to roll back
            with suppress(psycopg.Error):
                self._connection.rollback()
            raise
        self._connection.rollback()

    def _read_stored(
        self, batch: Mapping[int, Observations], write: SliceWrite, begin: str | None
    ) -> tuple[Merge | None, list[int]]:
        """Read what is stored, in a transaction if one is to begin already.

        Returns:
            The merge of the batch, if it has points and none of them tells when it was published,
            with its first query sent; and the series without points in the batch that have some
            stored in the slice.

        Raises:
            LockLostError: the lock is not held; only a transaction looks.
        """
        left_out = [i for i in self._series.values() if not (i in batch and batch[i].ts)]
        simple = not any(o.vintages for o in batch.values())
        merge = self._new_merge(batch) if simple and any(o.ts for o in batch.values()) else None
        silent: psycopg.Cursor[tuple[int]] | None = None
        # a pipeline costs as much as a statement: none for one alone
        is_alone = begin is None and not (left_out and merge is not None)
        with nullcontext() if is_alone else self._pipeline(begin):
            if left_out:
                silent = self._connection.execute(
                    query_for(self._connection, "merge_silent"),
                    {"series": left_out, "start": write.start, "end": write.end},
                )
            if merge is not None:
                merge.send_read()
        return merge, [] if silent is None else [series_id for (series_id,) in silent]

    def _new_merge(self, batch: Mapping[int, Observations]) -> Merge:
        return Merge(self._connection, batch, sizes=self._sizes, stopped=self._stopped)

    def _changes(self, diff: Diff) -> list[PointChange]:
        """The points that would be written, by series and time."""
        names = {number: name for name, number in self._series.items()}
        return sorted(
            PointChange(names[columns.series_id], ts, value, change)
            for change, points in (
                ("inserted", diff.inserted),
                ("revised", diff.revised),
                ("retracted", diff.retracted),
            )
            for columns in points.columns
            for ts, value in zip(columns.ts, columns.values, strict=True)
        )

    def _names(self, series: Mapping[int, int] | list[int]) -> tuple[str, ...]:
        return tuple(sorted(name for name, number in self._series.items() if number in series))

    @contextmanager
    def _pipeline(self, begin: str | None) -> Iterator[None]:
        """Statements within travel together, after the beginning of a transaction, if any.

        Raises:
            LockLostError: a transaction began, and the lock is not held.
        """
        lock_rows: psycopg.Cursor[Any] | None = None
        with self._connection.pipeline():
            if begin is not None:
                self._connection.execute(begin.encode())
                lock_rows = lock.send_is_held(self._connection, self._key)
            yield
        if lock_rows is not None and lock_rows.fetchone() is None:
            raise LockLostError(
                f"the lock of source {self._source!r} is not held by this connection",
                hint="Is there a connection pooler in between? Nothing was written",
            )

    def _write_context(self, run_id: int, *, is_begun: bool) -> WriteContext:
        """What is now written is known from now on; read when the first change is found."""
        before = utc_now()
        with self._pipeline(None if is_begun else "BEGIN"):
            self._connection.execute(query("merge_settings"))
            cursor = self._connection.cursor(row_factory=dict_row).execute(
                query("merge_knowledge_time"), {"source": self._source}
            )
            resolutions = select_resolutions(self._connection, self._series.values())
        columns = cursor.fetchone()
        if columns is None:
            raise LockLostError(
                f"source {self._source!r} has no row in source_state any more",
                hint="Somebody deleted it since the run began. Run again: it is made anew",
            )
        check_time(columns.pop("clock"), before=before, after=utc_now())
        return WriteContext(run_id, **columns, resolutions=resolutions_by_series(resolutions))

    def _commit(self, write: SliceWrite, result: MergeResult, changed: list[int]) -> None:
        failpoint("before_commit")
        if result.recorded:
            with self._connection.pipeline():
                self._record(write, result, changed)
                self._connection.execute("COMMIT")
        failpoint("after_commit")

    def _record(self, write: SliceWrite, result: MergeResult, changed: list[int]) -> None:
        known = result.knowledge_time
        if known is not None:
            self._connection.execute(
                query("merge_record_knowledge_time"),
                {"source": self._source, "known": known, "series": changed},
            )
        self._connection.execute(
            query("merge_record"),
            {
                "run": write.run_id,
                "done_until": write.done_until,
                "vintages": result.vintages,
                "withdrawn": result.withdrawn,
                "soon": known is None,
                **result.counts.by_name(),
            },
        )


def _begin_statement(write: SliceWrite, *, has_facts: bool) -> str | None:
    """How the transaction begins, if it is certain from the start that there will be one."""
    if write.validators is not None:
        return BEGIN
    is_certain = write.done_until is not None or has_facts
    return "BEGIN" if is_certain and not write.dry_run else None
