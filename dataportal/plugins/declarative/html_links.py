"""Finds the links of a page of HTML, and what stands between them.

In a time that grows with the page alone, whatever is in it: the parser of the standard library may
take hours for a page that is made to hurt.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple

# a tag is not longer, and has no other in it
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})([^<>]{0,4000})>")
_HREF = re.compile(
    r"""(?:^|[\s"'/])href\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""", re.IGNORECASE
)
_HIDDEN = [
    (re.compile(begin, re.IGNORECASE), re.compile(end, re.IGNORECASE))
    for begin, end in (("<!--", "-->"), ("<script", "</script"), ("<style", "</style"))
]


class Link(NamedTuple):
    """A link of a page.

    Attributes:
        address: as it is written, without entities.
        before: the text between the link before and this one.
        after: the text between this one and the next.
    """

    address: str
    before: str
    after: str


def page_links(page: str) -> tuple[str, list[Link]]:
    """What addresses are relative to, if the page says so, and its links, in their order."""
    for begin, end in _HIDDEN:
        page = _without(page, begin, end)
    base = ""
    addresses: list[str] = []
    texts: list[list[str]] = [[]]
    is_inside, position = False, 0
    for tag in _TAG.finditer(page):
        if not is_inside:
            texts[-1].append(page[position : tag.start()])
        position = tag.end()
        name = tag[2].lower()
        if name not in {"a", "base"}:
            continue
        href = _HREF.search(tag[3])
        if name == "a":
            is_inside = not tag[1] and href is not None
        if href is None or tag[1]:
            continue
        address = html.unescape(href[1] or href[2] or href[3] or "")
        if name == "base":
            base = base or address
        else:
            addresses.append(address)
            texts.append([])
    texts[-1].append(page[position:])
    between = [" ".join(html.unescape(" ".join(parts)).split()) for parts in texts]
    return base, [Link(*parts) for parts in zip(addresses, between, between[1:], strict=False)]


def _without(page: str, begin: re.Pattern[str], end: re.Pattern[str]) -> str:
    """The page without what stands between these two."""
    parts, position = [], 0
    while (start := begin.search(page, position)) is not None:
        parts.append(page[position : start.start()])
        stop = end.search(page, start.end())
        if stop is None:
            return "".join(parts)
        position = stop.end()
    return "".join([*parts, page[position:]])
