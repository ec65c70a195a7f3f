"""Draws the report as one HTML page: no network, no need for a script, all texts escaped.

Whatever comes from providers or the file passes through `dataportal.render.html`. The browser is
told to load nothing, and to run and apply nothing but the script and the style of this page, by
their hashes (https://www.w3.org/TR/CSP3/).

More than 500 lines, as the page is drawn from top to bottom.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.command_lines import command_line
from dataportal.health import Condition
from dataportal.render.charts import bars_path, line_path, spans_path, strokes_path
from dataportal.render.formatting import (
    NOTHING,
    format_age,
    format_bytes,
    format_instant,
    format_seconds,
    pluralize,
)
from dataportal.render.html import Html, element, join
from dataportal.render.report import Group
from dataportal.store.read.runs import Progress
from dataportal.store.records import Outcome
from dataportal.times import format_duration, iso
from dataportal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime, tzinfo

    from dataportal.render.report import Activity, Report, SeriesEntry, SourceEntry
    from dataportal.store.read.runs import RecordedRun

_SHOWN_RUNS = {Group.ILL: 5, Group.WELL: 3, Group.IDLE: 1}
_SHOWN_SERIES, _SHOWN_GAPS = 12, 3
# of more sources a page would grow too large with as much of each that is well
_MANY = 300
_SHOWN_SERIES_OF_MANY, _SHOWN_RUNS_OF_MANY, _SHOWN_VALUES_OF_MANY = 3, 1, 20
_MARKS = {
    Condition.BROKEN: "bad",
    Condition.FAILING: "bad",
    Condition.STALE: "bad",
    Condition.DOUBTFUL: "warn",
    Condition.NEVER_RUN: "warn",
    Condition.UNKNOWN: "warn",
    Condition.RUNNING: "good",
    Condition.DUE: "good",
    Condition.OK: "good",
    Condition.DISABLED: "idle",
    Condition.NEEDS: "idle",
    Condition.GONE: "idle",
}
# what a row is of the tables that may grow
_ROWS = {
    "time_series_data": "current values",
    "time_series_data_scd2": "every version",
    "time_series_vintage": "publications",
    "time_series_issue": "issues of forecasts",
    "time_series_resolution": "lengths of intervals",
    "time_series": "series",
    "fetch_run": "runs",
    "source_state": "states of sources",
}
# the outcome of a run: its colour, and how high its stroke is, from 0 to 1
_STROKES: dict[Outcome | Progress, tuple[str, float]] = {
    **dict.fromkeys((Outcome.SUCCEEDED, Outcome.UNCHANGED, Outcome.SKIPPED), ("good", 0.3)),
    **dict.fromkeys((Outcome.EMPTY, Outcome.PARTIAL, Outcome.INTERRUPTED), ("warn", 0.65)),
    Outcome.FAILED: ("bad", 1.0),
    **dict.fromkeys(Progress, ("idle", 0.3)),
}
# a shape for each mark, so that no colour need be told apart
_SHAPES = Html(
    '<svg width="0" height="0" class="vh" aria-hidden="true">'
    '<symbol id="good" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7.5"/>'
    '<path class="k" d="m4.7 8.4 2.3 2.2 4.3-5"/></symbol>'
    '<symbol id="bad" viewBox="0 0 16 16"><path d="M5 .5h6L15.5 5v6L11 15.5H5L.5 11V5z"/>'
    '<path class="k" d="m5.4 5.4 5.2 5.2m0-5.2-5.2 5.2"/></symbol>'
    '<symbol id="warn" viewBox="0 0 16 16"><path d="M8 .8 15.8 15H.2z"/>'
    '<path class="k" d="M8 5.8v4.4m0 2.3v.1"/></symbol>'
    '<symbol id="idle" viewBox="0 0 16 16"><circle class="o" cx="8" cy="8" r="6.6"/>'
    '<path class="o" d="M5 8h6"/></symbol></svg>'
)
_INSTANT = re.compile(r"\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z")
_GROUPS = {
    Group.ILL: ("bad", "need attention"),
    Group.WELL: ("good", "well"),
    Group.IDLE: ("idle", "not run"),
}


@dataclass(frozen=True, slots=True)
class StatusPage:
    """The answer of `report`: the page, or the same as data."""

    report: Report

    def lines(self, stream: TextIO | None = None) -> Iterator[str]:
        """The lines of the page."""
        del stream
        return _page_lines(self.report)

    def document(self) -> Mapping[str, Any]:
        """The same as data."""
        return self.report.document()

    @property
    def summary(self) -> str:
        """The verdict in one sentence."""
        return _summary(self.report)


def _page_lines(report: Report) -> Iterator[str]:
    style, script = _asset("status_page.css"), _asset("status_page.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield element("meta", http_equiv="Content-Security-Policy", content=Html(policy))
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
    yield element("title", _summary(report))
    yield element("link", rel="icon", href=Html(_icon(_mark_of_page(report))))
    yield f"<style>{style}</style></head><body>"
    yield _SHAPES
    yield _header(report)
    yield "<main>"
    yield element("h2", "Sources")
    yield (
        '<div class="heads" aria-hidden="true"><span>State</span><span>Source</span>'
        '<span>Newest values</span><span class="newest">Newest</span>'
        '<span class="runs">Last runs</span><span class="days">Revisions a day</span></div>'
    )
    yield '<ul class="list">'
    for entry in report.entries:
        yield _source(entry, report)
    yield "</ul>"
    if report.activity is not None:
        yield _database(report.activity)
    yield "</main>"
    yield _footer(report)
    yield f"<script>{script}</script></body></html>"


def _summary(report: Report) -> str:
    """The verdict in one sentence."""
    ill, well = report.groups[Group.ILL], report.groups[Group.WELL]
    if report.fault is not None:
        return "The database cannot be asked"
    if not ill and not well:
        return "No source is to be run"
    if not ill:
        return "All is well" if well > 1 else "The source is well"
    need = "needs" if ill == 1 else "need"
    return f"{ill} of {pluralize(ill + well, 'source')} {need} attention"


@lru_cache
def _asset(name: str) -> Html:
    return Html(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _icon(mark: str) -> str:
    """The icon of the page's tab, in the shape and colour of its verdict."""
    shape, colour = {
        "good": ("%3Ccircle cx='8' cy='8' r='7'/%3E", "%231f8a58"),
        "bad": ("%3Cpath d='M5 1h6l4 4v6l-4 4H5l-4-4V5z'/%3E", "%23c8372d"),
        "warn": ("%3Cpath d='M8 1l7 14H1z'/%3E", "%23b07300"),
        "idle": ("%3Ccircle cx='8' cy='8' r='4'/%3E", "%2377797f"),
    }[mark]
    head = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'"
    return f"{head} fill='{colour}'%3E{shape}%3C/svg%3E"


