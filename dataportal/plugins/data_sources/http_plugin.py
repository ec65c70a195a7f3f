"""Any API that answers with JSON, CSV, XML, Excel or Parquet, described in sources.yaml alone.

`HttpJsonPlugin`, `HttpCsvPlugin`, `HttpXmlPlugin`, `HttpExcelPlugin` and `HttpParquetPlugin` fetch
one series; the same names with `MultiSeries` in them fetch several from one answer. What there may
be in sources.yaml is declared beside what reads it: `REQUEST_PARAMETERS` (where and how to ask,
period by period and page by page), `POINT_PARAMETERS` (where times and values stand in a row, and
how they are written), and `parameters` of each reader (where the rows are).
"""

from __future__ import annotations

import re
from contextlib import aclosing
from datetime import datetime
from http import HTTPStatus
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

from dataportal.errors import FetchError
from dataportal.granularity import interval_length
from dataportal.plugins.base_plugin import (
    BadDataError,
    BasePlugin,
    MultiSeriesPlugin,
    PermanentError,
)
from dataportal.plugins.declarative.answer_zone import AnswerZone, ZoneParameters
from dataportal.plugins.declarative.archive_files import ArchiveFiles, ArchiveParameters
from dataportal.plugins.declarative.arrow_records import ArrowReader
from dataportal.plugins.declarative.batches import Batches, BatchParameters
from dataportal.plugins.declarative.beside_fields import BesideFields, RowParameters, UnkeptRows
from dataportal.plugins.declarative.csv_records import CsvReader
from dataportal.plugins.declarative.cubes import set_cube_defaults
from dataportal.plugins.declarative.excel_records import ExcelReader
from dataportal.plugins.declarative.extraction import POINT_PARAMETERS, PointExtractor
from dataportal.plugins.declarative.json_records import JsonReader
from dataportal.plugins.declarative.page_doubts import partial_content_doubt
from dataportal.plugins.declarative.point_parameters import SeriesParameters
from dataportal.plugins.declarative.request import REQUEST_PARAMETERS, Request
from dataportal.plugins.declarative.steps import StepParameters, Steps
from dataportal.plugins.declarative.wide_records import set_wide_defaults
from dataportal.plugins.declarative.xml_records import XmlReader
from dataportal.plugins.readers.extract_filters import read_filters
from dataportal.plugins.readers.parameters import ParameterError, Params
from dataportal.plugins.readers.times import Window
from dataportal.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from dataportal.plugins.base_plugin import TimeSeriesDefinition, TimeSeriesMetadata
    from dataportal.plugins.declarative.records import Document, Reader, Records
    from dataportal.plugins.declarative.series_extraction import SeriesExtraction
    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.parameters import Parameters

    Columns = dict[str, Any]

_LEAVES_ROWS_OUT = re.compile(r"\[\?|\[[^\]]*=")
"""Stands in an expression or a path that selects among the rows."""


def _parameters(reader: type[Reader]) -> tuple[type[Parameters], ...]:
    """What a plugin takes whose answers this reads."""
    request: tuple[type[Parameters], ...] = (*REQUEST_PARAMETERS, BatchParameters)
    rows: tuple[type[Parameters], ...] = (StepParameters, RowParameters, ZoneParameters)
    return (*request, ArchiveParameters, *reader.parameters, *POINT_PARAMETERS, *rows)


