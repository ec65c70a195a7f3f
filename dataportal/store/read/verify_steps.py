"""Cuts a verification into steps, none of which takes long, and takes them on several connections.

A step is a range of series and of time. Its size is what the planner estimates: a range that holds
too much is halved, and the time of a single series is cut into pieces. Every statement of a step
sees one state of the database; nothing is asked of what two of them see.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from queue import Empty, Queue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from dataportal.store.connection import database_errors
from dataportal.store.queries import query
from dataportal.store.rows import record_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

_LEAST_ID, _GREATEST_ID = -(2**31), 2**31 - 1
"""The bounds of series_id: ranges cover them all, so that rows of no series are found as well."""
_MOST_ROWS = 3_000_000
"""Versions that a step holds at most, some seconds' worth, as far as the planner knows."""
_FEWEST_ROWS = 20_000
_STEPS = 16
"""Steps at least, where there is enough for so many: all connections are busy until the end."""
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


@dataclass(frozen=True, slots=True)
class Plan:
    """What each step is to do.

    Attributes:
        ids: all series, ascending.
        statements: the queries whose rows are faults.
        folds: whether current values are compared with open versions, and runs are counted.
        since: observations before are left out.
        sample: the share of the time that is looked at; None for all.
    """

    ids: Sequence[int]
    statements: Sequence[str]
    folds: bool
    since: datetime | None
    sample: float | None


class Step(NamedTuple):
    """A range that is done: with how many series, and how many rows each run has in it."""

    done: Range
    series: int
    tally: Tally


class _FoldRow(NamedTuple):
    """Rows of one kind, and of one run if they are not current values."""

    kind: str
    run_id: int | None
    stored: int
    current: int
    hash: int | None