def _mark_of_page(report: Report) -> str:
    if report.fault is not None:
        return "bad"
    marks = {_mark(entry) for entry in report.entries}
    return next((mark for mark in ("bad", "warn", "good") if mark in marks), "idle")


def _mark(entry: SourceEntry) -> str:
    mark = _MARKS[entry.verdict.condition]
    # one that runs, or that lacks a variable, may be ill all the same
    return "warn" if entry.group is Group.ILL and mark in {"good", "idle"} else mark


def _shape(mark: str) -> Html:
    return Html(f'<svg class="i {mark}" aria-hidden="true"><use href="#{mark}"/></svg>')


def _plain(text: str) -> str:
    """A reason with times to the minute, as on the rest of the page."""
    return _INSTANT.sub(r"\1 \2Z", text)


def _time(instant: datetime, text: str) -> Html:
    return element("time", text, datetime=iso(instant.replace(microsecond=0)))


def _header(report: Report) -> Html:
    view, activity = report.sources, report.activity
    made = element(
        "p",
        "As of ",
        _time(view.now, f"{view.now.astimezone(view.zone):%A, %-d %B %Y, %H:%M %Z}"),
        f". {pluralize(len(report.entries), 'source')} in all.",
        class_="made",
    )
    fault = None
    if report.fault is not None:
        fault = element("p", f"{report.fault}. How the sources stand is not known.", class_="fault")
    elif activity is None:
        fault = element("p", "There is no database yet: nothing was fetched.", class_="fault")
    return element(
        "header",
        element("h1", _shape(_mark_of_page(report)), f"{_summary(report)}."),
        made,
        element("p", id="age", class_="old", role="status", hidden=True, data_made=iso(view.now)),
        fault,
        _bar(report),
        _filter(report),
    )


