"""Which lists of a JSON document stand side by side, by the expressions that find them."""

from __future__ import annotations

import pytest

from dataportal.plugins.readers.column_origins import check_columns, count_items


@pytest.mark.parametrize(
    "expressions",
    [
        ["time", "value"],
        ["hourly.time", "hourly.load"],
        ["keys(data)", "values(data)"],
        ["keys(a.b)", "values(a.b)", "a.b.*.price"],
        ["data.*.t", "data.*.v"],
        ["data | keys(@)", "values(data)"],
        ["rows[].t", "rows[].v"],
        ["a[?x=='y'].t", "a[?x=='y'].v"],
        ["a name with a blank", "time"],
    ],
)
def test_lists_of_one_order_stand_side_by_side(expressions: list[str]) -> None:
    """Lists of a document, or keys and values of one object."""
    check_columns(expressions)


@pytest.mark.parametrize(
    "expressions",
    [
        ["keys(a)", "values(b)"],
        ["keys(a)", "time"],
        ["time", "values(a)"],
        ["a.*.t", "b.*.v"],
        ["sort(keys(a))", "values(a)"],
        ["keys(a)[::-1]", "values(a)"],
        ["reverse(keys(a))", "keys(a)"],
        ["sort(keys(a))"],
        ["keys(a)[?@ > 'x']", "values(a)"],
    ],
)
def test_lists_of_different_orders_are_refused(expressions: list[str]) -> None:
    """The members of an object have an order that says nothing of any other list."""
    with pytest.raises(ValueError, match="the keys and values of an object go with those of"):
        check_columns(expressions)


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("rows[].v", 3),
        ("rows[*].v", 3),
        ("rows[?t].v", 2),
        ("data.*.v", 2),
        ("rows", None),
        ("rows[0]", None),
        ("no such name", None),
        ("nothing[].v", None),
    ],
)
def test_items_without_the_field_are_counted(expression: str, count: int | None) -> None:
    """A projection leaves them out without a word."""
    document = {
        "rows": [{"t": 1, "v": 2}, {"t": 2}, {"v": None}],
        "data": {"a": {"v": 1}, "b": {}},
    }
    assert count_items(expression, document) == count
