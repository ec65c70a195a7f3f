"""Local labels of one series on days when the clocks change, whichever end they name.

The oracle writes the labels of known instants, in both ways in which providers do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.plugins.readers.local_labels import LabelResolver
from dataportal.raw_points import RefusedTime

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR = timedelta(hours=1)
# the first instants of days of 25 and of 23 hours
NIGHTS = [
    ("Europe/Berlin", "2025-10-25T22:00Z"),
    ("Europe/Berlin", "2025-03-29T23:00Z"),
    ("America/New_York", "2025-11-02T04:00Z"),
    ("America/New_York", "2025-03-09T05:00Z"),
    ("Europe/London", "2025-10-25T23:00Z"),
    ("Europe/London", "2025-03-30T00:00Z"),
]


@dataclass
class Lines:
    """Rows with a label and whatever stands beside it; a flag of 0 or 1, where it decides."""

    labels: Sequence[datetime]
    beside: Sequence[Any]
    decides: bool = False

    def content(self, index: int) -> object:
        """The label and all beside it."""
        return self.labels[index], self.beside[index]

    def text(self, index: int) -> str:
        """The label in ISO 8601."""
        return self.labels[index].isoformat()

    def publication(self, index: int) -> None:
        """Nothing says it."""

    def is_marked(self, index: int) -> bool:
        """No mark."""
        return False

    def side(self, index: int, first: datetime, second: datetime) -> int:
        """What stands beside the label."""
        return int(self.beside[index])


def resolve(
    zone: str, labels: Sequence[datetime], beside: Sequence[Any], length: timedelta | None
) -> tuple[list[datetime | str], set[int]]:
    """What a resolver makes of them."""
    return LabelResolver(ZoneInfo(zone), Lines(labels, beside), length).resolve(labels)


def clock(instant: datetime, zone: str) -> datetime:
    """What the clocks show."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@given(
    st.sampled_from(NIGHTS),
    st.sampled_from([HOUR, HOUR / 2, HOUR / 4]),
    st.booleans(),
    st.booleans(),
)
def test_every_label_of_a_whole_day_has_its_place(
    night: tuple[str, str],
    length: timedelta,
    clock_at_the_end: bool,  # noqa: FBT001 - drawn
    descends: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whether labels are what the clock shows at the end, or the beginning plus the length.

    The days around tell nothing, and newest first is the same as oldest first.
    """
    zone, text = night
    first = datetime.fromisoformat(text)
    begins = [first + n * length for n in range(int(49 * HOUR / length))]
    labels = [
        clock(ts + length, zone) if clock_at_the_end else clock(ts, zone) + length for ts in begins
    ]
    if descends:
        begins, labels = begins[::-1], labels[::-1]
    resolved, repeated = resolve(zone, labels, range(len(labels)), length)
    assert resolved == begins
    assert not repeated


@given(st.sampled_from(NIGHTS[::2]), st.permutations([1, 1, 2, 2, 3, 3]), st.integers(1, 3))
def test_equal_rows_count_once_where_a_label_comes_too_often(
    night: tuple[str, str], values: list[int], different: int
) -> None:
    """Three times and more in the doubled hour: two that differ are its two hours, in order."""
    zone, text = night
    doubled = next(
        clock(ts, zone)
        for ts in (datetime.fromisoformat(text) + n * HOUR for n in range(5))
        if clock(ts, zone) == clock(ts + HOUR, zone)
    )
    kept = [value for value in values if value <= different]
    labels = [doubled - HOUR, *[doubled] * len(kept), doubled + HOUR]
    resolved, repeated = resolve(zone, labels, [0, *kept, 9], None)
    rest = [resolved[n] for n in range(1, len(kept) + 1) if n not in repeated]
    if different == 2:
        assert len(repeated) == len(kept) - 2
        assert [clock(ts, zone) for ts in rest if isinstance(ts, datetime)] == [doubled, doubled]
        assert rest == sorted(ts for ts in rest if isinstance(ts, datetime))
    elif different == 3:
        assert all(isinstance(ts, RefusedTime) for ts in rest)
    else:
        # two equal rows are two hours, and left to the run
        assert rest == [doubled, doubled]


def test_a_flag_decides_whatever_the_order() -> None:
    """And each hour's repetitions are then its own."""
    label = datetime.fromisoformat("2025-10-26T02:00")
    lines = Lines([label] * 3, [1, 0, 1], decides=True)
    resolved, _ = LabelResolver(ZoneInfo("Europe/Berlin"), lines, None).resolve(lines.labels)
    zero, one = (datetime(2025, 10, 26, hour, tzinfo=UTC) for hour in (0, 1))
    assert resolved == [one, zero, one]


@pytest.mark.parametrize(
    "hours",
    [
        [*range(1, 24)],  # numbers
        [1, 2, 3, 4, 4, 5],  # a label twice that the clock has once
    ],
)
def test_a_day_that_fits_no_reading_is_refused(hours: list[int]) -> None:
    """With the day, and both readings that were tried."""
    labels = [datetime.fromisoformat(f"2025-03-30T{hour:02}:00") for hour in hours]
    resolved, _ = resolve("Europe/Berlin", labels, range(len(labels)), HOUR)
    refused = {ts for ts in resolved if isinstance(ts, RefusedTime)}
    assert refused == {
        "the labels of 2025-03-30 fit neither the clock at the end nor the beginning + 1 hour"
    }


@pytest.mark.parametrize("length", [None, HOUR])
def test_times_with_an_offset_and_texts_are_left_alone(length: timedelta | None) -> None:
    """A time with an offset moves by the length alone; and only named positions are looked at."""
    aware = datetime(2025, 10, 26, 1, tzinfo=UTC)
    local = datetime.fromisoformat("2025-10-26T02:00")
    labels: list[datetime | str] = [aware, "no time", local, local, local]
    lines = Lines([local] * 5, [1, 2, 3, 3, 4])
    resolver = LabelResolver(ZoneInfo("Europe/Berlin"), lines, length)
    resolved, _ = resolver.resolve(labels, [0, 1])
    assert resolved == [aware - (length or timedelta()), *labels[1:]]
