"""Times as providers and the run write them, as aware datetimes in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = datetime(1, 1, 1, tzinfo=UTC)
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
        self.start = _aware(start_date)
        self.end = None if end_date is None else _aware(end_date)
        # a local time is less than a day from UTC
        self._low = self.start - _MARGIN if self.start - _FIRST_DAY > _MARGIN else _FIRST_DAY
        self._high = self.end
        if self.end is not None:
            self._high = self.end + _MARGIN if _LAST_DAY - self.end > _MARGIN else None

    def covers(self, moment: datetime) -> bool:
        """Whether the moment lies in the window; for a local time: whether it may."""
        if moment.tzinfo is not None:
            return self.start <= moment and (self.end is None or moment < self.end)
        moment = moment.replace(tzinfo=UTC)
        return self._low <= moment and (self._high is None or moment < self._high)


def from_milliseconds(stamp: int) -> datetime:
    """The instant so many milliseconds after 1970 began in UTC.

    Raises:
        OverflowError: outside of the years 1 to 9999.
    """
    return _EPOCH + timedelta(milliseconds=stamp)


class TimeFormat:
    """How a column of times is written.

    Args:
        pattern: as `datetime.strptime` reads it, or `unix` (seconds) or `unix_ms` since 1970 began
            in UTC; empty for ISO 8601.
    """

    def __init__(self, pattern: str = "") -> None:
        self._pattern = pattern

    def read(self, text: str) -> datetime | str:
        """The time, naive where the text says no offset; else a text that the run will refuse."""
        try:
            if self._pattern == "":
                return datetime.fromisoformat(text)
            if self._pattern == "unix":
                return _EPOCH + timedelta(seconds=float(text))
            if self._pattern == "unix_ms":
                return from_milliseconds(int(text))
            return datetime.strptime(text, self._pattern)  # noqa: DTZ007 - local to the source's zone
        except (ValueError, OverflowError):
            # a time in another format is not taken, even where it could be read
            return f"{text} (not {self._pattern})" if self._pattern else text


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
