"""Asks a provider as sources.yaml describes it: address, parameters, periods, pages."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

from dataportal.plugins.failures import NotFoundError
from dataportal.plugins.readers.limits import limit_if_given
from dataportal.plugins.readers.paging import Paging
from dataportal.plugins.readers.templates import Template, next_period, period_start
from dataportal.times import EARLIEST, parse_duration, parse_instant, zone_named

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from dataportal.plugins.answers import Answer
    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.readers.instants import Window
    from dataportal.plugins.readers.paging import Step
    from dataportal.plugins.readers.params import Params
    from dataportal.plugins.readers.records import Records

_PERIODS = ("day", "month", "year")


@dataclass(frozen=True, slots=True)
class Page:
    """What one request brought, and what its address said of the series that it is for."""

    records: Sequence[Records]
    names: Mapping[str, str]

    @property
    def rows(self) -> int:
        """How many rows it has; for columns side by side, once one was looked at."""
        return sum(len(one) for one in self.records)

    @property
    def document(self) -> Any:
        """Its JSON document, if it is one."""
        return self.records[0].document if len(self.records) == 1 else None


class Request:
    """How a provider is asked, from the parameters of a source.

    - `url`, with fields as in `Template`; `base_url` in front of a `url` that is only a path.
    - `query`: parameters by name, with fields as well; a list gives its name several times.
    - `headers`; `auth`: `bearer: TOKEN`, or `basic: {user: …, password: …}`.
    - `each`: `day`, `month` or `year`: one request for every one that the window touches; in
      `zone` (UTC).
    - `ahead` (1 day): how far past now an open window's `{end}` reaches.
    - `earliest`: no `{start}` lies before this.
    - `paging`: see `Paging`.
    - `per_minute`: how often the host is asked at most.
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
        self._headers = {**params.mapping("headers"), **_credentials(params)}
        self._each = params.choice("each", _PERIODS)
        self._ahead = timedelta(days=1)
        self._earliest = EARLIEST
        self._zone: Any = UTC
        for name, read in (
            ("ahead", parse_duration),
            ("earliest", parse_instant),
            ("zone", zone_named),
        ):
            if params.has(name):
                try:
                    setattr(self, f"_{name}", read(params.text(name)))
                except ValueError as error:
                    params.fault(f"{name}: {error}")
        self._not_found_is_empty = params.flag("not_found_is_empty", default=False)
        self._limit = limit_if_given(params)
        self._paging = Paging({})
        try:
            self._paging = Paging(params.tree("paging"))
        except ValueError as error:
            params.fault(f"paging: {error}")

    @property
    def names(self) -> frozenset[str]:
        """The fields that the extract_filter of each series fills in."""
        templates = [self._url, *(one for many in self._query.values() for one in many)]
        return frozenset().union(*(template.names for template in templates))

    async def pages(
        self,
        window: Window,
        names: Collection[Mapping[str, str]],
        *,
        http: HttpClient,
        read: Callable[[Answer], Sequence[Records]],
    ) -> AsyncIterator[Page]:
        """Every page of every request that the window takes, in order.

        Args:
            window: what to ask for.
            names: what the fields of the address stand for: one request for each.
            http: the client.
            read: makes records of an answer.

        Raises:
            FetchError: as the client and `read` do; a BadDataError for pages without end.
        """
        for (start, end), fields in product(list(self._ranges(window)), names):
            step: Step | None = self._paging.first()
            number, rows, before = 0, 0, b""
            while step is not None:
                number += 1
                answer = await self._get(http, step, start, end, fields)
                if answer is None:
                    break
                if number > 1 and answer.body == before:
                    raise answer.bad(f"is page {number}, and the same as page {number - 1}")
                before = answer.body
                page = Page(read(answer), fields)
                yield page
                rows += page.rows
                try:
                    step = self._paging.after(
                        number,
                        page.document,
                        rows=page.rows,
                        rows_so_far=rows,
                        url=answer.url,
                    )
                except ValueError as error:
                    raise answer.bad(f"cannot be paged: {error}") from None
                if step is not None and number >= self._paging.max_pages:
                    raise answer.bad(f"is page {number}, and there are more: see max_pages")

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

    async def _get(
        self,
        http: HttpClient,
        step: Step,
        start: datetime,
        end: datetime,
        names: Mapping[str, str],
    ) -> Answer | None:
        query: dict[str, Any] = {}
        url = step.url
        if url is None:
            url = self._url.filled(start, end, names)
            for name, templates in self._query.items():
                values = [template.filled(start, end, names) for template in templates]
                query[name] = values if len(values) > 1 else values[0]
            query |= step.query
        try:
            return await http.get(
                url, params=query or None, headers=self._headers, limit=self._limit
            )
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


def _credentials(params: Params) -> dict[str, str]:
    given = params.tree("auth")
    match given:
        case {"bearer": str(token), **rest} if not rest:
            return {"Authorization": f"Bearer {token}"}
        case {"basic": {"user": user, "password": password, **more}, **rest} if not rest | more:
            pair = b64encode(f"{user}:{password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        case {}:
            if given:
                params.fault("auth must be bearer: TOKEN or basic: {user: …, password: …}")
    return {}


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
