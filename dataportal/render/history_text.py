"""The answers about a series: what every renderer of them offers, and the one for people."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Protocol

from dataportal.render.console import encodes, on_terminal, printable
from dataportal.render.formatting import NOTHING, age, counted, moment, number
from dataportal.render.sparkline import BARS, sparkline
from dataportal.render.tables import Table, drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime, tzinfo

    from dataportal.store.read.history import (
        Change,
        Observation,
        Publication,
        SeriesSummary,
        Version,
    )

    Values = Callable[[int], Iterable[Observation]]
    """Gives the newest observations, so many as are asked for."""

_PLOT_WIDTH = 60


class HistoryRenderer(Protocol):
    """The answers that `history` can give, each as lines."""

    observations_by_default: bool
    """Whether the observations are the answer where nothing particular is asked."""

    def summary(self, revisions: Sequence[Change], values: Values) -> Iterator[str]:
        """The series, and the latest changes to what had been known of it."""

    def observations(
        self, rows: Iterable[Observation], as_of: datetime | None, *, final: bool
    ) -> Iterator[str]:
        """The series as known at `as_of` (None: now)."""

    def publications(self, rows: Iterable[Publication], as_of: datetime) -> Iterator[str]:
        """The series as its provider had published it by `as_of`."""

    def versions(self, rows: Iterable[Version], ts: datetime) -> Iterator[str]:
        """Every version of the observation at `ts`."""

    def changes(
        self, rows: Iterable[Change], between: tuple[datetime, datetime], *, final: bool
    ) -> Iterator[str]:
        """What changed between two times."""


class TextHistory:
    """For people: times in their zone, a plot on a terminal."""

    observations_by_default = False

    def __init__(self, series: SeriesSummary, zone: tzinfo, now: datetime) -> None:
        self._series, self._zone, self._now = series, zone, now

    def summary(self, revisions: Sequence[Change], values: Values) -> Iterator[str]:
        """What the series is, how much is known, its last values as a plot, its revisions."""
        s = self._series
        yield printable(f"{s.endpoint_prefix}: {s.name}" if s.name else s.endpoint_prefix)
        if s.description:
            yield f"  {printable(s.description)}"
        for title, said in self._facts():
            yield f"  {title:<13} {printable(said)}"
        if on_terminal(sys.stdout) and encodes(sys.stdout, BARS):
            width = min(_PLOT_WIDTH, shutil.get_terminal_size().columns - 16)
            plot = sparkline([o.value for o in values(max(width, 1))], width)
            if plot:
                yield f"  {'last values':<13} {plot}"
        yield ""
        if revisions:
            yield "Latest revisions:"
            yield from drawn(self._change_table(revisions))
        else:
            yield "No value has been revised or withdrawn yet."

    def observations(
        self, rows: Iterable[Observation], as_of: datetime | None, *, final: bool
    ) -> Iterator[str]:
        """Columns of fixed width, line by line: the series may be of any length."""
        s = self._series
        when = "now" if as_of is None else self._at(as_of)
        sure = "" if as_of is None else ", final" if final else ", provisional"
        yield printable(f"{s.endpoint_prefix}{self._unit()}, as known {when}{sure}")
        line = "{:<25}  {:>22}  {:<32}  {}".format
        yield line("TS", "VALUE", "KNOWN SINCE", "UNTIL").rstrip()
        for o in rows:
            until = "" if o.valid_to is None else self._at(o.valid_to)
            yield line(self._at(o.ts), number(o.value), self._at(o.valid_from), until).rstrip()

    def publications(self, rows: Iterable[Publication], as_of: datetime) -> Iterator[str]:
        """As observations are shown, with the times that the provider gives."""
        s = self._series
        yield printable(f"{s.endpoint_prefix}{self._unit()}, as published by {self._at(as_of)}")
        line = "{:<25}  {:>22}  {:<32}  {}".format
        yield line("TS", "VALUE", "PUBLISHED", "KNOWN HERE SINCE").rstrip()
        for p in rows:
            published, known = self._at(p.published_at), self._at(p.recorded_at)
            yield line(self._at(p.ts), number(p.value), published, known).rstrip()

    def versions(self, rows: Iterable[Version], ts: datetime) -> Iterator[str]:
        """Oldest first, each with what became of it."""
        found = list(rows)
        name = printable(self._series.endpoint_prefix)
        if not found:
            yield f"{name} has never had a value at {self._at(ts)}"
            return
        yield f"{name} at {self._at(ts)}:"
        table = Table((">value", "known since", "until", "then", ">run"))
        for version, later in zip(found, [*found[1:], None], strict=True):
            until = version.valid_to
            table.add(
                number(version.value),
                self._at(version.valid_from),
                NOTHING if until is None else self._at(until),
                _fate(version, later),
                str(version.run_id),
            )
        yield from drawn(table)

    def changes(
        self, rows: Iterable[Change], between: tuple[datetime, datetime], *, final: bool
    ) -> Iterator[str]:
        """In order of ts."""
        found = list(rows)
        first, second = map(self._at, between)
        sure = "final" if final else "provisional"
        name = printable(self._series.endpoint_prefix)
        if not found:
            yield f"{name}: nothing changed from {first} to {second} ({sure})"
            return
        yield f"{name}: {counted(len(found), 'change')} from {first} to {second} ({sure})"
        yield from drawn(self._change_table(found))

    def _change_table(self, changes: Iterable[Change]) -> Table:
        table = Table(("ts", ">before", ">after", "known since"))
        for c in changes:
            table.add(
                self._at(c.ts),
                NOTHING if c.before is None else number(c.before),
                NOTHING if c.after is None else number(c.after),
                self._at(c.known_at),
            )
        return table

    def _unit(self) -> str:
        # a bare number's unit is written 1
        unit = self._series.unit
        return f" in {unit}" if unit and unit != "1" else ""

    def _facts(self) -> Iterator[tuple[str, str]]:
        s = self._series
        yield "source", s.source
        kinds = [s.domain, s.category, s.subcategory]
        for title, said in (
            ("unit", s.unit),
            ("granularity", s.granularity),
            ("about", " / ".join(kind for kind in kinds if kind)),
        ):
            if said:
                yield title, said
        if s.first_ts is None or s.last_ts is None:
            yield "observations", "none"
        else:
            yield (
                "observations",
                f"{s.observations:,} from {self._at(s.first_ts)} to {self._at(s.last_ts)}",
            )
        withdrawn = f", {s.retracted:,} withdrawn" if s.retracted else ""
        yield "versions", f"{s.versions:,}{withdrawn}"
        if s.last_known is not None:
            yield "last change", f"{self._at(s.last_known)} ({age(s.last_known, self._now)})"
        yield "final up to", self._at(s.known_through)

    def _at(self, at: datetime | None) -> str:
        return moment(at, self._zone)


def _fate(version: Version, later: Version | None) -> str:
    if version.valid_to is None:
        return "current"
    if later is not None and later.valid_from == version.valid_to:
        return "revised"
    return "withdrawn"
