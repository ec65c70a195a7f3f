"""Renders the answers of `history` for people: local times, tables, a plot on a terminal."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from dataportal.granularity import interval_length
from dataportal.render.console import can_encode, is_terminal, printable
from dataportal.render.formatting import (
    NOTHING,
    format_age,
    format_instant,
    format_number,
    pluralize,
)
from dataportal.render.history import HistoryRenderer
from dataportal.render.sparkline import BARS, sparkline
from dataportal.render.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, tzinfo

    from dataportal.render.history import NewestObservations
    from dataportal.store.read.history import (
        Change,
        Observation,
        Publication,
        SeriesSummary,
        Version,
    )

_PLOT_WIDTH = 60
_TITLE_WIDTH = 13
_format_row = "{:<25}  {:>22}  {:<32}  {}".format


class TextHistory(HistoryRenderer):
    """Plain lines and tables."""

    def __init__(self, series: SeriesSummary, zone: tzinfo, now: datetime) -> None:
        self.series = self._summary = series
        self._zone = zone
        self._now = now

    def summary(self, revisions: Sequence[Change], newest: NewestObservations) -> Iterator[str]:
        """What the series is, how much is known, its last values as a plot, its revisions."""
        s = self._summary
        yield printable(f"{s.endpoint_prefix}: {s.name}" if s.name else s.endpoint_prefix)
        if s.description:
            yield f"  {printable(s.description)}"
        for title, fact in self._facts():
            yield f"  {title:<{_TITLE_WIDTH}} {printable(fact)}"
        if is_terminal(sys.stdout) and can_encode(sys.stdout, BARS):
            width = min(_PLOT_WIDTH, shutil.get_terminal_size().columns - 16)
            plot = sparkline([o.value for o in newest(max(width, 1))], width)
            if plot:
                yield f"  {'last values':<{_TITLE_WIDTH}} {plot}"
        yield ""
        if revisions:
            yield "Latest revisions:"
            yield from self._change_table(revisions).lines(sys.stdout)
        else:
            yield "No value has been revised or withdrawn yet."

    def observations(
        self, rows: Iterable[Observation], as_of: datetime | None, *, final: bool
    ) -> Iterator[str]:
        """Columns of fixed width, line by line: the series may be of any length."""
        s = self._summary
        when = "now" if as_of is None else self._local(as_of)
        finality = "" if as_of is None else ", final" if final else ", provisional"
        yield printable(f"{s.endpoint_prefix}{self._unit()}, as known {when}{finality}")
        yield _format_row("TS", "VALUE", "KNOWN SINCE", "UNTIL").rstrip()
        for o in rows:
            until = "" if o.valid_to is None else self._local(o.valid_to)
            yield _format_row(
                self._local(o.ts), format_number(o.value), self._local(o.valid_from), until
            ).rstrip()

    def publications(self, rows: Iterable[Publication], as_of: datetime) -> Iterator[str]:
        """As observations are shown, with the times that the provider gives."""
        s = self._summary
        yield printable(f"{s.endpoint_prefix}{self._unit()}, as published by {self._local(as_of)}")
        yield _format_row("TS", "VALUE", "PUBLISHED", "KNOWN HERE SINCE").rstrip()
        for p in rows:
            published, known = self._local(p.published_at), self._local(p.recorded_at)
            yield _format_row(self._local(p.ts), format_number(p.value), published, known).rstrip()

    def versions(self, rows: Iterable[Version], ts: datetime) -> Iterator[str]:
        """Oldest first, each with what became of it."""
        versions = list(rows)
        name = printable(self.series.endpoint_prefix)
        if not versions:
            yield f"{name} has never had a value at {self._local(ts)}"
            return
        yield f"{name} at {self._local(ts)}:"
        table = Table((">value", "known since", "until", "then", ">run"))
        for version, successor in zip(versions, [*versions[1:], None], strict=True):
            until = version.valid_to
            table.add(
                format_number(version.value),
                self._local(version.valid_from),
                NOTHING if until is None else self._local(until),
                _fate(version, successor),
                str(version.run_id),
            )
        yield from table.lines(sys.stdout)

    def changes(
        self, rows: Iterable[Change], between: tuple[datetime, datetime], *, final: bool
    ) -> Iterator[str]:
        """In order of ts."""
        changes = list(rows)
        first, second = map(self._local, between)
        finality = "final" if final else "provisional"
        name = printable(self.series.endpoint_prefix)
        if not changes:
            yield f"{name}: nothing changed from {first} to {second} ({finality})"
            return
        count = pluralize(len(changes), "change")
        yield f"{name}: {count} from {first} to {second} ({finality})"
        yield from self._change_table(changes).lines(sys.stdout)

    def _change_table(self, changes: Iterable[Change]) -> Table:
        table = Table(("ts", ">before", ">after", "known since"))
        for c in changes:
            table.add(
                self._local(c.ts),
                NOTHING if c.before is None else format_number(c.before),
                NOTHING if c.after is None else format_number(c.after),
                self._local(c.known_at),
            )
        return table

    def _unit(self) -> str:
        # a bare number's unit is written 1
        unit = self.series.unit
        return f" in {unit}" if unit and unit != "1" else ""

    def _facts(self) -> Iterator[tuple[str, str]]:
        s = self._summary
        yield "source", s.source
        kinds = [s.domain, s.category, s.subcategory]
        for title, fact in (
            ("unit", s.unit),
            ("granularity", s.granularity),
            ("about", " / ".join(kind for kind in kinds if kind)),
        ):
            if fact:
                yield title, fact
        if [r.length for r in s.resolutions] != [interval_length(s.granularity)]:
            for r in s.resolutions:
                title = "resolution" if r is s.resolutions[0] else ""
                yield title, f"{r.length or 'irregular'} from {self._local(r.ts_from)} on"
        if s.first_ts is None or s.last_ts is None:
            yield "observations", "none"
        else:
            yield (
                "observations",
                f"{s.observations:,} from {self._local(s.first_ts)} to {self._local(s.last_ts)}",
            )
        withdrawn = f", {s.retracted:,} withdrawn" if s.retracted else ""
        yield "versions", f"{s.versions:,}{withdrawn}"
        if s.last_known is not None:
            yield (
                "last change",
                f"{self._local(s.last_known)} ({format_age(s.last_known, self._now)})",
            )
        yield "final up to", self._local(s.known_through)

    def _local(self, instant: datetime | None) -> str:
        return format_instant(instant, self._zone)


def _fate(version: Version, successor: Version | None) -> str:
    if version.valid_to is None:
        return "current"
    if successor is not None and successor.valid_from == version.valid_to:
        return "revised"
    return "withdrawn"
