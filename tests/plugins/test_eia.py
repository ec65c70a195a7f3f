"""EIA: hours that end, pages, texts for numbers, errors under any status, a key that is echoed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.http_server import Reply
from support.plugin_calls import UNPACED, fetch, group, values
from support.recordings import recording

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.plugins.data_sources.eia_plugin import EiaMultiSeriesPlugin, _hour_start, _label

if TYPE_CHECKING:
    from support.http_server import LocalServer, Request
    from support.plugin_calls import Series
    from syrupy.assertion import SnapshotAssertion

    from dataportal.plugins.base_plugin import MultiSeriesPlugin

KEY = "c4n4ry-of-a-key"
PATH = "/v2/electricity/rto/region-data/data/"
DEMAND = {"demand": {"respondent": "PJM", "type": "D"}}
HOUR = timedelta(hours=1)


def plugin(
    server: LocalServer, filters: dict[str, dict[str, str]], **params: Any
) -> MultiSeriesPlugin:
    """The plugin, pointed at the server."""
    own = {"route": "region-data", "api_key": KEY, "base_url": f"{server.url}/v2", **UNPACED}
    return group(EiaMultiSeriesPlugin, own | params, filters)


def row(period: str, value: Any, kind: str = "D") -> dict[str, Any]:
    """A row as EIA writes it."""
    return {
        "period": period,
        "respondent": "PJM",
        "respondent-name": "PJM Interconnection, LLC",
        "type": kind,
        "value": value,
        "value-units": "megawatthours",
    }


def document(rows: list[dict[str, Any]], total: Any = None, **more: Any) -> dict[str, Any]:
    """An answer as EIA writes it, with the key in it."""
    response = {"total": str(len(rows)) if total is None else total, "data": rows, **more}
    return {"response": response, "request": {"params": {"api_key": KEY}}, "apiVersion": "2.1.13"}


def demand(server: LocalServer, *args: str | None) -> Series:
    """The series of the plugin that asks for one."""
    return values(fetch(plugin(server, DEMAND), *args))["demand"]  # type: ignore[arg-type]


def test_a_period_is_the_end_of_its_hour(server: LocalServer) -> None:
    """`05` in UTC is the hour from 04:00 to 05:00, also across midnight and for local hours."""
    rows = [row("2024-01-01T00", "1"), row("2024-01-01T05", "2"), row("2024-03-20T00-07", "3")]
    server.answer(PATH, Reply.json(document(rows)))
    assert demand(server) == {
        "2023-12-31T23:00:00Z": 1.0,
        "2024-01-01T04:00:00Z": 2.0,
        "2024-03-20T06:00:00Z": 3.0,
    }


@given(st.datetimes(datetime(1000, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_label_names_the_hour_that_it_was_made_of(instant: datetime) -> None:
    """Whatever moment of the hour one starts from, and whatever offset the label carries."""
    hour = instant.replace(minute=0, second=0, microsecond=0)
    assert _hour_start(_label(instant)) == hour
    assert _hour_start(f"{hour - 6 * HOUR:%Y-%m-%dT%H}-07") == hour


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d([+-]\d\d)?", fullmatch=True))
def test_what_is_no_label_is_passed_on(text: str) -> None:
    """Never a time that was not there, and nothing is raised."""
    start = _hour_start(text)
    assert isinstance(start, datetime) or text in start


@pytest.mark.parametrize(
    ("start", "end", "asked_for"),
    [
        ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", ("2024-01-01T01", "2024-01-02T00")),
        ("2024-01-01T00:30:00Z", "2024-01-01T01:30:00Z", ("2024-01-01T01", "2024-01-01T02")),
        ("2024-01-01T00:00:00Z", None, ("2024-01-01T01", None)),
        ("0001-01-01T00:00:00Z", None, (None, None)),
    ],
)
def test_the_window_is_asked_for_and_kept(
    server: LocalServer, start: str, end: str | None, asked_for: tuple[str | None, str | None]
) -> None:
    """In labels of ends, both inclusive; every hour that lies in it, if only in part, comes."""
    labels = [datetime(2023, 12, 31, 20, tzinfo=UTC) + n * HOUR for n in range(40)]
    rows = [row(f"{label:%Y-%m-%dT%H}", "1") for label in labels]
    server.answer(PATH, Reply.json(document(rows)))
    begins = [f"{label - HOUR:%Y-%m-%dT%H:00:00Z}" for label in labels]
    assert list(demand(server, start, end)) == [
        b for b in begins if f"{start[:14]}00:00Z" <= b and (end is None or b < end)
    ]
    query = server.requests[0].query
    assert tuple(query.get(name, [None])[0] for name in ("start", "end")) == asked_for


def test_what_is_older_than_the_monitor_is_not_asked_for(server: LocalServer) -> None:
    """There is none, and a year of three digits would be no label."""
    assert demand(server, "0900-01-01T00:00:00Z", "2014-01-01T00:00:00Z") == {}
    assert not server.requests


def test_the_request_names_every_facet_and_an_order(
    server: LocalServer, snapshot: SnapshotAssertion
) -> None:
    """Values are asked for, each facet repeated, and rows of one hour sorted as well."""
    server.answer(PATH, Reply.json(document([])))
    filters = {
        "pjm-demand": {"respondent": "PJM", "type": "D"},
        "pjm-forecast": {"respondent": "PJM", "type": "DF"},
        "miso-demand": {"respondent": "MISO", "type": "D"},
    }
    fetch(plugin(server, filters), "2024-01-01T00:00:00Z")
    assert len(server.requests) == 1
    assert server.requests[0].query == snapshot


def test_series_of_one_answer_are_told_apart(
    server: LocalServer, snapshot: SnapshotAssertion
) -> None:
    """By their facets; rows of others are nobody's. Values are texts, and null is no value."""
    rows = [
        row("2024-01-01T01", "80000", "D"),
        row("2024-01-01T01", "81000", "DF"),
        row("2024-01-01T01", "-120", "TI"),
        row("2024-01-01T02", None, "D"),
        row("2024-01-01T02", 81500.5, "DF"),
        row("2024-01-01T02", "1e3", "NG"),
    ]
    server.answer(PATH, Reply.json(document(rows)))
    filters = {kind: {"type": kind} for kind in ("D", "DF", "TI")}
    assert values(fetch(plugin(server, filters, respondent="PJM"))) == snapshot


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("size", [7, 10, 25, 5000])
def test_every_page_is_fetched(server: LocalServer, size: int, as_text: bool) -> None:  # noqa: FBT001
    """Until as many rows came as there are, whatever a page holds; the total may be a text."""
    labels = [datetime(2024, 1, 1, tzinfo=UTC) + n * HOUR for n in range(25)]
    rows = [row(f"{label:%Y-%m-%dT%H}", str(n)) for n, label in enumerate(labels)]

    def page(request: Request) -> Reply:
        offset = int(request.query["offset"][0])
        warnings = [{"warning": "incomplete return", "description": "The API can only return …"}]
        rows_of_page = rows[offset : offset + size]
        return Reply.json(document(rows_of_page, "25" if as_text else 25, warnings=warnings))

    server.answer(PATH, page)
    assert list(demand(server).values()) == list(map(float, range(25)))
    assert len(server.requests) == -(-25 // size)
    assert {request.query["length"][0] for request in server.requests} == {"5000"}


@pytest.mark.parametrize("second", [Reply.json({"error": "later", "code": 503}), Reply(503)])
def test_a_page_that_fails_fails_all(server: LocalServer, second: Reply) -> None:
    """No part of the pages counts as the whole."""
    server.answer(PATH, Reply.json(document([row("2024-01-01T01", "1")], "2")), second)
    with pytest.raises(TransientError):
        demand(server)


def test_pages_that_stop_short_or_repeat_are_refused(server: LocalServer) -> None:
    """Fewer rows than there are, or the same again, are no whole answer."""
    first = Reply.json(document([row("2024-01-01T01", "1")], "3"))
    server.answer(PATH, first, Reply.json(document([], "3")))
    with pytest.raises(BadDataError, match="ends after 1 of 3 rows"):
        demand(server)
    server.answer(PATH, first)
    with pytest.raises(BadDataError, match="same as the page before"):
        demand(server)


ERRORS = [
    ({"error": {"code": "API_KEY_INVALID", "message": f"no {KEY}"}}, 403, PermanentError),
    ({"error": {"code": "API_KEY_MISSING", "message": "none"}}, 200, PermanentError),
    ({"error": f"Invalid facet, {KEY}", "code": 400}, 200, PermanentError),
    ({"error": "Invalid route", "code": "404"}, 404, PermanentError),
    ({"error": {"code": "OVER_RATE_LIMIT", "message": "Rate limit exceeded"}}, 403, TransientError),
    ({"error": {"code": "OVER_RATE_LIMIT", "message": "Slow down"}}, 200, TransientError),
    ({"error": "down", "code": 500}, 200, TransientError),
    ({"error": "too many requests"}, 429, TransientError),
    ({"request": {"params": {"api_key": KEY}}}, 200, BadDataError),
    ({"response": {"data": []}, "x": KEY}, 200, BadDataError),
    (document([{"period": "2024-01-01T01", "value": "1"}]), 200, BadDataError),
    (document([{k: v for k, v in row("2024-01-01T01", "1").items() if k != "value"}]), 200, None),
    (document([row("2024-01-01T01", "1")], total="many"), 200, BadDataError),
    (document([row("2024-01-01T01", "1")], total="9" * 300), 200, BadDataError),
    (document([row("2024-01-01T01", "1")], total="9" * 5000), 200, BadDataError),
    (document([row("2024-01-01T01", "1")], total=int("9" * 300)), 200, BadDataError),
    ([KEY], 200, BadDataError),
]


@pytest.mark.parametrize(("body", "status", "kind"), ERRORS)
def test_errors_are_told_apart_whatever_their_status(
    server: LocalServer, body: Any, status: int, kind: type[Exception] | None
) -> None:
    """Whether they may pass, with EIA's reason and without the key that it echoes."""
    server.answer(PATH, Reply.json(body, status))
    with pytest.raises(kind or BadDataError) as caught:
        demand(server)
    assert KEY not in str(caught.value)
    assert "9" * 61 not in str(caught.value)
    assert "region-data" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"<html>maintenance</html>", b'{"response": {"to'])
