"""Tankerkönig: prices without a time; false for a fuel that is not sold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.conformance_kits import ProviderLimit

from dataportal.plugins.base_plugin import TimeSeriesDefinition
from dataportal.plugins.data_sources.tankerkoenig_plugin import (
    TankerkoenigDataSourcePlugin,
    TankerkoenigMultiSeriesPlugin,
)
from dataportal.testing import Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing import Point, Request


def _answer(request: Request, points: Sequence[Point]) -> Reply:
    newest = {point.series: point.value for point in points}
    prices = {
        station: {"status": "open", "e5": False if newest[station] is None else newest[station]}
        for station in request.query["ids"][0].split(",")
        if station in newest
    }
    return Reply.json({"ok": True, "license": "CC BY 4.0", "data": "MTS-K", "prices": prices})


LIMIT = ProviderLimit(12, counted_by="key", everywhere=True)
KITS = {
    "tankerkoenig, alone": Conformance(
        plugin=TankerkoenigDataSourcePlugin,
        params=lambda provider: {
            "api_key": provider.secret,
            "base_url": provider.url,
            "station": "conformance",
            "fuel": "e5",
        },
        provider=_answer,
        snapshot=True,
    ),
    "tankerkoenig": Conformance(
        plugin=TankerkoenigMultiSeriesPlugin,
        params=lambda provider: {"api_key": provider.secret, "base_url": provider.url},
        provider=_answer,
        # more than one request brings
        series=[
            TimeSeriesDefinition(
                f"s{number}", extract_filter={"station": f"s{number}", "fuel": "e5"}
            )
            for number in range(12)
        ],
        snapshot=True,
    ),
}
