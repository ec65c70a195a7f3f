"""Market documents of our own for tests, laid out as ENTSO-E lays them out, and its recordings."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from support.http_server import Reply

from dataportal.plugins.base_plugin import (
    FetchError,
    TimeSeriesDefinition,
    TimeSeriesMetadata,
)
from dataportal.plugins.data_sources.entsoe_plugin import (
    EntsoeDataSourcePlugin,
    EntsoeMultiSeriesPlugin,
)
from dataportal.plugins.http import HttpClient

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from support.http_server import LocalServer

PATH = "/api"
TOKEN = "kanarienvogel-0815"  # noqa: S105 - a canary: nothing may ever show it
SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"
DAY, NEXT = "2025-01-01T00:00Z", "2025-01-02T00:00Z"
START, END = "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"
LOAD = {"dataset": "load", "zone": "FR"}
PRICES = {"dataset": "day_ahead_prices", "zone": "DE-LU"}
GENERATION = {"dataset": "generation", "zone": "FI"}
NO_DATA = "No matching data found for Data item ENERGY_PRICES and interval 2025-10-01T22:00Z"


def period(
    start: str, end: str, resolution: str, points: Mapping[int, object], value: str = "quantity"
) -> str:
    """A Period with values by position."""
    all_points = "".join(
        f"<Point><position>{position}</position><{value}>{point_value}</{value}></Point>"
        for position, point_value in points.items()
    )
    return (
        f"<Period><timeInterval><start>{start}</start><end>{end}</end></timeInterval>"
        f"<resolution>{resolution}</resolution>{all_points}</Period>"
    )


def series(*periods: str, curve: str = "A01", **says: str) -> str:
    """A TimeSeries; `psr` is its type of power plants, `inside` and `outside` its zone."""
    known = {"inside": "inBiddingZone_Domain.mRID", "outside": "outBiddingZone_Domain.mRID"}
    psr = says.pop("psr", "")
    elements = "".join(
        f"<{known.get(name, name)}>{text}</{known.get(name, name)}>" for name, text in says.items()
    )
    plant = f"<MktPSRType><psrType>{psr}</psrType></MktPSRType>" if psr else ""
    return (
        f"<TimeSeries><mRID>1</mRID>{elements}<curveType>{curve}</curveType>{plant}"
        f"{''.join(periods)}</TimeSeries>"
    )


def document(*parts: str, kind: str = "GL", created: str = "2025-01-01T00:00:00Z") -> bytes:
    """A market document."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{kind}_MarketDocument '
        f'xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"><mRID>x</mRID>'
        f"<revisionNumber>1</revisionNumber><createdDateTime>{created}</createdDateTime>"
        f"{''.join(parts)}</{kind}_MarketDocument>"
    ).encode()


def acknowledgement(text: str) -> bytes:
    """The document that says why there is no other."""
    return document(f"<Reason><code>999</code><text>{text}</text></Reason>", kind="Acknowledgement")


def xml(body: bytes, status: int = 200) -> Reply:
    """An answer with a document."""
    return Reply(status, body, content_type="text/xml")


def params_of(server: LocalServer, **params: Any) -> dict[str, Any]:
    """Parameters that lead to the server, which need not be spared."""
    return {"api_key": TOKEN, "base_url": server.url + PATH, "per_minute": 60_000, **params}


def fetch(
    server: LocalServer, start: str, end: str | None = None, **params: Any
) -> dict[datetime, Any]:
    """What the plugin makes of one series."""
    plugin = EntsoeDataSourcePlugin(TimeSeriesMetadata("one"), params_of(server, **params))

    async def ask() -> dict[datetime, Any]:
        # without authorities, which take long to load: nobody but the server here is asked
        plugin.http = HttpClient(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        try:
            columns: Any = await plugin.get_historical_data(start, end)
        finally:
            await plugin.http.aclose()
        return dict(zip(columns["ts"], columns["value"], strict=True))

    return asyncio.run(ask())


def group(
    filters: Mapping[str, Mapping[str, Any]], params: Mapping[str, Any]
) -> EntsoeMultiSeriesPlugin:
    """The plugin for a group."""
    series_of = [TimeSeriesDefinition(name, extract_filter=own) for name, own in filters.items()]
    return EntsoeMultiSeriesPlugin("group", dict(params), series_of, "1 hour")


def fetch_group(
    server: LocalServer,
    filters: Mapping[str, Mapping[str, Any]],
    start: str,
    end: str | None = None,
    **params: Any,
) -> dict[str, Any]:
    """What the plugin makes of a group of series; the error of one that failed alone."""
    plugin = group(filters, params_of(server, **params))

    async def ask() -> dict[str, Any]:
        # without authorities, which take long to load: nobody but the server here is asked
        plugin.http = HttpClient(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        try:
            answer = await plugin.get_historical_data_multi(start, end)
        finally:
            await plugin.http.aclose()
        return {
            name: columns
            if isinstance(columns, FetchError)
            else dict(zip(columns["ts"], columns["value"], strict=True))
            for name, columns in answer.items()
        }

    return asyncio.run(ask())


def by_position(values: Iterable[object]) -> dict[int, object]:
    """Values by position from 1."""
    return dict(enumerate(values, 1))


def at(hour: float) -> datetime:
    """So many hours after the beginning of the day."""
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hour)


def hours(*values: object, start: str = DAY, value: str = "quantity") -> str:
    """A day's Period of hours."""
    return period(start, NEXT, "PT60M", by_position(values), value)


def prices(*values: object, resolution: str = "PT60M", sequence: str = "", **says: str) -> str:
    """A day of prices."""
    if sequence:
        says[SEQUENCE] = sequence
    return series(period(DAY, NEXT, resolution, by_position(values), "price.amount"), **says)
