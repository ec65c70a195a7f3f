"""Reads times as providers write them, and the window of time that a plugin is asked for."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Self, cast

from dataportal.local_times import instants_of
from dataportal.plugins.readers.periods import read_period
from dataportal.raw_points import RefusedTime
from dataportal.times import EARLIEST, EPOCH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo
    from zoneinfo import ZoneInfo

    from dataportal.granularity import IntervalLength

_LAST_DAY = datetime(9999, 12, 31, tzinfo=UTC)
_MARGIN = timedelta(days=1)


class Window:
    """The half-open range of times [start, end) that a plugin is asked for.

    Args:
        start_date: ISO 8601, in UTC where it says no offset.
        end_date: the same; None for the newest there is.

    Attributes:
        start: its first instant.
        end: the first one that is no part of it; None for the newest there is.
        low: a local time before this, read as if in UTC, lies before the window in every zone.
        high: one from this on lies after it.

    Raises:
        ValueError: a time that is not ISO 8601.
    """

    def __init__(self, start_date: str, end_date: str | None) -> None:
        self.start = _instant(start_date)
        self.end = None if end_date is None else _instant(end_date)
        # a local time is less than a day from UTC
        self.low = self.start - _MARGIN if self.start - EARLIEST > _MARGIN else EARLIEST
        self.high = self.end
        if self.end is not None:
            self.high = self.end + _MARGIN if _LAST_DAY - self.end > _MARGIN else None
        self._local_low = self.low.replace(tzinfo=None)
        self._local_high = None if self.high is None else self.high.replace(tzinfo=None)

    def covers(self, ts: datetime) -> bool:
        """Whether a time with an offset lies in the window, or a local time may lie in it."""
        if ts.tzinfo is not None:
            return self.start <= ts and (self.end is None or ts < self.end)
        return self._local_low <= ts and (self._local_high is None or ts < self._local_high)

    def covers_all(self, times: Sequence[datetime]) -> bool:
        """As `covers` for all of them; False where some have an offset and others are local."""
        try:
            return not times or (self.covers(min(times)) and self.covers(max(times)))
        except TypeError:
            return False


class Clip:
    """Leaves points of one series out that lie outside of a window, and counts them.

    An interval that began before the window and reaches into it is inside.

    Args:
        window: as the plugin is asked for it.
        length: of the intervals, where the provider or the format of its times says it.
        zone: whose days, months and years they are; None for UTC.
    """

    def __init__(
        self, window: Window, length: IntervalLength | None = None, zone: tzinfo | None = None
    ) -> None:
        self.window = window
        self._length = length
        self._zone = zone
        self._before = self._after = 0
        self._ends: dict[datetime, datetime] = {}
        # times without an offset may lie here or there of it
        self._surely_inside = (
            window.start + _MARGIN if _LAST_DAY - window.start > _MARGIN else _LAST_DAY
        )

    def takes(self, ts: datetime, length: IntervalLength | None = None) -> bool:
        """Whether a point belongs to the window, or may; counts it if it does not.

        Args:
            ts: where its interval begins; with an offset, or local.
            length: of its interval, if it differs from point to point.
        """
        window = self.window
        is_local = ts.tzinfo is None
        instant = ts.replace(tzinfo=UTC) if is_local else ts
        start, end = (window.low, window.high) if is_local else (window.start, window.end)
        if end is not None and instant >= end:
            self._after += 1
            return False
        length = length or self._length
        if length is None or instant >= (self._surely_inside if is_local else start):
            if instant >= start:
                return True
        elif start - instant < length.longest:
            until = length.end_of(ts, self._zone)
            if (until.replace(tzinfo=UTC) if is_local else until) > start:
                self._ends[ts] = until
                return True
        self._before += 1
        return False

    def has(self, ts: datetime, zone: tzinfo | None) -> bool:
        """Whether a point that was taken surely belongs to the window.

        Args:
            ts: where its interval begins; with an offset, or local.
            zone: that it is local in; None for UTC.
        """

        def instant(ts: datetime) -> datetime:
            return ts if ts.tzinfo is not None else ts.replace(tzinfo=zone or UTC)

        window = self.window
        if window.end is not None and instant(ts) >= window.end:
            return False
        until = self._ends.get(ts)
        return instant(ts) >= window.start or (until is not None and instant(until) > window.start)

    def leave_out(self, *, before: int = 0, after: int = 0) -> None:
        """Count points that lie outside, and that were not asked for one by one."""
        self._before += before
        self._after += after

    def columns(self, columns: dict[str, list[Any]]) -> dict[str, Any]:
        """The columns of what was taken, and beside them what the run has to know of the rest."""
        beside: dict[str, Any] = {**columns}
        if self._ends:
            beside["end"] = [self._ends.get(ts) for ts in columns["ts"]]
        if self._before or self._after:
            beside["outside"] = {"before": self._before, "after": self._after}
        return beside


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
            day; `unix` (seconds), `unix_ms`, `unix_us` or `unix_ns` since 1970 began in UTC;
            `excel` for days since 1899, as Excel and OLE count them; `period` for the beginning
            of a period, see `read_period`; empty for ISO 8601.
        month_names: of a year, in the order of its months, that `%b` or `%B` reads in place of
            those in English.

    Raises:
        ValueError: none of these.
    """

    def __init__(self, pattern: str = "", month_names: Sequence[str] = ()) -> None:
        self._pattern = pattern
        self._month_names = _MonthNames(pattern, month_names) if month_names else None
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
        _check_date(pattern)

    def with_month_names(self, names: Sequence[str]) -> TimeFormat:
        """The same with names of months in another language.

        Raises:
            ValueError: they are not twelve, or nothing reads them.
        """
        return TimeFormat(self._pattern, names)

    def read(self, raw: object) -> datetime | str:  # noqa: PLR0911 - one for each form
        """The time, naive where nothing says an offset; else a text, for the run to refuse."""
        if isinstance(raw, date):  # of a file that has times as such, however others are written
            return raw if isinstance(raw, datetime) else datetime.combine(raw, time())
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            return "" if raw is None else repr(raw)
        text = str(raw).strip()
        try:
            if self._pattern == "":
                # a bare number is no time, although 2024 would be one in ISO 8601
                return _iso_time(text) if isinstance(raw, str) else text
            if self._pattern == "period":
                return read_period(text)[0]
            if self._pattern in _PER_SECOND:
                return _since_epoch(raw, text, _PER_SECOND[self._pattern])
            if self._pattern == "excel":
                return _excel_time(float(text))
            return self._parse(text)
        except (ValueError, OverflowError):
            # a time in another format is not taken, even where it could be read
            return f"{text} (not {self._pattern})" if self._pattern else text

    def length(self, raw: object) -> IntervalLength | None:
        """The length of the interval that a time names, if the format says it; see `period`."""
        if self._pattern != "period":
            return None
        try:
            return read_period(str(raw).strip())[1]
        except (ValueError, OverflowError):
            return None

    def read_all(self, cells: Sequence[object]) -> list[datetime] | None:
        """As `read` for each cell, in a tenth of the time; None unless all are ISO 8601."""
        types = {*map(type, cells)}
        if types and types <= {datetime, date}:
            dates = cast("Sequence[date]", cells)
            return [
                day if isinstance(day, datetime) else datetime.combine(day, time()) for day in dates
            ]
        if self._pattern or types != {str}:
            return None
        try:
            return [*map(datetime.fromisoformat, cast("Sequence[str]", cells))]
        except ValueError:
            return None

    def read_many(self, cells: Sequence[str]) -> list[datetime | str]:
        """As `read` for each of many texts, most of which are taken at once if they can be."""
        # what a period of that length begins with is what ISO 8601 reads in it
        if self._pattern == "" or (
            self._pattern == "period" and min(map(len, cells), default=0) >= _WHOLE_DATE
        ):
            try:
                return [*map(datetime.fromisoformat, cells)]
            except ValueError:
                pass
        return [*map(self.read, cells)]

    def day_of_hour_24(self, raw: object) -> date | None:
        """The day whose end a time names by an hour of 24; None for any other time."""
        if (
            self._pattern == ""
            and isinstance(raw, str)
            and (match := _ISO_24.fullmatch(raw.strip()))
        ):
            return date.fromisoformat(match["day"])
        if "%H" not in self._pattern or "24" not in (text := str(raw)):
            return None
        try:
            datetime.strptime(text.strip(), self._pattern)  # noqa: DTZ007 - only asked if it can
        except ValueError:
            beyond = self._hour_beyond(text.strip())
            return None if beyond is None else beyond[0].date()
        return None

    @property
    def is_of_days(self) -> bool:
        """Whether it is written by strptime's directives, and says no time of day."""
        return "%" in self._pattern and not _TIME_OF_DAY.search(self._pattern.replace("%%", ""))

    def _parse(self, text: str) -> datetime | str:
        if self._month_names is not None:
            text = self._month_names.in_english(text)
        try:
            return datetime.strptime(text, self._pattern)  # noqa: DTZ007 - local to the source's zone
        except ValueError:
            if "%H" not in self._pattern:
                raise
        beyond = self._hour_beyond(text)
        if beyond is None:
            raise ValueError(text)
        at_zero, hour = beyond
        if hour == _HOURS_OF_DAY and at_zero.time() == time():
            return at_zero + timedelta(days=1)
        return HourBeyond(text, at_zero.date(), hour)

    def _hour_beyond(self, text: str) -> tuple[datetime, int] | None:
        """A time whose hour no clock shows: with an hour of 0 in its place, and that hour."""
        for match in _HOURS_BEYOND.finditer(text):
            at_zero = f"{text[: match.start()]}00{text[match.end() :]}"
            try:
                return datetime.strptime(at_zero, self._pattern), int(match[0])  # noqa: DTZ007
            except ValueError:
                continue
        return None


