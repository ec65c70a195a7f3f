"""Lists of files: which files of them a described source asks for, and what they become."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from support.declarative_sources import fetch, plugin_of, points
from support.http_server import Reply

from dataportal.errors import BadDataError, PermanentError

if TYPE_CHECKING:
    from support.http_server import LocalServer, Request

PLACES: dict[str, Any] = {"ts": "t", "value": "v"}
WINDOW = ("2025-04-01T00:00:00Z", "2025-04-03T00:00:00Z")


def rows(**values: float) -> Reply:
    """A table with values of days of April 2025, by names such as `d01`."""
    lines = [f"2025-04-{name[1:]}T00:00:00Z,{value}" for name, value in values.items()]
    return Reply(body="\n".join(["t,v", *lines]).encode(), content_type="text/csv")


def page(*names: str, text: str = "") -> Reply:
    """A page with links to these files, as servers of files show a folder."""
    links = [f'<A HREF="{name}">{name}</A>{text}<br>' for name in ("../", *names)]
    body = "<html><body><pre>\n" + "\n".join(links) + "</pre></body></html>"
    return Reply(body=body.encode(), content_type="text/html")


def asked(server: LocalServer) -> list[str]:
    """The paths of all requests after that for the list, sorted: some are on their way at once."""
    return sorted(request.path for request in server.requests[1:])


BY_DAY: dict[str, Any] = {"pattern": r"data_(?P<time>\d{8})\.csv$", "time_format": "%Y%m%d"}


def test_only_the_files_of_the_window_are_asked_for(server: LocalServer) -> None:
    """A time that says a day stands for all of it, and the order of the list means nothing."""
    names = [f"data_202504{day:02}.csv" for day in (3, 1, 2)]
    names += ["data_20250331.csv", "readme.txt", "sub/"]
    index = server.answer("/files/", page(*names))
    for day in (1, 2):
        server.answer(f"/files/data_202504{day:02}.csv", rows(**{f"d{day:02}": day}))
    batch = fetch("Csv", index={"url": index, **BY_DAY}, **PLACES, window=WINDOW)
    assert points(batch) == {"2025-04-01T00:00:00Z": 1.0, "2025-04-02T00:00:00Z": 2.0}
    assert asked(server) == ["/files/data_20250401.csv", "/files/data_20250402.csv"]


@pytest.mark.parametrize(
    ("start", "end", "zone", "more", "expected"),
    [
        ("2025-04-01T06:00Z", "2025-04-01T07:00Z", None, {}, ["01"]),
        ("2025-04-01T22:00Z", "2025-04-01T23:00Z", "Europe/Berlin", {}, ["02"]),
        ("2025-04-01T22:00Z", "2025-04-01T23:00Z", None, {"zone": "Europe/Berlin"}, ["02"]),
        ("2025-04-02T00:00Z", "2025-04-03T00:00Z", None, {"before": "1 hour"}, ["02", "03"]),
        ("2025-04-03T00:00Z", "2025-04-04T00:00Z", None, {"after": "2 days"}, ["02", "03"]),
        ("2025-04-03T00:00Z", "2025-04-04T00:00Z", None, {"after": "1 hour"}, ["03"]),
        ("2025-04-04T00:00Z", "2025-04-05T00:00Z", None, {}, []),
    ],
)
def test_which_files_a_window_needs(
    server: LocalServer,
    start: str,
    end: str,
    zone: str | None,
    more: dict[str, Any],
    expected: list[str],
) -> None:
    """By the day in the zone of the source or of the list, and how far the data reach."""
    index = server.answer("/", page(*(f"data_202504{day:02}.csv" for day in (1, 2, 3))))
    for day in (1, 2, 3):
        server.answer(f"/data_202504{day:02}.csv", rows())
    fetch(
        "Csv",
        index={"url": index, **BY_DAY, **more},
        **PLACES,
        window=(start, end),
        timezone=zone,
    )
    assert [path[-6:-4] for path in asked(server)] == expected


def test_names_with_the_first_and_the_last_day(server: LocalServer) -> None:
    """Both days belong to the data of a file."""
    names = [
        "t_20240101_20250331_hist.csv",
        "t_20250401_20250401_hist.csv",
        "t_20250402_20260101_hist.csv",
    ]
    index = server.answer("/", page(*names))
    server.answer(f"/{names[1]}", rows(d01=1))
    pattern = r"t_(?P<start>\d{8})_(?P<end>\d{8})_hist"
    batch = fetch(
        "Csv",
        index={"url": index, "pattern": pattern, "time_format": "%Y%m%d"},
        **PLACES,
        window=("2025-04-01T00:00Z", "2025-04-02T00:00Z"),
    )
    assert len(points(batch)) == 1
    assert asked(server) == [f"/{names[1]}"]


def test_the_newest_file_counts(server: LocalServer) -> None:
    """Of forecasts that overlap, whatever the order of the list."""
    index = server.answer("/", page("f_202504021200.csv", "f_202504010600.csv"))
    server.answer("/f_202504021200.csv", rows(d03=30))
    server.answer("/f_202504010600.csv", rows(d02=2, d03=3))
    batch = fetch(
        "Csv",
        index={
            "url": index,
            "pattern": r"f_(?P<time>\d{12})",
            "time_format": "%Y%m%d%H%M",
            "after": "3 days",
        },
        **PLACES,
        window=("2025-04-01T00:00Z", "2025-04-05T00:00Z"),
    )
    assert points(batch) == {"2025-04-02T00:00:00Z": 2.0, "2025-04-03T00:00:00Z": 30.0}
    assert not batch.rejections


def test_entries_of_json(server: LocalServer) -> None:
    """Chosen by what stands in them, with a time of their own, their address made of a field."""
    documents = [
        {"Document": {"Id": 7, "Name": "LFC_csv", "Published": "2025-04-01T12:30:00-05:00"}},
        {"Document": {"Id": 8, "Name": "LFC_xml", "Published": "2025-04-01T12:30:00-05:00"}},
        {"Document": {"Id": 9, "Name": "LFC_csv", "Published": "2025-03-10T12:30:00-05:00"}},
    ]
    index = server.answer("/list", Reply.json({"List": documents}))
    url = server.answer("/get", rows(d02=2))
    batch = fetch(
        "Csv",
        url=url,
        query={"id": "{id}"},
        index={
            "url": index,
            "query": {"type": 12311},
            "rows": "List[].Document",
            "filter": {"Name": "LFC_csv"},
            "fields": {"id": "Id"},
            "time": "Published",
        },
        **PLACES,
        window=WINDOW,
    )
    assert len(points(batch)) == 1
    assert [(r.path, r.query) for r in server.requests] == [
        ("/list", {"type": ["12311"]}),
        ("/get", {"id": ["7"]}),
    ]


def test_entries_of_xml(server: LocalServer) -> None:
    """A list as stores of objects give it, with names that are no whole addresses."""
    body = (
        b'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<Contents><Key>a/data_20250401.csv</Key><Size>3</Size></Contents>"
        b"<Contents><Key>a/data_20250301.csv</Key><Size>3</Size></Contents>"
        b"</ListBucketResult>"
    )
    index = server.answer("/", Reply(body=body, content_type="application/xml"))
    server.answer("/a/data_20250401.csv", rows(d01=1))
    fetch(
        "Csv",
        index={"url": index, "rows": ".//Contents", "link": "Key", **BY_DAY},
        **PLACES,
        window=WINDOW,
    )
    assert asked(server) == ["/a/data_20250401.csv"]


def test_a_list_of_addresses_by_post(server: LocalServer) -> None:
    """A text with an address a line, to a question with the window in it."""
    lines = f"Url\r\n{server.url}/data_20250401.csv\r\n{server.url}/data_20250402.csv\r\n"
    index = server.answer("/urls", Reply(body=lines.encode(), content_type="text/plain"))
    server.answer("/data_20250401.csv", rows(d01=1))
    server.answer("/data_20250402.csv", rows(d02=2))
    batch = fetch(
        "Csv",
        index={"url": index, "json": {"from": "{start:%Y-%m-%d}"}, **BY_DAY},
        **PLACES,
        window=WINDOW,
    )
    assert len(points(batch)) == 2
    assert (server.requests[0].method, server.requests[0].json) == ("POST", {"from": "2025-04-01"})


def test_a_list_for_each_month(server: LocalServer) -> None:
    """Where files lie in folders by time, all folders that the window touches are looked at."""
    for month in ("03", "04"):
        server.answer(f"/2025{month}/", page(f"data_2025{month}01.csv", f"data_2025{month}30.csv"))
    server.answer("/202504/data_20250401.csv", rows(d01=1))
    server.answer("/202503/data_20250330.csv", rows())
    index = {"url": f"{server.url}/{{start:%Y%m}}/", "each": "month", **BY_DAY}
    fetch("Csv", index=index, **PLACES, window=("2025-03-30T00:00Z", "2025-04-02T00:00Z"))
    paths = [request.path for request in server.requests]
    assert paths[:2] == ["/202503/", "/202504/"]
    assert paths[2:] == ["/202503/data_20250330.csv", "/202504/data_20250401.csv"]


def test_a_page_says_what_its_links_are_relative_to(server: LocalServer) -> None:
    """By its base."""
    body = b'<html><head><base href="/files/"></head><a href="data_20250401.csv">x</a></html>'
    index = server.answer("/list/today", Reply(body=body, content_type="text/html"))
    server.answer("/files/data_20250401.csv", rows(d01=1))
    fetch("Csv", index={"url": index, **BY_DAY}, **PLACES, window=WINDOW)
    assert asked(server) == ["/files/data_20250401.csv"]


def test_a_list_in_pages(server: LocalServer) -> None:
    """A store of objects gives a thousand names at a time; one that is cut is no list."""

    def listing(request: Request) -> Reply:
        is_second = "continuation-token" in request.query
        name, cut = ("02", "false") if is_second else ("01", "true")
        token = "" if is_second else "<NextContinuationToken>a/b=</NextContinuationToken>"
        body = (
            f"<ListBucketResult><IsTruncated>{cut}</IsTruncated>{token}"
            f"<Contents><Key>data_202504{name}.csv</Key></Contents></ListBucketResult>"
        )
        return Reply(body=body.encode(), content_type="application/xml")

    index: dict[str, Any] = {
        "url": server.answer("/", listing),
        "query": {"list-type": 2},
        "rows": "Contents",
        "link": "Key",
        **BY_DAY,
    }
    server.answer("/data_20250401.csv", rows(d01=1))
    server.answer("/data_20250402.csv", rows(d02=2))
    with pytest.raises(BadDataError, match="only the beginning of the list") as caught:
        fetch("Csv", index=index, **PLACES, window=WINDOW)
    assert "NextContinuationToken" in (caught.value.hint or "")
    index["paging"] = {"cursor": "continuation-token", "from": "NextContinuationToken"}
    server.requests.clear()
    batch = fetch("Csv", index=index, **PLACES, window=WINDOW)
    assert list(points(batch).values()) == [1.0, 2.0]
    assert server.requests[1].query == {"list-type": ["2"], "continuation-token": ["a/b="]}


def test_a_folder_that_is_not_there_yet(server: LocalServer) -> None:
    """Where 404 means that there is nothing, the other folders count."""
    server.answer("/202503/", page("data_20250331.csv"))
    server.answer("/202503/data_20250331.csv", rows())
    index = {"url": f"{server.url}/{{start:%Y%m}}/", "each": "month", **BY_DAY}
    window = ("2025-03-31T00:00Z", "2025-04-02T00:00Z")
    with pytest.raises(PermanentError, match="404"):
        fetch("Csv", index=index, **PLACES, window=window)
    fetch("Csv", index=index, not_found_is_empty=True, **PLACES, window=window)
    assert server.asked("/202503/data_20250331.csv") == 1


def test_files_that_are_archives(server: LocalServer) -> None:
    """A file may be zipped, as an answer may."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data.csv", "t,v\n2025-04-01T00:00:00Z,1\n")
    index = server.answer("/", page("data_20250401.zip"))
    server.answer("/data_20250401.zip", Reply(body=packed.getvalue()))
    pattern = {"pattern": r"data_(?P<time>\d{8})\.zip$", "time_format": "%Y%m%d"}
    batch = fetch("Csv", index={"url": index, **pattern}, **PLACES, window=WINDOW)
    assert len(points(batch)) == 1


