"""APIs described in sources.yaml alone: where rows, times and values stand, and how written."""

from __future__ import annotations

import io
import re
import zipfile
from gzip import compress
from typing import TYPE_CHECKING, Any

import pytest
from support.declarative_sources import fetch, plugin_of, points
from support.http_server import Reply

if TYPE_CHECKING:
    from support.http_server import LocalServer

HOURS: list[dict[str, Any]] = [
    {"t": "2025-03-01T00:00:00Z", "v": 1.5},
    {"t": "2025-03-01T01:00:00Z", "v": None},
]
FOUND = {"2025-03-01T00:00:00Z": 1.5, "2025-03-01T01:00:00Z": None}


def text(body: str | bytes, **options: Any) -> Reply:
    """A table or an XML document."""
    raw = body.encode() if isinstance(body, str) else body
    return Reply(body=raw, content_type="text/plain", **options)


def zipped(**files: str | bytes) -> bytes:
    """An archive of these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("document", "params"),
    [
        (HOURS, {"ts": "t", "value": "v"}),
        ({"data": {"items": HOURS}}, {"rows": "data.items", "ts": "t", "value": "v"}),
        ([[], HOURS], {"rows": "[1]", "ts": "t", "value": "v"}),
        ([{"at": row} for row in HOURS], {"ts": "at.t", "value": "at.v"}),
        ([[row["t"], row["v"]] for row in HOURS], {"ts": 1, "value": 2}),
        (
            [{"my time": row["t"], "1. open": row["v"]} for row in HOURS],
            {"ts": "my time", "value": "1. open"},
        ),
        (
            {"a": HOURS, "b": [{"t": "x", "v": "y"}]},
            {"rows": "*[] | [?v != 'y']", "ts": "t", "value": "v"},
        ),
        (
            {"day": {row["t"]: {"x": row["v"] or 0} for row in HOURS}},
            {
                "layout": "columns",
                "ts": "keys(day)",
                "value": "day.*.x",
                "missing": [0],
            },
        ),
        (
            {"h": {"time": [row["t"] for row in HOURS], "x": [row["v"] for row in HOURS]}},
            {"rows": "h", "layout": "columns", "ts": "time", "value": "x"},
        ),
        (
            {
                "time": [row["t"] for row in HOURS],
                "kinds": [
                    {"name": "wind", "data": [7, 8]},
                    {"name": "sun", "data": [row["v"] for row in HOURS]},
                ],
            },
            {"layout": "columns", "ts": "time", "value": "kinds[?name=='sun'].data | [0]"},
        ),
    ],
)
def test_rows_are_found_in_json(server: LocalServer, document: Any, params: dict[str, Any]) -> None:
    """Lists of objects and of lists, at any depth, and lists side by side."""
    url = server.answer("/a", Reply.json(document))
    assert points(fetch("Json", url=url, **params)) == FOUND


@pytest.mark.parametrize(
    ("table", "params"),
    [
        ("t,v\n2025-03-01T00:00Z,1.5\n2025-03-01T01:00Z,\n", {"ts": "t", "value": "v"}),
        ("2025-03-01T00:00Z;1,5\n2025-03-01T01:00Z;\n", {"header": False, "decimal": ","}),
        (
            "# made\r\nt\tx\tv\r\n2025-03-01T00:00Z\t9\t1.5\r\n# a\r\n2025-03-01T01:00Z\t9\t-\r\n",
            {"comment": "#", "delimiter": "tab", "ts": "t", "value": 3},
        ),
        (
            "Title\n\nday|hour|v\n01.03.2025|00:00|€1.5\n01.03.2025|01:00|n/a\n".replace("€", ""),
            {"skip_rows": 2, "ts": ["day", "hour"], "time_format": "%d.%m.%Y %H:%M", "value": "v"},
        ),
        (
            '"t","v"\n"1740787200","0.0015"\n"1740790800","?"\n',
            {
                "ts": "t",
                "value": "v",
                "time_format": "unix",
                "scale": 1000,
                "missing": ["?"],
            },
        ),
        (
            "x,t,v\nD,2025-03-01T00:00Z,1.5\nC,end of file\nD,2025-03-01T01:00Z,\n",
            {
                "ts": "t",
                "value": "v",
                "filter": {"x": "D"},
            },
        ),
    ],
)
def test_tables_of_any_dialect_are_read(
    server: LocalServer, table: str, params: dict[str, Any]
) -> None:
    """Header or numbers, decimal comma, comments, rows of other kinds between them."""
    params = {"ts": 1, "value": 2, "timezone": "UTC", **params}
    url = server.answer("/a", text(table))
    assert points(fetch("Csv", url=url, **params)) == FOUND


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_table_in_any_encoding_is_read(server: LocalServer, encoding: str) -> None:
    """Named in sources.yaml, or declared by the answer."""
    body = "Zeit;Müll\n2025-03-01T00:00Z;1.5\n".encode(encoding)
    params: dict[str, Any] = {"ts": "Zeit", "value": "Müll"}
    url = server.answer("/a", text(body))
    assert points(fetch("Csv", url=url, encoding=encoding, **params)) == {
        "2025-03-01T00:00:00Z": 1.5
    }
    declared = Reply(body=body, content_type=f"text/csv; charset={encoding}")
    assert len(points(fetch("Csv", url=server.answer("/a", declared), **params))) == 1


XML = """<?xml version="1.0" encoding="{encoding}"?>
<m:list xmlns:m="urn:m" xmlns:x="urn:x"><m:item kind="müll" at="2025-03-01T00:00Z">
<m:price x:amount="1.5">2</m:price></m:item><m:item kind="other" at="2025-03-01T00:00Z"/>
<m:item kind="müll" at="2025-03-01T01:00Z"><m:price x:amount=""/></m:item></m:list>"""


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16"])
@pytest.mark.parametrize(
    "rows",
    [
        "item[@kind='müll']",
        ".//item[@kind='müll']",
        "//item[@kind='müll']",
        "/list/item[@kind='müll']",
        "/m:list/m:item[@kind='müll']",
    ],
)
def test_rows_are_found_in_xml(server: LocalServer, encoding: str, rows: str) -> None:
    """By paths from anywhere, with or without prefixes, in the encoding that the document names."""
    url = server.answer("/a", text(XML.format(encoding=encoding).encode(encoding)))
    for path in ("price/@amount", "m:price/@x:amount", "price[@amount]/@amount"):
        assert points(fetch("Xml", url=url, rows=rows, ts="@at", value=path)) == FOUND


def test_elements_hold_text_and_rows_lie_in_rows(server: LocalServer) -> None:
    """A time of the row above its values: each series is a path of its own."""
    day = "<day at='2025-03-01'><c of='USD' rate='1.1'/><c of='GBP'>0.8</c></day>"
    url = server.answer("/a", text(f"<days>{day}</days>"))
    batch = fetch(
        "Xml",
        {"usd": {"value": "c[@of='USD']/@rate"}, "gbp": {"value": "c[@of='GBP']"}},
        url=url,
        rows="day",
        ts="@at",
        timezone="UTC",
    )
    assert points(batch, "usd") == {"2025-03-01T00:00:00Z": 1.1}
    assert points(batch, "gbp") == {"2025-03-01T00:00:00Z": 0.8}


LONG = [
    {"t": f"2025-03-01T0{hour}:00:00Z", "station": station, "cm": cm, "ok": True}
    for hour in (0, 1)
    for station, cm in (("Bonn", 200 + hour), (42, 300 + hour))
]


def test_an_object_may_be_the_only_row(server: LocalServer) -> None:
    """Of an API that tells the present only."""
    url = server.answer("/a", Reply.json({"current": HOURS[0], "units": {}}))
    batch = fetch("Json", url=url, rows="[current]", ts="t", value="v")
    assert points(batch) == {"2025-03-01T00:00:00Z": 1.5}


def test_a_long_table_is_cut_by_filters(server: LocalServer) -> None:
    """A series is the rows in which its own places hold what it says, and all share a filter."""
    rows = [*LONG, {**LONG[0], "cm": 9, "ok": False}]
    url = server.answer("/a", Reply.json(rows))
    batch = fetch(
        "Json",
        {"bonn": {"station": "Bonn"}, "42": {"station": 42}},
        url=url,
        ts="t",
        value="cm",
        filter={"ok": "true"},
    )
    assert list(points(batch, "bonn").values()) == [200, 201]
    assert list(points(batch, "42").values()) == [300, 301]
    assert batch.received == 4
    assert len(server.requests) == 1


def test_what_stands_there_instead_is_listed(server: LocalServer) -> None:
    """An empty place too, so that it can be seen."""
    rows = [{"t": "2025-03-01", "of": of, "v": 1} for of in ("Bonn", "", "Bonn")]
    url = server.answer("/a", Reply.json(rows))
    filters = {"bonn": {"of": "Bonn"}, "slip": {"of": "Born"}}
    (rejection,) = fetch("Json", filters, url=url, ts="t", value="v", timezone="UTC").rejections
    assert "has no row with of = 'Born' among 3, but Bonn, ''; it begins: [{" in rejection.reason


def test_a_wide_table_has_a_place_for_each_series(server: LocalServer) -> None:
    """A column, a key or an expression; where a row lacks the key, nothing is said of it."""
    rows = [
        {"t": "2025-03-01T00:00Z", "DK1": 1, "areas": {"DE-LU": 3, "AT": None}},
        {"t": "2025-03-01T01:00Z", "areas": {"DE-LU": 4}},
    ]
    batch = fetch(
        "Json",
        {
            "dk1": {"value": "DK1"},
            "de": {"value": 'areas."DE-LU"'},
            "at": {"value": "areas.AT"},
            "sum": {"value": 'sum([areas."DE-LU", `1`])'},
        },
        url=server.answer("/a", Reply.json(rows)),
        ts="t",
    )
    assert list(points(batch, "dk1").values()) == [1]
    assert list(points(batch, "de").values()) == [3, 4]
    assert list(points(batch, "at").values()) == [None]
    assert list(points(batch, "sum").values()) == [4, 5]


def test_series_may_have_rows_of_their_own(server: LocalServer) -> None:
    """Where an answer holds a list of points for each series."""
    lists = [{"name": name, "data": [["2025-03-01T00:00Z", n]]} for n, name in enumerate("ab")]
    batch = fetch(
        "Json",
        {name: {"rows": f"series[?name=='{name}'].data | [0]"} for name in "ab"},
        url=server.answer("/a", Reply.json({"series": lists})),
        ts=1,
        value=2,
    )
    assert [list(points(batch, name).values()) for name in "ab"] == [[0], [1]]


def test_series_may_have_an_address_of_their_own(server: LocalServer) -> None:
    """A field of the address that the extract_filter of each fills: a request for each of them."""
    for number, station in enumerate(("Bonn", "Cologne")):
        server.answer(f"/levels/{station}", Reply.json([{**LONG[0], "cm": number}]))
    batch = fetch(
        "Json",
        {name: {"place": name} for name in ("Bonn", "Cologne")},
        url=f"{server.url}/levels/{{place}}",
        ts="t",
        value="cm",
    )
    assert [list(points(batch, name).values()) for name in batch.series] == [[0], [1]]


@pytest.mark.parametrize("pack", [compress, lambda body: zipped(a=body)])
@pytest.mark.parametrize("kind", ["Json", "Csv", "Xml"])
def test_packed_answers_are_opened(server: LocalServer, pack: Any, kind: str) -> None:
    """By what they are, whatever their names or headers say."""
    body = {
        "Json": b'[{"t": "2025-03-01T00:00Z", "v": 1}]',
        "Csv": b"t,v\n2025-03-01T00:00Z,1\n",
        "Xml": b"<l><r><t>2025-03-01T00:00Z</t><v>1</v></r></l>",
    }[kind]
    rows: dict[str, Any] = {"rows": "r"} if kind == "Xml" else {}
    url = server.answer("/a", text(pack(body)))
    assert len(points(fetch(kind, url=url, ts="t", value="v", **rows))) == 1


def test_all_files_of_an_archive_count(server: LocalServer) -> None:
    """In the order of their names, also of archives in it."""
    inner = zipped(c="t,v\n2025-03-03,3\n", b="t,v\n2025-03-02,2\n")
    url = server.answer("/a", text(zipped(z=inner, a="t,v\n2025-03-01,1\n")))
    batch = fetch("Csv", url=url, ts="t", value="v", timezone="UTC")
    assert list(points(batch).values()) == [1, 2, 3]


@pytest.mark.parametrize(
    ("form", "raw"),
    [
        ("", "2025-03-30T03:30:00+02:00"),
        ("%d/%m/%Y %H:%M:%S %z", "30/03/2025 01:30:00 +0000"),
        ("unix", 1743298200),
        ("unix", "1743298200.0"),
        ("unix_ms", 1743298200000),
        ("%Y%m%d%H%M", 202503300330),
        ("%d.%m.%Y %H:%M", "30.03.2025 03:30"),
    ],
)
def test_times_are_read_as_they_are_written(server: LocalServer, form: str, raw: Any) -> None:
    """Without an offset they are local to the source's timezone."""
    url = server.answer("/a", Reply.json([{"t": raw, "v": 1}]))
    batch = fetch("Json", url=url, ts="t", value="v", time_format=form, timezone="Europe/Berlin")
    assert points(batch) == {"2025-03-30T01:30:00Z": 1}


