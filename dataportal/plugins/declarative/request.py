"""Requests the pages of a window of time from a provider that sources.yaml describes.

More than 500 lines, as which requests there are, how each is sent and how its pages end depend on
the same parameters.
"""

from __future__ import annotations

from collections import deque
from contextlib import aclosing
from dataclasses import replace
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from urllib.parse import parse_qs, quote, urljoin, urlsplit

from msgspec import field as default

from dataportal.errors import PermanentError, TransientError
from dataportal.plugins.declarative.auth import AuthParameters, read_credentials
from dataportal.plugins.declarative.body import (
    Body,
    BodyParameters,
    Fields,
    read_template,
    set_in_document,
)
from dataportal.plugins.declarative.index import LINK, Index, IndexParameters
from dataportal.plugins.declarative.pagination import Pages, PagesParameters, read_paginator
from dataportal.plugins.declarative.prefetch import MAX_PENDING, Prefetcher
from dataportal.plugins.declarative.ranges import RangeParameters, Ranges
from dataportal.plugins.declarative.records import Asked
from dataportal.plugins.http.errors import NotFoundError, RefusedError
from dataportal.plugins.http.urls import address, is_trusted
from dataportal.plugins.parameters import Address, Count, Parameters, TextOrTexts, about, one_of
from dataportal.plugins.readers.rate_limits import RateParameters, optional_rate_limit

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        Callable,
        Collection,
        Iterator,
        Mapping,
        Sequence,
    )
    from datetime import datetime, tzinfo

    from dataportal.plugins.declarative.index import Entry, FileList, ListRequest
    from dataportal.plugins.declarative.pagination import PageAddress
    from dataportal.plugins.declarative.records import Document
    from dataportal.plugins.declarative.templates import Template
    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params
    from dataportal.plugins.readers.times import Window

# some providers say so that there are no data, and others that the address is wrong
_MAY_SAY_NOTHING = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
_METHODS = ("GET", "POST")


class _HttpRequest(NamedTuple):
    """One request: its address, what it sends, and the address that the first page had."""

    url: str
    query: dict[str, Any]
    headers: dict[str, str]
    body: Any
    origin: str
    entry: Entry | None = None
    is_kept: bool = False

    def for_page(self, page: PageAddress, place: str) -> _HttpRequest:
        """The request for another page; a link to it needs no query of ours.

        Args:
            page: how it is asked for.
            place: what its parameters are added to: `query`, `form` or `json`.
        """
        if page.url is not None and page.is_query:
            query = parse_qs(urlsplit(page.url).query, keep_blank_values=True)
            return self._replace(query={**self.query, **query})
        if page.url is not None:
            return self._replace(url=urljoin(self.url, page.url), query={})
        if place == "form":
            return self._replace(body={**self.body, **page.query})
        if place == "json":
            body = self.body
            for path, value in page.query.items():
                body = set_in_document(body, path, value)
            return self._replace(body=body)
        return self._replace(query={**self.query, **page.query})

    @property
    def leads_elsewhere(self) -> bool:
        """Whether it goes to another host than the first page."""
        return self.url != self.origin and not is_trusted(
            address(self.origin, None), address(self.url, None)
        )


class AddressParameters(Parameters):
    """Where and how a provider is asked."""

    url: Annotated[
        Address | None,
        about(
            "the address; it may have [fields](declarative.md#fields-in-addresses); of the files "
            "of an `index` that of the entry (`{link}`)",
            aliases=("path",),
        ),
    ] = None
    base_url: Annotated[
        Address, about("put in front of a `url` that is only a path", aliases=("url_base",))
    ] = ""
    query: Annotated[
        dict[str, TextOrTexts],
        about(
            "query parameters by name, with fields too; a list gives its name several times",
            aliases=("params", "request_parameters"),
        ),
    ] = default(default_factory=dict)
    headers: Annotated[
        dict[str, TextOrTexts],
        about("sent with each request, with fields too", aliases=("request_headers",), secret=True),
    ] = default(default_factory=dict)
    method: Annotated[
        str | None,
        one_of(_METHODS),
        about(
            "GET or POST (POST with `form`, `json` or `body`, else GET)", aliases=("http_method",)
        ),
    ] = None


