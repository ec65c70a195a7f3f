"""Mutation operators: plant a fault in a function or an SQL statement, found by its shape.

An operator is what is done to a function: something in it is replaced, dropped, put in front. What
it is done to is a pattern: Python in which a single capital letter stands for any expression, and
the same letter for the same one everywhere. So `2 * A > B` is found whatever the variables are
called, and `A < 0` may take its place. In what is planted `P1`, `P2` … are the parameters of the
function, `self` and `cls` not counted. In SQL the letters stand for any name.

A pattern has to be found once, unless the operator says which one is meant. Otherwise `NoFitError`
tells what was looked for, and what is there.
"""

from __future__ import annotations

import ast
import builtins
import copy
import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.ClassDef)
_LETTER = re.compile(r"[A-Z]")
_PARAMETER = re.compile(r"P([1-9])")
_NOT_COMPARED = {"ctx", "kind", "type_comment"}
_SHOWN = 12  # of what is there instead
_TOKEN = re.compile(
    r"(?P<blank>\s+|--[^\n]*)|'(?:[^']|'')*'|%\(\w+\)s|\w+|::|<>|[<>!]=|\|\||[^\w\s]"
)


class NoFitError(LookupError):
    """A fault can't be planted: its file, function or pattern is not there, or not only once."""


@dataclass(frozen=True)
class Slot:
    """Where a node stands in the tree: a field of its parent, or a position in a list of it."""

    parent: ast.AST
    field: str
    position: int | None
    node: ast.AST

    def fill(self, nodes: list[Any]) -> None:
        """Put these in its place: one, or any number where it stands in a list."""
        if self.position is None:
            (node,) = nodes
            setattr(self.parent, self.field, node)
        else:
            siblings = getattr(self.parent, self.field)
            siblings[self.position : self.position + 1] = nodes


@dataclass(frozen=True)
class Match:
    """A node that a pattern fits, the statement around it, and what the letters stand for."""

    slot: Slot
    statement: Slot
    letters: Mapping[str, ast.expr]


