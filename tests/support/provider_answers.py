"""Answers of every provider with a built-in plugin, made from a few points.

Example:
    case = PROVIDERS["fingrid"].case([("2025-03-01T00:00Z", 1.5)], window=WINDOW)
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from support.answer_runs import Case, document, table
from support.http_server import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from support.http_server import Request

    Point = tuple[str, Any]
    Answering = Reply | Callable[[Request], Reply]

HOUR = timedelta(hours=1)
# two days without a clock change
WINDOW = ("2025-06-02T00:00Z", "2025-06-04T00:00Z")


@dataclass(frozen=True)
class Literal:
    """A value that stands in JSON as this text."""

    text: str


@dataclass(frozen=True)
class Provider:
    """A plugin, and how its provider answers.

    Attributes:
        kind: module and class of the plugin; or Json, Csv or Xml.
        answer: of points: the beginning of an interval, and a value as JSON has it.
        params: of the plugin.
        step: how long an interval is.
        texts: whether values are texts there, so that any text can stand in their place.
    """

    kind: str
    answer: Callable[[Sequence[Point]], Answering]
    params: Mapping[str, Any] = field(default_factory=dict)
    step: timedelta = HOUR
    texts: bool = False

    def case(self, points: Sequence[Point], stored: Any = None, **more: Any) -> Case:
        """A case of it; further arguments as of a Case."""
        return Case(
            self.answer(points),
            {**self.params, **more.pop("params", {})},
            stored,
            kind=self.kind,
            **{"window": WINDOW, **more},
        )


def json_reply(content: Any, status: int = 200) -> Reply:
    """JSON, with literals as they are."""
    literals: list[str] = []

    def mark_literals(value: Any) -> Any:
        if isinstance(value, Literal):
            literals.append(value.text)
            return f"@literal-{len(literals) - 1}@"
        if isinstance(value, dict):
            return {key: mark_literals(item) for key, item in value.items()}
        return [mark_literals(item) for item in value] if isinstance(value, list) else value

    text = json.dumps(mark_literals(content))
    for number, literal in enumerate(literals):
        text = text.replace(f'"@literal-{number}@"', literal)
    return Reply(status, text.encode())


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _seconds(text: str) -> int:
    return round(_at(text).timestamp())


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.text if isinstance(value, Literal) else str(value)


def _eia(points: Sequence[Point]) -> Reply:
    data = [
        {
            "period": f"{_at(ts) + HOUR:%Y-%m-%dT%H}",
            "respondent": "PJM",
            "type": "D",
            "value": value if value is None else _text(value),
        }
        for ts, value in points
    ]
    return json_reply({"response": {"total": str(len(data)), "data": data}})


def _fingrid(points: Sequence[Point]) -> Reply:
    data = [
        {
            "datasetId": 124,
            "startTime": f"{_at(ts):%Y-%m-%dT%H:%M:%S.000Z}",
            "endTime": f"{_at(ts) + HOUR:%Y-%m-%dT%H:%M:%S.000Z}",
            "value": value,
        }
        for ts, value in points
    ]
    return json_reply({"data": data, "pagination": {"total": len(data), "nextPage": None}})


def _energy_charts(points: Sequence[Point]) -> Reply:
    stamps, values = [_seconds(ts) for ts, _ in points], [value for _, value in points]
    return json_reply({"unix_seconds": stamps, "price": values, "unit": "EUR / MWh"})


def _open_meteo(points: Sequence[Point]) -> Reply:
    stamps, values = [_seconds(ts) for ts, _ in points], [value for _, value in points]
    return json_reply(
        {
            "utc_offset_seconds": 0,
            "hourly_units": {"time": "unixtime", "temperature_2m": "°C"},
            "hourly": {"time": stamps, "temperature_2m": values},
        }
    )


def _smard(points: Sequence[Point]) -> Callable[[Request], Reply]:
    series = [[_seconds(ts) * 1000, value] for ts, value in points]

    def reply(request: Request) -> Reply:
        if "/index_" in request.path:
            return json_reply({"timestamps": [min((ms for ms, _ in series), default=0)]})
        return json_reply({"meta_data": {"version": 1}, "series": series})

    return reply


def _elexon(points: Sequence[Point]) -> Reply:
    return json_reply(
        [
            {
                "startTime": f"{_at(ts):%Y-%m-%dT%H:%M:%SZ}",
                "publishTime": f"{_at(ts) + HOUR / 2:%Y-%m-%dT%H:%M:%SZ}",
                "settlementDate": f"{_at(ts):%Y-%m-%d}",
                "demand": value,
            }
            for ts, value in points
        ]
    )


def _fred(points: Sequence[Point]) -> Reply:
    rows = [
        {
            "realtime_start": "2025-07-01",
            "realtime_end": "9999-12-31",
            "date": ts[:10],
            "value": "." if value is None else _text(value),
        }
        for ts, value in points
    ]
    return json_reply({"realtime_end": "9999-12-31", "count": len(rows), "observations": rows})


def market_document(*series: str, created: str = "2025-07-01T00:00:00Z") -> str:
    """A document of ENTSO-E's platform."""
    return (
        '<GL_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0">'
        f"<mRID>x</mRID><revisionNumber>1</revisionNumber><createdDateTime>{created}"
        f"</createdDateTime>{''.join(series)}</GL_MarketDocument>"
    )


