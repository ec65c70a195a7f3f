"""What happens along the way, for whoever shows it: progress bars, log lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataportal.collect.results import RunResult


@dataclass(frozen=True, slots=True)
class Started:
    """A source holds its lock and begins; `slices` is how many parts its window has."""

    source: str
    slices: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Slice number `done` of `slices` is committed."""

    source: str
    done: int
    slices: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A source waits `seconds` before it tries again, or for its lock (None = until it is free)."""

    source: str
    seconds: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something about a source that somebody should know."""

    source: str
    message: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A source is done, well or not."""

    result: RunResult


Event = Started | Stored | Waiting | Warned | Finished
Listener = Callable[[Event], None]
