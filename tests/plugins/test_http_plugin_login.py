"""Logins of described sources: OAuth 2 and others, what they send, and what fails how."""

from __future__ import annotations

import asyncio
import json
import traceback
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pytest
from support.declarative_sources import EVER, fetch, plugin_of, points
from support.http_server import Reply
from support.remembered_secrets import only_secrets

from dataportal.errors import BadDataError, FetchError, PermanentError, TransientError
from dataportal.plugins.http import HttpClient
from dataportal.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.http_server import LocalServer, Request

ROW = [{"t": "2025-03-01T00:00:00Z", "v": 1}]
PLACES: dict[str, Any] = {"ts": "t", "value": "v"}
VALUES = {"2025-03-01T00:00:00Z": 1.0}
CANARY = "canary-0815"


def lay_out(server: LocalServer, *replies: Reply) -> dict[str, str]:
    """A login that answers so, and data; the addresses of both."""
    return {
        "login": server.answer("/login", *replies),
        "data": server.answer("/data", Reply.json(ROW)),
    }


def token_reply(text: str = "T-1", **more: Any) -> Reply:
    """An answer of RFC 6749, section 5.1."""
    return Reply.json({"access_token": text, "token_type": "Bearer", "expires_in": 3600, **more})


def basic(request: Request) -> str:
    """User and password of a request."""
    scheme, _, pair = request.headers["authorization"].partition(" ")
    assert scheme == "Basic"
    return b64decode(pair).decode()


def of_login(server: LocalServer) -> Request:
    """The only login."""
    (request,) = [request for request in server.requests if request.path == "/login"]
    return request


def test_client_credentials_go_in_the_header(server: LocalServer) -> None:
    """As RFC 6749 has it: the client's name and secret, each encoded like a form, by Basic."""
    urls = lay_out(server, token_reply())
    oauth2 = {
        "token_url": urls["login"],
        "client_id": "me:too",
        "client_secret": "a+b c",
        "scope": ["read", "list"],
    }
    batch = fetch("Json", url=urls["data"], **PLACES, auth={"oauth2": oauth2})
    assert points(batch) == VALUES
    login, data = of_login(server), server.requests[-1]
    assert (login.method, basic(login)) == ("POST", "me%3Atoo:a%2Bb+c")
    assert login.form == {"grant_type": ["client_credentials"], "scope": ["read list"]}
    assert data.headers["authorization"] == "Bearer T-1"


def test_client_credentials_go_in_the_body(server: LocalServer) -> None:
    """Where the server wants it so."""
    urls = lay_out(server, token_reply())
    oauth2 = {
        "token_url": urls["login"],
        "client_id": "me",
        "client_secret": "pw",
        "client_auth": "body",
        "scopes": "read",
    }
    fetch("Json", url=urls["data"], **PLACES, auth={"oauth2": oauth2})
    assert "authorization" not in of_login(server).headers
    assert of_login(server).form == {
        "grant_type": ["client_credentials"],
        "scope": ["read"],
        "client_id": ["me"],
        "client_secret": ["pw"],
    }


def test_password_of_a_user_beside_a_public_client(server: LocalServer) -> None:
    """The client goes by Basic, the user in the form."""
    urls = lay_out(server, token_reply())
    oauth2 = {
        "token_url": urls["login"],
        "client_id": "everyone",
        "client_secret": "everyone",
        "username": "me",
        "password": "pä&w",
    }
    fetch("Json", url=urls["data"], **PLACES, auth={"oauth2": oauth2})
    assert basic(of_login(server)) == "everyone:everyone"
    assert of_login(server).form == {
        "grant_type": ["password"],
        "username": ["me"],
        "password": ["pä&w"],
    }


