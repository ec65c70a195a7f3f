"""History of a series: what is known, what was known when, and what changed in between.

All times are aware datetimes in UTC. Long answers stream through a server-side cursor.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.store.read.copy_out import csv_blocks, stream_records
from dataportal.store.records import SeriesRecord
from dataportal.store.resolutions import resolutions
from dataportal.store.rows import record_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import psycopg

    from dataportal.resolutions import Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSeries(SeriesRecord):
    """The description of a series, its key and its source, and up to when it is final."""

    series_id: int
    source: str
    known_through: datetime | None
    """As of any K up to here is final."""

    def is_final(self, at: datetime) -> bool:
        """Whether the answer as of `at` can never change again."""
        return self.known_through is not None and at <= self.known_through


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSummary(StoredSeries):
    """A series, and how much is known about it."""

    versions: int
    observations: int
    retracted: int
    first_ts: datetime | None
    last_ts: datetime | None
    first_known: datetime | None
    last_known: datetime | None
    resolutions: Sequence[Resolution] = ()
    """How long its intervals are, and from which ts on; empty where that is not known."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A value, and since when and until when it was the one known (None = still)."""

    ts: datetime
    value: float
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Publication:
    """A value, when its provider published it, and when this database came to know that."""

    ts: datetime
    value: float
    published_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PublicationGap:
    """Nothing of a series was published until then; None for never."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one observation, and the run that brought it."""

    ts: datetime
    value: float
    valid_from: datetime
    valid_to: datetime | None
    run_id: int


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an observation; None stands for no value."""

    ts: datetime
    before: float | None
    after: float | None
    known_at: datetime


def find_series(connection: psycopg.Connection, name: str) -> StoredSeries | None:
    """The series of that `endpoint_prefix`, or None."""
    with database_errors("reading the series"):
        cursor = connection.cursor(row_factory=record_row(StoredSeries))
        return cursor.execute(query("history_series"), {"name": name}).fetchone()


def series_summary(connection: psycopg.Connection, name: str) -> SeriesSummary | None:
    """The series of that `endpoint_prefix`, or None; takes the longer the more versions it has."""
    series = find_series(connection, name)
    if series is None:
        return None
    with database_errors("reading the series"):
        cursor = connection.cursor(row_factory=dict_row)
        extent = cursor.execute(query("history_extent"), {"series": series.series_id}).fetchone()
    description = {field.name: getattr(series, field.name) for field in fields(StoredSeries)}
    lengths = resolutions(connection, [series.series_id]).get(series.series_id, ())
    return SeriesSummary(**description, **(extent or {}), resolutions=lengths)


def first_knowledge_time(
    connection: psycopg.Connection, series_id: int, at: datetime
) -> datetime | None:
    """When anything was known of the series for the first time, if that was after `at`."""
    with database_errors("reading the series"):
        parameters = {"series": series_id, "at": at}
        row = connection.execute(query("history_first_known"), parameters).fetchone()
    return row[0] if row else None


def publication_gap(
    connection: psycopg.Connection, series_id: int, at: datetime
) -> PublicationGap | None:
    """Until when nothing of the series was published; None if something was by `at`."""
    with database_errors("reading the publications"):
        cursor = connection.cursor(row_factory=record_row(PublicationGap))
        parameters = {"series": series_id, "at": at}
        return cursor.execute(query("history_first_published"), parameters).fetchone()


def series_names(connection: psycopg.Connection) -> list[str]:
    """The names of all series."""
    with database_errors("reading the names of the series"):
        return [name for (name,) in connection.execute(query("history_names"))]


@dataclass(frozen=True, slots=True)
class StoredObservations:
    """Observations that are read when they are looked at: one by one, or as text."""

    connection: psycopg.Connection
    name: str
    parameters: Mapping[str, Any]

    def __iter__(self) -> Iterator[Observation]:
        return stream_records(self.connection, self.name, self.parameters, Observation)

    def csv_blocks(self) -> Iterator[str]:
        """Lines of CSV, many at a time: ts, value, valid_from, valid_to."""
        return csv_blocks(self.connection, self.name, self.parameters)


def observations(
    connection: psycopg.Connection,
    series_id: int,
    *,
    at: datetime | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> StoredObservations:
    """The observations with start <= ts < end in order of ts, as known at `at`, or now."""
    name = "history_current" if at is None else "history_as_of"
    parameters = {"series": series_id, "at": at, "start": start, "end": end}
    return StoredObservations(connection, name, parameters)


def publications(
    connection: psycopg.Connection,
    series_id: int,
    *,
    at: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Iterator[Publication]:
    """The observations with start <= ts < end as their provider had published them by `at`.

    In order of ts; only series whose provider says when it published what have any.
    """
    parameters = {"series": series_id, "at": at, "start": start, "end": end}
    return stream_records(connection, "history_as_published", parameters, Publication)


def versions(connection: psycopg.Connection, series_id: int, ts: datetime) -> list[Version]:
    """Every version of the observation at `ts`, oldest first."""
    with database_errors("reading the versions"):
        cursor = connection.cursor(row_factory=record_row(Version))
        parameters = {"series": series_id, "ts": ts}
        return cursor.execute(query("history_versions"), parameters).fetchall()


def latest_revisions(
    connection: psycopg.Connection,
    series_id: int,
    *,
    limit: int,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Change]:
    """The newest changes to what had been known before, newest first; first values are none."""
    parameters = {"series": series_id, "limit": limit, "start": start, "end": end}
    with database_errors("reading the revisions"):
        cursor = connection.cursor(row_factory=record_row(Change))
        return cursor.execute(query("history_revisions"), parameters).fetchall()


def differences(
    connection: psycopg.Connection,
    series_id: int,
    first: datetime,
    second: datetime,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Iterator[Change]:
    """What the series as known at `second` differs in from what was known at `first`."""
    parameters = {
        "series": series_id, "first": first, "second": second, "start": start, "end": end,
    }  # fmt: skip
    return stream_records(connection, "history_differences", parameters, Change)
