"""When a failure is news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dataportal.collect.reminders import is_news, recovery
from dataportal.store.records import Outcome, SourceState

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def state(outcome: Outcome | None, error: str | None, told_ago: timedelta | None) -> SourceState:
    """A source whose last run ended so, and whose failure was last told so long ago."""
    return SourceState(
        "grid",
        last_attempt=NOW - timedelta(minutes=5),
        last_outcome=outcome,
        last_error=error,
        failing_since=NOW - 3 * DAY if outcome is Outcome.FAILED else None,
        reminded_at=None if told_ago is None else NOW - told_ago,
    )


@pytest.mark.parametrize(
    ("before", "outcome", "error", "expected"),
    [
        (state(Outcome.FAILED, "no answer", DAY / 2), Outcome.FAILED, "no answer", False),
        (state(Outcome.FAILED, "no answer", DAY), Outcome.FAILED, "no answer", True),
        (state(Outcome.FAILED, "404", DAY / 2), Outcome.FAILED, "no answer", True),
        (state(Outcome.FAILED, "in 37 s", DAY / 2), Outcome.FAILED, "in 4 s", False),
        (state(Outcome.FAILED, "x", None), Outcome.FAILED, "x", True),
        (state(Outcome.SUCCEEDED, "x", DAY / 2), Outcome.FAILED, "x", True),
        (state(Outcome.PARTIAL, "x", DAY / 2), Outcome.FAILED, "x", True),
        (state(Outcome.PARTIAL, "x", DAY / 2), Outcome.PARTIAL, "x", False),
        (state(Outcome.FAILED, "x", DAY / 2), Outcome.SUCCEEDED, None, True),
    ],
)
def test_a_failure_is_news_as_it_begins_as_it_changes_and_once_in_a_while(
    before: SourceState, outcome: Outcome, error: str | None, *, expected: bool
) -> None:
    """Figures alone are no change."""
    assert is_news(before, outcome, error, now=NOW, remind=DAY) is expected


def test_the_end_of_a_failure_is_news() -> None:
    """Of one that was ill; what was well, or still is ill, is none."""
    ill = state(Outcome.FAILED, "x", DAY)
    assert recovery(ill, Outcome.UNCHANGED) == (
        "works again, after it had failed since 2026-02-26T00:00:00Z"
    )
    assert recovery(ill, Outcome.PARTIAL) is None
    assert recovery(state(Outcome.SUCCEEDED, None, None), Outcome.SUCCEEDED) is None
    assert recovery(SourceState("new"), Outcome.SUCCEEDED) is None
