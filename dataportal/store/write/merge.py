"""The merge: what a batch changes is written as new versions, the rest is not touched.

First what is stored in the batch's range is read, in two arrays a series, and compared here: that
costs a third of a staging table with a hash join, and unlike `ON CONFLICT … WHERE` it locks no row
that stays as it is. Doubles come in binary, so that what is compared is what the column holds. The
server writes the revisions of one block while the next one is compared here. All the rest, which is
little but for a first load, follows in order: new current values before new versions everywhere, so
that no two transactions wait for each other over a new chunk.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from dataportal.errors import Interrupted
from dataportal.failpoints import failpoint
from dataportal.store.queries import query
from dataportal.store.records import Counts
from dataportal.store.write.diff import Changes, blocks, compare, windows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import psycopg

    from dataportal.observations import Observations
    from dataportal.store.write.checked_writes import ExactWrites
    from dataportal.store.write.diff import Rows, Sizes, Window

_COPY_BLOCK = 8_192
"""Rows of a COPY between two looks at the stop flag."""
_FEWEST_WITHHELD = 3
"""A series with fewer points stored in the answer's span has no majority worth protecting."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The first and the last ts of a batch: constants that let the planner leave chunks out."""

    low: datetime
    high: datetime

    @classmethod
    def of(cls, batch: Mapping[int, Observations]) -> Bounds:
        """The bounds of a batch that is not empty."""
        filled = [o for o in batch.values() if o.ts]
        return cls(min(o.ts[0] for o in filled), max(o.ts[-1] for o in filled))

    def parameters(self) -> dict[str, Any]:
        """For a statement."""
        return {"low": self.low, "high": self.high}


