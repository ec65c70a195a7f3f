"""Verifies a live database: finds every row that breaks a promise of the history.

It reads only. Every statement sees one state of the database, in which each merge is there whole
or not at all, so that runs at work cause no alarm. Series are taken some at a time, in the order of
the index, and answers stream: neither the server nor this program holds more than a part of them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from dataportal.store.clock import TOLERANCE
from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    import psycopg

_LEAST_ID, _GREATEST_ID = -(2**31), 2**31 - 1
"""The bounds of series_id: ranges cover them all, so that rows of no series are found as well."""
_FIRST_SIZE = 16
"""Series that the first statements take; then twice or half as many, by how long those took."""
_QUICK, _SLOW = 0.5, 4.0  # seconds


class Check(StrEnum):
    """A promise of the history; `promise` says it in words."""

    INTERVALS = "intervals"
    VERSIONS = "versions"
    CURRENT = "current"
    KNOWLEDGE = "knowledge"
    VINTAGES = "vintages"
    RUNS = "runs"
    SERIES = "series"

    @property
    def promise(self) -> str:
        """One sentence for people."""
        return _PROMISES[self]


_PROMISES = {
    Check.INTERVALS: "every version is known for some time",
    Check.VERSIONS: "one version at a time: none overlaps another, one at most is open",
    Check.CURRENT: "the current values are the open versions",
    Check.KNOWLEDGE: "nothing is known later than the last that its source knew",
    Check.VINTAGES: "no publication is recorded twice",
    Check.RUNS: "every run wrote what is recorded of it, and its counts add up",
    Check.SERIES: "everything belongs to a series",
}

_FAULTS: dict[str, tuple[Check, str]] = {
    "no_interval": (Check.INTERVALS, "it ends before it begins"),
    "two_open": (Check.VERSIONS, "another version of it is open as well"),
    "overlap": (Check.VERSIONS, "it begins before the version before it ends"),
    "no_open_version": (Check.CURRENT, "a current value without an open version"),
    "no_current_value": (Check.CURRENT, "an open version without a current value"),
    "another_value": (Check.CURRENT, "the current value is not that of the open version"),
    "another_run": (Check.CURRENT, "the current value is of another run or time than the version"),
    "known_ahead": (Check.KNOWLEDGE, "this source knows something as of a time yet to come"),
    "version_after_last": (Check.KNOWLEDGE, "known later than the last that its source knew"),
    "vintage_after_last": (Check.KNOWLEDGE, "recorded later than the last that its source knew"),
    "vintage_twice": (Check.VINTAGES, "recorded again with the value that it had"),
    "no_run": (Check.RUNS, "there are versions or publications of it, but no such run"),
    "versions_too_many": (Check.RUNS, "it wrote fewer versions than there are of it"),
    "versions_missing": (Check.RUNS, "it wrote more versions than there are of it"),
    "vintages_too_many": (Check.RUNS, "it recorded fewer publications than there are of it"),
    "vintages_missing": (Check.RUNS, "it recorded more publications than there are of it"),
    "counts_do_not_add_up": (Check.RUNS, "its counts are not what it received"),
    "version_of_no_series": (Check.SERIES, "a version of no series"),
    "vintage_of_no_series": (Check.SERIES, "a publication of no series"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that breaks a promise, by its key.

    Times are texts in ISO 8601, UTC: what is wrong with a row may be a time that Python has not.
    """

    check: Check
    message: str
    series_id: int | None = None
    series: str | None = None
    ts: str | None = None
    valid_from: str | None = None
    published_at: str | None = None
    run_id: int | None = None


def verify(
    connection: psycopg.Connection,
    *,
    since: datetime | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Iterator[Fault]:
    """Every row that breaks a promise; none where all is well.

    Args:
        connection: may be read-only, in autocommit mode.
        since: look at observations with ts >= since only; for the promises about runs that means
            whether any has more versions than it wrote.
        progress: called with how many steps are done, and of how many.

    Raises:
        DatabaseError: the database cannot be asked.
    """
    yield from _faults(connection, "verify_sources", {"ahead": utc_now() + TOLERANCE})
    with database_errors("reading the names of the series"):
        ids = [series_id for (series_id,) in connection.execute(query("verify_series"))]
    steps = len(ids) + 1
    progress(0, steps)
    done, size = 0, _FIRST_SIZE
    while done < len(ids) or not done:
        started = time.monotonic()
        batch = ids[done : done + size]
        for name in ("verify_versions", "verify_current", "verify_vintages"):
            yield from _faults(connection, name, {**_id_range(ids, done, batch), "since": since})
        done += max(len(batch), 1)
        seconds = time.monotonic() - started
        size = size * 2 if seconds < _QUICK else max(size // 2, 1) if seconds > _SLOW else size
        progress(min(done, len(ids)), steps)
    yield from _faults(connection, "verify_runs", {"since": since})
    progress(steps, steps)


def _id_range(ids: Sequence[int], done: int, batch: Sequence[int]) -> dict[str, int]:
    """The range of series_id from the end of the batch before to the end of this one."""
    first = ids[done - 1] + 1 if done else _LEAST_ID
    last = batch[-1] if done + len(batch) < len(ids) else _GREATEST_ID
    return {"first": first, "last": last}


def _faults(
    connection: psycopg.Connection, name: str, parameters: dict[str, Any]
) -> Iterator[Fault]:
    with (
        database_errors("verifying the history"),
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        for row in cursor.stream(query(name), parameters):
            check, message = _FAULTS[row.pop("fault")]
            yield Fault(check, message, **row)
