"""Looks for what is wrong with a clean answer although all of it can be taken. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dataportal.granularity import interval_length
from dataportal.local_times import instants_of
from dataportal.resolutions import steps, stretches
from dataportal.statements import same_unit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from dataportal.config import Source
    from dataportal.granularity import IntervalLength
    from dataportal.observations import Batch, Observations

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_FEWEST = 24
"""So many equal values are no accident: a day of hours."""
_FEWEST_COMMON = 5
"""So many points must be stored too, for their sizes to be compared."""
_FEWEST_DAYS = 3
_SEARCHED = 4 * 1024 * 1024
_MOST_MISFITS = 0.5
_NAMED_ZONE = re.compile(
    rb"""(?i:time_?zone|tz|date_tz|tzid)["']?\s*[:=>]\s*["']?([A-Z][A-Za-z]+/[A-Z][A-Za-z_]+)"""
)
_WRITTEN_OFFSET = re.compile(
    rb"(?<!\d)(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)(?:\.\d+)?([+-]\d\d:?\d\d)(?!\d)"
)
_FIXED = {"UTC", "Etc/UTC", "GMT"}
_CHANGING = ("Europe/Berlin", "Europe/London", "America/New_York", "Australia/Sydney")
"""Zones whose clocks change as those of many others do."""
_SCALE = 100.0
"""Values so many times as large are in another unit."""


