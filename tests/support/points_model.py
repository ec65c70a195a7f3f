"""Model of the questions of points in time, in plain Python: what each function of SQL answers.

Histories are made up whole, with knowledge times as a test wants them, and put into the tables as
they are.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st
from support.stored_runs import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import time
    from zoneinfo import ZoneInfo

    import psycopg

HOUR = timedelta(hours=1)
SERIES = ("load", "wind")


def at(hours: float) -> datetime:
    """So many hours after the start of all."""
    return START + hours * HOUR


class Version(NamedTuple):
    """A value, and since when and until when it was the one known; None for still."""

    series: str
    ts: datetime
    value: float
    valid_from: datetime
    valid_to: datetime | None

    def known_at(self, time: datetime) -> bool:
        """Whether it was the one known then."""
        return self.valid_from <= time and (self.valid_to is None or time < self.valid_to)


class Record(NamedTuple):
    """A publication, as it was recorded at a time; None for no value."""

    series: str
    ts: datetime
    value: float | None
    published_at: datetime
    recorded_at: datetime


class Change(NamedTuple):
    """What became of a value that had been known, or published, before."""

    series: str
    ts: datetime
    old_value: float | None
    new_value: float | None
    changed_at: datetime
    age: timedelta


@dataclass(frozen=True)
class Known:
    """What was known when, and what the questions by knowledge answer."""

    versions: tuple[Version, ...]

    def answer(
        self, wanted: Callable[[Version], bool], start: datetime | None, end: datetime | None
    ) -> set[Version]:
        """The versions wanted in a range of ts."""
        return {v for v in self.versions if in_range(v.ts, start, end) and wanted(v)}

    def release(self, number: int, start: datetime | None, end: datetime | None) -> set[Version]:
        """The version of that number of each observation."""
        return {
            versions[number - 1]
            for versions in self._by_observation(start, end)
            if number <= len(versions)
        }

    def value_at(self, series: str, ts: datetime, time: datetime) -> Version | None:
        """The version of one observation that was known at a time."""
        wanted = (v for v in self.versions if (v.series, v.ts) == (series, ts) and v.known_at(time))
        return next(wanted, None)

    def revisions(self, start: datetime | None, end: datetime | None) -> set[Change]:
        """Every change of what had been known."""
        return {
            Change(series, ts, old, new, changed, changed - ts)
            for versions in self._by_observation(start, end)
            for series, ts, old, new, changed in self._changes(versions)
        }

    def _by_observation(
        self, start: datetime | None, end: datetime | None
    ) -> Iterator[list[Version]]:
        observations = defaultdict(list)
        for version in sorted(self.answer(lambda _: True, start, end), key=lambda v: v.valid_from):
            observations[version.series, version.ts].append(version)
        yield from observations.values()

    def _changes(self, versions: list[Version]) -> Iterator[tuple[Any, ...]]:
        for before, after in pairwise([*versions, None]):
            assert before
            until = before.valid_to
            if after is not None and after.valid_from == until:
                yield *before[:2], before.value, after.value, until
                continue
            if until is not None:
                yield *before[:2], before.value, None, until
            if after is not None:
                yield *before[:2], None, after.value, after.valid_from


@dataclass(frozen=True)
class Published:
    """What was published when, and what the questions by publication answer."""

    records: tuple[Record, ...]

    def publications(
        self, recorded_by: datetime, start: datetime | None = None, end: datetime | None = None
    ) -> dict[tuple[str, datetime], list[Record]]:
        """Of each observation its publications in their order, each as it was recorded last."""
        last: dict[tuple[str, datetime, datetime], Record] = {}
        for record in sorted(self.records, key=lambda r: r.recorded_at):
            if record.recorded_at <= recorded_by and in_range(record.ts, start, end):
                last[record.series, record.ts, record.published_at] = record
        observations = defaultdict(list)
        for _, record in sorted(last.items()):
            observations[record.series, record.ts].append(record)
        return observations

    def answer(
        self,
        decision: Callable[[datetime], datetime],
        recorded_by: datetime,
        start: datetime | None,
        end: datetime | None,
    ) -> set[Record]:
        """The newest publication of each ts by its time of decision, where that has a value."""
        newest = (
            self._newest(records, decision(records[0].ts))
            for records in self.publications(recorded_by, start, end).values()
        )
        return {record for record in newest if record is not None and record.value is not None}

    def value_at(
        self, series: str, ts: datetime, time: datetime, recorded_by: datetime
    ) -> Record | None:
        """The newest publication of one observation by a time."""
        return self._newest(self.publications(recorded_by).get((series, ts), []), time)

    def issue(self, published_at: datetime, recorded_by: datetime) -> set[Record]:
        """All that was published at one time."""
        return {
            record
            for records in self.publications(recorded_by).values()
            for record in records
            if record.published_at == published_at and record.value is not None
        }

    def issues(self, recorded_by: datetime) -> set[tuple[Any, ...]]:
        """The times of publication of each series, with the extent of each."""
        times = defaultdict(list)
        for records in self.publications(recorded_by).values():
            for record in records:
                times[record.series, record.published_at].append(record.ts)
        return {(*key, min(ts), max(ts), len(ts)) for key, ts in times.items()}

    def releases(
        self, recorded_by: datetime, start: datetime | None, end: datetime | None
    ) -> list[list[Record]]:
        """The publications of each observation that changed its value."""
        return [
            [
                record
                for before, record in pairwise([None, *records])
                if record is not None and record.value != (before.value if before else None)
            ]
            for records in self.publications(recorded_by, start, end).values()
        ]

    def release(
        self, number: int, recorded_by: datetime, start: datetime | None, end: datetime | None
    ) -> set[Record]:
        """The release of that number of each observation."""
        releases = self.releases(recorded_by, start, end)
        return {records[number - 1] for records in releases if number <= len(records)}

    def revisions(
        self, recorded_by: datetime, start: datetime | None, end: datetime | None
    ) -> set[Change]:
        """Every change of what had been published."""
        return {
            Change(*new[:2], old.value, new.value, new.published_at, new.published_at - new.ts)
            for records in self.releases(recorded_by, start, end)
            for old, new in pairwise(records)
        }

    def _newest(self, records: Sequence[Record], time: datetime) -> Record | None:
        return max(
            (record for record in records if record.published_at <= time),
            key=lambda record: record.published_at,
            default=None,
        )


def in_range(ts: datetime, start: datetime | None, end: datetime | None) -> bool:
    """Whether it is in the half-open range; None leaves an end open."""
    return (start is None or ts >= start) and (end is None or ts < end)


def cutoff(ts: datetime, days: int, clock: time, zone: ZoneInfo) -> datetime:
    """When the clocks of the zone show that time, so many days before the local day of `ts`.

    Of a time that they show twice it is the second, of one that they skip it is an hour later: that
    is what PostgreSQL makes of them.
    """
    day = ts.astimezone(zone).date() - timedelta(days=days)
    local = datetime.combine(day, clock, tzinfo=zone)
    early, late = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    is_shown = early.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(tzinfo=None)
    return late if is_shown else early


_values = st.sampled_from([1.0, 2.0, -3.5, 0.0])
_hours = st.integers(-30, 60)
_quarters = st.integers(0, 200).map(lambda n: n / 4)
instants = _quarters.map(lambda hours: at(hours - 5))
"""Times of decision, some of them before all and after all."""
bounds = st.one_of(st.none(), st.integers(-2, 8).map(at))
"""An end of a range of ts."""


@st.composite
def known_histories(draw: st.DrawFn) -> Known:
    """Revisions, withdrawals, returns, A → B → A, of two series at the same times."""
    versions: list[Version] = []
    for series in SERIES:
        for number in draw(st.sets(st.integers(0, 6), max_size=4)):
            times = sorted(draw(st.sets(_quarters, min_size=1, max_size=6)))
            values = [draw(st.one_of(st.none(), _values)) for _ in times]
            for hours, value, until in zip(times, values, [*times[1:], None], strict=True):
                if value is not None:
                    end = None if until is None else at(until)
                    versions.append(Version(series, at(number), value, at(hours), end))
    return Known(tuple(versions))


@st.composite
def published_histories(draw: st.DrawFn) -> Published:
    """Publications, some restated later or earlier than others, some with the same value again."""
    keys = st.tuples(
        st.sampled_from(SERIES),
        st.integers(0, 3).map(at),
        st.integers(-8, 8).map(lambda n: at(n * 3)),
        st.integers(0, 5).map(lambda n: at(n * 6)),
    )
    return Published(
        tuple(
            Record(series, ts, draw(st.one_of(st.none(), _values)), published, recorded)
            for series, ts, published, recorded in sorted(draw(st.sets(keys, max_size=25)))
        )
    )


def store_series(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """The series_id of each of the series, which are there from then on."""
    rows = connection.execute(
        "INSERT INTO time_series (endpoint_prefix, source)"
        " SELECT name, 'grid' FROM unnest(%s::text[]) AS name RETURNING endpoint_prefix, series_id",
        [list(SERIES)],
    )
    return dict(rows.fetchall())


def store_known(connection: psycopg.Connection[Any], ids: dict[str, int], history: Known) -> None:
    """Put versions into the table."""
    with connection.cursor().copy(
        "COPY time_series_data_scd2 (series_id, ts, value, valid_from, valid_to, run_id) FROM STDIN"
    ) as copy:
        for v in history.versions:
            copy.write_row((ids[v.series], *v[1:4], v.valid_to or "infinity", 1))


def store_published(
    connection: psycopg.Connection[Any], ids: dict[str, int], history: Published
) -> None:
    """Put publications into the table."""
    with connection.cursor().copy(
        "COPY time_series_vintage (series_id, ts, value, published_at, recorded_at, run_id)"
        " FROM STDIN"
    ) as copy:
        for record in history.records:
            copy.write_row((ids[record.series], *record[1:], 1))
