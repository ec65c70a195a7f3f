"""Collects the points of one series from records, and says why there are none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataportal.plugins.declarative.records import TRUNCATED_ROW
from dataportal.plugins.readers.expressions import ABSENT_FIELD

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from dataportal.errors import FetchError
    from dataportal.granularity import IntervalLength
    from dataportal.local_times import ClockChanges
    from dataportal.plugins.declarative.records import FieldPath, Records
    from dataportal.plugins.readers.times import Clip

_LISTED = 8  # texts that a message shows where a filter fits none
_SHOWN = 60


@dataclass(slots=True)
class SeriesExtraction:
    """One series: where its values stand and in which rows, and what was extracted so far.

    Attributes:
        value: the path of its values in a row.
        rows: where its rows are; empty for where those of all series are.
        filters: what must stand at which path of a row.
        address_fields: what its extract_filter says for the fields of the address.
        ts: the times, in the window as far as is known; texts for what is none.
        values: beside them.
        published: the times of publication beside them, if they are known.
        rows_seen: rows of all answers.
        rows_accepted: those of them that pass the filter that all series share.
        rows_matched: rows seen that pass its own filters.
        rows_taken: rows that do both.
        rows_with_value: rows taken that have the field of the value.
        rows_with_time: those of them with a time that can be read.
        first_records: the first records that were looked at.
        units: beside the first of them, what they are said to be in; empty for nothing.
        fault: why it cannot be had.
        file_times: the times of the files that were read, each with how many points there were
            after it.
        doubt: why an answer with points of it may be a page.
        unchanged: whether some of it is as it was when it was stored, and was not sent again.
        zone: whose clocks its local times show, where the answers state it.
        days: of points by their position: the local day as it is written, where the time does not
            say it.
        day_faults: why no point of a local day can be taken, by the day.
        hours_24: how often a day has an hour of 24.
        last_numbers: of days that are longer than others, the highest number of an interval, from
            0, and why no point of the day can be taken if it is the last of an ordinary day.
        origins: of points by their position: the records and the row they stood in, where more
            of a row may be needed to tell what its time means.
        changes: of the clocks of the zone that its local times are in; None if that is not known.
        granularity: of the series, if that is known.
        clip: leaves out and counts what lies outside of the window.
    """

    value: FieldPath
    rows: str
    filters: dict[str, str]
    address_fields: dict[str, Any]
    ts: list[datetime | str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    published: list[date | str] = field(default_factory=list)
    rows_seen: int = 0
    rows_accepted: int = 0
    rows_matched: int = 0
    rows_taken: int = 0
    rows_with_value: int = 0
    rows_with_time: int = 0
    first_records: Records | None = None
    units: list[str] = field(default_factory=list)
    fault: FetchError | None = None
    file_times: list[tuple[datetime | None, int]] = field(default_factory=list)
    doubt: str | None = None
    unchanged: bool = False
    zone: ZoneInfo | None = None
    days: dict[int, date] = field(default_factory=dict)
    day_faults: dict[date, str] = field(default_factory=dict)
    hours_24: Counter[date] = field(default_factory=Counter)
    last_numbers: dict[date, tuple[int, str]] = field(default_factory=dict)
    origins: dict[int, tuple[Records, int, Any]] = field(default_factory=dict)
    clip: Clip | None = None
    changes: ClockChanges | None = None
    granularity: IntervalLength | None = None

    def empty_copy(self) -> SeriesExtraction:
        """The same series, of which nothing was read yet."""
        return SeriesExtraction(
            self.value, self.rows, dict(self.filters), dict(self.address_fields)
        )

    @property
    def revised(self) -> list[datetime | None] | None:
        """The time of the file that each point stood in; None if none is newer than another."""
        if len({time for time, _ in self.file_times}) < 2:  # noqa: PLR2004 - one and another
            return None
        times: list[datetime | None] = []
        for time, count in self.file_times:
            times.extend([time] * (count - len(times)))
        return times

    def note_units(self, units: Sequence[str] | None, rows: Sequence[int]) -> None:
        """Note what the points that were added last are said to be in.

        Args:
            units: of all rows; None if they say nothing.
            rows: those that the points stood in.
        """
        if units is not None:
            earlier = len(self.ts) - len(rows) - len(self.units)
            self.units.extend([""] * earlier)
            self.units.extend(map(units.__getitem__, rows))

    def failure(
        self,
        ts: Sequence[FieldPath],
        shared_filter: Mapping[str, Sequence[str]],
        units: Sequence[FieldPath] = (),
    ) -> FetchError | None:
        """What is wrong with the series, once all answers were read; None if nothing is.

        It fails where there were rows and none passes the filters, or none has a value, a time or a
        number that can be read: a slip in sources.yaml, or an API that has changed. It does not
        fail where its own rows are there and do not pass the shared filter just now.

        Args:
            ts: the paths of the times.
            shared_filter: the texts that may stand at each path of a row, for all series.
            units: the paths of the units; none if they need not be there.
        """
        if self.fault is not None or self.first_records is None:
            return self.fault
        reason = self._reason(ts, shared_filter, self.first_records)
        if reason is None and units and not any(self.units) and {*self.values} - {None}:
            places = units[0] if len(units) == 1 else list(units)
            reason = f"has no unit at {places!r} in any of {self.rows_with_value} rows"
        return None if reason is None else self.first_records.bad(reason)

    def _reason(  # noqa: PLR0911 - one for each thing that can be missing
        self,
        ts: Sequence[FieldPath],
        shared_filter: Mapping[str, Sequence[str]],
        first_records: Records,
    ) -> str | None:
        if not self.rows_accepted:
            texts = {path: " or ".join(texts) for path, texts in shared_filter.items()}
            others = _texts_instead(shared_filter, first_records)
            return f"has no row with {_conditions(texts)} among {self.rows_seen}{others}"
        if not self.rows_matched:
            others = _texts_instead(
                {path: [text] for path, text in self.filters.items()}, first_records
            )
            return f"has no row with {_conditions(self.filters)} among {self.rows_seen}{others}"
        if self.rows_taken and not self.rows_with_value:
            return f"has nothing at {self.value!r} in any of {self.rows_taken} rows"
        if self.ts and not self.rows_with_time:
            paths = ts[0] if len(ts) == 1 else list(ts)
            return f"has no time that can be read at {paths!r}; the first is {_short(self.ts[0])}"
        if self.published and all(isinstance(time, str) for time in self.published):
            return f"has no published_at that can be read; the first is {_short(self.published[0])}"
        if self.values and all(_is_refused(value) for value in self.values):
            return f"has no number at {self.value!r}; the first is {_short(self.values[0])}"
        return None


def filter_text(cell: object) -> str:
    """A cell as the filters of sources.yaml write it."""
    if cell is ABSENT_FIELD or cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell).strip()


def _conditions(texts: Mapping[str, str]) -> str:
    return " and ".join(f"{path} = {text!r}" for path, text in texts.items())


def _texts_instead(filters: Mapping[str, Collection[str]], first_records: Records) -> str:
    """What the rows say instead, in the first place where none says what is asked for."""
    for path, wanted in filters.items():
        cells = first_records.column(path)
        texts = [*dict.fromkeys(filter_text(cell) for cell in cells if cell is not TRUNCATED_ROW)]
        if set(wanted).intersection(texts):
            continue
        more = ", …" if len(texts) > _LISTED else ""
        place = f" at {path!r}" if len(filters) > 1 else ""
        listed = ", ".join(text or repr(text) for text in texts[:_LISTED])
        return f", but {listed}{more}{place}"
    return ""


def _is_refused(value: object) -> bool:
    return value is not None and (isinstance(value, bool) or not isinstance(value, int | float))


def _short(value: object) -> str:
    return repr(str(value)[:_SHOWN])
