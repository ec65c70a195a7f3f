"""Text tables (CSV and its kin) from files and URLs: one series, or several of one table.

A table is read whole on each run, so by default (`initial_history: all`, a `lookback` without end)
revisions are found however old they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from dataportal.plugins.base_plugin import BasePlugin, MultiSeriesPlugin
from dataportal.plugins.readers.extract_filters import read_filters
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.places import Place
from dataportal.plugins.readers.table_parameters import (
    decimal_sign,
    layout,
    number_format,
    time_format,
)
from dataportal.plugins.readers.tables import Table
from dataportal.plugins.readers.times import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dataportal.plugins.base_plugin import TimeSeriesDefinition, TimeSeriesMetadata
    from dataportal.plugins.http import HttpClient

    _Columns = dict[str, Any]

_SOURCE_DEFAULTS = {"initial_history": "all", "lookback": "10000 years"}


@dataclass(slots=True)
class _Wanted:
    """One series: where its values stand and in which rows, and what was found of it."""

    value_column: str | int
    filters: dict[str, str] = field(default_factory=dict)
    ts: list[datetime | str] = field(default_factory=list)
    value: list[float | str | None] = field(default_factory=list)
    unchanged: bool = False

    @property
    def columns(self) -> _Columns:
        return {"ts": self.ts, "value": self.value, "unchanged": self.unchanged}


class _Source:
    """Which table, and how to read it, from the parameters that both plugins share.

    - `path`, `url`, `base_url`, `headers`, `encoding`: see `Place`.
    - `delimiter` (found out if not given), `decimal` (.), `thousands` (none), `comment` (none),
      `skip_rows` (0), `header` (true), `missing` (a list), `scale` (1).
    - `ts_column` (1), `value_column` (2): a column's name, or its number from 1.
    - `time_format` (ISO 8601): as strptime reads it, or `unix`, or `unix_ms`.
    """

    def __init__(self, params: Params) -> None:
        self._place = Place(params)
        decimal = decimal_sign(params)
        self._layout = layout(params, decimal)
        self._numbers = number_format(params, decimal)
        self._times = time_format(params)
        self._ts_column = params.column("ts_column", 1)
        self._value_column = params.column("value_column", 2)
        is_named = isinstance(self._ts_column, str) or isinstance(self._value_column, str)
        if is_named and not self._layout.header:
            params.fault("without a header ts_column and value_column must be numbers")
        params.finish()

    def wanted(self, extract_filter: Mapping[str, Any]) -> _Wanted:
        """The series of which a filter speaks.

        Raises:
            ValueError: the filter says nothing usable.
        """
        own = Params(extract_filter)
        column: str | int = self._value_column
        if own.has("value_column"):
            column = own.column("value_column", 2)
        filters = {name: own.text(name) for name in extract_filter if name != "value_column"}
        if not self._layout.header and (filters or isinstance(column, str)):
            own.fault("without a header columns have no names to filter by")
        own.finish()
        return _Wanted(column, filters)

    async def read(
        self,
        series: Sequence[_Wanted],
        window: Window,
        *,
        root: Path,
        http: Callable[[], HttpClient],
    ) -> None:
        """Fill in the points of each series that lie in the window, or may.

        Raises:
            FetchError: see `Place.lines`; a BadDataError also for a table that cannot be read.
        """
        async with self._place.lines(root, http) as (lines, name):
            if lines is None:
                for one in series:
                    one.unchanged = True
                return
            table = Table(lines, self._layout, name)
            if not table.is_empty:
                self._fill(series, table, window)

    def _fill(self, series: Sequence[_Wanted], table: Table, window: Window) -> None:
        ts_at = table.column(self._ts_column)
        width = ts_at + 1
        # by the columns that are looked at and by what must stand there: one look-up a row
        by_filter: dict[tuple[int, ...], dict[tuple[str, ...], list[tuple[int, _Wanted]]]] = {}
        for one in series:
            value_at = table.column(one.value_column)
            columns = tuple(table.column(name) for name in one.filters)
            takers = by_filter.setdefault(columns, {})
            takers.setdefault(tuple(one.filters.values()), []).append((value_at, one))
            width = max(width, value_at + 1, *(column + 1 for column in columns))
        for row in table.rows(width):
            moment = self._times.read(row[ts_at].strip())
            if isinstance(moment, datetime) and not window.covers(moment):
                continue
            for columns, takers in by_filter.items():
                key = tuple([row[column].strip() for column in columns])
                for value_at, one in takers.get(key, ()):
                    one.ts.append(moment)
                    one.value.append(self._numbers.read(row[value_at]))


class CsvDataSourcePlugin(BasePlugin):
    """One series from a table: a column of times and one of values.

    `default_params`: all of `_Source`; `path` or `url` is needed. An empty cell, or what `missing`
    lists, is "no value"; what is neither that nor a number is passed on, and refused by the run.
    """

    source_defaults: ClassVar[Mapping[str, Any]] = _SOURCE_DEFAULTS
    blocks: ClassVar[bool] = True

    def __init__(self, metadata: TimeSeriesMetadata, default_params: dict[str, Any]) -> None:
        super().__init__(metadata, default_params)
        self._source = _Source(Params(default_params))

    async def get_historical_data(
        self,
        start_date: str,
        end_date: str | None = None,
        metrics: Sequence[str] | None = None,  # noqa: ARG002 - the API's; a column is one metric
    ) -> _Columns:
        """The rows with `start_date <= ts < end_date`, as columns.

        Local times up to a day before and after are among them: only the run knows the time zone.
        """
        wanted = self._source.wanted({})
        window = Window(start_date, end_date)
        await self._source.read([wanted], window, root=self.config_dir, http=lambda: self.http)
        return wanted.columns


class CsvMultiSeriesPlugin(MultiSeriesPlugin):
    """Several series from one table, which is read once.

    `request_params`: as for `CsvDataSourcePlugin`. Each series' `extract_filter` says what is its
    own: `value_column: price` in a wide table, `station: 42` (the column `station` holds 42) in a
    long one, or both.
    """

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
        read_filters(series_definitions, self._source.wanted)

    async def get_historical_data_multi(
        self, start_date: str, end_date: str | None = None
    ) -> dict[str, _Columns]:
        """The rows of each series with `start_date <= ts < end_date`, as columns.

        Local times up to a day before and after are among them: only the run knows the time zone.
        """
        wanted = read_filters(self._series_definitions, self._source.wanted)
        window = Window(start_date, end_date)
        await self._source.read(
            list(wanted.values()), window, root=self.config_dir, http=lambda: self.http
        )
        return {prefix: one.columns for prefix, one in wanted.items()}
