"""Points of several series that change at the same times are written together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from dataportal.store.write.diff import Points

START = datetime(2025, 1, 1, tzinfo=UTC)
HOURS = st.lists(st.integers(0, 5), min_size=1, unique=True).map(sorted)
VALUES = st.none() | st.floats(allow_nan=False)


@given(hours=st.dictionaries(st.integers(1, 9), HOURS), size=st.integers(1, 20), values=st.data())
def test_grids_have_every_point_once(
    hours: dict[int, list[int]], size: int, values: st.DataObject
) -> None:
    """Ascending, of as many points as may be, and no two of them could have been one."""
    points = Points()
    expected: dict[tuple[int, datetime], float | None] = {}
    for series, own in hours.items():
        ts = [START + timedelta(hours=hour) for hour in own]
        of_it = values.draw(st.lists(VALUES, min_size=len(ts), max_size=len(ts)))
        points.add(series, ts, of_it)
        expected |= {(series, at): value for at, value in zip(ts, of_it, strict=True)}
    grids = points.grids(size)
    points_of_grids = [
        (point, value)
        for grid in grids
        for point, value in zip(product(grid.series, grid.ts), grid.values, strict=True)
    ]
    assert dict(points_of_grids) == expected
    assert len(points_of_grids) == len(expected)
    for grid in grids:
        assert grid.series == sorted(grid.series)
        assert list(grid.ts) == sorted(grid.ts)
        assert len(grid.values) <= size or len(grid.series) == 1
    for grid, other in pairwise(grids):
        assert grid.ts != other.ts or len(grid.values) + len(other.ts) > size
