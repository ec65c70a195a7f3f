"""Places the n-th interval of a local day in time, on days of 23 and of 25 hours too. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from dataportal.granularity import interval_length
from dataportal.local_times import instants_of
from dataportal.plugins.declarative.series_extraction import filter_text
from dataportal.plugins.parameters import Column, Parameters, about, written_as
from dataportal.plugins.parameters.declaration import DURATION_ERROR, DURATION_PATTERN
from dataportal.times import format_duration, parse_duration

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    from dataportal.granularity import IntervalLength
    from dataportal.plugins.declarative.records import FieldPath
    from dataportal.plugins.readers.parameters import Params

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_MOST = 100_000  # a day has fewer seconds
_SEARCH_STEP = timedelta(minutes=15)


def _positive_length(text: str) -> timedelta:
    length = parse_duration(text)
    if not length:
        raise ValueError("it must be more than 0")
    return length


class IntervalParameters(Parameters):
    """Which interval of a local day a row is of."""

    day: Annotated[
        tuple[Column, ...],
        about(
            "the place of the day, or several; `time_format` says how it is written", single=True
        ),
    ]
    number: Annotated[
        tuple[Column, ...],
        about("the place of the number, or two: of the hour, and of its part", single=True),
    ]
    length: Annotated[
        timedelta,
        written_as(_positive_length, pattern=DURATION_PATTERN, error=DURATION_ERROR),
        about("how long an interval is, such as `15 minutes`"),
    ]
    first: Annotated[
        tuple[Annotated[int, Meta(ge=0, le=1)], ...],
        about("what the first interval is called, 0 or 1; of two numbers a list (1)", single=True),
    ] = (1,)


class IntervalNumbers:
    """Reads a day and a number, from the parameter `interval`, which stands in place of `ts`.

    Attributes:
        day: the places of the day.
        number: the places of the number.
        length: of each interval.
    """

    def __init__(
        self,
        day: tuple[FieldPath, ...],
        number: tuple[FieldPath, ...],
        length: timedelta,
        first: tuple[int, ...],
    ) -> None:
        self.day, self.number, self.length, self._first = day, number, length, first

    @property
    def interval_length(self) -> IntervalLength | None:
        """The length, as the calendar has it."""
        return interval_length(self.length)

    @classmethod
    def read(cls, params: Params, given: IntervalParameters | None) -> IntervalNumbers | None:
        """The description in the parameters; None if there is none, or with a fault."""
        if given is None:
            return None
        faults: list[str] = []
        if len(given.number) > 2:  # noqa: PLR2004 - the hour and its part
            faults.append("interval.number must name the place of the number, or two")
        longest = _HOUR if len(given.number) > 1 else _DAY
        # a length of 0 was refused before
        if given.length and longest % given.length:
            faults.append(f"interval.length must divide {format_duration(longest)}")
        count = max(len(given.number), 1)
        firsts = given.first * count if len(given.first) == 1 else given.first
        if len(firsts) != count:
            faults.append("interval.first must be 0 or 1, or a list of one for each number")
        for fault in faults:
            params.add_fault(fault)
        return None if faults else cls(given.day, given.number, given.length, firsts)

    def position(self, cells: tuple[Any, ...]) -> int:
        """The number of the interval, counted from 0; negative for one before the first.

        Raises:
            ValueError: the cells are no whole numbers, or name a part that an hour does not have.
        """
        numbers = [_whole(cell) - first for cell, first in zip(cells, self._first, strict=True)]
        if len(numbers) == 1:
            return numbers[0]
        hour, part = numbers
        per_hour = _HOUR // self.length
        if not 0 <= part < per_hour:
            raise ValueError(f"{filter_text(cells[1])} is no part of an hour of {per_hour}")
        return hour * per_hour + part


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """When a local day begins, also where the clocks skip its midnight."""
    wall = datetime.combine(day, time())
    for _ in range(_DAY // _SEARCH_STEP):
        if instants := instants_of(wall, zone):
            return min(instants)
        wall += _SEARCH_STEP
    raise ValueError(f"{day} does not exist in {zone}")


def interval_count(day: date, length: timedelta, zone: ZoneInfo) -> int:
    """How many intervals a local day has."""
    return (first_instant(day + _DAY, zone) - first_instant(day, zone)) // length


def number_in_day(instant: datetime, length: timedelta, zone: Any) -> int:
    """The number, from 0, of the interval of its local day that an instant lies in."""
    local = instant.astimezone(zone)
    begins = (
        first_instant(local.date(), zone)
        if zone is not UTC
        else local.replace(hour=0, minute=0, second=0, microsecond=0)
    )
    return (instant.astimezone(UTC) - begins.astimezone(UTC)) // length


def _whole(cell: Any) -> int:
    text = filter_text(cell)
    if isinstance(cell, bool):
        raise ValueError(f"{text!r} is no number of an interval")  # noqa: TRY004 - one error
    try:
        number = float(text)
    except ValueError:
        number = 0.5
    if not number.is_integer() or abs(number) > _MOST:
        raise ValueError(f"{text!r} is no number of an interval")
    return int(number)


def _places(given: Any) -> tuple[FieldPath, ...]:
    items = given if isinstance(given, list) else [given]
    if any(isinstance(i, bool) or not isinstance(i, str | int) or i in ("", 0) for i in items):
        return ()
    return tuple(items)
