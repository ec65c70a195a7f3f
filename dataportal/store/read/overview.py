"""Overview of all sources: their states, newest runs and series; and what server this is."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.rows import dict_row, kwargs_row

from dataportal.store.connection import connect, database_errors
from dataportal.store.lock import held_keys, lock_key
from dataportal.store.migrations import ensure_schema, require_schema
from dataportal.store.queries import query
from dataportal.store.records import Outcome, RunKind, SourceState
from dataportal.store.rows import record_row
from dataportal.store.runs import source_state
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import psycopg

_RECENT = timedelta(days=400)  # also what is published once a year


@dataclass(frozen=True, slots=True)
class RunRow:
    """The newest run of a source. `outcome` is None only while it is running."""

    run_id: int
    kind: RunKind
    started_at: datetime
    finished_at: datetime | None
    outcome: Outcome | None
    error: str | None
    host: str
    pid: int

    @property
    def running(self) -> bool:
        """Whether the run goes on right now."""
        return self.outcome is None


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series and the start of its newest observation."""

    series_id: int
    endpoint_prefix: str
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as the database knows it."""

    state: SourceState
    last_run: RunRow | None
    series: tuple[SeriesRow, ...]


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What server this is: its version, and that of TimescaleDB where it is installed."""

    server_version: str
    timescaledb: str | None


class _NewestRow(NamedTuple):
    """A series, and its newest observation if that is recent."""

    source: str
    series_id: int
    endpoint_prefix: str
    newest: datetime | None


def open_reader(url: str, *, command: str = "reader") -> psycopg.Connection:
    """A connection that only reads, to a schema that this program understands.

    Raises:
        SchemaError: the schema is missing, older or newer; the message names the way out.
        DatabaseError: the server is out of reach, or refuses.
    """
    connection = connect(url, application_name=f"dataportal {command}", read_only=True)
    try:
        require_schema(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def states_for_due(url: str) -> dict[str, SourceState]:
    """What is remembered of every source, of a schema brought up to date where the role may."""
    with closing(connect(url, application_name="dataportal due")) as connection:
        ensure_schema(connection)
        return source_states(connection)


def source_states(connection: psycopg.Connection) -> dict[str, SourceState]:
    """What is remembered of every source, by its name."""
    with database_errors("reading the state of the sources"):
        cursor = connection.cursor(row_factory=kwargs_row(source_state))
        return {state.source: state for state in cursor.execute(query("overview_states"))}


def overview(
    connection: psycopg.Connection, *, newest_of: Collection[str] | None = None
) -> dict[str, SourceRow]:
    """Every source that ever ran, with its newest run and its series, by its name.

    A run without an end whose lock nobody holds was killed: it is shown as interrupted.

    Args:
        connection: one that reads.
        newest_of: the sources whose series are looked at; None for all. The others come without.
    """
    with database_errors("reading the state of the sources"), connection.transaction():
        (schema,) = connection.execute("SELECT current_schema()").fetchone() or ("",)
        cursor = connection.cursor(row_factory=dict_row)
        rows = cursor.execute(query("overview_sources")).fetchall()
        series = _series(connection, newest_of)
        locked = held_keys(connection)
    sources = {}
    for row in rows:
        state = source_state(**{name: row.pop(name) for name in SourceState.__slots__})
        sources[state.source] = SourceRow(
            state=state,
            last_run=_last_run(row, is_alive=lock_key(schema, state.source) in locked),
            series=tuple(series.get(state.source, ())),
        )
    return sources


def _series(
    connection: psycopg.Connection, sources: Collection[str] | None
) -> dict[str, list[SeriesRow]]:
    """Series by their sources. Only those at rest make the server look into old chunks."""
    if sources is not None and not sources:
        return {}
    recent = utc_now() - _RECENT
    parameters = {"recent": recent, "sources": None if sources is None else list(sources)}
    cursor = connection.cursor(row_factory=record_row(_NewestRow))
    rows = cursor.execute(query("overview_series"), parameters).fetchall()
    at_rest = [row.series_id for row in rows if row.newest is None]
    old: dict[int, datetime] = {}
    if at_rest:
        old = dict(
            connection.execute(
                query("overview_series_old"), {"recent": recent, "series": at_rest}
            ).fetchall()
        )
    by_source: dict[str, list[SeriesRow]] = {}
    for row in rows:
        newest = row.newest or old.get(row.series_id)
        series = SeriesRow(row.series_id, row.endpoint_prefix, newest)
        by_source.setdefault(row.source, []).append(series)
    return by_source


def database_facts(connection: psycopg.Connection) -> DatabaseFacts:
    """What server this is."""
    with database_errors("asking the server about itself"):
        cursor = connection.cursor(row_factory=record_row(DatabaseFacts))
        facts = cursor.execute(query("database_facts")).fetchone()
    return facts or DatabaseFacts("unknown", None)


def _last_run(row: dict[str, Any], *, is_alive: bool) -> RunRow | None:
    if row["run_id"] is None:
        return None
    outcome = Outcome(row["outcome"]) if row["outcome"] else None
    run = RunRow(**{**row, "kind": RunKind(row["kind"]), "outcome": outcome})
    return run if is_alive or run.outcome else replace(run, outcome=Outcome.INTERRUPTED)
