"""Tables and plots."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from dataportal.redaction import remember_secret
from dataportal.render.sparkline import BARS, sparkline
from dataportal.render.tables import Table

CELLS = st.text(st.characters(), max_size=12)
VALUES = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5))
def test_away_from_a_terminal_a_row_is_one_printable_line(rows: list[tuple[str, ...]]) -> None:
    """Whatever an API answered: no second line, no control character, no escape code."""
    table = Table(("a", ">b", "c"))
    for row in rows:
        table.add(*row)
    lines = list(table.lines(io.StringIO()))
    assert len(lines) == len(rows) + 1
    assert all(line.isprintable() for line in lines)


def test_columns_are_aligned() -> None:
    """To the left, or to the right where the title says so."""
    table = Table(("name", ">count"))
    table.add("x", "7")
    table.add("longer", "12345")
    assert list(table.lines(io.StringIO())) == [
        "NAME    COUNT",
        "x           7",
        "longer  12345",
    ]


@given(st.lists(st.integers(0, 30), min_size=4, max_size=4), st.integers(20, 200))
def test_a_narrow_terminal_leaves_out_what_can_be_spared(widths: list[int], columns: int) -> None:
    """In its order, and no more than it must."""
    table = Table(("a", "b", "c", "d"), dispensable=("c", "a"))
    table.add(*("x" * width for width in widths))
    shown = table.columns_within(columns)
    assert shown in ([0, 1, 2, 3], [0, 1, 3], [1, 3])
    needed = [max(width, 1) + 3 for width in widths]
    if shown != [1, 3]:
        assert sum(needed[column] for column in shown) <= columns
    if shown != [0, 1, 2, 3]:
        assert (
            sum(needed[column] for column in ([0, 1, 2, 3] if 0 in shown else [0, 1, 3])) > columns
        )


def test_a_column_of_sentences_is_folded_before_others_are_left_out() -> None:
    """And a title that sets its column to the right is left out under its bare name."""
    table = Table(("name", ">count", "why"), dispensable=("count",), folding="why")
    table.add("x" * 20, "7", "because " * 20)
    assert table.columns_within(80) == [0, 1, 2]
    assert table.columns_within(50) == [0, 2]


def test_a_secret_never_gets_into_a_table() -> None:
    """Cells are masked as they are put in."""
    remember_secret("canary-in-table")
    table = Table(("error",))
    table.add("https://x/?key=canary-in-table failed")
    assert "canary" not in "".join(table.lines(io.StringIO()))


@given(st.lists(VALUES, max_size=80), st.integers(0, 60))
def test_a_sparkline_has_a_character_for_each_value_it_shows(
    values: list[float | None], width: int
) -> None:
    """Of any finite numbers, however far apart; the least is the lowest bar."""
    line = sparkline(values, width)
    shown = values[-width:] if width else []
    known = [value for value in shown if value is not None]
    assert len(line) == (len(shown) if known else 0)
    assert set(line) <= {*BARS, " "}
    if known and min(known) / 2 < max(known) / 2:
        assert line[shown.index(min(known))] == BARS[0]
        assert line[shown.index(max(known))] == BARS[-1]


def test_equal_values_are_a_line_in_the_middle() -> None:
    """No division by nothing."""
    assert sparkline([5.0, 5.0, None], 10) == "▅▅ "
