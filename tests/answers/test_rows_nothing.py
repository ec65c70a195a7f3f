"""No data is told apart from a fault: 204, a header alone, 206, an empty body, and what says so.

A provider that has nothing makes an empty run, which makes nothing fresh. A file that came without
a byte, where there should be a header at least, is bad data: it was cut, or is not yet written.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case, document, table
from support.http_server import Reply
from support.provider_answers import PROVIDERS, WINDOW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.answer_runs import Result
    from support.http_server import Request

FIRST = "2025-06-02T00:00Z"
PLACES: dict[str, Any] = {"ts": "t", "value": "v"}
ROW = [{"t": FIRST, "v": 1}]
NEXT_ROW = [{**ROW[0], "t": "2025-06-02T01:00Z"}]


def zipped(**members: str) -> Reply:
    """An archive of these files, their names with a dot for the last line."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "."), text)
    return Reply(body=body.getvalue(), content_type="application/zip")


# 204 No Content, of every provider
NO_CONTENT = {
    f"204-{name}": Case(
        Reply(204),
        provider.params,
        {},
        kind=provider.kind,
        window=WINDOW,
        outcome="empty",
        counts={"received": 0},
    )
    for name, provider in PROVIDERS.items()
} | {
    "204-group": Case(
        Reply(204),
        PLACES,
        {"a": {}, "b": {}},
        filters={"a": {"of": "a"}, "b": {"of": "b"}},
        outcome="empty",
    ),
    # for one of several requests: the others count
    "204-one-of-two-days": Case(
        lambda request: Reply(204) if request.query["day"] == ["2025-06-03"] else Reply.json(ROW),
        {**PLACES, "each": "day", "query": {"day": "{start:%Y-%m-%d}"}},
        {FIRST: 1.0},
        window=WINDOW,
    ),
    # after a page: that was the last
    "204-after-a-page": Case(
        [Reply.json(ROW), Reply(204)], {**PLACES, "paging": {"page": "p"}}, {FIRST: 1.0}
    ),
    "204-tankerkoenig": Case(
        Reply(204),
        {"api_key": "key-of-a-test", "station": "s1", "fuel": "e5"},
        {},
        kind="tankerkoenig_plugin.TankerkoenigDataSourcePlugin",
        outcome="empty",
    ),
    "204-citybikes": Case(
        Reply(204),
        {"network": "vienna"},
        {},
        kind="citybikes_plugin.CityBikesDataSourcePlugin",
        outcome="empty",
    ),
}
HEADER_ALONE = {
    "header": Case(table("t,v"), PLACES, {}, kind="Csv", outcome="empty"),
    "header-without-a-line-end": Case(
        Reply(body=b"t,v", content_type="text/csv"), PLACES, {}, kind="Csv", outcome="empty"
    ),
    "header-with-a-mark": Case(
        Reply(body=b"\xef\xbb\xbft;v\r\n"), PLACES, {}, kind="Csv", outcome="empty"
    ),
    "header-and-comments": Case(
        table("# made today", "t,v", "# end"),
        {**PLACES, "comment": "#"},
        {},
        kind="Csv",
        outcome="empty",
    ),
    "header-of-a-group": Case(
        table("t,of,v"),
        PLACES,
        {"a": {}},
        kind="Csv",
        filters={"a": {"of": "a"}},
        outcome="empty",
    ),
    "header-of-a-file": Case(
        table("t,v"),
        {"url": "{server}"},
        {},
        kind="csv_plugin.CsvDataSourcePlugin",
        outcome="empty",
    ),
    "header-in-an-archive": Case(zipped(a__csv="t,v\n"), PLACES, {}, kind="Csv", outcome="empty"),
    # a header that lacks the column is no "no data"
    "another-header": Case(table("t,x"), PLACES, {}, kind="Csv", outcome="failed", says=("'v'",)),
    "another-header-of-a-file": Case(
        table("t,x"),
        {"url": "{server}", "value_column": "v"},
        {},
        kind="csv_plugin.CsvDataSourcePlugin",
        outcome="failed",
        says=("'v'",),
    ),
    "no-rows-in-json": Case(Reply.json([]), PLACES, {}, outcome="empty"),
    "no-rows-in-xml": Case(
        document("<a/>"), {**PLACES, "rows": "r"}, {}, kind="Xml", outcome="empty"
    ),
    # a table without a header has no rows
    "no-header-wanted": Case(
        Reply(body=b"", content_type="text/csv"),
        {"ts": 1, "value": 2, "header": False},
        {},
        kind="Csv",
        outcome="empty",
    ),
}
NOT_A_BYTE = {
    f"not-a-byte-{name}": Case(
        Reply(),
        provider.params,
        {},
        kind=provider.kind,
        window=WINDOW,
        outcome="failed",
        says=("empty",),
    )
    for name, provider in PROVIDERS.items()
} | {
    "not-a-byte-of-a-group": Case(
        Reply(),
        PLACES,
        {"a": {}},
        kind="Csv",
        filters={"a": {"of": "a"}},
        outcome="failed",
        says=("empty",),
    ),
    "not-a-byte-in-an-archive": Case(
        zipped(a__csv=""), PLACES, {}, kind="Csv", outcome="failed", says=("a.csv", "empty")
    ),
    "not-a-byte-among-days": Case(
        lambda request: (
            Reply(body=b"")
            if request.query["day"] == ["2025-06-03"]
            else table("t,v", f"{FIRST},1")
        ),
        {**PLACES, "each": "day", "query": {"day": "{start:%Y-%m-%d}"}},
        {},
        kind="Csv",
        window=WINDOW,
        outcome="failed",
        says=("empty",),
    ),
}
# Hub'Eau says 206 while more pages follow
PARTIAL = {
    f"206-{name}": Case(
        Reply(206, provider.answer([(FIRST, 1)]).body, content_type="x/y"),  # type: ignore[union-attr]
        provider.params,
        {FIRST: 1.0},
        kind=provider.kind,
        window=WINDOW,
    )
    for name, provider in PROVIDERS.items()
    if name in {"json", "csv", "xml", "file", "eia", "fingrid", "energy-charts", "elexon"}
} | {
    "206-pages": Case(
        lambda request: Reply(
            200 if request.query.get("page") == ["3"] else 206,
            Reply.json(
                {
                    "data": [
                        {"t": f"2025-06-02T0{request.query.get('page', ['1'])[0]}:00Z", "v": 1}
                    ],
                    "next": None
                    if request.query.get("page") == ["3"]
                    else f"?page={int(request.query.get('page', ['1'])[0]) + 1}",
                }
            ).body,
        ),
        {**PLACES, "rows": "data", "paging": {"next": "next"}},
        {f"2025-06-02T0{n}:00Z": 1.0 for n in (1, 2, 3)},
        requests=3,
    ),
}

