"""Measures when values of a series were available: how long after their ts they came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from dataportal.store.connection import database_errors
from dataportal.store.queries import query_for
from dataportal.store.rows import record_row
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import psycopg

    from dataportal.store.read.revisions import Part

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
SUGGESTED = 0.95
"""The part of all values that had come by the availability that is suggested."""
_STEPS = (
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(hours=6), timedelta(minutes=15)),
    (timedelta(days=2), timedelta(hours=1)),
)
"""Up to which age a suggestion is rounded to what."""


@dataclass(frozen=True, slots=True)
class MeasuredAvailability:
    """When values of a part of a series were available.

    Attributes:
        count: how many values were measured: what came with a backfill or the initial history is
            left out, as its times say nothing of the provider.
        in_time: how many of them came by when they are said to be available.
        first_ts: of these values; None without any.
        last_ts: the same.
        ages: for each of `QUANTILES` how long after its ts a value came, at most; empty without
            any.
    """

    count: int
    in_time: int
    first_ts: datetime | None
    last_ts: datetime | None
    ages: Sequence[timedelta]

    @property
    def suggestion(self) -> str | None:
        """What `availability` may say, so that nearly all values had come; None without any."""
        if not self.ages:
            return None
        age = self.ages[QUANTILES.index(SUGGESTED)]
        steps = (step for limit, step in _STEPS if abs(age) <= limit)
        step = next(steps, timedelta(days=1))
        rounded = -(-age // step) * step
        if not rounded:
            return "ts"
        return f"ts {'-' if rounded < timedelta() else '+'} {format_duration(abs(rounded))}"


def measure_availability(connection: psycopg.Connection, part: Part) -> MeasuredAvailability:
    """How late the values of a part of a series came, or were published.

    By publication all count, also those of a backfill: their times are the provider's.
    """
    axis = "_published" if part.by_publication else ""
    with database_errors("reading when values came"):
        cursor = connection.cursor(row_factory=record_row(MeasuredAvailability))
        parameters = part.parameters(quantiles=list(QUANTILES))
        measured = cursor.execute(
            query_for(connection, f"history{axis}_availability"), parameters
        ).fetchone()
    return measured or MeasuredAvailability(0, 0, None, None, ())
