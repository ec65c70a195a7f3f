"""Fills the fields of URLs and query parameters, such as `{start}` and `{end}`.

    {start}                                 2025-03-01T00:00:00Z
    {start:%Y%m%d%H%M}                      as strftime writes it, in UTC
    {start:%Y-%m-%d@Europe/Berlin}          the same, in a named time zone
    {end:unix}   {end:unix_ms}              seconds, milliseconds since 1970 began in UTC
    {start:number@Europe/Madrid}            the number of the interval in its local day, from 1;
                                            as long as `each` says; number0 counts from 0
    {dataset_id}                            what a series' extract_filter says under that name

Times are rounded to what their format can say: `{start}` down and `{end}` up, to the whole second,
minute, hour, day, week, month or year, so that nothing asked for is missing from the answer.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from dataportal.plugins.declarative.interval_numbers import number_in_day
from dataportal.plugins.declarative.periods import next_period, period_start
from dataportal.times import EPOCH, time_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, tzinfo

_FIELD = re.compile(r"\{(?P<name>[A-Za-z_]\w*)(?::(?P<format>[^{}]*))?\}")
_TIMES = ("start", "end")
_DIRECTIVES = (
    ("", re.compile(r"%-?f")),
    ("second", re.compile(r"%-?[STXcrs]")),
    ("minute", re.compile(r"%-?[MR]")),
    ("hour", re.compile(r"%-?[HIkl]")),
    ("day", re.compile(r"%-?[dejuwaAxDF]")),
    ("week", re.compile(r"%-?[VUW]")),
    ("month", re.compile(r"%-?[mbBh]")),
)
"""Units of time by the directives of strftime that say them, the finest first."""
_NUMBERS = {"number": 1, "number0": 0}
"""What the first interval of a day is called."""
_UNIT_OF_WORD = {
    "": "second",
    "unix": "second",
    "unix_ms": "millisecond",
    **dict.fromkeys(_NUMBERS, ""),
}


class Template:
    """A text with fields.

    Args:
        text: as above; a `{` that begins no field stands for itself.
        interval: how long the intervals are that `number` counts.

    Attributes:
        names: of its fields other than `start` and `end`.

    Raises:
        ValueError: a time zone or a format that there is not.
    """

    def __init__(self, text: str, interval: timedelta | None = None) -> None:
        self._text = text
        self._formats: dict[str, _Format] = {}
        self.names: frozenset[str] = frozenset(
            match["name"] for match in _FIELD.finditer(text) if match["name"] not in _TIMES
        )
        for match in _FIELD.finditer(text):
            if match["name"] in _TIMES:
                self._formats[match["format"] or ""] = _Format(match["format"] or "", interval)

    @property
    def has_times(self) -> bool:
        """Whether it has a field for the start or the end."""
        return bool(self._formats)

    def fill(
        self,
        start: datetime,
        end: datetime,
        names: Mapping[str, str],
        encode: Callable[[str], str] = str,
    ) -> str:
        """The text with its fields filled in.

        Args:
            start: the first instant asked for.
            end: the first one no longer asked for.
            names: the texts of the other fields.
            encode: what is done to each text before it is filled in.
        """

        def replacement(match: re.Match[str]) -> str:
            name = match["name"]
            if name not in _TIMES:
                return encode(names[name]) if name in names else match[0]
            time_format = self._formats[match["format"] or ""]
            instant = start if name == "start" else time_format.round_up(end)
            return encode(time_format.write(instant))

        return _FIELD.sub(replacement, self._text)


class _Format:
    """How a time is written, and to which unit that rounds it."""

    def __init__(self, text: str, interval: timedelta | None) -> None:
        self._pattern, _, zone = text.partition("@")
        self._zone: tzinfo = time_zone(zone) if zone else UTC
        self._unit = _UNIT_OF_WORD.get(self._pattern, "year")
        self._interval = interval
        if self._pattern in _NUMBERS:
            if interval is None or interval > timedelta(hours=1):
                raise ValueError(f"{{…:{text}}} needs each of an hour or less")
            return
        if self._pattern not in _UNIT_OF_WORD:
            if "%" not in self._pattern:
                raise ValueError(
                    f"{{…:{text}}} must be as strftime writes it, such as %Y-%m-%d, unix or unix_ms"
                )
            directives = self._pattern.replace("%%", "")
            units = (unit for unit, directive in _DIRECTIVES if directive.search(directives))
            self._unit = next(units, "year")

    def write(self, instant: datetime) -> str:
        if self._pattern in _NUMBERS and self._interval is not None:
            number = number_in_day(instant, self._interval, self._zone)
            return str(number + _NUMBERS[self._pattern])
        if self._pattern == "unix":
            return str((instant - EPOCH) // timedelta(seconds=1))
        if self._pattern == "unix_ms":
            return str((instant - EPOCH) // timedelta(milliseconds=1))
        local = _in_zone(instant, self._zone)
        if self._pattern:
            # C libraries write the year 1 as "1"
            return local.strftime(self._pattern.replace("%Y", f"{local.year:04}"))
        return local.isoformat(timespec="seconds").replace("+00:00", "Z")

    def round_up(self, instant: datetime) -> datetime:
        """The first instant that is no earlier and that the format can say."""
        if not self._unit:
            return instant
        local = _in_zone(instant, self._zone)
        floor = period_start(local, self._unit)
        return instant if floor == local else next_period(floor, self._unit)


def _in_zone(instant: datetime, zone: tzinfo) -> datetime:
    try:
        return instant.astimezone(zone)
    except OverflowError:  # the first and the last day of the calendar
        return instant.replace(tzinfo=zone)