NO_DATA = "<r><ERROR><ERR_CODE>1000</ERR_CODE><ERR_DESC>No data returned</ERR_DESC></ERROR></r>"
FAULT = "<r><ERROR><ERR_CODE>1010</ERR_CODE><ERR_DESC>Invalid date</ERR_DESC></ERROR></r>"
CAISO: dict[str, Any] = {
    **PLACES,
    "empty": "<ERR_CODE>1000</ERR_CODE>",
    "error": "<ERR_CODE>.*?</ERR_CODE>",
}
EMPTY = {
    # CAISO: an archive with a document instead of a table, told apart by its code
    "caiso-no-data": Case(
        zipped(INVALID_REQUEST__xml=NO_DATA), CAISO, {}, kind="Csv", outcome="empty"
    ),
    "caiso-fault": Case(
        zipped(INVALID_REQUEST__xml=FAULT),
        CAISO,
        {},
        kind="Csv",
        outcome="failed",
        says=("1010",),
    ),
    "caiso-data": Case(zipped(a__csv=f"t,v\n{FIRST},1\n"), CAISO, {FIRST: 1.0}, kind="Csv"),
    "json": Case(
        Reply.json({"status": "NO_DATA", "rows": None}),
        {**PLACES, "rows": "rows", "empty": "status == 'NO_DATA'"},
        {},
        outcome="empty",
    ),
    "json-found": Case(
        Reply.json({"message": "nothing here"}),
        {**PLACES, "rows": "rows", "empty": "message"},
        {},
        outcome="empty",
    ),
    "json-not-found": Case(
        Reply.json({"rows": ROW}),
        {**PLACES, "rows": "rows", "empty": "message"},
        {FIRST: 1.0},
    ),
    "json-false": Case(
        Reply.json({"rows": ROW, "nothing": False}),
        {**PLACES, "rows": "rows", "empty": "nothing"},
        {FIRST: 1.0},
    ),
    # what is no data and what is a fault stand in the same place
    "json-error": Case(
        Reply.json({"message": "no such key"}),
        {
            **PLACES,
            "rows": "rows",
            "empty": "message == 'No data'",
            "error": "message",
        },
        {},
        outcome="failed",
        says=("no such key",),
    ),
    "json-empty-before-error": Case(
        Reply.json({"message": "No data"}),
        {
            **PLACES,
            "rows": "rows",
            "empty": "message == 'No data'",
            "error": "message",
        },
        {},
        outcome="empty",
    ),
    "xml": Case(
        document(
            "<Acknowledgement><code>999</code><text>No matching data</text></Acknowledgement>"
        ),
        {**PLACES, "rows": "r", "empty": ".[code='999']/text"},
        {},
        kind="Xml",
        outcome="empty",
    ),
    "xml-fault": Case(
        document("<Acknowledgement><code>401</code><text>who?</text></Acknowledgement>"),
        {**PLACES, "rows": "r", "empty": ".[code='999']/text", "error": "text"},
        {},
        kind="Xml",
        outcome="failed",
        says=("who?",),
    ),
    "table": Case(
        table("No data for the period"),
        {**PLACES, "empty": "^No data"},
        {},
        kind="Csv",
        outcome="empty",
    ),
    # SPP: an empty file is what it has where it has nothing
    "not-a-byte": Case(
        Reply(body=b"", content_type="text/csv"),
        {**PLACES, "empty": r"^\s*$"},
        {},
        kind="Csv",
        outcome="empty",
    ),
    # one of two days
    "one-of-two-days": Case(
        lambda request: (
            table("nothing yet")
            if request.query["day"] == ["2025-06-03"]
            else table("t,v", f"{FIRST},1")
        ),
        {
            **PLACES,
            "each": "day",
            "query": {"day": "{start:%Y-%m-%d}"},
            "empty": "^nothing",
        },
        {FIRST: 1.0},
        kind="Csv",
        window=WINDOW,
    ),
    # one of two files of an archive
    "one-of-two-files": Case(
        zipped(a__csv=f"t,v\n{FIRST},1\n", b__csv="nothing yet\n"),
        {**PLACES, "empty": "^nothing"},
        {FIRST: 1.0},
        kind="Csv",
    ),
    # JAO, ENTSOG: under a status of refusal, with a text that says so
    "under-404": Case(
        Reply.json({"message": "No result found"}, 404),
        {**PLACES, "empty": "message == 'No result found'"},
        {},
        outcome="empty",
    ),
    "under-400": Case(
        Reply.json({"message": "no auction"}, 400),
        {**PLACES, "empty": "message == 'no auction'"},
        {},
        outcome="empty",
    ),
    "another-404": Case(
        Reply.json({"message": "no such page"}, 404),
        {**PLACES, "empty": "message == 'No result found'"},
        {},
        outcome="failed",
        says=("404",),
    ),
    "another-400": Case(
        Reply.json({"message": "bad date"}, 400),
        {**PLACES, "empty": "message == 'no auction'"},
        {},
        outcome="failed",
        says=("400", "bad date"),
    ),
    "no-expression": Case(
        Reply.json([]), {**PLACES, "empty": "a["}, {}, outcome="failed", says=("JMESPath",)
    ),
    "no-pattern": Case(
        table("t,v"),
        {**PLACES, "empty": "("},
        {},
        kind="Csv",
        outcome="failed",
        says=("regular expression",),
    ),
}


