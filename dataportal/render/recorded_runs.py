"""Shows runs as they were recorded: a table of them, or one whole with what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.command_lines import command_line
from dataportal.render.console import printable
from dataportal.render.formatting import (
    NOTHING,
    format_instant,
    format_second,
    format_seconds,
    pluralize,
)
from dataportal.render.runs import OUTCOME_MOODS
from dataportal.render.tables import Table
from dataportal.store.records import Outcome, RunKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    from dataportal.store.read.runs import RecordedRun, SeriesChanges

_COUNT_WORDS = {"inserted": "new", "revised": "revised", "retracted": "withdrawn"}


@dataclass(frozen=True, slots=True)
class RecordedRunsView:
    """The answer of `runs`.

    Attributes:
        runs: newest first.
        limit: how many were asked for; as many may mean that there are more.
        now: how long those at work have been is counted to here.
        zone: the time zone of the table.
    """

    runs: Sequence[RecordedRun]
    limit: int
    now: datetime
    zone: tzinfo

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A table with a row for each run."""
        if not self.runs:
            yield "no runs"
            return
        table = Table(
            ("run", "source", "kind", "started", ">took", "outcome", "changed", "why"),
            moods=OUTCOME_MOODS,
            dispensable=("kind", "took", "changed"),
            folding="why",
        )
        for run in self.runs:
            table.add(
                str(run.run_id),
                run.source,
                run.kind,
                format_second(run.started_at, self.zone),
                format_seconds(_seconds(run, self.now)),
                run.outcome,
                _changes_text(run),
                run.error or "",
            )
        yield from table.lines(stream)
        if len(self.runs) == self.limit:
            yield f"the newest {pluralize(self.limit, 'run')}; more with --limit"

    def document(self) -> Mapping[str, Any]:
        """`runs`, newest first."""
        return {"runs": [run_fields(run) for run in self.runs]}


@dataclass(frozen=True, slots=True)
class RunView:
    """The answer of `runs --run`: the run, and what it changed, by series."""

    run: RecordedRun
    changes: Sequence[SeriesChanges]
    zone: tzinfo

    def lines(self, stream: TextIO) -> Iterator[str]:
        """What is known of the run, a line each; a table of what it changed; what to do next."""
        run, zone = self.run, self.zone
        yield printable(f"run {run.run_id} of {run.source}: {run.kind}, {run.outcome}")
        finished = format_second(run.finished_at, zone)
        yield f"  from {format_second(run.started_at, zone)} to {finished}"
        end = (
            "the newest there is" if run.window_end is None else format_second(run.window_end, zone)
        )
        yield f"  window {format_second(run.window_start, zone)} to {end}"
        if run.done_until is not None:
            yield f"  done until {format_second(run.done_until, zone)}"
        counts = [f"{n:,} {name}" for name, n in run.counts.by_name().items() if n]
        counts += [f"{run.vintages:,} publications"] if run.vintages else []
        yield f"  {', '.join(counts) or 'nothing received'}"
        yield printable(f"  on {run.host}, pid {run.pid}, dataportal {run.version}")
        if run.error:
            yield printable(f"  {run.error}")
        if self.changes:
            yield ""
            yield from self._change_table().lines(stream)
        if command := _way_on(run):
            yield printable(f"to go on: {command}")

    def document(self) -> Mapping[str, Any]:
        """`run`, and `changes` by series."""
        return {
            "run": run_fields(self.run),
            "changes": [
                {
                    "series": change.series,
                    "inserted": change.inserted,
                    "revised": change.revised,
                    "retracted": change.retracted,
                    "first_ts": change.first_ts,
                    "last_ts": change.last_ts,
                }
                for change in self.changes
            ],
        }

    def _change_table(self) -> Table:
        table = Table(("series", ">new", ">revised", ">withdrawn", "first ts", "last ts"))
        for change in self.changes:
            table.add(
                change.series,
                f"{change.inserted:,}",
                f"{change.revised:,}",
                f"{change.retracted:,}",
                format_instant(change.first_ts, self.zone),
                format_instant(change.last_ts, self.zone),
            )
        return table


def run_fields(run: RecordedRun) -> dict[str, Any]:
    """A recorded run as JSON has it."""
    return {
        "run_id": run.run_id,
        "source": run.source,
        "kind": run.kind,
        "outcome": run.outcome,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "seconds": None
        if run.finished_at is None
        else (run.finished_at - run.started_at).total_seconds(),
        "window": {"start": run.window_start, "end": run.window_end},
        "done_until": run.done_until,
        **run.counts.by_name(),
        "vintages": run.vintages,
        "error": run.error,
        "host": run.host,
        "pid": run.pid,
        "version": run.version,
    }


def _seconds(run: RecordedRun, now: datetime) -> float:
    return max(0.0, ((run.finished_at or now) - run.started_at).total_seconds())


def _changes_text(run: RecordedRun) -> str:
    counts = run.counts.by_name()
    words = [f"{counts[name]:,} {word}" for name, word in _COUNT_WORDS.items() if counts[name]]
    words += [f"{run.vintages:,} published"] if run.vintages else []
    return ", ".join(words) or NOTHING


def _way_on(run: RecordedRun) -> str | None:
    """The command that does what a backfill left undone; a scheduled run is made up for anyway."""
    if run.kind is RunKind.BACKFILL and run.outcome in {Outcome.FAILED, Outcome.INTERRUPTED}:
        return command_line("fetch", run.source, "--resume")
    return None
