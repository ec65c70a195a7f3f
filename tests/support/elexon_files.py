"""Rows of Elexon's data sets for tests, and a server that has them as Elexon has."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from support.http_server import Reply

from dataportal.plugins.base_plugin import (
    TimeSeriesDefinition,
    TimeSeriesMetadata,
)
from dataportal.plugins.data_sources.elexon_plugin import (
    ElexonDataSourcePlugin,
    ElexonMultiSeriesPlugin,
)
from dataportal.plugins.http import HttpClient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from support.http_server import LocalServer, Request

    from dataportal.plugins.base_plugin import (
        FetchError,
    )

    Row = dict[str, Any]

LONDON = ZoneInfo("Europe/London")
HALF_HOUR = timedelta(minutes=30)


def stream(dataset: str) -> str:
    """The path of a data set."""
    return f"/datasets/{dataset}/stream"


def utc_text(instant: datetime) -> str:
    """A time as Elexon writes it."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def row(start: datetime, published: datetime | None = None, **fields: Any) -> Row:
    """A row; published as its half-hour ends, unless said otherwise."""
    local = start.astimezone(LONDON)
    return {
        "publishTime": utc_text(published or start + HALF_HOUR),
        "startTime": utc_text(start),
        "settlementDate": f"{local:%Y-%m-%d}",
        "settlementPeriod": local.hour * 2 + local.minute // 30 + 1,
        **fields,
    }


def requested_rows(request: Request, rows: list[Row]) -> list[Row]:
    """Those of the rows that a request asks for, by whichever time."""
    kept = rows
    for since, until, name in (
        ("publishDateTimeFrom", "publishDateTimeTo", "publishTime"),
        ("settlementDateFrom", "settlementDateTo", "settlementDate"),
        ("from", "to", "startTime"),
    ):
        if since in request.query:
            low, high = request.query[since][0], request.query[until][0]
            kept = [fields for fields in kept if low <= fields[name] <= high]
    return kept


def serve_rows(rows: list[Row]) -> Callable[[Request], Reply]:
    """Answers with the rows that are asked for, newest first as Elexon does."""
    return lambda request: Reply.json(requested_rows(request, rows)[::-1])


def params_of(server: LocalServer, **params: Any) -> dict[str, Any]:
    """Parameters that lead to the server, which need not be spared."""
    return {"base_url": server.url, "per_minute": 60_000, **params}


def fetch(server: LocalServer, start: str, end: str | None = None, **params: Any) -> Any:
    """The columns of one series."""
    plugin = ElexonDataSourcePlugin(TimeSeriesMetadata("one"), params_of(server, **params))

    async def ask() -> Any:
        # without authorities, which take long to load: nobody but the server here is asked
        plugin.http = HttpClient(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        try:
            return await plugin.get_historical_data(start, end)
        finally:
            await plugin.http.aclose()

    return asyncio.run(ask())


def fetch_group(
    server: LocalServer,
    filters: Mapping[str, Mapping[str, Any]],
    start: str,
    end: str | None = None,
    **params: Any,
) -> dict[str, dict[str, list[Any]] | FetchError]:
    """The columns of each series of a group, or the error of one that failed alone."""
    series = [TimeSeriesDefinition(name, extract_filter=own) for name, own in filters.items()]
    plugin = ElexonMultiSeriesPlugin("group", params_of(server, **params), series, "30 minutes")

    async def ask() -> dict[str, dict[str, list[Any]] | FetchError]:
        # without authorities, which take long to load: nobody but the server here is asked
        plugin.http = HttpClient(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        try:
            return await plugin.get_historical_data_multi(start, end)
        finally:
            await plugin.http.aclose()

    return asyncio.run(ask())


def values(columns: Any) -> dict[datetime, Any]:
    """Values by time; a later row of the same time beats an earlier one."""
    return dict(zip(columns["ts"], columns["value"], strict=True))
