"""Cuts a verification into steps, none of which takes long, and takes them on several connections.

A step is a range of series and of time. Its size is what the planner estimates: a range that holds
too much is halved, and the time of a single series is cut into pieces. Every statement of a step
sees one state of the database; nothing is asked of what two of them see.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from queue import Empty, Queue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from dataportal.store.connection import database_errors
from dataportal.store.pooling import is_pooled
from dataportal.store.queries import query, query_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

_LEAST_ID, _GREATEST_ID = -(2**31), 2**31 - 1
"""The bounds of series_id: ranges cover them all, so that rows of no series are found as well."""
_MOST_ROWS = 8_000_000
"""Versions that a step has at most, some seconds' worth, as far as the planner knows. Not fewer
than need be: rows of many series lie side by side, and each step reads whole pages."""
_WAITING = 1_000
"""Rows that wait to be taken: a step goes on when there is room again."""


class Range(NamedTuple):
    """Series from `first` to `last`, at times from `low` to before `high`, texts; None is open."""

    first: int = _LEAST_ID
    last: int = _GREATEST_ID
    low: str | None = None
    high: str | None = None


@dataclass(slots=True)
class Tally:
    """How many rows there are of each run, by its number.

    Attributes:
        versions: versions of each run.
        vintages: publications of each run.
        settled_versions: of settled runs only a sum over all their versions, of the hashes of the
            numbers of the runs: it takes no room, and tells whether each has what is recorded.
        settled_vintages: the same of publications.
    """

    versions: Counter[int] = field(default_factory=Counter)
    vintages: Counter[int] = field(default_factory=Counter)
    settled_versions: int = 0
    settled_vintages: int = 0

    def add(self, other: Tally) -> None:
        """Add what another one counted."""
        self.versions.update(other.versions)
        self.vintages.update(other.vintages)
        self.settled_versions += other.settled_versions
        self.settled_vintages += other.settled_vintages


@dataclass(frozen=True, slots=True)
class Settled:
    """Runs whose rows cannot become more: those up to a number, but for some.

    Attributes:
        last: the number of the last of them.
        but: numbers before that of runs that may be at work, or may have been.
    """

    last: int
    but: Sequence[int] = ()


class Part(StrEnum):
    """What is to be done of a range: each can be done by itself, by any connection."""

    FOLD = "verify_fold"
    CLOSED = "verify_closed"
    COUNTS = "verify_counts"
    VINTAGES = "verify_publications"
    ISSUES = "verify_issues"


_LOOKS = frozenset({Part.FOLD, Part.CLOSED, Part.VINTAGES})
"""The parts that look for suspects."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What each range is looked at for.

    Attributes:
        ids: all series, ascending.
        parts: what is done of each range.
        suspects_all: whether every version is looked at row by row.
        since: observations before are left out.
        sample: the share of the time that is looked at; None for all.
        settled: runs of which sums are enough, which come of looking for suspects; None if it
            takes the number of rows of each run.
    """

    ids: Sequence[int]
    parts: Sequence[Part]
    suspects_all: bool
    since: datetime | None
    sample: float | None
    settled: Settled | None


class Step(NamedTuple):
    """A part of a range that is done.

    Attributes:
        range: the range.
        series: how many series it has; 0 for all but the last of a series that is cut.
        tally: how many rows each run has in it, if they were counted.
        is_last: whether all of the range is done.
    """

    range: Range
    series: int
    tally: Tally
    is_last: bool = False


FaultRow = tuple[Range, dict[str, Any]]


@dataclass(slots=True)
class _Work:
    """What is left of a range that was begun, and which of its series are suspect so far.

    Attributes:
        bounds: the parameters of its queries.
        parts: how many of its parts are not done.
        looks: how many of those that look for suspects are not done.
        suspects: series of which versions are looked at row by row.
        differing: those of which current values are, too.
        recorded: those of which publications are.
        is_new: whether it may have rows of runs that are not settled.
    """

    bounds: dict[str, Any]
    parts: int
    looks: int
    suspects: set[int] = field(default_factory=set)
    differing: set[int] = field(default_factory=set)
    recorded: set[int] = field(default_factory=set)
    is_new: bool = False


class Steps:
    """Takes the steps of a plan, and remembers which ranges are left.

    Args:
        plan: what to do.
        left: the ranges to be looked at.
    """

    def __init__(self, plan: Plan, left: Sequence[Range]) -> None:
        self._plan = plan
        self._waiting = list(reversed(left))
        self._begun: dict[Range, _Work] = {}
        self._parts: list[tuple[Range, Part]] = []
        self._lock = Lock()
        self._stopped = False
        self._results: Queue[Step | FaultRow | BaseException | None] = Queue(_WAITING)

    def left(self) -> list[Range]:
        """The ranges that are not done, in order."""
        with self._lock:
            return sorted([*self._waiting, *self._begun], key=lambda r: (r.first, r.low or ""))

    def results(self, connections: Sequence[psycopg.Connection]) -> Iterator[Step | FaultRow]:
        """Faults, each with its range, and parts of ranges as they are done.

        Raises:
            DatabaseError: the database cannot be asked.
        """
        threads = [Thread(target=self._work, args=(c,), daemon=True) for c in connections]
        for thread in threads:
            thread.start()
        try:
            yield from self._take(len(threads))
        finally:
            self._stop(threads, connections)

    def _take(self, working: int) -> Iterator[Step | FaultRow]:
        while working:
            result = self._results.get()
            if result is None:
                working -= 1
            elif isinstance(result, BaseException):
                with database_errors("verifying the history"):
                    raise result
            elif isinstance(result, Step):
                yield result._replace(is_last=self._end_part(result.range))
            else:
                yield result

    def _end_part(self, piece: Range) -> bool:
        """Whether all of a range is done with one more part of it."""
        with self._lock:
            work = self._begun[piece]
            work.parts -= 1
            if work.parts:
                return False
            del self._begun[piece]
            return True

    def _stop(self, threads: Sequence[Thread], connections: Sequence[psycopg.Connection]) -> None:
        with self._lock:
            self._stopped = True
        for thread, connection in zip(threads, connections, strict=True):
            if thread.is_alive():
                # a server that takes no request to cancel ends the statement in its own time
                with suppress(psycopg.Error):
                    connection.cancel_safe(timeout=2)
        while any(thread.is_alive() for thread in threads):
            with suppress(Empty):
                self._results.get(timeout=0.05)

    def _work(self, connection: psycopg.Connection) -> None:
        """For a thread: one part after the other, until none is left."""
        try:
            # behind a pooler the next client would have them
            if not is_pooled(connection):
                connection.execute(query("verify_settings"))
            while (begun := self._next(connection)) is not None:
                self._results.put(self._do(connection, *begun))
        except BaseException as error:  # noqa: BLE001 - raised where the results are taken
            if not self._stopped:
                self._results.put(error)
        finally:
            self._results.put(None)

    def _next(self, connection: psycopg.Connection) -> tuple[Range, Part] | None:
        """A part of a range that is small enough; all others are left for whoever comes next."""
        with self._lock:
            while not self._parts and self._waiting and not self._stopped:
                piece, *others = self._pieces(connection, self._waiting.pop())
                self._waiting.extend(reversed(others))
                if others:
                    self._waiting.append(piece)
                else:
                    self._begin(connection, piece)
            return self._parts.pop() if self._parts and not self._stopped else None

    def _begin(self, connection: psycopg.Connection, piece: Range) -> None:
        # what is recorded of forecasts is not cut by time
        parts = [p for p in self._plan.parts if p is not Part.ISSUES or piece.low is None]
        bounds = self._bounds(piece)
        if self._plan.sample is not None:
            ids = list(self._ids(piece))
            bounds |= {"ids": ids, **self._window(connection, ids)}
        looks = sum(part in _LOOKS for part in parts)
        self._begun[piece] = _Work(bounds, len(parts), looks)
        self._parts = [(piece, part) for part in reversed(parts)]

    def _window(self, connection: psycopg.Connection, ids: list[int]) -> dict[str, str]:
        """A part of the time of these series; nothing of them if they have no observation."""
        row = connection.execute(
            query_for(connection, "verify_window"),
            {
                "ids": ids,
                "share": self._plan.sample,
                "offset": random.random(),  # noqa: S311 - a sample, no secret
                "since": self._plan.since,
            },
        ).fetchone()
        low, high = row or ("infinity", "infinity")
        return {"low": low, "high": high}

    def _pieces(self, connection: psycopg.Connection, piece: Range) -> list[Range]:
        """The range, or what it is cut into if it holds too much."""
        ids = self._ids(piece)
        # what is cut already is small enough
        if piece.low is not None or piece.high is not None or not ids:
            return [piece]
        rows = self._estimate(connection, piece)
        if rows <= _MOST_ROWS:
            return [piece]
        if len(ids) > 1:
            middle = ids[len(ids) // 2 - 1]
            return [piece._replace(last=middle), piece._replace(first=middle + 1)]
        if self._plan.sample is not None:
            return [piece]
        times = connection.execute(
            query("verify_pieces"), {"series": ids[0], "pieces": int(rows // _MOST_ROWS) + 1}
        ).fetchall()
        bounds = [None, *(text for (text,) in times), None]
        return [piece._replace(low=low, high=high) for low, high in pairwise(bounds)]

    def _ids(self, piece: Range) -> Sequence[int]:
        ids = self._plan.ids
        return ids[bisect_left(ids, piece.first) : bisect_right(ids, piece.last)]

    def _estimate(self, connection: psycopg.Connection, piece: Range) -> float:
        cursor = psycopg.ClientCursor(connection)
        cursor.execute(query("verify_estimate"), self._bounds(piece))
        row = cursor.fetchone()
        return float(row[0][0]["Plan"]["Plan Rows"]) * (self._plan.sample or 1) if row else 0.0

    def _bounds(self, piece: Range) -> dict[str, Any]:
        """Parameters of queries: what bounds nothing is None, and not asked of each row."""
        settled = self._plan.settled
        return {
            "first": None if piece.first == _LEAST_ID else piece.first,
            "last": None if piece.last == _GREATEST_ID else piece.last,
            "low": piece.low,
            "high": piece.high,
            "ids": None,
            "since": self._plan.since,
            "settled": settled.last if settled else None,
            "unsettled": list(settled.but) if settled and settled.but else None,
        }

    def _do(self, connection: psycopg.Connection, piece: Range, part: Part) -> Step:
        work = self._begun[piece]
        tally = Tally()
        if part is Part.COUNTS:
            self._count(connection, work.bounds, tally)
        elif part in _LOOKS:
            self._look_for_suspects(connection, part, work, tally)
            with self._lock:
                work.looks -= 1
                is_last = not work.looks
            if is_last:
                self._look_at_suspects(connection, piece, work, tally)
        else:
            self._send_faults(connection, part, piece, work.bounds)
        # of a series that is cut into pieces the last one counts
        counts = part is self._plan.parts[0] and piece.high is None
        return Step(piece, len(self._ids(piece)) if counts else 0, tally)

    def _count(
        self, connection: psycopg.Connection, bounds: Mapping[str, Any], tally: Tally
    ) -> None:
        """Count the rows of each run, as far as it is not settled."""
        for kind, run_id, stored in connection.execute(query(Part.COUNTS), bounds):
            (tally.versions if kind == "versions" else tally.vintages)[run_id] = stored

    def _look_for_suspects(
        self, connection: psycopg.Connection, part: Part, work: _Work, tally: Tally
    ) -> None:
        """Find out which series are to be looked at row by row, and take sums of settled runs."""
        cursor = connection.cursor(row_factory=dict_row)
        rows = cursor.execute(query(part), work.bounds).fetchall()
        totals: dict[str, Any] = {} if part is Part.CLOSED else rows.pop(0)
        differing: set[int] = set()
        if part is Part.FOLD:
            tally.settled_versions = int(totals["settled"])
            if totals["is_suspect"]:
                differing = self._series(connection, "verify_differing", work, work.bounds["ids"])
        elif part is Part.VINTAGES:
            tally.settled_vintages = int(totals["settled"])
        series = {row["series_id"] for row in rows if row.get("is_suspect", True)} | differing
        if broken := [row["series_id"] for row in rows if row.get("is_broken")]:
            series |= self._series(connection, "verify_overlaps", work, broken)
        with self._lock:
            (work.recorded if part is Part.VINTAGES else work.suspects).update(series)
            work.differing.update(differing)
            work.is_new |= totals.get("is_new", False)

    def _series(
        self, connection: psycopg.Connection, name: str, work: _Work, ids: Sequence[int] | None
    ) -> set[int]:
        rows = connection.execute(query(name), {**work.bounds, "ids": ids}).fetchall()
        return {series_id for (series_id,) in rows}

    def _look_at_suspects(
        self, connection: psycopg.Connection, piece: Range, work: _Work, tally: Tally
    ) -> None:
        """Send what is wrong with them, row by row; count what is of runs that are not settled."""
        settled = self._plan.settled
        if settled and (work.is_new or settled.but):
            self._count(connection, work.bounds, tally)
        suspects = None if self._plan.suspects_all else sorted(work.suspects)
        for name, ids in (
            ("verify_versions", suspects),
            ("verify_current", sorted(work.differing)),
            ("verify_vintages", sorted(work.recorded)),
        ):
            if ids is None:
                self._send_faults(connection, name, piece, work.bounds)
            elif ids:
                self._send_faults(connection, name, piece, {**work.bounds, "ids": ids})

    def _send_faults(
        self, connection: psycopg.Connection, name: str, piece: Range, bounds: Mapping[str, Any]
    ) -> None:
        with connection.cursor(row_factory=dict_row) as cursor:
            for row in cursor.stream(query(name), bounds):
                self._results.put((piece, row))
