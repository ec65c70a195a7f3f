"""Resolves the times of a series to the beginnings of its intervals, once all answers were read."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from dataportal.local_times import LocalTime, numbered_days, resolve
from dataportal.plugins.declarative.interval_numbers import first_instant, interval_count
from dataportal.plugins.declarative.interval_starts import interval_starts
from dataportal.plugins.declarative.series_extraction import filter_text
from dataportal.plugins.readers.local_labels import LabelResolver
from dataportal.plugins.readers.times import hour_fault, nearest_instant
from dataportal.raw_points import RefusedTime
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence
    from zoneinfo import ZoneInfo

    from dataportal.plugins.declarative.daylight import DaylightFlags
    from dataportal.plugins.declarative.interval_numbers import IntervalNumbers
    from dataportal.plugins.declarative.record_times import RecordTimes
    from dataportal.plugins.declarative.records import FieldPath
    from dataportal.plugins.declarative.series_extraction import SeriesExtraction


_DAY, _MIDNIGHT = timedelta(days=1), time()


class SeriesTimes:
    """Resolves the times of series once all answers were read, as far as their rows tell them.

    Args:
        period: the length of intervals whose end labels name; None where they name the beginning.
        daylight: what tells the two hours of an autumn night apart.
        flag: where that stands in a row.
        present: the present, where all times are of it; else None.
    """

    def __init__(
        self,
        period: timedelta | None,
        daylight: DaylightFlags | None,
        flag: FieldPath,
        present: datetime | None,
    ) -> None:
        self._period, self._daylight = period, daylight
        self._flag, self._present = flag, present

    def resolve(
        self, series: SeriesExtraction, zone: ZoneInfo | None
    ) -> tuple[Sequence[datetime | str], Collection[int]]:
        """Where the intervals begin, as far as the rows tell it; and which only repeat others."""
        times: Sequence[datetime | str] = without_faulty_days(
            series, are_clock_times=self._period is None and self._daylight is None
        )
        repeated: Collection[int] = ()
        if self._present is not None and zone is not None:
            times = [nearest_instant(ts, zone, self._present) for ts in times]
        elif self._period is not None and (zone is None or not self._period % _DAY):
            times = interval_starts(times, self._period, zone)
        elif zone is not None and (self._period is not None or series.origins):
            rows = SeriesRows(series, self._daylight, self._flag, zone)
            # where labels name beginnings, those of quiet days are left as they are
            positions = series.origins if self._period is None else None
            shared = series.changes if series.changes and series.changes.zone == zone else None
            resolver = LabelResolver(zone, rows, self._period, shared)
            times, repeated = resolver.resolve(times, positions)
        if series.zone is not None:
            times = instants_in_zone(times, series.zone)
        return times, repeated


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


def interval_start(
    series: SeriesExtraction,
    interval: IntervalNumbers | None,
    day: datetime | str,
    times: RecordTimes,
    row: int,
    *,
    is_empty: bool,
) -> datetime | str | None:
    """Where the interval of a day and a number begins; a text for what names none.

    None for a number that the day does not have, where no value stands: in tables of 25 columns.

    Notes the day if it has no such interval.

    Args:
        series: whose point it will be.
        interval: how numbers are counted; None where there are none.
        day: as it was read; a text for none.
        times: of the records.
        row: of the point.
        is_empty: whether it has no value.
    """
    zone = None if series.changes is None else series.changes.zone
    if isinstance(day, str) or interval is None:
        return day
    if zone is None:
        return RefusedTime(
            "interval needs the source's timezone, to say of which zone "
            f"{filter_text(times.cells[row])} is a day"
        )
    try:
        if day.time() != _MIDNIGHT:
            written = filter_text(times.cells[row])
            raise ValueError(f"{written} is no day: a field may have format")  # noqa: TRY301
        number = interval.position(times.numbers[row])
        count = interval_count(day.date(), interval.length, zone)
        begins = first_instant(day.date(), zone) + number * interval.length
    except (ValueError, OverflowError) as error:
        return RefusedTime(str(error))
    if is_empty and not 0 <= number < count:
        return None
    series.days[len(series.ts)] = day.date()
    written = " and ".join(map(filter_text, times.numbers[row]))
    if count * interval.length > _DAY and not is_empty:
        reason = ""
        if (number + 1) * interval.length == _DAY:
            reason = (
                f"{day.date()} has {count} intervals of {format_duration(interval.length)}, and "
                f"none after number {written}: these may be hours of a clock; if so, see ts"
            )
        highest = series.last_numbers.get(day.date(), (number, reason))
        series.last_numbers[day.date()] = max(highest, (number, reason))
    if not 0 <= number < count:
        series.day_faults[day.date()] = (
            f"{day.date()} has {count} intervals of {format_duration(interval.length)}, "
            f"and a number {written}"
        )
    return begins


def without_faulty_days(series: SeriesExtraction, *, are_clock_times: bool) -> list[datetime | str]:
    """The times of a series, with the reason in place of those of days that cannot be read.

    Args:
        series: with its times.
        are_clock_times: whether the labels are taken for what clocks show, and nothing else tells
            the hours of a change apart.
    """
    faults = {day: reason for day, (_, reason) in series.last_numbers.items() if reason}
    faults |= series.day_faults
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
