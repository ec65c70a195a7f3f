"""Registers the series of a source in `time_series`, and tells how far each has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from dataportal.errors import ConfigurationError, LockedError
from dataportal.store.lock import find_holder, lock_key
from dataportal.store.queries import query
from dataportal.store.records import SeriesProgress, SeriesRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

_FIELDS = tuple(SeriesRecord.__slots__)
_TELLING = ("unit", "granularity")


@dataclass(frozen=True, slots=True)
class Registered:
    """What came of registering the series of a source.

    Attributes:
        ids: the series_id of each, by endpoint_prefix.
        warnings: a unit or a granularity that changed under a history.
        progress: how far each has come, where that was read on the way.
    """

    ids: dict[str, int]
    warnings: list[str]
    progress: dict[str, SeriesProgress] | None


def register(
    connection: psycopg.Connection,
    *,
    schema: str,
    source: str,
    series: Sequence[SeriesRecord],
    renamed_from: str | None,
    dry_run: bool = False,
    known: psycopg.Cursor[Any] | None = None,
) -> Registered:
    """Make `time_series` say what sources.yaml says; rows that already do are not touched.

    A dry run writes nothing: a series that is not there yet gets an id that nobody else will have.
    Where all is as it should be, and it nearly always is, one query finds out, and how far the
    series have come besides.

    Args:
        connection: holds the source's lock.
        schema: of our tables.
        source: the source.
        series: its series.
        renamed_from: its former name.
        dry_run: write nothing.
        known: `ask_known` of these series, if it was asked under the lock.

    Raises:
        ConfigurationError: a series belongs to another source.
        LockedError: the source that this one was renamed from is running.
    """
    asked = known or ask_known(connection, source, [one.endpoint_prefix for one in series])
    found, remembered = _known(asked)
    if remembered and all(
        record.endpoint_prefix in found and found[record.endpoint_prefix][:2] == (source, record)
        for record in series
    ):
        progress = {name: how_far for name, (_, _, how_far) in found.items()}
        return Registered({n: p.series_id for n, p in progress.items()}, [], progress)
    with connection.transaction(force_rollback=dry_run):
        connection.execute(query("source_add"), {"source": source, "renamed_from": renamed_from})
        stored = _stored(connection, series)
        missing = [record for record in series if record.endpoint_prefix not in stored]
        for record in missing:
            connection.execute(query("series_insert"), _parameters(record, source))
        if missing:
            stored |= _stored(connection, missing)
        warnings: list[str] = []
        takes_over = False
        for record in series:
            _, owner, before = stored[record.endpoint_prefix]
            if owner not in {source, renamed_from}:
                raise ConfigurationError(
                    f"series {record.endpoint_prefix!r} belongs to source {owner!r}",
                    hint=f"Give the series of {source!r} another endpoint_prefix; or, if it is "
                    f"the same source under a new name, add: renamed_from: {owner}",
                )
            if owner != source or before != record:
                takes_over |= owner != source
                warnings += _changes(before, record)
                connection.execute(query("series_update"), _parameters(record, source))
        if takes_over and renamed_from is not None:
            _follow(connection, schema, source, renamed_from)
    return Registered({name: i for name, (i, _, _) in stored.items()}, warnings, None)


def progress(
    connection: psycopg.Connection, source: str, names: Sequence[str]
) -> dict[str, SeriesProgress]:
    """How far the series of a source have come, by endpoint_prefix."""
    known, _ = _known(ask_known(connection, source, names))
    return {name: how_far for name, (owner, _, how_far) in known.items() if owner == source}


def ask_known(
    connection: psycopg.Connection, source: str, names: Sequence[str]
) -> psycopg.Cursor[Any]:
    """Ask what is known of these series, and whether the source is remembered."""
    return connection.execute(query("series_progress"), {"source": source, "names": list(names)})


def _known(
    asked: psycopg.Cursor[Any],
) -> tuple[dict[str, tuple[str, SeriesRecord, SeriesProgress]], bool]:
    """Owner, description and progress of each series; and whether the source is remembered."""
    rows = asked.fetchall()
    known = {
        name: (owner, SeriesRecord(name, *fields), SeriesProgress(series_id, *how_far))
        for series_id, name, owner, *fields, how_far in (
            (*row[:12], row[12], row[13:16]) for row in rows
        )
    }
    return known, any(row[-1] for row in rows)


def _follow(connection: psycopg.Connection, schema: str, source: str, renamed_from: str) -> None:
    key = lock_key(schema, renamed_from)
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (key,)).fetchone()
    if row is None or not row[0]:
        raise LockedError(
            f"source {renamed_from!r}, whose series {source!r} takes over, is running",
            holder=str(find_holder(connection, key, renamed_from)),
        )
    connection.execute(query("source_follow"), {"source": source, "renamed_from": renamed_from})


def _stored(
    connection: psycopg.Connection, series: Sequence[SeriesRecord]
) -> dict[str, tuple[int, str, SeriesRecord]]:
    names = [record.endpoint_prefix for record in series]
    rows = connection.execute(query("series_stored"), {"names": names})
    return {
        name: (series_id, owner, SeriesRecord(name, *rest))
        for series_id, name, owner, *rest in rows
    }


def _parameters(record: SeriesRecord, source: str) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in _FIELDS}
    return {**values, "metadata": Jsonb(dict(record.metadata)), "source": source}


def _changes(before: SeriesRecord, after: SeriesRecord) -> list[str]:
    return [
        f"series {after.endpoint_prefix!r}: {name} was {getattr(before, name)!r}, is now "
        f"{getattr(after, name)!r}; the history keeps the old values as they are"
        for name in _TELLING
        if getattr(before, name) != getattr(after, name)
    ]
