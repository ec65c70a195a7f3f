"""ENTSO-E: market documents, one Period for each interval; acknowledgements for no data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from support.conformance_kits import ProviderLimit
from support.entsoe_files import NO_DATA, acknowledgement, document, period, series, xml

from dataportal.plugins.base_plugin import TimeSeriesDefinition
from dataportal.plugins.data_sources.entsoe_plugin import (
    EntsoeDataSourcePlugin,
    EntsoeMultiSeriesPlugin,
)
from dataportal.testing import Conformance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing import Point, Provider, Reply, Request

_HOUR = timedelta(hours=1)
_PSR = {"sun": "B16", "wind": "B19"}
_PAGE = 100


def _provider(request: Request, points: Sequence[Point]) -> Reply:
    query = {name: values[0] for name, values in request.query.items()}
    start, end = (
        datetime.strptime(query[name], "%Y%m%d%H%M").replace(tzinfo=UTC)
        for name in ("periodStart", "periodEnd")
    )
    value = "price.amount" if query["documentType"] == "A44" else "quantity"
    market_series = [
        series(
            period(
                f"{point.ts:%Y-%m-%dT%H:%MZ}",
                f"{point.ts + _HOUR:%Y-%m-%dT%H:%MZ}",
                "PT60M",
                {1: repr(point.value)},
                value,
            ),
            psr=_PSR.get(point.series, ""),
            inside="x",
        )
        for point in points
        if start < point.ts + _HOUR and point.ts < end
    ]
    if value == "price.amount":
        offset = int(query.get("offset", "0"))
        market_series = market_series[offset : offset + _PAGE]
    return xml(document(*market_series) if market_series else acknowledgement(NO_DATA))


def _params(provider: Provider, **more: str) -> dict[str, str]:
    return {"api_key": provider.secret, "base_url": f"{provider.url}/api", "zone": "FR", **more}


LIMIT = ProviderLimit(380, counted_by="key", everywhere=True)
KITS = {
    "entsoe, one series in pages": Conformance(
        plugin=EntsoeDataSourcePlugin,
        params=lambda provider: _params(provider, dataset="day_ahead_prices"),
        provider=_provider,
        nulls=False,
    ),
    "entsoe, types of generation": Conformance(
        plugin=EntsoeMultiSeriesPlugin,
        params=lambda provider: _params(provider, dataset="generation"),
        provider=_provider,
        series=[TimeSeriesDefinition(n, extract_filter={"psr_type": p}) for n, p in _PSR.items()],
        nulls=False,
    ),
}
