"""CityBikes: odd stamps, nulls that are not zero, sums that are not made up."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.http_server import Reply
from support.plugin_calls import UNPACED, fetch, group, values
from support.recordings import recording

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.plugins.data_sources.citybikes_plugin import CityBikesMultiSeriesPlugin, _instant

if TYPE_CHECKING:
    from support.http_server import LocalServer
    from syrupy.assertion import SnapshotAssertion

    from dataportal.plugins.base_plugin import MultiSeriesPlugin

PATH = "/v2/networks/citybike-wien"
NOW = datetime(2024, 5, 1, 10, 5, tzinfo=UTC)
FRESH = "2024-05-01T10:00:00.000Z"
SUM: dict[str, dict[str, Any]] = {"sum": {}}


def plugin(
    server: LocalServer, filters: dict[str, dict[str, Any]], **params: Any
) -> MultiSeriesPlugin:
    """The plugin, pointed at the server."""
    own = {"network": "citybike-wien", "base_url": f"{server.url}/v2", **UNPACED}
    return group(CityBikesMultiSeriesPlugin, own | params, filters)


def station(number: int, bikes: Any, stamp: Any = FRESH, **more: Any) -> dict[str, Any]:
    """A station as CityBikes writes it."""
    return {
        "id": f"s{number}",
        "name": f"Station {number}",
        "timestamp": stamp,
        "free_bikes": bikes,
        "empty_slots": None,
        **more,
    }


def serve(server: LocalServer, *stations: dict[str, Any]) -> None:
    """Let the network have these stations."""
    network = {"id": "citybike-wien", "name": "Citybike Wien", "stations": list(stations)}
    server.answer(PATH, Reply.json({"network": network}))


def total(server: LocalServer, **params: Any) -> dict[str, float | None]:
    """The sum over the network, by its time."""
    return values(fetch(plugin(server, SUM, **params), now=lambda: NOW))["sum"]


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2017-05-30T13:37:46.649000Z", "2017-05-30T13:37:46.649000Z"),
        ("2024-05-01T10:00:00+00:00Z", "2024-05-01T10:00:00Z"),
        ("2024-05-01T10:00:00.123456+00:00Z", "2024-05-01T10:00:00.123456Z"),
        ("2024-05-01T10:00:00.123456789Z", "2024-05-01T10:00:00.123456Z"),
        ("2024-05-01T10:00:00.5.123Z", "2024-05-01T10:00:00.500000Z"),
        ("2024-05-01T10:00:00.+00:00Z", "2024-05-01T10:00:00Z"),
        ("2024-05-01T10:00:00.%fZ", "2024-05-01T10:00:00Z"),
        ("2024-05-01T12:00:00+02:00", "2024-05-01T10:00:00Z"),
        ("2024-05-01T12:00:00+0200Z", "2024-05-01T10:00:00Z"),
        ("2024-05-01 10:00:00", "2024-05-01T10:00:00Z"),
    ],
)
def test_stamps_are_read_in_every_form(server: LocalServer, stamp: str, expected: str) -> None:
    """With an offset and a Z, with fractions that are none; in UTC where nothing else is said."""
    serve(server, station(1, 7, stamp))
    points = values(fetch(plugin(server, {"it": {"station": "s1"}}), now=lambda: NOW))
    assert points == {"it": {expected: 7.0}}


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(-14, 14),
    st.sampled_from(["", "Z"]),
)
def test_an_instant_is_the_same_in_every_form(instant: datetime, hours: int, tail: str) -> None:
    """Whatever offset it is written in, and whether or not a Z stands behind that."""
    local = instant.astimezone(timezone(timedelta(hours=hours)))
    assert _instant(local.isoformat() + tail) == instant
    assert _instant(instant.replace(tzinfo=None).isoformat() + tail) == instant


@given(st.text() | st.none() | st.integers() | st.floats())
def test_what_names_no_instant_is_passed_on(stamp: Any) -> None:
    """As it is, for the run to refuse."""
    assert _instant(stamp) is stamp or isinstance(_instant(stamp), datetime)


@pytest.mark.parametrize("stamp", ["yesterday", "2024-05-01", "2024-13-01T10:00:00Z", None, 1714])
def test_what_is_no_time_is_rejected_and_not_made_up(server: LocalServer, stamp: Any) -> None:
    """The time of asking does not stand in for it, neither alone nor in a sum."""
    serve(server, station(1, 7, stamp), station(2, 8), station(3, 9))
    batch = fetch(plugin(server, {"it": {"station": "s1"}, **SUM}), now=lambda: NOW)
    assert (batch.rejected, batch.series["it"].ts) == (1, [])
    assert batch.series["sum"].values == [17.0]


def test_stations_and_sums_come_with_one_request(
    server: LocalServer, snapshot: SnapshotAssertion
) -> None:
    """Whatever is asked of a station; null is no value, and a station keeps its own old time."""
    serve(
        server,
        station(1, 0, empty_slots=20, extra={"ebikes": 3, "slots": "20"}),
        station(2, None, "2024-05-01T04:00:00Z"),
        station(3, 5, extra={"ebikes": None}),
    )
    filters: dict[str, dict[str, Any]] = {
        "bikes-1": {"station": "s1"},
        "slots-1": {"station": "s1", "value": "empty_slots"},
        "ebikes-1": {"station": "s1", "value": "extra.ebikes"},
        "all-slots-1": {"station": "s1", "value": "extra.slots"},
        "bikes-2": {"station": "s2"},
        "bikes": {},
        "ebikes": {"value": "extra.ebikes"},
    }
    batch = fetch(plugin(server, filters, coverage=0.3), now=lambda: NOW)
    assert values(batch) == snapshot
    assert [request.query for request in server.requests] == [{"fields": ["stations"]}]


def test_a_sum_has_the_newest_time_of_what_it_adds_up(server: LocalServer) -> None:
    """Asked again without news it is the same, at the same time."""
    serve(server, station(1, 3, "2024-05-01T09:50:00Z"), station(2, 4, "2024-05-01T09:59:30Z"))
    assert total(server) == {"2024-05-01T09:59:30Z": 7.0}
    later = fetch(plugin(server, SUM), now=lambda: NOW + timedelta(minutes=30))
    assert values(later)["sum"] == {"2024-05-01T09:59:30Z": 7.0}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (station(2, 4), {"2024-05-01T10:00:00Z": 7.0}),
        (station(2, None), {"2024-05-01T10:00:00Z": 3.0}),
        (station(2, "4"), {"2024-05-01T10:00:00Z": 7.0}),
        (station(2, "broken"), {"2024-05-01T10:00:00Z": 3.0}),
        (station(2, True), {"2024-05-01T10:00:00Z": 3.0}),
        (station(2, 4, "2024-05-01T08:59:00Z"), {"2024-05-01T10:00:00Z": 3.0}),
        (station(2, 4, "2024-05-01T09:01:00Z"), {"2024-05-01T10:00:00Z": 7.0}),
        (station(2, 4, "2099-01-01T00:00:00Z"), {"2024-05-01T10:00:00Z": 3.0}),
        (station(2, 4, "never"), {"2024-05-01T10:00:00Z": 3.0}),
    ],
)
def test_a_sum_is_of_the_stations_that_report(
    server: LocalServer, other: dict[str, Any], expected: dict[str, float]
) -> None:
    """Null is not zero; an old report, or one from the future, is left out."""
    serve(server, station(1, 3), other)
    assert total(server) == expected


def test_what_is_old_follows_from_the_network_and_the_source(server: LocalServer) -> None:
    """Not from the present: a network that stopped long ago keeps its last sum and time."""
    serve(server, station(1, 3, "2017-05-30T13:00:00Z"), station(2, 4, "2017-05-30T11:00:00Z"))
    assert total(server) == {"2017-05-30T13:00:00Z": 3.0}
    assert total(server, max_age="3 hours") == {"2017-05-30T13:00:00Z": 7.0}


@pytest.mark.parametrize(
    "bikes", [[None, None, None], [5, None, None], [0, "?", None]], ids=["none", "one", "junk"]
)
def test_an_outage_is_not_an_empty_city(
    server: LocalServer, bikes: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Where too few stations report there is no sum, neither 0 nor a part of it; it is said why."""
    serve(server, *(station(number, count) for number, count in enumerate(bikes)))
    assert total(server) == {}
    assert "of 3 stations of citybike-wien report, too few for a sum" in caplog.text


