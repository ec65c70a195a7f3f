"""Follows answers that come in pages: a class for each strategy, registered in `PAGINATORS`.

A page that is missing is an error, never the end: a run takes all pages or none.

More than 500 lines, as the strategies stand side by side: each is its parameters and its end.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import urlsplit

from dataportal.plugins.declarative.links import next_link
from dataportal.plugins.parameters import Count, Parameters, WholeNumber, about, expectation, one_of
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dataportal.plugins.declarative.records import Document, Reader
    from dataportal.plugins.readers.parameters import Params

    AddFault = Callable[..., None]
    """Notes a fault: the message, and the keys under `paging` that lead to it."""

_HEADER = "header:"
_PROMISES = ("total", "last")
_WHOLE = re.compile(r"([0-9]{1,18})(?:\.0*)?")
_FALSE_WORDS = {"", "false", "null", "none", "no", "n", "f", "0"}
_TRUE_WORDS = {"true", "yes", "y", "t", "1"}
_BEYOND_THE_END = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
}
"""How servers refuse a page after the last one."""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """How one page is asked for: by parameters, or by an address, which may be relative.

    Attributes:
        query: the parameters, of the query or of the body.
        url: the address.
        is_query: whether only the query of that address counts.
    """

    query: Mapping[str, str | int | float]
    url: str | None = None
    is_query: bool = False


@dataclass(slots=True)
class Pages:
    """The pages of one request that were received so far.

    Attributes:
        number: how many there are.
        rows: how many rows the last one has.
        rows_of_first: how many the first one has.
        rows_so_far: how many all of them have.
        document: what the last one holds; None if it has no content.
        promises: how many rows (`total`) or pages (`last`) there are, as far as a page said it.
        knows_has_more: whether any page said whether more follow.
    """

    number: int = 0
    rows: int = 0
    rows_of_first: int = 0
    rows_so_far: int = 0
    document: Document | None = None
    promises: dict[str, int] = field(default_factory=dict)
    knows_has_more: bool = False

    def add(self, document: Document | None, rows: int) -> None:
        """One more was received."""
        self.number += 1
        self.rows = rows
        self.rows_so_far += rows
        self.document = document
        if self.number == 1:
            self.rows_of_first = rows


_PLACE = "an expression or a path in the whole answer, or `header:NAME`"


class PagingParameters(Parameters, rename={"from_": "from", "in_": "in"}):
    """How an API cuts its answers into pages."""

    page: Annotated[
        str | None,
        about(
            "the query parameter that takes the number of a page, from `first` on",
            aliases=("page_param",),
        ),
    ] = None
    offset: Annotated[
        str | None,
        about(
            "or the one that takes the number of a row, from `first` on; with `size`, `total`, "
            "`last` or `has_more`",
            aliases=("offset_param",),
        ),
    ] = None
    cursor: Annotated[
        str | None,
        about(
            "or the one that takes what `from` finds in the page before", aliases=("cursor_param",)
        ),
    ] = None
    next: Annotated[
        str | None,
        about(
            f"or where the address of the next page stands: {_PLACE}; `header:Link` is the link to "
            "the next page",
            aliases=("next_url_path",),
        ),
    ] = None
    from_: Annotated[
        str | None, about("where the next cursor stands, likewise", aliases=("cursor_path",))
    ] = None
    size: Annotated[
        WholeNumber | None,
        about("how many rows to ask for in a page", aliases=("page_size", "limit")),
    ] = None
    size_param: Annotated[
        str | None, about("the query parameter that takes `size`", aliases=("limit_param",))
    ] = None
    first: Annotated[
        WholeNumber | None,
        about(
            "the number of the first page (1), or of the first row (0)",
            aliases=("base_page", "start_from_page"),
        ),
    ] = None
    total: Annotated[str | None, about("where it stands how many rows there are")] = None
    last: Annotated[str | None, about("where the number of the last page stands")] = None
    has_more: Annotated[
        str | None,
        about("where it stands whether another page follows", aliases=("has_more_path",)),
    ] = None
    short_page: Annotated[
        str | None,
        one_of(("ask", "end")),
        about(
            "whether a page with fewer rows than `size` is the `end`, or the next one is to be "
            "asked for: `ask` (ask)"
        ),
    ] = None
    other_hosts: Annotated[
        bool | None, about("whether a link may lead to another host, without keys (false)")
    ] = None
    query_only: Annotated[
        bool | None,
        about("of a link whether only its query counts, as its host does not serve (false)"),
    ] = None
    in_: Annotated[
        str | None,
        one_of(("query", "body")),
        about(
            "whether the parameters belong in the `query` or in the `body` (the body, if that is a "
            "form or JSON)"
        ),
    ] = None
    max_pages: Annotated[Count, about("more pages are an error (1000)")] = 1000

    def value(self, name: str) -> Any:
        """What a parameter of this name is; None where it is not given."""
        return getattr(self, {"from": "from_", "in": "in_"}.get(name, name))


class PagesParameters(Parameters):
    """Whether answers come in pages."""

    paging: Annotated[
        str | PagingParameters | None,
        one_of(("none",)),
        expectation("a mapping, or none"),
        about(
            "how answers are cut into [pages](#pages); `none` says that they are whole",
            aliases=("paginator",),
        ),
    ] = None


class Paginator(ABC):
    """How an API cuts its answers into pages, from the parameter `paging` of a source.

    A strategy takes those of `PagingParameters` that it has a use for, and refuses the others.

    What the first page says of `total` and `last` holds where later ones say nothing; fewer rows or
    pages are an error.

    What finds something is an expression (JSON) or a path (XML) in the whole answer, or
    `header:NAME` for a header of it; of `header:Link` the link to the next page is taken (RFC
    8288).

    Args:
        paging: what sources.yaml says.
        add_fault: notes what is wrong with it.
    """

    parameter: ClassVar[str] = ""
    """The parameter that chooses the strategy."""
    takes: ClassVar[tuple[str, ...]] = ()
    """The parameters that it has a use for, beside `max_pages`."""
    finders: ClassVar[tuple[str, ...]] = ("from", "total", "last", "has_more")
    """The parameters that find something in an answer."""
    counts_rows: ClassVar[bool] = False
    """Whether the number of rows in a page says which page is the last."""
    first_number: ClassVar[int] = 1
    """What `first` is if it is not set."""

    def __init__(self, paging: PagingParameters, add_fault: AddFault) -> None:
        self._refuse_others(paging, add_fault)
        self._value = paging.value(self.parameter) if self.parameter else ""
        self._first_number = self.first_number if paging.first is None else paging.first
        self._size = paging.size or 0
        self._size_param = paging.size_param or ""
        if self._size_param and not self._size:
            add_fault("size_param needs size, the number of rows to ask for", "size_param")
        self._short_page_ends = paging.short_page == "end"
        self.follows_other_hosts = bool(paging.other_hosts)
        self.query_only = bool(paging.query_only)
        if self.query_only and self.follows_other_hosts:
            add_fault("query_only does not go with other_hosts", "query_only")
        self.place = paging.in_ or ""
        self.max_pages = paging.max_pages
        self._paths: dict[str, str] = {
            name: path for name in self.finders if (path := paging.value(name)) is not None
        }

    def _refuse_others(self, paging: PagingParameters, add_fault: AddFault) -> None:
        """Note the parameters that this strategy has no use for: they would be read in vain."""
        if not self.parameter:
            return
        for name in _OPTIONS:
            if name not in self.takes and paging.value(name) is not None:
                add_fault(f"{name} means nothing beside {self.parameter}", name)

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

    def next(self, pages: Pages) -> PageAddress | None:
        """How the page after the last one is asked for; None if there is no more.

        Raises:
            ValueError: what should be found in the page makes no sense, or rows are missing.
        """
        self._read_promises(pages)
        onward = self._onward(pages)
        if onward is None:
            self._check_promises(pages)
        return onward

    @abstractmethod
    def _onward(self, pages: Pages) -> PageAddress | None:
        """As `next`, once the promises of the last page were read."""

    def likely_pages(self, pages: Pages) -> Iterator[PageAddress]:
        """How all further pages will probably be asked for, as far as those received tell."""
        del pages
        return iter(())

    def is_end(self, pages: Pages, status: int) -> bool:
        """Whether the refusal of the page after these says that there is none."""
        del pages, status
        return False

    def _read_promises(self, pages: Pages) -> None:
        if pages.document is None:
            return  # no content (204) promises nothing, and breaks what was promised before
        for name in _PROMISES:
            if name not in self._paths:
                continue
            number = self._find_number(name, pages.document)
            if number is not None:
                pages.promises[name] = number
            elif name not in pages.promises:
                raise ValueError(f"paging.{name} finds nothing")

    def _check_promises(self, pages: Pages) -> None:
        """Raise a ValueError if less came than was promised."""
        total, last = pages.promises.get("total"), self._promised_pages(pages)
        if total is not None and pages.rows_so_far < total:
            raise ValueError(f"it is the last one, and {pages.rows_so_far} of {total} rows came")
        if last is not None and pages.number < last:
            raise ValueError(f"it is the last one, and {pages.number} of {last} pages came")

    def _promised_pages(self, pages: Pages) -> int | None:
        return pages.promises.get("last")

    def _is_promise_kept(self, pages: Pages) -> bool | None:
        """Whether all that was promised came; None where nothing was."""
        last, total = self._promised_pages(pages), pages.promises.get("total")
        if last is not None:
            return pages.number >= last
        return None if total is None else pages.rows_so_far >= total

    def _find_has_more(self, pages: Pages) -> bool | None:
        """Whether the last page says that more follow; None where it says nothing."""
        if "has_more" not in self._paths:
            return None
        value = self._find("has_more", pages.document)
        if value is None:
            return None
        word = str(value).strip().lower()
        if word not in _FALSE_WORDS | _TRUE_WORDS:
            raise ValueError(f"paging.has_more finds {value!r}, neither true nor false")
        if word:
            pages.knows_has_more = True
        return word in _TRUE_WORDS if word else None

    def _size_query(self) -> dict[str, str | int]:
        return {self._size_param: self._size} if self._size and self._size_param else {}

    def _find(self, name: str, document: Document | None) -> Any:
        """What the parameter `name` finds in a page; None for nothing."""
        if document is None:
            return None
        path = self._paths[name]
        if not path.startswith(_HEADER):
            return document.find(path)
        header = path.removeprefix(_HEADER).strip().lower()
        value = document.answer.headers.get(header)
        return next_link(value or "") if header == "link" else value

    def _find_number(self, name: str, document: Document | None) -> int | None:
        """The whole number that the parameter `name` finds; None for nothing."""
        value = self._find(name, document)
        if value is None or value == "":
            return None
        match = None if isinstance(value, bool) else _WHOLE.fullmatch(str(value).strip())
        if match is None:
            shown = harmless(repr(value), 60)
            raise ValueError(f"paging.{name} finds {shown}, not a whole number of 0 or more")
        return int(match[1])


class SinglePage(Paginator):
    """An answer is whole."""

    def _onward(self, pages: Pages) -> None:
        """There is no other page."""


class _CountingPaginator(Paginator):
    """Pages that are counted, or whose rows are.

    `has_more`, `last` or `total` tells which page is the last; without them a page without rows is,
    or one that the server refuses after a short one.
    """

    counts_rows = True
    takes = ("first", "size", "size_param", "total", "last", "has_more", "short_page")

    def __init__(self, paging: PagingParameters, add_fault: AddFault) -> None:
        super().__init__(paging, add_fault)
        if paging.short_page is not None:
            names = (*_PROMISES, "has_more")
            tells = next((name for name in names if paging.value(name) is not None), None)
            if tells:
                add_fault(
                    f"short_page means nothing beside {tells}, which tells the end", "short_page"
                )
            if self._short_page_ends and not self._size:
                add_fault(
                    "short_page: end needs size, the number of rows of a full page", "short_page"
                )

    def first(self) -> PageAddress:
        return self._address(0, 0)

    def likely_pages(self, pages: Pages) -> Iterator[PageAddress]:
        """As `Paginator.expected`, if all further pages have as many rows as the last one."""
        last, total = self._promised_pages(pages), pages.promises.get("total")
        if not pages.rows or "has_more" in self._paths:
            return
        if last is not None:
            remaining = last - pages.number
        elif total is not None:
            remaining = -((pages.rows_so_far - total) // pages.rows)
        else:
            return
        for more in range(min(remaining, self.max_pages - pages.number)):
            yield self._address(pages.number + more, pages.rows_so_far + more * pages.rows)

    def is_end(self, pages: Pages, status: int) -> bool:
        """As `Paginator.is_end`: only after a page that was short, as far as anyone can tell.

        After a full one it is a limit of the server, beyond which there are more rows.
        """
        is_told = bool(pages.promises) or pages.knows_has_more or self._short_page_ends
        is_short = pages.rows < pages.rows_of_first or pages.number == 1
        return status in _BEYOND_THE_END and pages.number > 0 and is_short and not is_told

    @abstractmethod
    def _position(self, pages: int, rows: int) -> int:
        """The value of the query parameter after so many pages and rows."""

    def _address(self, pages: int, rows: int) -> PageAddress:
        return PageAddress({**self._size_query(), self._value: self._position(pages, rows)})

    def _onward(self, pages: Pages) -> PageAddress | None:
        return None if self._is_last(pages) else self._address(pages.number, pages.rows_so_far)

    def _is_last(self, pages: Pages) -> bool:
        has_more, is_kept = self._find_has_more(pages), self._is_promise_kept(pages)
        if has_more is None and pages.knows_has_more:
            has_more = False
        if has_more and not pages.rows:
            raise ValueError("it has no rows, and paging.has_more says that more follow")
        if has_more is not None:
            return not has_more
        if is_kept is not None:
            if not is_kept and not pages.rows:
                total, last = pages.promises.get("total"), pages.promises.get("last")
                promise = f"{total} rows" if last is None else f"{last} pages"
                raise ValueError(f"it has no rows, and there should be {promise}")
            return is_kept
        return pages.rows == 0 or (self._short_page_ends and pages.rows < self._size)


class PageNumberPaginator(_CountingPaginator):
    """Pages with numbers.

    - `page: NAME`: the query parameter that takes the number of a page, from `first` on.
    """

    parameter = "page"

    def _position(self, pages: int, rows: int) -> int:
        del rows
        return self._first_number + pages

    def _promised_pages(self, pages: Pages) -> int | None:
        last = pages.promises.get("last")
        return None if last is None else last - self._first_number + 1


class OffsetPaginator(_CountingPaginator):
    """Pages that begin after so many rows.

    - `offset: NAME`: the query parameter that takes the number of a row, from `first` on. It needs
      `size`, `total`, `last` or `has_more`.
    """

    parameter = "offset"
    first_number = 0

    def __init__(self, paging: PagingParameters, add_fault: AddFault) -> None:
        super().__init__(paging, add_fault)
        if not self._size and not self._paths:
            add_fault("offset needs size, total, last or has_more", "offset")

    def _position(self, pages: int, rows: int) -> int:
        del pages
        return self._first_number + rows


class CursorPaginator(Paginator):
    """Pages that name the next one by a token.

    - `cursor: NAME`: the query parameter that takes what `from` finds in the page before. None is
      found where it is absent, null, empty or false.
    """

    parameter = "cursor"
    takes = ("from", "size", "size_param", "total", "last", "has_more")

    def __init__(self, paging: PagingParameters, add_fault: AddFault) -> None:
        super().__init__(paging, add_fault)
        if "from" not in self._paths:
            add_fault("cursor needs from, which finds the next cursor in a page", "cursor")
        if self._size and not self._size_param:
            add_fault("size means nothing beside cursor without size_param", "size")

    def _onward(self, pages: Pages) -> PageAddress | None:
        has_more = self._find_has_more(pages)
        cursor = self._find("from", pages.document)
        if self._is_promise_kept(pages) or has_more is False:
            return None
        if _is_none(cursor):
            if has_more:
                raise ValueError("paging.has_more says that more follow, and there is no cursor")
            return None
        if isinstance(cursor, str | int | float) and cursor is not True:
            return PageAddress({**self._size_query(), self._value: cursor})
        raise ValueError(f"paging.from finds {cursor!r}, which is no cursor")


class NextLinkPaginator(Paginator):
    """Pages that hold the address of the next one.

    - `next: PATH`: finds the address. None is found where it is absent, null, empty or false.
    """

    parameter = "next"
    takes = ("size", "size_param", "total", "last", "other_hosts", "query_only")
    finders = (*Paginator.finders, "next")

    def __init__(self, paging: PagingParameters, add_fault: AddFault) -> None:
        super().__init__(paging, add_fault)
        if self._size and not self._size_param:
            add_fault("size means nothing beside next without size_param", "size")

    def _onward(self, pages: Pages) -> PageAddress | None:
        link = self._find("next", pages.document)
        if self._is_promise_kept(pages) or _is_none(link):
            return None
        if isinstance(link, str):
            if self.query_only and not urlsplit(link.strip()).query:
                raise ValueError(f"paging.next finds {link!r}, which has no query")
            return PageAddress({}, link.strip(), is_query=self.query_only)
        raise ValueError(f"paging.next finds {link!r}, which is no address")


PAGINATORS: dict[str, type[Paginator]] = {
    paginator.parameter: paginator
    for paginator in (PageNumberPaginator, OffsetPaginator, CursorPaginator, NextLinkPaginator)
}
"""The strategies by the parameter that chooses each."""
_OPTIONS = tuple(
    dict.fromkeys(name for paginator in PAGINATORS.values() for name in paginator.takes)
)


def read_paginator(params: Params) -> Paginator:
    """The strategy that the parameter `paging` describes; a single page if there is none.

    What is wrong with it is noted in `params`.
    """
    return paginator_of(params.read(PagesParameters).paging, params)


def paginator_of(paging: str | PagingParameters | None, params: Params) -> Paginator:
    """The strategy that some parameters describe; what is wrong with them is noted."""

    def add_fault(message: str, *keys: str) -> None:
        params.add_fault(f"paging: {message}", "paging", *keys)

    if not isinstance(paging, PagingParameters):
        return SinglePage(PagingParameters(), add_fault)
    chosen = [cls for name, cls in PAGINATORS.items() if paging.value(name) is not None]
    if len(chosen) != 1 and paging != PagingParameters():
        add_fault(f"must have one of {', '.join(PAGINATORS)}")
    return (chosen[0] if chosen else SinglePage)(paging, add_fault)


def _is_none(value: Any) -> bool:
    """Whether what should name the next page says that there is none; 0 is a name."""
    if isinstance(value, str):
        return value.strip().lower() in {"", "false", "null"}
    return value is None or value is False or (isinstance(value, list | dict) and not value)
