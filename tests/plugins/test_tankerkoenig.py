"""Tankerkönig: prices at the time of the answer, and what has no price."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply
from support.plugin_calls import UNPACED, fetch, group, values
from support.recordings import recording

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.plugins.data_sources.tankerkoenig_plugin import TankerkoenigMultiSeriesPlugin

if TYPE_CHECKING:
    from support.http_server import LocalServer, Request

    from dataportal.plugins.base_plugin import MultiSeriesPlugin

KEY = "c4n4ry-0f-a-key"
PATH = "/json/prices.php"
NOW = datetime(2024, 4, 10, 9, 30, 12, tzinfo=UTC)
AT = "2024-04-10T09:30:12Z"
ONE = {"it": {"station": "a1", "fuel": "e5"}}


def plugin(
    server: LocalServer, filters: dict[str, dict[str, str]], **params: Any
) -> MultiSeriesPlugin:
    """The plugin, pointed at the server."""
    own = {"api_key": KEY, "base_url": f"{server.url}/json", **UNPACED}
    return group(TankerkoenigMultiSeriesPlugin, own | params, filters, schedule="10 minutes")


def serve(server: LocalServer, prices: dict[str, Any], **headers: str) -> None:
    """Let the stations have these prices."""
    body = Reply.json({"ok": True, "license": "CC BY 4.0", "data": "MTS-K", "prices": prices}).body
    server.answer(PATH, Reply(body=body, headers=headers))


def test_a_price_has_the_time_of_the_answer(server: LocalServer) -> None:
    """As it carries none itself; in whole and to the second or better."""
    serve(server, {"a1": {"status": "open", "e5": 1.739, "e10": 1.679, "diesel": 1.669}})
    filters = {fuel: {"station": "A1", "fuel": fuel} for fuel in ("e5", "e10", "diesel")}
    points = values(fetch(plugin(server, filters), now=lambda: NOW))
    assert points == {"e5": {AT: 1.739}, "e10": {AT: 1.679}, "diesel": {AT: 1.669}}
    before = datetime.now(UTC)
    (ts,) = fetch(plugin(server, ONE)).series["it"].ts
    assert before <= ts <= datetime.now(UTC)


def test_an_answer_out_of_a_cache_is_as_old_as_it_says(server: LocalServer) -> None:
    """A Date long past is its time; one that is ahead, or no date, is not."""
    ages = {
        "Wed, 10 Apr 2024 08:00:00 GMT": "2024-04-10T08:00:00Z",
        "Wed, 10 Apr 2024 09:30:00 GMT": AT,
        "Wed, 10 Apr 2024 11:00:00 GMT": AT,
        "today": AT,
    }
    for date, expected in ages.items():
        serve(server, {"a1": {"status": "open", "e5": 1.7}}, Date=date)
        assert values(fetch(plugin(server, ONE), now=lambda: NOW)) == {"it": {expected: 1.7}}


@pytest.mark.parametrize(
    "prices",
    [
        {"status": "open", "e5": False, "diesel": 1.6},
        {"status": "open", "e5": None},
        {"status": "open", "diesel": 1.6},
        {"status": "closed"},
        {"status": "no prices"},
    ],
)
def test_what_has_no_price_has_no_value(server: LocalServer, prices: dict[str, Any]) -> None:
    """At the time of the answer, so that nothing that is stored is withdrawn by it."""
    serve(server, {"a1": prices})
    assert values(fetch(plugin(server, ONE), now=lambda: NOW)) == {"it": {AT: None}}


def test_a_station_that_is_left_out_has_nothing(server: LocalServer) -> None:
    """Neither a price nor "no value"."""
    serve(server, {})
    assert values(fetch(plugin(server, ONE))) == {"it": {}}


@pytest.mark.parametrize("status", ["no stations", "ajar", None])
def test_a_station_that_is_not_known_is_told_and_the_others_are_kept(
    server: LocalServer, status: str | None
) -> None:
    """So is one whose state is a word that was never heard."""
    serve(server, {"a1": {"status": "open", "e5": 1.7}, "b2": {"status": status, "e5": 1.8}})
    batch = fetch(plugin(server, {**ONE, "other": {"station": "b2", "fuel": "e5"}}))
    assert batch.series["it"].values == [1.7]
    (rejection,) = batch.rejections
    assert rejection.series == "other"
    assert " station b2" in rejection.reason
    assert "; it begins: {" in rejection.reason


@pytest.mark.parametrize("price", ["cheap", True, "1,7"])
def test_what_is_no_price_is_rejected(server: LocalServer, price: Any) -> None:
    """Rather than stored as some number."""
    serve(server, {"a1": {"status": "open", "e5": price}})
    assert fetch(plugin(server, ONE)).rejected == 1


@pytest.mark.parametrize(("count", "requests"), [(1, 1), (10, 1), (11, 2), (25, 3)])
def test_a_request_asks_for_ten_stations_at_most(
    server: LocalServer, count: int, requests: int
) -> None:
    """All fuels of a station together, each station once."""

    def reply(request: Request) -> Reply:
        ids = request.query["ids"][0].split(",")
        prices = {station: {"status": "open", "e5": float(station), "diesel": 1} for station in ids}
        return Reply.json({"ok": True, "prices": prices})

    server.answer(PATH, reply)
    filters = {
        f"{fuel}-{n}": {"station": str(n), "fuel": fuel}
        for n in range(count)
        for fuel in ("e5", "diesel")
    }
    points = values(fetch(plugin(server, filters)))
    assert [list(points[f"e5-{n}"].values()) for n in range(count)] == [
        [float(n)] for n in range(count)
    ]
    asked_for = [request.query["ids"][0].split(",") for request in server.requests]
    assert len(asked_for) == requests
    assert max(map(len, asked_for)) <= 10
    assert sorted(chain(*asked_for)) == sorted(map(str, range(count)))


@pytest.mark.parametrize(
    ("reply", "kind", "message", "wait"),
    [
        (
            Reply.json({"ok": False, "message": "parameter error"}),
            PermanentError,
            "parameter",
            None,
        ),
        (Reply.json({"ok": False, "message": f"{KEY}?"}), PermanentError, "refuses", None),
        (Reply.json({"ok": False}), PermanentError, "no reason given", None),
        (Reply.json({"ok": False, "message": "too many requests"}), TransientError, "too", 300.0),
        (Reply(503), TransientError, "503", 300.0),
        (Reply(429, headers={"Retry-After": "400"}), TransientError, "429", 400.0),
        (Reply(403), PermanentError, "403", None),
        (Reply(body=b""), BadDataError, "empty", None),
        (Reply(body=b"<html>"), BadDataError, "page of HTML", None),
        (Reply.json({"ok": True}), BadDataError, "has no prices", None),
        (Reply.json({"status": "ok"}), BadDataError, "ok", None),
        (Reply.json({"ok": True, "prices": {"a1": 1.7}}), BadDataError, "another shape", None),
    ],
)
def test_failures_are_told_apart(
    server: LocalServer, reply: Reply, kind: type[Exception], message: str, wait: float | None
) -> None:
    """Also under status 200; tried again after five minutes at the soonest; without the key."""
    server.answer(PATH, reply)
    with pytest.raises(kind, match=message) as caught:
        fetch(plugin(server, ONE))
    assert getattr(caught.value, "retry_after", None) == wait
    assert KEY not in str(caught.value)
    assert server.requests[0].query["apikey"] == [KEY]


def test_a_key_is_not_asked_with_too_often() -> None:
    """Neither by the schedule nor by several machines together."""
    params = {"api_key": KEY}
    with pytest.raises(ValueError, match="every 5 minutes at most, not every 1 minute"):
        group(TankerkoenigMultiSeriesPlugin, params, ONE, schedule="1 minute")
    fine = group(TankerkoenigMultiSeriesPlugin, params, ONE, schedule="5 minutes")
    limit = fine._limit  # type: ignore[attr-defined]
    assert (limit.everywhere, limit.key) == (True, KEY)
    assert timedelta(minutes=1) / limit.per_minute >= timedelta(seconds=5)


@pytest.mark.parametrize(
    ("params", "own", "message"),
    [
        ({}, ONE["it"], "api_key is missing"),
        ({"api_key": KEY}, {}, "station is missing; fuel is missing"),
        ({"api_key": KEY}, {"station": "a/b", "fuel": "e5"}, "station must be the id"),
        ({"api_key": KEY}, {"station": "a", "fuel": "super"}, "fuel must be one of e5, e10, die"),
        ({"api_key": KEY, "ids": "a"}, ONE["it"], "'ids' is not a parameter"),
    ],
)
def test_every_wrong_parameter_is_named(
    params: dict[str, Any], own: dict[str, str], message: str
) -> None:
    """Before anything is asked."""
    with pytest.raises(ValueError, match=message) as caught:
        group(TankerkoenigMultiSeriesPlugin, params, {"it": own})
    assert KEY not in str(caught.value)


def test_recorded_prices_are_read(server: LocalServer) -> None:
    """Each price of the file."""
    body = recording("tankerkoenig/prices.json")
    server.answer(PATH, Reply(body=body))
    prices = json.loads(body)["prices"]
    filters = {
        f"{station} {fuel}": {"station": station, "fuel": fuel}
        for station in prices
        for fuel in ("e5", "e10", "diesel")
    }
    points = values(fetch(plugin(server, filters), now=lambda: NOW))
    assert points == {
        f"{station} {fuel}": {AT: entry[fuel]}
        for station, entry in prices.items()
        for fuel in ("e5", "e10", "diesel")
    }
    assert points
