"""Answers in the forms of public APIs, written for the tests of drafts: small, with their points.

Each is short, and says what a person reads in it: some points of some series.
"""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOUR = timedelta(hours=1)
_GERMAN = str.maketrans(",.", ".,")
_FIRST = datetime(2024, 6, 3, tzinfo=UTC)


@dataclass(frozen=True)
class PublicAnswer:
    """An answer, and what stands in it.

    Attributes:
        body: the answer.
        series: points that a drafted series must have, by time in UTC.
        zone: of local times; empty where the answer needs none, or names it.
        count: how many series a draft names; 0 for any number.
        name: of the file.
    """

    body: bytes
    series: Sequence[Mapping[str, float]]
    zone: str = ""
    count: int = 0
    name: str = "answer"


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def _zip(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def _workbook(**sheets: Sequence[Sequence[Any]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    assert book.active is not None
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _parquet(**columns: Sequence[Any]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def _times(count: int, step: timedelta = HOUR, first: datetime = _FIRST) -> list[datetime]:
    return [first + number * step for number in range(count)]


def _values(count: int, start: float = 100.5, step: float = 1.25) -> list[float]:
    return [start + number * step * (1 if number % 3 else -2) for number in range(count)]


def _z(ts: datetime) -> str:
    return ts.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _points(times: Sequence[datetime], values: Sequence[float | None]) -> dict[str, float]:
    return {_z(ts): v for ts, v in zip(times, values, strict=True) if v is not None}


def _lines(*lines: str, end: str = "\n", encoding: str = "utf-8") -> bytes:
    return (end.join(lines) + end).encode(encoding)


def public_answers() -> dict[str, PublicAnswer]:  # noqa: PLR0915 - an answer after the other
    """All of them, by the provider whose form they have."""
    t, v, w = _times(24), _values(24), _values(24, 7.5, 0.5)
    days, dv = _times(10, timedelta(days=1)), _values(10)
    a: dict[str, PublicAnswer] = {}

    a["caiso"] = PublicAnswer(
        _zip(
            PRC_LMP__csv=_lines(
                "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,OPR_INTERVAL,NODE_ID,"
                "MARKET_RUN_ID,LMP_TYPE,XML_DATA_ITEM,GRP_TYPE,POS,MW,GROUP",
                *(
                    f"{ts:%Y-%m-%dT%H:%M:%S}-00:00,{ts + HOUR:%Y-%m-%dT%H:%M:%S}-00:00,2024-06-03,"
                    f"{n + 1},0,TH_NP15,DAM,{kind},{kind}_PRC,ALL,{n},{x},{n // 3}"
                    for kind, own in (("LMP", v), ("MCC", w))
                    for n, (ts, x) in reversed([*enumerate(zip(t, own, strict=True))])
                ),
            )
        ),
        [_points(t, v), _points(t, w)],
        count=2,
    )
    a["miso-fuel"] = PublicAnswer(
        _json(
            {
                "RefId": "10-Mar-2025 - Interval 01:00 EST",
                "TotalMW": "71,234",
                "Fuel": {
                    "Type": [
                        {"INTERVALEST": "2025-03-10 1:00:00 AM", "CATEGORY": c, "ACT": x}
                        for c, x in (("Coal", "20,541"), ("Gas", "31,002"), ("Wind", "951"))
                    ]
                },
            }
        ),
        [{"2025-03-10T06:00:00Z": 20541}, {"2025-03-10T06:00:00Z": 951}],
        "Etc/GMT+5",
        3,
    )
    a["miso-wind"] = PublicAnswer(
        _json(
            {
                "MktDay": "03-10-2025",
                "RefId": "10-Mar-2025 - Interval 11:05 EST",
                "Forecast": [
                    {
                        "DateTimeEST": f"2025-03-10 {n % 12 or 12}:00:00 {'AP'[n > 11]}M",
                        "HourEndingEST": str(n + 1),
                        "Value": f"{1234.5 + n * 200:,.2f}",
                    }
                    for n in range(24)
                ],
            }
        ),
        [{"2025-03-10T05:00:00Z": 1234.5, "2025-03-10T18:00:00Z": 3834.5}],
        "Etc/GMT+5",
        1,
    )
    a["openelectricity"] = PublicAnswer(
        _json(
            {
                "version": "4.0",
                "data": [
                    {
                        "metric": "power",
                        "unit": "MW",
                        "interval": "1h",
                        "results": [
                            {
                                "name": f"power_{fuel}",
                                "columns": {"fueltech": fuel},
                                "data": [
                                    [(ts + 10 * HOUR).strftime("%Y-%m-%dT%H:%M:%S+10:00"), x]
                                    for ts, x in zip(t, own, strict=True)
                                ],
                            }
                            for fuel, own in (("coal", v), ("wind", w))
                        ],
                    }
                ],
            }
        ),
        [_points(t, v), _points(t, w)],
        count=2,
    )
    a["esios"] = PublicAnswer(
        _json(
            {
                "indicator": {
                    "name": "Precio",
                    "id": 600,
                    "values_updated_at": "2024-06-02T13:45:00.000+02:00",
                    "values": [
                        {
                            "value": x,
                            "datetime": (ts + 2 * HOUR).strftime("%Y-%m-%dT%H:%M:%S.000+02:00"),
                            "datetime_utc": _z(ts),
                            "tz_time": (ts).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                            "geo_id": geo,
                            "geo_name": name,
                        }
                        for ts, x, y in zip(t, v, w, strict=True)
                        for geo, name, x in ((3, "España", x), (1, "Portugal", y))
                    ],
                }
            }
        ),
        [_points(t, v), _points(t, w)],
        count=2,
    )
    a["jao"] = PublicAnswer(
        _json(
            {
                "data": [
                    {
                        "id": 4711 + n,
                        "dateTimeUtc": _z(ts),
                        "border_AT_CZ": x,
                        "border_CZ_AT": y if n % 5 else None,
                    }
                    for n, (ts, x, y) in enumerate(zip(t, v, w, strict=True))
                ],
                "rejected": False,
                "messages": [],
            }
        ),
        [_points(t, v)],
        count=2,
    )
    a["entsog"] = PublicAnswer(
        _json(
            {
                "meta": {"limit": -1, "offset": 0, "count": 20, "total": 20},
                "operationaldatas": [
                    {
                        "id": f"a{n}{point}",
                        "periodFrom": ts.strftime("%Y-%m-%dT06:00:00+02:00"),
                        "periodTo": (ts + timedelta(days=1)).strftime("%Y-%m-%dT06:00:00+02:00"),
                        "pointKey": point,
                        "pointLabel": f"Point {point}",
                        "directionKey": "entry",
                        "unit": "kWh/d",
                        "value": x,
                        "flowStatus": "Confirmed",
                        "lastUpdateDateTime": ts.strftime("%Y-%m-%dT18:00:00+02:00"),
                    }
                    for n, (ts, x) in enumerate(zip(days, dv, strict=True))
                    for point, x in (("ITP-1", x), ("ITP-2", x + 50))
                ],
            }
        ),
        [{_z(ts + 4 * HOUR): x for ts, x in zip(days, dv, strict=True)}],
        count=2,
    )
    a["tepco"] = PublicAnswer(
        _lines(
            "2024/6/3 23:55 UPDATE",
            "ピーク時供給力(万kW),時間帯,供給力情報更新日,供給力情報更新時刻",
            "5277,18:00~19:00,6/3,0:30",
            "",
            "DATE,TIME,当日実績(万kW),予測値(万kW)",
            *(f"2024/6/3,{n}:00,{2500 + n * 10},{2490 + n * 10}" for n in range(24)),
            encoding="cp932",
            end="\r\n",
        ),
        [{"2024-06-02T15:00:00Z": 2500, "2024-06-03T14:00:00Z": 2730}],
        "Asia/Tokyo",
        2,
    )
    a["knmi"] = PublicAnswer(
        _lines(
            "# BRON: KONINKLIJK NEDERLANDS METEOROLOGISCH INSTITUUT (KNMI)",
            "# Opmerking: door stationsverplaatsingen",
            "# T   : Temperatuur (in 0.1 graden Celsius) op 1.50 m hoogte",
            "# RH  : Uursom van de neerslag (in 0.1 mm)",
            "# STN,YYYYMMDD,   HH,    T,   RH",
            *(f"  260,20240603,{n:5},{120 + n:5},{n % 4:5}" for n in range(1, 25)),
        ),
        [{"2024-06-03T00:00:00Z": 121, "2024-06-03T23:00:00Z": 144}],
        "UTC",
        2,
    )
    a["meteoswiss"] = PublicAnswer(
        _lines(
            "station_abbr;reference_timestamp;tre200s0;ure200s0",
            *(
                f"BER;{ts:%d.%m.%Y %H:%M};{x};{y if n else ''}"
                for n, (ts, x, y) in enumerate(
                    zip(
                        _times(30, timedelta(minutes=10)), _values(30), _values(30, 50), strict=True
                    )
                )
            ),
        ),
        [_points(_times(30, timedelta(minutes=10)), _values(30))],
        "UTC",
        2,
    )
    a["environment-agency"] = PublicAnswer(
        _json(
            {
                "@context": "http://environment.data.gov.uk/flood-monitoring/meta/context.jsonld",
                "meta": {"publisher": "Environment Agency", "limit": 500},
                "items": [
                    {
                        "@id": f"http://environment.data.gov.uk/flood-monitoring/data/readings/{n}",
                        "dateTime": _z(ts),
                        "measure": "http://environment.data.gov.uk/flood-monitoring/id/measures/1",
                        "value": x,
                    }
                    for n, (ts, x) in enumerate(zip(t, v, strict=True))
                ],
            }
        ),
        [_points(t, v)],
        count=1,
    )
    a["pegelonline"] = PublicAnswer(
        _json(
            [
                {"timestamp": (ts + 2 * HOUR).strftime("%Y-%m-%dT%H:%M:%S+02:00"), "value": x}
                for ts, x in zip(t, v, strict=True)
            ]
        ),
        [_points(t, v)],
        count=1,
    )
    a["openaq"] = PublicAnswer(
        _json(
            {
                "meta": {"name": "openaq-api", "page": 1, "limit": 1000, "found": ">1000"},
                "results": [
                    {
                        "value": x,
                        "flagInfo": {"hasFlags": False},
                        "parameter": {"id": 2, "name": "pm25", "units": "µg/m³"},
                        "period": {
                            "label": "1hour",
                            "interval": "01:00:00",
                            "datetimeFrom": {
                                "utc": _z(ts),
                                "local": (ts + 2 * HOUR).strftime("%Y-%m-%dT%H:%M:%S+02:00"),
                            },
                            "datetimeTo": {
                                "utc": _z(ts + HOUR),
                                "local": (ts + 3 * HOUR).strftime("%Y-%m-%dT%H:%M:%S+02:00"),
                            },
                        },
                        "coverage": {"expectedCount": 1, "percentComplete": 100.0},
                    }
                    for ts, x in zip(t, v, strict=True)
                ],
            }
        ),
        [_points(t, v)],
        count=1,
    )
    a["uba"] = PublicAnswer(
        _json(
            {
                "request": {"component": "5", "station": "143"},
                "indices": {"data": {"station id": {"date start": ["component id", "scope id"]}}},
                "data": {
                    "143": {
                        ts.strftime("%Y-%m-%d %H:%M:%S"): [
                            5,
                            2,
                            x,
                            (ts + HOUR).strftime("%Y-%m-%d %H:%M:%S"),
                            str(n % 3),
                        ]
                        for n, (ts, x) in enumerate(zip(t, v, strict=True))
                    }
                },
            }
        ),
        [{_z(ts - HOUR): x for ts, x in zip(t, v, strict=True)}],
        "Etc/GMT-1",
    )
    a["prometheus"] = PublicAnswer(
        _json(
            {
                "status": "success",
                "data": {
                    "resultType": "matrix",
                    "result": [
                        {
                            "metric": {"__name__": "node_load1", "instance": name, "job": "node"},
                            "values": [
                                [int(ts.timestamp()), str(x)] for ts, x in zip(t, own, strict=True)
                            ],
                        }
                        for name, own in (("web", v), ("db", w))
                    ],
                },
            }
        ),
        [_points(t, v), _points(t, w)],
        count=2,
    )
    a["influxdb-1"] = PublicAnswer(
        _json(
            {
                "results": [
                    {
                        "statement_id": 0,
                        "series": [
                            {
                                "name": "room",
                                "tags": {"room": room},
                                "columns": ["time", "mean"],
                                "values": [
                                    [int(ts.timestamp() * 1000), x]
                                    for ts, x in zip(t, own, strict=True)
                                ],
                            }
                            for room, own in (("kitchen", v), ("bath", w))
                        ],
                    }
                ]
            }
        ),
        [_points(t, v), _points(t, w)],
        count=2,
    )
    a["owid"] = PublicAnswer(
        _lines(
            'Entity,Code,Year,"Annual CO₂ emissions (per capita), tonnes"',
            *(
                f"{entity},{code},{year},{8.5 + year % 7 + extra}"
                for entity, code, extra in (("Germany", "DEU", 0), ("World", "OWID_WRL", 4))
                for year in range(2010, 2023)
            ),
        ),
        [{"2010-01-01T00:00:00Z": 9.5, "2022-01-01T00:00:00Z": 14.5}],
        "UTC",
        2,
    )
    a["rki"] = PublicAnswer(
        _lines(
            "Saison\tKalenderwoche\tAltersgruppe\tInzidenz",
            *(
                f"2024/25\t2024-W{week}\t{group}\t{week * 10 + extra if week != 43 else 'NA'}"
                for week in range(40, 47)
                for group, extra in (("00+", 1), ("60+", 2))
            ),
        ),
        [{"2024-09-30T00:00:00Z": 401, "2024-10-28T00:00:00Z": 441}],
        "UTC",
        2,
    )
    a["coinbase"] = PublicAnswer(
        _json(
            [
                [int(ts.timestamp()), x - 2, x + 3, x, x + 1, 12.5 + n]
                for n, (ts, x) in reversed([*enumerate(zip(t, v, strict=True))])
            ]
        ),
        [_points(t, v), _points(t, [x + 3 for x in v])],
        count=5,
    )
    a["binance"] = PublicAnswer(
        _json(
            [
                [
                    int(ts.timestamp() * 1000),
                    f"{x:.8f}",
                    f"{x + 3:.8f}",
                    f"{x - 3:.8f}",
                    f"{x + 1:.8f}",
                    "12.50000000",
                    int(ts.timestamp() * 1000) + 3_599_999,
                    "51.1",
                    308 + n * 7 % 13,
                    "1.5",
                    "2.5",
                    "0",
                ]
                for n, (ts, x) in enumerate(zip(t, v, strict=True))
            ]
        ),
        [_points(t, v)],
    )
    a["frankfurter"] = PublicAnswer(
        _json(
            {
                "amount": 1.0,
                "base": "EUR",
                "start_date": "2024-06-03",
                "end_date": "2024-06-12",
                "rates": {
                    f"{ts:%Y-%m-%d}": {"USD": x, "JPY": x + 60}
                    for ts, x in zip(days, dv, strict=True)
                },
            }
        ),
        [_points(days, dv), _points(days, [x + 60 for x in dv])],
        "UTC",
        2,
    )
    a["met-office"] = PublicAnswer(
        _json(
            {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "geometry": {"type": "Point", "coordinates": [-3.5, 50.7, 20.0]},
                        "properties": {
                            "location": {"name": "Exeter"},
                            "modelRunDate": "2024-06-03T00:00Z",
                            "timeSeries": [
                                {
                                    "time": ts.strftime("%Y-%m-%dT%H:%MZ"),
                                    "screenTemperature": x,
                                    "windSpeed10m": y,
                                    "uvIndex": 1,
                                }
                                for ts, x, y in zip(t, v, w, strict=True)
                            ],
                        },
                    }
                ],
            }
        ),
        [_points(t, v), _points(t, w)],
    )
    a["sensor-community"] = PublicAnswer(
        _json(
            [
                {
                    "id": 21000 + n,
                    "timestamp": ts.strftime("%Y-%m-%d %H:%M:%S"),
                    "sensor": {"id": 71, "pin": "1"},
                    "location": {"latitude": "48.8", "longitude": "9.2", "country": "DE"},
                    "sensordatavalues": [
                        {"id": 90000 + 2 * n, "value_type": "P1", "value": f"{x:.2f}"},
                        {"id": 90001 + 2 * n, "value_type": "P2", "value": f"{y:.2f}"},
                    ],
                }
                for n, (ts, x, y) in enumerate(
                    zip(_times(3, timedelta(minutes=2)), (5.25, 5.5, 6), (3, 3.5, 2), strict=True)
                )
            ]
        ),
        [_points(_times(3, timedelta(minutes=2)), (5.25, 5.5, 6))],
        "UTC",
        2,
    )
    a["snb"] = PublicAnswer(
        _lines(
            '"CubeId";"rendoblid"',
            '"PublishingDate";"2024-06-13 14:30"',
            "",
            '"Date";"D0";"Value"',
            *(
                f'"{ts:%Y-%m-%d}";"{code}";"{x if n else ""}"'
                for n, (ts, x) in enumerate(zip(days, dv, strict=True))
                for code, x in (("10J", x), ("2J", x + 1))
            ),
        ),
        [_points(days[1:], dv[1:]), _points(days[1:], [x + 1 for x in dv[1:]])],
        "UTC",
        2,
    )
    a["bundesbank"] = PublicAnswer(
        _lines(
            '"";BBEX3.D.USD.EUR.BB.AC.000;BBEX3.D.USD.EUR.BB.AC.000_FLAGS',
            '"";Euro-Referenzkurs der EZB / 1 EUR = ... USD / Vereinigte Staaten;',
            "Einheit;USD;",
            "Dimension;1;",
            "Stand vom;28.10.2024 16:03:12 Uhr;",
            *(
                f"{ts:%Y-%m-%d};{'.' if n == 4 else f'{1.07 + n / 1000:.4f}'.replace('.', ',')};"
                f"{'Kein Wert vorhanden' if n == 4 else ''}"
                for n, ts in enumerate(days)
            ),
        ),
        [{"2024-06-03T00:00:00Z": 1.07, "2024-06-12T00:00:00Z": 1.079}],
        "UTC",
        1,
    )
    a["statcan-zip"] = PublicAnswer(
        _zip(
            **{
                "18100004__csv": (
                    '\ufeff"REF_DATE","GEO","DGUID","Products","UOM","UOM_ID","SCALAR_FACTOR",'
                    '"SCALAR_ID","VECTOR","COORDINATE","VALUE","STATUS","SYMBOL","TERMINATED",'
                    '"DECIMALS"\n'
                    + "".join(
                        f'"2024-{m:02}","Canada","2016A","{product}","2002=100","17","units","0",'
                        f'"v{n}","2.{n}","{x}","","","","1"\n'
                        for m in range(1, 8)
                        for n, product, x in ((2, "All-items", 158 + m), (3, "Food", 190 + m / 2))
                    )
                ).encode(),
                "18100004_MetaData__csv": _lines(
                    '"Cube Title","Product Id","CANSIM Id","Start Date"',
                    '"Consumer Price Index","18100004","326","1914-01-01"',
                ),
            }
        ),
        [{"2024-01-01T00:00:00Z": 159, "2024-07-01T00:00:00Z": 165}],
        "UTC",
        2,
    )
    a["cbs-odata3"] = PublicAnswer(
        _json(
            {
                "odata.metadata": "https://opendata.cbs.nl/ODataApi/OData/83131NED/$metadata",
                "value": [
                    {
                        "ID": n,
                        "Bestedingscategorieen": "T001112  ",
                        "Perioden": f"2024MM{n + 1:02}",
                        "CPI_1": 128.5 + n,
                        "CPIAfgeleid_2": None if n == 3 else 120.25 + n,
                    }
                    for n in range(9)
                ],
            }
        ),
        [{"2024-01-01T00:00:00Z": 128.5, "2024-09-01T00:00:00Z": 136.5}],
        "UTC",
        2,
    )
    a["noaa-daily"] = PublicAnswer(
        _json(
            [
                {
                    "DATE": f"{ts:%Y-%m-%d}",
                    "STATION": "USW00094728",
                    "TMAX": f"{200 + n:5}",
                    **({"PRCP": f"{n * 3:5}"} if n % 2 else {}),
                }
                for n, ts in enumerate(days)
            ]
        ),
        [{"2024-06-03T00:00:00Z": 200, "2024-06-12T00:00:00Z": 209}],
        "UTC",
        2,
    )
    a["usgs-json"] = PublicAnswer(
        _json(
            {
                "name": "ns1:timeSeriesResponseType",
                "value": {
                    "queryInfo": {"queryURL": "http://waterservices.usgs.gov/nwis/iv/"},
                    "timeSeries": [
                        {
                            "sourceInfo": {"siteName": f"River {site}"},
                            "variable": {
                                "variableName": "Streamflow, ft&#179;/s",
                                "unit": {"unitCode": "ft3/s"},
                                "noDataValue": -999999.0,
                            },
                            "values": [
                                {
                                    "value": [
                                        {
                                            "value": "-999999" if n == 5 else str(x),
                                            "qualifiers": ["P"],
                                            "dateTime": (ts - 4 * HOUR).strftime(
                                                "%Y-%m-%dT%H:%M:%S.000-04:00"
                                            ),
                                        }
                                        for n, (ts, x) in enumerate(zip(t, own, strict=True))
                                    ],
                                    "method": [{"methodID": 69512}],
                                }
                            ],
                            "name": f"USGS:{site}:00060:00000",
                        }
                        for site, own in (("01491000", v), ("01645000", w))
                    ],
                },
            }
        ),
        [
            _points(t, [None if n == 5 else x for n, x in enumerate(v)]),
            _points(t, [None if n == 5 else x for n, x in enumerate(w)]),
        ],
        count=2,
    )
    a["smhi-json"] = PublicAnswer(
        _json(
            {
                "value": [
                    {"date": int(ts.timestamp() * 1000), "value": str(x), "quality": "G"}
                    for ts, x in zip(t, v, strict=True)
                ],
                "updated": 1717459200000,
                "parameter": {"key": "1", "name": "Lufttemperatur", "unit": "celsius"},
                "station": {"key": "188790", "name": "Abisko", "height": 392.3},
                "period": {"key": "latest-day", "from": 1717372801000, "to": 1717459200000},
                "position": [{"from": 1717372801000, "latitude": 68.3538, "longitude": 18.8164}],
            }
        ),
        [_points(t, v)],
        count=1,
    )
    a["omie-marginal"] = PublicAnswer(
        _lines(
            "MARGINALPDBC;",
            *(f"2024;06;03;{n};{60 + n}.5;{61 + n}.25;" for n in range(1, 25)),
            "*",
        ),
        [{"2024-06-02T22:00:00Z": 61.5, "2024-06-03T21:00:00Z": 84.5}],
        "Europe/Madrid",
        2,
    )
    a["elexon"] = PublicAnswer(
        _json(
            {
                "metadata": {"datasets": ["FUELHH"]},
                "data": [
                    {
                        "dataset": "FUELHH",
                        "publishTime": (ts + HOUR / 2).strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "startTime": _z(ts),
                        "settlementDate": f"{ts:%Y-%m-%d}",
                        "settlementPeriod": n + 3,
                        "fuelType": fuel,
                        "generation": int(x * 10),
                    }
                    for n, (ts, x) in enumerate(zip(_times(20, HOUR / 2), _values(20), strict=True))
                    for fuel, x in (("WIND", x), ("CCGT", x + 500))
                ],
            }
        ),
        [_points(_times(20, HOUR / 2), [int(x * 10) for x in _values(20)])],
        count=2,
    )
    a["open-meteo"] = PublicAnswer(
        _json(
            {
                "latitude": 52.52,
                "longitude": 13.41,
                "utc_offset_seconds": 7200,
                "timezone": "Europe/Berlin",
                "hourly_units": {"time": "iso8601", "temperature_2m": "°C", "rain": "mm"},
                "hourly": {
                    "time": [(ts + 2 * HOUR).strftime("%Y-%m-%dT%H:%M") for ts in t],
                    "temperature_2m": v,
                    "rain": w,
                },
            }
        ),
        [_points(t, v), _points(t, w)],
        "Europe/Berlin",
        2,
    )
    a["energy-charts"] = PublicAnswer(
        _json(
            {
                "unix_seconds": [int(ts.timestamp()) for ts in t],
                "production_types": [
                    {"name": "Solar", "data": v},
                    {"name": "Wind onshore", "data": [None, *w[1:]]},
                ],
                "deprecated": False,
            }
        ),
        [_points(t, v), _points(t[1:], w[1:])],
        count=2,
    )
    a["sdmx-csv"] = PublicAnswer(
        _lines(
            "DATAFLOW,LAST UPDATE,freq,unit,coicop,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG,CONF_STATUS",
            *(
                f"ESTAT:PRC_HICP_MIDX(1.0),29/11/24 11:00:00,M,I15,CP00,{geo},2024-{m:02},"
                f"{120 + m + extra},{'p' if m == 7 else ''},"
                for geo, extra in (("DE", 0.5), ("FR", 1.5))
                for m in range(1, 8)
            ),
        ),
        [{"2024-01-01T00:00:00Z": 121.5, "2024-07-01T00:00:00Z": 127.5}],
        "UTC",
        2,
    )
    a["ecb-csv"] = PublicAnswer(
        _lines(
            "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,OBS_STATUS,"
            "OBS_CONF,COLLECTION,DECIMALS,TITLE,UNIT,UNIT_MULT",
            *(
                f"EXR.D.{c}.EUR.SP00.A,D,{c},EUR,SP00,A,{ts:%Y-%m-%d},{x},A,F,A,4,{c}/Euro,{c},0"
                for c, extra in (("USD", 0), ("CHF", 3))
                for ts, x in zip(days, [y + extra for y in dv], strict=True)
            ),
        ),
        [_points(days, dv), _points(days, [x + 3 for x in dv])],
        "UTC",
        2,
    )
    a["world-bank"] = PublicAnswer(
        _json(
            [
                {"page": 1, "pages": 1, "per_page": 50, "total": 16, "sourceid": "2"},
                [
                    {
                        "indicator": {"id": "NY.GDP.MKTP.CD", "value": "GDP (current US$)"},
                        "country": {"id": code[:2], "value": name},
                        "countryiso3code": code,
                        "date": str(year),
                        "value": None if year == 2023 else 1.5e12 + year * 1e9 + extra,
                        "unit": "",
                        "obs_status": "",
                        "decimal": 0,
                    }
                    for name, code, extra in (("Germany", "DEU", 0), ("France", "FRA", 5e11))
                    for year in range(2023, 2015, -1)
                ],
            ]
        ),
        [{"2022-01-01T00:00:00Z": 1.5e12 + 2022e9, "2016-01-01T00:00:00Z": 1.5e12 + 2016e9}],
        "UTC",
        2,
    )
    a["world-bank-csv"] = PublicAnswer(
        _lines(
            '"Data Source","World Development Indicators",',
            "",
            '"Last Updated Date","2024-06-28",',
            "",
            '"Country Name","Country Code","Indicator Name","Indicator Code","2018","2019","2020",'
            '"2021","2022",',
            '"Aruba","ABW","Population","SP.POP.TOTL","105962","106442","106585","106537","",',
            '"Albania","ALB","Population","SP.POP.TOTL","2866","2854","2837","2811","2777",',
        ),
        [{"2018-01-01T00:00:00Z": 2866, "2022-01-01T00:00:00Z": 2777}],
        "UTC",
        2,
    )
    a["fred-csv"] = PublicAnswer(
        _lines(
            "observation_date,GDPC1",
            *(f"{y}-{m:02}-01,{20000 + y + m / 4}" for y in (2022, 2023) for m in (1, 4, 7, 10)),
        ),
        [{"2022-01-01T00:00:00Z": 22022.25, "2023-10-01T00:00:00Z": 22025.5}],
        "UTC",
        1,
    )
    a["nyiso"] = PublicAnswer(
        _lines(
            '"Time Stamp","Time Zone","Name","PTID","Integrated Load"',
            *(
                f'"{ts - 4 * HOUR:%m/%d/%Y %H:%M:%S}","EDT","{zone}",{ptid},{x + extra}'
                for ts, x in zip(t, v, strict=True)
                for zone, ptid, extra in (("CAPITL", 61757, 0), ("N.Y.C.", 61761, 900))
            ),
        ),
        [_points(t, v), _points(t, [x + 900 for x in v])],
        "America/New_York",
        2,
    )
    a["ons"] = PublicAnswer(
        _json(
            {
                "months": [
                    {
                        "date": f"2024 {name}",
                        "value": str(130 + n),
                        "label": f"2024 {name}",
                        "year": "2024",
                        "month": name.capitalize(),
                        "quarter": "",
                        "sourceDataset": "MM23",
                        "updateDate": "2024-10-15T23:00:00.000Z",
                    }
                    for n, name in enumerate(("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL"))
                ],
                "description": {"title": "CPIH INDEX 00", "cdid": "L522", "unit": "Index"},
            }
        ),
        [{"2024-01-01T00:00:00Z": 130, "2024-07-01T00:00:00Z": 136}],
        "UTC",
        1,
    )
    a["bank-of-england"] = PublicAnswer(
        _lines(
            "DATE,IUDBEDR,XUDLUSS",
            *(f"{ts:%d %b %Y},5.25,{1.26 + n / 100:.4f}" for n, ts in enumerate(days)),
        ),
        [{"2024-06-03T00:00:00Z": 1.26, "2024-06-12T00:00:00Z": 1.35}],
        "UTC",
        2,
    )
    a["gistemp"] = PublicAnswer(
        _lines(
            "Land-Ocean: Global Means",
            "Year,Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec,J-D,D-N,DJF,MAM,JJA,SON",
            *(
                f"{year},"
                + ",".join(
                    "***" if year == 2024 and m > 6 else f"{(year - 2010) / 10 + m / 100:.2f}"
                    for m in range(12)
                )
                + ",.5,.5,.5,.5,.5,.5"
                for year in range(2015, 2025)
            ),
        ),
        [{"2015-01-01T00:00:00Z": 0.5, "2024-06-01T00:00:00Z": 1.45}],
        "UTC",
    )
    a["silso"] = PublicAnswer(
        _lines(
            *(
                f"{y};{m:02};{y + (m - 0.5) / 12:.3f}; {90 + m:5}.7;  {-1.0};   {-1};1"
                for y in (1749, 1750)
                for m in range(1, 13)
            )
        ),
        [{"1749-01-01T00:00:00Z": 91.7, "1750-12-01T00:00:00Z": 102.7}],
        "UTC",
    )
    a["quotes"] = PublicAnswer(
        _lines(
            "Date,Open,High,Low,Close,Adj Close,Volume",
            *(
                f"{ts:%Y-%m-%d},{x},{x + 2},{x - 2},{x + 1},{x + 1},{1000000 + n * 317}"
                for n, (ts, x) in enumerate(zip(days, dv, strict=True))
            ),
        ),
        [_points(days, dv), _points(days, [x + 1 for x in dv])],
        "UTC",
        6,
    )
    a["energinet"] = PublicAnswer(
        _json(
            {
                "total": 48,
                "limit": 100,
                "dataset": "Elspotprices",
                "records": [
                    {
                        "HourUTC": f"{ts:%Y-%m-%dT%H:%M:%S}",
                        "HourDK": f"{ts + 2 * HOUR:%Y-%m-%dT%H:%M:%S}",
                        "PriceArea": area,
                        "SpotPriceDKK": x * 7.46,
                        "SpotPriceEUR": x,
                    }
                    for ts, x in reversed([*zip(t, v, strict=True)])
                    for area, x in (("DK1", x), ("DK2", x + 5))
                ],
            }
        ),
        [_points(t, v), _points(t, [x + 5 for x in v])],
        "UTC",
        4,
    )
    a["hours-as-columns"] = PublicAnswer(
        _lines(
            "Date,Zone," + ",".join(f"HE{n}" for n in range(1, 25)),
            *(
                f"06/{day:02}/2024,{zone},"
                + ",".join(str(100 * day + n + extra) for n in range(24))
                for day in (13, 14)
                for zone, extra in (("N", 0), ("S", 5000))
            ),
        ),
        [{"2024-06-13T05:00:00Z": 1300, "2024-06-15T04:00:00Z": 1423}],
        "America/Chicago",
        2,
    )
    a["ercot-api"] = PublicAnswer(
        _json(
            {
                "_meta": {"totalRecords": 48, "pageSize": 1000, "totalPages": 1, "currentPage": 1},
                "report": {"reportName": "Actual System Load"},
                "fields": [
                    {"name": "operatingDay", "dataType": "DATE"},
                    {"name": "hourEnding", "dataType": "VARCHAR"},
                    {"name": "coast", "dataType": "DOUBLE"},
                    {"name": "total", "dataType": "DOUBLE"},
                    {"name": "DSTFlag", "dataType": "BOOLEAN"},
                ],
                "data": [
                    [f"2024-06-{day:02}", f"{n:02}:00", 9000.5 + n, 50000.25 + n, False]
                    for day in (3, 4)
                    for n in range(1, 25)
                ],
            }
        ),
        [{"2024-06-03T05:00:00Z": 9001.5, "2024-06-05T04:00:00Z": 9024.5}],
        "America/Chicago",
        2,
    )
    a["ieso-csv"] = PublicAnswer(
        _lines(
            "\\\\Hourly Demand Report,,,",
            "\\\\Created at 2024-06-04 07:31:26,,,",
            "\\\\For 2024,,,",
            "Date,Hour,Market Demand,Ontario Demand",
            *(f"2024-06-03,{n},{15000 + n * 10},{13000 + n * 11}" for n in range(1, 25)),
        ),
        [{"2024-06-03T05:00:00Z": 15010, "2024-06-04T04:00:00Z": 15240}],
        "Etc/GMT+5",
        2,
    )
    a["eia"] = PublicAnswer(
        _json(
            {
                "response": {
                    "total": "48",
                    "dateFormat": 'YYYY-MM-DD"T"HH24',
                    "frequency": "hourly",
                    "data": [
                        {
                            "period": f"{ts:%Y-%m-%dT%H}",
                            "respondent": ba,
                            "respondent-name": f"Name of {ba}",
                            "type": "D",
                            "type-name": "Demand",
                            "value": str(int(x)),
                            "value-units": "megawatthours",
                        }
                        for ts, x in zip(t, v, strict=True)
                        for ba, x in (("PJM", x), ("MISO", x + 700))
                    ],
                },
                "request": {"command": "/v2/electricity/rto/region-data/data/"},
                "apiVersion": "2.1.8",
            }
        ),
        [_points(t, [int(x) for x in v]), _points(t, [int(x + 700) for x in v])],
        "UTC",
        2,
    )
    a["ecb-rates-xml"] = PublicAnswer(
        (
            '<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes='
            '"http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/'
            '2002-08-01/eurofxref"><gesmes:subject>Reference rates</gesmes:subject>'
            "<gesmes:Sender><gesmes:name>"
            "European Central Bank</gesmes:name></gesmes:Sender><Cube>"
            + "".join(
                f'<Cube time="{ts:%Y-%m-%d}"><Cube currency="USD" rate="{x}"/>'
                f'<Cube currency="JPY" rate="{x + 50}"/></Cube>'
                for ts, x in reversed([*zip(days, dv, strict=True)])
            )
            + "</Cube></gesmes:Envelope>"
        ).encode(),
        [_points(days, dv), _points(days, [x + 50 for x in dv])],
        "UTC",
        2,
    )
    a["attributes-xml"] = PublicAnswer(
        (
            "<observations station='Exeter'>"
            + "".join(
                f"<obs><when>{ts:%Y-%m-%dT%H:%M:%SZ}</when><temperature unit='C'>{x}</temperature>"
                f"<wind speed='{y}' direction='{n * 15}'/></obs>"
                for n, (ts, x, y) in enumerate(zip(t, v, w, strict=True))
            )
            + "</observations>"
        ).encode(),
        [_points(t, v), _points(t, w)],
    )
    a["fingrid"] = PublicAnswer(
        _json(
            {
                "data": [
                    {
                        "datasetId": 124,
                        "startTime": f"{ts:%Y-%m-%dT%H:%M:%S}.000Z",
                        "endTime": f"{ts + HOUR:%Y-%m-%dT%H:%M:%S}.000Z",
                        "value": x,
                    }
                    for ts, x in zip(t, v, strict=True)
                ],
                "pagination": {"total": 24, "lastPage": 1, "prevPage": None, "nextPage": None},
            }
        ),
        [_points(t, v)],
        count=1,
    )
    a["smard"] = PublicAnswer(
        _json(
            {
                "meta_data": {"version": 1, "created": 1717459200000},
                "series": [
                    [int(ts.timestamp() * 1000), None if n > 20 else x]
                    for n, (ts, x) in enumerate(zip(t, v, strict=True))
                ],
            }
        ),
        [_points(t[:21], v[:21])],
        count=1,
    )
    a["opendatasoft"] = PublicAnswer(
        _json(
            {
                "total_count": 24,
                "results": [
                    {
                        "perimetre": "France",
                        "nature": "Données temps réel",
                        "date": f"{ts + 2 * HOUR:%Y-%m-%d}",
                        "heure": f"{ts + 2 * HOUR:%H:%M}",
                        "date_heure": f"{ts:%Y-%m-%dT%H:%M:%S}+00:00",
                        "consommation": int(x * 400),
                        "nucleaire": int(y * 4000),
                    }
                    for ts, x, y in zip(t, v, w, strict=True)
                ],
            }
        ),
        [_points(t, [int(x * 400) for x in v])],
        count=2,
    )
    a["spp"] = PublicAnswer(
        _lines(
            "Interval,GMTIntervalEnd,Settlement Location,LMP,MLC,MCC",
            *(
                f"{ts - 5 * HOUR + HOUR:%m/%d/%Y %H:%M:%S},{ts + HOUR:%m/%d/%Y %H:%M:%S},"
                f"{place},{x},0.5,{y}"
                for ts, x, y in zip(t, v, w, strict=True)
                for place, x in (("SPPNORTH_HUB", x), ("SPPSOUTH_HUB", x - 3))
            ),
        ),
        [_points(t, v), _points(t, [x - 3 for x in v])],
        "UTC",
    )
    a["german-csv"] = PublicAnswer(
        _lines(
            "Datum von;Datum bis;Netzlast [MWh] Originalauflösungen;Residuallast [MWh]",
            *(
                f"{ts:%d.%m.%Y %H:%M};{ts + HOUR:%d.%m.%Y %H:%M};"
                + f"{40000 + n * 1111.25:,.2f};".translate(_GERMAN)
                + ("-" if n == 3 else f"{9000 + n * 111.5:,.2f}".translate(_GERMAN))
                for n, ts in enumerate(t)
            ),
            encoding="cp1252",
        ),
        [{"2024-06-02T22:00:00Z": 40000, "2024-06-03T21:00:00Z": 40000 + 23 * 1111.25}],
        "Europe/Berlin",
        2,
    )
    a["units-below"] = PublicAnswer(
        _lines(
            "TIMESTAMP,AirTC_Avg,RH",
            "TS,Deg C,%",
            ",Avg,Smp",
            *(
                f"{ts:%Y-%m-%d %H:%M:%S},{x},{y if n != 4 else -9999}"
                for n, (ts, x, y) in enumerate(zip(t, v, w, strict=True))
            ),
        ),
        [_points(t, v)],
        "UTC",
        2,
    )
    a["months-and-sums"] = PublicAnswer(
        _lines(
            "Monthly statistics;;",
            "Month;Exports;Imports",
            *(f"{m:02}/2024;{1000 + m};{900 - m}" for m in range(1, 13)),
            "Total;12078;10722",
            "Source: Office;;",
        ),
        [{"2024-01-01T00:00:00Z": 1001, "2024-12-01T00:00:00Z": 1012}],
        "UTC",
        2,
    )
    a["space-separated"] = PublicAnswer(
        _lines(
            "# Station data",
            "YYYY MM DD HH  TEMP   WIND",
            *(
                f"2024 06 03 {n:02}  {x:6.2f} {y:6.2f}"
                for n, (x, y) in enumerate(zip(v, w, strict=True))
            ),
        ),
        [_points(t, v), _points(t, w)],
        "UTC",
        2,
    )
    a["hour-minute-twelve"] = PublicAnswer(
        _lines(
            "Date,Time,Price ($/MWh)",
            *(f"{ts:%m/%d/%Y},{ts:%I:%M %p},${x:.2f}" for ts, x in zip(t, v, strict=True)),
        )
        .replace(b"$1", b"1")
        .replace(b"$", b""),
        [_points(t, [round(x, 2) for x in v])],
        "UTC",
    )
    a["keyed-values"] = PublicAnswer(
        _json({"bpi": {f"{ts:%Y-%m-%d}": x for ts, x in zip(days, dv, strict=True)}, "time": {}}),
        [_points(days, dv)],
        "UTC",
        1,
    )
    a["keyed-objects-with-gaps"] = PublicAnswer(
        _json(
            {
                "rates": {
                    f"{ts:%Y-%m-%d}": {"USD": x, **({} if n == 1 else {"JPY": x * 150})}
                    for n, (ts, x) in enumerate(zip(days, dv, strict=True))
                }
            }
        ),
        [
            _points(days, dv),
            _points([days[0], *days[2:]], [x * 150 for x in [dv[0], *dv[2:]]]),
        ],
        "UTC",
        2,
    )
    a["keyed-lists-with-nulls"] = PublicAnswer(
        _json(
            {
                "data": {
                    "143": {
                        f"{ts:%Y-%m-%d}": [None if n == 1 else x, f"{ts:%Y-%m-%d} 24:00:00"]
                        for n, (ts, x) in enumerate(zip(days, dv, strict=True))
                    }
                }
            }
        ),
        [_points([days[0], *days[2:]], [dv[0], *dv[2:]])],
        "UTC",
        1,
    )
    a["step-in-words"] = PublicAnswer(
        _json({"start": "2024-06-03T00:00:00Z", "interval": "PT1H", "unit": "MW", "values": v}),
        [_points(t, v)],
        count=1,
    )
    a["alsi"] = PublicAnswer(
        _json(
            {
                "last_page": 1,
                "total": 10,
                "dataset": "LNG",
                "data": [
                    {
                        "name": "Spain",
                        "code": "ES",
                        "url": "ES",
                        "gasDayStart": f"{ts:%Y-%m-%d}",
                        "inventory": {"lng": str(x), "gwh": str(x * 6.5)},
                        "sendOut": str(y),
                        "status": "C" if n else "E",
                        "info": [],
                    }
                    for n, (ts, x, y) in enumerate(
                        zip(reversed(days), dv, [z + 3 for z in dv], strict=True)
                    )
                ],
            }
        ),
        [
            {_z(ts + 4 * HOUR): z for ts, z in zip(reversed(days), dv, strict=True)},
            {_z(ts + 4 * HOUR): z + 3 for ts, z in zip(reversed(days), dv, strict=True)},
        ],
        count=3,
    )
    a["gme"] = PublicAnswer(
        _json(
            {
                "ContentResponse": b64encode(
                    _zip(
                        data__json=_json(
                            [
                                {
                                    "FlowDate": 20240613,
                                    "Hour": n,
                                    "Zone": zone,
                                    "Price": 60.5 + n + e,
                                }
                                for n in range(1, 25)
                                for zone, e in (("NORD", 0), ("SUD", 10))
                            ]
                        )
                    )
                ).decode()
            }
        ),
        [{"2024-06-12T22:00:00Z": 61.5, "2024-06-13T21:00:00Z": 84.5}],
        "Europe/Rome",
        2,
    )
    a["control-room"] = PublicAnswer(
        _json(
            {
                "Data": [
                    {
                        "name": name,
                        "sortorder": n,
                        "data": [
                            {"x": int(ts.timestamp() * 1000), "y": y}
                            for ts, y in zip(t, own, strict=True)
                        ],
                    }
                    for n, (name, own) in enumerate((("Vindkraft", v), ("Kärnkraft", w)))
                ]
            }
        ),
        [_points(t, v), _points(t, w)],
        count=2,
    )
    a["imf-datamapper"] = PublicAnswer(
        _json(
            {
                "values": {
                    "NGDP_RPCH": {
                        code: {str(year): year / 1000 + extra for year in range(2010, 2025)}
                        for code, extra in (("DEU", 0.5), ("FRA", 1.5))
                    }
                },
                "api": {"version": "1"},
            }
        ),
        [{"2010-01-01T00:00:00Z": 2.51, "2024-01-01T00:00:00Z": 2.524}],
        "UTC",
        2,
    )
    a["nasa-power"] = PublicAnswer(
        _json(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [8.0, 50.0, 100.0]},
                "properties": {
                    "parameter": {
                        name: {f"{ts:%Y%m%d%H}": x for ts, x in zip(t, own, strict=True)}
                        for name, own in (("T2M", v), ("WS10M", w))
                    }
                },
                "header": {"title": "NASA/POWER", "fill_value": -999.0, "time_standard": "UTC"},
            }
        ),
        [_points(t, v), _points(t, w)],
        "UTC",
        2,
    )
    a["rows-by-key"] = PublicAnswer(
        _json(
            {
                "quotes": {
                    code: [{"t": _z(ts), "v": x} for ts, x in zip(t, own, strict=True)]
                    for code, own in (("EURUSD", v), ("GBPUSD", w))
                }
            }
        ),
        [_points(t, v), _points(t, w)],
        count=2,
    )
    a["alpha-vantage"] = PublicAnswer(
        _json(
            {
                "Meta Data": {"2. Symbol": "IBM", "5. Time Zone": "US/Eastern"},
                "Time Series (Daily)": {
                    f"{ts:%Y-%m-%d}": {"1. open": f"{x:.4f}", "5. volume": str(1000 + n * n)}
                    for n, (ts, x) in enumerate(zip(days, dv, strict=True))
                },
            }
        ),
        [_points(days, dv)],
        "UTC",
        2,
    )
    a["chart"] = PublicAnswer(
        _json(
            {
                "chart": {
                    "result": [
                        {
                            "meta": {"currency": "USD", "symbol": "X", "gmtoffset": -14400},
                            "timestamp": [int(ts.timestamp()) for ts in t],
                            "indicators": {"quote": [{"open": v, "close": w}]},
                        }
                    ],
                    "error": None,
                }
            }
        ),
        [_points(t, v), _points(t, w)],
    )
    a["met-no"] = PublicAnswer(
        _json(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [10, 60, 100]},
                "properties": {
                    "meta": {"updated_at": "2024-06-03T00:10:00Z"},
                    "timeseries": [
                        {
                            "time": _z(ts),
                            "data": {
                                "instant": {"details": {"air_temperature": x, "wind_speed": y}},
                                "next_1_hours": {"summary": {"symbol_code": "rain"}},
                            },
                        }
                        for ts, x, y in zip(t, v, w, strict=True)
                    ],
                },
            }
        ),
        [_points(t, v), _points(t, w)],
        count=2,
    )
    a["weather-gov"] = PublicAnswer(
        _json(
            {
                "properties": {
                    "updateTime": "2024-06-03T00:00:00+00:00",
                    "temperature": {
                        "uom": "wmoUnit:degC",
                        "values": [
                            {"validTime": f"{ts:%Y-%m-%dT%H:%M:%S}+00:00/PT1H", "value": x}
                            for ts, x in zip(t, v, strict=True)
                        ],
                    },
                }
            }
        ),
        [_points(t, v)],
        count=1,
    )
    a["entsoe-csv"] = PublicAnswer(
        _lines(
            '"MTU (UTC)","Day-ahead Price [EUR/MWh]","Currency"',
            *(
                f'"{ts:%d.%m.%Y %H:%M} - {ts + HOUR:%d.%m.%Y %H:%M}","{x}","EUR"'
                for ts, x in zip(t, v, strict=True)
            ),
        ),
        [_points(t, v)],
        "UTC",
        1,
    )
    a["clock-ranges"] = PublicAnswer(
        _lines(
            "Date;Product;Price",
            *(f"2024-06-13;{n:02}:00-{n + 1:02}:00;{50 + n}.5" for n in range(24)),
        ),
        [{"2024-06-13T00:00:00Z": 50.5, "2024-06-13T23:00:00Z": 73.5}],
        "UTC",
        1,
    )
    a["hours-from-zero"] = PublicAnswer(
        _lines(
            "date,hour,price", *(f"2024-06-{d},{n},{d + n}.5" for d in (13, 14) for n in range(24))
        ),
        [{"2024-06-13T00:00:00Z": 13.5, "2024-06-14T23:00:00Z": 37.5}],
        "UTC",
        1,
    )
    a["thousands"] = PublicAnswer(
        _lines(
            "Month,Visitors,Change",
            *(
                f'{m:%b %Y},"{12345 + n * 1111:,}",{n / 10 - 0.5}%'
                for n, m in enumerate(datetime(2024, k, 1, tzinfo=UTC) for k in range(1, 11))
            ),
        ),
        [{"2024-01-01T00:00:00Z": 12345, "2024-10-01T00:00:00Z": 22344}],
        "UTC",
    )
    a["settlement"] = PublicAnswer(
        _json(
            {
                "data": [
                    {
                        "settlementDate": "2024-06-13",
                        "settlementPeriod": n,
                        "systemSellPrice": 50.25 + n,
                    }
                    for n in range(48, 0, -1)
                ]
            }
        ),
        [{"2024-06-12T23:00:00Z": 51.25, "2024-06-13T22:30:00Z": 98.25}],
        "Europe/London",
        1,
    )
    a["current"] = PublicAnswer(
        _json(
            {
                "coord": {"lon": 8.0, "lat": 50.0},
                "main": {"temp": 288.5, "humidity": 81},
                "dt": 1717408800,
                "timezone": 7200,
                "id": 2911298,
                "name": "Hamburg",
                "cod": 200,
            }
        ),
        [{"2024-06-03T10:00:00Z": 288.5}],
    )
    a["quakes"] = PublicAnswer(
        _json(
            {
                "type": "FeatureCollection",
                "metadata": {"generated": 1717459200000, "count": 6},
                "features": [
                    {
                        "type": "Feature",
                        "properties": {
                            "mag": 2.5 + n / 10,
                            "place": f"{n} km of X",
                            "time": int(ts.timestamp() * 1000) + n * 7919,
                            "updated": int(ts.timestamp() * 1000) + 4_000_000,
                            "tsunami": 0,
                        },
                        "geometry": {"type": "Point", "coordinates": [1.5, 2.5, n]},
                        "id": f"us{n}",
                    }
                    for n, ts in enumerate(t[:6])
                ],
            }
        ),
        [{"2024-06-03T00:00:00Z": 2.5}],
    )
    a["years-below-each-other"] = PublicAnswer(
        _lines(
            '"Table 1: Consumption","",""',
            '"","",""',
            '"Year","Coal (TWh)","Gas (TWh)"',
            *(f'"{y}","{100 + y % 9}.5","{50 + y % 7}"' for y in range(2005, 2024)),
            '"","",""',
            '"Source: ministry. Figures for 2023 are provisional.","",""',
        ),
        [{"2005-01-01T00:00:00Z": 107.5, "2023-01-01T00:00:00Z": 107.5}],
        "UTC",
        2,
    )
    a["quarters"] = PublicAnswer(
        _lines(
            "Period,Sector,Index",
            *(
                f"Q{q} {y},{s},{100 + y % 10 + q + e}"
                for y in (2022, 2023)
                for q in (1, 2, 3, 4)
                for s, e in (("A", 0.5), ("B", 1.5))
            ),
        ),
        [{"2022-01-01T00:00:00Z": 103.5, "2023-10-01T00:00:00Z": 107.5}],
        "UTC",
        2,
    )
    a["offset-column"] = PublicAnswer(
        _lines(
            "Timestamp;UTC offset;MW",
            *(f"{ts + 2 * HOUR:%Y-%m-%d %H:%M};+02:00;{x}" for ts, x in zip(t, v, strict=True)),
        ),
        [_points(t, v)],
        count=1,
    )
    a["ote"] = PublicAnswer(
        _json(
            {
                "axis": {"x": {"legend": "Hour"}, "y": {"legend": "Price (EUR/MWh)"}},
                "data": {
                    "dataLine": [
                        {
                            "title": title,
                            "colour": "FF6600",
                            "point": [{"x": str(n), "y": 60.25 + n + e} for n in range(1, 25)],
                        }
                        for title, e in (("Volume (MWh)", 1000), ("Price (EUR/MWh)", 0))
                    ]
                },
                "graph": {"fullscreen": True, "title": "Results"},
            }
        ),
        [{"2024-06-12T22:00:00Z": 61.25, "2024-06-13T21:00:00Z": 84.25}],
        "Europe/Prague",
        2,
        name="chart-data?report_date=2024-06-13",
    )
    if find_spec("pyarrow") is not None:
        a["eea-parquet"] = PublicAnswer(
            _parquet(
                Samplingpoint=["SPO-1"] * 24,
                Start=[ts.replace(tzinfo=None) for ts in t],
                End=[(ts + HOUR).replace(tzinfo=None) for ts in t],
                Value=[-999.0 if n == 3 else x for n, x in enumerate(v)],
                Unit=["ug.m-3"] * 24,
                Validity=[1] * 24,
                ResultTime=[(ts + 200 * HOUR).replace(tzinfo=None) for ts in t],
            ),
            [_points(t, [None if n == 3 else x for n, x in enumerate(v)])],
            "UTC",
            1,
        )
    a["workbook-of-months"] = PublicAnswer(
        _workbook(
            Info=[["A report"], ["of an office"]],
            Data=[
                ["Monthly report"],
                [],
                ["Region", "Unit", *(date(2024, m, 1) for m in range(1, 8))],
                ["North", "MW", *(50.5 + m for m in range(1, 8))],
                ["South", "MW", *(70.5 + m for m in range(1, 8))],
            ],
        ),
        [{"2024-01-01T00:00:00Z": 51.5, "2024-07-01T00:00:00Z": 57.5}],
        "UTC",
        2,
    )
    a["workbook-of-hours"] = PublicAnswer(
        _workbook(
            Load=[
                ["Date", "Hour", "Load (MW)", "Remark"],
                *(
                    [date(2024, 6, d), n, 1000 + d + n, None]
                    for d in (13, 14)
                    for n in range(1, 25)
                ),
            ]
        ),
        [{"2024-06-13T00:00:00Z": 1014, "2024-06-14T23:00:00Z": 1038}],
        "UTC",
        1,
    )
    a["one-row"] = PublicAnswer(
        _lines("date,value", "2024-06-03,1.5"), [{"2024-06-03T00:00:00Z": 1.5}], "UTC", 1
    )
    return a
