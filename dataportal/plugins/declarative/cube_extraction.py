"""Adds what a cube has of a series: plain values of times that are surely in the window."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dataportal.plugins.declarative.cubes import CubeRecords
    from dataportal.plugins.declarative.series_extraction import SeriesExtraction
    from dataportal.plugins.declarative.time_axis import TimeAxis


def add_axis(
    series: SeriesExtraction,
    records: CubeRecords,
    axis: TimeAxis,
    are_plain: Callable[[Sequence[object]], bool] | None,
    units: Sequence[str] | None = None,
) -> Sequence[int]:
    """Add the plain numbers of times that are surely inside.

    Args:
        series: of these records.
        records: selected from the cube.
        axis: of its times.
        are_plain: whether values can be taken as they are; None if they are others.
        units: which each of the records says; None for none.

    Returns:
        the rows that are to be looked at one by one.
    """
    positions, values = records.positions, records.values
    part = axis if positions == range(len(axis.times)) else axis.part(positions)
    if series.clip is not None:
        series.clip.leave_out(before=part.before, after=part.after)
    series.rows_with_value += part.before + part.after
    series.rows_with_time += part.before + part.after
    taken = values if part.all_inside else [*compress(values, part.inside)]
    if are_plain is None or not are_plain(taken):
        return part.near
    series.ts.extend(part.inside_times)
    if isinstance(taken, list) and records.is_copy and not series.values:
        series.values = taken  # a million of them are not copied once more
    else:
        series.values.extend(taken)
    everything = range(len(values))
    series.note_units(
        units, everything if part.all_inside else [*compress(everything, part.inside)]
    )
    series.rows_with_value += len(taken)
    series.rows_with_time += len(taken)
    return part.asked
