"""Renders the answers of `history` as CSV, of any length in constant memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.render.csv_output import csv_blocks, csv_lines
from dataportal.render.history import HistoryRenderer
from dataportal.store.read.availability import QUANTILES
from dataportal.store.read.history import StoredObservations
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime, timedelta

    from dataportal.render.history import Cut, NewestObservations
    from dataportal.store.read.availability import MeasuredAvailability
    from dataportal.store.read.history import (
        Change,
        Observation,
        Publication,
        PublicationRecord,
        PublishedChange,
        SeriesSummary,
        StoredSeries,
        Version,
    )
    from dataportal.store.read.plot import PlotPart
    from dataportal.store.read.points import AssumedPoint
    from dataportal.store.read.revisions import Issue, Matrix, RevisionsOfAge
    from dataportal.store.read.versions import StoredVersions


class CsvHistory(HistoryRenderer):
    """A header and a line for each row, in constant memory."""

    observations_by_default = True

    def __init__(self, series: StoredSeries, summarize: Callable[[], SeriesSummary]) -> None:
        super().__init__(series, summarize)
        self._name = series.endpoint_prefix

    def summary(
        self,
        summary: SeriesSummary,
        revisions: Sequence[Change],
        published: Sequence[PublishedChange],
        newest: NewestObservations,
    ) -> Iterator[str]:
        """The latest changes of what was known here, and nothing else."""
        del summary, published, newest
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

    def assumed_observations(
        self, rows: Iterable[AssumedPoint], as_of: datetime, cut: Cut
    ) -> Iterator[str]:
        """series, ts, value, valid_from and valid_to or published_at and recorded_at, assumed."""
        del as_of
        times = (
            ("published_at", "recorded_at") if cut.by_publication else ("valid_from", "valid_to")
        )
        titles = ("series", "ts", "value", *times, "assumed")
        name = self._name
        return csv_lines(
            titles,
            ((name, p.ts, p.value, p.since, p.until, f"{p.assumed}".lower()) for p in rows),
        )

    def publications(
        self,
        rows: Iterable[Publication],
        as_of: datetime,
        *,
        recorded: datetime | None,
        final: bool,
    ) -> Iterator[str]:
        """series, ts, value, published_at, recorded_at."""
        del as_of, recorded, final
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

    def all_versions(self, rows: StoredVersions, cut: Cut) -> Iterator[str]:
        """series, ts, value, and known_from and known_to, or published_at and recorded_at."""
        del cut
        titles = ("series", *(column.label for column in rows.columns))
        if not rows.assume:
            return csv_blocks(titles, self._name, rows.csv_blocks())
        return csv_lines(titles, ((self._name, *row[:4], f"{row[-1]}".lower()) for row in rows))

    def publication_records(
        self,
        rows: Iterable[PublicationRecord],
        ts: datetime,
        *,
        recorded: datetime | None,
        final: bool,
    ) -> Iterator[str]:
        """series, ts, value, published_at, recorded_at, run_id."""
        del ts, recorded, final
        titles = ("series", "ts", "value", "published_at", "recorded_at", "run_id")
        name = self._name
        return csv_lines(
            titles, ((name, p.ts, p.value, p.published_at, p.recorded_at, p.run_id) for p in rows)
        )

    def changes(
        self, rows: Iterable[Change], between: tuple[datetime, datetime], *, final: bool
    ) -> Iterator[str]:
        """series, ts, before, after, known_at."""
        del between, final
        return self._changes(rows)

    def published_changes(
        self,
        rows: Iterable[PublishedChange],
        between: tuple[datetime, datetime],
        *,
        recorded: datetime | None,
        final: bool,
    ) -> Iterator[str]:
        """series, ts, before, after, published_at, known_at."""
        del between, recorded, final
        titles = ("series", "ts", "before", "after", "published_at", "known_at")
        name = self._name
        return csv_lines(
            titles, ((name, c.ts, c.before, c.after, c.published_at, c.known_at) for c in rows)
        )

    def matrix(self, matrix: Matrix, cut: Cut) -> Iterator[str]:
        """series, ts, and a column for each time, by that time."""
        del cut
        titles = ("series", "ts", *map(iso, matrix.times))
        return csv_lines(titles, ((self._name, row.ts, *row.values) for row in matrix.rows))

    def issues(self, issues: Sequence[Issue], cut: Cut) -> Iterator[str]:
        """series, issued_at, first_ts, last_ts, points, run_id."""
        del cut
        titles = ("series", "issued_at", "first_ts", "last_ts", "points", "run_id")
        name = self._name
        return csv_lines(
            titles, ((name, i.issued_at, i.first_ts, i.last_ts, i.points, i.run_id) for i in issues)
        )

    def revisions_by_age(self, ages: Sequence[RevisionsOfAge], cut: Cut) -> Iterator[str]:
        """series, age_over and age_up_to (seconds), count, bias, mean, largest, withdrawals."""
        del cut
        titles = (
            "series", "age_over", "age_up_to", "count", "bias", "mean", "largest",
            "withdrawals",
        )  # fmt: skip
        return csv_lines(
            titles,
            (
                (
                    self._name,
                    _seconds(a.age_over),
                    _seconds(a.age_up_to),
                    a.count,
                    a.bias,
                    a.mean,
                    a.largest,
                    a.withdrawals,
                )
                for a in ages
            ),
        )

    def availability(self, measured: MeasuredAvailability, cut: Cut) -> Iterator[str]:
        """series, quantile, after_ts (seconds)."""
        del cut
        rows = zip(QUANTILES, measured.ages, strict=False)
        return csv_lines(
            ("series", "quantile", "after_ts"),
            ((self._name, quantile, age.total_seconds()) for quantile, age in rows),
        )

    def plot(
        self, vintages: Sequence[tuple[datetime | None, Sequence[PlotPart]]], cut: Cut
    ) -> Iterator[str]:
        """A drawing is for people."""
        raise NotImplementedError

    def _changes(self, rows: Iterable[Change]) -> Iterator[str]:
        titles = ("series", "ts", "before", "after", "known_at")
        return csv_lines(titles, ((self._name, c.ts, c.before, c.after, c.known_at) for c in rows))


def _seconds(age: timedelta | None) -> float | None:
    return None if age is None else age.total_seconds()
