"""Hours, days, weeks, months and years as the calendar of a time zone has them."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, datetime, timedelta

_WITHIN = {
    "second": {"microsecond": 0},
    "minute": {"second": 0, "microsecond": 0},
    "hour": {"minute": 0, "second": 0, "microsecond": 0},
}
_SHORT = {
    "millisecond": timedelta(milliseconds=1),
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
}
_MIDNIGHT = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0, "fold": 0}


def period_start(local: datetime, whole: str) -> datetime:
    """Where the `millisecond`, … `week` (from Monday), `month` or `year` of a time begins."""
    if whole == "millisecond":
        return local.replace(microsecond=local.microsecond // 1000 * 1000)
    if whole in _WITHIN:
        return local.replace(**_WITHIN[whole])  # type: ignore[arg-type]  # none of them is the zone
    floor = local.replace(**_MIDNIGHT)  # type: ignore[arg-type]  # the same
    if whole == "week":
        before = timedelta(days=floor.weekday())
        first = datetime.min.replace(tzinfo=floor.tzinfo)
        return floor - before if floor - first > before else first
    if whole != "day":
        floor = floor.replace(day=1)
    return floor.replace(month=1) if whole == "year" else floor


def next_period(floor: datetime, whole: str) -> datetime:
    """Where the next one begins, for the beginning of one; the last year has no next."""
    if floor.year == MAXYEAR:
        return floor
    if whole in _SHORT:
        return (floor.astimezone(UTC) + _SHORT[whole]).astimezone(floor.tzinfo)
    if whole in {"day", "week"}:
        return floor + timedelta(days=7 if whole == "week" else 1)
    if whole == "month" and floor.month < 12:  # noqa: PLR2004 - December
        return floor.replace(month=floor.month + 1)
    return floor.replace(year=floor.year + 1, month=1)
