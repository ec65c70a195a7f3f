"""Decides whether a failure is news: told as it begins, as it changes, and now and then. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dataportal.store.records import Outcome
from dataportal.times import iso

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from dataportal.store.records import SourceState

_ILL = {Outcome.FAILED, Outcome.PARTIAL}
_FIGURES = re.compile(r"\d+")


def is_news(
    state: SourceState, outcome: Outcome, error: str | None, *, now: datetime, remind: timedelta
) -> bool:
    """Whether to tell that a run ended ill.

    Args:
        state: what was remembered of the source before the run.
        outcome: how it ended.
        error: why. Reasons that differ in figures alone, such as times and counts, are the same.
        now: the present.
        remind: how long a failure that was told and did not change is no news.
    """
    if outcome not in _ILL or state.last_outcome is not outcome or state.reminded_at is None:
        return True
    if _without_figures(state.last_error) != _without_figures(error):
        return True
    return now - state.reminded_at >= remind


def recovery(state: SourceState, outcome: Outcome) -> str | None:
    """That a source works again which did not, as one sentence; None where that is no news."""
    is_over = state.last_outcome in _ILL and outcome in {Outcome.SUCCEEDED, Outcome.UNCHANGED}
    if not is_over:
        return None
    since = state.failing_since or state.last_attempt
    return f"works again, after it had failed since {iso(since)}" if since else "works again"


def _without_figures(text: str | None) -> str:
    return _FIGURES.sub("0", text or "")
