"""Answers of the Python API: tables that turn into whatever an analyst works with.

A table holds its rows either as Arrow, where the extra `frames` is installed, or as typed tuples;
each form is made from the other when it is asked for.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dataportal.analysis.arrow_schema import SERIES, with_facts
from dataportal.analysis.extras import optional_package
from dataportal.errors import QuestionError
from dataportal.store.read.arrow import require_arrow
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from matplotlib.axes import Axes

    from dataportal.analysis.arrow_schema import SeriesFacts, TableFacts

Row_co = TypeVar("Row_co", bound="tuple[Any, ...]", covariant=True)
_SHOWN = 10
"""Rows of a table that a notebook shows: half of them from its end."""


class ColumnType(Enum):
    """What a column holds, and how Arrow calls that."""

    TIME = "timestamp[us, tz=UTC]"
    TEXT = "string"
    NUMBER = "double"
    INTEGER = "int64"
    FLAG = "bool"
    DURATION = "duration[us]"

    def arrow_type(self) -> pa.DataType:
        """The type as pyarrow has it."""
        import pyarrow as pa

        return {
            ColumnType.TIME: pa.timestamp("us", tz="UTC"),
            ColumnType.TEXT: pa.string(),
            ColumnType.NUMBER: pa.float64(),
            ColumnType.INTEGER: pa.int64(),
            ColumnType.FLAG: pa.bool_(),
            ColumnType.DURATION: pa.duration("us"),
        }[self]


@dataclass(frozen=True, slots=True)
class Layout(Generic[Row_co]):
    """What the rows of a table look like.

    Attributes:
        columns: their names and types, in order; those of a user's own columns are None.
        make_row: makes a row of its cells.
        series: of which series the values of a column are, where each has its own.
    """

    columns: Mapping[str, ColumnType | None]
    make_row: Callable[[Iterable[Any]], Row_co]
    series: Mapping[str, SeriesFacts] | None = None


class Table(Generic[Row_co]):
    """An answer: rows in order, of any number of columns, all read in one snapshot.

    Iterating gives typed tuples. `polars.DataFrame(table)`, `duckdb.sql("FROM table")` and
    `pandas.DataFrame.from_arrow(table)` take it as it is. Times are aware and in UTC, each `ts` is
    the start of the interval observed, and values are floats in the unit of their series: see
    `facts`. None, NaN or null is no value, after the kind of the form.

    Attributes:
        facts: of which series it is, in which units, and what of it is final.
    """

    def __init__(
        self,
        layout: Layout[Row_co],
        facts: TableFacts,
        *,
        rows: Sequence[Row_co] | None = None,
        arrow: pa.Table | None = None,
    ) -> None:
        """For the API; one of `rows` and `arrow` is given."""
        self._layout = layout
        self._rows = rows
        self._arrow = arrow
        self.facts = facts

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self._layout.columns)

    @property
    def final(self) -> bool:
        """Whether nothing still to come can change it: true only if it is so of each series.

        What is known *now* is never final.
        """
        return self.facts.final

    @property
    def as_of(self) -> datetime | None:
        """The one time at which all of it was known, in UTC; None where no one time is meant."""
        return self.facts.as_of

    @property
    def notes(self) -> tuple[str, ...]:
        """What the command `read` would say on stderr, such as why the answer is provisional."""
        return self.facts.notes

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return len(self)

    def __len__(self) -> int:
        if self._rows is not None:
            return len(self._rows)
        rows: int = self.to_arrow().num_rows
        return rows

    def __iter__(self) -> Iterator[Row_co]:
        if self._rows is not None:
            return iter(self._rows)
        return self._rows_of_arrow(self.to_arrow())

    def to_list(self) -> list[Row_co]:
        """The rows as typed tuples: times are aware datetimes in UTC, nothing is None."""
        return list(self)

    def to_arrow(self) -> pa.Table:
        """The table as pyarrow's, whose schema says what it is of: `final`, `as_of`, the units.

        Times are `timestamp[us, tz=UTC]`, values `double`, `series` is a dictionary.

        Raises:
            MissingExtraError: pyarrow is not installed; names the command.
        """
        if self._arrow is None:
            require_arrow()
            self._arrow = self._make_arrow(self._rows or ())
        return self._arrow

    def to_pandas(self) -> pd.DataFrame:
        """The table as a DataFrame of pandas with the same columns, and an index from 0 on.

        Times are `datetime64[us, UTC]`, a value that is missing is NaN, `series` is categorical.
        What is known of the answer is in `attrs`: `final`, `as_of`, `notes`, `units`.

        Raises:
            MissingExtraError: pandas or pyarrow is not installed; names the command.
        """
        optional_package("pandas", "makes data frames")
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        frame.attrs.update(
            final=self.final,
            as_of=None if self.as_of is None else iso(self.as_of),
            notes=list(self.notes),
            units={facts.series: facts.unit for facts in self.facts.series},
        )
        return frame

    def to_polars(self) -> pl.DataFrame:
        """The table as a DataFrame of polars with the same columns.

        Times are `Datetime("us", "UTC")`, a value that is missing is null, `series` is categorical.

        Raises:
            MissingExtraError: polars or pyarrow is not installed; names the command.
        """
        polars = optional_package("polars", "makes data frames")
        frame: pl.DataFrame = polars.DataFrame(self.to_arrow())
        return frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """For whatever takes Arrow: https://arrow.apache.org/docs/format/CDataInterface."""
        stream: object = self.to_arrow().__arrow_c_stream__(requested_schema)
        return stream

    def __arrow_c_schema__(self) -> object:
        """The schema alone, of the same interface."""
        schema: object = self.to_arrow().schema.__arrow_c_schema__()
        return schema

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draws the values over their ts by matplotlib, a line for each series.

        Args:
            ax: where; None for a new figure.
            **options: for every line, as `Axes.plot` takes them.

        Raises:
            MissingExtraError: matplotlib is not installed; names the command.
            QuestionError: the table has no values over ts.
        """
        lines = self._lines()
        optional_package("matplotlib", "draws")
        if ax is None:
            from matplotlib import pyplot as plt

            _, ax = plt.subplots()
        units = {facts.series: facts.unit for facts in self.facts.series}
        for name, (times, values) in lines.items():
            cells = [float("nan") if value is None else value for value in values]
            ax.plot(times, cells, **{"label": name, **options})  # type: ignore[arg-type]  # times are drawn as such
        named = {unit for name, unit in units.items() if name in lines and unit}
        ax.set_ylabel(named.pop() if len(named) == 1 else "")
        ax.set_xlabel("UTC")
        if len(lines) > 1:
            ax.legend()
        elif lines:
            ax.set_title(next(iter(lines)))
        return ax

    def __repr__(self) -> str:
        notes = "".join(f"\n  {note}" for note in self.notes)
        return f"<{self._title()}: {', '.join(self.columns)}>{notes}"

    def _repr_html_(self) -> str:
        """What a notebook shows: the first and the last rows, units, finality and notes."""
        half = _SHOWN // 2
        count = len(self)
        first = list(self._part(0, count if count <= _SHOWN else half))
        last = [] if count <= _SHOWN else list(self._part(count - half, count))
        units = ", ".join(
            facts.series if facts.unit is None else f"{facts.series} in {facts.unit}"
            for facts in islice(self.facts.series, _SHOWN)
        )
        if len(self.facts.series) > _SHOWN:
            units += " …"
        body = [_html_row(row, "td") for row in first]
        if last:
            body += [_html_row(["…"] * len(self.columns), "td")]
            body += [_html_row(row, "td") for row in last]
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return (
            f"<table><caption>{html.escape(self._title())}"
            f"{'<br>' + html.escape(units) if units else ''}</caption>"
            f"<thead>{_html_row(self.columns, 'th')}</thead><tbody>{''.join(body)}</tbody></table>"
            f"{notes}"
        )

    def _title(self) -> str:
        rows = f"{len(self):,} row" + ("" if len(self) == 1 else "s")
        as_of = "" if self.as_of is None else f", as of {iso(self.as_of)}"
        finality = ", final" if self.final else ", provisional" if self.notes or as_of else ""
        return f"Table of {rows}{as_of}{finality}"

    def _part(self, start: int, end: int) -> Iterator[Row_co]:
        if self._rows is not None:
            return iter(self._rows[start:end])
        return self._rows_of_arrow(self.to_arrow().slice(start, end - start))

    def _rows_of_arrow(self, table: Any) -> Iterator[Row_co]:
        make_row = self._layout.make_row
        for batch in table.to_batches():
            columns = [column.to_pylist() for column in batch.columns]
            for cells in zip(*columns, strict=True):
                yield make_row(cells)

    def _make_arrow(self, rows: Sequence[Row_co]) -> pa.Table:
        import pyarrow as pa

        cells: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * len(self.columns)
        arrays = []
        for column, kind in zip(cells, self._layout.columns.values(), strict=True):
            array = pa.array(column, None if kind is None else kind.arrow_type())
            arrays.append(array)
        schema = pa.schema(
            [pa.field(name, array.type) for name, array in zip(self.columns, arrays, strict=True)]
        )
        schema = with_facts(schema, self.facts, self._layout.series)
        return pa.table(arrays, schema=schema)

    def _lines(self) -> dict[str, tuple[list[datetime], list[float | None]]]:
        """The times and values of each series.

        Raises:
            QuestionError: there are none.
        """
        columns = self.columns
        if "ts" not in columns or not (self._layout.series or "value" in columns):
            raise QuestionError("this table has no values over ts to draw")
        ts = columns.index("ts")
        if self._layout.series:
            rows = self.to_list()
            times = [row[ts] for row in rows]
            return {
                name: (times, [row[columns.index(name)] for row in rows])
                for name in self._layout.series
            }
        series, value = columns.index(SERIES), columns.index("value")
        lines: dict[str, tuple[list[datetime], list[float | None]]] = {}
        for name, group in groupby(self, key=itemgetter(series)):
            rows = list(group)
            lines[name] = ([row[ts] for row in rows], [row[value] for row in rows])
        return lines


def _html_row(cells: Iterable[object], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{_html_cell(cell)}</{tag}>" for cell in cells) + "</tr>"


def _html_cell(cell: object) -> str:
    if cell is None:
        return ""
    return html.escape(iso(cell) if isinstance(cell, datetime) else str(cell))