@pytest.mark.parametrize(
    ("raw", "instant"),
    [
        ("2024", "2024-01-01"),
        ("2024-S2", "2024-07-01"),
        ("2024-Q3", "2024-07-01"),
        ("2024M11", "2024-11-01"),
        ("2024-02", "2024-02-01"),
        ("2024-W01", "2024-01-01"),
        ("2024-06-03", "2024-06-03"),
    ],
)
def test_periods_stand_for_their_beginning(server: LocalServer, raw: str, instant: str) -> None:
    """As statistical offices name them."""
    url = server.answer("/a", Reply.json([{"t": raw, "v": 1}]))
    batch = fetch("Json", url=url, ts="t", value="v", time_format="period", timezone="UTC")
    assert points(batch) == {f"{instant}T00:00:00Z": 1}


def test_the_end_of_an_interval_becomes_its_start(server: LocalServer) -> None:
    """An hour of 24 is the end of its day, and an hour ending at midnight belongs to the day."""
    rows = "01.03.2025;24:00;5\n02.03.2025;01:00;6\n"
    url = server.answer("/a", text(rows))
    batch = fetch(
        "Csv",
        url=url,
        header=False,
        ts=[1, 2],
        value=3,
        time_format="%d.%m.%Y %H:%M",
        period_end="1 hour",
        timezone="UTC",
    )
    assert points(batch) == {"2025-03-01T23:00:00Z": 5, "2025-03-02T00:00:00Z": 6}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("period_end", [None, "1 hour"])
