"""Shows what is missing of series, and the commands that would fetch it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from dataportal.command_lines import command_line
from dataportal.gaps import join_ranges
from dataportal.render.console import printable
from dataportal.render.formatting import format_instant, pluralize
from dataportal.render.tables import Table
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    from dataportal.gaps import Gap
    from dataportal.render.runs import RunsView
    from dataportal.store.read.gaps import SeriesGaps

_WITHIN, _WITHIN_INTERVALS = timedelta(days=7), 10
"""Gaps of a source that lie no further apart, or no more intervals, are fetched together."""
_MOST_NAMES = 5
_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


class FetchCommand(NamedTuple):
    """What would fetch gaps of a source."""

    source: str
    start: datetime
    end: datetime

    def __str__(self) -> str:
        start, end = iso(self.start), iso(self.end)
        return command_line("fetch", self.source, "--start", start, "--end", end)


def fetch_commands(series: Sequence[SeriesGaps]) -> list[FetchCommand]:
    """What would fetch all gaps, source by source."""
    by_source: defaultdict[str, list[Gap]] = defaultdict(list)
    for s in series:
        by_source[s.series.source] += s.gaps
    return [
        FetchCommand(source, start, end)
        for source, gaps in by_source.items()
        for start, end in join_ranges(
            ((gap.start, gap.end) for gap in gaps),
            max([_WITHIN, *(_WITHIN_INTERVALS * gap.length.longest for gap in gaps)]),
        )
    ]


@dataclass(frozen=True, slots=True)
class GapsView:
    """The answer of `gaps`.

    Attributes:
        series: those that were looked at.
        as_of: as known at this time; None for now.
        zone: the time zone of the table.
        runs: what was fetched to fill them; None where nothing was to be.
    """

    series: Sequence[SeriesGaps]
    as_of: datetime | None
    zone: tzinfo
    runs: RunsView | None = None

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A table with a row for each gap, what it comes to, and the commands that fetch them."""
        if self.runs is not None:
            yield from self.runs.lines(stream)
            yield ""
        table = Table(("series", "from", "before", ">missing", "interval"))
        for s in self.series:
            for gap in s.gaps:
                table.add(
                    s.series.endpoint_prefix,
                    format_instant(gap.start, self.zone),
                    format_instant(gap.end, self.zone),
                    f"{gap.missing:,}",
                    str(gap.length),
                )
        if table.rows:
            yield from table.lines(stream)
        yield self._conclusion()
        yield from self._notes()
        commands = fetch_commands(self.series)
        if commands and self.as_of is None:
            yield ""
            left = "To try again:" if self.runs else "To fetch them, or with --fill at once:"
            yield left
            yield from (f"  {printable(str(command))}" for command in commands)

    def document(self) -> Mapping[str, Any]:
        """`series` with their `gaps`, and `commands`; `runs` where they were to be filled."""
        document: dict[str, Any] = {
            "ok": self.runs is None or self.runs.ok,
            "as_of": self.as_of,
            "missing": sum(s.missing for s in self.series),
            "series": [_series_fields(s) for s in self.series],
            "commands": [
                {"source": c.source, "start": c.start, "end": c.end, "command": str(c)}
                for c in fetch_commands(self.series)
            ],
        }
        if self.runs is not None:
            document["runs"] = self.runs.document()["runs"]
        return document

    def _conclusion(self) -> str:
        judged = [s for s in self.series if s.without_grid is None]
        with_gaps = [s for s in judged if s.gaps]
        known = "" if self.as_of is None else f" as known {format_instant(self.as_of, self.zone)}"
        still = " still" if self.runs else ""
        if not with_gaps:
            return f"Nothing is{still} missing of {len(judged):,} series{known}."
        gaps = pluralize(sum(len(s.gaps) for s in with_gaps), "gap")
        points = pluralize(sum(s.missing for s in with_gaps), "value")
        return (
            f"{gaps} with {points}{still} missing, in {len(with_gaps):,} of {len(judged):,} "
            f"series{known}."
        )

    def _notes(self) -> Iterator[str]:
        reasons: defaultdict[str, list[str]] = defaultdict(list)
        for s in self.series:
            if s.without_grid is not None:
                reasons[s.without_grid].append(s.series.endpoint_prefix)
            if s.rest_days:
                days = " and ".join(_WEEKDAYS[day - 1] for day in sorted(s.rest_days))
                reasons[f"never has a value on {days}, so none is expected then"].append(
                    s.series.endpoint_prefix
                )
        for reason, names in reasons.items():
            for name in names[:_MOST_NAMES]:
                yield printable(f"{name} {reason}")
            if (more := len(names) - _MOST_NAMES) > 0:
                yield f"so it is with {more:,} more"


def _series_fields(s: SeriesGaps) -> dict[str, Any]:
    return {
        "endpoint_prefix": s.series.endpoint_prefix,
        "source": s.series.source,
        "granularity": s.series.granularity,
        "missing": s.missing,
        "note": None if s.without_grid is None else str(s.without_grid),
        "rest_days": sorted(s.rest_days),
        "gaps": [
            {"start": g.start, "end": g.end, "missing": g.missing, "interval": g.length.iso}
            for g in s.gaps
        ],
    }
