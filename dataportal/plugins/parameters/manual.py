"""Makes the tables of parameters of the manual from the structs that declare them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import inspect

from dataportal.plugins.parameters.fields import fields, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataportal.plugins.parameters.declaration import Parameters


def table_rows(structs: Iterable[type[Parameters]]) -> list[str]:
    """A row of Markdown for each parameter: its names, and what it means."""
    return [
        f"| {', '.join(f'`{name}`' for name in field.names)} | {field.about} |"
        for field in fields_of(structs)
        if not field.takes_rest
    ]


def nested_structs(struct: type[Parameters]) -> dict[str, type[Parameters]]:
    """The structs within a struct, at whatever depth, by the names of the parameters they are."""
    nested: dict[str, type[Parameters]] = {}
    for field in fields(struct):
        for node in field.kind.types:
            if isinstance(node, inspect.DictType):
                node = node.value_type  # noqa: PLW2901 - what stands under each name
            if isinstance(node, inspect.StructType):
                inner: type[Any] = node.cls
                nested |= {field.name: inner, **nested_structs(inner)}
    return nested
