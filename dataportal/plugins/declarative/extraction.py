"""From records to points: which rows and values belong to a series, and what time they name."""

from __future__ import annotations

from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING, Any

from dataportal.errors import BadDataError
from dataportal.plugins.declarative.interval_starts import begun_before
from dataportal.plugins.declarative.records import CUT
from dataportal.plugins.declarative.series_extraction import Wanted, written
from dataportal.plugins.readers.expressions import ABSENT
from dataportal.plugins.readers.table_parameters import decimal_sign, number_format, time_format
from dataportal.plugins.readers.times import TimeFormat, nearest
from dataportal.times import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from dataportal.errors import FetchError
    from dataportal.plugins.declarative.records import Place, Reader, Records
    from dataportal.plugins.readers.parameters import Params
    from dataportal.plugins.readers.times import Window

_PUBLISHED = TimeFormat()


class Points:
    """Where times and values stand in a record, and how they are written.

    - `ts`, `value`: a place (a name, an expression or a path; a number from 1). For `ts` also a
      list of places, whose texts are put together with a blank.
    - `filter`: what must stand in which place for a row to count: a text, or a list of texts of
      which one must.
    - `published_at`: the place of the time at which the provider published the value, ISO 8601 with
      an offset: then one time may come several times, and every publication is kept.
    - `time_format`: ISO 8601 if not given; see `TimeFormat`.
    - `period_end`: times name the end of an interval of this length, such as `1 hour`.
    - `snapshot` (false): times are of this very moment, so that a local time of an hour that occurs
      twice is the one nearest to now.
    - `missing` (a list), `scale` (1), `decimal` (.), `thousands`: see `NumberFormat`.
    """

    def __init__(self, params: Params, now: Callable[[], datetime]) -> None:
        self._now = now
        self._ts: tuple[Place, ...] = params.places("ts")
        if not self._ts:
            params.fault("ts is missing")
        self._value = params.column("value", 2) if params.has("value") else None
        self._published: Place | None = None
        if params.has("published_at"):
            self._published = params.column("published_at", 1)
        self._filter = _conditions(params)
        self._times = time_format(params)
        self._period: timedelta | None = None
        if params.has("period_end"):
            try:
                self._period = parse_duration(params.text("period_end"))
            except ValueError as error:
                params.fault(f"period_end: {error}")
        self._snapshot = params.flag("snapshot", default=False)
        self.decimal = decimal_sign(params)
        self._numbers = number_format(params, self.decimal)

    def faults(self, reader: Reader) -> Iterable[str]:
        """What no answer of this kind can have."""
        published = () if self._published is None else (self._published,)
        for name, places in (
            ("ts", self._ts),
            ("published_at", published),
            ("filter", tuple(self._filter)),
        ):
            for place in places:
                try:
                    reader.check_place(place)
                except ValueError as error:
                    yield f"{name}: {error}"

    def wanted(
        self, extract_filter: Mapping[str, Any], names: frozenset[str], reader: Reader
    ) -> Wanted:
        """The series of which a filter speaks.

        Args:
            extract_filter: `value` is its place, and `rows` where its rows are; what the address
                has a field for fills that in; everything else must stand in the row.
            names: the fields of the address.
            reader: says what places there can be.

        Raises:
            ValueError: nothing says where the value stands, or a field stays open.
        """
        said = {str(key): item for key, item in extract_filter.items()}
        value = said.pop("value", self._value)
        rows = str(said.pop("rows", ""))
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value in ("", 0):
            raise ValueError("value is missing: the place where the value stands")
        open_fields = sorted(names - said.keys())
        if open_fields:
            raise ValueError(f"the address has a field {{{open_fields[0]}}}, and nothing fills it")
        own = {name: written(item) for name, item in said.items()}
        filters = {k: v for k, v in own.items() if k not in names}
        reader.check_rows(rows or reader.rows)
        for place in (value, *filters):
            reader.check_place(place)
        return Wanted(value, rows, filters, {k: v for k, v in own.items() if k in names})

    def collect(self, records: Records, series: Sequence[Wanted], window: Window) -> None:
        """Add what the records hold of each series; what is wrong with one is its `fault`.

        Raises:
            BadDataError: there is no place for the times.
        """
        raw = self._raw_times(records)
        if not raw:
            return
        counts = self._counting(records, len(raw))
        by_filter: dict[tuple[str, ...], list[Wanted]] = {}
        for one in series:
            one.first = one.first or records
            one.seen += len(raw)
            one.counted += len(counts)
            by_filter.setdefault(tuple(one.filters), []).append(one)
        moments = _Moments(raw, self._times)
        for places, takers in by_filter.items():
            try:
                rows = _rows(records, places, len(raw))
                for one in takers:
                    own = rows.get(tuple(one.filters.values()), ())
                    one.matched += len(own)
                    if own and one.fault is None:
                        mine = [row for row in own if row in counts]
                        one.mine += len(mine)
                        self._add(one, mine, moments, records, window)
            except BadDataError as error:
                for one in takers:
                    one.fault = one.fault or error

    def _counting(self, records: Records, count: int) -> Collection[int]:
        """The rows that count, for whichever series."""
        if not self._filter:
            return range(count)
        columns = [records.column(place) for place in self._filter]
        return {
            row
            for row, cells in enumerate(zip(*columns, strict=True))
            if all(
                cell is not CUT and written(cell) in texts
                for cell, texts in zip(cells, self._filter.values(), strict=True)
            )
        }

    def _add(
        self,
        one: Wanted,
        rows: Sequence[int],
        moments: _Moments,
        records: Records,
        window: Window,
    ) -> None:
        try:
            column = records.column(one.value)
            published = column if self._published is None else records.column(self._published)
        except BadDataError as error:
            one.fault = error
            return
        if len(rows) == len(column) and self._add_all(one, column, moments, window):
            return
        raw = moments.raw
        for row in rows:
            if CUT in (raw[row], column[row], published[row]):
                raise records.cut(row)
            # a row without the column says nothing; one with an empty cell says "no value"
            if column[row] is ABSENT:
                continue
            one.valued += 1
            moment = moments[row]
            if not isinstance(moment, str):
                one.timed += 1
                if self._period is None and not window.covers(moment):
                    continue
            one.ts.append(moment)
            one.values.append(self._numbers.value(column[row]))
            if self._published is not None:
                said = published[row]
                one.published.append("" if said is ABSENT else _PUBLISHED.read(said))

    def _add_all(
        self, one: Wanted, column: Sequence[Any], moments: _Moments, window: Window
    ) -> bool:
        """Add whole columns, if every row has a time and a number; whether it was so."""
        if self._published is not None or not self._numbers.plain(column):
            return False
        times = moments.all
        if times is None:
            return False
        one.valued += len(times)
        one.timed += len(times)
        if self._period is None and not window.covers_all(times):
            inside = [*map(window.covers, times)]
            times, column = [*compress(times, inside)], [*compress(column, inside)]
        one.ts.extend(times)
        one.values.extend(column)
        return True

    def _raw_times(self, records: Records) -> Sequence[Any]:
        columns = [records.column(place) for place in self._ts]
        if len(columns) == 1:
            return columns[0]
        return [
            CUT if any(part is CUT for part in parts) else " ".join(map(written, parts))
            for parts in zip(*columns, strict=True)
        ]

    def finished(
        self, one: Wanted, window: Window, zone: ZoneInfo | None
    ) -> dict[str, list[Any]] | FetchError:
        """The points of a series as columns, once all answers are had; or what is wrong with it."""
        wrong = one.wrong(self._ts, self._filter)
        if wrong is not None:
            return wrong
        moments = one.ts
        if self._snapshot and zone is not None:
            moments = [nearest(moment, zone, self._now()) for moment in moments]
        columns: dict[str, list[Any]] = {"ts": [*moments], "value": one.values}
        if self._published is not None:
            columns["published_at"] = [*one.published]
        if self._period is None:
            return columns
        columns["ts"] = [*begun_before(moments, self._period, zone)]
        inside = [isinstance(moment, str) or window.covers(moment) for moment in columns["ts"]]
        return {name: [*compress(column, inside)] for name, column in columns.items()}


