"""Resolves local times to instants in UTC, also in the hours when the clocks change. Pure.

A local time that occurs twice stands for two instants. Which one is meant follows from its order in
the answer, if it stands there twice: nobody can tell for one that stands there once. A local time
that the clocks skip stands for none.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, tzinfo
    from zoneinfo import ZoneInfo

_BOTH = 2


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time without an offset, and, once it was tried to resolve, why it stands for no instant."""

    wall: datetime
    reason: str = "has no offset, and the source no timezone"


def instants_of(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The instants in UTC at which the clocks of the zone show `wall`: none, one or two."""
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


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """The last microsecond of a local day, in UTC.

    Not the midnight after it, which belongs to the next day for whoever asks "by then".

    Raises:
        OverflowError: it lies beyond the calendar.
    """
    midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return midnight.astimezone(UTC) - timedelta.resolution


def resolve(
    times: Sequence[datetime | LocalTime | None], zone: ZoneInfo
) -> list[datetime | LocalTime | None]:
    """The times of one answer, in its order, with local ones as instants in UTC.

    A local time that does not exist, or whose order cannot tell which of two instants it means,
    stays local and says why.
    """
    known: dict[datetime, tuple[datetime, ...]] = {}
    positions: defaultdict[datetime, list[int]] = defaultdict(list)
    resolved = list(times)
    for position, local in enumerate(times):
        if not isinstance(local, LocalTime):
            continue
        wall = local.wall
        if wall not in known:
            known[wall] = instants_of(wall, zone)
        match known[wall]:
            case (instant,):
                resolved[position] = instant
            case ():
                resolved[position] = LocalTime(wall, f"does not exist in {zone}")
            case _:
                positions[wall].append(position)
    if positions:
        # what is still open stands in by its earlier instant: the steps around it tell the order
        descending = _descends(
            known[t.wall][0] if isinstance(t, LocalTime) else t
            for t in resolved
            if isinstance(t, datetime) or (t is not None and t.wall in positions)
        )
        for wall, twice in positions.items():
            if len(twice) != _BOTH:
                reason = f"occurs twice in {zone}, and {len(twice)} times in the answer"
                for position in twice:
                    resolved[position] = LocalTime(wall, reason)
                continue
            earlier, later = known[wall]
            resolved[twice[0]] = later if descending else earlier
            resolved[twice[1]] = earlier if descending else later
    return resolved


def _descends(instants: Iterable[datetime]) -> bool:
    """Whether more steps from point to point go back in time than forward.

    Not the first and the last: pages may come newest first with their points oldest first.
    As many of each count as oldest first.
    """
    steps = sum((later > earlier) - (later < earlier) for earlier, later in pairwise(instants))
    return steps < 0
