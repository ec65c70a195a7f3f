"""Resolves the times of a series to the beginnings of its intervals, once all answers were read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dataportal.local_times import LocalTime, numbered_days, resolve
from dataportal.plugins.declarative.series_extraction import filter_text
from dataportal.plugins.readers.times import hour_fault
from dataportal.raw_points import RefusedTime

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from zoneinfo import ZoneInfo

    from dataportal.plugins.declarative.daylight import DaylightFlags
    from dataportal.plugins.declarative.records import FieldPath
    from dataportal.plugins.declarative.series_extraction import SeriesExtraction


class SeriesRows:
    """What the rows of a series say beside their labels, for a `LabelResolver`.

    Args:
        series: with the origins of its points.
        daylight: what tells the two hours of an autumn night apart.
        flag: where that stands in a row, if it does not in the label.
        zone: whose clocks the labels show.
    """

    def __init__(
        self,
        series: SeriesExtraction,
        daylight: DaylightFlags | None,
        flag: FieldPath,
        zone: ZoneInfo,
    ) -> None:
        self._series = series
        self._daylight = daylight
        self._flag = flag
        self._zone = zone
        self._columns: dict[int, Sequence[Any]] = {}
        self._revised = series.revised

    @property
    def decides(self) -> bool:
        """Whether there is something that does."""
        return self._daylight is not None

    def content(self, index: int) -> object:
        """The whole row."""
        records, row, _ = self._series.origins[index]
        return records.row(row)

    def text(self, index: int) -> str:
        """The label, as it stood in the answer."""
        return filter_text(self._series.origins[index][2])

    def publication(self, index: int) -> Hashable:
        """Of the value, and of the file."""
        published = str(self._series.published[index]) if self._series.published else None
        return published if self._revised is None else (published, self._revised[index])

    def is_marked(self, index: int) -> bool:
        """Whether a mark of the parameters is in the label."""
        return self._daylight is not None and bool(self._daylight.mark(self.text(index)))

    def side(self, index: int, first: datetime, second: datetime) -> int | RefusedTime:
        """By the mark in the label, or the flag in the row."""
        if self._daylight is None:
            return RefusedTime("has no flag")
        if self._daylight.in_labels:
            cell: Any = self._daylight.mark(self.text(index))
        else:
            records, row, _ = self._series.origins[index]
            if id(records) not in self._columns:
                self._columns[id(records)] = records.column(self._flag)
            cell = self._columns[id(records)][row]
        return self._daylight.side(cell, first, second, self._zone)


def without_faulty_days(series: SeriesExtraction, *, are_clock_times: bool) -> list[datetime | str]:
    """The times of a series, with the reason in place of those of days that cannot be read.

    Args:
        series: with its times.
        are_clock_times: whether the labels are taken for what clocks show, and nothing else tells
            the hours of a change apart.
    """
    faults = dict(series.day_faults)
    if series.origins and series.changes is not None and are_clock_times:
        labels = [
            (series.days.get(position, label.date()), label)
            for position in series.origins
            if isinstance(label := series.ts[position], datetime)
        ]
        faults = {**numbered_days(labels, series.changes), **faults}
    for day, count in series.hours_24.items():
        if count > 1:
            faults.setdefault(day, hour_fault(f"{day}", 24, count))
    if not faults:
        return series.ts
    times: list[datetime | str] = []
    for position, ts in enumerate(series.ts):
        written = series.days.get(position)
        if written is None and isinstance(ts, datetime) and ts.tzinfo is None:
            written = ts.date()
        fault = None if written is None else faults.get(written)
        times.append(ts if fault is None else RefusedTime(fault))
    return times


def instants_in_zone(times: Sequence[datetime | str], zone: ZoneInfo) -> list[datetime | str]:
    """Local times of the zone as instants; the reason for those that stand for none, or for two."""
    local = [
        None if isinstance(ts, str) else LocalTime(ts) if ts.tzinfo is None else ts for ts in times
    ]
    return [
        instant
        if isinstance(instant, datetime)
        else RefusedTime(f"{ts} {instant.reason}")
        if instant is not None
        else ts
        for instant, ts in zip(resolve(local, zone), times, strict=True)
    ]
