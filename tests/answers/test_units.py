"""Units that answers name: kept from the first on, and refused where they change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.entsoe_files import PATH, document, period, series, xml
from support.http_server import LocalServer, Reply
from support.program_sources import SourceFile
from support.store_feed import open_observer

from dataportal.store.read.overview import open_reader
from dataportal.store.read.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import RunCli


MARCH_2 = "2017-03-01T23:00Z"
"""The day of delivery from which on Poland's prices were in PLN, until 2019-11-19."""
ZONE = {"dataset": "day_ahead_prices", "zone": "PL"}
BEFORE = ["--start", "2017-02-28T23:00Z", "--end", MARCH_2]
AFTER = ["--start", MARCH_2, "--end", "2017-03-02T23:00Z"]
BOTH = ["--start", "2017-02-28T23:00Z", "--end", "2017-03-02T23:00Z"]


def day_of_prices(start: str, end: str, currency: str, first: float) -> str:
    """A day of two prices, each of twelve hours of the same one."""
    return series(
        period(start, end, "PT60M", {1: first, 13: first + 1}, "price.amount"),
        curve="A03",
        **{"currency_Unit.name": currency, "price_Measure_Unit.name": "MWH"},
    )


EUR = day_of_prices("2017-02-28T23:00Z", MARCH_2, "EUR", 35.5)
PLN = day_of_prices(MARCH_2, "2017-03-02T23:00Z", "PLN", 150.25)


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """ENTSO-E of Poland, which answers whatever is asked for of two days."""
    with LocalServer() as server:

        def answer(request: Any) -> Reply:
            start, end = (request.query[name][0] for name in ("periodStart", "periodEnd"))
            parts = [EUR] if start < "201703012300" else []
            parts += [PLN] if end > "201703012300" else []
            return xml(document(*parts, kind="Publication"))

        server.answer(PATH, answer)
        yield server


def fetch(
    run_cli: RunCli, folder: Path, server: LocalServer, url: str, *options: str, **params: str
) -> dict[str, Any]:
    """Fetch the prices, with the exit code as `code`."""
    sources = SourceFile(folder)
    sources.add(
        "pl",
        "entsoe_plugin.EntsoeDataSourcePlugin",
        {"api_key": "t" * 36, "base_url": server.url + PATH, **ZONE, **params},
        {"max_window": "365 days"},
    )
    sources.write()
    done = run_cli("fetch", "pl", *options, "--json", env={"DATABASE_URL": url}, cwd=folder)
    (run,) = json.loads(done.stdout)["runs"]
    return {**run, "code": done.returncode}


def stored(url: str) -> list[float]:
    """The current values, in order of time."""
    with open_observer(url) as look:
        return [
            value for (value,) in look.execute("SELECT value FROM time_series_data ORDER BY ts")
        ]


def test_two_currencies_in_one_answer_are_refused(
    run_cli: RunCli, tmp_path: Path, server: LocalServer, database_url: str
) -> None:
    """Both are named, and nothing is stored."""
    run = fetch(run_cli, tmp_path, server, database_url, *BOTH)
    assert (run["code"], run["outcome"]) == (3, "failed")
    assert "values in EUR/MWH and in PLN/MWH" in run["error"]
    assert stored(database_url) == []


@pytest.mark.parametrize(("currency", "first"), [("EUR", 35.5), ("pln", 150.25)])
def test_a_currency_selects(
    run_cli: RunCli,
    tmp_path: Path,
    server: LocalServer,
    database_url: str,
    currency: str,
    first: float,
) -> None:
    """Of an answer that has two; nothing is stored at the times of the other."""
    run = fetch(run_cli, tmp_path, server, database_url, *BOTH, currency=currency)
    assert (run["code"], run["inserted"], run["withdrawn"]) == (0, 24, 0)
    assert stored(database_url) == [first] * 12 + [first + 1] * 12


def test_another_currency_than_before_is_refused(
    run_cli: RunCli, tmp_path: Path, server: LocalServer, database_url: str
) -> None:
    """An answer that has only that one; what is stored stays as it is, and nothing is withdrawn."""
    assert fetch(run_cli, tmp_path, server, database_url, *BEFORE)["code"] == 0
    run = fetch(run_cli, tmp_path, server, database_url, *AFTER)
    assert (run["code"], run["outcome"], run["rejected"]) == (3, "partial", 24)
    assert "the answer is in PLN/MWH, the series in EUR/MWH" in run["reason"]
    assert (run["withdrawn"], run["retracted"]) == (0, 0)
    assert len(stored(database_url)) == 24
    accepted = fetch(run_cli, tmp_path, server, database_url, *AFTER, "--accept-units")
    assert (accepted["code"], accepted["inserted"]) == (0, 24)
    back = fetch(run_cli, tmp_path, server, database_url, *BEFORE)
    assert "the answer is in EUR/MWH, the series in PLN/MWH" in back["reason"]


