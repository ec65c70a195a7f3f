"""Formats of answers about series, by an option or by the name of a file."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class TableFormat(StrEnum):
    """The kind of a file."""

    PARQUET = "parquet"
    ARROW = "arrow"


class AnswerFormat(StrEnum):
    """How an answer about series is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    ARROW = "arrow"

    @property
    def table_format(self) -> TableFormat | None:
        """The kind of file that is written of columns; None for what is lines."""
        return TableFormat(self) if self in {AnswerFormat.PARQUET, AnswerFormat.ARROW} else None


_SUFFIXES = {
    ".parquet": TableFormat.PARQUET,
    ".arrow": TableFormat.ARROW,
    ".feather": TableFormat.ARROW,
}


def format_of_name(path: Path) -> TableFormat | None:
    """The kind of file that the ending of a name promises; None for any other ending."""
    return _SUFFIXES.get(path.suffix.lower())


def answer_format_of_name(path: Path | None) -> AnswerFormat:
    """The format that the name of a file asks for; for people where there is none."""
    table_format = format_of_name(path) if path else None
    if table_format is not None:
        return AnswerFormat(table_format)
    suffix = path.suffix.lower().removeprefix(".") if path else ""
    return AnswerFormat(suffix) if suffix in set(AnswerFormat) else AnswerFormat.TABLE


def is_folder_name(path: Path) -> bool:
    """Whether a folder is meant: there is one, or the name has no ending."""
    return path.is_dir() or not path.suffix
