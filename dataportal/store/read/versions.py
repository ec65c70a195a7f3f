"""Whole versions of a series: every value with the times from and to which it was the one known.

Or every publication, with the time that the provider gives for it and that of its record here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.store.read.arrow import TS, VALUE, Column, ColumnKind, Span, record_batches
from dataportal.store.read.copy_out import csv_blocks, stream_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import psycopg
    import pyarrow as pa

    from dataportal.store.read.history import StoredSeries

_KNOWN = (TS, VALUE, Column("known_from", ColumnKind.TIME), Column("known_to", ColumnKind.TIME))
_ASSUMED = (*_KNOWN, Column("assumed", ColumnKind.FLAG))
_PUBLISHED = (
    TS,
    VALUE,
    Column("published_at", ColumnKind.TIME),
    Column("recorded_at", ColumnKind.TIME),
)


class WholeVersion(NamedTuple):
    """A value of an observation, and from when until before when it was known; None for still."""

    ts: datetime
    value: float
    known_from: datetime
    known_to: datetime | None


class AssumedVersion(NamedTuple):
    """The same; `assumed` says that it counts as known before it came."""

    ts: datetime
    value: float
    known_from: datetime
    known_to: datetime | None
    assumed: bool


class RecordedPublication(NamedTuple):
    """A publication, and when it was recorded here; `value` is None for one that took it back."""

    ts: datetime
    value: float | None
    published_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class StoredVersions:
    """All versions, or publications, of a part of a series, by ts: read when they are looked at.

    Attributes:
        connection: one that reads, in autocommit mode or in a transaction.
        series: of which series.
        start: the first ts.
        end: the ts before which to end.
        published: its publications.
        recorded: with `published`, only what was recorded here by then; None for all.
        assume: what was back-filled counts as known by the availability of the series.
    """

    connection: psycopg.Connection
    series: StoredSeries
    start: datetime | None = None
    end: datetime | None = None
    published: bool = False
    recorded: datetime | None = None
    assume: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of its rows."""
        if self.published:
            return _PUBLISHED
        return _ASSUMED if self.assume else _KNOWN

    def __iter__(self) -> Iterator[WholeVersion | AssumedVersion | RecordedPublication]:
        record: type[WholeVersion | AssumedVersion | RecordedPublication] = WholeVersion
        if self.published:
            record = RecordedPublication
        elif self.assume:
            record = AssumedVersion
        return stream_records(self.connection, self._query_name, self._parameters, record)

    def csv_blocks(self) -> Iterator[str]:
        """Lines of CSV, many at a time, with the columns of `columns`; not where it assumes."""
        return csv_blocks(self.connection, self._query_name, self._parameters)

    def record_batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as Arrow record batches; within a transaction of REPEATABLE READ.

        Raises:
            DatabaseError: the connection was lost, or the server refused.
            MissingExtraError: pyarrow is not installed.
        """
        span = self._span()
        if span is not None:
            yield from record_batches(
                self.connection, self._query_name, self._parameters, self.columns, span
            )

    @property
    def _query_name(self) -> str:
        if self.published:
            return "versions_published"
        return "versions_assumed" if self.assume else "versions_known"

    @property
    def _parameters(self) -> Mapping[str, Any]:
        return {
            "series": self.series.series_id,
            "name": self.series.endpoint_prefix,
            "recorded": self.recorded,
            "start": self.start,
            "end": self.end,
        }

    def _span(self) -> Span | None:
        name = f"read_{'published' if self.published else 'known'}_extent"
        with database_errors("reading the series"):
            cursor = self.connection.execute(query(name), {"series": self.series.series_id})
            first, last = cursor.fetchone() or (None, None)
        if first is None or last is None:
            return None
        if self.start is not None:
            first = max(first, self.start)
        if self.end is not None:
            last = min(last, self.end - timedelta.resolution)
        return None if first > last else Span(first, last, self.series.interval)
