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
from base64 import b64encode
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlsplit

import msgspec

from dataportal.errors import BadDataError, PermanentError, TransientError
from dataportal.plugins.http.tokens import Login, SentAlong, Token
from dataportal.plugins.readers.expressions import Expression
from dataportal.plugins.readers.parameters import Params
from dataportal.redaction import harmless, redact, remember_secret
from dataportal.times import parse_duration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.http.response import Answer

_FIELD = "{token}"
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
    token: Expression | None
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
        try:
            return self.token.find(document)
        except ValueError:
            return None

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


def read_oauth2(given: Mapping[str, Any]) -> Login:
    """The login that `oauth2` describes: a token of RFC 6749.

    - `token_url`; `grant_type`: `client_credentials`, or `password` where a `username` is given.
    - `client_id`, `client_secret`; `client_auth`: whether they go in the `header` (Basic; the
      default beside a secret) or in the `body`.
    - `username`, `password`: of the user, for the grant `password`.
    - `scope` (a text or a list), `form`: further fields.
    - `token` (access_token): the place of the token in the answer; `lifetime`: how long it can be
      used, where the answer has no `expires_in`.
    - `header`, `query`: see `_sent_along`.

    Raises:
        ParameterError: with every fault.
    """
    params = Params(given)
    url = params.text("token_url", required=True)
    client_id, secret = params.text("client_id"), params.text("client_secret")
    user = params.text("username") or params.text("user")
    password = params.text("password")
    grant = params.choice("grant_type", _GRANTS) or _GRANTS[bool(user)]
    _check_credentials(params, grant, client_id, user)
    in_header = (
        params.choice("client_auth", ("header", "body")) or ("body", "header")[bool(secret)]
    ) == "header"
    form: dict[str, Any] = {"grant_type": grant}
    headers = {"Accept": "application/json"}
    if grant == "password":
        form |= {"username": user, "password": password}
    if scope := _scope(params):
        form["scope"] = scope
    if in_header:
        pair = b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()
        remember_secret(pair)
        headers["Authorization"] = f"Basic {pair}"
    elif client_id:
        form["client_id"] = client_id
        if secret:
            form["client_secret"] = secret
    form |= params.mapping("form")
    for name in ("client_secret", "password"):
        remember_secret(str(form.get(name, "")))
    remember_secret(secret)
    send = _sent_along(params)
    question = _Question(
        "oauth2",
        url,
        {"form": form},
        headers,
        _place(params, "token", "access_token"),
        _lifetime(params),
        Expression("expires_in"),
    )
    params.finish()
    return Login(question.key, question.ask, send)


def read_login(given: Mapping[str, Any]) -> Login:
    """The login that `login` describes: a request whose answer has a token.

    - `url`; `form`, `json` or `body`: what is sent; `headers`.
    - `token`: the place of the token in the answer; without it the whole answer is the token.
    - `lifetime`: how long it can be used; without it until it is refused, or as the answer's
      `expires_in` says.
    - `header`, `query`: see `_sent_along`.

    Raises:
        ParameterError: with every fault.
    """
    params = Params(given)
    url = params.text("url", required=True)
    bodies = {
        "form": params.mapping("form"),
        "json": params.any_value("json"),
        "body": params.text("body"),
    }
    body = {name: content for name, content in bodies.items() if content not in (None, "", {})}
    if len(body) != 1:
        params.add_fault("login must have one of form, json and body: what is sent", "url")
    for text in _texts_of(body):
        remember_secret(text)
    accept = "application/json" if params.has("token") else "text/plain"
    headers = {"Accept": accept, **params.mapping("headers")}
    send = _sent_along(params)
    question = _Question(
        "login",
        url,
        body,
        headers,
        _place(params, "token", "") if params.has("token") else None,
        _lifetime(params),
        Expression("expires_in"),
    )
    params.finish()
    return Login(question.key, question.ask, send)


class _Sender:
    """Puts a token into headers and query parameters, by the texts that have `{token}` in them."""

    def __init__(self, headers: Mapping[str, str], query: Mapping[str, str]) -> None:
        self._headers, self._query = dict(headers), dict(query)

    def __call__(self, token: str) -> SentAlong:
        return SentAlong(
            {name: text.replace(_FIELD, token) for name, text in self._headers.items()},
            {name: text.replace(_FIELD, token) for name, text in self._query.items()},
        )


def _sent_along(params: Params) -> _Sender:
    """How a token goes along.

    - `header`: a name, for a header that is the token; or names and texts with `{token}` in them
      (`Authorization: "Bearer {token}"`).
    - `query`: the same, for query parameters.
    """
    placed: dict[str, dict[str, str]] = {}
    for name in ("header", "query"):
        given = params.any_value(name)
        if isinstance(given, str) and given:
            placed[name] = {given: _FIELD}
        elif given is not None:
            placed[name] = params.mapping(name)
            if not any(_FIELD in text for text in placed[name].values()):
                params.add_fault(f'{name} must have "{_FIELD}" in one of its texts', name)
    if not placed:
        placed["header"] = {"Authorization": f"Bearer {_FIELD}"}
    return _Sender(placed.get("header", {}), placed.get("query", {}))


def _check_credentials(params: Params, grant: str, client_id: str, user: str) -> None:
    if grant == "client_credentials":
        if not client_id:
            params.add_fault("client_id is missing")
        if user:
            params.add_fault("username goes with grant_type: password")
    elif not user or not params.has("password"):
        params.add_fault("grant_type: password needs username and password", "grant_type")


def _scope(params: Params) -> str:
    scope = params.any_value("scope")
    scope = params.any_value("scopes") if scope is None else scope
    if isinstance(scope, list) and all(isinstance(item, str) for item in scope):
        return " ".join(scope)
    if scope is not None and not isinstance(scope, str):
        params.add_fault("scope must be a text or a list of texts", "scope")
        return ""
    return scope or ""


def _place(params: Params, name: str, default: str) -> Expression | None:
    try:
        return Expression(params.text(name, default))
    except ValueError as error:
        params.add_fault(f"{name}: {error}")
        return None


def _lifetime(params: Params) -> float | None:
    if not params.has("lifetime"):
        return None
    try:
        seconds = parse_duration(params.text("lifetime")).total_seconds()
    except ValueError as error:
        params.add_fault(f"lifetime: {error}")
        return None
    if seconds <= 0:
        params.add_fault("lifetime must be more than 0")
        return None
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
    names: Collection[str] = [harmless(redact(str(name)), 40) for name in document][:8]
    return f"; it has {', '.join(names)}"


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
