"""Requests to run a source, and the results of runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dataportal.errors import ExitCode
from dataportal.on_locked import OnLocked
from dataportal.schedule import is_due
from dataportal.store.records import Counts, Outcome, RunKind
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dataportal.config import Source
    from dataportal.errors import Problem
    from dataportal.store.backfills import SourcesBackfill
    from dataportal.store.records import PointChange, SourceState


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One source to run.

    Attributes:
        source: the source.
        start: the start of a backfill; None for a scheduled run, which finds its own window.
        end: the end of a backfill, absolute.
        resume: go on with the newest unfinished backfill instead.
        only_if_due: find out under the lock whether the source is due, and do nothing if not.
        dry_run: fetch and compare, write nothing.
        accept_retractions: let nulls retract most of a series, too.
        accept_units: let the unit that answers name be another than before.
        on_locked: what to do if another run holds the source.
        backfill: the backfill of several sources that it is part of.
    """

    source: Source
    start: datetime | None = None
    end: datetime | None = None
    resume: bool = False
    only_if_due: bool = False
    dry_run: bool = False
    accept_retractions: bool = False
    accept_units: bool = False
    on_locked: OnLocked = OnLocked.SKIP
    backfill: int | None = None

    @property
    def kind(self) -> RunKind:
        """Backfill if it has a window, else scheduled."""
        has_window = self.start is not None or self.resume
        return RunKind.BACKFILL if has_window else RunKind.SCHEDULED

    @property
    def may_skip_unchanged(self) -> bool:
        """Whether it is a run as the schedule has it: only they keep and use what servers say.

        A backfill has an end, after which points are left out; a dry run shows what would be done;
        and who lets retractions through wants to see them.
        """
        is_special = self.dry_run or self.accept_retractions or self.accept_units
        return self.kind is RunKind.SCHEDULED and not is_special

    def should_run(self, state: SourceState | None, now: datetime) -> bool:
        """Whether to run the source at `now`.

        Args:
            state: what the database remembers of the source; None for nothing.
            now: the present.
        """
        if not self.only_if_due or state is None:
            return True
        return is_due(
            now,
            schedule=self.source.schedule,
            offset=self.source.slot_offset,
            last_attempt=state.last_attempt,
            last_failed=state.last_failed,
        )


def due_requests(
    requests: Sequence[RunRequest], states: Mapping[str, SourceState], now: datetime
) -> list[RunRequest]:
    """The requests to run at `now`; each source looks again under its lock.

    Args:
        requests: all of them; those that need not be due are among the answer.
        states: what the database remembers of each source, by its name.
        now: the present.
    """
    return [
        request for request in requests if request.should_run(states.get(request.source.name), now)
    ]


def resume_requests(requests: Sequence[RunRequest], backfill: SourcesBackfill) -> list[RunRequest]:
    """The requests that finish a backfill of several sources: of those that did not reach its end.

    Those that were begun go on after their last slice, the others begin.

    Args:
        requests: for each source that may take part.
        backfill: what is to be finished.
    """
    left, begun = set(backfill.left), set(backfill.begun)
    number = backfill.backfill_id
    return [
        replace(request, resume=True, backfill=number)
        if request.source.name in begun
        else replace(request, resume=False, start=backfill.start, end=backfill.end, backfill=number)
        for request in requests
        if request.source.name in left
    ]


@dataclass(slots=True)
class RunResult:
    """The result of one source's run; `document()` is the contract of `--json`.

    Attributes:
        source: its name.
        kind: scheduled or backfill.
        outcome: how it ended.
        run_id: the row in fetch_run; None if there is none (skipped, dry run, failed before).
        reason: one sentence for any outcome that is not plainly good.
        start: the start of the window asked for.
        end: its end; None for the newest there is.
        counts: what became of every point.
        vintages: how many publications were recorded.
        withdrawn: how many observations were withdrawn that had been read wrong.
        seconds: how long it took, waits included.
        error: why it failed.
        code: the exit code it asks for.
        warnings: what somebody should know besides.
        host: the host that failed, where that is why.
        is_news: whether an end that is ill is told, and not only recorded.
        recovery: that the source works again, where that is news.
        changes: of a dry run, the points that it would have written; None for any other.
        changes_left_out: how many more there are.
    """

    source: str
    kind: RunKind
    outcome: Outcome
    run_id: int | None = None
    reason: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    counts: Counts = field(default_factory=Counts)
    vintages: int = 0
    withdrawn: int = 0
    seconds: float = 0.0
    error: str | None = None
    code: ExitCode = ExitCode.DONE
    warnings: list[str] = field(default_factory=list)
    host: str | None = None
    is_news: bool = True
    recovery: str | None = None
    changes: list[PointChange] | None = None
    changes_left_out: int = 0

    @property
    def good(self) -> bool:
        """Whether nothing needs anybody's attention."""
        return self.code is ExitCode.DONE

    def document(self) -> dict[str, Any]:
        """The run as one object of the JSON contract; fields are only ever added."""
        return {
            "source": self.source,
            "run_id": self.run_id,
            "kind": self.kind.value,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "window": {
                "start": iso(self.start) if self.start else None,
                "end": iso(self.end) if self.end else None,
            },
            **self.counts.by_name(),
            "vintages": self.vintages,
            "withdrawn": self.withdrawn,
            "seconds": round(self.seconds, 3),
            "error": self.error,
            "warnings": list(self.warnings),
            **self._change_fields(),
        }

    def _change_fields(self) -> dict[str, Any]:
        if self.changes is None:
            return {}
        changes = [{**change._asdict(), "ts": iso(change.ts)} for change in self.changes]
        return {"changes": changes, "changes_left_out": self.changes_left_out}


def unusable_entry(source: str, problems: Sequence[Problem]) -> RunResult:
    """The result of an entry of sources.yaml that cannot be used."""
    return RunResult(
        source,
        RunKind.SCHEDULED,
        Outcome.FAILED,
        error="; ".join(map(str, problems)),
        code=ExitCode.INCOMPLETE,
    )
