"""Cleans the answer to a slice as the entry of its source and the limits of its plugin say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataportal.granularity import interval_length
from dataportal.observations import clean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dataportal.config import Limits, Source
    from dataportal.observations import Batch
    from dataportal.schedule import Slice


def clean_answer(
    answer: object,
    source: Source,
    limits: Limits,
    window: Slice,
    *,
    now: datetime,
    units: Mapping[str, str],
) -> Batch:
    """The clean observations of an answer.

    Args:
        answer: of the plugin, by series.
        source: whose series are taken.
        limits: the zone of local times, and how far ahead forecasts reach.
        window: what was asked for.
        now: the present.
        units: those that the answers before named, by series; nothing to compare with none.

    Raises:
        FetchError: the answer cannot be used.
    """
    horizon = now + limits.forecast_horizon
    return clean(
        answer,
        series=[series.endpoint_prefix for series in source.series],
        start=window.start,
        end=horizon if window.end is None else min(window.end, horizon),
        zone=limits.zone,
        repeated=limits.repeated,
        lengths={
            series.endpoint_prefix: length
            for series in source.series
            if (length := interval_length(series.granularity)) is not None
        },
        units=units,
    )
