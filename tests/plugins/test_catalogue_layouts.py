"""Entries of the catalogue that say `checked: documentation`, against the layouts of the pages.

Each is taken as it is shipped, but for its host, and asked for a window. The answer has the form
that the provider's page describes and a value for each series: a slip in a name, a path or a format
leaves a series without it. That the provider answers so, no test can tell.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import ssl
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import LocalServer, Reply

from dataportal.config import build_plugin, load
from dataportal.config.includes import catalogue_files
from dataportal.observations import clean
from dataportal.plugins.http import HttpClient
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from support.http_server import Request

    from dataportal.config import Source

DOCUMENTED = {
    source.name: source
    for name in catalogue_files()
    for source in load(Path("x"), {}, text=f"include: {name}").sources
    if source.module.endswith(".http_plugin")
    and all(series.metadata.get("checked") == "documentation" for series in source.series)
}
ELSEWHERE = re.compile("world-bank|ecb-exchange|elia|eco2mix|energinet|nyiso|muenster")
"""Of the first release: test_catalogue_answers has them."""
DAY = ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z")
VALUE = 1.5


@dataclass(frozen=True, slots=True)
class Layout:
    """What a provider answers, and when that is.

    Attributes:
        answer: to a request.
        ts: the time of the value that is in it, for each series.
        window: what is asked for.
        value: of each series.
    """

    answer: Callable[[Source, Request], Reply]
    ts: str
    window: tuple[str, str] = DAY
    value: float = VALUE


def _texts(source: Source, key: str) -> list[str]:
    """What the series say under a key, each text once."""
    return [*dict.fromkeys(str(own[key]) for own in source.extract_filters.values() if key in own)]


def _csv(*lines: str, encoding: str = "utf-8") -> Reply:
    return Reply(body="\r\n".join(lines).encode(encoding), content_type="text/csv")


def _zip(name: str, *lines: str) -> Reply:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, "\r\n".join(lines))
    return Reply(body=packed.getvalue(), content_type="application/zip")


def _json_stat(source: Source, request: Request) -> Reply:
    """https://ec.europa.eu/eurostat/web/user-guides/data-browser/api-data-access."""
    geos = request.query["geo"]
    assert sorted(geos) == sorted(_texts(source, "geo"))
    period = {"%Y": "2026-Q1"}.get("%Y" if source.name.endswith("gdp") else "", "2026-03")
    return Reply.json(
        {
            "version": "2.0",
            "class": "dataset",
            "id": ["freq", "geo", "time"],
            "size": [1, len(geos), 1],
            "dimension": {
                "freq": {"category": {"index": {"M": 0}}},
                "geo": {"category": {"index": {geo: n for n, geo in enumerate(geos)}}},
                "time": {"category": {"index": {period: 0}}},
            },
            "value": {str(n): VALUE for n in range(len(geos))},
        }
    )


def _ecb(source: Source, request: Request) -> Reply:
    (dimension,) = {key for own in source.extract_filters.values() for key in own}
    lines = [f"x,{code},2026-03-02,1.5" for code in _texts(source, dimension)]
    return _csv(f"KEY,{dimension},TIME_PERIOD,OBS_VALUE", *lines)


def _valet(source: Source, request: Request) -> Reply:
    names = [text.removesuffix(".v") for text in _texts(source, "value")]
    assert request.query["start_date"] == ["2026-03-01"]
    return Reply.json(
        {"observations": [{"d": "2026-03-02", **{name: {"v": "1.5"} for name in names}}]}
    )


def _frankfurter(source: Source, request: Request) -> Reply:
    assert request.path == "/v1/2026-03-02.."
    rates = dict.fromkeys(request.query["symbols"][0].split(","), VALUE)
    return Reply.json({"base": "USD", "rates": {"2026-03-02": rates}})


def _coinbase(source: Source, request: Request) -> Reply:
    return Reply.json([[1772413200, 1.5, 1.5, 1.5, 1.5, 1.5]])


def _owid(source: Source, request: Request) -> Reply:
    columns = _texts(source, "value")
    lines = [
        f"x,2026,{code},{','.join(['1.5'] * len(columns))}" for code in _texts(source, "iso_code")
    ]
    return _csv(f"country,year,iso_code,{','.join(columns)}", *lines, "World,2026,,2,2")


def _pegelonline(source: Source, request: Request) -> Reply:
    return Reply.json([{"timestamp": "2026-03-02T02:00:00+01:00", "value": 1.5}])


def _dwd(source: Source, request: Request) -> Reply:
    columns = _texts(source, "value")
    return _zip(
        "produkt_tu_stunde_x.txt",
        f"STATIONS_ID;MESS_DATUM;QN_9;{';'.join(columns)};eor",
        f"        433;2026030201;    3;{';'.join(['   1.5'] * len(columns))};eor",
    )


