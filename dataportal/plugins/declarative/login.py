"""Logs in for a token, from `oauth2` or `login` under the parameter `auth`.

A small client of our own: of RFC 6749 two grants are needed, which are one form and one answer
each, and they have to go through the client that keeps limits, hides secrets and sorts failures.

What a login sends and gets is in no message: an answer may hold the token under any name.
Source: RFC 6749, sections 2.3.1 (the client's credentials), 4.3, 4.4 (grants), 5.1 and 5.2
(answers).
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote_plus, urlsplit

import msgspec
from msgspec import field as default

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.plugins.http.tokens import Login, SentAlong, Token
from dataportal.plugins.parameters import (
    Address,
    Duration,
    Parameters,
    about,
    expectation,
    one_of,
    written_as,
)
from dataportal.plugins.readers.expressions import Expression
from dataportal.redaction import redact, remember_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params

_FIELD = "{token}"
_HEADER = "header:"
_NAME = re.compile("[A-Za-z_]{1,30}")
_GRANTS = ("client_credentials", "password")
_PERMANENT_ERRORS = {
    "invalid_request": "the request is not as the server wants it",
    "invalid_client": "it does not take the client_id, or its secret",
    "invalid_grant": "it does not take the user's name or password",
    "unauthorized_client": "this client may not log in so: see grant_type",
    "unsupported_grant_type": "it knows no such grant_type",
    "invalid_scope": "it does not give this scope",
    "access_denied": "it refuses access",
}
"""What RFC 6749 has for errors that asking again cannot mend."""
_TRANSIENT_ERRORS = {"server_error", "temporarily_unavailable", "slow_down"}
_MAY_EXPLAIN = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_LONGEST_TOKEN = 32_768


class TokenPlace:
    """Where a token stands in an answer: at an expression, or in the header of `header:NAME`.

    Raises:
        ValueError: no such expression.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._header = ""
        if text.startswith(_HEADER):
            self._header = text.removeprefix(_HEADER).strip().lower()
        self._expression = None if self._header else Expression(text)

    def find(self, answer: Answer, document: Any) -> Any:
        """What stands there; None for nothing."""
        if self._expression is None:
            return answer.headers.get(self._header)
        try:
            return self._expression.find(document)
        except ValueError:
            return None


_Place = Annotated[TokenPlace | None, written_as(TokenPlace)]
_SentAlong = Annotated[
    str | dict[str, str] | None, expectation("a name, or a mapping of names to texts")
]


class TokenParameters(Parameters):
    """How a token goes along, and how long it can be used."""

    header: Annotated[
        _SentAlong,
        about(
            'how the token goes along: `header: TGT`, `header: {Authorization: "Token {token}"}` '
            "(a bearer token)"
        ),
    ] = None
    query: Annotated[_SentAlong, about("the same in the query: `query: token`")] = None
    lifetime: Annotated[
        Duration | None,
        about(
            "how long it can be used (as `expires_in` in the answer says; else until it is "
            "refused)",
            secret=False,
        ),
    ] = None


class OAuth2Parameters(TokenParameters, kw_only=True):
    """A token of RFC 6749."""

    token_url: Annotated[
        Address,
        about("where the token is had", aliases=("access_token_url", "token_refresh_endpoint")),
    ]
    grant_type: Annotated[
        str | None,
        one_of(_GRANTS),
        about("`client_credentials`; `password` where there is a `username`", secret=False),
    ] = None
    client_id: Annotated[str, about("who asks")] = ""
    client_secret: Annotated[str, about("and the secret of it")] = ""
    client_auth: Annotated[
        str | None,
        one_of(("header", "body")),
        about(
            "whether both go in the `header` (beside a secret) or in the `body` (else)",
            secret=False,
        ),
    ] = None
    username: Annotated[str | None, about("of the user", aliases=("user",))] = None
    password: Annotated[str | None, about("of the user")] = None
    scope: Annotated[
        str | list[str] | None,
        expectation("a text or a list of texts"),
        about("a text or a list", aliases=("scopes",)),
    ] = None
    form: Annotated[
        dict[str, str],
        about(
            "further fields, such as `response_type: id_token`",
            aliases=("access_token_request_data", "refresh_request_body"),
        ),
    ] = default(default_factory=dict)
    token: Annotated[
        _Place,
        about(
            "the place of the token in the answer (`access_token`), or `header:NAME`",
            secret=False,
            aliases=("access_token_name",),
        ),
    ] = None