def some_days(request: Request) -> Reply:
    """A file for one of two days."""
    return Reply.json(ROW) if request.path.endswith("/2025-06-02") else Reply(404)


NOT_FOUND = {
    "not-found": Case(Reply(404), {**PLACES, "not_found_is_empty": True}, {}, outcome="empty"),
    "gone": Case(Reply(410), {**PLACES, "not_found_is_empty": True}, {}, outcome="empty"),
    "one-of-two-days-not-found": Case(
        some_days,
        {
            **PLACES,
            "url": "{server}/{start:%Y-%m-%d}",
            "each": "day",
            "not_found_is_empty": True,
        },
        {FIRST: 1.0},
        window=WINDOW,
    ),
    "not-found-is-a-fault": Case(Reply(404), PLACES, {}, outcome="failed", says=("404",)),
    # what is refused otherwise stays a fault
    "refused": Case(
        Reply(403), {**PLACES, "not_found_is_empty": True}, {}, outcome="failed", says=("403",)
    ),
    "bad-request": Case(
        Reply(400), {**PLACES, "not_found_is_empty": True}, {}, outcome="failed", says=("400",)
    ),
    # a page in the middle that is not there is a hole, whatever the source says of 404
    "not-found-in-the-middle": Case(
        [Reply.json(ROW * 3), Reply.json(NEXT_ROW * 3), Reply(404)],
        {
            **PLACES,
            "paging": {"page": "p", "size": 3, "size_param": "n"},
            "not_found_is_empty": True,
        },
        {},
        outcome="failed",
        says=("404",),
    ),
}
CASES = NO_CONTENT | HEADER_ALONE | NOT_A_BYTE | PARTIAL | EMPTY | NOT_FOUND


