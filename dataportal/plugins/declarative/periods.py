"""Computes where calendar periods begin in a time zone: hours, days, weeks, months and years."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, datetime, timedelta

_SMALLER_FIELDS = {
    "second": {"microsecond": 0},
    "minute": {"second": 0, "microsecond": 0},
    "hour": {"minute": 0, "second": 0, "microsecond": 0},
}
_FIXED_LENGTHS = {
    "millisecond": timedelta(milliseconds=1),
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
}
_MIDNIGHT = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0, "fold": 0}


def period_start(local: datetime, unit: str | timedelta) -> datetime:
    """The beginning of the period that a time lies in, by the clocks of its zone.

    Args:
        local: an aware datetime in the zone.
        unit: `millisecond`, `second`, `minute`, `hour`, `day`, `week` (from Monday), `month` or
            `year`; or a length that divides an hour.
    """
    if isinstance(unit, timedelta):
        hour = local.replace(minute=0, second=0, microsecond=0)
        return hour + (local - hour) // unit * unit
    if unit == "millisecond":
        return local.replace(microsecond=local.microsecond // 1000 * 1000)
    if unit in _SMALLER_FIELDS:
        return local.replace(**_SMALLER_FIELDS[unit])  # type: ignore[arg-type]  # none of them is the zone
    floor = local.replace(**_MIDNIGHT)  # type: ignore[arg-type]  # the same
    if unit == "week":
        since_monday = timedelta(days=floor.weekday())
        first = datetime.min.replace(tzinfo=floor.tzinfo)
        return floor - since_monday if floor - first > since_monday else first
    if unit != "day":
        floor = floor.replace(day=1)
    return floor.replace(month=1) if unit == "year" else floor


def next_period(start: datetime, unit: str | timedelta) -> datetime:
    """The beginning of the period after the one that begins at `start`.

    The last year of the calendar has none: of periods in it `start` is returned.
    """
    if start.year == MAXYEAR:
        return start
    length = unit if isinstance(unit, timedelta) else _FIXED_LENGTHS.get(unit)
    if length is not None:
        return (start.astimezone(UTC) + length).astimezone(start.tzinfo)
    if unit in {"day", "week"}:
        return start + timedelta(days=7 if unit == "week" else 1)
    if unit == "month" and start.month < 12:  # noqa: PLR2004 - December
        return start.replace(month=start.month + 1)
    return start.replace(year=start.year + 1, month=1)