def _gie(source: Source, request: Request) -> Reply:
    row = dict.fromkeys(_texts(source, "value"), "1.5")
    return Reply.json(
        {"last_page": 1, "total": 1, "data": [{"gasDayStart": "2026-03-02", "status": "C", **row}]}
    )


def _aemo(source: Source, request: Request) -> Reply:
    if not request.path.endswith(".zip"):
        return Reply(
            body=b'<A HREF="/x/PUBLIC_DISPATCHIS_202603021105_1.zip">file</A>',
            content_type="text/html",
        )
    regions = _texts(source, "REGIONID")
    lines = ["C,x", "I,DISPATCH,PRICE,5,SETTLEMENTDATE,REGIONID,INTERVENTION,RRP"]
    lines += [f'D,DISPATCH,PRICE,5,"2026/03/02 11:05:00",{r},0,1.5' for r in regions]
    lines += ["I,DISPATCH,REGIONSUM,5,SETTLEMENTDATE,REGIONID,INTERVENTION,TOTALDEMAND"]
    lines += [f'D,DISPATCH,REGIONSUM,5,"2026/03/02 11:05:00",{r},0,1.5' for r in regions]
    return _zip("PUBLIC_DISPATCHIS.CSV", *lines)


def _omie(source: Source, request: Request) -> Reply:
    day = request.query["filename"][0][13:21]
    lines = [f"{day[:4]};{day[4:6]};{day[6:]};{n};1.5;1.5;" for n in range(1, 97)]
    return _csv("MARGINALPDBC;", *lines, "*")


LAYOUTS = {
    "eurostat-gdp": Layout(_json_stat, "2025-12-31T23:00:00Z", ("2025-12-01T00:00:00Z", DAY[1])),
    "eurostat-": Layout(_json_stat, "2026-02-28T23:00:00Z", ("2026-02-01T00:00:00Z", DAY[1])),
    "ecb-": Layout(_ecb, "2026-03-01T23:00:00Z", ("2026-03-01T00:00:00Z", DAY[1])),
    "bank-of-canada": Layout(_valet, "2026-03-02T05:00:00Z"),
    "frankfurter": Layout(_frankfurter, "2026-03-01T23:00:00Z", ("2026-03-01T23:00:00Z", DAY[1])),
    "coinbase": Layout(_coinbase, "2026-03-02T01:00:00Z"),
    "owid": Layout(_owid, "2026-01-01T00:00:00Z", ("2025-01-01T00:00:00Z", DAY[1])),
    "pegelonline": Layout(_pegelonline, "2026-03-02T01:00:00Z"),
    "dwd": Layout(_dwd, "2026-03-02T01:00:00Z"),
    "gie": Layout(_gie, "2026-03-02T05:00:00Z"),
    "aemo-dispatch": Layout(_aemo, "2026-03-02T01:00:00Z"),
    "omie": Layout(_omie, "2026-03-02T01:00:00Z"),
}
"""By what the names of the sources begin with."""


@pytest.mark.parametrize("name", [name for name in DOCUMENTED if not ELSEWHERE.match(name)])
def test_every_series_is_found_in_the_layout_of_the_page(name: str) -> None:
    """One value each, at its time; nothing of the answer is refused."""
    source = DOCUMENTED[name]
    layout = next(layout for key, layout in LAYOUTS.items() if name.startswith(key))
    with LocalServer(otherwise=lambda request: layout.answer(source, request)) as server:
        values = dict(_values(source, server.url, layout.window))
    for series in source.series:
        assert values[series.endpoint_prefix].get(layout.ts) == layout.value, (
            series.endpoint_prefix,
            [*values[series.endpoint_prefix].items()][:3],
        )


def _values(
    source: Source, address: str, window: Sequence[str]
) -> Iterator[tuple[str, dict[str, float | None]]]:
    """The values of each series by their times, asked of a server in place of the provider."""
    text = re.sub(r"https?://[^/\"\s]+", address, json.dumps(source.params))
    params = json.loads(text)
    params.pop("per_minute", None)
    env = dict.fromkeys(source.requires_env, "a-key-of-nobody")
    built = build_plugin(replace(source, params=params), env=env, root=Path())
    plugin: Any = built.plugin

    async def ask() -> Any:
        plugin.http = HttpClient(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        try:
            return await plugin.get_historical_data_multi(*window)
        finally:
            await plugin.http.aclose()

    names = [series.endpoint_prefix for series in source.series]
    batch = clean(asyncio.run(ask()), series=names, start=None, end=None, zone=built.limits.zone)
    assert not batch.rejections
    for name, points in batch.series.items():
        yield name, {iso(ts): value for ts, value in zip(points.ts, points.values, strict=True)}
