"""Tells from JMESPath expressions which lists of a JSON document belong together, item by item.

The members of an object have an order that says nothing of any other list: its keys go with its
values only. Grammar: https://jmespath.org/specification.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jmespath
import jmespath.exceptions
from jmespath.parser import ParsedResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Node = Mapping[str, Any]
    """A part of an expression, as jmespath parses it."""

_OBJECT_FUNCTIONS = ("keys", "values")
_PROJECTIONS = ("projection", "filter_projection", "value_projection")
_ALWAYS = {"type": "literal", "value": True, "children": []}
_HERE = ("current", "identity")


class _Members(NamedTuple):
    """Stands for a list in the order of an object's members.

    Attributes:
        source: where the object is; None for one that cannot be told.
    """

    source: Node | None


def check_columns(texts: Iterable[str]) -> None:
    """Check that lists found by these expressions can stand side by side.

    Raises:
        ValueError: one has the order of an object's members, and another has not.
    """
    origins = {text: _origin(parsed.parsed) for text in texts if (parsed := _parse(text))}
    ordered = [(text, origin) for text, origin in origins.items() if origin is not None]
    if not ordered:
        return
    first, members = ordered[0]
    for text, origin in origins.items():
        if origin is None or origin != members or origin.source is None:
            other = "" if text == first else f" beside {text!r}"
            raise ValueError(
                f"{first!r}{other}: the keys and values of an object go with those of the same "
                "object only, as in keys(x) and values(x), or x.*.name"
            )


def count_items(text: str, document: Any) -> int | None:
    """How many items an expression with a projection looks at, whether they have it or not.

    None for any other expression.
    """
    parsed = _parse(text)
    if parsed is None or parsed.parsed["type"] not in _PROJECTIONS:
        return None
    source, _, *condition = parsed.parsed["children"]
    node: Any = {**parsed.parsed, "children": [source, _ALWAYS, *condition]}
    try:
        items = ParsedResult(text, node).search(document)
    except jmespath.exceptions.JMESPathError:
        return None
    return len(items) if isinstance(items, list) else None


def _parse(text: str) -> ParsedResult | None:
    try:
        return jmespath.compile(text)
    except (jmespath.exceptions.JMESPathError, ValueError):
        return None  # a name that is no expression


def _origin(node: Node) -> _Members | None:
    """The object whose members give a list its order; None where it has another one."""
    children = node["children"]
    match node["type"]:
        case "value_projection":
            return _Members(children[0])
        case "function_expression" if node["value"] in _OBJECT_FUNCTIONS:
            return _Members(children[0])
        case "function_expression":
            # such as sort(keys(x)), of which nobody knows the order
            is_ordered = any(map(_has_members, children))
        case "projection" | "filter_projection" | "flatten":
            is_ordered = _origin(children[0]) is not None
        case "pipe":
            return _origin_of_pipe(*children)
        case _:
            is_ordered = False
    return _Members(None) if is_ordered else None


def _origin_of_pipe(before: Node, after: Node) -> _Members | None:
    origin = _origin(after)
    if origin is None:
        is_ordered = after["type"] in _PROJECTIONS and _origin(before) is not None
        return _Members(None) if is_ordered else None
    is_whole = origin.source is not None and origin.source["type"] in _HERE
    return _Members(before) if is_whole else _Members(None)


def _has_members(node: Node) -> bool:
    return _origin(node) is not None or any(
        _has_members(child) for child in node["children"] if isinstance(child, dict)
    )
