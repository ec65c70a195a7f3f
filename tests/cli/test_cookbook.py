"""Every entry of the cookbook, run by the program against a small provider of its kind."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml
from openpyxl import Workbook
from support import manual
from support.http_server import LocalServer, Reply

from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import RunCli
    from support.http_server import Request

START, END = "2025-02-01", "2025-03-03"
FIRST, SECOND = "2025-03-01T00:00:00Z", "2025-03-01T01:00:00Z"
ENTRIES = list(manual.page("cookbook").blocks("yaml"))


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """Stands in for all providers."""
    with LocalServer() as running:
        yield running


def pages(key: str, *rows: dict[str, Any], size: int = 1) -> Any:
    """Rows in pages of one, from the offset in the query on."""

    def reply(request: Request) -> Any:
        start = int(request.query[key][0])
        return list(rows[start : start + size])

    return reply


def zipped(text: str) -> bytes:
    """A text as the only file of an archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data.csv", text)
    return packed.getvalue()


def prometheus(request: Request) -> Reply:
    """Two instants of two instances on the day that is asked for."""
    start = int(request.query["start"][0])
    assert start % 86400 == 0
    assert request.query["step"] == ["60"]
    if start != 1740787200:  # 1 March 2025
        return Reply.json({"status": "success", "data": {"result": []}})
    result = [
        {"metric": {"instance": name}, "values": [[start, value], [start + 60, "NaN"]]}
        for name, value in (("db", "9"), ("web", "1.5"))
    ]
    return Reply.json({"status": "success", "data": {"result": result}})


def influxdb(request: Request) -> Reply:
    """What a query in Flux gets, without annotations."""
    assert request.headers["authorization"] == "Token token-of-influx"
    assert request.json["dialect"] == {"annotations": [], "header": True}
    assert "range(start: 2025-02-01T00:00:00Z, stop: 2025-03-03T00:00:00Z)" in request.json["query"]
    lines = [
        ",result,table,_time,_value,_field,room",
        f",_result,0,{FIRST},20.5,temperature,kitchen",
        f",_result,0,{FIRST},18,temperature,hall",
    ]
    return Reply(body="\r\n".join(lines).encode(), content_type="text/csv")


def socrata(request: Request) -> Reply:
    """A bare list in pages."""
    assert request.query["$where"] == ["week_end >= '2025-01-25'"]
    rows = [{"week_end": "2025-03-01T00:00:00.000", "percent": "1.5"}]
    return Reply.json(pages("$offset", *rows, size=5000)(request))


def ckan(request: Request) -> Reply:
    """A page of one row, whatever was asked for."""
    rows: list[dict[str, Any]] = [
        {"time": "2025-03-01T00:00:00", "wind": "1.5"},
        {"time": "2025-03-01T01:00:00", "wind": 2},
    ]
    found = pages("offset", *rows)(request)
    return Reply.json({"success": True, "result": {"records": found, "total": 2}})


def odata(request: Request) -> Reply:
    """Two pages, the first with a link."""
    if "$skip" in request.query:
        return Reply.json({"value": [{"Periods": "2025MM03", "Value": 2, "Measure": "CPI"}]})
    link = f"http://{request.headers['host']}{request.path}?$skip=1"
    first = {"Periods": "2025MM02", "Value": 1.5, "Measure": "CPI"}
    return Reply.json({"@odata.nextLink": link, "value": [first]})


def arcgis(request: Request) -> Reply:
    """Pages of one, of which the last does not say that more follow."""
    assert request.query["where"] == ["measured >= timestamp '2025-02-01 00:00:00'"]
    rows: list[dict[str, Any]] = [
        {"attributes": {"measured": 1740787200000 + n * 3600000, "level": n}} for n in (0, 1)
    ]
    features = pages("resultOffset", *rows)(request)
    more = {"exceededTransferLimit": True} if request.query["resultOffset"] == ["0"] else {}
    return Reply.json({"features": features, **more})


def cube(request: Request) -> Reply:
    """JSON-stat of one month, by sex or by country."""
    if request.method == "POST":
        assert request.json["response"] == {"format": "json-stat2"}
        assert request.json["query"][0]["selection"]["values"] == [24]
        name, codes = "Kon", ["1", "2"]
    else:
        assert request.query["geo"] == ["DE", "FR"]
        name, codes = "geo", ["DE", "FR"]
    return Reply.json(
        {
            "version": "2.0",
            "class": "dataset",
            "id": [name, "Tid"],
            "size": [2, 1],
            "role": {"time": ["Tid"]},
            "dimension": {
                name: {"category": {"index": codes}},
                "Tid": {"category": {"index": ["2025M03"]}},
            },
            "value": [1.5, 2],
        }
    )


def sdmx(request: Request) -> Reply:
    """SDMX-JSON 1.0 of one day and two currencies."""
    assert request.query["startPeriod"] == ["2025-01-31"]  # in Berlin the day began before
    currencies = [{"id": code} for code in ("USD", "CHF")]
    return Reply.json(
        {
            "dataSets": [
                {
                    "series": {
                        "0": {"observations": {"0": [1.5]}},
                        "1": {"observations": {"0": [2]}},
                    }
                }
            ],
            "structure": {
                "dimensions": {
                    "series": [{"id": "CURRENCY", "keyPosition": 0, "values": currencies}],
                    "observation": [{"id": "TIME_PERIOD", "values": [{"id": "2025-03-01"}]}],
                }
            },
        }
    )


def checked(answer: Callable[[Request], Reply]) -> Callable[[Request], Reply]:
    """The same answer, which a question that is not as expected turns into a refusal."""

    def reply(request: Request) -> Reply:
        try:
            return answer(request)
        except (AssertionError, KeyError) as error:
            return Reply(400, str(error).encode())

    return reply


