"""APIs described in sources.yaml alone: how they are asked, who asks, and page by page."""

from __future__ import annotations

from base64 import b64encode
from threading import Barrier
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from support.declarative_sources import fetch, plugin_of, points
from support.http_server import Reply

from dataportal.errors import BadDataError, FetchError, PermanentError
from dataportal.plugins.http import RateLimit
from dataportal.plugins.parameters import ParameterError

if TYPE_CHECKING:
    from support.http_server import LocalServer, Request

WINDOW = ("2025-03-29T22:30:00Z", "2025-03-31T00:30:00Z")
PLACES: dict[str, Any] = {"ts": "t", "value": "v"}


def rows(*numbers: int) -> list[dict[str, Any]]:
    """A row for each number."""
    return [{"t": f"2025-03-01T{n // 60:02}:{n % 60:02}Z", "v": n} for n in numbers]


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("{start}", "2025-03-29T22:30:00Z"),
        ("{end}", "2025-03-31T00:30:00Z"),
        ("{start:%Y%m%d%H%M}", "202503292230"),
        ("{end:%Y-%m-%dT%H:%M:%S.000Z}", "2025-03-31T00:30:00.000Z"),
        ("{start:unix}", "1743287400"),
        ("{end:unix_ms}", "1743381000000"),
        ("{start:@Europe/Berlin}", "2025-03-29T23:30:00+01:00"),
        ("{end:@Europe/Berlin}", "2025-03-31T02:30:00+02:00"),
        ("{start:%d.%m.%Y@Europe/Berlin}", "29.03.2025"),
        ("{start:%d.%m.%Y@Asia/Tokyo}", "30.03.2025"),
        ("{start:%Y-%m-%dT%H}", "2025-03-29T22"),
        # what the format leaves out is rounded, so that nothing is left out
        ("{end:%Y-%m-%dT%H}", "2025-03-31T01"),
        ("{end:%Y-%m-%d}", "2025-04-01"),
        ("{end:%Y-%m-%d@America/New_York}", "2025-03-31"),
        ("{start:%G-W%V}", "2025-W13"),
        ("{end:%G-W%V}", "2025-W15"),
        ("{start:%Y}/{start:%m}", "2025/03"),
        ("{end:%Y-%m}", "2025-04"),
        ("{end:%y}", "26"),
        ("from {start:%H:%M} {not a field} {}", "from 22:30 {not a field} {}"),
    ],
)
def test_fields_are_filled_in(server: LocalServer, field: str, sent: str) -> None:
    """In the query and in the path, in any form of strftime, in a named time zone."""
    url = server.answer("/a", Reply.json([]))
    fetch("Json", url=url, query={"x": field}, window=WINDOW, **PLACES)
    assert server.requests[0].query["x"] == [sent]


def test_what_fills_a_field_of_an_address_stays_one_piece(server: LocalServer) -> None:
    """Signs that have a meaning in an address lose it: an offset's plus is no blank."""
    station = "Köln & Bonn? 100%#+"
    server.answer(f"/{quote(station)}/x", Reply.json(rows(1)))
    url = f"{server.url}/{{station}}/x?from={{start:@Europe/Berlin}}"
    batch = fetch("Json", {"a": {"station": station}}, url=url, window=WINDOW, **PLACES)
    assert not batch.rejected
    (request,) = server.requests
    assert request.query == {"from": ["2025-03-29T23:30:00+01:00"]}


def test_queries_hold_lists_numbers_and_nothing(server: LocalServer) -> None:
    """A list gives its name several times; nothing given is an empty text."""
    url = server.answer("/a", Reply.json([]))
    query = {"many[]": ["a", 2], "flag": True, "n": 1.5, "none": None}
    fetch("Json", base_url=f"{server.url}/", url="/a", query=query, **PLACES)
    assert server.requests[0].target.startswith("/a?")
    assert server.requests[0].query == {"many[]": ["a", "2"], "flag": ["true"], "n": ["1.5"]}
    assert url.endswith("/a")


