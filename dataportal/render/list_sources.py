"""Shows sources with their series and state, and what `list-sources --check` found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.render.console import printable
from dataportal.render.formatting import NOTHING, format_age, format_instant, pluralize
from dataportal.render.runs import backfill_fields, backfill_sentence
from dataportal.render.series_fields import series_fields
from dataportal.render.storage import storage_fields
from dataportal.render.tables import Table
from dataportal.series import SeriesDescription
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    from dataportal.config import Source
    from dataportal.health import Condition, Doubt, Verdict
    from dataportal.store.backfills import SourcesBackfill
    from dataportal.store.read.overview import RunRow, SourceRow
    from dataportal.store.read.storage import Storage

_MOODS = {
    "ok": "good",
    "failing": "bad",
    "stale": "bad",
    "doubtful": "doubtful",
    "broken": "bad",
    "never run": "doubtful",
    "due": "doubtful",
    "unknown": "doubtful",
    "disabled": "dim",
    "gone": "dim",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A source, what the database has of it (None: nothing), and the verdict."""

    source: Source
    row: SourceRow | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class SourcesView:
    """The answer of `list-sources`.

    Attributes:
        listings: the sources, in their order.
        broken: verdicts over the entries that cannot be used, by their names.
        now: what ages are counted to.
        zone: the time zone of the table.
        by_series: whether the table has a row for each series rather than for each source.
        gone: sources that only the database knows.
        backfill: the newest one of several sources, if it is not done.
    """

    listings: Sequence[Listing]
    broken: Mapping[str, Verdict]
    now: datetime
    zone: tzinfo
    by_series: bool = False
    gone: Sequence[tuple[Verdict, SourceRow]] = ()
    backfill: SourcesBackfill | None = None
    storage: Storage | None = None

    def only_in(self, conditions: frozenset[Condition]) -> SourcesView:
        """The same with only the sources in these conditions."""
        return replace(
            self,
            listings=[
                listing for listing in self.listings if listing.verdict.condition in conditions
            ],
            broken={n: v for n, v in self.broken.items() if v.condition in conditions},
            gone=[(verdict, row) for verdict, row in self.gone if verdict.condition in conditions],
        )

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A table, why entries cannot be used, and what is doubted of sources."""
        table = self._series_table() if self.by_series else self._source_table()
        yield from table.lines(stream)
        for verdict in self.broken.values():
            yield from (printable(reason) for reason in verdict.reasons)
        for listing in self.listings:
            for doubt in listing.verdict.doubts:
                yield printable(f"{listing.source.name}: {doubt.message}")
        if self.backfill is not None:
            yield backfill_sentence(self.backfill)

    def document(self) -> Mapping[str, Any]:
        """`sources`, each with its series, and the room that the tables take."""
        sources = [source_fields(listing) for listing in self.listings]
        sources += [broken_fields(verdict) for verdict in self.broken.values()]
        sources += [gone_fields(verdict, row) for verdict, row in self.gone]
        backfill = None if self.backfill is None else backfill_fields(self.backfill)
        storage = None if self.storage is None else storage_fields(self.storage)
        return {"sources": sources, "backfill": backfill, "storage": storage}

    def _source_table(self) -> Table:
        table = Table(
            (
                "source",
                "series",
                "schedule",
                "last run",
                "last success",
                "newest",
                "next due",
                "state",
            ),
            moods=_MOODS,
            dispensable=("last success", "series", "newest", "last run", "schedule"),
        )
        for listing in self.listings:
            table.add(*_cells(listing, self.now, self.zone))
        for name in self.broken:
            table.add(name, *[NOTHING] * 6, "broken")
        for verdict, row in self.gone:
            table.add(*_gone_cells(verdict, row, self.now, self.zone))
        return table

    def _series_table(self) -> Table:
        keys = self._terms()
        table = Table(
            ("series", "name", "unit", "granularity", "newest", "source", "state", *keys),
            moods=_MOODS,
            dispensable=(*reversed(keys), "source", "newest", "granularity", "state"),
        )
        for listing in self.listings:
            newest = _newest_by_series(listing.row)
            for series in listing.source.series:
                table.add(
                    series.endpoint_prefix,
                    series.name or NOTHING,
                    series.unit or NOTHING,
                    series.granularity or NOTHING,
                    format_instant(newest.get(series.endpoint_prefix), self.zone),
                    listing.source.name,
                    listing.verdict.text,
                    *(str(series.metadata.get(key, NOTHING)) for key in keys),
                )
        for verdict, row in self.gone:
            for stored in row.series:
                newest_ts = format_instant(stored.newest, self.zone)
                name = stored.endpoint_prefix
                cells = (newest_ts, verdict.source, verdict.text, *[NOTHING] * len(keys))
                table.add(name, *[NOTHING] * 3, *cells)
        return table

    def _terms(self) -> tuple[str, ...]:
        """Licence and check, where a series says how it was checked, as those of the catalogue."""
        series = (s for listing in self.listings for s in listing.source.series)
        return ("licence", "checked") if any("checked" in s.metadata for s in series) else ()


@dataclass(frozen=True, slots=True)
class ConfigurationView:
    """The answer of `list-sources --check`.

    Attributes:
        sources: those that were checked.
        problems: what is wrong, by the names of the sources; the key "" is the file itself.
        warnings: what is doubtful in the file.
    """

    sources: Sequence[Source]
    problems: Mapping[str, Sequence[str]]
    warnings: Sequence[str]

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return not any(self.problems.values())

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A line for each problem and for each source that needs a variable, and a summary."""
        del stream
        for messages in self.problems.values():
            yield from (printable(message) for message in messages)
        for source in self.sources:
            if source.missing_env:
                needs = ", ".join(source.missing_env)
                yield printable(f"{source.where}: {source.name} needs {needs}")
        count = sum(map(len, self.problems.values()))
        verdict = "all is well" if self.ok else pluralize(count, "problem")
        checked = len(self.problems) - ("" in self.problems)
        yield f"{pluralize(checked, 'source')} checked, {verdict}"

    def document(self) -> Mapping[str, Any]:
        """`ok`, `warnings`, and `sources`, each with its problems."""
        sources = {source.name: source for source in self.sources}
        return {
            "ok": self.ok,
            "sources": [
                {
                    "source": name or None,
                    "where": sources[name].where if name in sources else None,
                    "ok": not messages,
                    "missing_env": sources[name].missing_env if name in sources else [],
                    "problems": messages,
                }
                for name, messages in self.problems.items()
            ],
            "warnings": self.warnings,
        }