def market_series(
    start: str, end: str, resolution: str, points: Sequence[tuple[int, Any]], psr: str = ""
) -> str:
    """One TimeSeries with one Period, and values by position."""
    told = "".join(
        f"<Point><position>{n}</position><quantity>{_text(value)}</quantity></Point>"
        for n, value in points
    )
    plant = f"<MktPSRType><psrType>{psr}</psrType></MktPSRType>" if psr else ""
    return (
        "<TimeSeries><mRID>1</mRID><inBiddingZone_Domain.mRID>10YFR-RTE------C"
        f"</inBiddingZone_Domain.mRID><curveType>A01</curveType>{plant}<Period><timeInterval>"
        f"<start>{start}</start><end>{end}</end></timeInterval><resolution>{resolution}"
        f"</resolution>{told}</Period></TimeSeries>"
    )


def _entsoe(points: Sequence[Point]) -> Reply:
    return document(
        market_document(
            *(
                market_series(ts, f"{_at(ts) + HOUR:%Y-%m-%dT%H:%MZ}", "PT60M", [(1, value)])
                for ts, value in points
            )
        )
    )


def _rows(points: Sequence[Point]) -> Reply:
    return json_reply([{"t": ts, "v": value} for ts, value in points])


def _csv(points: Sequence[Point]) -> Reply:
    return table("t,v", *(f"{ts},{_text(value)}" for ts, value in points))


def _xml(points: Sequence[Point]) -> Reply:
    rows = (f"<r><t>{ts}</t><v>{_text(value)}</v></r>" for ts, value in points)
    return document(f"<a>{''.join(rows)}</a>")


def _columns(points: Sequence[Point]) -> Reply:
    return json_reply({"t": [ts for ts, _ in points], "v": [value for _, value in points]})


_PLACES = {"ts": "t", "value": "v"}
_KEY = {"api_key": "key-of-a-test", "per_minute": 60000}
PROVIDERS: dict[str, Provider] = {
    "json": Provider("Json", _rows, _PLACES),
    "columns": Provider("Json", _columns, {**_PLACES, "layout": "columns"}),
    "csv": Provider("Csv", _csv, _PLACES, texts=True),
    "xml": Provider("Xml", _xml, {**_PLACES, "rows": "r"}, texts=True),
    "file": Provider("csv_plugin.CsvDataSourcePlugin", _csv, {"url": "{server}"}, texts=True),
    "eia": Provider(
        "eia_plugin.EiaDataSourcePlugin",
        _eia,
        {"route": "region-data", "respondent": "PJM", "type": "D", **_KEY},
        texts=True,
    ),
    "fingrid": Provider(
        "fingrid_plugin.FingridDataSourcePlugin", _fingrid, {"dataset_id": 124, **_KEY}
    ),
    "energy-charts": Provider(
        "energy_charts_plugin.EnergyChartsDataSourcePlugin",
        _energy_charts,
        {"endpoint": "price", "bzn": "DE-LU", "per_minute": 60000},
    ),
    "open-meteo": Provider(
        "open_meteo_plugin.OpenMeteoArchiveDataSourcePlugin",
        _open_meteo,
        {"latitude": 52.5, "longitude": 13.4, "hourly": "temperature_2m", "per_minute": 60000},
    ),
    "smard": Provider(
        "smard_plugin.SmardDataSourcePlugin",
        _smard,
        {"filter": 4169, "region": "DE", "resolution": "hour"},
    ),
    "elexon": Provider(
        "elexon_plugin.ElexonDataSourcePlugin",
        _elexon,
        {"dataset": "INDO", "per_minute": 60000},
        timedelta(minutes=30),
    ),
    "fred": Provider(
        "fred_plugin.FredDataSourcePlugin",
        _fred,
        {"series_id": "GDP", **_KEY},
        timedelta(days=1),
        texts=True,
    ),
    "entsoe": Provider(
        "entsoe_plugin.EntsoeDataSourcePlugin",
        _entsoe,
        {"dataset": "load", "zone": "FR", "per_minute": 60000, "api_key": "key-of-a-test"},
        texts=True,
    ),
}
