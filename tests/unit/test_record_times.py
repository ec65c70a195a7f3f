"""Times of rows, read in one go or row by row, with the same result."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataportal.plugins.declarative.json_records import JsonReader
from dataportal.plugins.declarative.record_times import RecordTimes
from dataportal.plugins.http.response import Answer
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.table_parameters import PublicationFormat
from dataportal.plugins.readers.times import TimeFormat

ISO = TimeFormat()
(DOCUMENT,) = JsonReader(Params({}), ".").documents(Answer(200, "https://x.example/", {}, b"[]"))
OFFSETS = st.sampled_from([None, timezone(timedelta(hours=5, minutes=30)), UTC])
CELLS = st.lists(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(datetime.isoformat)  # noqa: DTZ001 - local
    | st.sampled_from(["2025-01-01", "2025-01-01T00:00Z", "2025-01-01T00:00+02:00", "", "soon"])
    | st.sampled_from([None, 5]),
    max_size=8,
)


def times_of(cells: list[Any], offset: timezone | None) -> RecordTimes:
    """The times of these cells."""
    return RecordTimes(DOCUMENT.records("@"), cells, ISO, offset=offset)


@given(CELLS, OFFSETS)
def test_all_times_are_those_of_each_row(cells: list[Any], offset: timezone | None) -> None:
    """And there are none in one go where one of them is none."""
    one_by_one = [times_of(cells, offset)[row] for row in range(len(cells))]
    at_once = times_of(cells, offset).all
    if at_once is None:
        assert not cells or any(isinstance(ts, str) for ts in one_by_one)
    else:
        assert [*at_once] == one_by_one
    for cell, ts in zip(cells, one_by_one, strict=True):
        if isinstance(ts, datetime) and ts.tzinfo is None:
            assert offset is None
        if isinstance(ts, datetime) and "+02:00" in cell:
            assert ts.utcoffset() == timedelta(hours=2)


@given(CELLS, OFFSETS)
def test_publications_are_read_alike(cells: list[Any], offset: timezone | None) -> None:
    """A bare date stays a day, or is the end of it where the answer states its offset."""
    times = times_of(["2025-01-01T00:00"] * len(cells), offset)
    published = times.publications(cells, PublicationFormat(None, ISO))
    for row, cell in enumerate(cells):
        value = published[row]
        alone = times.publications([cell, None], PublicationFormat(None, ISO))[0]
        assert value == alone
        if cell == "2025-01-01":
            expected: date = date(2025, 1, 1)
            if offset is not None:
                end = datetime(2025, 1, 1, 23, 59, 59, 999999, tzinfo=offset)
                expected = end
            assert value == expected