class SendParameters(Parameters):
    """How often, and what a refusal means."""

    safe: Annotated[
        bool | None, about("whether a POST may be sent again after a failure (true)")
    ] = None
    everywhere: Annotated[
        bool, about("whether several machines keep `per_minute` together (false)")
    ] = False
    max_requests: Annotated[
        Count | None,
        about(
            "how many requests a run sends at most; a range that takes more is refused (no limit)"
        ),
    ] = None
    not_found_is_empty: Annotated[bool, about('whether 404 means "no data" (false)')] = False


REQUEST_PARAMETERS: tuple[type[Parameters], ...] = (
    AddressParameters,
    BodyParameters,
    AuthParameters,
    RangeParameters,
    IndexParameters,
    PagesParameters,
    RateParameters,
    SendParameters,
)
"""All that a `Request` reads."""


class Request:
    """How a provider is asked, from the parameters of a source: `REQUEST_PARAMETERS`.

    Args:
        params: of the source.
        now: tells the present.

    Attributes:
        paginator: how answers are cut into pages.
        max_requests: how many requests a run sends at most; None for any number.
    """

    def __init__(self, params: Params, now: Callable[[], datetime]) -> None:
        asked, sent = params.read(AddressParameters), params.read(SendParameters)
        base_url = asked.base_url
        ranges = params.read(RangeParameters)
        self._index = Index.read(params, now, base_url=base_url, ranges=ranges)
        url = asked.url or ("" if self._index is None else f"{{{LINK}}}")
        if not url:
            params.add_fault("url is missing")
        self._is_link = self._index is not None and url == f"{{{LINK}}}"
        if self._is_link:
            pass  # the address of a file is whole
        elif base_url and "://" in url:
            params.add_fault("base_url goes with a url that is only a path")
        elif base_url:
            url = f"{base_url.rstrip('/')}/{url.lstrip('/')}"
        self._ranges = Ranges(params, now, ranges)
        interval = self._ranges.interval
        self._url = read_template(params, "url", url, interval)
        self._query = Fields(params, "query", asked.query, interval)
        self._fields = Fields(params, "headers", asked.headers, interval)
        self._body = Body.read(params, interval)
        self._method = asked.method or _METHODS[self._body is not None]
        self._safe = sent.safe is not False
        if self._body is not None and self._method != "POST":
            params.add_fault(f"{self._body.kind} goes with method: POST", self._body.kind)
        if sent.safe is not None and self._method != "POST":
            params.add_fault("safe goes with method: POST")
        self._credentials = read_credentials(params)
        self._limit = optional_rate_limit(
            params,
            key=self._credentials.key,
            everywhere=sent.everywhere,
        )
        self.max_requests = sent.max_requests
        self._sent = 0
        self._is_answered = False
        self._not_found_is_empty = sent.not_found_is_empty
        self._speaks_of_pages = params.read(PagesParameters).paging is not None
        self.paginator = read_paginator(params)
        self._page_place = self._read_page_place(params)

    def _read_page_place(self, params: Params) -> str:
        """What the parameters of pages are added to."""
        in_body = self._body is not None and self._body.kind in ("form", "json")
        place = self.paginator.place or ("body" if in_body else "query")
        if place == "query" or self._body is None or not in_body:
            if place == "body":
                params.add_fault("paging.in: body needs form or json", "paging", "in")
            return "query"
        if self.paginator.follows_other_hosts:
            message = "paging.other_hosts does not go with method: POST"
            params.add_fault(message, "paging", "other_hosts")
        try:
            if self._body.kind == "json":
                for path in self.paginator.first().query:
                    set_in_document(self._body.document, path, None)
        except ValueError as error:
            params.add_fault(f"paging: {error}; in: query is for the address", "paging")
        return self._body.kind

    @property
    def address_fields(self) -> frozenset[str]:
        """The names of the fields that the extract_filter of each series fills in."""
        names = frozenset().union(*(template.names for template in self._templates))
        if self._index is not None:
            names = (names - self._index.names) | self._index.address_fields
        return names - self._ranges.names

    @property
    def listed_fields(self) -> frozenset[str]:
        """The names of the fields that have values of their own in `each`."""
        return self._ranges.names

    @property
    def idle_fields(self) -> frozenset[str]:
        """Those of them that no request says, so that all requests are the same."""
        names = frozenset().union(*(template.names for template in self._templates))
        return self._ranges.names - names

    def count(self, window: Window, groups: Sequence[Mapping[str, Any]]) -> int:
        """How many requests a window takes, without the further pages of an answer.

        Args:
            window: what is asked for.
            groups: the fields of the address, of each group of series that shares its requests.
        """
        if self._index is not None:
            return sum(1 for fields in groups for _ in self._index.requests(window, fields))
        ranges = sum(1 for _ in self._ranges.of(window))
        return ranges * sum(sum(1 for _ in self._ranges.values(fields)) for fields in groups)

    def check_count(self, window: Window, groups: Sequence[Mapping[str, Any]]) -> None:
        """Refuse a window that takes more requests than `max_requests` leaves.

        Raises:
            PermanentError: it does.
        """
        if not self.max_requests:
            return
        count = self._sent + self.count(window, groups)
        if count > self.max_requests:
            raise PermanentError(
                f"this takes {count} requests in one run{self._of_which_sent}, and max_requests is "
                f"{self.max_requests}",
                hint="--plan shows how many a range takes; ask for a shorter one, or allow more",
            )

    async def pages(
        self,
        window: Window,
        address_fields: Mapping[str, Any],
        *,
        http: HttpClient,
        read: Callable[[Answer], Sequence[Document]],
        says_nothing: Callable[[Answer], bool] | None = None,
        review: Callable[[Sequence[Document], datetime, datetime], None] = lambda *_: None,
        zone: tzinfo | None = None,
        has_publications: bool = False,
    ) -> AsyncGenerator[Sequence[Document] | None]:
        """The documents of every page of every request that the window takes, in order.

        None for an answer that is as it was when it was stored. Whoever does not take all of them
        must close the generator: requests may be pending whose answers were to come next.

        Args:
            window: what to ask for.
            address_fields: what the fields of the address become.
            http: the client.
            read: makes documents of an answer; none of one that says that there are no data.
            says_nothing: whether an answer under a status of refusal says so.
            review: looks at the documents of an answer again once they were taken, if the source
                says nothing of pages; with the start and the end of what was asked for.
            zone: of the source.
            has_publications: whether each value has a time of publication.

        Raises:
            FetchError: as the client and `read` do; a BadDataError for pages without end.
        """
        prefetcher = Prefetcher[_HttpRequest, "Answer | None"](
            lambda request: self._send(http, request, says_nothing)
        )
        try:
            if self._index is None:
                requests = self._requests(window, address_fields)
            else:
                requests = iter(
                    await self._file_requests(
                        self._index, window, address_fields, http, zone, has_publications
                    )
                )
            following = deque(islice(requests, MAX_PENDING))
            while following:
                # one alone is sent at once, as it is the next
                if len(following) > 1 and not self.has_pages and self._safe:
                    prefetcher.expect(request for request, _ in following)
                request, asked = following.popleft()
                pages = self._pages_of(request, prefetcher, read, has_publications)
                async with aclosing(pages):
                    async for documents in pages:
                        for document in documents or ():
                            document.asked = asked
                        yield documents
                        if documents and not self._speaks_of_pages and self._index is None:
                            review(documents, asked.start, asked.end)
                following.extend(islice(requests, 1))
        finally:
            await prefetcher.cancel()

    async def _pages_of(
        self,
        request: _HttpRequest,
        prefetcher: Prefetcher[_HttpRequest, Answer | None],
        read: Callable[[Answer], Sequence[Document]],
        has_publications: bool,  # noqa: FBT001 - handed on
    ) -> AsyncGenerator[Sequence[Document] | None]:
        """The documents of every page of one request."""
        received, last_body = Pages(), b""
        page_address: PageAddress | None = self.paginator.first()
        while page_address is not None:
            number = received.number + 1
            request = request.for_page(page_address, self._page_place)
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
            _set_times(documents, request.entry)
            yield documents
            self._keep(answer, documents, request.entry, has_publications=has_publications)
            rows = sum(document.row_count for document in documents)
            received.add(documents[0] if documents else None, rows)
            try:
                page_address = self.paginator.next(received)
                expected = () if page_address is None else self.paginator.likely_pages(received)
            except ValueError as error:
                raise answer.bad(f"is page {number}, and cannot be followed: {error}") from None
            if page_address is not None and number >= self.paginator.max_pages:
                raise answer.bad(f"is page {number}, and there are more: see max_pages")
            if page_address is not None:
                self._check_link(answer, request.for_page(page_address, self._page_place))
                prefetcher.expect(
                    request.for_page(address, self._page_place)
                    for address in (expected if self._safe else ())
                )

    def _keep(
        self,
        answer: Answer,
        documents: Sequence[Document],
        entry: Entry | None,
        *,
        has_publications: bool,
    ) -> None:
        """Let the server say next time whether an answer has changed, where that can be used."""
        if entry is None:
            if self._is_repeated:
                answer.keep()
            return
        latest = [document.last for document in documents]
        known = [last for last in latest if last is not None]
        last = max(known) if known and len(known) == len(latest) else None
        # its points give way to those of newer files, or have publications of their own
        answer.keep(last=last, apart=has_publications or entry.time is not None)

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
            hint="other_hosts: true under paging follows it, but takes no key along",
        )

    @property
    def _of_which_sent(self) -> str:
        """How many of its requests a run has sent already, also in vain."""
        return f", {self._sent} of them before" if self._sent else ""

    @property
    def _templates(self) -> list[Template]:
        body = [] if self._body is None else self._body.templates
        return [self._url, *self._query.templates, *self._fields.templates, *body]

    @property
    def has_pages(self) -> bool:
        """Whether an answer may have more than one page."""
        return bool(self.paginator.parameter)

    @property
    def _is_repeated(self) -> bool:
        """Whether the next run will send the same request, for an answer in one piece."""
        depends_on_window = not self._ranges.has_periods and any(
            template.has_times for template in self._templates
        )
        return not depends_on_window and not self.has_pages

    def _requests(
        self, window: Window, address_fields: Mapping[str, Any]
    ) -> Iterator[tuple[_HttpRequest, Asked]]:
        """The requests of a window, each with the range that it asks for."""
        for start, end in self._ranges.of(window):
            for fields in self._ranges.values(address_fields):
                yield self._http_request(start, end, fields), Asked(start, end, fields)

    async def _file_requests(
        self,
        index: Index,
        window: Window,
        address_fields: Mapping[str, Any],
        http: HttpClient,
        zone: tzinfo | None,
        has_publications: bool,  # noqa: FBT001 - handed on
    ) -> list[tuple[_HttpRequest, Asked]]:
        """The requests for the files that a window needs, the earliest first.

        A file that is as it was when it was kept is not asked for, unless an earlier one is: then
        its points have to come after those once more.

        Raises:
            FetchError: a list cannot be had, or names no file as described.
        """
        # a list is no part of the answer: that it changed says nothing of the files
        asking = http.unconditional()
        lists = [
            page
            for asked in index.requests(window, address_fields)
            async for page in self._lists(index, asked, asking, window, address_fields)
        ]
        start, end = self._ranges.bounds(window)
        requests = []
        may_leave_out = True
        for entry in index.needed_entries(lists, window, zone):
            for fields in self._ranges.values(address_fields):
                known = {**fields, **entry.fields}
                request = self._http_request(start, end, known)
                if self._is_link:
                    link = entry.fields[LINK]
                    request = request._replace(url=link, origin=lists[0].url)
                is_kept = self._method == "GET" and http.is_kept(
                    request.url, state=entry.state, **self._identity(request)
                )
                if not (has_publications or entry.time is None):
                    may_leave_out = may_leave_out and is_kept
                is_kept = is_kept and may_leave_out
                request = request._replace(entry=entry, is_kept=is_kept)
                requests.append((request, Asked(start, end, known)))
        asked_for = sum(not request.is_kept for request, _ in requests)
        if self.max_requests and self._sent + asked_for > self.max_requests:
            raise PermanentError(
                f"this takes {self._sent + asked_for} requests in one run{self._of_which_sent}, "
                f"and max_requests is {self.max_requests}",
                hint="Ask for a shorter range, or allow more",
            )
        return requests

    async def _lists(
        self,
        index: Index,
        asked: ListRequest,
        http: HttpClient,
        window: Window,
        address_fields: Mapping[str, Any],
    ) -> AsyncGenerator[FileList]:
        """The pages of one list."""
        start, end = self._ranges.bounds(window)
        headers = self._http_request(start, end, address_fields).headers
        kind = next(iter(asked.body or ()), "")
        request = _HttpRequest(asked.url, dict(asked.query), headers, asked.body, asked.url)
        in_body = kind in ("form", "json") and index.paginator.place != "query"
        place = kind if in_body else "query"
        received = Pages()
        page_address: PageAddress | None = index.paginator.first()
        while page_address is not None:
            body = None if request.body is None else request.body[kind]
            page = request._replace(body=body).for_page(page_address, place)
            request = page._replace(body=None if request.body is None else {kind: page.body})
            self._count_request(request)
            try:
                answer = await self._ask_for_list(http, request)
            except NotFoundError:
                if self._not_found_is_empty and not received.number:
                    return  # the folder of a month that has not begun
                raise
            page_of_list = index.open(request.url, answer)
            yield page_of_list
            received.add(page_of_list.document, page_of_list.row_count)
            try:
                following = index.paginator.next(received)
            except ValueError as error:
                raise answer.bad(f"is a list that cannot be followed: {error}") from None
            if following is not None:
                if received.number >= index.paginator.max_pages:
                    raise answer.bad("is a list with more pages: see index.paging.max_pages")
                self._check_link(answer, request.for_page(following, place))
            page_address = following

    async def _ask_for_list(self, http: HttpClient, request: _HttpRequest) -> Answer:
        options = {**self._identity(request), "limit": self._limit}
        if request.body is None:
            return await http.get(request.url, **options)
        return await http.post(request.url, **request.body, **options)

    def _identity(self, request: _HttpRequest) -> dict[str, Any]:
        """What makes a request the same as another one, beside its address."""
        if request.leads_elsewhere:
            return {}
        return {
            "params": {**request.query, **self._credentials.query} or None,
            "headers": request.headers,
            "login": self._credentials.login,
        }

    def _http_request(
        self, start: datetime, end: datetime, address_fields: Mapping[str, Any]
    ) -> _HttpRequest:
        """The request for a range, without what its pages differ in."""
        url = self._url.fill(start, end, address_fields, _quote)
        headers = {
            name: ", ".join(text) if isinstance(text, list) else text
            for name, text in self._fields.fill(start, end, address_fields).items()
        }
        body = None if self._body is None else self._body.fill(start, end, address_fields)
        query = self._query.fill(start, end, address_fields)
        return _HttpRequest(url, query, {**headers, **self._credentials.headers}, body, url)

    async def _send(
        self,
        http: HttpClient,
        request: _HttpRequest,
        says_nothing: Callable[[Answer], bool] | None,
    ) -> Answer | None:
        """The answer; None for a refusal that says that there are no data."""
        if request.is_kept and request.entry is not None:
            return http.kept_answer(
                request.url, state=request.entry.state, **self._identity(request)
            )
        self._count_request(request)
        also = () if says_nothing is None else _MAY_SAY_NOTHING
        if request.leads_elsewhere:
            # a link that leads elsewhere gets no key to take along
            answer = await http.get(
                request.url,
                limit=self._limit,
                linked_from=request.origin,
                also=also,
                state="" if request.entry is None else request.entry.state,
            )
        else:
            answer = await self._ask(http, request, also)
        if request.entry is not None:
            answer = replace(answer, entry=request.entry.fields)
        if says_nothing is None or answer.status not in _MAY_SAY_NOTHING:
            return answer
        if says_nothing(answer):
            return None
        raise answer.refusal(urlsplit(request.url).hostname or "")

    async def _ask(self, http: HttpClient, request: _HttpRequest, also: Collection[int]) -> Answer:
        options = {**self._identity(request), "limit": self._limit, "also": also}
        if self._method == "GET":
            state = "" if request.entry is None else request.entry.state
            return await http.get(request.url, **options, state=state)
        content = {} if self._body is None else {self._body.kind: request.body}
        answer_before = self._is_answered
        try:
            answer = await http.post(request.url, **content, **options, safe=self._safe)
        except TransientError as error:
            if self._safe or not answer_before:
                raise
            # to ask again would send those before once more
            raise PermanentError(
                f"{error.message}; a request before it was answered, and is not sent again",
                hint=error.hint,
            ) from None
        self._is_answered = True
        return answer

    def _count_request(self, request: _HttpRequest) -> None:
        """Count one more that is sent.

        Raises:
            PermanentError: it is one too many.
        """
        if self.max_requests and self._sent >= self.max_requests:
            host = urlsplit(request.url).hostname
            raise PermanentError(
                f"{self._sent} requests were sent to {host}, and there are more: see max_requests"
            )
        self._sent += 1


def _set_times(documents: Sequence[Document], entry: Entry | None) -> None:
    """Note of the files that a list names which of them is newer, if it says that."""
    for document in documents:
        if entry is not None and entry.time is not None:
            document.time = entry.time


def _quote(text: str) -> str:
    """A text as it stands in an address, where + is a blank and & begins a parameter."""
    return quote(text, safe="/:,;=@!$'()*")
