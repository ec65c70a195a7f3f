"""Open-Meteo: columns for each place; sums stamped with the end of their interval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from support.conformance_kits import ProviderLimit

from dataportal.plugins.base_plugin import TimeSeriesDefinition
from dataportal.plugins.data_sources.open_meteo_plugin import (
    OpenMeteoArchiveDataSourcePlugin,
    OpenMeteoArchiveMultiSeriesPlugin,
    OpenMeteoForecastDataSourcePlugin,
    OpenMeteoForecastMultiSeriesPlugin,
)
from dataportal.testing import Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing import Point, Provider, Request

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SERIES = [
    TimeSeriesDefinition("hot", extract_filter={"hourly": "temperature_2m", "latitude": 52}),
    TimeSeriesDefinition("wet", extract_filter={"hourly": "precipitation", "latitude": 48}),
]


def _answer(request: Request, points: Sequence[Point]) -> Reply:
    query = request.query
    if "start_date" in query:
        first, last = (
            datetime.fromisoformat(query[name][0]).replace(tzinfo=UTC)
            for name in ("start_date", "end_date")
        )
    else:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        # the kit's points lie far in the past, where the real one would not reach
        first, last = datetime(2025, 1, 1, tzinfo=UTC), today
    stamped = [(p, p.ts + (_HOUR if p.series == "wet" else timedelta())) for p in points]
    inside = [(p, stamp) for p, stamp in stamped if first <= stamp < last + _DAY]
    places = []
    names = ("hot", "wet") if "," in query["latitude"][0] else ("conformance",)
    for series in names:
        variable = "precipitation" if series == "wet" else "temperature_2m"
        own = [(p, stamp) for p, stamp in inside if p.series == series]
        block = {
            "time": [int(stamp.timestamp()) for _, stamp in own],
            variable: [p.value for p, _ in own],
        }
        units = {"time": "unixtime", variable: "mm"}
        places.append({"utc_offset_seconds": 0, "hourly_units": units, "hourly": block})
    return Reply.json(places if len(places) > 1 else places[0])


def _params(provider: Provider, **more: Any) -> dict[str, Any]:
    return {"longitude": 13.4, "api_key": provider.secret, "base_url": provider.url, **more}


LIMIT = ProviderLimit(80, counted_by="key")
KITS = {
    plugin.endpoint: Conformance(
        plugin=plugin,
        params=_params,
        provider=_answer,
        series=_SERIES,
    )
    for plugin in (OpenMeteoForecastMultiSeriesPlugin, OpenMeteoArchiveMultiSeriesPlugin)
} | {
    f"{alone.group.endpoint}, alone": Conformance(
        plugin=alone,
        params=lambda provider: _params(provider, latitude=52.5, hourly="temperature_2m"),
        provider=_answer,
    )
    for alone in (OpenMeteoForecastDataSourcePlugin, OpenMeteoArchiveDataSourcePlugin)
}
