"""Where intervals begin of which only the end is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dataportal.local_times import LocalTime, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


def begun_before(
    moments: Sequence[datetime | str], length: timedelta, zone: ZoneInfo | None
) -> list[datetime | str]:
    """Where the intervals begin that end at these moments; texts stay as they are.

    Args:
        moments: of one series, in the order of the answer, which tells the two hours of an autumn
            night apart.
        length: of each interval. Whole days are days of the zone's calendar, of 23 or 25 hours too.
        zone: where times without an offset are local; None leaves them as they are.
    """
    if zone is not None:
        local = [
            None
            if isinstance(moment, str)
            else LocalTime(moment)
            if moment.tzinfo is None
            else moment
            for moment in moments
        ]
        # a local time that stands for no instant is left to the run, which says why
        moments = [
            found if isinstance(found, datetime) else moment
            for found, moment in zip(resolve(local, zone), moments, strict=True)
        ]
    return [_start(moment, length, zone) for moment in moments]


def _start(moment: datetime | str, length: timedelta, zone: ZoneInfo | None) -> datetime | str:
    if isinstance(moment, str) or moment.tzinfo is None:
        return moment  # to be refused
    if zone is None or length % _DAY:
        return moment - length
    wall = moment.astimezone(zone).replace(tzinfo=None) - length
    return wall.replace(tzinfo=zone).astimezone(UTC)
