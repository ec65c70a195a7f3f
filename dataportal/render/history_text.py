"""Renders the answers of `history` for people: local times, tables, a plot on a terminal."""

from __future__ import annotations

import shutil
import sys
from datetime import timedelta
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
from dataportal.render.sparkline import ASCII_BARS, BARS, sparkline
from dataportal.render.tables import Table
from dataportal.store.read.availability import QUANTILES, SUGGESTED
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime, tzinfo

    from dataportal.render.history import Cut, NewestObservations
    from dataportal.store.read.availability import MeasuredAvailability
    from dataportal.store.read.history import (
        Change,
        Observation,
        Publication,
        PublicationRecord,
        PublishedChange,
        SeriesSummary,
        StoredSeries,
        Version,
    )
    from dataportal.store.read.plot import PlotPart
    from dataportal.store.read.points import AssumedPoint
    from dataportal.store.read.revisions import Issue, Matrix, RevisionsOfAge
    from dataportal.store.read.versions import StoredVersions

_PLOT_WIDTH = 60
_PLOT_COLUMNS, _PLOT_ROWS = 80, 15
_TITLE_WIDTH = 13
_format_row = "{:<25}  {:>22}  {:<32}  {}".format
_format_assumed = "{:<25}  {:>22}  {:<32}  {:<32}  {}".format


