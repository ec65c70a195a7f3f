"""Finds the table in a grid of cells: its header, its first row of values, remarks around it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dataportal.drafts.time_columns import guess_times, is_nothing, read_clock, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = Sequence[Any]

_NUMBER = re.compile(r"[+-]?[\d.,'  ]*\d(?:[eE][+-]?\d+)?%?")
_LOOKS_LIKE_TIME = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|\d{1,2}:\d\d.*|\d{4}-?[QMWSTK]\d{1,2}|\d{4}-\d\d"
    r"|\d{1,2}[-/ .][A-Za-z]{3,9}[-/ .]\d{2,4}.*"
)
_FEWEST_WIDE = 3


@dataclass(frozen=True, slots=True)
class Grid:
    """A table in a grid.

    Attributes:
        header: the index of the row that names the columns; None without one.
        first: that of the first row of values.
        last: that of the last one.
        width: how many columns it has.
    """

    header: int | None
    first: int
    last: int
    width: int


def find_table(rows: Sequence[Row]) -> Grid | None:
    """The largest table of a grid; None if there is none with values in it."""
    widths: dict[int, int] = {}
    for row in rows:
        width = _width(row)
        if width > 1:
            widths[width] = widths.get(width, 0) + 1
    if not widths:
        return None
    kinds = [[_kind(cell) for cell in row] for row in rows]
    body = _body(rows, kinds, widths)
    if body is None:
        return None
    first, last, width = body
    return Grid(_header(rows, kinds, first, width), first, last, width)


def names_of(row: Row, width: int) -> list[str]:
    """The names that a header gives to so many columns."""
    names = [text_of(cell) for cell in row]
    return names + [""] * (width - len(names))


def time_headers(names: Sequence[str]) -> list[int]:
    """The indexes of the columns whose names are times, if these are a run of columns."""
    indexes = [n for n, name in enumerate(names) if _is_time_name(name)]
    return indexes if len(indexes) >= _FEWEST_WIDE else []


def header_numbers(names: Sequence[str]) -> list[int]:
    """The indexes of the columns whose names count the intervals of a day, or its hours."""
    pattern = re.compile(r"\D{0,12}?(\d{1,3})\D{0,3}")
    runs: list[list[int]] = []
    before = None
    for index, name in enumerate(names):
        match = pattern.fullmatch(name.strip())
        number = None if match is None else int(match[1])
        if number is not None and before is not None and number == before + 1:
            runs[-1].append(index)
        elif number in (0, 1):
            runs.append([index])
        else:
            before = None
            continue
        before = number
    best = max(runs, key=len, default=[])
    return best if len(best) >= 12 else []  # noqa: PLR2004 - fewer are no day of hours


def month_headers(names: Sequence[str]) -> str:
    """How the names of months are written, if at least six columns are called so."""
    months = (
        *("jan", "feb", "mar", "apr", "may", "jun"),
        *("jul", "aug", "sep", "oct", "nov", "dec"),
    )
    lower = [name.strip().lower() for name in names]
    if sum(name in months for name in lower) >= 6:  # noqa: PLR2004 - half a year
        return "%b"
    full = ("january", "february", "march", "april", "june", "july", "august", "september")
    return "%B" if sum(name in full for name in lower) >= 4 else ""  # noqa: PLR2004


def _is_time_name(name: str) -> bool:
    text = name.strip()
    if re.fullmatch(r"(?:1[89]|20)\d\d", text):
        return True
    if re.fullmatch(r"(?:1[89]|20)\d\d(?:0[1-9]|1[0-2])(?:[0-3]\d)?", text):
        return True
    if not _LOOKS_LIKE_TIME.fullmatch(text) and not re.fullmatch(r"\d{8}", text):
        return False
    return guess_times([text]) is not None or read_clock([text]) is not None


def _width(row: Row) -> int:
    count = len(row)
    while count and text_of(row[count - 1]) == "":
        count -= 1
    return count


def _kind(cell: object) -> str:
    """N for a number, t for a time, e for nothing, s for any other text."""
    if isinstance(cell, bool):
        return "s"
    if isinstance(cell, int | float):
        return "n"
    if isinstance(cell, date):
        return "t"
    text = text_of(cell)
    if is_nothing(text):
        return "e"
    if _LOOKS_LIKE_TIME.fullmatch(text):
        return "t"
    return "n" if _NUMBER.fullmatch(text) else "s"


def _body(
    rows: Sequence[Row], kinds: Sequence[Sequence[str]], widths: dict[int, int]
) -> tuple[int, int, int] | None:
    """The first and the last row of values, and the width of the table."""
    # the width that most rows with values have
    counts: dict[int, int] = {}
    for row, kind in zip(rows, kinds, strict=True):
        if any(k in "nt" for k in kind):
            width = _width(row)
            counts[width] = counts.get(width, 0) + width
    if not counts:
        return None
    wide = max(counts, key=lambda width: (counts[width], width))
    wide = wide if wide > 1 else max(widths)
    of_width = [
        n for n, row in enumerate(rows) if wide * 0.5 <= _width(row) and any(map(_has_text, row))
    ]
    if not of_width:
        return None
    headers = [n for n in of_width if _counts_columns(rows[n])]
    of_width = [n for n in of_width if n not in headers]
    if not of_width:
        return None
    filled = [n for n in of_width if any(kind in "nt" for kind in kinds[n])]
    modal = _modal_kinds([kinds[n] for n in filled[len(filled) // 4 :]])
    valued = [n for n, kind in enumerate(modal) if kind in "nt"]
    if not valued:
        return None
    headers += [n for n in of_width if _names_times(rows[n], kinds[n], modal)]
    above = max(headers, default=-1) if len(headers) == 1 else -1
    fitting = [
        n for n in of_width if n > above and n not in headers and _fits(kinds[n], modal, valued)
    ]
    if not fitting:
        return None
    first, last = fitting[0], fitting[-1]
    return first, last, max(_width(rows[n]) for n in fitting)


def _counts_columns(row: Row) -> bool:
    """Whether a row counts its columns, as the hours of a day."""
    texts = [text_of(cell) for cell in row]
    filled = sum(text != "" for text in texts)
    years = [int(text) for text in texts if re.fullmatch(r"(?:1[5-9]|20)\d\d", text)]
    if len(years) >= _FEWEST_WIDE and {b - a for a, b in pairwise(years)} in ({1}, {-1}):
        return len(years) + sum(bool(re.fullmatch(r"\D+", text)) for text in texts) >= filled
    return len(header_numbers(texts)) >= 0.8 * filled > 0


def _names_times(row: Row, kind: Sequence[str], modal: Sequence[str]) -> bool:
    """Whether a row has times where all others have numbers."""
    columns = [n for n, own in enumerate(kind) if own == "t" and n < len(modal) and modal[n] != "t"]
    filled = sum(text_of(cell) != "" for cell in row)
    return len(columns) >= max(_FEWEST_WIDE, 0.5 * filled)


def _has_text(cell: object) -> bool:
    return text_of(cell) != ""


def _modal_kinds(kinds: Sequence[Sequence[str]]) -> list[str]:
    width = max(map(len, kinds), default=0)
    modal = []
    for column in range(width):
        counts: dict[str, int] = {}
        for row in kinds:
            kind = row[column] if column < len(row) else "e"
            counts[kind] = counts.get(kind, 0) + 1
        counts.pop("e", None)
        modal.append(max(counts, key=counts.__getitem__, default="e"))
    return modal


def _fits(kind: Sequence[str], modal: Sequence[str], valued: Sequence[int]) -> bool:
    """Whether a row has values where most have them, and times where most have them."""
    good = bad = 0
    for column in valued:
        own = kind[column] if column < len(kind) else "e"
        if own == modal[column]:
            good += 1
        elif own != "e":
            bad += 1
    return good > 0 and good > bad


def _header(
    rows: Sequence[Row], kinds: Sequence[Sequence[str]], first: int, width: int
) -> int | None:
    """The row above the values that names the columns: of several the one that names most."""
    best, most = None, 1.0
    for number in range(first - 1, max(first - 12, -1), -1):
        row = rows[number]
        filled = [text for text in map(text_of, row) if text]
        if not filled:
            if best is not None:
                break
            continue
        distinct = len(set(filled))
        if _width(row) < 0.5 * width or distinct < 0.4 * min(width, 6):
            if best is not None:
                break
            continue
        score = distinct + 0.5
        # a row of units or widths names fewer, and times as names are more than any other
        score += 2.0 * len(time_headers(filled))
        if score >= most:
            best, most = number, score
    if best is None and first > 0:
        return None
    del kinds
    return best