def test_what_the_network_lacks_is_told_and_the_others_are_kept(server: LocalServer) -> None:
    """A station that is not there, a value that no station has."""
    serve(server, station(1, 3))
    filters = {"gone": {"station": "s9"}, "odd": {"value": "extra.boats"}, "it": {"station": "s1"}}
    batch = fetch(plugin(server, filters), now=lambda: NOW)
    assert batch.series["it"].values == [3.0]
    reasons = {rejection.series: rejection.reason for rejection in batch.rejections}
    assert reasons.keys() == {"gone", "odd"}
    assert "has no station 's9'; it begins: {" in reasons["gone"]
    assert "has no station with 'extra.boats'; it begins: {" in reasons["odd"]


def test_no_stations_are_no_failure(server: LocalServer) -> None:
    """In winter some networks have none."""
    serve(server)
    assert total(server) == {}


@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [
        (Reply.json({"detail": "Not Found"}, 404), PermanentError, "no network citybike-wien"),
        (Reply(429, headers={"Retry-After": "5"}), TransientError, "429"),
        (Reply(500), TransientError, "500"),
        (Reply(body=b"<html>"), BadDataError, "page of HTML"),
        (Reply(body=b""), BadDataError, "empty"),
        (Reply.json({"networks": []}), BadDataError, "network"),
        (Reply.json({"network": {"id": "x"}}), BadDataError, "stations"),
        (Reply.json({"network": {"stations": [1]}}), BadDataError, "another shape"),
    ],
)
def test_failures_are_told_apart(
    server: LocalServer, reply: Reply, kind: type[Exception], message: str
) -> None:
    """An answer of another shape is not a network without stations."""
    server.answer(PATH, reply)
    with pytest.raises(kind, match=message):
        total(server)


