"""Reads text tables (CSV) as records: rows, and columns by their name or number."""

from __future__ import annotations

import io
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from dataportal.errors import BadDataError
from dataportal.plugins.declarative.records import (
    TRUNCATED_ROW,
    Document,
    Reader,
    number_if_digits,
)
from dataportal.plugins.declarative.sections import SectionParameters, SectionRecords
from dataportal.plugins.declarative.wide_records import WideParameters, read_wide, wide_if
from dataportal.plugins.http.file_kinds import text_kind
from dataportal.plugins.parameters import Parameters, Pattern, about
from dataportal.plugins.readers.table_parameters import (
    EncodingParameters,
    TableParameters,
    table_layout,
    text_encoding,
)
from dataportal.plugins.readers.tables import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.plugins.declarative.records import FieldPath, Records
    from dataportal.plugins.declarative.sections import SectionSettings
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params

_READERS = {
    "an Excel file": "HttpExcelPlugin reads workbooks",
    "an OpenDocument file": "HttpExcelPlugin reads workbooks",
    "a Parquet file": "HttpParquetPlugin reads such files",
    "an Arrow file": "HttpParquetPlugin reads such files",
}
"""Which plugin reads kinds of files that are no text."""
_SEARCHED = 2000  # characters at the beginning of an answer in which `error` is looked for


class CsvParameters(Parameters):
    """What tables look like that are none."""

    error: Annotated[
        Pattern | None,
        about(
            "a regular expression that is found in the beginning of an answer only if it reports "
            "an error"
        ),
    ] = None
    empty: Annotated[
        Pattern | None,
        about(
            "the same, for an answer (or a file of an archive, or one under 400 or 404) that says "
            "that there are no data; looked for before `error`"
        ),
    ] = None


class CsvReader(Reader):
    """Reads tables of text, from the parameters of a source."""

    parameters: ClassVar = (
        WideParameters,
        CsvParameters,
        SectionParameters,
        TableParameters,
        EncodingParameters,
    )

    def __init__(self, params: Params, decimal: str) -> None:
        self._layout = table_layout(params, decimal)
        self._encoding = text_encoding(params) or None
        self.wide = read_wide(params)
        self.sections = params.read(SectionParameters).sections
        if self.sections is not None and self.wide is not None:
            params.add_fault("sections does not go with layout: wide")
        if self.sections is not None and not self._layout.header:
            params.add_fault("sections have headers: header: false does not go with them")
        csv = params.read(CsvParameters)
        self._empty, self._error = csv.empty, csv.error

    @property
    def knows_empty(self) -> bool:
        """Whether there is a regular expression for it."""
        return self._empty is not None

    def read(self, answer: Answer) -> Document | None:
        """The table, unless the answer reports an error or says that there are no data."""
        kind = answer.file_kind or text_kind(answer.body)
        if answer.file_kind or answer.is_page:
            raise answer.bad(f"is {kind}, not a table", _READERS.get(answer.file_kind))
        text = answer.text(self._encoding)
        if self._empty is not None and self._empty.search(text[:_SEARCHED]):
            return None
        if self._error is not None and (match := self._error.search(text[:_SEARCHED])):
            raise answer.bad(f"reports an error ({' '.join(match[0].split())})")
        if kind:
            raise answer.bad(f"is {kind}, not a table")
        if self._layout.header and not text.strip():
            raise answer.bad("has not even a header")
        return _TableDocument(answer, text, self)

    def table(self, text: str, name: str) -> Table:
        """The text as a table."""
        return Table(io.StringIO(text, newline=""), self._layout, name)

    def section_records(
        self, text: str, sections: SectionSettings, answer: Answer
    ) -> SectionRecords:
        """The rows of all tables of a text."""
        layout = self._layout
        return SectionRecords(text, layout.delimiter, layout.comment, sections, answer)

    def column(self, path: FieldPath) -> FieldPath:
        """A column's name, or its number where columns have no names."""
        return path if self._layout.header else number_if_digits(path)

    def check_rows(self, rows: str) -> None:
        """All rows of a table are records, so that there is nothing to find them by."""
        if rows:
            raise ValueError("rows is for JSON and XML; of a table filter chooses the rows")

    def check_field(self, path: FieldPath) -> None:
        """A name needs a header; without one a number may be written as a text."""
        if isinstance(self.column(path), str) and not self._layout.header:
            raise ValueError(f"without a header a column has no name, such as {path!r}")

    def check_document_path(self, path: str) -> None:
        """A table has nothing but rows."""
        raise ValueError(f"{path!r} cannot be looked for in a table; header:NAME can")


class _TableDocument(Document):
    def __init__(self, answer: Answer, text: str, reader: CsvReader) -> None:
        super().__init__(answer)
        self._text = text
        self._reader = reader

    def read_records(self, rows: str) -> Records:
        del rows
        if self._reader.sections is not None:
            return self._reader.section_records(self._text, self._reader.sections, self.answer)
        try:
            table = self._reader.table(self._text, self.answer.name)
            cells = [] if table.is_empty else table.all_rows()
            return wide_if(_TableRows(table, cells, self.answer, self._reader), self._reader.wide)
        except BadDataError as error:
            raise _with_excerpt(error, self.answer) from None

    @property
    def text(self) -> str:
        return self._text

    def find(self, path: str) -> Any:
        raise ValueError(f"{path!r} cannot be looked for in a table")


class _TableRows:
    def __init__(
        self, table: Table, rows: list[list[str]], answer: Answer, reader: CsvReader
    ) -> None:
        self._table = table
        self._rows = rows
        self._answer = answer
        self._reader = reader
        self._widest = max(map(len, rows), default=0)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def names(self) -> Sequence[str]:
        return self._table.names

    def column(self, path: FieldPath) -> Sequence[Any]:
        if self._table.is_empty:
            return []
        try:
            index = self._table.column_index(self._reader.column(path), self._widest)
        except BadDataError as error:
            raise _with_excerpt(error, self._answer) from None
        try:
            return [*map(itemgetter(index), self._rows)]
        except IndexError:
            return [row[index] if index < len(row) else TRUNCATED_ROW for row in self._rows]

    def row(self, number: int) -> object:
        return self._rows[number]

    def bad(self, reason: str) -> BadDataError:
        return self._answer.bad(reason)

    def truncation_error(self, row: int) -> BadDataError:
        cells = self._rows[row]
        columns = f"{len(cells)} column{'s' if len(cells) != 1 else ''}"
        return self._answer.bad(
            f"has a row with {columns} only: {','.join(cells)[:80]!r}",
            "where text follows the table, footer is found in its first line",
        )


def _with_excerpt(error: BadDataError, answer: Answer) -> BadDataError:
    return BadDataError(f"{error.message}; it begins: {answer.excerpt()}", hint=error.hint)