@pytest.mark.parametrize(
    ("auth", "header", "query"),
    [
        ({"bearer": "s3cret-key"}, ("authorization", "Bearer s3cret-key"), None),
        (
            {"basic": {"user": "me", "password": "s3cret-key"}},
            ("authorization", f"Basic {b64encode(b'me:s3cret-key').decode()}"),
            None,
        ),
        ({"header": {"X-Client": "s3cret-key"}}, ("x-client", "s3cret-key"), None),
        ({"query": {"client": "s3cret-key"}}, None, ("client", "s3cret-key")),
    ],
)
def test_who_asks_is_proved_and_never_told(
    server: LocalServer,
    auth: dict[str, Any],
    header: tuple[str, str] | None,
    query: tuple[str, str] | None,
) -> None:
    """A key in a header or the query, a bearer token or basic; no message has any of it."""
    url = server.answer("/a", lambda request: Reply(403, str(request).encode()))
    with pytest.raises(PermanentError) as raised:
        fetch("Json", url=url, auth=auth, headers={"Accept": "x/y"}, **PLACES)
    (request,) = server.requests
    assert request.headers["accept"] == "x/y"
    if header:
        assert request.headers[header[0]] == header[1]
    if query:
        assert request.query[query[0]] == [query[1]]
    assert "403" in str(raised.value)
    assert "s3cret" not in str(raised.value)
    assert b64encode(b"me:s3cret-key").decode() not in str(raised.value)


PAGES = [rows(1, 2), rows(3, 4), rows(5)]


def by_number(first: int, **more: Any) -> Any:
    """Answers by the query parameter p."""

    def reply(request: Request) -> Reply:
        number = int(request.query["p"][0]) - first
        return Reply.json({"items": PAGES[number] if number < len(PAGES) else [], **more})

    return reply


def by_offset(**more: Any) -> Any:
    """Answers by the query parameters skip and take."""

    def reply(request: Request) -> Reply:
        skip, take = (int(request.query[name][0]) for name in ("skip", "take"))
        every = [row for page in PAGES for row in page]
        return Reply.json({"items": every[skip : skip + take], **more})

    return reply


def by_cursor(request: Request) -> Reply:
    """Answers by the query parameter c."""
    number = int(request.query.get("c", ["0"])[0])
    after = None if number == 2 else number + 1
    return Reply(
        body=Reply.json({"items": PAGES[number], "meta": {"next": after}}).body,
        headers={} if after is None else {"X-Next": str(after)},
    )


def by_link(form: str) -> Any:
    """Answers with the address of the next page."""

    def reply(request: Request) -> Reply:
        number = int(request.query.get("n", ["0"])[0])
        onward = None if number == 2 else form.format(n=number + 1)
        link = {} if onward is None else {"Link": f'<x>; rel="prev", <{onward}>; rel="next"'}
        body = {"items": PAGES[number], "links": {"next": onward}}
        return Reply(body=Reply.json(body).body, headers=link)

    return reply


@pytest.mark.parametrize(
    ("reply", "paging", "requests"),
    [
        (by_number(1), {"page": "p"}, 4),
        (by_number(0), {"page": "p", "first": 0, "size": 2, "size_param": "s"}, 4),
        (by_number(0), {"page": "p", "first": 0, "size": 2, "short_page": "end"}, 3),
        (by_number(1, pages="3"), {"page": "p", "last": "pages"}, 3),
        (by_number(1, total=5), {"page": "p", "total": "total"}, 3),
        (by_offset(), {"offset": "skip", "size": 2, "size_param": "take"}, 4),
        (
            by_offset(),
            {"offset": "skip", "size": 2, "size_param": "take", "short_page": "end"},
            3,
        ),
        (by_offset(n=5), {"offset": "skip", "size": 5, "size_param": "take", "total": "n"}, 1),
        (by_cursor, {"cursor": "c", "from": "meta.next"}, 3),
        (by_cursor, {"cursor": "c", "from": "header:X-Next"}, 3),
        (by_link("?n={n}&x=1"), {"next": "links.next"}, 3),
        (by_link("/a?n={n}"), {"next": "links.next"}, 3),
        (by_link("?n={n}"), {"next": "header:Link"}, 3),
    ],
)
def test_all_pages_are_had(
    server: LocalServer, reply: Any, paging: dict[str, Any], requests: int
) -> None:
    """By number, offset, cursor or link, with no request more than the answers make necessary."""
    url = server.answer("/a", reply)
    batch = fetch("Json", url=url, rows="items", paging=paging, query={"from": "{start}"}, **PLACES)
    assert list(points(batch).values()) == [1, 2, 3, 4, 5]
    assert len(server.requests) == requests
    if "next" not in paging:
        assert all("from" in request.query for request in server.requests)
    if "size_param" in paging:
        assert {r.query[paging["size_param"]][0] for r in server.requests} == {str(paging["size"])}


