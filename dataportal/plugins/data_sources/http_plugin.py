"""Any API that answers with JSON, CSV or XML, described in sources.yaml alone.

`HttpJsonPlugin`, `HttpCsvPlugin` and `HttpXmlPlugin` fetch one series; the same names with
`MultiSeries` in them fetch several from one answer. The parameters are those of

- `Request`: where and how to ask, period by period and page by page;
- `JsonReader`, `CsvReader` or `XmlReader`: where the rows are;
- `Points`: where times and values stand in a row, and how they are written.

The `extract_filter` of a series in a group says what is its own: `value` (its place in the row),
what must stand in which place of a row, and what fields of the address stand for.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from dataportal.plugins.base_plugin import BasePlugin, MultiSeriesPlugin
from dataportal.plugins.readers.filters import read_filters
from dataportal.plugins.readers.instants import Window, now
from dataportal.plugins.readers.packed import CannotOpen, files
from dataportal.plugins.readers.params import Params
from dataportal.plugins.readers.points import Points
from dataportal.plugins.readers.records import CsvReader, JsonReader, XmlReader
from dataportal.plugins.readers.requests import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from dataportal.plugins.answers import Answer
    from dataportal.plugins.base_plugin import TimeSeriesDefinition, TimeSeriesMetadata
    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.readers.points import Wanted
    from dataportal.plugins.readers.records import Records

    Reader = JsonReader | CsvReader | XmlReader
    Columns = dict[str, list[Any]]

_MOST_BYTES = 256 * 1024 * 1024


class _Api:
    """An API as its parameters describe it."""

    def __init__(self, params: Params, reader: Callable[[Params, str], Reader]) -> None:
        self._request = Request(params, now)
        self._points = Points(params)
        self._reader = reader(params, self._points.decimal)
        params.finish()

    def wanted(self, extract_filter: Mapping[str, Any]) -> Wanted:
        """The series of which a filter speaks.

        Raises:
            ValueError: it says nothing usable.
        """
        return self._points.wanted(extract_filter, self._request.names)

    async def fetch(
        self, series: Sequence[Wanted], window: Window, *, http: HttpClient, zone: ZoneInfo | None
    ) -> None:
        """Add to each series what the API has of it in the window, or may have."""
        takers: dict[tuple[tuple[str, str], ...], list[Wanted]] = {}
        for one in series:
            takers.setdefault(tuple(sorted(one.names.items())), []).append(one)
        names = [dict(key) for key in takers]
        async for page in self._request.pages(window, names, http=http, read=self._records):
            own = takers[tuple(sorted(page.names.items()))]
            for records in page.records:
                self._points.collect(records, own, window, zone)

    def _records(self, answer: Answer) -> list[Records]:
        try:
            documents = files(answer.body, limit=_MOST_BYTES)
        except CannotOpen as fault:
            raise answer.bad(f"is an archive that cannot be opened: {fault}") from None
        return [self._reader.read(body, answer) for body in documents]


class _Single(BasePlugin):
    """One series."""

    @staticmethod
    @abstractmethod
    def reader(params: Params, decimal: str) -> Reader:
        """What reads the answers."""

    def __init__(self, metadata: TimeSeriesMetadata, default_params: dict[str, Any]) -> None:
        super().__init__(metadata, default_params)
        self._api = _Api(Params(default_params), self.reader)
        self._api.wanted({})

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,  # noqa: ARG002 - the API's; a place is one metric
    ) -> Columns:
        """The points with `start_date <= ts < end_date`, as columns; local times a day around."""
        wanted = self._api.wanted({})
        window = Window(start_date, end_date)
        await self._api.fetch([wanted], window, http=self.http, zone=self.zone)
        return wanted.columns


class _Several(MultiSeriesPlugin):
    """Several series that share their requests."""

    @staticmethod
    @abstractmethod
    def reader(params: Params, decimal: str) -> Reader:
        """What reads the answers."""

    def __init__(
        self,
        group_id: str,
        request_params: dict[str, Any],
        series_definitions: list[TimeSeriesDefinition],
        schedule: str,
    ) -> None:
        super().__init__(group_id, request_params, series_definitions, schedule)
        self._api = _Api(Params(request_params), self.reader)
        read_filters(series_definitions, self._api.wanted)

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> dict[str, Columns]:
        """The points of each series with `start_date <= ts < end_date`, as columns."""
        wanted = read_filters(self._series_definitions, self._api.wanted)
        window = Window(start_date, end_date)
        await self._api.fetch(list(wanted.values()), window, http=self.http, zone=self.zone)
        return {prefix: one.columns for prefix, one in wanted.items()}


class HttpJsonPlugin(_Single):
    """One series from an API that answers with JSON."""

    @staticmethod
    def reader(params: Params, decimal: str) -> Reader:
        """Of JSON."""
        del decimal
        return JsonReader(params)


class HttpCsvPlugin(_Single):
    """One series from an API that answers with a table of text."""

    @staticmethod
    def reader(params: Params, decimal: str) -> Reader:
        """Of tables."""
        return CsvReader(params, decimal)


class HttpXmlPlugin(_Single):
    """One series from an API that answers with XML."""

    @staticmethod
    def reader(params: Params, decimal: str) -> Reader:
        """Of XML."""
        del decimal
        return XmlReader(params)


class HttpJsonMultiSeriesPlugin(_Several):
    """Several series from answers in JSON."""

    @staticmethod
    def reader(params: Params, decimal: str) -> Reader:
        """Of JSON."""
        del decimal
        return JsonReader(params)


class HttpCsvMultiSeriesPlugin(_Several):
    """Several series from tables of text."""

    @staticmethod
    def reader(params: Params, decimal: str) -> Reader:
        """Of tables."""
        return CsvReader(params, decimal)


class HttpXmlMultiSeriesPlugin(_Several):
    """Several series from answers in XML."""

    @staticmethod
    def reader(params: Params, decimal: str) -> Reader:
        """Of XML."""
        del decimal
        return XmlReader(params)
