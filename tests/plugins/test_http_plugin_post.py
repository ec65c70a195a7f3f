"""Described sources: by POST, with a request for each of several values, in bounded number."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.declarative_sources import fetch, plugin_of, points
from support.http_server import Reply

from dataportal.errors import BadDataError, FetchError, PermanentError, TransientError
from dataportal.plugins.declarative.body import set_in_document
from dataportal.plugins.declarative.templates import Template, Values
from dataportal.plugins.http import HttpClient
from dataportal.times import parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.http_server import LocalServer, Request

ROW = [{"t": "2025-03-01T00:00:00Z", "v": 1}]
PLACES: dict[str, Any] = {"ts": "t", "value": "v"}
VALUES = {"2025-03-01T00:00:00Z": 1.0}
WINDOW = ("2025-03-01T00:00:00Z", "2025-03-03T00:00:00Z")


def test_fields_in_a_form(server: LocalServer) -> None:
    """The fields of addresses are filled in, and braces that begin none stay as they are."""
    url = server.answer("/a", Reply.json(ROW))
    form = {"from": "{start:%d.%m.%Y}", "q": ["{{start}}", "{ a: 1 }"], "year": 2025, "on": True}
    batch = fetch("Json", url=url, method="POST", form=form, **PLACES, window=WINDOW)
    assert points(batch) == VALUES
    assert server.requests[0].form == {
        "from": ["01.03.2025"],
        "q": ["{start}", "{ a: 1 }"],
        "year": ["2025"],
        "on": ["true"],
    }


def test_fields_in_a_document(server: LocalServer) -> None:
    """At any depth; a field alone keeps its type, and a number of seconds is one."""
    document: dict[str, Any] = {
        "query": [{"code": "Tid", "values": ["{start:%YM%m}", "{end:%YM%m}"]}],
        "since": "{start:unix_ms}",
        "year": "{start:%Y:int}",
        "text": "up to {end:%Y-%m-%d}",
        "station": "{station}",
        "plain": [None, True, 1.5, "x"],
    }
    url = server.answer("/a", Reply.json(ROW))
    filters: dict[str, Any] = {"a": {"station": 7}, "b": {"station": "7"}}
    fetch("Json", filters, url=url, json=document, **PLACES, window=WINDOW)
    number, text = (request.json for request in server.requests)
    assert number == {
        "query": [{"code": "Tid", "values": ["2025M03", "2025M04"]}],
        "since": 1740787200000,
        "year": 2025,
        "text": "up to 2025-03-03",
        "station": 7,
        "plain": [None, True, 1.5, "x"],
    }
    assert text == {**number, "station": "7"}


def test_fields_in_a_text_and_in_headers(server: LocalServer) -> None:
    """A language with braces of its own is sent as it is written."""
    flux = (
        'from(bucket: "b") |> range(start: {start}, stop: {end}) |> map(fn: (r) => ({r with a: 1}))'
    )
    url = server.answer("/a", Reply.json(ROW))
    headers = {"Content-Type": "application/vnd.flux", "X-Day": "{start:%Y%m%d}"}
    fetch("Json", url=url, method="POST", body=flux, headers=headers, **PLACES, window=WINDOW)
    (request,) = server.requests
    assert request.body.decode() == (
        'from(bucket: "b") |> range(start: 2025-03-01T00:00:00Z, stop: 2025-03-03T00:00:00Z) '
        "|> map(fn: (r) => ({r with a: 1}))"
    )
    assert (request.headers["content-type"], request.headers["x-day"]) == (
        "application/vnd.flux",
        "20250301",
    )


def test_the_names_that_other_tools_have(server: LocalServer) -> None:
    """What Airbyte and dlt call these parameters is taken as well."""
    url = server.answer("/a", Reply.json(ROW))
    fetch(
        "Json",
        url=url,
        http_method="POST",
        request_parameters={"a": 1},
        request_headers={"X-B": "2"},
        request_body_json={"c": "{start:%Y:int}"},
        **PLACES,
        window=WINDOW,
    )
    (request,) = server.requests
    assert (request.method, request.query, request.json) == ("POST", {"a": ["1"]}, {"c": 2025})
    assert request.headers["x-b"] == "2"


def paged(count: int, found: Callable[[Request], tuple[int, int]]) -> Callable[[Request], Reply]:
    """Rows `count` in all, in pages whose first row and size the request says."""

    def reply(request: Request) -> Reply:
        first, size = found(request)
        rows = [
            {"t": f"2025-03-01T{hour:02}:00:00Z", "v": hour}
            for hour in range(first, min(first + size, count))
        ]
        return Reply.json({"rows": rows})

    return reply


def test_pages_in_a_document(server: LocalServer) -> None:
    """Number and size stand at paths of the document, beside what is there."""

    def found(request: Request) -> tuple[int, int]:
        page = request.json["page"]
        assert page["sort"] == "asc"
        assert request.json["day"] == "2025-03-01"
        return (page["number"] - 1) * page["size"], page["size"]

    url = server.answer("/a", paged(7, found))
    batch = fetch(
        "Json",
        url=url,
        method="POST",
        json={"day": "{start:%Y-%m-%d}", "page": {"sort": "asc"}},
        rows="rows",
        paging={"page": "page.number", "size": 3, "size_param": "page.size"},
        **PLACES,
        window=WINDOW,
    )
    assert list(points(batch).values()) == [0, 1, 2, 3, 4, 5, 6]
    assert server.asked("/a") == 4


def test_pages_in_a_form_and_in_the_query(server: LocalServer) -> None:
    """Those of a form belong in it, unless `in` says otherwise."""

    def in_form(request: Request) -> tuple[int, int]:
        return int(request.form["offset"][0]), 3

    def in_query(request: Request) -> tuple[int, int]:
        assert list(request.form) == ["f"]
        return int(request.query["offset"][0]), 3

    for found, place in ((in_form, {}), (in_query, {"in": "query"})):
        url = server.answer("/a", paged(7, found))
        batch = fetch(
            "Json",
            url=url,
            form={"f": "json"},
            rows="rows",
            paging={"offset": "offset", "size": 3, **place},
            **PLACES,
            window=WINDOW,
        )
        assert len(points(batch)) == 7


def test_a_cursor_in_a_document_keeps_its_type(server: LocalServer) -> None:
    """A number stays one."""
    replies = [Reply.json({"rows": ROW, "next": 17}), Reply.json({"rows": [], "next": None})]
    url = server.answer("/a", *replies)
    fetch(
        "Json", url=url, json={}, rows="rows", paging={"cursor": "after", "from": "next"}, **PLACES
    )
    assert [request.json for request in server.requests] == [{}, {"after": 17}]


def test_only_the_query_of_a_link_counts(server: LocalServer) -> None:
    """The host that it names is not asked; what it leaves out of the query stays."""
    link = "http://internal.invalid:8443/v1/x?$after=a%20b"
    url = server.answer("/a", Reply.json({"value": ROW, "next": link}), Reply.json({"value": []}))
    batch = fetch(
        "Json",
        url=url,
        query={"$filter": "day eq '{start:%Y-%m-%d}'"},
        rows="value",
        paging={"next": "next", "query_only": True},
        **PLACES,
        window=WINDOW,
    )
    assert points(batch) == VALUES
    assert [request.query for request in server.requests] == [
        {"$filter": ["day eq '2025-03-01'"]},
        {"$filter": ["day eq '2025-03-01'"], "$after": ["a b"]},
    ]


def test_a_link_without_a_query_is_refused(server: LocalServer) -> None:
    """It would ask for the same page again."""
    url = server.answer("/a", Reply.json({"value": ROW, "next": "http://internal.invalid/2"}))
    with pytest.raises(BadDataError, match="has no query"):
        fetch("Json", url=url, rows="value", paging={"next": "next", "query_only": True}, **PLACES)


def test_a_request_for_each_value_of_a_list(server: LocalServer) -> None:
    """The rows of all answers belong together, and the series choose among them."""

    def reply(request: Request) -> Reply:
        station = request.query["station"][0]
        day = request.query["day"][0]
        return Reply.json([{"t": f"{day}T00:00:00Z", "v": len(station), "station": station}])

    url = server.answer("/a", reply)
    batch = fetch(
        "Json",
        {"bonn": {"of": "Bonn"}, "köln": {"of": "Cologne"}},
        url=url,
        each={"period": "day", "station": ["Bonn", "Cologne"]},
        query={"station": "{station}", "day": "{start:%Y-%m-%d}"},
        filter={"station": "{of}"},
        **PLACES,
        window=WINDOW,
    )
    assert points(batch, "bonn") == {"2025-03-01T00:00:00Z": 4.0, "2025-03-02T00:00:00Z": 4.0}
    assert points(batch, "köln") == {"2025-03-01T00:00:00Z": 7.0, "2025-03-02T00:00:00Z": 7.0}
    assert server.asked("/a") == 4


def test_a_series_with_a_value_of_its_own_needs_no_other(server: LocalServer) -> None:
    """What its filter says of the field is asked for alone."""
    url = server.answer("/a", Reply.json(ROW))
    fetch(
        "Json",
        {"one": {"station": 3}},
        url=url,
        each={"station": [1, 2, 3]},
        query={"station": "{station}"},
        **PLACES,
    )
    assert [request.query["station"] for request in server.requests] == [["3"]]


FIVE = {f"s{number}": {"id": f"ID{number}"} for number in range(5)}


def by_ids(ids: list[Any]) -> Reply:
    """An answer about these identifiers."""
    series = [
        {"id": text, "data": [{"t": "2025-03-01T00:00:00Z", "v": int(str(text)[-1])}]}
        for text in ids
    ]
    return Reply.json({"series": series})


ROWS_OF_ONE: dict[str, Any] = {"rows": "series[?id=='{id}'].data[]", **PLACES}


def test_identifiers_in_batches_in_a_document(server: LocalServer) -> None:
    """So many in a request as may be, and each series gets its own rows."""
    url = server.answer("/a", lambda request: by_ids(request.json["seriesid"]))
    batch = fetch("Json", FIVE, url=url, json={"seriesid": "{id}"}, batch=2, **ROWS_OF_ONE)
    assert [points(batch, name) for name in FIVE] == [
        {"2025-03-01T00:00:00Z": float(number)} for number in range(5)
    ]
    assert [request.json["seriesid"] for request in server.requests] == [
        ["ID0", "ID1"],
        ["ID2", "ID3"],
        ["ID4"],
    ]


def test_identifiers_each_in_an_item_of_a_list(server: LocalServer) -> None:
    """An item with the field in it is there for each of them, numbers as numbers."""
    url = server.answer("/a", lambda request: by_ids([item["vectorId"] for item in request.json]))
    filters = {name: {"id": number} for number, name in enumerate("abc")}
    batch = fetch(
        "Json",
        filters,
        url=url,
        json=[{"vectorId": "{id}", "latestN": 3}],
        batch=300,
        rows="series[?id==`{id}`].data[]",
        **PLACES,
    )
    assert points(batch, "c") == {"2025-03-01T00:00:00Z": 2.0}
    assert server.requests[0].json == [{"vectorId": n, "latestN": 3} for n in (0, 1, 2)]


@pytest.mark.parametrize(
    ("query", "batch", "expected"),
    [
        ("{id}", 3, ["ID0,ID1,ID2"]),
        (["{id}"], 3, ["ID0", "ID1", "ID2"]),
        ('"{id}"', {"size": 3, "separator": '","'}, ['"ID0","ID1","ID2"']),
        ("{id}", {"size": 3, "field": "id", "separator": "+"}, ["ID0+ID1+ID2"]),
    ],
)
def test_identifiers_in_the_query(
    server: LocalServer, query: Any, batch: Any, expected: list[str]
) -> None:
    """Between separators in a text, and each by itself in a list."""
    url = server.answer("/a", by_ids(["ID0", "ID1", "ID2"]))
    filters = dict(list(FIVE.items())[:3])
    fetch("Json", filters, url=url, query={"ids": query}, batch=batch, **ROWS_OF_ONE)
    assert server.requests[0].query["ids"] == expected


def test_a_batch_that_is_refused_fails_alone(server: LocalServer) -> None:
    """The series of the others are stored."""

    def reply(request: Request) -> Reply:
        ids = request.query["ids"][0].split(",")
        return Reply(400) if "ID2" in ids else by_ids(ids)

    url = server.answer("/a", reply)
    plugin: Any = plugin_of("Json", FIVE, url=url, query={"ids": "{id}"}, batch=2, **ROWS_OF_ONE)

    async def ask() -> Any:
        plugin.http = HttpClient()
        try:
            return await plugin.get_historical_data_multi(*WINDOW)
        finally:
            await plugin.http.aclose()

    results = asyncio.run(ask())
    failed = [name for name, result in results.items() if isinstance(result, FetchError)]
    assert failed == ["s2", "s3"]
    assert results["s4"]["value"] == [4]


def test_rows_of_a_group_may_be_of_each_series_alone(server: LocalServer) -> None:
    """An XML group needs no rows that all share."""
    document = b"<x><a><t>2025-03-01</t><v>1</v></a><b><t>2025-03-01</t><v>2</v></b></x>"
    url = server.answer("/a", Reply(body=document, content_type="text/xml"))
    filters = {"a": {"rows": ".//a"}, "b": {"rows": ".//b"}}
    batch = fetch("Xml", filters, url=url, **PLACES, timezone="UTC")
    assert (len(points(batch, "a")), list(points(batch, "b").values())) == (1, [2.0])
    with pytest.raises(ValueError, match="rows is missing"):
        plugin_of("Xml", {"a": {"rows": ".//a"}, "c": {}}, url=url, **PLACES)
    with pytest.raises(ValueError, match="rows is missing"):
        plugin_of("Xml", url=url, **PLACES)


def test_json_in_another_encoding(server: LocalServer) -> None:
    """As the source says, where the answer does not."""
    document = '[{"t": "2025-03-01T00:00:00Z", "v": 1, "name": "Köln"}]'.encode("latin-1")
    url = server.answer("/a", Reply(body=document))
    batch = fetch("Json", {"k": {"name": "Köln"}}, url=url, encoding="latin-1", **PLACES)
    assert points(batch, "k") == VALUES
    with pytest.raises(BadDataError):
        fetch("Json", {"k": {"name": "Köln"}}, url=url, **PLACES)


def test_no_more_requests_than_allowed(server: LocalServer) -> None:
    """A window that takes more is refused before anything is sent, and so is one page too many."""
    url = server.answer("/a", Reply.json(ROW))
    query = {"day": "{start:%Y-%m-%d}"}
    with pytest.raises(PermanentError, match="takes 2 requests in one run, and max_requests is 1"):
        fetch("Json", url=url, query=query, each="day", max_requests=1, **PLACES, window=WINDOW)
    assert not server.requests
    fetch("Json", url=url, query=query, each="day", max_requests=2, **PLACES, window=WINDOW)
    pages = server.answer("/b", lambda request: Reply.json([{**ROW[0], "p": request.query["p"]}]))
    with pytest.raises(PermanentError, match="3 requests were sent"):
        fetch("Json", url=pages, max_requests=3, paging={"page": "p"}, **PLACES)
    assert server.asked("/b") == 3


def test_what_must_not_be_sent_twice_is_not(server: LocalServer) -> None:
    """Not even where a later request fails: a run would begin with the first again."""
    url = server.answer("/a", Reply.json(ROW), Reply(429))
    query = {"day": "{start:%Y-%m-%d}"}
    ask: dict[str, Any] = {"url": url, "query": query, "each": "day", "method": "POST", **PLACES}
    with pytest.raises(PermanentError, match="is not sent again"):
        fetch("Json", **ask, safe=False, window=WINDOW)
    server.answer("/a", Reply.json(ROW), Reply(429))
    with pytest.raises(TransientError):
        fetch("Json", **ask, window=WINDOW)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"method": "PUT"}, "method must be one of GET, POST"),
        ({"method": "GET", "form": {"a": "b"}}, "form goes with method: POST"),
        ({"form": {"a": "b"}, "json": {}}, "give one of form, json"),
        ({"form": {"a": {"b": None}}}, r"form.a must be a text .*quotes"),
        ({"json": {"a": ["{start:nonsense}"]}}, "json.a.0: "),
        ({"safe": False}, "safe goes with method: POST"),
        ({"paging": {"page": "p", "in": "body"}}, "needs form or json"),
        ({"json": [], "paging": {"page": "p"}}, "json has no object for 'p'"),
        ({"json": {}, "paging": {"next": "n", "other_hosts": True}}, "other_hosts does not go"),
        ({"paging": {"page": "p", "query_only": True}}, "means nothing beside page"),
        ({"max_requests": 0}, "max_requests must be a whole number of 1 or more"),
        ({"each": {"station": "A"}}, "each.station must be a list of values"),
        ({"each": {"period": "dai"}}, "each.period must be one of .*did you mean 'day'"),
        ({"batch": 5}, "batch.field must name one of the fields"),
        ({"batch": {"size": 5, "field": "x"}}, "not 'x'"),
        ({"batch": 0, "query": {"a": "{id}"}}, "must be a whole number of 1 or more"),
        ({"headers": {"a": "{start:nonsense}"}}, "headers.a: "),
        ({"query": {"a": "{start:%H:%M:%K}"}}, "nothing finer"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(params: dict[str, Any], said: str) -> None:
    """Each parameter that cannot be used is a fault of its own."""
    filters = {"a": {"id": 1}} if "batch" in params else None
    with pytest.raises(ValueError, match=said):
        plugin_of("Json", filters, url="http://127.0.0.1:1/", **PLACES, **params)


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        ("{start:%-K}-{end:%-K}", "2025-03-01T00:00Z", "2025-03-02T00:00Z", "1-24"),
        (
            "{start:%Y%m%d%K}-{end:%Y%m%d%K}",
            "2025-03-01T00:00Z",
            "2025-03-02T00:00Z",
            "2025030101-2025030124",
        ),
        ("{start:%-K}-{end:%-K}", "2025-03-01T05:30Z", "2025-03-01T06:30Z", "6-7"),
        ("{start:%K@Europe/Berlin}", "2025-03-01T00:00Z", "2025-03-02T00:00Z", "02"),
        ("{start:%%K%-H}", "2025-03-01T05:00Z", "2025-03-02T00:00Z", "%K5"),
    ],
)
def test_hours_from_1_to_24(text: str, start: str, end: str, expected: str) -> None:
    """The hour that begins, and the last one before the end, which belongs to its own day."""
    assert Template(text).fill(parse_instant(start), parse_instant(end), {}) == expected


NAMES = st.from_regex(r"[a-z]{1,5}", fullmatch=True)


@given(path=st.lists(NAMES, min_size=1, max_size=4), value=st.integers())
def test_what_is_set_in_a_document_stands_there(path: list[str], value: int) -> None:
    """And nothing else changes, neither there nor in the document that was given."""
    document: dict[str, Any] = {"UNTOUCHED": {"a": 1}}
    changed = set_in_document(document, ".".join(path), value)
    inner: Any = changed
    for name in path:
        inner = inner[name]
    assert inner == value
    assert changed["UNTOUCHED"] == {"a": 1}
    assert document == {"UNTOUCHED": {"a": 1}}


@given(st.lists(st.one_of(st.integers(), NAMES), min_size=1), st.text("+,|", min_size=1))
def test_several_values_are_joined_in_a_text(items: list[Any], separator: str) -> None:
    """In their order, each as it is written."""
    instant = parse_instant("2025-03-01T00:00Z")
    names = {"id": Values(tuple(items), separator)}
    expected = separator.join(map(str, items))
    assert Template("<{id}>").fill(instant, instant, names) == f"<{expected}>"
