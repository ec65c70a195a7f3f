"""Bodies of POST requests: forms, JSON and texts, and which of their fields may be secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class RequestBody:
    """What is sent.

    Attributes:
        content: the bytes.
        content_type: what they are, unless a header says it.
        fields: names and texts of all fields of a form or a document, whatever their depth.
    """

    content: bytes
    content_type: str
    fields: tuple[tuple[str, str], ...] = ()

    def headers(self, own: Mapping[str, str]) -> dict[str, str]:
        """The headers of the request, which say what the body is."""
        if any(name.lower() == "content-type" for name in own):
            return dict(own)
        return {**own, "Content-Type": self.content_type}


def request_body(
    *,
    form: Mapping[str, Any] | None = None,
    json: Any = None,
    body: str | bytes | None = None,
) -> RequestBody:
    """The body of a request, of one of the three; an empty one of none.

    Raises:
        TypeError: more than one is given, or JSON has no word for what is in it.
    """
    if sum(given is not None for given in (form, json, body)) > 1:
        raise TypeError("a request has one body: form, json or body")
    if form is not None:
        pairs = list(_form_fields(form))
        content = urlencode(pairs).encode()
        return RequestBody(content, "application/x-www-form-urlencoded", tuple(pairs))
    if json is not None:
        return RequestBody(
            msgspec.json.encode(json), "application/json", tuple(_json_fields(json, ""))
        )
    if isinstance(body, bytes):
        return RequestBody(body, "application/octet-stream")
    return RequestBody((body or "").encode(), "text/plain; charset=utf-8")


def _form_fields(form: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in form.items():
        for item in value if isinstance(value, list | tuple) else [value]:
            if item is not None:
                yield name, str(item).lower() if isinstance(item, bool) else str(item)


def _json_fields(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _json_fields(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _json_fields(item, name)
    elif name and value is not None and not isinstance(value, bool):
        yield name, str(value)
