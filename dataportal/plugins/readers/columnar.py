"""Reads columnar answers: one list of times, and lists of values of the same length beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import compress
from math import isinf
from typing import TYPE_CHECKING, Any

from dataportal.plugins.readers.times import Clip, from_milliseconds
from dataportal.raw_points import RefusedTime

if TYPE_CHECKING:
    from dataportal.granularity import IntervalLength
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.times import Window


class ColumnTimes:
    """The times that the columns of an answer share.

    Args:
        times: a list of whole seconds since 1970 began in UTC, or of ISO 8601 texts; None for none.
        answer: what they stand in, for messages.
        window: points outside of it are left out.
        offset: the seconds by which times without an offset are ahead of UTC, the same for all.

    Raises:
        BadDataError: the times are something else.
    """

    def __init__(self, times: Any, answer: Answer, window: Window, *, offset: Any = 0) -> None:
        self._answer = answer
        self._window = window
        times = [] if times is None else times
        if not isinstance(times, list):
            raise answer.bad("has no list of times")
        try:
            self._instants = [_instant(time, offset) for time in times]
        except (TypeError, ValueError):
            raise answer.bad("has a time that is neither seconds nor ISO 8601") from None

    def __len__(self) -> int:
        return len(self._instants)

    def points(
        self,
        name: str,
        column: Any,
        *,
        earlier: timedelta = timedelta(),
        length: IntervalLength | None = None,
    ) -> dict[str, Any]:
        """The times and the values of a column that lie in the window, as a plugin returns them.

        Args:
            name: what the column is called, for a message.
            column: a list of values; None for nothing at all.
            earlier: how long before its stamp the interval of a value begins.
            length: of the intervals, if it is known.

        Raises:
            BadDataError: it is no list, or not as long as the times.
        """
        if column is None:
            return {"ts": [], "value": []}
        if not isinstance(column, list):
            raise self._answer.bad(f"has no list of {name}")
        if len(column) != len(self._instants):
            raise self._answer.bad(
                f"has {len(column)} values of {name} and {len(self._instants)} times"
            )
        clip = Clip(self._window, length)
        times = self._instants if not earlier else [_before(ts, earlier) for ts in self._instants]
        readable = [ts for ts in times if isinstance(ts, datetime)]
        if len(readable) == len(times) and self._window.covers_all(readable):
            return clip.columns({"ts": [*times], "value": column})
        inside = [isinstance(ts, str) or clip.takes(ts) for ts in times]
        return clip.columns(
            {"ts": [*compress(times, inside)], "value": [*compress(column, inside)]}
        )


def _before(ts: datetime | str, earlier: timedelta) -> datetime | str:
    if isinstance(ts, str):
        return ts
    try:
        return ts - earlier
    except OverflowError:
        return RefusedTime(f"what begins before {ts:%Y-%m-%d %H:%M}Z is beyond the calendar")


def _instant(time: Any, offset: Any) -> datetime | RefusedTime:
    """The instant; the reason for one that no calendar has, which costs its point alone."""
    try:
        return _read(time, offset)
    except OverflowError:
        return RefusedTime(f"the time {time} is beyond the calendar")


def _read(time: Any, offset: Any) -> datetime:
    if isinstance(time, str):
        parsed = datetime.fromisoformat(time)
        if parsed.tzinfo is None:
            return parsed.replace(tzinfo=UTC) - timedelta(seconds=offset)
        return parsed.astimezone(UTC)
    if isinstance(time, float) and isinf(time):  # so a number that no double holds is read
        raise OverflowError
    if type(time) is not int:  # a bool is an int to Python, and no time
        raise TypeError
    return from_milliseconds(time * 1000)
