"""Makes structs of parameters from what sources.yaml says, and notes every fault on the way.

msgspec's own conversion ends at the first fault, and is stricter than people who write YAML: here a
number is taken for the text that it is written as, a text of digits for a number, and a null for
what is not given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import inspect

from dataportal.plugins.parameters.faults import ParameterError, quotes_hint, unknown_name_fault
from dataportal.plugins.parameters.fields import fields, kind_of
from dataportal.redaction import sounds_secret

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
    inspect.TimeDeltaType: timedelta(),
    inspect.VarTupleType: (),
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands.

    Attributes:
        keys: those that lead to it.
        report: notes faults.
        secret: whether no message may show it.
    """

    keys: Keys
    report: Report
    secret: bool = False

    @property
    def name(self) -> str:
        """The keys as messages have them: `paging.total`; an item of a list has no name."""
        return ".".join(str(key) for key in self.keys if not isinstance(key, int))

    def inside(self, key: str | int, kind: Kind | None = None) -> _Place:
        """The place of something in it."""
        is_secret = None if kind is None else kind.extra.get("secret")
        if is_secret is None:
            is_secret = self.secret or sounds_secret(str(key))
        return _Place((*self.keys, key), self.report, is_secret)

    def refuse(self, expected: str, value: Any, advice: str = "") -> Any:
        """Report that the value must be something else."""
        shown = "" if self.secret else f", not {value!r}{advice}"
        self.report(self.keys, f"{self.name} must {expected}{shown}")
        return _BAD


def convert(values: Mapping[str, Any], struct: type[P], report: Report) -> P:
    """The parameters that a struct declares.

    A value that cannot be used, or is missing, is reported, and something else of its type stands
    in its place, so that the others can be looked at too. Names that the struct does not declare
    are left alone.

    Args:
        values: by name.
        struct: declares them.
        report: notes faults.
    """
    return _struct(values, struct, _Place((), report))


def read_parameters(values: Mapping[str, Any], struct: type[P]) -> P:
    """The parameters that a struct declares, of a plugin that has no others.

    Raises:
        ParameterError: with everything that is wrong with them.
    """
    faults: list[tuple[Keys, str]] = []
    result = convert(values, struct, lambda keys, message: faults.append((keys, message)))
    known = [name for field in fields(struct) if not field.takes_rest for name in field.names]
    if not any(field.takes_rest for field in fields(struct)):
        faults += [
            ((str(name),), unknown_name_fault(str(name), known))
            for name, value in values.items()
            if value is not None and str(name) not in known
        ]
    if faults:
        raise ParameterError(faults)
    return result


def _struct(values: Mapping[str, Any], struct: type[P], place: _Place) -> P:
    given = {str(name): value for name, value in values.items() if value is not None}
    arguments: dict[str, Any] = {}
    known: list[str] = []
    rest: Field | None = None
    for field in fields(struct):
        if field.takes_rest:
            rest = field
            continue
        known += field.names
        value = _field(field, given, place)
        if value is not _BAD:
            arguments[field.attribute] = value
    if rest is not None:
        unknown = {str(name): value for name, value in values.items() if str(name) not in known}
        value = _value(rest.kind, unknown, place)
        arguments[rest.attribute] = {} if value is _BAD else value
    elif place.keys:
        firsts = [field.name for field in fields(struct)]
        for name in [name for name in given if name not in known]:
            # other names are suggested where one is nearly hit, and not listed else
            names = known if get_close_matches(name, known, n=1) else firsts
            place.report((*place.keys, name), unknown_name_fault(name, names, place.name))
    return struct(**arguments)


def _field(field: Field, given: Mapping[str, Any], place: _Place) -> Any:
    """What is given for a field; `_BAD` where its default is to hold."""
    first, *others = [name for name in field.names if name in given] or [""]
    if not first:
        if not field.required:
            return _BAD
        missing = place.inside(field.name)
        place.report(missing.keys, f"{missing.name} is missing")
        return _placeholder(field.kind)
    for other in others:
        if given[other] != given[first]:
            keys = place.inside(other).keys
            place.report(keys, f"{other} and {first} are one thing, given twice")
    value = _value(field.kind, given[first], place.inside(first, field.kind))
    return _placeholder(field.kind) if value is _BAD and field.required else value


