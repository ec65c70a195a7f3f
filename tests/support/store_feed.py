"""Feeds points to a source, and reads what became of them without the store's own queries.

Points are given by the hour since START: `{0: 1.5, 1: None}` are a value and an explicit null.
"""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from support.stored_runs import START

from dataportal.errors import DatabaseError
from dataportal.observations import Observations
from dataportal.store.queries import mark_distributed
from dataportal.store.records import Counts, Outcome, RunKind, SeriesRecord, SliceWrite, SourceState
from dataportal.store.runs import select_state
from dataportal.store.series import select_series, snapshot
from dataportal.store.session import SourceSession
from dataportal.store.write.diff import Sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from dataportal.store.records import MergeResult, SeriesProgress

Points = dict[int, float | None]


class ShardedSizes(Sizes):
    """Goes with the statements of an engine that shards the tables; any other takes them, too."""

    def choose_statements(self, session: SourceSession) -> None:
        """Let the session use them."""
        mark_distributed(session._connection)


PATHS = {
    "small": Sizes(),
    "copies": Sizes(inserted_up_to=0, looked_up=1),
    "blocks": Sizes(inserted_up_to=2, looked_up=2, block=2),
    "spread": Sizes(inserted_up_to=3, looked_up=3, block=5, spread=0, slack=1),
    "sharded": ShardedSizes(inserted_up_to=1, block=3, spread=1, slack=1),
}
"""Every way that a slice can take through the merge, taken by the few points of a test."""
TABLES = ("time_series_data", "time_series_data_scd2")
_HOUR = timedelta(hours=1)
_LONG_AGO = START - timedelta(days=365 * 100)


class Span(NamedTuple):
    """One version: its value and its knowledge time; `until` is None while it is open."""

    value: float
    since: datetime
    until: datetime | None


def hour(number: int) -> datetime:
    """The time of a point."""
    return START + number * _HOUR


def hour_of(ts: datetime) -> int:
    """The number of that hour."""
    return (ts - START) // _HOUR


def observations(points: Mapping[int, float | None]) -> Observations:
    """Clean observations of these points."""
    hours = sorted(points)
    return Observations([hour(h) for h in hours], [points[h] for h in hours])


def publications(points: Mapping[int, Mapping[int, float | None]]) -> Observations:
    """The same of points by the hour, with the values by the hour of their publication."""
    hours = sorted(points)
    newest = [max(points[h]) for h in hours]
    return Observations(
        [hour(h) for h in hours],
        [points[h][at] for h, at in zip(hours, newest, strict=True)],
        [hour(at) for at in newest],
        [(hour(h), hour(at), points[h][at]) for h in hours for at in sorted(points[h])],
    )


class Feed:
    """A source whose lock is held, whose series are registered, and which has begun a run.

    Attributes:
        session: the store's session under test.
        run: the run_id.
    """

    def __init__(self, session: SourceSession, *series: str) -> None:
        self.session = session
        assert session.try_lock()
        session.register([SeriesRecord(name) for name in series])
        self.run = self.start()

    def start(self, kind: RunKind = RunKind.SCHEDULED) -> int:
        """Begin another run."""
        self.run = self.session.start_run(kind, START, None)
        return self.run

    def finish(
        self, outcome: Outcome = Outcome.SUCCEEDED, unrecorded: Counts | None = None
    ) -> None:
        """End the run, and forget what is old."""
        self.session.finish_run(self.run, outcome, counts=unrecorded, prune=True)

    def merge(
        self,
        batch: Mapping[str, Mapping[int, float | None]],
        *,
        start: datetime = _LONG_AGO,
        end: datetime | None = None,
        accept_retractions: bool = False,
        dry_run: bool = False,
    ) -> MergeResult:
        """Merge one slice."""
        return self.session.merge(
            SliceWrite(
                self.run,
                {name: observations(points) for name, points in batch.items()},
                start=start,
                end=end,
                received=Counts(received=sum(map(len, batch.values()))),
                accept_retractions=accept_retractions,
                dry_run=dry_run,
            )
        )

    def __call__(
        self,
        points: Mapping[int, float | None],
        *,
        wind: Mapping[int, float | None] | None = None,
        **options: Any,
    ) -> MergeResult:
        """Merge one slice of the series `load`, and of `wind` if it has any."""
        batch = {"load": points} if wind is None else {"load": points, "wind": wind}
        return self.merge(batch, **options)


