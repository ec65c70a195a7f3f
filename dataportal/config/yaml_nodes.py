"""YAML as a tree of nodes that know their line and column, and what their values mean.

Read as YAML 1.2 has it: only `true` and `false` are booleans (`region: NO` is Norway). What people
write unquoted and mean as text stays text: `12:30`, `2025-03-01`, and numbers with a leading zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from dataportal.errors import ConfigurationError
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from pathlib import Path

_MOST_NODES = 2_000_000
"""Nodes visited before a file counts as a bomb of aliases: ten thousand sources need half."""
_DEEPEST = 60
_CORE = "tag:yaml.org,2002:"
_TAGS = {
    None,
    "!",
    *(_CORE + kind for kind in ("null", "bool", "int", "float", "str", "seq", "map")),
}
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_BEGINS_NUMBERS = set("-+.0123456789")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*)?\.[0-9]+|(?:0|[1-9][0-9]*)\.?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


class Mark(Protocol):
    """A line and a column in a file, as PyYAML has them: both count from 0."""

    @property
    def line(self) -> int: ...  # noqa: D102 - as its name says
    @property
    def column(self) -> int: ...  # noqa: D102 - as its name says


# Not frozen: a large file has half a million of them, and frozen ones take thrice as long to make.
@dataclass(slots=True, eq=False)
class Scalar:
    """A text; `plain` if it is unquoted and has no tag, so that it may mean something else."""

    mark: Mark
    tag: str | None
    text: str
    plain: bool


@dataclass(slots=True, eq=False)
class Sequence:
    """A list of nodes."""

    mark: Mark
    tag: str | None
    content: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Mapping:
    """Keys and values; they alternate in `content`."""

    mark: Mark
    tag: str | None
    content: list[Node] = field(default_factory=list)


TODO = "TODO"
"""Stands in a draft for what nobody could tell."""
TODO_FAULT = "TODO stands for what nobody has told yet: write it in its place"

Node: TypeAlias = Scalar | Sequence | Mapping
Entry: TypeAlias = tuple[Scalar, Node]
"""A key and its value."""
Faults: TypeAlias = list[tuple[Node, str]]
"""What is wrong, and with which node."""


class Document:
    """One YAML file, and where its nodes stand.

    Args:
        path: as it is shown in messages.
        root: the top node; None for a file without content.
    """

    def __init__(self, path: Path, root: Node | None) -> None:
        self.path = path
        self.root = root
        self._visits_left = _MOST_NODES
        self._merged: dict[Mapping, tuple[dict[str, Entry], int]] = {}

    def where(self, node: Node) -> str:
        """`file:line:column` of a node, counted from 1."""
        return f"{self.path}:{node.mark.line + 1}:{node.mark.column + 1}"

    def entries(self, node: Mapping, faults: Faults, depth: int = 0) -> list[Entry]:
        """The entries of a mapping, merge keys resolved; of a key given twice the first counts.

        What is wrong with the keys is added to `faults`.
        """
        self._visit(len(node.content) // 2)
        entries: dict[str, Entry] = {}
        merged: list[Node] = []
        alternating = iter(node.content)
        for key, value in zip(alternating, alternating, strict=True):
            if not isinstance(key, Scalar):
                faults.append((key, "a key must be a plain text"))
            elif "\0" in key.text:
                faults.append((key, "a key cannot have a NUL in it"))
            elif key.text == "<<" and key.plain:
                merged += value.content if isinstance(value, Sequence) else [value]
            elif key.text in entries:
                first = entries[key.text][0].mark.line + 1
                faults.append((key, f"{key.text!r} is given twice, first in line {first}"))
            else:
                entries[key.text] = (key, value)
        for other in merged:
            if not isinstance(other, Mapping) or depth > _DEEPEST:
                faults.append((other, "<< merges mappings only, and none into itself"))
                continue
            for name, entry in self._merged_entries(other, faults, depth + 1).items():
                entries.setdefault(name, entry)
        return list(entries.values())

    def _merged_entries(self, node: Mapping, faults: Faults, depth: int) -> dict[str, Entry]:
        """The entries of a mapping that others are merged with; looked at once if it is well."""
        if node in self._merged:
            entries, visits = self._merged[node]
            self._visit(visits)  # as if it were looked at again: a bomb stays one
            return entries
        count, left = len(faults), self._visits_left
        entries = {entry[0].text: entry for entry in self.entries(node, faults, depth)}
        if len(faults) == count:
            self._merged[node] = entries, left - self._visits_left
        return entries

    def value(self, node: Node, faults: Faults, depth: int = 0) -> Any:
        """The node as a Python value: dict, list, str, int, float, bool or None."""
        self._visit(1)
        if depth > _DEEPEST:
            faults.append((node, f"nested deeper than {_DEEPEST} levels"))
            return None
        if node.tag not in _TAGS:
            self.check_tag(node, faults)
            return None
        if isinstance(node, Scalar):
            if "\0" in node.text:
                faults.append((node, "a text cannot have a NUL in it"))
            if node.text == TODO and node.plain:
                faults.append((node, TODO_FAULT))
            return scalar_value(node)
        if isinstance(node, Mapping):
            return {
                key.text: self.value(value, faults, depth + 1)
                for key, value in self.entries(node, faults)
            }
        return [self.value(item, faults, depth + 1) for item in node.content]

    def check_tag(self, node: Node, faults: Faults) -> None:
        """Add a fault for a tag that means nothing here."""
        if node.tag not in _TAGS:
            faults.append((node, f"the tag {_short_tag(node.tag or '')} has no meaning here"))

    def _visit(self, nodes: int) -> None:
        self._visits_left -= nodes
        if self._visits_left < 0:
            raise ConfigurationError(
                f"{self.path} unfolds to more than {_MOST_NODES:,} nodes",
                hint="An alias (*name) that holds aliases, over and over? Write it out",
            )


def scalar_value(node: Scalar) -> Any:
    """The value of a scalar: text unless it is plainly null, a boolean or a number."""
    text = node.text
    if node.plain:
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in _BEGINS_NUMBERS:
            return text
        kind = "int" if _INTEGER.fullmatch(text) else "float" if _FLOAT.fullmatch(text) else "str"
    else:
        kind = (node.tag or "").removeprefix(_CORE)
    try:
        match kind:
            case "null" | "bool":
                return _WORDS.get(text, text)
            case "int":
                return int(text)
            case "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        pass  # !!int x, or more digits than Python takes: as it is written
    return text


def is_todo(node: Node) -> bool:
    """Whether the node is a text that nobody has written yet."""
    return isinstance(node, Scalar) and node.plain and node.text == TODO


def is_null(node: Node) -> bool:
    """Whether the node is empty or null."""
    return isinstance(node, Scalar) and scalar_value(node) is None


def _short_tag(tag: str) -> str:
    return harmless("!!" + tag.removeprefix(_CORE) if tag.startswith(_CORE) else tag, 40)
