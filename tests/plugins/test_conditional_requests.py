"""Conditional requests: by what an answer is recognised, and how its server is asked about it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply

from dataportal.errors import BadDataError
from dataportal.plugins.http import HttpClient
from dataportal.validators import ConditionalRequests, request_key, validator_of

if TYPE_CHECKING:
    from support.http_server import LocalServer, Request

    from dataportal.plugins.http import Answer

NOW = datetime(2025, 6, 11, 12, tzinfo=UTC)


def http_date(minutes: int) -> str:
    """So many minutes before now, as headers have it."""
    return format_datetime(NOW - timedelta(minutes=minutes), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({"etag": '"a"'}, '"a"'),
        ({"etag": '"a"', "vary": "Accept-Encoding, X-Api-Key"}, '"a"'),
        ({"etag": '"a"', "last-modified": http_date(9), "date": http_date(0)}, '"a"'),
        ({"last-modified": http_date(2), "date": http_date(0)}, http_date(2)),
        ({"etag": 'W/"a"', "last-modified": http_date(2), "date": http_date(0)}, http_date(2)),
        ({}, None),
        ({"etag": 'W/"a"'}, None),
        ({"etag": "a"}, None),
        ({"etag": '""'}, None),
        ({"etag": '"' + "a" * 300 + '"'}, None),
        ({"etag": '"a"', "vary": "*"}, None),
        ({"etag": '"a"', "vary": "Cookie"}, None),
        ({"last-modified": http_date(0), "date": http_date(0)}, None),
        ({"last-modified": http_date(2)}, None),
        ({"last-modified": "yesterday", "date": http_date(0)}, None),
        ({"last-modified": http_date(2), "date": "today"}, None),
    ],
)
def test_what_is_beyond_doubt(headers: dict[str, str], kept: str | None) -> None:
    """A strong ETag, or a date that had rested; and an answer that depends on the request alone."""
    validator = validator_of(headers, sent={"x-api-key": "k"}, now=NOW)
    recognised_by = validator and (validator.etag or validator.modified)
    assert recognised_by == kept


def test_another_request_is_another() -> None:
    """Address, parameters and headers tell requests apart; no secret is told."""
    keys = {
        request_key("http://a/?key=c4n4ry", {}),
        request_key("http://a/?key=other", {}),
        request_key("http://a/", {"X-Key": "c4n4ry"}),
        request_key("http://a/", {"X-Key": "other"}),
    }
    assert len(keys) == 4
    assert not any("c4n4ry" in key for key in keys)
    assert request_key("http://a/", {"A": "1", "B": "2"}) == request_key(
        "http://a/", {"b": "2", "a": "1"}
    )


def fetch(url: str, requests: ConditionalRequests, **options: Any) -> Answer:
    """The answer to a request, of which something may be known; it is kept."""

    async def once() -> Answer:
        client = HttpClient().conditional(requests)
        try:
            answer = await client.get(url, **options)
            answer.keep()
            return answer
        finally:
            await client.aclose()

    return asyncio.run(once())


def tagged(request: Request) -> Reply:
    """An answer that never changes."""
    if request.headers.get("if-none-match") == '"a"':
        return Reply(304, headers={"ETag": '"a"'})
    return Reply(body=b"[1]", headers={"ETag": '"a"'})


def test_a_known_answer_is_asked_about(server: LocalServer) -> None:
    """With its validator; the answer then has no body, and says that it is unchanged."""
    url = server.answer("/a", tagged)
    first = ConditionalRequests()
    assert fetch(url, first).body == b"[1]"
    second = ConditionalRequests(first.fresh)
    answer = fetch(url, second)
    assert (answer.unchanged, answer.body) == (True, b"")
    assert second.unchanged == first.fresh
    other = ConditionalRequests(first.fresh)
    assert not fetch(url, other, headers={"x-of": "another"}).unchanged


def test_who_knows_nothing_asks_for_everything(server: LocalServer) -> None:
    """And an answer of 304 to a request without a condition is refused."""
    url = server.answer("/a", tagged)
    assert fetch(url, ConditionalRequests()).body == b"[1]"
    with pytest.raises(BadDataError, match="304"):
        fetch(server.answer("/b", Reply(304)), ConditionalRequests())
    assert "if-none-match" not in server.requests[0].headers


def test_what_is_not_believed_is_had_again(server: LocalServer) -> None:
    """A 304 about another state: the answer is asked for without a condition at once."""
    url = server.answer("/a", tagged)
    first = ConditionalRequests()
    fetch(url, first)
    server.answer("/a", Reply(304, headers={"ETag": '"b"'}), Reply(body=b"[2]"))
    second = ConditionalRequests(first.fresh)
    assert fetch(url, second).body == b"[2]"
    assert not second.unchanged


def test_a_validator_goes_nowhere_else(server: LocalServer, other_server: LocalServer) -> None:
    """Not along with a redirect, and none is taken from where one led."""
    url = server.answer("/a", tagged)
    first = ConditionalRequests()
    fetch(url, first)
    server.answer("/a", Reply.redirect("/c"))
    server.answer("/c", Reply.redirect(other_server.answer("/b", tagged)))
    second = ConditionalRequests(first.fresh)
    assert fetch(url, second).body == b"[1]"
    assert not second.fresh
    assert [r.path for r in server.requests if "if-none-match" in r.headers] == ["/a"]
    assert not any("if-none-match" in r.headers for r in other_server.requests)


def test_only_what_the_plugin_keeps_is_kept(server: LocalServer) -> None:
    """A plugin that does not know of it is never told that an answer is unchanged."""
    url = server.answer("/a", tagged)
    requests = ConditionalRequests()

    async def once() -> None:
        client = HttpClient().conditional(requests)
        await client.get(url)
        await client.aclose()

    asyncio.run(once())
    assert not requests.fresh
    assert requests.sent == 1
