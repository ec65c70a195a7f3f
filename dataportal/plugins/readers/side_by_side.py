"""Answers in columns: one list of epoch seconds, and lists of values of the same length."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dataportal.plugins.readers.instants import from_milliseconds

if TYPE_CHECKING:
    from datetime import datetime

    from dataportal.plugins.answers import Answer
    from dataportal.plugins.readers.instants import Window


class SideBySide:
    """Columns that share their times.

    Args:
        seconds: since 1970 began in UTC; a list, or None for none.
        answer: what they stand in.
        window: points outside of it are left out.

    Raises:
        BadDataError: the times are no list of whole seconds.
    """

    def __init__(self, seconds: Any, answer: Answer, window: Window) -> None:
        self._answer = answer
        self._window = window
        if seconds is None:
            seconds = []
        if not isinstance(seconds, list):
            raise answer.bad("has no list of times")
        try:
            # a bool is an int to Python, and no time
            self._moments = [from_milliseconds(s * 1000) for s in seconds if type(s) is int]
        except OverflowError:
            raise answer.bad("has a time beyond the calendar") from None
        if len(self._moments) != len(seconds):
            raise answer.bad("has a time that is no whole number of seconds")

    def __len__(self) -> int:
        return len(self._moments)

    def points(
        self, name: str, column: Any, *, earlier: timedelta = timedelta()
    ) -> dict[str, list[Any]]:
        """The times and the values of a column, as the run takes them.

        Args:
            name: what the column is called, for a message.
            column: a list of values; None for nothing at all.
            earlier: how long before its stamp the interval of a value begins.

        Raises:
            BadDataError: it is no list, or not as long as the times.
        """
        if column is None:
            return {"ts": [], "value": []}
        if not isinstance(column, list):
            raise self._answer.bad(f"has no list of {name}")
        if len(column) != len(self._moments):
            raise self._answer.bad(
                f"has {len(column)} values of {name} and {len(self._moments)} times"
            )
        ts: list[datetime] = []
        values: list[Any] = []
        for stamp, value in zip(self._moments, column, strict=True):
            moment = stamp - earlier
            if self._window.covers(moment):
                ts.append(moment)
                values.append(value)
        return {"ts": ts, "value": values}
