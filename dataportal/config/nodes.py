"""YAML as a tree whose every node knows its place in the file.

Read as YAML 1.2 has it: only `true` and `false` are booleans (`region: NO` is Norway). What people
write unquoted and mean as text stays text: `12:30`, `2025-03-01`, and numbers with a leading zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from dataportal.errors import ConfigurationError, Problem
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from pathlib import Path

Node = yaml.Node
_MOST_NODES = 2_000_000
"""Nodes visited before a file counts as a bomb of aliases: ten thousand sources need half."""
_DEEPEST = 60
_LARGEST = 64 * 1024 * 1024
_CORE = "tag:yaml.org,2002:"
_MERGE = _CORE + "merge"
_PLAIN = {_CORE + kind for kind in ("null", "bool", "int", "float", "str", "seq", "map")} | {_MERGE}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen late
    """Builds nodes only; what a plain scalar means is said by the resolvers below."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "float",
        (
            r"[-+]?(?:(?:0|[1-9][0-9]*)?\.[0-9]+|(?:0|[1-9][0-9]*)\.?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(_CORE + _tag, re.compile(f"(?:{_pattern})$"), _first)


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping as it is written, its node, and the node of its value."""

    key: str
    key_node: Node
    value: Node


class Document:
    """One YAML file, and the places in it.

    Args:
        path: as it is shown in messages.
        root: the top node; None for a file without content.
    """

    def __init__(self, path: Path, root: Node | None) -> None:
        self.path = path
        self.root = root
        self._left = _MOST_NODES

    def where(self, node: Node) -> str:
        """`file:line:column` of a node, counted from 1."""
        return f"{self.path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"

    def entries(self, node: yaml.MappingNode, problems: list[tuple[Node, str]]) -> list[Entry]:
        """The entries of a mapping, merge keys resolved; of a key given twice the first counts.

        What is wrong with the keys is added to `problems`.
        """
        own: dict[str, Entry] = {}
        merged: list[Node] = []
        for key, value in node.value:
            self._visit()
            if key.tag == _MERGE:
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif not isinstance(key, yaml.ScalarNode):
                problems.append((key, "a key must be a plain text"))
            elif key.value in own:
                first = own[key.value].key_node.start_mark.line + 1
                problems.append((key, f"{key.value!r} is given twice, first in line {first}"))
            else:
                own[key.value] = Entry(key.value, key, value)
        for other in merged:
            if not isinstance(other, yaml.MappingNode) or other is node:
                problems.append((other, "<< merges mappings only"))
                continue
            for entry in self.entries(other, problems):
                own.setdefault(entry.key, entry)
        return list(own.values())

    def value(self, node: Node, problems: list[tuple[Node, str]], depth: int = 0) -> Any:
        """The node as Python has it: dict, list, str, int, float, bool or None."""
        self._visit()
        if depth > _DEEPEST:
            problems.append((node, f"nested deeper than {_DEEPEST} levels"))
            return None
        if node.tag not in _PLAIN:
            problems.append((node, f"the tag {_short(node.tag)} has no meaning here"))
            return None
        if isinstance(node, yaml.MappingNode):
            return {
                entry.key: self.value(entry.value, problems, depth + 1)
                for entry in self.entries(node, problems)
            }
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, problems, depth + 1) for item in node.value]
        return scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def _visit(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise ConfigurationError(
                f"{self.path} unfolds to more than {_MOST_NODES:,} nodes",
                hint="An alias (*name) that holds aliases, over and over? Write it out",
            )


def scalar(node: yaml.ScalarNode) -> Any:
    """What a scalar means: text unless it is plainly null, a boolean or a number."""
    kind = node.tag.removeprefix(_CORE)
    text: str = node.value
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text)
            case "float":
                return float(text.replace(".inf", "inf").replace(".nan", "nan").lower())
    except ValueError:
        pass  # !!int x, or more digits than Python takes: as it is written
    return text


def read_document(path: Path) -> Document:
    """The YAML document in a file.

    Raises:
        ConfigurationError: it cannot be read, or is no YAML; says where.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no file {path}",
            hint="Name the sources with --config FILE or PLUGIN_CONFIG_PATH",
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > _LARGEST:
        raise ConfigurationError(f"{path} is larger than {_LARGEST >> 20} MiB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            f"{path}:{line}:1: not UTF-8", hint="Save the file with the encoding UTF-8"
        ) from None
    try:
        return Document(path, yaml.compose(text, Loader=_Loader))
    except RecursionError:
        raise ConfigurationError(f"{path} is nested too deeply to be read") from None
    except yaml.YAMLError as error:
        problem = _syntax_problem(path, text, error)
        raise ConfigurationError(f"{path} is not valid YAML", problems=[problem]) from None


_HINTS = (
    (re.compile(r"^\s*\t"), "indent with spaces: YAML takes no tabs"),
    (re.compile(r"(?::|-)\s+[*&!%@`]"), "put the value into quotes"),
    (re.compile(r":\s[^'\"#]*:\s"), "put the value into quotes, as it contains a colon"),
)


def _syntax_problem(path: Path, text: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    context = getattr(error, "context", None)
    if mark is None:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        return Problem(f"{path}:{line}:1", harmless(str(said), 200))
    lines = text.splitlines()
    content = lines[mark.line] if mark.line < len(lines) else ""
    # a tab or a colon is often noticed only where the next thing begins
    hint = next((advice for pattern, advice in _HINTS if pattern.search(content)), None)
    message = ", ".join(part for part in (context, said) if part)
    if "single document" in message:
        message = "a second document begins here; one file holds one"
    return Problem(
        f"{path}:{mark.line + 1}:{mark.column + 1}",
        harmless(f"{message}: {hint}" if hint else message, 300),
    )


def _short(tag: str) -> str:
    return harmless("!!" + tag.removeprefix(_CORE) if tag.startswith(_CORE) else tag, 40)
