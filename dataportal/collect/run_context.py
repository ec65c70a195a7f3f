"""The context of a run: what all runs of one command share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataportal.errors import ExitCode
from dataportal.times import utc_now

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta
    from pathlib import Path

    from dataportal.collect.events import Listener
    from dataportal.collect.session_pool import SessionPool
    from dataportal.collect.workers import WorkerPool
    from dataportal.errors import DatabaseError
    from dataportal.plugins.http import HttpClient
    from dataportal.settings import Settings
    from dataportal.store.records import SourceState


@dataclass(slots=True)
class RunContext:
    """What all runs of one command share.

    Attributes:
        settings: retries and waits.
        root: the folder of sources.yaml, for plugins and files beside it.
        env: the environment, for `${VAR}`.
        emit: shows an event.
        on_failure: shows the exception behind a source's failure, for its traceback.
        slots: as many as sources may run at a time.
        workers: threads for calls that may never end.
        sessions: connects sources to the database.
        http: the client of all built-in plugins.
        now: the clock.
        hosts_given_up: hosts that used up their retries.
        database_fault: why the database cannot be used, once that is known.
        stop_code: the exit code of a run that was interrupted.
        states: what was remembered of each source when the command began, by its name.
        remind: how long a failure that does not change is no news; None tells it at each run.
    """

    settings: Settings
    root: Path
    env: Mapping[str, str]
    emit: Listener
    on_failure: Callable[[str, BaseException], None]
    slots: asyncio.Semaphore
    workers: WorkerPool
    sessions: SessionPool
    http: HttpClient
    now: Callable[[], datetime] = utc_now
    hosts_given_up: set[str] = field(default_factory=set)
    database_fault: DatabaseError | None = None
    stop_code: ExitCode = ExitCode.SIGTERM
    states: Mapping[str, SourceState] = field(default_factory=dict)
    remind: timedelta | None = None
