"""The fields that JSON has of a series as sources.yaml describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataportal.series import SeriesDescription


def series_fields(series: SeriesDescription) -> dict[str, Any]:
    """Its names, its unit, what it is about."""
    return {
        "endpoint_prefix": series.endpoint_prefix,
        "name": series.name,
        "description": series.description,
        "granularity": series.granularity,
        "unit": series.unit,
        "domain": series.domain,
        "category": series.category,
        "subcategory": series.subcategory,
        "metadata": dict(series.metadata),
    }
