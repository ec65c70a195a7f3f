"""What upkeep is worth its while, and how wide chunks should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.store.upkeep.columnstore import fit_chunk_interval, version_numbers
from dataportal.store.upkeep.plan import Chunk, Relation, Work, foreign_owners, plan_upkeep
from dataportal.store.write.diff import PointGrid
from dataportal.times import EPOCH

if TYPE_CHECKING:
    from dataportal.store.upkeep.plan import Action

NOW = datetime(2026, 11, 30, tzinfo=UTC)
DAY, MB = timedelta(days=1), 1_000_000
ROWS = Relation(
    "time_series_data", "public.time_series_data", heap_bytes=60 * MB, index_bytes=40 * MB,
    fresh_index_bytes=38 * MB, tuples=1_000_000, live=1_000_000,
)  # fmt: skip
CHUNK = replace(ROWS, chunk=Chunk(NOW - 400 * DAY, NOW - 35 * DAY))
COMPRESSED = replace(
    CHUNK, heap_bytes=0, index_bytes=16_384, live=0, tuples=0,
    chunk=Chunk(NOW - 400 * DAY, NOW - 35 * DAY, is_compressed=True, compressed_bytes=10 * MB),
)  # fmt: skip


def plan(
    *relations: Relation, after: timedelta | None = 30 * DAY, forgettable: int = 0
) -> list[Action]:
    """What would be done."""
    return plan_upkeep(relations, after=after, forgettable=forgettable, now=NOW)


def works(*relations: Relation, **options: timedelta | None) -> list[Work]:
    """The kinds of it."""
    return [action.work for action in plan(*relations, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("after", "expected"), [(35, 1), (36, 0), (0, 1), (999_999_999, 0)])
def test_a_chunk_is_compressed_once_all_in_it_is_old_enough(after: int, expected: int) -> None:
    """Its end is what counts, up to the day; the gain is nine tenths of its rows."""
    actions = plan(CHUNK, after=after * DAY)
    assert [a.work for a in actions] == [Work.COMPRESS] * expected
    assert [a.gain for a in actions] == [90 * MB] * expected


def test_without_the_columnstore_nothing_is_compressed() -> None:
    """Chunk or not, compressed by somebody else or not."""
    opened = replace(COMPRESSED, heap_bytes=50 * MB, live=500_000)
    assert works(CHUNK, ROWS, COMPRESSED, opened, after=None) == []


@pytest.mark.parametrize(
    ("heap", "compressed", "expected"),
    [
        (900_000, 1 * MB, False),  # less than a megabyte
        (1_100_000, 1 * MB, True),
        (9 * MB, 100 * MB, False),  # less than a tenth
        (11 * MB, 100 * MB, True),
    ],
)
def test_a_chunk_is_compressed_anew_where_revisions_opened_enough_of_it(
    heap: int, compressed: int, *, expected: bool
) -> None:
    """A tenth of its compressed part, and a megabyte."""
    assert COMPRESSED.chunk
    chunk = replace(COMPRESSED.chunk, compressed_bytes=compressed)
    opened = replace(COMPRESSED, heap_bytes=heap, index_bytes=0, live=1, chunk=chunk)
    assert works(opened) == [Work.RECOMPRESS] * expected


@pytest.mark.parametrize(
    ("dead", "live", "expected"),
    [(999, 1_000, False), (1_000, 1_000, True), (1_000, 1_000_000, False), (60_000, 10**6, True)],
)
def test_dead_rows_are_vacuumed_where_they_are_many(
    dead: int, live: int, *, expected: bool
) -> None:
    """A thousand, and a twentieth of the table."""
    assert works(replace(ROWS, dead=dead, live=live)) == [Work.VACUUM] * expected


def test_indexes_are_made_anew_where_half_as_large_again_as_need_be() -> None:
    """By a megabyte at least; not while it is unknown how many rows there are."""
    bloated = replace(ROWS, fresh_index_bytes=20 * MB)
    assert [(a.work, a.gain) for a in plan(bloated)] == [(Work.REINDEX, 20 * MB)]
    assert works(replace(ROWS, fresh_index_bytes=30 * MB)) == []
    assert works(replace(ROWS, index_bytes=900_000, fresh_index_bytes=8_192)) == []
    assert works(replace(bloated, tuples=-1)) == []
    assert works(replace(bloated, modified=100_000)) == [Work.ANALYZE]


def test_what_a_reindex_left_behind_is_cleared_away() -> None:
    """Whatever it would gain."""
    (action,) = plan(replace(ROWS, left_over=("public.time_series_data_pkey_ccnew",)))
    assert (action.work, action.gain) == (Work.REINDEX, 0)


def test_runs_are_forgotten_first_and_the_largest_gains_come_early() -> None:
    """Then compression, then what makes no room."""
    small = replace(CHUNK, name="small", heap_bytes=2 * MB, index_bytes=0)
    dead = replace(ROWS, dead=900_000, modified=900_000)
    actions = plan(dead, small, CHUNK, forgettable=3)
    kinds = [Work.FORGET, Work.COMPRESS, Work.COMPRESS, Work.VACUUM, Work.ANALYZE]
    assert [a.work for a in actions] == kinds
    assert [a.relation for a in actions[1:3]] == [CHUNK.name, "small"]


def test_roles_whose_tables_they_are_not_are_named_once() -> None:
    """Only those for whose tables something is due."""
    theirs = replace(CHUNK, owner="owner")
    assert foreign_owners(plan(theirs, theirs)) == ["owner"]
    assert foreign_owners(plan(replace(ROWS, owner="owner"))) == []


@pytest.mark.parametrize(
    ("rates", "days"),
    [
        ([96.0] * 10, 30),
        ([24.0] * 50, 90),
        ([1.0] * 50, 365),
        ([1.0] * 50 + [96.0], 30),  # it has more than half of the rows
        ([1 / 30], 365),
        ([1440.0], 30),
    ],
)
def test_a_chunk_holds_two_thousand_rows_of_the_series_that_bring_most(
    rates: list[float], days: int
) -> None:
    """A month for quarters of an hour, three for hours, a year for what is rarer."""
    assert fit_chunk_interval(rates) == days * DAY


def test_where_nothing_arrives_no_width_is_chosen() -> None:
    """What there is stays."""
    assert fit_chunk_interval([]) is None
    assert fit_chunk_interval([0.0]) is None


@pytest.mark.parametrize(
    ("text", "numbers"), [("2.29.2", (2, 29, 2)), ("2.30.0-dev", (2, 30, 0)), ("2.9", (2, 9))]
)
def test_versions_are_compared_by_numbers(text: str, numbers: tuple[int, ...]) -> None:
    """2.9 is older than 2.19."""
    assert version_numbers(text) == numbers


@given(
    st.lists(st.integers(0, 5_000), min_size=1, max_size=40, unique=True).map(sorted),
    st.integers(1, 4),
    st.integers(1, 2_000),
)
def test_neighbourhoods_are_the_same_points_cut_at_wide_gaps(
    hours: list[int], series: int, widest: int
) -> None:
    """Each value stays with its series and time; between two of them lies a gap, within none."""
    ts = [NOW + timedelta(hours=h) for h in hours]
    names = list(range(series))
    values: list[float | None] = [s * 10_000.0 + h for s in names for h in hours]
    grid = PointGrid(names, ts, values)
    gap = timedelta(hours=widest)
    pieces = list(grid.neighbourhoods(gap))
    points = {
        (s, t): piece.values[n * len(piece.ts) + m]
        for piece in pieces
        for n, s in enumerate(piece.series)
        for m, t in enumerate(piece.ts)
    }
    assert points == {
        (s, t): s * 10_000.0 + h for s in names for t, h in zip(ts, hours, strict=True)
    }
    assert sum(len(piece.values) for piece in pieces) == len(values)
    for piece in pieces:
        assert all(b - a <= gap for a, b in pairwise(piece.ts))
    for before, after in pairwise(pieces):
        assert after.ts[0] - before.ts[-1] > gap


def years(first: int, last: int, **facts: Any) -> list[Relation]:
    """A chunk of 365 days after the other, in multiples since 1970, from one number to another."""
    return [
        replace(
            ROWS,
            name=f"c{number}",
            chunk=Chunk(EPOCH + 365 * number * DAY, EPOCH + 365 * (number + 1) * DAY),
            **{"heap_bytes": MB, "index_bytes": 0, "fresh_index_bytes": 0, **facts},
        )
        for number in range(first, last)
    ]


def merged(*relations: Relation) -> list[list[str]]:
    """Which chunks become one."""
    actions = plan_upkeep(relations, after=None, forgettable=0, now=NOW, merges=True)
    assert {action.work for action in actions} <= {Work.MERGE}
    return [list(action.chunks) for action in actions]


def test_old_chunks_become_as_wide_as_new_ones_would_be() -> None:
    """A century before 1970, ten years after; the last ten years stay as they are."""
    names = [f"c{number}" for number in range(-270, 57)]
    groups = merged(*years(-270, 57))
    assert sorted(groups, key=lambda group: int(group[0][1:])) == [
        names[:70],
        names[70:170],
        names[170:270],
        *(names[first : first + 10] for first in range(270, 310, 10)),
        names[310:316],
    ]


def test_what_cannot_be_one_chunk_is_left_alone() -> None:
    """Of two tables, with a gap in between, compressed, too large together, or one alone."""
    assert merged(*years(1, 2), *years(3, 4), *years(12, 13)) == []
    assert merged(*years(1, 2), *years(2, 3, table="time_series_data_scd2")) == []
    first, second = years(1, 3)
    packed = replace(second, chunk=replace(COMPRESSED.chunk, start=first.chunk.end, end=NOW))  # type: ignore[type-var, union-attr]
    assert merged(first, packed) == []
    assert merged(*years(1, 4, heap_bytes=99 * MB)) == [["c1", "c2"]]
    assert plan(*years(1, 9), after=None) == []


def test_nothing_else_is_done_to_chunks_that_become_one() -> None:
    """As they are no more; the others are looked at as ever."""
    relations = years(1, 4, dead=500_000)
    actions = plan_upkeep(
        [*relations, replace(ROWS, dead=500_000)],
        after=30 * DAY,
        forgettable=0,
        now=NOW,
        merges=True,
    )
    assert [(a.work, a.relation) for a in actions] == [
        (Work.MERGE, "c1"),
        (Work.VACUUM, "public.time_series_data"),
    ]
