"""Draws tables: by rich on a terminal, as columns aligned by spaces everywhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from dataportal.render.console import printable, supports_escape_codes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STYLES = {"good": "green", "bad": "bold red", "doubtful": "yellow", "dim": "dim"}
_GAP = 3  # between two columns on a terminal
_FOLDED = 25  # what a column of sentences has at least


@dataclass(slots=True)
class Table:
    """Rows of text under titles. A title that begins with `>` has its column set to the right.

    `moods` colours the cells of one column: by the cell's text, `good`, `bad`, `doubtful`, `dim`.
    `dispensable` are titles of columns that a terminal too narrow for all leaves out, the first of
    them first. `folding` is the title of a column of sentences, which may take several lines.
    """

    titles: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    moods: dict[str, str] = field(default_factory=dict)
    dispensable: Sequence[str] = ()
    folding: str | None = None

    def add(self, *cells: str) -> None:
        """Add a row; secrets and control characters in its cells are masked."""
        self.rows.append([printable(cell) for cell in cells])

    def lines(self, stream: TextIO) -> Iterator[str]:
        """The drawn table, as it suits the stream."""
        return _rich_lines(self, stream) if supports_escape_codes(stream) else _plain_lines(self)

    def columns_within(self, width: int) -> list[int]:
        """The positions of the columns to show on a terminal of `width` characters."""
        widths = [max(map(len, cells)) for cells in zip(self.titles, *self.rows, strict=True)]
        names = [title.removeprefix(">") for title in self.titles]
        if self.folding is not None:
            column = names.index(self.folding)
            widths[column] = min(widths[column], _FOLDED)
        columns = list(range(len(widths)))
        for title in self.dispensable:
            if sum(widths[column] + _GAP for column in columns) > width:
                columns.remove(names.index(title.removeprefix(">")))
        return columns


def _plain_lines(table: Table) -> Iterator[str]:
    titles = [title.removeprefix(">").upper() for title in table.titles]
    widths = [max(map(len, cells)) for cells in zip(titles, *table.rows, strict=True)]
    for row in [titles, *table.rows]:
        cells = (
            cell.rjust(width) if title.startswith(">") else cell.ljust(width)
            for cell, width, title in zip(row, widths, table.titles, strict=True)
        )
        yield "  ".join(cells).rstrip()


def _rich_lines(table: Table, stream: TextIO) -> Iterator[str]:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(file=stream)
    columns = table.columns_within(console.width)
    drawing = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for title in (table.titles[column] for column in columns):
        drawing.add_column(
            title.removeprefix(">"),
            justify="right" if title.startswith(">") else "left",
            overflow="fold",
        )
    for row in table.rows:
        cells = (row[column] for column in columns)
        drawing.add_row(*(Text(cell, _STYLES.get(table.moods.get(cell, ""), "")) for cell in cells))
    with console.capture() as capture:
        console.print(drawing)
    yield from capture.get().rstrip("\n").split("\n")
