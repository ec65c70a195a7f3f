"""Renders the answers of `history` as JSON, row by row, so that they may be of any length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.render.history import HistoryRenderer
from dataportal.render.json_output import stream_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from dataportal.render.history import NewestObservations
    from dataportal.store.read.history import (
        Change,
        Observation,
        Publication,
        SeriesSummary,
        Version,
    )


class JsonHistory(HistoryRenderer):
    """One document: the series, and a list that is written row by row."""

    def __init__(self, series: SeriesSummary) -> None:
        self.series = series
        self._series_fields = _series_fields(series)

    def summary(self, revisions: Sequence[Change], newest: NewestObservations) -> Iterator[str]:
        """`changes`: the latest ones. The newest observations are not shown."""
        del newest
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
        return stream_json(
            {"series": self._series_fields, "as_of": as_of, "final": final, **more}, name, rows
        )


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
        "timezone": s.ts_timezone,
        "metadata": dict(s.metadata),
        "observations": s.observations,
        "versions": s.versions,
        "retracted": s.retracted,
        "first_ts": s.first_ts,
        "last_ts": s.last_ts,
        "first_known": s.first_known,
        "last_known": s.last_known,
        "known_through": s.known_through,
        "resolutions": [
            {"ts_from": r.ts_from, "resolution": None if r.length is None else r.length.iso}
            for r in s.resolutions
        ],
    }


def _change_fields(c: Change) -> dict[str, Any]:
    return {"ts": c.ts, "before": c.before, "after": c.after, "known_at": c.known_at}
