"""Reads the credentials that a provider wants with each request, from the parameter `auth`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataportal.plugins.declarative.login import read_login, read_oauth2
from dataportal.plugins.readers.parameters import ParameterError
from dataportal.redaction import remember_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.plugins.http.tokens import Login
    from dataportal.plugins.readers.parameters import Params

_LONG_ENOUGH = 8
"""Shorter names and values of cookies are words and numbers, not keys."""
_EXPECTED = (
    "auth must be one of bearer: TOKEN, basic: {user: …, password: …}, oauth2: {token_url: …}, "
    "login: {url: …}, header: {NAME: KEY}, query: {NAME: KEY}; the last two also beside another"
)


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
    given = params.tree("auth")
    if not given:
        if params.has("auth"):
            params.add_fault(_EXPECTED)  # without the value, which may be a key
        return Credentials()
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    known: list[str] = []
    secrets: list[str] = []
    login: Login | None = None
    match given:
        case {"bearer": str(token)} if token:
            remember_secret(token)
            headers["Authorization"] = f"Bearer {token}"
            known.append("bearer")
            secrets.append(token)
        case {"basic": {"user": user, "password": password, **more}} if not more:
            pair = b64encode(f"{user}:{password}".encode()).decode()
            _remember_pair(str(user), str(password))
            remember_secret(pair)
            headers["Authorization"] = f"Basic {pair}"
            known.append("basic")
            secrets.append(pair)
        case {"oauth2": {**answer}}:
            login = _login(params, "oauth2", answer)
            known.append("oauth2")
        case {"login": {**answer}}:
            login = _login(params, "login", answer)
            known.append("login")
    secrets += [login.key] if login else []
    for name, texts in (("header", headers), ("query", query)):
        match given.get(name):
            case {**keys} if _are_keys(keys):
                texts.update(_secret_texts(keys))
                known.append(name)
                secrets += map(str, keys.values())
    if given.keys() - set(known):
        params.add_fault(_EXPECTED)
    return Credentials(headers, query, " ".join(secrets) or None, login)


def _login(params: Params, kind: str, given: Mapping[Any, Any]) -> Login | None:
    try:
        return (read_oauth2 if kind == "oauth2" else read_login)(given)
    except ParameterError as error:
        for keys, message in error.faults:
            params.add_fault(f"auth.{kind}: {message}", "auth", kind, *keys)
    return None


def _remember_pair(user: str, password: str) -> None:
    """Remember what is secret of both; a short name is a word that any text may have."""
    remember_secret(password)
    if len(user) >= _LONG_ENOUGH or not password:
        remember_secret(user)


def _are_keys(keys: Mapping[object, object]) -> bool:
    texts = (value for value in keys.values() if not isinstance(value, bool))
    return bool(keys) and all(isinstance(text, str | int) and text != "" for text in texts)


def _secret_texts(keys: Mapping[object, object]) -> dict[str, str]:
    """The keys as texts by their names; each is remembered as a secret, and each part of it."""
    for value in keys.values():
        text = str(value)
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
    return {str(name): str(value) for name, value in keys.items()}
