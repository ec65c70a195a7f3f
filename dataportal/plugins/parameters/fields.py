"""Tells from msgspec's type information what the fields of a struct of parameters take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dataportal.plugins.parameters.declaration import Parameters


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value may be.

    Attributes:
        types: one or several, none of them null.
        extra: what `about` and its like say beside the type.
        schema: of JSON Schema, beside the type.
        takes_null: whether a null says something, in a list or a mapping.
    """

    types: tuple[inspect.Type, ...]
    extra: Mapping[str, Any]
    schema: Mapping[str, Any]
    takes_null: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter.

    Attributes:
        name: in sources.yaml.
        attribute: in the struct.
        about: what it means.
        aliases: other names that it is taken under.
        kind: what it takes.
        required: whether it must be given.
        default: what holds where it is not; None also for what has no simple form.
    """

    name: str
    attribute: str
    about: str
    aliases: tuple[str, ...]
    kind: Kind
    required: bool
    default: Any

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called."""
        return (self.name, *self.aliases)

    @property
    def takes_rest(self) -> bool:
        """Whether it takes all names that no other field has."""
        return bool(self.kind.extra.get("rest"))


@cache
def fields(struct: type[Parameters]) -> tuple[Field, ...]:
    """The parameters that a struct declares, in its order."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - for mypy
    return tuple(_field(field) for field in info.fields)


def fields_of(structs: Iterable[type[Parameters]]) -> tuple[Field, ...]:
    """The parameters that several structs declare; of one that several have, the first."""
    by_name: dict[str, Field] = {}
    for struct in structs:
        for field in fields(struct):
            by_name.setdefault(field.name, field)
    return tuple(by_name.values())


def kind_of(node: inspect.Type) -> Kind:
    """What a value of this type may be."""
    extra: dict[str, Any] = {}
    schema: dict[str, Any] = {}
    types = list(_unwrap(node, extra, schema))
    others = [kind for kind in types if not isinstance(kind, inspect.NoneType)]
    return Kind(tuple(others), extra, schema, takes_null=len(others) < len(types))


def _field(field: inspect.Field) -> Field:
    kind = kind_of(field.type)
    default = None if field.default is msgspec.NODEFAULT else field.default
    return Field(
        name=field.encode_name,
        attribute=field.name,
        about=kind.schema.get("description", ""),
        aliases=kind.extra.get("aliases", ()),
        kind=kind,
        required=field.required,
        default=default,
    )


def _unwrap(
    node: inspect.Type, extra: dict[str, Any], schema: dict[str, Any]
) -> Iterable[inspect.Type]:
    """The types of a union; what is said of them is added to `extra` and `schema`.

    What is said further outside comes first.
    """
    if isinstance(node, inspect.Metadata):
        for key, value in (node.extra or {}).items():
            extra.setdefault(key, value)
        for key, value in (node.extra_json_schema or {}).items():
            schema.setdefault(key, value)
        yield from _unwrap(node.type, extra, schema)
    elif isinstance(node, inspect.UnionType):
        for member in node.types:
            yield from _unwrap(member, extra, schema)
    else:
        yield node
