"""Registers the series of a source in `time_series`, and reads how far each has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from dataportal.errors import ConfigurationError, LockedError
from dataportal.json_text import to_unescaped_json
from dataportal.store.failover import Server
from dataportal.store.lock import find_holder, lock_key
from dataportal.store.queries import query, query_for
from dataportal.store.records import (
    RegisteredSeries,
    SeriesProgress,
    SeriesRecord,
    SourceSnapshot,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import psycopg
    from psycopg.rows import DictRow

    from dataportal.store.records import StatedFacts

_FIELDS = tuple(SeriesRecord.__slots__)
_PROGRESS_FIELDS = tuple(SeriesProgress.__slots__)
_WARNED_FIELDS = ("unit", "granularity")


def select_series(
    connection: psycopg.Connection, source: str, names: Sequence[str]
) -> psycopg.Cursor[DictRow]:
    """Select series and how far they have come, in a pipeline without waiting.

    `snapshot` reads them.
    """
    cursor = connection.cursor(row_factory=dict_row)
    return cursor.execute(
        query_for(connection, "series_progress"), {"source": source, "names": list(names)}
    )


def snapshot(cursor: psycopg.Cursor[DictRow]) -> SourceSnapshot:
    """What is stored of a source, by the cursor of `select_series`."""
    rows = cursor.fetchall()
    return SourceSnapshot(
        is_known=any(row["is_known"] for row in rows),
        latest=_latest_knowledge(rows[0]) if rows else None,
        known_through=rows[0]["known_through"] if rows else None,
        server=_last_server(rows[0]) if rows else None,
        series={row["endpoint_prefix"]: _registered_series(row) for row in rows},
        progress={
            row["endpoint_prefix"]: SeriesProgress(*(row[name] for name in _PROGRESS_FIELDS))
            for row in rows
        },
    )


def is_registered(stored: SourceSnapshot, source: str, records: Sequence[SeriesRecord]) -> bool:
    """Whether `time_series` says already what sources.yaml says; it nearly always does."""
    return stored.is_known and all(
        (series := stored.series.get(record.endpoint_prefix)) is not None
        and series.source == source
        and series.record == record
        for record in records
    )


def oldest_point(connection: psycopg.Connection, series: Sequence[int]) -> datetime | None:
    """The first ts that is stored of any of these series."""
    row = connection.execute(
        query_for(connection, "series_oldest"), {"series": list(series)}
    ).fetchone()
    return row[0] if row else None


def keep_facts(connection: psycopg.Connection, facts: Mapping[int, StatedFacts]) -> None:
    """Keep what the answers of series state, by series_id; there may be nothing."""
    if not facts:
        return
    units, zones, readings = zip(*facts.values(), strict=True)
    connection.execute(
        query("series_state"),
        {
            "series": list(facts),
            "unit": list(units),
            "zone": list(zones),
            "reading": list(readings),
        },
    )


def register(
    connection: psycopg.Connection,
    *,
    schema: str,
    source: str,
    records: Sequence[SeriesRecord],
    renamed_from: str | None,
    dry_run: bool = False,
) -> tuple[dict[str, int], list[str]]:
    """Make `time_series` say what sources.yaml says; rows that already do are not touched.

    A dry run writes nothing: a series that is not there yet gets an id that nobody else will have.

    Args:
        connection: holds the source's lock.
        schema: of our tables.
        source: the source.
        records: its series.
        renamed_from: its former name.
        dry_run: write nothing.

    Returns:
        The series_id of each, by endpoint_prefix; and warnings of a unit or a granularity that
        changed under a history.

    Raises:
        ConfigurationError: a series belongs to another source.
        LockedError: the source that this one was renamed from is running.
    """
    with connection.transaction(force_rollback=dry_run):
        connection.execute(query("source_add"), {"source": source, "renamed_from": renamed_from})
        registered = _stored_series(connection, records)
        missing = [record for record in records if record.endpoint_prefix not in registered]
        for record in missing:
            connection.execute(query("series_insert"), _parameters(record, source))
        if missing:
            registered |= _stored_series(connection, missing)
        warnings: list[str] = []
        takes_over = False
        for record in records:
            stored = registered[record.endpoint_prefix]
            if stored.source not in {source, renamed_from}:
                raise ConfigurationError(
                    f"series {record.endpoint_prefix!r} belongs to source {stored.source!r}",
                    hint=f"Give the series of {source!r} another endpoint_prefix; or, if it is "
                    f"the same source under a new name, add: renamed_from: {stored.source}",
                )
            if stored.source != source or stored.record != record:
                takes_over |= stored.source != source
                warnings += _change_warnings(stored.record, record)
                connection.execute(query("series_update"), _parameters(record, source))
        if takes_over and renamed_from is not None:
            _continue_after(connection, schema, source, renamed_from)
    return {name: stored.series_id for name, stored in registered.items()}, warnings


def _continue_after(
    connection: psycopg.Connection, schema: str, source: str, renamed_from: str
) -> None:
    """Have the source's knowledge time go on after that of the source it was renamed from."""
    key = lock_key(schema, renamed_from)
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (key,)).fetchone()
    if row != (True,):
        raise LockedError(
            f"source {renamed_from!r}, whose series {source!r} takes over, is running",
            holder=str(find_holder(connection, key, renamed_from)),
        )
    connection.execute(query("source_follow"), {"source": source, "renamed_from": renamed_from})


def _stored_series(
    connection: psycopg.Connection, records: Sequence[SeriesRecord]
) -> dict[str, RegisteredSeries]:
    cursor = connection.cursor(row_factory=dict_row)
    names = [record.endpoint_prefix for record in records]
    rows = cursor.execute(query("series_stored"), {"names": names})
    return {row["endpoint_prefix"]: _registered_series(row) for row in rows}


def _latest_knowledge(row: DictRow) -> datetime | None:
    times = (row["last_knowledge_time"], row["known_through"])
    return max((time for time in times if time is not None), default=None)


def _last_server(row: DictRow) -> Server | None:
    started_at = row["server_started_at"]
    return None if started_at is None else Server(started_at, row["timeline"])


def _registered_series(row: DictRow) -> RegisteredSeries:
    record = SeriesRecord(**{name: row[name] for name in _FIELDS})
    return RegisteredSeries(row["series_id"], row["source"], record)


def _parameters(record: SeriesRecord, source: str) -> dict[str, Any]:
    columns = {name: getattr(record, name) for name in _FIELDS}
    stated = record.availability
    return {
        **columns,
        "metadata": Jsonb(dict(record.metadata), to_unescaped_json),
        "availability": None if stated is None else Jsonb(dict(stated), to_unescaped_json),
        "source": source,
    }


def _change_warnings(before: SeriesRecord, after: SeriesRecord) -> list[str]:
    return [
        f"series {after.endpoint_prefix!r}: {name} was {getattr(before, name)!r}, is now "
        f"{getattr(after, name)!r}; the history keeps the old values as they are"
        for name in _WARNED_FIELDS
        if getattr(before, name) != getattr(after, name)
    ]