class Target:
    """A function of a module, or the module outside its functions and classes.

    Args:
        source: the module's text.
        function: the qualified name, such as `Merge.write`; empty for the module itself.
        label: how messages name the module.

    Raises:
        NoFitError: there is no such function.
    """

    def __init__(self, source: str, function: str, label: str) -> None:
        self.module = ast.parse(source)
        self.label = f"{function} in {label}" if function else label
        functions = functions_by_name(self.module)
        if function and function not in functions:
            close = difflib.get_close_matches(function, functions, n=3, cutoff=0.5)
            raise NoFitError(
                f"{label} has no function {function}"
                + (f" (one of {', '.join(close)}?)" if close else "")
                + f"; it has {', '.join(functions) or 'none'}"
            )
        self.node = functions[function] if function else self.module
        self._names = {node.id for node in ast.walk(self.module) if isinstance(node, ast.Name)}
        self._names |= {node.arg for node in ast.walk(self.module) if isinstance(node, ast.arg)}
        self._names |= {
            alias.asname or alias.name.partition(".")[0]
            for node in ast.walk(self.module)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        self._names |= {node.name for node in functions.values()} | {*dir(builtins)}
        self._attributes = {ast.unparse(n) for n in ast.walk(self.module) if _is_own_attribute(n)}

    def matches(self, pattern: str) -> list[Match]:
        """Where the pattern fits, in the order of the text."""
        node = _parse_pattern(pattern)
        matches = []
        for slot, statement in _slots(self.node):
            letters: dict[str, ast.expr] = {}
            if _fits(node, slot.node, letters):
                matches.append(Match(slot, statement, letters))
        return sorted(matches, key=lambda match: _position(match.slot.node))

    def match(self, pattern: str, nth: int | None = None) -> Match:
        """The only place where the pattern fits; or the nth of several, counted from 1.

        Raises:
            NoFitError: there is none, there are several, or not so many.
        """
        matches = self.matches(pattern)
        if nth is None and len(matches) == 1:
            return matches[0]
        if nth is not None and len(matches) >= nth:
            return matches[nth - 1]
        number = "the only" if nth is None else f"number {nth} of"
        raise NoFitError(
            f"{self.label}: looked for {number} `{pattern}`, which is there {len(matches)} times. "
            f"Alike are there: {self._alike(_parse_pattern(pattern))}"
        )

    def expression(self, code: str, letters: Mapping[str, ast.expr]) -> ast.expr:
        """Code to plant, which is an expression, with what its letters stand for."""
        (statement,) = self.statements(f"({code})", letters)
        assert isinstance(statement, ast.Expr)
        return statement.value

    def statements(self, code: str, letters: Mapping[str, ast.expr]) -> list[ast.stmt]:
        """Code to plant, which is statements, with what its letters stand for.

        Raises:
            NoFitError: there are names in it that the module does not know. They would make a test
                go red for another reason than the fault.
        """
        planted = ast.parse(code)
        nodes = [*ast.walk(planted)]
        own = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        for node in nodes:
            is_known = True
            if isinstance(node, ast.Name) and not _is_placeholder(node.id):
                is_known = node.id in self._names | own
            elif _is_own_attribute(node):
                is_known = ast.unparse(node) in self._attributes
            if not is_known:
                raise NoFitError(
                    f"{self.label}: the fault uses {ast.unparse(node)}, which the module has not"
                )
        meanings = {**self._parameters(), **letters}
        return [_Filler(self.label, meanings).visit(statement) for statement in planted.body]

    def text(self) -> str:
        """The module as it is now."""
        return ast.unparse(ast.fix_missing_locations(self.module)) + "\n"

    def _parameters(self) -> dict[str, ast.expr]:
        if not isinstance(self.node, _FUNCTIONS):
            return {}
        arguments = self.node.args
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        return {
            f"P{number}": ast.Name(name)
            for number, name in enumerate((n for n in names if n not in {"self", "cls"}), 1)
        }

    def _alike(self, pattern: ast.AST) -> str:
        """What there is of the pattern's kind."""
        nodes = (slot.node for slot, _ in _slots(self.node))
        alike = sorted((n for n in nodes if type(n) is type(pattern)), key=_position)
        texts = [f"`{ast.unparse(node)}`" for node in alike[:_SHOWN]]
        return ", ".join(texts + ["…"] * (len(alike) > _SHOWN)) or "none"


class Fault(Protocol):
    """What is done to a file."""

    def plant(self, source: str, function: str, label: str) -> str:
        """The text of the file with the fault in it.

        Args:
            source: the file's text.
            function: the qualified name of the function that has the fault; empty outside of any.
            label: how messages name the file.

        Raises:
            NoFitError: its place is not there.
        """


class _InPython:
    """A fault of a Python module."""

    def plant(self, source: str, function: str, label: str) -> str:
        """See `Fault`."""
        target = Target(source, function, label)
        self.change(target)
        return target.text()

    def change(self, target: Target) -> None:
        """Do to the function what the operator is for."""
        raise NotImplementedError


@dataclass(frozen=True)
class Replace(_InPython):
    """An expression is another one, or a statement others: a comparison, a condition, a constant.

    Attributes:
        pattern: what stands there; an expression, or a statement.
        by: what takes its place.
        nth: which one is meant, counted from 1, if there are several.
    """

    pattern: str
    by: str
    nth: int | None = None

    def change(self, target: Target) -> None:
        """See the class."""
        match = target.match(self.pattern, self.nth)
        if isinstance(match.slot.node, ast.stmt):
            match.slot.fill(target.statements(self.by, match.letters))
        else:
            match.slot.fill([target.expression(self.by, match.letters)])


@dataclass(frozen=True)
class Drop(_InPython):
    """A statement is left out, such as a call."""

    pattern: str

    def change(self, target: Target) -> None:
        """See the class."""
        target.match(self.pattern).statement.fill([ast.Pass()])


@dataclass(frozen=True)
class Begin(_InPython):
    """The function begins with this code; with a `return` it does nothing else."""

    code: str

    def change(self, target: Target) -> None:
        """See the class."""
        assert isinstance(target.node, _FUNCTIONS)
        first = 1 if ast.get_docstring(target.node, clean=False) is not None else 0
        target.node.body[first:first] = target.statements(self.code, {})


@dataclass(frozen=True)
class Before(_InPython):
    """Code stands before the statement in which the pattern is."""

    pattern: str
    code: str

    def change(self, target: Target) -> None:
        """See the class."""
        match = target.match(self.pattern)
        planted = target.statements(self.code, match.letters)
        match.statement.fill([*planted, match.statement.node])


@dataclass(frozen=True)
class WithoutKeyword(_InPython):
    """A call lacks one of its keyword arguments."""

    callee: str
    keyword: str

    def change(self, target: Target) -> None:
        """See the class."""
        calls = [
            slot.node
            for slot, _ in _slots(target.node)
            if isinstance(slot.node, ast.Call)
            and ast.unparse(slot.node.func) == self.callee
            and any(keyword.arg == self.keyword for keyword in slot.node.keywords)
        ]
        if len(calls) != 1:
            raise NoFitError(
                f"{target.label}: looked for the only call {self.callee}(…, {self.keyword}=…), "
                f"which is there {len(calls)} times"
            )
        calls[0].keywords = [k for k in calls[0].keywords if k.arg != self.keyword]


@dataclass(frozen=True)
class Catch(_InPython):
    """An `except` is for another exception."""

    exception: str
    instead: str

    def change(self, target: Target) -> None:
        """See the class."""
        handlers = [n for n in ast.walk(target.node) if isinstance(n, ast.ExceptHandler)]
        types = [ast.unparse(handler.type) if handler.type else "" for handler in handlers]
        if types.count(self.exception) != 1:
            raise NoFitError(
                f"{target.label}: looked for the only `except {self.exception}`; caught there are: "
                + (", ".join(types) or "none")
            )
        handlers[types.index(self.exception)].type = target.expression(self.instead, {})


@dataclass(frozen=True)
class Entry(_InPython):
    """An entry of a dict that is written out has another value.

    Attributes:
        key: a text.
        by: the value, in which `A` is what it was; None leaves the entry out.
    """

    key: str
    by: str | None

    def change(self, target: Target) -> None:
        """See the class."""
        entries = [
            (slot.node, position)
            for slot, _ in _slots(target.node)
            if isinstance(slot.node, ast.Dict)
            for position, key in enumerate(slot.node.keys)
            if isinstance(key, ast.Constant) and key.value == self.key
        ]
        if len(entries) != 1:
            raise NoFitError(
                f"{target.label}: looked for the only entry {self.key!r} of a dict, which is "
                f"there {len(entries)} times"
            )
        [(mapping, position)] = entries
        if self.by is None:
            del mapping.keys[position], mapping.values[position]
        else:
            value = mapping.values[position]
            mapping.values[position] = target.expression(self.by, {"A": value})


@dataclass(frozen=True)
class Sql:
    """A part of an SQL statement is another one; blanks, line ends and comments do not count.

    Attributes:
        pattern: what stands there, once.
        by: what takes its place.
    """

    pattern: str
    by: str

    def plant(self, source: str, function: str, label: str) -> str:
        """See `Fault`."""
        assert not function, "an SQL file has no functions"
        tokens = [t for t in _TOKEN.finditer(source) if not t["blank"]]
        pattern = [t[0] for t in _TOKEN.finditer(self.pattern) if not t["blank"]]
        matches = []
        for first in range(len(tokens) - len(pattern) + 1):
            part = tokens[first : first + len(pattern)]
            letters = _match_tokens(pattern, [token[0] for token in part])
            if letters is not None:
                matches.append((part[0].start(), part[-1].end(), letters))
        if len(matches) != 1:
            raise NoFitError(
                f"{label}: looked for the only `{self.pattern}`, which is there {len(matches)} "
                f"times in: {' '.join(token[0] for token in tokens)}"
            )
        [(start, end, letters)] = matches
        by = re.sub(r"\b[A-Z]\b", lambda letter: letters.get(letter[0], letter[0]), self.by)
        return source[:start] + by + source[end:]


def functions_by_name(module: ast.Module) -> dict[str, Any]:
    """The functions of a module, those in classes and in functions too, by qualified name."""

    def visit(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, _SCOPES):
                if isinstance(child, _FUNCTIONS):
                    yield prefix + child.name, child
                yield from visit(child, f"{prefix}{child.name}.")
            elif not isinstance(child, ast.expr):
                yield from visit(child, prefix)

    return dict(visit(module, ""))


def files_with(folder: Path, function: str) -> list[Path]:
    """The modules below a folder that have a function of this qualified name."""
    return [
        path
        for path in sorted(folder.rglob("*.py"))
        if function in functions_by_name(ast.parse(path.read_text(encoding="utf-8")))
    ]


class _Filler(ast.NodeTransformer):
    """Puts what the letters stand for in their places."""

    def __init__(self, label: str, letters: Mapping[str, ast.expr]) -> None:
        self._label = label
        self._letters = letters

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace a letter."""
        if not _is_placeholder(node.id):
            return node
        if node.id not in self._letters:
            raise NoFitError(f"{self._label}: there is nothing that {node.id} stands for")
        return copy.deepcopy(self._letters[node.id])


def _parse_pattern(text: str) -> ast.AST:
    (statement,) = ast.parse(text).body
    return statement.value if isinstance(statement, ast.Expr) else statement


def _slots(root: ast.AST) -> Iterator[tuple[Slot, Slot]]:
    """Every node below, with the statement that it belongs to; of a module only its own."""

    def visit(parent: ast.AST, statement: Slot | None) -> Iterator[tuple[Slot, Slot]]:
        for field, value in ast.iter_fields(parent):
            for position, node in enumerate(value if isinstance(value, list) else [value]):
                if not isinstance(node, ast.AST):
                    continue
                if isinstance(root, ast.Module) and isinstance(node, _SCOPES):
                    continue
                slot = Slot(parent, field, position if isinstance(value, list) else None, node)
                home = slot if isinstance(node, ast.stmt) else statement
                if home is not None:
                    yield slot, home
                yield from visit(node, home)

    return visit(root, None)


def _fits(pattern: Any, node: Any, letters: dict[str, ast.expr]) -> bool:
    """Whether the pattern is this node; notes what its letters stand for."""
    if isinstance(pattern, ast.Name) and _LETTER.fullmatch(pattern.id):
        if not isinstance(node, ast.expr):
            return False
        return ast.unparse(letters.setdefault(pattern.id, node)) == ast.unparse(node)
    if isinstance(pattern, list):
        return (
            isinstance(node, list)
            and len(pattern) == len(node)
            and all(_fits(p, n, letters) for p, n in zip(pattern, node, strict=True))
        )
    if not isinstance(pattern, ast.AST):
        return type(pattern) is type(node) and bool(pattern == node)
    return type(pattern) is type(node) and all(
        _fits(value, getattr(node, field, None), letters)
        for field, value in ast.iter_fields(pattern)
        if field not in _NOT_COMPARED
    )


def _match_tokens(pattern: list[str], tokens: list[str]) -> dict[str, str] | None:
    """What the letters of an SQL pattern stand for; None if it does not fit."""
    letters: dict[str, str] = {}
    for expected, token in zip(pattern, tokens, strict=True):
        is_letter = _LETTER.fullmatch(expected) and re.fullmatch(r"\w+", token)
        if (letters.setdefault(expected, token) if is_letter else expected) != token:
            return None
    return letters


def _is_own_attribute(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def _is_placeholder(name: str) -> bool:
    return bool(_LETTER.fullmatch(name) or _PARAMETER.fullmatch(name))


def _position(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
