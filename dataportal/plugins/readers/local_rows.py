"""Keeps what is needed of a table's rows to tell what their local times mean."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from dataportal.local_times import ClockChanges, numbered_days
from dataportal.plugins.readers.local_labels import FIRST, LabelResolver, names_no_hour
from dataportal.plugins.readers.times import HourBeyond, hour_fault
from dataportal.raw_points import RefusedTime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from dataportal.plugins.readers.times import TimeFormat


class LocalRows:
    """The rows of one series on days when the clocks change, and the days that cannot be read.

    Args:
        times: how the times are written.
        zone: of times without an offset; None where it is not known.
    """

    decides = False

    def __init__(self, times: TimeFormat, zone: ZoneInfo | None) -> None:
        self._times = times
        self._zone = zone
        self._changes = None if zone is None else ClockChanges(zone)
        self._rows: dict[int, tuple[str, Sequence[str]]] = {}
        self._written_days: dict[int, date] = {}
        self._faults: dict[date, str] = {}
        self._hours_24: Counter[date] = Counter()

    def may_lack(self, ts: datetime | str) -> bool:
        """Whether a day may not have the hour that a label names, so that it has no value."""
        if isinstance(ts, str):
            return isinstance(ts, HourBeyond)
        return (
            self._zone is not None
            and self._changes is not None
            and ts.tzinfo is None
            and self._changes.are_near(ts.date())
            and names_no_hour(ts, None, self._zone, is_marked=False)
        )

    def note(self, index: int, ts: datetime | str, cell: str, row: Sequence[str]) -> None:
        """Keep what may be needed of the row that the point at `index` stands in.

        Not asked for one whose time has an offset.
        """
        if isinstance(ts, HourBeyond):
            self._faults[ts.day] = ts
            self._written_days[index] = ts.day
        if isinstance(ts, str):
            return
        if not ts.hour and not ts.minute and (day := self._times.day_of_hour_24(cell)) is not None:
            self._hours_24[day] += 1
            self._written_days[index] = day
        if self._changes is not None and self._changes.are_near(ts.date()):
            self._rows[index] = (cell, row)

    def resolve(self, times: list[datetime | str]) -> tuple[list[datetime | str | None], int]:
        """The times with None for rows that repeat others, and how many they are."""
        for day, count in self._hours_24.items():
            if count > 1:
                self._faults.setdefault(day, hour_fault(f"{day}", 24, count))
        if self._changes is not None and self._rows:
            labels = [
                (self._written_days.get(index, label.date()), label)
                for index in self._rows
                if isinstance(label := times[index], datetime)
            ]
            self._faults = {**numbered_days(labels, self._changes), **self._faults}
        if not self._faults and not self._rows:
            return [*times], 0
        read = (
            [self._readable(*numbered) for numbered in enumerate(times)] if self._faults else times
        )
        if self._zone is None:
            return [*read], 0
        resolved, repeated = LabelResolver(self._zone, self, None).resolve(read, self._rows)
        if not repeated:
            return [*resolved], 0
        kept = [None if index in repeated else ts for index, ts in enumerate(resolved)]
        return kept, len(repeated)

    def _readable(self, index: int, ts: datetime | str) -> datetime | str:
        day = self._written_days.get(index)
        if day is None and isinstance(ts, datetime) and ts.tzinfo is None:
            day = ts.date()
        fault = None if day is None else self._faults.get(day)
        return ts if fault is None else RefusedTime(fault)

    def content(self, index: int) -> object:
        """All cells of the row."""
        return self._rows[index][1]

    def text(self, index: int) -> str:
        """The time as it is written."""
        return self._rows[index][0]

    def publication(self, index: int) -> None:
        """A table does not say it."""

    def is_marked(self, index: int) -> bool:  # noqa: ARG002 - the same
        """A table has no marks."""
        return False

    def side(self, index: int, first: datetime, second: datetime) -> int:  # noqa: ARG002 - the same
        """Never asked."""
        return FIRST
