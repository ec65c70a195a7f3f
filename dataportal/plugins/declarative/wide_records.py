"""Reads tables that are wide by time: each cell under a header that is a time becomes a row."""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from dataportal.plugins.parameters import Parameters, Pattern, about, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.errors import BadDataError
    from dataportal.plugins.declarative.records import FieldPath, Records
    from dataportal.plugins.readers.parameters import Params

HEADER_FIELD, CELL_FIELD = "header", "cell"
"""The fields of a row: the header of its column, and what stands in the cell."""


class WideParameters(Parameters):
    """Whether times stand beside each other."""

    layout: Annotated[
        str,
        one_of(("rows", "wide")),
        about(
            "`rows`, or `wide` where columns are times: then each cell is a row, with the fields "
            "`header` and `cell`: see "
            "[Times as columns](declarative-layouts.md#times-as-columns) (rows)"
        ),
    ] = "rows"
    columns: Annotated[
        Pattern | None,
        about("of a `wide` table: a regular expression that is found in the headers of its times"),
    ] = None


def set_wide_defaults(params: Params) -> None:
    """Let a source whose tables are wide leave out where times and values are."""
    if params.first_given("layout") == "wide":
        if params.first_given("interval") is None:
            params.set_default("ts", HEADER_FIELD)
        params.set_default("value", CELL_FIELD)


def read_wide(params: Params) -> Pattern | None:
    """Which columns are times; None for a table that is not wide."""
    wide = params.read(WideParameters)
    if wide.layout == "wide":
        if wide.columns is None:
            params.add_fault("columns is missing: a pattern of the headers that are times")
        return wide.columns
    if wide.columns is not None:
        params.add_fault("columns goes with layout: wide")
    return None


class _Table(Protocol):
    """Records with names of columns."""

    def __len__(self) -> int: ...

    @property
    def names(self) -> Sequence[str]: ...

    def column(self, path: FieldPath) -> Sequence[Any]: ...

    def row(self, number: int) -> object: ...

    def bad(self, reason: str) -> BadDataError: ...

    def truncation_error(self, row: int) -> BadDataError: ...


class WideRecords:
    """The cells of a wide table as records.

    Args:
        table: with a header.
        columns: found in the headers of those that are times.

    Raises:
        BadDataError: no header fits.
    """

    def __init__(self, table: _Table, columns: Pattern) -> None:
        self._table = table
        self._numbers = [n for n, name in enumerate(table.names, 1) if columns.search(name)]
        if table.names and not self._numbers:
            raise table.bad(
                f"has no column that fits {columns.pattern!r}; they are {', '.join(table.names)}"
            )

    def __len__(self) -> int:
        return len(self._table) * len(self._numbers)

    def column(self, path: FieldPath) -> Sequence[Any]:
        """A field of each cell, or of the row that it stands in."""
        if path == HEADER_FIELD:
            return [self._table.names[n - 1] for n in self._numbers] * len(self._table)
        if path == CELL_FIELD:
            columns = [self._table.column(number) for number in self._numbers]
            return [*chain.from_iterable(zip(*columns, strict=True))]
        width = len(self._numbers)
        return [*chain.from_iterable(repeat(cell, width) for cell in self._table.column(path))]

    def row(self, number: int) -> object:
        """All that is compared of a cell: its header, and its row."""
        row, column = divmod(number, len(self._numbers))
        return self._numbers[column], self._table.row(row)

    def bad(self, reason: str) -> BadDataError:
        """The error that says why these records cannot be used."""
        return self._table.bad(reason)

    def truncation_error(self, row: int) -> BadDataError:
        """The error for a row that ends too early."""
        return self._table.truncation_error(row // max(len(self._numbers), 1))


def wide_if(table: _Table, columns: Pattern | None) -> Records:
    """The table, or its cells if it is wide."""
    return table if columns is None else WideRecords(table, columns)
