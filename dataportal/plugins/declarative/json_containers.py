"""Finds the objects of a JSON document that are around some of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.plugins.readers.expressions import ABSENT_FIELD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.plugins.readers.expressions import Expression

Chain = tuple[dict[str, Any], Any] | None
"""The nearest object around a part, and in the same way the ones around that."""


def containers(document: Any, parts: Sequence[Any]) -> Sequence[Chain] | None:
    """Of each part the objects around it; None if one is no object or list of the document."""
    wanted = {id(part) for part in parts if isinstance(part, dict | list)}
    found: dict[int, Chain] = {}
    pending: list[tuple[Any, Chain]] = [(document, None)]
    while pending and len(found) < len(wanted):
        value, chain = pending.pop()
        if id(value) in wanted:
            found[id(value)] = chain
        if isinstance(value, dict):
            inner: Chain = (value, chain)
            pending.extend((item, inner) for item in value.values() if _is_container(item))
        elif isinstance(value, list):
            pending.extend((item, chain) for item in value if _is_container(item))
    if any(id(part) not in found for part in parts):
        return None
    return [found[id(part)] for part in parts]


def first_in(chain: Chain, expression: Expression) -> Any:
    """What an expression finds in the nearest object that has it; `ABSENT_FIELD` if none has."""
    while chain is not None:
        container, chain = chain
        value = expression.find(container)
        if value is not None and value is not ABSENT_FIELD:
            return value
    return ABSENT_FIELD


def _is_container(value: Any) -> bool:
    return isinstance(value, dict | list)
