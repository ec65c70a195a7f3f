"""Energy-Charts: columns, names of rows that change, 404 for what is not there yet."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from support.http_server import Reply
from support.plugin_calls import UNPACED, fetch, group, values
from support.recordings import recording

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.plugins.data_sources.energy_charts_plugin import EnergyChartsMultiSeriesPlugin

if TYPE_CHECKING:
    from support.http_server import LocalServer, Request
    from syrupy.assertion import SnapshotAssertion

    from dataportal.plugins.base_plugin import MultiSeriesPlugin

PRICE = {"de": {"bzn": "DE-LU"}}
POWER = {"solar": {"production_type": "Solar"}, "load": {"production_type": "Load"}}
STAMP = 1714773600  # 2024-05-04, midnight in Berlin
MIDNIGHT = "2024-05-03T22:00:00Z"


def plugin(
    server: LocalServer, endpoint: str, filters: dict[str, dict[str, str]], **params: Any
) -> MultiSeriesPlugin:
    """The plugin, pointed at the server."""
    own = {"endpoint": endpoint, "base_url": server.url, **UNPACED}
    return group(EnergyChartsMultiSeriesPlugin, own | params, filters)


def prices(count: int = 1, **more: Any) -> dict[str, Any]:
    """An answer of `price`: 0, 1, … from midnight on, hour by hour."""
    stamps = [STAMP + 3600 * n for n in range(count)]
    return {"unix_seconds": stamps, "price": list(range(count)), "unit": "EUR / MWh", **more}


def power(stamps: list[Any] | None, **rows: Any) -> dict[str, Any]:
    """An answer of `public_power`."""
    named = [{"name": name.replace("_", " "), "data": data} for name, data in rows.items()]
    return {"unix_seconds": stamps, "production_types": named, "deprecated": False}


def test_a_stamp_is_the_begin_of_its_interval(server: LocalServer) -> None:
    """In UTC: a day in Berlin begins at 22:00 in summer; the unit may be written in any way."""
    server.answer("/price", Reply.json(prices(2)))
    points = values(fetch(plugin(server, "price", PRICE)))
    assert points == {"de": {MIDNIGHT: 0.0, "2024-05-03T23:00:00Z": 1.0}}


def test_types_of_one_country_come_with_one_request(
    server: LocalServer, snapshot: SnapshotAssertion
) -> None:
    """By the names that the answer has for them; null is no value, and a whole list may be null."""
    stamps = [STAMP, STAMP + 900, STAMP + 1800]
    document = power(stamps, Solar=[0, 1.5, None], Load=[50000, 50100.5, 1], Nuclear=None, Gas=[])
    document["production_types"].pop()
    server.answer("/public_power", Reply.json(document))
    filters = {**POWER, "nuclear": {"production_type": "Nuclear"}}
    assert values(fetch(plugin(server, "public_power", filters, country="de"))) == snapshot
    assert len(server.requests) == 1


def test_every_zone_has_a_request_of_its_own(server: LocalServer) -> None:
    """What one request does not bring is asked for apart, and nothing twice."""

    def reply(request: Request) -> Reply:
        return Reply.json(prices(price=[len(request.query["bzn"][0])]))

    server.answer("/price", reply)
    filters = {"de": {"bzn": "DE-LU"}, "at": {"bzn": "AT"}, "again": {"bzn": "AT"}}
    points = values(fetch(plugin(server, "price", filters)))
    assert {name: list(series.values()) for name, series in points.items()} == {
        "de": [5.0],
        "at": [2.0],
        "again": [2.0],
    }
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("endpoint", "shared", "own", "document"),
    [
        (
            "public_power_forecast",
            {"country": "de", "forecast_type": "day-ahead"},
            {"production_type": "solar"},
            {"forecast_values": [7.5], "production_type": "solar"},
        ),
        ("cbet", {"country": "de"}, {"neighbour": "Austria"}, {}),
        ("cbpf", {"country": "de"}, {"neighbour": "Austria"}, {}),
        ("frequency", {}, {"region": "DE-Freiburg"}, {"data": [7.5]}),
        ("total_power", {"country": "de"}, {"production_type": "Load"}, {}),
    ],
)
def test_every_endpoint_is_read(
    server: LocalServer,
    endpoint: str,
    shared: dict[str, str],
    own: dict[str, str],
    document: dict[str, Any],
) -> None:
    """With the parameters that it takes, from the place where its values stand."""
    rows = [{"name": "Austria", "data": [7.5]}, {"name": "Load", "data": [7.5]}]
    answer = {"unix_seconds": [STAMP], "countries": rows, "production_types": rows, **document}
    server.answer(f"/{endpoint}", Reply.json(answer))
    assert values(fetch(plugin(server, endpoint, {"it": own}, **shared))) == {"it": {MIDNIGHT: 7.5}}
    query = {name: texts[0] for name, texts in server.requests[0].query.items()}
    is_whole = endpoint in {"public_power_forecast", "frequency"}
    asked_for = {**shared, **own} if is_whole else shared
    assert {n: v for n, v in query.items() if n not in {"start", "end"}} == asked_for


def test_both_ends_are_always_asked_for(server: LocalServer) -> None:
    """With an offset; an open end reaches as far as anything is known."""
    server.answer("/price", Reply.json(prices(0)))
    server.answer("/public_power", Reply.json(power([])))
    here = datetime(2024, 5, 4, 12, tzinfo=UTC)
    start = "2024-05-01T00:00:00Z"
    fetch(plugin(server, "price", PRICE), start, now=lambda: here)
    fetch(plugin(server, "public_power", POWER, country="de"), start, now=lambda: here)
    fetch(plugin(server, "price", PRICE), start, "2024-05-02T00:00:00Z", now=lambda: here)
    ranges = [(r.query["start"][0], r.query["end"][0]) for r in server.requests]
    first = "2024-05-01T00:00:00+00:00"
    assert ranges == [
        (first, "2024-05-06T12:00:00+00:00"),
        (first, "2024-05-04T12:00:00+00:00"),
        (first, "2024-05-02T00:00:00+00:00"),
    ]


def test_what_is_older_than_anything_is_not_asked_for(server: LocalServer) -> None:
    """The API would refuse it."""
    window = ("1900-01-01T00:00:00Z", "1950-01-01T00:00:00Z")
    assert values(fetch(plugin(server, "price", PRICE), *window)) == {"de": {}}
    assert not server.requests


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25)])
def test_days_on_which_clocks_change_are_whole(server: LocalServer, day: str, hours: int) -> None:
    """As many hours as there are between two midnights in Berlin."""
    berlin = ZoneInfo("Europe/Berlin")
    begin = datetime.fromisoformat(day).replace(tzinfo=berlin)
    end = (begin + timedelta(days=1)).astimezone(UTC)
    first = int(begin.timestamp()) - 7200
    stamps = [first + 3600 * n for n in range(30)]
    server.answer("/price", Reply.json({"unix_seconds": stamps, "price": [1] * 30}))
    points = values(
        fetch(plugin(server, "price", PRICE), begin.astimezone(UTC).isoformat(), end.isoformat())
    )
    assert len(points["de"]) == hours


def test_what_is_not_published_yet_is_no_failure(server: LocalServer) -> None:
    """It comes as 404 with a text of its own, and so may empty lists and null."""
    for reply in (
        Reply.json({"detail": "no content available"}, 404),
        Reply.json(prices(0)),
        Reply.json({"unix_seconds": None, "price": None}),
        Reply.json({"unix_seconds": [STAMP], "price": None}),
    ):
        server.answer("/price", reply)
        assert values(fetch(plugin(server, "price", PRICE))) == {"de": {}}


def test_a_row_that_is_missing_is_told_and_the_others_are_kept(server: LocalServer) -> None:
    """Its series is named, with the names that there are."""
    server.answer("/public_power", Reply.json(power([STAMP], Load=[1], Wind_onshore=[2])))
    batch = fetch(plugin(server, "public_power", POWER, country="de"))
    assert batch.series["load"].values == [1.0]
    (rejection,) = batch.rejections
    assert rejection.series == "solar"
    assert "has no 'Solar', but Load, Wind onshore; it begins: {" in rejection.reason


def test_nothing_but_missing_rows_is_a_failure(server: LocalServer) -> None:
    """As there is nothing to keep."""
    server.answer("/public_power", Reply.json(power([STAMP], Wind_onshore=[2])))
    with pytest.raises(BadDataError, match="has no 'Solar', but Wind onshore; it begins"):
        fetch(plugin(server, "public_power", POWER, country="de"))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"price": [1]}, "has no unix_seconds"),
        ({"unix_seconds": [STAMP]}, "has no price"),
        ({"unix_seconds": [STAMP], "price": [1, 2]}, "2 values of values and 1 times"),
        ({"unix_seconds": [STAMP], "price": 1}, "no list of values"),
        ({"unix_seconds": "now", "price": [1]}, "no list of times"),
        ({"unix_seconds": ["04.05.2024"], "price": [1]}, "neither seconds nor ISO 8601"),
        ({"unix_seconds": [True], "price": [1]}, "neither seconds nor ISO 8601"),
        ([1, 2], "another shape"),
    ],
)
def test_an_answer_of_another_shape_is_refused(
    server: LocalServer, document: Any, message: str
) -> None:
    """With how it begins."""
    server.answer("/price", Reply.json(document))
    with pytest.raises(BadDataError, match=message):
        fetch(plugin(server, "price", PRICE))


@pytest.mark.parametrize("rows", [1, [1], [{"name": "Solar"}], {"Solar": [1]}])
def test_rows_of_another_shape_are_refused(server: LocalServer, rows: Any) -> None:
    """Rather than taken for none."""
    document = {"unix_seconds": [STAMP], "production_types": rows}
    server.answer("/public_power", Reply.json(document))
    with pytest.raises(BadDataError, match="no list of names and data"):
        fetch(plugin(server, "public_power", POWER, country="de"))


def test_what_is_no_number_is_rejected(server: LocalServer) -> None:
    """The others are taken."""
    server.answer("/price", Reply.json(prices(3, price=[1.5, "n/a", True])))
    batch = fetch(plugin(server, "price", PRICE))
    assert (batch.rejected, batch.series["de"].values) == (2, [1.5])


@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [
        (Reply.json({"detail": [{"msg": "bzn not valid"}]}, 422), PermanentError, "bzn not valid"),
        (Reply.json({"detail": "Not Found"}, 404), PermanentError, "404"),
        (Reply(429, b"slow"), TransientError, "429"),
        (Reply(502, b"<html>"), TransientError, "502"),
        (Reply(body=b"<html>maintenance"), BadDataError, "page of HTML"),
        (Reply(body=b""), BadDataError, "empty"),
    ],
)
def test_failures_are_told_apart(
    server: LocalServer, reply: Reply, kind: type[Exception], message: str
) -> None:
    """With the reason that was given."""
    server.answer("/price", reply)
    with pytest.raises(kind, match=message):
        fetch(plugin(server, "price", PRICE))


def test_the_end_of_an_endpoint_is_announced(
    server: LocalServer, caplog: pytest.LogCaptureFixture
) -> None:
    """`deprecated` comes half a year before: said as a warning, and nothing fails by it."""
    server.answer("/price", Reply.json(prices(deprecated=True)))
    with caplog.at_level(logging.WARNING):
        assert values(fetch(plugin(server, "price", PRICE))) == {"de": {MIDNIGHT: 0.0}}
    assert "about to remove" in caplog.text


@pytest.mark.parametrize(
    ("params", "filters", "message"),
    [
        ({}, PRICE, "endpoint is missing"),
        (
            {"endpoint": "prices", "bzn": "DE-LU"},
            PRICE,
            r"^endpoint must be one of price, public_power[^;]*; did you mean 'price'\?$",
        ),
        ({"endpoint": "price"}, {"de": {}}, "de: bzn is missing"),
        (
            {"endpoint": "price"},
            POWER,
            "^bzn is missing, which price needs; 'production_type' is not",
        ),
        ({"endpoint": "price", "country": "de"}, PRICE, "'country' is not a parameter"),
    ],
)
def test_every_wrong_parameter_is_named(
    params: dict[str, Any], filters: dict[str, dict[str, str]], message: str
) -> None:
    """Before anything is asked."""
    with pytest.raises(ValueError, match=message):
        group(EnergyChartsMultiSeriesPlugin, params, filters)


def test_recorded_prices_are_read(server: LocalServer) -> None:
    """Value for value; the first at midnight in Berlin."""
    body = recording("energy_charts/price_DE-LU_2024-05-04.json")
    server.answer("/price", Reply(body=body))
    document = json.loads(body)
    points = values(fetch(plugin(server, "price", PRICE)))["de"]
    assert list(points) == [
        f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%dT%H:%M:%SZ}"
        for stamp in document["unix_seconds"]
    ]
    assert list(points.values()) == document["price"]
    assert len(points) == 24
    assert points[MIDNIGHT] == 90.8


def test_a_zone_that_is_refused_leaves_the_others(server: LocalServer) -> None:
    """Its series are named; what may pass is raised for all."""

    def reply(request: Request) -> Reply:
        known = request.query["bzn"][0] == "AT"
        return Reply.json(prices()) if known else Reply.json({"detail": "bzn not valid"}, 422)

    server.answer("/price", reply)
    batch = fetch(plugin(server, "price", {"odd": {"bzn": "XX"}, "at": {"bzn": "AT"}}))
    assert batch.series["at"].values == [0.0]
    assert [rejection.series for rejection in batch.rejections] == ["odd"]
    assert "bzn not valid" in batch.rejections[0].reason
    server.answer("/price", Reply.json(prices()), Reply(503))
    with pytest.raises(TransientError):
        fetch(plugin(server, "price", {"de": {"bzn": "DE-LU"}, "at": {"bzn": "AT"}}))
