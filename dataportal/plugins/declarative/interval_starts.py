"""Computes where intervals start of which a provider names the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dataportal.local_times import LocalTime, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


def interval_starts(
    ends: Sequence[datetime | str], length: timedelta, zone: ZoneInfo | None
) -> list[datetime | str]:
    """The starts of the intervals with these ends; texts, which are no times, stay as they are.

    Args:
        ends: of one series, in the order of the answer, which tells the two hours of an autumn
            night apart.
        length: of each interval. Whole days are days of the zone's calendar, of 23 or 25 hours too.
        zone: of ends without an offset; None leaves those as they are.
    """
    if zone is not None:
        local_ends = [
            None if isinstance(end, str) else LocalTime(end) if end.tzinfo is None else end
            for end in ends
        ]
        # a local time that stands for no instant is left to the run, which says why
        ends = [
            resolved if isinstance(resolved, datetime) else end
            for resolved, end in zip(resolve(local_ends, zone), ends, strict=True)
        ]
    return [_start(end, length, zone) for end in ends]


def _start(end: datetime | str, length: timedelta, zone: ZoneInfo | None) -> datetime | str:
    if isinstance(end, str) or end.tzinfo is None:
        return end  # for the run to refuse
    if zone is None or length % _DAY:
        return end - length
    wall = end.astimezone(zone).replace(tzinfo=None) - length
    return wall.replace(tzinfo=zone).astimezone(UTC)