class _Moments:
    """The times of records, each read once, whichever series it is for."""

    def __init__(self, raw: Sequence[Any], times: TimeFormat) -> None:
        self.raw = raw
        self._times = times
        self._read: dict[int, datetime | str] = {}

    def __getitem__(self, row: int) -> datetime | str:
        if row not in self._read:
            cell = self.raw[row]
            self._read[row] = "" if cell is ABSENT else self._times.read(cell)
        return self._read[row]

    @cached_property
    def all(self) -> list[datetime] | None:
        """All of them, if they are plain ISO 8601."""
        return self._times.read_all(self.raw)


def _rows(
    records: Records, places: tuple[str, ...], count: int
) -> dict[tuple[str, ...], Sequence[int]]:
    """The rows by what stands in these places; one that ends before them stands nowhere."""
    if not places:
        return {(): range(count)}
    columns = [records.column(place) for place in places]
    rows: dict[tuple[str, ...], list[int]] = {}
    for row, cells in enumerate(zip(*columns, strict=True)):
        if CUT not in cells:
            rows.setdefault(tuple(map(written, cells)), []).append(row)
    return {**rows}


def _conditions(params: Params) -> dict[str, list[str]]:
    """The places of `filter`, and the texts of which one must stand in each."""
    found: dict[str, list[str]] = {}
    for place, given in params.tree("filter").items():
        texts = given if isinstance(given, list) else [given]
        if not texts or any(isinstance(text, dict | list) for text in texts):
            params.fault(f"filter.{place} must be a text or a list of texts")
            continue
        found[str(place)] = [written(text) for text in texts]
    return found