def test_both_hours_of_an_autumn_night_are_kept(
    server: LocalServer, order: int, period_end: str | None
) -> None:
    """In a table of several stations too, oldest or newest first, and across two pages."""
    walls = ["01:00", "02:00", "02:00", "03:00"]
    rows = [
        {"t": f"2024-10-27T{wall}", "of": of, "v": number}
        for number, wall in enumerate(walls)
        for of in ("a", "b")
    ][::order]
    server.answer("/a", Reply.json(rows[:4]), Reply.json(rows[4:]), Reply.json([]))
    end: dict[str, Any] = {} if period_end is None else {"period_end": period_end}
    batch = fetch(
        "Json",
        {"a": {"of": "a"}, "b": {"of": "b"}},
        url=f"{server.url}/a",
        ts="t",
        value="v",
        timezone="Europe/Berlin",
        paging={"page": "p"},
        **end,
    )
    first = 23 if period_end is None else 22
    times = [f"2024-10-{26 + (first + n) // 24}T{(first + n) % 24:02}:00:00Z" for n in range(4)]
    for name in ("a", "b"):
        assert points(batch, name) == dict(zip(times, range(4), strict=True))
    assert not batch.rejected


def test_days_that_end_are_days_of_the_zone(server: LocalServer) -> None:
    """Of 23 and 25 hours too."""
    rows = [{"t": f"{day}T00:00:00", "v": 1} for day in ("2025-03-31", "2025-10-27")]
    batch = fetch(
        "Json",
        url=server.answer("/a", Reply.json(rows)),
        ts="t",
        value="v",
        period_end="1 day",
        timezone="Europe/Berlin",
    )
    assert list(points(batch)) == ["2025-03-29T23:00:00Z", "2025-10-25T22:00:00Z"]


