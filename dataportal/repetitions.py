"""Decides which of several points of one time counts, or that they contradict each other. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    Moment = tuple[datetime, datetime | None]
    """A ts, and the time of publication where there is one."""

_MOST_VALUES = 5
"""Values of a contradiction that its message shows."""


class Repeated(StrEnum):
    """What several rows of one time and publication mean that differ in their value."""

    REFUSE = "refuse"
    """A contradiction: none of them is taken."""
    FIRST = "first"
    """The first of them counts."""
    LAST = "last"
    """The last of them counts."""


def choice(
    positions: Sequence[int], values: Sequence[float | None], repeated: Repeated
) -> int | None:
    """Which of several points of one time counts; None if they contradict each other.

    Values are compared as they are stored. A null says nothing against a number.
    """
    numbers = [position for position in positions if values[position] is not None]
    if not numbers:
        return positions[0]
    if repeated is Repeated.REFUSE and len({values[position] for position in numbers}) > 1:
        return None
    return numbers[-1] if repeated is Repeated.LAST else numbers[0]


def contradiction(moment: Moment, values: Sequence[float | None]) -> str:
    """Why several points of one time are refused: in the same words whatever their order."""
    ts, publication = moment
    numbers = sorted({value for value in values if value is not None})
    listed = ", ".join(str(value).removesuffix(".0") for value in numbers[:_MOST_VALUES])
    more = f" and {len(numbers) - _MOST_VALUES} more" if len(numbers) > _MOST_VALUES else ""
    published = "" if publication is None else f", published at {iso(publication)},"
    return (
        f"{iso(ts)}{published} has {len(numbers)} different values ({listed}{more}); where they "
        "are of several series, a filter tells these apart; where the provider means one of them, "
        "repeated: last or first does"
    )
