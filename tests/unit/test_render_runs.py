"""What is said of a run when it has ended, in the log and in the table."""

from __future__ import annotations

import io

from dataportal.collect.results import RunResult
from dataportal.render.run_progress import outcome_sentence
from dataportal.render.runs import RunsView
from dataportal.store.records import Counts, Outcome, RunKind


def test_publications_are_told() -> None:
    """A run that brought old ones alone changed no value, and yet it says what it stored."""
    counts = Counts(received=1204, unchanged=1200, nulls=4)
    run = RunResult("gdp", RunKind.SCHEDULED, Outcome.SUCCEEDED, counts=counts, vintages=1100)
    assert outcome_sentence(run) == "succeeded (1,200 unchanged, 1,100 published)"
    view = RunsView([run], ok=True, took=1.0, dry_run=False)
    lines = list(view.lines(io.StringIO()))
    assert any(line.endswith("1100 published, 4 nulls") for line in lines)


def test_a_run_without_publications_does_not_speak_of_them() -> None:
    """As most providers have none."""
    run = RunResult("load", RunKind.SCHEDULED, Outcome.SUCCEEDED, counts=Counts(2, inserted=2))
    assert outcome_sentence(run) == "succeeded (2 new)"
    assert "published" not in "".join(
        RunsView([run], ok=True, took=1.0, dry_run=False).lines(io.StringIO())
    )


def test_where_nothing_is_due_one_line_says_so() -> None:
    """Without the head of a table that has no rows."""
    view = RunsView([], ok=True, took=0.1, dry_run=False)
    assert list(view.lines(io.StringIO())) == ["0 sources in 0.1 s: nothing to do"]
