"""Values that come with the time of their publication, and several times over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    Time = datetime | str
    """A time, or the text that is none, for the run to refuse."""


class Publications:
    """The publications of one series; one that comes twice counts once, the last value of it."""

    def __init__(self) -> None:
        self._found: dict[tuple[Time, Time], Any] = {}

    def add(self, moment: Time, published: Time, value: Any) -> None:
        """Note what was published when of the interval that begins at `moment`."""
        self._found[moment, published] = value

    @property
    def every(self) -> dict[str, list[Any]]:
        """All of them, as columns with `published_at`."""
        return {
            "ts": [moment for moment, _ in self._found],
            "value": list(self._found.values()),
            "published_at": [published for _, published in self._found],
        }

    @property
    def newest(self) -> dict[str, list[Any]]:
        """The one published last of each interval, as columns; else the one that came last."""
        latest: dict[Time, Time] = {}
        for moment, published in self._found:
            before = latest.get(moment, "")
            if isinstance(before, str) or isinstance(published, str) or published >= before:
                latest[moment] = published
        return {"ts": list(latest), "value": [self._found[pair] for pair in latest.items()]}
