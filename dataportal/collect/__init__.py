"""Runs sources: fetches, cleans and stores them, one or many side by side.

    results = await collect(requests, settings=…, database_url=…, root=…, env=…, jobs=8,
                            events=listener, stop=StopSignal(), on_failure=…)

`RunRequest` says what to run, `RunResult` how that ended, `Event` what happens along the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.collect.events import Event, Finished, Listener, Started, Stored, Waiting, Warned
from dataportal.collect.results import (
    RunRequest,
    RunResult,
    due_requests,
    resume_requests,
    unusable_entry,
)
from dataportal.collect.stop import StopSignal
from dataportal.collect.windows import count_requests, plan_backfill

if TYPE_CHECKING:
    from dataportal.collect.engine import collect

__all__ = [
    "Event",
    "Finished",
    "Listener",
    "RunRequest",
    "RunResult",
    "Started",
    "StopSignal",
    "Stored",
    "Waiting",
    "Warned",
    "collect",
    "count_requests",
    "due_requests",
    "plan_backfill",
    "resume_requests",
    "unusable_entry",
]


def __getattr__(name: str) -> Any:
    """Import the engine where it is used: to find that nothing is due needs none of it."""
    if name == "collect":
        from dataportal.collect.engine import collect

        return collect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