def test_fields_of_a_series_in_the_list(server: LocalServer) -> None:
    """Each station has a list of its own."""
    for station in ("a", "b"):
        server.answer(f"/{station}/", page("data_20250401.csv"))
        server.answer(f"/{station}/data_20250401.csv", rows(d01=ord(station)))
    batch = fetch(
        "Csv",
        {"first": {"station": "a"}, "second": {"station": "b"}},
        index={"url": f"{server.url}/{{station}}/", **BY_DAY},
        **PLACES,
        window=WINDOW,
    )
    assert list(points(batch, "second").values()) == [98.0]


def test_a_file_on_another_host_gets_no_key(server: LocalServer, other_server: LocalServer) -> None:
    """It is asked for, but not with what was meant for the host of the list."""
    other_server.answer("/data_20250401.csv", rows(d01=1))
    index = server.answer("/", page(f"{other_server.url}/data_20250401.csv"))
    fetch(
        "Csv",
        index={"url": index, **BY_DAY},
        auth={"bearer": "secret-key-0815"},
        **PLACES,
        window=WINDOW,
    )
    assert server.requests[0].headers["authorization"] == "Bearer secret-key-0815"
    assert "authorization" not in other_server.requests[0].headers


def test_what_the_list_names_instead(server: LocalServer) -> None:
    """A pattern that nothing fits says what is there; an empty folder, a page and JSON are told."""
    ask: dict[str, Any] = {**PLACES, "window": WINDOW}
    cases = [
        (page("other_20250401.csv"), r"names no file that .* is found in, but .*other_20250401"),
        (Reply(body=b"<html><body>Maintenance</body></html>"), "has no link to a file"),
        (Reply.json([]), r"index\.rows does not say"),
        (page("data_20259901.csv"), "index.time_format is not"),
    ]
    for reply, said in cases:
        index = server.answer("/", reply)
        with pytest.raises(BadDataError, match=said):
            fetch("Csv", index={"url": index, **BY_DAY}, **ask)
    index = server.answer("/", Reply.json({"files": [{"n": "x"}]}))
    with pytest.raises(BadDataError, match=r"no list of rows at 'documents'"):
        fetch("Csv", index={"url": index, "rows": "documents", "link": "n", **BY_DAY}, **ask)
    with pytest.raises(BadDataError, match=r"names no file that .* but x"):
        fetch("Csv", index={"url": index, "rows": "files", "link": "n", **BY_DAY}, **ask)


