"""Answers of providers: text and JSON out of bytes, with secrets masked in what is shown."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, overload
from urllib.parse import unquote_plus

import msgspec

from dataportal.errors import BadDataError
from dataportal.plugins.http.errors import refusal
from dataportal.plugins.http.file_kinds import file_kind, text_kind
from dataportal.redaction import MASK, SHORTEST, harmless, redact, secrets_in, spellings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from dataportal.errors import FetchError

T = TypeVar("T")

_MADE_NOW = timedelta(minutes=1)
"""A file no older than that when it was sent tells nothing by its time."""
_CALL = re.compile(r"\s*(?:/\*\*/)?[\w$.]+\s*\((.*)\)\s*;?\s*", re.DOTALL)
_MOST_DIGITS = 400
"""A whole number of more digits is none that a double can hold, by far."""
EXCERPT = 200
"""So many characters of an answer are shown in a message."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer with a status of success.

    `url` is fit to be shown; header names are in lower case; `body` is unpacked.
    """

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes
    hide: Callable[[str], str] = field(default=redact, repr=False)
    """Masks what the request carried in secret, for plugins that quote the answer."""
    redirected: bool = False
    """Whether it came from another address than the one asked."""
    member: str = ""
    """Of a file that was unpacked from an answer: its name."""
    note: str = ""
    """Of an unchanged answer: what `keep` was given."""
    on_keep: Callable[..., None] = field(default=lambda *_, **__: None, repr=False)
    method: str = "GET"
    """How it was asked for."""
    entry: Mapping[str, str] = field(default_factory=dict)
    """Of a file that an index names: what that says of it, such as its `link` and its `time`."""

    @property
    def unchanged(self) -> bool:
        """Whether the server says that the answer is still the one that was kept; it has no body.

        The plugin then returns no points of it, and `"unchanged": True` beside the columns of each
        series that has points in it.
        """
        return self.status == HTTPStatus.NOT_MODIFIED

    def keep(
        self,
        first: datetime | None = None,
        last: datetime | None = None,
        *,
        note: str = "",
        apart: bool = False,
    ) -> None:
        """Let the server say next time whether this answer has changed, and not send it again.

        Only for a plugin that looks at `unchanged`, and returns all points of the answer that lie
        in the window. Without times it is all or nothing: the answer counts as unchanged only if
        all others of the run do so too.

        Args:
            first: the earliest time in the answer, whether in the window or not, if no other answer
                has points of the same times: then it counts by itself.
            last: the latest.
            note: for an answer without points, such as a list of files: what it says, in short. It
                is `note` of the unchanged answer then, whose window begins no earlier.
            apart: it may be left out beside points of the same times: each has a publication of its
                own, or every answer that is not left out is newer, and its points count.
        """
        self.on_keep(first, last, note, apart=apart)

    @property
    def is_page(self) -> bool:
        """Whether this is HTML, which data never is: a challenge, a login, a maintenance page."""
        start = self.body[:200].removeprefix(b"\xef\xbb\xbf").lstrip()[:15].lower()
        return start.startswith((b"<!doctype html", b"<html"))

    @property
    def has_no_content(self) -> bool:
        """Whether the server says that there is nothing (204): no data, and no fault."""
        return self.status == HTTPStatus.NO_CONTENT

    @property
    def file_kind(self) -> str:
        """What it is if it is no text: `an Excel file`; else an empty text."""
        return file_kind(self.body)

    @property
    def name(self) -> str:
        """What it is called in a message: its address, with the file of an archive that it is."""
        return f"{harmless(self.hide(self.member), 100)} in {self.url}" if self.member else self.url

    @property
    def sent_at(self) -> datetime | None:
        """When it was sent, by the server's clock, or stored in a cache; None if unknown."""
        return _http_date(self.headers.get("date"))

    @property
    def written_at(self) -> datetime | None:
        """When its file was last changed; None if unknown, or if it was made to be sent."""
        written, sent = map(_http_date, map(self.headers.get, ("last-modified", "date")))
        if written is None or (sent is not None and sent - written < _MADE_NOW):
            return None
        return written

    def refusal(self, host: str, hint: str | None = None) -> FetchError:
        """The error for an answer whose status is no success, if it does not say "no data"."""
        return refusal(
            self.status,
            method=self.method,
            url=self.url,
            host=host,
            body=self.excerpt(),
            retry_after=None,
            hint=hint,
        )

    def part(self, body: bytes, member: str, *, in_utf_8: bool = False) -> Answer:
        """A file that was unpacked from this answer, as an answer.

        Args:
            body: of the file.
            member: its name.
            in_utf_8: whether it is a text in UTF-8, whatever charset the answer declares.
        """
        headers = {**self.headers, "content-type": ""} if in_utf_8 else self.headers
        return replace(self, body=body, member=member, headers=headers)

    def excerpt(self) -> str:
        """The beginning of the body, harmless and without secrets, for a message."""
        return excerpt(self.body, self.hide)

    def bad(self, reason: str, hint: str | None = None) -> BadDataError:
        """The error that says why this answer cannot be used, and shows how it begins."""
        # the bytes of such a file tell nobody anything
        start = "" if self.file_kind else self.excerpt()
        begins = f"; it begins: {start}" if start else "" if self.body.strip() else "; it is empty"
        # the reason may quote the answer
        subject = f"the file {self.name}" if self.member else f"the answer of {self.url}"
        return BadDataError(f"{subject} {self.hide(reason)}{begins}", hint=hint)

    def text(self, encoding: str | None = None) -> str:
        """The body as text: in `encoding`, else in the charset declared, else in UTF-8.

        A byte order mark is not part of it.

        Raises:
            BadDataError: the body is not text of that encoding, or nobody knows the encoding.
        """
        name = encoding or self._charset() or "utf-8"
        if name.lower().replace("_", "-") in {"utf-8", "utf8"}:
            name = "utf-8-sig"
        try:
            return self.body.decode(name)
        except LookupError:
            raise self.bad(f"is in the unknown charset {harmless(name, 40)!r}") from None
        except UnicodeError as error:
            if self.file_kind:
                raise self.bad(f"is {self.file_kind}, not text") from None
            if name == "utf-8-sig" and self.body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
                raise self.bad("is text in UTF-16, not in UTF-8: set encoding: utf-16") from None
            where = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
            raise self.bad(f"is not {name.removesuffix('-sig')} text{where}") from None

    @overload
    def json(self, *, encoding: str | None = None) -> Any: ...

    @overload
    def json(self, shape: type[T], *, encoding: str | None = None) -> T: ...

    def json(self, shape: Any = Any, *, encoding: str | None = None) -> Any:
        """The body as JSON; with a `shape`, checked against that type as msgspec does.

        In `encoding`, else in the charset declared, else in UTF-8.

        JSON of lines, each a document, is the list of these; of a call (JSONP) what is handed over.

        NaN and Infinity are let through where the shape has room for a float: no JSON, but sent.
        So are numbers that do not fit: they come as infinite ones, for the run to refuse.

        Raises:
            BadDataError: a page, a cut text, no JSON, or JSON of another shape; says where.
        """
        if self.is_page:
            raise self.bad("is a page of HTML, not JSON")
        if self.file_kind:
            raise self.bad(f"is {self.file_kind}, not JSON")
        body: bytes | str = self.body.removeprefix(b"\xef\xbb\xbf")
        charset = encoding or self._charset() or "utf-8"
        if charset.lower() not in {"utf-8", "utf8", "us-ascii"}:
            body = self.text(encoding)
        try:
            return msgspec.json.decode(body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            first = error
        if shape is Any and isinstance(first, msgspec.DecodeError):
            wrapped = _lines_or_argument(body)
            if wrapped is not None:
                return wrapped
        try:
            # the standard reader is slow, but knows NaN, Infinity and numbers of any length
            return msgspec.convert(json.loads(body, parse_int=_whole_number), shape)
        except (ValueError, RecursionError, msgspec.ValidationError):
            is_shape = isinstance(first, msgspec.ValidationError)
            reason = "has another shape than expected" if is_shape else "is not JSON"
            if text_kind(self.body) == "XML":
                raise self.bad("is XML, not JSON") from None
            detail = "it is nested too deeply" if isinstance(first, RecursionError) else str(first)
            raise self.bad(f"{reason} ({harmless(self.hide(detail), EXCERPT)})") from None

    def _charset(self) -> str | None:
        for parameter in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset" and value.strip(" \"'"):
                return value.strip(" \"'")
        return None


