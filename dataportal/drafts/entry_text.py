"""Writes an entry of sources.yaml as YAML: a key a line, and beside each guess why it was made."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# what begins with a digit may be a number, or a time, but for a length such as 15 minutes
_PLAIN = re.compile(
    r"(?:[^\W\d_]|\.//|[/^$(°€])(?:[\w ./^$%+()@°€·²³-]*[\w./^$%+()°€²³])?|\d+ [a-z]+", re.UNICODE
)
_WIDEST = 96
_MODULE = "dataportal.plugins.data_sources.http_plugin"
_WORDS = {"TODO", "null", "true", "false", "yes", "no", "on", "off", "~", "y", "n"}


@dataclass(slots=True)
class Entry:
    """An entry, and why it says what it says.

    Attributes:
        name: of the source.
        section: `timeseries` or `request_groups`.
        keys: those of the source, as they are written; lists and mappings may be in them.
        notes: by the path of a key, such as `timezone` or `default_params.ts`: why.
        head: what is said above it.
    """

    name: str
    section: str
    keys: dict[str, Any]
    notes: dict[str, str] = field(default_factory=dict)
    head: Sequence[str] = ()

    @property
    def todos(self) -> list[str]:
        """The paths of the keys that nobody could tell."""
        return [*_todos(self.keys, "")]

    def lines(self, *, indent: int = 2) -> list[str]:
        """The entry, below its section."""
        pad = " " * indent
        lines = [f"{pad}# {_one_line(text)}".rstrip() for text in self.head]
        lines.append(f"{pad}{scalar(self.name)}:")
        lines += _mapping(self.keys, indent + 2, self.notes, "")
        return lines

    @property
    def text(self) -> str:
        """A whole file with this entry alone."""
        return "\n".join([f"{self.section}:", *self.lines(), ""])


def entry_module(kind: str, *, is_group: bool) -> dict[str, Any]:
    """The keys that name the plugin of answers of this kind."""
    several = "MultiSeries" if is_group else ""
    return {"module": _MODULE, "class": f"Http{kind}{several}Plugin"}


def scalar(value: Any) -> str:  # noqa: PLR0911 - a branch for each way
    """A value as YAML 1.2 reads it back, plain where that is the same."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if text == "TODO":
        return text
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if ("\\" in text or '"' in text) and "\n" not in text and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return _quote(text)


def _quote(text: str) -> str:
    """The text in double quotes, with escapes for what is not shown."""
    shown = (char if char.isprintable() and char not in '"\\' else _escape(char) for char in text)
    return f'"{"".join(shown)}"'


def _escape(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return f"\\U{ord(char):08x}"


def flow(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_flow_scalar(k)}: {flow(v)}" for k, v in value.items())
        return "{" + inner + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return _flow_scalar(value)


def _flow_scalar(value: Any) -> str:
    text = scalar(value)
    if text[:1] in "'\"" or not re.search(r"[,\[\]{}]", text):
        return text
    return _quote(str(value))


def _mapping(
    keys: Mapping[str, Any], indent: int, notes: Mapping[str, str], path: str
) -> list[str]:
    lines: list[str] = []
    pad = " " * indent
    for key, value in keys.items():
        own = f"{path}.{key}" if path else str(key)
        name = scalar(key)
        note = notes.get(own, "")
        is_series = key == "timeseries" and isinstance(value, list)
        if is_series:
            lines.append(_add_note(f"{pad}{name}:", note, pad))
            for item in value:
                lines += _item(item, indent + 2)
        elif (
            isinstance(value, dict)
            and value
            and (
                any(isinstance(item, dict) for item in value.values())
                or len(flow(value)) + indent + len(name) > _WIDEST - 10
                or any(key.startswith(f"{own}.") for key in notes)
                or path in {"", "x"}
            )
        ):
            lines.append(_add_note(f"{pad}{name}:", note, pad))
            lines += _mapping(value, indent + 2, notes, own)
        else:
            lines.append(_add_note(f"{pad}{name}: {flow(value)}", note, pad))
    return [line for text in lines for line in text.split("\n")]


def _add_note(line: str, note: str, pad: str) -> str:
    """A line with its comment: behind it, or above it where that would be long."""
    if not note:
        return line
    text = _one_line(note)
    if len(line) + len(text) + 4 <= _WIDEST:
        return f"{line}  # {text}"
    return f"{pad}# {text}\n{line}"


def _one_line(text: str) -> str:
    from dataportal.redaction import harmless, redact

    return harmless(redact(" ".join(text.split())), 300)


def _item(item: Mapping[str, Any], indent: int) -> list[str]:
    """A series of a group: its name, and what tells it apart, in a line each."""
    pad = " " * indent
    lines = []
    mark = "- "
    for key, value in item.items():
        lines.append(f"{pad}{mark}{key}: {flow(value)}")
        mark = "  "
    return lines


def _todos(value: Any, path: str) -> Sequence[str]:
    if isinstance(value, dict):
        return [
            place
            for key, item in value.items()
            for place in _todos(item, f"{path}.{key}" if path else str(key))
        ]
    if isinstance(value, list):
        return [place for item in value for place in _todos(item, path)]
    return [path] if value == "TODO" else []