def test_further_fields_another_token_and_a_key_beside_it(server: LocalServer) -> None:
    """A client without a secret, more form fields, a token under another name, a second key."""
    urls = lay_out(server, Reply.json({"id_token": "ID", "access_token": "other"}))
    oauth2 = {
        "token_url": urls["login"],
        "client_id": "public",
        "username": "me",
        "password": "pä&w",
        "form": {"response_type": "id_token"},
        "token": "id_token",
    }
    fetch(
        "Json",
        url=urls["data"],
        **PLACES,
        auth={"oauth2": oauth2, "header": {"Ocp-Apim-Subscription-Key": "sub-key"}},
    )
    form, data = of_login(server).form, server.requests[-1]
    assert (form["client_id"], form["response_type"]) == (["public"], ["id_token"])
    assert data.headers["authorization"] == "Bearer ID"
    assert data.headers["ocp-apim-subscription-key"] == "sub-key"


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_login_whose_answer_is_the_token(server: LocalServer, status: int) -> None:
    """Any 2xx is one; the whole text, without what surrounds it, goes in the header named."""
    reply = Reply(status, b"TGT-1-abc\n", content_type="text/plain")
    urls = lay_out(server, reply)
    login = {
        "url": urls["login"],
        "form": {"username": "me", "password": "p%w"},
        "header": "TGT",
    }
    batch = fetch("Json", url=urls["data"], **PLACES, auth={"login": login})
    assert points(batch) == VALUES
    assert of_login(server).form == {"username": ["me"], "password": ["p%w"]}
    assert of_login(server).headers["accept"] == "text/plain"
    assert server.requests[-1].headers["tgt"] == "TGT-1-abc"


def test_a_login_by_json_with_the_token_in_a_place(server: LocalServer) -> None:
    """The token goes in the query or in a header with a text around it."""
    urls = lay_out(server, Reply.json({"data": {"token": "T"}}))
    login: dict[str, Any] = {
        "url": urls["login"],
        "json": {"Login": "me", "Password": "pw"},
        "token": "data.token",
    }
    for place in ({"header": {"X-Auth": "Token {token}"}}, {"query": "token"}, {}):
        fetch("Json", url=urls["data"], **PLACES, auth={"login": login | place})
    assert server.requests[0].json == {"Login": "me", "Password": "pw"}
    header, query, plain = [r for r in server.requests if r.path == "/data"]
    assert header.headers["x-auth"] == "Token T"
    assert query.query == {"token": ["T"]}
    assert plain.headers["authorization"] == "Bearer T"


def test_a_token_in_json_text_is_taken_without_its_quotes(server: LocalServer) -> None:
    """Some servers answer with a text of JSON."""
    urls = lay_out(server, Reply.json("T-9"))
    login = {"url": urls["login"], "form": {"a": "b"}, "header": "X"}
    fetch("Json", url=urls["data"], **PLACES, auth={"login": login})
    assert server.requests[-1].headers["x"] == "T-9"


def test_a_token_in_a_header_of_the_answer(server: LocalServer) -> None:
    """Its name stands after `header:`."""
    urls = lay_out(server, Reply(204, headers={"X-Auth-Token": "T-3"}))
    login = {"url": urls["login"], "json": {"a": 1}, "token": "header:X-Auth-Token", "header": "X"}
    fetch("Json", url=urls["data"], **PLACES, auth={"login": login})
    assert server.requests[-1].headers["x"] == "T-3"


def test_names_of_fields_that_are_no_words_are_not_shown(server: LocalServer) -> None:
    """Whatever stands in an answer may be the token."""
    urls = lay_out(server, Reply.json({CANARY: CANARY, "status": "ok"}))
    oauth2 = {"token_url": urls["login"], "client_id": "me"}
    with pytest.raises(BadDataError, match="it has status") as caught:
        fetch("Json", url=urls["data"], **PLACES, auth={"oauth2": oauth2})
    assert CANARY not in str(caught.value)


def test_sources_of_one_run_share_a_login(server: LocalServer) -> None:
    """The same login of several sources is sent once, and another one by itself."""
    urls = lay_out(server, token_reply())

    def source(**changes: Any) -> Any:
        oauth2 = {"token_url": urls["login"], "client_id": "me", "client_secret": "pw", **changes}
        return plugin_of("Json", url=urls["data"], **PLACES, auth={"oauth2": oauth2})

    async def run_all() -> None:
        client = HttpClient()
        plugins = [source(), source(), source(header="X"), source(scope="more")]
        for plugin in plugins:
            plugin.http = client
        await asyncio.gather(*(plugin.get_historical_data(*EVER) for plugin in plugins))
        await client.aclose()

    asyncio.run(run_all())
    assert server.asked("/login") == 2


