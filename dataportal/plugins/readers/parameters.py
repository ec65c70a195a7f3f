"""Reads a plugin's parameters from sources.yaml, and reports all their faults at once."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    Keys = tuple[str | int, ...]

_LEADING_NAME = re.compile(r"'?([A-Za-z_]\w*(?:\.\w+)*)")
_OTHER_NAMES = {
    "value_column": "value",
    "ts_column": "ts",
    "value": "value_column",
    "ts": "ts_column",
}
"""What one plugin calls so, another one calls otherwise."""


class ParameterError(ValueError):
    """What is wrong with the parameters of a source.

    Args:
        faults: for each the keys that lead to it, such as `("query", "from")`, and the message.
        text: all messages together, if not one after the other.
    """

    def __init__(self, faults: Sequence[tuple[Keys, str]], text: str | None = None) -> None:
        super().__init__(text or "; ".join(message for _, message in faults))
        self.faults = tuple(faults)


class Params:
    """The parameters of one source; each method that reads one notes a value that cannot be used.

    Call `finish` when all are read: a key that no method asked for is a fault too.

    Args:
        values: by name; a None counts as not set.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: value for name, value in values.items() if value is not None}
        self._known: list[str] = []
        self._faults: list[tuple[Keys, str]] = []

    def add_fault(self, message: str, *keys: str | int) -> None:
        """Note a fault, for `finish` to raise.

        Args:
            message: what is wrong; it begins with the name of the parameter.
            keys: those that lead to what is wrong, where the beginning of the message does not.
        """
        self._faults.append((keys or leading_keys(message), message))

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
        for name in self._values:
            if name not in self._known:
                other = _OTHER_NAMES.get(name)
                if other in self._known:
                    self.add_fault(other_name_fault(name), name)
                    continue
                if name == "timezone":
                    self.add_fault(
                        "'timezone' is not a parameter of this plugin: it stands beside schedule",
                        name,
                    )
                    continue
                near = get_close_matches(str(name), self._known, n=1)
                advice = (
                    f"did you mean {near[0]!r}?" if near else f"known: {', '.join(self._known)}"
                )
                self.add_fault(f"{name!r} is not a parameter of this plugin; {advice}", str(name))
        if self._faults:
            raise ParameterError(self._faults)

    def _value(self, name: str, default: Any, *, required: bool = False) -> Any:
        self._known.append(name)
        if required and name not in self._values:
            self.add_fault(f"{name} is missing")
        return self._values.get(name, default)


def leading_keys(message: str) -> Keys:
    """The keys of the parameter that a message begins with, such as `paging.total`."""
    match = _LEADING_NAME.match(message)
    return tuple(match[1].split(".")) if match else ()


def other_name_fault(name: str) -> str:
    """The fault of a parameter, or of a key of a filter, that only another plugin calls so."""
    return f"{name} is called {_OTHER_NAMES[name]} in this plugin"


def quotes_hint(value: object) -> str:
    """The way out where YAML made a mapping of a field: `from: {start}`, without its quotes."""
    items = value if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, dict) and len(item) == 1:
            (key, inner), *_ = item.items()
            if inner is None:
                return f'; a field needs quotes: "{{{key}}}"'
    return ""


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
