"""Extracts points from records: selects the rows of each series, and reads times and values.

More than 500 lines, as the rows of one series are read in several ways, as fast as each allows.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, time, timedelta
from itertools import compress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from dataportal.errors import BadDataError
from dataportal.granularity import interval_length
from dataportal.local_times import ClockChanges
from dataportal.plugins.declarative.cube_extraction import add_axis
from dataportal.plugins.declarative.cubes import VALUE_FIELD, Cube
from dataportal.plugins.declarative.daylight import DaylightFlags
from dataportal.plugins.declarative.interval_numbers import (
    IntervalNumbers,
)
from dataportal.plugins.declarative.page_doubts import is_page_size, page_doubt
from dataportal.plugins.declarative.point_parameters import PointParameters, SeriesParameters
from dataportal.plugins.declarative.record_times import RecordTimes
from dataportal.plugins.declarative.records import TRUNCATED_ROW
from dataportal.plugins.declarative.series_extraction import SeriesExtraction, filter_text
from dataportal.plugins.declarative.series_times import SeriesTimes, interval_start
from dataportal.plugins.declarative.templates import field_names, fill_fields
from dataportal.plugins.declarative.time_axis import TimeAxis
from dataportal.plugins.declarative.units import UnitPlaces, units_inside
from dataportal.plugins.parameters.faults import other_name_fault
from dataportal.plugins.readers.expressions import ABSENT_FIELD
from dataportal.plugins.readers.local_labels import names_no_hour
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.table_parameters import (
    DecimalParameters,
    NumberParameters,
    PublicationParameters,
    TimeParameters,
    decimal_sign,
    number_format,
    publication_format,
    time_format,
)
from dataportal.plugins.readers.times import (
    Clip,
    HourBeyond,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import tzinfo

    from dataportal.errors import FetchError
    from dataportal.plugins.declarative.records import FieldPath, Reader, Records
    from dataportal.plugins.parameters import Parameters
    from dataportal.plugins.readers.times import (
        Window,
    )


_DAY = timedelta(days=1)
_MIDNIGHT = time()
_LATEST = datetime.max.replace(tzinfo=UTC)


POINT_PARAMETERS: tuple[type[Parameters], ...] = (
    PointParameters,
    TimeParameters,
    PublicationParameters,
    DecimalParameters,
    NumberParameters,
)
"""All that a `PointExtractor` reads."""


class PointExtractor:
    """Knows where times and values stand in a row, and how they are written.

    Its parameters are `POINT_PARAMETERS`.

    Args:
        params: of the source.
        now: tells the present.
    """

    def __init__(self, params: Params, now: Callable[[], datetime]) -> None:
        self._now = now
        self._cells: WeakKeyDictionary[Records, Sequence[Any]] = WeakKeyDictionary()
        self._changes: dict[ZoneInfo, ClockChanges] = {}
        points = params.read(PointParameters)
        self._ts: tuple[FieldPath, ...] = points.ts
        self._interval = IntervalNumbers.read(params, points.interval)
        self._daylight = DaylightFlags.read(params, points.dst)
        has_ts, has_interval = (params.first_given(name) is not None for name in ("ts", "interval"))
        if has_ts == has_interval:
            params.add_fault("give either ts or interval" if has_ts else "ts is missing")
        if self._interval is not None:
            self._ts = self._interval.day
        self._value = points.value
        self._has_value = params.first_given("value") is not None
        self._units = UnitPlaces(params, points.unit)
        self._published = params.read(PublicationParameters).published_at
        self._filter = _filter_texts(params, points.filter)
        # what a field of the address stands in is of each series alone
        self._own_filter = {
            path: texts[0]
            for path, texts in self._filter.items()
            if len(texts) == 1 and field_names(texts[0])
        }
        self._filter = {
            path: texts for path, texts in self._filter.items() if path not in self._own_filter
        }
        self._times = time_format(params)
        self._period = points.period_end
        self._snapshot = bool(points.snapshot)
        for name in ("period_end", "snapshot", "dst"):
            if points.interval is not None and getattr(points, name) is not None:
                params.add_fault(f"{name} does not go with interval")
        self._publications = publication_format(params, self._times)
        self.decimal = decimal_sign(params)
        self._numbers = number_format(params, self.decimal)

    def faults(self, reader: Reader) -> Iterable[str]:
        """What is wrong with the paths, given what reads the answers."""
        published = () if self._published is None else (self._published,)
        for name, paths in (
            ("ts", self._ts),
            ("published_at", published),
            ("unit", self._units.places),
            ("filter", (*self._filter, *self._own_filter)),
            ("interval", () if self._interval is None else self._interval.number),
            ("dst", () if self._daylight is None or self._daylight.in_labels else (self._flag,)),
        ):
            for path in paths:
                try:
                    reader.check_place(path)
                except ValueError as error:
                    yield f"{name}: {error}"

    @property
    def has_publications(self) -> bool:
        """Whether each value has a time of publication."""
        return self._published is not None

    @property
    def _flag(self) -> FieldPath:
        """Where a flag of daylight saving time stands."""
        return (self._daylight and self._daylight.place) or ""

    def series_parameters(
        self, extract_filter: Mapping[str, Any], address_fields: frozenset[str]
    ) -> SeriesParameters:
        """What an extract_filter says, as far as it can be told by itself.

        Args:
            extract_filter: of a series.
            address_fields: the names of the fields of the address.

        Raises:
            ParameterError: with everything that is wrong with it.
        """
        params = Params(extract_filter)
        given = params.read(SeriesParameters)
        for name in ("value_column", "ts_column"):
            if name in given.conditions and name not in address_fields:
                params.add_fault(other_name_fault(name), name)
        if not self._has_value and params.first_given("value") is None:
            params.add_fault("value is missing: the place where the value stands")
        for name in sorted(address_fields - {str(name) for name in extract_filter}):
            params.add_fault(f"the address has a field {{{name}}}, and nothing fills it", name)
        params.finish()
        return given

    def series_extraction(
        self,
        extract_filter: Mapping[str, Any],
        address_fields: frozenset[str],
        reader: Reader,
        *,
        listed_fields: frozenset[str] = frozenset(),
    ) -> SeriesExtraction:
        """The extraction of the series with this filter, of which nothing was read yet.

        Args:
            extract_filter: `value` is the path of its values, and `rows` where its rows are; what
                the address has a field for fills that in, and the same in braces in `rows` and in
                the texts of the shared filter; everything else must stand in the row.
            address_fields: the names of the fields of the address.
            reader: knows which paths there can be.
            listed_fields: those that need no value of its own, as the request has a list of them.

        Raises:
            ValueError: nothing says where the value stands, or a field of the address stays open.
        """
        given = self.series_parameters(extract_filter, address_fields)
        conditions, rows = given.conditions, given.rows
        value = self._value if given.value is None else given.value
        assert value is not None  # noqa: S101 - else it is missing
        if rows is None:
            rows = reader.rows if field_names(reader.rows) else ""
        texts = {name: filter_text(item) for name, item in conditions.items()}
        in_places = field_names(rows).union(*map(field_names, self._own_filter.values()))
        fields = address_fields | listed_fields | in_places
        filters = {name: text for name, text in texts.items() if name not in fields}
        own = {name: text for name, text in texts.items() if name in fields}
        rows = fill_fields("rows", rows, own)
        for place, text in self._own_filter.items():
            filters.setdefault(place, fill_fields(f"filter.{place}", text, own))
        reader.check_rows(rows or reader.rows)
        for path in (value, *filters):
            reader.check_place(path)
        published = () if self._published is None else (self._published,)
        places = (*self._ts, value, *published, *self._units.places, *self._filter, *filters)
        reader.check_together(path for path in places if path not in reader.further_fields)
        in_address = {
            name: texts[name] if isinstance(conditions[name], bool | None) else conditions[name]
            for name in own
            if name in address_fields | listed_fields
        }
        return SeriesExtraction(value, rows, filters, in_address)

    def extract(
        self,
        records: Records,
        extractions: Sequence[SeriesExtraction],
        window: Window,
        *,
        zone: ZoneInfo | None = None,
        stated: tzinfo | None = None,
    ) -> None:
        """Add the points of the records to each series; what is wrong with one is its `fault`.

        Args:
            records: of one document.
            extractions: the series.
            window: what was asked for.
            zone: of the source.
            stated: where the document says that its local times are.

        Raises:
            BadDataError: the records have no field for the times.
        """
        if isinstance(records, Cube):
            self._extract_cube(records, extractions, window, zone, stated)
            return
        cells = self._time_cells(records)
        if not cells:
            self._check_columns(records, extractions)
            return
        accepted = self._accepted_rows(records, len(cells))
        by_filter: dict[tuple[str, ...], list[SeriesExtraction]] = {}
        for series in extractions:
            series.first_records = series.first_records or records
            self._prepare(series, window, zone, stated)
            series.rows_seen += len(cells)
            series.rows_accepted += len(accepted)
            by_filter.setdefault(tuple(series.filters), []).append(series)
        times = self._record_times(records, cells, stated)
        for paths, sharing in by_filter.items():
            try:
                rows_by_texts = _rows_by_texts(records, paths, len(cells))
                for series in sharing:
                    matched = rows_by_texts.get(tuple(series.filters.values()), ())
                    series.rows_matched += len(matched)
                    if matched and series.fault is None:
                        taken = (
                            matched
                            if isinstance(accepted, range)
                            else [row for row in matched if row in accepted]
                        )
                        series.rows_taken += len(taken)
                        self._add_rows(series, taken, times, records, window)
            except BadDataError as error:
                for series in sharing:
                    series.fault = series.fault or error

    def _extract_cube(
        self,
        cube: Cube,
        extractions: Sequence[SeriesExtraction],
        window: Window,
        zone: ZoneInfo | None,
        stated: tzinfo | None,
    ) -> None:
        """As `extract`, of a cube, whose observations of a series are found at once."""
        axes: dict[int, TimeAxis] = {}
        for series in extractions:
            self._prepare(series, window, zone, stated)
            own = {name: {text} for name, text in series.filters.items()}
            shared = {
                name: {*texts} & own.get(name, {*texts}) for name, texts in self._filter.items()
            }
            try:
                records = cube.select({**own, **shared}) if len(cube) else None
            except BadDataError as error:
                series.fault = series.fault or error
                continue
            if not records or series.fault is not None:
                continue
            count = len(records)
            series.first_records = series.first_records or records
            series.rows_seen += count
            series.rows_accepted += count
            series.rows_matched += count
            series.rows_taken += count
            axis = axes.get(id(records.axis))
            if axis is None:
                axis = TimeAxis(records.axis, self._times, window, series.changes)
                axes[id(records.axis)] = axis
            rows: Sequence[int] = range(count)
            if stated is None and self._takes_plain_times:
                are_plain = self._numbers.are_plain if series.value == VALUE_FIELD else None
                units = self._units.texts(records)
                rows = add_axis(series, records, axis, are_plain, units)
            if rows:
                cells = self._time_cells(records)
                times = self._record_times(records, cells, stated)
                self._add_rows(series, rows, times, records, window)

    @property
    def _takes_plain_times(self) -> bool:
        """Whether a time means what it says, and nothing beside it has to be read."""
        return (
            self._interval is None
            and self._published is None
            and self._daylight is None
            and self._period is None
            and len(self._ts) == 1
        )

    def _check_columns(self, records: Records, extractions: Sequence[SeriesExtraction]) -> None:
        """Note what is wrong with columns that have no cells: a header alone may lack one too."""
        for series in extractions:
            try:
                for path in (series.value, *series.filters, *self._filter):
                    records.column(path)
            except BadDataError as error:
                series.fault = series.fault or error

    def page_doubt(
        self, records: Records, start: datetime, end: datetime, zone: ZoneInfo | None
    ) -> str | None:
        """Why these records, of an answer to a request for this range, may be a page of several."""
        if isinstance(records, Cube) or not is_page_size(len(records)):
            return None
        cells, end = self._time_cells(records), min(end, self._now())
        first_and_last = [self._times.read(cell) for cell in (*cells[:1], *cells[-1:])]
        has_times = not any(isinstance(ts, str) for ts in first_and_last)
        if has_times and page_doubt(len(records), first_and_last, start, end, zone=zone) is None:
            return None  # these two reach far enough, and the others no less far
        times: Iterable[datetime | str] | None = self._times.read_all(cells)
        if times is None:
            times = map(self._times.read, cells)
        return page_doubt(len(records), times, start, end, zone=zone)

    def _prepare(
        self,
        series: SeriesExtraction,
        window: Window,
        zone: ZoneInfo | None,
        stated: tzinfo | None,
    ) -> None:
        """Note where its times are, and what its intervals are clipped by."""
        if isinstance(stated, ZoneInfo):
            if series.zone not in {None, stated}:
                raise BadDataError(
                    f"an answer is of the zone {stated}, and one before it of {series.zone}"
                )
            series.zone = stated
        if series.clip is None:
            length = None if self._interval is None else self._interval.interval_length
            series.clip = Clip(window, length, series.zone or zone)
            in_zone = series.zone or zone
            # what an answer states as an offset needs no zone to be resolved
            series.changes = None if in_zone is None else self._clock_changes(in_zone)

    def _clock_changes(self, zone: ZoneInfo) -> ClockChanges:
        """Those of a zone, which all series share: each day is looked at once."""
        if zone not in self._changes:
            self._changes[zone] = ClockChanges(zone)
        return self._changes[zone]

    def _record_times(
        self, records: Records, cells: Sequence[Any], stated: tzinfo | None
    ) -> RecordTimes:
        offset = None if isinstance(stated, ZoneInfo) else stated
        if self._interval is None:
            return RecordTimes(records, cells, self._times, daylight=self._daylight, offset=offset)
        numbers = [records.column(path) for path in self._interval.number]
        return RecordTimes(
            records, cells, self._times, offset=offset, numbers=[*zip(*numbers, strict=True)]
        )

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
        times: RecordTimes,
        records: Records,
        window: Window,
    ) -> None:
        try:
            column = records.column(series.value)
            published = column if self._published is None else records.column(self._published)
            units = self._units.texts(records)
        except BadDataError as error:
            series.fault = error
            return
        if len(rows) == len(column) and self._add_column(series, column, times, window, units):
            return
        has_publications = self._published is not None
        publications = times.publications(published, self._publications) if has_publications else ()
        time_cells, read = times.cells, times if times.all is None else times.all
        start, end = window.start, window.end or _LATEST
        added: list[int] = []
        for row in rows:
            cell = column[row]
            if TRUNCATED_ROW in (time_cells[row], cell, published[row]):
                raise records.truncation_error(row)
            # a row without the field says nothing; one with an empty cell says "no value"
            if cell is ABSENT_FIELD:
                continue
            series.rows_with_value += 1
            begins = self._begins(series, read[row], times, row, cell)
            if begins is None:
                continue
            ts = begins
            if isinstance(ts, str):
                is_taken = self._takes_text(series, ts)
            else:
                series.rows_with_time += 1
                is_surely_inside = ts.tzinfo is not None and start <= ts < end
                is_taken = is_surely_inside or self._takes(series, ts, times, row)
            if not is_taken:
                continue
            series.ts.append(ts)
            series.values.append(self._numbers.value(cell))
            added.append(row)
        if has_publications:
            series.published.extend(map(publications.__getitem__, added))
        series.note_units(units, added)

    def _begins(
        self,
        series: SeriesExtraction,
        ts: datetime | str,
        times: RecordTimes,
        row: int,
        cell: object,
    ) -> datetime | str | None:
        """The time of a row; None for an hour that its day may not have, and has no value."""
        if self._interval is not None:
            is_empty = self._numbers.value(cell) is None
            return interval_start(series, self._interval, ts, times, row, is_empty=is_empty)
        if isinstance(ts, str):
            is_nothing = isinstance(ts, HourBeyond) and self._numbers.value(cell) is None
            return None if is_nothing else ts
        if ts.tzinfo is not None or series.changes is None:
            return ts
        marks = self._daylight if self._daylight is not None and self._daylight.in_labels else None
        is_marked = marks is not None and bool(marks.mark(filter_text(times.cells[row])))
        is_nothing = (
            (is_marked or series.changes.are_near(ts.date()))
            and self._numbers.value(cell) is None
            and names_no_hour(ts, self._period, series.changes.zone, is_marked=is_marked)
        )
        return None if is_nothing else ts

    def _takes_text(self, series: SeriesExtraction, ts: str) -> bool:
        """Whether the run is told of a time that cannot be read: not of a day outside the window.

        Notes the fault of a day that has an hour which no clock shows.
        """
        if not isinstance(ts, HourBeyond):
            return True
        if series.clip is not None and not series.clip.takes(datetime.combine(ts.day, _MIDNIGHT)):
            return False
        series.day_faults[ts.day] = ts
        series.days[len(series.ts)] = ts.day
        return True

    def _takes(self, series: SeriesExtraction, ts: datetime, times: RecordTimes, row: int) -> bool:
        """Whether a point may lie in the window; notes what its time may mean."""
        cell = times.cells[row]
        if (
            self._period is None
            and series.clip is not None
            and not series.clip.takes(ts, self._times.length(cell))
        ):
            return False
        if ts.tzinfo is None:
            position = len(series.ts)
            is_midnight = not ts.hour and not ts.minute
            if is_midnight and (day := self._times.day_of_hour_24(cell)) is not None:
                series.hours_24[day] += 1
                series.days[position] = day
            if series.changes is not None and series.changes.are_near(ts.date()):
                series.origins[position] = (times.records, row, cell)
        return True

    def _add_column(
        self,
        series: SeriesExtraction,
        column: Sequence[Any],
        record_times: RecordTimes,
        window: Window,
        units: Sequence[str] | None,
    ) -> bool:
        """Add a whole column if every row has a time and a number; whether it was added."""
        if self._published is not None or self._interval is not None:
            return False
        times = record_times.all
        values = None if times is None else self._numbers.read_all(column)
        if times is None or values is None:
            return False
        near = () if series.changes is None else record_times.rows_near(series.changes)
        if any(values[row] is None for row in near):
            return False
        column = values
        series.rows_with_value += len(times)
        series.rows_with_time += len(times)
        rows: Sequence[int] = range(len(times))
        if self._period is None and not window.covers_all(times):
            inside = [*map((series.clip or Clip(window)).takes, times)]
            times, column = [*compress(times, inside)], [*compress(column, inside)]
            rows = [*compress(rows, inside)]
        self._note_origins(series, record_times, rows)
        series.ts.extend(times)
        series.values.extend(column)
        series.note_units(units, rows)
        return True

    def _note_origins(
        self,
        series: SeriesExtraction,
        record_times: RecordTimes,
        rows: Sequence[int],
    ) -> None:
        """Note which rows they stand in, of times near a change of the clocks."""
        changes = series.changes
        near = () if changes is None else record_times.rows_near(changes)
        first, cells = len(series.ts), record_times.cells
        records = record_times.records
        if isinstance(rows, range):  # all of them
            series.origins.update({first + row: (records, row, cells[row]) for row in near})
            return
        for row in near:
            index = bisect_left(rows, row)
            if index < len(rows) and rows[index] == row:
                series.origins[first + index] = (records, row, cells[row])

    def _time_cells(self, records: Records) -> Sequence[Any]:
        cells = self._cells.get(records)
        if cells is None:
            cells = self._cells[records] = self._read_time_cells(records)
        return cells

    def _read_time_cells(self, records: Records) -> Sequence[Any]:
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
        failure = series.failure(self._ts, self._filter, self._units.places)
        if failure is not None:
            return failure
        clip, zone = series.clip, series.zone or zone
        times, repeated = self._times_of_series().resolve(series, zone)
        ts = times if isinstance(times, list) else [*times]
        columns: dict[str, list[Any]] = {"ts": ts, "value": series.values}
        if self._published is not None:
            columns["published_at"] = [*series.published]
        if (revised := series.revised) is not None:
            columns["revised_at"] = [*revised]
        if self._period is not None:
            clip = Clip(window, interval_length(self._period), zone)
        units = units_inside(series.units, times, clip, zone)
        if repeated or self._period is not None:
            taken = self._selection(times, repeated, clip)
            columns = {name: [*compress(column, taken)] for name, column in columns.items()}
        beside: dict[str, Any] = {**columns} if clip is None else clip.columns(columns)
        if repeated:
            beside["duplicates"] = len(repeated)
        if units:
            beside["unit"] = units
        return {**beside, "unchanged": True} if series.unchanged else beside

    def _times_of_series(self) -> SeriesTimes:
        now = self._now() if self._snapshot else None
        return SeriesTimes(self._period, self._daylight, self._flag, now)

    def _selection(
        self, times: Sequence[datetime | str], repeated: Collection[int], clip: Clip | None
    ) -> list[bool]:
        """Of each point whether it is taken: not of those that repeat one, or end outside."""
        if self._period is None or clip is None:
            return [position not in repeated for position in range(len(times))]
        return [
            position not in repeated and (isinstance(ts, str) or clip.takes(ts))
            for position, ts in enumerate(times)
        ]


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


def _filter_texts(params: Params, given: Mapping[str, Any]) -> dict[str, list[str]]:
    """The texts of which one must stand at each path of `filter`."""
    conditions: dict[str, list[str]] = {}
    for path, value in given.items():
        texts = value if isinstance(value, list) else [value]
        if not texts:
            message = f"filter.{path} must be a text or a list of texts"
            params.add_fault(message, "filter", path)
        conditions[path] = [filter_text(text) for text in texts]
    return conditions