class LoginParameters(TokenParameters, kw_only=True):
    """A request whose answer has a token."""

    url: Annotated[Address, about("where to log in")]
    headers: Annotated[dict[str, str], about("sent with the request")] = default(
        default_factory=dict
    )
    form: Annotated[dict[str, str] | None, about("what is sent: a form")] = None
    json: Annotated[Any, about("or a document")] = None
    body: Annotated[str | None, about("or a text")] = None
    token: Annotated[
        _Place,
        about(
            "the place of the token in the answer (the whole text), or `header:NAME`", secret=False
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class _Question:
    """What is sent to log in, and where the token stands in the answer.

    Attributes:
        kind: `oauth2` or `login`.
        url: the address.
        body: the keyword of `HttpClient.post`, and what it gets.
        headers: beside those of the body.
        token: where the token stands; None for an answer that is the token.
        lifetime: seconds for which it can be used, as far as sources.yaml says it.
        expires_in: where the answer says so.
    """

    kind: str
    url: str
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    token: TokenPlace | None
    lifetime: float | None
    expires_in: Expression

    @property
    def key(self) -> str:
        """The same for questions that get the same token."""
        parts = [self.kind, self.url, self.body, dict(self.headers), self.token and self.token.text]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

    async def ask(self, http: HttpClient) -> Token:
        """The token.

        Raises:
            TransientError: the server is busy, or says that it may pass.
            PermanentError: it refuses the login.
            BadDataError: the answer has no token where it should be.
        """
        answer = await http.post(
            self.url, **self.body, headers=self.headers, confidential=True, also=_MAY_EXPLAIN
        )
        document = _document(answer)
        self._check(answer, document)
        text = self._find_token(answer, document)
        if not isinstance(text, str) or not _is_token(text):
            raise BadDataError(
                f"the {self.kind} at {answer.url} brought no token{self._place}"
                f"{_names_in(document)}",
                hint=f"Look at token under auth.{self.kind}; some providers answer so to a wrong "
                "password",
            )
        remember_secret(text)
        return Token(text, self._lifetime(document))

    def _find_token(self, answer: Answer, document: Any) -> Any:
        if self.token is None:
            text = answer.body.decode("utf-8", "replace").strip()
            # a text in quotes is JSON; an object or a page is none
            if text.startswith(("{", "[", "<")):
                return None
            return document if isinstance(document, str) else text
        return self.token.find(answer, document)

    @property
    def _place(self) -> str:
        return "" if self.token is None else f" at {self.token.text!r}"

    def _check(self, answer: Answer, document: Any) -> None:
        """Raise what an answer says that is no token."""
        code = document.get("error") if isinstance(document, dict) else None
        # what is none of the words of the RFC may be anything
        is_known = isinstance(code, str) and code in {*_PERMANENT_ERRORS, *_TRANSIENT_ERRORS}
        if answer.status not in _MAY_EXPLAIN and not is_known:
            return
        host = urlsplit(self.url).hostname or ""
        message = f"{host} refused the {self.kind} at {answer.url} ({answer.status}"
        message += f", {code})" if is_known else ")"
        if code in _TRANSIENT_ERRORS:
            raise TransientError(message, host=host)
        reason = _PERMANENT_ERRORS.get(str(code), "")
        raise PermanentError(
            message + (f": {reason}" if reason else ""),
            hint=f"Check the credentials under auth.{self.kind}; sources.yaml says which "
            "environment variables they are taken from",
        )

    def _lifetime(self, document: Any) -> float | None:
        if self.lifetime is not None:
            return self.lifetime
        try:
            seconds = float(self.expires_in.find(document))
        except (ValueError, TypeError, OverflowError):
            return None
        return seconds if 0 < seconds < float("inf") else None


def read_oauth2(params: Params, oauth2: OAuth2Parameters) -> Login:
    """The login for a token of RFC 6749; what is wrong with it is noted in `params`."""
    client_id, secret = oauth2.client_id, oauth2.client_secret
    user, password = oauth2.username or "", oauth2.password or ""
    grant = oauth2.grant_type or _GRANTS[bool(user)]
    _check_credentials(params, grant, oauth2)
    in_header = (oauth2.client_auth or ("body", "header")[bool(secret)]) == "header"
    form: dict[str, Any] = {"grant_type": grant}
    headers = {"Accept": "application/json"}
    if grant == "password":
        form |= {"username": user, "password": password}
    if oauth2.scope:
        form["scope"] = oauth2.scope if isinstance(oauth2.scope, str) else " ".join(oauth2.scope)
    if in_header:
        pair = b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()
        remember_secret(pair)
        headers["Authorization"] = f"Basic {pair}"
    elif client_id:
        form["client_id"] = client_id
        if secret:
            form["client_secret"] = secret
    form |= oauth2.form
    for name in ("client_secret", "password"):
        remember_secret(str(form.get(name, "")))
    remember_secret(secret)
    question = _Question(
        "oauth2",
        oauth2.token_url,
        {"form": form},
        headers,
        oauth2.token or TokenPlace("access_token"),
        _lifetime(params, "oauth2", oauth2),
        Expression("expires_in"),
    )
    return Login(question.key, question.ask, _sender(params, "oauth2", oauth2))


def read_login(params: Params, login: LoginParameters) -> Login:
    """The login by a request of its own; what is wrong with it is noted in `params`."""
    bodies = {"form": login.form, "json": login.json, "body": login.body}
    body = {name: content for name, content in bodies.items() if content not in (None, "", {})}
    if len(body) != 1:
        message = "auth.login must have one of form, json and body: what is sent"
        params.add_fault(message, "auth", "login")
    for text in _texts_of(body):
        remember_secret(text)
    accept = "text/plain" if login.token is None else "application/json"
    question = _Question(
        "login",
        login.url,
        body,
        {"Accept": accept, **login.headers},
        login.token,
        _lifetime(params, "login", login),
        Expression("expires_in"),
    )
    return Login(question.key, question.ask, _sender(params, "login", login))


class _Sender:
    """Puts a token into headers and query parameters, by the texts that have `{token}` in them."""

    def __init__(self, headers: Mapping[str, str], query: Mapping[str, str]) -> None:
        self._headers, self._query = dict(headers), dict(query)

    def __call__(self, token: str) -> SentAlong:
        return SentAlong(
            {name: text.replace(_FIELD, token) for name, text in self._headers.items()},
            {name: text.replace(_FIELD, token) for name, text in self._query.items()},
        )


def _sender(params: Params, kind: str, given: TokenParameters) -> _Sender:
    """How a token goes along: under a name, or in texts that have `{token}` in them."""
    placed: dict[str, dict[str, str]] = {}
    for name, texts in (("header", given.header), ("query", given.query)):
        if isinstance(texts, str) and texts:
            placed[name] = {texts: _FIELD}
        elif isinstance(texts, dict):
            placed[name] = texts
            if not any(_FIELD in text for text in texts.values()):
                params.add_fault(
                    f'auth.{kind}.{name} must have "{_FIELD}" in one of its texts',
                    *("auth", kind, name),
                )
    if not placed:
        placed["header"] = {"Authorization": f"Bearer {_FIELD}"}
    return _Sender(placed.get("header", {}), placed.get("query", {}))


def _check_credentials(params: Params, grant: str, oauth2: OAuth2Parameters) -> None:
    if grant == "client_credentials":
        if not oauth2.client_id:
            params.add_fault("auth.oauth2.client_id is missing")
        if oauth2.username:
            params.add_fault("auth.oauth2.username goes with grant_type: password")
    elif not oauth2.username or oauth2.password is None:
        params.add_fault(
            "auth.oauth2.grant_type: password needs username and password",
            *("auth", "oauth2", "grant_type"),
        )


def _lifetime(params: Params, kind: str, given: TokenParameters) -> float | None:
    if given.lifetime is None:
        return None
    seconds = given.lifetime.total_seconds()
    if seconds <= 0:
        params.add_fault(f"auth.{kind}.lifetime must be more than 0")
    return seconds


def _document(answer: Answer) -> Any:
    """The answer as JSON; None for what is none."""
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_token(text: str) -> bool:
    """Whether a text can go along in a header or a query."""
    is_one_word = text.isascii() and text.isprintable() and " " not in text
    return 0 < len(text) <= _LONGEST_TOKEN and is_one_word


def _names_in(document: Any) -> str:
    """The names of the fields that there are, which tell what kind of answer it is."""
    if not isinstance(document, dict) or not document:
        return ""
    # what is no plain word may be anything, even the token
    names = [redact(name) for name in document if _NAME.fullmatch(name)][:8]
    return f"; it has {', '.join(names)}" if names else ""


def _texts_of(value: Any, name: str = "") -> Iterable[str]:
    """The texts of a body that are no short words: of names, passwords, and whatever else."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts_of(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _texts_of(item, name)
    elif isinstance(value, str) and _sounds_like_password(name):
        yield value


def _sounds_like_password(name: str) -> bool:
    return redact(f"?{name}=anything") != f"?{name}=anything"
