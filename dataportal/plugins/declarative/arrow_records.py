"""Reads Parquet and Arrow files as records, by pyarrow where it is installed.

Formats: https://parquet.apache.org/docs/file-format/ and
https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format (Feather version 2).
"""

from __future__ import annotations

from datetime import UTC
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from dataportal.plugins.declarative.grid_records import GridRecords
from dataportal.plugins.declarative.records import Document, Reader
from dataportal.plugins.http.file_kinds import text_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.plugins.declarative.records import FieldPath, Records
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params

_KINDS = ("a Parquet file", "an Arrow file")


class ArrowReader(Reader):
    """Reads Parquet and Arrow files, whose columns have names: there is nothing to say of them."""

    parameters: ClassVar = ()

    def __init__(self, params: Params, decimal: str) -> None:
        del decimal  # numbers are numbers
        if find_spec("pyarrow") is None:
            params.add_fault(
                "pyarrow is missing, which reads such files: pip install pyarrow", "url"
            )

    @property
    def knows_empty(self) -> bool:
        """A file has no other way than to be empty."""
        return False

    def read(self, answer: Answer) -> Document | None:
        """The table."""
        if answer.file_kind not in _KINDS:
            kind = answer.file_kind or text_kind(answer.body)
            what = "Parquet or Arrow file"
            raise answer.bad(f"is {kind}, not a {what}" if kind else f"is no {what}")
        return _ArrowTable(answer)

    def check_rows(self, rows: str) -> None:
        """All rows of a file are records."""
        if rows:
            raise ValueError("rows is for JSON and XML; of a table filter chooses the rows")

    def check_field(self, path: FieldPath) -> None:
        """A name or a number."""

    def check_document_path(self, path: str) -> None:
        """A table has nothing but rows."""
        raise ValueError(f"{path!r} cannot be looked for in a table; header:NAME can")


class _ArrowTable(Document):
    def read_records(self, rows: str) -> Records:
        del rows
        table = self._table()
        return GridRecords(
            table.column_names,
            table.num_columns,
            table.num_rows,
            lambda index: _cells(table.column(index)),
            self.answer,
            "the file",
        )

    def find(self, path: str) -> Any:
        raise ValueError(f"{path!r} cannot be looked for in a table")

    def _table(self) -> Any:
        import pyarrow as pa
        from pyarrow import ipc, parquet

        source = pa.BufferReader(self.answer.body)
        try:
            if self.answer.file_kind == _KINDS[0]:
                return parquet.read_table(source)
            return ipc.open_file(source).read_all()
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self.answer.bad(
                f"is {self.answer.file_kind} that cannot be read ({error})"
            ) from None


def _cells(column: Any) -> Sequence[Any]:
    """The cells of a column: dates and times as such, decimal numbers as numbers."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.combine_chunks().dictionary_decode()
        kind = column.type
    if pa.types.is_decimal(kind):
        return [None if cell is None else float(cell) for cell in column.to_pylist()]
    if pa.types.is_timestamp(kind):
        # whole microseconds are what a time has
        cells = column.cast(pa.timestamp("us", tz=kind.tz), safe=False).to_pylist()
        if kind.tz is not None:
            return [None if cell is None else cell.astimezone(UTC) for cell in cells]
        return cells  # type: ignore[no-any-return]
    return column.to_pylist()  # type: ignore[no-any-return]
