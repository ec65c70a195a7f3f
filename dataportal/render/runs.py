"""What the runs of a fetch brought, and the slices that a backfill is going to take."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TextIO

from dataportal.render.console import printable
from dataportal.render.formatting import counted, moment, seconds
from dataportal.render.json_output import dumped
from dataportal.render.tables import Table, drawn
from dataportal.store.records import Counts, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from dataportal.collect.results import RunResult
    from dataportal.schedule import Slice

_MOODS = {
    "succeeded": "good",
    "unchanged": "dim",
    "empty": "doubtful",
    "partial": "doubtful",
    "failed": "bad",
    "skipped": "dim",
    "interrupted": "doubtful",
}
_COUNTED = ("inserted", "revised", "retracted", "unchanged")
_REMARKABLE = ("duplicates", "rejected", "outside", "withheld", "nulls")


def runs_document(runs: Sequence[RunResult], *, ok: bool) -> str:
    """The JSON that `fetch` and `fetch-all` answer with."""
    return dumped({"ok": ok, "runs": [run.document() for run in runs]})


def runs_lines(
    runs: Sequence[RunResult], *, took: float, dry_run: bool, stream: TextIO | None = None
) -> Iterator[str]:
    """A line for each run, and one for all of them; that one alone if there are none.

    Args:
        runs: in the order in which they are shown.
        took: the seconds that passed for all of them together.
        dry_run: whether nothing was written.
        stream: what the lines suit; None for stdout.
    """
    if not runs:
        yield f"{counted(0, 'source')} in {seconds(took)}: nothing to do"
        return
    table = Table(
        ("source", "outcome", ">new", ">revised", ">withdrawn", ">unchanged", ">took", "remarks"),
        moods=_MOODS,
    )
    for run in runs:
        figures = (str(getattr(run.counts, name)) for name in _COUNTED)
        table.add(run.source, run.outcome, *figures, seconds(run.seconds), _remarks(run))
    yield from drawn(table, stream)
    yield _summary(runs, took=took, dry_run=dry_run)


def plan_document(plans: Sequence[tuple[str, Sequence[Slice]]]) -> str:
    """The JSON that `fetch --plan` answers with."""
    return dumped(
        {
            "plans": [
                {"source": source, "slices": [{"start": s.start, "end": s.end} for s in slices]}
                for source, slices in plans
            ]
        }
    )


def plan_lines(plans: Sequence[tuple[str, Sequence[Slice]]], zone: tzinfo) -> Iterator[str]:
    """Each slice on a line, oldest first, by source."""
    for source, slices in plans:
        yield printable(f"{source}: {counted(len(slices), 'slice')}")
        for part in slices:
            end = "the newest there is" if part.end is None else moment(part.end, zone)
            yield f"  {moment(part.start, zone)} to {end}"


def _summary(runs: Sequence[RunResult], *, took: float, dry_run: bool) -> str:
    outcomes = Counter(str(run.outcome) for run in runs)
    total = sum((run.counts for run in runs), Counts())
    ended = ", ".join(f"{outcomes[o]} {o}" for o in Outcome if outcomes[o])
    would = "would be " if dry_run else ""
    return (
        f"{counted(len(runs), 'source')} in {seconds(took)}: {ended}; "
        f"{would}{total.inserted:,} new, {total.revised:,} revised, {total.retracted:,} withdrawn"
    )


def _remarks(run: RunResult) -> str:
    figures = [f"{run.vintages} published"] if run.vintages else []
    figures += [f"{getattr(run.counts, n)} {n}" for n in _REMARKABLE if getattr(run.counts, n)]
    return "; ".join(part for part in (run.error or run.reason or "", ", ".join(figures)) if part)
