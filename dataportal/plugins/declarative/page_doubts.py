"""Tells answers that may be the first of several pages, where nobody asked for the others. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

_SMALLEST = 50
_WAY_OUT = "are there more pages? Say how they are asked for, or paging: none"
_GAP_STEPS, _GAP_SHARE = 10, 10


def is_page_size(rows: int) -> bool:
    """Whether pages are often so long: 50, 100, 200, 250, 300, 500, 1,000 and so on."""
    if rows < _SMALLEST:
        return False
    digits = str(rows).rstrip("0")
    return digits in {"1", "2", "5", "25"} or rows == 300  # noqa: PLR2004 - the one of its kind


def page_doubt(
    rows: int,
    times: Iterable[datetime | str],
    start: datetime,
    end: datetime,
    *,
    zone: ZoneInfo | None,
) -> str | None:
    """Why an answer may be a page; None if its times reach from one end of its window to the other.

    Args:
        rows: how many it has.
        times: those of its rows; what is no time is passed over. Those of some of the rows reach
            no farther: where they raise no doubt, all of them raise none.
        start: of the window that was asked for.
        end: of the same; no later than the present.
        zone: where times without an offset are local.
    """
    extremes = _extremes(times, zone)
    if not is_page_size(rows) or not extremes or start >= end:
        return None
    first, last = min(extremes), max(extremes)
    step = (last - first) / (rows - 1)
    before, after = first - start, end - last - step
    gap = max(before, after)
    if gap <= _GAP_STEPS * step or gap <= (end - start) / _GAP_SHARE:
        return None
    what = f"an answer of exactly {rows:,} rows"
    if after >= before:
        return f"{what} ends on {last:%Y-%m-%d}, long before the end of its window: {_WAY_OUT}"
    return f"{what} begins on {first:%Y-%m-%d}, long after the start of its window: {_WAY_OUT}"


def partial_content_doubt(rows: int) -> str:
    """Why an answer under the status 206 is doubted, which nobody asked for a part of."""
    return f"the provider calls its answer of {rows:,} rows partial (206): {_WAY_OUT}"


def _extremes(times: Iterable[datetime | str], zone: ZoneInfo | None) -> list[datetime]:
    """The earliest and the latest of the times with an offset, and of those without one."""
    readable = [ts for ts in times if isinstance(ts, datetime)]
    aware = [ts for ts in readable if ts.tzinfo is not None]
    local = [ts for ts in readable if ts.tzinfo is None] if len(aware) < len(readable) else []
    ends = [end.replace(tzinfo=zone or UTC) for end in (min(local), max(local))] if local else []
    return [*((min(aware), max(aware)) if aware else ()), *ends]
