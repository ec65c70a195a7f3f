"""Joins a user's own rows, each with a ts and the time of a decision, to what was known then.

A frame is whatever gives Arrow (`__arrow_c_stream__`: pandas from 2.2 on, polars, pyarrow, DuckDB),
a mapping of columns, or a list of mappings or of pairs of ts and time of decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from dataportal.analysis.arrow_schema import TableFacts, series_facts, with_facts
from dataportal.analysis.assumptions import check_availability
from dataportal.analysis.extras import is_installed
from dataportal.analysis.series_questions import SeriesQuestion, notes_on_finality
from dataportal.analysis.tables import ColumnType, Layout, Table
from dataportal.analysis.wording import Wording
from dataportal.errors import QuestionError, UnknownColumnError
from dataportal.store.read.points import (
    DECISIONS_AT_A_TIME,
    AssumedDecisionPoint,
    Decision,
    PointQuestion,
    decision_values,
    points_at,
)
from dataportal.suggestions import suggestion

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

    from dataportal.store.read.history import StoredSeries

_PAIR = 2
_ASSUMED = "assumed"


class _Columns(NamedTuple):
    """The names of the columns with the ts and the time of decision."""

    ts: str
    known: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows of a user, as Arrow where that is there, else as lists.

    Attributes:
        columns: the names of all of them.
        arrow: the whole frame.
        lists: the same, column by column.
        decided: the last time of decision; None for no row.
    """

    columns: Sequence[str]
    arrow: pa.Table | None
    lists: Mapping[str, Sequence[Any]] | None
    ts: str
    known: str
    decided: datetime | None


def read_frame(frame: Any, *, ts: str, known: str) -> Frame:
    """The rows of a user, which are looked at before anything is asked.

    Args:
        frame: see above.
        ts: its column with the start of the interval that is asked for.
        known: its column with the time by which the value was known.

    Raises:
        UnknownColumnError: it has no such column.
        QuestionError: it is no frame; or a column has no times, times without a zone, or none in
            some row: says which.
    """
    if hasattr(frame, "__arrow_c_stream__"):
        return _read_arrow(frame, _Columns(ts, known))
    lists = _lists(frame, _Columns(ts, known))
    for name in (ts, known):
        _check_column(name, list(lists))
        for number, value in enumerate(lists[name]):
            _check_time(name, number, value)
    decided = max((value.astimezone(UTC) for value in lists[known]), default=None)
    if is_installed("pyarrow"):
        import pyarrow as pa

        times = pa.timestamp("us", tz="UTC")
        arrays = {
            name: pa.array(column, times if name in {ts, known} else None)
            for name, column in lists.items()
        }
        return _read_arrow(pa.table(arrays), _Columns(ts, known))
    return Frame(list(lists), None, lists, ts, known, decided)


def join_values(
    connection: psycopg.Connection,
    frame: Frame,
    selected: Sequence[StoredSeries],
    *,
    published: bool,
    recorded_by: datetime | None,
    assume: bool,
) -> Table[tuple[Any, ...]]:
    """The frame with a column for each series: what was known, or published, at each decision.

    Args:
        connection: in a transaction of REPEATABLE READ.
        frame: the rows, whose order is kept.
        selected: the series.
        published: by the times of publication.
        recorded_by: with `published`, only what was recorded here by then; None for all.
        assume: let what was back-filled count as known when values of its series usually are.

    Raises:
        QuestionError: the frame has a column of the name of a series.
    """
    if assume:
        check_availability(selected, Wording.PYTHON)
    names = [series.endpoint_prefix for series in selected]
    added = [_ASSUMED, *names] if assume else names
    if both := [name for name in added if name in frame.columns]:
        raise QuestionError(
            f"the frame has a column {both[0]!r} already, as one would be called that is added",
            hint="Rename it before the join",
        )
    question = PointQuestion(published=published, recorded_by=recorded_by, assume=assume)
    facts = _facts(frame, selected, question)
    values = dict(zip(names, facts.series, strict=True))
    columns = {
        **dict.fromkeys(frame.columns), **dict.fromkeys(added, ColumnType.FLAG),
        **dict.fromkeys(names, ColumnType.NUMBER),
    }  # fmt: skip
    layout: Layout[tuple[Any, ...]] = Layout(columns, tuple, values)
    asked: dict[str, Any] = {
        "published": published, "recorded_by": recorded_by, "assume": assume,
    }  # fmt: skip
    if frame.arrow is not None:
        table = _join_arrow(connection, frame, names, asked)
        table = table.replace_schema_metadata(None).cast(with_facts(table.schema, facts, values))
        return Table(layout, facts, arrow=table)
    return Table(layout, facts, rows=_join_lists(connection, frame, names, asked))


def _facts(frame: Frame, selected: Sequence[StoredSeries], question: PointQuestion) -> TableFacts:
    decided = question.recorded_by if question.published else frame.decided
    questions = [
        SeriesQuestion(
            series,
            question,
            decided is not None and series.is_final(decided) and not question.assume,
        )
        for series in selected
    ]
    notes = notes_on_finality(question, questions, end=None, wording=Wording.PYTHON)
    return TableFacts(
        tuple(
            series_facts(asked_series.series, final=asked_series.final)
            for asked_series in questions
        ),
        by_publication=question.published,
        recorded=question.recorded_by,
        notes=tuple(notes),
    )


