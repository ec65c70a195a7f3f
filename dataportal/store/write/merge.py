"""Merges a batch: what it changes is written as new versions, the rest is not touched.

First what is stored in the batch's range is read, in two arrays a series, and compared here: that
costs a third of a staging table with a hash join, and unlike `ON CONFLICT … WHERE` it locks no row
that stays as it is. Doubles come in binary, so that what is compared is what the column holds. The
server writes the revisions of one block while the next one is compared here. All the rest, which is
little but for a first load, follows in order: new current values before new versions everywhere, so
that no two transactions wait for each other over a new chunk.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from dataportal.errors import DatabaseError, Interrupted
from dataportal.failpoints import failpoint
from dataportal.store.queries import is_distributed, query, query_for
from dataportal.store.records import Counts
from dataportal.store.write.diff import Diff, blocks, compare, spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    import psycopg

    from dataportal.observations import Observations
    from dataportal.resolutions import Resolution
    from dataportal.store.write.diff import PointGrid, Points, SeriesSpan, Sizes

_COPY_BLOCK = 8_192
"""Rows of a COPY between two looks at the stop flag."""
_BATCH, _HOUR, _days = 1_000, timedelta(hours=1), timedelta
"""Rows of a series that TimescaleDB compresses together; the step of one of which none is known."""
_FEWEST_WITHHELD = 3
"""A series with fewer points stored in the answer's span has no majority worth protecting."""


class WriteContext(NamedTuple):
    """What all that a slice writes has in common.

    Attributes:
        run_id: the run that brought it.
        known: K, the time from which it is known.
        in_chunks: the tables lie in chunks, so that no single index leads to a row.
        resolutions: how long the intervals of each series are, as far as that is recorded.
    """

    run_id: int
    known: datetime
    in_chunks: bool
    resolutions: Mapping[int, Sequence[Resolution]]


class ExactWrites:
    """Statements that must write as many rows as they name; checked all together.

    They go to rows that were just read, each of which must still be as it was.

    Args:
        connection: holds the source's lock.
        context: called before the first of them is sent; begins the transaction.
        size: how many points of different series go into one statement.
    """

    def __init__(
        self, connection: psycopg.Connection, context: Callable[[], WriteContext], size: int
    ) -> None:
        self._connection = connection
        self.context = context
        self._size = size
        self._sent: list[tuple[str, int, psycopg.Cursor[Any]]] = []

    def send(self, name: str, points: Points) -> None:
        """One statement for all series that have the same times; in a pipeline without waiting."""
        if not points:
            return
        run_id, known, in_chunks, _ = self.context()
        if name == "merge_update" and is_distributed(self._connection):
            statement = query_for(self._connection, name)
        else:
            statement = query(f"{name}_in_chunks" if in_chunks else name)
        grids: Iterable[PointGrid] = points.grids(self._size)
        if in_chunks:
            grids = [piece for grid in grids for piece in self._neighbourhoods(grid)]
        for grid in grids:
            parameters = {
                "series": grid.series,
                "ts": grid.ts,
                "value": grid.values,
                "size": len(grid.ts),
                "low": grid.ts[0],
                "high": grid.ts[-1],
                "known": known,
                "run": run_id,
            }
            cursor = self._connection.execute(statement, parameters)
            self._sent.append((name, len(grid.values), cursor))

    def _neighbourhoods(self, grid: PointGrid) -> Iterator[PointGrid]:
        """The grid, cut where the columnstore has a batch of rows or more between two times.

        What a statement names of a series from its first time to its last is made rows again,
        where it is compressed: also the batches in which it changes nothing.
        """
        resolutions = self.context().resolutions
        lengths = (
            resolutions[series_id][-1].length
            for series_id in grid.series
            if resolutions.get(series_id)
        )
        steps = [_days(31 * x.months + x.days) + x.rest for x in lengths if x is not None]
        step = max(steps, default=_HOUR)
        return grid.neighbourhoods(_BATCH * step)

    def revise(self, points: Points) -> None:
        """Send revisions: the current values become others, and the open versions end."""
        self.send("merge_update", points)
        self.send("merge_close", points)

    def retract(self, points: Points) -> None:
        """Send retractions: the current values go, and the open versions end."""
        self.send("merge_delete", points)
        self.send("merge_close", points)

    def check(self) -> None:
        """Look how many rows each of them has written.

        Raises:
            DatabaseError: another writer was at these rows, in spite of the lock.
        """
        for name, expected, cursor in self._sent:
            if cursor.rowcount != expected:
                raise DatabaseError(
                    f"{name} touched {cursor.rowcount} rows where {expected} were compared",
                    hint="Something else writes to these tables: nothing of this slice was stored",
                )
        self._sent.clear()


