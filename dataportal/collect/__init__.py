"""Fetches sources and stores what came: one run of one source, and many side by side.

    results = await collect(requests, settings=…, database_url=…, root=…, env=…, jobs=8,
                            events=listener, stop=StopSignal())

`RunRequest` says what to do, `RunResult` what came of it, `Event` what happens along the way.
"""

from dataportal.collect.engine import collect
from dataportal.collect.events import Event, Finished, Listener, Started, Stored, Waiting, Warned
from dataportal.collect.results import OnLocked, RunRequest, RunResult, unusable
from dataportal.collect.stop import StopSignal
from dataportal.collect.windows import planned

__all__ = [
    "Event",
    "Finished",
    "Listener",
    "OnLocked",
    "RunRequest",
    "RunResult",
    "Started",
    "StopSignal",
    "Stored",
    "Waiting",
    "Warned",
    "collect",
    "planned",
    "unusable",
]
