"""Tables at a URL: with offsets for one series, in local times for several side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dataportal.plugins.base_plugin import TimeSeriesDefinition
from dataportal.plugins.data_sources.csv_plugin import CsvDataSourcePlugin, CsvMultiSeriesPlugin
from dataportal.testing import Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dataportal.testing import Point, Request

_BERLIN = ZoneInfo("Europe/Berlin")
_SERIES = [
    TimeSeriesDefinition(name, extract_filter={"value_column": name}) for name in ("wind", "sun")
]


def _long(_: Request, points: Sequence[Point]) -> Reply:
    lines = ["time,value", *(f"{p.ts.isoformat()},{_text(p.value)}" for p in points)]
    return Reply(body="\n".join(lines).encode(), content_type="text/csv")


def _wide(_: Request, points: Sequence[Point]) -> Reply:
    rows: dict[datetime, dict[str, str]] = {}
    for point in points:
        rows.setdefault(point.ts, {})[point.series] = _text(point.value).replace(".", ",")
    lines = [
        f"{ts.astimezone(_BERLIN):%d.%m.%Y %H:%M};{row['wind']};{row['sun']}"
        for ts, row in rows.items()
    ]
    body = "\n".join(["time;wind;sun", *lines]).encode()
    return Reply(body=body, content_type="text/csv; charset=utf-8")


def _text(value: float | None) -> str:
    return "" if value is None else repr(value)


LIMIT = None  # none but what a source says
KITS = {
    "csv, one series": Conformance(
        plugin=CsvDataSourcePlugin,
        params=lambda provider: {
            "url": f"{provider.url}/table.csv",
            "headers": {"X-Api-Key": provider.secret},
        },
        provider=_long,
    ),
    "csv, local times, several series": Conformance(
        plugin=CsvMultiSeriesPlugin,
        params=lambda provider: {
            "url": f"{provider.url}/table.csv",
            "delimiter": ";",
            "decimal": ",",
            "time_format": "%d.%m.%Y %H:%M",
        },
        provider=_wide,
        series=_SERIES,
        timezone="Europe/Berlin",
    ),
}
