"""Runs as they were recorded: the newest ones, one of them, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from dataportal.errors import UsageError
from dataportal.store.connection import database_errors
from dataportal.store.lock import held_keys, lock_key
from dataportal.store.queries import query, query_for
from dataportal.store.records import Counts, Outcome, RunKind
from dataportal.store.rows import record_row
from dataportal.store.runs import will_return
from dataportal.suggestions import suggestion
from dataportal.times import EPOCH, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import psycopg

_REACH_BACK = timedelta(days=400)
"""How far before a run's window an interval may begin that reaches into it: a year."""
_FIRST, _LAST = datetime.min.replace(tzinfo=EPOCH.tzinfo), datetime.max.replace(tzinfo=EPOCH.tzinfo)


class Progress(StrEnum):
    """How a run stands that has not ended."""

    RUNNING = "running"
    WAITING = "waiting"
    """It left its lock to others for a moment, or waits for its next attempt."""


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run, as `fetch_run` has it.

    Attributes:
        run_id: its number, which every version that it brought carries.
        source: its source.
        kind: why it took place.
        started_at: when it began.
        finished_at: when it ended; for one that was killed, when that was noticed.
        outcome: how it ended, or how it stands.
        window_start: the ts from which on it asked.
        window_end: the ts before which it asked; None for the newest there was.
        done_until: everything before was fetched and stored.
        counts: what became of the points that it received.
        vintages: how many publications it recorded.
        error: why it failed, or what it left out.
        host: the machine that it ran on.
        pid: the process there.
        version: of the program.
    """

    run_id: int
    source: str
    kind: RunKind
    started_at: datetime
    finished_at: datetime | None
    outcome: Outcome | Progress
    window_start: datetime
    window_end: datetime | None
    done_until: datetime | None
    counts: Counts
    vintages: int
    error: str | None
    host: str
    pid: int
    version: str


@dataclass(frozen=True, slots=True)
class SeriesChanges:
    """What a run changed in one series, and the first and last ts of that."""

    series: str
    inserted: int
    revised: int
    retracted: int
    first_ts: datetime
    last_ts: datetime


def newest_runs(
    connection: psycopg.Connection,
    patterns: Sequence[str] = (),
    *,
    since: datetime | None = None,
    not_well: bool = False,
    limit: int,
    tagged: Callable[[str], Iterable[str]] | None = None,
) -> list[RecordedRun]:
    """The newest runs, newest first.

    A run without an end whose lock nobody holds was killed, unless it said that it would be back:
    it is told as interrupted.

    Args:
        connection: one that reads.
        patterns: names of sources, or globs of them; none stands for all sources.
        since: only runs that began at or after this time.
        not_well: only runs that failed, were partial or interrupted, or have not ended.
        limit: at most so many.
        tagged: the sources that a pattern means which is no name of one that ever ran.

    Raises:
        UsageError: no source that ever ran matches a pattern.
    """
    parameters: dict[str, Any] = {
        "since": since or EPOCH,
        "failed": not_well,
        # of those that have not ended some are at work, and are left out here
        "limit": limit,
    }
    with database_errors("reading the runs"), connection.transaction():
        name = "runs_newest"
        if patterns:
            name = "runs_newest_of"
            parameters["sources"] = _matching_sources(connection, patterns, tagged)
        runs = _read_runs(connection, name, parameters)
    return [run for run in runs if not (not_well and isinstance(run.outcome, Progress))]


def last_runs(
    connection: psycopg.Connection, sources: Sequence[str], *, limit: int
) -> dict[str, list[RecordedRun]]:
    """The last runs of each of these sources, newest first, by its name; none where none ran."""
    by_source: dict[str, list[RecordedRun]] = {}
    parameters = {"sources": list(sources), "limit": limit}
    with database_errors("reading the runs"), connection.transaction():
        for run in _read_runs(connection, "runs_last_of", parameters):
            by_source.setdefault(run.source, []).append(run)
    return by_source


def find_run(connection: psycopg.Connection, run_id: int) -> RecordedRun:
    """One run.

    Raises:
        UsageError: there is no such run.
    """
    with database_errors("reading the run"), connection.transaction():
        runs = _read_runs(connection, "run_by_id", {"run": run_id})
    if not runs:
        raise UsageError(
            f"there is no run {run_id}",
            hint="It never was, or it changed nothing and is forgotten after 90 days. "
            "See: dataportal runs",
        )
    return runs[0]


def run_changes(connection: psycopg.Connection, run: RecordedRun) -> list[SeriesChanges]:
    """What a run changed, by series: those that it changed at all, in the order of their names."""
    parameters = {
        "run": run.run_id,
        "source": run.source,
        "started": run.started_at,
        "finished": run.finished_at or utc_now(),
        "low": max(run.window_start, _FIRST + _REACH_BACK) - _REACH_BACK,
        "high": run.window_end or _LAST,
    }
    with database_errors("reading what the run changed"):
        cursor = connection.cursor(row_factory=record_row(SeriesChanges))
        return cursor.execute(query_for(connection, "run_changes"), parameters).fetchall()


def _matching_sources(
    connection: psycopg.Connection,
    patterns: Iterable[str],
    tagged: Callable[[str], Iterable[str]] | None,
) -> list[str]:
    known = [name for (name,) in connection.execute(query("run_sources"))]
    names: set[str] = set()
    for pattern in patterns:
        matches = {name for name in known if fnmatchcase(name, pattern)}
        if not matches and tagged is not None:
            matches = {*tagged(pattern)} & {*known}
        if not matches:
            raise UsageError(
                f"no source {pattern!r} ever ran here",
                hint=suggestion(pattern, known, "See: dataportal list-sources"),
            )
        names |= matches
    return sorted(names)


def _read_runs(
    connection: psycopg.Connection, name: str, parameters: dict[str, Any]
) -> list[RecordedRun]:
    cursor = connection.cursor(row_factory=dict_row).execute(query(name), parameters)
    rows = cursor.fetchall()
    if all(row["outcome"] for row in rows):
        return [_recorded_run(row) for row in rows]
    (schema,) = connection.execute("SELECT current_schema()").fetchone() or ("",)
    locked = held_keys(connection)
    return [_recorded_run(row, is_locked=lock_key(schema, row["source"]) in locked) for row in rows]


def _recorded_run(row: dict[str, Any], *, is_locked: bool = False) -> RecordedRun:
    unlocked_until, text = row.pop("unlocked_until"), row.pop("outcome")
    counts = Counts(**{name: row.pop(name) for name in Counts.__slots__})
    outcome: Outcome | Progress
    if text is not None:
        outcome = Outcome(text)
    elif is_locked:
        outcome = Progress.RUNNING
    else:
        outcome = Progress.WAITING if will_return(unlocked_until) else Outcome.INTERRUPTED
    kind = RunKind(row.pop("kind"))
    run = RecordedRun(**row, kind=kind, outcome=outcome, counts=counts)
    if text is None and outcome is Outcome.INTERRUPTED:
        return replace(run, error="the program was killed, or its machine went down")
    return run
