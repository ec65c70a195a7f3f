"""Renders the answers of `history` as JSON, row by row, so that they may be of any length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.render.history import HistoryRenderer
from dataportal.render.json_output import stream_json
from dataportal.store.read.availability import QUANTILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from dataportal.render.history import Cut, NewestObservations
    from dataportal.store.read.availability import MeasuredAvailability
    from dataportal.store.read.history import (
        Change,
        Observation,
        Publication,
        PublicationRecord,
        PublishedChange,
        SeriesSummary,
        Version,
    )
    from dataportal.store.read.plot import PlotPart
    from dataportal.store.read.points import AssumedPoint
    from dataportal.store.read.revisions import Issue, Matrix, RevisionsOfAge
    from dataportal.store.read.versions import StoredVersions


class JsonHistory(HistoryRenderer):
    """One document: the series, and a list that is written row by row."""

    def summary(
        self,
        summary: SeriesSummary,
        revisions: Sequence[Change],
        published: Sequence[PublishedChange],
        newest: NewestObservations,
    ) -> Iterator[str]:
        """`changes`, the latest ones, and `published_changes`; no newest observations."""
        del newest
        return self._document(
            "changes",
            map(_change_fields, revisions),
            summary=summary,
            published_changes=[_published_change_fields(change) for change in published],
        )

    def observations(
        self, rows: Iterable[Observation], as_of: datetime | None, *, final: bool
    ) -> Iterator[str]:
        """`observations`, in order of ts."""
        fields = (
            {"ts": o.ts, "value": o.value, "valid_from": o.valid_from, "valid_to": o.valid_to}
            for o in rows
        )
        return self._document("observations", fields, as_of=as_of, final=final)

    def assumed_observations(
        self, rows: Iterable[AssumedPoint], as_of: datetime, cut: Cut
    ) -> Iterator[str]:
        """`observations`, in order of ts, each with `assumed`; `assume` is true."""
        times = (
            ("published_at", "recorded_at") if cut.by_publication else ("valid_from", "valid_to")
        )
        fields = (
            {
                "ts": p.ts,
                "value": p.value,
                times[0]: p.since,
                times[1]: p.until,
                "assumed": p.assumed,
            }
            for p in rows
        )
        return self._document(
            "observations", fields, as_of=as_of, final=cut.final, **_cut_fields(cut), assume=True
        )

    def publications(
        self,
        rows: Iterable[Publication],
        as_of: datetime,
        *,
        recorded: datetime | None,
        final: bool,
    ) -> Iterator[str]:
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
        return self._document(
            "observations", fields, as_of=as_of, final=final, by="published", recorded=recorded
        )

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

    def all_versions(self, rows: StoredVersions, cut: Cut) -> Iterator[str]:
        """`versions`, by ts and then the oldest first, with the times of both ends."""
        more = _cut_fields(cut) | ({"assume": True} if rows.assume else {})
        return self._document("versions", (row._asdict() for row in rows), final=cut.final, **more)

    def publication_records(
        self,
        rows: Iterable[PublicationRecord],
        ts: datetime,
        *,
        recorded: datetime | None,
        final: bool,
    ) -> Iterator[str]:
        """`versions`, in the order of publication, with `published_at` and `recorded_at`."""
        del ts
        fields = (
            {
                "ts": p.ts,
                "value": p.value,
                "published_at": p.published_at,
                "recorded_at": p.recorded_at,
                "run_id": p.run_id,
            }
            for p in rows
        )
        return self._document("versions", fields, final=final, by="published", recorded=recorded)

    def changes(
        self, rows: Iterable[Change], between: tuple[datetime, datetime], *, final: bool
    ) -> Iterator[str]:
        """`changes`, in order of ts; `since` and `as_of` are the two times."""
        since, as_of = between
        return self._document(
            "changes", map(_change_fields, rows), as_of=as_of, final=final, since=since
        )

    def published_changes(
        self,
        rows: Iterable[PublishedChange],
        between: tuple[datetime, datetime],
        *,
        recorded: datetime | None,
        final: bool,
    ) -> Iterator[str]:
        """`changes`, in order of ts, with the publication that made each."""
        since, as_of = between
        return self._document(
            "changes",
            map(_published_change_fields, rows),
            as_of=as_of,
            final=final,
            since=since,
            by="published",
            recorded=recorded,
        )

    def matrix(self, matrix: Matrix, cut: Cut) -> Iterator[str]:
        """`matrix`, in order of ts: the values at each of `times`, null for none."""
        rows = ({"ts": row.ts, "values": row.values} for row in matrix.rows)
        return self._document(
            "matrix", rows, final=cut.final, **_cut_fields(cut), times=list(matrix.times)
        )

    def issues(self, issues: Sequence[Issue], cut: Cut) -> Iterator[str]:
        """`issues`, oldest first."""
        fields = (
            {
                "issued_at": i.issued_at,
                "first_ts": i.first_ts,
                "last_ts": i.last_ts,
                "points": i.points,
                "run_id": i.run_id,
            }
            for i in issues
        )
        return self._document("issues", fields, final=cut.final, **_cut_fields(cut))

    def revisions_by_age(self, ages: Sequence[RevisionsOfAge], cut: Cut) -> Iterator[str]:
        """`revisions_by_age`, the youngest first."""
        fields = (
            {
                "age_over": a.age_over,
                "age_up_to": a.age_up_to,
                "count": a.count,
                "bias": a.bias,
                "mean": a.mean,
                "largest": a.largest,
                "withdrawals": a.withdrawals,
            }
            for a in ages
        )
        return self._document("revisions_by_age", fields, final=cut.final, **_cut_fields(cut))

    def availability(self, measured: MeasuredAvailability, cut: Cut) -> Iterator[str]:
        """`availability`, from the earliest to the latest; before it what was measured."""
        rows = (
            {"quantile": quantile, "after_ts": age}
            for quantile, age in zip(QUANTILES, measured.ages, strict=False)
        )
        is_stated = self.series.availability is not None
        return self._document(
            "availability",
            rows,
            final=cut.final,
            **_cut_fields(cut),
            count=measured.count,
            first_ts=measured.first_ts,
            last_ts=measured.last_ts,
            stated=self.series.availability_text,
            in_time=measured.in_time if is_stated else None,
            suggested=measured.suggestion,
        )

    def plot(
        self, vintages: Sequence[tuple[datetime | None, Sequence[PlotPart]]], cut: Cut
    ) -> Iterator[str]:
        """A drawing is for people."""
        raise NotImplementedError

    def _document(
        self,
        name: str,
        rows: Iterable[dict[str, Any]],
        *,
        summary: SeriesSummary | None = None,
        as_of: datetime | None = None,
        final: bool = False,
        **more: Any,
    ) -> Iterator[str]:
        return stream_json(
            {
                "series": _series_fields(summary or self.summarize()),
                "as_of": as_of,
                "final": final,
                **more,
            },
            name,
            rows,
        )


def _cut_fields(cut: Cut) -> dict[str, Any]:
    if not cut.by_publication:
        return {"by": "known"}
    return {"by": "published", "recorded": cut.recorded}


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
        "answer_unit": s.answer_unit,
        "timezone": s.ts_timezone,
        "published_timezone": s.published_timezone,
        "metadata": dict(s.metadata),
        "availability": s.availability_text,
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
        "publications": s.publications,
        "first_published": s.first_published,
        "last_published": s.last_published,
        "counted_up_to": s.counted_up_to,
    }


def _change_fields(c: Change) -> dict[str, Any]:
    return {"ts": c.ts, "before": c.before, "after": c.after, "known_at": c.known_at}


def _published_change_fields(c: PublishedChange) -> dict[str, Any]:
    return {
        "ts": c.ts,
        "before": c.before,
        "after": c.after,
        "published_at": c.published_at,
        "known_at": c.known_at,
    }
