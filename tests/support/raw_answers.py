"""Raw answers of plugins: points of one series in every shape, and the observations they become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from numbers import Real
from typing import TYPE_CHECKING, Any

from dataportal.observations import clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from dataportal.observations import Batch

DAY = datetime(2025, 1, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
MISSING = object()
"""In place of a time or a value that a point does not have."""

Point = tuple[Any, Any]


class Degrees:
    """A number of a foreign library, known to Python as a real one."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __float__(self) -> float:
        return self.value


Real.register(Degrees)


def as_dicts(points: list[Point]) -> list[dict[str, Any]]:
    """Points as a plugin returns them; what is MISSING has no key."""
    named = ({"ts": ts, "value": value} for ts, value in points)
    return [{key: raw for key, raw in p.items() if raw is not MISSING} for p in named]


def as_columns(points: list[Point]) -> dict[str, list[Any]]:
    """Points as two columns."""
    return {"ts": [ts for ts, _ in points], "value": [value for _, value in points]}


SHAPES: list[Callable[[list[Point]], Any]] = [
    as_dicts,
    as_columns,
    lambda points: {"data": as_dicts(points)},
    lambda points: {"data": as_columns(points)},
    lambda points: tuple(as_dicts(points)),
    lambda points: iter(as_dicts(points)),
    lambda points: {"ts": iter([p[0] for p in points]), "value": tuple(p[1] for p in points)},
]


def kind(raw: object) -> str:
    """Of what type a parameter is, as the name of its test: the same in every process."""
    return type(raw).__name__


def clean_batch(raw: Any, zone: ZoneInfo | None = None) -> Batch:
    """A clean batch of one series, `a`."""
    return clean({"a": raw}, series=["a"], start=None, end=None, zone=zone)


def clean_points(raw: Any, zone: ZoneInfo | None = None) -> list[tuple[datetime, float | None]]:
    """The observations of that series; nothing may have been left out."""
    batch = clean_batch(raw, zone)
    assert batch.received == len(batch.series["a"]), batch.rejections
    return list(zip(batch.series["a"].ts, batch.series["a"].values, strict=True))
