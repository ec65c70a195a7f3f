"""Energy-Charts: columns side by side; 404 where nothing is published yet."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from support.conformance_kits import ProviderLimit

from dataportal.plugins.base_plugin import TimeSeriesDefinition
from dataportal.plugins.data_sources.energy_charts_plugin import (
    EnergyChartsDataSourcePlugin,
    EnergyChartsMultiSeriesPlugin,
)
from dataportal.testing import Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing import Point, Provider, Request

_TYPES = ("Solar", "Wind onshore")


def _inside(request: Request, points: Sequence[Point]) -> list[Point]:
    first, last = (datetime.fromisoformat(request.query[name][0]) for name in ("start", "end"))
    return [point for point in points if first <= point.ts <= last]


def _nothing() -> Reply:
    return Reply.json({"detail": "no content available"}, 404)


def _power(request: Request, points: Sequence[Point]) -> Reply:
    inside = _inside(request, points)
    stamps = list(dict.fromkeys(int(point.ts.timestamp()) for point in inside))
    rows = [
        {"name": name, "data": [point.value for point in inside if point.series == name]}
        for name in dict.fromkeys(point.series for point in inside)
    ]
    document = {"unix_seconds": stamps, "production_types": rows, "deprecated": False}
    return Reply.json(document) if stamps else _nothing()


def _price(request: Request, points: Sequence[Point]) -> Reply:
    inside = [p for p in _inside(request, points) if p.series == request.query["bzn"][0]]
    stamps = [int(point.ts.timestamp()) for point in inside]
    document = {"unix_seconds": stamps, "price": [point.value for point in inside]}
    return Reply.json(document) if stamps else _nothing()


def _params(provider: Provider, **more: str) -> dict[str, Any]:
    return {"endpoint": "public_power", "country": "de", "base_url": provider.url, **more}


LIMIT = ProviderLimit(30, counted_by="provider")
KITS = {
    "energy-charts, alone": Conformance(
        plugin=EnergyChartsDataSourcePlugin,
        params=lambda provider: _params(provider, production_type="conformance"),
        provider=_power,
    ),
    "energy-charts, power": Conformance(
        plugin=EnergyChartsMultiSeriesPlugin,
        params=_params,
        provider=_power,
        series=[
            TimeSeriesDefinition(name, extract_filter={"production_type": name}) for name in _TYPES
        ],
        step=timedelta(minutes=15),
    ),
    "energy-charts, prices": Conformance(
        plugin=EnergyChartsMultiSeriesPlugin,
        params=lambda provider: {"endpoint": "price", "base_url": provider.url},
        provider=_price,
        series=[TimeSeriesDefinition(zone, extract_filter={"bzn": zone}) for zone in ("AT", "FR")],
    ),
}
