"""Requests the pages of a window of time from a provider that sources.yaml describes."""

from __future__ import annotations

from collections import deque
from contextlib import aclosing
from datetime import UTC, timedelta
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from dataportal.plugins.declarative.auth import read_credentials
from dataportal.plugins.declarative.pagination import Pages, read_paginator
from dataportal.plugins.declarative.periods import next_period, period_start
from dataportal.plugins.declarative.prefetch import MAX_PENDING, Prefetcher
from dataportal.plugins.declarative.templates import Template
from dataportal.plugins.http.errors import NotFoundError, RefusedError
from dataportal.plugins.http.urls import address, is_trusted
from dataportal.plugins.readers.parameters import ParameterError, quotes_hint
from dataportal.plugins.readers.rate_limits import optional_rate_limit
from dataportal.times import EARLIEST, parse_duration, parse_instant, time_zone

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from dataportal.plugins.declarative.pagination import PageAddress
    from dataportal.plugins.declarative.records import Document
    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params
    from dataportal.plugins.readers.times import Window

# some providers say so that there are no data, and others that the address is wrong
_MAY_SAY_NOTHING = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
_PERIODS = ("hour", "day", "week", "month", "year")
_LENGTHS = {"hour": timedelta(hours=1)}


class _HttpRequest(NamedTuple):
    """One request: its address, its query, and the address that the first page had."""

    url: str
    query: dict[str, Any]
    origin: str

    def for_page(self, page: PageAddress) -> _HttpRequest:
        """The request for another page; a link to it needs no query of ours."""
        if page.url is not None:
            return self._replace(url=urljoin(self.url, page.url), query={})
        return self._replace(query={**self.query, **page.query})

    @property
    def leads_elsewhere(self) -> bool:
        """Whether it goes to another host than the first page."""
        return self.url != self.origin and not is_trusted(
            address(self.origin, None), address(self.url, None)
        )