class Merge:
    """One batch, read and compared, and then written in the transaction that the caller begins.

    Args:
        connection: holds the source's lock.
        batch: the clean points of each series, by series_id; not all empty.
        sizes: from which on another way is taken.
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
        self._sizes = sizes
        self._stopped = stopped
        self._stored: dict[int, int] = {}
        self._has_uncounted = False
        # one series is one machine's, which does all that is asked of it
        size = 1 if is_distributed(connection) else sizes.block
        self._blocks = blocks(spans(self._batch, sizes.block), size)
        self._sent: tuple[list[SeriesSpan], psycopg.Cursor[Any]] | None = None

    def send_read(self) -> None:
        """Send the query for what is stored, in a pipeline without waiting, of the next block."""
        block = next(self._blocks, None)
        self._sent = None if block is None else (block, self._read(block))

    def compare(self, writes: ExactWrites | None) -> Diff:
        """What the batch would change.

        Args:
            writes: for what is revised, which is sent on its way while what follows is compared;
                None reads only.

        Raises:
            Interrupted: the stop flag was set.
        """
        diff = Diff()
        if self._sent is None:
            self.send_read()
        several = sum(len(o.ts) for o in self._batch.values()) > self._sizes.block
        with self._connection.pipeline() if several else nullcontext():
            while self._sent is not None:
                self._check_stopped()
                block, cursor = self._sent
                rows = iter(cursor)
                # with its first row all of the block is here, and the server has nothing to do
                first = next(rows)
                if writes is not None:
                    writes.revise(diff.revised.take_new())
                for number, ts, values in chain((first,), rows):
                    self._compare(block[number - 1], ts or [], values or [], diff)
                self.send_read()
        return diff

    def withhold(self, diff: Diff) -> dict[int, int]:
        """Take the retractions out of `diff` that would empty most of a series' span.

        Returns:
            How many were withheld, by series_id.
        """
        counts = diff.retractions_by_series()
        stored = self._count_stored(counts) if counts and self._has_uncounted else self._stored
        withheld = {
            series_id: count
            for series_id, count in counts.items()
            if stored[series_id] >= _FEWEST_WITHHELD and 2 * count > stored[series_id]
        }
        diff.drop_retractions(withheld)
        return withheld

    def counts(self, diff: Diff, withheld: Mapping[int, int]) -> Counts:
        """What becomes of every point of the batch."""
        size = sum(len(o.ts) for o in self._batch.values())
        nulls = sum(o.values.count(None) for o in self._batch.values())
        withheld_nulls = sum(withheld.values())
        inserted, revised = len(diff.inserted), len(diff.revised)
        retracted = len(diff.retracted)
        return Counts(
            inserted=inserted,
            revised=revised,
            retracted=retracted,
            unchanged=size - nulls - inserted - revised,
            withheld=withheld_nulls,
            nulls=nulls - retracted - withheld_nulls,
        )

    def write(self, diff: Diff, writes: ExactWrites) -> None:
        """Write what `compare` has not sent on its way with the same `writes`.

        Raises:
            DatabaseError: another writer was at these rows, in spite of the lock.
            Interrupted: the stop flag was set.
        """
        self._check_stopped()
        revised = diff.revised.take_new()
        if revised or diff.retracted:
            with self._connection.pipeline():
                writes.retract(diff.retracted)
                writes.revise(revised)
        writes.check()
        context = writes.context()
        self._insert("merge_insert", "merge_copy_data", diff.inserted, context)
        failpoint("between_tables")
        self._insert("merge_open", "merge_copy_history", diff.revised, context)
        self._insert("merge_open", "merge_copy_history", diff.inserted, context)

    def _compare(
        self, span: SeriesSpan, ts: list[datetime], values: list[float], diff: Diff
    ) -> None:
        if len(ts) > self._read_limit(span):
            self._has_uncounted = True
            self._look_up(span, diff)
        else:
            self._stored[span.series_id] = self._stored.get(span.series_id, 0) + len(ts)
            compare(span, ts, values, diff)

    def _read_limit(self, span: SeriesSpan) -> int:
        """How many stored points of a span are compared here; of more its own are looked up."""
        return self._sizes.spread * len(span.ts) + self._sizes.slack

    def _read(self, block: list[SeriesSpan]) -> psycopg.Cursor[Any]:
        """Rows of the number of a span, from 1 on, and of what is stored in it, in columns."""
        cursor = self._connection.cursor(binary=True)
        if len(block) == 1:
            span, limit = block[0], self._read_limit(block[0]) + 1
            bounds = {"series": span.series_id, "low": span.low, "high": span.high, "limit": limit}
            return cursor.execute(query("merge_read_span"), bounds)
        return cursor.execute(
            query("merge_read_spans"),
            {
                "series": [span.series_id for span in block],
                "lows": [span.low for span in block],
                "highs": [span.high for span in block],
                "limits": [self._read_limit(span) + 1 for span in block],
                "low": min(span.low for span in block),
                "high": max(span.high for span in block),
            },
        )

    def _look_up(self, span: SeriesSpan, diff: Diff) -> None:
        """Read what is stored at the span's own times alone, where far more is stored in it."""
        for piece in spans({span.series_id: span}, self._sizes.looked_up):
            self._check_stopped()
            cursor = self._connection.cursor(binary=True).execute(
                query("merge_read_points"),
                {
                    "series": piece.series_id,
                    "ts": piece.ts,
                    "low": piece.low,
                    "high": piece.high,
                },
            )
            stored: dict[datetime, float] = dict(cursor.fetchall())
            compare(piece, list(stored), list(stored.values()), diff)

    def _count_stored(self, series: Mapping[int, int]) -> dict[int, int]:
        """How many points are stored in the answer's span of these series."""
        lows = [self._batch[i].ts[0] for i in series]
        highs = [self._batch[i].ts[-1] for i in series]
        rows = self._connection.execute(
            query("merge_count_spans"),
            {
                "series": list(series),
                "lows": lows,
                "highs": highs,
                # constants let the planner leave chunks out
                "low": min(lows),
                "high": max(highs),
            },
        )
        return dict.fromkeys(series, 0) | dict(rows.fetchall())

    def _insert(self, insert: str, copy: str, points: Points, context: WriteContext) -> None:
        """Insert points by the query for few of them, or by the one for many."""
        count = len(points)
        if count > self._sizes.inserted_up_to:
            self._copy(copy, points, context)
        elif count:
            parameters = {
                "run": context.run_id,
                "known": context.known,
                "series": [p.series_id for p in points.columns for _ in p.ts],
                "ts": [ts for p in points.columns for ts in p.ts],
                "value": [value for p in points.columns for value in p.values],
            }
            self._connection.execute(query(insert), parameters)

    def _copy(self, name: str, points: Points, context: WriteContext) -> None:
        known, run_id = repeat(context.known), repeat(context.run_id)
        with self._connection.cursor().copy(query(name)) as copy:
            copy.set_types(("timestamptz", "float8", "timestamptz", "int8", "int4"))
            write = copy.write_row
            count = 0
            for series_id, ts, values in points.columns:
                for row in zip(ts, values, known, run_id, repeat(series_id), strict=False):
                    if not count % _COPY_BLOCK:
                        self._check_stopped()
                        if count:
                            failpoint("mid_copy")
                    count += 1
                    write(row)

    def _check_stopped(self) -> None:
        if self._stopped():
            raise Interrupted
