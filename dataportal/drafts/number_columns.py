"""Tells how the numbers of a table are written: decimal sign, thousands, marks for nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataportal.drafts.time_columns import text_of
from dataportal.plugins.readers.numbers import MISSING, NumberFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d*,\d+")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([.,'’ \u00a0\u202f])\d{3})(?:\1\d{3})*(?:([.,])\d+)?")  # noqa: RUF001 - as they are written
_NINES = re.compile(
    r"[+-]?(?:9{3,}(?:\.9+)?|99\.9+|9{2,}\.0*|999\.0+)|-9{2,}(?:\.[09]+)?|-8888(?:\.0+)?"
)
_WITH_REST = re.compile(r"([+-]?\d[\d.,]*)\s*([^\d\s.,+-][^\d]{0,12})?")
_PARTS = re.compile(r"([+-]?\d+(?:\.\d+)?),[^,]{1,12}(?:,[^,]{0,12})*")
_MOST_MARKS = 8
_FEWEST = 0.3
_OF_NOTHING = {
    text.casefold()
    for text in (
        *MISSING,
        ".",
        "..",
        "...",
        ":",
        "/",
        "x",
        "n.a.",
        "none",
        "*",
        "#N/A",
        "ND",
        "N.D.",
    )
} | {"nan", "no data", "missing", "m", "--", "---", "–", "—", "n/d", "k.a.", "b.d.", "nodata"}  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How the numbers of a table are written.

    Attributes:
        decimal: the decimal sign.
        thousands: the sign between groups of digits; empty for none.
    """

    decimal: str = "."
    thousands: str = ""


@dataclass(frozen=True, slots=True)
class NumberGuess:
    """What a column of numbers holds.

    Attributes:
        values: of each cell; None for no number.
        marks: texts that stand for nothing, as they are written.
        pattern: what takes the number out of a cell that has more in it; empty where none has.
        are_whole: whether there is no fraction.
    """

    values: Sequence[float | None]
    marks: frozenset[str]
    pattern: str = ""
    are_whole: bool = False

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return sum(value is not None for value in self.values)


def guess_style(texts: Iterable[str], *, delimiter: str = ",") -> NumberStyle:  # noqa: C901 - a branch for each way
    """How numbers are written, by all texts of a table that look like one."""
    points = commas = 0
    groups: dict[str, int] = {}
    unsure: dict[str, int] = {}
    for text in texts:
        grouped = _GROUPED.fullmatch(text)
        if grouped:
            sign, decimal = grouped[1], grouped[2]
            if decimal and decimal != sign:
                commas, points = commas + (decimal == ","), points + (decimal == ".")
                groups[sign] = groups.get(sign, 0) + 1
            elif sign in ".," and text.count(sign) == 1:
                unsure[sign] = unsure.get(sign, 0) + 1
            else:
                groups[sign] = groups.get(sign, 0) + 1
        elif _COMMA.fullmatch(text):
            commas += 1
        elif _PLAIN.fullmatch(text) and "." in text:
            points += 1
    if delimiter == ",":
        decimal = "."  # what cuts the cells is in none of them
    elif groups.get(","):
        decimal = "."
    elif groups.get("."):
        decimal = ","
    else:
        # 1,234 alone may be either: among semicolons the comma is the decimal sign of the country
        commas += unsure.get(",", 0) if not points and delimiter == ";" else 0
        decimal = "," if commas > points else "."
    other = "." if decimal == "," else ","
    if unsure.get(other) and decimal != other and (decimal == "." or not points):
        groups[other] = groups.get(other, 0) + unsure[other]
    groups.pop(decimal, None)
    thousands = max(groups, key=groups.__getitem__, default="")
    return NumberStyle(decimal, thousands)


