"""Of answers of real providers a draft finds rows, time and value, as a person wrote them down."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.provider_replays import FOLDER, needs_answers

from dataportal.drafts.readings import read_answer
from dataportal.plugins.http import Answer
from dataportal.times import iso

if TYPE_CHECKING:
    from dataportal.drafts.readings import Interpretation

pytestmark = needs_answers

_IN_ALL = 0.8
"""So large a part must be right of answers that nobody has seen; of these all are."""


@dataclass(frozen=True)
class Expected:
    """Where a person finds rows, time and value in an answer.

    Attributes:
        file: with the answer.
        ts: the places of the time, or `interval` with its day and its number.
        values: the places of values; a draft may find more.
        rows: where the rows are, of JSON and XML.
        zone: of local times.
        part: how much of what is expected of the provider is in this file.
        later: how much later than the interval begins its label is, where no answer tells that.
        scale: what values are to be multiplied by, where no answer tells that.
        series: those expected of the provider that can be compared; all of them if not given.
    """

    file: str
    ts: Any
    values: tuple[str | int, ...]
    rows: str = ""
    zone: str = "UTC"
    part: float = 1.0
    later: timedelta = timedelta()
    scale: dict[str, float] = field(default_factory=dict)
    series: tuple[str, ...] = ()


EXPECTED = {
    "aemo": Expected(
        "PUBLIC_FORECAST_OPERATIONAL_DEMAND_HH_202504011800_20250401173353.zip",
        "INTERVAL_DATETIME",
        ("OPERATIONAL_DEMAND_POE50",),
        zone="Etc/GMT-10",
        part=0.9,
        later=timedelta(minutes=30),
    ),
    "aemo-sections": Expected(
        "PUBLIC_DISPATCHIS_202410060225_0000000430000000.zip",
        "SETTLEMENTDATE",
        ("RRP", "TOTALDEMAND"),
        zone="Etc/GMT-10",
        later=timedelta(minutes=5),
    ),
    "agsi": Expected(
        "de.json",
        "join('', [gasDayStart, 'T06:00'])",
        ("gasInStorage", "injection"),
        "data",
        zone="Europe/Berlin",
    ),
    "arcgis": Expected("q.json", "Datum", ("Wert",), "features[].attributes"),
    "bls": Expected(
        "series.json",
        ["period", "year"],
        ("value",),
        "Results.series[].data[]",
        zone="America/New_York",
    ),
    "cbs": Expected("obs.json", "Perioden", ("Value",), "value", zone="Europe/Amsterdam"),
    "chugoku": Expected(
        "202504_jyukyu2_chugoku.zip",
        {"day": "日付", "number": "時間コマ"},
        ("エリア総需要量",),
        zone="Asia/Tokyo",
    ),
    "ckan": Expected(
        "records.json",
        "DATETIME",
        ("EMBEDDED_SOLAR_FORECAST", "EMBEDDED_WIND_FORECAST"),
        "result.records",
    ),
    "destatis": Expected(
        "61111-0002.csv", ["time", "1_variable_attribute_code"], ("value",), zone="Europe/Berlin"
    ),
    "dwd": Expected("stundenwerte_TU_00433_akt.zip", "MESS_DATUM", ("TT_TU", "RF_TU")),
    "ecb-generic": Expected("exr.xml", None, (), zone="Europe/Berlin"),
    "ecb-json": Expected("exr.json", None, (), zone="Europe/Berlin"),
    "ecb-structure": Expected("exr.xml", None, (), zone="Europe/Berlin"),
    "eco2mix": Expected(
        "prices.xml",
        {"day": "date", "number": "@periode"},
        (".",),
        ".//valeur",
        zone="Europe/Paris",
    ),
    "epias": Expected("generation.json", "date", ("wind", "total"), "items"),
    "ercot": Expected(
        "1085273815.zip",
        ["DeliveryDate", "HourEnding"],
        ("North", "SystemTotal"),
        zone="America/Chicago",
    ),
    "eurostat": Expected("hicp.json", None, (), zone="Europe/Luxembourg"),
    "eurostat-tsv": Expected("hicp.tsv.gz", "header", ("number",), zone="Europe/Luxembourg"),
    "hubeau": Expected(
        "q.json", "date_obs", ("resultat_obs",), "data", scale={"hubeau-paris-flow": 0.001}
    ),
    "ieso": Expected(
        "goc.xml", {"day": "date", "number": "Hour"}, ("EnergyMW",), ".//Output", zone="Etc/GMT+5"
    ),
    "imf": Expected("cpi.json", None, ()),
    "imf-structure": Expected("pcps.xml", None, ()),
    "influxdb": Expected("flux.csv", "_time", ("_value",)),
    "isone": Expected(
        "20241103.csv", ["Date", "Hour Ending"], ("Total Load",), zone="America/New_York", part=0.5
    ),
    "isone-forecast": Expected(
        "wind.csv", ["header", "Hour Ending"], ("cell",), zone="America/New_York"
    ),
    "ncei": Expected(
        "isd.csv",
        "DATE",
        ("TMP_number", "SLP_number"),
        scale={"ncei-temperature": 0.1, "ncei-pressure": 0.1},
        series=("ncei-temperature", "ncei-pressure"),
    ),
    "nordpool": Expected("20240708.json", "deliveryStart", ("price",), "[].prices[]", part=0.5),
    "ntesmo": Expected("report.xlsx", "Period Start", ("C1", "C4", "C6"), zone="Australia/Darwin"),
    "omie": Expected(
        "INT_PBC_EV_H_1_30_10_2022_30_10_2022.TXT",
        {"day": "day", "number": "header"},
        ("cell",),
        zone="Europe/Madrid",
    ),
    "pjm": Expected("solar.json", "datetime_beginning_utc", ("solar_generation_mw",), "items"),
    "pse": Expected("rce.json", "dtime_utc", ("rce_pln",), "value"),
    "pse-spring": Expected("rce.json", "dtime_utc", ("rce_pln",), "value"),
    "scb": Expected("table.json", None, (), zone="Europe/Stockholm"),
    "smhi": Expected("data.csv", ["Datum", "Tid (UTC)"], ("Lufttemperatur",)),
    "socrata": Expected("rows.json", "week_end", ("weekly_rate",), zone="America/New_York"),
    "statcan": Expected(
        "vectors.json",
        "refPer",
        ("amount",),
        "[].object.vectorDataPoint[]",
        zone="America/Toronto",
    ),
    "statnett": Expected("flow.json", None, (), "PhysicalFlowNetExchange"),
    "terna": Expected("load.json", ["date", "date_offset"], ("total_load_MW",), "total_load"),
    "terna-spring": Expected(
        "load.json", ["date", "date_offset"], ("total_load_MW",), "total_load"
    ),
    "usgs": Expected("iv.rdb", "datetime", ("69512_00060", "69513_00065"), zone="America/New_York"),
    "usgs-spring": Expected("iv.rdb", "datetime", ("69512_00060",), zone="America/New_York"),
}


def _found(name: str) -> Interpretation:
    one = EXPECTED[name]
    body = (FOLDER / name / one.file).read_bytes()
    answer = Answer(200, f"https://data.example.com/{one.file}", {}, body)
    return read_answer(answer, zone=one.zone, most_series=300)


def _faults(name: str) -> list[str]:
    """What is wrong with the draft of an answer; nothing for a right one."""
    one = EXPECTED[name]
    found = _found(name)
    faults = []
    params = found.params
    if params.get("rows", "") != one.rows:
        faults.append(f"rows: {params.get('rows')!r}")
    if isinstance(one.ts, dict):
        interval = params.get("interval", {})
        faults += [f"interval.{k}" for k, v in one.ts.items() if interval.get(k) != v]
    elif params.get("ts") != one.ts:
        faults.append(f"ts: {params.get('ts')!r}")
    places = {own.get("value", params.get("value", "cell")) for own, _ in found.series}
    if not {*one.values} <= places:
        faults.append(f"values: {places}")
    if isinstance(found.batch, str) or found.batch.rejected:
        return [*faults, f"cannot be read: {found.batch}"]
    expected = json.loads((FOLDER / name / "expected.json").read_text())["series"]
    drafted = [
        {
            iso(ts - one.later): value
            for ts, value in zip(series.ts, series.values, strict=True)
            if value is not None
        }
        for series in found.batch.series.values()
    ]
    for series in one.series or expected:
        scale = one.scale.get(series, 1.0)
        values = {_instant(ts): value for ts, value in expected[series].items()}
        shares = [
            sum(
                ts in own and own[ts] * scale == pytest.approx(value, rel=1e-9)
                for ts, value in values.items()
            )
            / len(values)
            for own in drafted
        ]
        if max(shares, default=0.0) < one.part - 0.03:
            faults.append(f"{series}: {max(shares, default=0.0):.0%} of its points")
    return faults


def _instant(text: str) -> str:
    return iso(datetime.fromisoformat(text).astimezone(UTC))


@pytest.mark.parametrize("name", EXPECTED)
def test_rows_time_and_value_of_a_real_answer_are_found(name: str) -> None:
    """They stand where a person finds them, and the values are those expected of the provider."""
    assert _faults(name) == []


def test_most_of_all_answers_are_right() -> None:
    """A part of them that is promised for answers that nobody has seen."""
    wrong = {name: faults for name in EXPECTED if (faults := _faults(name))}
    assert len(wrong) <= (1 - _IN_ALL) * len(EXPECTED), wrong


def test_every_folder_of_answers_is_looked_at() -> None:
    """None is left out."""
    assert {*EXPECTED} == {folder.name for folder in FOLDER.iterdir() if folder.is_dir()}
