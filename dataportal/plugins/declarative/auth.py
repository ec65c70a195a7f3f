"""Reads the credentials that a provider wants with each request, from the parameter `auth`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from dataportal.plugins.declarative.login import (
    LoginParameters,
    OAuth2Parameters,
    read_login,
    read_oauth2,
)
from dataportal.plugins.parameters import Parameters, about
from dataportal.redaction import remember_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.plugins.http.tokens import Login
    from dataportal.plugins.readers.parameters import Params

_LONG_ENOUGH = 8
"""Shorter names and values of cookies are words and numbers, not keys."""
_WAYS = ("bearer", "basic", "oauth2", "login")
_KEYS = ("header", "query")
_EXPECTED = (
    "auth must be one of bearer: TOKEN, basic: {user: …, password: …}, oauth2: {token_url: …}, "
    "login: {url: …}, header: {NAME: KEY}, query: {NAME: KEY}; the last two also beside another"
)


class BasicParameters(Parameters):
    """A user's name and password in each request."""

    user: Annotated[str, about("the user's name", aliases=("username",))]
    password: Annotated[str, about("the password")]


class Auth(Parameters):
    """What proves who asks: one of the first four, and keys."""

    bearer: Annotated[str | None, about("a token", aliases=("token",))] = None
    basic: Annotated[BasicParameters | None, about("a user's name and password")] = None
    oauth2: Annotated[OAuth2Parameters | None, about("a token as RFC 6749 has it")] = None
    login: Annotated[LoginParameters | None, about("a token had in any other way")] = None
    header: Annotated[dict[str, str] | None, about("keys in headers, by name")] = None
    query: Annotated[dict[str, str] | None, about("keys in the query, by name")] = None


class AuthParameters(Parameters):
    """Whether a provider wants to know who asks."""

    auth: Annotated[
        Auth | None,
        about(
            "`header: {NAME: KEY}`, `query: {NAME: KEY}`, `bearer: TOKEN`, `basic: {user: …, "
            "password: …}`, `oauth2` or `login`, see [Logging in](declarative.md#logging-in); "
            "never shown",
            secret=True,
            aliases=("authenticator",),
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """Headers and query parameters that prove who asks.

    Attributes:
        headers: by name.
        query: query parameters, by name.
        key: tells one user from another; None if there are no credentials.
        login: how a token is had that goes along too.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    key: str | None = field(default=None, repr=False)
    login: Login | None = None


def read_credentials(params: Params) -> Credentials:
    """The credentials in `auth`.

    One of a bearer token, basic, and a login for a token (`oauth2`, `login`); beside it, or alone,
    keys in headers and in the query. All of them are remembered as secrets, so that no message
    shows them.
    """
    auth = params.read(AuthParameters).auth
    if auth is None:
        return Credentials()
    ways = [name for name in _WAYS if getattr(auth, name) is not None]
    keys = [(name, given) for name in _KEYS if (given := getattr(auth, name)) is not None]
    if len(ways) > 1 or not (ways or keys) or not all(_are_keys(given) for _, given in keys):
        params.add_fault(_EXPECTED, "auth")  # without the value, which may be a key
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    secrets: list[str] = []
    login: Login | None = None
    if auth.bearer:
        remember_secret(auth.bearer)
        headers["Authorization"] = f"Bearer {auth.bearer}"
        secrets.append(auth.bearer)
    if auth.basic is not None:
        pair = b64encode(f"{auth.basic.user}:{auth.basic.password}".encode()).decode()
        _remember_pair(auth.basic.user, auth.basic.password)
        remember_secret(pair)
        headers["Authorization"] = f"Basic {pair}"
        secrets.append(pair)
    if auth.oauth2 is not None:
        login = read_oauth2(params, auth.oauth2)
    elif auth.login is not None:
        login = read_login(params, auth.login)
    secrets += [login.key] if login else []
    for texts, given in ((headers, auth.header), (query, auth.query)):
        if given is not None:
            texts.update(_secret_texts(given))
            secrets += given.values()
    return Credentials(headers, query, " ".join(secrets) or None, login)


def _remember_pair(user: str, password: str) -> None:
    """Remember what is secret of both; a short name is a word that any text may have."""
    remember_secret(password)
    if len(user) >= _LONG_ENOUGH or not password:
        remember_secret(user)


def _are_keys(keys: Mapping[str, str]) -> bool:
    return bool(keys) and all(keys.values())


def _secret_texts(keys: Mapping[str, str]) -> Mapping[str, str]:
    """The keys as texts by their names; each is remembered as a secret, and each part of it."""
    for text in keys.values():
        remember_secret(text)
        # a scheme stands before what it is about: Bearer, Basic
        scheme, _, rest = text.partition(" ")
        if rest:
            remember_secret(rest.strip())
        if scheme.lower() == "basic":
            with suppress(ValueError):
                user, _, password = b64decode(rest.strip(), validate=True).decode().partition(":")
                _remember_pair(user, password)
        # a cookie has several values, each after its name
        for part in text.split(";"):
            _, _, content = part.partition("=")
            if len(content.strip()) >= _LONG_ENOUGH:
                remember_secret(content.strip().strip('"'))
    return keys
