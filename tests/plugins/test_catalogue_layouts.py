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


def _bank_of_england(source: Source, request: Request) -> Reply:
    codes = request.query["SeriesCodes"][0].split(",")
    assert request.query["Datefrom"] == ["01/Mar/2026"]
    return _csv(f"DATE,{','.join(codes)}", f"02 Mar 2026,{','.join(['1.5'] * len(codes))}")


def _bundesbank(source: Source, request: Request) -> Reply:
    assert request.path.endswith("XX.R.A.A._Z._Z.A")
    space = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1"
    text = (
        f'<m:GenericData xmlns:m="{space}/message" xmlns:g="{space}/data/generic"><m:DataSet>'
        '<g:Series><g:SeriesKey><g:Value id="BBK_STD_FREQ" value="D"/></g:SeriesKey>'
        '<g:Obs><g:ObsDimension value="2026-03-02"/><g:ObsValue value="1.5"/></g:Obs>'
        "</g:Series></m:DataSet></m:GenericData>"
    )
    return Reply(body=text.encode(), content_type="application/vnd.sdmx.genericdata+xml")


def _bis(source: Source, request: Request) -> Reply:
    areas = _texts(source, "REF_AREA")
    if "WS_CBPOL" in request.path:
        assert request.path.split("/")[-2] == f"M.{'+'.join(areas)}"
        lines = [f"M,{area},2026-02,1.5" for area in areas]
        return _csv("FREQ,REF_AREA,TIME_PERIOD,OBS_VALUE", *lines)
    lines = [f"M,{kind},B,{area},2026-02,1.5" for kind in "NR" for area in areas]
    return _csv("FREQ,EER_TYPE,EER_BASKET,REF_AREA,TIME_PERIOD,OBS_VALUE", *lines)


def _usgs(source: Source, request: Request) -> Reply:
    assert request.query["startDT"] == ["2026-03-02T00:00Z"]
    value = {"value": "1.5", "qualifiers": ["P"], "dateTime": "2026-03-01T20:00:00.000-05:00"}
    return Reply.json({"value": {"timeSeries": [{"values": [{"value": [value], "method": []}]}]}})


def _tides(source: Source, request: Request) -> Reply:
    place = "predictions" if request.query["product"] == ["predictions"] else "data"
    assert request.query["begin_date"] == ["20260302 00:00"]
    return Reply.json({place: [{"t": "2026-03-02 01:00", "v": "1.500", "q": "p"}]})


def _gases(source: Source, request: Request) -> Reply:
    return _csv("# text", "year,month,decimal,average,unc", "2026,2,2026.125,1.5,0.1")


def _carbon(source: Source, request: Request) -> Reply:
    row: dict[str, Any] = {"from": "2026-03-02T01:00Z", "to": "2026-03-02T01:30Z"}
    if request.path.startswith("/generation/"):
        fuels = re.findall(r"fuel=='(\w+)'", json.dumps([*source.extract_filters.values()]))
        mix = [{"fuel": fuel, "perc": 1.5} for fuel in fuels]
        return Reply.json({"data": [{**row, "generationmix": mix}]})
    row["intensity"] = {"forecast": 1.5, "actual": 1.5, "index": "low"}
    if "/regionid/" in request.path:
        return Reply.json({"data": {"regionid": 1, "data": [row]}})
    return Reply.json({"data": [row]})


def _pse(source: Source, request: Request) -> Reply:
    assert request.query["$filter"][0].startswith("dtime_utc gt '2026-03-02 00:00'")
    row = dict.fromkeys(_texts(source, "value"), 1.5)
    return Reply.json({"value": [{"dtime_utc": "2026-03-02 01:15:00", **row}]})


def _ieso(source: Source, request: Request) -> Reply:
    zones = _texts(source, "value")
    lines = [f"2026-03-01,21,{','.join(['1.5'] * len(zones))}"]
    return _csv("\\\\Zonal", "\\\\Created", f"Date,Hour,{','.join(zones)}", *lines)


