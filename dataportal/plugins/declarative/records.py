"""What JSON, tables and XML have in common once they are read: rows, and places in them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.errors import BadDataError
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params

Place = str | int
_NUMBER = re.compile(r"[1-9][0-9]{0,4}")

CUT: Final = object()
"""Stands where a row ends before a column that the table has."""


def numbered(place: Place) -> Place:
    """The number of a column, where a filter names it by a text as it must; else as it is."""
    return int(place) if isinstance(place, str) and _NUMBER.fullmatch(place) else place


class Records(Protocol):
    """Rows, or columns side by side."""

    def __len__(self) -> int:
        """How many rows; of columns side by side, once one was looked at."""

    def column(self, place: Place) -> Sequence[Any]:
        """What stands in that place of each row; `ABSENT` or `CUT` where a row lacks it.

        Raises:
            BadDataError: it is known that no row can have it.
        """

    def bad(self, reason: str) -> BadDataError:
        """The error that says why these records cannot be used, and shows how they begin."""

    def cut(self, row: int) -> BadDataError:
        """The error for a row that ends too early."""


class Document(ABC):
    """One answer, or one file of an answer that is an archive.

    Attributes:
        answer: with the unpacked file as its body.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self._records: dict[str, Records] = {}

    @property
    def rows(self) -> int:
        """How many rows the records have that were asked for."""
        return sum(map(len, self._records.values()))

    def records(self, rows: str) -> Records:
        """The records that `rows` finds.

        Raises:
            BadDataError: there are none where they should be.
        """
        if rows not in self._records:
            self._records[rows] = self.cut_out(rows)
        return self._records[rows]

    @abstractmethod
    def cut_out(self, rows: str) -> Records:
        """As `records`, anew."""

    @abstractmethod
    def find(self, place: str) -> Any:
        """What stands anywhere in the document; None for nothing.

        Raises:
            ValueError: the place does not fit the document.
        """


class Reader(ABC):
    """Makes documents of answers.

    Args:
        params: the parameters of the source.
        decimal: the decimal sign of its numbers.

    Attributes:
        rows: where the rows are, unless a series says it for itself.
    """

    rows: str = ""

    @abstractmethod
    def __init__(self, params: Params, decimal: str) -> None: ...

    @abstractmethod
    def read(self, answer: Answer) -> Document:
        """The document.

        Raises:
            BadDataError: it is none, or reports an error.
        """

    @abstractmethod
    def check_rows(self, rows: str) -> None:
        """Whether rows can be found by this.

        Raises:
            ValueError: they cannot.
        """

    @abstractmethod
    def check_place(self, place: Place) -> None:
        """Whether a row can have such a place.

        Raises:
            ValueError: it cannot.
        """

    @abstractmethod
    def check_find(self, place: str) -> None:
        """Whether anything can be found by this, anywhere in a document.

        Raises:
            ValueError: it cannot.
        """
