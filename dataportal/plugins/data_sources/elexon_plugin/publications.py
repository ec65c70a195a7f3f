"""Collects values that come with the time of their publication, and several times over."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    Time = datetime | str
    """A time, or the text that is none, for the run to refuse."""


class Publications:
    """The publications of one series, each as it came: the run settles what comes twice."""

    def __init__(self) -> None:
        self._ts: list[Time] = []
        self._published: list[Time] = []
        self._values: list[Any] = []

    def add(self, ts: Time, published: Time, value: Any) -> None:
        """Add the value that was published at `published` of the interval that begins at `ts`."""
        self._ts.append(ts)
        self._published.append(published)
        self._values.append(value)

    @property
    def all_columns(self) -> dict[str, list[Any]]:
        """All of them, as columns with `published_at`."""
        return {"ts": self._ts, "value": self._values, "published_at": self._published}

    @property
    def newest_columns(self) -> dict[str, list[Any]]:
        """Of each interval what was published last, as columns.

        What has no time of publication that can be read is no older than anything.
        """
        latest: dict[Time, datetime] = {}
        for ts, published in zip(self._ts, self._published, strict=True):
            if not isinstance(published, str):
                latest[ts] = max(published, latest.get(ts, published))
        newest = [
            isinstance(published, str) or published == latest[ts]
            for ts, published in zip(self._ts, self._published, strict=True)
        ]
        return {
            "ts": [*compress(self._ts, newest)],
            "value": [*compress(self._values, newest)],
        }