def test_a_file_that_is_not_there_fails(server: LocalServer) -> None:
    """The list named it, so that nothing may be missing in silence."""
    index = server.answer("/", page("data_20250401.csv"))
    with pytest.raises(PermanentError, match="404"):
        fetch("Csv", index={"url": index, **BY_DAY}, **PLACES, window=WINDOW)


def test_no_more_files_than_allowed(server: LocalServer) -> None:
    """The list is one request, and none of its files is asked for if all are too many."""
    index = server.answer("/", page("data_20250401.csv", "data_20250402.csv"))
    with pytest.raises(PermanentError, match="takes 3 requests in one run, 1 of them before"):
        fetch("Csv", index={"url": index, **BY_DAY}, max_requests=2, **PLACES, window=WINDOW)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ({"pattern": "x"}, "url is missing"),
        ({"url": "u", "pattern": "("}, "is no regular expression"),
        ({"url": "u", "pattern": r"(?P<start>\d)"}, "both of the groups start and end"),
        ({"url": "u", "rows": "a", "time": "t", "pattern": r"(?P<time>\d)"}, "not both"),
        ({"url": "u", "after": "1 day"}, "after needs a time"),
        ({"url": "u", "link": "a"}, "link is for entries of JSON and XML"),
        ({"url": "u", "rows": "a"}, "link is missing"),
        ({"url": "u", "rows": "a[", "link": "b"}, "no JMESPath expression"),
        ({"url": "u", "paging": {"next": "a", "other_hosts": True}}, "is not for a list"),
        ({"url": "u", "tiem": "x"}, "did you mean 'time'"),
        ({"url": "u", "time_format": "%Q", "pattern": r"(?P<time>\d)"}, "time_format"),
    ],
)
def test_what_is_wrong_with_an_index_is_named(index: dict[str, Any], said: str) -> None:
    """Each fault of it."""
    with pytest.raises(ValueError, match=said):
        plugin_of("Csv", index=index, **PLACES)
