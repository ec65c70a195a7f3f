"""FRED: days, as texts, in pages, with the day of publication."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from support.conformance_kits import ProviderLimit

from dataportal.plugins.data_sources.fred_plugin import FredDataSourcePlugin
from dataportal.testing import Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing import Point, Request

_PAGE = 10


def _answer(request: Request, points: Sequence[Point]) -> Reply:
    query = request.query
    first = query.get("observation_start", [""])[0]
    last = query.get("observation_end", ["9999-12-31"])[0]
    rows = [
        {
            "realtime_start": point.ts.date().isoformat(),
            "realtime_end": "9999-12-31",
            "date": point.ts.date().isoformat(),
            "value": "." if point.value is None else repr(point.value),
        }
        for point in points
        if first <= point.ts.date().isoformat() <= last
    ]
    offset = int(query["offset"][0])
    return Reply.json(
        {
            "realtime_end": "9999-12-31",
            "count": len(rows),
            "observations": rows[offset : offset + _PAGE],
        }
    )


LIMIT = ProviderLimit(120, counted_by="key")
KITS = {
    f"fred, vintages {vintages}": Conformance(
        plugin=FredDataSourcePlugin,
        params=lambda provider, vintages=vintages: {  # type: ignore[misc]  # a default binds the loop's variable
            "series_id": "GDP",
            "api_key": provider.secret,
            "base_url": provider.url,
            "vintages": vintages,
        },
        provider=_answer,
        step=timedelta(days=1),
    )
    for vintages in (True, False)
}
