"""Corrects points that an earlier reading of a provider stored under wrong times, or as another's.

Nothing that was known is rewritten: a wrong observation is withdrawn at K, and a publication that
was recorded at a wrong time is recorded once more at that time, with the value that had been
published by then, so that it no longer answers for the wrong one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataportal.store.queries import query
from dataportal.store.write.diff import Points
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    import psycopg

    from dataportal.observations import Observations
    from dataportal.statements import Reread, Statement
    from dataportal.store.records import StatedFacts
    from dataportal.store.write.vintages import VintageRow

_MOST_TIMES = 5
"""Withdrawn times that a note names."""


@dataclass(slots=True)
class Corrections:
    """What of a batch's series is to be corrected.

    Attributes:
        withdrawn: current observations that are none of their series.
        vintages: publications to be recorded, besides those of the answer.
        notes: what is told of each series.
    """

    withdrawn: Points = field(default_factory=Points)
    vintages: list[VintageRow] = field(default_factory=list)
    notes: dict[int, str] = field(default_factory=dict)


def find_corrections(
    connection: psycopg.Connection,
    batch: Mapping[int, Observations],
    facts: Mapping[int, StatedFacts],
) -> Corrections:
    """What is to be corrected by what the answers state; reads only.

    Args:
        connection: holds the source's lock.
        batch: the answers.
        facts: by which reading each series is stored.
    """
    corrections = Corrections()
    for series_id, points in batch.items():
        stated = points.statement
        if stated is None:
            continue
        if stated.withdrawn:
            _withdraw_others(connection, series_id, points, stated, corrections)
        if stated.reread is not None and points.ts and facts[series_id].reading < stated.reading:
            _reread(connection, series_id, points, stated.reread, corrections)
    return corrections


def _withdraw_others(
    connection: psycopg.Connection,
    series_id: int,
    points: Observations,
    stated: Statement,
    corrections: Corrections,
) -> None:
    """Withdraw what is stored at times whose values are another's, as the answer says."""
    times = sorted(set(stated.withdrawn) - set(points.ts))
    if not times:
        return
    bounds = {"series": series_id, "ts": times, "low": times[0], "high": times[-1]}
    rows = connection.cursor(binary=True).execute(query("merge_read_points"), bounds)
    stored = sorted(ts for ts, _ in rows)
    if stored:
        corrections.withdrawn.add(series_id, stored, [None] * len(stored))
        corrections.notes[series_id] = (
            f"{_observations(stored)} withdrawn, as {stated.why}: {_times(stored)}"
        )


def _reread(
    connection: psycopg.Connection,
    series_id: int,
    points: Observations,
    reread: Reread,
    corrections: Corrections,
) -> None:
    """Withdraw observations that moved, and take the effect of publications at wrong times."""
    present = set(points.ts)
    moved = []
    for (ts,) in connection.execute(query("correction_points"), {"series": series_id}):
        key = reread(ts, None)
        if key is not None and key[0] != ts and key[0] in present and ts not in present:
            moved.append(ts)
    wrong: list[tuple[datetime, datetime, float | None, datetime]] = []
    right: defaultdict[datetime, dict[datetime, float | None]] = defaultdict(dict)
    for ts, published, value in points.vintages or ():
        right[ts][published] = value
    for ts, published, value in connection.execute(
        query("correction_vintages"), {"series": series_id}
    ):
        new_ts, new_published = reread(ts, published) or (ts, published)
        if new_published is None or new_published == published or new_ts not in present:
            continue
        wrong.append((ts, published, value, new_ts))
        if new_published not in right[new_ts]:
            right[new_ts][new_published] = value
            corrections.vintages.append((series_id, new_ts, new_published, value))
    days = {ts: sorted(values) for ts, values in right.items()}
    for ts, published, value, new_ts in wrong:
        before = None if ts != new_ts else _published_by(right[ts], days[ts], published)
        if before != value:
            corrections.vintages.append((series_id, ts, published, before))
    corrections.withdrawn.add(series_id, moved, [None] * len(moved))
    if moved or wrong:
        corrections.notes[series_id] = (
            f"an earlier version read its provider wrong: {_observations(moved)} withdrawn that "
            f"moved, {len(wrong):,} publications corrected; what was known before stays as it was"
        )


def _published_by(
    values: Mapping[datetime, float | None], days: Sequence[datetime], at: datetime
) -> float | None:
    position = bisect_right(days, at)
    return values[days[position - 1]] if position else None


def _observations(times: Collection[datetime]) -> str:
    return f"{len(times):,} observation" + ("" if len(times) == 1 else "s")


def _times(times: Sequence[datetime]) -> str:
    if len(times) <= _MOST_TIMES:
        return ", ".join(map(iso, times))
    return f"{iso(times[0])} to {iso(times[-1])}"
