"""EIA: hours called by their end, texts for numbers, pages, the key in every answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from support.conformance_kits import ProviderLimit

from dataportal.plugins.base_plugin import TimeSeriesDefinition
from dataportal.plugins.data_sources.eia_plugin import EiaDataSourcePlugin, EiaMultiSeriesPlugin
from dataportal.testing import Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing import Point, Provider, Request

_PAGE = 20


def _answer(request: Request, points: Sequence[Point]) -> Reply:
    query = request.query
    first, last = query["start"][0], query.get("end", ["9999"])[0]
    rows = [
        {
            "period": f"{point.ts + timedelta(hours=1):%Y-%m-%dT%H}",
            "respondent": "PJM",
            "type": point.series,
            "value": None if point.value is None else repr(point.value),
        }
        for point in points
        if point.series in query["facets[type][]"]
    ]
    rows = [row for row in rows if first <= str(row["period"]) <= last]
    offset = int(query["offset"][0])
    return Reply.json(
        {
            "response": {"total": str(len(rows)), "data": rows[offset : offset + _PAGE]},
            "request": {"params": {"api_key": query["api_key"][0]}},
        }
    )


def _params(provider: Provider, **more: str) -> dict[str, Any]:
    return {
        "route": "region-data",
        "respondent": "PJM",
        "api_key": provider.secret,
        "base_url": provider.url,
        **more,
    }


LIMIT = ProviderLimit(120, counted_by="key", everywhere=True)
KITS = {
    "eia, alone": Conformance(
        plugin=EiaDataSourcePlugin,
        params=lambda provider: _params(provider, type="conformance"),
        provider=_answer,
    ),
    "eia": Conformance(
        plugin=EiaMultiSeriesPlugin,
        params=_params,
        provider=_answer,
        series=[TimeSeriesDefinition(name, extract_filter={"type": name}) for name in ("D", "DF")],
    ),
}
