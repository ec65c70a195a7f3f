"""Resolves local times to instants in UTC, also in the hours when the clocks change. Pure.

A local time that occurs twice stands for two instants. Which one is meant follows from its order in
the answer, if it stands there twice: nobody can tell for one that stands there once. A local time
that the clocks skip stands for none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo
    from zoneinfo import ZoneInfo

_BOTH = 2
_DAY = timedelta(days=1)
_LARGEST_CHANGE = timedelta(hours=12)
"""Where clocks change by more, a place went over to the other side of the date line."""
_MARGIN = timedelta(hours=3)  # a local time may belong to the day before the change, or after it


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time without an offset, and, once it was tried to resolve, why it stands for no instant."""

    wall: datetime
    reason: str = "has no offset, and the source no timezone"


def instants_of(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The instants in UTC at which the clocks of the zone show `wall`: none, one or two."""
    first, second = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():  # neither doubled nor skipped: most of them
        with suppress(OverflowError):
            return (first.astimezone(UTC),)
    instants: list[datetime] = []
    for fold in (0, 1):
        try:
            instant = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            on_clock = instant.astimezone(zone).replace(tzinfo=None)
        except OverflowError:
            continue
        if on_clock == wall.replace(fold=0) and instant not in instants:
            instants.append(instant)
    return tuple(instants)


class ClockChanges:
    """Tells the days around which the clocks of a zone change, and the offset on all others."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._offsets: dict[date, timedelta | None] = {}
        self._near: dict[date, bool] = {}

    def offset(self, day: date) -> timedelta | None:
        """The offset from UTC that holds all day and for hours around it; None if it changes."""
        try:
            return self._offsets[day]
        except KeyError:
            offset = self._offsets[day] = self._find(day)
            return offset

    def keep_offset(self, first: date, last: date) -> bool:
        """Whether the offset hours before the first day is that hours after the last one.

        Then the clocks did not change in between, unless they did there and back.
        """
        try:
            before = datetime.combine(first, time(), self.zone) - _MARGIN
            after = datetime.combine(last, time(), self.zone) + _DAY + _MARGIN
        except OverflowError:
            return False  # at the ends of the calendar every day is looked at by itself
        # of a doubled hour the first at the beginning, the second at the end
        return before.utcoffset() == after.replace(fold=1).utcoffset()

    def touch(self, day: date) -> bool:
        """Whether the clocks change on that day, or within hours of it."""
        return self.offset(day) is None

    def are_near(self, day: date) -> bool:
        """Whether they change then, or on the day before, whose end is the midnight of the day."""
        is_near = self._near.get(day)
        if is_near is None:
            is_near = self.touch(day) or (day > date.min and self.touch(day - _DAY))
            self._near[day] = is_near
        return is_near

    def _find(self, day: date) -> timedelta | None:
        try:
            midnight = datetime.combine(day, time())
            # both folds: where a place went over the date line, a whole day is there twice
            offsets = {
                wall.replace(tzinfo=self.zone, fold=fold).utcoffset()
                for wall in (midnight - _MARGIN, midnight + _DAY + _MARGIN)
                for fold in (0, 1)
            }
        except OverflowError:
            return None  # at the ends of the calendar every time is looked at by itself
        return offsets.pop() if len(offsets) == 1 else None


def instants_of_quiet_days(times: Iterable[datetime], zone: ZoneInfo) -> list[datetime] | None:
    """The times in UTC, local ones by the clocks of the zone; None if these change near one.

    Raises:
        OverflowError: a time with an offset lies beyond the calendar.
    """
    changes = ClockChanges(zone)
    instants: list[datetime] = []
    for ts in times:
        if ts.tzinfo is not None:
            instants.append(ts.astimezone(UTC))
            continue
        offset = changes.offset(ts.date())
        if offset is None:
            return None
        instants.append((ts - offset).replace(tzinfo=UTC))
    return instants


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """The last microsecond of a local day, in UTC.

    Not the midnight after it, which belongs to the next day for whoever asks "by then".

    Raises:
        OverflowError: it lies beyond the calendar.
    """
    midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return midnight.astimezone(UTC) - timedelta.resolution


def numbered_days(
    labels: Iterable[tuple[date, datetime]], changes: ClockChanges
) -> dict[date, str]:
    """The days whose labels are no times of a clock, but numbers of intervals; and what tells it.

    `0..22` and `1..23` on a day of 23 hours, `0..24` on one of 25: as many as the day has, at equal
    distances, though the clocks skip one of them or show one twice. On all other days both readings
    are the same, or their labels are what clocks show.

    Args:
        labels: of one series, each with the day that it names: an hour of 24 names the day before.
        changes: of the zone that they are of.
    """
    by_day: defaultdict[date, Counter[datetime]] = defaultdict(Counter)
    for day, label in labels:
        if changes.touch(day):
            by_day[day][label] += 1
    faults = ((day, _number_fault(day, counts, changes.zone)) for day, counts in by_day.items())
    return {day: fault for day, fault in faults if fault is not None}


def _number_fault(day: date, counts: Counter[datetime], zone: ZoneInfo) -> str | None:
    try:
        length = _begin(day + _DAY, zone) - _begin(day, zone)
    except OverflowError:
        return None
    labels, count = sorted(counts), len(counts)
    changes = timedelta() < abs(length - _DAY) < _LARGEST_CHANGE
    if count < 2 or not changes:  # noqa: PLR2004 - to have a distance
        return None
    step = length / count
    is_even = all(later - earlier == step for earlier, later in pairwise(labels))
    if not is_even or labels[0] - datetime.combine(day, time()) not in {timedelta(), step}:
        return None
    instants = {label: len(instants_of(label, zone)) for label in labels}
    has_hour_24 = labels[-1].date() > day
    once = max((n for label, n in counts.items() if instants[label] < _BOTH), default=0)
    is_doubled = any(n > once for label, n in counts.items() if instants[label] == _BOTH)
    if all(instants.values()) if length < _DAY else (not has_hour_24 or is_doubled):
        return None
    last = "24:00" if has_hour_24 else f"{labels[-1]:%H:%M}"
    return (
        f"{day} has {count} intervals of {format_duration(step)}, and its labels are "
        f"{labels[0]:%H:%M} to {last}: these are numbers of intervals, not hours of a clock; "
        "see interval"
    )


def _begin(day: date, zone: ZoneInfo) -> datetime:
    """When a local day begins; where the clocks skip its midnight, when they do."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def resolve(
    times: Sequence[datetime | LocalTime | None], zone: ZoneInfo
) -> list[datetime | LocalTime | None]:
    """The times of one answer, in its order, with local ones as instants in UTC.

    A local time that does not exist, or whose order cannot tell which of two instants it means,
    stays local and says why. So does each of a day whose local times are none; see `numbered_days`.
    """
    changes = ClockChanges(zone)
    unquiet = [t.wall for t in times if isinstance(t, LocalTime) and changes.touch(t.wall.date())]
    faults = numbered_days(((wall.date(), wall) for wall in unquiet), changes)
    known: dict[datetime, tuple[datetime, ...]] = {}
    doubled: defaultdict[datetime, list[int]] = defaultdict(list)
    resolved = list(times)
    for position, local in enumerate(times):
        if not isinstance(local, LocalTime):
            continue
        wall = local.wall
        offset = changes.offset(wall.date())
        if offset is not None:
            resolved[position] = (wall - offset).replace(tzinfo=UTC)
            continue
        if wall.date() in faults:
            resolved[position] = LocalTime(wall, f"cannot be read: {faults[wall.date()]}")
            continue
        if wall not in known:
            known[wall] = instants_of(wall, zone)
        match known[wall]:
            case (instant,):
                resolved[position] = instant
            case ():
                resolved[position] = LocalTime(wall, f"does not exist in {zone}")
            case _:
                doubled[wall].append(position)
    if doubled:
        _resolve_doubled(resolved, doubled, known, zone)
    return resolved


def _resolve_doubled(
    resolved: list[datetime | LocalTime | None],
    doubled: Mapping[datetime, Sequence[int]],
    known: Mapping[datetime, tuple[datetime, ...]],
    zone: ZoneInfo,
) -> None:
    """Put instants in place of local times that occur twice, where their order tells them."""
    # what is still open stands in by its earlier instant: the steps around it tell the order
    descending = _descends(
        known[t.wall][0] if isinstance(t, LocalTime) else t
        for t in resolved
        if isinstance(t, datetime) or (t is not None and t.wall in doubled)
    )
    for wall, twice in doubled.items():
        if len(twice) != _BOTH:
            reason = f"occurs twice in {zone}, and {len(twice)} times in the answer"
            for position in twice:
                resolved[position] = LocalTime(wall, reason)
            continue
        earlier, later = known[wall]
        resolved[twice[0]] = later if descending else earlier
        resolved[twice[1]] = earlier if descending else later


def _descends(instants: Iterable[datetime]) -> bool:
    """Whether more steps from point to point go back in time than forward.

    Not the first and the last: pages may come newest first with their points oldest first.
    As many of each count as oldest first.
    """
    steps = sum((later > earlier) - (later < earlier) for earlier, later in pairwise(instants))
    return steps < 0
