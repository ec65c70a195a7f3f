"""Adds up what the slices of a run stored, and finds the outcome of the run and its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.collect.results import RunResult
from dataportal.command_lines import command_line
from dataportal.errors import (
    DatabaseError,
    ExitCode,
    TransientError,
    UsageError,
)
from dataportal.redaction import harmless, redact
from dataportal.store.records import AnswerExtent, Counts, Outcome
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from dataportal.config import Source
    from dataportal.errors import (
        DataportalError,
        LockedError,
    )
    from dataportal.observations import Batch, Rejection
    from dataportal.store.failover import Failover
    from dataportal.store.records import Backfill, MergeResult, RunKind, SeriesProgress

_MOST_NAMES = 5
_MOST_CHANGES = 10_000
"""So many points of a dry run are named."""


class RunReport:
    """The result of one run in the making.

    Args:
        source: the source.
        kind: scheduled or backfill.
        dry_run: whether nothing is written, and the points are named instead.

    Attributes:
        result: the result.
        doubt: why an answer may be a page, of which nobody asked for the others.
        failover: the server that is written to has taken over since the last run.
    """

    def __init__(self, source: Source, kind: RunKind, *, dry_run: bool = False) -> None:
        self.result = RunResult(source.name, kind, Outcome.FAILED)
        if dry_run:
            self.result.changes = []
        self._silent: set[str] = set()
        self._has_unchanged = False
        self._withheld: set[str] = set()
        self._rejections: list[Rejection] = []
        self._counts_before = Counts()
        self._vintages_before = 0
        self._new_series: set[str] = set()
        self._refused: set[str] = set()
        self._taken: set[str] = set()
        self._advanced: set[str] = set()
        self._answers: dict[str, AnswerExtent] = {}
        self._unrecorded = Counts()
        self.doubt: str | None = None
        self.failover: Failover | None = None
        self._before = self._after = 0

    def resume(self, backfill: Backfill) -> None:
        """The run goes on with a backfill; its outcome is that of both parts together."""
        self._counts_before, self._vintages_before = backfill.counts, backfill.vintages

    def expect_new_series(self, names: set[str]) -> None:
        """The run asks for these series for the first time."""
        self._new_series = names

    def begin(self, run_id: int | None, start: datetime, end: datetime | None) -> None:
        """The run has its row and its window."""
        self.result.run_id, self.result.start, self.result.end = run_id, start, end

    def add(
        self, merged: MergeResult, batch: Batch, progress: Mapping[str, SeriesProgress]
    ) -> None:
        """One more slice is stored; `progress` is how far the series had come before the run."""
        self.result.counts += merged.counts
        if self.result.changes is not None:
            room = _MOST_CHANGES - len(self.result.changes)
            self.result.changes += merged.changes[:room]
            self.result.changes_left_out += max(len(merged.changes) - room, 0)
        self.result.vintages += merged.vintages
        self.result.withdrawn += merged.withdrawn
        self._before += batch.before
        self._after += batch.after
        if not merged.recorded:
            self._unrecorded += merged.counts
        self._silent.update(set(merged.silent) - batch.unchanged)
        self._has_unchanged = self._has_unchanged or bool(batch.unchanged)
        self._withheld.update(merged.withheld)
        self._refused |= batch.refused_series
        self._taken |= batch.unchanged | {
            name for name, observations in batch.series.items() if len(observations)
        }
        self._new_series -= self._taken | self._refused
        if merged.counts.inserted:
            self._advanced |= _advanced_series(batch, progress)
        for name, extent in _answer_extents(batch):
            self._answers[name] = self._answers.get(name, AnswerExtent()) + extent
        self.doubt = self.doubt or batch.doubt
        self._rejections.extend(batch.rejections[: _MOST_NAMES - len(self._rejections)])

    @property
    def refused_series(self) -> set[str]:
        """The series of which points came, and none could be taken: they have no history yet."""
        return self._refused - self._taken

    @property
    def advanced_series(self) -> set[str]:
        """The series of which a newer ts than all before is stored."""
        return self._advanced

    @property
    def knows_server(self) -> bool:
        """Whether nothing is to be told of another server any more: else the next run tells it."""
        return self.failover is None or self.result.outcome is Outcome.PARTIAL

    @property
    def answers(self) -> Mapping[str, AnswerExtent]:
        """How far the answers reached in each series, once all slices are stored; else nothing."""
        whole = {Outcome.SUCCEEDED, Outcome.UNCHANGED, Outcome.PARTIAL}
        return self._answers if self.result.outcome in whole else {}

    def take_unrecorded(self) -> Counts:
        """The counts that the run's row still lacks; handed out once, to be recorded once."""
        unrecorded, self._unrecorded = self._unrecorded, Counts()
        return unrecorded

    def conclude(self) -> None:
        """All slices are stored: the outcome follows from what became of their points."""
        result, counts = self.result, self._counts_before + self.result.counts
        faults = list(self._faults(counts))
        has_news = counts.changed or self._vintages_before + result.vintages or result.withdrawn
        is_empty = not (counts.received or self._has_unchanged or result.withdrawn)
        if is_empty and not self.failover:
            result.outcome = Outcome.EMPTY
            result.reason = "the answer holds no points; nothing was changed"
        elif faults:
            result.outcome = Outcome.PARTIAL
            result.reason = "; ".join(faults)
            result.code = ExitCode.INCOMPLETE
        elif counts.received == counts.outside and not (self._has_unchanged or has_news):
            result.outcome = Outcome.EMPTY
            result.reason = _outside(counts.outside, before=self._before, after=self._after)
        elif has_news:
            result.outcome = Outcome.SUCCEEDED
        else:
            result.outcome = Outcome.UNCHANGED

    def new_series_warnings(self) -> Iterable[str]:
        """A warning of new series without points, where others have some; only in their first run.

        A slip in an extract_filter looks so, where a provider leaves out what it does not know.
        """
        if self._new_series and self.result.outcome is not Outcome.EMPTY:
            names = _names(self._new_series)
            yield f"no points for {names}, asked for the first time: is the name right?"

    def fail(self, error: DataportalError) -> None:
        """The run ended with an error; what was stored before stays."""
        self.result.outcome = Outcome.FAILED
        self.result.error = harmless(redact(str(error)))
        self.result.host = error.host if isinstance(error, TransientError) else None
        has_own_code = isinstance(error, DatabaseError | UsageError)
        self.result.code = error.exit_code if has_own_code else ExitCode.INCOMPLETE

    def fail_with_bug(self, error: Exception) -> None:
        """The run ended with an error that nobody foresaw."""
        self.result.outcome = Outcome.FAILED
        self.result.error = harmless(redact(f"bug: {type(error).__name__}: {error}"))
        self.result.code = ExitCode.BUG

    def stay_out(self, error: LockedError, *, fails: bool) -> None:
        """Another run holds the source; `fails`: whether that is a failure, not just a skip."""
        self.result.outcome = Outcome.FAILED if fails else Outcome.SKIPPED
        self.result.reason = harmless(redact(error.message))
        if fails:
            self.result.error = self.result.reason
            self.result.code = ExitCode.LOCKED

    def interrupt(self, code: ExitCode) -> None:
        """A signal ended the run; what was stored before stays."""
        self.result.outcome = Outcome.INTERRUPTED
        self.result.reason = "ended by a signal; what it stored stays"
        self.result.code = code

    def _faults(self, counts: Counts) -> Iterable[str]:
        if counts.rejected:
            message = f"{_points(counts.rejected)} rejected"
            for first in self._rejections[:1]:
                message += f", the first: series {first.series!r}, point {first.position}: "
                message += first.reason
            yield harmless(message, 1000)
        if counts.withheld:
            yield (
                f"{_points(counts.withheld)} withheld that would retract most of "
                f"{_names(self._withheld) or 'a series'}: if the provider means it, "
                + command_line("fetch", self.result.source, "--accept-retractions", shared=True)
            )
        if self._silent:
            yield f"no points for {_names(self._silent)}, where some are stored"
        if self.failover:
            before, after, known_through = self.failover
            last = f" after {iso(known_through)}" if known_through else ""
            yield (
                f"another database server has taken over (timeline {before}, now {after}): what "
                f"was stored{last} may be lost, and is asked for again; an answer as of a later "
                "time that was called final before may be another one now"
            )


