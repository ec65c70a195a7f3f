"""Takes the beginnings out of cells that name a range: `18:00~19:00`, `01.01.2024 00:00 - …`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dataportal.drafts.rows import Column
from dataportal.drafts.time_columns import guess_times, is_nothing, read_clock

if TYPE_CHECKING:
    from dataportal.drafts.rows import RowSet

_SEPARATORS = (" - ", "~", " to ", " – ", "-", "–", "/")  # noqa: RUF001 - as they are written
_FEWEST = 2


def add_range_starts(rows: RowSet) -> None:
    """Add a further field for each column whose cells are a time, a sign, and a later time."""
    taken = {str(column.place) for column in rows.columns}
    for column in [*rows.columns]:
        texts = column.distinct
        if column.beside is not None or len(texts) < _FEWEST or column.times is not None:
            continue
        separator = next((s for s in _SEPARATORS if all(s in text for text in texts)), None)
        if separator is None:
            continue
        starts, ends = zip(*(text.split(separator, 1) for text in texts), strict=True)
        for read in (guess_times, read_clock):
            first, last = read([s.strip() for s in starts]), read([e.strip(" *") for e in ends])
            if first is None or last is None:
                continue
            name = next(n for n in ("begins", "begins_at", "range_start") if n not in taken)
            taken.add(name)
            sign = re.escape(separator.strip()) if separator.strip() else separator
            pattern = rf"^(.+?)\s*{sign}"
            cells = [
                text if is_nothing(text) else text.split(separator, 1)[0].strip()
                for text in column.texts
            ]
            beside = {"place": column.place, "pattern": pattern}
            rows.columns.append(Column(name, f"start {column.name}", cells, beside))
            break
