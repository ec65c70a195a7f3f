"""Who asks: what a provider wants to see with each request, from the parameters of a source."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dataportal.redaction import remember_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.plugins.readers.parameters import Params

_SAID = (
    "auth must be one of bearer: TOKEN, basic: {user: …, password: …}, header: {NAME: KEY}, "
    "query: {NAME: KEY}"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Headers and query parameters that prove who asks.

    Attributes:
        headers: by name.
        query: by name.
        key: what tells one user from another; None for nobody in particular.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    key: str | None = field(default=None, repr=False)


def credentials(params: Params) -> Credentials:
    """What `auth` says: an API key in a header or in the query, a bearer token, or basic.

    None of it is ever shown.
    """
    match params.tree("auth"):
        case {"bearer": str(token), **rest} if token and not rest:
            remember_secret(token)
            return Credentials(headers={"Authorization": f"Bearer {token}"}, key=token)
        case {"basic": {"user": user, "password": password, **more}, **rest} if not rest | more:
            pair = b64encode(f"{user}:{password}".encode()).decode()
            remember_secret(str(password))
            remember_secret(pair)
            return Credentials(headers={"Authorization": f"Basic {pair}"}, key=pair)
        case {"header": {**named}, **rest} if not rest and _are_keys(named):
            return Credentials(headers=_kept(named), key=" ".join(map(str, named.values())))
        case {"query": {**named}, **rest} if not rest and _are_keys(named):
            return Credentials(query=_kept(named), key=" ".join(map(str, named.values())))
        case {}:
            if params.has("auth"):
                params.fault(_SAID)  # not what it says, which may be a key
    return Credentials()


def _are_keys(named: Mapping[object, object]) -> bool:
    texts = (value for value in named.values() if not isinstance(value, bool))
    return bool(named) and all(isinstance(text, str | int) and text != "" for text in texts)


def _kept(named: Mapping[object, object]) -> dict[str, str]:
    for value in named.values():
        remember_secret(str(value))
    return {str(name): str(value) for name, value in named.items()}