class Steps:
    """Takes the steps of a plan, and remembers which ranges are left.

    Args:
        plan: what to do.
        left: the ranges to be looked at.
    """

    def __init__(self, plan: Plan, left: Sequence[Range]) -> None:
        self._plan = plan
        self._waiting = list(reversed(left))
        self._at_work: set[Range] = set()
        self._lock = Lock()
        self._stopped = False
        self._results: Queue[Step | tuple[Range, dict[str, Any]] | BaseException | None]
        self._results = Queue(_WAITING)
        self._rows: float = _FEWEST_ROWS

    def left(self) -> list[Range]:
        """The ranges that are not done, in order."""
        with self._lock:
            return sorted([*self._waiting, *self._at_work], key=lambda r: (r.first, r.low or ""))

    def results(
        self, connections: Sequence[psycopg.Connection]
    ) -> Iterator[Step | tuple[Range, dict[str, Any]]]:
        """Faults, each with its range, and ranges as they are done.

        Raises:
            DatabaseError: the database cannot be asked.
        """
        with database_errors("verifying the history"):
            self._rows = self._most_rows(connections[0])
        threads = [Thread(target=self._work, args=(c,), daemon=True) for c in connections]
        for thread in threads:
            thread.start()
        try:
            yield from self._take(len(threads))
        finally:
            self._stop(threads, connections)

    def _take(self, working: int) -> Iterator[Step | tuple[Range, dict[str, Any]]]:
        while working:
            result = self._results.get()
            if result is None:
                working -= 1
            elif isinstance(result, psycopg.Error):
                with database_errors("verifying the history"):
                    raise result
            elif isinstance(result, BaseException):
                raise result
            else:
                if isinstance(result, Step):
                    with self._lock:
                        self._at_work.discard(result.done)
                yield result

    def _stop(self, threads: Sequence[Thread], connections: Sequence[psycopg.Connection]) -> None:
        with self._lock:
            self._stopped = True
        for thread, connection in zip(threads, connections, strict=True):
            if thread.is_alive():
                connection.cancel_safe(timeout=2)
        while any(thread.is_alive() for thread in threads):
            try:
                self._results.get(timeout=0.05)
            except Empty:
                continue

    def _work(self, connection: psycopg.Connection) -> None:
        """For a thread: steps, until none is left."""
        try:
            connection.execute(query("verify_settings"))
            while (piece := self._next(connection)) is not None:
                self._results.put(self._step(connection, piece))
        except BaseException as error:  # noqa: BLE001 - raised where the results are taken
            if not self._stopped:
                self._results.put(error)
        finally:
            self._results.put(None)

    def _next(self, connection: psycopg.Connection) -> Range | None:
        """A range that is small enough; others of it are left for whoever comes next."""
        with self._lock:
            while self._waiting and not self._stopped:
                piece, *others = self._pieces(connection, self._waiting.pop())
                self._waiting.extend(reversed(others))
                if not others:
                    self._at_work.add(piece)
                    return piece
                self._waiting.append(piece)
        return None

    def _pieces(self, connection: psycopg.Connection, piece: Range) -> list[Range]:
        """The range, or what it is cut into if it holds too much."""
        ids = self._ids(piece)
        # what is cut already is small enough
        if piece.low is not None or piece.high is not None or not ids:
            return [piece]
        rows = self._estimate(connection, piece)
        if rows <= self._rows:
            return [piece]
        if len(ids) > 1:
            middle = ids[len(ids) // 2 - 1]
            return [piece._replace(last=middle), piece._replace(first=middle + 1)]
        if self._plan.sample is not None:
            return [piece]
        times = connection.execute(
            query("verify_pieces"), {"series": ids[0], "pieces": int(rows // self._rows) + 1}
        ).fetchall()
        bounds = [None, *(text for (text,) in times), None]
        return [piece._replace(low=low, high=high) for low, high in pairwise(bounds)]

    def _ids(self, piece: Range) -> Sequence[int]:
        ids = self._plan.ids
        return ids[bisect_left(ids, piece.first) : bisect_right(ids, piece.last)]

    def _most_rows(self, connection: psycopg.Connection) -> float:
        """How many rows a step is to have, by how many there are."""
        rows = self._estimate(connection, Range()) / _STEPS
        return min(max(rows, _FEWEST_ROWS), _MOST_ROWS)

    def _estimate(self, connection: psycopg.Connection, piece: Range) -> float:
        cursor = psycopg.ClientCursor(connection)
        cursor.execute(query("verify_estimate"), self._bounds(piece))
        row = cursor.fetchone()
        return float(row[0][0]["Plan"]["Plan Rows"]) * (self._plan.sample or 1) if row else 0.0

    def _bounds(self, piece: Range) -> dict[str, Any]:
        return {**piece._asdict(), "ids": None, "since": self._plan.since}

    def _step(self, connection: psycopg.Connection, piece: Range) -> Step:
        ids = self._ids(piece)
        # of a series that is cut into pieces the last one counts
        step = Step(piece, 0 if piece.high else len(ids), Tally())
        bounds = self._bounds(piece)
        if self._plan.sample is not None:
            window = connection.execute(
                query("verify_window"),
                {
                    "ids": list(ids),
                    "share": self._plan.sample,
                    "offset": random.random(),  # noqa: S311 - a sample, no secret
                    "since": self._plan.since,
                },
            ).fetchone()
            if window is None:
                return step
            bounds |= {"low": window[0], "high": window[1], "ids": list(ids)}
        for name in self._plan.statements:
            if name != "verify_issues" or piece.low is None:
                self._send_faults(connection, name, piece, bounds)
        if self._plan.folds and not self._fold(connection, bounds, step.tally):
            self._send_faults(connection, "verify_current", piece, bounds)
        return step

    def _fold(
        self, connection: psycopg.Connection, bounds: Mapping[str, Any], tally: Tally
    ) -> bool:
        """Whether the current values are the open versions; counts what each run wrote."""
        count, total = 0, 0
        cursor = connection.cursor(row_factory=record_row(_FoldRow))
        for row in cursor.execute(query("verify_fold"), bounds):
            if row.kind == "current":
                count += row.current
                total ^= row.hash or 0
            elif row.kind == "versions":
                count -= row.current
                total ^= row.hash or 0
                tally.versions[row.run_id or 0] = row.stored
            else:
                tally.vintages[row.run_id or 0] = row.stored
        return count == total == 0

    def _send_faults(
        self, connection: psycopg.Connection, name: str, piece: Range, bounds: Mapping[str, Any]
    ) -> None:
        with connection.cursor(row_factory=dict_row) as cursor:
            for row in cursor.stream(query(name), bounds):
                self._results.put((piece, row))
