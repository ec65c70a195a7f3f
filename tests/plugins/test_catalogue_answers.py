"""Sources of the catalogue that need no plugin of their own, against their providers' layouts."""

from __future__ import annotations

import asyncio
import io
import re
import ssl
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from support.http_server import LocalServer, Reply

from dataportal.config import build_plugin, load
from dataportal.config.includes import CATALOGUE
from dataportal.observations import clean
from dataportal.plugins.http import HttpClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from support.http_server import Request

    from dataportal.config import BuiltPlugin, Source

SHIPPED = Path(__file__).resolve().parents[2] / "sources.yaml"
OF_THE_FIRST_RELEASE = re.compile("world-bank|ecb-ex|elia|eco2mix-fr|energinet|nyiso|muenster")
"""The others are in test_catalogue_layouts and test_catalogue_recordings."""
DECLARED = {
    source.name: source
    for source in load(SHIPPED, {}).sources
    if source.module.endswith(".http_plugin") and OF_THE_FIRST_RELEASE.match(source.name)
}
START = datetime(2025, 3, 3, 12, tzinfo=UTC)
END = START + timedelta(hours=6)


def _filter_texts(source: Source, key: str) -> list[str]:
    return [str(own[key]) for own in source.extract_filters.values()]


def _paged(rows: list[Any], name: str, total: str, size: str) -> Callable[[Request], Reply]:
    def reply(request: Request) -> Reply:
        offset, limit = (int(request.query[key][0]) for key in ("offset", size))
        return Reply.json({total: len(rows), name: rows[offset : offset + limit]})

    return reply


def _world_bank(source: Source, request: Request) -> Reply:
    assert request.query["format"] == ["json"]
    rows = [
        {"countryiso3code": code, "date": "2025", "value": 1.5}
        for code in _filter_texts(source, "countryiso3code")
    ]
    return Reply.json([{"page": 1, "pages": 1, "total": len(rows)}, rows])


def _ecb(source: Source, request: Request) -> Reply:
    assert request.query["startPeriod"] == ["2025-03-03"]
    assert set(request.path.split("/")[-1].split(".")[1].split("+")) == {
        *_filter_texts(source, "CURRENCY")
    }
    lines = ["KEY,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE"]
    lines += [f"x,D,{code},2025-03-04,1.5" for code in _filter_texts(source, "CURRENCY")]
    return Reply(body="\r\n".join(lines).encode(), content_type="text/csv")


def _elia(source: Source, request: Request) -> Reply:
    assert f"datetime >= date'{START:%Y-%m-%dT%H:%M:%SZ}'" in request.query["where"][0]
    rows = [
        {
            "datetime": f"2025-03-03T13:{minute:02}:00+00:00",
            "fueltypeentsoe": fuel,
            "generatedpower": 1.5,
        }
        for minute in (0, 15, 30, 45)
        for fuel in (*_filter_texts(source, "fueltypeentsoe"), *(f"Other {n}" for n in range(30)))
    ]
    return _paged(rows, "results", "total_count", "limit")(request)


def _eco2mix(source: Source, request: Request) -> Reply:
    assert request.query["timezone"] == ["UTC"]
    columns = request.query["select"][0].split(", ")
    assert columns[1:] == [*dict.fromkeys(_filter_texts(source, "value"))]
    row = dict.fromkeys(_filter_texts(source, "value"), 1.5)
    return Reply.json([{"date_heure": "2025-03-03T13:00:00+00:00", "nature": "x", **row}])


def _energinet(source: Source, request: Request) -> Reply:
    assert request.query["start"] == ["2025-03-03T13:00"]
    areas = _filter_texts(source, "PriceArea")
    names = [str(own.get("value", "DayAheadPriceEUR")) for own in source.extract_filters.values()]
    stamps = {"Minutes5UTC": "2025-03-03T13:00:00", "TimeUTC": "2025-03-03T13:00:00"}
    rows = [
        {**stamps, "PriceArea": area, **dict.fromkeys(names, 1.5)}
        for area in dict.fromkeys((*areas, "DE"))
    ]
    return _paged(rows, "records", "total", "limit")(request)


def _nyiso(source: Source, request: Request) -> Reply:
    assert request.path.endswith("/20250301pal_csv.zip")
    lines = ['"Time Stamp","Time Zone","Name","PTID","Load"']
    lines += [f'"03/03/2025 08:00:00","EST","{n}",1,1.5' for n in _filter_texts(source, "Name")]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("20250303pal.csv", "\r\n".join(lines))
    return Reply(body=packed.getvalue(), content_type="application/zip")


def _muenster(source: Source, request: Request) -> Reply:
    assert not request.query
    stamp = "03.03.2025 14:00"
    text = "".join(
        f"<parkhaus><bezeichnung>{name}</bezeichnung><gesamt>9</gesamt><frei>1.5</frei>"
        f"<status>frei</status><zeitstempel>{stamp}</zeitstempel></parkhaus>"
        for name in _filter_texts(source, "bezeichnung")
    )
    head = '<?xml version="1.0" encoding="ISO-8859-1"?>'
    return Reply(body=f"{head}<parkhaeuser>{text}</parkhaeuser>".encode("iso-8859-1"))


PROVIDERS: dict[str, Callable[[Source, Request], Reply]] = {
    "world-bank": _world_bank,
    "ecb": _ecb,
    "elia": _elia,
    "eco2mix": _eco2mix,
    "energinet": _energinet,
    "nyiso": _nyiso,
    "muenster": _muenster,
}


def _times(source: Source) -> Iterable[datetime]:
    match source.name.split("-")[0]:
        case "world":
            return [datetime(2025, 1, 1, tzinfo=UTC)]
        case "ecb":
            return [datetime(2025, 3, 4, tzinfo=ZoneInfo("Europe/Berlin"))]
        case "elia":
            return [datetime(2025, 3, 3, 13, minute, tzinfo=UTC) for minute in (0, 15, 30, 45)]
    return [datetime(2025, 3, 3, 13, tzinfo=UTC)]


@pytest.mark.parametrize("name", DECLARED)
def test_every_series_has_its_points(tmp_path: Path, name: str) -> None:
    """As the file stands but for the host, with an answer in the provider's layout."""
    source = DECLARED[name]
    provider = next(PROVIDERS[key] for key in PROVIDERS if name.startswith(key))
    with LocalServer(otherwise=lambda request: provider(source, request)) as server:
        text = re.sub(r"(url: )https?://[^/\s]+", rf"\1{server.url}", _file(source).read_text())
        (tmp_path / "sources.yaml").write_text(text, encoding="utf-8")
        (source,) = (s for s in load(tmp_path / "sources.yaml", {}).sources if s.name == name)
        built = build_plugin(source, env={}, root=tmp_path)
        answer = asyncio.run(_fetch(built))
    names = [series.endpoint_prefix for series in source.series]
    batch = clean(answer, series=names, start=None, end=None, zone=built.limits.zone)
    assert not batch.rejections
    for series in names:
        assert batch.series[series].ts == list(_times(source)), series
        assert set(batch.series[series].values) == {1.5}


def _file(source: Source) -> Path:
    """The file of the catalogue in which it stands."""
    assert source.file
    return CATALOGUE / source.file.name


async def _fetch(built: BuiltPlugin) -> Any:
    plugin: Any = built.plugin
    plugin.http = HttpClient(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    start = START.replace(year=2000) if built.limits.initial_history is None else START
    try:
        return await plugin.get_historical_data_multi(start.isoformat(), END.isoformat())
    finally:
        await plugin.http.aclose()
