"""Elexon: streams by publication and by settlement date, prices by the day; newest first."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from support.conformance_kits import ProviderLimit
from support.elexon_files import LONDON, requested_rows, row

from dataportal.plugins.base_plugin import TimeSeriesDefinition
from dataportal.plugins.data_sources.elexon_plugin import (
    ElexonDataSourcePlugin,
    ElexonMultiSeriesPlugin,
)
from dataportal.testing import Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing import Point, Provider, Request


def _stream(request: Request, points: Sequence[Point]) -> Reply:
    rows = [
        row(p.ts, fuelType=p.series.upper(), generation=p.value, demand=p.value) for p in points
    ]
    return Reply.json(requested_rows(request, rows))


def _prices(request: Request, points: Sequence[Point]) -> Reply:
    day = date.fromisoformat(request.path.rpartition("/")[2])
    rows = [
        row(p.ts, systemSellPrice=p.value, createdDateTime="2025-12-01T00:00:00Z")
        for p in points
        if p.ts.astimezone(LONDON).date() == day
    ]
    return Reply.json({"metadata": {"datasets": ["DISEBSP"]}, "data": rows})


def _params(provider: Provider, dataset: str, **more: Any) -> dict[str, Any]:
    # Elexon takes no key; a mirror's address may hold one
    address = provider.url.replace("//", f"//user:{provider.secret}@")
    return {"base_url": address, "dataset": dataset, **more}


LIMIT = ProviderLimit(120, counted_by="host")
KITS = {
    "elexon, by publication": Conformance(
        plugin=ElexonDataSourcePlugin,
        params=lambda provider: _params(provider, "INDO"),
        provider=_stream,
        step=timedelta(minutes=30),
    ),
    "elexon, newest publications": Conformance(
        plugin=ElexonDataSourcePlugin,
        params=lambda provider: _params(provider, "INDO", vintages=False),
        provider=_stream,
        step=timedelta(minutes=30),
    ),
    "elexon, by the day": Conformance(
        plugin=ElexonDataSourcePlugin,
        params=lambda provider: _params(provider, "system_prices"),
        provider=_prices,
        step=timedelta(minutes=30),
    ),
    "elexon, types of generation": Conformance(
        plugin=ElexonMultiSeriesPlugin,
        params=lambda provider: _params(provider, "FUELHH"),
        provider=_stream,
        series=[
            TimeSeriesDefinition(name, extract_filter={"fuelType": name.upper()})
            for name in ("wind", "ccgt")
        ],
        step=timedelta(minutes=30),
    ),
}
