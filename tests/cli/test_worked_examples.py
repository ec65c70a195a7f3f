"""The manual's APIs without Python, each run by the program against the provider's layout.

The answers are small ones of our own in the shape of each provider, and its recorded ones where
those are at hand, read by other means.
"""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import yaml
from support import manual
from support.http_server import LocalServer, Reply
from support.recordings import RECORDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import RunCli
    from support.http_server import Request

ROOT = Path(__file__).resolve().parents[2]
PROVIDERS = (
    *("ecb", "world-bank", "elia", "eco2mix", "energi-data-service", "nyiso", "muenster-parking"),
)
EXAMPLES = {
    next(iter(yaml.safe_load(block)["request_groups"])): block
    for provider in PROVIDERS
    for block in manual.page(provider).blocks("yaml")
}
Points = dict[str, float]


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """Stands in for the provider."""
    with LocalServer() as running:
        yield running


@pytest.fixture
def run(
    tmp_path: Path, run_cli: RunCli, server: LocalServer, database_url: str
) -> Callable[..., tuple[dict[str, Any], dict[str, Points]]]:
    """Fetches an example of the manual, but for the host; its run, and what is stored."""

    def fetch_example(name: str, *window: str) -> tuple[dict[str, Any], dict[str, Points]]:
        path = tmp_path / "sources.yaml"
        text = re.sub(r"(?<=url: )https?://[^/]+", server.url, EXAMPLES[name])
        path.write_text(text, encoding="utf-8")
        arguments = [
            word for option in zip(("--start", "--end"), window, strict=False) for word in option
        ]
        env = {"DATABASE_URL": database_url, "MAX_RETRIES": "0", "LOG_LEVEL": "error"}
        done = run_cli("--json", "--config", str(path), "fetch", name, *arguments, env=env)
        (run,) = json.loads(done.stdout)["runs"]
        return run, _stored(database_url)

    return fetch_example


def _stored(url: str) -> dict[str, Points]:
    query = (
        "SELECT endpoint_prefix, to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI'), value"
        " FROM time_series_data JOIN time_series USING (series_id) ORDER BY ts"
    )
    stored: dict[str, Points] = {}
    with psycopg.connect(url) as connection:
        for name, ts, value in connection.execute(query):
            stored.setdefault(name, {})[ts] = value
    return stored


def test_there_are_seven_of_twelve_to_twenty_five_lines() -> None:
    """For seven hosts, in all three formats."""
    assert len(EXAMPLES) == len(PROVIDERS) == 7
    together = "".join(EXAMPLES.values())
    assert len(set(re.findall(r"url: https?://([^/]+)", together))) == 7
    for block in EXAMPLES.values():
        assert 12 <= len(block.splitlines()) <= 25, block
    assert set(re.findall(r"class: Http(\w+?)Multi", together)) == {"Json", "Csv", "Xml"}


BANK = "/v2/country/MEX;EMU/indicator/NY.GDP.MKTP.CD"


def _gdp(code: str, year: int, value: float | None) -> dict[str, Any]:
    return {
        "indicator": {"id": "NY.GDP.MKTP.CD", "value": "GDP (current US$)"},
        "country": {"id": code[:2], "value": code},
        "countryiso3code": code,
        "date": str(year),
        "value": value,
    }


def test_world_bank(server: LocalServer, run: Any) -> None:
    """Both pages, newest first, nulls included; the window is asked for by its years."""
    rows = [_gdp("MEX", 2024, 2.5), _gdp("EMU", 2024, None), _gdp("MEX", 2023, 1.5)]
    rows.append(_gdp("EMU", 2023, 3.5))

    def page(request: Request) -> Reply:
        number = int(request.query["page"][0])
        head = {"page": number, "pages": 2, "per_page": 2, "total": 4}
        return Reply.json([head, rows[2 * number - 2 : 2 * number]])

    server.answer(BANK, page)
    done, stored = run("world-bank-gdp", "2023-01-01", "2025-01-01")
    assert (done["outcome"], done["nulls"]) == ("succeeded", 1)
    assert stored == {
        "gdp-mexico": {"2023-01-01T00:00": 1.5, "2024-01-01T00:00": 2.5},
        "gdp-euro-area": {"2023-01-01T00:00": 3.5},
    }
    assert {tuple(r.query["date"]) for r in server.requests} == {("2023:2025",)}
    assert {tuple(r.query["format"]) for r in server.requests} == {("json",)}


def test_world_bank_reports_an_error_under_200(server: LocalServer, run: Any) -> None:
    """The run fails in one line, with the address and the answer; nothing is stored."""
    error = [{"message": [{"id": "120", "key": "Invalid value", "value": "It is not valid"}]}]
    server.answer(BANK, Reply.json(error))
    done, stored = run("world-bank-gdp")
    assert done["outcome"] == "failed"
    assert f"the answer of {server.url}{BANK}?" in done["error"]
    assert "reports an error (It is not valid)" in done["error"]
    assert 'it begins: [{"message":[{"id":"120",' in done["error"]
    assert "\n" not in done["error"]
    assert not stored