def test_pages_of_tables_and_of_xml_are_had_too(server: LocalServer) -> None:
    """What a table cannot say stands in a header; XML says it anywhere."""
    table = [b"t,v\n2025-03-01,1\n", b"t,v\n2025-03-02,2\n"]
    replies = [Reply(body=table[0], headers={"Link": '<?p=2>; rel="next"'}), Reply(body=table[1])]
    url = server.answer("/a", *replies)
    params = {**PLACES, "timezone": "UTC"}
    batch = fetch("Csv", url=url, paging={"next": "header:Link"}, **params)
    assert list(points(batch).values()) == [1, 2]
    pages = [
        b"<f><link rel='next' href='?p=2'/><r><t>2025-03-01</t><v>1</v></r></f>",
        b"<f><r><t>2025-03-02</t><v>2</v></r></f>",
    ]
    server.answer("/a", *(Reply(body=page) for page in pages))
    batch = fetch("Xml", url=url, rows="r", paging={"next": "link[@rel='next']/@href"}, **params)
    assert list(points(batch).values()) == [1, 2]


@pytest.mark.parametrize(
    ("replies", "paging", "message"),
    [
        # pages that never end
        (
            [Reply.json({"items": rows(n), "c": n}) for n in range(9)],
            {"cursor": "c", "from": "c", "max_pages": 4},
            "is page 4, and there are more: see max_pages",
        ),
        # the same page again and again
        ([Reply.json({"items": rows(1)})], {"page": "p"}, "is page 2, and the same as page 1"),
        # fewer rows than promised
        (
            [Reply.json({"items": rows(1, 2), "n": 3}), Reply.json({"items": [], "n": 3})],
            {"page": "p", "total": "n"},
            "is page 2, and cannot be followed: it has no rows",
        ),
        (
            [Reply.json({"items": rows(1, 2), "n": 9}), Reply.json({"items": [], "n": 9})],
            {"page": "p", "last": "n"},
            "there should be 9 pages",
        ),
        (
            [Reply.json({"items": rows(1), "n": "many"})],
            {"page": "p", "total": "n"},
            "paging.total finds 'many', not a whole number",
        ),
    ],
)
def test_pages_that_make_no_sense_are_refused(
    server: LocalServer, replies: list[Reply], paging: dict[str, Any], message: str
) -> None:
    """Nothing is taken: a hole in the middle would never be filled again."""
    url = server.answer("/a", *replies)
    with pytest.raises(BadDataError) as raised:
        fetch("Json", url=url, rows="items", paging=paging, **PLACES)
    assert message in str(raised.value)
    assert url in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("Json", {"paging": {"page": "p", "offset": "o"}}, "paging: must have one of"),
        ("Json", {"paging": {"cursor": "c"}}, "cursor needs from"),
        ("Json", {"paging": {"offset": "o"}}, "offset needs size, total, last or has_more"),
        (
            "Json",
            {"paging": {"page": "p", "max_pages": 0}},
            "max_pages must be a whole number of 1 or more",
        ),
        ("Json", {"paging": {"next": "a["}}, "paging.next: 'a[' is no JMESPath"),
        ("Json", {"paging": {"page": "p"}, "rows": "a[?b]"}, "rows must find all of a page"),
        ("Csv", {"paging": {"page": "p", "last": "n"}}, "cannot be looked for in a table"),
    ],
)
def test_paging_that_cannot_work_is_said_before(
    server: LocalServer, kind: str, params: dict[str, Any], message: str
) -> None:
    """A page cut short by an expression would pass for the last."""
    with pytest.raises(ValueError, match=r".") as raised:
        fetch(kind, url=server.url, **PLACES, **params)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "params",
    [
        {"rows": "items", "paging": {"page": "n", "last": "last"}},
        {"rows": "items", "paging": {"page": "n", "total": "total"}},
        {"rows": "items", "paging": {"offset": "n", "total": "total", "size": 1}},
        {"each": "day", "query": {"n": "{start:%d}"}, "window": ("2025-03-02", "2025-03-08")},
    ],
    ids=["last", "total", "offset", "each"],
)
def test_three_are_asked_for_at_a_time(server: LocalServer, params: dict[str, Any]) -> None:
    """Where it can be told what will be asked next; and what they say comes in order."""
    together = Barrier(3)

    def reply(request: Request) -> Reply:
        number = int(request.query["n"][0]) + ("offset" in params.get("paging", {}))
        if "each" not in params:
            if number > 1:
                together.wait(10)
            return Reply.json({"items": rows(number), "last": 7, "total": 7})
        together.wait(10)
        return Reply.json([{"t": f"2025-03-{number:02}T00:00Z", "v": number}])

    batch = fetch("Json", url=server.answer("/a", reply), **params, **PLACES)
    first = 1 if "paging" in params else 2
    assert list(points(batch).values()) == list(range(first, 8))
    assert len(server.requests) == 8 - first


