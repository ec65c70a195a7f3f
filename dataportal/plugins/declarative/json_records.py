"""Reads JSON as records: a list of objects or of lists, or lists that are columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from dataportal.plugins.declarative.cubes import OF_JSON
from dataportal.plugins.declarative.json_containers import containers, first_in
from dataportal.plugins.declarative.json_stat import JsonStatCube
from dataportal.plugins.declarative.keyed_members import LIST, keyed_members
from dataportal.plugins.declarative.point_parameters import PointParameters
from dataportal.plugins.declarative.records import Document, Reader, number_if_digits
from dataportal.plugins.declarative.sdmx_json import sdmx_json_cube
from dataportal.plugins.declarative.templates import field_names
from dataportal.plugins.parameters import Parameters, about, one_of, written_as
from dataportal.plugins.readers.column_origins import check_columns, count_items
from dataportal.plugins.readers.expressions import ABSENT_FIELD, Expression
from dataportal.plugins.readers.table_parameters import EncodingParameters, text_encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dataportal.errors import BadDataError
    from dataportal.plugins.declarative.records import FieldPath, Records
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params

_OPERATORS = re.compile(r"[\[\]{}|?@`()&*]")  # of an expression; a name may have blanks and dots
_SHOWN = 200


def _expression(text: str) -> Expression | None:
    return Expression(text) if text else None


class JsonParameters(Parameters):
    """Where the rows are in JSON."""

    rows: Annotated[
        str,
        about(
            "where the rows are: a [JMESPath](https://jmespath.org) expression, such as "
            "`data.items`, or `[current]` for an object that is the only row; of XML an "
            "[XPath](https://docs.python.org/3/library/xml.etree.elementtree.html"
            "#supported-xpath-syntax), prefixes left out (the document itself)",
            aliases=("data_selector",),
        ),
    ] = "@"
    by: Annotated[
        tuple[str, ...],
        about(
            "of JSON, where `rows` finds an object: names for its keys, and for those of the "
            "objects in it, which lead to a row, see "
            "[Objects by key](declarative-layouts.md#objects-by-key)",
            examples=("day",),
            single=True,
        ),
    ] = ()
    layout: Annotated[
        str,
        one_of(("rows", "columns", *OF_JSON)),
        about(
            "of JSON: `rows`, or `columns` for lists side by side, also those of an object whose "
            "keys are times: `keys(rates)`, `rates.*.USD`; or `json-stat`, `sdmx-json`, of XML "
            "`sdmx-ml`, see [Cubes](declarative-layouts.md#cubes); of tables `wide`, see "
            "[Times as columns](declarative-layouts.md#times-as-columns) (rows)"
        ),
    ] = "rows"
    error: Annotated[
        Expression | None,
        written_as(_expression),
        about(
            "an expression or XPath, for tables a regular expression, that finds something only if "
            "the answer reports an error"
        ),
    ] = None
    empty: Annotated[
        Expression | None,
        written_as(_expression),
        about(
            "the same, for an answer (or a file of an archive, or one under 400 or 404) that says "
            "that there are no data; looked for before `error`"
        ),
    ] = None


class JsonReader(Reader):
    """Reads JSON, from the parameters of a source.

    A row is an object or a list. With `columns` the expressions `ts` and `value` find lists of the
    same length in what `rows` finds; in a cube observations are found by the codes of their
    dimensions, and `ts` names the dimension of time, if it is not told by itself.
    """

    parameters: ClassVar = (JsonParameters, EncodingParameters)

    def __init__(self, params: Params, decimal: str) -> None:
        del decimal  # JSON has a decimal sign of its own
        json = params.read(JsonParameters)
        self.rows, self._empty, self._error = json.rows, json.empty, json.error
        try:
            # what is in braces is filled in for each series
            if not field_names(self.rows):
                Expression(self.rows)
        except ValueError as error:
            params.add_fault(f"rows: {error}")
        self._encoding = text_encoding(params)
        self._layout = json.layout
        self._is_columnar = self._layout == "columns"
        self._by = json.by
        names = [name for name in json.by if name != LIST]
        if json.by and self._layout != "rows":
            params.add_fault(f"by does not go with layout: {self._layout}", "by")
        if json.by and not names:
            params.add_fault("by must name a key: rows takes lists alone as they are", "by")
        if "" in names or len({*names}) < len(names):
            params.add_fault("by must be names, each of them once", "by")
        times = params.read(PointParameters).ts
        self._times = [*map(str, times)] if self._layout in OF_JSON else []

    @property
    def knows_empty(self) -> bool:
        """Whether there is an expression for it."""
        return self._empty is not None

    def read(self, answer: Answer) -> Document | None:
        """The document, unless it reports an error or says that there are no data."""
        content = answer.json(encoding=self._encoding or None)
        # nothing, null and false are not found
        if self._empty is not None and _find(self._empty, content, answer):
            return None
        reported = None if self._error is None else _find(self._error, content, answer)
        if reported:
            raise answer.bad(f"reports an error ({' '.join(str(reported).split())[:_SHOWN]})")
        if self._layout in OF_JSON:
            return _JsonCubes(answer, content, self._layout, self._times)
        return _JsonDocument(answer, content, is_columnar=self._is_columnar, by=self._by)

    def check_rows(self, rows: str) -> None:
        """An expression."""
        Expression(rows)

    def check_field(self, path: FieldPath) -> None:
        """Any name; what has an operator of JMESPath in it must be an expression."""
        if isinstance(path, str) and path not in self._by and _OPERATORS.search(path):
            Expression(path)

    def check_together(self, paths: Iterable[FieldPath]) -> None:
        """Columns must not be in the order of different objects' members."""
        if self._is_columnar:
            check_columns(map(str, paths))

    def check_parent_path(self, path: str) -> None:
        """An expression."""
        Expression(path)

    def check_document_path(self, path: str) -> None:
        """An expression."""
        Expression(path)


