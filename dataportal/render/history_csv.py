"""Renders the answers of `history` as CSV, of any length in constant memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.render.csv_output import csv_blocks, csv_lines
from dataportal.render.history import HistoryRenderer
from dataportal.store.read.history import StoredObservations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from dataportal.render.history import NewestObservations
    from dataportal.store.read.history import (
        Change,
        Observation,
        Publication,
        StoredSeries,
        Version,
    )


class CsvHistory(HistoryRenderer):
    """A header and a line for each row, in constant memory."""

    observations_by_default = True

    def __init__(self, series: StoredSeries) -> None:
        self.series = series
        self._name = series.endpoint_prefix

    def summary(self, revisions: Sequence[Change], newest: NewestObservations) -> Iterator[str]:
        """The latest changes. The newest observations are not shown."""
        del newest
        return self._changes(revisions)

    def observations(
        self, rows: Iterable[Observation], as_of: datetime | None, *, final: bool
    ) -> Iterator[str]:
        """series, ts, value, valid_from, valid_to."""
        del as_of, final
        titles = ("series", "ts", "value", "valid_from", "valid_to")
        name = self._name
        if isinstance(rows, StoredObservations):
            return csv_blocks(titles, name, rows.csv_blocks())
        return csv_lines(titles, ((name, o.ts, o.value, o.valid_from, o.valid_to) for o in rows))

    def publications(self, rows: Iterable[Publication], as_of: datetime) -> Iterator[str]:
        """series, ts, value, published_at, recorded_at."""
        del as_of
        titles = ("series", "ts", "value", "published_at", "recorded_at")
        name = self._name
        return csv_lines(
            titles, ((name, p.ts, p.value, p.published_at, p.recorded_at) for p in rows)
        )

    def versions(self, rows: Iterable[Version], ts: datetime) -> Iterator[str]:
        """series, ts, value, valid_from, valid_to, run_id."""
        del ts
        titles = ("series", "ts", "value", "valid_from", "valid_to", "run_id")
        name = self._name
        return csv_lines(
            titles, ((name, v.ts, v.value, v.valid_from, v.valid_to, v.run_id) for v in rows)
        )

    def changes(
        self, rows: Iterable[Change], between: tuple[datetime, datetime], *, final: bool
    ) -> Iterator[str]:
        """series, ts, before, after, known_at."""
        del between, final
        return self._changes(rows)

    def _changes(self, rows: Iterable[Change]) -> Iterator[str]:
        titles = ("series", "ts", "before", "after", "known_at")
        return csv_lines(titles, ((self._name, c.ts, c.before, c.after, c.known_at) for c in rows))
