"""Points in time: values of series as they were known, or published, at the time of a decision.

A question is asked of one series after the other, so that an answer may be of any length. All times
are aware datetimes in UTC; ranges of ts are half open, and None leaves an end open.

More than 500 lines, as all kinds of questions share one way of asking piece by piece.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.rows import dict_row

from dataportal.local_times import instants_of
from dataportal.store.connection import database_errors
from dataportal.store.queries import query, query_for
from dataportal.store.read.arrow import (
    ROWS_OF_BATCH,
    TS,
    VALUE,
    Column,
    ColumnKind,
    Span,
    record_batch,
    record_batches,
)
from dataportal.store.read.copy_out import ROWS_AT_A_TIME, csv_blocks, stream_records
from dataportal.store.rows import record_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import time
    from zoneinfo import ZoneInfo

    import psycopg
    import pyarrow as pa

    from dataportal.store.read.history import StoredSeries

ASSUMED = Column("assumed", ColumnKind.FLAG)
_MICROSECOND = timedelta(microseconds=1)
_WIDER = 8
"""How much further back each look for the last rows reaches than the one before."""
_FINALITY = re.compile(r",([tf])$", re.MULTILINE)
_FINALITY_AND_ASSUMPTION = re.compile(r",([tf]),([tf])$", re.MULTILINE)
_WORDS = {"t": ",true", "f": ",false"}
DECISIONS_AT_A_TIME = 20_000
"""Decisions that are asked about with one statement."""


class Kind(StrEnum):
    """Which version of each observation is asked for."""

    LATEST = "latest"
    AS_OF = "as_of"
    LEAD = "lead"
    CUTOFF = "cutoff"
    ISSUE = "issue"
    RELEASE = "release"


ASSUMING = frozenset({Kind.AS_OF, Kind.LEAD, Kind.CUTOFF})
"""The questions which may assume that what was back-filled was known before."""


@dataclass(frozen=True, slots=True)
class Cutoff:
    """A time of day, so many days before the local day of a ts, by the clocks of a zone."""

    days: int
    clock: time
    zone: ZoneInfo

    def instant(self, ts: datetime) -> datetime:
        """When that is for a ts; as PostgreSQL has it where clocks change.

        A time that occurs twice is the second one, one that is skipped is as much later.
        """
        day = ts.astimezone(self.zone).date() - timedelta(days=self.days)
        wall = datetime.combine(day, self.clock)
        instants = instants_of(wall, self.zone)
        return instants[-1] if instants else wall.replace(tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointQuestion:
    """Which version of each observation is asked for, and by whose times.

    Attributes:
        kind: which one; it says what of the others is there.
        published: by the times of publication, not by those at which values became known here.
        recorded_by: with `published`, only what was recorded here by then; None for all.
        at: of AS_OF and ISSUE; None is now, by publication alone.
        lead: of LEAD: how long before its ts a value was known.
        cutoff: of CUTOFF.
        number: of RELEASE, from 1 on.
        assume: let what came with a backfill or the initial history count as known from when values
            of its series are usually available; of AS_OF, LEAD and CUTOFF.
    """

    kind: Kind = Kind.LATEST
    published: bool = False
    recorded_by: datetime | None = None
    at: datetime | None = None
    lead: timedelta | None = None
    cutoff: Cutoff | None = None
    number: int | None = None
    assume: bool = False

    @property
    def is_of_the_past(self) -> bool:
        """Whether its answer becomes final one day."""
        return self.published or self.kind is not Kind.LATEST

    def decision(self, ts: datetime | None) -> datetime | None:
        """The time by which the answer for a ts is known; None where no time says so.

        Args:
            ts: None for the latest there may ever be.
        """
        if self.published:
            return self.recorded_by
        if self.kind in {Kind.AS_OF, Kind.ISSUE}:
            return self.at
        try:
            if ts is not None and self.lead is not None:
                return ts - self.lead
            return None if ts is None or self.cutoff is None else self.cutoff.instant(ts)
        except OverflowError:  # beyond the calendar
            return None

    def is_final(self, series: StoredSeries, end: datetime | None) -> bool:
        """Whether the answer for all ts before `end` can never change again."""
        if self.assume:  # a backfill may bring what would have been known, and so may another rule
            return False
        decided = self.decision(None if end is None else end - _MICROSECOND)
        return decided is not None and series.is_final(decided)


class Point(NamedTuple):
    """The value of an observation, of the version that is asked for.

    `since` and `until` are its valid_from and valid_to, or its published_at and recorded_at.
    `final` says whether another answer for this ts is out of the question. `value` is None for a
    release that withdrew it.
    """

    ts: datetime
    value: float | None
    since: datetime
    until: datetime | None
    final: bool


class AssumedPoint(NamedTuple):
    """A `Point` of a question that assumes.

    `assumed` says that the value came later than it counts as known; then `since` is None by
    publication, and `final` is false.
    """

    ts: datetime
    value: float | None
    since: datetime | None
    until: datetime | None
    final: bool
    assumed: bool


class Decision(NamedTuple):
    """A row of a table of features: which ts, and when it was decided on."""

    ts: datetime
    decided_at: datetime


class DecisionPoint(NamedTuple):
    """What was known, or published, of a series at the time of a decision; None for nothing.

    `number` is that of the decision, from 1 on; `since` the valid_from or published_at of its
    value; `recorded_at` that of a publication.
    """

    number: int
    series: str
    ts: datetime
    decided_at: datetime
    value: float | None
    since: datetime | None
    recorded_at: datetime | None


class AssumedDecisionPoint(NamedTuple):
    """A `DecisionPoint` of a question that assumes; `assumed` as of an `AssumedPoint`."""

    number: int
    series: str
    ts: datetime
    decided_at: datetime
    value: float | None
    since: datetime | None
    recorded_at: datetime | None
    assumed: bool


class Issue(NamedTuple):
    """A run of a forecast, or a publication: what it holds of a series."""

    series: str
    issued_at: datetime
    first_ts: datetime
    last_ts: datetime
    points: int


class IssueNeighbours(NamedTuple):
    """The last issue before a time, and the first one from then on."""

    before: datetime | None
    after: datetime | None


@dataclass(frozen=True, slots=True)
class StoredPoints:
    """The answer for one series, in order of ts: read when it is looked at, row by row or as text.

    Attributes:
        connection: one that reads, in autocommit mode or in a transaction.
        question: what is asked.
        series: of which series.
        start: the first ts.
        end: the ts before which to end.
        limit: only the last so many rows, for which not many others are read; None for all.
        at_a_time: how many rows are taken from the server at a time.
    """

    connection: psycopg.Connection
    question: PointQuestion
    series: StoredSeries
    start: datetime | None = None
    end: datetime | None = None
    limit: int | None = None
    at_a_time: int = ROWS_AT_A_TIME

    def __iter__(self) -> Iterator[Point | AssumedPoint]:
        if self.limit is not None:
            yield from self._last_points(self.limit)
            return
        parameters = self._parameters(self.start, self.end)
        yield from stream_records(
            self.connection, self._query_name, parameters, self._record, at_a_time=self.at_a_time
        )

    def csv_blocks(self, *, with_finality: bool = True) -> Iterator[str]:
        """Lines of CSV, many at a time: ts, value, since, until, and final as true or false.

        Where the question assumes, there is `assumed` after `final`, always.
        """
        words = _WORDS if with_finality else dict.fromkeys(_WORDS, "")
        for block in csv_blocks(
            self.connection, self._query_name, self._parameters(self.start, self.end)
        ):
            # PostgreSQL writes t and f
            if self.question.assume:
                yield _FINALITY_AND_ASSUMPTION.sub(
                    lambda match: _WORDS[match[1]] + _WORDS[match[2]], block
                )
                continue
            yield _FINALITY.sub(lambda match: words[match[1]], block)

    def span(self) -> Span | None:
        """The ts among which all its rows are; None for no row."""
        first, last = _extent(self.connection, self._extent_name, self.series)
        if first is None or last is None:
            return None
        if self.start is not None:
            first = max(first, self.start)
        if self.end is not None:
            last = min(last, self.end - _MICROSECOND)
        return None if first > last else Span(first, last, self.series.interval)

    def record_batches(
        self, columns: Sequence[str] = ("ts", "value"), *, rows: int = ROWS_OF_BATCH
    ) -> Iterator[pa.RecordBatch]:
        """The rows as Arrow record batches; `limit` is left out of account.

        Within a transaction of REPEATABLE READ, such as `arrow.snapshot`.

        Args:
            columns: of `point_columns`, `ts` first.
            rows: how many a batch has, about.

        Raises:
            DatabaseError: the connection was lost, or the server refused.
            MissingExtraError: pyarrow is not installed.
        """
        by_name = {column.label: column for column in point_columns(self.question)}
        wanted = [by_name[name] for name in columns]
        span = self.span()
        if span is not None:
            parameters = self._parameters(None, None)
            yield from record_batches(
                self.connection, self._query_name, parameters, wanted, span, rows=rows
            )

    def count(self) -> int:
        """How many rows there are; `limit` is left out of account."""
        statement = (
            b"SELECT count(*) FROM ("
            + query_for(self.connection, self._query_name)
            + b") AS answer"
        )
        with database_errors("counting the values"):
            row = self.connection.execute(
                statement, self._parameters(self.start, self.end)
            ).fetchone()
        return int(row[0]) if row else 0

    @property
    def _record(self) -> type[Point | AssumedPoint]:
        return AssumedPoint if self.question.assume else Point

    @property
    def _query_name(self) -> str:
        question, axis = self.question, "published_" if self.question.published else ""
        if question.assume:
            return f"read_assumed_{axis}{question.kind}"
        return f"read_{axis or 'known_'}{question.kind}"

    @property
    def _extent_name(self) -> str:
        if not self.question.published:
            return "read_known_extent"
        return f"read_{'assumed_published' if self.question.assume else 'published'}_extent"

    def _parameters(self, start: datetime | None, end: datetime | None) -> Mapping[str, Any]:
        question, cutoff = self.question, self.question.cutoff
        return {
            "name": self.series.endpoint_prefix,
            "series": self.series.series_id,
            "known_through": self.series.known_through,
            "start": start,
            "end": end,
            "recorded_by": question.recorded_by,
            "at": question.at,
            "lead": question.lead,
            "number": question.number,
            "days": cutoff and cutoff.days,
            "clock": cutoff and cutoff.clock,
            "zone": cutoff and cutoff.zone.key,
        }

    def _last_points(self, limit: int) -> Iterator[Point | AssumedPoint]:
        """Looks back from the last ts of all, each time further, until there are enough."""
        first, last = _extent(self.connection, self._extent_name, self.series)
        if first is None or last is None:
            return
        end = last + _MICROSECOND if self.end is None else min(self.end, last + _MICROSECOND)
        start = first if self.start is None else max(self.start, first)
        span = limit * (self.series.interval or timedelta(hours=1))
        points: list[Point | AssumedPoint] = []
        while end > start and len(points) < limit:
            low = max(start, end - span) if end - start > span else start
            points[:0] = self._read(low, end)
            end, span = low, span * _WIDER
        yield from points[-limit:]

    def _read(self, start: datetime, end: datetime) -> Sequence[Point | AssumedPoint]:
        with database_errors("reading the values"):
            cursor = self.connection.cursor(row_factory=record_row(self._record), binary=True)
            parameters = self._parameters(start, end)
            return cursor.execute(
                query_for(self.connection, self._query_name), parameters
            ).fetchall()


def point_columns(question: PointQuestion) -> tuple[Column, ...]:
    """The columns of an answer, named as they are in all that is written of it."""
    if question.published:
        since, until = "published_at", "recorded_at"
    else:
        since, until = "valid_from", "valid_to"
    columns = (
        TS,
        VALUE,
        Column("since", ColumnKind.TIME, since),
        Column("until", ColumnKind.TIME, until),
        Column("final", ColumnKind.FLAG),
    )
    return (*columns, ASSUMED) if question.assume else columns


def points_at(
    connection: psycopg.Connection,
    names: Sequence[str],
    decisions: Sequence[Decision],
    *,
    published: bool = False,
    recorded_by: datetime | None = None,
    assume: bool = False,
) -> Iterator[DecisionPoint | AssumedDecisionPoint]:
    """For each decision and each series what was known, or published, then; their order is kept.

    Args:
        connection: one that reads.
        names: of the series, each of which is there.
        decisions: the points in time; each is answered for all series.
        published: by the times of publication.
        recorded_by: with `published`, only what was recorded here by then; None for all.
        assume: as a `PointQuestion` does.
    """
    name = _decisions_name(published=published, assume=assume)
    record: type[DecisionPoint | AssumedDecisionPoint]
    record = AssumedDecisionPoint if assume else DecisionPoint
    for first in range(0, len(decisions), DECISIONS_AT_A_TIME):
        block = decisions[first : first + DECISIONS_AT_A_TIME]
        parameters = {
            "names": list(names),
            "ts": [decision.ts for decision in block],
            "decided_at": [decision.decided_at for decision in block],
            "recorded_by": recorded_by,
        }
        with database_errors("reading the values"):
            cursor = connection.cursor(row_factory=record_row(record), binary=True)
            rows = cursor.execute(query_for(connection, name), parameters).fetchall()
        for row in rows:
            yield row._replace(number=first + row.number)


def decision_values(
    connection: psycopg.Connection,
    names: Sequence[str],
    ts: str,
    decided_at: str,
    *,
    published: bool = False,
    recorded_by: datetime | None = None,
    assume: bool = False,
) -> pa.RecordBatch:
    """For each decision the value of each series that was known, or published, then; null for none.

    Its columns are `value`, and `assumed` where that is asked for.

    Args:
        connection: one that reads.
        names: of the series, each of which is there, in the order of their values.
        ts: of the decisions, as the text of an array of PostgreSQL's; not too many at a time.
        decided_at: when each was taken, the same.
        published: by the times of publication.
        recorded_by: with `published`, only what was recorded here by then; None for all.
        assume: as a `PointQuestion` does.
    """
    parameters = {
        "names": list(names), "ts": ts, "decided_at": decided_at, "recorded_by": recorded_by,
    }  # fmt: skip
    name = _decisions_name(published=published, assume=assume)
    columns = [VALUE, ASSUMED] if assume else [VALUE]
    return record_batch(connection, name, parameters, columns)


def _decisions_name(*, published: bool, assume: bool) -> str:
    if assume:
        return "read_assumed_published_at" if published else "read_assumed_at"
    return "read_published_at" if published else "read_known_at"


def issues(
    connection: psycopg.Connection,
    series: StoredSeries,
    *,
    published: bool = False,
    recorded_by: datetime | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Issue]:
    """The runs of a forecast, or the times of publication, in a range of times, oldest first."""
    name = "read_published_issues" if published else "read_known_issues"
    parameters = {
        "name": series.endpoint_prefix, "start": start, "end": end, "recorded_by": recorded_by,
    }  # fmt: skip
    with database_errors("reading the issues"):
        cursor = connection.cursor(row_factory=record_row(Issue))
        return cursor.execute(query(name), parameters).fetchall()


def issue_neighbours(
    connection: psycopg.Connection,
    series: StoredSeries,
    at: datetime,
    *,
    published: bool = False,
    recorded_by: datetime | None = None,
) -> IssueNeighbours:
    """The issues around a time."""
    name = "read_published_issues_near" if published else "read_known_issues_near"
    parameters = {"series": series.series_id, "at": at, "recorded_by": recorded_by}
    with database_errors("reading the issues"):
        cursor = connection.cursor(row_factory=dict_row)
        return IssueNeighbours(**(cursor.execute(query(name), parameters).fetchone() or {}))


def _extent(
    connection: psycopg.Connection, name: str, series: StoredSeries
) -> tuple[datetime | None, datetime | None]:
    """The first and the last ts of a series, by that query; None for none."""
    with database_errors("reading the series"):
        cursor = connection.execute(query(name), {"series": series.series_id})
        first, last = cursor.fetchone() or (None, None)
    return first, last
