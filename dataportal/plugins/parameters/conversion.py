"""Makes structs of parameters from what sources.yaml says, and notes every fault on the way.

msgspec's own conversion ends at the first fault, and is stricter than people who write YAML: here a
number is taken for the text that it is written as, a text of digits for a number, and a null for
what is not given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import inspect

from dataportal.plugins.parameters.faults import quotes_hint, unknown_name_fault
from dataportal.plugins.parameters.fields import fields, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dataportal.plugins.parameters.declaration import Parameters
    from dataportal.plugins.parameters.faults import Keys
    from dataportal.plugins.parameters.fields import Field, Kind

P = TypeVar("P", bound="Parameters")
Report = Callable[["Keys", str], None]
"""Notes a fault: the keys that lead to it, and the message."""

_BAD = object()
"""Stands for a value that cannot be used."""
_BOOLEANS = {"true": True, "false": False}
_PLACEHOLDERS: dict[type[inspect.Type], Any] = {
    inspect.StrType: "",
    inspect.IntType: 0,
    inspect.FloatType: 0.0,
    inspect.BoolType: False,
}


def convert(
    values: Mapping[str, Any],
    struct: type[P],
    report: Report,
    *,
    inside: Keys = (),
    secret: bool = False,
) -> P:
    """The parameters that a struct declares.

    A value that cannot be used, or is missing, is reported, and something else of its type stands
    in its place, so that the others can be looked at too. Names that the struct does not declare
    are left alone, unless it is part of another one.

    Args:
        values: by name.
        struct: declares them.
        report: notes faults.
        inside: the keys that lead to the values.
        secret: whether no message may show any of them.
    """
    given = {name: value for name, value in values.items() if value is not None}
    arguments: dict[str, Any] = {}
    known: list[str] = []
    for field in fields(struct):
        if field.takes_rest:
            continue
        known += field.names
        value = _value(field, _kind_within(field.kind, secret=secret), given, report, inside)
        if value is not _BAD:
            arguments[field.attribute] = value
    rest = next((field for field in fields(struct) if field.takes_rest), None)
    unknown = {str(name): value for name, value in given.items() if str(name) not in known}
    if rest is not None:
        value = _converted(rest.kind, unknown, report, inside)
        arguments[rest.attribute] = {} if value is _BAD else value
    elif inside:
        firsts = [field.name for field in fields(struct)]
        for name in unknown:
            names = _suggestable(name, firsts, known)
            report((*inside, name), unknown_name_fault(name, names, _dotted(inside)))
    return struct(**arguments)


def _value(field: Field, kind: Kind, given: Mapping[str, Any], report: Report, inside: Keys) -> Any:
    """What is given for a field; `_BAD` where its default is to hold."""
    names = [name for name in field.names if name in given]
    if not names:
        if not field.required:
            return _BAD
        report((*inside, field.name), f"{_dotted((*inside, field.name))} is missing")
        return _placeholder(field.kind)
    first, *others = names
    for other in others:
        if given[other] != given[first]:
            report((*inside, other), f"{other} and {first} are one thing, given twice")
    value = _converted(kind, given[first], report, (*inside, first))
    return _placeholder(field.kind) if value is _BAD and field.required else value


def _converted(  # noqa: PLR0911 - one for each type
    kind: Kind, value: Any, report: Report, keys: Keys
) -> Any:
    """A value as its kind has it; `_BAD` for one that cannot be used, which is reported."""
    extra = kind.extra

    def refuse(expected: str) -> Any:
        shown = "" if extra.get("secret") else f", not {value!r}{quotes_hint(value)}"
        report(keys, f"{_dotted(keys)} must be {expected}{shown}")
        return _BAD

    if extra.get("single") and not isinstance(value, list):
        value = [value]
    if "parse" in extra and not isinstance(value, dict | list):
        return _parsed_text(extra["parse"], value, report, keys, refuse)
    node = _type_for(kind, value)
    if node is None:
        return refuse(_expected(kind))
    if isinstance(node, inspect.StructType):
        struct: type[Any] = node.cls
        return convert(value, struct, report, inside=keys, secret=bool(extra.get("secret")))
    if isinstance(node, inspect.DictType):
        return _mapping(node, kind, value, report, keys)
    if isinstance(node, inspect.ListType | inspect.VarTupleType):
        item_kind = _kind_within(kind_of(node.item_type), secret=bool(extra.get("secret")))
        items = [
            _converted(item_kind, item, report, (*keys, position))
            for position, item in enumerate(value)
        ]
        if _BAD in items:
            return _BAD
        return tuple(items) if isinstance(node, inspect.VarTupleType) else items
    return _scalar(node, kind, value, report, keys, refuse)


def _scalar(
    node: inspect.Type,
    kind: Kind,
    value: Any,
    report: Report,
    keys: Keys,
    refuse: Callable[[str], Any],
) -> Any:
    if isinstance(node, inspect.BoolType):
        return _BOOLEANS[value] if isinstance(value, str) else value
    if isinstance(node, inspect.IntType | inspect.FloatType):
        value = _number(node, value)
        if value is None:
            return refuse(_expected(kind))
    elif isinstance(node, inspect.StrType):
        value = str(value)
        choices = kind.extra.get("choices", ())
        if choices and value not in choices:
            near = get_close_matches(value, choices, n=1)
            advice = f"; did you mean {near[0]!r}?" if near else ""
            listed = ", ".join(choices)
            shown = "" if kind.extra.get("secret") else f", not {value!r}{advice}"
            report(keys, f"{_dotted(keys)} must be one of {listed}{shown}")
            return _BAD
        pattern = kind.extra.get("pattern")
        if pattern is not None and not pattern.fullmatch(value):
            return refuse(kind.extra["expected"])
    check = kind.extra.get("check")
    if check is not None and not check(value):
        return refuse(_expected(kind))
    return value


def _parsed_text(
    parse: Callable[[str], Any],
    value: Any,
    report: Report,
    keys: Keys,
    refuse: Callable[[str], Any],
) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return refuse("a text")
    try:
        return parse(str(value))
    except ValueError as error:
        report(keys, f"{_dotted(keys)}: {error}")
        return _BAD


def _mapping(
    node: inspect.DictType, kind: Kind, value: Mapping[Any, Any], report: Report, keys: Keys
) -> Any:
    item_kind = _kind_within(kind_of(node.value_type), secret=bool(kind.extra.get("secret")))
    content = {
        str(name): _converted(item_kind, item, report, (*keys, str(name)))
        for name, item in value.items()
    }
    return _BAD if _BAD in content.values() else content


def _number(node: inspect.IntType | inspect.FloatType, value: Any) -> Any:
    """The number that a value is, or that it is the text of; None if there is none, or too far."""
    number = value
    if isinstance(value, str):
        is_whole = value.isascii() and value.isdecimal()
        try:
            number = int(value) if is_whole else float(value)
        except ValueError:
            return None
    is_int = isinstance(node, inspect.IntType)
    if is_int and not isinstance(number, int):
        return None
    if not math.isfinite(number):
        return None
    if (
        (node.ge is not None and number < node.ge)
        or (node.gt is not None and number <= node.gt)
        or (node.le is not None and number > node.le)
        or (node.lt is not None and number >= node.lt)
    ):
        return None
    return number if is_int else float(number)


def _kind_within(kind: Kind, *, secret: bool) -> Kind:
    """The kind of what stands within something that is secret, or not."""
    return replace(kind, extra={**kind.extra, "secret": True}) if secret else kind


def _type_for(kind: Kind, value: Any) -> inspect.Type | None:  # noqa: PLR0911 - one for each type
    """The one of its types that a value is meant as; None if none is."""

    def first(*classes: type[inspect.Type]) -> inspect.Type | None:
        return next((node for node in kind.types if isinstance(node, classes)), None)

    if node := first(inspect.AnyType):
        return node
    if isinstance(value, dict):
        return first(inspect.StructType, inspect.DictType)
    if isinstance(value, list):
        return first(inspect.ListType, inspect.VarTupleType)
    boolean = first(inspect.BoolType)
    if isinstance(value, bool):
        return boolean
    number = first(inspect.IntType, inspect.FloatType)
    text = first(inspect.StrType)
    if isinstance(value, int | float):
        is_fit = number is not None and (
            isinstance(value, int) or isinstance(number, inspect.FloatType)
        )
        return number if is_fit or text is None else text
    if isinstance(value, str):
        if text is None and number is None and value in _BOOLEANS:
            return boolean
        return text or number
    return None


def _expected(kind: Kind) -> str:
    """What a value of this kind must be."""
    types = kind.types
    if "check" in kind.extra:
        return str(kind.extra["expected"])
    if any(isinstance(node, inspect.StrType | inspect.CustomType) for node in types):
        return "a text"
    for node in types:
        if isinstance(node, inspect.IntType | inspect.FloatType):
            return _expected_number(node)
        if isinstance(node, inspect.BoolType):
            return "true or false"
        if isinstance(node, inspect.ListType | inspect.VarTupleType):
            return "a list"
    return "a mapping"


def _expected_number(node: inspect.IntType | inspect.FloatType) -> str:
    name = "a whole number" if isinstance(node, inspect.IntType) else "a number"
    if node.ge is not None and node.le is not None:
        return f"{name} of {node.ge:g} to {node.le:g}"
    if node.ge is not None:
        return f"{name} of {node.ge:g} or more"
    return name if node.gt is None else f"{name} of more than {node.gt:g}"


def _placeholder(kind: Kind) -> Any:
    return next((_PLACEHOLDERS[type(n)] for n in kind.types if type(n) in _PLACEHOLDERS), None)


def _suggestable(name: str, firsts: list[str], known: list[str]) -> list[str]:
    """Other names are suggested where one is nearly hit, and not listed else."""
    return known if get_close_matches(name, known, n=1) else firsts


def _dotted(keys: Keys) -> str:
    """`paging.total` for the keys; `ts` for the items of a list, too."""
    return ".".join(str(key) for key in keys if not isinstance(key, int))
