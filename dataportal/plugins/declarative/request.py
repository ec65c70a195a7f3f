"""Asks a provider as sources.yaml describes it: address, parameters, periods, pages."""

from __future__ import annotations

from collections import deque
from contextlib import aclosing
from datetime import UTC, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urljoin

from dataportal.plugins.declarative.auth import credentials
from dataportal.plugins.declarative.pagination import Paging
from dataportal.plugins.declarative.periods import next_period, period_start
from dataportal.plugins.declarative.prefetch import MOST, Ahead
from dataportal.plugins.declarative.templates import Template
from dataportal.plugins.http.errors import NotFoundError
from dataportal.plugins.http.urls import address, is_trusted
from dataportal.plugins.readers.rate_limits import limit_if_given
from dataportal.times import EARLIEST, parse_duration, parse_instant, time_zone

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from dataportal.plugins.declarative.pagination import Step
    from dataportal.plugins.declarative.records import Document
    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.http.response import Answer
    from dataportal.plugins.readers.parameters import Params
    from dataportal.plugins.readers.times import Window

_PERIODS = ("hour", "day", "week", "month", "year")


class _Asked(NamedTuple):
    """One request: its address, its query, and the address that the first page had."""

    url: str
    query: dict[str, Any]
    origin: str

    def onward(self, step: Step) -> _Asked:
        """The request for another page; what a link to it says is whole in itself."""
        if step.url is not None:
            return self._replace(url=urljoin(self.url, step.url), query={})
        return self._replace(query={**self.query, **step.query})


