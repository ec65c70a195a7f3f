"""Tokens that a login gives for a while: asked for once for all requests of a run, never kept.

A token lives in the memory of one client and of its copies, and is remembered as a secret, so that
no message shows it. It is renewed before it expires, and once after the provider refused it (401).
A login that was refused for good is not tried again by other sources of the run: many providers
lock an account after a few wrong passwords.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from dataportal.errors import BadDataError, PermanentError
from dataportal.redaction import remember_secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from dataportal.errors import FetchError
    from dataportal.plugins.http.client import HttpClient

_MARGIN = 60.0
"""Seconds before its end at which a token is renewed; of one that lives shortly, a tenth."""
_SHARE = 0.1


class SentAlong(NamedTuple):
    """Headers and query parameters in which a token goes along, by name."""

    headers: Mapping[str, str]
    query: Mapping[str, str]


@dataclass(slots=True)
class Token:
    """What a login gave.

    Attributes:
        text: the token.
        lifetime: seconds for which it can be used; None if nobody knows.
        since: when it was asked for, as the clock of the store tells.
        is_renewal: whether one before it was refused.
        is_proved: whether a request with it was answered with anything but 401.
    """

    text: str = field(repr=False)
    lifetime: float | None = None
    since: float = 0.0
    is_renewal: bool = False
    is_proved: bool = False

    def is_fresh(self, now: float) -> bool:
        """Whether it can still be used for a request."""
        if self.lifetime is None:
            return True
        return now - self.since < self.lifetime - min(_MARGIN, _SHARE * self.lifetime)


@dataclass(frozen=True, slots=True)
class Login:
    """How a token is had, and how it goes along with requests.

    Attributes:
        key: is the same where the same login gives the same token.
        ask: sends the login; raises a FetchError that shows nothing of it.
        send: the headers and query parameters that a token goes along in.
    """

    key: str = field(repr=False)
    ask: Callable[[HttpClient], Awaitable[Token]] = field(repr=False)
    send: Callable[[str], SentAlong] = field(repr=False)


@dataclass(slots=True)
class _Held:
    """The state of one login.

    Attributes:
        lock: whoever asks for a token holds it; the others wait for that one.
        token: the newest; None before the first.
        failure: why no further login is tried.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: Token | None = None
    failure: FetchError | None = None


class TokenStore:
    """The tokens of one client, in the event loop that asks for them.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Held]] = (
            WeakKeyDictionary()
        )

    async def token(self, login: Login, ask: Callable[[], Awaitable[Token]]) -> Token:
        """A token that can be used, which is asked for if there is none.

        Raises:
            FetchError: as the login does; again, without another login, if it will not pass.
        """
        held = self._logins(login)
        async with held.lock:
            if held.token is not None and held.token.is_fresh(self._clock()):
                return held.token
            return await self._ask(held, ask, is_renewal=False)

    async def after_refusal(
        self, login: Login, refused: Token, ask: Callable[[], Awaitable[Token]]
    ) -> Token | None:
        """Another token in place of one that was refused; None if another would be refused too.

        Raises:
            FetchError: as `token` does.
        """
        held = self._logins(login)
        async with held.lock:
            if held.token is not None and held.token is not refused:
                return held.token  # another request met the same refusal before
            if refused.is_renewal and not refused.is_proved:
                return None
            return await self._ask(held, ask, is_renewal=True)

    async def _ask(
        self, held: _Held, ask: Callable[[], Awaitable[Token]], *, is_renewal: bool
    ) -> Token:
        if held.failure is not None:
            raise held.failure
        since = self._clock()
        try:
            token = await ask()
        except (PermanentError, BadDataError) as error:
            held.failure = error
            raise
        remember_secret(token.text)
        token.since, token.is_renewal = since, is_renewal
        held.token = token
        return token

    def _logins(self, login: Login) -> _Held:
        loop = asyncio.get_running_loop()
        return self._by_loop.setdefault(loop, {}).setdefault(login.key, _Held())
