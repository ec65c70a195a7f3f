"""Fills the fields of URLs, queries, headers and bodies, such as `{start}` and `{end}`.

    {start}                                 2025-03-01T00:00:00Z
    {start:%Y%m%d%H%M}                      as strftime writes it, in UTC
    {start:%Y-%m-%d@Europe/Berlin}          the same, in a named time zone
    {end:unix}   {end:unix_ms}              seconds, milliseconds since 1970 began in UTC
    {start:number@Europe/Madrid}            the number of the interval in its local day, from 1;
                                            as long as `each` says; number0 counts from 0
    {start:%Y%m%d%K}                        hours from 01 to 24: of `{start}` the first one asked
                                            for, of `{end}` the last, with its own day; %-K: 1 to 24
    {last:%Y-%m-%d@Europe/Rome}             the last instant asked for, rounded down: the last day,
                                            for providers that count it in
    {start:%Y:int}                          in a body of JSON a number, not a text
    {dataset_id}                            what a series' extract_filter says under that name

Times are rounded to what their format can say: `{start}` down and `{end}` up, to the whole second,
minute, hour, day, week, month or year, so that nothing asked for is missing from the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from dataportal.plugins.declarative.interval_numbers import number_in_day
from dataportal.plugins.declarative.periods import next_period, period_start
from dataportal.times import EPOCH, time_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, tzinfo

_FIELD = re.compile(r"\{(?P<name>[A-Za-z_]\w*)(?::(?P<format>[^{}]*))?\}")
_PLAIN_FIELD = re.compile(r"\{([A-Za-z_]\w*)\}")
_QUOTED_FIELD = re.compile(r"\{(\{[A-Za-z_]\w*(?::[^{}]*)?\})\}")
_PARTS = re.compile(rf"(?P<quoted>{_QUOTED_FIELD.pattern})|{_FIELD.pattern}")
_TIMES = ("start", "end")
_LAST = "last"
_DIRECTIVES = (
    ("", re.compile(r"%-?f")),
    ("second", re.compile(r"%-?[STXcrs]")),
    ("minute", re.compile(r"%-?[MR]")),
    ("hour", re.compile(r"%-?[HIklK]")),
    ("day", re.compile(r"%-?[dejuwaAxDF]")),
    ("week", re.compile(r"%-?[VUW]")),
    ("month", re.compile(r"%-?[mbBh]")),
)
"""Units of time by the directives of strftime that say them, the finest first."""
_HOUR_FROM_1 = re.compile(r"%%|%(?P<padding>-?)K")
_HOUR = timedelta(hours=1)
_AS_NUMBER = ":int"
_NUMBERS = {"number": 1, "number0": 0}
"""What the first interval of a day is called."""
_UNIT_OF_WORD = {
    "": "second",
    "unix": "second",
    "unix_ms": "millisecond",
    **dict.fromkeys(_NUMBERS, ""),
}


@dataclass(frozen=True, slots=True)
class Values:
    """Several values of one field: in a text they are joined, in a list each has its own item.

    Attributes:
        items: the values.
        separator: what a text has between them.
    """

    items: tuple[Any, ...]
    separator: str = ","

    def __str__(self) -> str:
        return self.separator.join(map(str, self.items))


class Template:
    """A text with fields.

    Args:
        text: as above; a `{` that begins no field stands for itself.
        interval: how long the intervals are that `number` counts.
        is_body: whether it stands in a body, where other languages have braces too: `{{name}}` is
            `{name}` there.

    Attributes:
        names: of its fields other than `start` and `end`.

    Raises:
        ValueError: a time zone or a format that there is not.
    """

    def __init__(
        self, text: str, interval: timedelta | None = None, *, is_body: bool = False
    ) -> None:
        self._text = text
        self._parts = _PARTS if is_body else _FIELD
        self._formats: dict[str, _Format] = {}
        fields = [match for match in self._parts.finditer(text) if match["name"]]
        self.names: frozenset[str] = frozenset(
            match["name"] for match in fields if not _is_time(match)
        )
        for match in fields:
            if _is_time(match):
                self._formats[match["format"] or ""] = _Format(match["format"] or "", interval)

    @property
    def has_times(self) -> bool:
        """Whether it has a field for the start or the end."""
        return bool(self._formats)

    def fill(
        self,
        start: datetime,
        end: datetime,
        names: Mapping[str, Any],
        encode: Callable[[str], str] = str,
    ) -> str:
        """The text with its fields filled in.

        Args:
            start: the first instant asked for.
            end: the first one no longer asked for.
            names: what the other fields become: a text, a number, or `Values`.
            encode: what is done to each text before it is filled in.
        """

        def replacement(match: re.Match[str]) -> str:
            name = match["name"]
            if not name:
                return match["quoted"][1:-1]
            if not _is_time(match):
                return encode(str(names[name])) if name in names else match[0]
            return encode(self._time(match, start, end))

        return self._parts.sub(replacement, self._text)

    def fill_value(self, start: datetime, end: datetime, names: Mapping[str, Any]) -> Any:
        """As `fill`, in a document: what is nothing but one field keeps its type.

        A number of sources.yaml stays one, and so do a number of seconds and what ends with `:int`.
        """
        match = self._parts.fullmatch(self._text)
        if match is None or not match["name"]:
            return self.fill(start, end, names)
        if not _is_time(match):
            return names.get(match["name"], self._text)
        text = self._time(match, start, end)
        return int(text) if self._formats[match["format"] or ""].is_number else text

    def _time(self, match: re.Match[str], start: datetime, end: datetime) -> str:
        time_format = self._formats[match["format"] or ""]
        if match["name"] == "start":
            return time_format.write(start)
        if match["name"] == _LAST:
            return time_format.write(end - timedelta(microseconds=1))
        return time_format.write(time_format.round_up(end), is_end=True)


def finest_unit(pattern: str) -> str:
    """The finest unit of time that a format of strftime or strptime says; "" for no such format."""
    if "%" not in pattern:
        return ""
    directives = pattern.replace("%%", "")
    units = (unit for unit, directive in _DIRECTIVES if directive.search(directives))
    return next(units, "year")


def _is_time(match: re.Match[str]) -> bool:
    """Whether a field is a time; without a format `last` is a name like any other."""
    return match["name"] in _TIMES or (match["name"] == _LAST and match["format"] is not None)


def field_names(text: str) -> frozenset[str]:
    """The names of the plain fields `{name}` in a path, an expression or a text."""
    return frozenset(_PLAIN_FIELD.findall(text))


def fill_fields(parameter: str, text: str, names: Mapping[str, str]) -> str:
    """A path, an expression or a text with its plain fields filled in.

    Args:
        parameter: what it is called in sources.yaml.
        text: the text.
        names: what the fields become.

    Raises:
        ValueError: nothing fills one of them.
    """
    for name in sorted(field_names(text) - names.keys()):
        raise ValueError(f"{parameter} has a field {{{name}}}, and nothing fills it")
    return _PLAIN_FIELD.sub(lambda match: names[match[1]], text)


class _Format:
    """How a time is written, and to which unit that rounds it."""

    def __init__(self, text: str, interval: timedelta | None) -> None:
        self._pattern, _, zone = text.removesuffix(_AS_NUMBER).partition("@")
        self.is_number = text.endswith(_AS_NUMBER) or self._pattern in _UNIT_OF_WORD.keys() - {""}
        self._zone: tzinfo = time_zone(zone) if zone else UTC
        self._unit = _UNIT_OF_WORD.get(self._pattern, "year")
        self._counts_hours = False
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
            self._unit = finest_unit(self._pattern)
            self._counts_hours = re.search("%-?K", directives) is not None
            if self._counts_hours and self._unit != "hour":
                raise ValueError(f"{{…:{text}}} has hours from 1 to 24, and nothing finer goes")

    def write(self, instant: datetime, *, is_end: bool = False) -> str:
        if self._pattern in _NUMBERS and self._interval is not None:
            number = number_in_day(instant, self._interval, self._zone)
            return str(number + _NUMBERS[self._pattern])
        if self._pattern == "unix":
            return str((instant - EPOCH) // timedelta(seconds=1))
        if self._pattern == "unix_ms":
            return str((instant - EPOCH) // timedelta(milliseconds=1))
        if self._counts_hours:
            return self._write_hour(instant, is_end=is_end)
        local = _in_zone(instant, self._zone)
        if self._pattern:
            return _strftime(local, self._pattern)
        return local.isoformat(timespec="seconds").replace("+00:00", "Z")

    def _write_hour(self, instant: datetime, *, is_end: bool) -> str:
        """The hour that begins then, or at an end the one before, by its number in the day."""
        local = _in_zone(instant - _HOUR if is_end else instant, self._zone)
        number = local.hour + 1

        def replacement(match: re.Match[str]) -> str:
            if match["padding"] is None:
                return match[0]
            return str(number) if match["padding"] else f"{number:02}"

        return _strftime(local, _HOUR_FROM_1.sub(replacement, self._pattern))

    def round_up(self, instant: datetime) -> datetime:
        """The first instant that is no earlier and that the format can say."""
        if not self._unit:
            return instant
        local = _in_zone(instant, self._zone)
        floor = period_start(local, self._unit)
        return instant if floor == local else next_period(floor, self._unit)


def _strftime(local: datetime, pattern: str) -> str:
    # C libraries write the year 1 as "1"
    return local.strftime(pattern.replace("%Y", f"{local.year:04}"))


def _in_zone(instant: datetime, zone: tzinfo) -> datetime:
    try:
        return instant.astimezone(zone)
    except OverflowError:  # the first and the last day of the calendar
        return instant.replace(tzinfo=zone)
