"""A series as one line of characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
_NO_VALUE = " "


def sparkline(values: Sequence[float | None], width: int) -> str:
    """The last `width` values as bars between their least and their greatest.

    A missing value leaves a gap; values that are all equal are drawn at the middle.
    """
    shown = list(values)[-width:] if width > 0 else []
    known = [value for value in shown if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    # halved first: the difference of two finite numbers may be infinite
    reach = high / 2 - low / 2
    return "".join(_NO_VALUE if v is None else BARS[_step(v, low, reach)] for v in shown)


def _step(value: float, low: float, reach: float) -> int:
    if reach == 0:
        return len(BARS) // 2
    return round((value / 2 - low / 2) / reach * (len(BARS) - 1))
