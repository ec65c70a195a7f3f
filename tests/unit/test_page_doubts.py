"""Which answers look like one of several pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.plugins.declarative.page_doubts import is_page_size, page_doubt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

START = datetime(2025, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def doubt(times: Sequence[datetime | str], end: datetime, zone: ZoneInfo | None = None) -> str:
    """Why these rows are doubted in a window from START on; empty for not at all."""
    return page_doubt(len(times), times, START, end, zone=zone) or ""


@pytest.mark.parametrize(
    "rows", [50, 100, 200, 250, 300, 500, 1000, 2000, 2500, 5000, 10**5, 10**6]
)
def test_pages_have_round_numbers_of_rows(rows: int) -> None:
    """And one row more or less is no page."""
    assert is_page_size(rows)
    assert not is_page_size(rows + 1)
    assert not is_page_size(rows - 1)


@pytest.mark.parametrize("rows", [0, 1, 10, 20, 25, 24, 48, 96, 168, 365, 400, 600, 744, 8760])
def test_days_weeks_and_years_are_no_pages(rows: int) -> None:
    """Nor is what is shorter than any."""
    assert not is_page_size(rows)


@given(
    st.sampled_from([50, 100, 1000]),
    st.integers(0, 4000),
    st.integers(0, 4000),
    st.randoms(),
)
def test_a_doubt_is_a_gap_at_an_end_of_the_window(
    rows: int, before: int, after: int, random: Random
) -> None:
    """Of more than ten steps, and more than a tenth of the window; in whatever order rows come.

    What some of the rows do not raise, all of them do not.
    """
    times: list[datetime | str] = [START + (before + n) * HOUR for n in range(rows)]
    end = START + (before + rows + after) * HOUR
    gap = max(before, after)
    expected = gap > 10 and gap > (before + rows + after) / 10
    random.shuffle(times)
    assert bool(doubt(times, end)) == expected
    some = page_doubt(rows, times[:2], START, end, zone=None)
    assert some is not None or not expected


def test_the_message_names_the_end_that_is_missing_and_the_way_out() -> None:
    """With the number of rows and the day."""
    times = [START + n * HOUR for n in range(100)]
    assert doubt(times, START + 1000 * HOUR).startswith(
        "an answer of exactly 100 rows ends on 2025-01-05, long before the end of its window"
    )
    late = [START + (900 + n) * HOUR for n in range(100)]
    assert "begins on 2025-02-07, long after the start" in doubt(late, START + 1000 * HOUR)
    assert doubt(times, START + 1000 * HOUR).endswith("paging: none")


def test_local_times_are_read_in_the_zone_and_texts_passed_over() -> None:
    """Two hours from UTC are no gap, and what is no time says nothing."""
    local = [(START + n * HOUR).replace(tzinfo=None) for n in range(99)]
    assert not doubt([*local, "?"], START + 100 * HOUR, ZoneInfo("Europe/Berlin"))
    assert not doubt(["?"] * 100, START + 1000 * HOUR)
    mixed = [*local[:50], *(START + n * HOUR for n in range(50, 100))]
    assert doubt(mixed, START + 1000 * HOUR, ZoneInfo("Europe/Berlin"))
