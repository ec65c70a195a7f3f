"""Reads a plugin's parameters from sources.yaml, and reports all their faults at once."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from dataportal.plugins.parameters.conversion import convert
from dataportal.plugins.parameters.faults import (
    ParameterError,
    leading_keys,
    unknown_name_fault,
)
from dataportal.plugins.parameters.fields import fields

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dataportal.plugins.parameters.declaration import Parameters
    from dataportal.plugins.parameters.faults import Keys

__all__ = ["BESIDE", "ParameterError", "Params"]

P = TypeVar("P", bound="Parameters")
BESIDE = ".."
"""The first of the keys that lead to a parameter that all series of a group share."""


class Params:
    """The parameters of one source, read struct by struct; what cannot be used is noted.

    Call `finish` when all are read: a name that nothing asked for is a fault too.

    Args:
        values: by name; a None counts as not set.
        shared: of a series of a group, what holds for all of them unless `values` say otherwise.
    """

    def __init__(
        self, values: Mapping[str, Any], *, shared: Mapping[str, Any] | None = None
    ) -> None:
        own = {str(name): value for name, value in values.items() if value is not None}
        self._beside = {
            str(name): value
            for name, value in (shared or {}).items()
            if value is not None and str(name) not in own
        }
        self._values = {**self._beside, **own}
        self._nulls = {str(name): value for name, value in values.items() if value is None}
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
                self._aliases += self._values
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

    def first_given(self, *names: str) -> Any:
        """What is given under one of these names, as it is written; None where nothing is."""
        return next((self._values[name] for name in names if name in self._values), None)

    def group_values(self, struct: type[Parameters]) -> dict[str, Any]:
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
            if values[name] is None and self.first_given(name) is None:
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
