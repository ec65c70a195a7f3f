"""JSON, CSV and XML as records: rows whose columns are asked for by name or expression."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol
from xml.etree.ElementTree import Element, ParseError

from dataportal.errors import BadDataError
from dataportal.plugins.readers.expressions import Expression
from dataportal.plugins.readers.tables import Layout, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.plugins.answers import Answer
    from dataportal.plugins.readers.params import Params

ABSENT: Final = object()
"""Stands where a row has no such column at all, which is not the same as no value."""

Place = str | int


class Records(Protocol):
    """Rows, or columns side by side."""

    @property
    def document(self) -> Any:
        """The whole JSON document; None for anything else."""

    def __len__(self) -> int:
        """How many rows."""

    def column(self, place: Place) -> Sequence[Any]:
        """What stands in that place of each row; `ABSENT` where a row lacks it.

        Raises:
            BadDataError: there is no such place in any row.
        """


class JsonReader:
    """Reads JSON, from the parameters of a source.

    - `rows`: finds the list of rows (the document itself). A row is an object or a list.
    - `layout`: `rows`, or `columns` for lists of the same length side by side: then `ts` and
      `value` are expressions that find them in what `rows` finds.
    - `error`: finds what is only there when the answer reports an error.
    """

    def __init__(self, params: Params) -> None:
        self._rows = _expression(params, "rows", "@")
        self._error = _expression(params, "error", "") if params.has("error") else None
        self._side_by_side = params.choice("layout", ("rows", "columns")) == "columns"

    def read(self, body: bytes, answer: Answer) -> Records:
        """The records of a document.

        Raises:
            BadDataError: it is none, reports an error, or holds no rows where they should be.
        """
        document = replace(answer, body=body).json()
        try:
            if self._error is not None and (told := self._error.find(document)):
                raise answer.bad(f"reports an error ({str(told)[:200]})")
            found = self._rows.find(document)
        except ValueError as error:
            raise answer.bad(f"has another shape than expected: {error}") from None
        if self._side_by_side:
            if not isinstance(found, Mapping):
                raise answer.bad(f"has no object at {self._rows.text!r}")
            return _Columns(document, found, answer)
        if found is None and self._rows.text != "@":
            raise answer.bad(f"has no rows at {self._rows.text!r}")
        if not isinstance(found, list):
            raise answer.bad(f"has no list of rows at {self._rows.text!r}")
        return _Rows(document, found, answer)


class _Rows:
    def __init__(self, document: Any, rows: list[Any], answer: Answer) -> None:
        self.document = document
        self._rows = rows
        self._answer = answer

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, place: Place) -> Sequence[Any]:
        if isinstance(place, str) and self._rows:
            named = [
                row.get(place, ABSENT) if isinstance(row, dict) else ABSENT for row in self._rows
            ]
            if any(value is not ABSENT for value in named):
                return named
        expression = Expression(place)
        try:
            found = [expression.find(row) for row in self._rows]
        except ValueError as error:
            raise self._answer.bad(f"has rows of another shape than expected: {error}") from None
        if self._rows and all(value is None for value in found):
            raise self._answer.bad(f"has nothing at {place!r} in any of its {len(found)} rows")
        return found


class _Columns:
    def __init__(self, document: Any, found: Mapping[str, Any], answer: Answer) -> None:
        self.document = document
        self._found = found
        self._answer = answer
        self._length: int | None = None

    def __len__(self) -> int:
        return self._length or 0

    def column(self, place: Place) -> Sequence[Any]:
        try:
            column = self._found.get(str(place)) or Expression(place).find(self._found)
        except ValueError as error:
            raise self._answer.bad(f"has another shape than expected: {error}") from None
        if not isinstance(column, list):
            raise self._answer.bad(f"has no list at {place!r}")
        if self._length is None:
            self._length = len(column)
        elif len(column) != self._length:
            raise self._answer.bad(
                f"has {len(column)} items at {place!r}, and {self._length} in another list"
            )
        return column


class CsvReader:
    """Reads tables of text, from the parameters of a source.

    - `delimiter` (found out), `header` (true), `skip_rows` (0), `comment`, `encoding`.
    """

    def __init__(self, params: Params, decimal: str) -> None:
        delimiter = params.text("delimiter")
        delimiter = {"tab": "\t"}.get(delimiter, delimiter)
        if len(delimiter) > 1:
            params.fault(f"delimiter must be one character, or tab, not {delimiter!r}")
        self._layout = Layout(
            delimiter=delimiter or None,
            header=params.flag("header", default=True),
            skip_rows=params.whole("skip_rows"),
            comment=params.text("comment"),
            decimal=decimal,
        )
        self._encoding = params.text("encoding") or None

    def read(self, body: bytes, answer: Answer) -> Records:
        """The records of a table.

        Raises:
            BadDataError: it is none, or a row is too short.
        """
        if answer.is_page:
            raise answer.bad("is a page of HTML, not a table")
        text = replace(answer, body=body).text(self._encoding)
        table = Table(io.StringIO(text, newline=""), self._layout, answer.url)
        return _Cells(table)


class _Cells:
    document = None

    def __init__(self, table: Table) -> None:
        self._table = table
        self._rows = [] if table.is_empty else list(table.rows(1))

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, place: Place) -> Sequence[Any]:
        if not self._rows:
            return []
        at = self._table.column(place)
        for row in self._rows:
            if len(row) <= at:
                raise BadDataError(
                    f"{self._table.name} has a row of {len(row)} columns, at least {at + 1} are "
                    f"needed: {','.join(row)[:200]}"
                )
        return [row[at] for row in self._rows]


class XmlReader:
    """Reads XML, from the parameters of a source.

    - `rows`: an XPath that finds the elements that are rows, such as `.//item`.
    - `error`: an XPath that finds what is only there when the answer reports an error.

    Places in a row are paths too: `time`, `price/@amount`, `@date`, `.` for the row's own text.
    Namespaces are left out of account. Entities and DTDs are refused.
    """

    def __init__(self, params: Params) -> None:
        self._rows = params.text("rows", required=True)
        self._error = params.text("error")
        for path in filter(None, (self._rows, self._error)):
            try:
                Element("x").findall(path)
            except (SyntaxError, KeyError) as error:
                params.fault(f"{path!r} is no XPath that can be used ({error})")

    def read(self, body: bytes, answer: Answer) -> Records:
        """The records of a document.

        Raises:
            BadDataError: it is no XML, reports an error, or holds no such rows.
        """
        from defusedxml import ElementTree
        from defusedxml.common import DefusedXmlException

        if answer.is_page:
            raise answer.bad("is a page of HTML, not XML")
        try:
            root = ElementTree.fromstring(body)
        except ParseError as error:
            raise answer.bad(f"is not XML ({error})") from None
        except (DefusedXmlException, ValueError, LookupError) as error:
            raise answer.bad(f"is XML that is not read ({type(error).__name__})") from None
        for element in root.iter():
            if isinstance(element.tag, str):
                element.tag = element.tag.rpartition("}")[2]
        if self._error and (told := root.find(self._error)) is not None:
            raise answer.bad(f"reports an error ({' '.join(told.itertext()).strip()[:200]})")
        return _Elements(root.findall(self._rows), answer)


class _Elements:
    document = None

    def __init__(self, rows: list[Element], answer: Answer) -> None:
        self._rows = rows
        self._answer = answer

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, place: Place) -> Sequence[Any]:
        path, _, attribute = str(place).partition("@")
        path = path.rstrip("/") or "."
        found = [_text(row.find(path), attribute) for row in self._rows]
        if self._rows and all(value is ABSENT for value in found):
            raise self._answer.bad(f"has nothing at {place!r} in any of its {len(found)} rows")
        return found


def _text(element: Element | None, attribute: str) -> object:
    if element is None:
        return ABSENT
    if attribute:
        return element.get(attribute, ABSENT)
    return (element.text or "").strip()


def _expression(params: Params, name: str, default: str) -> Expression:
    try:
        return Expression(params.text(name, default))
    except ValueError as error:
        params.fault(f"{name}: {error}")
        return Expression("@")
