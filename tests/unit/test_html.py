"""HTML and charts: what is written can be read back, and no text becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from dataportal.render.charts import bars_path, line_path, spans_path, strokes_path
from dataportal.render.html import Html, element, join

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


class _Reader(HTMLParser):
    """What a browser would find: tags with their attributes, and texts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_a_text_is_never_markup(text: str) -> None:
    """Whatever it holds: one element comes out, with this text, also as an attribute."""
    read = _Reader(element("p", text, title=text))
    ((tag, attributes),) = read.tags
    assert tag == "p"
    assert read.text == attributes["title"]
    if text.isprintable() and "=" not in text and ":" not in text:
        assert read.text == text


def test_only_what_was_made_here_is_html() -> None:
    """Attributes by their names; what is missing is left out; secrets are masked."""
    assert element("b", "<&>", element("i", "'"), None) == "<b>&lt;&amp;&gt;<i>&#x27;</i></b>"
    assert element("meta", http_equiv="x", content=Html("'y'")) == (
        """<meta http-equiv="x" content="'y'">"""
    )
    assert element("p", hidden=True, class_=None, id=False) == "<p hidden></p>"
    assert join("a<", Html("<br>")) == "a&lt;<br>"
    assert "s3cr3t" not in element("p", "https://x.org/?api_key=s3cr3ts3cr3t")


def _points(path: str) -> list[list[tuple[int, int]]]:
    """The points of a line, apart for each part of it."""
    lines = []
    for part in path.split("M")[1:]:
        start, steps = part.split("l")
        x, y = map(int, start.split())
        numbers = list(map(int, re.findall(r"-?\d+", steps)))
        line = []
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            line.append((x, y))
        lines.append(line)
    return lines


def test_a_line_goes_through_the_values_and_breaks_where_some_are_missing() -> None:
    """From side to side, the least below, the greatest above; equal values lie in the middle."""
    assert _points(line_path([0, 1, 2], [5.0, 7.0, 6.0], 100, 24)) == [
        [(0, 22), (50, 2), (100, 12)]
    ]
    broken = _points(line_path([0, 1, 2, 8, 9, 10], [0.0, 1.0, 0.0, 1.0, 0.0, 1.0], 100, 24))
    assert [[x for x, _ in line] for line in broken] == [[0, 10, 20], [80, 90, 100]]
    assert _points(line_path([7], [3.0], 100, 24)) == [[(50, 12)]]
    assert {y for _, y in _points(line_path([0, 1], [3.0, 3.0], 100, 24))[0]} == {12}


@given(st.lists(st.tuples(st.integers(-(10**10), 10**10), FLOATS), min_size=1, max_size=40))
def test_a_line_stays_in_its_place(points: list[tuple[int, float]]) -> None:
    """Also with the largest numbers that there are."""
    points = sorted(dict(points).items())
    lines = _points(line_path([float(t) for t, _ in points], [v for _, v in points], 100, 24))
    assert sum(map(len, lines)) == len(points)
    assert all(0 <= x <= 100 and 2 <= y <= 22 for line in lines for x, y in line)


def test_bars_and_strokes_stand_where_they_belong() -> None:
    """As high as their share; none for nothing; places that follow each other are one span."""
    assert bars_path([0, 5, 10, 10, 0], 3, 20) == "M0 20h3V10h3V0h6V20h3V20z"
    assert bars_path([1000, 1], 3, 20) == "M0 20V0h3V19h3V20z"
    assert strokes_path([(0, 1.0), (3, 0.5)], 5, 20) == "M2 20v-20M17 20v-10"
    assert spans_path([0, 1, 2, 5], 5, 17) == "M1 17h13M26 17h3"
