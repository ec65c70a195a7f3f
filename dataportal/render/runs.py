"""Shows what the runs of `fetch` and `fetch-all` brought, and the slices of a planned backfill."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.command_lines import command_line
from dataportal.render.console import printable
from dataportal.render.formatting import (
    NOTHING,
    format_instant,
    format_number,
    format_second,
    format_seconds,
    pluralize,
)
from dataportal.render.tables import Table
from dataportal.store.records import Counts, Outcome
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    from dataportal.collect.results import RunResult
    from dataportal.schedule import Slice
    from dataportal.store.backfills import SourcesBackfill
    from dataportal.store.read.overview import SourceRow
    from dataportal.store.records import PointChange

OUTCOME_MOODS = {
    "succeeded": "good",
    "unchanged": "dim",
    "empty": "doubtful",
    "partial": "doubtful",
    "failed": "bad",
    "skipped": "dim",
    "interrupted": "doubtful",
}
_COUNT_COLUMNS = ("inserted", "revised", "retracted", "unchanged")
_ENDS, _MOST_SERIES = 3, 20
_WRITTEN = {"inserted": "new", "revised": "revised", "retracted": "withdrawn"}
_REMARKABLE_COUNTS = ("duplicates", "rejected", "outside", "withheld", "nulls")


@dataclass(frozen=True, slots=True)
class RunsView:
    """The answer of `fetch` and `fetch-all`.

    Attributes:
        runs: in the order in which they are shown.
        ok: whether the exit code is 0.
        took: the seconds that passed for all of them together.
        dry_run: whether nothing was written.
        backfill: how far the backfill of several sources has come that they were part of.
        noun: what each of the runs is counted as.
    """

    runs: Sequence[RunResult]
    ok: bool
    took: float
    dry_run: bool
    backfill: SourcesBackfill | None = None
    noun: str = "source"

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A table with a row for each run, and a summary; that one alone if there are none."""
        if not self.runs:
            yield f"{pluralize(0, 'source')} in {format_seconds(self.took)}: nothing to do"
            yield from self._backfill_lines()
            return
        table = Table(
            (
                "source",
                "outcome",
                ">new",
                ">revised",
                ">withdrawn",
                ">unchanged",
                ">took",
                "remarks",
            ),
            moods=OUTCOME_MOODS,
            folding="remarks",
        )
        for run in self.runs:
            counts = run.counts + Counts(retracted=run.withdrawn)
            figures = (str(getattr(counts, name)) for name in _COUNT_COLUMNS)
            table.add(run.source, run.outcome, *figures, format_seconds(run.seconds), _remarks(run))
        # a narrow terminal does without the columns that say nothing
        columns = zip(table.titles, *table.rows, strict=True)
        table.dispensable = [title for title, *cells in columns if {*cells} <= {"0", ""}]
        yield from table.lines(stream)
        yield from self._change_lines(stream)
        yield self._summary()
        yield from self._backfill_lines()

    def brief(self) -> Iterator[str]:
        """What went wrong, a line a source, and the summary."""
        for run in self.runs:
            if not run.good:
                yield printable(f"{run.source}: {run.outcome}: {_remarks(run)}")
        yield self._summary()
        yield from self._backfill_lines(shared=True)

    def unfinished(self) -> Iterator[str]:
        """What was broken off, and what is left of a backfill, with the command that goes on."""
        if any(run.outcome is Outcome.INTERRUPTED for run in self.runs):
            yield self._summary()
        if self.backfill is not None and self.backfill.left:
            yield backfill_sentence(self.backfill)

    def document(self) -> Mapping[str, Any]:
        """`ok`, `runs`, and `backfill` where they were part of one of several sources."""
        document: dict[str, Any] = {"ok": self.ok, "runs": [run.document() for run in self.runs]}
        return document | _backfill_document(self.backfill)

    def _change_lines(self, stream: TextIO) -> Iterator[str]:
        """Of a dry run the first and last points of each series that would be written."""
        by_series: dict[str, list[PointChange]] = {}
        for change in (change for run in self.runs for change in run.changes or ()):
            by_series.setdefault(change.series, []).append(change)
        if not by_series:
            return
        table = Table(("series", "ts", ">value", "would be"))
        for name, changes in [*by_series.items()][:_MOST_SERIES]:
            ends = changes if len(changes) <= 2 * _ENDS else [*changes[:_ENDS], *changes[-_ENDS:]]
            for number, end in enumerate(ends):
                if number == _ENDS and len(changes) > len(ends):
                    table.add(name, f"and {len(changes) - len(ends):,} between", "", "")
                ts = end.ts.strftime("%Y-%m-%d %H:%MZ")
                table.add(name, ts, format_number(end.value) or "", _WRITTEN[end.change])
        yield from table.lines(stream)
        if (more := len(by_series) - _MOST_SERIES) > 0:
            yield f"and of {more:,} more series: --json has them"

    def _backfill_lines(self, *, shared: bool = False) -> Iterator[str]:
        if self.backfill is not None:
            yield backfill_sentence(self.backfill, shared=shared)

    def _summary(self) -> str:
        frequency = Counter(str(run.outcome) for run in self.runs)
        outcomes = ", ".join(f"{frequency[o]} {o}" for o in Outcome if frequency[o])
        withdrawn = Counts(retracted=sum(run.withdrawn for run in self.runs))
        total = sum((run.counts for run in self.runs), withdrawn)
        would = "would be " if self.dry_run else ""
        return (
            f"{pluralize(len(self.runs), self.noun)} in {format_seconds(self.took)}: {outcomes}; "
            f"{would}{total.inserted:,} new, {total.revised:,} revised, "
            f"{total.retracted:,} withdrawn"
        )


