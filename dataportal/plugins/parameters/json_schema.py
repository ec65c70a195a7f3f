"""Makes the JSON Schema of parameters from the structs that declare them.

It is the more lenient of the two: what a `${VAR}` will be is known in a run alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from msgspec import inspect

from dataportal.plugins.parameters.declaration import VARIABLE_PATTERN
from dataportal.plugins.parameters.fields import fields, fields_of, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dataportal.plugins.parameters.declaration import Parameters
    from dataportal.plugins.parameters.fields import Field, Kind

    Schema = dict[str, Any]

_VARIABLE: dict[str, Any] = {"type": "string", "pattern": VARIABLE_PATTERN}
_BOUNDS = (
    ("minimum", "ge"),
    ("exclusiveMinimum", "gt"),
    ("maximum", "le"),
    ("exclusiveMaximum", "lt"),
)


def parameters_schema(
    structs: Iterable[type[Parameters]], *, optional: Sequence[type[Parameters]] = ()
) -> Schema:
    """The schema of a mapping of parameters.

    Args:
        structs: declare them.
        optional: declare further ones, none of which must be there.
    """
    structs = tuple(structs)
    required = {field.name for field in fields_of(structs) if field.required}
    declared = fields_of((*structs, *optional))
    # a mapping of whatever else is one of a series alone
    taken = [field for field in declared if not (structs and field.takes_rest)]
    return _object(taken, required)


def needs_any(structs: Iterable[type[Parameters]]) -> bool:
    """Whether one of the parameters must be given."""
    return any(field.required for field in fields_of(structs))


def _object(declared: Iterable[Field], required: Iterable[str]) -> Schema:
    properties: Schema = {}
    schema: Schema = {"type": ["object", "null"], "properties": properties}
    additional: bool | Schema = False
    needs: list[Schema] = []
    names: list[str] = []
    for field in declared:
        if field.takes_rest:
            (node,) = field.kind.types
            assert isinstance(node, inspect.DictType)  # noqa: S101 - `about` says so
            additional = _value(kind_of(node.value_type))
            additional["description"] = field.about
            continue
        content = _value(field.kind)
        content["description"] = field.about
        if isinstance(field.default, str | int | float) and field.default != "":
            content["default"] = field.default
        for name in field.names:
            properties[name] = content
        if field.name in required:
            if field.aliases:
                needs.append({"anyOf": [{"required": [name]} for name in field.names]})
            else:
                names.append(field.name)
    if names:
        schema["required"] = names
    if needs:
        schema["allOf"] = needs
    schema["additionalProperties"] = additional
    return schema


def _value(kind: Kind) -> Schema:
    """The schema of a value; null is taken everywhere, as not given."""
    keywords = {key: value for key, value in kind.schema.items() if key != "description"}
    is_text = any(isinstance(node, inspect.StrType) for node in kind.types)
    if "parse" in kind.extra:
        choices: list[Schema] = [{"type": ["string", "number"]}]
    elif "choices" in kind.extra:
        others = [_of_type(node) for node in kind.types if not isinstance(node, inspect.StrType)]
        choices = [{"enum": [*kind.extra["choices"]]}, _VARIABLE, *others]
        return {"anyOf": [*choices, {"type": "null"}], **keywords}
    else:
        choices = [_of_type(node) for node in kind.types]
    if kind.extra.get("single"):
        choices += [_value(kind_of(node.item_type)) for node in kind.types if _is_list(node)]
    if any(not choice or "anyOf" in choice for choice in choices):
        return {} if {} in choices else {"anyOf": [*choices, {"type": "null"}], **keywords}
    return {**_merge_choices(choices, is_text=is_text), **keywords}


def _merge_choices(choices: Iterable[Schema], *, is_text: bool) -> Schema:
    """One schema for values of several types, each of whose words is about one of them."""
    kinds: list[str] = []
    merged: Schema = {}
    for choice in choices:
        own = choice["type"]
        kinds += [own] if isinstance(own, str) else own
        merged |= {key: value for key, value in choice.items() if key != "type"}
    if is_text:
        merged.pop("pattern", None)  # of texts that stand for numbers: any text is taken
    return {"type": [*dict.fromkeys([*kinds, "null"])], **merged}


def _is_list(node: inspect.Type) -> TypeGuard[inspect.ListType | inspect.VarTupleType]:
    return isinstance(node, inspect.ListType | inspect.VarTupleType)


def _of_type(node: inspect.Type) -> Schema:  # noqa: PLR0911 - one for each type
    if isinstance(node, inspect.StructType):
        declared = fields(node.cls)
        return _object(declared, [field.name for field in declared if field.required])
    if isinstance(node, inspect.DictType):
        return {"type": "object", "additionalProperties": _value(kind_of(node.value_type))}
    if _is_list(node):
        return {"type": "array", "items": _value(kind_of(node.item_type))}
    if isinstance(node, inspect.BoolType):
        return {"type": ["boolean", "string"], "pattern": f"^(?:true|false)$|{VARIABLE_PATTERN}"}
    if isinstance(node, inspect.IntType | inspect.FloatType):
        is_whole = isinstance(node, inspect.IntType)
        bounds = {
            name: getattr(node, bound)
            for name, bound in _BOUNDS
            if getattr(node, bound) is not None
        }
        digits = r"^\d+$" if is_whole else r"^[-+]?[\d.]+(?:[eE][-+]?\d+)?$"
        return {
            "type": ["integer" if is_whole else "number", "string"],
            "pattern": f"{digits}|{VARIABLE_PATTERN}",
            **bounds,
        }
    if isinstance(node, inspect.AnyType):
        return {}
    return {"type": ["string", "number"]}