def _bar(report: Report) -> Html:
    """One bar of all sources, in parts as large as the groups."""
    total, left = max(1, len(report.entries)), 0.0
    parts = []
    for group, count in report.groups.items():
        width = 100 * count / total
        if count:
            # a gap between two parts, so that they can be told apart without their colours
            mark = _GROUPS[group][0]
            shown = max(0.5, width - 0.4)
            parts.append(f'<rect class="{mark}" x="{left:.4g}" width="{shown:.4g}" height="8"/>')
        left += width
    return Html(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def _filter(report: Report) -> Html:
    """Which sources to show: by style alone."""
    choices: list[tuple[str, str | None, str]] = [("all", None, f"All {len(report.entries)}")]
    choices += [
        (group.value, _GROUPS[group][0], f"{count} {_GROUPS[group][1]}")
        for group, count in report.groups.items()
    ]
    parts = [element("legend", "Sources to show", class_="vh")]
    for value, mark, text in choices:
        parts.append(
            element(
                "input",
                type="radio",
                name="show",
                id=f"show-{value}",
                class_="vh",
                checked=value == "all",
            )
        )
        shape = None if mark is None else _shape(mark)
        parts.append(element("label", shape, text, for_=f"show-{value}"))
    return element("fieldset", *parts)


def _source(entry: SourceEntry, report: Report) -> Html:
    verdict, now = entry.verdict, report.sources.now
    mark = _mark(entry)
    group = "idle-group" if entry.group is Group.IDLE else entry.group.value
    stored = [series for series in entry.series if series.values]
    values = _SHOWN_VALUES_OF_MANY if _is_short(entry, report) else None
    line = _line(stored[0], values) if stored else element("span", "no values", class_="soft small")
    newest = (
        join(
            element("span", "newest value ", class_="vh"),
            _time(verdict.newest, format_age(verdict.newest, now)),
        )
        if verdict.newest
        else element("span", "none yet", class_="soft small")
    )
    summary = element(
        "summary",
        element("span", _shape(mark), str(verdict.condition), class_=f"state {mark}"),
        element("div", element("h3", verdict.source), _below_name(entry), class_="what"),
        element("div", line, class_="line"),
        element("div", newest, class_="newest"),
        element("div", _run_strip(entry.runs), class_="runs"),
        element("div", _day_bars(entry, report), class_="days"),
    )
    details = element("details", summary, element("div", *_details(entry, report), class_="more"))
    return element("li", details, class_=f"s {group}")


def _below_name(entry: SourceEntry) -> Html:
    """Why it is ill; else of what it is."""
    if entry.group is Group.ILL:
        return element("p", _plain("; ".join(entry.verdict.reasons)), class_="why")
    if entry.verdict.needs:
        return element("p", f"{' and '.join(entry.verdict.needs)} not set")
    first, *others = [series.name for series in entry.series] or [NOTHING]
    unit = next((series.unit for series in entry.series if series.unit), None)
    parts = [first if first != entry.verdict.source else None]
    parts += [f"and {len(others):,} more series"] if others else []
    parts += [unit]
    text = ", ".join(part for part in parts if part)
    if not entry.missing:
        return element("p", text)
    missing = element("span", f"{pluralize(entry.missing, 'value')} missing", class_="warn")
    return element("p", f"{text} · " if text else None, missing)


def _line(series: SeriesEntry, limit: int | None = None) -> Html:
    """The newest values of a series as a line."""
    if series.values is None:
        return element("span", NOTHING)
    ts, values = (column[-limit:] if limit else column for column in series.values)
    low, high = min(values), max(values)
    unit = f" {series.unit}" if series.unit else ""
    label = f"{pluralize(len(values), 'value')} from {low:.4g} to {high:.4g}{unit}"
    return _chart(100, 24, label, Html(f'<path d="{line_path(ts, values, 100, 24)}"/>'))


def _chart(width: int, height: int, label: str, drawing: str) -> Html:
    return element(
        "svg",
        Html(drawing),
        viewBox=f"0 0 {width} {height}",
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
    )


def _run_strip(runs: Sequence[RecordedRun]) -> Html:
    """A stroke for each run, the newest to the right, the higher the worse."""
    if not runs:
        return element("span", "no runs", class_="soft small")
    shown = [(_STROKES[run.outcome], 20 - len(runs) + i) for i, run in enumerate(reversed(runs))]
    good = [place for (mark, _), place in shown if mark == "good"]
    paths = f'<path class="good" d="{spans_path(good, 5, 17)}"/>' if good else ""
    paths += "".join(
        f'<path class="{mark}" d="{path}"/>'
        for mark in ("idle", "warn", "bad")
        if (path := strokes_path([(place, h) for (m, h), place in shown if m == mark], 5, 20))
    )
    counts = Counter(run.outcome for run in runs)
    words = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    return _chart(100, 20, f"last {pluralize(len(runs), 'run')}: {words}", paths)


def _day_bars(entry: SourceEntry, report: Report) -> Html:
    """A bar for each of the last days: how much was revised or withdrawn."""
    activity = report.activity
    revised = {changes.day: changes.revised + changes.retracted for changes in entry.days}
    total = sum(revised.values())
    if activity is None or not total:
        return element("span", "none", class_="soft small")
    days = _days(activity.since, report.sources.now, report.sources.zone)
    counts = [revised.get(day, 0) for day in days]
    label = f"{pluralize(total, 'revision')} in {len(days) - 1} days, at most {max(counts):,} a day"
    width = 3 * len(days)
    bars = (
        f'<path class="base" d="M0 24h{width}"/><path class="bars" d="{bars_path(counts, 3, 24)}"/>'
    )
    return _chart(width, 24, label, bars)


def _days(since: datetime, now: datetime, zone: tzinfo) -> list[date]:
    first, last = since.astimezone(zone).date(), now.astimezone(zone).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _details(entry: SourceEntry, report: Report) -> Iterator[Html]:
    now, zone = report.sources.now, report.sources.zone
    is_short = _is_short(entry, report)
    reasons = [] if entry.verdict.well else list(entry.verdict.reasons)
    doubts = [d.message for d in entry.verdict.doubts if d.message not in reasons]
    if reasons or doubts:
        yield element("h4", "Why")
        yield element("ul", *(element("li", _plain(reason)) for reason in (*reasons, *doubts)))
    if commands := list(_commands(entry)):
        yield element("h4", "What to do")
        yield element(
            "ul", *(element("li", element("code", line)) for line in commands), class_="todo"
        )
    if facts := list(_facts(entry, now, zone)):
        yield element("h4", "At a glance")
        yield element(
            "dl",
            *(element("div", element("dt", name), element("dd", value)) for name, value in facts),
            class_="facts",
        )
    if len(entry.series) > 1 or entry.missing:
        yield from _series_table(
            entry, now, zone, _SHOWN_SERIES_OF_MANY if is_short else _SHOWN_SERIES
        )
    if entry.runs:
        limit = _SHOWN_RUNS_OF_MANY if is_short else _SHOWN_RUNS[entry.group]
        yield from _runs_table(entry.runs[:limit], zone)


def _is_short(entry: SourceEntry, report: Report) -> bool:
    return len(report.entries) > _MANY and entry.group is not Group.ILL


def _commands(entry: SourceEntry) -> Iterator[str]:
    """What finds out more, and what mends it."""
    name, condition = entry.verdict.source, entry.verdict.condition
    if condition is Condition.BROKEN:
        yield command_line("list-sources", "--check")
    elif entry.group is Group.ILL and condition is not Condition.UNKNOWN:
        if entry.runs:
            yield command_line("runs", name)
        yield command_line("fetch", name)
    if entry.missing:
        series = [s.name for s in entry.series if s.gaps is not None and s.gaps.gaps]
        names = series[:_SHOWN_SERIES]
        yield command_line("gaps", *names, "--start", "30d", "--fill")


def _facts(entry: SourceEntry, now: datetime, zone: tzinfo) -> Iterator[tuple[str, str]]:
    source, row, verdict = entry.source, entry.row, entry.verdict
    state = row.state if row else None
    if source is not None:
        yield "Schedule", f"every {format_duration(source.schedule)}"
    if verdict.next_due is not None:
        due = verdict.next_due
        yield "Next due", "now" if due <= now else format_age(due, now)
    if state is not None and state.last_success is not None:
        when = format_instant(state.last_success.replace(second=0, microsecond=0), zone)
        yield "Last success", when
    if state is not None and state.failing_since is not None:
        when = format_instant(state.failing_since.replace(second=0, microsecond=0), zone)
        yield "Failing since", when
    if verdict.newest is not None:
        yield "Newest value", format_instant(verdict.newest, zone)
    if entry.days:
        new, revised = (
            sum(d.inserted for d in entry.days),
            sum(d.revised + d.retracted for d in entry.days),
        )
        yield "In 30 days", f"{new:,} new, {revised:,} revised"
    if entry.disk:
        yield "Disk, about", format_bytes(entry.disk)


def _series_table(entry: SourceEntry, now: datetime, zone: tzinfo, limit: int) -> Iterator[Html]:
    """The series of a source, those with gaps first."""
    shown = sorted(entry.series, key=lambda s: -(s.gaps.missing if s.gaps else 0))[:limit]
    yield element("h4", "Series")
    yield _table(
        "Series",
        ("Series", "Unit", "Values", "Newest", "Missing in 30 days"),
        [
            (
                element("th", series.name, scope="row"),
                element("td", series.unit or NOTHING),
                element("td", _line(series) if series.values else NOTHING),
                element("td", format_age(series.newest, now)),
                element("td", _gaps_text(series, zone)),
            )
            for series in shown
        ],
    )
    if (more := len(entry.series) - len(shown)) > 0:
        yield element("p", f"and {more:,} more series", class_="soft small")


def _gaps_text(series: SeriesEntry, zone: tzinfo) -> str:
    gaps = series.gaps
    if gaps is None or gaps.without_grid:
        return f"{gaps.without_grid}" if gaps else NOTHING
    if not gaps.gaps:
        return "none"
    first = [f"{gap.missing:,} from {format_instant(gap.start, zone)}" for gap in gaps.gaps]
    more = len(first) - _SHOWN_GAPS
    return ", ".join(first[:_SHOWN_GAPS]) + (f", and {more} more gaps" if more > 0 else "")


def _runs_table(runs: Sequence[RecordedRun], zone: tzinfo) -> Iterator[Html]:
    titles = ["Run", "Began", "Took", "Outcome", "New", "Revised"]
    rows = [_run_cells(run, zone) for run in runs]
    if any(run.error for run in runs):
        titles.append("Why")
        for cells, run, above in zip(rows, runs, (None, *runs), strict=False):
            same = above is not None and run.error is not None and run.error == above.error
            cells.append(element("td", "the same" if same else run.error, class_="text"))
    yield element("h4", "Last runs")
    yield _table("Last runs", titles, rows, class_="of-runs")


def _run_cells(run: RecordedRun, zone: tzinfo) -> list[Html]:
    counts = run.counts
    took = (
        NOTHING
        if run.finished_at is None
        else format_seconds(max(0.0, (run.finished_at - run.started_at).total_seconds()))
    )
    mark = _STROKES[run.outcome][0]
    return [
        element("td", str(run.run_id)),
        element("td", format_instant(run.started_at.replace(second=0, microsecond=0), zone)),
        element("td", took),
        element("td", str(run.outcome), class_=None if mark == "good" else mark),
        element("td", f"{counts.inserted:,}"),
        element("td", f"{counts.revised + counts.retracted:,}"),
    ]


def _table(
    label: str,
    titles: Sequence[str],
    rows: Sequence[Sequence[Html]],
    *,
    class_: str | None = None,
) -> Html:
    """A table that can be moved sideways where it is too wide, also by the keyboard."""
    return element(
        "div",
        element(
            "table",
            element("thead", element("tr", *(element("th", title) for title in titles))),
            element("tbody", *(element("tr", *cells) for cells in rows)),
            class_=class_,
            aria_label=label,
        ),
        class_="wide",
        tabindex=0,
    )


def _database(activity: Activity) -> Html:
    storage = activity.storage
    tables = sorted((t for t in storage.tables if t.table in _ROWS), key=lambda t: -t.bytes)
    server = f"PostgreSQL {activity.server.server_version}"
    server += f", TimescaleDB {activity.server.timescaledb}" if activity.server.timescaledb else ""
    upkeep = None
    if storage.gain:
        upkeep = join(
            f" Upkeep would free {format_bytes(storage.gain)}: ",
            element("code", "dataportal maintain"),
        )
    return element(
        "section",
        element("h2", f"Database: {format_bytes(storage.bytes)}"),
        element(
            "div",
            _table(
                "What the tables take of the disk",
                ("Table", "A row is one of", "Compressed", "Bytes"),
                [
                    (
                        element("th", table.table, scope="row"),
                        element("td", _ROWS[table.table]),
                        element("td", f"{table.compressed_share:.0%}" if table.chunks else NOTHING),
                        element("td", format_bytes(table.bytes)),
                    )
                    for table in tables
                ],
                class_="of-tables",
            ),
            class_="disk",
        ),
        element("p", f"{server}. Indexes are counted.", upkeep, class_="soft small"),
    )


def _footer(report: Report) -> Html:
    return element(
        "footer",
        element(
            "p",
            f"Made by dataportal {__version__} at ",
            _time(report.sources.now, iso(report.sources.now.replace(microsecond=0))),
            ". A line shows the newest values. Strokes are the last runs, the newest to the right: "
            "low went well, half as high brought nothing or a part, full height failed. Bars are "
            "the revisions of each of the last 30 days.",
        ),
    )
