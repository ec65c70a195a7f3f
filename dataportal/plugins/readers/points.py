"""From records to points: which rows and values belong to a series, and what time they name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dataportal.local_times import LocalTime, resolve
from dataportal.plugins.readers.instants import TimeFormat
from dataportal.plugins.readers.numbers import MISSING, NumberFormat
from dataportal.plugins.readers.records import ABSENT
from dataportal.times import parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from dataportal.plugins.readers.instants import Window
    from dataportal.plugins.readers.params import Params
    from dataportal.plugins.readers.records import Place, Records

_DAY = timedelta(days=1)


@dataclass(slots=True)
class Wanted:
    """One series: where its values stand and in which rows, and what was found of it.

    `names` are what its extract_filter says for the fields of the address.
    """

    value: Place
    filters: dict[str, str]
    names: dict[str, str]
    ts_found: list[datetime | str] = field(default_factory=list)
    values_found: list[Any] = field(default_factory=list)

    @property
    def columns(self) -> dict[str, list[Any]]:
        """What was found, as the run takes it."""
        return {"ts": self.ts_found, "value": self.values_found}


class Points:
    """Where times and values stand in a record, and how they are written.

    - `ts`, `value`: a place (a name, an expression or a path; a number from 1). For `ts` also a
      list of places, whose texts are put together with a blank.
    - `filter`: what must stand in which place for a row to count.
    - `time_format`: ISO 8601 if not given; as strptime reads it; `unix`, `unix_ms`; or `period`
      for 2024, 2024-S1, 2024-Q1, 2024-M01, 2024-01, 2024-W05.
    - `period_end`: times name the end of an interval of this length, such as `1 hour`.
    - `missing` (a list), `scale` (1), `decimal` (.), `thousands`: see `NumberFormat`.
    """

    def __init__(self, params: Params) -> None:
        places = params.places("ts")
        if not places:
            params.fault("ts is missing")
        self._ts: tuple[Place, ...] = places
        self._value = params.column("value", 2) if params.has("value") else None
        self._filter = params.mapping("filter")
        self._times = TimeFormat(params.text("time_format"))
        self._period: timedelta | None = None
        if params.has("period_end"):
            try:
                self._period = parse_duration(params.text("period_end"))
            except ValueError as error:
                params.fault(f"period_end: {error}")
        self.decimal = params.choice("decimal", (".", ",")) or "."
        self._missing = params.anything("missing")
        texts = [str(item) for item in self._missing] if self._missing is not None else MISSING
        self._scale = params.number("scale", 1.0)
        if self._scale == 0:
            params.fault("scale must not be 0")
        self._numbers = NumberFormat(
            decimal=self.decimal,
            thousands=params.text("thousands"),
            missing=texts,
            scale=self._scale,
        )
        self._missing_numbers = {
            item for item in self._missing or () if isinstance(item, (int, float))
        }

    def wanted(self, extract_filter: Mapping[str, Any], names: frozenset[str]) -> Wanted:
        """The series of which a filter speaks.

        Args:
            extract_filter: `value` is its place; what the address has a field for fills that in;
                everything else must stand in the row.
            names: the fields of the address.

        Raises:
            ValueError: nothing says where the value stands, or a field stays open.
        """
        said = {str(key): item for key, item in extract_filter.items()}
        value = said.pop("value", self._value)
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
            raise ValueError("value is missing: the place where the value stands")
        open_fields = sorted(names - said.keys())
        if open_fields:
            raise ValueError(f"the address has a field {{{open_fields[0]}}}, and nothing fills it")
        own = {name: str(item) for name, item in said.items()}
        return Wanted(
            value,
            {**self._filter, **{k: v for k, v in own.items() if k not in names}},
            {k: v for k, v in own.items() if k in names},
        )

    def collect(
        self, records: Records, series: Sequence[Wanted], window: Window, zone: ZoneInfo | None
    ) -> None:
        """Add what the records hold of each series.

        Raises:
            BadDataError: a place that is nowhere in them.
        """
        moments = self._moments(records, zone)
        if not moments:
            return
        inside = [isinstance(m, str) or window.covers(m) for m in moments]
        by_filter: dict[tuple[str, ...], list[Wanted]] = {}
        for one in series:
            by_filter.setdefault(tuple(one.filters), []).append(one)
        for places, takers in by_filter.items():
            rows = self._rows(records, places, inside)
            for one in takers:
                column = records.column(one.value)
                for row in rows.get(tuple(one.filters.values()), ()):
                    raw = column[row]
                    # a row without the column says nothing; one with an empty cell says "no value"
                    if raw is not ABSENT:
                        one.ts_found.append(moments[row])
                        one.values_found.append(self._read(raw))

    def _rows(
        self, records: Records, places: tuple[str, ...], inside: Sequence[bool]
    ) -> dict[tuple[str, ...], list[int]]:
        """The rows in the window, by what stands in these places."""
        rows: dict[tuple[str, ...], list[int]] = {}
        if not places:
            return {(): [row for row, is_in in enumerate(inside) if is_in]}
        columns = [records.column(place) for place in places]
        for row, is_in in enumerate(inside):
            if is_in:
                key = tuple(_said(column[row]) for column in columns)
                rows.setdefault(key, []).append(row)
        return rows

    def _moments(self, records: Records, zone: ZoneInfo | None) -> list[datetime | str]:
        columns = [records.column(place) for place in self._ts]
        if len(columns) == 1:
            raw: Sequence[Any] = columns[0]
        else:
            raw = [" ".join(map(_said, parts)) for parts in zip(*columns, strict=True)]
        moments = [self._times.read(item) if item is not ABSENT else "" for item in raw]
        return moments if self._period is None else self._begun(moments, zone)

    def _begun(self, moments: list[datetime | str], zone: ZoneInfo | None) -> list[datetime | str]:
        """Where the intervals begin that end at these moments."""
        length = self._period or timedelta()
        calendar = zone is not None and not length % _DAY
        if zone is not None:
            local = [
                LocalTime(m) if isinstance(m, datetime) and m.tzinfo is None else m for m in moments
            ]
            known = [None if isinstance(m, str) else m for m in local]
            resolved = resolve(known, zone)
            # a local time that stands for no instant is left to the run, which says why
            moments = [
                r if isinstance(r, datetime) else m for r, m in zip(resolved, moments, strict=True)
            ]
        begun: list[datetime | str] = []
        for moment in moments:
            if isinstance(moment, str) or (zone is not None and moment.tzinfo is None):
                begun.append(moment)
            elif calendar and zone is not None:
                wall = moment.astimezone(zone).replace(tzinfo=None) - length
                begun.append(wall.replace(tzinfo=zone).astimezone(UTC))
            else:
                begun.append(moment - length)
        return begun

    def _read(self, raw: Any) -> Any:
        if isinstance(raw, str):
            return self._numbers.read(raw)
        if raw is None or any(raw is item or raw == item for item in self._missing_numbers):
            return None
        if isinstance(raw, (int, float)) and not isinstance(raw, bool):
            return raw if self._scale == 1 else raw * self._scale
        return raw


def _said(raw: Any) -> str:
    """How a filter in sources.yaml writes it."""
    if raw is ABSENT or raw is None:
        return ""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw).strip()