def test_what_is_no_answer_is_refused(server: LocalServer, body: bytes) -> None:
    """Nothing, a page and half a document are bad data, not an empty answer."""
    server.answer(PATH, Reply(body=body))
    with pytest.raises(BadDataError):
        demand(server)


def test_no_rows_are_no_error(server: LocalServer) -> None:
    """Nothing published yet."""
    server.answer(PATH, Reply.json(document([])))
    assert demand(server) == {}


@pytest.mark.parametrize(
    ("period", "value"),
    [("2024-01-01", "1"), ("2024-01-01T25", "1"), ("2024-13-01T01", "1"), ("2024-01-01T01", "n/d")],
)
def test_what_is_no_hour_or_no_number_is_rejected(
    server: LocalServer, period: str, value: str
) -> None:
    """The others are taken."""
    rows = [row(period, value), row("2024-01-01T02", "2")]
    server.answer(PATH, Reply.json(document(rows)))
    batch = fetch(plugin(server, DEMAND))
    assert batch.rejected == 1
    assert batch.series["demand"].values == [2.0]


def test_days_on_which_clocks_change_have_24_hours(server: LocalServer) -> None:
    """Hours are in UTC: none is missing in March, and none occurs twice in November."""
    for day in (datetime(2024, 3, 10, tzinfo=UTC), datetime(2024, 11, 3, tzinfo=UTC)):
        labels = [day + (n + 1) * HOUR for n in range(24)]
        server.answer(
            PATH, Reply.json(document([row(f"{label:%Y-%m-%dT%H}", "1") for label in labels]))
        )
        points = demand(server, day.isoformat(), (day + 24 * HOUR).isoformat())
        assert [datetime.fromisoformat(ts) for ts in points] == [day + n * HOUR for n in range(24)]


