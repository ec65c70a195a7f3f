"""Writes CSV for spreadsheets and programs: exact numbers, times in UTC, no formulas."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from dataportal.redaction import harmless
from dataportal.render.formatting import format_number
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Cell = str | float | datetime | None


def csv_lines(titles: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The lines of a CSV file with a header, without line ends.

    Numbers read back exactly, times are ISO 8601 in UTC, nothing is an empty cell; a text that a
    spreadsheet would take for a formula gets an apostrophe in front.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="")
    for row in chain([titles], rows):
        writer.writerow([_cell_text(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def csv_blocks(titles: Sequence[str], first: str, blocks: Iterable[str]) -> Iterator[str]:
    """The same file from rows that are CSV already, many to a block, but for their first cell.

    As long as nothing but that cell may be a text, a block need not be taken apart.

    Args:
        titles: the header.
        first: the first cell of every row.
        blocks: lines of CSV without that cell and without the last line end.
    """
    header, cell = csv_lines(titles, [[first]])
    yield header
    for block in blocks:
        yield f"{cell},{block}".replace("\n", f"\n{cell},")


def _cell_text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        text = harmless(cell)
        return f"'{text}" if cell.startswith(_FORMULA_STARTS) else text
    return iso(cell) if isinstance(cell, datetime) else format_number(cell)
