"""Collects the links of a page of HTML, and what stands between them."""

from __future__ import annotations

from html.parser import HTMLParser


class HtmlLinks(HTMLParser):
    """Collects the links of a page, each with the text before and after it.

    Attributes:
        base: what relative addresses are relative to, if the page says so.
        links: the addresses as they are written.
        texts: before each link, and after the last.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.base = ""
        self.links: list[str] = []
        self.texts: list[list[str]] = [[]]
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begins a link."""
        link = dict(attrs).get("href")
        if tag == "base" and link:
            self.base = link
        if tag == "a" and link:
            self.links.append(link)
            self.texts.append([])
            self._is_inside = True

    def handle_endtag(self, tag: str) -> None:
        """Ends a link."""
        if tag == "a":
            self._is_inside = False

    def handle_data(self, data: str) -> None:
        """Adds to the text between two links."""
        if not self._is_inside:
            self.texts[-1].append(data)
