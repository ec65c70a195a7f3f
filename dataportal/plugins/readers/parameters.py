"""Reads a plugin's parameters from sources.yaml, and reports all their faults at once."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from dataportal.plugins.parameters.conversion import convert
from dataportal.plugins.parameters.faults import (
    ParameterError,
    leading_keys,
    other_name_fault,
    quotes_hint,
    unknown_name_fault,
)
from dataportal.plugins.parameters.fields import fields

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dataportal.plugins.parameters.declaration import Parameters
    from dataportal.plugins.parameters.faults import Keys

__all__ = [
    "BESIDE",
    "ParameterError",
    "Params",
    "leading_keys",
    "other_name_fault",
    "quotes_hint",
]

P = TypeVar("P", bound="Parameters")
BESIDE = ".."
"""The first of the keys that lead to a parameter that all series of a group share."""


class Params:
    """The parameters of one source; each method that reads some notes what cannot be used.

    Call `finish` when all are read: a name that nothing asked for is a fault too.

    Args:
        values: by name; a None counts as not set.
        shared: of a series of a group, what holds for all of them unless `values` say otherwise.
    """

    def __init__(
        self, values: Mapping[str, Any], *, shared: Mapping[str, Any] | None = None
    ) -> None:
        own = {name: value for name, value in values.items() if value is not None}
        self._beside = {
            name: value
            for name, value in (shared or {}).items()
            if value is not None and name not in own
        }
        self._values = {**self._beside, **own}
        self._nulls = {name: value for name, value in values.items() if value is None}
        self._read: dict[type[Parameters], Parameters] = {}
        self._known: list[str] = []
        self._aliases: list[str] = []
        self._faults: list[tuple[Keys, str]] = []

    def read(self, struct: type[P]) -> P:
        """The parameters that a struct declares.

        Where something cannot be used another value of its type stands in its place.
        """
        before = self._read.get(struct)
        if isinstance(before, struct):
            return before
        values = {**self._nulls, **self._values}
        for field in fields(struct):
            if field.takes_rest:
                self._aliases += map(str, self._values)
                continue
            self._known.append(field.name)
            self._aliases += field.aliases
            if any(name in values and name not in self._beside for name in field.names):
                for name in field.names:
                    if name in self._beside:
                        del values[name]
        result = convert(values, struct, lambda keys, text: self.add_fault(text, *keys))
        self._read[struct] = result
        return result

    def given(self, *names: str) -> Any:
        """What is given under one of these names, as it is written; None where nothing is."""
        return next((self._values[name] for name in names if name in self._values), None)

    def shared(self, struct: type[Parameters]) -> dict[str, Any]:
        """What is given, for all series of a group, of the parameters that a series may have."""
        names = [name for field in fields(struct) if not field.takes_rest for name in field.names]
        self._known += [field.name for field in fields(struct) if not field.takes_rest]
        self._aliases += names
        return {name: self._values[name] for name in names if name in self._values}

    def check_choice(self, values: Mapping[str, Any], needed: Collection[str], chosen: str) -> None:
        """Note those values that are missing, or that what was chosen has no use for.

        Args:
            values: optional parameters, None where one is not given.
            needed: the names of those that belong to it; none where it is not known.
            chosen: what decides, such as the name of a data set.
        """
        if not needed:
            return
        for name in needed:
            if values[name] is None:
                self.add_fault(f"{name} is missing, which {chosen} needs", name)
        for name, value in values.items():
            if value is not None and name not in needed:
                self.add_fault(
                    f"{name!r} is not a parameter of {chosen}, which has {' and '.join(needed)}",
                    name,
                )

    def add_fault(self, message: str, *keys: str | int) -> None:
        """Note a fault, for `finish` to raise.

        Args:
            message: what is wrong; it begins with the name of the parameter.
            keys: those that lead to what is wrong, where the beginning of the message does not.
        """
        self._faults.append((self._place(keys or leading_keys(message)), message))

    def set_default(self, name: str, value: Any) -> None:
        """Let a parameter that is not set have this value."""
        self._values.setdefault(name, value)

    def has(self, name: str) -> bool:
        """Whether the parameter is set."""
        self._known.append(name)
        return name in self._values

    def text(self, name: str, default: str = "", *, required: bool = False) -> str:
        """A text; a number is taken as the text that it is written as."""
        value = self._value(name, default, required=required)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.add_fault(f"{name} must be a text, not {value!r}{quotes_hint(value)}", name)
            return default
        return str(value)

    def choice(self, name: str, choices: Collection[str], *, required: bool = False) -> str:
        """One of the texts in `choices`."""
        value = self.text(name, required=required)
        if value and value not in choices:
            near = get_close_matches(value, choices, n=1)
            advice = f"; did you mean {near[0]!r}?" if near else ""
            self.add_fault(f"{name} must be one of {', '.join(choices)}, not {value!r}{advice}")
        return value

    def whole_number(self, name: str, default: int = 0, *, required: bool = False) -> int:
        """A whole number of 0 or more, also as a text of digits."""
        value = self._value(name, default, required=required)
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.add_fault(f"{name} must be a whole number of 0 or more, not {value!r}")
            return default
        return value

    def number(self, name: str, default: float) -> float:
        """A finite number."""
        value = self._value(name, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            self.add_fault(f"{name} must be a number, not {value!r}")
            return default
        return float(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._value(name, default)
        if not isinstance(value, bool):
            self.add_fault(f"{name} must be true or false, not {value!r}")
            return default
        return value

    def mapping(self, name: str) -> dict[str, str]:
        """A mapping of names to texts."""
        value = self._value(name, {})
        if not isinstance(value, dict):
            self.add_fault(f"{name} must map names to texts")  # the values may be keys
            return {}
        for key, item in value.items():
            if not _is_scalar(item):
                # the value may be a key
                self.add_fault(
                    f"{name} must map names to texts, and {key} has none", name, str(key)
                )
        return {str(key): str(item) for key, item in value.items()}

    def tree(self, name: str, *, empty: str = "") -> dict[str, Any]:
        """A mapping of whatever depth; the word `empty` stands for one that has nothing in it."""
        value = self._value(name, {})
        if not isinstance(value, dict):
            if not empty or value != empty:
                choice = f", or {empty}" if empty else ""
                self.add_fault(f"{name} must be a mapping{choice}")  # the value may be a key
            return {}
        return value

    def any_value(self, name: str) -> Any:
        """What is given, of whatever shape; None where nothing is."""
        return self._value(name, None)

    def scalars(self, name: str) -> list[Any] | None:
        """A list of texts, numbers and booleans; None where it is not set."""
        value = self._value(name, None)
        if value is None:
            return None
        if not isinstance(value, list) or any(isinstance(item, dict | list) for item in value):
            self.add_fault(f"{name} must be a list, not {value!r}")
            return None
        return value

    def columns(self, name: str) -> tuple[str | int, ...]:
        """One column or a list of them, each a name, a path or a number counted from 1."""
        value = self._value(name, [])
        items = value if isinstance(value, list) else [value]
        for item in items:
            is_column = isinstance(item, str | int) and not isinstance(item, bool)
            if not is_column or item == "" or (isinstance(item, int) and item < 1):
                self.add_fault(
                    f"{name} must name a column, or be its number from 1, not {item!r}"
                    f"{quotes_hint(item)}"
                )
                return ()
        return tuple(items)

    def column(self, name: str, default: int) -> str | int:
        """A column: its name, or its number counted from 1."""
        value = self._value(name, default)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.add_fault(f"{name} must be a column's name, or its number from 1, not {value!r}")
            return default
        return value

    def finish(self) -> None:
        """Raise the faults of all parameters at once.

        Raises:
            ParameterError: with every fault, if there is any.
        """
        if faults := self.faults():
            raise ParameterError(faults)

    def faults(self) -> list[tuple[Keys, str]]:
        """The faults of all parameters, once all were read, each with the keys that lead to it."""
        known = dict.fromkeys(self._known)
        unknown: list[tuple[Keys, str]] = []
        for name in self._values:
            if name in known or name in self._aliases:
                continue
            names = [*known, *self._aliases] if get_close_matches(name, self._aliases) else [*known]
            unknown.append((self._place((name,)), unknown_name_fault(name, names)))
        return [*self._faults, *unknown]

    def _place(self, keys: Keys) -> Keys:
        return (BESIDE, *keys) if keys and keys[0] in self._beside else keys

    def _value(self, name: str, default: Any, *, required: bool = False) -> Any:
        self._known.append(name)
        if required and name not in self._values:
            self.add_fault(f"{name} is missing")
        return self._values.get(name, default)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
