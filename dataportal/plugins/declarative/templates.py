"""Texts with `{start}` and `{end}` in them, as URLs and query parameters have them.

    {start}                                 2025-03-01T00:00:00Z
    {start:%Y%m%d%H%M}                      as strftime writes it, in UTC
    {start:%Y-%m-%d@Europe/Berlin}          the same, in a named time zone
    {end:unix}   {end:unix_ms}              seconds, milliseconds since 1970 began in UTC
    {dataset_id}                            what a series' extract_filter says under that name

What a format does not say is rounded: `{start}` down and `{end}` up, to the whole second, minute,
hour, day, week, month or year, so that nothing asked for is missing from the answer.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from dataportal.plugins.declarative.periods import next_period, period_start
from dataportal.times import EPOCH, time_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, tzinfo

_FIELD = re.compile(r"\{(?P<name>[A-Za-z_]\w*)(?::(?P<format>[^{}]*))?\}")
_TIMES = ("start", "end")
_FINEST = (
    ("", re.compile(r"%-?f")),
    ("second", re.compile(r"%-?[STXcrs]")),
    ("minute", re.compile(r"%-?[MR]")),
    ("hour", re.compile(r"%-?[HIkl]")),
    ("day", re.compile(r"%-?[dejuwaAxDF]")),
    ("week", re.compile(r"%-?[VUW]")),
    ("month", re.compile(r"%-?[mbBh]")),
)
"""What the finest part of a time is that a format says, by the directives that say it."""
_WORDS = {"": "second", "unix": "second", "unix_ms": "millisecond"}


class Template:
    """A text with fields.

    Args:
        text: as above; a `{` that begins no field stands for itself.

    Raises:
        ValueError: a time zone that there is not.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._formats: dict[str, _Format] = {}
        self.names: frozenset[str] = frozenset(
            match["name"] for match in _FIELD.finditer(text) if match["name"] not in _TIMES
        )
        for match in _FIELD.finditer(text):
            if match["name"] in _TIMES:
                self._formats[match["format"] or ""] = _Format(match["format"] or "")

    @property
    def has_times(self) -> bool:
        """Whether it says something of the time asked for."""
        return bool(self._formats)

    def filled(
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
            names: what the other fields stand for.
            encode: makes of what stands in a field what may stand in the text.
        """

        def said(match: re.Match[str]) -> str:
            name = match["name"]
            if name not in _TIMES:
                return encode(names[name]) if name in names else match[0]
            form = self._formats[match["format"] or ""]
            return encode(form.write(start if name == "start" else form.raised(end)))

        return _FIELD.sub(said, self._text)


class _Format:
    """How a time is written, and how long what it names lasts."""

    def __init__(self, text: str) -> None:
        self._pattern, _, zone = text.partition("@")
        self._zone: tzinfo = time_zone(zone) if zone else UTC
        self._whole = {"unix": "second", "unix_ms": "millisecond", "": "second"}.get(
            self._pattern, "year"
        )
        if self._pattern and self._pattern not in {"unix", "unix_ms"}:
            if "%" not in self._pattern:
                raise ValueError(
                    f"{{…:{text}}} must be as strftime writes it, such as %Y-%m-%d, unix or unix_ms"
                )
            said = self._pattern.replace("%%", "")
            self._whole = next((unit for unit, form in _FINEST if form.search(said)), "year")

    def write(self, moment: datetime) -> str:
        if self._pattern == "unix":
            return str((moment - EPOCH) // timedelta(seconds=1))
        if self._pattern == "unix_ms":
            return str((moment - EPOCH) // timedelta(milliseconds=1))
        local = _in_zone(moment, self._zone)
        if self._pattern:
            # C libraries write the year 1 as "1"
            return local.strftime(self._pattern.replace("%Y", f"{local.year:04}"))
        return local.isoformat(timespec="seconds").replace("+00:00", "Z")

    def raised(self, moment: datetime) -> datetime:
        """The moment, or where the next of what the format says begins if it lies within one."""
        if not self._whole:
            return moment
        local = _in_zone(moment, self._zone)
        floor = period_start(local, self._whole)
        return moment if floor == local else next_period(floor, self._whole)


def _in_zone(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:  # the first and the last day of the calendar
        return moment.replace(tzinfo=zone)
