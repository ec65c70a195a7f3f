"""Looks for what is wrong with a clean answer although all of it can be taken. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from dataportal.granularity import interval_length
from dataportal.resolutions import steps, stretches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from dataportal.config import Source
    from dataportal.granularity import IntervalLength
    from dataportal.observations import Batch, Observations

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_FEWEST = 24
"""So many equal values are no accident: a day of hours."""
_FEWEST_COMMON = 5
"""So many points must be stored too, for their sizes to be compared."""
_SCALE = 100.0
"""Values so many times as large are in another unit."""


def oddities(
    batch: Batch,
    source: Source,
    *,
    zone: ZoneInfo | None,
    stored: Mapping[str, Mapping[datetime, float]],
) -> Iterator[str]:
    """What looks wrong, each one sentence that says what to do.

    Args:
        batch: the clean answer.
        source: what its entry says.
        zone: of the provider's days.
        stored: what the database has at the times of the answer, by series.
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
        declared = interval_length(series.granularity)
        for sentence in _series_oddities(
            observations, declared, zone, stored.get(series.endpoint_prefix, {})
        ):
            yield f"{series.endpoint_prefix}: {sentence}"


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


def _other_scale(observations: Observations, stored: Mapping[datetime, float]) -> Iterator[str]:
    """Values that are many times what is stored at the same times."""
    ratios = [
        abs(value / stored[ts])
        for ts, value in zip(observations.ts, observations.values, strict=True)
        if value and stored.get(ts)
    ]
    if len(ratios) < _FEWEST_COMMON:
        return
    ratio = median(ratios)
    if ratio >= _SCALE:
        yield f"its values are {ratio:,.0f} times the stored ones: is the unit another?"
    elif ratio * _SCALE <= 1:
        yield f"the stored values are {1 / ratio:,.0f} times its own: is the unit another?"
