"""What `report` answers, as data: every source with what became of it lately, and the database."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dataportal.health import Condition
from dataportal.render.list_sources import broken_fields, gone_fields, source_fields
from dataportal.render.recorded_runs import run_fields
from dataportal.render.storage import storage_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dataportal.config import Source
    from dataportal.health import Verdict
    from dataportal.render.list_sources import Listing, SourcesView
    from dataportal.store.read.activity import DayChanges, NewestValues
    from dataportal.store.read.gaps import SeriesGaps
    from dataportal.store.read.overview import DatabaseFacts, SourceRow
    from dataportal.store.read.runs import RecordedRun
    from dataportal.store.read.storage import Storage


class Group(StrEnum):
    """What a source asks of whoever reads the report, the most urgent first."""

    ILL = "ill"
    WELL = "well"
    IDLE = "idle"
    """It is not to run."""


_ORDER = (
    *(Condition.BROKEN, Condition.FAILING, Condition.STALE, Condition.DOUBTFUL),
    *(Condition.NEVER_RUN, Condition.UNKNOWN, Condition.RUNNING, Condition.DUE, Condition.OK),
    *(Condition.NEEDS, Condition.DISABLED, Condition.GONE),
)


@dataclass(frozen=True, slots=True)
class Activity:
    """What became of the sources lately, each part by their names.

    Attributes:
        since: from when on changes and gaps are counted.
        runs: the last runs, newest first.
        days: what runs changed, by day.
        gaps: of the series, by source.
        values: the newest values of series, by the keys of those.
        disk: about how many bytes of the database are of a source.
        storage: how much room the tables take.
        server: what server the database is.
    """

    since: datetime
    runs: Mapping[str, Sequence[RecordedRun]]
    days: Mapping[str, Sequence[DayChanges]]
    gaps: Mapping[str, Sequence[SeriesGaps]]
    values: Mapping[int, NewestValues]
    disk: Mapping[str, int]
    storage: Storage
    server: DatabaseFacts


@dataclass(frozen=True, slots=True)
class SeriesEntry:
    """A series of a source: its name and unit, its newest ts and values, and what is missing."""

    name: str
    unit: str | None
    newest: datetime | None
    values: NewestValues | None
    gaps: SeriesGaps | None


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A source with all that the report says of it.

    Attributes:
        verdict: how it stands.
        group: what that asks of the reader.
        source: its entry in the file; None for one that is broken or only stored.
        row: what the database has of it; None for nothing.
        fields: as `list-sources --json` has it.
        series: its series.
        runs: its last runs, newest first.
        days: what runs changed, by day.
        disk: about how many bytes it takes; None where that is not known.
    """

    verdict: Verdict
    group: Group
    source: Source | None
    row: SourceRow | None
    fields: Mapping[str, Any]
    series: Sequence[SeriesEntry] = ()
    runs: Sequence[RecordedRun] = ()
    days: Sequence[DayChanges] = ()
    disk: int | None = None

    @property
    def missing(self) -> int:
        """How many values are missing of its series."""
        return sum(s.gaps.missing for s in self.series if s.gaps is not None)


