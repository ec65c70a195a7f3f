"""Overview of all sources: their states, newest runs and series; and what server this is."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.rows import dict_row, kwargs_row

from dataportal.store.connection import database_errors
from dataportal.store.lock import held_keys, lock_key
from dataportal.store.migrations import connect_to_schema
from dataportal.store.queries import query, query_for
from dataportal.store.records import Outcome, RunKind, SourceState
from dataportal.store.rows import record_row
from dataportal.store.runs import source_state, will_return
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import psycopg

    from dataportal.store.read.gaps import SeriesGaps

RECENT = timedelta(days=400)
"""How far back most newest observations lie, also of what is published once a year."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """The newest run of a source. `outcome` is None only while it is running.

    `unlocked_until` is until when it leaves its lock to others, should it have said so.
    """

    run_id: int
    kind: RunKind
    started_at: datetime
    finished_at: datetime | None
    outcome: Outcome | None
    unlocked_until: datetime | None
    error: str | None
    host: str
    pid: int
    received: int = 0
    inserted: int = 0
    revised: int = 0
    retracted: int = 0

    @property
    def running(self) -> bool:
        """Whether the run goes on right now."""
        return self.outcome is None


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series and the start of its newest observation.

    `advances` says how many scheduled runs brought a newer ts than all before, up to 2;
    `advanced_at` when a run last did.
    """

    series_id: int
    endpoint_prefix: str
    newest: datetime | None
    advances: int = 0
    advanced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as the database knows it; `lookback` is that of its last run.

    `gaps` are what is missing of its series, where somebody looked.
    """

    state: SourceState
    last_run: RunRow | None
    series: tuple[SeriesRow, ...]
    lookback: timedelta | None = None
    gaps: tuple[SeriesGaps, ...] = ()


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What server this is: its version, those of extensions that are installed, its encoding."""

    server_version: str
    timescaledb: str | None
    citus: str | None
    encoding: str


class _OwnedRow(NamedTuple):
    """A series and its source."""

    source: str
    series_id: int
    endpoint_prefix: str
    advances: int
    advanced_at: datetime | None


def open_reader(url: str, *, command: str = "reader") -> psycopg.Connection:
    """A connection that only reads, to a schema that this program understands.

    Raises:
        SchemaError: the schema is missing, older or newer; the message names the way out.
        DatabaseError: the server is out of reach, or refuses.
    """
    name = f"dataportal {command}"
    connection, _ = connect_to_schema(url, application_name=name, read_only=True)
    return connection


def states_for_due(url: str) -> dict[str, SourceState]:
    """What is remembered of every source, of a schema brought up to date where the role may."""
    connection, _ = connect_to_schema(url, application_name="dataportal due")
    with closing(connection):
        return source_states(connection)


def source_states(connection: psycopg.Connection) -> dict[str, SourceState]:
    """What is remembered of every source, by its name."""
    with database_errors("reading the state of the sources"):
        cursor = connection.cursor(row_factory=kwargs_row(source_state))
        return {state.source: state for state in cursor.execute(query("overview_states"))}


def overview(
    connection: psycopg.Connection, *, newest_if: Callable[[SourceRow], bool] = lambda _: True
) -> dict[str, SourceRow]:
    """Every source that ever ran, with its newest run and its series, by its name.

    A run without an end whose lock nobody holds was killed: it is shown as interrupted.

    Args:
        connection: one that reads.
        newest_if: whether the newest observations of a source's series are looked for, which
            takes time; else they stay None.
    """
    with database_errors("reading the state of the sources"), connection.transaction():
        (schema,) = connection.execute("SELECT current_schema()").fetchone() or ("",)
        cursor = connection.cursor(row_factory=dict_row)
        rows = cursor.execute(query("overview_sources")).fetchall()
        series = _series_by_source(connection)
        locked = held_keys(connection)
        sources = {}
        for row in rows:
            state = source_state(**{name: row.pop(name) for name in SourceState.__slots__})
            lookback = row.pop("lookback")
            sources[state.source] = SourceRow(
                state=state,
                last_run=_last_run(row, is_alive=lock_key(schema, state.source) in locked),
                series=tuple(series.get(state.source, ())),
                lookback=None if lookback is None else timedelta(seconds=lookback),
            )
        wanted = {name for name, source in sources.items() if newest_if(source)}
        newest = _newest(connection, [s.series_id for name in wanted for s in sources[name].series])
    return {
        name: replace(
            source,
            series=tuple(replace(s, newest=newest.get(s.series_id)) for s in source.series),
        )
        if name in wanted
        else source
        for name, source in sources.items()
    }


def _series_by_source(connection: psycopg.Connection) -> dict[str, list[SeriesRow]]:
    by_source: dict[str, list[SeriesRow]] = {}
    cursor = connection.cursor(row_factory=record_row(_OwnedRow))
    for source, series_id, name, advances, advanced_at in cursor.execute(query("overview_series")):
        series = SeriesRow(series_id, name, None, advances, advanced_at)
        by_source.setdefault(source, []).append(series)
    return by_source


def _newest(connection: psycopg.Connection, series: list[int]) -> dict[int, datetime]:
    """The newest ts of each series. Only those at rest make the server look into old chunks."""
    newest: dict[int, datetime] = {}
    recent = utc_now() - RECENT
    for name in ("overview_newest", "overview_newest_old"):
        if left := [series_id for series_id in series if series_id not in newest]:
            rows = connection.execute(
                query_for(connection, name), {"recent": recent, "series": left}
            )
            newest |= dict(rows.fetchall())
    return newest


def database_facts(connection: psycopg.Connection) -> DatabaseFacts:
    """What server this is."""
    with database_errors("asking the server about itself"):
        cursor = connection.cursor(row_factory=record_row(DatabaseFacts))
        facts = cursor.execute(query("database_facts")).fetchone()
    return facts or DatabaseFacts("unknown", None, None, "unknown")


def _last_run(row: dict[str, Any], *, is_alive: bool) -> RunRow | None:
    if row["run_id"] is None:
        return None
    outcome = Outcome(row["outcome"]) if row["outcome"] else None
    run = RunRow(**{**row, "kind": RunKind(row["kind"]), "outcome": outcome})
    is_alive = is_alive or will_return(run.unlocked_until)
    return run if is_alive or run.outcome else replace(run, outcome=Outcome.INTERRUPTED)