def _newest_by_series(row: SourceRow | None) -> dict[str, datetime | None]:
    return {series.endpoint_prefix: series.newest for series in row.series} if row else {}


def _gone_cells(verdict: Verdict, row: SourceRow, now: datetime, zone: tzinfo) -> tuple[str, ...]:
    first, *others = [series.endpoint_prefix for series in row.series]
    return (
        verdict.source,
        f"{first} +{len(others)}" if others else first,
        NOTHING,
        _run_text(row.last_run, now),
        format_age(row.state.last_success, now),
        format_instant(verdict.newest, zone),
        NOTHING,
        verdict.text,
    )


def _run_text(run: RunRow | None, now: datetime) -> str:
    return f"{run.outcome or 'running'}, {format_age(run.started_at, now)}" if run else NOTHING


def _cells(listing: Listing, now: datetime, zone: tzinfo) -> tuple[str, ...]:
    source, row, verdict = listing.source, listing.row, listing.verdict
    first, *others = [s.endpoint_prefix for s in source.series] or [NOTHING]
    return (
        source.name,
        f"{first} +{len(others)}" if others else first,
        format_duration(source.schedule),
        _run_text(row.last_run if row else None, now),
        format_age(row.state.last_success, now) if row else NOTHING,
        format_instant(verdict.newest, zone),
        _format_due(verdict.next_due, now),
        verdict.text,
    )


def _format_due(instant: datetime | None, now: datetime) -> str:
    if instant is None:
        return NOTHING
    return "now" if instant <= now else format_age(instant, now)


def source_fields(listing: Listing) -> dict[str, Any]:
    """A source as JSON has it."""
    source, row, verdict = listing.source, listing.row, listing.verdict
    state = row.state if row else None
    newest = _newest_by_series(row)
    return {
        "source": source.name,
        "where": source.where,
        "file": None if source.file is None else str(source.file),
        "state": verdict.text,
        "reasons": [] if verdict.well else verdict.reasons,
        "doubts": [_doubt_fields(doubt) for doubt in verdict.doubts],
        "enabled": source.enabled,
        "missing_env": source.missing_env,
        "tags": source.tags,
        "schedule": source.schedule,
        "stale_after": source.stale_after,
        "last_run": _run_fields(row.last_run) if row and row.last_run else None,
        "last_attempt": state.last_attempt if state else None,
        "last_success": state.last_success if state else None,
        "failures": state.failures if state else 0,
        "failing_since": state.failing_since if state else None,
        "known_through": state.known_through if state else None,
        "newest": verdict.newest,
        "next_due": verdict.next_due,
        "series": [
            {**series_fields(s), "newest": newest.get(s.endpoint_prefix)} for s in source.series
        ],
    }


def _doubt_fields(doubt: Doubt) -> dict[str, Any]:
    return {
        "kind": doubt.kind,
        "series": doubt.series,
        "since": doubt.since,
        "message": doubt.message,
        "settled_by": doubt.settled_by,
    }


def broken_fields(verdict: Verdict) -> dict[str, Any]:
    """An entry that cannot be used as JSON has it."""
    return {
        "source": verdict.source,
        "where": None,
        "file": None,
        "state": verdict.text,
        "reasons": verdict.reasons,
        "doubts": [],
        "enabled": None,
        "missing_env": [],
        "tags": [],
        "schedule": None,
        "stale_after": None,
        "last_run": None,
        "last_attempt": None,
        "last_success": None,
        "failures": 0,
        "failing_since": None,
        "known_through": None,
        "newest": None,
        "next_due": None,
        "series": [],
    }


def gone_fields(verdict: Verdict, row: SourceRow) -> dict[str, Any]:
    """A source that only the database knows as JSON has it."""
    state = row.state
    return {
        **broken_fields(verdict),
        "last_run": _run_fields(row.last_run) if row.last_run else None,
        "last_attempt": state.last_attempt,
        "last_success": state.last_success,
        "failures": state.failures,
        "failing_since": state.failing_since,
        "known_through": state.known_through,
        "newest": verdict.newest,
        "series": [
            {
                **series_fields(SeriesDescription(series.endpoint_prefix)),
                "newest": series.newest,
                "metadata": {},
            }
            for series in row.series
        ],
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
