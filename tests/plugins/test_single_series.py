"""A group's plugin for a source of one series: the same points, faults and defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.conformance_kits import PLUGIN_MODULES, all_kits, plugin_classes
from support.http_server import Reply
from support.plugin_calls import UNPACED, fetch, group, single, values

from dataportal.errors import BadDataError, PermanentError
from dataportal.plugins.base_plugin import TimeSeriesDefinition, TimeSeriesMetadata
from dataportal.plugins.data_sources.energy_charts_plugin import EnergyChartsDataSourcePlugin
from dataportal.plugins.data_sources.fred_plugin import FredDataSourcePlugin
from dataportal.plugins.readers.single_series import SingleSeriesPlugin
from dataportal.testing import Provider

if TYPE_CHECKING:
    from support.conformance_kits import Kit
    from support.http_server import LocalServer

    from dataportal.plugins.base_plugin import BasePlugin, MultiSeriesPlugin

PLUGINS = [
    cls
    for module in PLUGIN_MODULES
    for cls in sorted(plugin_classes(module), key=lambda cls: cls.__name__)
    if issubclass(cls, SingleSeriesPlugin)
]
KITS = [kit for kit in all_kits() if kit.conformance.plugin in PLUGINS]
KEY = "c4n4ry-key"
ELSEWHERE = Provider("http://127.0.0.1:1", KEY)
PREFIX = "extract_filter of it: "
POWER = {"endpoint": "public_power", "country": "de", "production_type": "Solar", **UNPACED}


def answer(**data: Any) -> Reply:
    """Of Energy-Charts: one interval of each type."""
    rows = [{"name": name, "data": [value]} for name, value in data.items()]
    return Reply.json({"unix_seconds": [1714773600], "production_types": rows})


@pytest.mark.parametrize("kind", PLUGINS)
def test_limits_are_those_of_the_group(kind: type[SingleSeriesPlugin]) -> None:
    """How far back and ahead does not depend on how many series there are."""
    assert kind.source_defaults == kind.group.source_defaults


def test_points_are_those_of_the_group(server: LocalServer) -> None:
    """All that is said of the series stands among the parameters."""
    server.answer("/public_power", answer(Solar=7.5, Load=1))
    params = {**POWER, "base_url": server.url}
    alone = values(fetch(single(EnergyChartsDataSourcePlugin, params)))
    assert alone == values(fetch(group(EnergyChartsDataSourcePlugin.group, params, {"it": {}})))
    assert alone == {"it": {"2024-05-03T22:00:00Z": 7.5}}


def test_why_a_series_has_no_points_is_raised(server: LocalServer) -> None:
    """As there is no other one to be kept."""
    server.answer("/public_power", answer(Load=1))
    with pytest.raises(BadDataError, match="has no 'Solar', but Load; it begins"):
        fetch(single(EnergyChartsDataSourcePlugin, {**POWER, "base_url": server.url}))


def test_nothing_is_no_failure(server: LocalServer) -> None:
    """Where the group's plugin leaves the series out."""
    server.answer("/public_power", Reply.json({"detail": "no content available"}, 404))
    batch = fetch(single(EnergyChartsDataSourcePlugin, {**POWER, "base_url": server.url}))
    assert values(batch) == {"it": {}}


def _fault(kind: type[BasePlugin | MultiSeriesPlugin], *arguments: Any) -> str:
    """What a plugin says of its parameters; nothing if it takes them."""
    try:
        kind(*arguments)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kit", KITS, ids=str)
def test_faults_do_not_speak_of_what_is_not_there(kit: Kit) -> None:
    """A single series has no extract_filter; but for that its faults are those of the group."""
    kind = kit.conformance.plugin
    assert issubclass(kind, SingleSeriesPlugin)
    params = kit.conformance.params(ELSEWHERE)
    faults = {}
    for name in params:
        without = {key: value for key, value in params.items() if key != name}
        for changed in (without, {**params, name: "?"}):
            of_one = _fault(kind, TimeSeriesMetadata("it"), changed)
            of_group = _fault(kind.group, "it", changed, [TimeSeriesDefinition("it")], "")
            assert of_one == of_group.replace(PREFIX, "")
            assert "extract_filter" not in of_one
            faults[of_group] = of_one
    assert any(faults.values())
    assert any("is missing" in fault or "must be a name" in fault for fault in faults.values())


@pytest.mark.parametrize(
    "kit",
    [
        kit
        for kit in all_kits()
        # FRED's key is passed on as it is written
        if kit.conformance.plugin is not FredDataSourcePlugin
        and kit.conformance.params(ELSEWHERE).get("api_key") == KEY
    ],
    ids=str,
)
def test_a_line_break_is_no_part_of_a_key(server: LocalServer, kit: Kit) -> None:
    """It is often behind one that was read from a file, and would get it refused."""
    with pytest.raises(PermanentError):
        fetch(kit.plugin(Provider(server.url, f"{KEY}\n")))
    assert server.requests
    for request in server.requests:
        sent = [value for values in request.query.values() for value in values if KEY in value]
        sent += [value for value in request.headers.values() if KEY in value]
        assert sent == [KEY]
