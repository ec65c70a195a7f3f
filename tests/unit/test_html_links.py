"""Links of pages: found as browsers find them, in a time that grows with the page alone."""

from __future__ import annotations

import html
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataportal.plugins.declarative.html_links import page_links


def test_links_with_what_stands_beside_them() -> None:
    """Whatever the quotes and the case, and however deep in a table."""
    page = """<HTML><BODY><A HREF="/up/">[To Parent]</A><br>
    Tuesday 5:34 PM   21566 <a class=x href='a&amp;b.zip'>a&b.zip</a><BR>
    <table><tr><td><a href=c.zip >c</a></td><td> 2025-04-01 </td><td align="right">12K</td></tr>"""
    base, links = page_links(page)
    assert base == ""
    assert [tuple(link) for link in links] == [
        ("/up/", "", "Tuesday 5:34 PM 21566"),
        ("a&b.zip", "Tuesday 5:34 PM 21566", ""),
        ("c.zip", "", "2025-04-01 12K"),
    ]


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- <a href='x'> -->",
        "<script>var a = \"<a href='x'>\"</script>",
        "<STYLE><a href='x'></STYLE>",
        "<a name='x'>anchor</a>",
        "<area href='x'>",
        "<a data-href='x'>",
        "<!-- <a href='x'>",
        "İİİİ<!-- <a href='x'>-->",
    ],
)
def test_what_is_no_link(hidden: str) -> None:
    """Comments, scripts, anchors, and other elements and attributes."""
    assert [link.address for link in page_links(f"<a href='first'>1</a>{hidden}")[1]] == ["first"]


def test_the_base_of_a_page() -> None:
    """The first one counts."""
    assert page_links('<base href="/a/"><base href="/b/"><a href="c">')[0] == "/a/"


@pytest.mark.parametrize(
    "part", ["<a ", "<a href='x", "<!--", "<script", "<![", "<", "&", "</a", "<a href=x>"]
)
def test_a_page_that_is_made_to_hurt(part: str) -> None:
    """Ten times the page takes some ten times as long, surely not a hundred times."""

    def seconds(count: int) -> float:
        page = part * count
        started = time.perf_counter()
        page_links(page)
        return time.perf_counter() - started

    assert seconds(200_000) < 50 * max(seconds(20_000), 0.02)


ADDRESSES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1)


@given(st.lists(ADDRESSES))
def test_every_address_comes_back(addresses: list[str]) -> None:
    """Whatever characters it has, once they are written as HTML wants it."""
    page = "".join(f'<a href="{html.escape(address)}">x</a>' for address in addresses)
    assert [link.address for link in page_links(page)[1]] == addresses
