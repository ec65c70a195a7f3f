"""Text tables (CSV and its kin) from files and URLs: one series, or several of one table.

A table is read whole on each run, so by default (`initial_history: all`, a `lookback` without end)
revisions are found however old they are.
"""

from __future__ import annotations

import io
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, time
from itertools import compress
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from msgspec import field as default

from dataportal.plugins.base_plugin import (
    BadDataError,
    BasePlugin,
    MultiSeriesPlugin,
    PermanentError,
    TransientError,
)
from dataportal.plugins.http.file_kinds import file_kind, text_kind
from dataportal.plugins.parameters import Address, Column, Parameters, about
from dataportal.plugins.parameters.faults import other_name_fault
from dataportal.plugins.readers.extract_filters import read_filters
from dataportal.plugins.readers.local_rows import LocalRows
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.rate_limits import RateParameters, optional_rate_limit
from dataportal.plugins.readers.table_parameters import (
    DecimalParameters,
    EncodingParameters,
    NumberParameters,
    TableParameters,
    TimeParameters,
    decimal_sign,
    number_format,
    table_layout,
    text_encoding,
    time_format,
)
from dataportal.plugins.readers.tables import Table
from dataportal.plugins.readers.times import Clip, HourBeyond, Window

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from dataportal.plugins.base_plugin import TimeSeriesDefinition, TimeSeriesMetadata
    from dataportal.plugins.http import HttpClient
    from dataportal.plugins.http.response import Answer

    _Columns = dict[str, Any]

_BEGINNING = 4096
_SOURCE_DEFAULTS = {"initial_history": "all", "lookback": "10000 years"}


class LocationParameters(Parameters):
    """Where a table is: in a local file, or at a URL."""

    path: Annotated[
        str, about("the file; a relative path starts at the folder of the entry's file")
    ] = ""
    url: Annotated[Address, about("or its address; one of the two")] = ""
    base_url: Annotated[Address, about("put in front of a `url` that is only a path")] = ""
    headers: Annotated[dict[str, str], about("sent with the request", secret=True)] = default(
        default_factory=dict
    )


class ColumnParameters(Parameters):
    """Where times and values stand."""

    ts_column: Annotated[
        Column,
        about(
            "the column of times: its name, or its number from 1 (1)", aliases=("timestamp_column",)
        ),
    ] = 1
    value_column: Annotated[
        Column, about("the column of values: its name, or its number from 1 (2)")
    ] = 2


class CsvSeries(Parameters):
    """What is a series' own."""

    value_column: Annotated[
        Column | None, about("the column of its values: its name, or its number from 1")
    ] = None
    texts: Annotated[
        dict[str, str | None],
        about("what must stand in the column of this name", rest=True),
    ] = default(default_factory=dict)


_PARAMETERS = (
    LocationParameters,
    RateParameters,
    EncodingParameters,
    TableParameters,
    ColumnParameters,
    TimeParameters,
    DecimalParameters,
    NumberParameters,
)


class _Location:
    """Where a table is, and how it is fetched; see `LocationParameters`."""

    def __init__(self, params: Params) -> None:
        location = params.read(LocationParameters)
        self._path, self._url, base_url = location.path, location.url, location.base_url
        if bool(self._path) == bool(self._url):
            params.add_fault("give either path or url")
        if base_url and (self._path or "://" in self._url):
            params.add_fault(
                "base_url goes with a url that is only a path, such as data/prices.csv"
            )
        elif base_url:
            self._url = f"{base_url.rstrip('/')}/{self._url.lstrip('/')}"
        self._headers = location.headers
        self._limit = optional_rate_limit(params)
        self._encoding = text_encoding(params)

    @asynccontextmanager
    async def lines(
        self, root: Path, http: Callable[[], HttpClient], *, header: bool
    ) -> AsyncIterator[tuple[Iterable[str] | None, str]]:
        """The lines of the text with their ends as they are, and its name, fit to be shown.

        None in place of the lines if the server says that they are as they were when they were
        stored.

        Args:
            root: where a relative path starts.
            http: gives the client; asked only if there is a URL.
            header: whether there must be one, so that an answer without a byte is none.

        Raises:
            PermanentError: it is not there, or may not be read.
            TransientError: the host is out of reach, or the disk fails.
            BadDataError: the answer is a page, or it or the file no text.
        """
        if self._url:
            answer = await http().get(self._url, headers=self._headers, limit=self._limit)
            yield self._answer_lines(answer, header=header), answer.url
            if not answer.unchanged:
                answer.keep()
            return
        path = root / self._path
        encoding = self._encoding.lower().replace("_", "-")
        if encoding in {"", "utf-8", "utf8"}:
            encoding = "utf-8-sig"  # which also reads what begins without a byte order mark
        try:
            # a pipe can be read once only
            kind = _local_kind(path) if path.is_file() else ""
            if kind:
                raise BadDataError(f"{path} is {kind}, not a table")
            with path.open(encoding=encoding, newline="") as lines:
                yield lines, str(path)
        except FileNotFoundError:
            raise PermanentError(
                f"there is no file {path}",
                hint="A relative path starts at the folder of the file that names it",
            ) from None
        except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
            raise PermanentError(f"{path} cannot be read: {error.strerror}") from None
        except OSError as error:
            raise TransientError(f"{path} could not be read: {error.strerror}") from None

    def _answer_lines(self, answer: Answer, *, header: bool) -> Iterable[str] | None:
        """The lines of an answer; None for one that is as it was."""
        if answer.unchanged:
            return None
        if answer.has_no_content:
            return ()
        kind = answer.file_kind or text_kind(answer.body)
        if kind:
            raise answer.bad(f"is {kind}, not a table")
        if header and not answer.body.strip():
            raise answer.bad("has not even a header")
        return io.StringIO(answer.text(self._encoding or None), newline="")


