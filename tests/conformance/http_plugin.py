"""APIs described in YAML alone: JSON in pages, tables, XML; one series and several."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import pyarrow as pa
from openpyxl import Workbook
from pyarrow import parquet

from dataportal.plugins.base_plugin import TimeSeriesDefinition
from dataportal.plugins.data_sources.http_plugin import (
    HttpCsvMultiSeriesPlugin,
    HttpCsvPlugin,
    HttpExcelMultiSeriesPlugin,
    HttpExcelPlugin,
    HttpJsonMultiSeriesPlugin,
    HttpJsonPlugin,
    HttpParquetMultiSeriesPlugin,
    HttpParquetPlugin,
    HttpXmlMultiSeriesPlugin,
    HttpXmlPlugin,
)
from dataportal.testing import Conformance, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.testing import Point, Provider, Request

_PAGE = 10
_SERIES = [TimeSeriesDefinition(n, extract_filter={"name": n}) for n in ("wind", "sun")]


def _requested(request: Request, points: Sequence[Point]) -> list[Point]:
    """What the query asks for, both ends included, as many APIs have it."""
    first, last = request.query["from"][0], request.query["to"][0]
    return [p for p in points if first <= f"{p.ts:%Y-%m-%dT%H:%M:%SZ}" <= last]


def _json(request: Request, points: Sequence[Point]) -> Reply:
    rows = [
        {"name": p.series, "at": p.ts.isoformat(), "value": p.value}
        for p in _requested(request, points)
    ]
    offset = int(request.query.get("offset", ["0"])[0])
    return Reply.json({"rows": rows[offset : offset + _PAGE], "total": len(rows)})


def _csv(request: Request, points: Sequence[Point]) -> Reply:
    lines = [
        f"{p.series},{round(p.ts.timestamp() * 1000)},{'' if p.value is None else repr(p.value)}"
        for p in _requested(request, points)
    ]
    body = "\n".join(["name,at,value", *lines]).encode()
    return Reply(body=body, content_type="text/csv")


def _xml(request: Request, points: Sequence[Point]) -> Reply:
    rows = [
        f"<row name={quoteattr(p.series)}><at>{p.ts.isoformat()}</at>"
        f"<value>{'' if p.value is None else repr(p.value)}</value></row>"
        for p in _requested(request, points)
    ]
    body = f"<rows>{''.join(rows)}</rows>".encode()
    return Reply(body=body, content_type="application/xml")


def _excel(request: Request, points: Sequence[Point]) -> Reply:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["name", "at", "value"])
    for p in _requested(request, points):
        sheet.append([p.series, p.ts.isoformat(), p.value])
    body = io.BytesIO()
    book.save(body)
    return Reply(body=body.getvalue(), content_type="application/octet-stream")


def _parquet(request: Request, points: Sequence[Point]) -> Reply:
    requested = _requested(request, points)
    table = pa.table(
        {
            "name": pa.array([p.series for p in requested], pa.string()),
            "at": pa.array([p.ts for p in requested], pa.timestamp("ms", "UTC")),
            "value": pa.array([p.value for p in requested], pa.float64()),
        }
    )
    body = io.BytesIO()
    parquet.write_table(table, body)
    return Reply(body=body.getvalue(), content_type="application/octet-stream")


def _params(provider: Provider, **more: Any) -> dict[str, Any]:
    return {
        "url": f"{provider.url}/data",
        "query": {"from": "{start}", "to": "{end}", "api_key": provider.secret},
        "ts": "at",
        "value": "value",
        **more,
    }


def _json_params(provider: Provider) -> dict[str, Any]:
    paging = {"offset": "offset", "total": "total"}
    return _params(provider, rows="rows", error="error", paging=paging)


def _csv_params(provider: Provider) -> dict[str, Any]:
    return _params(provider, time_format="unix_ms")


def _xml_params(provider: Provider) -> dict[str, Any]:
    return _params(provider, rows=".//row")


def _excel_params(provider: Provider) -> dict[str, Any]:
    return _params(provider)


LIMIT = None  # none but what a source says
KITS = {
    "json": Conformance(plugin=HttpJsonPlugin, params=_json_params, provider=_json),
    "csv": Conformance(plugin=HttpCsvPlugin, params=_csv_params, provider=_csv),
    "xml": Conformance(plugin=HttpXmlPlugin, params=_xml_params, provider=_xml),
    "excel": Conformance(plugin=HttpExcelPlugin, params=_excel_params, provider=_excel),
    "excel, several": Conformance(
        plugin=HttpExcelMultiSeriesPlugin, params=_excel_params, provider=_excel, series=_SERIES
    ),
    "parquet": Conformance(plugin=HttpParquetPlugin, params=_params, provider=_parquet),
    "parquet, several": Conformance(
        plugin=HttpParquetMultiSeriesPlugin, params=_params, provider=_parquet, series=_SERIES
    ),
    "json, several": Conformance(
        plugin=HttpJsonMultiSeriesPlugin, params=_json_params, provider=_json, series=_SERIES
    ),
    "csv, several": Conformance(
        plugin=HttpCsvMultiSeriesPlugin, params=_csv_params, provider=_csv, series=_SERIES
    ),
    "xml, several": Conformance(
        plugin=HttpXmlMultiSeriesPlugin,
        params=_xml_params,
        provider=_xml,
        series=[TimeSeriesDefinition(n, extract_filter={"@name": n}) for n in ("wind", "sun")],
    ),
}
