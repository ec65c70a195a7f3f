"""The rows of tables, as typed tuples. All times are aware and in UTC; None is no value."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import timedelta

WideRow = tuple[datetime, *tuple[float | None, ...]]
"""A `ts`, and the value of each series there."""


class SeriesPoint(NamedTuple):
    """The value of an observation, of the version that is asked for."""

    series: str
    ts: datetime
    value: float | None


class AssumedPoint(NamedTuple):
    """The same of a question that assumes: `assumed` that it came later than it counts."""

    series: str
    ts: datetime
    value: float | None
    assumed: bool


class KnownPoint(NamedTuple):
    """The same, since when and until when it was known (None = still), and whether it is final."""

    series: str
    ts: datetime
    value: float | None
    valid_from: datetime
    valid_to: datetime | None
    final: bool


class PublishedPoint(NamedTuple):
    """The same by publication: when it was published, and when this database recorded that."""

    series: str
    ts: datetime
    value: float | None
    published_at: datetime
    recorded_at: datetime
    final: bool


class CatalogueRow(NamedTuple):
    """A series, and the first and the last ts of its observations; None for what nobody knows."""

    series: str
    name: str | None
    unit: str | None
    zone: str | None
    granularity: str | None
    licence: str | None
    source: str
    domain: str | None
    category: str | None
    description: str | None
    first_ts: datetime | None
    last_ts: datetime | None
    known_through: datetime | None


class IssueRow(NamedTuple):
    """A run of a forecast, or a time of publication, and what it holds of a series."""

    series: str
    issued_at: datetime
    first_ts: datetime
    last_ts: datetime
    points: int


class RevisionRow(NamedTuple):
    """A change to what had been known before; None for no value. `age` is from ts to the change."""

    series: str
    ts: datetime
    old_value: float | None
    new_value: float | None
    changed_at: datetime
    age: timedelta


class RevisionStatistics(NamedTuple):
    """How much a series was revised at one age: the time from the ts to the change.

    `age_over` and `age_up_to` bound the age; None for no bound. `revisions` is how many there were,
    `bias` the mean of new minus old, `mean` that of the size of the change, `largest` the largest
    size; None for no change. `withdrawals` counts values that went, or came back.
    """

    series: str
    age_over: timedelta | None
    age_up_to: timedelta | None
    revisions: int
    bias: float | None
    mean: float | None
    largest: float | None
    withdrawals: int


class GapRow(NamedTuple):
    """So many points that are missing: the first one at `start`, all of them before `end`."""

    series: str
    start: datetime
    end: datetime
    missing: int
