"""Resolves the local labels of one series on the days when the clocks of its zone change. Pure.

A label that names the end of an interval is either what the clock shows at the end, or the
beginning plus the length: both are met, and only a day of a clock change tells them apart. That
reading counts under which every label of the day has an instant of its own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from dataportal.local_times import ClockChanges, instants_of
from dataportal.raw_points import RefusedTime
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    Instants = tuple[datetime, ...]

FIRST, SECOND = 0, 1


class Rows(Protocol):
    """What the rows of a series say beside their labels."""

    def content(self, index: int) -> object:
        """All that stands in a row, to be compared."""

    def text(self, index: int) -> str:
        """The label as it is written."""

    def publication(self, index: int) -> Hashable:
        """When the value was published, or the file that it stood in; None if nothing says it."""

    def is_marked(self, index: int) -> bool:
        """Whether the label has a mark that only doubled labels have."""

    @property
    def decides(self) -> bool:
        """Whether `side` is to be asked."""

    def side(self, index: int, first: datetime, second: datetime) -> int | RefusedTime:
        """Which of two hours a doubled label means, `FIRST` or `SECOND`; or why nobody knows."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the labels of a day stand for, under one way to read them.

    Attributes:
        instants: of each row what its label may stand for: one instant, or two that stay open.
        reasons: why nobody knows, of some that stay open.
        repeated: rows that are equal to another one in every field.
    """

    instants: dict[int, Instants]
    reasons: dict[int, RefusedTime]
    repeated: set[int]


class LabelResolver:
    """Resolves the labels of one series.

    Args:
        zone: whose clocks they show.
        rows: what stands beside them.
        length: of the intervals whose end they name; None where they name the beginning.
        changes: of its clocks, where they are shared with other series.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        rows: Rows,
        length: timedelta | None,
        changes: ClockChanges | None = None,
    ) -> None:
        self._zone = zone
        self._rows = rows
        self._length = length
        self._changes = changes or ClockChanges(zone)

    def resolve(
        self, times: Sequence[datetime | str], positions: Iterable[int] | None = None
    ) -> tuple[list[datetime | str], set[int]]:
        """The beginnings of the intervals, and the positions that only repeat others.

        Beginnings without an offset are left to the run, if no label names an end: it resolves
        them, or says why it cannot.

        Args:
            times: the labels, in the order of the answer; texts for what is none.
            positions: of those that need to be looked at; None for all of them.
        """
        resolved = list(times)
        days: defaultdict[date, list[int]] = defaultdict(list)
        length = self._length
        for index in range(len(times)) if positions is None else positions:
            label = times[index]
            if isinstance(label, str):
                continue
            if label.tzinfo is not None:
                resolved[index] = label - length if length else label
                continue
            day = (label - timedelta.resolution if length else label).date()
            if self._changes.touch(day):
                days[day].append(index)
            elif length:
                resolved[index] = label.replace(tzinfo=self._zone).astimezone(UTC) - length
        repeated: set[int] = set()
        for day, indexes in days.items():
            labels = {i: label for i in indexes if isinstance(label := times[i], datetime)}
            descends = _descends(labels.values()) or (
                not _steps(labels.values())
                and _descends(t for t in times if isinstance(t, datetime) and t.tzinfo is None)
            )
            of_day = (
                self._ends(day, labels, descends=descends)
                if length
                else self._beginnings(labels, descends=descends)
            )
            for index, instant in of_day.items():
                if instant is None:
                    repeated.add(index)
                else:
                    resolved[index] = instant
        return resolved, repeated

    def _beginnings(
        self, labels: dict[int, datetime], *, descends: bool
    ) -> dict[int, datetime | str | None]:
        """What the labels of beginnings stand for, where that is not left to the run."""
        resolved: dict[int, datetime | str | None] = {}
        by_label: defaultdict[datetime, list[int]] = defaultdict(list)
        for index, label in labels.items():
            by_label[label].append(index)
        for label, indexes in by_label.items():
            instants = instants_of(label, self._zone)
            if len(instants) < 2:  # noqa: PLR2004 - a doubled label
                resolved |= {i: self._misplaced_mark(i) for i in indexes if self._rows.is_marked(i)}
                continue
            if len(indexes) <= len(instants) and not self._rows.decides:
                continue
            reading = _Reading({}, {}, set())
            if not self._add(reading, indexes, instants, descends=descends):
                for index in indexes:
                    if index not in reading.repeated:
                        reading.instants[index] = instants
                        reading.reasons[index] = RefusedTime(
                            f"{self._rows.text(index)} occurs twice in {self._zone}, "
                            f"and {len(indexes)} times in the answer"
                        )
            resolved |= {index: self._only([reading], index) for index in indexes}
        return resolved

    def _ends(
        self, day: date, labels: dict[int, datetime], *, descends: bool
    ) -> dict[int, datetime | str | None]:
        """Where the intervals of a day begin whose ends the labels name."""
        length = self._length or timedelta()
        readings: list[Callable[[datetime], Instants]] = [
            lambda label: tuple(end - length for end in instants_of(label, self._zone)),
            lambda label: instants_of(label - length, self._zone),
        ]
        resolved: dict[int, datetime | str | None] = {
            index: self._misplaced_mark(index)
            for index, label in labels.items()
            if self._rows.is_marked(index) and all(len(read(label)) < 2 for read in readings)  # noqa: PLR2004
        }
        others = {index: label for index, label in labels.items() if index not in resolved}
        fitting = [
            reading
            for read in readings
            if (reading := self._read(others, read, descends=descends)) is not None
        ]
        if not fitting:
            reason = RefusedTime(
                f"the labels of {day} fit neither the clock at the end nor the beginning + "
                f"{format_duration(length)}"
            )
            return {**resolved, **dict.fromkeys(others, reason)}
        return resolved | {index: self._only(fitting, index) for index in others}

    def _read(
        self,
        labels: dict[int, datetime],
        instants_of_label: Callable[[datetime], Instants],
        *,
        descends: bool,
    ) -> _Reading | None:
        """What the labels stand for under a reading; None if they do not fit it."""
        by_label: defaultdict[datetime, list[int]] = defaultdict(list)
        for index, label in labels.items():
            by_label[label].append(index)
        reading = _Reading({}, {}, set())
        for label, indexes in by_label.items():
            instants = instants_of_label(label)
            if not instants or not self._add(reading, indexes, instants, descends=descends):
                return None
        return reading

    def _add(
        self, reading: _Reading, indexes: Sequence[int], instants: Instants, *, descends: bool
    ) -> bool:
        """Add the rows of one label; whether each of them has an instant of its own, or may."""
        is_doubled = len(instants) > 1
        if is_doubled and self._rows.decides:
            for index in indexes:
                side = self._rows.side(index, *instants)
                if isinstance(side, RefusedTime):
                    reading.instants[index], reading.reasons[index] = instants, side
                else:
                    reading.instants[index] = (instants[side],)
            return True
        if not is_doubled and any(map(self._rows.is_marked, indexes)):
            return False
        if len(indexes) > len(instants):
            indexes = self._without_repetitions(reading, indexes)
        publications: defaultdict[Hashable, list[int]] = defaultdict(list)
        for index in indexes:
            key = self._rows.publication(index) if len(indexes) > len(instants) else None
            publications[key].append(index)
        ordered = instants[::-1] if descends else instants
        for together in publications.values():
            if len(together) > len(instants):
                return False
            is_open = len(together) < len(instants)
            for index, instant in zip(together, ordered, strict=False):
                reading.instants[index] = instants if is_open else (instant,)
        return True

    def _without_repetitions(self, reading: _Reading, indexes: Iterable[int]) -> list[int]:
        contents: list[object] = []
        kept: list[int] = []
        for index in indexes:
            # what an older file says is no repetition: each of them is read by itself
            content = (self._rows.publication(index), self._rows.content(index))
            if content in contents:
                reading.repeated.add(index)
            else:
                contents.append(content)
                kept.append(index)
        return kept

    def _only(self, readings: Sequence[_Reading], index: int) -> datetime | RefusedTime | None:
        """What the label means under all readings; None for a row that repeats another one."""
        if all(index in reading.repeated for reading in readings):
            return None
        instants = {reading.instants.get(index, ()) for reading in readings}
        if len(instants) == 1 and len(only := instants.pop()) == 1:
            return only[0]
        reasons = (reading.reasons.get(index) for reading in readings)
        return next(
            filter(None, reasons),
            RefusedTime(
                f"{self._rows.text(index)} occurs twice in {self._zone}, and nothing in the answer "
                "says which hour is meant"
            ),
        )

    def _misplaced_mark(self, index: int) -> RefusedTime:
        return RefusedTime(
            f"{self._rows.text(index)} is marked as one of two hours, "
            f"and the clocks of {self._zone} show it once"
        )


def _steps(labels: Iterable[datetime]) -> int:
    return sum((b > a) - (b < a) for a, b in pairwise(labels))


def _descends(labels: Iterable[datetime]) -> bool:
    """Whether more steps from row to row go back than forward, whatever pages the rows are on."""
    return _steps(labels) < 0


def names_no_hour(
    label: datetime, period: timedelta | None, zone: ZoneInfo, *, is_marked: bool
) -> bool:
    """Whether a day may not have the hour that a local label names.

    So it is with the hour that clocks skip, and with the second of a doubled one where none is.

    Args:
        label: without an offset.
        period: how long before it its interval may begin; None where it names the beginning.
        zone: whose clocks show it.
        is_marked: whether the label says that it is one of two.
    """
    labels = [label] if period is None else [label, label - period]
    counts = [len(instants_of(local, zone)) for local in labels]
    return 0 in counts or (is_marked and max(counts) == 1)