class Request:
    """How a provider is asked, from the parameters of a source.

    - `url`, with fields as in `Template`; `base_url` in front of a `url` that is only a path.
    - `query`: parameters by name, with fields as well; a list gives its name several times.
    - `headers`; `auth`: `header: {NAME: KEY}`, `query: {NAME: KEY}`, `bearer: TOKEN`, or
      `basic: {user: …, password: …}`.
    - `per_minute`: requests a minute; `everywhere` (false): whether several machines must keep it
      together.
    - `each`: `hour`, `day`, `week`, `month` or `year`: one request for every one that the window
      touches; in `zone` (UTC).
    - `ahead` (1 day): how far past now an open window's `{end}` reaches.
    - `earliest`: no `{start}` lies before this.
    - `paging`: see `Paging`.
    - `not_found_is_empty` (false): whether HTTP 404 means "no data" rather than a wrong address.
    """

    def __init__(self, params: Params, now: Callable[[], datetime]) -> None:
        self._now = now
        url, base_url = params.text("url", required=True), params.text("base_url")
        if base_url and "://" in url:
            params.fault("base_url goes with a url that is only a path")
        elif base_url:
            url = f"{base_url.rstrip('/')}/{url.lstrip('/')}"
        self._query: dict[str, list[Template]] = {}
        self._url = self._template(params, "url", url)
        for name, value in params.tree("query").items():
            values = value if isinstance(value, list) else [value]
            self._query[name] = [
                self._template(params, f"query.{name}", _plain(item)) for item in values
            ]
        self._credentials = credentials(params)
        self._headers = {**params.mapping("headers"), **self._credentials.headers}
        self._limit = limit_if_given(
            params,
            key=self._credentials.key,
            everywhere=params.flag("everywhere", default=False),
        )
        self._each = params.choice("each", _PERIODS)
        self._ahead = timedelta(days=1)
        self._earliest = EARLIEST
        self._zone: Any = UTC
        for name, read in (
            ("ahead", parse_duration),
            ("earliest", parse_instant),
            ("zone", time_zone),
        ):
            if params.has(name):
                try:
                    setattr(self, f"_{name}", read(params.text(name)))
                except ValueError as error:
                    params.fault(f"{name}: {error}")
        self._not_found_is_empty = params.flag("not_found_is_empty", default=False)
        self.paging = Paging({})
        try:
            self.paging = Paging(params.tree("paging"))
        except ValueError as error:
            params.fault(f"paging: {error}")

    @property
    def _stays(self) -> bool:
        """Whether the next run will ask for the same, in one piece."""
        templates = [self._url, *(one for many in self._query.values() for one in many)]
        moves = not self._each and any(template.has_times for template in templates)
        return not moves and not self.paging.has_pages

    @property
    def names(self) -> frozenset[str]:
        """The fields that the extract_filter of each series fills in."""
        templates = [self._url, *(one for many in self._query.values() for one in many)]
        return frozenset().union(*(template.names for template in templates))

    async def pages(
        self,
        window: Window,
        names: Mapping[str, str],
        *,
        http: HttpClient,
        read: Callable[[Answer], Sequence[Document]],
    ) -> AsyncGenerator[Sequence[Document] | None]:
        """The documents of every page of every request that the window takes, in order.

        None for an answer that is as it was when it was stored. To be closed by who does not want
        all of them: requests may be under way whose answers were to come next.

        Args:
            window: what to ask for.
            names: what the fields of the address stand for.
            http: the client.
            read: makes documents of an answer, at least one.

        Raises:
            FetchError: as the client and `read` do; a BadDataError for pages without end.
        """
        ahead = Ahead[_Asked, "Answer | None"](lambda asked: self._get(http, asked))
        try:
            requests = (self._asked(*one, names) for one in self._ranges(window))
            following = deque(islice(requests, MOST))
            while following:
                if not self.paging.has_pages:
                    ahead.expect(following)
                pages = self._of(following.popleft(), ahead, read)
                async with aclosing(pages):
                    async for documents in pages:
                        yield documents
                following.extend(islice(requests, 1))
        finally:
            await ahead.drop()

    async def _of(
        self,
        asked: _Asked,
        ahead: Ahead[_Asked, Answer | None],
        read: Callable[[Answer], Sequence[Document]],
    ) -> AsyncGenerator[Sequence[Document] | None]:
        """The pages of one request."""
        number, so_far, before = 0, 0, b""
        step: Step | None = self.paging.first()
        while step is not None:
            number += 1
            asked = asked.onward(step)
            answer = await ahead.answer(asked)
            if answer is None:
                return
            if answer.unchanged:
                yield None
                return
            if number > 1 and answer.body == before:
                raise answer.bad(f"is page {number}, and the same as page {number - 1}")
            before = answer.body
            documents = read(answer)
            yield documents
            if self._stays:
                answer.keep()
            rows = sum(document.rows for document in documents)
            so_far += rows
            try:
                step = self.paging.after(number, documents[0], rows=rows, rows_so_far=so_far)
            except ValueError as error:
                raise answer.bad(f"is page {number}, and cannot be followed: {error}") from None
            if step is not None and number >= self.paging.max_pages:
                raise answer.bad(f"is page {number}, and there are more: see max_pages")
            if step is not None:
                steps = self.paging.following(number, documents[0], rows=rows, rows_so_far=so_far)
                ahead.expect(map(asked.onward, steps))

    def _ranges(self, window: Window) -> Iterator[tuple[datetime, datetime]]:
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

    def _asked(self, start: datetime, end: datetime, names: Mapping[str, str]) -> _Asked:
        """What is asked for a range, but for what only its pages differ in."""
        query: dict[str, Any] = {}
        for name, templates in self._query.items():
            values = [template.filled(start, end, names) for template in templates]
            query[name] = values if len(values) > 1 else values[0]
        url = self._url.filled(start, end, names, _in_address)
        return _Asked(url, query, url)

    async def _get(self, http: HttpClient, asked: _Asked) -> Answer | None:
        url, query, origin = asked
        headers = self._headers
        if url == origin or is_trusted(address(origin, None), address(url, None)):
            query = {**query, **self._credentials.query}
        else:
            headers = {}  # a link that leads elsewhere gets no key to take along
        try:
            return await http.get(url, params=query or None, headers=headers, limit=self._limit)
        except NotFoundError:
            if self._not_found_is_empty:
                return None
            raise

    @staticmethod
    def _template(params: Params, name: str, text: str) -> Template:
        try:
            return Template(text)
        except ValueError as error:
            params.fault(f"{name}: {error}")
            return Template("")


def _in_address(text: str) -> str:
    """A text as it stands in an address, where + is a blank and & begins a parameter."""
    return quote(text, safe="/:,;=@!$'()*")


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
