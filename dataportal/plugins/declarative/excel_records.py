"""Reads sheets of workbooks as records: .xlsx, .xls, .xlsb and .ods.

By python-calamine: it read a million cells in 1.0 s, where openpyxl took 17 s, and takes all these
formats. Dates come as dates in both date systems (of 1900 and of 1904), and cells with an error
(`#N/A`) as empty ones.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from dataportal.plugins.declarative.grid_records import GridRecords
from dataportal.plugins.declarative.records import Document, Reader, number_if_digits
from dataportal.plugins.declarative.series_extraction import filter_text
from dataportal.plugins.declarative.wide_records import WideParameters, WideRecords, read_wide
from dataportal.plugins.http.file_kinds import text_kind
from dataportal.plugins.parameters import Column, Parameters, Pattern, about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.plugins.declarative.records import FieldPath, Records
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params

_MAX_BYTES = 512 * 1024 * 1024  # of all parts of a workbook, unpacked
_KINDS = ("an Excel file", "an OpenDocument file")
_SEPARATOR = ";"
_SHOWN = 5
_NEARLY = 5_000  # microseconds by which a time of binary fractions of a day may miss a second
_SECOND = 1_000_000


class SheetParameters(Parameters):
    """Where in a workbook the table is."""

    sheet: Annotated[
        Column | None, about("the name of the sheet, or its number from 1 (the first one)")
    ] = None
    header: Annotated[bool, about("whether a row names the columns (true)")] = True
    header_row: Annotated[
        str | None,
        about(
            "the number of that row, or a regular expression that is found in its cells, joined "
            "with `;` (the first row that is not empty)",
            examples=("5",),
        ),
    ] = None
    first_row: Annotated[
        Pattern | None,
        about("a regular expression that is found in the first row of values after it"),
    ] = None
    footer: Annotated[
        Pattern | None, about("a regular expression that is found in the first row after the table")
    ] = None


class ExcelReader(Reader):
    """Reads workbooks, from the parameters of a source."""

    parameters: ClassVar = (WideParameters, SheetParameters)

    def __init__(self, params: Params, decimal: str) -> None:
        del decimal  # numbers are numbers
        given = params.read(SheetParameters)
        if find_spec("python_calamine") is None:
            params.add_fault(
                "python-calamine is missing, which reads workbooks: pip install python-calamine",
                "url",
            )
        self.sheet, self.has_header = given.sheet, given.header
        self.first_row, self.footer = given.first_row, given.footer
        self.header_number, self.header_pattern = 0, None
        try:
            if (given.header_row or "").isdecimal():
                self.header_number = int(given.header_row or "0")
            elif given.header_row is not None:
                self.header_pattern = re.compile(given.header_row)
        except re.error as error:
            params.add_fault(f"header_row is no regular expression ({error})", "header_row")
        if given.header_row is not None and not given.header:
            params.add_fault("header_row does not go with header: false", "header_row")
        self.wide = read_wide(params)

    @property
    def knows_empty(self) -> bool:
        """A workbook has no other way than to be empty."""
        return False

    def read(self, answer: Answer) -> Document | None:
        """The workbook."""
        if not answer.file_kind.startswith(_KINDS):
            kind = answer.file_kind or text_kind(answer.body)
            raise answer.bad(f"is {kind}, not an Excel file" if kind else "is no Excel file")
        return _Workbook(answer, self)

    def check_rows(self, rows: str) -> None:
        """The rows of a sheet are those of its table."""
        if rows:
            raise ValueError("rows is for JSON and XML; sheet says which table is meant")

    def check_field(self, path: FieldPath) -> None:
        """A name needs a header."""
        if not self.has_header and isinstance(number_if_digits(path), str):
            raise ValueError(f"without a header a column has no name, such as {path!r}")

    def check_document_path(self, path: str) -> None:
        """A workbook has nothing but cells."""
        raise ValueError(f"{path!r} cannot be looked for in a workbook; header:NAME can")


class _Workbook(Document):
    def __init__(self, answer: Answer, reader: ExcelReader) -> None:
        super().__init__(answer)
        self._reader = reader

    @property
    def text(self) -> str:
        """The cells of the sheet, a row a line, joined with `;`."""
        return "\n".join(map(_row_text, self._rows()[1]))

    def read_records(self, rows: str) -> Records:
        del rows
        sheet, grid = self._rows()
        header, cells = self._table(sheet, grid)
        width = max(map(len, cells), default=len(header or ()))
        names = None if header is None else [filter_text(_cell(cell)) for cell in header]
        records = GridRecords(
            names,
            max(width, len(names or ())),
            len(cells),
            lambda index: _column(cells, index),
            self.answer,
            f"its sheet {sheet!r}",
        )
        return records if self._reader.wide is None else WideRecords(records, self._reader.wide)

    def find(self, path: str) -> Any:
        raise ValueError(f"{path!r} cannot be looked for in a workbook")

    def _rows(self) -> tuple[str, list[list[Any]]]:
        """The name of the sheet, and its rows from the first one on."""
        import python_calamine as calamine

        body = self.answer.body
        _check_size(self.answer)
        try:
            with calamine.CalamineWorkbook.from_filelike(io.BytesIO(body)) as workbook:
                name = self._sheet_name(workbook.sheet_names)
                return name, workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        except (calamine.CalamineError, OSError, ValueError) as error:
            raise self.answer.bad(f"is an Excel file that cannot be read ({error})") from None

    def _sheet_name(self, names: Sequence[str]) -> str:
        sheet = self._reader.sheet
        if isinstance(sheet, str) and sheet in names:
            return sheet
        number = 1 if sheet is None else number_if_digits(sheet)
        if isinstance(number, int) and number <= len(names):
            return names[number - 1]
        raise self.answer.bad(f"has no sheet {sheet!r}; the sheets are {', '.join(names)}")

    def _table(self, sheet: str, grid: list[list[Any]]) -> tuple[list[Any] | None, list[list[Any]]]:
        """The header, if there is to be one, and the rows of the table."""
        reader = self._reader
        start = 0
        header = None
        if reader.has_header:
            start = self._header_index(sheet, grid)
            header = grid[start] if start < len(grid) else []
            start += 1
        if reader.first_row is not None and any(map(_is_filled, grid[start:])):
            start = self._index_of(reader.first_row, "first_row", sheet, grid, start)
        rows = []
        for row in grid[start:]:
            if reader.footer is not None and reader.footer.search(_row_text(row)):
                break
            if _is_filled(row):
                rows.append(row)
        return header, rows

    def _header_index(self, sheet: str, grid: list[list[Any]]) -> int:
        reader = self._reader
        if reader.header_number:
            if reader.header_number > len(grid):
                raise self.answer.bad(
                    f"has no row {reader.header_number} in its sheet {sheet!r}, but {len(grid)}"
                )
            return reader.header_number - 1
        if reader.header_pattern is not None:
            return self._index_of(reader.header_pattern, "header_row", sheet, grid, 0)
        return next((n for n, row in enumerate(grid) if _is_filled(row)), 0)

    def _index_of(
        self, pattern: re.Pattern[str], name: str, sheet: str, grid: list[list[Any]], start: int
    ) -> int:
        for number, row in enumerate(grid[start:], start):
            if pattern.search(_row_text(row)):
                return number
        texts = [repr(_row_text(row)[:60]) for row in grid[start:] if _is_filled(row)][:_SHOWN]
        raise self.answer.bad(
            f"has no row that fits {name} {pattern.pattern!r} in its sheet {sheet!r}; its rows are "
            f"{', '.join(texts) or 'empty'}"
        )


def _check_size(answer: Answer) -> None:
    if not answer.body.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise answer.bad(f"is an Excel file that cannot be read ({error})") from None
    if size > _MAX_BYTES:
        raise answer.bad(f"is an Excel file that unfolds to more than {_MAX_BYTES >> 20} MiB")


def _column(rows: Sequence[Sequence[Any]], index: int) -> Sequence[Any]:
    """The cells of a column as they are read."""
    cells: list[Any] = [row[index] if index < len(row) else None for row in rows]
    # numbers of which one has a fraction are no codes
    if {*map(type, cells)} == {float} and not all(cell.is_integer() for cell in cells):
        return cells
    return [*map(_cell, cells)]


def _cell(cell: Any) -> Any:
    """A cell as it is read: whole numbers without a fraction, times to the second they mean."""
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < 2**53 else cell
    if isinstance(cell, datetime):
        over = cell.microsecond
        if over and (over < _NEARLY or over > _SECOND - _NEARLY):
            return cell - timedelta(microseconds=over) + timedelta(seconds=round(over / _SECOND))
        return cell
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    return cell


def _is_filled(row: Sequence[Any]) -> bool:
    return any(cell not in ("", None) for cell in row)


def _row_text(row: Sequence[Any]) -> str:
    """The cells of a row as one text; a date without a time of day as a date."""
    return _SEPARATOR.join(filter_text(_cell(cell)) for cell in row)