def _local_kind(path: Path) -> str:
    """What a file is that is no table."""
    with path.open("rb") as file:
        start = file.read(_BEGINNING)
    kind = file_kind(start)
    # only at its end an archive says what is in it
    return file_kind(path.read_bytes()) if kind == "a ZIP file" else kind or text_kind(start)


@dataclass(slots=True)
class _SeriesExtraction:
    """One series: where its values stand and in which rows, and what was extracted so far."""

    value_column: str | int
    filters: dict[str, str] = field(default_factory=dict)
    ts: list[datetime | str] = field(default_factory=list)
    value: list[float | str | None] = field(default_factory=list)
    unchanged: bool = False
    clip: Clip | None = None
    labels: LocalRows | None = None

    @property
    def columns(self) -> _Columns:
        times: Sequence[datetime | str | None]
        times, repeated = (self.ts, 0) if self.labels is None else self.labels.resolve(self.ts)
        columns: _Columns = {"ts": times, "value": self.value}
        if repeated:
            kept = [ts is not None for ts in times]
            columns = {name: [*compress(column, kept)] for name, column in columns.items()}
        if self.clip is not None:
            columns = self.clip.columns(columns)
        if repeated:
            columns["duplicates"] = repeated
        return {**columns, "unchanged": self.unchanged}


