"""Reads times as providers write them, and the window of time that a plugin is asked for."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, cast

from dataportal.local_times import instants_of
from dataportal.times import EARLIEST, EPOCH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

_LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)
_MARGIN = timedelta(days=1)


class Window:
    """The half-open range of times [start, end) that a plugin is asked for.

    Args:
        start_date: ISO 8601, in UTC where it says no offset.
        end_date: the same; None for the newest there is.

    Raises:
        ValueError: a time that is not ISO 8601.
    """

    def __init__(self, start_date: str, end_date: str | None) -> None:
        self.start = _instant(start_date)
        self.end = None if end_date is None else _instant(end_date)
        # a local time is less than a day from UTC
        self._low = self.start - _MARGIN if self.start - EARLIEST > _MARGIN else EARLIEST
        self._high = self.end
        if self.end is not None:
            self._high = self.end + _MARGIN if _LAST_DAY - self.end > _MARGIN else None

    def covers(self, ts: datetime) -> bool:
        """Whether a time with an offset lies in the window, or a local time may lie in it."""
        if ts.tzinfo is not None:
            return self.start <= ts and (self.end is None or ts < self.end)
        ts = ts.replace(tzinfo=UTC)
        return self._low <= ts and (self._high is None or ts < self._high)

    def covers_all(self, times: Sequence[datetime]) -> bool:
        """Whether all of these times with an offset lie in the window; False for local times."""
        try:
            return not times or (
                self.start <= min(times) and (self.end is None or max(times) < self.end)
            )
        except TypeError:
            return False


def from_milliseconds(stamp: int) -> datetime:
    """The instant so many milliseconds after 1970 began in UTC.

    Raises:
        OverflowError: outside of the years 1 to 9999.
    """
    return EPOCH + timedelta(milliseconds=stamp)


def nearest_instant(ts: datetime | str, zone: ZoneInfo, reference: datetime) -> datetime | str:
    """The instant nearest to `reference` at which the clocks of the zone show a local time.

    A time with an offset and a text stay as they are. So does a local time that does not exist in
    the zone, for the run to refuse.
    """
    if isinstance(ts, str) or ts.tzinfo is not None:
        return ts
    return min(instants_of(ts, zone), key=lambda instant: abs(instant - reference), default=ts)


class TimeFormat:
    """How a column of times is written.

    Args:
        pattern: as `datetime.strptime` reads it, where an hour of 24 is the midnight that ends the
            day; `unix` (seconds) or `unix_ms` since 1970 began in UTC; `period` for the beginning
            of 2024, 2024-S1, 2024-Q1, 2024-01, 2024-M01, 2024-W05 or 2024-06-03; empty for ISO
            8601.

    Raises:
        ValueError: none of these.
    """

    def __init__(self, pattern: str = "") -> None:
        self._pattern = pattern
        if pattern in _WORDS:
            return
        if "%" not in pattern:
            raise ValueError(
                f"{pattern!r} must be as strptime reads it, such as %d.%m.%Y %H:%M, or one of "
                + ", ".join(sorted(_WORDS - {""}))
            )
        try:
            datetime.strptime("", pattern)  # noqa: DTZ007 - only asked whether it can be used
        except (ValueError, re.error) as error:
            if "does not match" not in str(error):
                raise ValueError(f"{pattern!r} cannot be used ({error})") from None

    def read(self, raw: object) -> datetime | str:  # noqa: PLR0911 - one for each form
        """The time, naive where nothing says an offset; else a text, for the run to refuse."""
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            return "" if raw is None else repr(raw)
        text = str(raw).strip()
        try:
            if self._pattern == "":
                # a bare number is no time, although 2024 would be one in ISO 8601
                return datetime.fromisoformat(text) if isinstance(raw, str) else text
            if self._pattern == "period":
                return _period_start(text)
            if self._pattern == "unix":
                return EPOCH + timedelta(seconds=float(text))
            if self._pattern == "unix_ms":
                return from_milliseconds(raw if isinstance(raw, int) else int(float(text)))
            return self._parse(text)
        except (ValueError, OverflowError):
            # a time in another format is not taken, even where it could be read
            return f"{text} (not {self._pattern})" if self._pattern else text

    def read_all(self, cells: Sequence[object]) -> list[datetime] | None:
        """As `read` for each cell, in a tenth of the time; None unless all are ISO 8601."""
        if self._pattern or {*map(type, cells)} != {str}:
            return None
        try:
            return [*map(datetime.fromisoformat, cast("Sequence[str]", cells))]
        except ValueError:
            return None

    def _parse(self, text: str) -> datetime:
        try:
            return datetime.strptime(text, self._pattern)  # noqa: DTZ007 - local to the source's zone
        except ValueError:
            if "24" not in text or "%H" not in self._pattern:
                raise
        for match in _MIDNIGHT.finditer(text):
            at_zero = f"{text[: match.start()]}00{text[match.end() :]}"
            try:
                midnight = datetime.strptime(at_zero, self._pattern)  # noqa: DTZ007 - the same
            except ValueError:
                continue
            if midnight.time() == time():
                return midnight + timedelta(days=1)
        raise ValueError(text)


_WORDS = {"", "period", "unix", "unix_ms"}
_MIDNIGHT = re.compile("24")
_PERIOD = re.compile(
    r"(\d{4})(?:-?(?:(?P<kind>[SHQMWshqmw])(?P<number>\d{1,2})|(?P<month>\d{2})))?"
)
_MONTHS = {"S": 6, "H": 6, "Q": 3, "M": 1}


def _period_start(text: str) -> datetime:
    """The local beginning of a year, half-year, quarter, month, week (ISO 8601) or day."""
    match = _PERIOD.fullmatch(text)
    if match is None:
        return datetime.fromisoformat(text)
    year = int(match[1])
    kind, number = (match["kind"] or "M").upper(), int(match["number"] or match["month"] or 1)
    if kind == "W":
        return datetime.combine(date.fromisocalendar(year, number, 1), time())
    return datetime(year, (number - 1) * _MONTHS[kind] + 1, 1)  # noqa: DTZ001 - local


def _instant(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
