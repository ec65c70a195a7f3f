"""Open-Meteo: several places and variables at once, intervals that end, times without offsets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply
from support.plugin_calls import UNPACED, fetch, group, values
from support.recordings import recording

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.plugins.data_sources.open_meteo_plugin import (
    OpenMeteoArchiveMultiSeriesPlugin,
    OpenMeteoForecastMultiSeriesPlugin,
)

if TYPE_CHECKING:
    from support.http_server import LocalServer
    from syrupy.assertion import SnapshotAssertion

    from dataportal.plugins.base_plugin import MultiSeriesPlugin

PATHS: dict[type[MultiSeriesPlugin], str] = {
    OpenMeteoForecastMultiSeriesPlugin: "/v1/forecast",
    OpenMeteoArchiveMultiSeriesPlugin: "/v1/archive",
}
FORECAST, ARCHIVE = PATHS.values()
BERLIN = {"latitude": 52.52, "longitude": 13.41}
STAMP = 1711756800  # 2024-03-30T00:00Z
NOW = datetime(2024, 4, 10, 9, 30, tzinfo=UTC)
KEY = "c4n4ry-of-a-key"
RAIN = {"rain": {"hourly": "rain"}}


def plugin(
    server: LocalServer,
    filters: dict[str, dict[str, Any]],
    kind: type[MultiSeriesPlugin] = OpenMeteoForecastMultiSeriesPlugin,
    **params: Any,
) -> MultiSeriesPlugin:
    """The plugin, pointed at the server; for Berlin unless a series says otherwise."""
    return group(kind, {**BERLIN, "base_url": f"{server.url}/v1", **UNPACED, **params}, filters)


def hours(times: list[Any] | None = None, **variables: Any) -> dict[str, Any]:
    """An answer of one place, from midnight on."""
    count = max((len(v) for v in variables.values() if isinstance(v, list)), default=0)
    stamps = [STAMP + 3600 * n for n in range(count)] if times is None else times
    return {"utc_offset_seconds": 0, "timezone": "GMT", "hourly": {"time": stamps, **variables}}


def test_variables_and_places_come_with_one_request(
    server: LocalServer, snapshot: SnapshotAssertion
) -> None:
    """Asked in UTC as epoch seconds; the places of the answer are in the order of the request."""
    berlin = hours(temperature_2m=[1.5, None, -0.0], rain=[0.1, 0.2, 0.3])
    berlin["daily"] = {"time": [STAMP], "temperature_2m_max": [9.5]}
    munich = hours(temperature_2m=[11, 12, 13], rain=[0.4, 0.5, 0.6])
    server.answer(FORECAST, Reply.json([berlin, munich]))
    filters: dict[str, dict[str, Any]] = {
        "berlin-temperature": {"hourly": "temperature_2m"},
        "berlin-max": {"daily": "temperature_2m_max"},
        "munich-rain": {"hourly": "rain", "latitude": 48.14, "longitude": 11.58},
    }
    batch = fetch(plugin(server, filters), "2024-03-29T12:00:00Z", now=lambda: NOW)
    assert values(batch) == snapshot(name="values")
    assert [request.query for request in server.requests] == snapshot(name="request")


@pytest.mark.parametrize(
    ("block", "variable", "shift"),
    [
        ("hourly", "temperature_2m", 0),
        ("hourly", "wind_speed_10m", 0),
        ("hourly", "cloud_cover", 0),
        ("hourly", "shortwave_radiation", 3600),
        ("hourly", "shortwave_radiation_instant", 0),
        ("hourly", "shortwave_radiation_clear_sky", 3600),
        ("hourly", "terrestrial_radiation", 3600),
        ("hourly", "runoff", 3600),
        ("hourly", "updraft", 0),
        ("hourly", "precipitation_probability", 3600),
        ("hourly", "wind_gusts_10m", 3600),
        ("hourly", "et0_fao_evapotranspiration", 3600),
        ("hourly", "direct_normal_irradiance", 3600),
        ("hourly", "precipitation", 3600),
        ("hourly", "precipitation_previous_day2", 3600),
        ("hourly", "temperature_2m_previous_day2", 0),
        ("hourly", "snow_depth", 0),
        ("minutely_15", "rain", 900),
        ("minutely_15", "temperature_2m", 0),
        ("daily", "precipitation_sum", 0),
        ("daily", "sunshine_duration", 0),
    ],
)
def test_ts_is_where_the_interval_begins(
    server: LocalServer, block: str, variable: str, shift: int
) -> None:
    """Sums and means are stamped with its end, moments with themselves, days with their begin.

    A source may say otherwise of a variable.
    """
    document = {"utc_offset_seconds": 0, block: {"time": [STAMP], variable: [1]}}
    server.answer(FORECAST, Reply.json(document))
    step = {"hourly": 3600, "minutely_15": 900, "daily": 86400}[block]
    for more, expected in (({}, shift), ({"stamp": "end"}, step), ({"stamp": "start"}, 0)):
        series = fetch(plugin(server, {"it": {block: variable, **more}})).series["it"]
        assert series.ts == [datetime.fromtimestamp(STAMP - expected, UTC)]


@pytest.mark.parametrize(
    ("kind", "window", "expected"),
    [
        (OpenMeteoForecastMultiSeriesPlugin, ("2024-04-08T10:00:00Z",), ("2", "7")),
        (OpenMeteoForecastMultiSeriesPlugin, ("2023-01-01T00:00:00Z",), ("92", "7")),
        (OpenMeteoForecastMultiSeriesPlugin, ("2024-04-12T00:00:00Z",), ("0", "7")),
        (
            OpenMeteoForecastMultiSeriesPlugin,
            ("2024-04-01T10:00:00Z", "2024-04-03T00:00:00Z"),
            ("2024-04-01", "2024-04-03"),
        ),
        (
            OpenMeteoForecastMultiSeriesPlugin,
            ("2024-04-01T10:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-04-01", "2024-04-25"),
        ),
        (
            OpenMeteoArchiveMultiSeriesPlugin,
            ("0001-01-01T00:00:00Z",),
            ("1940-01-01", "2024-04-10"),
        ),
        (
            OpenMeteoArchiveMultiSeriesPlugin,
            ("2024-04-01T10:00:00Z", "2024-04-03T00:00:00Z"),
            ("2024-04-01", "2024-04-03"),
        ),
        (
            OpenMeteoArchiveMultiSeriesPlugin,
            ("2024-04-01T10:00:00Z", "2025-01-01T00:00:00Z"),
            ("2024-04-01", "2024-04-10"),
        ),
    ],
)
def test_the_days_of_the_window_are_asked_for(
    server: LocalServer,
    kind: type[MultiSeriesPlugin],
    window: tuple[str, ...],
    expected: tuple[str, str],
) -> None:
    """As many past ones as it needs, and ahead no more than the models reach."""
    server.answer(PATHS[kind], Reply.json(hours(rain=[])))
    fetch(plugin(server, RAIN, kind), *window, now=lambda: NOW)
    query = server.requests[0].query
    names = ("past_days", "forecast_days") if "past_days" in query else ("start_date", "end_date")
    assert tuple(query[name][0] for name in names) == expected


def test_an_archive_of_the_future_is_not_asked_for(server: LocalServer) -> None:
    """There is none, and the request would be refused."""
    both = (RAIN, OpenMeteoArchiveMultiSeriesPlugin)
    assert values(fetch(plugin(server, *both), "2030-01-01T00:00:00Z", now=lambda: NOW)) == {
        "rain": {}
    }
    assert not server.requests


@pytest.mark.parametrize("day", ["2024-03-31", "2024-10-27"])
def test_days_on_which_clocks_change_have_24_hours(server: LocalServer, day: str) -> None:
    """As they are those of UTC; the last hour of a sum is stamped with the next day."""
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
    times = [int(begin.timestamp()) + 3600 * n for n in range(-3, 30)]
    server.answer(FORECAST, Reply.json(hours(times, rain=[1] * 33, temperature_2m=[1] * 33)))
    filters = {**RAIN, "hot": {"hourly": "temperature_2m"}}
    end = begin + timedelta(days=1)
    batch = fetch(plugin(server, filters), begin.isoformat(), end.isoformat(), now=lambda: NOW)
    for series in batch.series.values():
        assert series.ts == [begin + timedelta(hours=n) for n in range(24)]


def test_texts_for_times_are_of_one_offset(server: LocalServer) -> None:
    """That which the answer tells; in UTC if none."""
    document = hours(["2024-03-31T02:00", "2024-03-31T03:00"], temperature_2m=[1, 2])
    document["utc_offset_seconds"] = 3600
    server.answer(FORECAST, Reply.json(document))
    points = values(fetch(plugin(server, {"it": {"hourly": "temperature_2m"}})))["it"]
    assert list(points) == ["2024-03-31T01:00:00Z", "2024-03-31T02:00:00Z"]


def test_a_variable_that_is_missing_is_told_and_the_others_are_kept(server: LocalServer) -> None:
    """Its series is named, with the variables that there are."""
    server.answer(FORECAST, Reply.json(hours(rain=[1])))
    batch = fetch(plugin(server, {**RAIN, "hot": {"hourly": "temperature_2m"}}))
    assert batch.series["rain"].values == [1.0]
    (rejection,) = batch.rejections
    assert rejection.series == "hot"
    assert "has no 'temperature_2m' in hourly, but rain; it begins: {" in rejection.reason


def test_a_variable_that_the_model_lacks_is_told(server: LocalServer) -> None:
    """It comes as nulls, in a unit that is called undefined."""
    document = {**hours(rain=[1], snow_depth=[None]), "hourly_units": {"snow_depth": "undefined"}}
    server.answer(FORECAST, Reply.json(document))
    batch = fetch(plugin(server, {**RAIN, "snow": {"hourly": "snow_depth"}}))
    assert batch.series["rain"].values == [1.0]
    (rejection,) = batch.rejections
    assert rejection.series == "snow"
    assert "has no 'snow_depth' in hourly, but rain; it begins: {" in rejection.reason


ERRORS = [
    (Reply.json({"error": True, "reason": "no rain"}, 400), PermanentError, "no rain", None),
    (Reply.json({"error": True, "reason": "no rain"}), PermanentError, "no rain", None),
    (Reply.json({"error": True, "reason": "Unexpected"}, 500), TransientError, "500", None),
    (
        Reply.json({"error": True, "reason": "API limit exceeded. Again in one minute"}, 429),
        TransientError,
        "429",
        60.0,
    ),
    (
        Reply.json({"error": True, "reason": "Hourly API request limit exceeded. next hour"}),
        TransientError,
        "Hourly",
        3600.0,
    ),
    (
        Reply.json({"error": True, "reason": "Daily API request limit exceeded. tomorrow"}, 429),
        TransientError,
        "Daily",
        86400.0,
    ),
    (Reply(429, b"slow down", headers={"Retry-After": "9"}), TransientError, "429", 9.0),
]


@pytest.mark.parametrize(("reply", "kind", "message", "wait"), ERRORS)
def test_errors_are_told_apart_whatever_their_status(
    server: LocalServer, reply: Reply, kind: type[Exception], message: str, wait: float | None
) -> None:
    """With the reason, the time to wait, and without the key."""
    server.answer(FORECAST, reply)
    with pytest.raises(kind, match=message) as caught:
        fetch(plugin(server, RAIN, api_key=KEY))
    assert getattr(caught.value, "retry_after", None) == wait
    assert KEY not in str(caught.value)
    assert server.requests[0].query["apikey"] == [KEY]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "empty"),
        (b"<html>", "page of HTML"),
        (b"1", "not of 1 place"),
        (b"[{}, {}]", "not of 1 place"),
        (b"{}", "no times in hourly"),
        (b'{"hourly": {"rain": [1]}}', "no times in hourly"),
        (b'{"hourly": {"time": 1, "rain": [1]}}', "no list of times"),
        (b'{"hourly": {"time": [1, 2], "rain": [1]}}', "1 values of rain and 2 times"),
        (b'{"hourly": {"time": ["noon"], "rain": [1]}}', "neither seconds nor ISO 8601"),
    ],
)
def test_an_answer_of_another_shape_is_refused(
    server: LocalServer, body: bytes, message: str
) -> None:
    """With how it begins."""
    server.answer(FORECAST, Reply(body=body))
    with pytest.raises(BadDataError, match=message):
        fetch(plugin(server, RAIN))


def test_what_is_no_number_is_rejected(server: LocalServer) -> None:
    """The others are taken."""
    server.answer(FORECAST, Reply.json(hours(rain=[0.5, "wet", False])))
    batch = fetch(plugin(server, RAIN))
    assert (batch.rejected, batch.series["rain"].values) == (2, [0.5])


def test_customers_have_a_host_of_their_own() -> None:
    """Unless the source names another."""
    for kind, host in (
        (OpenMeteoForecastMultiSeriesPlugin, "https://customer-api.open-meteo.com/v1"),
        (OpenMeteoArchiveMultiSeriesPlugin, "https://customer-archive-api.open-meteo.com/v1"),
    ):
        own = group(kind, {**BERLIN, "api_key": KEY}, RAIN)
        free = group(kind, BERLIN, RAIN)
        assert own._base_url == host  # type: ignore[attr-defined]
        assert free._base_url == host.replace("customer-", "")  # type: ignore[attr-defined]
        assert free._limit.per_minute * 60 <= 5000  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("params", "own", "message"),
    [
        ({}, {"hourly": "rain"}, "latitude is missing; longitude is missing"),
        ({**BERLIN, "latitude": 91}, {"hourly": "rain"}, "latitude must be a number of -90 to 90"),
        (BERLIN, {}, "one of hourly, daily, minutely_15 must name one variable"),
        (BERLIN, {"hourly": "rain", "daily": "rain_sum"}, "must name one variable"),
        (BERLIN, {"hourly": "rain,snowfall"}, "must name one variable"),
        (BERLIN, {"hourly": "rain", "stamp": "middle"}, "stamp must be one of start, end"),
        ({**BERLIN, "timezone": "Europe/Berlin"}, {"hourly": "rain"}, "'timezone' is not"),
        (
            {**BERLIN, "forecast_days": 17},
            {"hourly": "rain"},
            "forecast_days must be a whole number of 0 to 16",
        ),
        ({**BERLIN, "models": "a,b"}, {"hourly": "rain"}, "models must be one model"),
        ({**BERLIN, "temperature_unit": "kelvin"}, {"hourly": "rain"}, "temperature_unit must be"),
    ],
)
def test_every_wrong_parameter_is_named(
    params: dict[str, Any], own: dict[str, Any], message: str
) -> None:
    """Before anything is asked."""
    with pytest.raises(ValueError, match=message):
        group(OpenMeteoForecastMultiSeriesPlugin, params, {"it": own})


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (OpenMeteoForecastMultiSeriesPlugin, "open_meteo_forecast"),
        (OpenMeteoArchiveMultiSeriesPlugin, "open_meteo_archive_2024-03-30_2024-03-31"),
    ],
)
def test_recorded_answers_are_read(
    server: LocalServer, kind: type[MultiSeriesPlugin], name: str
) -> None:
    """Value for value and null for null; radiation at the begin of the hour that it is of."""
    body = recording(f"open_meteo/{name}.json")
    server.answer(PATHS[kind], Reply(body=body))
    block = json.loads(body)["hourly"]
    stamps = block.pop("time")
    filters = {variable: {"hourly": variable} for variable in block}
    points = values(fetch(plugin(server, filters, kind)))
    assert len(points) > 5
    for variable, series in points.items():
        shift = 3600 if "radiation" in variable else 0
        times = [datetime.fromtimestamp(stamp - shift, UTC) for stamp in stamps]
        assert list(series) == [f"{ts:%Y-%m-%dT%H:%M:%SZ}" for ts in times]
        assert list(series.values()) == block[variable]
