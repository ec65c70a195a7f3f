"""Draws lines over time in characters: dots of Braille, or plain ASCII where there is no Unicode.

One line is drawn in dots, of which a character has two by four. Two lines are drawn in characters,
one for each and a third where they meet, so that they can be told apart without colours.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from dataportal.store.read.plot import PlotPart

FANCY = "⠀⣿│┤└┴─○●◉"
"""Characters that an encoding must have for what is not plain ASCII."""
_MARKS = {True: ("○", "●", "◉"), False: ("o", "*", "#")}
_DOTS_ACROSS, _DOTS_DOWN = 2, 4
_BRAILLE = 0x2800
_BRAILLE_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_LABEL_SPACE = 14  # characters for a label of the time axis
_FEWEST_COLUMNS = 10
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_STEPS = (
    *(n * _MINUTE for n in (1, 5, 15, 30)),
    *(n * _HOUR for n in (1, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14)),
)
_MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000)
_MONTH, _YEAR = 30 * _DAY, 12


class Curve(NamedTuple):
    """A line, and what it is called where there are two."""

    name: str
    parts: Sequence[PlotPart]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a drawing may be, in characters, and whether they may be other than ASCII."""

    width: int
    height: int
    fancy: bool


def draw(curves: Sequence[Curve], size: Size, zone: tzinfo) -> Iterator[str]:
    """The lines of a drawing of one or two curves, with both axes; nothing where there is no point.

    Args:
        curves: what to draw.
        size: how large.
        zone: of the times on the axis.
    """
    parts = [part for curve in curves for part in curve.parts]
    if not parts:
        return
    values = _Scale(min(p.low for p in parts), max(p.high for p in parts))
    labels = {values.row(tick, size.height): _label(tick) for tick in values.ticks()}
    margin = max(map(len, labels.values())) + 1
    columns = max(size.width - margin - 1, _FEWEST_COLUMNS)
    times = _Times(min(p.first_ts for p in parts), max(p.last_ts for p in parts), columns, zone)
    rows = _draw_curves(curves, values, times, size)
    side, tick = ("│", "┤") if size.fancy else ("|", "+")
    for number, row in enumerate(rows):
        label = labels.get(number, "")
        yield f"{label:>{margin - 1}} {tick if label else side}{row}".rstrip()
    yield from times.axis(margin, fancy=size.fancy)
    if len(curves) > 1:
        for curve, mark in zip(curves, _MARKS[size.fancy], strict=False):
            yield f"{'':{margin}} {mark} {curve.name}"


def _draw_curves(curves: Sequence[Curve], values: _Scale, times: _Times, size: Size) -> list[str]:
    if size.fancy and len(curves) == 1:
        dots = _dots(
            curves[0], values, times, times.columns * _DOTS_ACROSS, size.height * _DOTS_DOWN
        )
        return _braille(dots, times.columns, size.height)
    first, second, both = _MARKS[size.fancy]
    marks: dict[tuple[int, int], str] = {}
    for curve, mark in zip(curves, (second,) if len(curves) == 1 else (first, second), strict=True):
        for place in _dots(curve, values, times, times.columns, size.height):
            marks[place] = both if place in marks and marks[place] != mark else mark
    return [
        "".join(marks.get((column, row), " ") for column in range(times.columns))
        for row in range(size.height)
    ]


def _dots(
    curve: Curve, values: _Scale, times: _Times, columns: int, rows: int
) -> set[tuple[int, int]]:
    """The places, by column and row from above, that a curve goes through."""
    places: set[tuple[int, int]] = set()
    before: tuple[int, int, int, datetime] | None = None
    patience = _patience(curve.parts, times, columns)
    for part in curve.parts:
        start = times.column(part.first_ts, columns)
        middle = (start + times.column(part.last_ts, columns)) // 2
        top, bottom = values.row(part.high, rows), values.row(part.low, rows)
        places.update(_line(middle, top, middle, bottom))
        if before is not None and part.first_ts - before[3] <= patience:
            column, above, below, _ = before
            # the ends that are nearest to each other; what overlaps is level
            leave = min(max(top, above), below)
            places.update(_line(column, leave, middle, min(max(leave, top), bottom)))
        before = (middle, top, bottom, part.last_ts)
    return places


def _patience(parts: Sequence[PlotPart], times: _Times, columns: int) -> timedelta:
    """How far apart two parts may be to be joined by a line."""
    distances = [
        (later.first_ts - earlier.last_ts).total_seconds() for earlier, later in pairwise(parts)
    ]
    usual = median(distances) if distances else 0.0
    return timedelta(seconds=max(3 * usual, 2 * times.length.total_seconds() / columns))


def _line(x: int, y: int, to_x: int, to_y: int) -> Iterator[tuple[int, int]]:
    """The places on a straight line, both ends included."""
    steps = max(abs(to_x - x), abs(to_y - y), 1)
    for step in range(steps + 1):
        yield (
            x + round((to_x - x) * step / steps),
            y + round((to_y - y) * step / steps),
        )


