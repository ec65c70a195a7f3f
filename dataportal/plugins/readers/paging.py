"""Answers that come in pages: how the next one is asked for, and when the last one was had.

A page that is not there is an error, never an end: a run takes all pages or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from dataportal.plugins.readers.expressions import Expression
from dataportal.plugins.readers.params import Params

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS = ("page", "offset", "cursor", "next")


@dataclass(frozen=True, slots=True)
class Step:
    """What the next page differs in: query parameters, or a whole address."""

    query: Mapping[str, str | int]
    url: str | None = None


class Paging:
    """How an API cuts its answers, from the parameter `paging`.

    - `page: NAME`: the query parameter that numbers pages, from `first` (1).
    - `offset: NAME`: the query parameter that says how many rows to leave out.
    - `cursor: NAME`: the query parameter that takes what the expression `from` finds in a page.
    - `next: EXPRESSION`: finds the address of the next page.
    - `size` and `size_param`: how many rows to ask for in a page, and under which name. A page with
      fewer rows is the last.
    - `total`: finds how many rows there are; `last`: finds the number of the last page.
    - `max_pages` (1000): more is an error.
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
        self._found: dict[str, Expression] = {}
        for name in ("from", "total", "last", *(("next",) if self._kind == "next" else ())):
            if params.has(name):
                try:
                    self._found[name] = Expression(params.text(name))
                except ValueError as error:
                    params.fault(f"{name}: {error}")
        if self._kind == "cursor" and "from" not in self._found:
            params.fault("cursor needs from, which finds the next cursor in a page")
        if self._kind == "offset" and not self._size and "total" not in self._found:
            params.fault("offset needs size, or total")
        params.finish()

    @property
    def reads_documents(self) -> bool:
        """Whether it looks into the pages, which therefore must be JSON."""
        return bool(self._found)

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

    def after(  # noqa: PLR0911 - one for each kind and its end
        self, number: int, document: Any, *, rows: int, rows_so_far: int, url: str
    ) -> Step | None:
        """How the page after number `number` (from 1) is asked for; None if that was the last.

        Args:
            number: of the page just had.
            document: what it holds, as JSON has it; None where it is none.
            rows: how many rows it has.
            rows_so_far: how many all pages had until now.
            url: the address that it came from.

        Raises:
            ValueError: what should be found in the page makes no sense.
        """
        query = dict(self.first().query)
        match self._kind:
            case "page":
                last = self._whole("last", document)
                ended = number >= last - self._first + 1 if last is not None else False
                if ended or self._is_short(rows, document, rows_so_far):
                    return None
                return Step({**query, self._name: self._first + number})
            case "offset":
                if self._is_short(rows, document, rows_so_far):
                    return None
                return Step({**query, self._name: rows_so_far})
            case "cursor":
                cursor = self._found["from"].find(document)
                return (
                    Step({**query, self._name: str(cursor)}) if cursor not in (None, "") else None
                )
            case "next":
                link = self._found["next"].find(document)
                return Step({}, urljoin(url, str(link))) if link else None
        return None

    def _is_short(self, rows: int, document: Any, rows_so_far: int) -> bool:
        total = self._whole("total", document)
        if total is not None:
            return rows_so_far >= total or rows == 0
        if "last" in self._found:
            return rows == 0
        return rows == 0 or rows < self._size

    def _whole(self, name: str, document: Any) -> int | None:
        if name not in self._found:
            return None
        found = self._found[name].find(document)
        try:
            return int(found)
        except (TypeError, ValueError):
            raise ValueError(f"paging.{name} finds {found!r}, not a whole number") from None
