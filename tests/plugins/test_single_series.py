"""A group's plugin for a source of one series: the same points, faults and defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply
from support.plugin_calls import UNPACED, asked, group, single, values

from dataportal.errors import BadDataError, PermanentError
from dataportal.plugins.data_sources.citybikes_plugin import CityBikesDataSourcePlugin
from dataportal.plugins.data_sources.eia_plugin import EiaDataSourcePlugin
from dataportal.plugins.data_sources.energy_charts_plugin import EnergyChartsDataSourcePlugin
from dataportal.plugins.data_sources.fingrid_plugin import FingridDataSourcePlugin
from dataportal.plugins.data_sources.open_meteo_plugin import (
    OpenMeteoArchiveDataSourcePlugin,
    OpenMeteoForecastDataSourcePlugin,
)
from dataportal.plugins.data_sources.tankerkoenig_plugin import TankerkoenigDataSourcePlugin

if TYPE_CHECKING:
    from support.http_server import LocalServer

    from dataportal.plugins.base_plugin import BasePlugin
    from dataportal.plugins.readers.single_series import SingleSeriesPlugin

EVERY: list[type[SingleSeriesPlugin]] = [
    CityBikesDataSourcePlugin,
    EiaDataSourcePlugin,
    EnergyChartsDataSourcePlugin,
    OpenMeteoArchiveDataSourcePlugin,
    OpenMeteoForecastDataSourcePlugin,
    TankerkoenigDataSourcePlugin,
]
POWER = {"endpoint": "public_power", "country": "de", "production_type": "Solar", **UNPACED}


def answer(**data: Any) -> Reply:
    """Of Energy-Charts: one interval of each type."""
    rows = [{"name": name, "data": [value]} for name, value in data.items()]
    return Reply.json({"unix_seconds": [1714773600], "production_types": rows})


@pytest.mark.parametrize("kind", EVERY)
def test_limits_are_those_of_the_group(kind: type[SingleSeriesPlugin]) -> None:
    """How far back and ahead does not depend on how many series there are."""
    assert kind.source_defaults == kind.group.source_defaults


def test_points_are_those_of_the_group(server: LocalServer) -> None:
    """All that is said of the series stands among the parameters."""
    server.answer("/public_power", answer(Solar=7.5, Load=1))
    params = {**POWER, "base_url": server.url}
    alone = values(asked(single(EnergyChartsDataSourcePlugin, params)))
    assert alone == values(asked(group(EnergyChartsDataSourcePlugin.group, params, {"it": {}})))
    assert alone == {"it": {"2024-05-03T22:00:00Z": 7.5}}


def test_why_a_series_has_no_points_is_raised(server: LocalServer) -> None:
    """As there is no other one to be kept."""
    server.answer("/public_power", answer(Load=1))
    with pytest.raises(BadDataError, match="has no 'Solar', but Load; it begins"):
        asked(single(EnergyChartsDataSourcePlugin, {**POWER, "base_url": server.url}))


def test_nothing_is_no_failure(server: LocalServer) -> None:
    """Where the group's plugin leaves the series out."""
    server.answer("/public_power", Reply.json({"detail": "no content available"}, 404))
    found = asked(single(EnergyChartsDataSourcePlugin, {**POWER, "base_url": server.url}))
    assert values(found) == {"it": {}}


@pytest.mark.parametrize("kind", EVERY)
def test_faults_do_not_speak_of_what_is_not_there(kind: type[SingleSeriesPlugin]) -> None:
    """A single series has no extract_filter."""
    needed = {"network": "a", "api_key": "k", "route": "region-data", "endpoint": "price"}
    takes = {
        CityBikesDataSourcePlugin: {"network", "value"},
        EiaDataSourcePlugin: {"api_key", "route"},
        EnergyChartsDataSourcePlugin: {"endpoint"},
        TankerkoenigDataSourcePlugin: {"api_key"},
    }.get(kind, set())
    params = {name: value for name, value in {**needed, "value": "?"}.items() if name in takes}
    with pytest.raises(ValueError, match=r"is missing|must be a name") as raised:
        single(kind, params)
    assert "extract_filter" not in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        (EiaDataSourcePlugin, {"route": "region-data", "respondent": "PJM", "type": "D"}),
        (OpenMeteoForecastDataSourcePlugin, {"hourly": "rain", "latitude": 1, "longitude": 1}),
        (TankerkoenigDataSourcePlugin, {"station": "a", "fuel": "e5"}),
        (FingridDataSourcePlugin, {"dataset_id": 124}),
    ],
)
def test_a_line_break_is_no_part_of_a_key(
    server: LocalServer, kind: type[BasePlugin], params: dict[str, Any]
) -> None:
    """It is often behind one that was read from a file, and would get it refused."""
    own = {**params, "api_key": "c4n4ry-key\n", "base_url": server.url}
    with pytest.raises(PermanentError):
        asked(single(kind, own))
    (request,) = server.requests
    told = [*request.query.get("api_key", []), *request.query.get("apikey", [])]
    assert [*told, *filter(None, [request.headers.get("x-api-key")])] == ["c4n4ry-key"]
