"""Rows of an answer as columns with places: what every format becomes before roles are sought."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from dataportal.drafts.number_columns import NumberStyle, guess_numbers, guess_style
from dataportal.drafts.time_columns import guess_times, in_other_order, is_nothing, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.drafts.number_columns import NumberGuess
    from dataportal.drafts.time_columns import TimeGuess

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|\d+")
_MOST_READ = 50_000
"""So many rows are looked at."""
_SAMPLE = 500
_TIME_WORDS = {
    *("yyyy", "yy", "yr", "yyyymmdd", "mm", "dd"),
    *("time", "times", "timestamp", "datetime", "date", "day", "period", "year", "unixtime"),
    *("datum", "tid", "zeit", "zeitpunkt", "jahr", "fecha", "hora", "año", "anno", "data", "ora"),
    *(
        "année",
        "annee",
        "heure",
        "godzina",
        "czas",
        "ts",
        "epoch",
        "unix",
        "when",
        "at",
        "ar",
        "år",
    ),
    *("dt", "jaar", "perioden", "periods", "ref", "refper", "reference", "dato", "rok", "tarih"),
    *("seconds", "utc", "gmt", "date_time", "valid", "settlementdate", "measured", "observed"),
}


@dataclass(slots=True)
class Column:
    """A column of rows.

    Attributes:
        place: where it stands in a row, as an entry says it.
        name: what it is called; empty for nothing.
        cells: of each row.
        beside: what makes it a further field, as `fields` says it; None for a field of the rows.
    """

    place: str | int
    name: str
    cells: Sequence[Any]
    beside: dict[str, Any] | None = None
    _times: list[TimeGuess | None] = field(default_factory=list)
    _numbers: dict[NumberStyle, NumberGuess | None] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """The words of its name, in lower case."""
        return words_of(self.name)

    @property
    def texts(self) -> list[str]:
        """Its cells as texts."""
        return [text_of(cell) for cell in self.cells]

    @property
    def distinct(self) -> list[str]:
        """The different texts of its cells, but for marks for nothing."""
        return [text for text in dict.fromkeys(self.texts) if not is_nothing(text)]

    @property
    def times(self) -> TimeGuess | None:
        """Its times, if it has any."""
        if not self._times:
            named_so = bool(_TIME_WORDS & set(self.words)) or self.name.lower() in _TIME_WORDS
            self._times.append(guess_times(self.cells, named_so=named_so))
        return self._times[0]

    def settle(self, guess: TimeGuess) -> None:
        """Let the times be read in this way."""
        self._times[:] = [guess]

    def numbers(self, style: NumberStyle) -> NumberGuess | None:
        """Its numbers, if it has any."""
        if style not in self._numbers:
            self._numbers[style] = guess_numbers(self.cells, style)
        return self._numbers[style]


@dataclass(slots=True)
class RowSet:
    """Rows that an answer may be read as.

    Attributes:
        kind: which plugin reads them: `Json`, `Csv`, `Xml`, `Excel` or `Parquet`.
        params: where they are, as an entry says it.
        notes: why, by parameter.
        columns: of the rows.
        before: the text that stands before the rows.
        zone: of the answer, where it names one.
        unit: of all values, where it names one.
        style: how numbers are written.
        days: that the address, the name of the file or the text before the rows name.
    """

    kind: str
    params: dict[str, Any]
    columns: list[Column]
    notes: dict[str, str] = field(default_factory=dict)
    before: str = ""
    zone: str = ""
    unit: str = ""
    style: NumberStyle = field(default_factory=NumberStyle)
    days: frozenset[date] = frozenset()
    is_cut: bool = False

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.columns[0].cells) if self.columns else 0

    def settle_days(self) -> None:
        """Where day and month could be either, take the order by which a named day is met."""
        days = self.days | days_in(self.before)
        for column in self.columns:
            guess = column.times
            if guess is None or not guess.note:
                continue
            other = in_other_order(guess, column.cells)
            if other is not None and days & _days_of(other) and not days & _days_of(guess):
                column.settle(other)

    def first_rows(self) -> RowSet:
        """The same with as many rows as are looked at."""
        if self.count <= _MOST_READ:
            return self
        self.columns = [
            Column(column.place, column.name, column.cells[:_MOST_READ], column.beside)
            for column in self.columns
        ]
        self.is_cut = True
        return self


def days_in(text: str) -> frozenset[date]:
    """The days that a text names plainly: 20241103, 2024-11-03."""
    days = set()
    for match in re.finditer(r"(?<!\d)(\d{4})([-_]?)(\d\d)\2(\d\d)(?!\d)", text):
        with contextlib.suppress(ValueError):
            days.add(date(int(match[1]), int(match[3]), int(match[4])))
    return frozenset(days)


def _days_of(guess: TimeGuess) -> set[date]:
    return {ts.date() for ts in guess.times if ts is not None}


def words_of(name: str) -> list[str]:
    """The words of a name, in lower case."""
    return [word.lower() for word in _WORDS.findall(name)]


def style_of(columns: Sequence[Column], *, delimiter: str = ",") -> NumberStyle:
    """How the numbers of a table are written."""
    texts: list[str] = []
    for column in columns:
        if Column(column.place, column.name, column.cells[:_SAMPLE]).times is None:
            texts += [text for text in column.texts[:200] if text and isinstance(text, str)]
    return guess_style(texts, delimiter=delimiter)
