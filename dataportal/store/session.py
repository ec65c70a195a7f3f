"""Everything one run does with the database, on the one connection that holds its lock."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg

from dataportal.errors import DatabaseTransientError, Interrupted
from dataportal.store import lock, runs, series
from dataportal.store.connection import connect, database_errors, rename
from dataportal.store.migrations import ensure_schema
from dataportal.store.read.overview import source_states
from dataportal.store.records import Counts
from dataportal.store.validators import conditional_requests
from dataportal.store.write.diff import Sizes
from dataportal.store.write.transaction import Storing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from dataportal.observations import Observations
    from dataportal.store.records import (
        Backfill,
        Merged,
        Outcome,
        RunKind,
        SeriesProgress,
        SeriesRecord,
        SourceState,
    )
    from dataportal.validators import ConditionalRequests, SliceValidators


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
        self._stopped = threading.Event()
        self._series: dict[str, int] = {}
        self._progress: dict[str, SeriesProgress] | None = None
        self._state: psycopg.Cursor[Any] | None = None
        self._known: psycopg.Cursor[Any] | None = None
        self._unasked: list[str] = []
        self._sizes = sizes or Sizes()

    @classmethod
    def open(cls, url: str, source: str, *, sizes: Sizes | None = None) -> SourceSession:
        """Connect, and bring the schema up to date where the role may.

        Args:
            url: the database.
            source: the source.
            sizes: from where on a slice is read and written in another way.

        Raises:
            SchemaError: the schema does not fit, and cannot be made to.
        """
        connection = connect(url, application_name=f"dataportal {source}")
        try:
            return cls(connection, source, ensure_schema(connection), sizes=sizes)
        except BaseException:
            connection.close()
            raise

    def passed_on(self, source: str) -> SourceSession:
        """The same connection for another source, when its present one has let it go."""
        with database_errors("taking a connection over"):
            rename(self._connection, application_name=f"dataportal {source}")
        return SourceSession(self._connection, source, self._schema, sizes=self._sizes)

    def let_go(self) -> None:
        """Give the lock back, if it is held, or else the connection with it."""
        if not self._locked:
            return
        try:
            self.unlock()
        except BaseException:
            self.close()
            raise

    def try_lock(self, names: Sequence[str] = (), *, state: bool = False) -> bool:
        """Take the source's lock if nobody holds it; never waits.

        What `register` has to know of the series with these names is asked along with it, and, if
        told to, what `state` tells.
        """
        with database_errors("taking the lock"), self._connection.pipeline():
            asked = lock.ask_for(self._connection, self._key)
            if state:
                self._state = runs.ask_state(self._connection, self._source)
            if names:
                self._known = series.ask_known(self._connection, self._source, names)
        self._locked = lock.taken(asked)
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

    def states(self) -> dict[str, SourceState]:
        """What is remembered of every source, by its name."""
        return source_states(self._connection)

    def state(self) -> SourceState:
        """What is remembered of the source."""
        with database_errors("reading the source's state"):
            asked = self._state or runs.ask_state(self._connection, self._source)
            self._state = None
            return runs.told_state(asked, self._source)

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
            registered = series.register(
                self._connection,
                schema=self._schema,
                source=self._source,
                series=records,
                renamed_from=renamed_from,
                dry_run=dry_run,
                known=self._known,
            )
        self._known = None
        self._series, self._progress = registered.ids, registered.progress
        asked = registered.progress or {}
        self._unasked = [n for n in self._series if n not in asked or not asked[n].history_asked]
        return registered.warnings

    def progress(self) -> dict[str, SeriesProgress]:
        """How far each registered series has come, by endpoint_prefix."""
        # registering reads it as well, for the first who asks
        known, self._progress = self._progress, None
        if known is not None:
            return known
        with database_errors("reading the watermarks"):
            return series.progress(self._connection, self._source, list(self._series))

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
            return conditional_requests(
                self._connection,
                self._source,
                self._series.values(),
                identity=identity,
                start=start,
                now=now,
            )

    def start_run(self, kind: RunKind, start: datetime, end: datetime | None) -> int:
        """Record that a run began; its run_id."""
        with database_errors("recording the run"):
            return runs.start_run(self._connection, self._source, kind, start, end, at_once=True)

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
        validators: SliceValidators | None = None,
    ) -> Merged:
        """Store a slice in one transaction: what it changes becomes versions, the rest rests.

        What the arguments are, `Storing.store` says.

        Raises:
            WholeAnswerNeeded: an answer that is unchanged must be had all the same.
            LockLostError: this connection no longer holds the lock; nothing is written.
            Interrupted: `stop()` was called; nothing is written.
        """
        self._progress = None
        storing = Storing(
            self._connection,
            source=self._source,
            key=self._key,
            series=self._series,
            stopped=self._stopped.is_set,
            sizes=self._sizes,
        )
        with self._stoppable(), database_errors("storing the observations"):
            return storing.store(
                run_id,
                observations,
                start=start,
                end=end,
                received=received,
                done_until=done_until,
                accept_retractions=accept_retractions,
                dry_run=dry_run,
                validators=validators,
            )

    def finish_run(
        self,
        run_id: int,
        outcome: Outcome,
        *,
        error: str | None = None,
        counts: Counts | None = None,
        history_asked: bool = False,
        prune: bool | None = None,
    ) -> None:
        """Record how the run ended, and what follows from that; see `runs.finish_run`."""
        with database_errors("recording the end of the run"):
            runs.finish_run(
                self._connection,
                self._source,
                run_id,
                outcome,
                error=error,
                counts=counts or Counts(),
                key=self._key if self._locked else None,
                history_asked=self._unasked if history_asked else (),
                prune=prune,
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