@contextmanager
def open_feed(
    url: str, *series: str, source: str = "grid", sizes: Sizes | None = None
) -> Iterator[Feed]:
    """A source at work; its series is `load` unless others are named."""
    with closing(SourceSession.open(url, source, sizes=sizes)) as session:
        if isinstance(sizes, ShardedSizes):
            sizes.choose_statements(session)
        yield Feed(session, *(series or ("load",)))
        # of a connection that is just closed the server may not know yet when the next one asks
        with suppress(DatabaseError):
            session.release()


@contextmanager
def open_observer(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that sees what has been committed."""
    with psycopg.connect(url, autocommit=True, options="-c TimeZone=UTC") as connection:
        yield connection


def state_of(session: SourceSession) -> SourceState:
    """What is remembered of the session's source."""
    states = select_state(session._connection, session._source)
    return states.fetchone() or SourceState(session._source)


def progress_of(session: SourceSession) -> Mapping[str, SeriesProgress]:
    """How far each series has come that the session has registered."""
    return snapshot(
        select_series(session._connection, session._source, list(session._series))
    ).progress


class AtWork(Thread):
    """Does the work in a thread; `raised` is what came of it."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self._work = work
        self.raised: BaseException | None = None
        self.start()

    def run(self) -> None:
        """For the thread."""
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.raised = error

    def await_blocked(self, feed: Feed, look: psycopg.Connection[Any]) -> None:
        """Returns once the session waits for a lock that somebody else holds."""
        pid = feed.session._connection.info.backend_pid
        while look.execute("SELECT pg_blocking_pids(%s) = '{}'", [pid]).fetchone() == (True,):
            assert self.is_alive(), self.raised

    def end(self) -> BaseException | None:
        """Waits for the end of the work."""
        self.join()
        return self.raised


def current(look: psycopg.Connection[Any], series: str = "load") -> dict[int, float]:
    """The current table's values of a series."""
    rows = look.execute(
        "SELECT d.ts, d.value FROM time_series_data d JOIN time_series s USING (series_id)"
        " WHERE s.endpoint_prefix = %s",
        [series],
    )
    return {hour_of(ts): value for ts, value in rows}


def history(look: psycopg.Connection[Any], series: str = "load") -> dict[int, list[Span]]:
    """The history table's versions of a series, oldest first."""
    rows = look.execute(
        "SELECT v.ts, v.value, v.valid_from, nullif(v.valid_to, 'infinity')"
        " FROM time_series_data_scd2 v JOIN time_series s USING (series_id)"
        " WHERE s.endpoint_prefix = %s ORDER BY v.ts, v.valid_from",
        [series],
    )
    versions: dict[int, list[Span]] = {}
    for ts, *span in rows:
        versions.setdefault(hour_of(ts), []).append(Span(*span))
    return versions


def values(look: psycopg.Connection[Any], series: str = "load") -> dict[int, list[float]]:
    """The values of the versions of each observation, oldest first."""
    return {h: [span.value for span in spans] for h, spans in history(look, series).items()}


def tuples(look: psycopg.Connection[Any]) -> set[tuple[str, ...]]:
    """Every tuple of both tables with its location and the transactions that made or locked it.

    Whatever is inserted, updated, deleted or locked makes a difference, also what is rolled back.
    """
    return {
        row
        for table in TABLES
        for row in look.execute(
            f"SELECT tableoid::text, ctid::text, xmin::text, xmax::text, t::text FROM {table} t"  # noqa: S608 - one of two names
        )
    }
