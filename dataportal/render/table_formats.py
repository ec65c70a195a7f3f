"""Which kind of file of columns is meant, by the name of the file or by an option."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class TableFormat(StrEnum):
    """The kind of a file."""

    PARQUET = "parquet"
    ARROW = "arrow"


_SUFFIXES = {
    ".parquet": TableFormat.PARQUET,
    ".arrow": TableFormat.ARROW,
    ".feather": TableFormat.ARROW,
}


def format_of_name(path: Path) -> TableFormat | None:
    """The kind of file that the ending of a name promises; None for any other ending."""
    return _SUFFIXES.get(path.suffix.lower())


def is_folder_name(path: Path) -> bool:
    """Whether a folder is meant: there is one, or the name has no ending."""
    return path.is_dir() or not path.suffix