def backfill_sentence(backfill: SourcesBackfill, *, shared: bool = False) -> str:
    """How far a backfill of several sources has come, and the command that goes on.

    `shared`: whether others read it than whoever typed the command line.
    """
    sentence = (
        f"backfill from {iso(backfill.start.replace(microsecond=0))}: {len(backfill.done):,} of "
        f"{pluralize(len(backfill.sources), 'source')} done"
    )
    if not backfill.left:
        return sentence
    return f"{sentence}, {len(backfill.left):,} left; to go on: {_resume_command(shared=shared)}"


def _backfill_document(backfill: SourcesBackfill | None) -> dict[str, Any]:
    return {} if backfill is None else {"backfill": backfill_fields(backfill)}


def _resume_command(*, shared: bool = False) -> str:
    return command_line("fetch-all", "--resume", shared=shared)


def backfill_fields(backfill: SourcesBackfill) -> dict[str, Any]:
    """A backfill of several sources as JSON has it."""
    return {
        "backfill_id": backfill.backfill_id,
        "created_at": backfill.created_at,
        "window": {"start": backfill.start, "end": backfill.end},
        "sources": len(backfill.sources),
        "done": len(backfill.done),
        "left": backfill.left,
        "resume": _resume_command() if backfill.left else None,
    }


class Standing(StrEnum):
    """How far a source of a backfill has come that is to be resumed."""

    BEGUN = "begun"
    """It goes on after its last slice."""
    NOT_BEGUN = "not begun"
    DONE = "done"
    """It reached the end, and is left alone."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backfill of one source takes.

    Attributes:
        source: its name.
        slices: oldest first.
        requests: how many each of them takes at least; None where that is not known beforehand.
        max_requests: how many its entry allows for a run; None for any number.
        standing: how far it has come; None for a backfill that is new.
    """

    source: str
    slices: Sequence[Slice]
    requests: Sequence[int | None]
    max_requests: int | None = None
    standing: Standing | None = None

    @property
    def count(self) -> int | None:
        """How many requests all slices take at least, as far as that is known."""
        known = [count for count in self.requests if count is not None]
        return sum(known) if known else None

    def document(self) -> dict[str, Any]:
        """The plan as JSON has it."""
        return {
            "source": self.source,
            "state": self.standing,
            "max_requests": self.max_requests,
            "slices": [
                {"start": window.start, "end": window.end, "requests": count}
                for window, count in zip(self.slices, self.requests, strict=True)
            ],
        }


