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
    """How many rows there are of each run, by its number."""

    versions: Counter[int] = field(default_factory=Counter)
    vintages: Counter[int] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add what another one counted."""
        self.versions.update(other.versions)
        self.vintages.update(other.vintages)


class Part(StrEnum):
    """What is to be done of a range: each can be done by itself, by any connection."""

    FOLD = "verify_fold"
    OVERLAPS = "verify_overlaps"
    COUNTS = "verify_counts"
    VINTAGES = "verify_vintages"
    ISSUES = "verify_issues"


@dataclass(frozen=True, slots=True)
class Plan:
    """What each range is looked at for.

    Attributes:
        ids: all series, ascending.
        parts: what is done of each range.
        suspects_all: whether every version is looked at row by row.
        since: observations before are left out.
        sample: the share of the time that is looked at; None for all.
    """

    ids: Sequence[int]
    parts: Sequence[Part]
    suspects_all: bool
    since: datetime | None
    sample: float | None


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
    """

    bounds: dict[str, Any]
    parts: int
    looks: int
    suspects: set[int] = field(default_factory=set)
    differing: set[int] = field(default_factory=set)


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
        looks = sum(part in {Part.FOLD, Part.OVERLAPS} for part in parts)
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
        return {
            "first": None if piece.first == _LEAST_ID else piece.first,
            "last": None if piece.last == _GREATEST_ID else piece.last,
            "low": piece.low,
            "high": piece.high,
            "ids": None,
            "since": self._plan.since,
        }

    def _do(self, connection: psycopg.Connection, piece: Range, part: Part) -> Step:
        work = self._begun[piece]
        tally = Tally()
        if part is Part.COUNTS:
            for kind, run_id, stored in connection.execute(query(part), work.bounds):
                (tally.versions if kind == "versions" else tally.vintages)[run_id] = stored
        elif part in {Part.FOLD, Part.OVERLAPS}:
            self._look_for_suspects(connection, piece, part, work)
        else:
            self._send_faults(connection, part, piece, work.bounds)
        # of a series that is cut into pieces the last one counts
        counts = part is self._plan.parts[0] and piece.high is None
        return Step(piece, len(self._ids(piece)) if counts else 0, tally)

    def _look_for_suspects(
        self, connection: psycopg.Connection, piece: Range, part: Part, work: _Work
    ) -> None:
        """Which series are to be looked at; who finds the last of them does it."""
        rows = connection.execute(query(part), work.bounds).fetchall()
        with self._lock:
            work.suspects.update(row[0] for row in rows)
            work.differing.update(row[0] for row in rows if part is Part.FOLD and row[1])
            work.looks -= 1
            if work.looks:
                return
        if self._plan.suspects_all:
            self._send_faults(connection, "verify_versions", piece, work.bounds)
        elif work.suspects:
            bounds = {**work.bounds, "ids": sorted(work.suspects)}
            self._send_faults(connection, "verify_versions", piece, bounds)
        if work.differing:
            bounds = {**work.bounds, "ids": sorted(work.differing)}
            self._send_faults(connection, "verify_current", piece, bounds)

    def _send_faults(
        self, connection: psycopg.Connection, name: str, piece: Range, bounds: Mapping[str, Any]
    ) -> None:
        with connection.cursor(row_factory=dict_row) as cursor:
            for row in cursor.stream(query(name), bounds):
                self._results.put((piece, row))