@dataclass(frozen=True, slots=True)
class Report:
    """The answer of `report`.

    Attributes:
        sources: all sources with their verdicts.
        activity: what became of them; None where the database cannot be asked.
        fault: why it cannot be asked; None where it can.
        entries: the sources, those that ask for somebody first.
    """

    sources: SourcesView
    activity: Activity | None
    fault: str | None = None
    entries: Sequence[SourceEntry] = field(init=False)

    def __post_init__(self) -> None:
        view = self.sources
        entries = [self._source_entry(listing) for listing in view.listings]
        entries += [
            SourceEntry(verdict, Group.ILL, None, None, broken_fields(verdict))
            for verdict in view.broken.values()
        ]
        entries += [self._gone_entry(verdict, row) for verdict, row in view.gone]
        entries.sort(
            key=lambda entry: (
                list(Group).index(entry.group),
                _ORDER.index(entry.verdict.condition),
                entry.verdict.source,
            )
        )
        object.__setattr__(self, "entries", entries)

    @property
    def groups(self) -> Mapping[Group, int]:
        """How many sources are in each group."""
        counts = Counter(entry.group for entry in self.entries)
        return {group: counts[group] for group in Group}

    def document(self) -> Mapping[str, Any]:
        """`ok`, `made_at`, `since`, `states`, `sources` and `database`."""
        activity = self.activity
        states = Counter(str(entry.verdict.condition) for entry in self.entries)
        return {
            "ok": self.fault is None and not self.groups[Group.ILL],
            "made_at": self.sources.now,
            "since": activity.since if activity else None,
            "error": self.fault,
            "states": dict(sorted(states.items())),
            "sources": [self._source_document(entry) for entry in self.entries],
            "database": None if activity is None else _database_document(activity),
        }

    def _source_entry(self, listing: Listing) -> SourceEntry:
        verdict, source, row = listing.verdict, listing.source, listing.row
        units = {series.endpoint_prefix: series.unit for series in source.series}
        idle = not verdict.counts and verdict.condition is not Condition.UNKNOWN
        group = Group.IDLE if idle else Group.WELL if verdict.well else Group.ILL
        return SourceEntry(
            verdict,
            group,
            source,
            row,
            source_fields(listing),
            self._series_entries(verdict.source, row, units),
            **self._activity_of(verdict.source),
        )

    def _gone_entry(self, verdict: Verdict, row: SourceRow) -> SourceEntry:
        return SourceEntry(
            verdict,
            Group.IDLE,
            None,
            row,
            gone_fields(verdict, row),
            self._series_entries(verdict.source, row, {}),
            **self._activity_of(verdict.source),
        )

    def _activity_of(self, source: str) -> dict[str, Any]:
        activity = self.activity
        if activity is None:
            return {}
        return {
            "runs": activity.runs.get(source, ()),
            "days": activity.days.get(source, ()),
            "disk": activity.disk.get(source),
        }

    def _series_entries(
        self, source: str, row: SourceRow | None, units: Mapping[str, str | None]
    ) -> list[SeriesEntry]:
        """The series that are stored, and those that the file only names."""
        activity = self.activity
        gaps = (
            {g.series.endpoint_prefix: g for g in activity.gaps.get(source, ())} if activity else {}
        )
        stored = {series.endpoint_prefix: series for series in row.series} if row else {}
        return [
            SeriesEntry(
                name,
                units.get(name) or (gaps[name].series.unit if name in gaps else None),
                stored[name].newest if name in stored else None,
                activity.values.get(stored[name].series_id)
                if activity and name in stored
                else None,
                gaps.get(name),
            )
            for name in dict.fromkeys([*units, *stored])
        ]

    def _source_document(self, entry: SourceEntry) -> dict[str, Any]:
        now = self.sources.now
        by_name = {series.name: series for series in entry.series}
        return {
            **entry.fields,
            "ok": entry.group is not Group.ILL,
            "lag": _lag(entry.verdict.newest, now),
            "series": [
                {**fields, **_series_document(by_name[fields["endpoint_prefix"]], now)}
                for fields in entry.fields["series"]
            ],
            "runs": [run_fields(run) for run in entry.runs],
            "changes_by_day": [
                {
                    "day": changes.day.isoformat(),
                    "inserted": changes.inserted,
                    "revised": changes.revised,
                    "retracted": changes.retracted,
                }
                for changes in entry.days
            ],
            "disk_bytes": entry.disk,
        }


def _lag(newest: datetime | None, now: datetime) -> float | None:
    return None if newest is None else (now - newest).total_seconds()


def _series_document(series: SeriesEntry, now: datetime) -> dict[str, Any]:
    values = series.values
    gaps = series.gaps.gaps if series.gaps else ()
    return {
        "lag": _lag(series.newest, now),
        "values": []
        if values is None
        else [
            {"ts": datetime.fromtimestamp(ts, UTC), "value": value}
            for ts, value in zip(values.ts, values.values, strict=True)
        ],
        "gaps": [{"start": g.start, "end": g.end, "missing": g.missing} for g in gaps],
    }


def _database_document(activity: Activity) -> dict[str, Any]:
    return {
        "server_version": activity.server.server_version,
        "timescaledb": activity.server.timescaledb,
        **storage_fields(activity.storage),
    }
