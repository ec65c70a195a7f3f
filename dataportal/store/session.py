"""Database session of a run: all that it does there, on the connection that holds its lock."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from dataportal.errors import DatabaseError, DatabaseTransientError, Interrupted
from dataportal.store import lock, runs, series
from dataportal.store.clock import check_knowledge, check_time, latest_knowledge
from dataportal.store.connection import database_errors, rename
from dataportal.store.failover import current_server, find_failover
from dataportal.store.migrations import connect_to_schema
from dataportal.store.read.overview import source_states
from dataportal.store.records import (
    Counts,
    Registration,
    SourceSnapshot,
    SourceState,
    StatedFacts,
)
from dataportal.store.validators import (
    conditional_requests,
    kept_validators,
    select_validators,
)
from dataportal.store.write.chunks import ChunkOpener
from dataportal.store.write.diff import Sizes
from dataportal.store.write.transaction import SliceTransaction
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from dataportal.store.failover import Server
    from dataportal.store.records import (
        AnswerExtent,
        Backfill,
        MergeResult,
        Outcome,
        RunKind,
        SeriesRecord,
        SliceWrite,
    )
    from dataportal.store.validators import KeptValidators
    from dataportal.validators import ConditionalRequests


class SourceSession:
    """One connection, for one source. Blocking; used from one thread, `stop()` from any.

    Every method raises `DatabaseTransientError` for what may pass and `DatabaseError` for the
    rest. A lost connection is a lost lock: nothing can be written any more.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        source: str,
        schema: str,
        *,
        sizes: Sizes | None = None,
    ) -> None:
        self._connection = connection
        self._source = source
        self._schema = schema
        self._key = lock.lock_key(schema, source)
        self._locked = False
        self._stopped = False  # set from any thread
        self._series: dict[str, int] = {}
        self._has_points: frozenset[int] = frozenset()
        self._facts: dict[int, StatedFacts] = {}
        self._chunks = ChunkOpener(connection)
        self._without_history: list[str] = []
        self._new_server: Server | None = None
        self._sizes = sizes or Sizes()
        self._has_name = True
        self._kept_validators: KeptValidators | None = None

    @classmethod
    def open(cls, url: str, source: str, *, sizes: Sizes | None = None) -> SourceSession:
        """Connect, and bring the schema up to date where the role may.

        Args:
            url: the database.
            source: the source.
            sizes: from which on a slice is read and written in another way.

        Raises:
            SchemaError: the schema does not fit, and cannot be made to.
        """
        connection, schema = connect_to_schema(
            url, application_name=f"dataportal {source}", holds_lock=True
        )
        return cls(connection, source, schema, sizes=sizes)

    def reuse_for(self, source: str) -> SourceSession:
        """The same connection for another source, when its present one has released it.

        The server shows it by the name of the one before until `take_name` or `try_lock`.
        """
        session = SourceSession(self._connection, source, self._schema, sizes=self._sizes)
        session._has_name = False
        return session

    def take_name(self) -> None:
        """Let the server show the connection by the name of its source."""
        with database_errors("taking a connection over"):
            self._send_name()

    def _send_name(self) -> None:
        if not self._has_name:
            rename(self._connection, application_name=f"dataportal {self._source}")
            self._has_name = True

    @property
    def is_lost(self) -> bool:
        """Whether the connection is of no use any more."""
        return self._connection.closed

    @property
    def is_locked(self) -> bool:
        """Whether the lock was taken and not given back."""
        return self._locked

    def look(self, question: Callable[[psycopg.Connection], None]) -> None:
        """Ask something by this connection, which nobody else uses meanwhile."""
        question(self._connection)

    def release(self) -> None:
        """Give the lock back, if it is held, or else the connection with it."""
        if not self._locked:
            return
        try:
            self.unlock()
        except BaseException:
            self.close()
            raise

    def try_lock(
        self,
        names: Sequence[str] = (),
        *,
        with_state: bool = False,
        with_validators: bool = False,
    ) -> SourceSnapshot | None:
        """Take the source's lock if nobody holds it; never waits.

        Args:
            names: the series to be registered: what is stored of them is read along with it.
            with_state: whether to read what is remembered of the source as well.
            with_validators: whether to read what `conditional_requests` will ask for first.

        Returns:
            What was read under the lock, in the same round trip; None if somebody holds it.

        Raises:
            ClockError: the database's clock and this program's differ too much.
            KnowledgeAheadError: the source knows something as of a time that is yet to come.
        """
        before = utc_now()
        with database_errors("taking the lock"):
            with self._connection.pipeline():
                self._send_name()
                sent = lock.send_try_lock(self._connection, self._key)
                states = runs.select_state(self._connection, self._source) if with_state else None
                rows = (
                    series.select_series(self._connection, self._source, names) if names else None
                )
                kept = (
                    select_validators(self._connection, self._source) if with_validators else None
                )
            grant = lock.grant(sent)
            self._locked = grant is not None
            if grant is None:
                return None
            check_time(grant.clock, before=before, after=(now := utc_now()))
            self._kept_validators = None if kept is None else kept_validators(kept)
            state = None if states is None else states.fetchone() or SourceState(self._source)
            snapshot = SourceSnapshot() if rows is None else series.snapshot(rows)
            latest = snapshot.latest
            if not snapshot.is_known:
                latest = latest_knowledge(self._connection, self._source)
            check_knowledge(latest, self._source, now=now)
            server = current_server(self._connection, grant.server_started_at, snapshot.server)
            self._new_server = None if server == snapshot.server else server
            failover = find_failover(snapshot.server, server, snapshot.known_through)
            return replace(snapshot, state=state, failover=failover)

    def leave_lock(self, run_id: int, seconds: float) -> None:
        """Record that the run does without its lock for so long, and is not dead meanwhile."""
        with database_errors("recording that the run waits"):
            runs.leave_lock(self._connection, run_id, seconds)

    def unlock(self) -> None:
        """Give the lock back, and keep the connection."""
        with database_errors("giving the lock back"):
            self._locked = False
            lock.unlock(self._connection, self._key)

    def holder(self) -> lock.Holder:
        """Who holds the lock: host, process, since when."""
        with database_errors("asking who holds the lock"):
            return lock.find_holder(self._connection, self._key, self._source)

    def holder_of(self, source: str) -> lock.Holder | None:
        """Who holds the lock of any source."""
        with database_errors("asking who holds the lock"):
            return lock.find_holder(self._connection, lock.lock_key(self._schema, source), source)

    def locked_sources(self, sources: Collection[str]) -> set[str]:
        """Those of the sources whose lock anybody holds, asked in one query."""
        with database_errors("asking which locks are held"):
            held = lock.held_keys(self._connection)
        return {source for source in sources if lock.lock_key(self._schema, source) in held}

    def sources_run_since(self, instant: datetime) -> set[str]:
        """The sources of which a run has ended since then."""
        with database_errors("asking which runs have ended"):
            return runs.sources_run_since(self._connection, instant)

    def states(self) -> dict[str, SourceState]:
        """What is remembered of every source, by its name."""
        return source_states(self._connection)

    def register(
        self,
        records: Sequence[SeriesRecord],
        *,
        snapshot: SourceSnapshot | None = None,
        renamed_from: str | None = None,
        dry_run: bool = False,
    ) -> Registration:
        """Make `time_series` say what sources.yaml says.

        Args:
            records: the series of the source.
            snapshot: what `try_lock` has read of them; None reads it now.
            renamed_from: the source's former name.
            dry_run: only find out which series are stored.

        Raises:
            ConfigurationError: a series belongs to another source.
            LockedError: the source that this one was renamed from is running.
        """
        names = [record.endpoint_prefix for record in records]
        with database_errors("registering the series"):
            if snapshot is None:
                snapshot = self._read_snapshot(names)
            if series.is_registered(snapshot, self._source, records):
                ids = {name: stored.series_id for name, stored in snapshot.series.items()}
                warnings: list[str] = []
            else:
                ids, warnings = series.register(
                    self._connection,
                    schema=self._schema,
                    source=self._source,
                    records=records,
                    renamed_from=renamed_from,
                    dry_run=dry_run,
                )
                snapshot = self._read_snapshot(names)
        # a dry run leaves series with the source that owned them
        progress = {
            name: progress
            for name, progress in snapshot.progress.items()
            if snapshot.series[name].source == self._source
        }
        self._series = ids
        self._has_points = frozenset(
            ids[name] for name in ids if name in progress and progress[name].newest is not None
        )
        self._facts = {
            series_id: StatedFacts(known.answer_unit, known.published_timezone, known.reading)
            if (known := progress.get(name))
            else StatedFacts()
            for name, series_id in ids.items()
        }
        self._without_history = [
            name for name in ids if name not in progress or not progress[name].history_asked
        ]
        return Registration(progress, warnings)

    @property
    def units(self) -> dict[str, str]:
        """The units that the answers of its series name, of those that have named one."""
        return {
            name: unit
            for name, series_id in self._series.items()
            if (unit := self._facts[series_id].unit) is not None
        }

    def oldest(self) -> datetime | None:
        """The first ts that is stored of its series."""
        with database_errors("reading the first observation"):
            return series.oldest_point(self._connection, list(self._series.values()))

    @property
    def keeps_no_validators(self) -> bool:
        """Whether it is known without asking that nothing is kept of the answers."""
        return self._kept_validators is not None and self._kept_validators.document is None

    def conditional_requests(
        self, identity: str, start: datetime, now: datetime
    ) -> ConditionalRequests:
        """Those of a slice, with what servers said before as far as it may be relied on.

        Args:
            identity: of the source as it is.
            start: of a slice that is open at its end.
            now: the time.
        """
        with database_errors("reading what is known of the answers"):
            kept, self._kept_validators = self._kept_validators, None
            if kept is None:
                kept = kept_validators(select_validators(self._connection, self._source))
            return conditional_requests(
                self._connection,
                self._series.values(),
                kept,
                identity=identity,
                start=start,
                now=now,
            )

    def start_run(
        self, kind: RunKind, start: datetime, end: datetime | None, backfill: int | None = None
    ) -> int:
        """Record that a run began, perhaps as part of a backfill of several; its run_id."""
        with database_errors("recording the run"):
            return runs.start_run(
                self._connection, self._source, kind, start, end, backfill=backfill, at_once=True
            )

    def unfinished_backfill(self, backfill: int | None = None) -> Backfill | None:
        """The source's newest backfill that did not reach its end; perhaps as part of that one."""
        with database_errors("looking for an unfinished backfill"):
            return runs.unfinished_backfill(self._connection, self._source, backfill)

    def resume_run(self, run_id: int) -> None:
        """Take an unfinished run up again."""
        with database_errors("recording the run"):
            runs.resume_run(self._connection, run_id)

    def merge(self, write: SliceWrite) -> MergeResult:
        """Store a slice in one transaction: what it changes becomes versions, the rest stays.

        Raises:
            WholeAnswerNeeded: an answer that is unchanged must be had all the same.
            LockLostError: this connection no longer holds the lock; nothing is written.
            Interrupted: `stop()` was called; nothing is written.
        """
        self._kept_validators = None
        transaction = SliceTransaction(
            self._connection,
            source=self._source,
            key=self._key,
            series=self._series,
            has_points=self._has_points,
            facts=self._facts,
            stopped=lambda: self._stopped,
            chunks=self._chunks,
            sizes=self._sizes,
        )
        with self._stoppable(), database_errors("storing the observations"):
            return transaction.store(write)

    def finish_run(
        self,
        run_id: int,
        outcome: Outcome,
        *,
        error: str | None = None,
        counts: Counts | None = None,
        history_asked: bool = False,
        advanced: Collection[str] = (),
        lookback: timedelta | None = None,
        refused_series: Collection[str] = (),
        doubt: str | None = None,
        settled: bool = False,
        told: bool = False,
        answers: Mapping[str, AnswerExtent] | None = None,
        prune: bool | None = None,
        keeps_server: bool = True,
        unlocks: bool = False,
    ) -> None:
        """Record how the run ended, and what follows from that; see `runs.finish_run`.

        With `unlocks` the lock is given back then, or else the connection with it.

        With `keeps_server` the server that it was written to is remembered, where it is a new one.

        With `history_asked` the series have had their initial history, but for those of which no
        point could be taken.
        """
        asked = self._without_history if history_asked else ()
        with database_errors("recording the end of the run"):
            runs.finish_run(
                self._connection,
                self._source,
                run_id,
                outcome,
                error=error,
                counts=counts or Counts(),
                key=self._key if self._locked else None,
                history_asked=[name for name in asked if name not in refused_series],
                advanced=sorted(advanced),
                lookback=lookback,
                doubt=doubt,
                settled=settled,
                told=told,
                answers=answers,
                prune=prune,
                server=self._new_server if keeps_server else None,
            )
        if unlocks:
            # what is recorded is, whatever becomes of the connection
            with suppress(DatabaseError):
                self.release()

    def stop(self) -> None:
        """From any thread: end the statement now running, and write nothing more.

        Never raises: where the server cannot be reached, nobody waits for its answer either.
        """
        self._stopped = True
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=2)

    def close(self) -> None:
        """Close the connection, which frees the lock, whatever happened."""
        self._connection.close()

    def _read_snapshot(self, names: Sequence[str]) -> SourceSnapshot:
        return series.snapshot(series.select_series(self._connection, self._source, names))

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        try:
            yield
        except DatabaseTransientError:
            # `stop()` cancels the statement that is running, which reads like a timeout
            if self._stopped:
                raise Interrupted from None
            raise
