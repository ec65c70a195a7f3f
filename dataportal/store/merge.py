"""The merge: what a batch changes is written as new versions, the rest is not touched.

Compared in the database, in the column's type, after an anti-join, because `ON CONFLICT … WHERE`
locks every row it leaves alone. Then the differences, which are few but for a first load, are
written in order: current values before versions everywhere, so that no two transactions wait for
each other over a new chunk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataportal.errors import DatabaseError, Interrupted
from dataportal.failpoints import failpoint
from dataportal.store.queries import query
from dataportal.store.records import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    import psycopg

    from dataportal.observations import Observations

_ARRAYS_UP_TO = 4_000
"""Points beyond which a staging table with statistics beats arrays in the comparison, and COPY
beats an INSERT from arrays. Below, arrays leave no dead rows in the system catalogues."""
_COPY_BLOCK = 8_192
"""Rows of a COPY between two looks at the stop flag."""
_FEWEST_WITHHELD = 3
"""A series with fewer points stored in the answer's span has no majority worth protecting."""


@dataclass(slots=True)
class Changes:
    """The points of a batch that differ from what is stored, as parallel columns of rows."""

    inserted: list[tuple[int, datetime, float]] = field(default_factory=list)
    revised: list[tuple[int, datetime, float]] = field(default_factory=list)
    retracted: list[tuple[int, datetime]] = field(default_factory=list)


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
    """One batch, merged within the transaction that the caller has opened.

    Args:
        connection: holds the source's lock; a transaction is open.
        batch: the clean points of each series, by series_id; not all empty.
        stopped: asked between blocks of a COPY; True ends it with `Interrupted`.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        batch: Mapping[int, Observations],
        *,
        stopped: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._batch = {i: o for i, o in batch.items() if o.ts}
        self._bounds = Bounds.of(self._batch)
        self._size = sum(len(o.ts) for o in self._batch.values())
        self._stopped = stopped

    def compare(self) -> Changes:
        """What the batch would change; reads only."""
        changes = Changes()
        if self._size > _ARRAYS_UP_TO and not self._anything_stored():
            changes.inserted = [
                (i, ts, value)
                for i, o in self._batch.items()
                for ts, value in zip(o.ts, o.values, strict=True)
                if value is not None
            ]
            return changes
        for series_id, ts, value, is_stored in self._differences():
            if value is None:
                changes.retracted.append((series_id, ts))
            elif is_stored:
                changes.revised.append((series_id, ts, value))
            else:
                changes.inserted.append((series_id, ts, value))
        return changes

    def withhold(self, changes: Changes) -> dict[int, int]:
        """Take the retractions out of `changes` that would empty most of a series' span.

        Returns:
            How many were withheld, by series_id.
        """
        candidates: dict[int, int] = {}
        for series_id, _ in changes.retracted:
            candidates[series_id] = candidates.get(series_id, 0) + 1
        if not candidates:
            return {}
        rows = self._connection.execute(
            query("merge_stored_in_span"),
            {
                "series": list(candidates),
                "lows": [self._batch[i].ts[0] for i in candidates],
                "highs": [self._batch[i].ts[-1] for i in candidates],
                **self._bounds.parameters(),
            },
        )
        withheld = {
            series_id: candidates[series_id]
            for series_id, stored in rows
            if stored >= _FEWEST_WITHHELD and 2 * candidates[series_id] > stored
        }
        changes.retracted = [row for row in changes.retracted if row[0] not in withheld]
        return withheld

    def counts(self, changes: Changes, withheld: Mapping[int, int]) -> Counts:
        """What becomes of every point of the batch."""
        nulls = sum(o.values.count(None) for o in self._batch.values())
        held = sum(withheld.values())
        inserted, revised = len(changes.inserted), len(changes.revised)
        retracted = len(changes.retracted)
        return Counts(
            inserted=inserted,
            revised=revised,
            retracted=retracted,
            unchanged=self._size - nulls - inserted - revised,
            withheld=held,
            nulls=nulls - retracted - held,
        )

    def write(self, changes: Changes, *, run_id: int, known: datetime) -> None:
        """Write the changes as known from `known` on.

        Raises:
            DatabaseError: another writer was at these rows, in spite of the lock.
            Interrupted: the stop flag was set.
        """
        common = {"run": run_id, "known": known, **self._bounds.parameters()}
        retracted, revised, inserted = changes.retracted, changes.revised, changes.inserted
        if retracted:
            self._write_exactly("merge_delete", retracted, common)
        if revised:
            self._write_exactly("merge_update", revised, common)
        self._insert("merge_insert", "merge_copy_data", inserted, common)
        failpoint("between_tables")
        if closed := retracted + [(i, ts) for i, ts, _ in revised]:
            self._write_exactly("merge_close", closed, common)
        self._insert("merge_open", "merge_copy_history", revised + inserted, common)

    def _anything_stored(self) -> bool:
        row = self._connection.execute(
            query("merge_anything_stored"),
            {"series": list(self._batch), **self._bounds.parameters()},
        ).fetchone()
        return row is None or bool(row[0])

    def _differences(self) -> Iterable[tuple[int, datetime, float | None, bool]]:
        parameters = self._bounds.parameters()
        if self._size <= _ARRAYS_UP_TO:
            batch = b"unnest(%(series)s::integer[], %(ts)s::timestamptz[], %(value)s::float8[])"
            parameters["series"] = [i for i, o in self._batch.items() for _ in o.ts]
            parameters["ts"] = [ts for o in self._batch.values() for ts in o.ts]
            parameters["value"] = [value for o in self._batch.values() for value in o.values]
        else:
            self._stage()
            batch = b"dataportal_stage"
        statement = query("merge_compare").replace(b"/* batch */", batch)
        return self._connection.cursor(binary=True).execute(statement, parameters).fetchall()

    def _stage(self) -> None:
        self._connection.execute(query("merge_stage"))
        self._copy(
            b"COPY dataportal_stage (series_id, ts, value) FROM STDIN (FORMAT BINARY)",
            ("int4", "timestamptz", "float8"),
            (
                (i, ts, value)
                for i, o in self._batch.items()
                for ts, value in zip(o.ts, o.values, strict=True)
            ),
        )
        self._connection.execute(b"ANALYZE dataportal_stage")

    def _insert(
        self,
        few: str,
        many: str,
        rows: list[tuple[int, datetime, float]],
        common: Mapping[str, Any],
    ) -> None:
        if not rows:
            return
        if len(rows) <= _ARRAYS_UP_TO:
            self._write_exactly(few, rows, common)
            return
        known, run = common["known"], common["run"]
        self._copy(
            query(many),
            ("timestamptz", "float8", "timestamptz", "int8", "int4"),
            ((ts, value, known, run, i) for i, ts, value in rows),
        )

    def _write_exactly(self, name: str, rows: list[Any], common: Mapping[str, Any]) -> None:
        columns = list(zip(*rows, strict=True))
        arrays = dict(zip(("series", "ts", "value"), map(list, columns), strict=False))
        written = self._connection.execute(query(name), {**common, **arrays}).rowcount
        if written != len(rows):
            raise DatabaseError(
                f"{name} touched {written} rows where {len(rows)} were compared",
                hint="Something else writes to these tables: nothing of this slice was stored",
            )

    def _copy(
        self, statement: bytes, types: tuple[str, ...], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        with self._connection.cursor().copy(statement) as copy:
            copy.set_types(types)
            write = copy.write_row
            for count, row in enumerate(rows):
                if not count % _COPY_BLOCK:
                    if self._stopped():
                        raise Interrupted
                    if count:
                        failpoint("mid_copy")
                write(row)
