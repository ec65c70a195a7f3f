"""What of the requests is due, by what the database remembers of all sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.schedule import is_due

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dataportal.collect.results import RunRequest
    from dataportal.config import Source
    from dataportal.store.records import SourceState


def due(
    requests: Sequence[RunRequest], states: Mapping[str, SourceState], now: datetime
) -> list[RunRequest]:
    """The requests to carry out at `now`; each is asked again under its source's lock."""
    return [r for r in requests if not r.only_if_due or _is_due(r.source, states, now)]


def _is_due(source: Source, states: Mapping[str, SourceState], now: datetime) -> bool:
    state = states.get(source.name)
    return state is None or is_due(
        now,
        schedule=source.schedule,
        offset=source.slot_offset,
        last_attempt=state.last_attempt,
        last_failed=state.last_failed,
    )
