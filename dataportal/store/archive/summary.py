"""What a file of series amounts to, counted while its rows pass by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataportal.store.archive.format import Series, Version

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from datetime import datetime

    from dataportal.store.archive.format import Row, Vintage


@dataclass(slots=True)
class Part:
    """What a file holds of one series.

    Attributes:
        series: its line.
        inserted: versions before which nothing was known of the observation.
        revised: versions that took the place of another one.
        retracted: versions that ended without another one.
        vintages: publications.
        first, last: the range of ts.
        known: the last knowledge time in it.
        run_id: the run that its versions name in the database that they were restored into.
    """

    series: Series
    inserted: int = 0
    revised: int = 0
    retracted: int = 0
    vintages: int = 0
    first: datetime | None = None
    last: datetime | None = None
    known: datetime | None = None
    run_id: int | None = None
    _open: Version | None = field(default=None, repr=False)

    @property
    def versions(self) -> int:
        """How many there are."""
        return self.inserted + self.revised

    def add(self, row: Version | Vintage) -> None:
        """Take another line into account."""
        self.first = self.first or row.ts
        self.last = max(self.last or row.ts, row.ts)
        if isinstance(row, Version):
            self._know(max(row.valid_from, row.valid_to or row.valid_from))
            before = self._open
            if before and before.ts == row.ts and before.valid_to == row.valid_from:
                self.revised += 1
                self.retracted -= 1
            else:
                self.inserted += 1
            self.retracted += row.valid_to is not None
            self._open = row
        else:
            self._know(row.recorded_at)
            self.vintages += 1

    def _know(self, at: datetime) -> None:
        self.known = max(self.known or at, at)


def counted(rows: Iterable[Row], parts: list[Part]) -> Generator[Row]:
    """The same rows; those of each series are added up in a part of its own."""
    for row in rows:
        if isinstance(row, Series):
            parts.append(Part(row))
        else:
            parts[-1].add(row)
        yield row