def test_world_bank_has_nothing(server: LocalServer, run: Any) -> None:
    """An empty answer has a null where its rows would be."""
    server.answer(BANK, Reply.json([{"page": 0, "pages": 0, "total": 0}, None]))
    done, stored = run("world-bank-gdp")
    assert (done["outcome"], stored) == ("empty", {})


EDS = "/dataset/ElectricityProdex5MinRealtime"


def test_energi_data_service(server: LocalServer, run: Any) -> None:
    """The other price area is left out; times are UTC, the window asked for is in local time."""
    rows = [
        {
            "Minutes5UTC": f"2025-03-30T00:{m:02}:00",
            "PriceArea": area,
            "SolarPower": m + n,
            "ExchangeNorway": None if m else -1.5,
        }
        for m in (0, 5)
        for n, area in enumerate(("DK1", "DK2"))
    ]
    server.answer(EDS, Reply.json({"total": 4, "limit": 10000, "dataset": "x", "records": rows}))
    done, stored = run("denmark-west", "2025-03-30", "2025-03-31")
    assert done["outcome"] == "succeeded"
    assert stored == {
        "dk1-solar": {"2025-03-30T00:00": 0, "2025-03-30T00:05": 5},
        "dk1-norway": {"2025-03-30T00:00": -1.5},
    }
    (request,) = server.requests
    assert request.query["start"] == ["2025-03-30T01:00"]
    assert request.query["end"] == ["2025-03-31T02:00"]
    assert request.query["limit"] == ["10000"]
    assert json.loads(request.query["filter"][0]) == {"PriceArea": ["DK1"]}


ELIA = "/api/explore/v2.1/catalog/datasets/ods201/records"


def test_elia(server: LocalServer, run: Any) -> None:
    """As many pages as total_count makes necessary; a fuel for each series."""
    rows = [
        {
            "datetime": f"2024-01-01T{n // 4:02}:{n % 4 * 15:02}:00+00:00",
            "fueltypeentsoe": fuel,
            "generatedpower": n,
        }
        for n in range(60)
        for fuel in ("Nuclear", "Fossil Gas")
    ]

    def page(request: Request) -> Reply:
        offset, limit = (int(request.query[name][0]) for name in ("offset", "limit"))
        assert limit <= 100
        return Reply.json({"total_count": 120, "results": rows[offset : offset + limit]})

    server.answer(ELIA, page)
    done, stored = run("elia-generation", "2024-01-01", "2024-01-02")
    assert (done["outcome"], done["inserted"]) == ("succeeded", 120)
    assert list(stored["belgium-gas"].values()) == list(range(60))
    assert len(server.requests) == 2
    assert server.requests[0].query["where"] == [
        "datetime >= date'2024-01-01T00:00:00Z' and datetime < date'2024-01-02T00:00:00Z'"
    ]


ECO2MIX = "/api/explore/v2.1/catalog/datasets/eco2mix-national-tr/exports/json"
CONSOLIDATED = ECO2MIX.replace("-tr/", "-cons-def/")


def test_eco2mix(server: LocalServer, run: Any) -> None:
    """A bare list, a column for each series; the portal itself leaves out rows of the future."""
    rows = [
        {
            "date_heure": f"2025-03-30T0{hour}:{minute:02}:00+00:00",
            "consommation": 50000 + hour,
            "nucleaire": None if minute else 40000 + hour,
        }
        for hour in (0, 1)
        for minute in (0, 15)
    ]
    server.answer(ECO2MIX, Reply.json(rows))
    server.answer(CONSOLIDATED, Reply.json([]))
    done, stored = run("france", "2025-03-30", "2025-03-31")
    assert (done["outcome"], done["nulls"]) == ("succeeded", 2)
    assert list(stored["france-consumption"].values()) == [50000, 50000, 50001, 50001]
    assert stored["france-nuclear"] == {"2025-03-30T00:00": 40000, "2025-03-30T01:00": 40001}
    (where,) = server.requests[0].query["where"]
    assert where.startswith("date_heure >= date'2025-03-30T00:00:00Z' and date_heure < date'2025-")
    assert where.endswith(" and consommation is not null")


