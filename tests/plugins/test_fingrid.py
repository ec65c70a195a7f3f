"""Fingrid: one data set or several, pages, both forms of ISO 8601, a gateway that says when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply
from support.plugin_calls import UNPACED, fetch, group, single, values

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.plugins.data_sources.fingrid_plugin import (
    FingridDataSourcePlugin,
    FingridMultiSeriesPlugin,
)

if TYPE_CHECKING:
    from support.http_server import LocalServer, Request
    from support.plugin_calls import Series
    from syrupy.assertion import SnapshotAssertion

    from dataportal.plugins.base_plugin import BasePlugin, MultiSeriesPlugin

KEY = "c4n4ry-of-a-key"
ONE, MANY = "/api/datasets/124/data", "/api/data"
QUARTER = timedelta(minutes=15)


def single_data_set(server: LocalServer, **params: Any) -> BasePlugin:
    """The plugin for a data set, pointed at the server."""
    own = {"dataset_id": 124, "api_key": KEY, "base_url": f"{server.url}/api", **UNPACED}
    return single(FingridDataSourcePlugin, own | params)


def several(server: LocalServer, *datasets: int, **params: Any) -> MultiSeriesPlugin:
    """The plugin for several, pointed at the server."""
    own = {"api_key": KEY, "base_url": f"{server.url}/api", **UNPACED}
    filters = {f"d{dataset}": {"dataset_id": dataset} for dataset in datasets}
    return group(FingridMultiSeriesPlugin, own | params, filters)


def row(begin: str, value: Any, dataset: Any = 124) -> dict[str, Any]:
    """A row as Fingrid writes it."""
    return {"datasetId": dataset, "startTime": begin, "endTime": "later", "value": value}


def document(rows: list[Any], after: int | None = None, total: Any = None) -> dict[str, Any]:
    """An answer as Fingrid writes it."""
    total = len(rows) if total is None else total
    return {"data": rows, "pagination": {"total": total, "nextPage": after, "currentPage": 1}}


def fetch_points(server: LocalServer, *window: str | None) -> Series:
    """What comes of the one data set."""
    return values(fetch(single_data_set(server), *window))["it"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "begin",
    [
        "2025-01-01T00:15:00.000Z",
        "2025-01-01T00:15:00Z",
        "2025-01-01T02:15:00+02:00",
        "2025-01-01T00:15:00+0000",
        "2025-01-01T00:15:00",
    ],
)
@pytest.mark.parametrize("value", [9876.5, "9876.5"])
def test_an_interval_is_named_by_its_begin(server: LocalServer, begin: str, value: Any) -> None:
    """In UTC, in whatever form of ISO 8601; a value may be a text."""
    server.answer(ONE, Reply.json(document([row(begin, value)])))
    assert fetch_points(server) == {"2025-01-01T00:15:00Z": 9876.5}


def test_requests_say_everything_and_tell_the_key_in_a_header(
    server: LocalServer, snapshot: SnapshotAssertion
) -> None:
    """Both ends of the window, the size of a page (10 if one does not say), the order."""
    server.answer(ONE, Reply.json(document([])))
    server.answer(MANY, Reply.json(document([])))
    start = "2025-01-01T00:00:00Z"
    fetch(single_data_set(server), start, now=lambda: datetime(2025, 1, 2, 12, tzinfo=UTC))
    fetch(several(server, 124, 74), start, "2025-01-01T06:00:00.5Z")
    assert [request.query for request in server.requests] == snapshot
    assert {request.headers["x-api-key"] for request in server.requests} == {KEY}
    assert all(KEY not in request.target for request in server.requests)


def test_several_data_sets_come_with_one_request(
    server: LocalServer, snapshot: SnapshotAssertion
) -> None:
    """Told apart by their numbers; one of which there is nothing is left out."""
    rows = [
        row("2025-01-01T00:00:00.000Z", 1, 124),
        row("2025-01-01T00:00:00.000Z", 2, 74),
        row("2025-01-01T00:03:00.000Z", "3.5", 74),
        row("2025-01-01T00:15:00.000Z", None, 124),
    ]
    server.answer(MANY, Reply.json(document(rows)))
    assert values(fetch(several(server, 124, 74, 999))) == snapshot
    assert len(server.requests) == 1


@pytest.mark.parametrize("size", [1, 7, 30])
def test_every_page_is_fetched(server: LocalServer, size: int) -> None:
    """Until no next one is named."""
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [row(f"{begin + n * QUARTER:%Y-%m-%dT%H:%M:%S.000Z}", n) for n in range(20)]

    def page(request: Request) -> Reply:
        number = int(request.query["page"][0])
        after = number + 1 if number * size < len(rows) else None
        rows_of_page = rows[(number - 1) * size : number * size]
        return Reply.json(document(rows_of_page, after, total=str(len(rows))))

    server.answer(ONE, page)
    assert list(fetch_points(server).values()) == list(map(float, range(20)))
    assert len(server.requests) == -(-20 // size)


@pytest.mark.parametrize(
    ("second", "kind"),
    [
        (Reply(503), TransientError),
        (Reply.json(document([], None, total=2)), BadDataError),
        (Reply.json(document([row("2025-01-01T00:15:00Z", 1)], 2)), BadDataError),
        (Reply.json(document([], 3)), BadDataError),
    ],
)
def test_no_part_of_the_pages_counts_as_the_whole(
    server: LocalServer, second: Reply, kind: type[Exception]
) -> None:
    """A page that fails, that is missing, or that names itself as the next."""
    server.answer(ONE, Reply.json(document([row("2025-01-01T00:00:00Z", 1)], 2, total=2)), second)
    with pytest.raises(kind):
        fetch_points(server)
    assert len(server.requests) == 2


@pytest.mark.parametrize("total", [int("9" * 300), "9" * 300, "9" * 5000, "many", -1])
def test_a_total_that_is_none_promises_nothing(server: LocalServer, total: Any) -> None:
    """Whatever it is; the pages tell their end by themselves."""
    server.answer(ONE, Reply.json(document([row("2025-01-01T00:00:00Z", 1)], None, total=total)))
    assert len(fetch_points(server)) == 1


def test_the_window_is_half_open(server: LocalServer) -> None:
    """What begins at its end is not in it."""
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [row(f"{begin + n * QUARTER:%Y-%m-%dT%H:%M:%SZ}", n) for n in range(8)]
    server.answer(ONE, Reply.json(document(rows)))
    inside = fetch_points(server, "2025-01-01T00:15:00Z", "2025-01-01T01:00:00Z")
    assert list(inside.values()) == [1.0, 2.0, 3.0]


def test_what_is_older_than_anything_is_not_asked_for(server: LocalServer) -> None:
    """A window of which a part may have something begins with that."""
    assert fetch_points(server, "1900-01-01T00:00:00Z", "1950-01-01T00:00:00Z") == {}
    assert not server.requests
    server.answer(ONE, Reply.json(document([])))
    assert fetch_points(server, "1900-01-01T00:00:00Z", "2025-01-01T00:00:00Z") == {}
    assert server.requests[0].query["startTime"] == ["2000-01-01T00:00:00Z"]


@pytest.mark.parametrize("day", ["2025-03-30", "2025-10-26"])
def test_days_on_which_clocks_change_are_whole(server: LocalServer, day: str) -> None:
    """92 and 100 quarters of a local day in Helsinki, none of them doubled or missing."""
    end = datetime.fromisoformat(f"{day}T21:00:00+00:00") + timedelta(hours=day < "2025-06")
    begin = end - timedelta(hours=23 if day < "2025-06" else 25)
    rows = []
    while begin < end:
        rows.append(row(f"{begin:%Y-%m-%dT%H:%M:%SZ}", 1))
        begin += QUARTER
    server.answer(ONE, Reply.json(document(rows)))
    assert len(fetch_points(server)) == (92 if day < "2025-06" else 100)


@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [
        (Reply.json({"message": f"no {KEY}"}, 401), PermanentError, "401"),
        (Reply.json({"message": "Dataset not found"}, 404), PermanentError, "no data set 124"),
        (Reply.json({"message": "startTime is required"}, 422), PermanentError, "startTime is"),
        (Reply(500, b"oops"), TransientError, "500"),
        (Reply(body=b"<html>" + KEY.encode()), BadDataError, "page of HTML"),
        (Reply(body=b""), BadDataError, "empty"),
        (Reply.json([]), BadDataError, "another shape"),
        (Reply.json({"data": [], "x": KEY}), BadDataError, "pagination"),
        (
            Reply.json(document([{"startTime": "2025-01-01T00:00:00Z", "Wind": 1}])),
            BadDataError,
            "value",
        ),
        (Reply.json(document([row("2025-01-01T00:00:00Z", 1, 75)])), BadDataError, "not asked for"),
    ],
)
def test_failures_are_told_apart(
    server: LocalServer, reply: Reply, kind: type[Exception], message: str
) -> None:
    """With Fingrid's reason, without the key."""
    server.answer(ONE, reply)
    with pytest.raises(kind, match=message) as caught:
        fetch_points(server)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "text", "wait"),
    [
        ({"Retry-After": "7"}, "Rate limit is exceeded. Try again in 42 seconds.", 7.0),
        ({}, "Rate limit is exceeded. Try again in 42 seconds.", 42.0),
        ({}, "Rate limit is exceeded.", None),
    ],
)
def test_when_to_ask_again_is_heard(
    server: LocalServer, headers: dict[str, str], text: str, wait: float | None
) -> None:
    """From the header, else from the text."""
    server.answer(ONE, Reply(429, f'{{"message": "{text}"}}'.encode(), headers=headers))
    with pytest.raises(TransientError) as caught:
        fetch_points(server)
    assert caught.value.retry_after == wait


