"""Reads a table whose columns are times as rows: each cell with the header of its column."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dataportal.drafts.grids import header_numbers, month_headers, time_headers
from dataportal.drafts.rows import Column, style_of
from dataportal.drafts.time_columns import text_of
from dataportal.plugins.declarative.wide_records import CELL_FIELD, HEADER_FIELD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.drafts.rows import RowSet

_MONTHS = r"(?i)^(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"


def wide_row_set(table: RowSet) -> RowSet | None:
    """The cells under headers that are times, numbers of intervals or months; None without any."""
    if table.params.get("header") is False or "sections" in table.params:
        return None
    names = [column.name for column in table.columns]
    note, further = "", None
    indexes = time_headers(names)
    if indexes:
        note = "the headers of these columns are times"
        pattern = _pattern([names[n] for n in indexes], [n for n in names if n])
    elif indexes := header_numbers(names):
        note = "the headers of these columns count the intervals of a day"
        pattern = _pattern([names[n] for n in indexes], [n for n in names if n])
        if not all(names[n].strip().isdecimal() for n in indexes):
            further = {"place": HEADER_FIELD, "pattern": r"(\d+)"}
    elif month_headers(names):
        pattern, note = _MONTHS, "the headers of these columns are months"
        indexes = [n for n, name in enumerate(names) if re.search(_MONTHS, name)]
        if any(len(names[n]) > 9 for n in indexes):  # noqa: PLR2004 - September
            return None
    else:
        return None
    others = [n for n in range(len(names)) if n not in indexes]
    rows = range(table.count)
    headers = [names[n].strip() for _ in rows for n in indexes]
    cells = [table.columns[n].cells[row] for row in rows for n in indexes]
    columns = [Column(HEADER_FIELD, HEADER_FIELD, headers)]
    if further is not None:
        numbers = [(re.search(r"\d+", text) or [""])[0] for text in headers]
        columns = [Column("number", "number", numbers, further)]
    columns.append(Column(CELL_FIELD, CELL_FIELD, cells))
    for n in others:
        column = table.columns[n]
        repeated = [column.cells[row] for row in rows for _ in indexes]
        columns.append(Column(column.place, column.name, repeated, column.beside))
    params = {**table.params, "layout": "wide", "columns": pattern}
    wide = replace(table, params=params, columns=columns, notes={**table.notes, "columns": note})
    wide.style = style_of([columns[1]], delimiter=_delimiter(table.params))
    return wide


def _delimiter(params: dict[str, Any]) -> str:
    given = str(params.get("delimiter", ","))
    return {"tab": "\t"}.get(given, given)


def _pattern(names: Sequence[str], all_names: Sequence[str]) -> str:
    """A regular expression that is found in these headers and in no other."""
    masks = {_mask(name) for name in names}
    if len(masks) == 1:
        pattern = f"^{masks.pop()}$"
    elif all(name.strip().isdecimal() for name in names):
        pattern = r"^\d+$"
    else:
        pattern = rf"^(?:{'|'.join(sorted(masks))})$"
    if {name for name in all_names if re.search(pattern, name)} == set(names):
        return pattern
    from dataportal.drafts.text_tables import escape

    return rf"^(?:{'|'.join(escape(text_of(name)) for name in names)})$"


def _mask(name: str) -> str:
    """The name with digits as any digit."""
    from dataportal.drafts.text_tables import escape

    def digits(match: re.Match[str]) -> str:
        count = len(match[0])
        return r"\d" * count if count < 3 else rf"\d{{{count}}}"  # noqa: PLR2004

    return re.sub(r"\d+", digits, escape(name.strip()))