def test_pages_of_other_sizes_than_the_first_are_had(server: LocalServer) -> None:
    """What was expected in vain is dropped, and what there is is asked for."""
    sizes = {0: 3, 3: 1, 4: 2, 6: 5}

    def reply(request: Request) -> Reply:
        offset = int(request.query["o"][0])
        page = rows(*range(offset, offset + sizes.get(offset, 3)))
        return Reply.json({"items": page, "total": 11})

    paging = {"offset": "o", "total": "total"}
    url = server.answer("/a", reply)
    batch = fetch("Json", url=url, rows="items", paging=paging, **PLACES)
    assert list(points(batch).values()) == list(range(11))


def test_a_page_that_fails_fails_all(server: LocalServer) -> None:
    """Page 2 of 3 gone: no points at all."""
    url = server.answer("/a", Reply.json(rows(1)), Reply(500), Reply.json(rows(3)))
    with pytest.raises(FetchError):
        fetch("Json", url=url, paging={"page": "p"}, **PLACES)


def test_a_link_elsewhere_gets_no_key(server: LocalServer, other_server: LocalServer) -> None:
    """The next page may lie on another host; who asks is not told there."""
    there = other_server.answer("/b", Reply.json({"items": rows(2)}))
    url = server.answer("/a", Reply.json({"items": rows(1), "next": there}))
    for auth in ({"header": {"X-Key": "s3cret-key"}}, {"query": {"key": "s3cret-key"}}):
        batch = fetch(
            "Json",
            url=url,
            rows="items",
            auth=auth,
            headers={"X-Other": "s3cret-key"},
            paging={"next": "next", "other_hosts": True},
            **PLACES,
        )
        assert list(points(batch).values()) == [1, 2]
    assert "s3cret" in str(server.requests)
    assert "s3cret" not in str(other_server.requests)


@pytest.mark.parametrize(
    ("each", "zone", "asked_for"),
    [
        ("day", None, ["2025-03-29", "2025-03-30", "2025-03-31"]),
        ("day", "Europe/Berlin", ["2025-03-29", "2025-03-30", "2025-03-31"]),
        ("day", "Asia/Tokyo", ["2025-03-30", "2025-03-31"]),
        ("week", None, ["2025-03-24", "2025-03-31"]),
        ("month", None, ["2025-03-01"]),
        ("year", None, ["2025-01-01"]),
    ],
)
def test_one_request_for_each_file(
    server: LocalServer, each: str, zone: str | None, asked_for: list[str]
) -> None:
    """That the window touches, where a provider has a file for each day, month or year."""
    for day in asked_for:
        server.answer(f"/{day}.json", Reply.json([]))
    named = f"{{start:%Y-%m-%d@{zone or 'UTC'}}}"
    extra: dict[str, Any] = {} if zone is None else {"zone": zone}
    fetch("Json", url=f"{server.url}/{named}.json", each=each, window=WINDOW, **extra, **PLACES)
    paths = sorted(request.path for request in server.requests)
    assert paths == [f"/{day}.json" for day in asked_for]


def test_files_of_hours_have_one_in_the_night_that_lacks_one(server: LocalServer) -> None:
    """23 hours in spring, by the clocks of the zone."""
    window = ("2025-03-29T23:00:00Z", "2025-03-30T22:00:00Z")
    url = server.answer("/a", Reply.json([]))
    zone = "Europe/Berlin"
    query = {"h": f"{{start:%H@{zone}}}"}
    fetch("Json", url=url, each="hour", zone=zone, query=query, window=window, **PLACES)
    hours = sorted(request.query["h"][0] for request in server.requests)
    assert hours == [f"{hour:02}" for hour in range(24) if hour != 2]


def test_a_file_that_is_not_there_may_mean_no_data(server: LocalServer) -> None:
    """Only where sources.yaml says so."""
    server.answer("/2025-03-30", Reply.json(rows(1)))
    params: dict[str, Any] = {
        "url": f"{server.url}/{{start:%Y-%m-%d}}",
        "each": "day",
        "window": WINDOW,
        **PLACES,
    }
    batch = fetch("Json", not_found_is_empty=True, **params)
    assert (batch.received, batch.outside) == (1, 1)
    assert server.asked("/2025-03-30") == 1
    with pytest.raises(PermanentError):
        fetch("Json", **params)


