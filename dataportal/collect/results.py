"""What is asked of a run, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dataportal.errors import ExitCode
from dataportal.store.records import Counts, Outcome, RunKind
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dataportal.config import Source
    from dataportal.errors import Problem


class OnLocked(StrEnum):
    """What to do about a source that another run holds."""

    SKIP = "skip"
    WAIT = "wait"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One source to run.

    Attributes:
        source: the source.
        start: the start of a backfill; None for a scheduled run, whose window is its own affair.
        end: the end of a backfill, absolute.
        resume: go on with the newest unfinished backfill instead.
        only_if_due: ask again under the lock whether the source is due, and do nothing if not.
        dry_run: fetch and compare, write nothing.
        accept_retractions: let nulls retract most of a series, too.
        on_locked: what to do if another run holds the source.
    """

    source: Source
    start: datetime | None = None
    end: datetime | None = None
    resume: bool = False
    only_if_due: bool = False
    dry_run: bool = False
    accept_retractions: bool = False
    on_locked: OnLocked = OnLocked.SKIP

    @property
    def kind(self) -> RunKind:
        """Backfill if a window was named, else scheduled."""
        named = self.start is not None or self.resume
        return RunKind.BACKFILL if named else RunKind.SCHEDULED


@dataclass(slots=True)
class RunResult:
    """What came of one source; `document()` is the contract of `--json`.

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
        seconds: how long it took, waits included.
        error: why it failed.
        code: the exit code it asks for.
        warnings: what to tell besides.
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
    seconds: float = 0.0
    error: str | None = None
    code: ExitCode = ExitCode.DONE
    warnings: list[str] = field(default_factory=list)

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
            "seconds": round(self.seconds, 3),
            "error": self.error,
            "warnings": list(self.warnings),
        }


def unusable(source: str, problems: Sequence[Problem]) -> RunResult:
    """The result of an entry of sources.yaml that cannot be used."""
    return RunResult(
        source,
        RunKind.SCHEDULED,
        Outcome.FAILED,
        error="; ".join(map(str, problems)),
        code=ExitCode.INCOMPLETE,
    )