@pytest.mark.parametrize("slow", [ECO2MIX, CONSOLIDATED])
def test_consolidated_values_take_the_place_of_those_in_real_time(
    server: LocalServer, run: Any, slow: str
) -> None:
    """Whichever data set answers first; where it has none, those in real time stay."""
    real_time = [
        {"date_heure": f"2025-01-01T00:{minute:02}:00+00:00", "consommation": 60000 + minute}
        for minute in (0, 15, 30, 45)
    ]
    consolidated = [
        {"date_heure": "2025-01-01T00:00:00+00:00", "consommation": 60123, "nucleaire": 45001},
        {"date_heure": "2025-01-01T00:30:00+00:00", "consommation": 60456, "nucleaire": None},
    ]
    answers = {ECO2MIX: real_time, CONSOLIDATED: consolidated}
    first = threading.Event()

    def reply(request: Request) -> Reply:
        if request.path == slow:
            assert first.wait(10)
        else:
            first.set()
        return Reply.json([{"nucleaire": 45000, **row} for row in answers[request.path]])

    for path in answers:
        server.answer(path, reply)
    done, stored = run("france", "2025-01-01", "2025-01-02")
    assert (done["outcome"], done["inserted"]) == ("succeeded", 8)
    assert list(stored["france-consumption"].values()) == [60123, 60015, 60456, 60045]
    assert list(stored["france-nuclear"].values()) == [45001, 45000, 45000, 45000]


def test_definitive_half_hours_stand_among_quarters(server: LocalServer, run: Any) -> None:
    """Run by run: first in real time, then consolidated beside it, at last definitive alone.

    Half hours are revised twice. Quarters between them keep what they had in real time, as the
    other set has nothing at their times.
    """
    quarters = {minute: 60000 + minute for minute in (0, 15, 30, 45)}
    sets = [(quarters, {}), (quarters, {0: 60123, 30: 60456}), ({}, {0: 60124, 30: 60450})]
    revised, stored = [], {}
    for real_time, settled in sets:
        for path, values in ((ECO2MIX, real_time), (CONSOLIDATED, settled)):
            rows = [
                {"date_heure": f"2025-01-01T00:{minute:02}:00+00:00", "consommation": value}
                for minute, value in values.items()
            ]
            server.answer(path, Reply.json([{"nucleaire": None, **row} for row in rows]))
        done, stored = run("france", "2025-01-01", "2025-01-02")
        assert done["retracted"] == 0
        revised.append(done["revised"])
    assert revised == [0, 2, 2]
    assert list(stored["france-consumption"].values()) == [60124, 60015, 60450, 60045]


ECB = "/service/data/EXR/D.USD+JPY.EUR.SP00.A"
_RATES = """\
KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE,OBS_STATUS,TITLE
EXR.D.JPY.EUR.SP00.A,D,JPY,EUR,SP00,A,2025-03-28,161.6,A,"Japanese yen/Euro"
EXR.D.JPY.EUR.SP00.A,D,JPY,EUR,SP00,A,2025-03-31,161.94,A,"Japanese yen/Euro"
EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,A,2025-03-28,1.0797,A,"US dollar/Euro"
EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,A,2025-03-31,NaN,H,"US dollar/Euro"
"""


def test_european_central_bank(server: LocalServer, run: Any) -> None:
    """Days of Frankfurt before and after the clocks change; NaN is no value."""
    server.answer(ECB, Reply(body=_RATES.encode(), content_type="text/csv"))
    done, stored = run("ecb-rates", "2025-03-27T23:00Z", "2025-04-01")
    assert (done["outcome"], done["nulls"]) == ("succeeded", 1)
    assert stored == {
        "ecb-jpy": {"2025-03-27T23:00": 161.6, "2025-03-30T22:00": 161.94},
        "ecb-usd": {"2025-03-27T23:00": 1.0797},
    }
    assert server.requests[0].query["startPeriod"] == ["2025-03-28"]
    assert server.requests[0].query["format"] == ["csvdata"]


def test_european_central_bank_has_nothing(server: LocalServer, run: Any) -> None:
    """404 stands for no data."""
    done, stored = run("ecb-rates", "2025-03-29", "2025-03-30")
    assert (done["outcome"], stored) == ("empty", {})
    assert server.asked(ECB) == 1