def test_prices_that_were_stored_in_another_currency_are_withdrawn(
    run_cli: RunCli, tmp_path: Path, server: LocalServer, database_url: str
) -> None:
    """As version 1.0 stored them: those of the times that the answer names, and they are named."""
    fetch(run_cli, tmp_path, server, database_url, *BEFORE)
    fetch(run_cli, tmp_path, server, database_url, *AFTER, "--accept-units")
    with open_observer(database_url) as look:
        look.execute("UPDATE time_series SET answer_unit = NULL")
        (at,) = look.execute("SELECT clock_timestamp()").fetchone() or (None,)
    assert len(stored(database_url)) == 48
    run = fetch(run_cli, tmp_path, server, database_url, *BOTH, currency="EUR")
    assert (run["code"], run["outcome"], run["withdrawn"]) == (0, "succeeded", 24)
    (warning,) = run["warnings"]
    assert "24 observations withdrawn, as the answer names them in PLN/MWH" in warning
    assert "2017-03-01T23:00:00Z to 2017-03-02T22:00:00Z" in warning
    assert stored(database_url) == [35.5] * 12 + [36.5] * 12
    with open_observer(database_url) as look:
        before = look.execute("SELECT count(*) FROM time_series_data_as_of(%s)", [at]).fetchone()
    assert before == (48,)
    with open_reader(database_url) as reader:
        assert list(verify(reader)) == []
    again = fetch(run_cli, tmp_path, server, database_url, *BOTH, currency="EUR")
    assert (again["outcome"], again["withdrawn"], again["warnings"]) == ("unchanged", 0, [])
    alone = fetch(run_cli, tmp_path, server, database_url, *AFTER, currency="EUR")
    assert (alone["code"], alone["outcome"]) == (0, "empty")


def test_a_currency_that_is_none_is_a_fault_of_the_entry(
    run_cli: RunCli, tmp_path: Path, server: LocalServer, database_url: str
) -> None:
    """It is told before anything is asked."""
    run = fetch(run_cli, tmp_path, server, database_url, *BOTH, currency="Euro")
    assert run["code"] != 0
    assert "currency must be three letters" in run["error"]
    assert not server.requests


def test_a_unit_selects_as_well(
    run_cli: RunCli, tmp_path: Path, server: LocalServer, database_url: str
) -> None:
    """What it is written as makes no difference."""
    run = fetch(run_cli, tmp_path, server, database_url, *BEFORE, unit=" mwh ")
    assert (run["code"], run["inserted"]) == (0, 24)
    other = fetch(run_cli, tmp_path, server, database_url, *BEFORE, unit="MAW")
    assert (other["inserted"], other["withdrawn"]) == (0, 24)


def eia(unit: str, value: float) -> Any:
    """An hour of demand."""
    facets = {"respondent": "PJM", "type": "D", "period": "2025-01-01T01"}
    row = {**facets, "value": value, "value-units": unit}
    return {"response": {"total": 1, "data": [row]}}


def open_meteo(unit: str, value: float) -> Any:
    """An hour of the archive."""
    hourly = {"time": [1735689600], "temperature_2m": [value]}
    units = {"time": "unixtime", "temperature_2m": unit}
    return {"utc_offset_seconds": 0, "hourly_units": units, "hourly": hourly}


def energy_charts(unit: str, value: float) -> Any:
    """A price."""
    return {"unix_seconds": [1735689600], "price": [value], "unit": unit}


def open_electricity(unit: str, value: float) -> Any:
    """A metric, as OpenElectricity has it: the unit stands around its results."""
    rows = [{"interval": "2025-01-01T00:00:00Z", "value": value}]
    return {"data": [{"metric": "power", "unit": unit, "results": rows}]}