@pytest.mark.parametrize("name", NO_CONTENT)
def test_no_content_is_no_data(results: Mapping[str, Result], name: str) -> None:
    """204 of any provider: an empty run, no fault; among other answers it adds nothing."""
    results[name].check()


@pytest.mark.parametrize("name", HEADER_ALONE)
def test_a_header_alone_is_no_data(results: Mapping[str, Result], name: str) -> None:
    """If it is the header that is expected."""
    results[name].check()


@pytest.mark.parametrize("name", NOT_A_BYTE)
def test_a_body_of_no_bytes_is_bad_data(results: Mapping[str, Result], name: str) -> None:
    """Under 200, where a header or a document is expected; the message says that it is empty."""
    results[name].check()


@pytest.mark.parametrize("name", PARTIAL)
def test_206_to_a_request_without_a_range_is_an_answer(
    results: Mapping[str, Result], name: str
) -> None:
    """Of every provider; with pages they are followed to their end."""
    results[name].check()


@pytest.mark.parametrize("name", EMPTY)
def test_what_says_no_data_is_told_apart_from_a_fault(
    results: Mapping[str, Result], name: str
) -> None:
    """`empty` finds it: an expression, a path, a pattern; looked at before `error`."""
    results[name].check()


@pytest.mark.parametrize("name", NOT_FOUND)
def test_not_found_is_empty_where_the_source_says_so(
    results: Mapping[str, Result], name: str
) -> None:
    """404 and 410 alone, and never in the middle of pages."""
    results[name].check()
