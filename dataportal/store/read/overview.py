"""The state of all sources at once: for list-sources, healthcheck, and what is due."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from dataportal.store.connection import connect, database_errors
from dataportal.store.lock import held_keys, lock_key
from dataportal.store.migrations import ensure_schema, require_schema
from dataportal.store.queries import query
from dataportal.store.records import Outcome, RunKind
from dataportal.store.runs import state_from_row
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import psycopg

    from dataportal.store.records import SourceState

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
    """What server this is; `timescaledb` is the extension's version, or None."""

    server_version: str
    timescaledb: str | None
    read_only: bool
    hypertables: bool


def open_reader(url: str, *, what: str = "reader") -> psycopg.Connection:
    """A connection that only reads, to a schema that this program understands.

    Raises:
        SchemaError: the schema is missing, older or newer; the message names the way out.
        DatabaseError: the server is out of reach, or refuses.
    """
    connection = connect(url, application_name=f"dataportal {what}", read_only=True)
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
        return {row[0]: state_from_row(row) for row in connection.execute(query("overview_states"))}


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
        schema_row = connection.execute("SELECT current_schema()").fetchone()
        schema = schema_row[0] if schema_row else ""
        sources = connection.execute(query("overview_sources")).fetchall()
        series = _series(connection, newest_of)
        held = held_keys(connection)
    return {
        row[0]: SourceRow(
            state=state_from_row(row[:7]),
            last_run=_run(row[7:], alive=lock_key(schema, row[0]) in held),
            series=tuple(series.get(row[0], ())),
        )
        for row in sources
    }


def _series(
    connection: psycopg.Connection, sources: Collection[str] | None
) -> dict[str, list[SeriesRow]]:
    """Series by their sources. Only those at rest make the server look into old chunks."""
    if sources is not None and not sources:
        return {}
    recent = utc_now() - _RECENT
    parameters = {"recent": recent, "sources": None if sources is None else list(sources)}
    rows = connection.execute(query("overview_series"), parameters).fetchall()
    at_rest = [series_id for _, series_id, _, newest in rows if newest is None]
    old: dict[int, datetime] = {}
    if at_rest:
        old = dict(
            connection.execute(
                query("overview_series_old"), {"recent": recent, "series": at_rest}
            ).fetchall()
        )
    found: dict[str, list[SeriesRow]] = {}
    for source, series_id, name, newest in rows:
        found.setdefault(source, []).append(
            SeriesRow(series_id, name, newest or old.get(series_id))
        )
    return found


def database_facts(connection: psycopg.Connection) -> DatabaseFacts:
    """What server this is."""
    with database_errors("asking the server about itself"):
        row = connection.execute(query("database_facts")).fetchone()
    return DatabaseFacts(*(row or ("unknown", None, False, False)))


def _run(row: tuple[object, ...], *, alive: bool) -> RunRow | None:
    if row[0] is None:
        return None
    run = RunRow(*row)  # type: ignore[arg-type]  # the columns of overview_sources.sql, in order
    run = replace(
        run, kind=RunKind(run.kind), outcome=Outcome(run.outcome) if run.outcome else None
    )
    return run if alive or run.outcome else replace(run, outcome=Outcome.INTERRUPTED)