def _caiso(source: Source, request: Request) -> Reply:
    key = "NODE" if request.query["queryname"] == ["PRC_LMP"] else "TAC_AREA_NAME"
    lines = [f"2026-03-02T01:00:00-00:00,{place},LMP,1.5" for place in _texts(source, key)]
    lines += [f"2026-03-02T01:00:00-00:00,{place},MCE,2.5" for place in _texts(source, key)]
    kept = lines if key == "NODE" else lines[: len(lines) // 2]
    return _zip("x.csv", f"INTERVALSTARTTIME_GMT,{key},LMP_TYPE,MW", *kept)


def _terna(source: Source, request: Request) -> Reply:
    if request.path.endswith("accessToken"):
        return Reply.json({"access_token": "a-token", "expires_in": 300, "token_type": "bearer"})
    assert request.query["dateFrom"] == ["02/03/2026"]
    row = {"date": "2026-03-02 02:00:00", "date_tz": "Europe/Rome", "date_offset": "+01:00"}
    return Reply.json(
        {
            "result": {"message": "x", "status": "Completed"},
            "total_load": [
                {**row, "total_load_MW": "1.5", "bidding_zone": zone}
                for zone in _texts(source, "bidding_zone")
            ],
        }
    )


def _cdc(source: Source, request: Request) -> Reply:
    if request.query["$offset"] != ["0"]:
        return Reply.json([])
    return Reply.json(
        [
            {
                "weekendingdate": "2026-03-07T00:00:00.000",
                "jurisdiction": place,
                **dict.fromkeys(_texts(source, "value"), "1.5"),
            }
            for place in _texts(source, "jurisdiction")
        ]
    )


def _waste_water(source: Source, request: Request) -> Reply:
    lines = [f"2026-03-04\t90\t0.3\t1.5\t{kind}" for kind in _texts(source, "typ")]
    return _csv("datum\tn\tanteil_bev\tviruslast\ttyp", *lines)


def _grippeweb(source: Source, request: Request) -> Reply:
    lines = [
        f"2025/26\t2026-W10\t{region}\t00+\t{illness}\t{value}"
        for illness in _texts(source, "Erkrankung")
        for region, value in (("Bundesweit", 1.5), ("Osten", 2.5))
    ]
    return _csv("Saison\tKalenderwoche\tRegion\tAltersgruppe\tErkrankung\tInzidenz", *lines)


def _elering(source: Source, request: Request) -> Reply:
    rows = [{"timestamp": 1772413200, "price": 1.5}]
    return Reply.json({"success": True, "data": dict.fromkeys(("ee", "fi", "lv", "lt"), rows)})


def _wikimedia(source: Source, request: Request) -> Reply:
    assert request.path.endswith("/user/daily/2026030200/2026030200")
    return Reply.json({"items": [{"timestamp": "2026030200", "views": 1.5}]})


def _new_york_fed(source: Source, request: Request) -> Reply:
    assert request.query["endDate"] == ["2026-03-02"]
    return Reply.json(
        {
            "refRates": [
                {"effectiveDate": "2026-03-02", "type": kind, "percentRate": 1.5}
                for kind in _texts(source, "type")
            ]
        }
    )


def _treasury(source: Source, request: Request) -> Reply:
    assert request.query["page[number]"] == ["1"]
    row = dict.fromkeys(_texts(source, "value"), "1.5")
    return Reply.json(
        {"data": [{"record_date": "2026-03-02", **row}], "meta": {"count": 1, "total-pages": 1}}
    )


def _nbp(source: Source, request: Request) -> Reply:
    assert request.path == "/api/exchangerates/tables/a/2026-03-01/2026-03-02/"
    rates = [{"currency": "x", "code": code, "mid": 1.5} for code in _texts(source, "code")]
    return Reply.json([{"table": "A", "no": "1", "effectiveDate": "2026-03-02", "rates": rates}])


def _norges_bank(source: Source, request: Request) -> Reply:
    currencies = _texts(source, "BASE_CUR")
    series = {f"0:{n}:0:0": {"observations": {"0": ["1.5"]}} for n in range(len(currencies))}
    dimensions = [
        {"id": "FREQ", "values": [{"id": "B"}]},
        {"id": "BASE_CUR", "values": [{"id": code} for code in currencies]},
        {"id": "QUOTE_CUR", "values": [{"id": "NOK"}]},
        {"id": "TENOR", "values": [{"id": "SP"}]},
    ]
    times = [{"id": "TIME_PERIOD", "role": "time", "values": [{"id": "2026-03-02"}]}]
    structure = {"dimensions": {"dataset": [], "series": dimensions, "observation": times}}
    return Reply.json({"data": {"dataSets": [{"series": series}], "structure": structure}})


def _bls(source: Source, request: Request) -> Reply:
    assert len(request.json["seriesid"]) <= 50
    rows = [
        {"year": "2026", "period": "M02", "value": "1.5", "footnotes": [{}]},
        {"year": "2026", "period": "M13", "value": "2.5", "footnotes": [{}]},
    ]
    found = [{"seriesID": name, "data": rows} for name in request.json["seriesid"]]
    return Reply.json({"status": "REQUEST_SUCCEEDED", "message": [], "Results": {"series": found}})


def _meteoswiss(source: Source, request: Request) -> Reply:
    columns = _texts(source, "value")
    station = request.path.split("/")[2].upper()
    return _csv(
        f"station_abbr;reference_timestamp;{';'.join(columns)}",
        f"{station};02.03.2026 00:00;{';'.join(['1.5'] * len(columns))}",
    )


def _knmi(source: Source, request: Request) -> Reply:
    assert request.form["start"] == ["20260302"]
    row = {"date": "2026-03-02T00:00:00.000Z", **dict.fromkeys(_texts(source, "value"), 15)}
    stations = [int(text) for text in request.form["stns"][0].split(":")]
    return Reply.json([{"station_code": station, **row} for station in stations])


def _hubeau(source: Source, request: Request) -> Reply:
    row = {"date_obs": "2026-03-02T01:00:00Z", "resultat_obs": 1500}
    return Reply.json({"count": 1, "next": None, "data": [row]})


def _smhi(source: Source, request: Request) -> Reply:
    return Reply.json({"value": [{"date": 1772413200000, "value": "1.5", "quality": "G"}]})


def _oecd(source: Source, request: Request) -> Reply:
    areas = _texts(source, "REF_AREA")
    assert "+".join(areas) in request.path
    lines = [f"OECD,{area},M,LI,2026-02,1.5" for area in areas]
    return _csv("DATAFLOW,REF_AREA,FREQ,MEASURE,TIME_PERIOD,OBS_VALUE", *lines)


def _ons(source: Source, request: Request) -> Reply:
    month = {"date": "2026 FEB", "value": "1.5", "label": "2026 FEB", "year": "2026"}
    quarter = {"date": "2025 Q4", "value": "1.5", "label": "2025 Q4", "year": "2025"}
    return Reply.json({"years": [], "months": [month], "quarters": [quarter]})


def _ree(source: Source, request: Request) -> Reply:
    (geo,) = request.query["geo_ids[]"]
    row = {"value": 1.5, "datetime_utc": "2026-03-02T01:00:00Z", "geo_id": int(geo)}
    return Reply.json({"indicator": {"values": [row, {**row, "geo_id": 1, "value": 2.5}]}})


def _insee(source: Source, request: Request) -> Reply:
    frequency, period = ("M", "2026-02") if source.name.endswith("monthly") else ("T", "2025-Q4")
    text = (
        '<m:StructureSpecificData xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v2_1'
        f'/message"><m:DataSet><Series IDBANK="x" FREQ="{frequency}" TITLE_FR="x">'
        f'<Obs TIME_PERIOD="{period}" OBS_VALUE="1.5" OBS_STATUS="A"/>'
        "</Series></m:DataSet></m:StructureSpecificData>"
    )
    return Reply(body=text.encode(), content_type="application/xml")


def _statistics_canada(source: Source, request: Request) -> Reply:
    point = {"refPer": "2026-02-01", "value": 15, "scalarFactorCode": -1}
    point["releaseTime"] = "2026-03-17T08:30"
    return Reply.json(
        [
            {
                "status": "SUCCESS",
                "object": {"vectorId": item["vectorId"], "vectorDataPoint": [point]},
            }
            for item in request.json
        ]
    )


def _uba(source: Source, request: Request) -> Reply:
    (station,) = request.query["station"]
    hour = [9, 2, 1.5, "2026-03-02 03:00:00", "1"]
    return Reply.json({"data": {station: {"2026-03-02 02:00:00": hour}}})


def _pjm(source: Source, request: Request) -> Reply:
    feed = request.path.rpartition("/")[2].removesuffix("_gen")
    row = {"datetime_beginning_utc": "2026-03-02T01:00:00", f"{feed}_generation_mw": 1.5}
    areas = _texts(source, "area")
    items = [{**row, "area": area} for area in areas]
    return Reply.json({"items": items, "totalRows": len(items)})


def _miso(source: Source, request: Request) -> Reply:
    row = {"DateTimeEST": "2026-03-01 8:00:00 PM", "HourEndingEST": "21", "Value": "1.50"}
    rows = "Forecast" if request.path.endswith("forecast") else "instance"
    return Reply.json({rows: [row], "RefId": "x", "MktDay": "03-01-2026"})


def _statnett(source: Source, request: Request) -> Reply:
    assert request.query["Frequency"] == ["Hours"]
    start = int(request.query["FromInTicks"][0])
    values = {"Production": [None, 1.5], "Consumption": [None, 1.5]}
    return Reply.json({"StartPointUTC": start, "PeriodTickMs": 3_600_000, **values})


def _svenska_kraftnat(source: Source, request: Request) -> Reply:
    assert request.query["countryCode"] == ["SE"]
    point = {"x": 1_772_413_200_000, "y": 1.5} if request.query["date"] == ["2026-03-02"] else {}
    points = [point] if point else []
    return Reply.json({"Data": [{"id": n, "data": points} for n in _texts(source, "id")]})


def _entsog(source: Source, request: Request) -> Reply:
    rows = []
    for own in source.extract_filters.values():
        key = f"{own['operatorKey']}{own['pointKey']}{own['directionKey']}"
        assert key in request.query["pointDirection"][0].split(",")
        rows.append({**own, "periodFrom": "2026-03-02T06:00:00+01:00", "value": 1_500_000})
    return Reply.json({"meta": {"limit": -1}, "operationalData": rows})


def _statistics_finland(source: Source, request: Request) -> Reply:
    codes = _texts(source, "contentscode")
    assert request.json["query"][0]["selection"]["values"] == codes
    return Reply.json(
        {
            "version": "2.0",
            "class": "dataset",
            "id": ["contentscode", "timeperiod_m"],
            "size": [len(codes), 1],
            "role": {"time": ["timeperiod_m"], "metric": ["contentscode"]},
            "dimension": {
                "contentscode": {"category": {"index": {code: n for n, code in enumerate(codes)}}},
                "timeperiod_m": {"category": {"index": {"2026M02": 0}}},
            },
            "value": [VALUE] * len(codes),
        }
    )


def _lng(source: Source, request: Request) -> Reply:
    row = {"gasDayStart": "2026-03-02", "status": "C", "sendOut": "1.5"}
    return Reply.json({"last_page": 1, "total": 1, "data": [row]})


def _imf(source: Source, request: Request) -> Reply:
    assert request.query["c[TIME_PERIOD]"] == ["ge:2026-M02"]
    lines = [f"dataflow,x,I,{c},CPI,_T,IX,M,2026-M02,1.5" for c in _texts(source, "COUNTRY")]
    head = "STRUCTURE,STRUCTURE_ID,ACTION,COUNTRY,INDEX_TYPE,COICOP_1999,TYPE_OF_TRANSFORMATION"
    return _csv(f"{head},FREQUENCY,TIME_PERIOD,OBS_VALUE", *lines)


def _px(source: Source, request: Request) -> Reply:
    codes = _texts(source, "ContentsCode")
    assert {q["code"] for q in request.json["query"]} >= {"ContentsCode", "Tid"}
    return Reply.json(
        {
            "version": "2.0",
            "class": "dataset",
            "id": ["ContentsCode", "Tid"],
            "size": [len(codes), 1],
            "role": {"time": ["Tid"], "metric": ["ContentsCode"]},
            "dimension": {
                "ContentsCode": {"category": {"index": {code: n for n, code in enumerate(codes)}}},
                "Tid": {"category": {"index": {"2026M02": 0}}},
            },
            "value": [VALUE] * len(codes),
        }
    )


def _riksbank(source: Source, request: Request) -> Reply:
    assert request.path.endswith("/2026-03-02/2026-03-03")
    return Reply.json([{"date": "2026-03-03", "value": 1.5}])


LAYOUTS = {
    "imf": Layout(_imf, "2026-02-01T00:00:00Z", ("2026-02-01T00:00:00Z", DAY[1])),
    "ssb": Layout(_px, "2026-01-31T23:00:00Z", ("2026-01-01T00:00:00Z", DAY[1])),
    "scb": Layout(_px, "2026-01-31T23:00:00Z", ("2026-01-01T00:00:00Z", DAY[1])),
    "riksbank": Layout(_riksbank, "2026-03-02T23:00:00Z"),
    "oecd": Layout(_oecd, "2026-02-01T00:00:00Z", ("2026-02-01T00:00:00Z", DAY[1])),
    "ons-monthly": Layout(_ons, "2026-02-01T00:00:00Z", ("2025-01-01T00:00:00Z", DAY[1])),
    "ons-quarterly": Layout(_ons, "2025-09-30T23:00:00Z", ("2025-01-01T00:00:00Z", DAY[1])),
    "ree": Layout(_ree, "2026-03-02T01:00:00Z"),
    "insee-monthly": Layout(_insee, "2026-01-31T23:00:00Z", ("2026-01-01T00:00:00Z", DAY[1])),
    "insee": Layout(_insee, "2025-09-30T22:00:00Z", ("2025-01-01T00:00:00Z", DAY[1])),
    "statistics-canada": Layout(
        _statistics_canada, "2026-02-01T05:00:00Z", ("2026-01-01T00:00:00Z", DAY[1])
    ),
    "uba": Layout(_uba, "2026-03-02T01:00:00Z"),
    "pjm": Layout(_pjm, "2026-03-02T01:00:00Z"),
    "miso": Layout(_miso, "2026-03-02T01:00:00Z"),
    "statnett": Layout(_statnett, "2026-03-02T01:00:00Z"),
    "svenska-kraftnat": Layout(_svenska_kraftnat, "2026-03-02T01:00:00Z"),
    "entsog": Layout(_entsog, "2026-03-02T05:00:00Z"),
    "statistics-finland": Layout(
        _statistics_finland, "2026-01-31T22:00:00Z", ("2026-01-01T00:00:00Z", DAY[1])
    ),
    "gie-lng": Layout(_lng, "2026-03-02T05:00:00Z"),
    "terna": Layout(_terna, "2026-03-02T01:00:00Z"),
    "cdc": Layout(_cdc, "2026-03-01T05:00:00Z", ("2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z")),
    "rki-waste": Layout(_waste_water, "2026-02-25T23:00:00Z", ("2026-02-01T00:00:00Z", DAY[1])),
    "rki-grippeweb": Layout(_grippeweb, "2026-03-01T23:00:00Z", ("2026-02-01T00:00:00Z", DAY[1])),
    "elering": Layout(_elering, "2026-03-02T01:00:00Z"),
    "wikimedia": Layout(_wikimedia, "2026-03-02T00:00:00Z"),
    "new-york-fed": Layout(_new_york_fed, "2026-03-02T05:00:00Z"),
    "us-treasury": Layout(_treasury, "2026-03-02T05:00:00Z"),
    "nbp": Layout(_nbp, "2026-03-01T23:00:00Z", ("2026-03-01T00:00:00Z", "2026-03-02T23:00:00Z")),
    "norges-bank": Layout(_norges_bank, "2026-03-01T23:00:00Z"),
    "bls": Layout(_bls, "2026-02-01T05:00:00Z", ("2026-02-01T00:00:00Z", DAY[1])),
    "meteoswiss": Layout(_meteoswiss, "2026-03-02T00:00:00Z"),
    "knmi": Layout(_knmi, "2026-03-02T00:00:00Z"),
    "hubeau": Layout(_hubeau, "2026-03-02T01:00:00Z"),
    "smhi": Layout(_smhi, "2026-03-02T01:00:00Z"),
    "bank-of-england": Layout(
        _bank_of_england, "2026-03-02T00:00:00Z", ("2026-03-01T00:00:00Z", DAY[1])
    ),
    "bundesbank": Layout(_bundesbank, "2026-03-01T23:00:00Z"),
    "bis": Layout(_bis, "2026-02-01T00:00:00Z", ("2026-02-01T00:00:00Z", DAY[1])),
    "usgs": Layout(_usgs, "2026-03-02T01:00:00Z"),
    "noaa-greenhouse": Layout(_gases, "2026-02-01T00:00:00Z", ("2026-01-01T00:00:00Z", DAY[1])),
    "noaa": Layout(_tides, "2026-03-02T01:00:00Z"),
    "carbon-intensity": Layout(_carbon, "2026-03-02T01:00:00Z"),
    "pse": Layout(_pse, "2026-03-02T01:00:00Z"),
    "ieso": Layout(_ieso, "2026-03-02T01:00:00Z"),
    "caiso": Layout(_caiso, "2026-03-02T01:00:00Z"),
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
