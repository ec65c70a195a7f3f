"""Local times to instants: the hour that occurs twice, and the one that does not occur at all.

Pure. A local time that occurs twice stands for two instants. Which one is meant follows from its
order in the answer, if it stands there twice: nobody can tell for one that stands there once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

_BOTH = 2


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A time without an offset, and, once it was tried to resolve, why it stands for no instant."""

    wall: datetime
    reason: str = "has no offset, and the source no timezone"


def instants_of(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The instants in UTC at which the clocks of the zone show `wall`: none, one or two."""
    found: list[datetime] = []
    for fold in (0, 1):
        try:
            instant = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            shown = instant.astimezone(zone).replace(tzinfo=None)
        except OverflowError:
            continue
        if shown == wall.replace(fold=0) and instant not in found:
            found.append(instant)
    return tuple(found)


def resolve(
    moments: Sequence[datetime | LocalTime | None], zone: ZoneInfo
) -> list[datetime | LocalTime | None]:
    """The moments of one answer, in its order, with local times as instants in UTC.

    A local time that does not exist, or whose order cannot tell which of two instants it means,
    stays local and says why.
    """
    known: dict[datetime, tuple[datetime, ...]] = {}
    positions: defaultdict[datetime, list[int]] = defaultdict(list)
    resolved = list(moments)
    for position, moment in enumerate(moments):
        if not isinstance(moment, LocalTime):
            continue
        wall = moment.wall
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
            known[m.wall][0] if isinstance(m, LocalTime) else m
            for m in resolved
            if isinstance(m, datetime) or (m is not None and m.wall in positions)
        )
        for wall, places in positions.items():
            if len(places) != _BOTH:
                said = f"occurs twice in {zone}, and {len(places)} times in the answer"
                for position in places:
                    resolved[position] = LocalTime(wall, said)
                continue
            earlier, later = known[wall]
            resolved[places[0]] = later if descending else earlier
            resolved[places[1]] = earlier if descending else later
    return resolved


def _descends(instants: Iterable[datetime]) -> bool:
    """Whether more steps from point to point go back in time than forward.

    Not the first and the last: pages may come newest first with their points oldest first.
    As many of each count as oldest first.
    """
    steps = sum((later > earlier) - (later < earlier) for earlier, later in pairwise(instants))
    return steps < 0