def test_pages_that_meet_an_expired_token_go_on(server: LocalServer) -> None:
    """A token that is refused in the middle is renewed, and no page is missing."""
    served = {"T-1": 2}

    def page(request: Request) -> Reply:
        text = request.headers["authorization"].removeprefix("Bearer ")
        number = int(request.query["p"][0])
        if text in served:
            served[text] -= 1
            if served[text] < 0:
                return Reply(401)
        day = {"t": f"2025-03-0{number}T00:00:00Z", "v": number}
        return Reply.json([day] if number < 5 else [])

    login = server.answer("/login", token_reply("T-1"), token_reply("T-2"))
    url = server.answer("/data", page)
    oauth2 = {"token_url": login, "client_id": "me", "client_secret": "pw"}
    batch = fetch("Json", url=url, **PLACES, auth={"oauth2": oauth2}, paging={"page": "p"})
    assert list(points(batch).values()) == [1.0, 2.0, 3.0, 4.0]
    assert server.asked("/login") == 2


def test_a_link_to_another_host_gets_no_token(
    server: LocalServer, other_server: LocalServer
) -> None:
    """It is meant for the host that was asked."""
    other = other_server.answer("/more", Reply.json({"rows": []}))
    login = server.answer("/login", token_reply())
    url = server.answer("/data", Reply.json({"rows": ROW, "next": other}))
    fetch(
        "Json",
        url=url,
        **PLACES,
        rows="rows",
        auth={"oauth2": {"token_url": login, "client_id": "me", "client_secret": "pw"}},
        paging={"next": "next", "other_hosts": True},
    )
    (request,) = other_server.requests
    assert "authorization" not in request.headers


def oauth2_error(code: str, status: int = 400) -> Reply:
    """An answer of RFC 6749, section 5.2."""
    return Reply.json({"error": code, "error_description": CANARY}, status)


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (oauth2_error("invalid_client", 401), PermanentError, "401, invalid_client"),
        (oauth2_error("invalid_grant"), PermanentError, "user's name or password"),
        (oauth2_error("invalid_scope"), PermanentError, "does not give this scope"),
        (oauth2_error("unauthorized_client"), PermanentError, "unauthorized_client"),
        (oauth2_error("unsupported_grant_type"), PermanentError, "grant_type"),
        (oauth2_error("invalid_request"), PermanentError, "invalid_request"),
        (oauth2_error("invalid_client", 200), PermanentError, "invalid_client"),
        (oauth2_error(CANARY), PermanentError, "refused the oauth2"),
        (oauth2_error("temporarily_unavailable"), TransientError, "temporarily_unavailable"),
        (oauth2_error("server_error"), TransientError, "server_error"),
        (oauth2_error("temporarily_unavailable", 503), TransientError, "503"),
        (oauth2_error("server_error", 500), TransientError, "500"),
        (Reply(429, CANARY.encode()), TransientError, "429"),
        (Reply(403, CANARY.encode()), PermanentError, "403"),
        (Reply(404, CANARY.encode()), PermanentError, "404"),
        (Reply(reset_after=-1), TransientError, "POST"),
        (Reply.json({"token": CANARY}), BadDataError, "no token at 'access_token'; it has token"),
        (Reply(200, b"<html>" + CANARY.encode()), BadDataError, "no token"),
        (Reply.json({"access_token": ""}), BadDataError, "no token"),
        (Reply.json({"access_token": "two words"}), BadDataError, "no token"),
        (Reply.json({"access_token": None}), BadDataError, "no token"),
        (Reply(204), BadDataError, "no token"),
    ],
)
def test_what_a_login_may_fail_with(
    server: LocalServer, reply: Reply, kind: type[FetchError], said: str
) -> None:
    """What RFC 6749 calls an error of the client will not pass, trouble of the server may."""
    urls = lay_out(server, reply)
    oauth2 = {"token_url": urls["login"], "client_id": "me", "client_secret": "pw-7788"}
    with pytest.raises(kind, match=said) as caught:
        fetch("Json", url=urls["data"], **PLACES, auth={"oauth2": oauth2})
    assert type(caught.value) is kind or kind is PermanentError
    assert CANARY not in f"{caught.value} {caught.value.hint}"
    assert server.asked("/data") == 0