class Request:
    """How a provider is asked, from the parameters of a source.

    - `url`, with fields as in `Template`; `base_url` in front of a `url` that is only a path.
    - `query`: parameters by name, with fields as well; a list gives its name several times.
    - `headers`; `auth`: `header: {NAME: KEY}`, `query: {NAME: KEY}`, `bearer: TOKEN`, or
      `basic: {user: …, password: …}`.
    - `per_minute`: requests a minute; `everywhere` (false): whether all machines that share the
      database must keep it together.
    - `each`: `hour`, `day`, `week`, `month` or `year`, or a length that divides an hour, such as
      `30 minutes`: one request for every one that the window touches; in `zone` (UTC).
    - `ahead` (1 day): how far past now an open window's `{end}` reaches.
    - `earliest`: no `{start}` lies before this.
    - `paging`: see `Paginator`; `none` says that there is one page.
    - `not_found_is_empty` (false): whether HTTP 404 means "no data" rather than a wrong address;
      not of a page after the first one.

    Args:
        params: of the source.
        now: tells the present.

    Attributes:
        paginator: how answers are cut into pages.
    """

    def __init__(self, params: Params, now: Callable[[], datetime]) -> None:
        self._now = now
        url, base_url = params.text("url", required=True), params.text("base_url")
        if base_url and "://" in url:
            params.add_fault("base_url goes with a url that is only a path")
        elif base_url:
            url = f"{base_url.rstrip('/')}/{url.lstrip('/')}"
        self._query: dict[str, list[Template]] = {}
        self._each = _read_each(params)
        interval = _LENGTHS.get(self._each) if isinstance(self._each, str) else self._each
        self._url = _template(params, "url", url, interval)
        for name, value in params.tree("query").items():
            values = value if isinstance(value, list) else [value]
            if any(isinstance(item, dict | list) for item in values):
                message = f"query.{name} must be a text or a list of texts{quotes_hint(value)}"
                params.add_fault(message, "query", name)
                continue
            self._query[name] = [
                _template(params, f"query.{name}", _query_text(item), interval) for item in values
            ]
        self._credentials = read_credentials(params)
        self._headers = {**params.mapping("headers"), **self._credentials.headers}
        self._limit = optional_rate_limit(
            params,
            key=self._credentials.key,
            everywhere=params.flag("everywhere", default=False),
        )
        self._ahead = timedelta(days=1)
        self._earliest = EARLIEST
        self._zone: Any = UTC
        for name, parse in (
            ("ahead", parse_duration),
            ("earliest", parse_instant),
            ("zone", time_zone),
        ):
            if params.has(name):
                try:
                    setattr(self, f"_{name}", parse(params.text(name)))
                except ValueError as error:
                    params.add_fault(f"{name}: {error}")
        self._not_found_is_empty = params.flag("not_found_is_empty", default=False)
        self._speaks_of_pages = params.has("paging")
        self.paginator = read_paginator({})
        try:
            self.paginator = read_paginator(params.tree("paging", empty="none"))
        except ParameterError as error:
            for keys, message in error.faults:
                params.add_fault(f"paging: {message}", "paging", *keys)

    @property
    def address_fields(self) -> frozenset[str]:
        """The names of the fields that the extract_filter of each series fills in."""
        return frozenset().union(*(template.names for template in self._templates))

    async def pages(
        self,
        window: Window,
        address_fields: Mapping[str, str],
        *,
        http: HttpClient,
        read: Callable[[Answer], Sequence[Document]],
        says_nothing: Callable[[Answer], bool] | None = None,
        review: Callable[[Sequence[Document], datetime, datetime], None] = lambda *_: None,
    ) -> AsyncGenerator[Sequence[Document] | None]:
        """The documents of every page of every request that the window takes, in order.

        None for an answer that is as it was when it was stored. Whoever does not take all of them
        must close the generator: requests may be pending whose answers were to come next.

        Args:
            window: what to ask for.
            address_fields: the texts of the fields of the address.
            http: the client.
            read: makes documents of an answer; none of one that says that there are no data.
            says_nothing: whether an answer under a status of refusal says so.
            review: looks at the documents of an answer again once they were taken, if the source
                says nothing of pages; with the start and the end of what was asked for.

        Raises:
            FetchError: as the client and `read` do; a BadDataError for pages without end.
        """
        prefetcher = Prefetcher[_HttpRequest, "Answer | None"](
            lambda request: self._send(http, request, says_nothing)
        )
        try:
            requests = (
                (self._http_request(start, end, address_fields), start, end)
                for start, end in self._ranges(window)
            )
            following = deque(islice(requests, MAX_PENDING))
            while following:
                if not self.has_pages:
                    prefetcher.expect(request for request, _, _ in following)
                request, start, end = following.popleft()
                pages = self._pages_of(request, prefetcher, read)
                async with aclosing(pages):
                    async for documents in pages:
                        yield documents
                        if documents and not self._speaks_of_pages:
                            review(documents, start, end)
                following.extend(islice(requests, 1))
        finally:
            await prefetcher.cancel()

    async def _pages_of(  # noqa: C901 - the ways in which pages end
        self,
        request: _HttpRequest,
        prefetcher: Prefetcher[_HttpRequest, Answer | None],
        read: Callable[[Answer], Sequence[Document]],
    ) -> AsyncGenerator[Sequence[Document] | None]:
        """The documents of every page of one request."""
        received, last_body = Pages(), b""
        page_address: PageAddress | None = self.paginator.first()
        while page_address is not None:
            number = received.number + 1
            request = request.for_page(page_address)
            try:
                answer = await prefetcher.answer(request)
            except RefusedError as error:
                if self._is_nothing(error, received):
                    return
                raise
            if answer is None:
                return
            if answer.unchanged:
                yield None
                return
            if number > 1 and answer.body == last_body and answer.body:
                raise answer.bad(f"is page {number}, and the same as page {number - 1}")
            last_body = answer.body
            documents = read(answer)
            yield documents
            if self._is_repeated:
                answer.keep()
            rows = sum(document.row_count for document in documents)
            received.add(documents[0] if documents else None, rows)
            try:
                page_address = self.paginator.next(received)
                expected = () if page_address is None else self.paginator.expected(received)
            except ValueError as error:
                raise answer.bad(f"is page {number}, and cannot be followed: {error}") from None
            if page_address is not None and number >= self.paginator.max_pages:
                raise answer.bad(f"is page {number}, and there are more: see max_pages")
            if page_address is not None:
                self._check_link(answer, request.for_page(page_address))
                prefetcher.expect(map(request.for_page, expected))

    def _is_nothing(self, error: RefusedError, received: Pages) -> bool:
        """Whether a refusal says that there is nothing, or nothing after the pages received."""
        if not received.number:
            return isinstance(error, NotFoundError) and self._not_found_is_empty
        return self.paginator.is_end(received, error.status)

    def _check_link(self, answer: Answer, request: _HttpRequest) -> None:
        """Refuse a link to another host, unless `paging` has it so."""
        if not request.leads_elsewhere or self.paginator.follows_other_hosts:
            return
        raise answer.bad(
            f"has a link to {address(request.url, None).host} as its next page, another host than "
            "was asked",
            hint="If it is to be followed, without keys: other_hosts: true under paging",
        )

    @property
    def _templates(self) -> list[Template]:
        return [self._url, *(template for values in self._query.values() for template in values)]

    @property
    def has_pages(self) -> bool:
        """Whether an answer may have more than one page."""
        return bool(self.paginator.parameter)

    @property
    def _is_repeated(self) -> bool:
        """Whether the next run will send the same request, for an answer in one piece."""
        depends_on_window = not self._each and any(
            template.has_times for template in self._templates
        )
        return not depends_on_window and not self.has_pages

    def _ranges(self, window: Window) -> Iterator[tuple[datetime, datetime]]:
        """The start and the end of each request that the window takes."""
        start = max(window.start, self._earliest)
        end = self._now() + self._ahead if window.end is None else window.end
        if not self._each:
            if start < end:
                yield start, end
            return
        floor = period_start(start.astimezone(self._zone), self._each)
        while floor < end:
            after = next_period(floor, self._each)
            yield floor.astimezone(UTC), after.astimezone(UTC)
            floor = after

    def _http_request(
        self, start: datetime, end: datetime, address_fields: Mapping[str, str]
    ) -> _HttpRequest:
        """The request for a range, without what its pages differ in."""
        query: dict[str, Any] = {}
        for name, templates in self._query.items():
            values = [template.fill(start, end, address_fields) for template in templates]
            query[name] = values if len(values) > 1 else values[0]
        url = self._url.fill(start, end, address_fields, _quote)
        return _HttpRequest(url, query, url)

    async def _send(
        self,
        http: HttpClient,
        request: _HttpRequest,
        says_nothing: Callable[[Answer], bool] | None,
    ) -> Answer | None:
        """The answer; None for a refusal that says that there are no data."""
        also = () if says_nothing is None else _MAY_SAY_NOTHING
        if request.leads_elsewhere:
            # a link that leads elsewhere gets no key to take along
            answer = await http.get(
                request.url, limit=self._limit, linked_from=request.origin, also=also
            )
        else:
            query = {**request.query, **self._credentials.query}
            answer = await http.get(
                request.url,
                params=query or None,
                headers=self._headers,
                limit=self._limit,
                also=also,
            )
        if says_nothing is None or answer.status not in _MAY_SAY_NOTHING:
            return answer
        if says_nothing(answer):
            return None
        raise answer.refusal(urlsplit(request.url).hostname or "")


def _read_each(params: Params) -> str | timedelta:
    """A period of the calendar, or a length that divides an hour; an empty text for none."""
    text = params.text("each")
    if text not in _PERIODS:
        try:
            length = parse_duration(text) if text else timedelta()
            if length and not timedelta(hours=1) % length:
                return "hour" if length == timedelta(hours=1) else length
        except ValueError:
            pass
        params.choice("each", _PERIODS)
    return text


def _template(params: Params, name: str, text: str, interval: timedelta | None) -> Template:
    try:
        return Template(text, interval)
    except ValueError as error:
        params.add_fault(f"{name}: {error}")
        return Template("")


def _quote(text: str) -> str:
    """A text as it stands in an address, where + is a blank and & begins a parameter."""
    return quote(text, safe="/:,;=@!$'()*")


def _query_text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
