"""Figures that providers published, as the plugins read them: value for value, time for time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.elexon_files import stream
from support.http_server import Reply
from support.plugin_calls import UNPACED, fetch, group, values
from support.published_figures import GENERATION, INTERCHANGE, PRICES

from dataportal.plugins.data_sources.eia_plugin import EiaMultiSeriesPlugin
from dataportal.plugins.data_sources.elexon_plugin import ElexonMultiSeriesPlugin
from dataportal.plugins.data_sources.energy_charts_plugin import EnergyChartsMultiSeriesPlugin

if TYPE_CHECKING:
    from support.http_server import LocalServer

KEY = "c4n4ry-of-a-key"


@pytest.mark.parametrize("zone", PRICES)
def test_prices_of_energy_charts(server: LocalServer, zone: str) -> None:
    """336 of them, hours and quarters of an hour, from midnight in Berlin and Vienna on."""
    figures = PRICES[zone]
    stamps = [
        int((figures.start + n * figures.step).timestamp()) for n in range(len(figures.values))
    ]
    document = {
        "license_info": "CC BY 4.0 (creativecommons.org/licenses/by/4.0)",
        "unix_seconds": stamps,
        "price": figures.values,
        "unit": "EUR / MWh",
        "deprecated": False,
    }
    server.answer("/price", Reply.json(document))
    params = {"endpoint": "price", "base_url": server.url, **UNPACED}
    batch = fetch(
        group(EnergyChartsMultiSeriesPlugin, params, {"it": {"bzn": zone[:5].strip(",")}})
    )
    assert values(batch)["it"] == figures.points
    assert batch.series["it"].statement is not None
    assert batch.series["it"].statement.unit == "EUR / MWh"


def test_there_are_enough_prices_of_energy_charts() -> None:
    """Three answers, with two resolutions."""
    assert sum(len(figures.values) for figures in PRICES.values()) == 336
    assert {figures.step for figures in PRICES.values()} == {
        timedelta(hours=1),
        timedelta(minutes=15),
    }


@pytest.mark.parametrize("border", INTERCHANGE)
def test_interchange_of_eia(server: LocalServer, border: tuple[str, str]) -> None:
    """Each hour begins an hour before its label, and keeps its sign."""
    figures = INTERCHANGE[border]
    hour = figures.step
    rows = [
        {
            "period": f"{figures.start + (n + 1) * hour:%Y-%m-%dT%H}",
            "fromba": border[0],
            "toba": border[1],
            "value": value,
            "value-units": "megawatthours",
        }
        for n, value in enumerate(figures.values)
    ]
    server.answer(
        "/v2/electricity/rto/interchange-data/data/",
        Reply.json({"response": {"total": len(rows), "data": rows}, "apiVersion": "2.1.4"}),
    )
    params = {
        "route": "interchange-data",
        "api_key": KEY,
        "base_url": f"{server.url}/v2",
        **UNPACED,
    }
    filters = {"it": {"fromba": border[0], "toba": border[1]}}
    batch = fetch(group(EiaMultiSeriesPlugin, params, filters))
    assert values(batch)["it"] == figures.points
    assert batch.series["it"].statement is not None
    assert batch.series["it"].statement.unit == "megawatthours"


@pytest.mark.parametrize(("dataset", "fuel"), GENERATION)
def test_generation_of_elexon(server: LocalServer, dataset: str, fuel: str) -> None:
    """By the begin of the interval, with the time of publication: the end of it."""
    start, published, value = GENERATION[dataset, fuel]
    row = {
        "dataset": dataset,
        "publishTime": published,
        "startTime": start,
        "settlementDate": "2026-05-06",
        "settlementPeriod": 8,
        "fuelType": fuel,
        "generation": int(value),
    }
    server.answer(stream(dataset), Reply.json([row]))
    params = {"dataset": dataset, "base_url": server.url, **UNPACED}
    batch = fetch(
        group(ElexonMultiSeriesPlugin, params, {"it": {"fuelType": fuel}}),
        start,
        published,
    )
    assert values(batch)["it"] == {start: value}
    assert batch.series["it"].published == [datetime.fromisoformat(published)]
