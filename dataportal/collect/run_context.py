"""What all runs of one command share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dataportal.errors import ExitCode

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dataportal.collect.events import Listener
    from dataportal.collect.session_pool import Sessions
    from dataportal.collect.workers import WorkerPool
    from dataportal.errors import DatabaseError
    from dataportal.plugins.http import HttpClient
    from dataportal.settings import Settings


def present() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Surroundings:
    """What all runs of one command share.

    Attributes:
        settings: retries and waits.
        root: the folder of sources.yaml, for plugins and files beside it.
        env: the environment, for `${VAR}`.
        events: told what happens.
        failed: told of the exception behind each failure, for its traceback.
        seats: as many as sources may run at a time.
        lanes: threads for calls that may never end.
        sessions: connects sources to the database.
        http: the client of all built-in plugins.
        now: tells the time.
        hosts_given_up: hosts that used up their retries.
        database_fault: why the database cannot be used, once that is known.
        stop_code: the exit code of a run that was interrupted.
    """

    settings: Settings
    root: Path
    env: Mapping[str, str]
    events: Listener
    failed: Callable[[str, BaseException], None]
    seats: asyncio.Semaphore
    lanes: WorkerPool
    sessions: Sessions
    http: HttpClient
    now: Callable[[], datetime] = present
    hosts_given_up: set[str] = field(default_factory=set)
    database_fault: DatabaseError | None = None
    stop_code: ExitCode = ExitCode.SIGTERM
