"""Fingrid: both edges of each interval, pages; one data set and several."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from support.conformance_kits import ProviderLimit

from dataportal.plugins.base_plugin import TimeSeriesDefinition
from dataportal.plugins.data_sources.fingrid_plugin import (
    FingridDataSourcePlugin,
    FingridMultiSeriesPlugin,
)
from dataportal.testing import Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing import Point, Provider, Request

_PAGE = 20
_STEP = timedelta(minutes=15)
_DATASETS = {"wind": 245, "sun": 248, "conformance": 124}


def _answer(request: Request, points: Sequence[Point]) -> Reply:
    query = request.query
    rows = [
        {
            "datasetId": _DATASETS[point.series],
            "startTime": f"{point.ts:%Y-%m-%dT%H:%M:%S.000Z}",
            "endTime": f"{point.ts + _STEP:%Y-%m-%dT%H:%M:%S.000Z}",
            "value": point.value,
        }
        for point in points
        if query["startTime"][0] <= f"{point.ts:%Y-%m-%dT%H:%M:%SZ}" <= query["endTime"][0]
    ]
    number = int(query["page"][0])
    after = number + 1 if number * _PAGE < len(rows) else None
    rows_of_page = rows[(number - 1) * _PAGE : number * _PAGE]
    return Reply.json({"data": rows_of_page, "pagination": {"total": len(rows), "nextPage": after}})


def _params(provider: Provider, **more: Any) -> dict[str, Any]:
    return {"api_key": provider.secret, "base_url": provider.url, **more}


LIMIT = ProviderLimit(10, counted_by="key", everywhere=True)
KITS = {
    "fingrid": Conformance(
        plugin=FingridDataSourcePlugin,
        params=lambda provider: _params(provider, dataset_id=124),
        provider=_answer,
        step=_STEP,
    ),
    "fingrid, several": Conformance(
        plugin=FingridMultiSeriesPlugin,
        params=_params,
        provider=_answer,
        series=[
            TimeSeriesDefinition(name, extract_filter={"dataset_id": _DATASETS[name]})
            for name in ("wind", "sun")
        ],
        step=_STEP,
    ),
}