def _find(expression: Expression, content: Any, answer: Answer) -> Any:
    try:
        value = expression.find(content)
    except ValueError as error:
        raise answer.bad(f"has another shape than expected: {error}") from None
    return None if value is ABSENT_FIELD else value


class _JsonDocument(Document):
    def __init__(
        self, answer: Answer, content: Any, *, is_columnar: bool, by: tuple[str, ...] = ()
    ) -> None:
        super().__init__(answer)
        self._content = content
        self._is_columnar = is_columnar
        self._by = by

    def read_records(self, rows: str) -> Records:
        try:
            part = Expression(rows).find(self._content)
        except ValueError as error:
            raise self.answer.bad(f"has another shape than expected: {error}") from None
        if self._is_columnar:
            if not isinstance(part, Mapping):
                raise self.answer.bad(f"has no object at {rows!r}")
            return _JsonColumns(part, self.answer)
        if self._by:
            members = keyed_members(part, self._by, rows, self.answer)
            return _JsonRows(members.rows, self.answer, members.columns)
        if not isinstance(part, list):
            raise self.answer.bad(f"has no list of rows at {rows!r}")
        return _JsonRows(part, self.answer)

    def find(self, path: str) -> Any:
        value = Expression(path).find(self._content)
        return None if value is ABSENT_FIELD else value

    def parent_fields(self, records: Records, path: str) -> Sequence[Any]:
        rows = (
            records.parts
            if isinstance(records, _JsonRows)
            else [records.row(number) for number in range(len(records))]
        )
        chains = containers(self._content, rows)
        if chains is None:
            raise self.answer.bad(
                "has rows that are no parts of it as they stand, so that nothing is around them"
            )
        expression = Expression(path)
        known: dict[int, Any] = {}
        fields: list[Any] = []
        for chain in chains:
            key = id(chain)
            if key not in known:
                known[key] = first_in(chain, expression)
            fields.append(known[key])
        if fields and all(field is ABSENT_FIELD for field in fields):
            raise self.answer.bad(f"has no {path!r} around its rows")
        return fields


class _JsonCubes(_JsonDocument):
    """A document whose parts are cubes."""

    def __init__(self, answer: Answer, content: Any, layout: str, times: Sequence[str]) -> None:
        super().__init__(answer, content, is_columnar=False)
        self._layout = layout
        self._times = times

    def read_records(self, rows: str) -> Records:
        # cubes are no longer records of rows, and only asked for those of a series
        part = self.find(rows)
        cube: Any
        if self._layout == "json-stat":
            cube = JsonStatCube(part, self._times, self.answer)
        else:
            cube = sdmx_json_cube(part, self._times, self.answer)
        return cube  # type: ignore[no-any-return]


class _JsonRows:
    """Rows that are parts of the document, and what each has beside it.

    Attributes:
        parts: of the document.
    """

    def __init__(
        self, rows: list[Any], answer: Answer, beside: Mapping[str, list[str]] | None = None
    ) -> None:
        self.parts = self._rows = rows
        self._answer = answer
        self._beside = beside or {}

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, path: FieldPath) -> Sequence[Any]:
        if isinstance(path, str):
            if path in self._beside:
                return self._beside[path]
            by_name = [
                row.get(path, ABSENT_FIELD) if isinstance(row, dict) else ABSENT_FIELD
                for row in self._rows
            ]
            if any(value is not ABSENT_FIELD for value in by_name):
                return by_name
        try:
            expression = Expression(number_if_digits(path))
        except ValueError:
            return [ABSENT_FIELD] * len(self._rows)  # a name that no row has
        try:
            return [expression.find(row) for row in self._rows]
        except ValueError as error:
            raise self._answer.bad(f"has rows of another shape than expected: {error}") from None

    def row(self, number: int) -> object:
        row = self._rows[number]
        return [*(keys[number] for keys in self._beside.values()), row] if self._beside else row

    def bad(self, reason: str) -> BadDataError:
        return self._answer.bad(reason)

    def truncation_error(self, row: int) -> BadDataError:
        return self._answer.bad(f"has a row {row + 1} that is too short")


class _JsonColumns:
    def __init__(self, columns: Mapping[str, Any], answer: Answer) -> None:
        self._columns = columns
        self._answer = answer
        self._length: int | None = None

    def __len__(self) -> int:
        return self._length or 0

    def column(self, path: FieldPath) -> Sequence[Any]:
        name = str(path)
        try:
            column = (
                self._columns[name]
                if name in self._columns
                else Expression(name).find(self._columns)
            )
        except ValueError as error:
            raise self._answer.bad(f"has another shape than expected: {error}") from None
        if not isinstance(column, list):
            raise self._answer.bad(f"has no list at {name!r}")
        count = None if name in self._columns else count_items(name, self._columns)
        if count is not None and count != len(column):
            raise self._answer.bad(
                f"has {count} items at {name!r}, and nothing in {count - len(column)} of them, so "
                "that nobody knows what stands beside the others",
                "where they are members of an object, by takes them one by one",
            )
        if self._length is None:
            self._length = len(column)
        elif len(column) != self._length:
            raise self._answer.bad(
                f"has {len(column)} items at {name!r}, and {self._length} in another list"
            )
        return column

    def row(self, number: int) -> object:
        return [
            column[number]
            for column in self._columns.values()
            if isinstance(column, list) and len(column) == self._length
        ]

    def bad(self, reason: str) -> BadDataError:
        return self._answer.bad(reason)

    def truncation_error(self, row: int) -> BadDataError:
        return self._answer.bad(f"has lists that end before item {row + 1}")
