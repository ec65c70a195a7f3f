"""Tables: drawn by rich on a terminal, aligned by spaces everywhere else."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from dataportal.render.console import decorated, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STYLES = {"good": "green", "bad": "bold red", "doubtful": "yellow", "dim": "dim"}
_GAP = 3  # between two columns on a terminal


@dataclass(slots=True)
class Table:
    """Rows under titles. A title that begins with `>` has its column set to the right.

    `moods` colours the cells of one column: by the cell's text, `good`, `bad`, `doubtful`, `dim`.
    `dispensable` are titles of columns that a terminal too narrow for all leaves out, the first of
    them first.
    """

    titles: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    moods: dict[str, str] = field(default_factory=dict)
    dispensable: Sequence[str] = ()

    def add(self, *cells: str) -> None:
        """One row more; what its cells hold is made harmless."""
        self.rows.append([printable(cell) for cell in cells])

    def within(self, width: int) -> list[int]:
        """The positions of the columns that are shown on so many columns of a terminal."""
        widths = [max(map(len, column)) for column in zip(self.titles, *self.rows, strict=True)]
        shown = list(range(len(widths)))
        for title in self.dispensable:
            if sum(widths[at] + _GAP for at in shown) > width:
                shown.remove(self.titles.index(title))
        return shown


def drawn(table: Table, stream: TextIO | None = None) -> Iterator[str]:
    """The lines of the table, as they suit `stream` (stdout)."""
    stream = stream or sys.stdout
    return _rich(table, stream) if decorated(stream) else _aligned(table)


def _aligned(table: Table) -> Iterator[str]:
    titles = [title.removeprefix(">").upper() for title in table.titles]
    widths = [max(map(len, column)) for column in zip(titles, *table.rows, strict=True)]
    for row in [titles, *table.rows]:
        cells = (
            cell.rjust(width) if title.startswith(">") else cell.ljust(width)
            for cell, width, title in zip(row, widths, table.titles, strict=True)
        )
        yield "  ".join(cells).rstrip()


def _rich(table: Table, stream: TextIO) -> Iterator[str]:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(file=stream)
    shown = table.within(console.width)
    drawing = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for title in (table.titles[at] for at in shown):
        drawing.add_column(
            title.removeprefix(">"),
            justify="right" if title.startswith(">") else "left",
            overflow="fold",
        )
    for row in table.rows:
        cells = (row[at] for at in shown)
        drawing.add_row(*(Text(cell, _STYLES.get(table.moods.get(cell, ""), "")) for cell in cells))
    with console.capture() as capture:
        console.print(drawing)
    yield from capture.get().rstrip("\n").split("\n")
