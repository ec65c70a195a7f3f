"""Real answers to the plugins of one provider each: recordings, and figures in the same form.

It is long as each provider has its own form, and what stands in it is worked out anew.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from support.http_server import Reply
from support.plugin_calls import UNPACED, fetch, group, single, values
from support.published_figures import (
    BORDERS_OF_CALIFORNIA,
    GENERATION,
    HOURS_OF_FUELS,
    INTERCHANGE,
    PRICES,
)
from support.real_answer import (
    RealAnswer,
    read_figures,
    utc_text,
)
from support.recordings import RECORDINGS, recording, recording_json

from dataportal.plugins.data_sources.citybikes_plugin import CityBikesMultiSeriesPlugin
from dataportal.plugins.data_sources.eia_plugin import EiaMultiSeriesPlugin
from dataportal.plugins.data_sources.elexon_plugin import ElexonMultiSeriesPlugin
from dataportal.plugins.data_sources.energy_charts_plugin import EnergyChartsMultiSeriesPlugin
from dataportal.plugins.data_sources.entsoe_plugin import EntsoeMultiSeriesPlugin
from dataportal.plugins.data_sources.fingrid_plugin import FingridDataSourcePlugin
from dataportal.plugins.data_sources.fred_plugin import FredDataSourcePlugin
from dataportal.plugins.data_sources.open_meteo_plugin import (
    OpenMeteoArchiveMultiSeriesPlugin,
    OpenMeteoForecastMultiSeriesPlugin,
)
from dataportal.plugins.data_sources.smard_plugin import SmardDataSourcePlugin
from dataportal.plugins.data_sources.tankerkoenig_plugin import TankerkoenigMultiSeriesPlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from support.http_server import LocalServer, Request
    from support.plugin_calls import Series
    from support.real_answer import Values

_KEY = "c4n4ry-of-a-key"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR, _QUARTER = timedelta(hours=1), timedelta(minutes=15)
_CHICAGO = ZoneInfo("America/Chicago")

_SMARD_NAME = re.compile(r"(\d+)_([A-Z-]+)_([a-z]+)_(\d+)")


def _smard(index: str, *files: str) -> RealAnswer:
    """Files of a series; `index` is the recorded index, or empty for one with their stamps."""
    matches = [_SMARD_NAME.match(Path(name).name) for name in files]
    parts = [match.groups() for match in matches if match]
    number, region, resolution, _ = parts[0]
    stamps = [int(stamp) for *_, stamp in parts]

    def read(server: LocalServer) -> Values:
        place = f"/{number}/{region}/"
        body = recording(index) if index else json.dumps({"timestamps": stamps}).encode()
        server.answer(f"{place}index_{resolution}.json", Reply(body=body))
        for name, stamp in zip(files, stamps, strict=True):
            file = f"{place}{number}_{region}_{resolution}_{stamp}.json"
            server.answer(file, Reply(body=recording(name)))
        params = {"filter": int(number), "region": region, "resolution": resolution}
        plugin = single(SmardDataSourcePlugin, {**params, "base_url": server.url})
        first = _EPOCH + timedelta(milliseconds=stamps[0])
        last = _EPOCH + timedelta(milliseconds=recording_json(files[-1])["series"][-1][0] + 1)
        return values(fetch(plugin, utc_text(first), utc_text(last)))

    def expected() -> Values:
        pairs = [pair for name in files for pair in recording_json(name)["series"]]
        return {"it": {utc_text(_EPOCH + timedelta(milliseconds=ms)): value for ms, value in pairs}}

    names = (*filter(None, [index]), *files)
    return RealAnswer("smard", read, expected, names, answers=len(files))


def _smard_answers() -> Iterable[tuple[str, RealAnswer]]:
    folder = "smard/revisions_2025w25/"
    for number, created in (
        *(("1223", c) for c in ("20250617T152323Z", "20250622T195226Z")),
        *(("4067", c) for c in ("20250617T152324Z", "20250622T193738Z")),
        *(("4068", c) for c in ("20250617T152324Z", "20250622T195155Z")),
        *(("4071", c) for c in ("20250617T145212Z", "20250617T152325Z", "20250622T193708Z")),
    ):
        name = f"{folder}{number}_DE_quarterhour_1750024800000__created_{created}.json"
        yield f"smard {number} of {created}", _smard("", name)
    folder = "smard/forecast_5097_2024w04/5097_DE_quarterhour_1705878000000__created_"
    for created in ("20240124T170258Z", "20240125T174935Z"):
        yield f"smard 5097 of {created}", _smard("", f"{folder}{created}.json")
    index = "smard/5097_DE_index_quarterhour_full.json"
    yield "smard 5097, last of its index", _smard(index, f"{folder}20240126T171139Z.json")
    folder = "smard/energy_platform/410_DE_"
    stamps = ("1711321200000", "1711922400000", "1712527200000", "1713132000000")
    files = [f"{folder}hour_{stamp}.json" for stamp in stamps]
    yield "smard 410", _smard(f"{folder}index_hour.json", *files)
    folder = "smard/day_resolution/5097_DE_"
    name = f"{folder}day_1704063600000__created_20240129T170636Z.json"
    yield "smard 5097, days", _smard(f"{folder}index_day.json", name)


def _own_text(element: ET.Element, name: str) -> str:
    for child in element.iter():
        if child.tag.rpartition("}")[2] == name:
            return (child.text or "").strip()
    return ""


def _entsoe(
    name: str, dataset: str, filters: Mapping[str, Mapping[str, str]], value: str = "quantity"
) -> RealAnswer:
    """A document; the filters are by the types of plants in it, or by an empty name."""
    file = f"entsoe/{name}.xml"

    def read(server: LocalServer) -> Values:
        server.answer("/api", Reply(body=recording(file), content_type="text/xml"))
        params = {"api_key": _KEY, "base_url": f"{server.url}/api", "dataset": dataset, **UNPACED}
        plugin = group(EntsoeMultiSeriesPlugin, params, filters)
        # a year at most is one request
        instants = re.findall(rb"<start>([^<]+)|<end>([^<]+)", recording(file)) or [
            (b"2025-10-01T22:00Z",)
        ]
        texts = sorted(text.decode() for pair in instants for text in pair if text)
        first, last = (datetime.fromisoformat(text) for text in (texts[0], texts[-1]))
        return values(fetch(plugin, utc_text(first), utc_text(last + _HOUR)))

    def expected() -> Values:
        by_type: Values = {series: {} for series in filters}
        for series in ET.fromstring(recording(file)).iter():  # noqa: S314 - a recording
            if series.tag.rpartition("}")[2] != "TimeSeries":
                continue
            own = by_type[_own_text(series, "psrType")]
            is_filled = _own_text(series, "curveType") == "A03"
            for period in series:
                if period.tag.rpartition("}")[2] == "Period":
                    own |= _period(period, value, is_filled=is_filled)
        return {series: dict(sorted(own.items())) for series, own in by_type.items()}

    return RealAnswer("entsoe", read, expected, (file,))


def _period(period: ET.Element, value: str, *, is_filled: bool) -> Series:
    start = datetime.fromisoformat(_own_text(period, "start"))
    end = datetime.fromisoformat(_own_text(period, "end"))
    step = timedelta(minutes=int(_own_text(period, "resolution")[2:-1]))
    points = {
        int(_own_text(point, "position")): float(_own_text(point, value))
        for point in period
        if point.tag.endswith("Point")
    }
    own: Series = {}
    last = None
    for position in range(1, (end - start) // step + 1):
        number = points.get(position, last if is_filled else None)
        if number is not None:
            own[utc_text(start + (position - 1) * step)] = number
        last = number
    return own


def _entsoe_worked_out(name: str, dataset: str, filters: Mapping[str, str]) -> RealAnswer:
    """What others read in the same document."""
    document = _entsoe(name, dataset, {"": filters}, "price.amount")

    def expected() -> Values:
        rows = recording_json(f"expected/entsoe__{name}.json")
        return {"": {row[0]: row[2] for row in rows}}

    files = (*document.recordings, f"expected/entsoe__{name}.json")
    return RealAnswer("entsoe", document.read, expected, files, is_counted=False)


_FI_TYPES = ("B01", "B04", "B05", "B06", "B08", "B11", "B14", "B15", "B16", "B17", "B19", "B20")
_ENTSOE_SERIES = {
    "DK-DK1_consumption": ("load", {"zone": "DK1"}),
    "FR_prices": ("day_ahead_prices", {"zone": "FR"}),
    "SE-SE3_generation_forecast": ("generation_forecast", {"zone": "SE3"}),
    "DK-DK1_GB_exchange_imports": ("physical_flows", {"from_zone": "GB", "to_zone": "DK1"}),
    "DK-DK1_GB_exchange_exports": ("physical_flows", {"from_zone": "DK1", "to_zone": "GB"}),
}


def _entsoe_answers() -> Iterable[tuple[str, RealAnswer]]:
    for name, (dataset, own) in _ENTSOE_SERIES.items():
        value = "price.amount" if "prices" in name else "quantity"
        yield f"entsoe {name}", _entsoe(name, dataset, {"": own}, value)
        if (RECORDINGS / "expected" / f"entsoe__{name}.json").exists():
            yield f"entsoe {name}, worked out", _entsoe_worked_out(name, dataset, own)
    types = {psr: {"zone": "FI", "psr_type": psr} for psr in _FI_TYPES}
    yield "entsoe FI_production", _entsoe("FI_production", "generation", types)
    own = {"zone": "SE4", "psr_type": "gas"}
    worked_out = _entsoe_worked_out("fake_time_series", "generation", own)
    yield "entsoe fake_time_series, worked out", worked_out
    none = _entsoe("ack_999_no_matching_data", "day_ahead_prices", {"": {"zone": "FR"}})
    yield (
        "entsoe, no data",
        RealAnswer("entsoe", none.read, lambda: {"": {}}, none.recordings, is_counted=False),
    )


def _fred_publication(day: str) -> datetime:
    """The end of a day in US Central."""
    following = datetime.fromisoformat(day) + timedelta(days=1)
    return following.replace(tzinfo=_CHICAGO).astimezone(UTC) - timedelta.resolution


def _fred_publications(server: LocalServer, *, is_in_pieces: bool) -> Values:
    """The values by time and publication; in pieces where FRED refuses to tell all at once."""
    refusal = (
        "Bad Request.  There are 2393 vintage dates in the real-time period, which exceeds the "
        "maximum number of vintage dates allowed (2000)."
    )

    def observations(request: Request) -> Reply:
        if is_in_pieces and request.query["realtime_start"] == ["1776-07-04"]:
            return Reply.json({"error_code": 400, "error_message": refusal}, status=400)
        return Reply(body=recording("alfred/GDP_asof_2019-01-01.json"))

    server.answer("/series/observations", observations)
    server.answer("/series/vintagedates", Reply(body=recording("alfred/GDP_vintagedates.json")))
    params = {"series_id": "GDP", "api_key": _KEY, "base_url": server.url, **UNPACED}
    batch = fetch(single(FredDataSourcePlugin, params), "0001-01-01T00:00:00Z")
    assert not batch.rejections
    return {
        "it": {
            f"{utc_text(ts)}, published {utc_text(published)}": value
            for ts, published, value in batch.series["it"].vintages or ()
        }
    }


def _fred_expected() -> Values:
    """Each row at the end of its first day, and "no value" after its last one if none follows."""
    document = recording_json("alfred/GDP_asof_2019-01-01.json")
    rows = document["observations"]
    starts = {(row["date"], row["realtime_start"]) for row in rows}
    own: Series = {}
    for row in rows:
        key = f"{row['date']}T00:00:00Z, published "
        number = None if row["value"] == "." else float(row["value"])
        own[key + utc_text(_fred_publication(row["realtime_start"]))] = number
        after = datetime.fromisoformat(row["realtime_end"]) + timedelta(days=1)
        if (
            row["realtime_end"] < document["realtime_end"]
            and (row["date"], f"{after:%Y-%m-%d}") not in starts
        ):
            own[key + utc_text(_fred_publication(f"{after:%Y-%m-%d}"))] = None
    return {"it": own}


def _fred_current(*files: str) -> RealAnswer:
    """Today's values; those of a single quarter need the series' frequency."""
    is_one = len(files) > 1

    def rows() -> list[dict[str, str]]:
        every: list[dict[str, str]] = recording_json("fred/GDP_current.json")["observations"]
        return [row for row in every if not is_one or row["date"] == "2018-07-01"]

    def read(server: LocalServer) -> Values:
        document = {
            **recording_json("fred/GDP_current.json"),
            "count": len(rows()),
            "observations": rows(),
        }
        server.answer("/series/observations", Reply.json(document))
        if is_one:
            server.answer("/series", Reply(body=recording("fred/GDP_series_info.json")))
        params = {"series_id": "GDP", "api_key": _KEY, "base_url": server.url, "vintages": False}
        plugin = single(FredDataSourcePlugin, {**params, **UNPACED})
        start = "2018-07-01T00:00:00Z" if is_one else "0001-01-01T00:00:00Z"
        answer = values(fetch(plugin, start))
        asked = [request.path for request in server.requests]
        assert asked == ["/series/observations", "/series"][: 1 + is_one]
        return answer

    def expected() -> Values:
        texts = {f"{row['date']}T00:00:00Z": row["value"] for row in rows()}
        return {"it": {ts: None if text == "." else float(text) for ts, text in texts.items()}}

    return RealAnswer("fred", read, expected, files)


def _fred_answers() -> Iterable[tuple[str, RealAnswer]]:
    name = "alfred/GDP_asof_2019-01-01.json"
    yield (
        "fred, all publications",
        RealAnswer(
            "fred", lambda s: _fred_publications(s, is_in_pieces=False), _fred_expected, (name,)
        ),
    )
    yield (
        "fred, all publications in pieces",
        RealAnswer(
            "fred",
            lambda s: _fred_publications(s, is_in_pieces=True),
            _fred_expected,
            (name, "alfred/GDP_vintagedates.json"),
            is_counted=False,
        ),
    )
    yield "fred, today", _fred_current("fred/GDP_current.json")
    yield (
        "fred, one quarter",
        _fred_current("fred/GDP_current.json", "fred/GDP_series_info.json"),
    )


def _eia(name: str, route: str, facets: tuple[str, ...]) -> RealAnswer:
    file = f"eia/{name}.json"

    def rows() -> list[dict[str, str]]:
        return list(recording_json(file)["response"]["data"])

    def read(server: LocalServer) -> Values:
        server.answer(f"/electricity/rto/{route}/data/", Reply(body=recording(file)))
        params = {"route": route, "api_key": _KEY, "base_url": server.url, **UNPACED}
        own = {"it": {facet: rows()[0][facet] for facet in facets}}
        return values(fetch(group(EiaMultiSeriesPlugin, params, own)))

    def expected() -> Values:
        begins = [datetime.fromisoformat(f"{row['period']}:00+00:00") - _HOUR for row in rows()]
        return {
            "it": {
                utc_text(begin): float(row["value"])
                for begin, row in zip(begins, rows(), strict=True)
            }
        }

    return RealAnswer("eia", read, expected, (file,))


def _eia_interchange(border: tuple[str, str]) -> RealAnswer:
    figures = INTERCHANGE[border]

    def read(server: LocalServer) -> Values:
        rows = [
            {
                "period": f"{figures.start + (n + 1) * _HOUR:%Y-%m-%dT%H}",
                "fromba": border[0],
                "toba": border[1],
                "value": value,
                "value-units": "megawatthours",
            }
            for n, value in enumerate(figures.values)
        ]
        document = {"response": {"total": len(rows), "data": rows}, "apiVersion": "2.1.4"}
        server.answer("/electricity/rto/interchange-data/data/", Reply.json(document))
        params = {"route": "interchange-data", "api_key": _KEY, "base_url": server.url, **UNPACED}
        own = {"it": {"fromba": border[0], "toba": border[1]}}
        return values(fetch(group(EiaMultiSeriesPlugin, params, own)))

    return RealAnswer("eia", read, lambda: {"it": dict(figures.points)})


def _eia_borders() -> RealAnswer:
    """Several borders in one answer."""

    def read(server: LocalServer) -> Values:
        rows = [
            {
                "period": f"{datetime.fromisoformat(ts) + _HOUR:%Y-%m-%dT%H}",
                "fromba": authority,
                "toba": "CISO",
                "value": f"{value}",
                "value-units": "megawatthours",
            }
            for ts, own in BORDERS_OF_CALIFORNIA.items()
            for authority, value in own.items()
        ]
        document = {"response": {"total": f"{len(rows)}", "data": rows}}
        server.answer("/electricity/rto/interchange-data/data/", Reply.json(document))
        params = {"route": "interchange-data", "api_key": _KEY, "base_url": server.url, **UNPACED}
        own = {row["fromba"]: {"fromba": row["fromba"], "toba": "CISO"} for row in rows}
        return values(fetch(group(EiaMultiSeriesPlugin, params, own)))

    def expected() -> Values:
        by_authority: Values = {}
        for ts, own in BORDERS_OF_CALIFORNIA.items():
            for authority, value in own.items():
                by_authority.setdefault(authority, {})[ts] = float(value)
        return by_authority

    return RealAnswer("eia", read, expected)


def _eia_fuel(name: str) -> RealAnswer:
    """One type of an authority."""
    respondent, fuel = name.split()
    by_period, by_begin = HOURS_OF_FUELS[name]

    def read(server: LocalServer) -> Values:
        facets = {"respondent": respondent, "fueltype": fuel}
        rows = [
            {**facets, "period": period, "value": value, "value-units": "megawatthours"}
            for period, value in by_period.items()
        ]
        document = {"response": {"total": len(rows), "data": rows}}
        server.answer("/electricity/rto/fuel-type-data/data/", Reply.json(document))
        params = {"route": "fuel-type-data", "api_key": _KEY, "base_url": server.url, **UNPACED}
        return values(fetch(group(EiaMultiSeriesPlugin, params, {"it": facets})))

    return RealAnswer("eia", read, lambda: {"it": dict(by_begin)})


def _eia_answers() -> Iterable[tuple[str, RealAnswer]]:
    name = "region-data_AEC_D_2019-01-02T00"
    yield "eia demand", _eia(name, "region-data", ("respondent", "type"))
    name = "fuel-type-data_AEC_COL_2019-01-02T00"
    yield "eia generation", _eia(name, "fuel-type-data", ("respondent", "fueltype"))
    for border in INTERCHANGE:
        yield f"eia interchange {'-'.join(border)}", _eia_interchange(border)
    yield "eia interchange of California", _eia_borders()
    for name in HOURS_OF_FUELS:
        yield f"eia {name}", _eia_fuel(name)


def _elexon(
    dataset: str, key: str, value: str, rows: Callable[[], list[dict[str, Any]]], **more: Any
) -> RealAnswer:
    """A stream of rows."""

    def read(server: LocalServer) -> Values:
        server.answer(f"/datasets/{dataset}/stream", Reply.json(rows()))
        own = {row[key]: {key: row[key]} for row in rows()}
        first = min(row["startTime"] for row in rows())
        last = datetime.fromisoformat(max(row["startTime"] for row in rows()))
        params = {"dataset": dataset, "base_url": server.url, **UNPACED}
        end = utc_text(last + timedelta(minutes=5))
        return values(fetch(group(ElexonMultiSeriesPlugin, params, own), first, end))

    def expected() -> Values:
        by_key: Values = {}
        for row in rows():
            by_key.setdefault(row[key], {})[row["startTime"]] = float(row[value])
        return by_key

    return RealAnswer("elexon", read, expected, **more)


def _elexon_types() -> list[dict[str, Any]]:
    """Generation by type as the stream AGPT has it."""
    return [
        {
            "dataset": "AGPT",
            "publishTime": utc_text(datetime.fromisoformat(ts) + timedelta(hours=1)),
            "startTime": ts,
            "settlementDate": ts[:10],
            "settlementPeriod": 1 + number,
            "psrType": kind,
            "quantity": value,
        }
        for kind, own in read_figures("elexon-generation-2024-01-01").items()
        for number, (ts, value) in enumerate(own.items())
    ]


def _elexon_fuels(dataset: str) -> list[dict[str, Any]]:
    return [
        {
            "dataset": dataset,
            "publishTime": published,
            "startTime": start,
            "settlementDate": "2026-05-06",
            "settlementPeriod": 8,
            "fuelType": fuel,
            "generation": int(value),
        }
        for (own, fuel), (start, published, value) in GENERATION.items()
        if own == dataset
    ]


def _elexon_answers() -> Iterable[tuple[str, RealAnswer]]:
    name = "elexon/FUELINST_stream_2024-02-12T17-50Z.json"
    yield (
        "elexon FUELINST of 2024",
        _elexon(
            "FUELINST", "fuelType", "generation", lambda: recording_json(name), recordings=(name,)
        ),
    )
    for dataset in ("FUELHH", "FUELINST"):
        yield (
            f"elexon {dataset} of 2026",
            _elexon(dataset, "fuelType", "generation", lambda d=dataset: _elexon_fuels(d)),  # type: ignore[misc]  # the default binds it
        )
    yield "elexon AGPT", _elexon("AGPT", "psrType", "quantity", _elexon_types)


def _energy_charts(zone: str, document: Callable[[], Any], **more: Any) -> RealAnswer:
    def read(server: LocalServer) -> Values:
        server.answer("/price", Reply.json(document()))
        params = {"endpoint": "price", "base_url": server.url, **UNPACED}
        return values(fetch(group(EnergyChartsMultiSeriesPlugin, params, {"it": {"bzn": zone}})))

    def expected() -> Values:
        stamps, prices = document()["unix_seconds"], document()["price"]
        return {
            "it": {
                utc_text(_EPOCH + timedelta(seconds=stamp)): price
                for stamp, price in zip(stamps, prices, strict=True)
            }
        }

    return RealAnswer("energy-charts", read, expected, **more)


def _energy_charts_figures(name: str) -> dict[str, Any]:
    figures = PRICES[name]
    stamps = [(figures.start + n * figures.step).timestamp() for n in range(len(figures.values))]
    return {"unix_seconds": [*map(int, stamps)], "price": figures.values, "unit": "EUR / MWh"}


def _energy_charts_answers() -> Iterable[tuple[str, RealAnswer]]:
    name = "energy_charts/price_DE-LU_2024-05-04.json"
    yield (
        "energy-charts DE-LU of 2024-05-04",
        _energy_charts("DE-LU", lambda: recording_json(name), recordings=(name,)),
    )
    for zone in PRICES:
        own = zone[:5].strip(",")
        yield (
            f"energy-charts {zone}",
            _energy_charts(own, lambda z=zone: _energy_charts_figures(z)),  # type: ignore[misc]  # the default binds it
        )


_OVER_THE_HOUR_BEFORE = {
    *("shortwave_radiation", "direct_radiation", "diffuse_radiation"),
    "precipitation_probability",
}
"""Of the variables in the answers those that Open-Meteo names by the end of their hour."""


def _open_meteo(
    kind: type[OpenMeteoForecastMultiSeriesPlugin | OpenMeteoArchiveMultiSeriesPlugin],
    path: str,
    document: Callable[[], Any],
    **more: Any,
) -> RealAnswer:
    def stamps() -> list[datetime]:
        return [_EPOCH + timedelta(seconds=second) for second in document()["hourly"]["time"]]

    def variables() -> list[str]:
        return [name for name in document()["hourly"] if name != "time"]

    def read(server: LocalServer) -> Values:
        server.answer(path, Reply.json(document()))
        params = {"latitude": 52.52, "longitude": 13.41, "base_url": server.url, **UNPACED}
        if kind is OpenMeteoForecastMultiSeriesPlugin:
            params["forecast_days"] = 16
        plugin = group(kind, params, {name: {"hourly": name} for name in variables()})
        start, end = utc_text(stamps()[0] - _HOUR), utc_text(stamps()[-1] + _HOUR)
        return values(fetch(plugin, start, end, now=lambda: stamps()[0]))

    def expected() -> Values:
        return {
            name: {
                utc_text(stamp - _HOUR if name in _OVER_THE_HOUR_BEFORE else stamp): value
                for stamp, value in zip(stamps(), document()["hourly"][name], strict=True)
            }
            for name in variables()
        }

    return RealAnswer("open-meteo", read, expected, **more)


def _open_meteo_zagreb() -> dict[str, Any]:
    """A day of figures."""
    hourly: dict[str, list[Any]] = {}
    by_name = read_figures("open-meteo-zagreb-2024-07-09")
    for name, own in by_name.items():
        hourly["time"] = [int(datetime.fromisoformat(ts).timestamp()) for ts in own]
        hourly[name] = list(own.values())
    units = {
        "time": "unixtime",
        "temperature_2m": "°C",
        "relative_humidity_2m": "%",
        "precipitation_probability": "%",
    }
    place = {"latitude": 45.82, "longitude": 15.98, "timezone": "GMT", "utc_offset_seconds": 0}
    return {**place, "hourly_units": units, "hourly": hourly}


def _open_meteo_answers() -> Iterable[tuple[str, RealAnswer]]:
    name = "open_meteo/open_meteo_forecast.json"
    yield (
        "open-meteo, a forecast",
        _open_meteo(
            OpenMeteoForecastMultiSeriesPlugin,
            "/forecast",
            lambda: recording_json(name),
            recordings=(name,),
        ),
    )
    archive = "open_meteo/open_meteo_archive_2024-03-30_2024-03-31.json"
    yield (
        "open-meteo, the archive",
        _open_meteo(
            OpenMeteoArchiveMultiSeriesPlugin,
            "/archive",
            lambda: recording_json(archive),
            recordings=(archive,),
        ),
    )
    yield (
        "open-meteo, Zagreb",
        _open_meteo(OpenMeteoForecastMultiSeriesPlugin, "/forecast", _open_meteo_zagreb),
    )


def _city_bikes(network: str, document: Callable[[], Any], **more: Any) -> RealAnswer:
    def stations() -> list[dict[str, Any]]:
        return list(document()["network"]["stations"])

    def read(server: LocalServer) -> Values:
        server.answer(f"/networks/{network}", Reply.json(document()))
        own = {
            f"{station['id']} {name}": {"station": station["id"], "value": name}
            for station in stations()
            for name in ("free_bikes", "empty_slots")
        }
        params = {"network": network, "base_url": server.url, **UNPACED}
        return values(fetch(group(CityBikesMultiSeriesPlugin, params, own)))

    def expected() -> Values:
        return {
            f"{station['id']} {name}": {
                utc_text(datetime.fromisoformat(station["timestamp"])): float(station[name])
            }
            for station in stations()
            for name in ("free_bikes", "empty_slots")
        }

    return RealAnswer("citybikes", read, expected, **more)


_STATIONS = {
    # a station of Turin, and one of Marseille: willycode's Bito, and a test of tw.apps
    "to-bike": ("a87ae87d44ff6d51dc8d60019348753c", 3, 10, "2016-01-05T22:20:11.4Z"),
    "le-velo": ("686e48654a218c70daf950a4e893e5b0", 13, 6, "2020-07-29T13:16:06.719000Z"),
}
"""Networks with the id of a station, its bikes, its free slots, and when it reported them."""


def _network(name: str) -> dict[str, Any]:
    station, bikes, slots, stamp = _STATIONS[name]
    row = {"id": station, "free_bikes": bikes, "empty_slots": slots, "timestamp": stamp}
    return {"network": {"id": name, "stations": [row]}}


def _city_bikes_answers() -> Iterable[tuple[str, RealAnswer]]:
    name = "citybikes/network_citybike-wien_2017-05-30.json"
    yield (
        "citybikes, Vienna",
        _city_bikes("citybike-wien", lambda: recording_json(name), recordings=(name,)),
    )
    for network in _STATIONS:
        own = _city_bikes(network, lambda n=network: _network(n))  # type: ignore[misc]  # the default binds it
        yield f"citybikes {network}", own


_NOW = datetime(2025, 3, 3, 12, tzinfo=UTC)


def _tankerkoenig(file: str, stations: Callable[[Any], dict[str, dict[str, Any]]]) -> RealAnswer:
    """A sample of the documentation: stations with their prices, as prices.php has them."""
    name = f"tankerkoenig/{file}.json"
    fuels = ("e5", "e10", "diesel")

    def read(server: LocalServer) -> Values:
        prices = stations(recording_json(name))
        server.answer("/prices.php", Reply.json({"ok": True, "prices": prices}))
        params = {"api_key": _KEY, "base_url": server.url, **UNPACED}
        own = {f"{s} {fuel}": {"station": s, "fuel": fuel} for s in prices for fuel in fuels}
        plugin = group(TankerkoenigMultiSeriesPlugin, params, own)
        return values(fetch(plugin, now=lambda: _NOW))

    def expected() -> Values:
        return {
            f"{station} {fuel}": {utc_text(_NOW): prices[fuel]}
            for station, prices in stations(recording_json(name)).items()
            for fuel in fuels
        }

    return RealAnswer("tankerkoenig", read, expected, (name,), is_counted=False)


def _as_prices(stations: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    kept = ("e5", "e10", "diesel")
    return {
        station["id"]: {"status": "open", **{fuel: station[fuel] for fuel in kept}}
        for station in stations
    }


def _tankerkoenig_answers() -> Iterable[tuple[str, RealAnswer]]:
    yield "tankerkoenig prices", _tankerkoenig("prices", lambda document: document["prices"])
    # of these two the plugin asks for the prices alone
    stations = _tankerkoenig("list", lambda document: _as_prices(document["stations"]))
    yield "tankerkoenig list", stations
    detail = _tankerkoenig("detail", lambda document: _as_prices([document["station"]]))
    yield "tankerkoenig detail", detail


def _fingrid_answers() -> Iterable[tuple[str, RealAnswer]]:
    name = "fingrid-consumption-2024-10-10"

    def read(server: LocalServer) -> Values:
        rows = [
            {
                "datasetId": 124,
                "startTime": f"{ts[:-1]}.000Z",
                "endTime": f"{datetime.fromisoformat(ts) + _QUARTER:%Y-%m-%dT%H:%M:%S.000Z}",
                "value": value,
            }
            for ts, value in read_figures(name)["124"].items()
        ]
        pages = {"total": len(rows), "lastPage": 1, "nextPage": None, "currentPage": 1}
        document = {"data": rows, "pagination": {**pages, "perPage": 20000}}
        server.answer("/datasets/124/data", Reply.json(document))
        params = {"dataset_id": 124, "api_key": _KEY, "base_url": server.url, **UNPACED}
        plugin = single(FingridDataSourcePlugin, params)
        return values(fetch(plugin, "2024-10-10T00:00:00Z", "2024-10-11T00:00:00Z"))

    yield (
        "fingrid consumption",
        RealAnswer("fingrid", read, lambda: {"it": read_figures(name)["124"]}),
    )


def provider_answers() -> Iterable[tuple[str, RealAnswer]]:
    """All of them, each by a name that says what it is."""
    yield from _smard_answers()
    yield from _entsoe_answers()
    yield from _fred_answers()
    yield from _eia_answers()
    yield from _elexon_answers()
    yield from _energy_charts_answers()
    yield from _open_meteo_answers()
    yield from _city_bikes_answers()
    yield from _tankerkoenig_answers()
    yield from _fingrid_answers()
