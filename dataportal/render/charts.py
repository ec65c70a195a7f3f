"""Draws small charts as the paths of an SVG: a line of values, bars, strokes. Pure."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MARGIN = 2
_HOLE = 2.5
"""How many usual distances two values lie apart at least between which the line breaks."""


def line_path(ts: Sequence[float], values: Sequence[float], width: int, height: int) -> str:
    """A line through values at these times, broken where some are missing.

    Args:
        ts: increasing; as many as values, of which there is one at least.
        values: finite.
        width: the line fills it.
        height: the least value lies at its lower end, the greatest at its upper one.
    """
    low, high = min(values), max(values)
    # halves: the difference of two finite numbers may be infinite
    half_range = high / 2 - low / 2
    duration = ts[-1] - ts[0]
    hole = _HOLE * median(b - a for a, b in pairwise(ts)) if len(ts) > 1 else 0.0
    room = height - 2 * _MARGIN
    path = ""
    before: float | None = None
    x = y = 0
    for instant, value in zip(ts, values, strict=True):
        to_x = round(width * (instant - ts[0]) / duration if duration else width / 2)
        share = (value / 2 - low / 2) / half_range if half_range else 0.5
        to_y = round(_MARGIN + room * (1 - share))
        if before is None or instant - before > hole:
            # a step of no length: of a value that stands alone a dot is to be seen
            path += f"M{to_x} {to_y}l0 0"
        else:
            path += _pair(to_x - x, to_y - y)
        before, x, y = instant, to_x, to_y
    return path


def _pair(x: int, y: int) -> str:
    """A step of a path, as short as can be: a minus separates too."""
    return f" {x}{y}" if y < 0 else f" {x} {y}"


def bars_path(counts: Sequence[int], step: int, height: int) -> str:
    """The outline of a bar for each count, side by side, the highest as high as there is room.

    Args:
        counts: of which one at least is not 0.
        step: how wide a bar is.
        height: of the highest; of one that is not 0 it is 1 at least.
    """
    most = max(counts)
    path = f"M0 {height}"
    before, width = height, 0
    for count in counts:
        top = height - max(1, round(height * count / most)) if count else height
        if top != before:
            path += f"h{width}V{top}" if width else f"V{top}"
            before, width = top, 0
        width += step
    return f"{path}h{width}V{height}z"


def strokes_path(strokes: Iterable[tuple[int, float]], step: int, height: int) -> str:
    """A stroke for each place, as high as its share of the height says.

    Args:
        strokes: places, counted from 0, in order, with shares.
        step: from the middle of a place to that of the next.
        height: of a share of 1.
    """
    return "".join(
        f"M{step * place + step // 2} {height}v-{height * share:.0f}" for place, share in strokes
    )


def spans_path(places: Iterable[int], step: int, y: int) -> str:
    """A line along each span of places that follow each other, to be drawn with dashes.

    Args:
        places: counted from 0, in order.
        step: how long a place is, dash and gap.
        y: the height of the line.
    """
    spans: list[list[int]] = []
    for place in places:
        if spans and spans[-1][1] == place:
            spans[-1][1] += 1
        else:
            spans.append([place, place + 1])
    return "".join(f"M{step * first + 1} {y}h{step * (last - first) - 2}" for first, last in spans)
