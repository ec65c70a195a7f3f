"""Drawings of lines in characters: what is where, at any size, in both sets of characters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dataportal.render.plot import FANCY, Curve, Size, draw
from dataportal.store.read.plot import PlotPart

START = datetime(2025, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def curve(values: list[float], step: timedelta = HOUR, name: str = "line") -> Curve:
    """A line through these values."""
    times = [START + n * step for n in range(len(values))]
    parts = [PlotPart(at, at, v, v) for at, v in zip(times, values, strict=True)]
    return Curve(name, parts)


def drawing(*curves: Curve, width: int = 40, height: int = 5, fancy: bool = False) -> list[str]:
    """Its lines."""
    return list(draw(curves, Size(width, height, fancy), UTC))


def test_a_rising_line_rises() -> None:
    """From the lower left to the upper right, with the values and the times at the axes."""
    assert drawing(curve([0.0, 1.0, 2.0, 3.0, 4.0], timedelta(days=1)), width=20) == [
        "4 +               **",
        "3 +           ****",
        "2 +       ****",
        "1 +   ****",
        "0 +***",
        "  ++----------------",
        "   2025-03-01",
    ]


def test_two_lines_are_told_apart() -> None:
    """By their marks, which are explained; a third one where they meet."""
    lines = drawing(curve([1.0, 1.0, 3.0], name="old"), curve([1.0, 2.0, 3.0], name="new"))
    assert "#" in lines[0]
    assert "o" in "".join(lines)
    assert [line.strip() for line in lines[-2:]] == ["o old", "* new"]


def test_a_gap_stays_open() -> None:
    """Where points are missing for long no line is drawn."""
    whole = curve([1.0] * 100)
    broken = Curve("line", [p for n, p in enumerate(whole.parts) if not 40 <= n < 60])
    (row,) = (line for line in drawing(broken, width=60) if "*" in line)
    assert row.rstrip("*")[-5:] == "     "
    assert "  " not in next(line for line in drawing(whole, width=60) if "*" in line).strip(" |+")


def test_nothing_is_drawn_of_nothing() -> None:
    """A line without a point has no drawing."""
    assert drawing(curve([])) == []


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50),
    st.sampled_from([timedelta(minutes=1), HOUR, timedelta(days=1), timedelta(days=365)]),
    st.integers(30, 200),
    st.integers(3, 30),
    st.sampled_from(["fancy", "plain"]),
)
def test_every_drawing_keeps_to_its_size(
    values: list[float], step: timedelta, width: int, height: int, signs: str
) -> None:
    """Whatever the values and the times, in the characters that it may use."""
    fancy = signs == "fancy"
    size = Size(width, height, fancy)
    lines = list(draw([curve(values, step)], size, ZoneInfo("America/New_York")))
    assert len(lines) == height + 2
    assert all(len(line) <= max(width, 40) for line in lines)
    used = set("".join(lines))
    assert all(s.isascii() or (fancy and (s in FANCY or "⠀" <= s <= "⣿")) for s in used)