def _answer_extents(batch: Batch) -> Iterator[tuple[str, AnswerExtent]]:
    for name, observations in batch.series.items():
        if ts := observations.ts:
            yield name, AnswerExtent(ts[0], ts[-1], len(ts))
    for name in batch.unchanged:
        yield name, AnswerExtent(unchanged=True)


def _advanced_series(batch: Batch, progress: Mapping[str, SeriesProgress]) -> set[str]:
    advanced = set()
    for name, observations in batch.series.items():
        newest = observations.newest
        before = progress[name].newest if name in progress else None
        if newest is not None and (before is None or newest > before):
            advanced.add(name)
    return advanced


def _outside(count: int, *, before: int, after: int) -> str:
    """Where the points of an answer lie of which none is in the window."""
    every = "" if count == 1 else " all"
    if before == count:
        return f"{_points(count)},{every} before the window; nothing was changed"
    if after == count:
        return f"{_points(count)},{every} after the window; nothing was changed"
    sides = f": {before:,} before, {after:,} after" if before + after == count else ""
    return f"{_points(count)} outside of the window{sides}; nothing was changed"


def _points(count: int) -> str:
    return "1 point" if count == 1 else f"{count:,} points"


def _names(names: set[str]) -> str:
    listed = ", ".join(repr(name) for name in sorted(names)[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{listed} and {more} more" if more > 0 else listed