class TextHistory(HistoryRenderer):
    """Plain lines and tables."""

    def __init__(
        self,
        series: StoredSeries,
        summarize: Callable[[], SeriesSummary],
        zone: tzinfo,
        now: datetime,
    ) -> None:
        super().__init__(series, summarize)
        self._zone = zone
        self._now = now

    def summary(
        self,
        summary: SeriesSummary,
        revisions: Sequence[Change],
        published: Sequence[PublishedChange],
        newest: NewestObservations,
    ) -> Iterator[str]:
        """What the series is, how much is known, its last values as a plot, its revisions."""
        s = summary
        yield printable(f"{s.endpoint_prefix}: {s.name}" if s.name else s.endpoint_prefix)
        if s.description:
            yield f"  {printable(s.description)}"
        for title, fact in self._facts(s):
            yield f"  {title:<{_TITLE_WIDTH}} {printable(fact)}"
        if is_terminal(sys.stdout):
            width = min(_PLOT_WIDTH, shutil.get_terminal_size().columns - 16)
            bars = BARS if can_encode(sys.stdout, BARS) else ASCII_BARS
            plot = sparkline([o.value for o in newest(max(width, 1))], width, bars)
            if plot:
                yield f"  {'last values':<{_TITLE_WIDTH}} {plot}"
        yield ""
        part = "" if s.is_counted else " (where the newest runs revised; --count looks at all)"
        if revisions:
            yield f"Latest revisions{part}:"
            yield from self._change_table(revisions).lines(sys.stdout)
        elif s.publications == 0:
            yield f"No value has been revised or withdrawn yet{part}."
        else:
            yield f"No value known here has been revised or withdrawn yet{part}."
        if published:
            yield ""
            yield "Latest revisions as published:"
            yield from self._published_change_table(published).lines(sys.stdout)
        elif s.publications != 0:
            yield "No publication has revised an earlier one yet."

    def observations(
        self, rows: Iterable[Observation], as_of: datetime | None, *, final: bool
    ) -> Iterator[str]:
        """Columns of fixed width, line by line: the series may be of any length."""
        s = self.series
        when = "now" if as_of is None else self._local(as_of)
        finality = "" if as_of is None else ", final" if final else ", provisional"
        yield printable(f"{s.endpoint_prefix}{self._unit()}, as known {when}{finality}")
        yield _format_row("TS", "VALUE", "KNOWN SINCE", "UNTIL").rstrip()
        for o in rows:
            until = "" if o.valid_to is None else self._local(o.valid_to)
            yield _format_row(
                self._local(o.ts), format_number(o.value), self._local(o.valid_from), until
            ).rstrip()

    def assumed_observations(
        self, rows: Iterable[AssumedPoint], as_of: datetime, cut: Cut
    ) -> Iterator[str]:
        """As observations are shown, with a word beside each value whose time is assumed."""
        how = "published by" if cut.by_publication else "known"
        name = f"{self.series.endpoint_prefix}{self._unit()}"
        by = "" if cut.recorded is None else f", recorded by {self._local(cut.recorded)}"
        yield printable(
            f"{name}, as {how} {self._local(as_of)}, assumed where back-filled{by}, provisional"
        )
        times = (
            ("PUBLISHED", "KNOWN HERE SINCE") if cut.by_publication else ("KNOWN SINCE", "UNTIL")
        )
        yield _format_assumed("TS", "VALUE", *times, "")
        for p in rows:
            since, until = ("" if t is None else self._local(t) for t in (p.since, p.until))
            value = "" if p.value is None else format_number(p.value)
            word = "assumed" if p.assumed else ""
            yield _format_assumed(self._local(p.ts), value, since, until, word).rstrip()

    def publications(
        self,
        rows: Iterable[Publication],
        as_of: datetime,
        *,
        recorded: datetime | None,
        final: bool,
    ) -> Iterator[str]:
        """As observations are shown, with the times that the provider gives."""
        name = f"{self.series.endpoint_prefix}{self._unit()}"
        cut = self._cut(recorded, final=final)
        yield printable(f"{name}, as published by {self._local(as_of)}{cut}")
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

    def all_versions(self, rows: StoredVersions, cut: Cut) -> Iterator[str]:
        """Columns of fixed width, line by line: there may be any number of them."""
        what = "every publication" if rows.published else "every version"
        assumed = ", assumed where back-filled" if rows.assume else ""
        name = f"{self.series.endpoint_prefix}{self._unit()}"
        yield printable(f"{name}, {what}{assumed}{self._published_cut(cut)}")
        times = [column.label.replace("_", " ").upper() for column in rows.columns[2:4]]
        yield _format_assumed("TS", "VALUE", *times, "").rstrip()
        for row in rows:
            ts, value, since, until = row[:4]
            cells = (self._local(since), "" if until is None else self._local(until))
            number = NOTHING if value is None else format_number(value)
            word = "assumed" if row[4:] == (True,) else ""
            yield _format_assumed(self._local(ts), number, *cells, word).rstrip()

    def publication_records(
        self,
        rows: Iterable[PublicationRecord],
        ts: datetime,
        *,
        recorded: datetime | None,
        final: bool,
    ) -> Iterator[str]:
        """In the order of publication; a record of the same publication again stands after it."""
        records = list(rows)
        name = printable(self.series.endpoint_prefix)
        cut = self._cut(recorded, final=final)
        if not records:
            yield f"{name}: no value at {self._local(ts)} was published{cut}"
            return
        yield f"{name} at {self._local(ts)}, as published{cut}:"
        table = Table((">value", "published", "known here since", ">run"))
        for p in records:
            table.add(
                NOTHING if p.value is None else format_number(p.value),
                self._local(p.published_at),
                self._local(p.recorded_at),
                str(p.run_id),
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

    def published_changes(
        self,
        rows: Iterable[PublishedChange],
        between: tuple[datetime, datetime],
        *,
        recorded: datetime | None,
        final: bool,
    ) -> Iterator[str]:
        """In order of ts."""
        changes = list(rows)
        first, second = map(self._local, between)
        name = printable(self.series.endpoint_prefix)
        cut = self._cut(recorded, final=final)
        count = pluralize(len(changes), "change") if changes else "nothing changed"
        colon = ":" if changes else ""
        yield f"{name}: {count} as published from {first} to {second}{cut}{colon}"
        if changes:
            yield from self._published_change_table(changes).lines(sys.stdout)

    def matrix(self, matrix: Matrix, cut: Cut) -> Iterator[str]:
        """The columns are numbered, and their times told below; a terminal gets the last ones."""
        name = f"{printable(self.series.endpoint_prefix)}{self._unit()}"
        known = self._published_cut(cut)
        if not matrix.times:
            yield f"{name}: there is no version of such an observation{known}"
            return
        titles = [f"{'P' if cut.by_publication else 'K'}{n + 1}" for n in range(len(matrix.times))]
        rows = [
            (self._local(row.ts), [format_number(v) or NOTHING for v in row.values])
            for row in matrix.rows
        ]
        shown = _columns_that_fit(titles, rows)
        if cut.by_publication:
            times = f"{pluralize(len(titles), 'time')} of publication"
        else:
            times = pluralize(len(titles), "knowledge time")
        yield f"{name} at {times}{known}:"
        table = Table(("ts", *(f">{title}" for title in titles[-shown:])))
        for ts, values in rows:
            table.add(ts, *values[-shown:])
        yield from table.lines(sys.stdout)
        if shown < len(titles):
            hidden = pluralize(len(titles) - shown, "earlier time")
            yield f"{hidden} left out to fit the terminal: --format csv has all"
        yield ""
        width = max(map(len, titles))
        for title, at in list(zip(titles, matrix.times, strict=True))[-shown:]:
            yield f"{title:<{width}}  {self._local(at)}"

    def issues(self, issues: Sequence[Issue], cut: Cut) -> Iterator[str]:
        """A row for each run, or for each time of publication."""
        name = printable(self.series.endpoint_prefix)
        if cut.by_publication:
            count = f"{pluralize(len(issues), 'time')} of publication"
        else:
            count = pluralize(len(issues), "run")
        yield f"{name}: {count}{self._published_cut(cut)}{':' if issues else ''}"
        if not issues:
            return
        table = Table(("issued", "first", "last", ">points", ">run"))
        for i in issues:
            table.add(
                self._local(i.issued_at),
                self._local(i.first_ts),
                self._local(i.last_ts),
                f"{i.points:,}",
                str(i.run_id),
            )
        yield from table.lines(sys.stdout)

    def revisions_by_age(self, ages: Sequence[RevisionsOfAge], cut: Cut) -> Iterator[str]:
        """A row for each age, with a line of what the columns mean."""
        name = f"{printable(self.series.endpoint_prefix)}{self._unit()}"
        yield f"{name}: revisions by the time from ts to the change{self._published_cut(cut)}"
        table = Table((">age", ">count", ">bias", ">mean", ">largest", ">withdrawals"))
        for a in ages:
            figures = (NOTHING if f is None else f"{f:.6g}" for f in (a.bias, a.mean, a.largest))
            table.add(_age(a), f"{a.count:,}", *figures, f"{a.withdrawals:,}")
        yield from table.lines(sys.stdout)

    def availability(self, measured: MeasuredAvailability, cut: Cut) -> Iterator[str]:
        """A row for each quantile, and what may be said of them in sources.yaml."""
        name = printable(self.series.endpoint_prefix)
        how = "were published" if cut.by_publication else "came"
        if not measured.count:
            if cut.by_publication:
                yield f"{name}: the provider does not say when it published a value of it"
                return
            yield f"{name}: nothing came by its schedule yet: a backfill says nothing of how late"
            return
        first, last = self._local(measured.first_ts), self._local(measured.last_ts)
        count = pluralize(measured.count, "value")
        yield f"{name}: when values {how}, after ts; {count} from {first} to {last}"
        table = Table((">of all", ">by"))
        for quantile, age in zip(QUANTILES, measured.ages, strict=True):
            share = {0.0: "first", 1.0: "last"}.get(quantile, f"{quantile:.0%}")
            table.add(share, _after(age))
        yield from table.lines(sys.stdout)
        yield ""
        stated = self.series.availability_text
        if stated is not None:
            share = f"{measured.in_time / measured.count:.1%}"
            yield f"availability: {stated}  (stated: {share} by then)"
        yield f"availability: {measured.suggestion}  (measured: {SUGGESTED:.0%} by then)"

    def plot(
        self, vintages: Sequence[tuple[datetime | None, Sequence[PlotPart]]], cut: Cut
    ) -> Iterator[str]:
        """As wide as the terminal, or as 80 characters; two vintages in one drawing."""
        from dataportal.render.plot import FANCY, Curve, Size, draw

        how = "published by" if cut.by_publication else "known"
        names = ["now" if at is None else self._local(at) for at, _ in vintages]
        title = f"{printable(self.series.endpoint_prefix)}{self._unit()}"
        known = f", as {how} {' and '.join(names)}"
        cut_at = "" if vintages[-1][0] is None else self._cut(cut.recorded, final=cut.final)
        if not any(parts for _, parts in vintages):
            yield f"{title}{known}{cut_at}: there is nothing to draw"
            return
        yield f"{title}{known}{cut_at}"
        columns = shutil.get_terminal_size((_PLOT_COLUMNS, 0)).columns
        size = Size(columns - 1, _PLOT_ROWS, can_encode(sys.stdout, FANCY))
        curves = [
            Curve(f"as {how} {name}", parts)
            for name, (_, parts) in zip(names, vintages, strict=True)
        ]
        yield from draw(curves, size, self._zone)

    def _published_cut(self, cut: Cut) -> str:
        return self._cut(cut.recorded, final=cut.final) if cut.by_publication else ""

    def _cut(self, recorded: datetime | None, *, final: bool) -> str:
        by = "" if recorded is None else f", recorded by {self._local(recorded)}"
        return f"{by}, {'final' if final else 'provisional'}"

    def _published_change_table(self, changes: Iterable[PublishedChange]) -> Table:
        table = Table(("ts", ">before", ">after", "published", "known here since"))
        for c in changes:
            table.add(
                self._local(c.ts),
                NOTHING if c.before is None else format_number(c.before),
                NOTHING if c.after is None else format_number(c.after),
                self._local(c.published_at),
                self._local(c.known_at),
            )
        return table

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

    def _facts(self, s: SeriesSummary) -> Iterator[tuple[str, str]]:
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
        if s.availability_text:
            yield "availability", s.availability_text
        yield "observations", self._extent(s, s.observations, s.first_ts, s.last_ts)
        withdrawn = f", {s.retracted:,} withdrawn" if s.retracted else ""
        yield "versions", f"{_count(s, s.versions)}{withdrawn}"
        if s.publications != 0:
            yield (
                "publications",
                self._extent(s, s.publications, s.first_published, s.last_published),
            )
        if s.last_known is not None:
            yield (
                "last change",
                f"{self._local(s.last_known)} ({format_age(s.last_known, self._now)})",
            )
        yield "final up to", self._local(s.known_through)

    def _extent(
        self, s: SeriesSummary, count: int | None, first: datetime | None, last: datetime | None
    ) -> str:
        if first is None or last is None:
            return "none"
        return f"{_count(s, count)} from {self._local(first)} to {self._local(last)}"

    def _local(self, instant: datetime | None) -> str:
        return format_instant(instant, self._zone)


def _columns_that_fit(titles: Sequence[str], rows: Sequence[tuple[str, list[str]]]) -> int:
    """How many of the last columns a terminal has room for; all of them elsewhere."""
    if not is_terminal(sys.stdout):
        return len(titles)
    room = shutil.get_terminal_size().columns - max((len(ts) for ts, _ in rows), default=0)
    shown = 0
    for number in reversed(range(len(titles))):
        room -= max(len(titles[number]), *(len(values[number]) for _, values in rows)) + 3
        if room < 0 and shown:
            break
        shown += 1
    return shown


def _age(a: RevisionsOfAge) -> str:
    if a.age_up_to is None:
        return "older"
    return f"up to {format_duration(a.age_up_to)}" if a.age_up_to else "before its ts"


def _after(age: timedelta) -> str:
    """A time after ts in days, hours and minutes, rounded up; with a sign."""
    minutes = -(-age // timedelta(minutes=1))
    days, rest = divmod(abs(minutes), 24 * 60)
    sign = "-" if minutes < 0 else "+"
    return f"ts {sign} {f'{days} d ' if days else ''}{rest // 60}:{rest % 60:02}"


def _count(s: SeriesSummary, count: int | None) -> str:
    return f"more than {s.counted_up_to:,}" if count is None else f"{count:,}"


def _fate(version: Version, successor: Version | None) -> str:
    if version.valid_to is None:
        return "current"
    if successor is not None and successor.valid_from == version.valid_to:
        return "revised"
    return "withdrawn"
