"""What a table's rows tell of its local times: repetitions, numbers for hours, hours of 24."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from dataportal.plugins.readers.local_rows import LocalRows
from dataportal.plugins.readers.times import TimeFormat
from dataportal.raw_points import RefusedTime

if TYPE_CHECKING:
    from collections.abc import Sequence

BERLIN = ZoneInfo("Europe/Berlin")
FORMAT = TimeFormat("%Y-%m-%d %H")


def resolve(
    rows: Sequence[Sequence[str]], zone: ZoneInfo | None = BERLIN
) -> tuple[list[datetime | str | None], int]:
    """What becomes of the times of rows, whose first cell they are."""
    labels = LocalRows(FORMAT, zone)
    times = [FORMAT.read(row[0]) for row in rows]
    for index, (ts, row) in enumerate(zip(times, rows, strict=True)):
        labels.note(index, ts, row[0], row)
    return labels.resolve(times)


def test_rows_equal_in_every_cell_count_once() -> None:
    """Where the doubled hour is there three times and more; their times are left to the run."""
    rows = [["2025-10-26 02", value] for value in "1122"] + [["2025-10-26 03", "9"]]
    times, repeated = resolve(rows)
    assert repeated == 2
    assert [ts is None for ts in times] == [False, True, False, True, False]


def test_two_rows_of_the_doubled_hour_are_left_alone() -> None:
    """Also if they are equal, and on every other day however often a time is there."""
    rows = [["2025-10-26 02", "1"]] * 2 + [["2025-10-29 02", "1"]] * 3
    times, repeated = resolve(rows)
    assert repeated == 0
    assert times == [FORMAT.read(row[0]) for row in rows]


@pytest.mark.parametrize("zone", [BERLIN, None])
def test_an_hour_of_25_refuses_its_day_and_no_other(zone: ZoneInfo | None) -> None:
    """It tells that all hours of the day are numbers, whether the zone is known or not."""
    rows = [["2025-10-25 23", "0"], *(["2025-10-26 " + f"{n:02}", "1"] for n in range(1, 26))]
    times, _ = resolve(rows, zone)
    assert isinstance(times[0], datetime)
    assert all(isinstance(ts, RefusedTime) for ts in times[1:])


def test_the_midnight_that_ends_a_day_may_be_there_once() -> None:
    """Twice it is a number; once it is the next day's beginning."""
    once, _ = resolve([["2025-06-01 24", "1"], ["2025-06-01 23", "1"]])
    assert once[0] == datetime.fromisoformat("2025-06-02T00:00")
    twice, _ = resolve([["2025-06-01 24", "1"], ["2025-06-01 24", "2"], ["2025-06-02 00", "3"]])
    assert [isinstance(ts, RefusedTime) for ts in twice] == [True, True, False]
