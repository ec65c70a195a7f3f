"""Collects values that come with the time of their publication, and several times over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    Time = datetime | str
    """A time, or the text that is none, for the run to refuse."""


class Publications:
    """The publications of one series; of one that comes twice the last value counts."""

    def __init__(self) -> None:
        self._values: dict[tuple[Time, Time], Any] = {}

    def add(self, ts: Time, published: Time, value: Any) -> None:
        """Add the value that was published at `published` of the interval that begins at `ts`."""
        self._values[ts, published] = value

    @property
    def all_columns(self) -> dict[str, list[Any]]:
        """All of them, as columns with `published_at`."""
        return {
            "ts": [ts for ts, _ in self._values],
            "value": list(self._values.values()),
            "published_at": [published for _, published in self._values],
        }

    @property
    def newest_columns(self) -> dict[str, list[Any]]:
        """Of each interval the one published last, or the one that came last, as columns."""
        latest: dict[Time, Time] = {}
        for ts, published in self._values:
            previous = latest.get(ts, "")
            if isinstance(previous, str) or isinstance(published, str) or published >= previous:
                latest[ts] = published
        return {"ts": list(latest), "value": [self._values[pair] for pair in latest.items()]}
