"""Open-Meteo: columns for each place; sums stamped with the end of their interval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dataportal.plugins.base_plugin import TimeSeriesDefinition
from dataportal.plugins.data_sources.open_meteo_plugin import (
    OpenMeteoArchiveMultiSeriesPlugin,
    OpenMeteoForecastMultiSeriesPlugin,
)
from dataportal.testing import Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing import Point, Request

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SERIES = [
    TimeSeriesDefinition("hot", extract_filter={"hourly": "temperature_2m", "latitude": 52}),
    TimeSeriesDefinition("wet", extract_filter={"hourly": "precipitation", "latitude": 48}),
]


def _answer(request: Request, points: Sequence[Point]) -> Reply:
    asked = request.query
    if "start_date" in asked:
        first, last = (
            datetime.fromisoformat(asked[name][0]).replace(tzinfo=UTC)
            for name in ("start_date", "end_date")
        )
    else:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        # the kit's points lie far in the past, where the real one would not reach
        first, last = datetime(2025, 1, 1, tzinfo=UTC), today
    stamped = [(p, p.ts + (_HOUR if p.series == "wet" else timedelta())) for p in points]
    inside = [(p, stamp) for p, stamp in stamped if first <= stamp < last + _DAY]
    places = []
    for series, variable in (("hot", "temperature_2m"), ("wet", "precipitation")):
        own = [(p, stamp) for p, stamp in inside if p.series == series]
        block = {
            "time": [int(stamp.timestamp()) for _, stamp in own],
            variable: [p.value for p, _ in own],
        }
        places.append({"utc_offset_seconds": 0, "hourly": block})
    return Reply.json(places)


KITS = {
    plugin.endpoint: Conformance(
        plugin=plugin,
        params=lambda provider: {
            "longitude": 13.4,
            "api_key": provider.secret,
            "base_url": provider.url,
        },
        provider=_answer,
        series=_SERIES,
    )
    for plugin in (OpenMeteoForecastMultiSeriesPlugin, OpenMeteoArchiveMultiSeriesPlugin)
}
