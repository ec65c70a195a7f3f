"""JSON as records: a list of objects or of lists, or lists side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataportal.plugins.declarative.records import Document, Reader, numbered
from dataportal.plugins.readers.expressions import ABSENT, Expression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.errors import BadDataError
    from dataportal.plugins.declarative.records import Place, Records
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params

_SIGNS = re.compile(r"[\[\]{}|?@`()&*]")  # of an expression; a name may have blanks and dots
_SHOWN = 200


class JsonReader(Reader):
    """Reads JSON, from the parameters of a source.

    - `rows`: finds the list of rows (the document itself). A row is an object or a list.
    - `layout`: `rows`, or `columns` for lists of the same length side by side: then `ts` and
      `value` are expressions that find them in what `rows` finds.
    - `error`: finds what is only there when the answer reports an error.
    """

    def __init__(self, params: Params, decimal: str) -> None:
        del decimal  # JSON has a decimal sign of its own
        self.rows = params.text("rows", "@")
        self._error: Expression | None = None
        for name, text in (("rows", self.rows), ("error", params.text("error"))):
            try:
                if text:
                    found = Expression(text)
                    self._error = found if name == "error" else None
            except ValueError as error:
                params.fault(f"{name}: {error}")
        self._side_by_side = params.choice("layout", ("rows", "columns")) == "columns"

    def read(self, answer: Answer) -> Document:
        """The document, if it reports no error."""
        content = answer.json()
        told = None
        if self._error is not None:
            try:
                told = self._error.find(content)
            except ValueError as error:
                raise answer.bad(f"has another shape than expected: {error}") from None
        if told is not ABSENT and told:
            raise answer.bad(f"reports an error ({_line(told)})")
        return _JsonDocument(answer, content, side_by_side=self._side_by_side)

    def check_rows(self, rows: str) -> None:
        """An expression."""
        Expression(rows)

    def check_place(self, place: Place) -> None:
        """A name may be anything; with the signs of an expression it must be one."""
        if isinstance(place, str) and _SIGNS.search(place):
            Expression(place)

    def check_find(self, place: str) -> None:
        """An expression."""
        Expression(place)


class _JsonDocument(Document):
    def __init__(self, answer: Answer, content: Any, *, side_by_side: bool) -> None:
        super().__init__(answer)
        self._content = content
        self._side_by_side = side_by_side

    def cut_out(self, rows: str) -> Records:
        try:
            found = Expression(rows).find(self._content)
        except ValueError as error:
            raise self.answer.bad(f"has another shape than expected: {error}") from None
        if self._side_by_side:
            if not isinstance(found, Mapping):
                raise self.answer.bad(f"has no object at {rows!r}")
            return _Columns(found, self.answer)
        if not isinstance(found, list):
            raise self.answer.bad(f"has no list of rows at {rows!r}")
        return _Rows(found, self.answer)

    def find(self, place: str) -> Any:
        found = Expression(place).find(self._content)
        return None if found is ABSENT else found


class _Rows:
    def __init__(self, rows: list[Any], answer: Answer) -> None:
        self._rows = rows
        self._answer = answer

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, place: Place) -> Sequence[Any]:
        if isinstance(place, str):
            named = [
                row.get(place, ABSENT) if isinstance(row, dict) else ABSENT for row in self._rows
            ]
            if any(value is not ABSENT for value in named):
                return named
        try:
            expression = Expression(numbered(place))
        except ValueError:
            return [ABSENT] * len(self._rows)  # a name that no row has
        try:
            return [expression.find(row) for row in self._rows]
        except ValueError as error:
            raise self._answer.bad(f"has rows of another shape than expected: {error}") from None

    def bad(self, reason: str) -> BadDataError:
        return self._answer.bad(reason)

    def cut(self, row: int) -> BadDataError:
        return self._answer.bad(f"has a row {row + 1} that is too short")


class _Columns:
    def __init__(self, found: Mapping[str, Any], answer: Answer) -> None:
        self._found = found
        self._answer = answer
        self._length: int | None = None

    def __len__(self) -> int:
        return self._length or 0

    def column(self, place: Place) -> Sequence[Any]:
        name = str(place)
        try:
            column = (
                self._found[name] if name in self._found else Expression(name).find(self._found)
            )
        except ValueError as error:
            raise self._answer.bad(f"has another shape than expected: {error}") from None
        if not isinstance(column, list):
            raise self._answer.bad(f"has no list at {name!r}")
        if self._length is None:
            self._length = len(column)
        elif len(column) != self._length:
            raise self._answer.bad(
                f"has {len(column)} items at {name!r}, and {self._length} in another list"
            )
        return column

    def bad(self, reason: str) -> BadDataError:
        return self._answer.bad(reason)

    def cut(self, row: int) -> BadDataError:
        return self._answer.bad(f"has lists that end before item {row + 1}")


def _line(told: object) -> str:
    return " ".join(str(told).split())[:_SHOWN]
