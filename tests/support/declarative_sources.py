"""Sources without Python: asks as a run does, and cleans what comes.

Example:
    url = server.answer("/levels", Reply.json([{"time": "2025-03-01T00:00Z", "cm": 210}]))
    batch = asked("Json", url=url, ts="time", value="cm")
    assert points(batch) == {"2025-03-01T00:00:00Z": 210.0}
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dataportal.observations import clean
from dataportal.plugins.base_plugin import TimeSeriesDefinition, TimeSeriesMetadata
from dataportal.plugins.data_sources import http_plugin
from dataportal.plugins.http import HttpClient
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.observations import Batch
    from dataportal.plugins.base_plugin import BasePlugin, MultiSeriesPlugin

SERIES = "described"
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # no authorities are read, as none is needed
EVER = ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z")


def plugin_of(
    kind: str,
    filters: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    granularity: str | None = None,
    **params: Any,
) -> BasePlugin | MultiSeriesPlugin:
    """A plugin for `Json`, `Csv` or `Xml`: of one series, or of those that the filters name."""
    if filters is None:
        single: type[BasePlugin] = getattr(http_plugin, f"Http{kind}Plugin")
        return single(TimeSeriesMetadata(SERIES, granularity=granularity), params)
    several: type[MultiSeriesPlugin] = getattr(http_plugin, f"Http{kind}MultiSeriesPlugin")
    series = [TimeSeriesDefinition(name, extract_filter=own) for name, own in filters.items()]
    return several("group", params, series, "1 day")


def fetch(
    kind: str,
    filters: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    window: tuple[str, str | None] = EVER,
    timezone: str | None = None,
    **params: Any,
) -> Batch:
    """What the run gets of a window.

    Raises:
        FetchError: as the plugin does.
    """
    zone = None if timezone is None else ZoneInfo(timezone)
    plugin: Any = plugin_of(kind, filters, **params)
    plugin.zone = zone

    async def answer() -> Any:
        plugin.http = HttpClient(tls=_NO_TLS)
        try:
            if filters is not None:
                return await plugin.get_historical_data_multi(*window)
            return {SERIES: await plugin.get_historical_data(*window)}
        finally:
            await plugin.http.aclose()

    raw = asyncio.run(answer())
    return clean(raw, series=list(filters or [SERIES]), start=None, end=None, zone=zone)


def points(batch: Batch, series: str = SERIES) -> dict[str, float | None]:
    """The values of a series by their times."""
    clean_series = batch.series[series]
    return {iso(ts): value for ts, value in zip(clean_series.ts, clean_series.values, strict=True)}