class Merge:
    """One batch, read and compared, and then written in the transaction that the caller begins.

    Args:
        connection: holds the source's lock.
        batch: the clean points of each series, by series_id; not all empty.
        sizes: from where on another way is taken.
        stopped: asked between blocks; True ends the merge with `Interrupted`.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        batch: Mapping[int, Observations],
        *,
        sizes: Sizes,
        stopped: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._batch = {i: o for i, o in batch.items() if o.ts}
        self._bounds = Bounds.of(self._batch)
        self._sizes = sizes
        self._stopped = stopped
        self._stored: dict[int, int] = {}
        self._uncounted = False
        self._blocks = blocks(windows(self._batch, sizes.block), sizes.block)
        self._asked: tuple[list[Window], psycopg.Cursor[Any]] | None = None

    def ask(self) -> None:
        """Ask what is stored, as far as one statement goes; within a pipeline without waiting."""
        block = next(self._blocks, None)
        self._asked = None if block is None else (block, self._read(block))

    def compare(self, writes: ExactWrites | None) -> Changes:
        """What the batch would change.

        Args:
            writes: for what is revised, which is sent on its way while what follows is compared;
                None reads only.

        Raises:
            Interrupted: the stop flag was set.
        """
        changes = Changes()
        if self._asked is None:
            self.ask()
        several = sum(len(o.ts) for o in self._batch.values()) > self._sizes.block
        with self._connection.pipeline() if several else nullcontext():
            while self._asked is not None:
                self._go_on()
                block, cursor = self._asked
                rows = iter(cursor)
                # with its first row all of the block is here, and the server has nothing to do
                first = next(rows)
                if writes is not None:
                    _revise(changes.revised.latest(), writes)
                for number, ts, values in chain((first,), rows):
                    self._compare(block[number - 1], ts or [], values or [], changes)
                self.ask()
        return changes

    def withhold(self, changes: Changes) -> dict[int, int]:
        """Take the retractions out of `changes` that would empty most of a series' span.

        Returns:
            How many were withheld, by series_id.
        """
        candidates = changes.candidates()
        stored = self._counted(candidates) if candidates and self._uncounted else self._stored
        withheld = {
            series_id: count
            for series_id, count in candidates.items()
            if stored[series_id] >= _FEWEST_WITHHELD and 2 * count > stored[series_id]
        }
        changes.keep(withheld)
        return withheld

    def counts(self, changes: Changes, withheld: Mapping[int, int]) -> Counts:
        """What becomes of every point of the batch."""
        size = sum(len(o.ts) for o in self._batch.values())
        nulls = sum(o.values.count(None) for o in self._batch.values())
        held = sum(withheld.values())
        inserted, revised = len(changes.inserted), len(changes.revised)
        retracted = len(changes.retracted)
        return Counts(
            inserted=inserted,
            revised=revised,
            retracted=retracted,
            unchanged=size - nulls - inserted - revised,
            withheld=held,
            nulls=nulls - retracted - held,
        )

    def write(self, changes: Changes, writes: ExactWrites) -> None:
        """Write what `compare` has not sent on its way with the same `writes`.

        Raises:
            DatabaseError: another writer was at these rows, in spite of the lock.
            Interrupted: the stop flag was set.
        """
        self._go_on()
        latest = changes.revised.latest()
        if latest or changes.retracted:
            with self._connection.pipeline():
                writes.send("merge_delete", changes.retracted)
                writes.send("merge_close", changes.retracted)
                _revise(latest, writes)
        writes.check()
        knowledge = writes.knowledge()
        common = {"run": knowledge.run_id, "known": knowledge.known}
        self._insert("merge_insert", "merge_copy_data", changes.inserted, common)
        failpoint("between_tables")
        self._insert("merge_open", "merge_copy_history", changes.revised, common)
        self._insert("merge_open", "merge_copy_history", changes.inserted, common)

    def _compare(
        self, window: Window, ts: list[datetime], values: list[float], changes: Changes
    ) -> None:
        if len(ts) > self._at_most(window):
            self._uncounted = True
            self._look_up(window, changes)
        else:
            self._stored[window.series_id] = self._stored.get(window.series_id, 0) + len(ts)
            compare(window, ts, values, changes)

    def _at_most(self, window: Window) -> int:
        return self._sizes.spread * len(window.ts) + self._sizes.slack

    def _read(self, block: list[Window]) -> psycopg.Cursor[Any]:
        """Rows of the number of a window, from 1 on, and of what is stored in it, in columns."""
        cursor = self._connection.cursor(binary=True)
        if len(block) == 1:
            one, limit = block[0], self._at_most(block[0]) + 1
            bounds = {"series": one.series_id, "low": one.low, "high": one.high, "limit": limit}
            return cursor.execute(query("merge_read_span"), bounds)
        return cursor.execute(
            query("merge_read_spans"),
            {
                "series": [w.series_id for w in block],
                "lows": [w.low for w in block],
                "highs": [w.high for w in block],
                "limits": [self._at_most(w) + 1 for w in block],
                "low": min(w.low for w in block),
                "high": max(w.high for w in block),
            },
        )

    def _look_up(self, window: Window, changes: Changes) -> None:
        """Read the window's own points alone, where far more are stored in its span."""
        for part in windows({window.series_id: window}, self._sizes.looked_up):
            self._go_on()
            stored = self._connection.cursor(binary=True).execute(
                query("merge_read_points"),
                {
                    "series": part.series_id,
                    "ts": part.ts,
                    "low": part.low,
                    "high": part.high,
                },
            )
            found: dict[datetime, float] = dict(stored.fetchall())
            compare(part, list(found), list(found.values()), changes)

    def _counted(self, series: Mapping[int, int]) -> dict[int, int]:
        """How many points are stored in the answer's span of these series."""
        rows = self._connection.execute(
            query("merge_count_spans"),
            {
                "series": list(series),
                "lows": [self._batch[i].ts[0] for i in series],
                "highs": [self._batch[i].ts[-1] for i in series],
                **self._bounds.parameters(),
            },
        )
        return dict(rows.fetchall())

    def _insert(self, few: str, many: str, rows: Rows, common: Mapping[str, Any]) -> None:
        count = len(rows)
        if count > self._sizes.inserted_up_to:
            self._copy(many, rows, common)
        elif count:
            columns = {
                "series": [part.series_id for part in rows.parts for _ in part.ts],
                "ts": [ts for part in rows.parts for ts in part.ts],
                "value": [value for part in rows.parts for value in part.values],
            }
            self._connection.execute(query(few), {**common, **columns})

    def _copy(self, name: str, rows: Rows, common: Mapping[str, Any]) -> None:
        known, run = repeat(common["known"]), repeat(common["run"])
        with self._connection.cursor().copy(query(name)) as copy:
            copy.set_types(("timestamptz", "float8", "timestamptz", "int8", "int4"))
            write = copy.write_row
            count = 0
            for series_id, ts, values in rows.parts:
                for row in zip(ts, values, known, run, repeat(series_id), strict=False):
                    if not count % _COPY_BLOCK:
                        self._go_on()
                        if count:
                            failpoint("mid_copy")
                    count += 1
                    write(row)

    def _go_on(self) -> None:
        if self._stopped():
            raise Interrupted


def _revise(rows: Rows, writes: ExactWrites) -> None:
    writes.send("merge_update", rows)
    writes.send("merge_close", rows)
