"""Reads text tables (CSV and its kin) line by line, and names the line in every error."""

from __future__ import annotations

import csv
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from dataportal.errors import BadDataError
from dataportal.redaction import harmless, redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DELIMITERS = ("\t", ";", "|", ",")
"""Those that are detected; the comma last, because it may be a decimal sign as well."""

_LOOK_AHEAD = 20
_LISTED = 40  # column names shown in a message


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is laid out.

    Args:
        delimiter: between the cells; None to detect it.
        header: whether the first line names the columns.
        skip_rows: so many lines before that are no part of the table.
        comment: lines that begin with it are no part of it either.
        decimal: the decimal sign; it is never taken for the delimiter.
    """

    delimiter: str | None = None
    header: bool = True
    skip_rows: int = 0
    comment: str = ""
    decimal: str = "."


class Table:
    """A table of text, read once from its first line to its last.

    Args:
        lines: with their line ends, as a file opened with `newline=""` gives them.
        layout: how it is laid out.
        name: the file or URL, fit to be shown.

    Raises:
        BadDataError: its first line cannot be read.
    """

    def __init__(self, lines: Iterable[str], layout: Layout, name: str) -> None:
        self.name = name
        self._layout = layout
        self._lines = _Lines(lines, layout, name)
        delimiter = layout.delimiter or _likely_delimiter(self._lines, layout.decimal)
        self._reader = csv.reader(
            self._lines, delimiter=delimiter, skipinitialspace=True, strict=True
        )
        self._first = self._next()
        self.is_empty = self._first is None
        self._names = [cell.strip() for cell in self._first or ()]

    def column_index(self, column: str | int, widest: int = 0) -> int:
        """The index in a row, from 0, of a column that is known by its name or its number from 1.

        Args:
            column: the name, or the number.
            widest: how many cells the widest row has, where one is wider than the first.

        Raises:
            BadDataError: there is no such column, or more than one of that name.
        """
        if isinstance(column, int):
            if column <= max(len(self._names), widest):
                return column - 1
        elif self._layout.header and self._names.count(column) == 1:
            return self._names.index(column)
        is_ambiguous = not isinstance(column, int) and self._names.count(column) > 1
        fault = (
            f"{self._names.count(str(column))} columns {column!r}"
            if is_ambiguous
            else f"no column {column!r}"
        )
        listed = ", ".join(self._names[:_LISTED]) if self._layout.header else str(len(self._names))
        raise BadDataError(
            f"{self.name} has {fault}; the columns are: {harmless(redact(listed), 1000)}",
            hint=None if len(self._names) > 1 else "Is the delimiter right?",
        )

    def rows(self, width: int) -> Iterator[list[str]]:
        """The rows that are not blank, none of them shorter than `width`.

        Raises:
            BadDataError: a row that is shorter, or cannot be read; names the line.
        """
        row = self._next() if self._layout.header else self._first
        while row is not None:
            if len(row) >= width:
                yield row
            elif any(cell.strip() for cell in row):
                raise BadDataError(
                    f"{self.name}:{self._lines.number}: the row has {len(row)} "
                    f"column{'s' if len(row) != 1 else ''}, at least {width} are needed"
                )
            row = self._next()

    def _next(self) -> list[str] | None:
        try:
            for row in self._reader:
                if row and any(row):
                    return row
        except csv.Error as error:
            raise BadDataError(f"{self.name}:{self._lines.number}: {error}") from None
        return None


class _Lines:
    """The lines that belong to the table.

    Attributes:
        number: of the line read last, as it stands in the file, from 1.
    """

    def __init__(self, lines: Iterable[str], layout: Layout, name: str) -> None:
        self.number = 0
        self._name = name
        self._comment = layout.comment
        self._lines = islice(enumerate(lines, 1), layout.skip_rows, None)
        self._ahead: deque[tuple[int, str]] = deque()

    def peek(self, count: int) -> list[str]:
        """The next lines, which stay to be read."""
        while len(self._ahead) < count and (numbered_line := self._read()):
            self._ahead.append(numbered_line)
        return [line for _, line in self._ahead]

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        numbered_line = self._ahead.popleft() if self._ahead else self._read()
        if numbered_line is None:
            raise StopIteration
        self.number, line = numbered_line
        return line

    def _read(self) -> tuple[int, str] | None:
        try:
            for number, line in self._lines:
                if not (self._comment and line.startswith(self._comment)):
                    return number, line
        except UnicodeError as error:
            raise BadDataError(
                f"{self._name} is not text of the encoding expected ({error.__class__.__name__} "
                f"after line {self.number})",
                hint="Set encoding, for example cp1252",
            ) from None
        return None


def _likely_delimiter(lines: _Lines, decimal: str) -> str:
    """The delimiter that cuts most of the first lines into as many cells as the very first."""
    sample = [line for line in lines.peek(_LOOK_AHEAD) if line.strip()]
    best, delimiter = (0, 0), ","
    for candidate in DELIMITERS:
        if candidate == decimal:
            continue
        widths = [_width(line, candidate) for line in sample]
        same_width = sum(width == widths[0] for width in widths)
        if widths and widths[0] > 1 and (same_width, widths[0]) > best:
            best, delimiter = (same_width, widths[0]), candidate
    return delimiter


def _width(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), []))
    except csv.Error:
        return 0
