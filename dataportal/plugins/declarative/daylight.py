"""Reads what tells the two hours of an autumn night apart: a flag, or a mark in the label."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Annotated, Any

from dataportal.plugins.declarative.series_extraction import filter_text
from dataportal.plugins.parameters import Column, Parameters, TextOrTexts, about
from dataportal.plugins.readers.local_labels import FIRST, SECOND
from dataportal.plugins.readers.utc_offsets import read_utc_offset
from dataportal.raw_points import RefusedTime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from dataportal.plugins.declarative.records import FieldPath
    from dataportal.plugins.readers.parameters import Params

_DAYLIGHT = {"y", "yes", "true", "1", "1.0", "summer", "dst"}
_STANDARD = {"n", "no", "false", "0", "0.0", "winter", "standard"}


class DaylightParameters(Parameters):
    """What the two hours of an autumn night are called."""

    place: Annotated[
        Column | None, about("the place of a flag; without it marks stand in the label")
    ] = None
    first: Annotated[
        TextOrTexts | None,
        about("the text for the earlier hour, or several; in a label a mark, such as A in 02A"),
    ] = None
    second: Annotated[TextOrTexts | None, about("the text for the later hour, likewise")] = None


class DaylightFlags:
    """Knows which of two hours is meant, from the parameter `dst`.

    - `dst: PLACE`: the field that says whether daylight saving time holds: yes or no, true or
      false, an abbreviation such as EDT, an offset such as -04:00.
    - `dst: {place: PLACE, first: TEXT, second: TEXT}`: its texts for the earlier and the later of
      the two hours, or lists of texts.
    - `dst: {first: A, second: B}`: without a place, marks within the label, after a digit: 2A, 2B.

    Attributes:
        place: the field; None for marks in the label.
    """

    def __init__(
        self, place: FieldPath | None, first: Sequence[str] = (), second: Sequence[str] = ()
    ) -> None:
        self.place = place
        self._first, self._second = first, second
        marks = sorted({*first, *second}, key=len, reverse=True)
        self._mark = None
        if place is None:
            texts = "|".join(map(re.escape, marks))
            self._mark = re.compile(rf"(?<=\d)(?:{texts})(?![A-Za-z])")

    @classmethod
    def read(
        cls, params: Params, given: FieldPath | DaylightParameters | None
    ) -> DaylightFlags | None:
        """The flags that the parameters describe; None if they describe none."""
        if not isinstance(given, DaylightParameters):
            return None if given is None else cls(given)
        first, second = _texts(given.first), _texts(given.second)
        if given.place is None and not (all(first) and all(second)):
            params.add_fault("dst: a mark must not be empty")
        elif given.place is None and not (first or second):
            params.add_fault("dst needs a place, or the marks of the first or the second hour")
        else:
            return cls(given.place, first, second)
        return None

    @property
    def in_labels(self) -> bool:
        """Whether they are marks within labels."""
        return self._mark is not None

    def mark(self, label: str) -> str:
        """The mark in a label; empty for none."""
        match = self._mark.search(label) if self._mark is not None else None
        return match[0] if match else ""

    def without_mark(self, label: str) -> str:
        """The label as it would be without a mark."""
        match = self._mark.search(label) if self._mark is not None else None
        return label if match is None else label[: match.start()] + label[match.end() :]

    def side(
        self, cell: object, first: datetime, second: datetime, zone: ZoneInfo
    ) -> int | RefusedTime:
        """Which of two instants the text means, a flag or a mark, or none; or why nobody knows."""
        text = filter_text(cell)
        if self._first or self._second:
            side = self._own_side(text)
        else:
            side = _known_side(text, first, second, zone)
        if side is not None:
            return side
        return RefusedTime(
            f"{first.astimezone(zone):%Y-%m-%d %H:%M} occurs twice in {zone}, and dst finds "
            f"{text!r}, which does not say which is meant"
        )

    def _own_side(self, text: str) -> int | None:
        if text in self._first:
            return FIRST
        if text in self._second:
            return SECOND
        if self.in_labels and not text and bool(self._first) != bool(self._second):
            return SECOND if self._first else FIRST  # the one without a mark is the other one
        return None


def _known_side(text: str, first: datetime, second: datetime, zone: ZoneInfo) -> int | None:
    lower = text.lower()
    if lower in _DAYLIGHT:
        return FIRST
    if lower in _STANDARD:
        return SECOND
    offset: timedelta | None = None
    with contextlib.suppress(ValueError):
        offset = read_utc_offset(text)
    for side, instant in ((FIRST, first), (SECOND, second)):
        local = instant.astimezone(zone)
        if local.tzname() == text.upper() or (offset is not None and local.utcoffset() == offset):
            return side
    return None


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [filter_text(item) for item in (value if isinstance(value, list) else [value])]
