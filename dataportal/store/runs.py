"""The records of runs, and what is remembered of a source between them."""

from __future__ import annotations

import os
import random
import socket
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from dataportal.redaction import harmless, redact
from dataportal.store.connection import one_trip
from dataportal.store.queries import query
from dataportal.store.records import Backfill, Counts, Outcome, SourceState
from dataportal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import psycopg

    from dataportal.store.records import RunKind

_PRUNES = 1 / 8  # of all runs: to look for what is old takes a tenth of a small one


def start_run(
    connection: psycopg.Connection,
    source: str,
    kind: RunKind,
    start: datetime,
    end: datetime | None,
    *,
    at_once: bool = False,
) -> int:
    """Record that a run began; its run_id.

    Args:
        connection: any connection to the database.
        source: the run's source.
        kind: why it takes place.
        start: the start of its window.
        end: the end of its window, if it has one.
        at_once: not to wait for the disk. Whatever the run commits later does, and brings this
            with it; but within a transaction it would hold for all of that.
    """
    row = connection.execute(
        query("run_start"),
        {
            "source": source,
            "kind": kind.value,
            "start": start,
            "end": end,
            "at_once": at_once,
            **_process(),
        },
    ).fetchone()
    return int(row[0]) if row else 0


def resume_run(connection: psycopg.Connection, run_id: int) -> None:
    """Record that this process takes an unfinished run up."""
    connection.execute(query("run_resume"), {"run": run_id, **_process()})


def finish_run(
    connection: psycopg.Connection,
    source: str,
    run_id: int,
    outcome: Outcome,
    *,
    error: str | None,
    key: int | None,
    counts: Counts,
    history_asked: Sequence[str] = (),
    prune: bool | None = None,
) -> None:
    """Record how a run ended, in one transaction with what follows from it for its source.

    Args:
        connection: any connection to the database.
        source: the run's source.
        run_id: the run.
        outcome: how it ended.
        error: why it failed, or what it left out; secrets are masked.
        counts: figures of its slices that are not recorded yet.
        key: the number of the source's lock, if it was taken: while it is held nothing older can
            still be written, and what is known is final.
        history_asked: the series whose initial history has been asked for.
        prune: forget old runs of the source that wrote nothing; by default one run in eight does,
            whichever that is.
    """
    if prune is None:
        prune = random.random() < _PRUNES  # noqa: S311 - nobody gains by guessing it
    said = None if error is None else harmless(redact(error))
    with one_trip(connection) if history_asked or prune else nullcontext():
        connection.execute(
            query("run_finish"),
            {
                "run": run_id,
                "outcome": outcome.value,
                "error": said,
                **counts.named(),
                "key": key,
            },
        )
        if history_asked:
            connection.execute(
                query("run_history_asked"), {"source": source, "names": list(history_asked)}
            )
        if prune:
            connection.execute(query("run_prune"), {"source": source})


def unfinished_backfill(connection: psycopg.Connection, source: str) -> Backfill | None:
    """The newest backfill of the source that did not reach its end."""
    row = connection.execute(query("run_unfinished_backfill"), {"source": source}).fetchone()
    if row is None:
        return None
    run_id, start, end, done_until, vintages, *counts = row
    return Backfill(run_id, start, end, done_until, Counts(*counts), vintages)


def ask_state(connection: psycopg.Connection, source: str) -> psycopg.Cursor[Any]:
    """Ask what is remembered of a source; `told_state` tells, if in a pipeline after it."""
    return connection.execute(query("source_state"), {"source": source})


def told_state(asked: psycopg.Cursor[Any], source: str) -> SourceState:
    """What is remembered of the source."""
    row = asked.fetchone()
    return state_from_row(row) if row else SourceState(source)


def state_from_row(row: Sequence[Any]) -> SourceState:
    """A row of source, last attempt, outcome, success, known_through, failures, error."""
    source, attempt, outcome, success, known_through, failures, error = row
    return SourceState(
        source=source,
        last_attempt=attempt,
        last_outcome=Outcome(outcome) if outcome else None,
        last_success=success,
        known_through=known_through,
        failures=failures,
        last_error=error,
    )


def _process() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "version": __version__}
