"""Follows answers that come in pages: a class for each strategy, registered in `PAGINATORS`.

A page that is missing is an error, never the end: a run takes all pages or none.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from dataportal.plugins.readers.parameters import Params

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dataportal.plugins.declarative.records import Document, Reader

_HEADER = "header:"
_MOST = 10**15  # rows or pages
_LINK = re.compile(r"<([^<>]*)>((?:\s*;[^,;<>]*)*)")
_NEXT = re.compile(r""";\s*rel\s*=\s*"?(?:[^"]*\s)?next(?:\s[^"]*)?"?\s*(?:;|$)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageAddress:
    """How one page is asked for: by query parameters, or by an address, which may be relative."""

    query: Mapping[str, str | int]
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was received.

    Attributes:
        number: of the page, from 1.
        document: what it holds.
        rows: how many rows it has.
        rows_so_far: how many rows all pages have had up to and with this one.
    """

    number: int
    document: Document
    rows: int
    rows_so_far: int


class Paginator(ABC):
    """How an API cuts its answers into pages, from the parameter `paging` of a source.

    Every strategy takes these parameters, whether it has a use for them or not:

    - `size` and `size_param`: how many rows to ask for in a page, and under which name.
    - `first` (1): the number of the first page.
    - `total`: finds how many rows there are; `last`: finds the number of the last page.
    - `from`: finds the next cursor.
    - `max_pages` (1000): more is an error.

    What finds something is an expression (JSON) or a path (XML) in the whole answer, or
    `header:NAME` for a header of it; of `header:Link` the link to the next page is taken (RFC
    8288).

    Args:
        params: those under `paging`.
    """

    parameter: ClassVar[str] = ""
    """The parameter that chooses the strategy."""
    finders: ClassVar[tuple[str, ...]] = ("from", "total", "last")
    """The parameters that find something in an answer."""
    counts_rows: ClassVar[bool] = False
    """Whether the number of rows in a page says which page is the last."""

    def __init__(self, params: Params) -> None:
        self._value = params.text(self.parameter) if self.parameter else ""
        self._first_number = params.whole_number("first", 1)
        self._size = params.whole_number("size")
        self._size_param = params.text("size_param")
        self.max_pages = params.whole_number("max_pages", 1000)
        if self.max_pages < 1:
            params.add_fault("max_pages must be 1 or more")
        self._paths = {name: params.text(name) for name in self.finders if params.has(name)}

    def faults(self, reader: Reader) -> Iterable[str]:
        """What is wrong with the paths, given what reads the answers."""
        for name, path in self._paths.items():
            if not path.startswith(_HEADER):
                try:
                    reader.check_document_path(path)
                except ValueError as error:
                    yield f"paging.{name}: {error}"

    def first(self) -> PageAddress:
        """How the first page is asked for."""
        return PageAddress(self._size_query())

    @abstractmethod
    def next(self, page: Page) -> PageAddress | None:
        """How the page after this one is asked for; None if this is the last.

        Raises:
            ValueError: what should be found in the page makes no sense, or rows are missing.
        """

    def likely_pages(self, page: Page) -> Iterator[PageAddress]:
        """How all further pages will probably be asked for, as far as this page tells."""
        del page
        return iter(())

    def _size_query(self) -> dict[str, str | int]:
        return {self._size_param: self._size} if self._size and self._size_param else {}

    def _find(self, name: str, document: Document) -> Any:
        """What the parameter `name` finds in a page."""
        path = self._paths[name]
        if not path.startswith(_HEADER):
            return document.find(path)
        header = path.removeprefix(_HEADER).strip().lower()
        value = document.answer.headers.get(header, "")
        return next_link(value) if header == "link" else value

    def _find_number(self, name: str, document: Document) -> int | None:
        """The whole number that the parameter `name` finds; None if the parameter is not set."""
        if name not in self._paths:
            return None
        value = self._find(name, document)
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"paging.{name} finds {value!r}, not a whole number") from None
        if abs(number) > _MOST:
            raise ValueError(f"paging.{name} finds a number of more than 15 digits")
        return number


class SinglePage(Paginator):
    """An answer is whole."""

    def next(self, page: Page) -> None:
        """There is no other page."""


class _CountingPaginator(Paginator):
    """Pages that are counted, or whose rows are.

    `last` or `total` tells which page is the last; without them a page with fewer rows than `size`,
    or with none, is the last.
    """

    counts_rows = True

    def first(self) -> PageAddress:
        return self._address(0, 0)

    def next(self, page: Page) -> PageAddress | None:
        return None if self._is_last(page) else self._address(page.number, page.rows_so_far)

    def likely_pages(self, page: Page) -> Iterator[PageAddress]:
        """As `Paginator.likely_pages`, if all further pages have as many rows as this one."""
        last = self._find_number("last", page.document)
        total = self._find_number("total", page.document)
        if not page.rows:
            return
        if last is not None:
            remaining = last - self._first_number + 1 - page.number
        elif total is not None:
            remaining = -((page.rows_so_far - total) // page.rows)
        else:
            return
        for more in range(min(remaining, self.max_pages - page.number)):
            yield self._address(page.number + more, page.rows_so_far + more * page.rows)

    @abstractmethod
    def _position(self, pages: int, rows: int) -> int:
        """The value of the query parameter after so many pages and rows."""

    def _address(self, pages: int, rows: int) -> PageAddress:
        return PageAddress({**self._size_query(), self._value: self._position(pages, rows)})

    def _is_last(self, page: Page) -> bool:
        last = self._find_number("last", page.document)
        total = self._find_number("total", page.document)
        if last is not None:
            is_last = page.number >= last - self._first_number + 1
        elif total is not None:
            is_last = page.rows_so_far >= total
        else:
            return page.rows == 0 or page.rows < self._size
        if not is_last and page.rows == 0:
            promised = f"{total} rows" if last is None else f"{last} pages"
            raise ValueError(f"it has no rows, and there should be {promised}")
        return is_last


class PageNumberPaginator(_CountingPaginator):
    """Pages with numbers.

    - `page: NAME`: the query parameter that takes the number of a page, from `first` on.
    """

    parameter = "page"

    def _position(self, pages: int, rows: int) -> int:
        del rows
        return self._first_number + pages


class OffsetPaginator(_CountingPaginator):
    """Pages that begin after so many rows.

    - `offset: NAME`: the query parameter that says how many rows to leave out. It needs `size` or
      `total`.
    """

    parameter = "offset"

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        if not self._size and "total" not in self._paths:
            params.add_fault("offset needs size, or total")

    def _position(self, pages: int, rows: int) -> int:
        del pages
        return rows


class CursorPaginator(Paginator):
    """Pages that name the next one by a token.

    - `cursor: NAME`: the query parameter that takes what `from` finds in the page before.
    """

    parameter = "cursor"

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        if "from" not in self._paths:
            params.add_fault("cursor needs from, which finds the next cursor in a page")

    def next(self, page: Page) -> PageAddress | None:
        """With the cursor of this page; None if it has none."""
        cursor = self._find("from", page.document)
        if cursor in (None, ""):
            return None
        return PageAddress({**self._size_query(), self._value: str(cursor)})


class NextLinkPaginator(Paginator):
    """Pages that hold the address of the next one.

    - `next: PATH`: finds the address.
    """

    parameter = "next"
    finders = (*Paginator.finders, "next")

    def next(self, page: Page) -> PageAddress | None:
        """Where the link of this page leads; None if it has none."""
        link = self._find("next", page.document)
        return PageAddress({}, str(link)) if link else None


PAGINATORS: dict[str, type[Paginator]] = {
    paginator.parameter: paginator
    for paginator in (PageNumberPaginator, OffsetPaginator, CursorPaginator, NextLinkPaginator)
}
"""The strategies by the parameter that chooses each."""


def read_paginator(paging: Mapping[str, Any]) -> Paginator:
    """The strategy that the parameter `paging` of a source describes; a single page if it is empty.

    Raises:
        ValueError: with everything that is wrong with it.
    """
    params = Params(paging)
    chosen = [paginator for name, paginator in PAGINATORS.items() if params.has(name)]
    if paging and len(chosen) != 1:
        params.add_fault(f"must have one of {', '.join(PAGINATORS)}")
    paginator = chosen[0](params) if chosen else SinglePage(params)
    params.finish()
    return paginator


def next_link(header: str) -> str | None:
    """The target of the link to the next page in a header `Link`, if there is one.

    Grammar: RFC 8288, section 3.
    """
    for target, parameters in _LINK.findall(header):
        if _NEXT.search(parameters):
            return str(target)
    return None
