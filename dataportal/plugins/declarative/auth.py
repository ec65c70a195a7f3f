"""Reads the credentials that a provider wants with each request, from the parameter `auth`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataportal.redaction import remember_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.plugins.readers.parameters import Params

_LONG_ENOUGH = 8
"""Shorter names and values of cookies are words and numbers, not keys."""
_EXPECTED = (
    "auth must be one of bearer: TOKEN, basic: {user: …, password: …}, header: {NAME: KEY}, "
    "query: {NAME: KEY}"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Headers and query parameters that prove who asks.

    Attributes:
        headers: by name.
        query: query parameters, by name.
        key: tells one user from another; None if there are no credentials.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    key: str | None = field(default=None, repr=False)


def read_credentials(params: Params) -> Credentials:
    """The credentials in `auth`: an API key in a header or in the query, a bearer token, or basic.

    All of them are remembered as secrets, so that no message shows them.
    """
    match params.tree("auth"):
        case {"bearer": str(token), **rest} if token and not rest:
            remember_secret(token)
            return Credentials(headers={"Authorization": f"Bearer {token}"}, key=token)
        case {"basic": {"user": user, "password": password, **more}, **rest} if not rest | more:
            pair = b64encode(f"{user}:{password}".encode()).decode()
            _remember_pair(str(user), str(password))
            remember_secret(pair)
            return Credentials(headers={"Authorization": f"Basic {pair}"}, key=pair)
        case {"header": {**keys}, **rest} if not rest and _are_keys(keys):
            return Credentials(headers=_secret_texts(keys), key=" ".join(map(str, keys.values())))
        case {"query": {**keys}, **rest} if not rest and _are_keys(keys):
            return Credentials(query=_secret_texts(keys), key=" ".join(map(str, keys.values())))
        case {}:
            if params.has("auth"):
                params.add_fault(_EXPECTED)  # without the value, which may be a key
    return Credentials()


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
