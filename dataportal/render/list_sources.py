"""Sources, their state and what a check of them found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataportal.render.console import printable
from dataportal.render.formatting import NOTHING, age, counted, moment
from dataportal.render.json_output import dumped
from dataportal.render.tables import Table, drawn
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    from dataportal.config import Source
    from dataportal.health import Verdict
    from dataportal.series import SeriesDescription
    from dataportal.store.read.overview import RunRow, SourceRow

_MOODS = {
    "ok": "good",
    "failing": "bad",
    "stale": "bad",
    "broken": "bad",
    "never run": "doubtful",
    "due": "doubtful",
    "unknown": "doubtful",
    "disabled": "dim",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A source, what the database has of it (None: nothing), and the verdict."""

    source: Source
    row: SourceRow | None
    verdict: Verdict


def source_lines(
    listings: Sequence[Listing],
    broken: Mapping[str, Verdict],
    *,
    now: datetime,
    zone: tzinfo,
    json: bool,
    by_series: bool = False,
) -> Iterator[str]:
    """What `list-sources` shows; `broken` are the entries that cannot be used.

    `by_series`: a line for each series rather than for each source.
    """
    if json:
        sources = [_fields(listing) for listing in listings]
        sources += [_broken_fields(verdict) for verdict in broken.values()]
        yield dumped({"sources": sources})
        return
    yield from drawn(
        _of_series(listings, zone) if by_series else _of_sources(listings, now, zone, broken)
    )
    for verdict in broken.values():
        yield from (printable(reason) for reason in verdict.reasons)


def _of_sources(
    listings: Sequence[Listing], now: datetime, zone: tzinfo, broken: Iterable[str]
) -> Table:
    table = Table(
        ("source", "series", "schedule", "last run", "last success", "newest", "next due", "state"),
        moods=_MOODS,
        dispensable=("last success", "series", "newest", "last run", "schedule"),
    )
    for listing in listings:
        table.add(*_cells(listing, now, zone))
    for name in broken:
        table.add(name, *[NOTHING] * 6, "broken")
    return table


def _of_series(listings: Sequence[Listing], zone: tzinfo) -> Table:
    table = Table(
        ("series", "name", "unit", "granularity", "newest", "source", "state"),
        moods=_MOODS,
        dispensable=("source", "newest", "granularity", "state"),
    )
    for listing in listings:
        row = listing.row
        newest = {s.endpoint_prefix: s.newest for s in row.series} if row else {}
        for series in listing.source.series:
            table.add(
                series.endpoint_prefix,
                series.name or NOTHING,
                series.unit or NOTHING,
                series.granularity or NOTHING,
                moment(newest.get(series.endpoint_prefix), zone),
                listing.source.name,
                listing.verdict.text,
            )
    return table


def check_lines(
    sources: Sequence[Source],
    problems: Mapping[str, Sequence[str]],
    warnings: Sequence[str],
    *,
    json: bool,
) -> Iterator[str]:
    """What `list-sources --check` shows; the key "" of `problems` is the file itself."""
    good = not any(problems.values())
    if json:
        known = {source.name: source for source in sources}
        rows = [
            {
                "source": name or None,
                "where": known[name].where if name in known else None,
                "ok": not found,
                "missing_env": known[name].missing_env if name in known else [],
                "problems": found,
            }
            for name, found in problems.items()
        ]
        yield dumped({"ok": good, "sources": rows, "warnings": warnings})
        return
    for found in problems.values():
        yield from (printable(problem) for problem in found)
    wrong = sum(map(len, problems.values()))
    needy = [s for s in sources if s.missing_env]
    for source in needy:
        yield printable(f"{source.where}: {source.name} needs {', '.join(source.missing_env)}")
    verdict = "all is well" if good else counted(wrong, "problem")
    yield f"{counted(len(problems) - ('' in problems), 'source')} checked, {verdict}"


def _cells(listing: Listing, now: datetime, zone: tzinfo) -> tuple[str, ...]:
    source, row, verdict = listing.source, listing.row, listing.verdict
    first, *others = [s.endpoint_prefix for s in source.series] or [NOTHING]
    run = row.last_run if row else None
    return (
        source.name,
        f"{first} +{len(others)}" if others else first,
        format_duration(source.schedule),
        f"{run.outcome or 'running'}, {age(run.started_at, now)}" if run else NOTHING,
        age(row.state.last_success, now) if row else NOTHING,
        moment(verdict.newest, zone),
        _due(verdict.next_due, now),
        verdict.text,
    )


def _due(at: datetime | None, now: datetime) -> str:
    if at is None:
        return NOTHING
    return "now" if at <= now else age(at, now)


def _fields(listing: Listing) -> dict[str, Any]:
    source, row, verdict = listing.source, listing.row, listing.verdict
    state = row.state if row else None
    newest = {s.endpoint_prefix: s.newest for s in row.series} if row else {}
    return {
        "source": source.name,
        "where": source.where,
        "state": verdict.text,
        "reasons": [] if verdict.well else verdict.reasons,
        "enabled": source.enabled,
        "missing_env": source.missing_env,
        "tags": source.tags,
        "schedule": source.schedule,
        "stale_after": source.stale_after,
        "last_run": _run_fields(row.last_run) if row and row.last_run else None,
        "last_attempt": state.last_attempt if state else None,
        "last_success": state.last_success if state else None,
        "failures": state.failures if state else 0,
        "known_through": state.known_through if state else None,
        "newest": verdict.newest,
        "next_due": verdict.next_due,
        "series": [_series_fields(s, newest.get(s.endpoint_prefix)) for s in source.series],
    }


def _broken_fields(verdict: Verdict) -> dict[str, Any]:
    return {
        "source": verdict.source,
        "where": None,
        "state": verdict.text,
        "reasons": verdict.reasons,
        "enabled": None,
        "missing_env": [],
        "tags": [],
        "schedule": None,
        "stale_after": None,
        "last_run": None,
        "last_attempt": None,
        "last_success": None,
        "failures": 0,
        "known_through": None,
        "newest": None,
        "next_due": None,
        "series": [],
    }


def _run_fields(run: RunRow) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "kind": run.kind,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "outcome": run.outcome,
        "error": run.error,
        "host": run.host,
        "pid": run.pid,
    }


def _series_fields(series: SeriesDescription, newest: datetime | None) -> dict[str, Any]:
    return {
        "endpoint_prefix": series.endpoint_prefix,
        "name": series.name,
        "description": series.description,
        "granularity": series.granularity,
        "unit": series.unit,
        "domain": series.domain,
        "category": series.category,
        "subcategory": series.subcategory,
        "metadata": dict(series.metadata),
        "newest": newest,
    }