def _iso_time(text: str) -> datetime:
    """A time in ISO 8601, which lets an hour of 24 be the midnight that ends the day."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        match = _ISO_24.fullmatch(text)
        if match is None:
            raise
    at_zero = f"{match['day']}T00{match['rest']}{match['offset'] or ''}"
    return datetime.fromisoformat(at_zero) + timedelta(days=1)


def _since_epoch(raw: object, text: str, per_second: int) -> datetime:
    """The instant so many units after 1970 began, rounded down to the microsecond."""
    if per_second == 1:
        return EPOCH + timedelta(seconds=float(text))
    if per_second == _PER_SECOND["unix_ms"] and (match := _OF_DOT_NET.fullmatch(text)):
        text = match[1]
    try:
        count = raw if isinstance(raw, int) else int(text)
    except ValueError:
        count = int(float(text))
    return EPOCH + timedelta(microseconds=count * 10**6 // per_second)


def _excel_time(days: float) -> datetime:
    """A local time, to the nearest millisecond, as a double has no more of it.

    Raises:
        ValueError: a day that Excel and OLE do not mean alike, or beyond the year 9999.
    """
    if int(days) not in _EXCEL_DAYS:
        raise ValueError(days)
    return _EXCEL_EPOCH + timedelta(milliseconds=round(days * 86_400_000))


class _MonthNames:
    """Names of months in another language, which `strptime` does not read.

    Args:
        pattern: with `%b` or `%B`.
        names: of January to December.

    Raises:
        ValueError: another number of names, one that is empty, or no place for them.
    """

    def __init__(self, pattern: str, names: Sequence[str]) -> None:
        self._english = calendar.month_name if "%B" in pattern else calendar.month_abbr
        self._months = {name.strip().casefold(): n for n, name in enumerate(names, 1)}
        if len(names) != 12 or len(self._months) != 12 or "" in self._months:  # noqa: PLR2004
            raise ValueError("month_names must be twelve names, each of them once")
        if not re.search("%[bBh]", pattern):
            raise ValueError("month_names need a %b or %B in time_format")
        longest_first = sorted(self._months, key=len, reverse=True)
        self._any = re.compile(
            rf"(?<![^\W\d_])(?:{'|'.join(map(re.escape, longest_first))})(?![^\W\d_])"
        )

    def in_english(self, text: str) -> str:
        """The text with the English name in place of the first one of these.

        Raises:
            ValueError: it has none.
        """
        text = text.casefold()
        match = self._any.search(text)
        if match is None:
            raise ValueError(text)
        name = self._english[self._months[match[0]]]
        return f"{text[: match.start()]}{name}{text[match.end() :]}"


def _check_date(pattern: str) -> None:
    """Check that a format names a day, by itself or as the beginning of a year or a month.

    Raises:
        ValueError: it names none, or one of no year; strptime would take it for one of 1900.
    """
    directives = {match[1] for match in _DIRECTIVE.finditer(pattern.replace("%%", ""))}
    has_month = bool(directives & {"m", "b", "B", "h"})
    if "G" in directives:
        is_date, has_year = {"V"} <= directives and bool(directives & {"u", "w", "a", "A"}), True
    else:
        has_year = bool(directives & {"Y", "y", "c", "x", "D", "F"})
        is_date = (
            bool(directives & {"c", "x", "j", "D", "F"})
            or ("d" in directives and has_month)
            or (bool(directives & {"U", "W"}) and bool(directives & {"u", "w", "a", "A"}))
        )
    names_more = bool(directives & set("dHIMSfXpTUWV")) or bool(directives & {"a", "A", "u", "w"})
    if has_year and (is_date or not names_more):
        return
    lacks = "a year" if not has_year else "a month and a day"
    raise ValueError(
        f"{pattern!r} does not name {lacks}: where date and time stand apart, ts takes a list of "
        "places, and the format names all of them"
    )


class HourBeyond(RefusedTime):
    """A time with an hour that no clock shows, which tells that hours are numbers of intervals.

    Attributes:
        day: the local day that it names.
    """

    day: date

    def __new__(cls, text: str, day: date, hour: int) -> Self:
        """The time that `text` names."""
        beyond = super().__new__(cls, hour_fault(text, hour))
        beyond.day = day
        return beyond


def hour_fault(text: str, hour: int, count: int = 1) -> str:
    """Why hours are no hours of a clock, by the text that tells it."""
    times = "" if count == 1 else f" {count} times"
    return (
        f"{text!r} has an hour {hour}{times}: these are numbers of intervals, "
        "not hours of a clock; see interval"
    )


_DIRECTIVE = re.compile("%[-_]?([A-Za-z])")
_TIME_OF_DAY = re.compile("%-?[HIMSfXcpT]")


_PER_SECOND = {"unix": 1, "unix_ms": 1000, "unix_us": 10**6, "unix_ns": 10**9}
_WORDS = {"", "period", "excel", *_PER_SECOND}
_OF_DOT_NET = re.compile(r"\\?/Date\((-?\d+)(?:[+-]\d{4})?\)\\?/")
_ISO_24 = re.compile(
    r"(?P<day>\d{4}-?\d{2}-?\d{2})(?P<sign>[T ])24(?P<rest>(?::?00){0,2}(?:[.,]0+)?)"
    r"(?P<offset>Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - local
_EXCEL_DAYS = range(61, 2_958_466)
"""Days that Excel and OLE call alike: Excel has a 29 February in 1900."""
_HOURS_BEYOND = re.compile("2[4-6]")
_HOURS_OF_DAY = 24
_WHOLE_DATE = len("2024-06-03")


def _instant(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
