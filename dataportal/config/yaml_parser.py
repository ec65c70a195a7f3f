"""Parses a YAML file into a tree of nodes, or says where it is no YAML.

The tree is built from the events of PyYAML's parser rather than by its composer: that takes a
quarter of the time, and a node keeps its line and column all the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from dataportal.bounded_files import read_beginning
from dataportal.config.yaml_nodes import Document, Mapping, Scalar, Sequence
from dataportal.errors import ConfigurationError, Problem
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dataportal.config.yaml_nodes import Node

_LARGEST = 64 * 1024 * 1024
_PIPE_PATIENCE = 30.0  # seconds for whoever writes into a pipe
_Parser: type[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def read_document(path: Path, text: str | None = None, *, file: Path | None = None) -> Document:
    """The YAML document in a file, or in a text that messages call by that name.

    Args:
        path: what messages call it.
        text: what it holds; None reads it.
        file: the file itself, where messages call it otherwise.

    Raises:
        ConfigurationError: it cannot be read, or is no YAML; says where.
    """
    text = _read_text(path, file or path) if text is None else text
    try:
        return Document(path, _tree(_Parser(text).get_event))
    except yaml.YAMLError as error:
        problem = _syntax_problem(path, text, error)
        raise ConfigurationError(f"{path} is not valid YAML", problems=[problem]) from None


def _read_text(path: Path, file: Path) -> str:
    try:
        raw = read_beginning(file, _LARGEST, patience=_PIPE_PATIENCE)
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
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            f"{path}:{line}:1: not UTF-8", hint="Save the file with the encoding UTF-8"
        ) from None


def _tree(next_event: Callable[[], Any]) -> Node | None:
    """The root of the only document among the events; None where there is none.

    An alias is the node itself that it stands for, so that a node may even hold itself.
    """
    next_event()  # the start of the stream
    if next_event().__class__ is StreamEndEvent:
        return None
    enclosing: list[list[Node]] = []
    content: list[Node] = []
    top = content
    anchors: dict[str, Node] = {}
    while True:
        event = next_event()
        kind = event.__class__
        node: Node
        if kind is ScalarEvent:
            node = Scalar(event.start_mark, event.tag, event.value, event.implicit[0])
            content.append(node)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            content = enclosing.pop()
            continue
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            kind = Mapping if kind is MappingStartEvent else Sequence
            node = kind(event.start_mark, event.tag)
            content.append(node)
            enclosing.append(content)
            content = node.content
        elif kind is AliasEvent:
            if event.anchor not in anchors:
                raise _syntax_error(f"found undefined alias {event.anchor!r}", event)
            content.append(anchors[event.anchor])
            continue
        else:
            break
        if event.anchor is not None:
            anchors[event.anchor] = node
    following = next_event()
    if following.__class__ is DocumentStartEvent:
        raise _syntax_error("a second document begins here; one file holds one", following)
    return top[0]


def _syntax_error(message: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=message, problem_mark=event.start_mark)


_HINTS = (
    (re.compile(r"^\s*\t"), "indent with spaces: YAML takes no tabs"),
    (re.compile(r"(?::|-)\s+[*&!%@`]"), "put the value into quotes"),
    (re.compile(r":\s[^'\"#]*:\s"), "put the value into quotes, as it contains a colon"),
)


def _syntax_problem(path: Path, text: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    fault = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    context = getattr(error, "context", None)
    if mark is None:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        return Problem(f"{path}:{line}:1", harmless(str(fault), 200))
    lines = text.splitlines()
    content = lines[mark.line] if mark.line < len(lines) else ""
    # a tab or a colon is often noticed only where the next thing begins
    hint = next((advice for pattern, advice in _HINTS if pattern.search(content)), None)
    message = ", ".join(text for text in (context, fault) if text)
    return Problem(
        f"{path}:{mark.line + 1}:{mark.column + 1}",
        harmless(f"{message}: {hint}" if hint else message, 300),
    )