def _lines_or_argument(body: bytes | str) -> Any:
    """What JSON of several lines has, or that in a call by JSONP; None if it is neither."""
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    try:
        if call := _CALL.fullmatch(text):
            return msgspec.json.decode(call[1])
        lines = msgspec.json.Decoder().decode_lines(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    count = sum(1 for line in text.split("\n") if line.strip())
    are_documents = all(isinstance(line, dict | list) for line in lines)
    return lines if are_documents and len(lines) == count > 1 else None


def _whole_number(text: str) -> int | float:
    """A whole number; one that no double holds, and Python may not read either, is infinite."""
    return int(text) if len(text) <= _MOST_DIGITS else float(text)


def _http_date(text: str | None) -> datetime | None:
    """The instant of a header; None for what is no date, or one beyond the calendar."""
    try:
        instant = parsedate_to_datetime(text) if text else None
        if instant is None:
            return None
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_LONG_NUMBER = re.compile(r"([0-9]{30})[0-9]{10,}")


def excerpt(body: bytes, hide: Callable[[str], str]) -> str:
    """The first 200 characters of a body, on one line, harmless and without secrets."""
    # masked before it is cut, so that no half of a secret is left over
    start = hide(body[: 20 * EXCERPT].decode("utf-8", "replace"))
    # a number of hundreds of digits would hide what stands beside it
    return harmless(_LONG_NUMBER.sub(r"\1…", " ".join(start.split())), EXCERPT)


def hide_all(text: str) -> str:
    """Hides whatever an answer says that is a secret as a whole."""
    return MASK if text else ""


class Mask:
    """Hides the secrets that one request carries, beside those that `redact` knows.

    Args:
        query: names and values; those of key-like names are secrets.
        headers: the same.
        password: the one in the URL.
        url: the whole address; its path may hold a secret that `redact` knows.
    """

    def __init__(
        self,
        *,
        query: Iterable[tuple[str, str]] = (),
        headers: Iterable[tuple[str, str]] = (),
        password: str = "",
        url: str = "",
    ) -> None:
        secrets = {password, *secrets_in(url), *secrets_in(unquote_plus(url))}
        secrets |= {value for name, value in query if _is_key(f"?{name}=")}
        for name, value in headers:
            if _is_key(f"{name}: "):
                # the scheme before it, such as Bearer, is none of the secret
                secrets.update((value, value.partition(" ")[2]))
        secrets |= {text.strip() for text in secrets}
        forms = {form for text in secrets if len(text) >= SHORTEST for form in spellings(text)}
        self._secrets = sorted(forms, key=len, reverse=True)
        self._onward: list[str] = []
        self._shown: dict[str, str] = {}

    def add_onward(self, query: Iterable[tuple[str, str]], password: str) -> None:
        """Hide what an address that the provider names carries too; it is no secret of ours."""
        secrets = {password, *(value for name, value in query if _is_key(f"?{name}="))}
        forms = {form for text in secrets if len(text) >= SHORTEST for form in spellings(text)}
        self._onward = sorted({*self._onward, *forms}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without any secret."""
        for secret in (*self._secrets, *self._onward):
            text = text.replace(secret, MASK)
        return redact(text)

    def knows(self, value: str) -> bool:
        """Whether the value holds a secret of this request."""
        return any(secret in value for secret in self._secrets)

    def url(self, url: str) -> str:
        """The URL fit to be shown: one line, and no secret in any spelling."""
        if url not in self._shown:
            shown = self(url)
            plain = unquote_plus(url)
            hidden = shown if plain == url else self(plain)
            if hidden != plain and hidden.count(MASK) > shown.count(MASK):
                shown = hidden
            self._shown[url] = harmless(shown, 500)
        return self._shown[url]


def _is_key(prefix: str) -> bool:
    """Whether what follows such a name is a secret, whatever it is."""
    return redact(prefix + "anything") != prefix + "anything"