def test_values_that_mean_missing_are_no_values(server: LocalServer) -> None:
    """As texts, numbers or booleans, before they are scaled."""
    raws = ["k.A.", -999, -999.0, "-999.00", False, None, "NaN"]
    rows = [{"t": f"2025-03-01T{n:02}:00Z", "v": raw} for n, raw in enumerate([*raws, "2", 3])]
    batch = fetch(
        "Json",
        url=server.answer("/a", Reply.json(rows)),
        ts="t",
        value="v",
        missing=["k.A.", -999, False, "nan"],
        scale=10,
    )
    assert list(points(batch).values()) == [None] * len(raws) + [20, 30]


def test_only_the_window_is_kept(server: LocalServer) -> None:
    """Half-open; a run need not throw away what it did not ask for."""
    rows = [{"t": f"2025-03-0{day}T00:00Z", "v": day} for day in range(1, 9)]
    url = server.answer("/a", Reply.json(rows))
    window = ("2025-03-02T00:00:00Z", "2025-03-05T00:00:00Z")
    assert list(points(fetch("Json", url=url, ts="t", value="v", window=window)).values()) == [
        *(2, 3, 4)
    ]


def test_a_line_below_the_table_does_not_spoil_it(server: LocalServer) -> None:
    """A row without a time is refused; the rows outside of the window show that times are read."""
    url = server.answer("/a", text("t,v\n2025-03-01,1\n2025-03-02,2\nTotal,3\n"))
    for window, values in ((("2025-03-02T00:00Z", None), [2.0]), (("2025-03-09T00:00Z", None), [])):
        batch = fetch("Csv", url=url, ts="t", value="v", timezone="UTC", window=window)
        assert [v for t, v in points(batch).items() if t >= window[0][:10]] == values
        assert batch.rejected == 1


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("Json", {"ts": "t[", "value": "v"}, "no JMESPath expression"),
        ("Json", {"rows": "a..b", "ts": "t", "value": "v"}, "rows: 'a..b' is no JMESPath"),
        ("Json", {"ts": "t", "value": "v", "layout": "table"}, "layout must be one of"),
        ("Json", {"ts": "t", "value": "v", "query": {"a": "{start:%Y@Mars}"}}, "'Mars' is not a"),
        ("Json", {"ts": "t", "value": "v", "query": {"a": "{end:seconds}"}}, "as strftime"),
        ("Json", {"ts": "t", "value": "v", "zone": "Berlin"}, "zone: 'Berlin' is not a time zone"),
        ("Json", {"ts": "t", "value": "v", "period_end": "1 fortnight"}, "not a duration"),
        ("Json", {"ts": "t", "value": "v", "ahead": "2 moons"}, "ahead: '2 moons' is not a"),
        ("Json", {"ts": "t", "value": "v", "time_format": "iso"}, "'iso' must be as strptime"),
        ("Json", {"ts": "t", "value": "v", "time_format": "%Q"}, "'%Q' cannot be used"),
        ("Json", {"ts": "t", "value": "v", "scale": 0}, "scale must not be 0"),
        ("Json", {"value": "v"}, "ts is missing"),
        ("Json", {"ts": "t"}, "value is missing"),
        ("Json", {"ts": "t", "value": "v", "valu": 1}, "did you mean 'value'"),
        ("Json", {"ts": "t", "value": "v", "per_minute": 0}, "per_minute must be more than 0"),
        ("Json", {"ts": "t", "value": "v", "everywhere": "no"}, "everywhere must be true or"),
        ("Json", {"ts": "t", "value": "v", "auth": {"key": "s3cret"}}, "auth must be one of"),
        ("Json", {"ts": "t", "value": "v", "auth": {"header": "s3cret"}}, "auth must be one of"),
        ("Json", {"ts": "t", "value": "v", "query": {"a": "{station}"}}, "a field {station}"),
        ("Csv", {"ts": "t", "value": 2, "header": False}, "without a header a column has no name"),
        ("Csv", {"ts": 1, "value": 2, "encoding": "latin-99"}, "encoding: 'latin-99' is not known"),
        ("Csv", {"ts": 1, "value": 2, "delimiter": "::"}, "delimiter must be one character"),
        ("Csv", {"ts": 1, "value": 2, "error": "("}, "no regular expression"),
        ("Xml", {"ts": "t", "value": "v"}, "rows is missing"),
        ("Xml", {"rows": "a[", "ts": "t", "value": "v"}, "no XPath"),
        ("Xml", {"rows": "a", "ts": "t[", "value": "v"}, "ts: 't[' is no XPath"),
        ("Xml", {"rows": "a", "ts": 1, "value": "v"}, "1 must be a path"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_is_asked(
    kind: str, params: dict[str, Any], message: str
) -> None:
    """All of it at once, so also by list-sources --check; and never what may be a key."""
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        plugin_of(kind, url="http://127.0.0.1/a", **params)
    assert "s3cret" not in str(raised.value)


def test_a_series_that_is_wrong_is_named(server: LocalServer) -> None:
    """With what is wrong in its filter."""
    with pytest.raises(ValueError, match=r"extract_filter of b: value is missing"):
        plugin_of("Json", {"a": {"value": "v"}, "b": {}}, url=server.url, ts="t")
