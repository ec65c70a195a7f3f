"""Pages are asked for until there are no more: a short page, a total, a cursor, a flag tell it.

A server that gives fewer rows than asked for used to end the pages with its first one. Now the page
after a short one is asked for, where nothing else tells; an empty one is the end. What is promised
and does not come is an error, with every strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.answer_runs import Case, document
from support.http_server import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from support.answer_runs import Result
    from support.http_server import Request

PLACES: dict[str, Any] = {"rows": "rows", "ts": "t", "value": "v"}


def rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    """So many rows, a minute apart."""
    return [
        {"t": f"2025-06-02T{n // 60:02}:{n % 60:02}Z", "v": n} for n in range(first, first + count)
    ]


def values_of(count: int) -> dict[str, float]:
    """The same as they are stored."""
    return {row["t"]: float(row["v"]) for row in rows(count)}


def one(request: Request, name: str, default: str = "") -> str:
    """A parameter of the query."""
    return request.query.get(name, [default])[0]


def served(
    count: int,
    *,
    by: str = "page",
    cap: int = 1000,
    first: int | None = None,
    default: int = 3,
    beyond: Reply | None = None,
    most: int | None = None,
    more: Callable[[int, int], Mapping[str, Any]] | None = None,
) -> Callable[[Request], Reply]:
    """A server of so many rows, which gives at most `cap` of them at a time.

    Args:
        count: of all rows.
        by: page (parameter `p`) or offset (parameter `o`); `n` says how many are wanted.
        cap: the most in one page.
        first: how the first page, or the first row, is called; 1 and 0.
        default: how many are given if nobody says.
        beyond: the answer to what lies beyond the last row; an empty page if not given.
        most: what lies beyond this row is answered by `beyond`, though there are more.
        more: further fields of an answer, by the row it begins with and the row after its last.
    """
    origin = (1 if by == "page" else 0) if first is None else first

    def reply(request: Request) -> Reply:
        size = min(int(one(request, "n", str(default))), cap)
        asked = int(one(request, by[0], str(origin))) - origin
        start = asked * size if by == "page" else asked
        end = min(start + size, count)
        if beyond is not None and (start >= count or (most is not None and start >= most)):
            return beyond
        if start < 0:
            return Reply(400, b"no such row")
        fields = {} if more is None else more(start, end)
        return Reply.json({"rows": rows(max(end - start, 0), start), **fields})

    return reply


def paged(
    reply: Any, paging: Any, count: int | None, requests: int | None = None, **more: Any
) -> Case:
    """All rows of a server, or an error."""
    return Case(
        reply,
        {**PLACES, "paging": paging, **more.pop("params", {})},
        {} if count is None else values_of(count),
        outcome="failed" if count is None else "succeeded",
        requests=requests,
        **more,
    )


BY_PAGE = {"page": "p", "size": 10, "size_param": "n"}
BY_OFFSET = {"offset": "o", "size": 10, "size_param": "n"}
CAPPED = {
    # CKAN, GitHub: a cap that is lower than what is asked for
    "capped-pages": paged(served(13, cap=5), BY_PAGE, 13, 4),
    "capped-offsets": paged(served(13, by="offset", cap=5), BY_OFFSET, 13, 4),
    "capped-evenly": paged(served(10, cap=5), BY_PAGE, 10, 3),
    "capped-to-one": paged(served(4, cap=1), BY_PAGE, 4, 5),
    "capped-offsets-to-one": paged(served(4, by="offset", cap=1), BY_OFFSET, 4, 5),
    # no cap: one request more than before makes sure
    "not-capped": paged(served(13), BY_PAGE, 13, 3),
    "not-capped-offsets": paged(served(13, by="offset"), BY_OFFSET, 13, 3),
    "one-full-page": paged(served(10), BY_PAGE, 10, 2),
    "one-short-page": paged(served(4), BY_PAGE, 4, 2),
    "an-empty-page": Case(
        served(0), {**PLACES, "paging": BY_PAGE}, {}, outcome="empty", requests=1
    ),
    "no-size": paged(served(7), {"page": "p"}, 7, 4),
    "pages-from-nought": paged(served(13, cap=5, first=0), {**BY_PAGE, "first": 0}, 13, 4),
    # a total tells, so that no request more is made
    "capped-with-a-total": paged(
        served(13, by="offset", cap=5, more=lambda *_: {"total": 13}),
        {**BY_OFFSET, "total": "total"},
        13,
        3,
    ),
    # pages of changing sizes (a filter on the server's side)
    "a-short-page-in-the-middle": paged(
        [
            Reply.json({"rows": rows(10)}),
            Reply.json({"rows": rows(2, 10)}),
            Reply.json({"rows": rows(10, 12)}),
            Reply.json({"rows": []}),
        ],
        BY_PAGE,
        22,
        4,
    ),
}
AS_BEFORE = {
    # 1.0's rule, and its number of requests
    "short-page-end": paged(served(13), {**BY_PAGE, "short_page": "end"}, 13, 2),
    "short-page-end-offsets": paged(
        served(13, by="offset"), {**BY_OFFSET, "short_page": "end"}, 13, 2
    ),
    "short-page-end-one": paged(served(4), {**BY_PAGE, "short_page": "end"}, 4, 1),
    "short-page-end-full": paged(served(10), {**BY_PAGE, "short_page": "end"}, 10, 2),
    "short-page-ask": paged(served(13), {**BY_PAGE, "short_page": "ask"}, 13, 3),
    "short-page-without-a-size": paged(
        served(3), {"page": "p", "short_page": "end"}, None, says=("short_page",)
    ),
    "short-page-word": paged(served(3), {**BY_PAGE, "short_page": "stop"}, None, says=("stop",)),
}


def refused(status: int, *counts: int, paging: Any = BY_PAGE, ends: bool) -> Case:
    """Pages with so many rows each, and then a refusal."""
    pages, first = [], 0
    for count in counts:
        pages.append(Reply.json({"rows": rows(count, first)}))
        first += count
    refusal = Reply(status, b'{"message": "no such page"}')
    told = () if ends else (str(status),)
    return paged([*pages, refusal], paging, first if ends else None, len(counts) + 1, says=told)


REFUSED = {
    f"{status}-{name}": case
    for status in (400, 404, 416)
    for name, case in {
        # after a page that had fewer rows than the first one: there was no more
        "after-a-short-page": refused(status, 10, 10, 4, ends=True),
        "after-a-capped-page": refused(status, 5, 5, 3, ends=True),
        # after the first one, whatever it had
        "after-the-first": refused(status, 10, ends=True),
        "after-a-short-first": refused(status, 4, ends=True),
        # after a full one: a truncation
        "after-a-full-page": refused(status, 10, 10, ends=False),
        "after-many": refused(status, 10, 10, 10, 10, ends=False),
    }.items()
} | {
    # a refusal beyond a limit of offsets (10,000 of Opendatasoft, of Elasticsearch)
    "beyond-a-limit": paged(
        served(100, by="offset", beyond=Reply(400, b"offset too large"), most=40),
        BY_OFFSET,
        None,
        5,
        says=("400",),
    ),
    # others say nothing of the end
    "403-after-a-short-page": paged(
        [Reply.json({"rows": rows(10)}), Reply.json({"rows": rows(2, 10)}), Reply(403)],
        BY_PAGE,
        None,
        says=("403",),
    ),
    "the-first-page": paged([Reply(404)], BY_PAGE, None, 1, says=("404",)),
    # what is promised must come
    "with-a-total": paged(
        [Reply.json({"rows": rows(2), "total": 5}), Reply(404)],
        {"page": "p", "total": "total"},
        None,
        says=("404",),
    ),
    "with-has-more": paged(
        [Reply.json({"rows": rows(2), "more": True}), Reply(404)],
        {"page": "p", "has_more": "more"},
        None,
        says=("404",),
    ),
    "with-short-page-end": paged(
        [Reply.json({"rows": rows(10)}), Reply(404)],
        {**BY_PAGE, "short_page": "end"},
        None,
        says=("404",),
    ),
}


def cursors(*nexts: Any, count: int = 2, **fields: Any) -> list[Reply]:
    """Pages of so many rows, each with what it says of the next one."""
    return [
        Reply.json({"rows": rows(count, count * n), "next": after, **fields})
        for n, after in enumerate(nexts)
    ]


CURSOR = {"cursor": "c", "from": "next"}
CURSORS = (
    {
        f"cursor-{name}": paged([*cursors("a", "b", end), Reply(403)], CURSOR, 6, 3)
        for name, end in (
            ("false", False),
            ("null", None),
            ("empty", ""),
            ("blank", "  "),
            ("list", []),
            ("object", {}),
        )
    }
    | {
        "cursor-absent": paged(
            [*cursors("a"), Reply.json({"rows": rows(2, 2)}), Reply(403)], CURSOR, 4, 2
        ),
        # nought is a cursor like any other
        "cursor-nought": paged([*cursors(0, 7, None), Reply(403)], CURSOR, 6, 3),
        "cursor-text-false": paged([*cursors("a", "false"), Reply(403)], CURSOR, 4, 2),
        "cursor-text-null": paged([*cursors("a", "null"), Reply(403)], CURSOR, 4, 2),
        "cursor-header": paged(
            [
                Reply(body=Reply.json({"rows": rows(2)}).body, headers={"X-Next": "a"}),
                Reply(body=Reply.json({"rows": rows(2, 2)}).body, headers={"X-Next": ""}),
                Reply(403),
            ],
            {"cursor": "c", "from": "header:X-Next"},
            4,
            2,
        ),
        "cursor-xml": Case(
            [
                document('<a><r t="2025-06-02T00:00Z" v="0"/><next>2</next></a>'),
                document('<a><r t="2025-06-02T00:01Z" v="1"/><next>false</next></a>'),
                Reply(403),
            ],
            {"rows": "r", "ts": "@t", "value": "@v", "paging": CURSOR},
            values_of(2),
            kind="Xml",
            requests=2,
        ),
    }
    | {
        f"next-{name}": paged([*cursors("?p=2", end), Reply(403)], {"next": "next"}, 4, 2)
        for name, end in (("false", False), ("null", None), ("empty", ""), ("text-null", "null"))
    }
)


def promised(
    kind: str, have: int, promise: Mapping[str, Any], paging: Mapping[str, Any], count: int | None
) -> Case:
    """Three pages of two rows by this strategy, with what they say of all of them."""

    def onward(number: int) -> dict[str, Any]:
        after = number + 1 if number < have - 1 else None
        if kind == "cursor":
            return {"next": after}
        return {"next": after and f"?x={after}"} if kind == "next" else {}

    strategy: dict[str, Any] = {
        "page": {"page": "p"},
        "offset": {"offset": "o"},
        "cursor": CURSOR,
        "next": {"next": "next"},
    }[kind]
    replies = [Reply.json({"rows": rows(2, 2 * n), **onward(n), **promise}) for n in range(have)]
    return paged([*replies, Reply.json({"rows": [], **promise})], {**strategy, **paging}, count)


PROMISES = {
    f"{kind}-{name}": case
    for kind in ("page", "offset", "cursor", "next")
    for name, case in {
        # 3 of 10 rows, succeeded: that was so with cursors and links
        "total-not-reached": promised(kind, 3, {"total": 10}, {"total": "total"}, None),
        "total-reached": promised(kind, 3, {"total": 6}, {"total": "total"}, 6),
        "total-as-text": promised(kind, 3, {"total": "6"}, {"total": "total"}, 6),
        "last-not-reached": promised(kind, 2, {"last": 5}, {"last": "last"}, None),
        "last-reached": promised(kind, 3, {"last": 3}, {"last": "last"}, 6),
        "total-of-one-page": promised(kind, 1, {"total": 2}, {"total": "total"}, 2),
    }.items()
}


def in_order(*replies: Reply) -> Callable[[Request], Reply]:
    """These pages by what is asked for, in whatever order the requests arrive."""
    places = {"p": (1, 2, 3), "o": (0, 2, 4), "c": (0, 1, 2), "x": (0, 1, 2)}

    def reply(request: Request) -> Reply:
        name = next((name for name in places if name in request.query), None)
        if name is None:
            return replies[0]
        asked = int(one(request, name))
        return replies[places[name].index(asked)] if asked in places[name] else Reply(403)

    return reply


LATER = {
    # said on the first page alone
    f"{kind}-{name}": paged(
        in_order(
            Reply.json({"rows": rows(2), "total": 5, "last": 3, **(link(1))}),
            Reply.json({"rows": rows(2, 2), **absent, **(link(2))}),
            Reply.json({"rows": rows(1, 4), **absent, **(link(None))}),
        ),
        {**strategy, which: which},
        5,
        3,
    )
    for kind, strategy, link in (
        ("page", {"page": "p"}, lambda _: {}),
        ("offset", {"offset": "o", "size": 2}, lambda _: {}),
        ("cursor", CURSOR, lambda n: {"next": n}),
        ("next", {"next": "next"}, lambda n: {"next": n and f"?x={n}"}),
    )
    for which in ("total", "last")
    for name, absent in ((f"{which}-absent", {}), (f"{which}-null", {"total": None, "last": None}))
} | {
    "total-absent-and-missed": paged(
        [
            Reply.json({"rows": rows(2), "total": 5}),
            Reply.json({"rows": rows(2, 2)}),
            Reply.json({"rows": []}),
        ],
        {"page": "p", "total": "total"},
        None,
        says=("5",),
    ),
    "no-total-at-all": paged(
        [Reply.json({"rows": rows(2)}), Reply.json({"rows": []})],
        {"page": "p", "total": "total"},
        None,
        says=("paging.total",),
    ),
    # a header says it on each page
    "total-in-a-header": paged(
        [
            Reply(body=Reply.json({"rows": rows(3)}).body, headers={"X-Total-Count": "5"}),
            Reply(body=Reply.json({"rows": rows(2, 3)}).body),
            Reply(403),
        ],
        {"page": "p", "total": "header:X-Total-Count"},
        5,
        2,
    ),
}
FIRST = {
    # PJM: rows are counted from 1
    "offset-from-one": paged(
        served(12, by="offset", first=1),
        {"offset": "o", "size": 3, "size_param": "n", "first": 1},
        12,
        5,
    ),
    "offset-from-one-with-a-total": paged(
        served(12, by="offset", first=1, more=lambda *_: {"total": 12}),
        {"offset": "o", "first": 1, "total": "total"},
        12,
        4,
    ),
    "offset-from-one-capped": paged(
        served(7, by="offset", first=1, cap=2),
        {"offset": "o", "size": 3, "size_param": "n", "first": 1},
        7,
        5,
    ),
    "page-from-nought-with-a-last": paged(
        served(6, first=0, more=lambda *_: {"last": 1}),
        {"page": "p", "first": 0, "last": "last"},
        6,
        2,
    ),
}


def flagged(words: tuple[Any, Any]) -> Callable[[int, int], Mapping[str, Any]]:
    """What eight rows say of whether more follow: the one word or the other."""
    return lambda _, end: {"meta": {"more": words[end >= 8]}}


MORE = {
    f"has-more-{kind}-{name}": paged(
        served(8, by=kind, more=flagged(words)),
        {**strategy, "has_more": "meta.more"},
        8,
        3,
    )
    for kind, strategy in (("page", {"page": "p"}), ("offset", {"offset": "o"}))
    for name, words in (
        ("bool", (True, False)),
        ("text", ("true", "false")),
        ("number", (1, 0)),
        ("null", (True, None)),
    )
} | {
    # ArcGIS leaves the flag out on the last page
    "has-more-absent": paged(
        served(8, by="offset", more=lambda _, end: {} if end >= 8 else {"exceeded": True}),
        {"offset": "o", "has_more": "exceeded"},
        8,
        3,
    ),
    # it says so, and there is none
    "has-more-and-no-rows": paged(
        [Reply.json({"rows": rows(2), "more": True}), Reply.json({"rows": [], "more": True})],
        {"page": "p", "has_more": "more"},
        None,
        says=("more",),
    ),
    # a short page that says that more follow is not the last
    "has-more-beside-a-size": paged(
        served(8, cap=3, more=lambda _, end: {"more": end < 8}),
        {**BY_PAGE, "has_more": "more"},
        8,
        3,
    ),
    "has-more-beside-a-cursor": paged(
        [
            Reply.json({"rows": rows(2), "next": "a", "more": True}),
            Reply.json({"rows": rows(2, 2), "next": "b", "more": False}),
            Reply(403),
        ],
        {**CURSOR, "has_more": "more"},
        4,
        2,
    ),
    "has-more-is-no-flag": paged(
        [Reply.json({"rows": rows(2), "more": "perhaps"})],
        {"page": "p", "has_more": "more"},
        None,
        says=("perhaps",),
    ),
}
CASES = CAPPED | AS_BEFORE | REFUSED | CURSORS | PROMISES | LATER | FIRST | MORE


@pytest.mark.parametrize("name", CAPPED)
def test_a_short_page_is_not_the_end(results: Mapping[str, Result], name: str) -> None:
    """Where nothing else tells, the page after it is asked for; an empty one is the end."""
    results[name].check()


@pytest.mark.parametrize("name", AS_BEFORE)
def test_short_page_end_keeps_the_former_rule(results: Mapping[str, Result], name: str) -> None:
    """With not one request more."""
    results[name].check()


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_ends_pages_only_after_a_short_one(
    results: Mapping[str, Result], name: str
) -> None:
    """400, 404, 416; after full pages it is a truncation, and nothing is stored."""
    results[name].check()


@pytest.mark.parametrize("name", CURSORS)
def test_a_cursor_that_is_none_ends_the_pages(results: Mapping[str, Result], name: str) -> None:
    """False, null, empty; nought is one. So it is with links."""
    results[name].check()


@pytest.mark.parametrize("name", PROMISES)
def test_what_is_promised_is_looked_at(results: Mapping[str, Result], name: str) -> None:
    """`total` and `last` with every strategy: fewer rows or pages than said are an error."""
    results[name].check()


@pytest.mark.parametrize("name", LATER)
def test_a_promise_is_kept_from_the_first_page(results: Mapping[str, Result], name: str) -> None:
    """One that is absent or null later keeps its first value; one that never comes is an error."""
    results[name].check()


@pytest.mark.parametrize("name", FIRST)
def test_the_first_page_or_row_has_its_number(results: Mapping[str, Result], name: str) -> None:
    """`first` is obeyed by offsets, too."""
    results[name].check()


@pytest.mark.parametrize("name", MORE)
def test_a_flag_says_whether_more_follow(results: Mapping[str, Result], name: str) -> None:
    """`has_more` of pages and offsets, written in any way."""
    results[name].check()


def test_no_page_is_asked_for_twice(results: Mapping[str, Result]) -> None:
    """What is asked for ahead is what is wanted next."""
    for name, result in results.items():
        targets: Sequence[str] = [request.target for request in result.requests]
        assert len(targets) == len(set(targets)), name
