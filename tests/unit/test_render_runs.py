"""What is said of a run when it has ended, in the log and in the table."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dataportal.collect.results import RunResult
from dataportal.render.run_progress import outcome_sentence
from dataportal.render.runs import Plan, PlanTable, RunsView
from dataportal.schedule import Slice
from dataportal.store.records import Counts, Outcome, RunKind

if TYPE_CHECKING:
    import pytest


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


class NarrowTerminal(io.StringIO):
    """A terminal that does as it is told."""

    def isatty(self) -> bool:
        """Always."""
        return True


def test_a_narrow_terminal_does_without_counts_that_are_all_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that say something stay, and no word of an outcome is broken."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    counts = Counts(received=2920, inserted=2920)
    runs = [
        RunResult(
            "hist-000", RunKind.BACKFILL, Outcome.INTERRUPTED, counts=counts, reason="x " * 40
        ),
        RunResult("hist-001", RunKind.BACKFILL, Outcome.SUCCEEDED, counts=Counts(1, revised=1)),
    ]
    view = RunsView(runs, ok=False, took=1.0, dry_run=False)
    shown = "\n".join(view.lines(NarrowTerminal()))
    assert "interrupted" in shown
    assert "new" in shown
    assert "revised" in shown
    assert "withdrawn" not in shown.splitlines()[1]
    assert "withdrawn" in "\n".join(view.lines(io.StringIO())).lower()


def test_a_plan_adds_up_its_requests() -> None:
    """As far as they are known; at least so many where they are not known of all."""
    now = datetime(2025, 1, 1, tzinfo=UTC)
    slices = [Slice(now, now)] * 2
    known, unknown = Plan("a", slices, [3, 4]), Plan("b", slices, [None, None])

    def summary(*plans: Plan) -> str:
        return [*PlanTable(plans, {}, UTC).lines(io.StringIO())][-1]

    assert summary(known, known) == "2 sources, 4 slices, 14 requests"
    assert summary(known, unknown) == "2 sources, 4 slices, at least 7 requests"
    assert summary(unknown) == "1 source, 2 slices"