def test_the_limit_is_shared_under_the_key(server: LocalServer) -> None:
    """Its breach costs the key, so all machines count together; a source may set another."""
    limit = plugin(server, DEMAND, per_minute=30)._limit  # type: ignore[attr-defined]
    assert (limit.per_minute, limit.everywhere, limit.key) == (30, True, KEY)
    own = {"route": "region-data", "api_key": KEY}
    default = group(EiaMultiSeriesPlugin, own, DEMAND)._limit  # type: ignore[attr-defined]
    assert default.per_minute < 150


@pytest.mark.parametrize(
    ("params", "filters", "message"),
    [
        ({"route": "region-data"}, DEMAND, "api_key is missing"),
        ({"route": "solar", "api_key": "k"}, DEMAND, "^route must be one of [^;]*$"),
        ({"route": "solar", "type": "D", "api_key": "k"}, DEMAND, "^route must be one of [^;]*$"),
        ({"route": "region-data", "api_key": "k"}, {"a": {"respondent": "PJM"}}, "a: type is miss"),
        ({"route": "fuel-type-data", "api_key": "k"}, DEMAND, "'type' is not a parameter"),
        ({"route": "region-data", "api_key": "k", "frequency": "local-hourly"}, DEMAND, "'freq"),
        ({"route": "region-data", "api_key": "k", "per_minute": 0}, DEMAND, "more than 0"),
    ],
)
def test_every_wrong_parameter_is_named(
    params: dict[str, Any], filters: dict[str, dict[str, str]], message: str
) -> None:
    """Before anything is asked."""
    with pytest.raises(ValueError, match=message):
        group(EiaMultiSeriesPlugin, params, filters)


@pytest.mark.parametrize(
    ("name", "route", "facets"),
    [
        ("region-data_AEC_D_2019-01-02T00", "region-data", ("respondent", "type")),
        ("fuel-type-data_AEC_COL_2019-01-02T00", "fuel-type-data", ("respondent", "fueltype")),
    ],
)
def test_recorded_answers_are_read(
    server: LocalServer, name: str, route: str, facets: tuple[str, ...]
) -> None:
    """Value for value, each hour an hour before its label."""
    body = recording(f"eia/{name}.json")
    server.answer(f"/v2/electricity/rto/{route}/data/", Reply(body=body))
    rows = json.loads(body)["response"]["data"]
    filters = {"it": {facet: rows[0][facet] for facet in facets}}
    points = values(fetch(plugin(server, filters, route=route)))["it"]
    assert points == {
        f"{datetime.strptime(r['period'], '%Y-%m-%dT%H') - HOUR:%Y-%m-%dT%H:%M:%SZ}": float(  # noqa: DTZ007
            r["value"]
        )
        for r in rows
    }
    assert points
