"""Lists series as the database knows them: found by their texts, with their first and last ts."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from dataportal.errors import UsageError
from dataportal.store.connection import database_errors
from dataportal.store.queries import query_for
from dataportal.store.read.selection import select_series
from dataportal.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import psycopg

    from dataportal.store.read.history import StoredSeries
    from dataportal.store.read.selection import Condition

_GLOB_SIGNS = "*?["


class CatalogueEntry(NamedTuple):
    """A series, and the first and the last ts of its observations; None for none."""

    series: StoredSeries
    first_ts: datetime | None
    last_ts: datetime | None


def find_entries(
    connection: psycopg.Connection,
    text: str | None = None,
    conditions: Sequence[Condition] = (),
    *,
    changed_since: datetime | None = None,
    unchanged_since: datetime | None = None,
) -> list[CatalogueEntry]:
    """The series that speak of a text and meet all conditions, by name.

    Args:
        connection: one that reads.
        text: words that must all occur in what is known of a series, in upper or lower case; or a
            glob of names. None for all series.
        conditions: what else they must be.
        changed_since: only those of which a value came, changed or went at that time or later.
        unchanged_since: only those of which none did.

    Raises:
        UsageError: there is none that speaks of it, or is like that, although there are series.
    """
    stored = select_series(connection, (), conditions)
    wanted = stored if text is None else [s for s in stored if speaks_of(s, text)]
    if stored and not wanted:
        names = [s.endpoint_prefix for s in stored]
        raise UsageError(
            f"none of {len(stored)} series speaks of {text!r}",
            hint=suggestion((text or "").strip("*"), names, "dataportal list-series shows all"),
        )
    if changed_since is not None:
        wanted = [s for s in wanted if s.changed_at and s.changed_at >= changed_since]
    if unchanged_since is not None:
        wanted = [s for s in wanted if not s.changed_at or s.changed_at < unchanged_since]
    extents = _read_extents(connection, [s.series_id for s in wanted])
    return [CatalogueEntry(s, *extents[s.series_id]) for s in wanted]


def speaks_of(series: StoredSeries, text: str) -> bool:
    """Whether all words of a text occur in what is known of a series, or a glob fits its name."""
    if any(sign in text for sign in _GLOB_SIGNS) and fnmatchcase(series.endpoint_prefix, text):
        return True
    facts = (
        series.endpoint_prefix,
        series.name,
        series.description,
        series.source,
        series.unit,
        series.domain,
        series.category,
        series.subcategory,
        *map(str, series.metadata.values()),
    )
    known = "\n".join(fact for fact in facts if fact).casefold()
    return all(word in known for word in text.casefold().split())


def _read_extents(
    connection: psycopg.Connection, series: Sequence[int]
) -> dict[int, tuple[datetime | None, datetime | None]]:
    with database_errors("reading the extents of the series"):
        rows = connection.execute(
            query_for(connection, "catalogue_extents"), {"series": list(series)}
        )
        return {series_id: (first, last) for series_id, first, last in rows}
