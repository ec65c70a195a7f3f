"""Reads the times of records, each of them once, whichever series it is for."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from dataportal.local_times import end_of_day
from dataportal.plugins.readers.expressions import ABSENT_FIELD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import tzinfo
    from zoneinfo import ZoneInfo

    from dataportal.local_times import ClockChanges
    from dataportal.plugins.declarative.daylight import DaylightFlags
    from dataportal.plugins.declarative.records import Records
    from dataportal.plugins.readers.table_parameters import PublicationFormat
    from dataportal.plugins.readers.times import TimeFormat

T = TypeVar("T")
_OFFSET = attrgetter("tzinfo")


class _LazyRows(dict[int, T]):
    """What each row says, read when it is asked for."""

    def __init__(self, read: Callable[[int], T]) -> None:
        self._read = read

    def __missing__(self, row: int) -> T:
        self[row] = self._read(row)
        return self[row]


class RecordTimes:
    """The times of the rows of some records.

    Args:
        records: of one document.
        cells: the times as they are written.
        times: how they are written.
        daylight: what tells the two hours of an autumn night apart.
        offset: the one that the document states for its local times.
        numbers: beside each day the number of an interval, or of an hour and a part of it; then the
            times are days, which no offset moves.
    """

    def __init__(
        self,
        records: Records,
        cells: Sequence[Any],
        times: TimeFormat,
        *,
        daylight: DaylightFlags | None = None,
        offset: tzinfo | None = None,
        numbers: Sequence[tuple[Any, ...]] = (),
    ) -> None:
        self.records = records
        self.cells = cells
        self.numbers = numbers
        self._times = times
        self._daylight = daylight if daylight is not None and daylight.in_labels else None
        self._offset = offset
        self._read_rows: dict[int, datetime | str] = {}
        self._near: tuple[ZoneInfo, Sequence[int]] | None = None

    def __getitem__(self, row: int) -> datetime | str:
        """The time of a row; a text for what is none."""
        ts = self._read_rows.get(row)
        if ts is None:
            ts = self._read_rows[row] = self._read(self.cells[row])
        return ts

    @cached_property
    def all(self) -> Sequence[datetime] | None:
        """All of them if they are ISO 8601; None if any is something else."""
        if self._daylight is not None or self.numbers:
            return None
        times = self._times.read_all(self.cells)
        if times is None or self._offset is None:
            return times
        return [*map(self._in_place, times)]

    def rows_near(self, changes: ClockChanges) -> Sequence[int]:
        """The rows of `all` with local times of days around which the clocks change, in order."""
        if self._near is None or self._near[0] is not changes.zone:
            times = self.all or ()
            rows: list[int] = []
            if None in {*map(_OFFSET, times)}:
                days = [*map(datetime.date, times)]
                near = {day for day in {*days} if changes.are_near(day)}
                rows = [
                    row
                    for row, day in enumerate(days if near else ())
                    if day in near and times[row].tzinfo is None
                ]
            self._near = (changes.zone, rows)
        return self._near[1]

    def publications(
        self, cells: Sequence[Any], publications: PublicationFormat
    ) -> Sequence[date | str] | Mapping[int, date | str]:
        """The times of publication of the rows, or days; texts for what is neither.

        Args:
            cells: of each row.
            publications: how they are written.
        """
        times = publications.read_all(cells)
        if times is None:
            return _LazyRows(
                lambda row: self._in_place(
                    "" if cells[row] is ABSENT_FIELD else publications.read(cells[row])
                )
            )
        return times if self._offset is None else [*map(self._in_place, times)]

    def _read(self, cell: Any) -> datetime | str:
        if self._daylight is not None and isinstance(cell, str):
            cell = self._daylight.without_mark(cell)
        ts = "" if cell is ABSENT_FIELD else self._times.read(cell)
        return ts if self.numbers else self._in_place(ts)

    def _in_place(self, ts: T) -> T:
        """A local time with the offset that the answer states; anything else as it is."""
        if self._offset is None or not isinstance(ts, date):
            return ts
        if not isinstance(ts, datetime):
            return end_of_day(ts, self._offset)  # type: ignore[return-value]  # a datetime is a date
        return ts.replace(tzinfo=self._offset) if ts.tzinfo is None else ts