DISPATCH = """C,dispatch
I,DISPATCH,PRICE,1,SETTLEMENTDATE,REGIONID,RRP
D,DISPATCH,PRICE,1,"2025/03/01 10:05:00",NSW1,1.5
I,DISPATCH,REGIONSUM,1,SETTLEMENTDATE,REGIONID,TOTALDEMAND
D,DISPATCH,REGIONSUM,1,"2025/03/01 10:05:00",NSW1,2
C,end
"""


def workbook() -> bytes:
    """A sheet with a header in its fifth row, behind another one."""
    book = Workbook()
    sheet = book.create_sheet("Output")
    rows = [["Report"], [], [], [], ["Period Start", "C1"]]
    for row in (*rows, [datetime.fromisoformat("2025-03-01T09:30"), 1.5]):
        sheet.append(row)
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


def lay_out(server: LocalServer) -> None:
    """The answers of all providers."""
    server.answer("/api/v1/query_range", checked(prometheus))
    server.answer("/api/v2/query", checked(influxdb))
    server.answer("/resource/abcd-1234.json", checked(socrata))
    server.answer("/api/3/action/datastore_search", checked(ckan))
    records = [{"time": "2025-03-01T00:00:00+00:00", "load": 1.5}]
    server.answer("/api/explore/v2.1/catalog/datasets/grid/exports/json", Reply.json(records))
    server.answer("/CBS/83131NED/Observations", checked(odata))
    server.answer("/arcgis/rest/services/Levels/FeatureServer/0/query", checked(arcgis))
    server.answer("/api/v1/en/table", checked(cube))
    server.answer("/data/prc_hicp_midx", checked(cube))
    server.answer("/service/data/EXR/D.USD+CHF.EUR.SP00.A", checked(sdmx))
    links = ["DEMAND_20250301_17.zip", "DEMAND_20250501_18.zip", "OTHER_20250301_1.zip"]
    page = "".join(f'<a href="{name}">{name}</a><br>' for name in links)
    server.answer("/demand/", Reply(body=f"<html>{page}</html>".encode()))
    table = zipped("time,demand\n2025-03-01T10:00,1.5\n")
    server.answer("/demand/DEMAND_20250301_17.zip", Reply(body=table))
    server.answer("/report.xlsx", Reply(body=workbook()))
    server.answer("/dispatch.zip", Reply(body=zipped(DISPATCH)))
    server.answer("/prices.txt", Reply(body=b"Prices of 01/03/2025\n;1;2;\nSpain;1,5;2;\n"))
    server.answer("/oauth/token", Reply.json({"access_token": "T", "expires_in": 300}))
    server.answer(
        "/load",
        lambda request: (
            Reply.json({"load": [{"time": FIRST, "value": 1.5}]})
            if request.headers.get("authorization") == "Bearer T"
            else Reply(401)
        ),
    )


STORED = {
    "load-web": {FIRST: 1.5},
    "room-kitchen": {FIRST: 20.5},
    "socrata-visits": {"2025-03-01T05:00:00Z": 1.5},
    "ckan-wind": {FIRST: 1.5, SECOND: 2.0},
    "grid-load": {FIRST: 1.5},
    # the month before reaches into the window
    "odata-cpi": {"2025-01-31T23:00:00Z": 1.5, "2025-02-28T23:00:00Z": 2.0},
    "arcgis-level": {FIRST: 0.0, SECOND: 1.0},
    "deaths-men": {"2025-02-28T23:00:00Z": 1.5},
    "deaths-women": {"2025-02-28T23:00:00Z": 2.0},
    "stat-hicp-de": {"2025-02-28T23:00:00Z": 1.5},
    "sdmx-usd": {"2025-02-28T23:00:00Z": 1.5},
    "folder-demand": {FIRST: 1.5},
    "excel-unit": {FIRST: 1.5},
    "aemo-price": {FIRST: 1.5},
    "aemo-demand": {FIRST: 2.0},
    "wide-price": {"2025-02-28T23:00:00Z": 1.5, FIRST: 2.0},
    "login-load": {FIRST: 1.5},
}


def test_every_entry_of_the_cookbook_fetches_what_its_provider_has(
    server: LocalServer, tmp_path: Path, database_url: str, run_cli: RunCli
) -> None:
    """All of them in one file, of which only the hosts are others."""
    lay_out(server)
    together: dict[str, dict[str, Any]] = {"timeseries": {}, "request_groups": {}}
    for entry in ENTRIES:
        text = re.sub(r"https://[\w.-]+\.example\.com", server.url, entry)
        for kind, sources in yaml.safe_load(text).items():
            together[kind].update(sources)
    path = tmp_path / "sources.yaml"
    path.write_text(yaml.safe_dump(together), encoding="utf-8")
    env = {
        "DATABASE_URL": database_url,
        "MAX_RETRIES": "0",
        "INFLUX_TOKEN": "token-of-influx",
        "CLIENT_ID": "me",
        "CLIENT_SECRET": "secret-of-the-client",
    }
    names = [name for sources in together.values() for name in sources]
    window = ("--start", START, "--end", END)
    done = run_cli("--json", "--config", str(path), "fetch", *names, *window, env=env)
    runs = json.loads(done.stdout)["runs"]
    ended = {run["source"]: (run["outcome"], run["error"]) for run in runs}
    assert ended == dict.fromkeys(names, ("succeeded", None))
    assert len(ENTRIES) == len(names) == 15
    stored: dict[str, dict[str, float]] = {}
    with psycopg.connect(database_url) as connection:
        for name, ts, value in connection.execute(
            "SELECT endpoint_prefix, ts, value FROM time_series_data"
            " JOIN time_series USING (series_id)"
        ):
            stored.setdefault(name, {})[iso(ts)] = value
    assert stored == STORED
