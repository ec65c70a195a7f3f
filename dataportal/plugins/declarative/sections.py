"""Reads tables of several sections: lines that name columns, each followed by rows of its own."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Annotated, Any

from dataportal.errors import BadDataError
from dataportal.plugins.declarative.records import TRUNCATED_ROW, number_if_digits
from dataportal.plugins.parameters import Column, Parameters, Pattern, about
from dataportal.plugins.readers.expressions import ABSENT_FIELD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dataportal.plugins.declarative.records import FieldPath
    from dataportal.plugins.http.response import Answer

SECTION = "section"
"""The field of the name of a row's section."""
_LISTED = 20


class SectionSettings(Parameters):
    """How a file with several tables is laid out."""

    header: Annotated[
        Pattern, about("a regular expression that is found in each line that names columns")
    ]
    rows: Annotated[
        Pattern | None,
        about("one that is found in each line of values (all lines after the first header)"),
    ] = None
    name: Annotated[
        tuple[Column, ...],
        about(
            "the columns whose texts, with blanks between, name the section; then `section` is a "
            "field of each row",
            single=True,
        ),
    ] = ()


class SectionParameters(Parameters):
    """Whether a file has several tables."""

    sections: Annotated[
        SectionSettings | None,
        about(
            "a file with several tables, each with a header: see "
            "[Sections](declarative-layouts.md#sections)"
        ),
    ] = None


class _Section:
    """One table of a file.

    Attributes:
        names: of its columns.
        name: its own; empty if it has none.
    """

    def __init__(self, names: list[str], name: str) -> None:
        self.names = names
        self.name = name


class SectionRecords:
    """The rows of all sections of a file.

    A column of a name is that of each section; rows of sections without it do not have the field.

    Args:
        text: the file.
        delimiter: between cells; None for a comma.
        comment: lines that begin with it are no part of it.
        settings: how it is laid out.
        answer: the answer.

    Raises:
        BadDataError: no line names columns, or one cannot be read.
    """

    def __init__(
        self,
        text: str,
        delimiter: str | None,
        comment: str,
        settings: SectionSettings,
        answer: Answer,
    ) -> None:
        self._answer = answer
        self._settings = settings
        self._sections: list[_Section] = []
        self._rows: list[tuple[_Section, list[str]]] = []
        section: _Section | None = None
        for line, cells in _lines(text, delimiter or ",", comment, answer):
            if settings.header.search(line):
                names = [cell.strip() for cell in cells]
                section = _Section(names, self._name(cells))
                self._sections.append(section)
            elif section is not None and (settings.rows is None or settings.rows.search(line)):
                self._rows.append((section, cells))
        if not self._sections and text.strip():
            raise answer.bad(f"has no line that fits sections.header {settings.header.pattern!r}")

    def _name(self, header: list[str]) -> str:
        """What names a section: the texts of its header in some columns."""
        texts = []
        for column in self._settings.name:
            number = number_if_digits(column)
            if isinstance(number, int) and number <= len(header):
                texts.append(header[number - 1].strip())
            elif isinstance(number, str) and number in header:
                texts.append(number)
        return " ".join(texts)

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, path: FieldPath) -> Sequence[Any]:
        """A field of each row, by the name of its column or its number."""
        if path == SECTION and self._settings.name:
            return [section.name for section, _ in self._rows]
        number = number_if_digits(path)
        indexes: dict[int, int | None] = {}
        for section in self._sections:
            if isinstance(number, int):
                indexes[id(section)] = number - 1
            else:
                count = section.names.count(number)
                if count > 1:
                    raise self._answer.bad(f"has {count} columns {number!r} in a section")
                indexes[id(section)] = section.names.index(number) if count else None
        if self._sections and all(index is None for index in indexes.values()):
            raise self._answer.bad(
                f"has no column {path!r} in any section; {self._section_names()}"
            )
        cells: list[Any] = []
        for section, row in self._rows:
            index = indexes[id(section)]
            if index is None:
                cells.append(ABSENT_FIELD)
            else:
                cells.append(row[index] if index < len(row) else TRUNCATED_ROW)
        return cells

    def _section_names(self) -> str:
        """The sections and their columns, for a message."""
        texts = dict.fromkeys(
            f"{section.name or 'one'} has {', '.join(section.names)}" for section in self._sections
        )
        return "; ".join([*texts][:_LISTED])

    def row(self, number: int) -> object:
        """All that stands in a row, and where."""
        section, cells = self._rows[number]
        return section.name, cells

    def bad(self, reason: str) -> BadDataError:
        """The error that says why these records cannot be used."""
        return self._answer.bad(reason)

    def truncation_error(self, row: int) -> BadDataError:
        """The error for a row that ends too early."""
        section, cells = self._rows[row]
        return self._answer.bad(
            f"has a row with {len(cells)} columns of {len(section.names)} only: "
            f"{','.join(cells)[:80]!r}"
        )


def _lines(
    text: str, delimiter: str, comment: str, answer: Answer
) -> Iterator[tuple[str, list[str]]]:
    """Each line that is not blank, and its cells."""
    for number, raw in enumerate(io.StringIO(text, newline=""), 1):
        line = raw.rstrip("\r\n")
        if not line.strip() or (comment and line.startswith(comment)):
            continue
        try:
            cells = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise BadDataError(f"{answer.name}:{number}: {error}") from None
        yield line, cells
