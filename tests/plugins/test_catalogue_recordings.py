"""Entries of the catalogue that say `checked: recording` read the real answers, to the value.

Each is taken as it is shipped, but for its host. The answers lie beside the checkout; where they
are not at hand, the tests are left out.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import LocalServer, Reply
from support.provider_replays import FOLDER, Replay, needs_answers
from support.recordings import needs_recordings, recording

from dataportal.config import build_plugin, load
from dataportal.config.includes import catalogue_files
from dataportal.observations import clean
from dataportal.plugins.http import HttpClient
from dataportal.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.http_server import Request

    from dataportal.config import Source

SOURCES = {
    source.name: source
    for name in catalogue_files()
    for source in load(Path("x"), {}, text=f"include: {name}").sources
}
RECORDED = {
    source.name
    for source in SOURCES.values()
    if any(series.metadata.get("checked") == "recording" for series in source.series)
}


@dataclass(frozen=True, slots=True)
class Answers:
    """A set of answers with what must become of them.

    Attributes:
        name: of the folder.
        series: the names that its series have in the catalogue.
    """

    name: str
    series: Mapping[str, str]


SETS = {
    "aemo-demand-forecast": Answers(
        "aemo",
        {f"aemo-{r}-demand": f"aemo-demand-forecast-poe50-{r}" for r in ("nsw1", "vic1")},
    ),
    "ercot-load-forecast": Answers(
        "ercot",
        {
            "ercot-forecast-north": "ercot-load-forecast-north",
            "ercot-forecast-systemtotal": "ercot-load-forecast-total",
        },
    ),
    "iso-ne-wind-forecast": Answers(
        "isone-forecast",
        {"isone-wind-forecast": "iso-ne-wind-forecast"},
    ),
    "nord-pool-day-ahead": Answers("nordpool", {"nordpool-se4-price": "nord-pool-price-se4"}),
    "epias-generation": Answers(
        "epias",
        {"epias-wind": "epias-generation-wind", "epias-generation": "epias-generation-total"},
    ),
    "chugoku-balance": Answers(
        "chugoku",
        {
            "chugoku-demand": "chugoku-demand",
            "chugoku-demand-forecast": "chugoku-demand-forecast",
        },
    ),
    "eco2mix-market-prices": Answers(
        "eco2mix",
        {
            "eco2mix-fr-price": "eco2mix-price-fr",
            "eco2mix-delu-price": "eco2mix-price-de-lu",
        },
    ),
    "ecb-more-exchange-rates": Answers("ecb-json", {"ecb-nzd": "ecb-nzd-per-eur"}),
}
"""Of sources whose answers have an expected.json."""


@needs_answers
@pytest.mark.parametrize("name", SETS)
def test_the_values_of_recorded_answers_are_read(name: str) -> None:
    """All those that the folder says, at their times, for the window that it names."""
    answers = SETS[name]
    replay = Replay(answers.name)
    expected = replay.expected
    window = expected["window"]["start"], expected["window"]["end"]
    names = set(answers.series.values())
    source = _of_series(SOURCES[name], names)
    env = dict(zip(source.requires_env, expected.get("env", {}).values(), strict=True))
    with LocalServer(otherwise=lambda request: _recorded(replay, answers, request)) as server:
        replay.address = server.url
        values = _values(source, server.url, window, env)
    assert not replay.misfits
    for theirs, ours in answers.series.items():
        within = {ts: v for ts, v in values[ours].items() if window[0] <= ts < window[1]}
        assert within == pytest.approx(expected["series"][theirs], rel=1e-12), ours


def _recorded(replay: Replay, answers: Answers, request: Request) -> Reply:
    reply = replay.reply(request)
    if reply.status == 599 and answers.name == "ecb-json":
        # asked for more currencies than the recorded answer has
        replay.misfits.clear()
        body = (FOLDER / answers.name / "exr.json").read_bytes()
        return Reply(body=body, content_type="application/json")
    return reply


def _of_series(source: Source, names: set[str]) -> Source:
    """The source with these of its series, as the recorded answer has no others."""
    return replace(source, series=tuple(s for s in source.series if s.endpoint_prefix in names))


def _values(
    source: Source, address: str, window: tuple[str, str | None], env: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """The values of each series by their times, asked of a server in place of the provider."""
    text = re.sub(r"https?://[^/\"\s]+", address, json.dumps(source.params))
    params = json.loads(text)
    if not source.module.endswith(".http_plugin"):
        params["base_url"] = address
    params.pop("per_minute", None)
    built = build_plugin(replace(source, params=params), env=env, root=Path())
    plugin: Any = built.plugin

    async def ask() -> Any:
        plugin.http = HttpClient(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        try:
            if source.is_group:
                return await plugin.get_historical_data_multi(*window)
            return {source.name: await plugin.get_historical_data(*window)}
        finally:
            await plugin.http.aclose()

    names = [series.endpoint_prefix for series in source.series]
    batch = clean(asyncio.run(ask()), series=names, start=None, end=None, zone=built.limits.zone)
    assert not batch.rejections
    return {
        name: {
            iso(ts): value
            for ts, value in zip(points.ts, points.values, strict=True)
            if value is not None
        }
        for name, points in batch.series.items()
    }


def test_every_claim_of_a_recording_is_tested() -> None:
    """Each source of described APIs by a replay of its own, each plugin by one at least."""
    described = {name for name in RECORDED if SOURCES[name].module.endswith(".http_plugin")}
    assert described == {*SETS, *(name for name in OWN if name in described)}
    plugins = {SOURCES[name].class_name for name in RECORDED - described}
    assert plugins == {SOURCES[name].class_name for name in OWN if name not in described}


@dataclass(frozen=True, slots=True)
class Own:
    """A recorded answer of one source.

    Attributes:
        reply: the answer to a request, by its path.
        window: what is asked for.
        values: some of what must be read, by hand from the answer.
        params: parameters that the recorded request had otherwise.
    """

    reply: Callable[[Request], Reply]
    window: tuple[str, str | None]
    values: Mapping[str, Mapping[str, float]]
    params: Mapping[str, Any] = field(default_factory=dict)


def _file(name: str, kind: str = "application/json") -> Callable[[Request], Reply]:
    def reply(request: Request) -> Reply:
        return Reply(body=recording(name), content_type=kind)

    return reply


def _energinet(request: Request) -> Reply:
    answer = json.loads(recording("energidataservice_dk/ElectricityProdex5MinRealtime.json"))
    # it was asked for without a window, and is the first page of twenty thousand
    return Reply.json({**answer, "total": len(answer["records"])})


def _smard(request: Request) -> Reply:
    if "/index_" in request.path:
        return Reply.json({"timestamps": [1705878000000]})
    name = "5097_DE_quarterhour_1705878000000__created_20240126T171139Z.json"
    return Reply(body=recording(f"smard/forecast_5097_2024w04/{name}"))


def _entsoe(request: Request) -> Reply:
    kinds = {"A65": "DK-DK1_consumption", "A44": "FR_prices", "A75": "FI_production"}
    name = kinds[request.query["documentType"][0]]
    return Reply(body=recording(f"entsoe/{name}.xml"), content_type="text/xml")


def _fred(request: Request) -> Reply:
    if request.path.endswith("/vintagedates"):
        return Reply(body=recording("alfred/GDP_vintagedates.json"))
    if request.path.endswith("/series"):
        return Reply(body=recording("fred/GDP_series_info.json"))
    return Reply(body=recording("alfred/GDP_asof_2019-01-01.json"))


OWN = {
    "smard-5097-de-quarterhour": Own(
        _smard,
        ("2024-01-21T23:00:00Z", "2024-01-28T23:00:00Z"),
        {
            "smard-5097-de-quarterhour": {
                "2024-01-21T23:00:00Z": 10813.75,
                "2024-01-21T23:15:00Z": 10854.25,
            }
        },
    ),
    "entsoe-load": Own(
        _entsoe,
        ("2020-01-01T00:00:00Z", None),
        {"entsoe-load-dk1": {"2023-12-28T15:00:00Z": 3031.0, "2023-12-28T16:00:00Z": 3152.0}},
    ),
    "entsoe-day-ahead-prices": Own(
        _entsoe,
        ("2020-01-01T00:00:00Z", None),
        {"entsoe-price-fr": {"2023-05-06T22:00:00Z": 106.78, "2023-05-07T00:00:00Z": 90.0}},
    ),
    "fred-gdp": Own(
        _fred, ("2000-01-01T00:00:00Z", None), {"fred-gdp": {"2018-07-01T00:00:00Z": 20658.204}}
    ),
    "eia-demand": Own(
        _file("eia/region-data_AEC_D_2019-01-02T00.json"),
        ("2019-01-01T00:00:00Z", "2019-01-03T00:00:00Z"),
        {"eia-demand-aec": {"2019-01-01T23:00:00Z": 486.0}},
    ),
    "eia-generation-aec": Own(
        _file("eia/fuel-type-data_AEC_COL_2019-01-02T00.json"),
        ("2019-01-01T00:00:00Z", "2019-01-03T00:00:00Z"),
        {"eia-generation-aec-coal": {"2019-01-01T23:00:00Z": -3.0}},
    ),
    "energy-charts-prices": Own(
        _file("energy_charts/price_DE-LU_2024-05-04.json"),
        ("2024-05-03T22:00:00Z", "2024-05-04T22:00:00Z"),
        {
            "energy-charts-price-de-lu": {
                "2024-05-03T22:00:00Z": 90.8,
                "2024-05-04T12:00:00Z": 13.34,
            }
        },
    ),
    "open-meteo-forecasts": Own(
        _file("open_meteo/open_meteo_forecast.json"),
        ("2026-07-22T00:00:00Z", "2026-07-25T00:00:00Z"),
        {
            "open-meteo-berlin-temperature": {"2026-07-23T00:00:00Z": 12.0},
            # of the hour before the stamp
            "open-meteo-berlin-radiation": {"2026-07-23T09:00:00Z": 692.8},
        },
    ),
    "open-meteo-archive": Own(
        _file("open_meteo/open_meteo_archive_2024-03-30_2024-03-31.json"),
        ("2024-03-30T00:00:00Z", "2024-04-01T00:00:00Z"),
        {
            "open-meteo-archive-berlin-temperature": {"2024-03-30T00:00:00Z": 12.0},
            "open-meteo-archive-berlin-radiation": {"2024-03-30T09:00:00Z": 692.8},
        },
    ),
    "citybikes-velib": Own(
        _file("citybikes/network_citybike-wien_2017-05-30.json"),
        ("2017-05-29T00:00:00Z", None),
        {"citybikes-velib-bikes": {"2017-05-30T13:37:46.772000Z": 1253.0}},
        {"network": "citybike-wien"},
    ),
    "elia-generation": Own(
        _file("ods/elia_production__v21_records.json"),
        ("2024-01-01T00:00:00Z", "2024-01-01T02:00:00Z"),
        {"elia-nuclear": {"2024-01-01T01:45:00Z": 3947.71, "2024-01-01T01:00:00Z": 3948.0}},
    ),
    "energinet-production": Own(
        _energinet,
        ("2025-02-21T15:00:00Z", "2025-02-21T20:00:00Z"),
        {
            "energinet-dk1-solar": {"2025-02-21T19:10:00Z": 7.38},
            "energinet-dk1-wind-offshore": {"2025-02-21T19:10:00Z": 1502.01001},
        },
    ),
}
"""Of sources whose answers were written down without one."""


@needs_recordings
@pytest.mark.parametrize("name", OWN)
def test_values_of_recorded_answers_are_those_that_people_read(name: str) -> None:
    """A few by hand; nothing of the answer is refused."""
    own = OWN[name]
    source = _of_series(SOURCES[name], set(own.values))
    source = replace(source, params={**source.params, **own.params})
    env = dict.fromkeys(source.requires_env, "a-key-of-nobody")
    with LocalServer(otherwise=own.reply) as server:
        values = _values(source, server.url, own.window, env)
    for series, expected in own.values.items():
        assert expected
        assert {ts: values[series].get(ts) for ts in expected} == expected
