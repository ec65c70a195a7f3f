"""What is wrong with parameters: each fault with the keys that lead to it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    Keys = tuple[str | int, ...]

_LEADING_NAME = re.compile(r"'?([A-Za-z_]\w*(?:\.\w+)*)")
_UNKNOWN = " is not a parameter of "
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


def leading_keys(message: str) -> Keys:
    """The keys of the parameter that a message begins with, such as `paging.total`."""
    match = _LEADING_NAME.match(message)
    return tuple(match[1].split(".")) if match else ()


def unknown_name_fault(name: str, known: Collection[str], kind: str = "this plugin") -> str:
    """The fault of a name that is none of those known, with the one that may be meant.

    Args:
        name: as it is written.
        known: all that there are.
        kind: what has no such parameter.
    """
    other = _OTHER_NAMES.get(name)
    if other in known:
        return other_name_fault(name)
    if name == "timezone":
        return f"'timezone'{_UNKNOWN}{kind}: it stands beside schedule"
    near = get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return f"{name!r}{_UNKNOWN}{kind}; {advice}"


def is_of_name(message: str) -> bool:
    """Whether a fault is one of a name that is not known, whatever stands under it."""
    return _UNKNOWN in message


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
