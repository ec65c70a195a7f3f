"""Records runs in `fetch_run`, and reads what is remembered of a source between them."""

from __future__ import annotations

import os
import random
import socket
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row, kwargs_row

from dataportal.redaction import harmless, redact
from dataportal.store.clock import TOLERANCE, check_time
from dataportal.store.connection import pipelined_transaction
from dataportal.store.encoding import storable
from dataportal.store.queries import query
from dataportal.store.records import Backfill, Counts, Outcome, SourceState
from dataportal.times import utc_now
from dataportal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    import psycopg

    from dataportal.store.failover import Server
    from dataportal.store.records import AnswerExtent, RunKind

_TAKES = {Outcome.SUCCEEDED, Outcome.UNCHANGED, Outcome.EMPTY, Outcome.PARTIAL}
_PRUNES = 1 / 8  # of all runs: to look for what is old takes a tenth of a small one


def start_run(
    connection: psycopg.Connection,
    source: str,
    kind: RunKind,
    start: datetime,
    end: datetime | None,
    *,
    backfill: int | None = None,
    at_once: bool = False,
) -> int:
    """Record that a run began, and that earlier ones without an end were killed; its run_id.

    Args:
        connection: any connection to the database.
        source: the run's source.
        kind: why it takes place.
        start: the start of its window.
        end: the end of its window, if it has one.
        backfill: the backfill of several sources that it is part of.
        at_once: do not wait for the disk; whatever the run commits later does, and brings this
            with it. Not within a transaction, where it would hold for all of that.
    """
    cursor = connection.execute(
        query("run_start"),
        {
            "source": source,
            "kind": kind.value,
            "start": start,
            "end": end,
            "backfill": backfill,
            "at_once": at_once,
            **_this_process(),
        },
    )
    run_id, has_open, _ = cursor.fetchone() or (0, False, None)
    if has_open:
        connection.execute(query("run_close_killed"), {"run": run_id})
    return int(run_id)


def resume_run(connection: psycopg.Connection, run_id: int) -> None:
    """Record that this process takes an unfinished run up."""
    connection.execute(query("run_resume"), {"run": run_id, **_this_process()})


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
    advanced: Sequence[str] = (),
    lookback: timedelta | None = None,
    doubt: str | None = None,
    settled: bool = False,
    told: bool = False,
    answers: Mapping[str, AnswerExtent] | None = None,
    prune: bool | None = None,
    server: Server | None = None,
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
        advanced: the series of which it stored a newer ts than all before.
        lookback: how far before the newest observation it asked; None where that is not known.
        doubt: why its answers may be pages, of which nobody asked for the others; the first one is
            kept.
        told: that it ended ill is told to somebody.
        settled: the source's entry says what there is to say of pages: no doubt is left.
        answers: how far it reached in each series that may be a forecast, by endpoint_prefix.
        prune: forget old runs of the source that wrote nothing; by default one run in eight does,
            whichever that is.
        server: the one that it was written to, where that is another than before.
    """
    if prune is None:
        prune = random.random() < _PRUNES  # noqa: S311 - nobody gains by guessing it
    has_doubt = doubt is not None and not settled
    is_alone = not (has_doubt or history_asked or advanced or answers or prune or server)
    before = utc_now()
    with nullcontext() if is_alone else pipelined_transaction(connection):
        clocks = connection.execute(
            query("run_finish"),
            {
                "earliest": before - TOLERANCE,
                "latest": before + TOLERANCE,
                "run": run_id,
                "outcome": outcome.value,
                "error": storable(connection, None if error is None else harmless(redact(error))),
                **counts.by_name(),
                "key": key,
                "lookback": lookback,
                "settled": settled,
                "told": told,
            },
        )
        if has_doubt:
            connection.execute(
                query("run_doubt"), {"run": run_id, "doubt": storable(connection, doubt)}
            )
        if history_asked:
            connection.execute(
                query("run_history_asked"), {"source": source, "names": list(history_asked)}
            )
        if advanced:
            connection.execute(query("run_advanced"), {"run": run_id, "names": list(advanced)})
        if answers:
            connection.execute(
                query("run_issues"),
                {
                    "run": run_id,
                    "names": list(answers),
                    "first": [answer.first for answer in answers.values()],
                    "last": [answer.last for answer in answers.values()],
                    "points": [answer.points for answer in answers.values()],
                    "unchanged": [answer.unchanged for answer in answers.values()],
                },
            )
        if prune:
            connection.execute(query("run_prune"), {"source": source})
        if server is not None:
            connection.execute(
                query("run_server"),
                {"source": source, "started": server.started_at, "timeline": server.timeline},
            )
    # what failed or was left is no more than that under a clock that is wrong
    clock = clocks.fetchone() if outcome in _TAKES else None
    if clock is not None:
        check_time(clock[0], before=before, after=utc_now())


def unfinished_backfill(
    connection: psycopg.Connection, source: str, backfill: int | None = None
) -> Backfill | None:
    """The newest backfill of the source that did not reach its end; perhaps as part of that one."""
    cursor = connection.cursor(row_factory=dict_row)
    parameters = {"source": source, "backfill": backfill}
    columns = cursor.execute(query("run_unfinished_backfill"), parameters).fetchone()
    if columns is None:
        return None
    counts = Counts(**{name: columns.pop(name) for name in Counts.__slots__})
    return Backfill(**columns, counts=counts)


def select_state(connection: psycopg.Connection, source: str) -> psycopg.Cursor[SourceState]:
    """Select what is remembered of a source, in a pipeline without waiting; no row for nothing."""
    cursor = connection.cursor(row_factory=kwargs_row(source_state))
    return cursor.execute(query("source_state"), {"source": source})


def source_state(*, last_outcome: str | None, **columns: Any) -> SourceState:
    """The state of a source, from the columns of `source_state` by the names of its fields."""
    outcome = None if last_outcome is None else Outcome(last_outcome)
    return SourceState(last_outcome=outcome, **columns)


def sources_run_since(connection: psycopg.Connection, instant: datetime) -> set[str]:
    """The sources of which a run has ended since then, well or not."""
    rows = connection.execute(query("run_finished_since"), {"since": instant})
    return {source for (source,) in rows}


def leave_lock(connection: psycopg.Connection, run_id: int, seconds: float) -> None:
    """Record that a run does without its lock for at most so many seconds, and is not dead."""
    connection.execute(query("run_leave_lock"), {"run": run_id, "seconds": seconds})


def will_return(unlocked_until: datetime | None) -> bool:
    """Whether a run without a lock and without an end said that it would be back yet."""
    return unlocked_until is not None and unlocked_until > utc_now()


def _this_process() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "version": __version__}
