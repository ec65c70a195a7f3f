"""Shows the series that the database holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.render.formatting import NOTHING, format_age, format_instant
from dataportal.render.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    from dataportal.store.read.catalogue import CatalogueEntry


@dataclass(frozen=True, slots=True)
class CatalogueView:
    """The answer of `list-series`.

    Attributes:
        entries: the series, in their order.
        now: what ages are counted to.
        zone: the time zone of the table.
    """

    entries: Sequence[CatalogueEntry]
    now: datetime
    zone: tzinfo

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A table with a row for each series."""
        if not self.entries:
            yield "No such series is stored."
            return
        table = Table(
            (
                "series",
                "name",
                "unit",
                "domain",
                "granularity",
                "source",
                "first",
                "last",
                "last change",
            ),
            dispensable=("source", "domain", "first", "granularity", "last change", "unit"),
        )
        for entry in self.entries:
            s = entry.series
            table.add(
                s.endpoint_prefix,
                s.name or NOTHING,
                s.unit or NOTHING,
                s.domain or NOTHING,
                s.granularity or NOTHING,
                s.source,
                format_instant(entry.first_ts, self.zone),
                format_instant(entry.last_ts, self.zone),
                format_age(s.changed_at, self.now),
            )
        yield from table.lines(stream)

    def document(self) -> Mapping[str, Any]:
        """`series`, each with the fields that `history` has of it too."""
        return {"series": [_entry_fields(entry) for entry in self.entries]}


def _entry_fields(entry: CatalogueEntry) -> dict[str, Any]:
    s = entry.series
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
        "availability": s.availability_text,
        "first_ts": entry.first_ts,
        "last_ts": entry.last_ts,
        "first_known": s.first_known_at,
        "last_known": s.changed_at,
        "known_through": s.known_through,
    }