class _Source:
    """Which table, and how to read it, from the parameters that both plugins share."""

    def __init__(self, params: Params) -> None:
        self._location = _Location(params)
        decimal = decimal_sign(params)
        self._layout = table_layout(params, decimal)
        self._numbers = number_format(params, decimal)
        self._times = time_format(params)
        columns = params.read(ColumnParameters)
        self._ts_column, self._value_column = columns.ts_column, columns.value_column
        has_names = isinstance(self._ts_column, str) or isinstance(self._value_column, str)
        if has_names and not self._layout.header:
            params.add_fault("without a header ts_column and value_column must be numbers")
        self.params = params

    def series_extraction(self, extract_filter: Mapping[str, Any]) -> _SeriesExtraction:
        """The extraction of the series with this filter, of which nothing was read yet.

        Raises:
            ValueError: the filter cannot be used.
        """
        params = Params(extract_filter)
        series = params.read(CsvSeries)
        column = self._value_column if series.value_column is None else series.value_column
        for name in ("value", "ts"):
            if name in extract_filter:
                params.add_fault(other_name_fault(name), name)
        filters = {name: text or "" for name, text in series.texts.items()}
        if not self._layout.header and (filters or isinstance(column, str)):
            params.add_fault("without a header columns have no names to filter by")
        params.finish()
        return _SeriesExtraction(column, filters)

    async def read(
        self,
        extractions: Sequence[_SeriesExtraction],
        window: Window,
        *,
        root: Path,
        http: Callable[[], HttpClient],
        zone: ZoneInfo | None,
    ) -> None:
        """Add the points of each series that lie in the window, or may.

        Raises:
            FetchError: see `_Location.lines`; a BadDataError also for a table that cannot be read.
        """
        async with self._location.lines(root, http, header=self._layout.header) as (lines, name):
            if lines is None:
                for series in extractions:
                    series.unchanged = True
                return
            table = Table(lines, self._layout, name)
            if not table.is_empty:
                self._extract(extractions, table, window, zone)

    def _extract(
        self,
        extractions: Sequence[_SeriesExtraction],
        table: Table,
        window: Window,
        zone: ZoneInfo | None,
    ) -> None:
        ts_index = table.column_index(self._ts_column)
        width = ts_index + 1
        # by the columns of the filters and by the texts in them: one look-up a row
        by_filter: dict[
            tuple[int, ...], dict[tuple[str, ...], list[tuple[int, _SeriesExtraction]]]
        ] = {}
        for series in extractions:
            value_index = table.column_index(series.value_column)
            columns = tuple(table.column_index(name) for name in series.filters)
            by_texts = by_filter.setdefault(columns, {})
            by_texts.setdefault(tuple(series.filters.values()), []).append((value_index, series))
            width = max(width, value_index + 1, *(column + 1 for column in columns))
            series.clip = series.clip or Clip(window)
            series.labels = series.labels or LocalRows(self._times, zone)
        read, covers = self._times.read, window.covers
        for row in table.rows(width):
            cell = row[ts_index].strip()
            ts = read(cell)
            outside, is_noted = None, True
            if isinstance(ts, datetime):
                outside = None if covers(ts) else ts
                is_noted = ts.tzinfo is None
            elif isinstance(ts, HourBeyond):
                noon = datetime.combine(ts.day, time(12))
                outside = None if window.covers(noon) else noon
            for columns, by_texts in by_filter.items():
                texts = tuple([row[column].strip() for column in columns])
                for value_index, series in by_texts.get(texts, ()):
                    if outside is not None and series.clip is not None:
                        series.clip.takes(outside)
                        continue
                    value = self._numbers.read(row[value_index])
                    if is_noted and series.labels is not None:
                        if value is None and series.labels.may_lack(ts):
                            continue
                        series.labels.note(len(series.ts), ts, cell, row)
                    series.ts.append(ts)
                    series.value.append(value)


class CsvDataSourcePlugin(BasePlugin):
    """One series from a table: a column of times and one of values.

    An empty cell, or what `missing`
    lists, is "no value"; what is neither that nor a number is passed on, and refused by the run.
    """

    parameters = _PARAMETERS
    source_defaults: ClassVar[Mapping[str, Any]] = _SOURCE_DEFAULTS
    blocks: ClassVar[bool] = True

    def __init__(self, metadata: TimeSeriesMetadata, default_params: dict[str, Any]) -> None:
        super().__init__(metadata, default_params)
        self._source = _Source(Params(default_params))
        self._source.params.finish()

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,  # noqa: ARG002 - the API's; a column is one metric
    ) -> _Columns:
        """The rows with `start_date <= ts < end_date`, as columns.

        Local times up to a day before and after are among them: only the run knows the time zone.
        """
        extraction = self._source.series_extraction({})
        window = Window(start_date, end_date)
        await self._source.read(
            [extraction], window, root=self.config_dir, http=lambda: self.http, zone=self.zone
        )
        return extraction.columns


class CsvMultiSeriesPlugin(MultiSeriesPlugin):
    """Several series from one table, which is read once.

    Each series' `extract_filter` says what is its
    own: `value_column: price` in a wide table, `station: 42` (the column `station` holds 42) in a
    long one, or both.
    """

    parameters = _PARAMETERS
    series_parameters = (CsvSeries,)
    source_defaults: ClassVar[Mapping[str, Any]] = _SOURCE_DEFAULTS
    blocks: ClassVar[bool] = True

    def __init__(
        self,
        group_id: str,
        request_params: dict[str, Any],
        series_definitions: list[TimeSeriesDefinition],
        schedule: str,
    ) -> None:
        super().__init__(group_id, request_params, series_definitions, schedule)
        self._source = _Source(Params(request_params))
        read_filters(series_definitions, self._source.series_extraction, self._source.params)

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> dict[str, _Columns]:
        """The rows of each series with `start_date <= ts < end_date`, as columns.

        Local times up to a day before and after are among them: only the run knows the time zone.
        """
        extractions = read_filters(self._series_definitions, self._source.series_extraction)
        window = Window(start_date, end_date)
        await self._source.read(
            list(extractions.values()),
            window,
            root=self.config_dir,
            http=lambda: self.http,
            zone=self.zone,
        )
        return {name: extraction.columns for name, extraction in extractions.items()}
