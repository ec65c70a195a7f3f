"""Asks a plugin as a run does, over HTTP, and cleans what it returns."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dataportal.observations import clean
from dataportal.plugins.base_plugin import (
    MultiSeriesPlugin,
    TimeSeriesDefinition,
    TimeSeriesMetadata,
)
from dataportal.plugins.http import HttpClient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from dataportal.observations import Batch
    from dataportal.plugins.base_plugin import (
        BasePlugin,
    )

Series = dict[str, float | None]
UNPACED = {"per_minute": 1_000_000}
"""For tests that ask often and are not about how fast."""


def group(
    kind: type[MultiSeriesPlugin],
    params: dict[str, Any],
    filters: Mapping[str, Mapping[str, Any]],
    schedule: str = "1 hour",
) -> MultiSeriesPlugin:
    """A plugin for the series with these filters, by their names."""
    series = [
        TimeSeriesDefinition(name, extract_filter=extract_filter)
        for name, extract_filter in filters.items()
    ]
    return kind("group", params, series, schedule)


def single(kind: type[BasePlugin], params: dict[str, Any]) -> BasePlugin:
    """A plugin for the series `it`."""
    return kind(TimeSeriesMetadata("it"), params)


def fetch(
    plugin: MultiSeriesPlugin | BasePlugin,
    start: str = "2000-01-01T00:00:00Z",
    end: str | None = None,
    *,
    now: Callable[[], datetime] | None = None,
    zone: str | None = None,
) -> Batch:
    """What is left of the plugin's answer once it is clean; `zone` is that of the source."""
    local = None if zone is None else ZoneInfo(zone)
    plugin.zone = local
    if now is not None:
        plugin.now = now  # type: ignore[union-attr]  # those whose requests depend on the present

    async def ask() -> Any:
        # without authorities, which take long to load: nobody is asked but a server of the test
        plugin.http = HttpClient(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        try:
            if isinstance(plugin, MultiSeriesPlugin):
                answer: Any = plugin.get_historical_data_multi(start, end)
                return await answer
            answer = plugin.get_historical_data(start, end)
            return {"it": await answer}
        finally:
            await plugin.http.aclose()

    names = (
        [definition.endpoint_prefix for definition in plugin._series_definitions]
        if isinstance(plugin, MultiSeriesPlugin)
        else ["it"]
    )
    return clean(asyncio.run(ask()), series=names, start=None, end=None, zone=local)


def values(batch: Batch) -> dict[str, Series]:
    """The values of each series, by their times; nothing of it was refused or stood there twice."""
    assert not batch.rejections
    assert not batch.duplicates
    return {
        name: {
            instant.isoformat().replace("+00:00", "Z"): value
            for instant, value in zip(points.ts, points.values, strict=True)
        }
        for name, points in batch.series.items()
    }
