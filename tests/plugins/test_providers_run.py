"""Providers that are asked for groups, run by the program: what is stored, and what it becomes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml
from support.http_server import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import RunCli
    from support.http_server import LocalServer

KEY = "c4n4ry-0f-a-s3cr3t"
HOUR = timedelta(hours=1)
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
STATION = "4fd02fd5-0a4c-46b3-a9b9-a488a62454be"


def entry(
    module: str, cls: str, params: dict[str, Any], **series: dict[str, Any]
) -> dict[str, Any]:
    """An entry under request_groups."""
    return {
        "module": f"dataportal.plugins.data_sources.{module}_plugin",
        "class": f"{cls}MultiSeriesPlugin",
        "schedule": "1 hour",
        "request_params": {"per_minute": 100_000, **params},
        "timeseries": [
            {"endpoint_prefix": name.replace("_", "-"), "extract_filter": own}
            for name, own in series.items()
        ],
    }


def sources(url: str) -> dict[str, Any]:
    """One group of each provider."""
    key, place = {"api_key": "${THE_KEY}"}, {"latitude": 52.5, "longitude": 13.4}
    return {
        "eia": entry(
            "eia",
            "Eia",
            {"route": "region-data", "respondent": "PJM", "base_url": f"{url}/v2", **key},
            eia={"type": "D"},
        ),
        "fingrid": entry(
            "fingrid", "Fingrid", {"base_url": f"{url}/api", **key}, fingrid={"dataset_id": 124}
        ),
        "energy-charts": entry(
            "energy_charts",
            "EnergyCharts",
            {"endpoint": "public_power", "country": "de", "base_url": url},
            solar={"production_type": "Solar"},
            load={"production_type": "Load"},
        ),
        "forecast": entry(
            "open_meteo", "OpenMeteoForecast", {"base_url": url, **place}, rain={"hourly": "rain"}
        ),
        "citybikes": entry(
            "citybikes", "CityBikes", {"network": "vienna", "base_url": url}, bikes={}
        ),
        "tankerkoenig": entry(
            "tankerkoenig",
            "Tankerkoenig",
            {"base_url": url, **key},
            e5={"station": STATION, "fuel": "e5"},
        ),
    }


def answers(server: LocalServer, value: float, *, is_open: bool) -> None:
    """Let every provider say the same value of the same hour."""
    stamp, iso = int(NOON.timestamp()), f"{NOON:%Y-%m-%dT%H:%M:%S}"
    row = {"respondent": "PJM", "type": "D", "period": f"{NOON + HOUR:%Y-%m-%dT%H}"}
    response = {"total": "1", "data": [{**row, "value": str(value)}]}
    rows = [{"datasetId": 124, "startTime": f"{iso}.000Z", "endTime": "", "value": value}]
    types = [{"name": name, "data": [value]} for name in ("Solar", "Load")]
    bikes = [{"id": "a", "timestamp": f"{iso}.000000+00:00Z", "free_bikes": value}]
    prices = {STATION: {"status": "open", "e5": value} if is_open else {"status": "closed"}}
    for path, document in {
        "/v2/electricity/rto/region-data/data/": {"response": response},
        "/api/data": {"data": rows, "pagination": {"nextPage": None, "total": 1}},
        "/public_power": {"unix_seconds": [stamp], "production_types": types},
        "/forecast": {"hourly": {"time": [stamp + 3600], "rain": [value]}},
        "/networks/vienna": {"network": {"stations": bikes}},
        "/prices.php": {"ok": True, "prices": prices},
    }.items():
        server.answer(path, Reply.json(document))


@pytest.mark.slow
@pytest.mark.database
def test_what_is_fetched_again_is_stored_once(
    tmp_path: Path, run_cli: RunCli, database_url: str, server: LocalServer
) -> None:
    """An unchanged answer changes nothing, a revision is a version more, a station closes in peace.

    No key is told to anybody but its provider.
    """
    text = yaml.safe_dump({"request_groups": sources(server.url)})
    (tmp_path / "sources.yaml").write_text(text, encoding="utf-8")

    def outcomes() -> dict[str, tuple[str, int, int, int]]:
        done = run_cli(
            "fetch-all", "--json", env={"DATABASE_URL": database_url, "THE_KEY": KEY}, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert KEY not in done.stdout + done.stderr
        return {
            run["source"]: (run["outcome"], run["inserted"], run["revised"], run["retracted"])
            for run in json.loads(done.stdout)["runs"]
        }

    every = dict.fromkeys(sources(""), ("succeeded", 1, 0, 0))
    answers(server, 1.5, is_open=True)
    assert outcomes() == {**every, "energy-charts": ("succeeded", 2, 0, 0)}
    assert outcomes() == {
        **dict.fromkeys(every, ("unchanged", 0, 0, 0)),
        # each of its answers is of a time of its own
        "tankerkoenig": ("succeeded", 1, 0, 0),
    }
    answers(server, 2.5, is_open=False)
    assert outcomes() == {
        **dict.fromkeys(every, ("succeeded", 0, 1, 0)),
        "energy-charts": ("succeeded", 0, 2, 0),
        "tankerkoenig": ("unchanged", 0, 0, 0),
    }
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT endpoint_prefix, ts, value"
            " FROM time_series_data JOIN time_series USING (series_id)"
        ).fetchall()
    names = ("eia", "fingrid", "solar", "load", "rain", "bikes")
    assert sorted(row for row in rows if row[0] != "e5") == sorted((n, NOON, 2.5) for n in names)
    assert [value for name, _, value in rows if name == "e5"] == [1.5, 1.5]
