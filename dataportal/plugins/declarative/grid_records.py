"""Records of a grid of cells that have types: a sheet of a workbook, a table of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.plugins.declarative.records import TRUNCATED_ROW, number_if_digits
from dataportal.redaction import harmless, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dataportal.errors import BadDataError
    from dataportal.plugins.declarative.records import FieldPath
    from dataportal.plugins.http.response import Answer


class GridRecords:
    """Rows of cells, whose columns are known by name or number.

    Args:
        names: of the columns; None if they have none.
        width: how many columns there are.
        length: how many rows.
        cells: those of a column, by its index from 0.
        answer: the answer.
        where: what the grid is called in a message, such as `its sheet 'A'`.
    """

    def __init__(
        self,
        names: Sequence[str] | None,
        width: int,
        length: int,
        cells: Callable[[int], Sequence[Any]],
        answer: Answer,
        where: str,
    ) -> None:
        self.names: Sequence[str] = names or []
        self._has_names = names is not None
        self._width = width
        self._length = length
        self._cells = cells
        self._answer = answer
        self._where = where
        self._columns: dict[int, Sequence[Any]] = {}

    def __len__(self) -> int:
        return self._length

    def column(self, path: FieldPath) -> Sequence[Any]:
        """The cells of a column."""
        place = path if self._has_names else number_if_digits(path)
        if isinstance(place, int) and 1 <= place <= self._width:
            return self._column(place - 1)
        count = self.names.count(str(place))
        if count == 1:
            return self._column(self.names.index(str(place)))
        fault = f"{count} columns {place!r}" if count > 1 else f"no column {place!r}"
        listed = ", ".join(name for name in self.names if name) or str(self._width)
        raise self.bad(f"has {fault} in {self._where}; they are: {harmless(redact(listed), 1000)}")

    def _column(self, index: int) -> Sequence[Any]:
        if index not in self._columns:
            self._columns[index] = self._cells(index)
        return self._columns[index]

    def row(self, number: int) -> object:
        """All cells of a row."""
        cells = (self._column(index)[number] for index in range(self._width))
        return [None if cell is TRUNCATED_ROW else cell for cell in cells]

    def bad(self, reason: str) -> BadDataError:
        """The error that says why these records cannot be used."""
        return self._answer.bad(reason)

    def truncation_error(self, row: int) -> BadDataError:
        """The error for a row that ends too early."""
        return self._answer.bad(f"has a row {row + 1} that is too short in {self._where}")
