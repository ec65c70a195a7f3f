"""The answers about a series for programs: as JSON and as CSV, of any length in little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.render.csv_output import csv_lines, prefixed
from dataportal.render.json_output import streamed
from dataportal.store.read.history import StoredObservations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from dataportal.render.history_text import Values
    from dataportal.store.read.history import (
        Change,
        Observation,
        Publication,
        SeriesSummary,
        StoredSeries,
        Version,
    )


class JsonHistory:
    """One document; its list is written row by row, so that it may be of any length."""

    observations_by_default = False

    def __init__(self, series: SeriesSummary) -> None:
        self._series = _series_fields(series)

    def summary(self, revisions: Sequence[Change], values: Values) -> Iterator[str]:
        """`changes`: the latest ones. `values` are not shown."""
        del values
        return self._document("changes", map(_change_fields, revisions))

    def observations(
        self, rows: Iterable[Observation], as_of: datetime | None, *, final: bool
    ) -> Iterator[str]:
        """`observations`, in order of ts."""
        fields = (
            {"ts": o.ts, "value": o.value, "valid_from": o.valid_from, "valid_to": o.valid_to}
            for o in rows
        )
        return self._document("observations", fields, as_of=as_of, final=final)

    def publications(self, rows: Iterable[Publication], as_of: datetime) -> Iterator[str]:
        """`observations`, in order of ts, with `published_at` and `recorded_at`."""
        fields = (
            {
                "ts": p.ts,
                "value": p.value,
                "published_at": p.published_at,
                "recorded_at": p.recorded_at,
            }
            for p in rows
        )
        return self._document("observations", fields, as_of=as_of, by="published")

    def versions(self, rows: Iterable[Version], ts: datetime) -> Iterator[str]:
        """`versions`, oldest first."""
        del ts
        fields = (
            {
                "ts": v.ts,
                "value": v.value,
                "valid_from": v.valid_from,
                "valid_to": v.valid_to,
                "run_id": v.run_id,
            }
            for v in rows
        )
        return self._document("versions", fields)

    def changes(
        self, rows: Iterable[Change], between: tuple[datetime, datetime], *, final: bool
    ) -> Iterator[str]:
        """`changes`, in order of ts; `since` and `as_of` are the two times."""
        since, as_of = between
        return self._document(
            "changes", map(_change_fields, rows), as_of=as_of, final=final, since=since
        )

    def _document(
        self,
        name: str,
        rows: Iterable[dict[str, Any]],
        *,
        as_of: datetime | None = None,
        final: bool = False,
        **more: Any,
    ) -> Iterator[str]:
        return streamed(
            {"series": self._series, "as_of": as_of, "final": final, **more}, name, rows
        )


class CsvHistory:
    """A header and a line for each row, in constant memory."""

    observations_by_default = True

    def __init__(self, series: StoredSeries) -> None:
        self._name = series.endpoint_prefix

    def summary(self, revisions: Sequence[Change], values: Values) -> Iterator[str]:
        """The latest changes. `values` are not shown."""
        del values
        return self._changes(revisions)

    def observations(
        self, rows: Iterable[Observation], as_of: datetime | None, *, final: bool
    ) -> Iterator[str]:
        """series, ts, value, valid_from, valid_to."""
        del as_of, final
        titles = ("series", "ts", "value", "valid_from", "valid_to")
        name = self._name
        if isinstance(rows, StoredObservations):
            return prefixed(titles, name, rows.blocks())
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


def _series_fields(s: SeriesSummary) -> dict[str, Any]:
    return {
        "endpoint_prefix": s.endpoint_prefix,
        "series_id": s.series_id,
        "source": s.source,
        "name": s.name,
        "description": s.description,
        "granularity": s.granularity,
        "unit": s.unit,
        "domain": s.domain,
        "category": s.category,
        "subcategory": s.subcategory,
        "timezone": s.timezone,
        "metadata": dict(s.metadata),
        "observations": s.observations,
        "versions": s.versions,
        "retracted": s.retracted,
        "first_ts": s.first_ts,
        "last_ts": s.last_ts,
        "first_known": s.first_known,
        "last_known": s.last_known,
        "known_through": s.known_through,
    }


def _change_fields(c: Change) -> dict[str, Any]:
    return {"ts": c.ts, "before": c.before, "after": c.after, "known_at": c.known_at}
