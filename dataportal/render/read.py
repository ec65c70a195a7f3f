"""Renders the values that `read` answers with: a table, CSV or JSON, of any length.

Rows are streams: no format holds more than a few of them. To add a format: name it in
`AnswerFormat`, and write a function of a `Values`, as the three here are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from dataportal.analysis.arrow_schema import TableFacts
from dataportal.render.console import printable
from dataportal.render.csv_output import csv_blocks, csv_lines
from dataportal.render.formatting import format_instant, format_number
from dataportal.render.json_output import stream_json
from dataportal.render.table_formats import AnswerFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    import pyarrow as pa

    from dataportal.render.table_files import SeriesTable
    from dataportal.store.read.arrow import Column

Cell = str | float | bool | datetime | None
_TIME_WIDTH, _NUMBER_WIDTH = 32, 12
_WIDTHS = {"ts": 25, "final": len("provisional"), "assumed": len("assumed")}


@dataclass(frozen=True, slots=True)
class SeriesText:
    """The rows of one series, as CSV that the database has written.

    Attributes:
        name: the first cell of each row.
        blocks: many lines at a time, without that cell.
    """

    name: str
    blocks: Iterable[str]


@dataclass(frozen=True, slots=True)
class Values:
    """What `read` answers.

    Attributes:
        title: says to people what it is, and whether it is final.
        head: says so to programs: the fields of the document before its rows.
        columns: what stands in each row.
        rows: the rows, in order.
        series: their names, where each row has the values of all series; the last columns.
        texts: the same rows as CSV of the database's, where that is quicker, else None.
        facts: what a file of columns says of them.
        tables: the same rows as Arrow, for one series after the other without its name, where that
            is quicker, else None.
        table_columns: the columns of these.
        numbers: which columns are numbers, and so set to the right.
    """

    title: str
    head: Mapping[str, Any]
    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    series: Sequence[str] = ()
    texts: Iterable[SeriesText] | None = None
    facts: TableFacts = field(default_factory=lambda: TableFacts(()))
    tables: Iterable[SeriesTable] | None = None
    table_columns: Sequence[Column] = ()
    numbers: frozenset[str] = field(default=frozenset({"value", "count", "number"}))

    def table_schema(self) -> pa.Schema:
        """The fields of `tables`."""
        from dataportal.store.read.arrow import arrow_schema

        return arrow_schema(self.table_columns)


def value_lines(values: Values, output_format: AnswerFormat, zone: tzinfo) -> Iterator[str]:
    """The lines of an answer.

    Args:
        values: the answer.
        output_format: how it is written.
        zone: in which people read times; programs get UTC.
    """
    match output_format:
        case AnswerFormat.TABLE:
            return _table_lines(values, zone)
        case AnswerFormat.CSV:
            return _csv_lines(values)
        case AnswerFormat.JSON:
            return _json_lines(values)
        case AnswerFormat.PARQUET | AnswerFormat.ARROW:
            raise NotImplementedError  # no lines: see table_files


def _table_lines(values: Values, zone: tzinfo) -> Iterator[str]:
    """Columns of fixed width, which need not know the rows to come."""
    yield printable(values.title)
    right = {*values.numbers, *values.series}
    names = [printable(column) for column in values.columns]
    first = None if not names or names[0] != "series" else _longest(values.head.get("series", ()))
    widths = [
        max(len(name), _NUMBER_WIDTH if column in right else _WIDTHS.get(column, _TIME_WIDTH))
        for name, column in zip(names, values.columns, strict=True)
    ]
    if first is not None:
        widths[0] = max(first, len("series"))
    aligned = [
        (str.rjust if column in right else str.ljust, width)
        for column, width in zip(values.columns, widths, strict=True)
    ]
    titles = [name if name in values.series else name.replace("_", " ").upper() for name in names]
    for cells in chain([titles], values.rows):
        texts = (
            align(_cell_text(cell, zone, column), width)
            for cell, column, (align, width) in zip(cells, values.columns, aligned, strict=True)
        )
        yield "  ".join(texts).rstrip()


def _longest(series: Iterable[Mapping[str, Any]]) -> int:
    return max((len(printable(s["endpoint_prefix"])) for s in series), default=0)


def _cell_text(cell: Cell, zone: tzinfo, column: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        if column == "assumed":
            return "assumed" if cell else ""
        return "final" if cell else "provisional"
    if isinstance(cell, str):
        return printable(cell)
    return format_instant(cell, zone) if isinstance(cell, datetime) else format_number(cell)


def _csv_lines(values: Values) -> Iterator[str]:
    if values.texts is None:
        rows = ([_csv_cell(cell) for cell in row] for row in values.rows)
        yield from csv_lines(values.columns, rows)
        return
    is_first = True
    for text in values.texts:
        lines = csv_blocks(values.columns, text.name, text.blocks)
        yield from lines if is_first else islice(lines, 1, None)
        is_first = False


def _csv_cell(cell: Cell) -> str | float | datetime | None:
    return str(cell).lower() if isinstance(cell, bool) else cell


def _json_lines(values: Values) -> Iterator[str]:
    own = len(values.columns) - len(values.series)

    def fields(row: Sequence[Cell]) -> dict[str, Any]:
        members: dict[str, Any] = dict(zip(values.columns[:own], row[:own], strict=True))
        if values.series:
            members["values"] = dict(zip(values.series, row[own:], strict=True))
        return members

    return stream_json(values.head, "observations", map(fields, values.rows))
