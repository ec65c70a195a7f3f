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


COUNTED_UP_TO = 100_000
"""How far versions, observations and publications are counted unless somebody asks for all."""
_REVISING_RUNS = 10
_LOOKED_AT = 20_000
"""Versions or publications among which the latest revisions of a long series are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSeries(SeriesRecord):
    """The description of a series, its key and its source, and up to when it is final.

    Attributes:
        series_id: its key.
        source: the source that owns it.
        known_through: as of any K up to here is final.
        first_known_at: when its first version was stored; None for none.
        changed_at: when any of its values came, was revised or was withdrawn last.
        published_timezone: the zone of whose days its provider publishes; None for that of its
            times.
        answer_unit: the unit that its answers name; None where they name none.
    """

    series_id: int
    source: str
    known_through: datetime | None
    first_known_at: datetime | None = None
    changed_at: datetime | None = None
    published_timezone: str | None = None
    answer_unit: str | None = None

    def is_final(self, at: datetime) -> bool:
        """Whether the answer as of `at` can never change again."""
        return self.known_through is not None and at <= self.known_through


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSummary(StoredSeries):
    """A series, and how much is known about it.

    Attributes:
        counted_up_to: where counting ends; None for nowhere. A count of None is larger.
        versions: how many there are.
        observations: how many values there are now.
        retracted: how many observations have no value any more; None unless all versions are
            counted.
        publications: how many there are.
        first_ts: of the observations now.
        last_ts: the same.
        first_known: when the first version was stored.
        last_known: when anything changed last.
        first_published: when anything was published for the first time, if the provider says so.
        last_published: the last time.
        resolutions: how long its intervals are, and from which ts on; empty where that is not
            known.
    """

    counted_up_to: int | None
    versions: int | None
    observations: int | None
    retracted: int | None
    publications: int | None
    first_ts: datetime | None
    last_ts: datetime | None
    first_known: datetime | None
    last_known: datetime | None
    first_published: datetime | None
    last_published: datetime | None
    resolutions: Sequence[Resolution] = ()

    @property
    def is_counted(self) -> bool:
        """Whether all of its versions were looked at."""
        return self.versions is not None


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
class PublicationRecord:
    """One record of a publication, and the run that brought it; None stands for no value."""

    ts: datetime
    value: float | None
    published_at: datetime
    recorded_at: datetime
    run_id: int


@dataclass(frozen=True, slots=True)
class PublishedChange:
    """What a publication made of an observation; None stands for no value."""

    ts: datetime
    before: float | None
    after: float | None
    published_at: datetime
    known_at: datetime


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


def series_summary(
    connection: psycopg.Connection, name: str, *, count_all: bool = False
) -> SeriesSummary | None:
    """The series of that `endpoint_prefix`, or None; counted up to a limit, or to the end."""
    series = find_series(connection, name)
    return None if series is None else summarize(connection, series, count_all=count_all)


def summarize(
    connection: psycopg.Connection, series: StoredSeries, *, count_all: bool = False
) -> SeriesSummary:
    """How much is known of a series, counted up to a limit; takes as long for any longer one.

    Args:
        connection: one that reads.
        series: the series.
        count_all: count to the end, which takes the longer the more versions there are.
    """
    parameters = {"series": series.series_id, "limit": COUNTED_UP_TO + 1}
    extent: dict[str, Any] = {"first_known": series.first_known_at, "last_known": series.changed_at}
    with database_errors("reading the series"):
        cursor = connection.cursor(row_factory=dict_row)
        bounds = cursor.execute(query("history_bounds"), parameters).fetchone() or {}
        counts: dict[str, Any] = {
            name: None if bounds[name] > COUNTED_UP_TO else bounds[name]
            for name in ("observations", "versions", "publications")
        }
        counts["retracted"] = None
        if count_all or counts["versions"] is not None:
            columns = cursor.execute(query("history_extent"), parameters).fetchone() or {}
            extent = {name: columns.pop(name) for name in extent}
            counts |= columns
        if count_all and counts["publications"] is None:
            row = cursor.execute(query("history_publication_count"), parameters).fetchone() or {}
            counts["publications"] = row["count"]
    description = {field.name: getattr(series, field.name) for field in fields(StoredSeries)}
    lengths = resolutions(connection, [series.series_id]).get(series.series_id, ())
    return SeriesSummary(
        **description,
        **extent,
        **bounds | counts,
        counted_up_to=None if count_all else COUNTED_UP_TO,
        resolutions=lengths,
    )


def first_knowledge_time(
    connection: psycopg.Connection, series: StoredSeries, at: datetime
) -> datetime | None:
    """When anything was known of the series for the first time, if that was after `at`."""
    if series.first_known_at is not None:
        return series.first_known_at if series.first_known_at > at else None
    with database_errors("reading the series"):
        parameters = {"series": series.series_id, "at": at}
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
    limit: int | None = None,
) -> StoredObservations:
    """The observations with start <= ts < end in order of ts, as known at `at`, or now.

    With a limit the last ones, for which no others are read.
    """
    name = "history_current" if at is None else "history_as_of"
    parameters = {"series": series_id, "at": at, "start": start, "end": end, "limit": limit}
    if limit is not None:
        name += "_newest"
    return StoredObservations(connection, name, parameters)


def publications(
    connection: psycopg.Connection,
    series_id: int,
    *,
    at: datetime,
    recorded: datetime | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int | None = None,
) -> Iterator[Publication]:
    """The observations with start <= ts < end as their provider had published them by `at`.

    In order of ts, the last ones with a limit; only series whose provider says when it published
    what have any.

    Args:
        connection: one that reads.
        series_id: the series.
        at: what was published later does not count.
        recorded: nor does what was recorded here later than that.
        start: the first ts.
        end: the ts before which to end.
        limit: how many.
    """
    parameters = {
        "series": series_id, "at": at, "recorded": recorded, "start": start, "end": end,
        "limit": limit,
    }  # fmt: skip
    name = "history_as_published" if limit is None else "history_as_published_newest"
    return stream_records(connection, name, parameters, Publication)


def publication_records(
    connection: psycopg.Connection, series_id: int, ts: datetime, recorded: datetime | None = None
) -> list[PublicationRecord]:
    """Every record of a publication of the observation at `ts`, in the order of publication."""
    with database_errors("reading the publications"):
        cursor = connection.cursor(row_factory=record_row(PublicationRecord))
        parameters = {"series": series_id, "ts": ts, "recorded": recorded}
        return cursor.execute(query("history_publications"), parameters).fetchall()


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


def recent_revisions(
    connection: psycopg.Connection, series: StoredSeries, *, limit: int
) -> list[Change]:
    """The newest changes of a series that has more versions than anybody wants to wait for.

    Looked for among the last versions of the windows of the newest runs that revised anything.
    """
    parameters = {
        "series": series.series_id, "source": series.source, "limit": limit,
        "runs": _REVISING_RUNS, "versions": _LOOKED_AT,
    }  # fmt: skip
    with database_errors("reading the revisions"):
        cursor = connection.cursor(row_factory=record_row(Change))
        return cursor.execute(query("history_recent_revisions"), parameters).fetchall()


def published_revisions(
    connection: psycopg.Connection, series_id: int, *, limit: int, look_at_all: bool = False
) -> list[PublishedChange]:
    """The newest changes that a provider published to what it had published before, newest first.

    Among the last publications only, unless all are to be looked at.
    """
    parameters = {
        "series": series_id,
        "limit": limit,
        "publications": None if look_at_all else _LOOKED_AT,
    }
    with database_errors("reading the publications"):
        cursor = connection.cursor(row_factory=record_row(PublishedChange))
        return cursor.execute(query("history_published_revisions"), parameters).fetchall()


def differences(
    connection: psycopg.Connection,
    series_id: int,
    first: datetime,
    second: datetime,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int | None = None,
) -> Iterator[Change]:
    """What the series as known at `second` differs in from what was known at `first`.

    With a limit the last ones by ts.
    """
    parameters = {
        "series": series_id, "first": first, "second": second, "start": start, "end": end,
        "limit": limit,
    }  # fmt: skip
    name = "history_differences" if limit is None else "history_differences_newest"
    return stream_records(connection, name, parameters, Change)


def published_differences(
    connection: psycopg.Connection,
    series_id: int,
    first: datetime,
    second: datetime,
    *,
    recorded: datetime | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int | None = None,
) -> Iterator[PublishedChange]:
    """What the series as published by `second` differs in from what was published by `first`.

    Both as far as it was recorded here by `recorded`; with a limit the last ones by ts.
    """
    parameters = {
        "series": series_id, "first": first, "second": second, "recorded": recorded,
        "start": start, "end": end, "limit": limit,
    }  # fmt: skip
    return stream_records(connection, "history_published_differences", parameters, PublishedChange)
