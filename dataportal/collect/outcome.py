"""Adds up what the slices of a run brought, and says in one sentence how the run ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.collect.results import RunResult
from dataportal.errors import (
    DatabaseError,
    ExitCode,
    UsageError,
)
from dataportal.redaction import harmless, redact
from dataportal.store.records import Counts, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from dataportal.config import Source
    from dataportal.errors import (
        DataportalError,
        LockedError,
    )
    from dataportal.observations import Batch, Rejection
    from dataportal.store.records import Backfill, MergeResult, RunKind

_NAMED = 5


class Tally:
    """The result of one run in the making."""

    def __init__(self, source: Source, kind: RunKind) -> None:
        self.result = RunResult(source.name, kind, Outcome.FAILED)
        self._silent: set[str] = set()
        self._unchanged = False
        self._withheld: set[str] = set()
        self._rejections: list[Rejection] = []
        self._before = Counts()
        self._vintages_before = 0
        self._new: set[str] = set()
        self._unrecorded = Counts()

    def resumes(self, backfill: Backfill) -> None:
        """The run goes on with a backfill, whose verdict is one for both parts."""
        self._before, self._vintages_before = backfill.counts, backfill.vintages

    def expects(self, new: set[str]) -> None:
        """The run asks for these series for the first time."""
        self._new = new

    def begins(self, run_id: int | None, start: datetime, end: datetime | None) -> None:
        """The run has its row and its window."""
        self.result.run_id, self.result.start, self.result.end = run_id, start, end

    def add(self, merged: MergeResult, batch: Batch) -> None:
        """One more slice is stored."""
        self.result.counts += merged.counts
        self.result.vintages += merged.vintages
        if not merged.recorded:
            self._unrecorded += merged.counts
        self._silent.update(set(merged.silent) - batch.unchanged)
        self._unchanged = self._unchanged or bool(batch.unchanged)
        self._withheld.update(merged.withheld)
        self._new -= {name for name, observations in batch.series.items() if len(observations)}
        self._new -= batch.unchanged | {rejection.series for rejection in batch.rejections}
        self._rejections.extend(batch.rejections[: _NAMED - len(self._rejections)])

    def unrecorded(self) -> Counts:
        """Figures that the run's row lacks until it ends; told once, as twice would be wrong."""
        told, self._unrecorded = self._unrecorded, Counts()
        return told

    def conclude(self) -> Outcome:
        """All slices are stored: how the run ended."""
        result, counts = self.result, self._before + self.result.counts
        faults = list(self._faults(counts))
        if not (counts.received or self._unchanged):
            result.outcome = Outcome.EMPTY
            result.reason = "the answer holds no points; nothing was changed"
        elif faults:
            result.outcome = Outcome.PARTIAL
            result.reason = "; ".join(faults)
            result.code = ExitCode.INCOMPLETE
        elif counts.changed or self._vintages_before + result.vintages:
            result.outcome = Outcome.SUCCEEDED
        else:
            result.outcome = Outcome.UNCHANGED
        return result.outcome

    def unseen(self) -> Iterable[str]:
        """What to say of new series that did not come, though others did: said once, never again.

        A slip in an extract_filter looks so, where a provider leaves out what it does not know.
        """
        if self._new and self.result.outcome is not Outcome.EMPTY:
            yield f"no points for {_names(self._new)}, asked for the first time: is the name right?"

    def failed(self, error: DataportalError) -> None:
        """The run ended with an error; what was stored before stays."""
        self.result.outcome = Outcome.FAILED
        self.result.error = harmless(redact(str(error)))
        kept = isinstance(error, DatabaseError | UsageError)
        self.result.code = error.exit_code if kept else ExitCode.INCOMPLETE

    def bug(self, error: Exception) -> None:
        """The run ended with an error that nobody foresaw."""
        self.result.outcome = Outcome.FAILED
        said = f"bug: {type(error).__name__}: {error}"
        self.result.error = harmless(redact(said))
        self.result.code = ExitCode.BUG

    def locked(self, error: LockedError, *, fails: bool) -> None:
        """Another run holds the source."""
        self.result.outcome = Outcome.FAILED if fails else Outcome.SKIPPED
        self.result.reason = harmless(redact(error.message))
        if fails:
            self.result.error = self.result.reason
            self.result.code = ExitCode.LOCKED

    def interrupted(self, code: ExitCode) -> None:
        """A signal ended the run; what was stored before stays."""
        self.result.outcome = Outcome.INTERRUPTED
        self.result.reason = "interrupted by a signal; what was not committed was rolled back"
        self.result.code = code

    def _faults(self, counts: Counts) -> Iterable[str]:
        if counts.rejected:
            said = f"{_points(counts.rejected)} rejected"
            for first in self._rejections[:1]:
                said += f", the first: series {first.series!r}, point {first.position}: "
                said += first.reason
            yield harmless(said, 1000)
        if counts.withheld:
            yield (
                f"{_points(counts.withheld)} withheld that would retract most of "
                f"{_names(self._withheld) or 'a series'}: if the provider means it, "
                "--accept-retractions"
            )
        if self._silent:
            yield f"no points for {_names(self._silent)}, where some are stored"


def _points(count: int) -> str:
    return "1 point" if count == 1 else f"{count:,} points"


def _names(names: set[str]) -> str:
    shown = ", ".join(repr(name) for name in sorted(names)[:_NAMED])
    more = len(names) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown
