"""Describes a time series: name, unit, granularity, whatever is known besides its values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataportal.times import parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

LONGEST_NAME = 200
"""Characters that the name of a source or a series may have."""


def is_name(text: str) -> bool:
    """Whether a source or a series may be called so: in a few printable characters."""
    return bool(text.strip()) and len(text) <= LONGEST_NAME and text.isprintable()


@dataclass(frozen=True, slots=True)
class SeriesDescription:
    """One series as sources.yaml describes it; the columns of `time_series` have the same names.

    Attributes:
        endpoint_prefix: its name, unique in a file and in a database.
        name: the name that people know it by.
        description: what is observed.
        granularity: the length of the interval observed, as it is written.
        unit: of the values.
        domain: such as energy, weather, economy.
        category: such as generation, prices.
        subcategory: a finer category.
        update_frequency: how often its source is asked.
        ts_timezone: the zone in which its source writes times without an offset.
        metadata: whatever else sources.yaml says of it.
        availability: when its values are usually available, as `Availability.record` has it; None
            where nobody says.
    """

    endpoint_prefix: str
    name: str | None = None
    description: str | None = None
    granularity: str | None = None
    unit: str | None = None
    domain: str | None = None
    category: str | None = None
    subcategory: str | None = None
    update_frequency: str | None = None
    ts_timezone: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    availability: Mapping[str, str] | None = None

    @property
    def availability_text(self) -> str | None:
        """When its values are usually available, as people write it."""
        return None if self.availability is None else self.availability.get("text")

    @property
    def interval(self) -> timedelta | None:
        """How long the interval observed is; None where `granularity` does not say."""
        try:
            return None if self.granularity is None else parse_duration(self.granularity)
        except ValueError:
            return None