def _value(kind: Kind, value: Any, place: _Place) -> Any:  # noqa: PLR0911 - one for each type
    """A value as its kind has it; `_BAD` for one that cannot be used, which is reported."""
    if value is None and kind.takes_null:
        return None
    if kind.extra.get("single") and not isinstance(value, list):
        value = [value]
    if "parse" in kind.extra and not isinstance(value, dict | list):
        return _parsed_text(kind.extra["parse"], value, place)
    node = _type_for(kind, value)
    if node is None:
        if _is_of_texts(kind):
            place.report(place.keys, f"{place.name} must map names to texts")  # may be a key
            return _BAD
        return place.refuse(f"be {_expectation(kind)}", value, quotes_hint(value))
    if isinstance(node, inspect.StructType):
        struct: type[Any] = node.cls
        return _struct(value, struct, place)
    if isinstance(node, inspect.DictType | inspect.ListType | inspect.VarTupleType):
        if value == [] and kind.extra.get("single"):
            return place.refuse("not be empty", value)
        return _collection(node, value, place)
    return _scalar(node, kind, value, place)


def _collection(
    node: inspect.DictType | inspect.ListType | inspect.VarTupleType, value: Any, place: _Place
) -> Any:
    if isinstance(node, inspect.DictType):
        kind = kind_of(node.value_type)
        content = {str(k): _value(kind, item, place.inside(str(k))) for k, item in value.items()}
        return _BAD if _BAD in content.values() else content
    kind = kind_of(node.item_type)
    items = [_value(kind, item, place.inside(number)) for number, item in enumerate(value)]
    if _BAD in items:
        return _BAD
    return tuple(items) if isinstance(node, inspect.VarTupleType) else items


def _scalar(node: inspect.Type, kind: Kind, value: Any, place: _Place) -> Any:
    converted = value
    if isinstance(node, inspect.BoolType):
        converted = _BOOLEANS[value] if isinstance(value, str) else value
    elif isinstance(node, inspect.IntType | inspect.FloatType):
        converted = _number(node, value)
        if converted is None:
            is_number = isinstance(value, int | float) and node.gt is not None
            expected = f"more than {node.gt:g}" if is_number else _expectation(kind)
            return place.refuse(f"be {expected}", value)
    elif isinstance(node, inspect.StrType):
        converted = str(value)
        choices, pattern = kind.extra.get("choices", ()), kind.extra.get("pattern")
        if choices and converted not in choices:
            near = get_close_matches(converted, choices, n=1)
            advice = f"; did you mean {near[0]!r}?" if near else ""
            listed = kind.extra.get("expected") or f"one of {', '.join(choices)}"
            return place.refuse(f"be {listed}", converted, advice)
        if pattern is not None and not pattern.fullmatch(converted):
            return place.refuse(f"be {kind.extra['matching']}", converted)
        fault = kind.extra["fault"](converted) if "fault" in kind.extra else ""
        if fault:
            place.report(place.keys, f"{place.name} {fault}")
    check = kind.extra.get("check")
    if check is not None and not check(converted):
        return place.refuse(f"be {_expectation(kind)}", value)
    return converted


def _parsed_text(parse: Callable[[str], Any], value: Any, place: _Place) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return place.refuse("be a text", value)
    try:
        return parse(str(value))
    except ValueError as error:
        reason = "it cannot be used" if place.secret else str(error)
        place.report(place.keys, f"{place.name}: {reason}")
        return _BAD


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
    is_outside = (
        not math.isfinite(number)
        or (node.ge is not None and number < node.ge)
        or (node.gt is not None and number <= node.gt)
        or (node.le is not None and number > node.le)
        or (node.lt is not None and number >= node.lt)
    )
    if is_outside:
        return None
    return number if is_int else float(number)


def _type_for(  # noqa: PLR0911 - one for each type
    kind: Kind, value: Any
) -> inspect.Type | None:
    """The one of its types that a value is meant as; None if none is."""

    def first(*classes: type[inspect.Type]) -> inspect.Type | None:
        matches = (node for cls in classes for node in kind.types if isinstance(node, cls))
        return next(matches, None)

    if node := first(inspect.AnyType):
        return node
    whole, real, text = inspect.IntType, inspect.FloatType, inspect.StrType
    if isinstance(value, dict):
        return first(inspect.StructType, inspect.DictType)
    if isinstance(value, list):
        return first(inspect.ListType, inspect.VarTupleType)
    if isinstance(value, bool):
        return first(inspect.BoolType)
    if isinstance(value, int):
        return first(whole, real, text)
    if isinstance(value, float):
        return first(real, text, whole)
    if not isinstance(value, str):
        return None
    return first(text, real, whole, *([inspect.BoolType] if value in _BOOLEANS else []))


def _is_of_texts(kind: Kind) -> bool:
    """Whether it is a mapping of names to texts, and nothing else."""
    return len(kind.types) == 1 and all(
        isinstance(node, inspect.DictType) and isinstance(node.value_type, inspect.StrType)
        for node in kind.types
    )


def _expectation(kind: Kind) -> str:
    """What a value of this kind must be."""
    if "expected" in kind.extra:
        return str(kind.extra["expected"])
    types = kind.types
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