def test_nyiso(server: LocalServer, run: Any) -> None:
    """A zipped file for each month; the night with two hours of the same name has both."""
    # 3 November 2024: 01:00 EDT is 05:00Z, 01:00 EST is 06:00Z
    table = ['"Time Stamp","Time Zone","Name","PTID","Load"']
    walls = ["00:00:00", "01:00:00", "01:00:00", "02:00:00"]
    for number, wall in enumerate(walls):
        zone = "EDT" if number < 2 else "EST"
        table += [
            f'"11/03/2024 {wall}","{zone}","{name}",61761,{load + number}'
            for name, load in (("LONGIL", 1500.5), ("N.Y.C.", 4000.5))
        ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("20241103pal.csv", "\r\n".join(table))
        archive.writestr("20241102pal.csv", table[0] + "\r\n")
    path = "/public/csv/pal/20241101pal_csv.zip"
    server.answer(path, Reply(body=packed.getvalue(), content_type="application/zip"))
    done, stored = run("nyiso-load", "2024-11-03", "2024-12-02")
    assert done["outcome"] == "succeeded"
    times = [f"2024-11-03T{hour:02}:00" for hour in (4, 5, 6, 7)]
    assert stored["load-new-york-city"] == dict(
        zip(times, (4000.5, 4001.5, 4002.5, 4003.5), strict=True)
    )
    assert list(stored["load-long-island"]) == times
    december = "/public/csv/pal/20241201pal_csv.zip"
    assert sorted(request.path for request in server.requests) == [path, december]


def _garages(now: datetime) -> bytes:
    states = [("PH Theater", 12, "frei"), ("PH Münster Arkaden", 0, "geschlossen")]
    states.append(("PP Hörsterplatz", 0, "besetzt"))
    garages = "".join(
        f"<parkhaus><bezeichnung>{name}</bezeichnung><gesamt>800</gesamt><frei>{free}</frei>"
        f"<status>{status}</status><zeitstempel>{now:%d.%m.%Y %H:%M}</zeitstempel></parkhaus>"
        for name, free, status in states
    )
    text = f'<?xml version="1.0" encoding="ISO-8859-1"?><parkhaeuser>{garages}</parkhaeuser>'
    return text.encode("iso-8859-1")


def test_parking_in_muenster(server: LocalServer, run: Any) -> None:
    """A closed garage has no value, rather than no space; umlauts as the document declares them."""
    now = (datetime.now(UTC) - timedelta(hours=30)).replace(second=0, microsecond=0)
    while not 10 <= now.hour <= 20:  # far from the night when clocks change
        now -= timedelta(hours=1)
    body = _garages(now.astimezone(ZoneInfo("Europe/Berlin")))
    server.answer("/ms/tiefbauamt/pls/PLS-INet.xml", Reply(body=body, content_type="text/xml"))
    done, stored = run("muenster-parking")
    assert done["outcome"] == "succeeded"
    assert stored == {"parking-theater": {f"{now:%Y-%m-%dT%H:%M}": 12}}


if RECORDINGS.is_dir():

    def test_recorded_world_bank(server: LocalServer, run: Any) -> None:
        """The values that the file itself has; the recorded error fails the run."""
        folder = RECORDINGS / "worldbank"
        body = (folder / "NY.GDP.MKTP.CD_multi.json").read_bytes()
        server.answer(BANK, Reply(body=body))
        done, stored = run("world-bank-gdp", "2020-01-01", "2026-01-01")
        assert (done["outcome"], done["nulls"]) == ("succeeded", 1)
        assert stored == {
            "gdp-mexico": {
                f"{row['date']}-01-01T00:00": row["value"]
                for row in json.loads(body)[1]
                if row["countryiso3code"] == "MEX" and row["value"] is not None
            }
        }
        server.answer(BANK, Reply(body=(folder / "error_120_http200.json").read_bytes()))
        done, after = run("world-bank-gdp")
        assert done["outcome"] == "failed"
        assert "The provided parameter value is not valid" in done["error"]
        assert after == stored

    def test_recorded_energi_data_service(server: LocalServer, run: Any) -> None:
        """Of every row of the price area, as the file has it."""
        (path,) = (RECORDINGS / "energidataservice_dk").glob("*.json")
        content = json.loads(path.read_bytes())
        server.answer(EDS, Reply.json({**content, "total": len(content["records"])}))
        done, stored = run("denmark-west", "2025-02-21", "2025-02-22")
        assert done["outcome"] == "succeeded"
        for series, column in (("dk1-solar", "SolarPower"), ("dk1-norway", "ExchangeNorway")):
            assert stored[series] == {
                row["Minutes5UTC"][:16]: row[column]
                for row in content["records"]
                if row["PriceArea"] == "DK1" and row["Minutes5UTC"].startswith("2025-02-21")
            }

    def test_recorded_elia(server: LocalServer, run: Any) -> None:
        """Of every row of the fuel, nulls left out."""
        (path,) = (RECORDINGS / "ods").glob("*.json")
        content = json.loads(path.read_bytes())
        server.answer(ELIA, Reply.json(content))
        done, stored = run("elia-generation", "2024-01-01", "2024-01-02")
        assert done["outcome"] == "succeeded"
        for series, fuel in (("belgium-nuclear", "Nuclear"), ("belgium-gas", "Fossil Gas")):
            assert stored[series] == {
                row["datetime"][:16]: row["generatedpower"]
                for row in content["results"]
                if row["fueltypeentsoe"] == fuel and row["generatedpower"] is not None
            }
