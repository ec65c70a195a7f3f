"""Reads the times of an axis once for all series that share it, and tells which lie in a window."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from itertools import compress
from operator import attrgetter, le
from typing import TYPE_CHECKING

from dataportal.local_times import instants_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from dataportal.local_times import ClockChanges
    from dataportal.plugins.readers.times import TimeFormat, Window

INSIDE, ASKED, BEFORE, AFTER = range(4)
"""Surely inside of the window; to be looked at one by one; surely before it; surely after it."""

_ZONE = attrgetter("tzinfo")
_IS_INSIDE = bytes([1]) + bytes(255)
_DAY = timedelta(days=1)
_PROBE = 4  # days
_LONGEST = timedelta(days=367)  # of the periods that are not written with their duration


class AxisPart:
    """Times, and where they lie.

    Args:
        times: each of them.
        kinds: of each, where it lies.

    Attributes:
        inside: of each, whether it surely lies inside.
        all_inside: whether all do.
        before: how many surely lie before.
        after: how many surely lie after.
    """

    def __init__(self, times: Sequence[datetime | str], kinds: bytearray) -> None:
        self._times = times
        self._kinds = kinds
        self.all_inside = not any(kinds)
        self.inside = kinds.translate(_IS_INSIDE)
        self.before, self.after = kinds.count(BEFORE), kinds.count(AFTER)

    @cached_property
    def inside_times(self) -> Sequence[datetime | str]:
        """The times that surely lie inside."""
        return self._times if self.all_inside else [*compress(self._times, self.inside)]

    @cached_property
    def asked(self) -> list[int]:
        """The positions of those to be looked at one by one."""
        return [n for n, kind in enumerate(self._kinds) if kind == ASKED]

    @cached_property
    def near(self) -> list[int]:
        """The positions of those that are not surely outside."""
        return [n for n, kind in enumerate(self._kinds) if kind <= ASKED]


class TimeAxis(AxisPart):
    """The times of an axis.

    Args:
        cells: as they are written.
        times: how they are written.
        window: what was asked for.
        changes: of the clocks of the zone that local times are in; None if that is not known.

    Attributes:
        times: local where nothing says an offset; texts for what is none.
        kinds: of each, where it lies.
    """

    def __init__(
        self,
        cells: Sequence[str],
        times: TimeFormat,
        window: Window,
        changes: ClockChanges | None,
    ) -> None:
        self.cells = cells
        self.times: list[datetime | str] = times.read_many(cells)
        self.kinds = bytearray([ASKED]) * len(cells)
        self._place(times, window, changes)
        super().__init__(self.times, self.kinds)

    def part(self, positions: Sequence[int]) -> AxisPart:
        """The times at these positions."""
        times, kinds = self.times, self.kinds
        return AxisPart([times[n] for n in positions], bytearray([kinds[n] for n in positions]))

    def _place(self, times: TimeFormat, window: Window, changes: ClockChanges | None) -> None:
        if {*map(type, self.times)} != {datetime}:
            return
        ordered: list[datetime] = self.times  # type: ignore[assignment]  # none is a text
        is_local = ordered[0].tzinfo is None
        if len({*map(_ZONE, ordered)}) > 1:
            return
        if not all(map(le, ordered, ordered[1:])):
            return
        # a local time is less than a day from UTC
        margin = _DAY if is_local else timedelta()
        sure = _shift(window.start, margin, is_local=is_local)
        begin = 0 if sure is None else bisect_left(ordered, sure)
        # a period that begins before the window may reach into it
        early = _shift(window.start, -margin - _LONGEST, is_local=is_local)
        has_durations = any("/" in cell for cell in self.cells[:begin])
        first = 0 if early is None or has_durations else bisect_left(ordered, early)
        late = None
        if window.end is not None:
            late = _shift(window.end, margin, is_local=is_local)
        last = len(ordered) if late is None else bisect_left(ordered, late)
        kinds = self.kinds
        kinds[:first] = bytes([BEFORE]) * first
        low = _shift(window.start, -margin, is_local=is_local)
        for n in range(first, begin):
            length = times.length(self.cells[n])
            gap = timedelta() if low is None else low - ordered[n]
            if gap > timedelta() and (length is None or gap >= length.longest):
                kinds[n] = BEFORE
        kinds[last:] = bytes([AFTER]) * (len(ordered) - last)
        if last > begin:
            kinds[begin:last] = bytes([INSIDE]) * (last - begin)
            if changes is not None and is_local:
                self._ask_around_changes(ordered, begin, last, changes)

    def _ask_around_changes(
        self, ordered: list[datetime], begin: int, end: int, changes: ClockChanges
    ) -> None:
        """Local times of days when the clocks change may need more of their rows.

        Not where each of them stands for one instant, as that of a whole day mostly does.
        """
        for day in days_near(ordered[begin:end], changes):
            start = datetime.combine(day, time())
            low = max(bisect_left(ordered, start), begin)
            high = min(bisect_left(ordered, start + _DAY), end)
            if any(len(instants_of(ts, changes.zone)) != 1 for ts in ordered[low:high]):
                self.kinds[low:high] = bytes([ASKED]) * (high - low)


def days_near(ordered: list[datetime], changes: ClockChanges) -> list[date]:
    """The days of these times around which the clocks change.

    Looked for where the offset of a day is another one than some days later: no zone's clocks have
    changed there and back within so few.
    """
    days = [*dict.fromkeys(map(datetime.date, ordered))]
    near: list[date] = []
    for first in range(0, len(days), _PROBE):
        some = days[first : first + _PROBE + 1]
        is_short = some[-1] - some[0] <= _PROBE * _DAY
        if not is_short or not changes.keep_offset(some[0], some[-1]):
            near.extend(day for day in some if changes.are_near(day))
    return near


def _shift(instant: datetime, by: timedelta, *, is_local: bool) -> datetime | None:
    """An instant so much later, as a local time is written; None outside of the calendar."""
    try:
        shifted = instant + by
    except OverflowError:
        return None
    return shifted.astimezone(UTC).replace(tzinfo=None) if is_local else shifted
