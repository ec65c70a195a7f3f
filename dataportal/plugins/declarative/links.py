"""Reads the header `Link` of an answer (RFC 8288)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TARGET = re.compile(r"[\s,]*<([^<>]*)>")
_PARAMETER = re.compile(
    r"""\s*;\s*(?:([^\s=;,"<>]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?)?\s*""", re.DOTALL
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def next_link(header: str) -> str | None:
    """The target of the link to the next page in a header `Link`, if there is one.

    A link of something else than the page (`anchor`) is none.
    """
    for target, parameters in _links(header):
        relations = parameters.get("rel", "").lower().split()
        if "next" in relations and "anchor" not in parameters:
            return target
    return None


def _links(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The links, each with its parameters; of two of one name the first one counts."""
    position = 0
    while match := _TARGET.match(header, position):
        target, position = match[1], match.end()
        parameters: dict[str, str] = {}
        while match := _PARAMETER.match(header, position):
            position = match.end()
            name, quoted, plain = match.groups()
            if name:
                text = _ESCAPE.sub(r"\1", quoted) if quoted is not None else plain or ""
                parameters.setdefault(name.lower(), text)
        if header[position : position + 1] not in {"", ","}:
            return  # what follows is no link, whatever it says
        yield target, parameters
