"""Shows a drafted entry: as YAML, and beside it in words what it reads and what it lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.command_lines import command_line
from dataportal.render.console import printable
from dataportal.render.formatting import format_instant, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo
    from pathlib import Path

    from dataportal.drafts.draft import Draft


@dataclass(frozen=True, slots=True)
class DraftView:
    """The answer of `new-source`.

    Attributes:
        draft: the entry.
        appended: the file that it was put into; None if it is only shown.
        zone: the time zone of the output.
    """

    draft: Draft
    appended: Path | None
    zone: tzinfo

    @property
    def ok(self) -> bool:
        """Whether the draft reads all of the answer."""
        batch = self.draft.interpretation.batch
        return not isinstance(batch, str) and not batch.rejected

    def lines(self, stream: TextIO) -> Iterator[str]:
        """The entry as YAML, if it is in no file."""
        del stream
        if self.appended is None:
            yield from self.draft.entry.text.splitlines()

    def remarks(self) -> Iterator[str]:
        """What to know of the draft, and what to do next."""
        entry, interpretation = self.draft.entry, self.draft.interpretation
        batch = interpretation.batch
        if isinstance(batch, str):
            yield printable(f"the draft does not read that answer: {batch}")
        else:
            times = [ts for points in batch.series.values() for ts in points.ts]
            first, last = (format_instant(f(times), self.zone) if times else "" for f in (min, max))
            span = f", {first} to {last}" if times else ""
            series = f"{len(self.draft.names):,} series"
            yield printable(
                f"{entry.name}: {series}, {pluralize(interpretation.points, 'point')}{span}"
            )
            if batch.rejected:
                first = batch.rejections[0].reason
                points = pluralize(batch.rejected, "point")
                yield printable(f"{points} cannot be taken, the first: {first}")
        for variable, what in self.draft.variables.items():
            yield printable(f"set {variable}: {what}")
        for place in entry.todos:
            yield printable(f"TODO: {place}: {entry.notes.get(place, 'nobody can tell it')}")
        if self.appended is not None:
            yield printable(f"put into {self.appended}")
        then = "fill in what is TODO, then: " if entry.todos else "now: "
        name = entry.name
        if self.appended is not None:
            yield printable(then + command_line("preview", name, config=str(self.appended)))

    def document(self) -> Mapping[str, Any]:
        """The same as data."""
        interpretation, entry = self.draft.interpretation, self.draft.entry
        batch = interpretation.batch
        times = (
            []
            if isinstance(batch, str)
            else [ts for points in batch.series.values() for ts in points.ts]
        )
        return {
            "ok": self.ok,
            "source": entry.name,
            "yaml": entry.text,
            "todo": entry.todos,
            "variables": [*self.draft.variables],
            "series": self.draft.names,
            "left_out": interpretation.left_out,
            "points": interpretation.points,
            "rejected": 0 if isinstance(batch, str) else batch.rejected,
            "error": batch if isinstance(batch, str) else None,
            "first": min(times, default=None),
            "last": max(times, default=None),
            "appended": None if self.appended is None else str(self.appended),
        }