def test_three_hundred_requests_an_hour_are_fair() -> None:
    """A source may set another limit."""
    for params, expected in (({}, 5), ({"per_minute": 1}, 1)):
        own = group(CityBikesMultiSeriesPlugin, {"network": "a", **params}, SUM)
        assert own._limit.per_minute == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("params", "own", "message"),
    [
        ({}, {}, "network is missing"),
        ({"network": "../secrets"}, {}, "network must be an id"),
        ({"network": "a", "max_age": "old"}, {}, "max_age: 'old' is not a duration"),
        ({"network": "a"}, {"value": "sum(a)"}, "it: value must be a name such as free_bikes"),
        ({"network": "a"}, {"name": "x"}, "it: 'name' is not a parameter"),
    ],
)
def test_every_wrong_parameter_is_named(
    params: dict[str, Any], own: dict[str, Any], message: str
) -> None:
    """Before anything is asked."""
    with pytest.raises(ValueError, match=message):
        group(CityBikesMultiSeriesPlugin, params, {"it": own})


def test_recorded_stations_are_read(server: LocalServer) -> None:
    """Each with its own values and time; their sum with the newest of the times."""
    body = recording("citybikes/network_citybike-wien_2017-05-30.json")
    server.answer(PATH, Reply(body=body))
    stations = json.loads(body)["network"]["stations"]
    filters: dict[str, dict[str, Any]] = {
        entry["id"]: {"station": entry["id"]} for entry in stations
    }
    points = values(fetch(plugin(server, {**filters, **SUM, "slots": {"value": "empty_slots"}})))
    for entry in stations:
        stamp = datetime.fromisoformat(entry["timestamp"])
        expected = {stamp.isoformat().replace("+00:00", "Z"): float(entry["free_bikes"])}
        assert points[entry["id"]] == expected
    newest = max(datetime.fromisoformat(entry["timestamp"]) for entry in stations)
    at = newest.isoformat().replace("+00:00", "Z")
    assert points["sum"] == {at: float(sum(entry["free_bikes"] for entry in stations))}
    assert points["slots"] == {at: float(sum(entry["empty_slots"] for entry in stations))}
