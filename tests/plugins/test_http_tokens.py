"""Tokens: one login for all requests of a run, renewed in time and once after a refusal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from support.http_server import Reply

from dataportal.errors import PermanentError, TransientError
from dataportal.plugins.http import HttpClient
from dataportal.plugins.http.tokens import Login, SentAlong, Token, TokenStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from support.http_server import LocalServer, Request


class Provider:
    """Counts logins, and gives the tokens `token-1`, `token-2` and so on."""

    def __init__(self, lifetime: float | None = None, *, fails: Exception | None = None) -> None:
        self.logins = 0
        self._lifetime, self._fails = lifetime, fails

    async def ask(self, http: HttpClient | None = None) -> Token:
        """Another token."""
        del http
        await asyncio.sleep(0)
        self.logins += 1
        if self._fails is not None:
            raise self._fails
        return Token(f"token-{self.logins}", self._lifetime)

    @property
    def login(self) -> Login:
        """How it is used."""
        return Login("key", self.ask, lambda token: SentAlong({"X-Token": token}, {}))


def refuses(*tokens: str) -> Callable[[Request], Reply]:
    """Answers 401 to these tokens, and else with what it got."""

    def reply(request: Request) -> Reply:
        token = request.headers["x-token"]
        return Reply(401) if token in tokens else Reply.json(token)

    return reply


def ask_all(*requests: Callable[[HttpClient], Awaitable[Any]]) -> list[Any]:
    """The answers of one client to these requests, all at once; errors among them."""

    async def all_of_them() -> list[Any]:
        client = HttpClient()
        try:
            return await asyncio.gather(*(r(client) for r in requests), return_exceptions=True)
        finally:
            await client.aclose()

    return asyncio.run(all_of_them())


def test_one_login_for_all_requests(server: LocalServer) -> None:
    """Requests of several sources that begin together wait for the same token."""
    url, provider = server.answer("/a", refuses()), Provider()
    answers = ask_all(*[lambda http: http.get(url, login=provider.login)] * 6)
    assert [answer.json() for answer in answers] == ["token-1"] * 6
    assert provider.logins == 1


def test_slices_and_plugins_share_a_token(server: LocalServer) -> None:
    """The clients of slices, and of plugins in other threads, are copies of one."""
    url, provider = server.answer("/a", refuses()), Provider()

    async def both() -> None:
        from dataportal.plugins.http.loop_proxy import LoopProxy
        from dataportal.validators import ConditionalRequests

        client = HttpClient()
        first = client.conditional(ConditionalRequests())
        second = client.conditional(ConditionalRequests())
        third = client.through(LoopProxy(asyncio.get_running_loop()))
        for asking in (first, second, third):
            await asking.get(url, login=provider.login)
        await client.aclose()

    asyncio.run(both())
    assert provider.logins == 1


def test_a_refused_token_is_renewed_once_for_all(server: LocalServer) -> None:
    """However many requests meet the refusal, one of them logs in, and all are sent again."""
    url, provider = server.answer("/a", refuses("token-1")), Provider()
    answers = ask_all(*[lambda http: http.get(url, login=provider.login)] * 6)
    assert [answer.json() for answer in answers] == ["token-2"] * 6
    assert provider.logins == 2


def test_a_refused_post_is_sent_again_with_the_new_token(server: LocalServer) -> None:
    """A refusal did nothing, so that this holds even for what must not be sent twice."""
    url, provider = server.answer("/a", refuses("token-1")), Provider()
    (answer,) = ask_all(lambda http: http.post(url, json={}, login=provider.login, safe=False))
    assert answer.json() == "token-2"


def test_a_fresh_token_that_is_refused_is_the_end(server: LocalServer) -> None:
    """It will not pass, and whoever comes later does not log in once more to be refused again."""
    url = server.answer("/a", refuses("token-1", "token-2", "token-3"))
    provider = Provider()

    async def three_and_then_one(http: HttpClient) -> list[Any]:
        asked = [http.get(url, login=provider.login) for _ in range(3)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        later = await asyncio.gather(http.get(url, login=provider.login), return_exceptions=True)
        return [*answers, *later]

    ((first, *others),) = ask_all(three_and_then_one)
    assert all(isinstance(answer, PermanentError) for answer in (first, *others))
    assert "401" in str(first)
    assert "its token is refused" in (first.hint or "")
    assert len(others) == 3
    assert provider.logins == 2


def test_a_token_that_served_may_be_renewed_again(server: LocalServer) -> None:
    """A run may take longer than several tokens live."""
    url = server.answer("/a", refuses())
    provider = Provider()

    async def three_lives() -> list[str]:
        client, got = HttpClient(), []
        for refused in ([], ["token-1"], ["token-1", "token-2"]):
            server.answer("/a", refuses(*refused))
            got.append((await client.get(url, login=provider.login)).json())
        await client.aclose()
        return got

    assert asyncio.run(three_lives()) == ["token-1", "token-2", "token-3"]


def test_a_login_that_is_refused_is_not_tried_again() -> None:
    """Many providers lock an account after a few wrong passwords."""
    provider = Provider(fails=PermanentError("wrong password"))
    answers = ask_all(*[lambda http: http.get("http://127.0.0.1:1/", login=provider.login)] * 4)
    assert [str(answer) for answer in answers] == ["wrong password"] * 4
    assert provider.logins == 1


def test_a_login_that_may_pass_is_tried_again() -> None:
    """Each request asks anew, as a server that was busy may not be any more."""
    provider = Provider(fails=TransientError("busy"))
    answers = ask_all(*[lambda http: http.get("http://127.0.0.1:1/", login=provider.login)] * 2)
    assert all(isinstance(answer, TransientError) for answer in answers)
    assert provider.logins == 2


@pytest.mark.parametrize(
    ("lifetime", "used_at", "logins"),
    [
        (3600, 3539, 1),
        (3600, 3541, 2),
        (300, 269, 1),
        (300, 271, 2),
        (None, 1e9, 1),
    ],
)
def test_a_token_is_renewed_before_it_expires(
    lifetime: float | None, used_at: float, logins: int
) -> None:
    """A minute before, or a tenth of a short life before; never if nobody knows its end."""
    now = [0.0]
    store, provider = TokenStore(lambda: now[0]), Provider(lifetime)

    async def twice() -> None:
        await store.token(provider.login, provider.ask)
        now[0] = used_at
        await store.token(provider.login, provider.ask)

    asyncio.run(twice())
    assert provider.logins == logins


def test_a_token_is_in_no_text() -> None:
    """Neither its own form nor that of the login shows it."""
    token = Token("canary-of-a-token")
    assert "canary" not in f"{token!r} {token}"
