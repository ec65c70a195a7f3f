"""Everything one run does with the database, on the one connection that holds its lock."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from dataportal.errors import DatabaseTransientError, Interrupted, LockLostError
from dataportal.failpoints import failpoint
from dataportal.store import lock, runs, series, vintages
from dataportal.store.connection import connect, database_errors
from dataportal.store.merge import Changes, Merge
from dataportal.store.migrations import ensure_schema
from dataportal.store.queries import query
from dataportal.store.records import Counts, Merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from dataportal.observations import Observations
    from dataportal.store.records import (
        Backfill,
        Outcome,
        RunKind,
        SeriesProgress,
        SeriesRecord,
        SourceState,
    )


class SourceSession:
    """One connection, for one source. Blocking; used from one thread, `stop()` from any.

    Every method raises `DatabaseTransientError` for what may pass and `DatabaseError` for the
    rest. A lost connection is a lost lock: nothing can be written any more.
    """

    def __init__(self, connection: psycopg.Connection, source: str, schema: str) -> None:
        self._connection = connection
        self._source = source
        self._schema = schema
        self._key = lock.lock_key(schema, source)
        self._locked = False
        self._stopped = threading.Event()
        self._series: dict[str, int] = {}

    @classmethod
    def open(cls, url: str, source: str) -> SourceSession:
        """Connect, and bring the schema up to date where the role may.

        Raises:
            SchemaError: the schema does not fit, and cannot be made to.
        """
        connection = connect(url, application_name=f"dataportal {source}")
        try:
            return cls(connection, source, ensure_schema(connection))
        except BaseException:
            connection.close()
            raise

    def try_lock(self) -> bool:
        """Take the source's lock if nobody holds it; never waits."""
        with database_errors("taking the lock"):
            self._locked = lock.try_lock(self._connection, self._key)
        return self._locked

    def unlock(self) -> None:
        """Give the lock back, and keep the connection."""
        with database_errors("giving the lock back"):
            self._locked = False
            lock.unlock(self._connection, self._key)

    def holder(self) -> lock.Holder:
        """Who holds the lock: host, process, since when."""
        with database_errors("asking who holds the lock"):
            return lock.find_holder(self._connection, self._key, self._source)

    def state(self) -> SourceState:
        """What is remembered of the source."""
        with database_errors("reading the source's state"):
            return runs.source_state(self._connection, self._source)

    def register(
        self,
        records: Sequence[SeriesRecord],
        *,
        renamed_from: str | None = None,
        dry_run: bool = False,
    ) -> list[str]:
        """Make `time_series` say what sources.yaml says; warnings to show.

        A dry run only finds out which series are stored.

        Raises:
            ConfigurationError: a series belongs to another source.
        """
        with database_errors("registering the series"):
            self._series, warnings = series.register(
                self._connection,
                schema=self._schema,
                source=self._source,
                series=records,
                renamed_from=renamed_from,
                dry_run=dry_run,
            )
        return warnings

    def progress(self) -> dict[str, SeriesProgress]:
        """How far each registered series has come, by endpoint_prefix."""
        with database_errors("reading the watermarks"):
            return series.progress(self._connection, self._source, list(self._series))

    def start_run(self, kind: RunKind, start: datetime, end: datetime | None) -> int:
        """Record that a run began; its run_id."""
        with database_errors("recording the run"):
            return runs.start_run(self._connection, self._source, kind, start, end)

    def unfinished_backfill(self) -> Backfill | None:
        """The source's newest backfill that did not reach its end."""
        with database_errors("looking for an unfinished backfill"):
            return runs.unfinished_backfill(self._connection, self._source)

    def resume_run(self, run_id: int) -> None:
        """Take an unfinished run up again."""
        with database_errors("recording the run"):
            runs.resume_run(self._connection, run_id)

    def merge(
        self,
        run_id: int,
        observations: Mapping[str, Observations],
        *,
        start: datetime,
        end: datetime | None,
        received: Counts,
        done_until: datetime | None = None,
        accept_retractions: bool = False,
        dry_run: bool = False,
    ) -> Merged:
        """Store a slice in one transaction: what it changes becomes versions, the rest rests.

        Args:
            run_id: the run that brought it; not used by a dry run.
            observations: the clean points of every registered series, by endpoint_prefix.
            start: the start of the slice.
            end: its end, or None for the newest there is.
            received: what cleaning counted; the merge's own counts are added to it.
            done_until: up to where the run is done once this is stored.
            accept_retractions: let nulls retract most of a series, too.
            dry_run: compare, and write nothing.

        Raises:
            LockLostError: this connection no longer holds the lock; nothing is written.
            Interrupted: `stop()` was called; nothing is written.
        """
        with self._stoppable(), database_errors("storing the observations"):
            ids = self._series
            with self._connection.transaction():
                if not lock.holds(self._connection, self._key):
                    raise LockLostError(
                        f"the lock of source {self._source!r} is not held by this connection",
                        hint="Is there a connection pooler in between? Nothing was written",
                    )
                merged = self._merge(
                    run_id,
                    {ids[name]: o for name, o in observations.items()},
                    accept_retractions=accept_retractions,
                    dry_run=dry_run,
                )
                merged = replace(
                    merged,
                    counts=merged.counts + received,
                    silent=self._silent(ids, observations, start, end),
                )
                if not dry_run:
                    self._record(run_id, merged, done_until)
                    failpoint("before_commit")
                if self._stopped.is_set():
                    raise Interrupted
            failpoint("after_commit")
        return merged

    def finish_run(
        self,
        run_id: int,
        outcome: Outcome,
        *,
        error: str | None = None,
        history_asked: bool = False,
    ) -> None:
        """Record how the run ended, and what follows from that for its source."""
        with database_errors("recording the end of the run"):
            runs.finish_run(
                self._connection,
                self._source,
                run_id,
                outcome,
                error=error,
                final=self._locked and lock.holds(self._connection, self._key),
                history_asked=list(self._series) if history_asked else (),
            )

    def stop(self) -> None:
        """From any thread: end the statement now running, and write nothing more.

        Never raises: a server that cannot be asked to has no one who waits for its answer.
        """
        self._stopped.set()
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=2)

    def close(self) -> None:
        """Close the connection, which frees the lock, whatever happened."""
        self._connection.close()

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        try:
            yield
        except DatabaseTransientError:
            # `stop()` cancels the statement that is running, which reads like a timeout
            if self._stopped.is_set():
                raise Interrupted from None
            raise

    def _merge(
        self,
        run_id: int,
        batch: Mapping[int, Observations],
        *,
        accept_retractions: bool,
        dry_run: bool,
    ) -> Merged:
        if not any(o.ts for o in batch.values()):
            return Merged(Counts(), None)
        published = vintages.compared(self._connection, batch)
        changes, withheld = Changes(), dict[int, int]()
        counts = Counts(unchanged=published.superseded)
        merge: Merge | None = None
        if any(o.ts for o in published.current.values()):
            merge = Merge(self._connection, published.current, stopped=self._stopped.is_set)
            changes = merge.compare()
            withheld = {} if accept_retractions else merge.withhold(changes)
            counts += merge.counts(changes, withheld)
        known = None
        if (counts.changed or published.new) and not dry_run:
            known = self._knowledge_time()
            vintages.record(self._connection, published.new, run_id=run_id, known=known)
            if merge is not None:
                merge.write(changes, run_id=run_id, known=known)
        names = sorted(name for name, series_id in self._series.items() if series_id in withheld)
        return Merged(counts, known, withheld=tuple(names), vintages=len(published.new))

    def _knowledge_time(self) -> datetime:
        row = self._connection.execute(
            query("merge_knowledge_time"), {"source": self._source}
        ).fetchone()
        if row is None:
            raise LockLostError(f"source {self._source!r} has not been registered")
        known: datetime = row[0]
        return known

    def _silent(
        self,
        ids: Mapping[str, int],
        observations: Mapping[str, Observations],
        start: datetime,
        end: datetime | None,
    ) -> tuple[str, ...]:
        quiet = {ids[name]: name for name in ids if not observations.get(name)}
        if not quiet:
            return ()
        rows = self._connection.execute(
            query("merge_silent"), {"series": list(quiet), "start": start, "end": end}
        )
        return tuple(sorted(quiet[series_id] for (series_id,) in rows))

    def _record(self, run_id: int, merged: Merged, done_until: datetime | None) -> None:
        counts = dict(zip(Counts.__slots__, merged.counts.all(), strict=True))
        self._connection.execute(
            query("merge_record"),
            {
                "run": run_id,
                "source": self._source,
                "known": merged.knowledge_time,
                "done_until": done_until,
                "vintages": merged.vintages,
                **counts,
            },
        )
