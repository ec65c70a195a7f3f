"""Fetches sources and stores what came: one run of one source, and many side by side.

    results = await collect(requests, settings=…, database_url=…, root=…, env=…, jobs=8,
                            events=listener, stop=StopSignal())

`RunRequest` says what to do, `RunResult` what came of it, `Event` what happens along the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.collect.due import due
from dataportal.collect.events import Event, Finished, Listener, Started, Stored, Waiting, Warned
from dataportal.collect.results import RunRequest, RunResult, unusable
from dataportal.collect.stop import StopSignal
from dataportal.collect.windows import planned

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
    "due",
    "planned",
    "unusable",
]


def __getattr__(name: str) -> Any:
    """The engine is imported when it is asked for: to find that nothing is due needs none of it."""
    if name == "collect":
        from dataportal.collect.engine import collect

        return collect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
