"""Draws a sparkline: the values of a series as bars in one line of characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-~=+*#"
"""Where an encoding has no bars."""
_NO_VALUE = " "


def sparkline(values: Sequence[float | None], width: int, bars: str = BARS) -> str:
    """The last `width` values as bars between their least and their greatest.

    A missing value leaves a gap; values that are all equal are drawn at the middle.
    """
    recent = list(values)[-width:] if width > 0 else []
    known = [value for value in recent if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    # halves: the difference of two finite numbers may be infinite
    half_range = high / 2 - low / 2
    return "".join(_NO_VALUE if v is None else _bar(v, low, half_range, bars) for v in recent)


def _bar(value: float, low: float, half_range: float, bars: str) -> str:
    if half_range == 0:
        return bars[len(bars) // 2]
    return bars[round((value / 2 - low / 2) / half_range * (len(bars) - 1))]