@pytest.mark.parametrize("answer", ["<html>no</html>", '{"a": 1}', "", "two words", "[1]"])
def test_a_whole_answer_that_is_no_token(server: LocalServer, answer: str) -> None:
    """A page, a document or nothing at all is not sent along as a token."""
    urls = lay_out(server, Reply(200, answer.encode()))
    login = {"url": urls["login"], "form": {"a": "b"}, "header": "X"}
    with pytest.raises(BadDataError, match="no token"):
        fetch("Json", url=urls["data"], **PLACES, auth={"login": login})


SECRETS: Mapping[str, str] = {
    "client": "canary-client/+secret",
    "password": 'canary-password"%',
    "token": "canary-token.aaaa-bbbb",
}


def echo(request: Request) -> Reply:
    """Repeats the request, as some providers do, and its token once more."""
    said = {
        "headers": dict(request.headers),
        "query": dict(request.query),
        "body": request.body.decode(),
        "error": f"no data for {SECRETS['token']}",
    }
    return Reply(400, json.dumps(said).encode())


@pytest.mark.parametrize(
    "way",
    [
        {"header": {"Authorization": "Bearer {token}"}},
        {"header": "X-Session"},
        {"query": "t"},
    ],
)
@pytest.mark.parametrize("failing", ["/login", "/data"])
def test_no_secret_of_a_login_is_in_any_message(
    server: LocalServer, way: dict[str, Any], failing: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Client, password, token and answer: whatever a provider repeats, nothing of it is shown."""
    server.answer("/login", token_reply(SECRETS["token"]))
    server.answer("/data", Reply.json(ROW))
    server.answer(failing, echo)
    oauth2 = {
        "token_url": f"{server.url}/login",
        "client_id": "me",
        "client_secret": SECRETS["client"],
        "username": "me",
        "password": SECRETS["password"],
        **way,
    }
    caplog.set_level("DEBUG")
    with only_secrets(), pytest.raises(FetchError) as caught:
        fetch("Json", url=f"{server.url}/data", **PLACES, auth={"oauth2": oauth2})
    texts = [
        str(caught.value),
        str(caught.value.hint),
        "".join(traceback.format_exception(caught.value)),
        *(redact(record.getMessage()) for record in caplog.records),
    ]
    for secret in SECRETS.values():
        assert not [text for text in texts if secret in text]
        assert not [text for text in texts if json.dumps(secret)[1:-1] in text]


@pytest.mark.parametrize(
    ("auth", "said"),
    [
        ({"oauth2": {}}, "token_url is missing; auth.oauth2.client_id is missing"),
        ({"oauth2": "x"}, "auth must be one of"),
        ({"oauth2": {"token_url": "u"}}, "client_id is missing"),
        ({"oauth2": {"client_id": "c"}}, "token_url is missing"),
        ({"oauth2": {"token_url": "u", "client_id": "c", "secret": "x"}}, "'secret' is not a par"),
        (
            {"oauth2": {"token_url": "u", "client_id": "c", "grant_type": "pasword"}},
            "did you mean 'password'",
        ),
        (
            {"oauth2": {"token_url": "u", "grant_type": "password", "username": "x"}},
            "needs username and password",
        ),
        ({"oauth2": {"token_url": "u", "client_id": "c", "lifetime": "soon"}}, "lifetime"),
        ({"oauth2": {"token_url": "u", "client_id": "c", "header": {"X": "y"}}}, "{token}"),
        ({"oauth2": {"token_url": "u", "client_id": "c"}, "bearer": "b"}, "auth must be one of"),
        ({"login": {"url": "u"}}, "one of form, json and body"),
        ({"login": {"url": "u", "form": {"a": "b"}, "json": {"a": 1}}}, "one of form, json and"),
        ({"login": {"form": {"a": "b"}}}, "url is missing"),
        ({"login": {"url": "u", "form": {"a": "b"}, "token": "a["}}, "no JMESPath expression"),
    ],
)
def test_what_is_wrong_with_a_login_is_named(auth: Mapping[str, Any], said: str) -> None:
    """Each fault of it, with the keys that lead to it."""
    with pytest.raises(ValueError, match=said.replace("{", r"\{")):
        plugin_of("Json", url="http://127.0.0.1:1/", **PLACES, auth=auth)
