"""Real answers to sources that YAML alone describes, and tables of text."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from support import declarative_sources
from support.http_server import Reply
from support.plugin_calls import fetch, group, values
from support.real_answer import (
    RealAnswer,
    read_figures,
    utc_text,
)
from support.recordings import recording, recording_json

from dataportal.plugins.data_sources.csv_plugin import CsvMultiSeriesPlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from support.http_server import LocalServer
    from support.real_answer import Values

_QUARTER = timedelta(minutes=15)
_BERLIN, _NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def _described(
    provider: str,
    kind: str,
    answer: Callable[[], bytes],
    filters: Callable[[], Mapping[str, Mapping[str, Any]]],
    expected: Callable[[], Values],
    *,
    content_type: str = "application/json",
    timezone: str | None = None,
    recordings: tuple[str, ...] = (),
    is_counted: bool = True,
    **params: Any,
) -> RealAnswer:
    """An answer that the plugin for described sources reads."""

    def read(server: LocalServer) -> Values:
        url = server.answer("/data", Reply(body=answer(), content_type=content_type))
        window = ("1900-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
        batch = declarative_sources.fetch(
            kind, filters(), window=window, timezone=timezone, url=url, **params
        )
        return values(batch)

    return RealAnswer(provider, read, expected, recordings, is_counted)


def _by_columns(names: Iterable[str]) -> dict[str, dict[str, str]]:
    return {name: {"value": name} for name in names}


def _of_columns(
    rows: Iterable[Mapping[str, Any]], ts: Callable[[Mapping[str, Any]], str], *names: str
) -> Values:
    every = list(rows)
    return {name: {ts(row): row[name] for row in every} for name in names}


def _energinet_area(area: str) -> RealAnswer:
    name = "energidataservice_dk/ElectricityProdex5MinRealtime.json"
    beside = {"Minutes5UTC", "Minutes5DK", "PriceArea"}

    def rows() -> list[dict[str, Any]]:
        return [row for row in recording_json(name)["records"] if row["PriceArea"] == area][::-1]

    def names() -> list[str]:
        return [column for column in rows()[0] if column not in beside]

    def expected() -> Values:
        return _of_columns(rows(), lambda row: row["Minutes5UTC"] + "Z", *names())

    return _described(
        "energi-data-service",
        "Json",
        lambda: recording(name),
        lambda: {column: {"value": column, "PriceArea": area} for column in names()},
        expected,
        timezone="UTC",
        recordings=(name,),
        rows="records",
        ts="Minutes5UTC",
    )


def _energinet_forecasts() -> RealAnswer:
    figures = "energinet-forecasts-2025-02-21"
    columns = {" now": "ForecastCurrent", "": "ForecastDayAhead"}

    def answer() -> bytes:
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for name, own in read_figures(figures).items():
            kind = name.removesuffix(" now")
            column = columns[name.removeprefix(kind)]
            for ts, value in own.items():
                row = {"Minutes5UTC": ts[:-1], "PriceArea": "DK1", "ForecastType": kind}
                rows.setdefault((ts, kind), row)[column] = value
        return json.dumps({"total": len(rows), "records": [*rows.values()]}).encode()

    def filters() -> dict[str, dict[str, str]]:
        kinds = {name: name.removesuffix(" now") for name in read_figures(figures)}
        return {
            name: {"ForecastType": kind, "value": columns[name.removeprefix(kind)]}
            for name, kind in kinds.items()
        }

    return _described(
        "energi-data-service",
        "Json",
        answer,
        filters,
        lambda: read_figures(figures),
        timezone="UTC",
        rows="records",
        ts="Minutes5UTC",
    )


def _energinet_prices() -> RealAnswer:
    prices = {"DK1": 49.139999, "DK2": 49.139999, "NO2": 45.25, "SE3": 49.139999}
    ts = "2024-06-11T21:00:00"
    rows = [{"HourUTC": ts, "PriceArea": area, "SpotPriceEUR": eur} for area, eur in prices.items()]
    return _described(
        "energi-data-service",
        "Json",
        lambda: json.dumps({"total": 4, "records": rows}).encode(),
        lambda: {area: {"PriceArea": area} for area in prices},
        lambda: {area: {f"{ts}Z": eur} for area, eur in prices.items()},
        timezone="UTC",
        rows="records",
        ts="HourUTC",
        value="SpotPriceEUR",
    )


def _elia() -> RealAnswer:
    name = "ods/elia_production__v21_records.json"

    def rows() -> list[dict[str, Any]]:
        return list(recording_json(name)["results"])

    def expected() -> Values:
        by_type: Values = {}
        for row in rows():
            ts = utc_text(datetime.fromisoformat(row["datetime"]))
            by_type.setdefault(row["fueltypeentsoe"], {})[ts] = row["generatedpower"]
        return {kind: dict(sorted(own.items())) for kind, own in by_type.items()}

    return _described(
        "elia",
        "Json",
        lambda: recording(name),
        lambda: {
            row["fueltypeentsoe"]: {"fueltypeentsoe": row["fueltypeentsoe"]} for row in rows()
        },
        expected,
        recordings=(name,),
        rows="results",
        ts="datetime",
        value="generatedpower",
    )


def _eco2mix(name: str, nature: str) -> RealAnswer:
    def answer() -> bytes:
        by_name = read_figures(name)
        rows = [
            {
                "nature": nature,
                "date_heure": ts.replace("Z", "+00:00"),
                **{column: own[ts] for column, own in by_name.items()},
            }
            for ts in next(iter(by_name.values()))
        ]
        return json.dumps(rows).encode()

    return _described(
        "eco2mix",
        "Json",
        answer,
        lambda: _by_columns(read_figures(name)),
        lambda: read_figures(name),
        ts="date_heure",
    )


def _ecb(name: str, period: str) -> RealAnswer:
    """Rates by currency, with periods in this form."""

    def answer() -> bytes:
        lines = ["KEY,FREQ,CURRENCY,TIME_PERIOD,OBS_VALUE,UNIT,UNIT_MULT"]
        for code, own in read_figures(name).items():
            for ts, value in own.items():
                begin = datetime.fromisoformat(ts).astimezone(_BERLIN)
                key = f"EXR.{period[-1].upper()}.{code}.EUR.SP00.A,{period[-1].upper()},{code}"
                text = "NaN" if value is None else f"{value}"
                lines.append(f"{key},{begin:{period}},{text},{code},0")
        return "\r\n".join(lines).encode()

    return _described(
        "ecb",
        "Csv",
        answer,
        lambda: {code: {"CURRENCY": code} for code in read_figures(name)},
        lambda: read_figures(name),
        content_type="text/csv",
        timezone="Europe/Berlin",
        ts="TIME_PERIOD",
        time_format="period",
        value="OBS_VALUE",
        missing=["", "NaN"],
    )


def _world_bank() -> RealAnswer:
    name = "worldbank/NY.GDP.MKTP.CD_multi.json"

    def expected() -> Values:
        by_country: Values = {}
        for row in sorted(recording_json(name)[1], key=lambda row: row["date"]):
            ts = f"{row['date']}-01-01T00:00:00Z"
            by_country.setdefault(row["country"]["id"], {})[ts] = row["value"]
        return by_country

    return _described(
        "world-bank",
        "Json",
        lambda: recording(name),
        lambda: {
            row["country"]["id"]: {"country.id": row["country"]["id"]}
            for row in recording_json(name)[1]
        },
        expected,
        timezone="UTC",
        recordings=(name,),
        rows="[1]",
        ts="date",
        time_format="period",
        value="value",
        error="[0].message[0].value",
    )


def _world_bank_people() -> RealAnswer:
    name = "world-bank-population-2022"

    def answer() -> bytes:
        years = [(ts[:4], value) for ts, value in read_figures(name)["USA"].items()]
        rows = [
            {"countryiso3code": "USA", "date": year, "value": None if value is None else int(value)}
            for year, value in reversed(years)
        ]
        return json.dumps([{"page": 1, "pages": 1, "total": len(rows)}, rows]).encode()

    return _described(
        "world-bank",
        "Json",
        answer,
        lambda: {"USA": {"countryiso3code": "USA"}},
        lambda: read_figures(name),
        timezone="UTC",
        rows="[1]",
        ts="date",
        time_format="period",
        value="value",
    )


def _new_york(ts: str) -> datetime:
    return datetime.fromisoformat(ts).astimezone(_NEW_YORK)


def _nyiso_table(name: str, header: str, line: Callable[[datetime, str, str], str]) -> bytes:
    by_name = read_figures(name)
    lines = [header]
    for ts in next(iter(by_name.values())):
        local = _new_york(ts)
        lines += [line(local, key, f"{own[ts]}") for key, own in by_name.items()]
    return "\r\n".join(lines).encode()


def _nyiso_answers() -> Iterable[tuple[str, RealAnswer]]:
    local = {"timezone": "America/New_York", "content_type": "text/csv", "dst": "Time Zone"}
    local |= {"ts": "Time Stamp", "time_format": "%m/%d/%Y %H:%M:%S"}
    load, mix, ahead = (
        "nyiso-load-2017-11-22",
        "nyiso-fuel-mix-2025-02-01",
        "nyiso-forecast-2025-02-19",
    )
    header = '"Time Stamp","Time Zone","Name","PTID","Load"'
    line = '"{:%m/%d/%Y %H:%M:%S}","EST","{}",1,{}'.format
    yield (
        "nyiso load",
        _described(
            "nyiso",
            "Csv",
            lambda: _nyiso_table(load, header, line),
            lambda: {name: {"Name": name} for name in read_figures(load)},
            lambda: read_figures(load),
            value="Load",
            **local,  # type: ignore[arg-type]  # texts, as the parameters are
        ),
    )
    fuels, of_fuel = "Time Stamp,Time Zone,Fuel Category,Gen MW", "{:%m/%d/%Y %H:%M:%S},EST,{},{}"
    yield (
        "nyiso fuel mix",
        _described(
            "nyiso",
            "Csv",
            lambda: _nyiso_table(mix, fuels, of_fuel.format),
            lambda: {name: {"Fuel Category": name} for name in read_figures(mix)},
            lambda: read_figures(mix),
            value="Gen MW",
            **local,  # type: ignore[arg-type]  # texts, as the parameters are
        ),
    )

    def wide() -> bytes:
        by_name = read_figures(ahead)
        lines = [",".join(["Time Stamp", *by_name])]
        for ts in by_name["NYISO"]:
            numbers = [f"{own[ts]}" for own in by_name.values()]
            lines.append(",".join([f"{_new_york(ts):%m/%d/%Y %H:%M}", *numbers]))
        return "\r\n".join(lines).encode()

    yield (
        "nyiso forecast",
        _described(
            "nyiso",
            "Csv",
            wide,
            lambda: _by_columns(read_figures(ahead)),
            lambda: read_figures(ahead),
            content_type="text/csv",
            timezone="America/New_York",
            ts="Time Stamp",
            time_format="%m/%d/%Y %H:%M",
        ),
    )


_PARKING = "muenster_parking/2025-03-30.csv"


def _parking_rows() -> list[dict[str, str]]:
    """The rows of the table; the first one has the sizes of the garages, and is left out."""
    text = recording(_PARKING).decode("utf-8-sig")
    return [*csv.DictReader(io.StringIO(text))][1:]


_PARKING_TIME = "Datum und Uhrzeit"


def _parking_values(rows: Iterable[Mapping[str, str]], *names: str) -> Values:
    own: Values = {name: {} for name in names}
    for row in rows:
        ts = utc_text(datetime.fromisoformat(row[_PARKING_TIME]).replace(tzinfo=_BERLIN))
        for name in names:
            if row[name].isdecimal():
                own[name][ts] = float(row[name])
    return own


def _parking_moment(number: int) -> RealAnswer:
    """One row of the table, in the form of the file that it was taken from."""

    def moment() -> dict[str, str]:
        return _parking_rows()[number]

    def garages() -> list[str]:
        return [name for name in moment() if name != _PARKING_TIME]

    def answer() -> bytes:
        stamp = datetime.fromisoformat(moment()[_PARKING_TIME])
        root = ET.Element("parkhaeuser")
        for name in garages():
            is_open = moment()[name].isdecimal()
            garage = ET.SubElement(root, "parkhaus")
            for tag, text in {
                "bezeichnung": name,
                "frei": moment()[name] if is_open else "0",
                "status": "frei" if is_open else "geschlossen",
                "zeitstempel": f"{stamp:%d.%m.%Y %H:%M}",
            }.items():
                ET.SubElement(garage, tag).text = text
        body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return body

    return _described(
        "muenster-parking",
        "Xml",
        answer,
        lambda: {name: {"bezeichnung": name} for name in garages()},
        lambda: _parking_values([moment()], *garages()),
        content_type="text/xml",
        timezone="Europe/Berlin",
        recordings=(_PARKING,),
        rows="/parkhaeuser/parkhaus",
        filter={"status": ["frei", "besetzt"]},
        ts="zeitstempel",
        time_format="%d.%m.%Y %H:%M",
        value="frei",
    )


def _table(
    name: str,
    recordings: tuple[str, ...],
    answer: Callable[[], bytes],
    expected: Callable[[], Values],
    *,
    timezone: str,
    **params: Any,
) -> RealAnswer:
    """A table of text with a column for each series, which the plugin for tables reads."""

    def read(server: LocalServer) -> Values:
        url = server.answer(f"/{name}.csv", Reply(body=answer(), content_type="text/csv"))
        own = {series: {"value_column": series} for series in expected()}
        plugin = group(CsvMultiSeriesPlugin, {"url": url, **params}, own)
        return values(fetch(plugin, "1900-01-01T00:00:00Z", zone=timezone))

    return RealAnswer("csv", read, expected, recordings)


def _table_answers() -> Iterable[tuple[str, RealAnswer]]:
    graph = "fred/fredgraph_ENRGY0DEM086NEST.csv"

    def prices() -> Values:
        lines = recording(graph).decode().splitlines()
        series = lines[0].split(",")[1]
        pairs = [line.split(",") for line in lines[1:]]
        return {series: {f"{day}T00:00:00Z": float(text) if text else None for day, text in pairs}}

    yield (
        "csv, a graph of FRED",
        _table("graph", (graph,), lambda: recording(graph), prices, timezone="UTC"),
    )

    def day() -> Values:
        """With "ges" (closed) and "kei" (no report) as no value."""
        names = [name for name in _parking_rows()[0] if name != _PARKING_TIME]
        own: Values = {name: {} for name in names}
        for row in _parking_rows():
            ts = utc_text(datetime.fromisoformat(row[_PARKING_TIME]).replace(tzinfo=_BERLIN))
            for name in names:
                own[name][ts] = float(row[name]) if row[name].isdecimal() else None
        return own

    def without_sizes() -> bytes:
        lines = recording(_PARKING).splitlines(keepends=True)
        return b"".join([lines[0], *lines[2:]])

    yield (
        "csv, a day of parking in Münster",
        _table(
            "parking",
            (_PARKING,),
            without_sizes,
            day,
            timezone="Europe/Berlin",
            missing=["ges", "kei", ""],
        ),
    )
    figures = "fingrid-consumption-2024-10-10"

    def export() -> bytes:
        lines = ["datasetId;startTime;endTime;value"]
        for ts, value in reversed(read_figures(figures)["124"].items()):
            end = datetime.fromisoformat(ts) + _QUARTER
            lines.append(f"124;{ts[:-1]}.000Z;{end:%Y-%m-%dT%H:%M:%S.000Z};{value}")
        return "\n".join(lines).encode()

    def consumption() -> Values:
        return {"value": read_figures(figures)["124"]}

    yield (
        "csv, an export of Fingrid",
        _table(
            "export", (), export, consumption, timezone="UTC", ts_column="startTime", delimiter=";"
        ),
    )


def described_answers() -> Iterable[tuple[str, RealAnswer]]:
    """All of them, each by a name that says what it is."""
    # both areas stand in one answer
    yield "energi-data-service DK1", _energinet_area("DK1")
    yield "energi-data-service DK2", replace(_energinet_area("DK2"), answers=0)
    yield "energi-data-service forecasts", _energinet_forecasts()
    yield "energi-data-service prices", _energinet_prices()
    yield "elia generation", _elia()
    for name, nature in {
        "eco2mix-real-time-2023-09-21": "Données temps réel",
        "eco2mix-consolidated-2024-01-01": "Données consolidées",
        "eco2mix-definitive-2023-01-01": "Données définitives",
    }.items():
        yield name.replace("-", " ", 1), _eco2mix(name, nature)
    yield "ecb, US dollars by months", _ecb("ecb-usd-2020-01-16", "%Y-%m")
    yield "ecb, months of 2010", _ecb("ecb-months-2010", "%Y-%m")
    yield "ecb, two days", _ecb("ecb-days-2013-01", "%Y-%m-%d")
    yield "world-bank GDP", _world_bank()
    yield "world-bank population", _world_bank_people()
    yield from _nyiso_answers()
    for number in range(0, 236, 12):
        yield f"muenster-parking, row {number}", _parking_moment(number)
    yield from _table_answers()