def oddities(
    batch: Batch,
    source: Source,
    *,
    zone: ZoneInfo | None,
    stored: Mapping[str, Mapping[datetime, float]],
    units: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[str]:
    """What looks wrong, each one sentence that says what to do.

    Args:
        batch: the clean answer.
        source: what its entry says.
        zone: of the provider's days.
        stored: what the database has at the times of the answer, by series.
        units: those that the answers of stored series name.
    """
    if not batch.received and not batch.unchanged:
        yield "the answer holds no points: try another window with --start and --end"
        return
    if batch.doubt:
        yield batch.doubt
    if batch.rejected:
        first = batch.rejections[0]
        yield (
            f"{batch.rejected:,} of {batch.received:,} points cannot be taken, the first: series "
            f"{first.series!r}, point {first.position}: {first.reason}"
        )
    if batch.received == batch.outside:
        yield (
            f"all {batch.outside:,} points lie outside of the window, {batch.before:,} before and "
            f"{batch.after:,} after it: name another one with --start and --end"
        )
        return
    for series in source.series:
        observations = batch.series[series.endpoint_prefix]
        stated = observations.statement.unit if observations.statement else None
        kept = units.get(series.endpoint_prefix)
        if stated is not None and kept is not None and not same_unit(stated, kept):
            yield (
                f"{series.endpoint_prefix}: the answer is in {stated}, what is stored in {kept}: a "
                "run stores nothing of it, unless it says --accept-units"
            )
        declared = interval_length(series.granularity)
        for sentence in _series_oddities(
            observations, declared, zone, stored.get(series.endpoint_prefix, {})
        ):
            yield f"{series.endpoint_prefix}: {sentence}"


def zone_names_in(body: bytes) -> set[str]:
    """The time zones that a text names as such: `"timezone": "Europe/Rome"`."""
    return {match[1].decode() for match in _NAMED_ZONE.finditer(body, 0, _SEARCHED)}


def written_offsets(body: bytes) -> set[tuple[str, str]]:
    """The times of a text that have an offset other than that of UTC: each with its offset."""
    pairs = {
        (match[1].decode().replace(" ", "T"), match[2].decode())
        for match in _WRITTEN_OFFSET.finditer(body, 0, _SEARCHED)
    }
    return {pair for pair in pairs if pair[1][1:].strip("0:")}


def zone_oddities(
    zone: ZoneInfo | None, zones: Collection[str], offsets: Collection[tuple[str, str]]
) -> Iterator[str]:
    """What contradicts the time zone of an entry in what its provider says.

    Args:
        zone: of the entry; None if it has none.
        zones: that answers name.
        offsets: times of answers with their offsets.
    """
    if zone is None:
        return
    others = sorted(name for name in zones if not _same_clocks(name, zone))
    if others and len(others) == len(zones):
        yield (
            f"the answer names the time zone {others[0]}, and timezone is {zone.key}: whose clocks "
            "do its times show?"
        )
    known = sorted(offsets)
    misfits = [(ts, offset) for ts, offset in known if not _fits(ts, offset, zone)]
    if misfits and len(misfits) > _MOST_MISFITS * len(known):
        ts, offset = misfits[0]
        yield (
            f"times of the answer say {offset}, such as {ts}{offset}, and clocks of {zone.key} do "
            "not show that then: days and hours of the entry may be those of another zone"
        )


def _same_clocks(name: str, zone: ZoneInfo) -> bool:
    """Whether two zones show the same in winter and in summer."""
    try:
        other = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return True  # no zone at all
    moments = (datetime(2024, month, 15, tzinfo=UTC) for month in (1, 4, 7, 10))
    return all(m.astimezone(other).utcoffset() == m.astimezone(zone).utcoffset() for m in moments)


def _fits(ts: str, offset: str, zone: ZoneInfo) -> bool:
    try:
        instant = datetime.fromisoformat(f"{ts}{offset}")
    except ValueError:
        return True
    return instant.astimezone(zone).utcoffset() == instant.utcoffset()


def seen_interval(ts: Sequence[datetime]) -> IntervalLength | None:
    """How long the newest intervals are, by the distance of the points; None for no regular one."""
    regular = stretches(steps(ts))
    return regular[-1].length if regular else None


def _series_oddities(
    observations: Observations,
    declared: IntervalLength | None,
    zone: ZoneInfo | None,
    stored: Mapping[datetime, float],
) -> Iterator[str]:
    ts = observations.ts
    known = [value for value in observations.values if value is not None]
    if not ts:
        yield "no points: are the places of its values right?"
        return
    if not known:
        yield f"{len(ts):,} points, and none has a value"
    elif len(known) >= _FEWEST and min(known) == max(known):
        yield f"all {len(known):,} values are {known[0]:g}"
    seen = seen_interval(ts)
    if seen is not None and declared is not None and seen != declared:
        yield f"its points come every {seen}, and its granularity is {declared}"
    if seen is not None and zone is not None:
        yield from _short_days(ts, seen, zone)
        yield from _shifted_days(ts, seen, zone)
    if seen is not None:
        yield from _gap_of_other_clocks(ts, seen, zone)
    yield from _other_scale(observations, stored)


def _short_days(ts: Sequence[datetime], seen: IntervalLength, zone: ZoneInfo) -> Iterator[str]:
    """Days on which the clocks change, and of which as many points came as of any other."""
    step = seen.rest
    if seen.months or seen.days or not timedelta() < step <= _HOUR:
        return
    first, last = ts[0].astimezone(zone).date(), ts[-1].astimezone(zone).date()
    day = first + _DAY
    while day < last:
        start = datetime(day.year, day.month, day.day, tzinfo=zone)
        end = datetime.combine(day + _DAY, datetime.min.time(), tzinfo=zone)
        change = (end.utcoffset() or timedelta()) - (start.utcoffset() or timedelta())
        if change:
            count = sum(start <= instant < end for instant in ts)
            expected = (_DAY - change) // step
            if count == _DAY // step != expected:
                yield (
                    f"{count} values came of {day}, on which the clocks of {zone.key} change and "
                    f"which has {expected}: look at timezone, period_end and how times are read"
                )
        day += _DAY


def _shifted_days(ts: Sequence[datetime], seen: IntervalLength, zone: ZoneInfo) -> Iterator[str]:
    """Days that begin or end at another hour from the change of the clocks on."""
    by_day: dict[date, list[datetime]] = {}
    for instant in ts:
        local = instant.astimezone(zone)
        by_day.setdefault(local.date(), []).append(local)
    days = sorted(by_day)[1:-1]
    if seen.months or len(days) < _FEWEST_DAYS or seen.rest > _HOUR:
        return
    clocks = [by_day[day][0].time() for day in days]
    usual = max(set(clocks), key=clocks.count)
    is_daily = seen.days == 1 and not seen.rest
    for day, clock in zip(days, clocks, strict=True):
        before = by_day[day][0].utcoffset()
        after = by_day[day][-1].utcoffset()
        if clock == usual or (not is_daily and before == after):
            continue
        yield (
            f"its times of {day} begin at {clock:%H:%M} in {zone.key}, and those of most days at "
            f"{usual:%H:%M}, as clocks change: look at timezone and how times are read"
        )
        return


def _gap_of_other_clocks(
    ts: Sequence[datetime], seen: IntervalLength, zone: ZoneInfo | None
) -> Iterator[str]:
    """An hour that is missing just where clocks skip one that are not those of the entry."""
    step = seen.rest
    if seen.months or seen.days or not timedelta() < step <= _HOUR:
        return
    for before, after in pairwise(ts):
        if after - before != step + _HOUR or (zone is not None and zone.key not in _FIXED):
            continue
        for name in _CHANGING:
            other = ZoneInfo(name)
            wall = (before + step).astimezone(zone or UTC).replace(tzinfo=None)
            is_skipped = not instants_of(wall, other)
            if is_skipped:
                shown = "no timezone is given" if zone is None else f"timezone is {zone.key}"
                yield (
                    f"the hour after {wall:%Y-%m-%d %H:%M} is missing, which clocks such as those "
                    f"of {name} skip, and {shown}: its times may be local ones"
                )
                return


def _other_scale(observations: Observations, stored: Mapping[datetime, float]) -> Iterator[str]:
    """Values that are many times what is stored at the same times."""
    ratios = [
        abs(value / stored[ts])
        for ts, value in zip(observations.ts, observations.values, strict=True)
        if value and stored.get(ts)
    ]
    if len(ratios) < _FEWEST_COMMON:
        return
    ratio = sorted(ratios)[len(ratios) // 2]
    if ratio >= _SCALE:
        yield f"its values are {ratio:,.0f} times the stored ones: is the unit another?"
    elif ratio * _SCALE <= 1:
        yield f"the stored values are {1 / ratio:,.0f} times its own: is the unit another?"