def _braille(dots: set[tuple[int, int]], columns: int, rows: int) -> list[str]:
    cells = [[0] * columns for _ in range(rows)]
    for x, y in dots:
        bit = _BRAILLE_BITS[y % _DOTS_DOWN][x % _DOTS_ACROSS]
        cells[y // _DOTS_DOWN][x // _DOTS_ACROSS] |= bit
    return ["".join(chr(_BRAILLE + c) if c else " " for c in row) for row in cells]


class _Scale:
    """The axis of values, from a lowest to a highest; a single value gets room on both sides."""

    def __init__(self, low: float, high: float) -> None:
        if low == high:
            room = abs(low) / 10 or 1.0
            most = sys.float_info.max
            low, high = max(low - room, -most), min(high + room, most)
        self._low, self._high = low, high

    def row(self, value: float, rows: int) -> int:
        """The row of a value, from above."""
        # halves: the difference of two finite numbers may be infinite
        half_span = self._high / 2 - self._low / 2
        share = (self._high / 2 - value / 2) / half_span if half_span else 0.5
        return min(max(round(share * (rows - 1)), 0), rows - 1)

    def ticks(self) -> list[float]:
        """Round values between both ends, four or so; the ends where there are none."""
        span = self._high - self._low
        if not sys.float_info.min * 1e3 < span < math.inf:
            return [self._low, self._high]
        power = 10.0 ** math.floor(math.log10(span / 4))
        step = next(n * power for n in (1, 2, 5, 10) if span / (n * power) <= 5)  # noqa: PLR2004
        first = math.ceil(self._low / step)
        ticks = [n * step for n in range(first, math.floor(self._high / step) + 1)]
        return ticks or [self._low, self._high]


def _label(value: float) -> str:
    return f"{value:.10g}" if abs(value) < 1e15 else f"{value:.3g}"  # noqa: PLR2004


class _Times:
    """The axis of times, from a first to a last one, over so many characters."""

    def __init__(self, first: datetime, last: datetime, columns: int, zone: tzinfo) -> None:
        self._first = first
        self.length = last - first
        self.columns = columns
        self._zone = zone

    def column(self, instant: datetime, columns: int) -> int:
        """The column of an instant among so many."""
        if not self.length:
            return columns // 2
        share = (instant - self._first) / self.length
        return min(max(round(share * (columns - 1)), 0), columns - 1)

    def axis(self, margin: int, *, fancy: bool) -> Iterator[str]:
        """The axis, and the labels of its ticks below."""
        corner, line, tick = ("└", "─", "┴") if fancy else ("+", "-", "+")
        axis, labels = [line] * self.columns, [" "] * (self.columns + _LABEL_SPACE)
        free_from = 0
        for instant, label in self._ticks():
            column = self.column(instant, self.columns)
            start = max(min(column - len(label) // 2, self.columns - len(label)), 0)
            if start < free_from:
                continue
            axis[column] = tick
            labels[start : start + len(label)] = label
            free_from = start + len(label) + 2
        yield f"{'':{margin}}{corner}{''.join(axis)}"
        yield f"{'':{margin}} {''.join(labels)}".rstrip()

    def _ticks(self) -> Iterator[tuple[datetime, str]]:
        most = max(self.columns // _LABEL_SPACE, 1)
        last = self._first + self.length
        start = self._first.astimezone(self._zone)
        for step in _STEPS:
            if self.length <= most * step:
                text = "%m-%d %H:%M" if step < _DAY else "%Y-%m-%d"
                yield from self._even_ticks(start, step, last, text)
                return
        months = next((n for n in _MONTHS if self.length <= most * n * _MONTH), _MONTHS[-1])
        text = "%Y" if months >= _YEAR else "%Y-%m"
        for number in range(10_000):
            month = start.year * _YEAR + start.month - 1
            month = -(-month // months) * months + number * months
            year, month = divmod(month, _YEAR)
            if not 1 <= year <= last.year + 1 or year > 9999:  # noqa: PLR2004 - of datetime
                return
            local = datetime(year, month + 1, 1, tzinfo=self._zone)
            if self._first <= local <= last:
                yield local, _format(local, text)
            if local > last:
                return

    def _even_ticks(
        self, start: datetime, step: timedelta, last: datetime, text: str
    ) -> Iterator[tuple[datetime, str]]:
        """Multiples of a step on the clocks of the zone."""
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        number = 0
        while True:
            wall = midnight + number * step
            local = wall.replace(tzinfo=self._zone)
            instant = local.astimezone(UTC)
            if instant > last:
                return
            if instant >= self._first:
                yield instant, _format(local, text)
            number += 1


def _format(local: datetime, text: str) -> str:
    # strftime leaves the zeros of early years out
    return local.strftime(text.replace("%Y", f"{local.year:04}"))
