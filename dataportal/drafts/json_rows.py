"""Finds what may be rows in JSON: lists of objects, lists side by side, keys that are times.

More than 500 lines, as the shapes that rows may have in JSON are weighed against each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataportal.drafts.rows import Column, RowSet, style_of, words_of
from dataportal.drafts.time_columns import guess_times, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = re.compile(r"[\[\]{}|?@`()&*]")
_DEEPEST = 8
_MOST_PARTS = 300_000
_MOST_COLUMNS = 400
_FEWEST_KEYS = 3
_START_WORDS = {"start", "begin", "from", "first", "startpoint"}
_STEP_WORDS = {"step", "interval", "tick", "resolution", "period", "frequency", "increment"}

_Ancestors = tuple[dict[str, Any], ...]


@dataclass(slots=True)
class _Rows:
    """Rows found at one path, with the objects around each."""

    rows: list[Any]
    ancestors: list[_Ancestors]


def quote_key(name: str) -> str:
    """A key as a part of an expression."""
    if _NAME.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def json_row_sets(content: Any) -> list[RowSet]:
    """Readings of a document as rows, in the order in which they stand in it."""
    by_path: dict[str, _Rows] = {}
    sets: list[RowSet] = []
    budget = [_MOST_PARTS]
    _walk(content, "", (), by_path, budget, 0)
    for path, rows in by_path.items():
        row_set = _row_set(path, rows, content)
        if row_set is not None:
            sets.append(row_set)
    sets += _siblings(by_path)
    sets += _column_sets(content, "", 0)
    sets += _single_objects(content)
    return sets


def _siblings(by_path: Mapping[str, _Rows]) -> list[RowSet]:
    """Lists of rows of the same form under different keys of one object, each a series."""
    groups: dict[tuple[str, frozenset[Any]], list[str]] = {}
    for path, rows in by_path.items():
        first = rows.rows[0] if rows.rows else None
        if "[" in path or "." not in path:
            parent = "" if "[" not in path else None
        else:
            parent = path.rpartition(".")[0]
        if parent is None or not isinstance(first, dict | list):
            continue
        form = frozenset(first) if isinstance(first, dict) else frozenset({len(first)})
        groups.setdefault((parent, form), []).append(path)
    sets = []
    for paths in groups.values():
        if len(paths) < 2:  # noqa: PLR2004 - one is no group
            continue
        items = [row for path in paths for row in by_path[path].rows]
        is_of_objects = isinstance(items[0], dict)
        columns = _columns_of_objects(items) if is_of_objects else _columns_of_lists(items)
        names = [path for path in paths for _ in by_path[path].rows]
        columns.append(Column("rows", "rows", names))
        row_set = RowSet("Json", {}, columns, {})
        row_set.style = style_of(columns)
        sets.append(row_set)
    return sets


def _join(path: str, key: str) -> str:
    return f"{path}.{quote_key(key)}" if path else quote_key(key)


def _walk(  # noqa: C901, PLR0912 - a branch for each way
    value: Any,
    path: str,
    ancestors: _Ancestors,
    by_path: dict[str, _Rows],
    budget: list[int],
    depth: int,
) -> None:
    budget[0] -= 1
    if depth > _DEEPEST or budget[0] < 0:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list):
                _walk(item, _join(path, key), (value, *ancestors), by_path, budget, depth + 1)
        return
    if not isinstance(value, list) or not value:
        return
    kinds = {type(item) for item in value if item is not None}
    if kinds <= {dict}:
        _note(by_path, path, value, ancestors)
        inner = f"{path}[]"
        for item in value:
            if isinstance(item, dict):
                for key, part in item.items():
                    if isinstance(part, dict | list):
                        _walk(
                            part, _join(inner, key), (item, *ancestors), by_path, budget, depth + 1
                        )
    elif kinds <= {list}:
        # a list of rows that are lists; of one more level where the path crossed a list before
        if all(item and not isinstance(item[0], dict | list) for item in value if item):
            _note(by_path, path, value, ancestors)
        elif len(value) == 1:
            _walk(value[0], f"{path}[0]", ancestors, by_path, budget, depth + 1)
    else:
        # such as remarks and rows side by side
        for number, item in enumerate(value[:20]):
            if isinstance(item, dict | list):
                _walk(item, f"{path}[{number}]", ancestors, by_path, budget, depth + 1)


def _note(by_path: dict[str, _Rows], path: str, rows: list[Any], ancestors: _Ancestors) -> None:
    group = by_path.setdefault(path, _Rows([], []))
    group.rows += [row for row in rows if row is not None]
    group.ancestors += [ancestors] * sum(row is not None for row in rows)


def _row_set(path: str, objects: _Rows, content: Any) -> RowSet | None:
    rows = objects.rows
    if not rows:
        return None
    place = f"{path}[]" if "[]" in path else path
    if inner := _inner_object(rows):
        rows = [row[inner] for row in rows]
        place = f"{path}[].{quote_key(inner)}"
    columns = _columns_of_objects(rows) if isinstance(rows[0], dict) else _columns_of_lists(rows)
    if not columns or len(columns) > _MOST_COLUMNS:
        return None
    if isinstance(rows[0], list):
        _name_columns(columns, objects.ancestors[0] if objects.ancestors else ())
    columns += _parent_columns(objects.ancestors, {str(column.place) for column in columns})
    params = {"rows": place} if place else {}
    row_set = RowSet("Json", params, columns)
    row_set.unit = _unit_of(content)
    row_set.style = style_of(columns)
    return row_set


def _inner_object(rows: Sequence[Any]) -> str:
    """The key under which each row has all that differs from row to row; empty for none."""
    first = rows[0]
    if not isinstance(first, dict):
        return ""
    inner = [key for key, item in first.items() if isinstance(item, dict) and len(item) > 1]
    if len(inner) != 1 or not all(
        isinstance(r, dict) and isinstance(r.get(inner[0]), dict) for r in rows
    ):
        return ""
    others = [key for key in first if key != inner[0] and not isinstance(first[key], dict | list)]
    return "" if any(row.get(key) != first[key] for key in others for row in rows) else inner[0]


def _columns_of_objects(rows: Sequence[Any]) -> list[Column]:
    paths: dict[tuple[str, ...], None] = {}
    for row in rows[:2000]:
        if isinstance(row, dict):
            for path in _leaves(row, ()):
                paths.setdefault(path)
    columns = []
    for path in [*paths][:_MOST_COLUMNS]:
        cells = [_at(row, path) for row in rows]
        columns.append(Column(_place(path), ".".join(path), cells))
    return columns


def _place(path: tuple[str, ...]) -> str:
    if len(path) == 1:
        name = path[0]
        needs_quotes = _OPERATORS.search(name) or name.isdecimal() or not name
        return quote_key(name) if needs_quotes else name
    return ".".join(map(quote_key, path))


def _leaves(value: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for key, item in value.items():
        if isinstance(item, dict):
            if len(path) < 3:  # noqa: PLR2004 - rows are not deeper
                yield from _leaves(item, (*path, key))
        elif not isinstance(item, list):
            yield (*path, key)


def _at(row: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(row, dict):
            return None
        row = row.get(name)
    return None if isinstance(row, dict | list) else row


def _columns_of_lists(rows: Sequence[Any]) -> list[Column]:
    width = max((len(row) for row in rows if isinstance(row, list)), default=0)
    columns = []
    for index in range(min(width, _MOST_COLUMNS)):
        cells = [row[index] if isinstance(row, list) and index < len(row) else None for row in rows]
        if not any(isinstance(cell, dict | list) for cell in cells):
            columns.append(Column(index + 1, "", cells))
    return columns


def _name_columns(columns: Sequence[Column], ancestors: _Ancestors) -> None:
    """Give numbered columns the names that stand beside the rows: `columns`, `fields`, a header."""
    for ancestor in ancestors[:2]:
        for item in ancestor.values():
            names = [_name_of(element) for element in item] if isinstance(item, list) else []
            if len(names) >= len(columns) and all(names) and len(set(names)) == len(names):
                for column in columns:
                    assert isinstance(column.place, int)  # noqa: S101 - of lists
                    column.name = names[column.place - 1]
                return


def _name_of(item: Any) -> str:
    if isinstance(item, dict):
        for key in ("name", "id", "label", "title", "key", "code"):
            if isinstance(item.get(key), str):
                return str(item[key])
        return ""
    return item if isinstance(item, str) and not item[:1].isdigit() else ""


def _parent_columns(ancestors: Sequence[_Ancestors], taken: set[str]) -> list[Column]:
    """What stands in the objects around the rows."""
    paths: dict[tuple[str, ...], None] = {}
    seen: set[int] = set()
    for chain in ancestors:
        for ancestor in chain:
            if id(ancestor) not in seen and len(seen) < 2000:  # noqa: PLR2004 - so many differ no more
                seen.add(id(ancestor))
                for path in _leaves(ancestor, ()):
                    paths.setdefault(path)
    columns = []
    memo: dict[tuple[int, tuple[str, ...]], Any] = {}
    for path in [*paths][:60]:
        cells = []
        for chain in ancestors:
            key = (id(chain[0]) if chain else 0, path)
            if key not in memo:
                memo[key] = next(
                    (cell for ancestor in chain if (cell := _at(ancestor, path)) is not None), None
                )
            cells.append(memo[key])
        name = "_".join(words_of(".".join(path))) or "around"
        while name in taken or name in {"header", "cell"}:
            name = f"{name}_around"
        taken.add(name)
        columns.append(Column(name, ".".join(path), cells, {"parent": _parent_place(path)}))
    return columns


def _parent_place(path: tuple[str, ...]) -> str:
    return ".".join(map(quote_key, path))


def _unit_of(content: Any) -> str:
    """The unit of an answer that names one at its top."""
    for name in ("unit", "units", "uom"):
        if isinstance(content, dict) and isinstance(content.get(name), str):
            return str(content[name])
    return ""


def _column_sets(value: Any, path: str, depth: int) -> list[RowSet]:
    """Lists side by side, objects whose keys are times, lists of values with a start and a step."""
    if not isinstance(value, dict) or depth > _DEEPEST:
        return []
    sets = [
        row_set
        for row_set in (
            _side_by_side(value, path),
            _keyed_by_time(value, path),
            _stepped_rows(value, path),
        )
        if row_set is not None
    ]
    group = _keyed_siblings(value, path)
    if group is not None:
        sets.append(group)
    for key, item in value.items():
        sets += _column_sets(item, _join(path, key), depth + 1)
        if isinstance(item, list) and len(item) == 1:
            sets += _column_sets(item[0], f"{_join(path, key)}[0]", depth + 1)
    return sets


def _is_scalar_list(item: Any) -> bool:
    return (
        isinstance(item, list)
        and len(item) > 1
        and not any(isinstance(cell, dict | list) for cell in item)
    )


def _side_by_side(value: dict[str, Any], path: str) -> RowSet | None:
    """Lists of the same length, one of them of times."""
    lists = {key: item for key, item in value.items() if _is_scalar_list(item)}
    columns = []
    for key, item in lists.items():
        beside = Column(_place((key,)), key, item)
        columns.append(beside)
    if not any(column.times is not None for column in columns):
        return None
    length = max((len(column.cells) for column in columns if column.times is not None), default=0)
    columns = [column for column in columns if len(column.cells) == length]
    for key, item in value.items():
        columns += _lists_in(key, item, length)
    if len(columns) < 2:  # noqa: PLR2004 - a time and a value
        return None
    params: dict[str, Any] = {"layout": "columns"}
    if path:
        params["rows"] = path
    row_set = RowSet(
        "Json", params, columns, {"layout": "times and values stand in lists side by side"}
    )
    row_set.style = style_of(columns)
    return row_set


def _lists_in(key: str, item: Any, length: int) -> Iterator[Column]:
    """Lists of that length in a list of named objects, or in an object: a series each."""
    if isinstance(item, dict):
        yield from _lists_below(item, quote_key(key), length, 0)
    if not isinstance(item, list):
        return
    for number, element in enumerate(item):
        if not isinstance(element, dict):
            return
        name = _name_of(element)
        for inner_key, inner in element.items():
            if _is_scalar_list(inner) and len(inner) == length:
                naming = next(
                    (k for k in element if isinstance(element[k], str) and element[k] == name), ""
                )
                literal = name.replace("\\", "\\\\").replace("'", "\\'")
                chosen = f"[?{quote_key(naming)}=='{literal}']" if naming else f"[{number}]"
                place = f"{quote_key(key)}{chosen}.{quote_key(inner_key)}"
                place += " | [0]" if naming else ""
                yield Column(place, name or f"{key}-{number + 1}", inner)


def _lists_below(value: dict[str, Any], path: str, length: int, depth: int) -> Iterator[Column]:
    """Lists of that length in an object, or in the only object of a list in it."""
    for name, inner in value.items():
        place = f"{path}.{quote_key(name)}"
        if _is_scalar_list(inner) and len(inner) == length:
            yield Column(place, name, inner)
            continue
        if isinstance(inner, list) and len(inner) == 1:
            inner, place = inner[0], f"{place}[0]"  # noqa: PLW2901 - the only one stands for the list
        if isinstance(inner, dict) and depth < 2:  # noqa: PLR2004 - they stand near
            yield from _lists_below(inner, place, length, depth + 1)


def _keyed_by_time(value: dict[str, Any], path: str) -> RowSet | None:
    """An object whose keys are times, with a number, an object or a list under each."""
    if len(value) < _FEWEST_KEYS:
        return None
    keys = [*value]
    guess = guess_times(keys, named_so=True)
    if guess is None or guess.strays:
        return None
    members = _member_columns([*value.values()], path)
    if not members:
        return None
    name = "time" if all(column.place != "time" for column in members) else "key"
    columns = [Column(name, "time", keys), *members]
    params = {"rows": path, "by": name} if path else {"by": name}
    row_set = RowSet("Json", params, columns, {"by": "the keys of this object are times"})
    row_set.style = style_of(columns)
    return row_set


def _member_columns(items: list[Any], path: str) -> list[Column]:
    """What the members of an object have in common: themselves, or parts of them."""
    if not any(isinstance(item, dict | list) for item in items):
        return [Column("@", path.rpartition(".")[2].strip('"'), items)]
    if all(isinstance(item, dict) for item in items):
        names = dict.fromkeys(leaf for item in items for leaf in _leaves(item, ()))
        return [
            Column(".".join(map(quote_key, leaf)), ".".join(leaf), [_at(i, leaf) for i in items])
            for leaf in names
        ]
    if not all(isinstance(item, list) and item for item in items):
        return []
    columns = []
    for number in range(min(map(len, items))):
        cells = [item[number] for item in items]
        if not any(isinstance(cell, dict | list) for cell in cells):
            columns.append(Column(number + 1, "", cells))
    return columns


def _keyed_siblings(value: dict[str, Any], path: str) -> RowSet | None:
    """Several objects whose keys are times, side by side: each is a series with rows of its own."""
    times: list[Any] = []
    values: list[Any] = []
    names: list[str] = []
    for key, item in value.items():
        if not isinstance(item, dict) or len(item) < _FEWEST_KEYS:
            continue
        if any(isinstance(inner, dict | list) for inner in item.values()):
            continue
        guess = guess_times([*item], named_so=True)
        if guess is None or guess.strays:
            continue
        times += item
        values += item.values()
        names += [_join(path, key)] * len(item)
    if len(set(names)) < 2:  # noqa: PLR2004 - one is no group
        return None
    columns = [Column("keys(@)", "time", times), Column("values(@)", "values", values)]
    columns.append(Column("rows", "rows", names))
    note = "the keys of these objects are times"
    row_set = RowSet("Json", {"layout": "columns"}, columns, {"layout": note})
    row_set.style = style_of(columns)
    return row_set


def _stepped_rows(value: dict[str, Any], path: str) -> RowSet | None:
    """A list of numbers, and beside it when the first is of and how far apart they are."""
    lists = [key for key, item in value.items() if _is_scalar_list(item)]
    numbers = [key for key in lists if all(isinstance(c, int | float | None) for c in value[key])]
    if not numbers:
        return None
    start = step = ""
    for key, item in value.items():
        words = set(words_of(key))
        if isinstance(item, dict | list | bool) or item is None:
            continue
        if not start and words & _START_WORDS and guess_times([item], named_so=True):
            start = key
        elif not step and words & _STEP_WORDS and _is_length(item):
            step = key
    if not (start and step):
        return None
    guess = guess_times([value[start]], named_so=True)
    assert guess is not None  # noqa: S101 - it was looked at
    key = max(numbers, key=lambda name: len(value[name]))
    ts = guess.times[0]
    times = _stepped_times(ts, value[step], len(value[key]), guess.pattern)
    if times is None:
        return None
    params: dict[str, Any] = {
        "rows": _join(path, key),
        "start": _join(path, start),
        "step": _join(path, step),
    }
    if guess.pattern:
        params["time_format"] = guess.pattern
    columns = [Column("start + step", "time", times), Column("@", key, value[key])]
    note = "the values have no times: they follow from a start and a step"
    return RowSet("Json", params, columns, {"start": note})


def _is_length(item: Any) -> bool:
    from dataportal.granularity import interval_length

    if isinstance(item, int | float):
        return 0 < item < 1e12  # noqa: PLR2004 - milliseconds of a lifetime
    return interval_length(text_of(item)) is not None


def _stepped_times(start: Any, step: Any, count: int, pattern: str) -> list[Any] | None:
    from datetime import timedelta

    from dataportal.granularity import interval_length

    if isinstance(step, int | float):
        unit = timedelta(milliseconds=1) if pattern == "unix_ms" else timedelta(seconds=1)
        length = step * unit
        return [start + number * length for number in range(count)]
    length_of = interval_length(text_of(step))
    if length_of is None or length_of.months:
        return None
    return [
        start + number * (length_of.rest + timedelta(days=length_of.days))
        for number in range(count)
    ]


def _single_objects(content: Any) -> list[RowSet]:
    """The document itself, or an object in it, as the only row."""
    sets = []
    options: list[tuple[str, Any]] = [("[@]", content)]
    if isinstance(content, dict):
        options += [(f"[{quote_key(k)}]", v) for k, v in content.items() if isinstance(v, dict)]
    for place, item in options:
        if isinstance(item, dict):
            columns = _columns_of_objects([item])
            if len(columns) > 1:
                sets.append(RowSet("Json", {"rows": place}, columns))
                sets[-1].style = style_of(columns)
    return sets