def test_one_address_that_fails_leaves_the_others(server: LocalServer) -> None:
    """A series whose address is gone is named; those of the others are there."""
    server.answer("/good", Reply.json(rows(1)))
    filters = {"a": {"place": "good"}, "b": {"place": "gone"}}
    batch = fetch("Json", filters, url=f"{server.url}/{{place}}", **PLACES)
    assert list(points(batch, "a").values()) == [1]
    (rejection,) = batch.rejections
    assert rejection.series == "b"
    assert f"404 Not Found to GET {server.url}/gone" in rejection.reason
    with pytest.raises(PermanentError, match="404"):
        fetch("Json", {"b": {"place": "gone"}}, url=f"{server.url}/{{place}}", **PLACES)


def test_a_rate_limit_is_kept(server: LocalServer) -> None:
    """1200 a minute: the fourth request is sent 150 ms after the first at the soonest."""
    at: list[float] = []

    def reply(request: Request) -> Reply:
        at.append(monotonic())
        number = int(request.query["p"][0])
        return Reply.json(rows(number) if number < 4 else [])

    url = server.answer("/a", reply)
    start = monotonic()
    fetch("Json", url=url, paging={"page": "p"}, per_minute=1200, **PLACES)
    assert len(at) == 4
    assert at[-1] - start >= 0.15


@pytest.mark.parametrize(
    ("auth", "key"),
    [
        ({}, None),
        ({"bearer": "key-1"}, "key-1"),
        ({"header": {"X-Key": "key-1"}}, "key-1"),
        ({"query": {"apikey": "key-1"}}, "key-1"),
    ],
)
@pytest.mark.parametrize("everywhere", [False, True])
def test_a_limit_counts_the_requests_of_a_key(
    auth: dict[str, Any],
    key: str | None,
    everywhere: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Of this run, or of all machines where sources.yaml says so."""
    params: dict[str, Any] = {"auth": auth} if auth else {}
    plugin: Any = plugin_of(
        "Json", url="http://x/a", per_minute=10, everywhere=everywhere, **PLACES, **params
    )
    assert plugin._api._request._limit == RateLimit(10, key=key, everywhere=everywhere)


def test_an_open_window_ends_ahead_of_now(server: LocalServer) -> None:
    """Forecasts are asked for as far as `ahead` says."""
    url = server.answer("/a", Reply.json([]))
    query = {"from": "{start:unix}", "to": "{end:unix}"}
    window = ("2025-03-29T22:30:00Z", None)
    for ahead in ("1 day", "3 days"):
        fetch("Json", url=url, query=query, ahead=ahead, window=window, **PLACES)
    near, far = (int(request.query["to"][0]) for request in server.requests)
    assert 2 * 86400 <= far - near < 2 * 86400 + 60


def test_the_whole_past_can_be_asked_for(server: LocalServer) -> None:
    """From the year 1 on, or from the earliest that the provider has; before it nothing is."""
    url = server.answer("/a", Reply.json([]))
    params = {"url": url, **PLACES, "query": {"from": "{start:%Y-%m-%d}", "ms": "{start:unix_ms}"}}
    always = ("0001-01-01T00:00:00Z", None)
    fetch("Json", window=always, **params)
    fetch("Json", window=always, earliest="1990-01-01", **params)
    assert [r.query["from"] for r in server.requests] == [["0001-01-01"], ["1990-01-01"]]
    before = ("1980-01-01T00:00:00Z", "1989-01-01T00:00:00Z")
    fetch("Json", window=before, earliest="1990-01-01", **params)
    assert len(server.requests) == 2


def test_series_that_share_requests_must_be_told_apart() -> None:
    """Else each of them would have the rows of all; whatever says it, may."""
    series = {"a": {"id": "A"}, "b": {"id": "B"}}
    params: dict[str, Any] = {"url": "http://api.example/x", "query": {"ids": "{id}"}, **PLACES}
    with pytest.raises(ParameterError, match="a and b would have the same rows"):
        plugin_of("Json", series, batch=50, **params)
    plugin_of("Json", series, batch=1, **params)
    plugin_of("Json", series, batch=50, filter={"id": "{id}"}, **params)
    plugin_of("Json", series, batch=50, rows="[?id=='{id}']", **params)
    own = {name: {**given, "value": f"v{name}"} for name, given in series.items()}
    plugin_of("Json", own, batch=50, **params)


def test_values_that_no_request_says_are_refused() -> None:
    """As all requests would be the same."""
    with pytest.raises(ParameterError, match=r"each\.station: no request says \{station\}"):
        plugin_of("Json", url="http://api.example/x", each={"station": ["A", "B"]}, **PLACES)
