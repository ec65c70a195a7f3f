"""CityBikes: the present of each station, with stamps in two zones at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.conformance_kits import ProviderLimit

from dataportal.plugins.base_plugin import TimeSeriesDefinition
from dataportal.plugins.data_sources.citybikes_plugin import (
    CityBikesDataSourcePlugin,
    CityBikesMultiSeriesPlugin,
)
from dataportal.testing import Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing import Point, Request


def _answer(request: Request, points: Sequence[Point]) -> Reply:
    del request
    stations = {
        point.series: {
            "id": point.series,
            "timestamp": f"{point.ts:%Y-%m-%dT%H:%M:%S.000000+00:00Z}",
            "free_bikes": point.value,
        }
        for point in points
    }
    return Reply.json({"network": {"stations": list(stations.values())}})


LIMIT = ProviderLimit(5, counted_by="provider")
KITS = {
    "citybikes, alone": Conformance(
        plugin=CityBikesDataSourcePlugin,
        params=lambda provider: {
            "network": "vienna",
            "station": "conformance",
            "value": "free_bikes",
            "base_url": provider.url,
        },
        provider=_answer,
        snapshot=True,
    ),
    "citybikes": Conformance(
        plugin=CityBikesMultiSeriesPlugin,
        params=lambda provider: {"network": "vienna", "base_url": provider.url},
        provider=_answer,
        series=[TimeSeriesDefinition(n, extract_filter={"station": n}) for n in ("east", "west")],
        snapshot=True,
    ),
}
