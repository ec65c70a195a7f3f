"""Records, fields, numbers and pages: the same data say the same in every format."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from hypothesis import example, given
from hypothesis import strategies as st

from dataportal.plugins.declarative.csv_records import CsvReader
from dataportal.plugins.declarative.extraction import PointExtractor
from dataportal.plugins.declarative.json_records import JsonReader
from dataportal.plugins.declarative.links import next_link
from dataportal.plugins.declarative.pagination import Pages, read_paginator
from dataportal.plugins.declarative.xml_records import XmlReader
from dataportal.plugins.http.response import Answer
from dataportal.plugins.readers.expressions import ABSENT_FIELD, Expression
from dataportal.plugins.readers.numbers import NumberFormat
from dataportal.plugins.readers.parameters import Params
from dataportal.plugins.readers.times import Window
from dataportal.times import utc_now

if TYPE_CHECKING:
    from dataportal.plugins.declarative.pagination import PageAddress
    from dataportal.plugins.declarative.records import Document, Reader

cells = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=8)
tables = st.lists(st.tuples(cells, cells), min_size=1, max_size=6)
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


def document(reader: type[Reader], body: str | bytes, **params: Any) -> Document:
    """What a reader makes of a body."""
    raw = body.encode() if isinstance(body, str) else body
    found = reader(Params(params), ".").read(Answer(200, "http://x/a", {}, raw))
    assert found is not None
    return found


stamps = st.sampled_from(["2024-12-31T23", "2025-01-01T00", "2025-01-01T23:30", "2025-01-02T00"])
times = st.builds(str.__add__, stamps, st.sampled_from(["", "Z", "Z", "+00:00", "+05:45", " "]))
numbers = st.sampled_from([None, 0, 3, -0.0, 1.5, math.inf]) | st.floats(width=32)


@example([("2025-01-01T00Z", 0)], [], None, {"missing": ["0"]})
@example([("2025-01-02T00Z", 1)], [], "2025-01-02", {})
@given(
    st.lists(st.tuples(times, numbers), max_size=4),
    st.just([])
    | st.lists(st.tuples(times | st.integers() | st.none(), numbers | st.text() | st.booleans())),
    st.sampled_from(["2025-01-02", None]),
    st.sampled_from([{}, {"period_end": "1 hour"}, {"missing": ["0", "3"]}]),
)
def test_whole_columns_say_what_their_cells_say(
    plain: list[Any], others: list[Any], end: str | None, more: dict[str, Any]
) -> None:
    """Taken at once where all are plain, or one by one as numbers to be scaled are."""
    body = json.dumps([{"t": t, "v": v} for t, v in plain + others])
    extractions = []
    for scale in (1, 2):
        params = Params({"ts": "t", "value": "v", "scale": scale, **more})
        extractor = PointExtractor(params, utc_now)
        series = extractor.series_extraction({}, frozenset(), JsonReader(Params({}), "."))
        records = document(JsonReader, body).records("@")
        extractor.extract(records, [series], Window("2025-01-01", end))
        extractions.append(series)
    at_once, scaled = extractions
    doubled = [v * 2.0 if type(v) in {int, float} else v for v in at_once.values]
    assert repr(doubled) == repr(scaled.values)
    assert at_once.ts == scaled.ts
    assert at_once.rows_with_value == scaled.rows_with_value
    assert at_once.rows_with_time == scaled.rows_with_time


@given(tables)
def test_all_formats_say_the_same(rows: list[tuple[str, str]]) -> None:
    """Two columns of texts, as objects, lists, columns, a table and elements."""
    tables_read: list[list[list[Any]]] = []
    objects = json.dumps([dict(zip("ab", row, strict=True)) for row in rows])
    columns = json.dumps({"a": [a for a, _ in rows], "b": [b for _, b in rows]})
    for records, paths in (
        (document(JsonReader, objects).records("@"), ("a", "b")),
        (document(JsonReader, json.dumps(rows)).records("@"), (1, 2)),
        (document(JsonReader, columns, layout="columns").records("@"), ("a", "b")),
    ):
        tables_read.append([list(records.column(path)) for path in paths])
    if all(any(row) for row in rows):  # a line of nothing is no row
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
        table = document(CsvReader, text.getvalue(), delimiter=",").records("")
        tables_read.append([list(table.column(path)) for path in ("a", 2)])
    items = "".join(f"<i><a>{escape(a)}</a><b>{escape(b)}</b></i>" for a, b in rows)
    xml = document(XmlReader, f"<x>{items}</x>", rows="i").records("i")
    tables_read.append([list(xml.column(path)) for path in ("a", "b")])
    expected = [[a for a, _ in rows], [b for _, b in rows]]
    assert all(columns == expected for columns in tables_read)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | cells,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)


@given(json_values, st.lists(st.sampled_from("abc"), min_size=1, max_size=3))
def test_names_find_what_the_library_finds(content: Any, names: list[str]) -> None:
    """Names alone are followed without it; where one is not there, that is no null."""
    path = ".".join(names)
    ours = Expression(path).find(content)
    theirs = Expression(f"{path} | @").find(content)
    assert (None if ours is ABSENT_FIELD else ours) == theirs
    if ours is ABSENT_FIELD:
        assert theirs is None


@given(finite, st.sampled_from([(".", ""), (".", ","), (",", ""), (",", "."), (",", "'")]))
def test_numbers_are_read_as_they_are_written(value: float, signs: tuple[str, str]) -> None:
    """With either decimal sign, and with thousands set apart."""
    point, thousands = signs
    formatted = f"{value:,.6f}" if thousands else f"{value:.6f}"
    exact = float(formatted.replace(",", ""))
    text = formatted.translate({ord(","): thousands, ord("."): point})
    assert NumberFormat(decimal=point, thousands=thousands).read(text) == exact
    assert NumberFormat(decimal=point, thousands=thousands, scale=4).read(text) == exact * 4


written_numbers = (
    st.floats(allow_nan=False).map(repr)
    | st.integers().map(str)
    | st.decimals(allow_nan=False, allow_infinity=False).map(str)
    | st.sampled_from(["", "-0", "-0.0", "007", ".5", "5.", "+1", "1e400", "-1E-400", "0.1"])
)


@given(st.lists(written_numbers, min_size=1, max_size=30))
def test_many_cells_are_the_same_numbers_as_each_by_itself(texts: list[str]) -> None:
    """To the last bit; where one of them is no plain number, none is read so."""
    numbers = NumberFormat()
    values = numbers.read_all(texts)
    one_by_one = [numbers.value(text) for text in texts]
    if values is None:
        assert any(isinstance(value, str) for value in one_by_one)
    else:
        assert [*map(repr, values)] == [*map(repr, one_by_one)]


@given(st.text(max_size=12))
def test_a_cell_is_a_number_or_missing_or_refused(text: str) -> None:
    """Nothing else, whatever stands there; what is refused is no decimal number."""
    for decimal in (".", ","):
        number = NumberFormat(decimal=decimal).read(text)
        if isinstance(number, str):
            assert not number.replace(".", "").isascii() or not number.isdecimal()
        elif number is not None:
            assert number == float(text.strip().replace(",", "."))


@given(finite, finite)
def test_a_number_that_means_missing_is_one_in_every_spelling(value: float, other: float) -> None:
    """As text and as number; no other number is."""
    numbers = NumberFormat(missing=[repr(value)])
    for raw in (value, repr(value), f" {value!r} "):
        assert numbers.value(raw) is None
    if other != value:
        assert numbers.value(other) == other
        assert numbers.value(repr(other)) == other
    assert numbers.value(True) is True
    assert math.isinf(numbers.value(math.inf))  # type: ignore[arg-type]  # as it came


PAGINGS: list[dict[str, Any]] = [
    {"page": "p"},
    {"page": "p", "first": 0, "size_param": "n"},
    {"page": "p", "last": "last"},
    {"page": "p", "total": "total"},
    {"offset": "o", "size_param": "n"},
    {"offset": "o", "total": "total"},
    {"cursor": "c", "from": "cursor"},
    {"next": "next"},
    {"next": "header:Link"},
]


@given(st.integers(0, 23), st.integers(1, 6), st.sampled_from(PAGINGS))
def test_every_row_is_had_once(count: int, size: int, paging: dict[str, Any]) -> None:
    """Whatever the number of rows and the size of a page; no more requests than it takes."""
    has_size = "offset" in paging or "size_param" in paging
    paginator = read_paginator(Params({"paging": {**paging, "size": size} if has_size else paging}))
    rows = list(range(count))
    received: list[int] = []
    first_expected: list[Any] = []
    address, pages = paginator.first(), Pages()
    while True:
        start = _start(address, paging, size)
        rows_of_page = rows[start : start + size]
        after = start + size if start + size < count else None
        content = {
            "items": rows_of_page,
            "total": count,
            "last": max(math.ceil(count / size), 1) + paging.get("first", 1) - 1,
            "cursor": after,
            "next": None if after is None else f"?at={after}",
        }
        link = {} if after is None else {"link": f'<?at={after}>; rel="next"'}
        answer = Answer(200, "http://x/a", link, json.dumps(content).encode())
        content_read = JsonReader(Params({}), ".").read(answer)
        assert content_read is not None
        assert list(content_read.records("items").column("@")) == rows_of_page
        received += rows_of_page
        pages.add(content_read, len(rows_of_page))
        next_address = paginator.next(pages)
        expected = list(paginator.likely_pages(pages))
        if expected:
            assert expected[0] == next_address
        if not first_expected:
            first_expected = expected
        assert expected == first_expected[pages.number - 1 :]
        if next_address is None:
            break
        address = next_address
    assert received == rows
    assert pages.number <= max(math.ceil(count / size), 1) + 1


def _start(address: PageAddress, paging: dict[str, Any], size: int) -> int:
    if address.url is not None:
        return int(address.url.partition("=")[2])
    if "page" in paging:
        return (int(address.query["p"]) - int(paging.get("first", 1))) * size
    return int(address.query.get("o") or address.query.get("c") or 0)


@given(st.text(st.characters(codec="ascii", exclude_characters='<>",;\\'), max_size=20))
def test_the_next_link_is_found_among_others(target: str) -> None:
    """In whatever order and form; another relation is none."""
    others = '<a>; rel="prev"; title="the next one", <b>; rel=last'
    for relation in ('rel="next"', "rel=next", "REL = next", 'title=x; rel="start next"'):
        assert next_link(f"{others}, <{target}>; {relation}") == target
        assert next_link(f"<{target}>; {relation}, {others}") == target
    assert next_link(others) is None
    assert next_link(f'<{target}>; rel="nextish"') is None
