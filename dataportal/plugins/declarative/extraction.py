"""Extracts points from records: selects the rows of each series, and reads times and values."""

from __future__ import annotations

from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING, Any

from dataportal.errors import BadDataError
from dataportal.granularity import interval_length
from dataportal.plugins.declarative.interval_starts import interval_starts
from dataportal.plugins.declarative.records import TRUNCATED_ROW
from dataportal.plugins.declarative.series_extraction import SeriesExtraction, filter_text
from dataportal.plugins.readers.expressions import ABSENT_FIELD
from dataportal.plugins.readers.table_parameters import decimal_sign, number_format, time_format
from dataportal.plugins.readers.times import Clip, TimeFormat, nearest_instant
from dataportal.times import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from dataportal.errors import FetchError
    from dataportal.plugins.declarative.records import FieldPath, Reader, Records
    from dataportal.plugins.readers.parameters import Params
    from dataportal.plugins.readers.times import Window

_PUBLISHED = TimeFormat()


class PointExtractor:
    """Knows where times and values stand in a row, and how they are written.

    - `ts`, `value`: a path (a name, an expression or a path; a number from 1). For `ts` also a list
      of paths, whose texts are joined with a blank.
    - `filter`: what must stand at which path for a row to be taken: a text, or a list of texts of
      which one must.
    - `published_at`: the path of the time at which the provider published the value, ISO 8601 with
      an offset: then one time may come several times, and every publication is kept.
    - `time_format`: ISO 8601 if it is not set; see `TimeFormat`.
    - `period_end`: times name the end of an interval of this length, such as `1 hour`.
    - `snapshot` (false): times are of the present, so that a local time of an hour that occurs
      twice is the one nearest to now.
    - `missing` (a list), `scale` (1), `decimal` (.), `thousands`: see `NumberFormat`.

    Args:
        params: of the source.
        now: tells the present.
    """

    def __init__(self, params: Params, now: Callable[[], datetime]) -> None:
        self._now = now
        self._ts: tuple[FieldPath, ...] = params.columns("ts")
        if not self._ts:
            params.add_fault("ts is missing")
        self._value = params.column("value", 2) if params.has("value") else None
        self._published: FieldPath | None = None
        if params.has("published_at"):
            self._published = params.column("published_at", 1)
        self._filter = _read_filter(params)
        self._times = time_format(params)
        self._period: timedelta | None = None
        if params.has("period_end"):
            try:
                self._period = parse_duration(params.text("period_end"))
            except ValueError as error:
                params.add_fault(f"period_end: {error}")
        self._snapshot = params.flag("snapshot", default=False)
        self.decimal = decimal_sign(params)
        self._numbers = number_format(params, self.decimal)

    def faults(self, reader: Reader) -> Iterable[str]:
        """What is wrong with the paths, given what reads the answers."""
        published = () if self._published is None else (self._published,)
        for name, paths in (
            ("ts", self._ts),
            ("published_at", published),
            ("filter", tuple(self._filter)),
        ):
            for path in paths:
                try:
                    reader.check_field(path)
                except ValueError as error:
                    yield f"{name}: {error}"

    def series_extraction(
        self, extract_filter: Mapping[str, Any], address_fields: frozenset[str], reader: Reader
    ) -> SeriesExtraction:
        """The extraction of the series with this filter, of which nothing was read yet.

        Args:
            extract_filter: `value` is the path of its values, and `rows` where its rows are; what
                the address has a field for fills that in; everything else must stand in the row.
            address_fields: the names of the fields of the address.
            reader: knows which paths there can be.

        Raises:
            ValueError: nothing says where the value stands, or a field of the address stays open.
        """
        conditions = {str(key): item for key, item in extract_filter.items()}
        value = conditions.pop("value", self._value)
        rows = str(conditions.pop("rows", ""))
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value in ("", 0):
            raise ValueError("value is missing: the place where the value stands")
        open_fields = sorted(address_fields - conditions.keys())
        if open_fields:
            raise ValueError(f"the address has a field {{{open_fields[0]}}}, and nothing fills it")
        texts = {name: filter_text(item) for name, item in conditions.items()}
        filters = {name: text for name, text in texts.items() if name not in address_fields}
        reader.check_rows(rows or reader.rows)
        for path in (value, *filters):
            reader.check_field(path)
        in_address = {name: text for name, text in texts.items() if name in address_fields}
        return SeriesExtraction(value, rows, filters, in_address)

    def extract(
        self, records: Records, extractions: Sequence[SeriesExtraction], window: Window
    ) -> None:
        """Add the points of the records to each series; what is wrong with one is its `fault`.

        Raises:
            BadDataError: the records have no field for the times.
        """
        cells = self._time_cells(records)
        if not cells:
            return
        accepted = self._accepted_rows(records, len(cells))
        by_filter: dict[tuple[str, ...], list[SeriesExtraction]] = {}
        for series in extractions:
            series.first_records = series.first_records or records
            series.clip = series.clip or Clip(window)
            series.rows_seen += len(cells)
            series.rows_accepted += len(accepted)
            by_filter.setdefault(tuple(series.filters), []).append(series)
        times = _RecordTimes(cells, self._times)
        for paths, sharing in by_filter.items():
            try:
                rows_by_texts = _rows_by_texts(records, paths, len(cells))
                for series in sharing:
                    matched = rows_by_texts.get(tuple(series.filters.values()), ())
                    series.rows_matched += len(matched)
                    if matched and series.fault is None:
                        taken = [row for row in matched if row in accepted]
                        series.rows_taken += len(taken)
                        self._add_rows(series, taken, times, records, window)
            except BadDataError as error:
                for series in sharing:
                    series.fault = series.fault or error

    def _accepted_rows(self, records: Records, count: int) -> Collection[int]:
        """The rows that pass the filter of all series."""
        if not self._filter:
            return range(count)
        columns = [records.column(path) for path in self._filter]
        return {
            row
            for row, cells in enumerate(zip(*columns, strict=True))
            if all(
                cell is not TRUNCATED_ROW and filter_text(cell) in texts
                for cell, texts in zip(cells, self._filter.values(), strict=True)
            )
        }

    def _add_rows(
        self,
        series: SeriesExtraction,
        rows: Sequence[int],
        times: _RecordTimes,
        records: Records,
        window: Window,
    ) -> None:
        try:
            column = records.column(series.value)
            published = column if self._published is None else records.column(self._published)
        except BadDataError as error:
            series.fault = error
            return
        if len(rows) == len(column) and self._add_column(series, column, times, window):
            return
        time_cells = times.cells
        clip = series.clip or Clip(window)
        for row in rows:
            if TRUNCATED_ROW in (time_cells[row], column[row], published[row]):
                raise records.truncation_error(row)
            # a row without the field says nothing; one with an empty cell says "no value"
            if column[row] is ABSENT_FIELD:
                continue
            series.rows_with_value += 1
            ts = times[row]
            if not isinstance(ts, str):
                series.rows_with_time += 1
                if self._period is None and not clip.takes(ts, self._times.length(time_cells[row])):
                    continue
            series.ts.append(ts)
            series.values.append(self._numbers.value(column[row]))
            if self._published is not None:
                cell = published[row]
                series.published.append("" if cell is ABSENT_FIELD else _PUBLISHED.read(cell))

    def _add_column(
        self,
        series: SeriesExtraction,
        column: Sequence[Any],
        record_times: _RecordTimes,
        window: Window,
    ) -> bool:
        """Add a whole column if every row has a time and a number; whether it was added."""
        if self._published is not None or not self._numbers.are_plain(column):
            return False
        times = record_times.all
        if times is None:
            return False
        series.rows_with_value += len(times)
        series.rows_with_time += len(times)
        if self._period is None and not window.covers_all(times):
            inside = [*map((series.clip or Clip(window)).takes, times)]
            times, column = [*compress(times, inside)], [*compress(column, inside)]
        series.ts.extend(times)
        series.values.extend(column)
        return True

    def _time_cells(self, records: Records) -> Sequence[Any]:
        columns = [records.column(path) for path in self._ts]
        if len(columns) == 1:
            return columns[0]
        return [
            TRUNCATED_ROW
            if any(cell is TRUNCATED_ROW for cell in cells)
            else " ".join(map(filter_text, cells))
            for cells in zip(*columns, strict=True)
        ]

    def columns(
        self, series: SeriesExtraction, window: Window, zone: ZoneInfo | None
    ) -> dict[str, Any] | FetchError:
        """The points of a series as a plugin returns them, once all answers were read.

        What is wrong with the series in their place.
        """
        failure = series.failure(self._ts, self._filter)
        if failure is not None:
            return failure
        times, clip = series.ts, series.clip
        if self._snapshot and zone is not None:
            times = [nearest_instant(ts, zone, self._now()) for ts in times]
        columns: dict[str, list[Any]] = {"ts": [*times], "value": series.values}
        if self._published is not None:
            columns["published_at"] = [*series.published]
        if self._period is not None:
            columns["ts"] = [*interval_starts(times, self._period, zone)]
            clip = Clip(window, interval_length(self._period), zone)
            inside = [isinstance(ts, str) or clip.takes(ts) for ts in columns["ts"]]
            columns = {name: [*compress(column, inside)] for name, column in columns.items()}
        beside = {**columns} if clip is None else clip.columns(columns)
        return {**beside, "unchanged": True} if series.unchanged else beside


