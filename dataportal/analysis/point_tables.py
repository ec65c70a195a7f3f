"""Reads the values of series at points in time as tables: long, side by side, or piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import reduce
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from dataportal.analysis.arrow_schema import SERIES, TableFacts, name_rows, series_facts, with_facts
from dataportal.analysis.extras import is_installed
from dataportal.analysis.rows import AssumedPoint, KnownPoint, PublishedPoint, SeriesPoint
from dataportal.analysis.series_questions import (
    notes_on_beginnings,
    notes_on_finality,
    series_question,
)
from dataportal.analysis.tables import ColumnType, Layout, Table
from dataportal.errors import QuestionError, TooLargeError
from dataportal.store.read.arrow import ROWS_OF_BATCH, arrow_schema, require_arrow
from dataportal.store.read.points import AssumedPoint as StoredAssumedPoint
from dataportal.store.read.points import Kind, StoredPoints, point_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    import psycopg
    import pyarrow as pa

    from dataportal.analysis.arrow_schema import SeriesFacts
    from dataportal.analysis.series_questions import PointsAsked, SeriesQuestion
    from dataportal.store.read.history import StoredSeries

_MICROSECOND = timedelta(microseconds=1)
_DEFAULT_INTERVAL = timedelta(hours=1)
_BYTES_OF_TUPLE = 250
"""What a row takes as a tuple with its cells, about."""
_LARGEST_CHANGE = 8
_MEGABYTE = 1_000_000
_OF_POINT, _OF_ASSUMED = (0, 1), (0, 1, 5)
"""Where the ts, the value, and whether it is assumed, stand in a stored point."""


@dataclass(frozen=True, slots=True)
class PointTables:
    """The answer to a question, which is read when a form of it is asked for.

    Attributes:
        connection: in a transaction of REPEATABLE READ, and there until all is read.
        questions: what is asked of each series.
        facts: what is said of all of it.
        start: the first ts.
        end: the ts before which to end.
        details: also since when and until when a value was known, and whether it is final.
        memory: how many bytes a table may take; None for any number.
    """

    connection: psycopg.Connection
    questions: Sequence[SeriesQuestion]
    facts: TableFacts
    start: datetime | None
    end: datetime | None
    details: bool = False
    memory: int | None = None

    @property
    def assume(self) -> bool:
        """Whether what was back-filled counts as known before."""
        return any(asked_series.question.assume for asked_series in self.questions)

    @property
    def names(self) -> list[str]:
        """Those of its series."""
        return [asked_series.series.endpoint_prefix for asked_series in self.questions]

    def long(self) -> Table[Any]:
        """One series after the other, a row for each ts.

        Raises:
            TooLargeError: it would not fit into memory.
        """
        layout = self._long_layout()
        if not is_installed("pyarrow"):
            return Table(layout, self.facts, rows=self._hold(self.rows(), _BYTES_OF_TUPLE))
        import pyarrow as pa

        schema = self.long_schema()
        batches = self._hold(self.long_batches(), None)
        return Table(layout, self.facts, arrow=pa.Table.from_batches(batches, schema))

    def wide(self) -> Table[Any]:
        """A row for each ts of any series, and a column for each series.

        Raises:
            TooLargeError: it would not fit into memory.
        """
        layout = self._wide_layout()
        if not is_installed("pyarrow"):
            cells = self._hold(self._cells(), _BYTES_OF_TUPLE)
            return Table(layout, self.facts, rows=self._rows_side_by_side(cells))
        columns = []
        size = 0
        for points in self._stored_points():
            batches = []
            for batch in points.record_batches(self._own_columns):
                size += batch.nbytes
                # the table of all of them is made beside what was read
                self._check_size(2 * size)
                batches.append(batch)
            columns.append(self._own_table(batches))
        return Table(layout, self.facts, arrow=_align(columns, self.wide_schema()))

    def rows(self) -> Iterator[Any]:
        """The rows of `long` as typed tuples, never more than some thousands at a time."""
        make_row, take = self._long_layout().make_row, self._fields()
        for points in self._stored_points():
            name = points.series.endpoint_prefix
            for point in points:
                yield make_row((name, *take(point)))

    def long_batches(self, rows: int = ROWS_OF_BATCH) -> Iterator[pa.RecordBatch]:
        """The rows of `long` as record batches of about so many rows."""
        require_arrow()
        schema, names = self.long_schema(), self.names
        for number, points in enumerate(self._stored_points()):
            columns = [column for column in self._long_layout().columns if column != SERIES]
            for batch in points.record_batches(columns, rows=rows):
                yield name_rows(batch, number, names).cast(schema)

    def wide_batches(self, rows: int = ROWS_OF_BATCH) -> Iterator[pa.RecordBatch]:
        """The rows of `wide` as record batches of about so many cells."""
        schema, stored = self.wide_schema(), list(self._stored_points())
        spans = [span for points in stored if (span := points.span()) is not None]
        if not spans:
            return
        start, end = min(s.first for s in spans), max(s.last for s in spans) + _MICROSECOND
        step = min(s.interval or _DEFAULT_INTERVAL for s in spans) * max(rows // len(stored), 1)
        while start < end:
            stop = end if end - start <= step else start + step
            columns = [
                self._own_table(
                    replace(points, start=start, end=stop).record_batches(self._own_columns)
                )
                for points in stored
            ]
            table = _align(columns, schema)
            yield from table.combine_chunks().to_batches()
            cells = sum(column.num_rows for column in columns)
            change = rows / cells if cells else _LARGEST_CHANGE
            step *= min(max(change, 1 / _LARGEST_CHANGE), _LARGEST_CHANGE)
            step = min(max(step, _MICROSECOND), end - start)
            start = stop

    def long_schema(self) -> pa.Schema:
        """The schema of `long`, which says what it is of."""
        from dataportal.analysis.arrow_schema import series_field

        wanted = self._long_layout().columns
        question = self.questions[0].question
        columns = [column for column in point_columns(question) if column.label in wanted]
        schema = arrow_schema(columns).insert(0, series_field())
        return with_facts(schema, self.facts)

    def wide_schema(self) -> pa.Schema:
        """The schema of `wide`, whose columns say what they are of."""
        import pyarrow as pa

        columns = self._wide_layout().columns.items()
        fields = [pa.field(name, kind.arrow_type()) for name, kind in columns if kind is not None]
        return with_facts(pa.schema(fields), self.facts, self._values())

    def _long_layout(self) -> Layout[Any]:
        columns = {
            SERIES: ColumnType.TEXT, "ts": ColumnType.TIME, "value": ColumnType.NUMBER,
        }  # fmt: skip
        assumed = {"assumed": ColumnType.FLAG} if self.assume else {}
        if not self.details:
            make = AssumedPoint._make if self.assume else SeriesPoint._make
            return Layout(columns | assumed, make)
        if self.facts.by_publication:
            times = ("published_at", "recorded_at")
        else:
            times = ("valid_from", "valid_to")
        columns |= {**dict.fromkeys(times, ColumnType.TIME), "final": ColumnType.FLAG, **assumed}
        if self.assume:
            return Layout(columns, tuple)
        return Layout(
            columns, PublishedPoint._make if self.facts.by_publication else KnownPoint._make
        )

    def _fields(self) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
        """What of a stored point stands in a row, after the name of its series."""
        if self.details:
            return tuple
        return itemgetter(*_OF_ASSUMED) if self.assume else itemgetter(*_OF_POINT)

    @property
    def _own_columns(self) -> tuple[str, ...]:
        """The columns that are read of each series, to be put side by side."""
        return ("ts", "value", "assumed") if self.assume else ("ts", "value")

    def _own_table(self, batches: Iterable[pa.RecordBatch]) -> pa.Table:
        """What was read of one series, in one piece."""
        import pyarrow as pa

        columns = {column.label: column for column in point_columns(self.questions[0].question)}
        schema = arrow_schema([columns[name] for name in self._own_columns])
        return pa.Table.from_batches(batches, schema).combine_chunks()

    def _wide_layout(self) -> Layout[Any]:
        columns = {"ts": ColumnType.TIME}
        if self.assume:
            columns["assumed"] = ColumnType.FLAG
        if both := [name for name in self.names if name in columns]:
            raise QuestionError(f"a wide table has a column {both[0]!r} besides that of the series")
        columns |= dict.fromkeys(self.names, ColumnType.NUMBER)
        return Layout(columns, tuple, self._values())

    def _values(self) -> Mapping[str, SeriesFacts]:
        return dict(zip(self.names, self.facts.series, strict=True))

    def _stored_points(self) -> Iterator[StoredPoints]:
        for series, question, _ in self.questions:
            yield StoredPoints(self.connection, question, series, self.start, self.end)

    def _cells(self) -> Iterator[tuple[int, datetime, float | None, bool]]:
        for number, points in enumerate(self._stored_points()):
            for point in points:
                is_assumed = isinstance(point, StoredAssumedPoint) and point.assumed
                yield number, point.ts, point.value, is_assumed

    def _rows_side_by_side(
        self, cells: Iterable[tuple[int, datetime, float | None, bool]]
    ) -> list[Any]:
        nothing: list[Any] = [None] * len(self.questions)
        own: list[Any] = [False] if self.assume else []
        rows: dict[datetime, list[Any]] = {}
        for number, ts, value, assumed in cells:
            row = rows.setdefault(ts, [*own, *nothing])
            row[len(own) + number] = value
            if assumed:
                row[0] = True
        return [(ts, *rows[ts]) for ts in sorted(rows)]

    def _hold(self, parts: Iterable[Any], size_of_each: int | None) -> list[Any]:
        """All of them, as long as they fit into memory.

        Raises:
            TooLargeError: they do not.
        """
        if self.memory is None:
            return list(parts)
        held, size = [], 0
        for part in parts:
            held.append(part)
            size += size_of_each or part.nbytes
            self._check_size(size)
        return held

    def _check_size(self, size: int) -> None:
        if self.memory is None or size <= self.memory:
            return
        rows = sum(points.count() for points in self._stored_points())
        raise TooLargeError(
            f"the answer has {rows:,} rows and does not fit into the "
            f"{self.memory / _MEGABYTE:,.0f} MB that are free",
            hint="Read it piece by piece by batches(), or less of it with start and end",
        )


def point_tables(
    connection: psycopg.Connection,
    asked: PointsAsked,
    selected: Sequence[StoredSeries],
    *,
    details: bool = False,
    memory: int | None = None,
) -> PointTables:
    """The answer for these series, of which nothing but the notes is read yet.

    Args:
        connection: in a transaction of REPEATABLE READ.
        asked: what is asked of all of them.
        selected: the series; at least one.
        details: see `PointTables`.
        memory: see `PointTables`.

    Raises:
        UsageError: the run of a forecast that is meant is not there, or there are several.
    """
    questions = [series_question(connection, asked, series) for series in selected]
    notes = list(notes_on_beginnings(connection, asked, questions))
    if asked.question.is_of_the_past:
        notes += notes_on_finality(asked.question, questions, end=asked.end, wording=asked.wording)
    times = {asked_series.question.at for asked_series in questions}
    is_issue = asked.question.kind is Kind.ISSUE
    facts = TableFacts(
        tuple(
            series_facts(
                asked_series.series,
                final=asked_series.final,
                issued_at=asked_series.question.at if is_issue else None,
            )
            for asked_series in questions
        ),
        by_publication=asked.question.published,
        as_of=times.pop() if asked.question.kind is Kind.AS_OF and len(times) == 1 else None,
        recorded=asked.question.recorded_by,
        notes=tuple(notes),
    )
    return PointTables(connection, questions, facts, asked.start, asked.end, details, memory)


def _align(columns: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """The values of series side by side, at every ts of any of them, in order.

    Args:
        columns: the ts, in order and each once, the values of each series, and perhaps whether they
            are assumed; of one chunk.
        schema: of the answer.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    times = [_one_chunk(column, "ts") for column in columns]
    if all(times[0].equals(other) for other in times[1:]):
        every = times[0]
    else:
        every = pc.unique(pa.chunked_array(times))
        every = every.take(pc.sort_indices(every))
    places = [None if own.equals(every) else pc.index_in(every, value_set=own) for own in times]

    def column_chunks(name: str) -> Iterator[pa.Array]:
        for column, place in zip(columns, places, strict=True):
            values = _one_chunk(column, name)
            yield values if place is None else values.take(place)

    assumed = []
    if "assumed" in schema.names:
        flags = [pc.fill_null(flag, pa.scalar(False)) for flag in column_chunks("assumed")]
        assumed = [reduce(pc.or_, flags)]
    return pa.table([every, *assumed, *column_chunks("value")], schema=schema)


def _one_chunk(table: pa.Table, name: str) -> pa.Array:
    import pyarrow as pa

    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else pa.nulls(0, column.type)
