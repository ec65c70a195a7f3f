"""Tables of text as records: rows, and columns by their name or number."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from dataportal.errors import BadDataError
from dataportal.plugins.declarative.records import CUT, Document, Reader, numbered
from dataportal.plugins.readers.table_parameters import encoding, layout
from dataportal.plugins.readers.tables import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.plugins.declarative.records import Place, Records
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params

_LOOKED_AT = 2000  # characters in which an answer says that it is an error


class CsvReader(Reader):
    """Reads tables of text, from the parameters of a source.

    - `delimiter` (found out), `header` (true), `skip_rows` (0), `comment`, `encoding`.
    - `error`: a regular expression that is found in the beginning of an answer only when it reports
      an error.
    """

    def __init__(self, params: Params, decimal: str) -> None:
        self._layout = layout(params, decimal)
        self._encoding = encoding(params) or None
        self._error: re.Pattern[str] | None = None
        try:
            self._error = re.compile(params.text("error")) if params.has("error") else None
        except re.error as error:
            params.fault(f"error is no regular expression ({error})")

    def read(self, answer: Answer) -> Document:
        """The table, if it is none that reports an error."""
        if answer.is_page:
            raise answer.bad("is a page of HTML, not a table")
        text = answer.text(self._encoding)
        if self._error is not None and (told := self._error.search(text[:_LOOKED_AT])):
            raise answer.bad(f"reports an error ({' '.join(told[0].split())})")
        return _TableDocument(answer, text, self)

    def table(self, text: str, name: str) -> Table:
        """The text as a table."""
        return Table(io.StringIO(text, newline=""), self._layout, name)

    def column(self, place: Place) -> Place:
        """A column's name, or its number where columns have no names."""
        return place if self._layout.header else numbered(place)

    def check_rows(self, rows: str) -> None:
        """All rows of a table are rows."""
        if rows:
            raise ValueError("rows is for JSON and XML; of a table filter chooses the rows")

    def check_place(self, place: Place) -> None:
        """A name needs a header to stand in; without one a number may be written as a text."""
        if isinstance(self.column(place), str) and not self._layout.header:
            raise ValueError(f"without a header a column has no name, such as {place!r}")

    def check_find(self, place: str) -> None:
        """Nothing but rows can be found in a table."""
        raise ValueError(f"{place!r} cannot be looked for in a table; header:NAME can")


class _TableDocument(Document):
    def __init__(self, answer: Answer, text: str, reader: CsvReader) -> None:
        super().__init__(answer)
        self._text = text
        self._reader = reader

    def cut_out(self, rows: str) -> Records:
        del rows
        try:
            table = self._reader.table(self._text, self.answer.url)
            rows_of_all = [] if table.is_empty else list(table.rows(1))
            return _Cells(table, rows_of_all, self.answer, self._reader)
        except BadDataError as error:
            raise _with_excerpt(error, self.answer) from None

    def find(self, place: str) -> Any:
        raise ValueError(f"{place!r} cannot be looked for in a table")


class _Cells:
    def __init__(
        self, table: Table, rows: list[list[str]], answer: Answer, reader: CsvReader
    ) -> None:
        self._table = table
        self._rows = rows
        self._answer = answer
        self._reader = reader

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, place: Place) -> Sequence[Any]:
        if self._table.is_empty:
            return []
        widest = max(map(len, self._rows), default=0)
        try:
            at = self._table.column(self._reader.column(place), widest)
        except BadDataError as error:
            raise _with_excerpt(error, self._answer) from None
        return [row[at] if at < len(row) else CUT for row in self._rows]

    def bad(self, reason: str) -> BadDataError:
        return self._answer.bad(reason)

    def cut(self, row: int) -> BadDataError:
        cells = self._rows[row]
        columns = f"{len(cells)} column{'s' if len(cells) != 1 else ''}"
        return self._answer.bad(f"has a row with {columns} only: {','.join(cells)[:80]!r}")


def _with_excerpt(error: BadDataError, answer: Answer) -> BadDataError:
    return BadDataError(f"{error.message}; it begins: {answer.excerpt()}", hint=error.hint)