class _RecordTimes:
    """The times of records, each read once, whichever series it is for.

    Attributes:
        cells: the times as they are written.
    """

    def __init__(self, cells: Sequence[Any], times: TimeFormat) -> None:
        self.cells = cells
        self._times = times
        self._parsed: dict[int, datetime | str] = {}

    def __getitem__(self, row: int) -> datetime | str:
        if row not in self._parsed:
            cell = self.cells[row]
            self._parsed[row] = "" if cell is ABSENT_FIELD else self._times.read(cell)
        return self._parsed[row]

    @cached_property
    def all(self) -> list[datetime] | None:
        """All of them if they are ISO 8601; None if any is something else."""
        return self._times.read_all(self.cells)


def _rows_by_texts(
    records: Records, paths: tuple[str, ...], count: int
) -> dict[tuple[str, ...], Sequence[int]]:
    """The rows by the texts at these paths; a row that ends before them is left out."""
    if not paths:
        return {(): range(count)}
    columns = [records.column(path) for path in paths]
    rows: dict[tuple[str, ...], list[int]] = {}
    for row, cells in enumerate(zip(*columns, strict=True)):
        if TRUNCATED_ROW not in cells:
            rows.setdefault(tuple(map(filter_text, cells)), []).append(row)
    return {**rows}


def _read_filter(params: Params) -> dict[str, list[str]]:
    """The texts of which one must stand at each path of `filter`."""
    conditions: dict[str, list[str]] = {}
    for path, value in params.tree("filter").items():
        texts = value if isinstance(value, list) else [value]
        if not texts or any(isinstance(text, dict | list) for text in texts):
            params.add_fault(f"filter.{path} must be a text or a list of texts")
            continue
        conditions[str(path)] = [filter_text(text) for text in texts]
    return conditions
