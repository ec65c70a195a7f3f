"""Answers how values of a series came about: all vintages, the runs of a forecast, changes by age.

By knowledge, or by publication; then a second cut says by when a publication was recorded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from dataportal.errors import UsageError
from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.store.read.copy_out import stream_records
from dataportal.store.rows import record_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import psycopg

MOST_TIMES = 10_000
"""A matrix of more columns is of use to nobody."""
AGES = (
    timedelta(),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=7),
    timedelta(days=30),
)
"""The ages by which revisions are told apart: up to each of them, and above the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of a series that a question is about, and whose times it goes by.

    Attributes:
        series_id: the series.
        start: the first ts.
        end: the ts before which to end.
        limit: how many of the last rows; None for all.
        by_publication: whether it goes by the times of the provider.
        recorded: by when a publication must have been recorded here to count; None for by now.
    """

    series_id: int
    start: datetime | None = None
    end: datetime | None = None
    limit: int | None = None
    by_publication: bool = False
    recorded: datetime | None = None

    def parameters(self, **more: Any) -> dict[str, Any]:
        """Those of a query."""
        return {
            "series": self.series_id,
            "start": self.start,
            "end": self.end,
            "limit": self.limit,
            "recorded": self.recorded,
            **more,
        }


class MatrixRow(NamedTuple):
    """An observation, and its value at each time of the matrix; None where there was none."""

    ts: datetime
    values: list[float | None]


@dataclass(frozen=True, slots=True)
class Matrix:
    """All vintages of a part of a series, a row for each observation.

    Attributes:
        times: at which anything of it changed, in order: the columns.
        rows: in order of ts, each filled forward and emptied by withdrawals; to be read once.
    """

    times: Sequence[datetime]
    rows: Iterator[MatrixRow]


@dataclass(frozen=True, slots=True)
class Issue:
    """A run of a forecast, or a time of publication, and what it answered."""

    issued_at: datetime
    first_ts: datetime
    last_ts: datetime
    points: int
    run_id: int


class Revision(NamedTuple):
    """A change to what had been known before; None for no value. `age` is from ts to the change."""

    series: str
    ts: datetime
    old_value: float | None
    new_value: float | None
    changed_at: datetime
    age: timedelta


@dataclass(frozen=True, slots=True)
class RevisionsOfAge:
    """How much values were revised at one age: the time from their ts to the change.

    Attributes:
        age_over: older than that; None for any.
        age_up_to: and no older than that; None for any.
        count: how many changes from a number to another there were.
        bias: the mean of new minus old; None for no change, as the others are.
        mean: the mean of the size of the change.
        largest: the largest size.
        withdrawals: how many values went, or came back.
    """

    age_over: timedelta | None
    age_up_to: timedelta | None
    count: int = 0
    bias: float | None = None
    mean: float | None = None
    largest: float | None = None
    withdrawals: int = 0


class _Version(NamedTuple):
    """A value, and since when and until when it was the one that counted."""

    ts: datetime
    value: float | None
    since: datetime
    until: datetime | None


def matrix(connection: psycopg.Connection, part: Part) -> Matrix:
    """All vintages of a part of a series.

    Raises:
        UsageError: anything of it changed at more times than a matrix can have columns.
    """
    by = "_published" if part.by_publication else ""
    parameters = part.parameters(most=MOST_TIMES + 1)
    with database_errors("reading the vintages"):
        if part.limit is not None:
            row = connection.execute(query(f"matrix{by}_start"), parameters).fetchone()
            parameters["start"] = row[0] if row else part.start
        rows = connection.execute(query(f"matrix{by}_times"), parameters).fetchall()
    if len(rows) > MOST_TIMES:
        raise UsageError(
            f"the matrix would have more than {MOST_TIMES:,} columns",
            hint="Choose fewer observations with --start and --end, or the last ones with --limit",
        )
    times = [at for (at,) in rows]
    versions = stream_records(connection, f"matrix{by}_versions", parameters, _Version)
    return Matrix(times, _matrix_rows(times, versions))


def _matrix_rows(times: Sequence[datetime], versions: Iterator[_Version]) -> Iterator[MatrixRow]:
    columns = {at: number for number, at in enumerate(times)}
    for ts, own in groupby(versions, key=_ts):
        values: list[float | None] = [None] * len(times)
        for version in own:
            first = columns[version.since]
            last = len(times) if version.until is None else columns[version.until]
            values[first:last] = [version.value] * (last - first)
        yield MatrixRow(ts, values)


def _ts(version: _Version) -> datetime:
    return version.ts


def issues(connection: psycopg.Connection, part: Part) -> list[Issue]:
    """The last runs of a forecast, or times of publication, oldest first."""
    name = "issues_published" if part.by_publication else "issues_known"
    with database_errors("reading the runs of the forecast"):
        cursor = connection.cursor(row_factory=record_row(Issue))
        return cursor.execute(query(name), part.parameters()).fetchall()


def changes(connection: psycopg.Connection, part: Part, name: str) -> list[Revision]:
    """Every change to what had been known, or published, of a part of a series, by ts.

    Args:
        connection: one that reads.
        part: of which series, and of which part; `limit` is left out of account.
        name: its endpoint_prefix.
    """
    statement = "read_published_revisions" if part.by_publication else "read_known_revisions"
    parameters = part.parameters(name=name, recorded_by=part.recorded)
    with database_errors("reading the revisions"):
        cursor = connection.cursor(row_factory=record_row(Revision), binary=True)
        return cursor.execute(query(statement), parameters).fetchall()


def revisions_by_age(connection: psycopg.Connection, part: Part, name: str) -> list[RevisionsOfAge]:
    """How much a part of a series was revised at each age.

    Args:
        connection: one that reads.
        part: of which series, and of which part.
        name: its endpoint_prefix.
    """
    statement = "revisions_published_by_age" if part.by_publication else "revisions_by_age"
    parameters = part.parameters(names=[name], ages=list(AGES))
    with database_errors("reading the revisions"):
        rows = connection.execute(query(statement), parameters).fetchall()
    by_bucket = {bucket: figures for bucket, *figures in rows}
    bounds = zip([None, *AGES], [*AGES, None], strict=True)
    return [
        RevisionsOfAge(over, up_to, *by_bucket.get(bucket, ()))
        for bucket, (over, up_to) in enumerate(bounds)
    ]
