"""Reads text tables (CSV and its kin) line by line, and names the line in every error."""

from __future__ import annotations

import csv
from collections import deque
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from typing import TYPE_CHECKING

from dataportal.errors import BadDataError
from dataportal.redaction import harmless, redact

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator

DELIMITERS = ("\t", ";", "|", ",")
"""Those that are detected; the comma last, because it may be a decimal sign as well."""

_LINE, _FIRST_CELL = itemgetter(1), itemgetter(0)
_LOOK_AHEAD = 20
_LISTED = 40  # column names shown in a message
_PASSED, _PASSED_WIDTH = 5, 60  # lines shown in a message, and how much of each


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is laid out.

    Args:
        delimiter: between the cells; None to detect it.
        header: whether the first line names the columns.
        skip_rows: so many lines before that are no part of the table.
        comment: lines that begin with it are no part of it either.
        decimal: the decimal sign; it is never taken for the delimiter.
        header_row: found in the line that names the columns, or the first one if none does; what
            stands before it is no part of the table.
        first_row: found in the first line after the header that is a row.
        footer: found in the first line that is no part of the table any more.
    """

    delimiter: str | None = None
    header: bool = True
    skip_rows: int = 0
    comment: str = ""
    decimal: str = "."
    header_row: re.Pattern[str] | None = None
    first_row: re.Pattern[str] | None = None
    footer: re.Pattern[str] | None = None


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

    @property
    def names(self) -> list[str]:
        """What the header calls the columns; none without a header."""
        return self._names if self._layout.header else []

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

    def all_rows(self) -> list[list[str]]:
        """The rows that are not blank, at once: of a text that is at hand, in half of the time.

        Raises:
            BadDataError: a row that cannot be read; names the line.
        """
        lines = self._lines.rest()
        if lines is None:
            return list(self.rows(1))
        rows = [] if self._layout.header or self._first is None else [self._first]
        reader = csv.reader(lines, self._reader.dialect)
        try:
            read = [*reader]
        except csv.Error as error:
            number = self._lines.number + reader.line_num
            raise BadDataError(f"{self.name}:{number}: {error}") from None
        # most tables have no blank rows, and their rows begin with something
        if not all(read) or not all(map(_FIRST_CELL, read)):
            read = [row for row in read if any(row)]
        return [*rows, *read] if rows else read

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
        lines = iter(lines)
        # where nothing but the first lines is left out, all others are read without their numbers
        bounds = (layout.header_row, layout.first_row, layout.footer)
        self._unbounded = lines if bounds == (None, None, None) else None
        self._lines: Iterator[tuple[int, str]] = islice(enumerate(lines, 1), layout.skip_rows, None)
        if layout.header_row is not None:
            self._lines = self._from(self._lines, layout.header_row, "header_row")
        if layout.first_row is not None:
            self._lines = self._rows_from(self._lines, layout.first_row, has_header=layout.header)
        if layout.footer is not None:
            self._lines = _until(self._lines, layout.footer)
        self._ahead: deque[tuple[int, str]] = deque()

    def _from(
        self, lines: Iterator[tuple[int, str]], pattern: re.Pattern[str], parameter: str
    ) -> Iterator[tuple[int, str]]:
        """The lines from the first one on in which a pattern is found."""
        passed: list[str] = []
        for number, line in lines:
            if pattern.search(line.rstrip("\r\n")):
                yield number, line
                yield from lines
                return
            if line.strip() and len(passed) < _PASSED:
                passed.append(line.strip()[:_PASSED_WIDTH])
        if passed:
            raise BadDataError(
                f"{self._name} has no line that fits {parameter} {pattern.pattern!r}; its lines "
                f"are {harmless(redact(', '.join(map(repr, passed))), 500)}, …"
            )

    def _rows_from(
        self, lines: Iterator[tuple[int, str]], pattern: re.Pattern[str], *, has_header: bool
    ) -> Iterator[tuple[int, str]]:
        """The header, and then the lines from the first row on."""
        if has_header:
            for number, line in lines:
                yield number, line
                if line.strip() and not (self._comment and line.startswith(self._comment)):
                    break
        yield from self._from(lines, pattern, "first_row")

    def peek(self, count: int) -> list[str]:
        """The next lines, which stay to be read."""
        while len(self._ahead) < count and (numbered_line := self._read()):
            self._ahead.append(numbered_line)
        return [line for _, line in self._ahead]

    def rest(self) -> Iterator[str] | None:
        """All that were not read yet, one after the other; None where some are to be left out."""
        if self._comment:
            return None
        if self._unbounded is None or not self.number:
            return map(_LINE, chain(self._ahead, self._lines))
        return chain(map(_LINE, self._ahead), self._unbounded)

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


def _until(lines: Iterator[tuple[int, str]], pattern: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """The lines before the first one in which a pattern is found."""
    for number, line in lines:
        if pattern.search(line.rstrip("\r\n")):
            return
        yield number, line


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
