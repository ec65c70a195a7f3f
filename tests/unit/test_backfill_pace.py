"""How long a backfill still takes, by the slices that are stored."""

from __future__ import annotations

from dataportal.collect.events import Finished, Started, Stored
from dataportal.collect.results import RunResult
from dataportal.render.backfill_pace import BackfillPace
from dataportal.store.records import Outcome, RunKind


def test_sources_that_have_not_begun_are_counted_like_those_that_have() -> None:
    """Two of ten sources have twenty slices each: two hundred in all."""
    seconds = iter([0.0, 30.0, 60.0])
    pace = BackfillPace(10, lambda: next(seconds))
    pace(Started("a", 20))
    pace(Started("b", 20))
    assert pace.sentence() == "0 of 10 sources"
    pace(Stored("a", 5, 20))
    pace(Stored("b", 5, 20))
    assert (pace.done, pace.total) == (10, 200)
    assert pace.sentence() == (
        "0 of 10 sources, 10 of about 200 slices, 10 a minute, about 19 min left"
    )


def test_what_a_source_left_undone_is_not_waited_for() -> None:
    """One that failed counts with the slices that it stored."""
    pace = BackfillPace(2, lambda: 1.0)
    for name in "ab":
        pace(Started(name, 10))
    pace(Stored("a", 3, 10))
    pace(Finished(RunResult("a", RunKind.BACKFILL, Outcome.FAILED)))
    assert (pace.done, pace.total) == (3, 13)
    pace(Stored("b", 10, 10))
    pace(Finished(RunResult("b", RunKind.BACKFILL, Outcome.SUCCEEDED)))
    assert (pace.done, pace.total) == (13, 13)