@dataclass(frozen=True, slots=True)
class PlanView:
    """The answer of `fetch --plan`: the slices of each source, oldest first.

    `backfill`: that of several sources which is to be resumed.
    """

    plans: Sequence[Plan]
    zone: tzinfo
    backfill: SourcesBackfill | None = None

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A line for each slice, by source."""
        del stream
        for plan in self.plans:
            total = "" if plan.count is None else f", {pluralize(plan.count, 'request')}"
            if plan.max_requests is not None and (plan.count or 0) > plan.max_requests:
                total += f", more than its max_requests of {plan.max_requests:,}"
            left = "" if plan.standing is None else f"{plan.standing}, "
            slices = pluralize(len(plan.slices), "slice")
            yield printable(f"{plan.source}: {left}{slices}{total}")
            for window, count in zip(plan.slices, plan.requests, strict=True):
                start = format_second(window.start, self.zone)
                end = "the newest there is"
                if window.end is not None:
                    end = format_second(window.end, self.zone)
                requests = "" if count is None else f", {pluralize(count, 'request')}"
                yield f"  {start} to {end}{requests}"
        if self.backfill is not None:
            yield backfill_sentence(self.backfill)

    def document(self) -> Mapping[str, Any]:
        """`plans`, each with its slices, and the `backfill` that they are part of."""
        document: dict[str, Any] = {"plans": [plan.document() for plan in self.plans]}
        return document | _backfill_document(self.backfill)


@dataclass(frozen=True, slots=True)
class PlanTable:
    """The answer of `fetch-all --plan`: what a backfill of many sources would do.

    Attributes:
        plans: of each source.
        rows: what the database has of each source, by its name.
        zone: the time zone of the table.
        backfill: that which is to be resumed.
    """

    plans: Sequence[Plan]
    rows: Mapping[str, SourceRow]
    zone: tzinfo
    backfill: SourcesBackfill | None = None

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A row for each source, and the sum."""
        state = () if self.backfill is None else ("state",)
        titles = ("source", *state, ">slices", ">requests", "from", "to", "stored up to")
        table = Table(titles, moods={"done": "dim"}, dispensable=("to", "from"))
        for plan in self.plans:
            end = NOTHING
            if plan.slices:
                last = plan.slices[-1].end
                end = format_second(last, self.zone) if last else "the newest"
            table.add(
                plan.source,
                *([str(plan.standing)] if state else []),
                f"{len(plan.slices):,}",
                NOTHING if plan.count is None else f"{plan.count:,}",
                format_second(plan.slices[0].start, self.zone) if plan.slices else NOTHING,
                end,
                format_instant(self._newest(plan.source), self.zone),
            )
        yield from table.lines(stream)
        slices = sum(len(plan.slices) for plan in self.plans)
        counts = [plan.count for plan in self.plans if plan.slices]
        known = sum(count for count in counts if count is not None)
        least = " at least" if None in counts else ""
        requests = f",{least} {pluralize(known, 'request')}" if known else ""
        left = sum(bool(plan.slices) for plan in self.plans)
        yield f"{pluralize(left, 'source')}, {pluralize(slices, 'slice')}{requests}"
        if self.backfill is not None:
            yield backfill_sentence(self.backfill)

    def document(self) -> Mapping[str, Any]:
        """`plans`, each with its slices and the newest `ts` stored, and the `backfill` resumed."""
        document: dict[str, Any] = {
            "plans": [
                {**plan.document(), "newest": self._newest(plan.source)} for plan in self.plans
            ]
        }
        return document | _backfill_document(self.backfill)

    def _newest(self, source: str) -> datetime | None:
        row = self.rows.get(source)
        return max((s.newest for s in row.series if s.newest), default=None) if row else None


def _remarks(run: RunResult) -> str:
    counts = [f"{run.vintages} published"] if run.vintages else []
    counts += [
        f"{count} {name}" for name in _REMARKABLE_COUNTS if (count := getattr(run.counts, name))
    ]
    remarks = (run.error or run.reason or "", ", ".join(counts))
    return "; ".join(remark for remark in remarks if remark)
