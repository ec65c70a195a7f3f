"""Estimates how long a backfill still takes, from the slices that are stored."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from dataportal.collect.events import Finished, Started, Stored
from dataportal.render.formatting import format_span, pluralize

if TYPE_CHECKING:
    from collections.abc import Callable

    from dataportal.collect.events import Event


class BackfillPace:
    """Counts slices, and estimates those of sources that have not begun by those that have.

    Args:
        sources: how many sources take part.
        clock: seconds that pass.
    """

    def __init__(self, sources: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._sources = sources
        self._clock = clock
        self._started = clock()
        self._slices: dict[str, int] = {}
        self._stored: dict[str, int] = {}
        self._finished = 0

    def __call__(self, event: Event) -> None:
        """Take notice of an event."""
        match event:
            case Started(source, slices):
                self._slices[source] = slices
            case Stored(source, number, slices):
                self._slices[source], self._stored[source] = slices, number
            case Finished(result):
                self._finished += 1
                # what a source left undone is not waited for
                self._slices[result.source] = self._stored.get(result.source, 0)

    @property
    def done(self) -> int:
        """Slices that are stored."""
        return sum(self._stored.values())

    @property
    def total(self) -> int:
        """All slices there are to do, as far as that can be told."""
        known = sum(self._slices.values())
        unknown = max(0, self._sources - len(self._slices))
        return known + round(known / len(self._slices) * unknown) if self._slices else 0

    def sentence(self) -> str:
        """What is done, how fast it goes, and how long it still takes: once a slice is stored."""
        sources = f"{self._finished:,} of {pluralize(self._sources, 'source')}"
        elapsed = self._clock() - self._started
        if not self.done or elapsed <= 0:
            return sources
        pace = self.done / elapsed
        left = timedelta(seconds=max(0, self.total - self.done) / pace)
        return (
            f"{sources}, {self.done:,} of about {pluralize(self.total, 'slice')}, "
            f"{60 * pace:,.0f} a minute, about {format_span(left)} left"
        )