@pytest.mark.parametrize(("begin", "value"), [("yesterday", 1), ("2025-01-01T00:00:00Z", "n/d")])
def test_what_is_no_time_or_no_number_is_rejected(
    server: LocalServer, begin: str, value: Any
) -> None:
    """The others are taken."""
    rows = [row(begin, value), row("2025-01-01T00:15:00Z", 2)]
    server.answer(ONE, Reply.json(document(rows)))
    batch = fetch(single_data_set(server))
    assert (batch.rejected, batch.series["it"].values) == (1, [2.0])


def test_ten_requests_a_minute_belong_to_the_key(server: LocalServer) -> None:
    """All sources and machines that use it count together; a source may set another limit."""
    params = {"api_key": KEY, "dataset_id": 1}
    plugins = [
        single(FingridDataSourcePlugin, params),
        group(FingridMultiSeriesPlugin, {"api_key": KEY}, {}),
    ]
    limits = [plugin._api._limit for plugin in plugins]  # type: ignore[attr-defined]
    assert limits[0] == limits[1]
    assert (limits[0].per_minute, limits[0].everywhere, limits[0].key) == (10, True, KEY)
    assert single_data_set(server, per_minute=5)._api._limit.per_minute == 5  # type: ignore[attr-defined]


def test_every_wrong_parameter_is_named() -> None:
    """Before anything is asked."""
    with pytest.raises(ValueError, match="dataset_id is missing; api_key is missing; 'key'"):
        single(FingridDataSourcePlugin, {"key": KEY})
    with pytest.raises(ValueError, match="a: dataset_id must be a whole number"):
        group(FingridMultiSeriesPlugin, {"api_key": KEY}, {"a": {"dataset_id": "wind"}})
