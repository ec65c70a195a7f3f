"""The header `Link`, as RFC 8288 has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.plugins.declarative.links import next_link

TARGETS = st.text(st.characters(exclude_characters="<>\r\n", codec="ascii"), max_size=30)
QUOTED = st.text(st.characters(exclude_characters="\r\n", codec="ascii"), max_size=20)


def quote(text: str) -> str:
    """A quoted-string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(TARGETS, st.lists(st.tuples(TARGETS, QUOTED), max_size=3), st.booleans())
def test_the_next_page_is_found_among_others(
    target: str,
    others: list[tuple[str, str]],
    is_first: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whatever stands in quotes beside it: commas, semicolons, angle brackets, quotes."""
    links = [f"<{t}>; title={quote(title)}; rel=prev" for t, title in others]
    own = f'<{target}>; title={quote(", ".join(title for _, title in others))}; rel="next"'
    links.insert(0 if is_first else len(links), own)
    assert next_link(", ".join(links)) == target


@pytest.mark.parametrize(
    "header",
    [
        '<p2>; rel="next"',
        "<p2>;rel=next",
        '<p2>; REL="Next"',
        '<p2>; rel="prev next"',
        '<p1>; rel="first", <p2>; rel="next", <p9>; rel="last"',
        ' , <p2> ; rel = "next" ,',
        '<p2>; rel="next"; rel="last"',
        '<p2>; title="a, b; c"; rel="next"',
        '<p2>; hreflang; rel="next"',
        "<p0>; rel=prev,<p2>; rel=next",
    ],
)
def test_every_way_to_write_it(header: str) -> None:
    """Any case, several relations, parameters without a value; the first `rel` counts."""
    assert next_link(header) == "p2"


@pytest.mark.parametrize(
    "header",
    [
        "",
        '<p2>; rel="last"; rel="next"',
        '<p2>; rel="next"; anchor="#part"',
        '<p2>; rel="nextpage"',
        '<p2>; title="rel=next"',
        "p2; rel=next",
        '<p2 rel="next"',
        '<p1>; rel="prev" <p2>; rel="next"',
    ],
)
def test_what_is_no_link_to_it(header: str) -> None:
    """Another relation, another context, or no link."""
    assert next_link(header) is None


@given(st.text(st.characters(codec="ascii"), max_size=60))
def test_no_header_is_too_odd(header: str) -> None:
    """What cannot be read names nothing, and ends; what is named stands in the header."""
    link = next_link(header)
    assert link is None or link in header