class _Api:
    """An API as its parameters describe it: request, pages, records, points."""

    def __init__(self, params: Params, reader: type[Reader]) -> None:
        set_cube_defaults(params)
        set_wide_defaults(params)
        steps = Steps.read(params)
        self._request = Request(params, utc_now)
        self._extractor = PointExtractor(params, utc_now)
        self._reader = reader(params, self._extractor.decimal)
        self._fields = BesideFields(params, self._extractor.decimal, steps)
        self._reader.further_fields = self._fields.names
        self._reader.files = ArchiveFiles(params)
        self._answer_zone = AnswerZone(params)
        self._batches = Batches(params, self._request.address_fields)
        if steps is not None and params.first_given("layout") == "columns":
            params.add_fault("start goes with rows that are values, not with layout: columns")
        for name in sorted(self._request.idle_fields):
            params.add_fault(f"each.{name}: no request says {{{name}}}", "each", name)
        paginator = self._request.paginator
        for fault in (
            *self._extractor.faults(self._reader),
            *self._fields.faults(self._reader),
            *paginator.faults(self._reader),
            *self._answer_zone.faults(self._reader),
        ):
            params.add_fault(fault)
        if paginator.counts_rows and _LEAVES_ROWS_OUT.search(self._reader.rows):
            params.add_fault("with paging rows must find all of a page: filter chooses among them")

    def check_filter(self, extract_filter: Mapping[str, Any]) -> None:
        """Check what an extract_filter says by itself, whatever the other parameters are.

        Raises:
            ParameterError: with everything that is wrong with it.
        """
        self._extractor.series_parameters(extract_filter, self._request.address_fields)

    def series_extraction(self, extract_filter: Mapping[str, Any]) -> SeriesExtraction:
        """The extraction of the series with this filter, of which nothing was read yet.

        Raises:
            ValueError: the filter cannot be used.
        """
        series = self._extractor.series_extraction(
            extract_filter,
            self._request.address_fields,
            self._reader,
            listed_fields=self._request.listed_fields,
        )
        if series.rows and self._request.paginator.counts_rows:
            raise ValueError("rows of its own cannot be had where paging counts rows")
        return series

    def batch_fault(self, extractions: Mapping[str, SeriesExtraction]) -> str | None:
        """Why series that share requests cannot be told apart; None if they can."""
        return self._batches.fault(extractions)

    @property
    def max_requests(self) -> int | None:
        """How many requests a run sends at most; None for any number."""
        return self._request.max_requests

    def count(self, extractions: Sequence[SeriesExtraction], window: Window) -> int:
        """How many requests the window takes, without further pages."""
        groups = [fields for fields, _ in self._batches.of(extractions)]
        return self._request.count(window, groups)

    async def fetch(
        self,
        extractions: Sequence[SeriesExtraction],
        window: Window,
        *,
        http: HttpClient,
        zone: ZoneInfo | None,
    ) -> list[Columns | FetchError]:
        """What the API has of each series in the window, or may have; or what is wrong with it.

        Raises:
            FetchError: the request that all share failed, or one failed in a way that may pass.
        """
        groups = list(self._batches.of(extractions))
        self._request.check_count(window, [fields for fields, _ in groups])
        for address_fields, sharing in groups:
            try:
                await self._fetch_from(address_fields, sharing, window, http, zone)
            except (PermanentError, BadDataError) as error:
                if len(groups) == 1:
                    raise
                for series in sharing:
                    series.fault = error
        results = [self._extractor.columns(series, window, zone) for series in extractions]
        return [
            {**columns, "doubt": series.doubt}
            if series.doubt and isinstance(columns, dict)
            else columns
            for series, columns in zip(extractions, results, strict=True)
        ]

    def _doubt(
        self,
        document: Document,
        records: Records,
        start: datetime,
        end: datetime,
        zone: ZoneInfo | None,
    ) -> str | None:
        """Why a document may be a page of an answer, of which nobody asked for the others."""
        if document.answer.status == HTTPStatus.PARTIAL_CONTENT:
            return partial_content_doubt(len(records))
        return self._extractor.page_doubt(records, start, end, zone)

    async def _fetch_from(  # noqa: C901 - a loop for each level of an answer
        self,
        address_fields: Mapping[str, Any],
        extractions: Sequence[SeriesExtraction],
        window: Window,
        http: HttpClient,
        zone: ZoneInfo | None,
    ) -> None:
        """Fetch the series that have the same address."""
        by_rows: dict[str, list[SeriesExtraction]] = {}
        for series in extractions:
            by_rows.setdefault(series.rows or self._reader.rows, []).append(series)

        def review(documents: Sequence[Document], start: datetime, end: datetime) -> None:
            for document, (rows, sharing) in product(documents, by_rows.items()):
                records = self._records(document, rows, zone)
                doubt = self._doubt(document, records, start, end, zone)
                for series in sharing if doubt else ():
                    series.doubt = series.doubt or doubt

        unkept = UnkeptRows()
        pages = self._request.pages(
            window,
            address_fields,
            http=http,
            read=self._reader.documents,
            says_nothing=self._reader.says_nothing if self._reader.knows_empty else None,
            review=review,
            zone=zone,
            has_publications=self._extractor.has_publications,
        )
        async with aclosing(pages):
            async for documents in pages:
                if documents is None:
                    for series in extractions:
                        series.unchanged = True
                    continue
                for document in documents:
                    stated = self._answer_zone.read(document)
                    counts = [len(series.ts) for series in extractions]
                    for rows, sharing in by_rows.items():
                        self._check_steps(document, sharing)
                        records = self._records(document, rows, zone)
                        unkept.note(rows, records)
                        self._extractor.extract(records, sharing, window, zone=zone, stated=stated)
                    if document.answer.entry:
                        document.last = _latest(extractions, counts)
                    # the pages of a request are parts of one answer, none of them newer
                    time = None if self._request.has_pages else document.time
                    for series in extractions:
                        series.file_times.append((time, len(series.ts)))
        for rows, sharing in by_rows.items():
            for series in sharing:
                series.fault = series.fault or unkept.fault(rows)

    def _records(self, document: Document, rows: str, zone: ZoneInfo | None) -> Records:
        """The records of a document, with what stands beside them."""
        if rows not in document.extended:
            records = document.records(rows)
            document.extended[rows] = self._fields.extend(records, document, zone)
        return document.extended[rows]

    def _check_steps(self, document: Document, extractions: Sequence[SeriesExtraction]) -> None:
        """Note that the steps of an answer have another length than a series."""
        steps = self._fields.steps
        for series in () if steps is None else extractions:
            fault = "" if steps is None else steps.fault(document, series.granularity)
            if fault and series.fault is None:
                series.fault = document.answer.bad(fault)


