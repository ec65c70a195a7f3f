"""The common interface of JSON, CSV and XML answers: readers, documents, records, fields."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from dataportal.errors import BadDataError
from dataportal.plugins.declarative.archive_files import ArchiveFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.parameters import Parameters
    from dataportal.plugins.readers.parameters import Params

FieldPath = str | int
"""Where a field stands in a row: a name, an expression or a path; or a number, counted from 1."""

TRUNCATED_ROW: Final = object()
"""Stands for a field of a row that ends before a column that the table has."""

_NUMBER = re.compile(r"[1-9][0-9]{0,4}")


def number_if_digits(path: FieldPath) -> FieldPath:
    """The number of a column if it is written as a text, as the keys of a filter are."""
    return int(path) if isinstance(path, str) and _NUMBER.fullmatch(path) else path


def table_names(records: object) -> Sequence[str]:
    """The names in the header of a table; none of other records."""
    names: Sequence[str] = getattr(records, "names", ())
    return names


class Records(Protocol):
    """Rows of one document, or columns of it."""

    def __len__(self) -> int:
        """The number of rows; of columns, known once one of them was read."""

    def column(self, path: FieldPath) -> Sequence[Any]:
        """The field of each row; `ABSENT_FIELD` or `TRUNCATED_ROW` where a row lacks it.

        Raises:
            BadDataError: no row can have the field.
        """

    def row(self, number: int) -> object:
        """All that stands in a row, to be compared with what stands in another one."""

    def bad(self, reason: str) -> BadDataError:
        """The error that says why these records cannot be used, and shows how they begin."""

    def truncation_error(self, row: int) -> BadDataError:
        """The error for a row that ends too early."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer was asked for.

    Attributes:
        start: the first instant.
        end: the first one no longer.
        fields: the texts of the other fields of the address.
    """

    start: datetime
    end: datetime
    fields: Mapping[str, Any]


class Document(ABC):
    """One answer, or one file of an answer that is an archive.

    Attributes:
        answer: with the unpacked file as its body.
        time: when its file was written, if that is known: a newer one revises an older one.
        asked: what it was asked for, if that is known.
        last: of a file that a list names, the latest time in it, once its points were taken.
        extended: its records with the further fields that a source describes, by their `rows`.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.time: datetime | None = None
        self.asked: Asked | None = None
        self.last: datetime | None = None
        self.extended: dict[str, Records] = {}
        self._records: dict[str, Records] = {}

    @property
    def row_count(self) -> int:
        """The number of rows of all records that were read."""
        return sum(map(len, self._records.values()))

    def records(self, rows: str) -> Records:
        """The records at the path or expression `rows`, which are read once.

        Raises:
            BadDataError: there are none where they should be.
        """
        if rows not in self._records:
            self._records[rows] = self.read_records(rows)
        return self._records[rows]

    @property
    def text(self) -> str:
        """All of it as a text.

        Raises:
            BadDataError: it is none.
        """
        return self.answer.text()

    def parent_fields(self, records: Records, path: str) -> Sequence[Any]:
        """Of each row, what stands at a path in the nearest part of the document around it.

        Raises:
            BadDataError: rows have nothing around them, or nothing has the path.
        """
        raise records.bad(f"has rows with nothing around them, and so no {path!r}")

    @abstractmethod
    def read_records(self, rows: str) -> Records:
        """As `records`, read anew."""

    @abstractmethod
    def find(self, path: str) -> Any:
        """What stands at a path of the whole document; None for nothing.

        Raises:
            ValueError: the path does not fit the document.
        """


class Reader(ABC):
    """Makes documents of answers.

    Args:
        params: the parameters of the source.
        decimal: the decimal sign of its numbers.

    Attributes:
        rows: where the rows are, for each series that does not say it for itself.
        further_fields: the names of fields that rows have beside those that stand in them.
        files: takes the files out of answers.
    """

    rows: str = ""
    further_fields: frozenset[FieldPath] = frozenset()
    files = ArchiveFiles()

    parameters: ClassVar[tuple[type[Parameters], ...]]
    """Structs that declare what it reads."""

    @abstractmethod
    def __init__(self, params: Params, decimal: str) -> None: ...

    def documents(self, answer: Answer) -> list[Document]:
        """The documents of an answer: the files of an archive in order of their names.

        None where the answer, or all of its files, say that there are no data.

        Raises:
            BadDataError: an archive that is empty or cannot be opened; else as `read` does.
        """
        if answer.has_no_content:
            return []
        files = self.files.of(answer)
        documents = []
        for file in files:
            part = answer.part(file.body, file.name, in_utf_8=self.files.are_texts)
            document = self.read(part)
            if document is not None:
                document.time = file.time or answer.written_at
                documents.append(document)
        return documents

    def says_nothing(self, answer: Answer) -> bool:
        """Whether an answer with a status of refusal says that there are no data."""
        try:
            return self.read(answer) is None
        except BadDataError:
            return False

    @property
    @abstractmethod
    def knows_empty(self) -> bool:
        """Whether the source says how an answer without data looks."""

    @abstractmethod
    def read(self, answer: Answer) -> Document | None:
        """The document in a body that is no archive; None if it says that there are no data.

        Raises:
            BadDataError: it is none, or reports an error.
        """

    @abstractmethod
    def check_rows(self, rows: str) -> None:
        """Check that rows can be found by this path or expression.

        Raises:
            ValueError: they cannot.
        """

    @abstractmethod
    def check_field(self, path: FieldPath) -> None:
        """Check that a row can have a field at this path.

        Raises:
            ValueError: it cannot.
        """

    def check_place(self, path: FieldPath) -> None:
        """Check that a row can have a field at this path, or has a further one of that name.

        Raises:
            ValueError: neither.
        """
        if path not in self.further_fields:
            self.check_field(path)

    def check_parent_path(self, path: str) -> None:
        """Check that `Document.parent_fields` can be asked for this path.

        Raises:
            ValueError: it cannot.
        """
        raise ValueError(f"{path!r} cannot be looked for around the rows of a table")

    def check_together(self, paths: Iterable[FieldPath]) -> None:  # noqa: B027 - for most it is so
        """Check that these fields belong together, row by row; those of one row always do.

        Raises:
            ValueError: they do not.
        """

    @abstractmethod
    def check_document_path(self, path: str) -> None:
        """Check that `Document.find` can be asked for this path.

        Raises:
            ValueError: it cannot.
        """