SAY_UNITS: dict[str, tuple[str, dict[str, Any], Any, str, str]] = {
    "eia": (
        "eia_plugin.EiaDataSourcePlugin",
        {"route": "region-data", "respondent": "PJM", "type": "D", "api_key": "k" * 40},
        eia,
        "megawatthours",
        "gigawatthours",
    ),
    "open-meteo": (
        "open_meteo_plugin.OpenMeteoArchiveDataSourcePlugin",
        {"latitude": 52.5, "longitude": 13.4, "hourly": "temperature_2m"},
        open_meteo,
        "°C",
        "°F",
    ),
    "energy-charts": (
        "energy_charts_plugin.EnergyChartsDataSourcePlugin",
        {"endpoint": "price", "bzn": "PL"},
        energy_charts,
        "EUR / MWh",
        "PLN / MWh",
    ),
    "described": (
        "http_plugin.HttpJsonPlugin",
        {
            "rows": "data[].results[]",
            "fields": {"of_metric": {"parent": "unit"}},
            "ts": "interval",
            "value": "value",
            "unit": "of_metric",
            "paging": "none",
        },
        open_electricity,
        "MW",
        "GW",
    ),
}
"""By names: the class, its parameters, its answer, its unit and another one."""


@pytest.mark.parametrize("name", SAY_UNITS)
def test_whoever_names_a_unit_is_held_to_it(
    run_cli: RunCli, tmp_path: Path, database_url: str, name: str
) -> None:
    """The first one is kept; another spelling is none, another unit refused, and nothing goes."""
    kind, params, answer, unit, other = SAY_UNITS[name]
    says = [Reply()]
    with LocalServer(otherwise=lambda _: says[0]) as server:
        address = "url" if name == "described" else "base_url"
        sources = SourceFile(tmp_path)
        sources.add("one", kind, {**params, address: server.url}, {"max_window": "365 days"})
        sources.write()

        def run(unit: str, value: float) -> dict[str, Any]:
            says[0] = Reply.json(answer(unit, value))
            window = ["--start", "2025-01-01T00:00Z", "--end", "2025-01-01T01:00Z"]
            env = {"DATABASE_URL": database_url}
            done = run_cli("fetch", "one", *window, "--json", env=env, cwd=tmp_path)
            (told,) = json.loads(done.stdout)["runs"]
            return {**told, "code": done.returncode}

        assert run(unit, 1.5)["inserted"] == 1
        spelled = run(unit.upper().replace(" ", ""), 2.5)
        assert (spelled["code"], spelled["revised"]) == (0, 1)
        refused = run(other, 2500)
        assert (refused["code"], refused["outcome"], refused["rejected"]) == (3, "partial", 1)
        assert f"the answer is in {other}, the series in {unit}" in refused["reason"]
        assert (refused["withdrawn"], refused["retracted"]) == (0, 0)
    assert stored(database_url) == [2.5]


def test_a_power_of_ten_that_changes_is_refused(
    run_cli: RunCli, tmp_path: Path, database_url: str
) -> None:
    """A table of the European Central Bank: first in millions, then in thousands of euros."""
    header = "KEY,FREQ,TIME_PERIOD,OBS_VALUE,UNIT,UNIT_MULT\n"
    with LocalServer() as server:
        url = server.answer("/bsi", Reply(200, f"{header}a,M,2024-01,15.5,EUR,6\n".encode()))
        sources = SourceFile(tmp_path)
        sources.add(
            "m1",
            "http_plugin.HttpCsvPlugin",
            {
                "url": url,
                "ts": "TIME_PERIOD",
                "time_format": "period",
                "value": "OBS_VALUE",
                "paging": "none",
            },
            {"timezone": "Europe/Berlin", "max_window": "3650 days"},
        )
        sources.write()

        def run(*options: str) -> dict[str, Any]:
            begin = ["--start", "2023-12-31T23:00Z", "--end", "2024-03-31T22:00Z"]
            env = {"DATABASE_URL": database_url}
            done = run_cli("fetch", "m1", *begin, *options, "--json", env=env, cwd=tmp_path)
            (told,) = json.loads(done.stdout)["runs"]
            return {**told, "code": done.returncode}

        assert run()["inserted"] == 1
        server.answer(
            "/bsi", Reply(200, f"{header}a,M,2024-02,15600,EUR,3\na,M,2024-03,,,\n".encode())
        )
        refused = run()
        assert (refused["code"], refused["inserted"], refused["rejected"]) == (3, 0, 2)
        assert "the answer is in 10^3 EUR, the series in 10^6 EUR" in refused["reason"]
        assert stored(database_url) == [15.5]
        shown = run_cli("history", "m1", "--json", env={"DATABASE_URL": database_url}, cwd=tmp_path)
        assert json.loads(shown.stdout)["series"]["answer_unit"] == "10^6 EUR"
