"""Sources from YAML alone whose rows tell when they were published."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply

from dataportal.errors import BadDataError
from dataportal.observations import clean
from dataportal.plugins.base_plugin import TimeSeriesMetadata
from dataportal.plugins.data_sources.http_plugin import HttpCsvPlugin, HttpJsonPlugin, HttpXmlPlugin
from dataportal.plugins.http import HttpClient

if TYPE_CHECKING:
    from support.http_server import LocalServer

    from dataportal.observations import Batch

JSON = b"""[{"t": "2025-01-01T00:00Z", "v": 1, "p": "2025-01-02T00:00Z"},
{"t": "2025-01-01T00:00Z", "v": 2, "p": "2025-02-01T00:00:00+01:00"}]"""
CSV = b"t,v,p\n2025-01-01T00:00Z,1,2025-01-02T00:00Z\n2025-01-01T00:00Z,2,2025-01-31T23:00Z\n"
XML = b"""<a><r t="2025-01-01T00:00Z" v="1" p="2025-01-02T00:00Z"/>
<r t="2025-01-01T00:00Z" v="2" p="2025-01-31T23:00Z"/></a>"""
START = datetime(2025, 1, 1, tzinfo=UTC)


def batch(
    server: LocalServer,
    body: bytes,
    kind: type[HttpJsonPlugin | HttpCsvPlugin | HttpXmlPlugin] = HttpJsonPlugin,
    **params: Any,
) -> Batch:
    """What the run makes of an answer."""
    paths = {"ts": "t", "value": "v", "published_at": "p"}
    if kind is HttpXmlPlugin:
        paths = {name: f"@{path}" for name, path in paths.items()} | {"rows": "r"}
    plugin = kind(
        TimeSeriesMetadata("one"),
        {"url": server.answer("/a", Reply(body=body)), **paths, **params},
    )

    async def ask() -> Any:
        plugin.http = HttpClient()
        try:
            return await plugin.get_historical_data("2025-01-01T00:00:00Z")
        finally:
            await plugin.http.aclose()

    return clean({"one": asyncio.run(ask())}, series=["one"], start=None, end=None, zone=None)


@pytest.mark.parametrize(
    ("kind", "body"), [(HttpJsonPlugin, JSON), (HttpCsvPlugin, CSV), (HttpXmlPlugin, XML)]
)
def test_every_publication_is_a_vintage(
    server: LocalServer,
    kind: type[HttpJsonPlugin | HttpCsvPlugin | HttpXmlPlugin],
    body: bytes,
) -> None:
    """In JSON, tables and XML: the newest is the value, and all are kept with their times."""
    cleaned = batch(server, body, kind)
    assert not cleaned.rejected
    series = cleaned.series["one"]
    assert (series.ts, series.values) == ([START], [2])
    assert series.vintages == [
        (START, datetime(2025, 1, 2, tzinfo=UTC), 1),
        (START, datetime(2025, 1, 31, 23, tzinfo=UTC), 2),
    ]


@pytest.mark.parametrize("published", [b"null", b'"soon"', b'"2025-01-02T00:00"'])
def test_a_publication_without_a_time_is_refused(server: LocalServer, published: bytes) -> None:
    """Or without an offset; the others are taken."""
    cleaned = batch(server, JSON.replace(b'"2025-01-02T00:00Z"', published))
    assert (cleaned.rejected, cleaned.series["one"].values) == (1, [2])


def test_rows_some_of_which_lack_it(server: LocalServer) -> None:
    """The ones that have it are taken; if none has, the place is wrong."""
    cleaned = batch(server, JSON.replace(b', "p": "2025-01-02T00:00Z"', b""))
    assert (cleaned.rejected, cleaned.series["one"].values) == (1, [2])
    with pytest.raises(BadDataError, match="no published_at that can be read"):
        batch(server, JSON, published_at="q")
