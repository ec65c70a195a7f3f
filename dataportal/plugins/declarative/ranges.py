"""Cuts what a run asks for into requests: period by period, and value by value of a list."""

from __future__ import annotations

from datetime import UTC, timedelta
from difflib import get_close_matches
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any

from dataportal.plugins.declarative.body import text_of
from dataportal.plugins.declarative.periods import next_period, period_start
from dataportal.plugins.parameters import Duration, Instant, Parameters, Zone, about
from dataportal.times import EARLIEST, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from dataportal.plugins.readers.parameters import Params
    from dataportal.plugins.readers.times import Window

_PERIODS = ("hour", "day", "week", "month", "year")
_LENGTHS = {"hour": timedelta(hours=1)}
_PERIOD = "period"


class RangeParameters(Parameters):
    """What a run's window is cut into."""

    each: Annotated[
        str | dict[str, Any] | None,
        about(
            "`hour`, `day`, `week`, `month` or `year`, or a length that divides an hour, such as "
            "`30 minutes`: one request for each that the window touches; up to three are under way "
            "at once. Or lists of values for fields: see "
            "[Many requests](declarative.md#many-requests)",
            examples=(*_PERIODS, "30 minutes"),
        ),
    ] = None
    zone: Annotated[Zone | None, about("the time zone of `each` (UTC)")] = None
    ahead: Annotated[
        Duration, about("how far past now an open window's `{end}` reaches (1 day)")
    ] = timedelta(days=1)
    earliest: Annotated[Instant, about("no `{start}` lies before this")] = EARLIEST


class Ranges:
    """Which ranges of time, and which values of fields, a window takes requests for.

    Args:
        params: of the source.
        now: tells the present.
        ranges: what is read already.
    """

    def __init__(
        self,
        params: Params,
        now: Callable[[], datetime],
        ranges: RangeParameters | None = None,
    ) -> None:
        self._now = now
        self._lists: dict[str, list[Any]] = {}
        ranges = ranges or params.read(RangeParameters)
        self._each = self._read_each(params, ranges.each)
        self._ahead, self._earliest = ranges.ahead, ranges.earliest
        self._zone: Any = ranges.zone or UTC

    @property
    def interval(self) -> timedelta | None:
        """How long each range is, if all are of one length."""
        return _LENGTHS.get(self._each) if isinstance(self._each, str) else self._each

    @property
    def has_periods(self) -> bool:
        """Whether a window is cut by the calendar, so that windows have ranges in common."""
        return bool(self._each)

    @property
    def names(self) -> frozenset[str]:
        """The fields that have lists of values."""
        return frozenset(self._lists)

    def bounds(self, window: Window) -> tuple[datetime, datetime]:
        """The start and the end of a window, which has both then."""
        end = self._now() + self._ahead if window.end is None else window.end
        return max(window.start, self._earliest), end

    def of(self, window: Window) -> Iterator[tuple[datetime, datetime]]:
        """The start and the end of each range, in order."""
        start, end = self.bounds(window)
        if not self._each:
            if start < end:
                yield start, end
            return
        floor = period_start(start.astimezone(self._zone), self._each)
        while floor < end:
            after = next_period(floor, self._each)
            yield floor.astimezone(UTC), after.astimezone(UTC)
            floor = after

    def values(self, given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The fields once for each of the values that `each` lists, where they are not given."""
        lists = {name: values for name, values in self._lists.items() if name not in given}
        for values in product(*lists.values()):
            yield {**dict(zip(lists, values, strict=True)), **given}

    def _read_each(self, params: Params, given: str | dict[str, Any] | None) -> str | timedelta:
        """A period of the calendar, or a length that divides an hour; an empty text for none."""
        if not isinstance(given, dict):
            return _read_period(params, "each", given or "")
        period = ""
        for name, value in given.items():
            if name == _PERIOD and not isinstance(value, list):
                period = text_of(value)
                continue
            if (
                not isinstance(value, list)
                or not value
                or any(isinstance(item, dict | list) or item is None for item in value)
            ):
                message = f"each.{name} must be a list of values, a request for each of them"
                params.add_fault(message, "each", str(name))
                continue
            self._lists[str(name)] = [
                text_of(item) if isinstance(item, bool) else item for item in value
            ]
        return _read_period(params, f"each.{_PERIOD}", period)


def _read_period(params: Params, name: str, text: str) -> str | timedelta:
    if not text or text in _PERIODS:
        return text
    try:
        length = parse_duration(text)
        if length and not timedelta(hours=1) % length:
            return "hour" if length == timedelta(hours=1) else length
    except ValueError:
        pass
    near = get_close_matches(text, _PERIODS, n=1)
    advice = f"; did you mean {near[0]!r}?" if near else ""
    params.add_fault(
        f"{name} must be one of {', '.join(_PERIODS)}, or a length that divides an hour, not "
        f"{text!r}{advice}",
        *name.split("."),
    )
    return ""
