"""Plans the window of a run and its slices, of a scheduled run and of a backfill."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dataportal.errors import DataportalError
from dataportal.granularity import interval_length
from dataportal.schedule import Progress, Slice, slices, window_start
from dataportal.times import EARLIEST, iso, multiply, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from dataportal.config import BuiltPlugin, Limits, Source
    from dataportal.store.records import SeriesProgress

_SHORTEST_SLICE = timedelta(days=366)
_CORRECTION_MARGIN = timedelta(days=31)
"""How far before the oldest ts a correction asks: it may have been the end of an interval."""
_SLICE_INTERVALS = 10_000
"""A slice of a backfill whose source does not say is a year, or this many of the intervals that its
finest series has: a transaction neither tiny nor long."""


def plan_backfill(
    source: Source,
    start: datetime,
    end: datetime | None,
    *,
    limits: Limits,
    now: datetime,
) -> tuple[datetime, list[Slice]]:
    """The end of a backfill, which is absolute from its beginning, and its slices."""
    last = now + limits.forecast_horizon if end is None else end
    finest = min(_length(s.granularity) or timedelta() for s in source.series)
    longest = limits.max_window or max(_SHORTEST_SLICE, multiply(_SLICE_INTERVALS, finest))
    return last, slices(
        start,
        last,
        now=now,
        forecast_horizon=limits.forecast_horizon,
        max_window=longest,
        interval_start=_interval_start(source, limits),
    )


def plan_scheduled_run(
    source: Source, stored: Mapping[str, SeriesProgress], *, limits: Limits, now: datetime
) -> tuple[datetime, list[Slice]]:
    """The start of a scheduled run's window, which is open at its end, and its slices.

    Args:
        source: the source.
        stored: how far its series have come, by endpoint_prefix; those never seen are missing.
        limits: of the source's runs.
        now: the present.
    """
    start = window_start(
        now,
        _progress(source, stored),
        lookback=limits.lookback,
        initial_history=limits.initial_history,
        dormant_after=limits.dormant_after,
    )
    return start, slices(
        start,
        None,
        now=now,
        forecast_horizon=limits.forecast_horizon,
        max_window=limits.max_window,
        interval_start=_interval_start(source, limits),
    )


def count_requests(
    built: BuiltPlugin, planned: Sequence[Slice]
) -> tuple[list[int | None], int | None]:
    """How many requests each slice takes, and how many a run sends at most.

    None where the plugin does not tell beforehand.

    Raises:
        PluginError: it fails.
    """
    plugin = built.plugin
    try:
        counts = [
            _whole_number(
                plugin.count_requests(
                    iso(window.ask_from or window.start),
                    None if window.end is None else iso(window.end),
                )
            )
            for window in planned
        ]
        return counts, _whole_number(plugin.max_requests)
    except BaseException as error:
        # here, as the commands that only look at windows have no plugin
        from dataportal.plugins.loader import is_built_in, plugin_fault

        if isinstance(error, DataportalError) and is_built_in(type(plugin)):
            raise
        what = f"the plugin {type(plugin).__module__}.{type(plugin).__name__} cannot be asked"
        raise plugin_fault(what, error) from error


def _whole_number(count: object) -> int | None:
    return count if type(count) is int else None


def with_correction(planned: list[Slice], oldest: datetime) -> list[Slice]:
    """The slices after one that asks for all there is since the oldest stored ts, and earlier.

    Nothing comes before it if the first slice is such a one already.
    """
    start = oldest - min(_CORRECTION_MARGIN, oldest - EARLIEST)
    first = planned[0] if planned else None
    if first is not None and first.end is None and first.start <= start:
        return planned
    if first is not None and first.end is None:
        planned = planned[1:]
    return [Slice(start, None), *planned]


def _interval_start(source: Source, limits: Limits) -> Callable[[datetime], datetime]:
    """What tells where the interval begins that an instant lies in; of several, the longest.

    Its beginning is that of shorter ones, too.
    """
    lengths = [interval_length(series.granularity) for series in source.series]
    longest = max(filter(None, lengths), key=lambda length: length.longest, default=None)
    if longest is None:
        return lambda instant: instant
    return lambda instant: longest.start_of(instant, limits.zone)


def _progress(source: Source, stored: Mapping[str, SeriesProgress]) -> list[Progress]:
    progress = []
    for series in source.series:
        interval = _length(series.granularity)
        known = stored.get(series.endpoint_prefix)
        if known is None:
            progress.append(Progress(None, None, history_asked=False, granularity=interval))
        else:
            progress.append(
                Progress(known.newest, known.advanced_at, known.history_asked, interval)
            )
    return progress


def _length(granularity: str | None) -> timedelta | None:
    try:
        return None if granularity is None else parse_duration(granularity)
    except ValueError:
        return None