def _latest(extractions: Sequence[SeriesExtraction], counts: Sequence[int]) -> datetime | None:
    """The latest of the times that were added to the series; None if one of them is local."""
    times = [
        ts
        for series, count in zip(extractions, counts, strict=True)
        for ts in series.ts[count:]
        if isinstance(ts, datetime)
    ]
    if any(ts.tzinfo is None for ts in times):
        return None
    return max(times, default=None)


class _Single(BasePlugin):
    """One series."""

    reader: ClassVar[type[Reader]]
    """What reads the answers."""

    def __init__(self, metadata: TimeSeriesMetadata, default_params: dict[str, Any]) -> None:
        super().__init__(metadata, default_params)
        params = Params(default_params)
        self._api = _Api(params, self.reader)
        try:
            self._api.check_filter({})
        except ParameterError as error:
            for keys, message in error.faults:
                params.add_fault(message, *keys)
        params.finish()
        self._extraction = self._api.series_extraction({})

    @property
    def max_requests(self) -> int | None:
        """How many requests a run sends at most."""
        return self._api.max_requests

    def count_requests(self, start_date: str, end_date: str | None = None) -> int:
        """How many requests a window takes, without further pages."""
        return self._api.count([self._extraction], Window(start_date, end_date))

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,  # noqa: ARG002 - the API's; a field is one metric
    ) -> Columns:
        """The points with `start_date <= ts < end_date`, as columns.

        Local times up to a day before and after are among them: only the run knows the time zone.
        """
        extraction = self._extraction.empty_copy()
        extraction.granularity = interval_length(self._meta.granularity)
        window = Window(start_date, end_date)
        (columns,) = await self._api.fetch([extraction], window, http=self.http, zone=self.zone)
        if isinstance(columns, FetchError):
            raise columns
        return columns


class _Several(MultiSeriesPlugin):
    """Several series that share their requests."""

    reader: ClassVar[type[Reader]]
    """What reads the answers."""
    series_parameters = (SeriesParameters,)

    def __init__(
        self,
        group_id: str,
        request_params: dict[str, Any],
        series_definitions: list[TimeSeriesDefinition],
        schedule: str,
    ) -> None:
        super().__init__(group_id, request_params, series_definitions, schedule)
        params = Params(request_params)
        self._api = _Api(params, self.reader)
        if params.faults():
            read_filters(series_definitions, self._api.check_filter, params)
        extractions = read_filters(series_definitions, self._api.series_extraction)
        if fault := self._api.batch_fault(extractions):
            params.add_fault(fault, "batch")
            params.finish()

    @property
    def max_requests(self) -> int | None:
        """How many requests a run sends at most."""
        return self._api.max_requests

    def count_requests(self, start_date: str, end_date: str | None = None) -> int:
        """How many requests a window takes, without further pages."""
        extractions = read_filters(self._series_definitions, self._api.series_extraction)
        return self._api.count(list(extractions.values()), Window(start_date, end_date))

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> dict[str, Columns | FetchError]:
        """The points of each series with `start_date <= ts < end_date`, as columns.

        Local times up to a day before and after are among them: only the run knows the time zone.
        """
        extractions = read_filters(self._series_definitions, self._api.series_extraction)
        for series in self._series_definitions:
            own = extractions[series.endpoint_prefix]
            own.granularity = interval_length(series.frequency)
        window = Window(start_date, end_date)
        results = await self._api.fetch(
            list(extractions.values()), window, http=self.http, zone=self.zone
        )
        return dict(zip(extractions, results, strict=True))


class HttpJsonPlugin(_Single):
    """One series from an API that answers with JSON."""

    reader = JsonReader
    parameters = _parameters(JsonReader)


class HttpCsvPlugin(_Single):
    """One series from an API that answers with a table of text."""

    reader = CsvReader
    parameters = _parameters(CsvReader)


class HttpXmlPlugin(_Single):
    """One series from an API that answers with XML."""

    reader = XmlReader
    parameters = _parameters(XmlReader)


class HttpExcelPlugin(_Single):
    """One series from a sheet of a workbook."""

    reader = ExcelReader
    parameters = _parameters(ExcelReader)


class HttpParquetPlugin(_Single):
    """One series from a Parquet or Arrow file."""

    reader = ArrowReader
    parameters = _parameters(ArrowReader)


class HttpJsonMultiSeriesPlugin(_Several):
    """Several series from answers in JSON."""

    reader = JsonReader
    parameters = _parameters(JsonReader)


class HttpCsvMultiSeriesPlugin(_Several):
    """Several series from tables of text."""

    reader = CsvReader
    parameters = _parameters(CsvReader)


class HttpXmlMultiSeriesPlugin(_Several):
    """Several series from answers in XML."""

    reader = XmlReader
    parameters = _parameters(XmlReader)


class HttpExcelMultiSeriesPlugin(_Several):
    """Several series from sheets of workbooks."""

    reader = ExcelReader
    parameters = _parameters(ExcelReader)


class HttpParquetMultiSeriesPlugin(_Several):
    """Several series from Parquet or Arrow files."""

    reader = ArrowReader
    parameters = _parameters(ArrowReader)
