"""Times that no row has: counted from a start that the answer states, in steps of one length."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from dataportal.granularity import IntervalLength, interval_length
from dataportal.local_times import instants_of
from dataportal.plugins.parameters import Parameters, about
from dataportal.plugins.readers.table_parameters import time_format
from dataportal.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from dataportal.plugins.declarative.records import Document, Reader
    from dataportal.plugins.readers.parameters import Params

_NAME = "start + step"
_MOST = 1e14


class StepParameters(Parameters):
    """Times in place of those of rows."""

    start: Annotated[
        str | None,
        about(
            "in place of `ts`: the place in the answer of the time of the first row, written as "
            "`time_format` says; those of the others follow in steps"
        ),
    ] = None
    step: Annotated[
        str | None,
        about(
            "beside `start`: a length such as `1 hour`, or the place of one in the answer; a bare "
            "number counts seconds, or milliseconds where `time_format` is unix_ms"
        ),
    ] = None


class Steps:
    """The times of rows that stand side by side.

    Args:
        params: of the source.
        start: the place of the first time.
        step: a length, or its place.

    Attributes:
        name: of the field with these times.
    """

    name = _NAME

    def __init__(self, params: Params, start: str, step: str) -> None:
        self._start, self._step = start, step
        self._times = time_format(params)
        self._is_in_milliseconds = (
            params.first_given("time_format", "timestamp_format") == "unix_ms"
        )
        self._fixed = interval_length(step)

    @classmethod
    def read(cls, params: Params) -> Steps | None:
        """The description in the parameters; None if there is none. Its times are those of `ts`."""
        given = params.read(StepParameters)
        if given.start is None and given.step is None:
            return None
        if given.start is None or given.step is None:
            params.add_fault("start and step go together", "step" if given.step else "start")
            return None
        if params.first_given("ts") is not None or params.first_given("interval") is not None:
            params.add_fault("start stands in place of ts and interval", "start")
            return None
        params.set_default("ts", _NAME)
        params.set_default("value", "@")
        return cls(params, given.start, given.step)

    def faults(self, reader: Reader) -> Iterable[str]:
        """What is wrong with the places, given what reads the answers."""
        for name, path in (("start", self._start), ("step", self._step)):
            if name == "start" or self._fixed is None:
                try:
                    reader.check_document_path(path)
                except ValueError as error:
                    yield f"{name}: {error}"

    def length(self, document: Document) -> IntervalLength:
        """The length of a step, as the source or the answer says it.

        Raises:
            BadDataError: the answer says none.
        """
        if self._fixed is not None:
            return self._fixed
        found = document.find(self._step)
        number = _number(found)
        length: IntervalLength | None = None
        if number is not None:
            unit = timedelta(milliseconds=1) if self._is_in_milliseconds else timedelta(seconds=1)
            # so many seconds are no day of a calendar
            length = IntervalLength(rest=number * unit) if 0 < number < _MOST else None
        elif isinstance(found, str):
            length = interval_length(found.strip())
        if length is None or not length:
            raise document.answer.bad(f"has no length of a step at {self._step!r}, but {found!r}")
        return length

    def fault(self, document: Document, granularity: IntervalLength | None) -> str:
        """Why values of these steps are not what a series is of; empty if they are.

        Args:
            document: which may state another length than expected.
            granularity: of the series; None if that is not known.
        """
        if self._fixed is not None or granularity is None:
            return ""
        length = self.length(document)
        calendar = interval_length(length.rest) if not (length.months or length.days) else length
        if granularity in (length, calendar):
            return ""
        own = _text(granularity)
        return f"has steps of {_text(length)}, and the granularity of the series is {own}"

    def times(
        self, document: Document, count: int, zone: ZoneInfo | None
    ) -> Sequence[datetime | str]:
        """The times of so many rows.

        Raises:
            BadDataError: the answer says no start or step.
        """
        found = document.find(self._start)
        start = self._times.read(found)
        if isinstance(start, str):
            raise document.answer.bad(f"has no time at {self._start!r}, but {found!r}")
        length = self.length(document)
        if start.tzinfo is None and zone is not None:
            instants = instants_of(start, zone)
            if len(instants) != 1:
                many = "does not exist" if not instants else "occurs twice"
                raise document.answer.bad(f"has the start {start}, which {many} in {zone}")
            start = next(iter(instants))
        if not (length.months or length.days):
            return [start + number * length.rest for number in range(count)]
        times: list[datetime | str] = []
        for number in range(count):
            steps = IntervalLength(
                number * length.months, number * length.days, number * length.rest
            )
            times.append(steps.end_of(start, zone or UTC) if number else start)
        return times


def _text(length: IntervalLength) -> str:
    if length.months:
        return f"{length.months} months"
    return format_duration(timedelta(days=length.days) + length.rest)


def _number(found: Any) -> float | None:
    try:
        return None if isinstance(found, bool) else float(found)
    except (TypeError, ValueError):
        return None