def guess_numbers(cells: Sequence[Any], style: NumberStyle) -> NumberGuess | None:
    """The numbers of a column; None if it has none, or too much beside them."""
    values, strays = _read(cells, style)
    known = sum(value is not None for value in values)
    filled = sum(text_of(cell) != "" for cell in cells)
    marks = {text for text in strays if text != ""}
    if known and (len(marks) <= _MOST_MARKS or marks <= _OF_NOTHING):
        stray_count = filled - known
        are_marks = all(text.casefold() in _OF_NOTHING for text in marks)
        if stray_count <= (1 - _FEWEST) * filled if are_marks else stray_count <= 0.4 * filled:
            nothing = _stands_for_nothing(values, style)
            marks |= set(_texts_of(cells, nothing, style))
            values = [None if value in nothing else value for value in values]
            whole = all(value.is_integer() for value in values if value is not None)
            return NumberGuess(values, frozenset(marks), "", whole)
    return _of_parts(cells, style)


def _read(cells: Sequence[Any], style: NumberStyle) -> tuple[list[float | None], set[str]]:
    number_format = NumberFormat(decimal=style.decimal, thousands=style.thousands, missing=("",))
    memo: dict[str, float | None] = {}
    values: list[float | None] = []
    strays: set[str] = set()
    for cell in cells:
        if isinstance(cell, bool):
            values.append(None)
            strays.add(str(cell).lower())
            continue
        if isinstance(cell, int | float):
            values.append(float(cell) if cell == cell else None)  # noqa: PLR0124 - NaN is not itself
            continue
        text = text_of(cell)
        if text not in memo:
            read = number_format.read(text)
            memo[text] = read if isinstance(read, float | int) else None
        value = memo[text]
        values.append(value)
        if value is None and text:
            strays.add(text)
    return values, strays


def _stands_for_nothing(values: Sequence[float | None], style: NumberStyle) -> set[float]:
    """Numbers of nines that lie far from all others."""
    del style
    known = [value for value in values if value is not None]
    nines = {v for v in set(known) if _NINES.fullmatch(f"{v:g}") or _NINES.fullmatch(repr(v))}
    others = [abs(value) for value in known if value not in nines]
    if not nines or not others:
        return set()
    limit = max(others)
    lowest = min(value for value in known if value not in nines)
    return {
        nine
        for nine in nines
        if abs(nine) > 3 * max(limit, 1) or (nine < 0 <= lowest and abs(nine) >= 99)  # noqa: PLR2004
    }


def _texts_of(cells: Sequence[Any], numbers: set[float], style: NumberStyle) -> set[str]:
    """The numbers, each once as it is written."""
    if not numbers:
        return set()
    values, _ = _read(cells, style)
    texts: dict[float, str] = {}
    for cell, value in zip(cells, values, strict=True):
        if value is not None and value in numbers:
            texts.setdefault(value, text_of(cell))
    return set(texts.values())


def _of_parts(cells: Sequence[Any], style: NumberStyle) -> NumberGuess | None:
    """Numbers with something behind them: a flag, a percent sign, a code after a comma."""
    texts = [text_of(cell) for cell in cells]
    filled = [text for text in texts if text and text.casefold() not in _OF_NOTHING]
    if not filled:
        return None
    number = r"[+-]?\d[\d.]*" if style.decimal == "." else r"[+-]?\d[\d.,]*"
    options = (
        (_PARTS, r"^([+-]?\d+(?:\.\d+)?),"),
        (_WITH_REST, rf"^\s*({number}|[^\d+-]\S*)(?:\s|$)"),
        (_WITH_REST, rf"^({number})"),
    )
    for shape, pattern in options:
        matches = [shape.fullmatch(text) for text in filled]
        if sum(match is not None for match in matches) < 0.9 * len(filled):
            continue
        if shape is _WITH_REST and len({m[2] for m in matches if m is not None}) > _MOST_MARKS:
            continue
        taking = re.compile(pattern)
        taken = [match[1] if (match := taking.search(text)) else text for text in texts]
        values, strays = _read(taken, style)
        if sum(value is not None for value in values) >= 0.9 * sum(
            match is not None for match in matches
        ):
            marks = {text for text in strays if text}
            nothing = _stands_for_nothing(values, style)
            marks |= _texts_of(taken, nothing, style)
            if len(marks) <= _MOST_MARKS:
                kept = [None if value in nothing else value for value in values]
                return NumberGuess(kept, frozenset(marks), pattern)
    return None