def _join_arrow(
    connection: psycopg.Connection, frame: Frame, names: Sequence[str], asked: Mapping[str, Any]
) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    table = frame.arrow
    assert table is not None  # noqa: S101 - as was looked
    times = table.select([frame.ts, frame.known])
    parts: list[list[pa.Array]] = [[] for _ in names]
    assumed = []
    for first in range(0, table.num_rows, DECISIONS_AT_A_TIME):
        block = times.slice(first, DECISIONS_AT_A_TIME)
        texts = [_array_text(block.column(number)) for number in range(_PAIR)]
        values = decision_values(connection, names, *texts, **asked)
        # one after the other of each decision
        lists = pa.FixedSizeListArray.from_arrays(values.column(0), len(names))
        for number, part in enumerate(parts):
            part.append(pc.list_element(lists, number))
        if asked["assume"]:
            flags = pa.FixedSizeListArray.from_arrays(values.column(1), len(names))
            every = [pc.list_element(flags, number) for number in range(len(names))]
            assumed.append(reduce(pc.or_, every))
    if asked["assume"]:
        table = table.append_column(_ASSUMED, pa.chunked_array(assumed, pa.bool_()))
    for name, part in zip(names, parts, strict=True):
        table = table.append_column(name, pa.chunked_array(part, pa.float64()))
    return table


def _array_text(column: pa.ChunkedArray) -> str:
    """Times as the text of an array of PostgreSQL's; what is finer than a microsecond is cut off.

    So that what became known within that microsecond does not count as known.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type.unit == "ns":
        column = pc.floor_temporal(column, unit="microsecond")
    utc = column.cast(pa.timestamp("us", tz="UTC"))
    return "{" + ",".join(utc.cast(pa.string()).to_pylist()) + "}"


def _join_lists(
    connection: psycopg.Connection, frame: Frame, names: Sequence[str], asked: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    assert frame.lists is not None  # noqa: S101 - as was looked
    pairs = zip(frame.lists[frame.ts], frame.lists[frame.known], strict=True)
    decisions = [Decision(ts, decided) for ts, decided in pairs]
    points = list(points_at(connection, names, decisions, **asked))
    own = zip(*frame.lists.values(), strict=True)
    rows = []
    for number, row in enumerate(own):
        answers = points[number * len(names) : (number + 1) * len(names)]
        assumed = [isinstance(point, AssumedDecisionPoint) and point.assumed for point in answers]
        flags = [any(assumed)] if asked["assume"] else []
        rows.append((*row, *flags, *(point.value for point in answers)))
    return rows


def _read_arrow(frame: Any, columns: _Columns) -> Frame:
    """The frame as Arrow has it; refused where times are none.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    from dataportal.store.read.arrow import require_arrow

    require_arrow()
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.table(frame)
    for name in columns:
        _check_column(name, table.column_names)
        kind = table.schema.field(name).type
        if not pa.types.is_timestamp(kind):
            raise QuestionError(
                f"column {name!r} of the frame has no times but {kind}",
                hint="Make times with a zone of it, such as pandas.to_datetime(…, utc=True)",
            )
        if kind.tz is None:
            raise _naive(name)
        if table.column(name).null_count:
            row = pc.index(pc.is_null(table.column(name)), value=True).as_py()
            raise QuestionError(f"column {name!r} of the frame has no time in row {row}")
    last = pc.max(table.column(columns.known).cast(pa.timestamp("us", tz="UTC"), safe=False))
    return Frame(table.column_names, table, None, columns.ts, columns.known, last.as_py())


def _lists(frame: Any, columns: _Columns) -> Mapping[str, Sequence[Any]]:
    """The columns of a mapping of them, of a list of rows by name, or of a list of pairs."""
    if isinstance(frame, Mapping):
        lists = {str(name): list(column) for name, column in frame.items()}
        if len({len(column) for column in lists.values()}) > 1:
            raise QuestionError("the columns of the frame are not of one length")
        return lists
    if isinstance(frame, Sequence) and not isinstance(frame, str | bytes):
        if not frame:
            return {columns.ts: [], columns.known: []}
        if all(isinstance(row, Mapping) for row in frame):
            names = list(dict.fromkeys(name for row in frame for name in row))
            return {str(name): [row.get(name) for row in frame] for name in names}
        if all(isinstance(row, Sequence) and len(row) == _PAIR for row in frame):
            return {name: [row[n] for row in frame] for n, name in enumerate(columns)}
    raise QuestionError(
        f"a {type(frame).__name__} is no frame",
        hint="Give a frame of pandas, polars or pyarrow, a dict of columns, or a list of pairs of "
        "ts and time of decision",
    )


def _check_column(name: str, columns: Sequence[str]) -> None:
    if name not in columns:
        raise UnknownColumnError(
            f"the frame has no column {name!r}",
            hint=suggestion(name, columns, f"It has: {', '.join(map(str, columns))}"),
        )


def _check_time(name: str, number: int, value: object) -> None:
    if value is None:
        raise QuestionError(f"column {name!r} of the frame has no time in row {number}")
    if not isinstance(value, datetime):
        raise QuestionError(
            f"column {name!r} of the frame has no time but {value!r} in row {number}"
        )
    if value.utcoffset() is None:
        raise _naive(name)


def _naive(name: str) -> QuestionError:
    return QuestionError(
        f"column {name!r} of the frame has times without a zone",
        hint="Say which they are of: frame[column].dt.tz_localize('UTC') in pandas, "
        "pl.col(column).dt.replace_time_zone('UTC') in polars",
    )
