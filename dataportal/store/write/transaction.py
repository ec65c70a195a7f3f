"""The transaction that stores one slice of a run: all of it, or nothing.

It begins when there is something to write, with a look whether the lock is still held: what was
read before was read under the lock, so that nobody else has changed it. Statements travel together
where none waits for another's answer: a slice that brings nothing new costs one round trip.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import psycopg

from dataportal.errors import Interrupted, LockLostError
from dataportal.failpoints import failpoint
from dataportal.store import lock
from dataportal.store.queries import query
from dataportal.store.records import Counts, Merged
from dataportal.store.write import vintages
from dataportal.store.write.checked_writes import ExactWrites, Knowledge
from dataportal.store.write.chunks import make_chunks
from dataportal.store.write.diff import Changes
from dataportal.store.write.merge import Merge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from dataportal.observations import Observations
    from dataportal.store.validators import Keeping
    from dataportal.store.write.diff import Sizes

_PLACES = threading.BoundedSemaphore(max(2, os.cpu_count() or 0))
"""For large slices of a process: more would only wait for each other, for the interpreter here and
for the log and the pages there."""
_LOOK = 0.1  # seconds between two looks at the stop flag


class Storing:
    """Stores slices of one source on the connection that holds its lock.

    Args:
        connection: that connection; no transaction is open.
        source: the source.
        key: the number of its lock.
        series: the series_id of each of its series, by endpoint_prefix.
        stopped: asked now and then; True ends the transaction with `Interrupted`.
        sizes: from where on another way is taken.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        *,
        source: str,
        key: int,
        series: Mapping[str, int],
        stopped: Callable[[], bool],
        sizes: Sizes,
    ) -> None:
        self._connection = connection
        self._source = source
        self._key = key
        self._series = series
        self._stopped = stopped
        self._sizes = sizes

    def store(
        self,
        run_id: int,
        observations: Mapping[str, Observations],
        *,
        start: datetime,
        end: datetime | None,
        received: Counts,
        done_until: datetime | None,
        accept_retractions: bool,
        dry_run: bool,
        keeping: Keeping | None,
    ) -> Merged:
        """What came of it; raises as `SourceSession.merge` has it.

        Args:
            run_id: the run that brought it; not used by a dry run.
            observations: the clean points of every registered series, by endpoint_prefix.
            start: the start of the slice.
            end: its end, or None for the newest there is.
            received: what cleaning counted; the merge's own counts are added to it.
            done_until: up to where the run is done once this is stored.
            accept_retractions: let nulls retract most of a series, too.
            dry_run: compare, and write nothing.
            keeping: what to keep of the answers that it came in.
        """
        batch = {self._series[name]: o for name, o in observations.items()}
        size = sum(map(len, batch.values()))
        if not dry_run and size > self._sizes.looked_up:
            make_chunks(self._connection, [o.ts for o in batch.values()])
        begin = _begins(keeping, None if dry_run else done_until)
        with self._place(size), self._rolled_back():
            merge, quiet = self._ask(batch, start, end, begin)
            if keeping is not None:
                keeping.check(self._connection, self._series.values())
            published = vintages.compared(self._connection, batch)
            if merge is None and any(o.ts for o in published.current.values()):
                merge = self._merge_of(published.current)
            changes, withheld = Changes(), dict[int, int]()
            counts = Counts(unchanged=published.superseded)
            # the same for all that this transaction writes
            knowledge = cache(lambda: self._knowledge(run_id, begun=begin is not None))
            writes = ExactWrites(self._connection, knowledge, self._sizes.block)
            if merge is not None:
                changes = merge.compare(None if dry_run else writes)
                withheld = {} if accept_retractions else merge.withhold(changes)
                counts += merge.counts(changes, withheld)
            known = None
            if (counts.changed or published.new) and not dry_run:
                known = knowledge().known
                vintages.record(self._connection, published.new, run_id=run_id, known=known)
                if merge is not None:
                    merge.write(changes, writes)
            wrote = known is not None or keeping is not None
            merged = Merged(
                counts + received,
                known,
                silent=self._names(quiet),
                withheld=self._names(withheld),
                vintages=len(published.new),
                dated=any(o.vintages for o in batch.values()),
                recorded=not dry_run and (wrote or done_until is not None),
            )
            if keeping is not None:
                keeping.end(self._connection, self._source, self._series.values(), merged)
            if self._stopped():
                raise Interrupted
            if not dry_run:
                self._commit(run_id, merged, done_until)
        return merged

    @contextmanager
    def _place(self, size: int) -> Iterator[None]:
        """A large slice waits for one of the few places there are."""
        if size <= self._sizes.looked_up:
            yield
            return
        while not _PLACES.acquire(timeout=_LOOK):
            if self._stopped():
                raise Interrupted
        try:
            yield
        finally:
            _PLACES.release()

    @contextmanager
    def _rolled_back(self) -> Iterator[None]:
        """What was begun within and not committed is rolled back."""
        try:
            yield
        except BaseException:
            # a connection that is gone has nothing left to roll back
            with suppress(psycopg.Error):
                self._connection.rollback()
            raise
        self._connection.rollback()

    def _ask(
        self,
        batch: Mapping[int, Observations],
        start: datetime,
        end: datetime | None,
        begin: str | None,
    ) -> tuple[Merge | None, list[int]]:
        """Ask what is stored, in a transaction if one is to begin already.

        Returns:
            The merge of the batch, if it has points and none of them tells when it was published;
            and the series without points in it that have some stored in the slice.

        Raises:
            LockLostError: the lock is not held; only a transaction asks.
        """
        left_out = [i for i in self._series.values() if not (i in batch and batch[i].ts)]
        simple = not any(o.vintages for o in batch.values())
        merge = self._merge_of(batch) if simple and any(o.ts for o in batch.values()) else None
        quiet: psycopg.Cursor[tuple[int]] | None = None
        with self._together(begin):
            if left_out:
                quiet = self._connection.execute(
                    query("merge_silent"), {"series": left_out, "start": start, "end": end}
                )
            if merge is not None:
                merge.ask()
        return merge, [] if quiet is None else [series_id for (series_id,) in quiet]

    def _merge_of(self, batch: Mapping[int, Observations]) -> Merge:
        return Merge(self._connection, batch, sizes=self._sizes, stopped=self._stopped)

    def _names(self, series: Mapping[int, int] | list[int]) -> tuple[str, ...]:
        return tuple(sorted(name for name, number in self._series.items() if number in series))

    @contextmanager
    def _together(self, begin: str | None) -> Iterator[None]:
        """What is asked within travels together, after the beginning of a transaction, if any.

        Raises:
            LockLostError: a transaction began, and the lock is not held.
        """
        held: psycopg.Cursor[Any] | None = None
        with self._connection.pipeline():
            if begin is not None:
                self._connection.execute(begin.encode())
                held = self._connection.execute(query("lock_is_held"), lock.halves(self._key))
            yield
        if held is not None and held.fetchone() is None:
            raise LockLostError(
                f"the lock of source {self._source!r} is not held by this connection",
                hint="Is there a connection pooler in between? Nothing was written",
            )

    def _knowledge(self, run_id: int, *, begun: bool) -> Knowledge:
        """What is now written is known from now on; asked when the first change is found."""
        with self._together(None if begun else "BEGIN"):
            self._connection.execute(query("merge_settings"))
            cursor = self._connection.execute(
                query("merge_knowledge_time"), {"source": self._source}
            )
        row = cursor.fetchone()
        if row is None:
            raise LockLostError(
                f"source {self._source!r} has no row in source_state any more",
                hint="Somebody deleted it since the run began. Run again: it is made anew",
            )
        return Knowledge(run_id, *row)

    def _commit(self, run_id: int, merged: Merged, done_until: datetime | None) -> None:
        failpoint("before_commit")
        if merged.recorded:
            with self._connection.pipeline():
                self._record(run_id, merged, done_until)
                self._connection.execute("COMMIT")
        failpoint("after_commit")

    def _record(self, run_id: int, merged: Merged, done_until: datetime | None) -> None:
        known = merged.knowledge_time
        if known is not None:
            self._connection.execute(query("merge_record_knowledge_time"), {"source": self._source, "known": known})
        self._connection.execute(
            query("merge_record"),
            {
                "run": run_id,
                "done_until": done_until,
                "vintages": merged.vintages,
                "soon": known is None,
                **merged.counts.named(),
            },
        )


def _begins(keeping: Keeping | None, done_until: datetime | None) -> str | None:
    """How the transaction begins, if it is certain from the start that there will be one."""
    if keeping is not None:
        # what is kept rests on one state of the database
        return "BEGIN ISOLATION LEVEL REPEATABLE READ"
    return None if done_until is None else "BEGIN"
