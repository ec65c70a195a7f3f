"""Reads numbers as tables write them: with a decimal comma, grouped thousands, or missing."""

from __future__ import annotations

import math
import re
from types import NoneType
from typing import TYPE_CHECKING, cast

import msgspec

from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

MISSING = ("", "NA", "N/A", "null", "NaN", "-")
"""What stands in a cell without a value, in any case, unless the source says otherwise."""

_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)


def whole_number(raw: float | str) -> int:
    """The number of rows that a provider says there are, in digits; at most 18 of them.

    Raises:
        ValueError: it is no such number; the text is what it is, cut short.
    """
    text = str(raw).strip()
    if not _WHOLE.fullmatch(text):
        raise ValueError(repr(harmless(text, 40)))
    return int(text)


_SAME_SIGNS = (" \u00a0\u2009\u202f", "'\u2019")
"""Blanks, and apostrophes, that no reader of a number tells apart."""
_OF_NUMBERS = b"0123456789+-.eE"
_MINUS_ZERO = "-0"


class NumberFormat:
    """How a column of numbers is written.

    Args:
        decimal: the decimal sign.
        thousands: what stands between groups of three digits, or nothing; a blank also stands for
            those that do not break, and an apostrophe for the typographic one.
        missing: texts that mean "no value"; one that is a number also stands for its other
            spellings, so -999 covers -999.0.
        scale: every value is multiplied by it.
    """

    def __init__(
        self,
        *,
        decimal: str = ".",
        thousands: str = "",
        missing: Collection[str] = MISSING,
        scale: float = 1.0,
    ) -> None:
        point = re.escape(decimal)
        signs = next((signs for signs in _SAME_SIGNS if thousands in signs), thousands)
        group = f"[{re.escape(signs)}]" if thousands else ""
        grouped = rf"\d{{1,3}}(?:{group}\d{{3}})+|" if thousands else ""
        self._number = re.compile(
            rf"[+-]?(?:(?:{grouped}\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?", re.ASCII
        )
        self._decimal = decimal
        self._thousands = dict.fromkeys(map(ord, signs)) if thousands else None
        self._missing = frozenset(text.strip().casefold() for text in missing)
        self._missing_numbers = frozenset(
            self._parse(text) for text in self._missing if self._number.fullmatch(text)
        )
        self._scale = scale

    def value(self, raw: object) -> object:
        """The number in any cell; None for no value; else the cell, for the run to refuse.

        Numbers are scaled, and texts read; a true or false is no number.
        """
        if isinstance(raw, bool):
            return None if str(raw).casefold() in self._missing else raw
        if isinstance(raw, str):
            return self.read(raw)
        if isinstance(raw, int | float):
            if raw in self._missing_numbers:
                return None
            return raw if self._scale == 1 else self._scale_number(raw)
        return raw

    def are_plain(self, cells: Sequence[object]) -> bool:
        """Whether each cell is a number or None that `value` would return as it is."""
        return (
            self._scale == 1
            and _are_numbers(cells)
            and (not self._missing_numbers or self._missing_numbers.isdisjoint(cells))
        )

    def read_all(self, cells: Sequence[object]) -> Sequence[float | None] | None:
        """As `value` for each of many cells, in a quarter of the time; None unless all are plain.

        Plain are numbers that `value` returns as they are, and texts of a number with a point, or
        of nothing.
        """
        if self.are_plain(cells):
            return cast("Sequence[float | None]", cells)
        is_plain = self._decimal == "." and not self._thousands and self._scale == 1
        if not is_plain or {*map(type, cells)} != {str}:
            return None
        texts = cast("Sequence[str]", cells)
        # float takes more than numbers are written with, such as nan and 1_000
        joined = "".join(texts).encode()
        has_gaps = "" in texts
        if joined.translate(None, _OF_NUMBERS) or (has_gaps and "" not in self._missing):
            return None
        try:
            values = _with_gaps(texts) if has_gaps else _floats(texts)
        except ValueError:
            return None
        if self._missing_numbers and not self._missing_numbers.isdisjoint(values):
            return [None if value in self._missing_numbers else value for value in values]
        return values

    def read(self, text: str) -> float | str | None:
        """The number in a text; None for no value; else a text, for the run to refuse."""
        cell = text.strip()
        if cell.casefold() in self._missing:
            return None
        if not self._number.fullmatch(cell):
            # 1.500 among decimal commas must not pass for one and a half
            return cell if self._decimal == "." else f"{cell} (the decimal sign is a comma)"
        value = self._parse(cell)
        return None if value in self._missing_numbers else value * self._scale

    def _scale_number(self, number: float) -> float:
        try:
            return number * self._scale
        except OverflowError:
            # a whole number that no double holds: infinite, for the run to refuse
            return math.inf if number > 0 else -math.inf

    def _parse(self, text: str) -> float:
        if self._thousands:
            text = text.translate(self._thousands)
        return float(text if self._decimal == "." else text.replace(self._decimal, "."))


def _with_gaps(texts: Sequence[str]) -> list[float | None]:
    """The numbers of texts, None for an empty one; raises ValueError as `float` does."""
    numbers = iter(_floats([text for text in texts if text]))
    return [next(numbers) if text else None for text in texts]


def _floats(texts: Sequence[str]) -> Sequence[float]:
    """What `float` makes of each text of digits, points, signs and exponents.

    Raises:
        ValueError: as `float` does.
    """
    # which reads this as 0.0
    if _MINUS_ZERO not in texts:
        try:
            # in a fifth of the time; it knows no 007, .5, 5. and +5, and no infinite ones
            return msgspec.convert(texts, list[float], strict=False)
        except msgspec.ValidationError:
            pass
    return [*map(float, texts)]


def _are_numbers(cells: Sequence[object]) -> bool:
    """Whether each is a float, a whole number or None, and no true or false."""
    if not isinstance(cells, list):
        return {*map(type, cells)} <= {float, int, NoneType}
    try:
        # in a seventh of the time of looking at their types; a larger whole number is none of these
        msgspec.convert(cells, list[float | None])
    except msgspec.ValidationError:
        return False
    return True
