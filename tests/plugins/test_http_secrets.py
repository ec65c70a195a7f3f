"""A key in a request that fails appears in nothing that is said about it, whatever went wrong."""

from __future__ import annotations

import asyncio
import json
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from support.http_server import Reply

from dataportal.errors import FetchError
from dataportal.plugins.http import HttpClient
from dataportal.redaction import remember_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.http_server import LocalServer, Request

# characters that are spelled otherwise in URLs and in JSON
KEY = 'kanari/en+vogel="42%'
PLAIN = "kanarienvogel0815"
PARTS = ("kanari", "vogel")


def echo(request: Request) -> Reply:
    """Repeats the request, keys and all, as some providers do."""
    said = {"headers": dict(request.headers), "query": dict(request.query), "at": request.target}
    return Reply(400, json.dumps(said).encode())


FAILURES: dict[str, Reply | Callable[[Request], Reply]] = {
    "echo": echo,
    "echo as data": lambda request: Reply(body=echo(request).body),
    "403": Reply(403, b"bad key"),
    "404": Reply(404),
    "429": Reply(429, headers={"Retry-After": "60"}),
    "503": Reply(503),
    "page": Reply(body=b"<html>"),
    "cut": Reply(body=b"0123456789", reset_after=3),
    "nothing": Reply(reset_after=-1),
    "slow": Reply(body=iter([b"x"] * 1000), pause=0.05),
    "large": Reply(body=b"x" * 5000),
    "circle": lambda request: Reply.redirect(request.target),
    "no address": lambda request: Reply.redirect("ftp:" + request.target),
    "packed": Reply(body=b"x", headers={"Content-Encoding": "br"}),
    "charset": Reply(body=b"\xff", content_type="text/csv; charset=utf-8"),
}


def everything_said_about(client: HttpClient, url: str, **options: Any) -> str:
    """All texts that the failure of this request leads to."""

    async def once() -> None:
        try:
            answer = await client.get(url, **options)
            answer.text()
            answer.json(list)
        finally:
            await client.aclose()

    with pytest.raises(FetchError) as caught:
        asyncio.run(once())
    error = caught.value
    trace = "".join(traceback.format_exception(error))
    return "\n".join([str(error), repr(error), error.message, str(error.hint), trace])


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("key", [KEY, PLAIN])
@pytest.mark.parametrize(
    "place", ["query", "url", "x-api-key", "authorization", "password", "path"]
)
def test_key_is_never_shown(server: LocalServer, failure: str, key: str, place: str) -> None:
    """In the query, the URL, a header, as a password, in the path: masked in every message."""
    url, options = server.url + "/data", {}
    match place:
        case "query":
            options = {"params": {"securityToken": key}}
        case "url":
            url += "?apikey=" + quote(key, safe="")
        case "x-api-key":
            options = {"headers": {"x-api-key": key}}
        case "authorization":
            options = {"headers": {"Authorization": "Bearer " + key}}
        case "password":
            url = url.replace("//", f"//user:{quote(key, safe='')}@")
        case "path":  # nothing there says that it is a secret, but ${VAR} in sources.yaml did
            remember_secret(key)
            url += "/" + quote(key, safe="")
    path = "/data" + ("/" + quote(key, safe="") if place == "path" else "")
    server.answer(path, FAILURES[failure])
    client = HttpClient(max_body=4000, request_timeout=0.5 if failure == "slow" else 60)
    said = everything_said_about(client, url, **options)
    assert not any(part in said for part in PARTS), said
    assert server.requests, "the request was sent"


def test_canary_is_seen_where_it_is_no_secret(server: LocalServer) -> None:
    """The test above can fail: under a harmless name the same value is shown."""
    server.answer("/data", Reply(404))
    said = everything_said_about(HttpClient(), server.url + "/data", params={"bird": "kanari"})
    assert "kanari" in said
