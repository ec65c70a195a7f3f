"""Answers that come in pages: how the next one is asked for, and when the last one was had.

A page that is not there is an error, never an end: a run takes all pages or none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataportal.plugins.readers.parameters import Params

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dataportal.plugins.declarative.records import Document, Reader

_KINDS = ("page", "offset", "cursor", "next")
_HEADER = "header:"
_LINK = re.compile(r"<([^<>]*)>((?:\s*;[^,;<>]*)*)")
_NEXT = re.compile(r""";\s*rel\s*=\s*"?(?:[^"]*\s)?next(?:\s[^"]*)?"?\s*(?:;|$)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Step:
    """What the next page differs in: query parameters, or the address, which may be relative."""

    query: Mapping[str, str | int]
    url: str | None = None


class Paging:
    """How an API cuts its answers, from the parameter `paging`.

    - `page: NAME`: the query parameter that numbers pages, from `first` (1).
    - `offset: NAME`: the query parameter that says how many rows to leave out.
    - `cursor: NAME`: the query parameter that takes what `from` finds in a page.
    - `next: PLACE`: finds the address of the next page.
    - `size` and `size_param`: how many rows to ask for in a page, and under which name. A page with
      fewer rows is the last.
    - `total`: finds how many rows there are; `last`: finds the number of the last page.
    - `max_pages` (1000): more is an error.

    What finds something is an expression (JSON) or a path (XML) in the whole answer, or
    `header:NAME` for a header of it; of `header:Link` the link to the next page is taken (RFC
    8288).
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        params = Params(given)
        kinds = [kind for kind in _KINDS if params.has(kind)]
        if given and len(kinds) != 1:
            params.fault(f"must have one of {', '.join(_KINDS)}")
        self._kind = kinds[0] if kinds else ""
        self._name = params.text(self._kind) if self._kind else ""
        self._first = params.whole("first", 1)
        self._size = params.whole("size")
        self._size_param = params.text("size_param")
        self.max_pages = params.whole("max_pages", 1000)
        if self.max_pages < 1:
            params.fault("max_pages must be 1 or more")
        self._places = {
            name: params.text(name)
            for name in ("from", "total", "last", *(("next",) if self._kind == "next" else ()))
            if params.has(name)
        }
        if self._kind == "cursor" and "from" not in self._places:
            params.fault("cursor needs from, which finds the next cursor in a page")
        if self._kind == "offset" and not self._size and "total" not in self._places:
            params.fault("offset needs size, or total")
        params.finish()

    @property
    def has_pages(self) -> bool:
        """Whether answers come in pages."""
        return bool(self._kind)

    @property
    def counts_rows(self) -> bool:
        """Whether the number of rows in a page says which page is the last."""
        return self._kind in {"page", "offset"}

    def faults(self, reader: Reader) -> Iterable[str]:
        """What no answer of this kind can have."""
        for name, place in self._places.items():
            if not place.startswith(_HEADER):
                try:
                    reader.check_find(place)
                except ValueError as error:
                    yield f"paging.{name}: {error}"

    def first(self) -> Step:
        """How the first page is asked for."""
        query: dict[str, str | int] = {}
        if self._size and self._size_param:
            query[self._size_param] = self._size
        if self._kind == "page":
            query[self._name] = self._first
        elif self._kind == "offset":
            query[self._name] = 0
        return Step(query)

    def after(self, number: int, document: Document, *, rows: int, rows_so_far: int) -> Step | None:
        """How the page after number `number` (from 1) is asked for; None if that was the last.

        Args:
            number: of the page just had.
            document: what it holds.
            rows: how many rows it has.
            rows_so_far: how many all pages had until now.

        Raises:
            ValueError: what should be found in the page makes no sense, or rows are missing.
        """
        query = self.first().query
        match self._kind:
            case "page" | "offset":
                if self._was_last(number, document, rows, rows_so_far):
                    return None
                onward = self._first + number if self._kind == "page" else rows_so_far
                return Step({**query, self._name: onward})
            case "cursor":
                cursor = self._found("from", document)
                return None if cursor in (None, "") else Step({**query, self._name: str(cursor)})
            case "next":
                link = self._found("next", document)
                return Step({}, str(link)) if link else None
        return None

    def following(
        self, number: int, document: Document, *, rows: int, rows_so_far: int
    ) -> Iterator[Step]:
        """How all further pages will probably be asked for, as far as the answer tells.

        Args:
            number: of the page just had.
            document: what it holds.
            rows: how many rows it has, as have those that follow.
            rows_so_far: how many all pages had until now.
        """
        last, total = self._whole("last", document), self._whole("total", document)
        if self._kind not in {"page", "offset"} or not rows:
            return
        if last is not None:
            pages = last - self._first + 1 - number
        elif total is not None:
            pages = -((rows_so_far - total) // rows)
        else:
            return
        query = self.first().query
        for more in range(min(pages, self.max_pages - number)):
            onward = (
                rows_so_far + more * rows if self._kind == "offset" else self._first + number + more
            )
            yield Step({**query, self._name: onward})

    def _was_last(self, number: int, document: Document, rows: int, so_far: int) -> bool:
        """By what the answer says of it, or else by its rows."""
        last, total = self._whole("last", document), self._whole("total", document)
        if last is not None:
            ended = number >= last - self._first + 1
        elif total is not None:
            ended = so_far >= total
        else:
            return rows == 0 or rows < self._size
        if not ended and rows == 0:
            promised = f"{total} rows" if last is None else f"{last} pages"
            raise ValueError(f"it has no rows, and there should be {promised}")
        return ended

    def _whole(self, name: str, document: Document) -> int | None:
        if name not in self._places:
            return None
        found = self._found(name, document)
        try:
            return int(found)
        except (TypeError, ValueError):
            raise ValueError(f"paging.{name} finds {found!r}, not a whole number") from None

    def _found(self, name: str, document: Document) -> Any:
        place = self._places[name]
        if not place.startswith(_HEADER):
            return document.find(place)
        header = place.removeprefix(_HEADER).strip().lower()
        said = document.answer.headers.get(header, "")
        return next_link(said) if header == "link" else said


def next_link(header: str) -> str | None:
    """The target of the link to the next page in a header `Link`, if there is one.

    Grammar: RFC 8288, section 3.
    """
    for target, parameters in _LINK.findall(header):
        if _NEXT.search(parameters):
            return str(target)
    return None
