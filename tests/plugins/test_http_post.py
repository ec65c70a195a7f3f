"""POST requests of the HTTP client: what is sent, which failures may pass, where they are led."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import LocalServer, Reply

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.plugins.http import HttpClient, RateLimit
from dataportal.validators import ConditionalRequests

if TYPE_CHECKING:
    from dataportal.plugins.http import Answer

CANARY = "canary-of-a-body"


def post(url: str, client: HttpClient | None = None, **options: Any) -> Answer:
    """The answer, from an event loop that lives for this request alone."""

    async def once() -> Answer:
        asking = client or HttpClient()
        try:
            return await asking.post(url, **options)
        finally:
            await asking.aclose()

    return asyncio.run(once())


def test_a_form_is_sent_as_browsers_send_it(server: LocalServer) -> None:
    """Lists give their names several times, None leaves one out, and true is not True."""
    post(
        server.answer("/a", Reply.json([])),
        form={"name": "61111-0002", "area": ["a&b", "ä"], "compress": False, "none": None},
        params={"lang": "en"},
    )
    (request,) = server.requests
    assert (request.method, request.query) == ("POST", {"lang": ["en"]})
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.form == {"name": ["61111-0002"], "area": ["a&b", "ä"], "compress": ["false"]}


def test_a_document_is_sent_as_json(server: LocalServer) -> None:
    """Numbers, lists and nulls arrive as they are."""
    document = [{"vectorId": 41690973, "latestN": 3, "more": [None, 1.5, "ä"]}]
    post(server.answer("/a", Reply.json([])), json=document)
    assert server.requests[0].json == document
    assert server.requests[0].headers["content-type"] == "application/json"


def test_a_text_is_what_its_header_says(server: LocalServer) -> None:
    """A header of the caller beats the default, whatever its spelling."""
    url = server.answer("/a", Reply.json([]))
    post(url, body="from(bucket: 1)", headers={"content-type": "application/vnd.flux"})
    post(url, body="ä")
    post(url)
    flux, text, empty = server.requests
    assert (flux.headers["content-type"], flux.body) == ("application/vnd.flux", b"from(bucket: 1)")
    assert (text.headers["content-type"], text.body) == ("text/plain; charset=utf-8", "ä".encode())
    assert (empty.body, empty.headers["content-length"]) == (b"", "0")


def test_a_request_has_one_body(server: LocalServer) -> None:
    """Two of them are a bug of the plugin, and nothing is sent."""
    with pytest.raises(TypeError, match="one body"):
        post(server.url, form={}, json={})
    assert not server.requests


@pytest.mark.parametrize("status", [200, 201, 203, 204])
def test_what_counts_as_success(server: LocalServer, status: int) -> None:
    """A result that was made for this question (201) is one too."""
    assert post(server.answer("/a", Reply(status)), json={}).status == status


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_it_is_a_question_that_may_be_asked_again(server: LocalServer, status: int) -> None:
    """What may pass of GET may pass of POST, and the message says which it was."""
    url = server.answer("/a", Reply(status))
    with pytest.raises(TransientError, match=f"to POST {url}"):
        post(url, json={})


@pytest.mark.parametrize(
    "reply",
    [Reply(500), Reply(503), Reply(reset_after=-1), Reply(body=b"0123456789", reset_after=3)],
)
def test_what_may_do_harm_is_not_asked_again(server: LocalServer, reply: Reply) -> None:
    """Once it was sent, no failure of it may pass by itself."""
    with pytest.raises(PermanentError, match="not sent again"):
        post(server.answer("/a", reply), json={}, safe=False)


def test_what_was_not_heard_may_be_asked_again(server: LocalServer) -> None:
    """Whoever finds no connection, or is told to wait, did no harm."""
    with LocalServer() as gone:
        url = gone.url
    with pytest.raises(TransientError):
        post(url, json={}, safe=False)
    with pytest.raises(TransientError, match="429"):
        post(server.answer("/a", Reply(429)), json={}, safe=False)


def test_limits_hold_for_both_methods(server: LocalServer) -> None:
    """A body has the same cap, a request the same time, and a host is left alone for both."""
    large = server.answer("/large", Reply(body=b"x" * 2000))
    slow = server.answer("/slow", Reply(body=iter([b"x"] * 1000), pause=0.05))
    busy = server.answer("/busy", Reply(429, headers={"Retry-After": "60"}))
    with pytest.raises(BadDataError, match="larger"):
        post(large, HttpClient(max_body=1000), json={})
    with pytest.raises(TransientError, match=r"longer than 0\.2 s for POST"):
        post(slow, HttpClient(request_timeout=0.2), json={})
    client = HttpClient()

    async def both() -> None:
        with pytest.raises(TransientError, match="429"):
            await client.post(busy, json={})
        for ask in (client.get, client.post):
            with pytest.raises(TransientError, match="left alone"):
                await ask(busy, limit=RateLimit(60, "k"))
        await client.aclose()

    asyncio.run(both())
    assert server.asked("/busy") == 1


def test_secrets_of_a_body_are_in_no_message(server: LocalServer) -> None:
    """A field of a form or of a document whose name sounds secret is hidden, at any depth."""
    url = server.answer("/a", lambda request: Reply(400, request.body))
    for body in (
        {"form": {"registrationkey": CANARY, "x": "shown"}},
        {"json": {"a": [{"password": CANARY}], "x": "shown"}},
    ):
        with pytest.raises(PermanentError, match="shown") as caught:
            post(url, **body)
        assert CANARY not in str(caught.value)


def test_nothing_is_quoted_of_what_is_confidential(server: LocalServer) -> None:
    """Neither a refusal nor an answer of another kind than expected shows what it says."""
    url = server.answer("/a", Reply(500, CANARY.encode()), Reply(202, CANARY.encode()))
    with pytest.raises(TransientError) as caught:
        post(url, json={}, confidential=True)
    assert CANARY not in str(caught.value)
    answer = post(url, json={}, confidential=True)
    assert (answer.status, answer.body) == (202, CANARY.encode())
    with pytest.raises(BadDataError) as bad:
        answer.json()
    assert CANARY not in str(bad.value) + repr(bad.value)


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_keeps_the_method_is_followed(server: LocalServer, status: int) -> None:
    """On the same host the whole request goes on."""
    server.answer("/b", Reply.json([1]))
    url = server.answer("/a", Reply.redirect("/b", status))
    assert post(url, json={"x": 1}).json() == [1]
    assert [(r.method, r.path, r.json) for r in server.requests] == [
        ("POST", "/a", {"x": 1}),
        ("POST", "/b", {"x": 1}),
    ]


def test_see_other_is_followed_by_get(server: LocalServer) -> None:
    """The answer stands elsewhere, and nothing is sent there."""
    server.answer("/b", Reply.json([1]))
    assert post(server.answer("/a", Reply.redirect("/b", 303)), json={"x": 1}).json() == [1]
    second = server.requests[1]
    assert (second.method, second.body) == ("GET", b"")
    assert "content-type" not in second.headers


@pytest.mark.parametrize("status", [301, 302])
def test_a_redirect_of_unclear_method_is_not_followed(server: LocalServer, status: int) -> None:
    """Some clients go on by GET and some by POST: the message says where it leads."""
    url = server.answer("/a", Reply.redirect("/b", status))
    with pytest.raises(PermanentError, match=rf"redirected \({status}\) to .*/b") as caught:
        post(url, json={})
    assert "write it as the address" in (caught.value.hint or "")
    assert server.asked("/b") == 0


def test_no_body_goes_to_another_host(server: LocalServer, other_server: LocalServer) -> None:
    """Its fields are meant for the host that was asked."""
    elsewhere = other_server.answer("/b", Reply.json([]))
    for status in (307, 308):
        with pytest.raises(PermanentError, match="is not sent there"):
            post(server.answer("/a", Reply.redirect(elsewhere, status)), json={"x": 1})
    assert not other_server.requests


def test_no_condition_goes_along(server: LocalServer) -> None:
    """What one body got says nothing of what another gets, so that each is answered in whole."""
    url = server.answer("/a", Reply(body=b"[]", headers={"ETag": '"1"'}))
    requests = ConditionalRequests()

    async def twice() -> None:
        client = HttpClient().conditional(requests)
        for _ in range(2):
            (await client.post(url, json={})).keep()
        await client.aclose()

    asyncio.run(twice())
    assert (requests.sent, requests.fresh) == (2, {})
    assert all("if-none-match" not in request.headers for request in server.requests)
