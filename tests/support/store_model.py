"""Model of the store: what it promises, as a dict of lists of versions."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from support.store_feed import Points, Span

from dataportal.store.records import Counts, MergeResult

if TYPE_CHECKING:
    from datetime import datetime

Batch = dict[str, Points]
Answer = dict[str, dict[int, float]]
Published = dict[int, dict[int, float | None]]


@dataclasses.dataclass
class Model:
    """What the store promises, with a list of versions for each observation."""

    series: tuple[str, ...]
    versions: dict[tuple[str, int], list[Span]] = dataclasses.field(default_factory=dict)
    accepted: dict[tuple[str, int], float] = dataclasses.field(default_factory=dict)
    published: dict[tuple[str, int], dict[int, list[float | None]]] = dataclasses.field(
        default_factory=dict
    )
    """What was recorded of each publication, in order."""

    def stored(self, series: str) -> dict[int, float]:
        """The current values, by what was accepted last."""
        return {h: value for (name, h), value in self.accepted.items() if name == series}

    def as_of(self, at: datetime) -> Answer:
        """What was known at a time."""
        return {
            name: {
                h: span.value
                for (of, h), spans in self.versions.items()
                if of == name
                for span in spans
                if span.since <= at and (span.until is None or at < span.until)
            }
            for name in self.series
        }

    def withheld_nulls(self, series: str, points: Points) -> set[int]:
        """The nulls of an answer that are withheld."""
        stored = {h for h in self.stored(series) if points and min(points) <= h <= max(points)}
        nulls = {h for h in stored if h in points and points[h] is None}
        return nulls if len(stored) >= 3 and len(nulls) > len(stored) / 2 else set()

    def merge(
        self, batch: Batch, known: datetime | None, *, accept: bool, write: bool
    ) -> MergeResult:
        """Take an answer, and tell what it comes to."""
        counts = Counts()
        withheld = {n: set() if accept else self.withheld_nulls(n, p) for n, p in batch.items()}
        silent = {n for n in self.series if not batch.get(n) and self.stored(n)}
        for name, points in batch.items():
            for h, value in points.items():
                fate = self._fate(name, h, value, withheld=h in withheld[name])
                counts += Counts(received=1, **{fate: 1})
                if write and fate in {"inserted", "revised", "retracted"}:
                    assert known
                    self._write(name, h, value, known)
        wrote = counts.changed > 0 and write
        return MergeResult(
            counts,
            known if wrote else None,
            recorded=wrote,
            silent=tuple(sorted(silent)),
            withheld=tuple(sorted(name for name, hours in withheld.items() if hours)),
        )

    def publish(self, series: str, points: Published) -> tuple[int, Points]:
        """Take publications: how many are news, and which points are the newest known of all."""
        news, current = 0, {}
        for h, values in points.items():
            recorded = self.published.setdefault((series, h), {})
            newest = max(values)
            if newest >= max(recorded, default=newest):
                current[h] = values[newest]
            for at, value in values.items():
                if at not in recorded or recorded[at][-1] != value:
                    recorded.setdefault(at, []).append(value)
                    news += 1
        return news, current

    def _fate(self, name: str, h: int, value: float | None, *, withheld: bool) -> str:
        before = self.accepted.get((name, h))
        if value is None:
            if withheld:
                return "withheld"
            return "nulls" if before is None else "retracted"
        if before is None:
            return "inserted"
        return "unchanged" if before == value else "revised"

    def _write(self, name: str, h: int, value: float | None, known: datetime) -> None:
        spans = self.versions.setdefault((name, h), [])
        if spans and spans[-1].until is None:
            spans[-1] = spans[-1]._replace(until=known)
        if value is None:
            del self.accepted[name, h]
        else:
            self.accepted[name, h] = value
            spans.append(Span(value, known, None))
