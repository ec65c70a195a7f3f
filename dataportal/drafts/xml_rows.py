"""Finds what may be rows in XML: elements that come again, with what stands around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataportal.drafts.rows import Column, RowSet, style_of, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

_MOST_COLUMNS = 200


def xml_row_sets(root: Element) -> list[RowSet]:
    """Readings of a document as rows, the innermost elements first."""
    by_path: dict[tuple[str, ...], list[tuple[Element, tuple[Element, ...]]]] = {}
    _walk(root, (), (), by_path)
    tags: dict[str, int] = {}
    for path in by_path:
        tags[path[-1]] = tags.get(path[-1], 0) + 1
    sets = []
    for path, elements in sorted(by_path.items(), key=lambda item: -len(item[0])):
        if len(path) < 2:  # noqa: PLR2004 - the document itself
            continue
        place = f".//{path[-1]}" if tags[path[-1]] == 1 else "/".join(("", *path))
        row_set = _row_set(place, elements)
        if row_set is not None:
            sets.append(row_set)
    return sets


def _walk(
    element: Element,
    path: tuple[str, ...],
    ancestors: tuple[Element, ...],
    by_path: dict[tuple[str, ...], list[tuple[Element, tuple[Element, ...]]]],
) -> None:
    own = (*path, _tag(element))
    by_path.setdefault(own, []).append((element, ancestors))
    for child in element:
        _walk(child, own, (element, *ancestors), by_path)


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _row_set(place: str, elements: list[tuple[Element, tuple[Element, ...]]]) -> RowSet | None:
    rows = [element for element, _ in elements]
    paths: dict[str, None] = {}
    for row in rows[:500]:
        for path in _fields(row, ""):
            paths.setdefault(path)
    if not paths or len(paths) > _MOST_COLUMNS:
        return None
    columns = [
        Column(
            path, path.replace("@", "").strip("./") or _tag(rows[0]), [_text(r, path) for r in rows]
        )
        for path in paths
    ]
    columns += _parent_columns([ancestors for _, ancestors in elements], {*paths, _tag(rows[0])})
    row_set = RowSet("Xml", {"rows": place}, columns)
    row_set.style = style_of(columns)
    return row_set


def _fields(element: Element, before: str, depth: int = 0) -> Iterator[str]:
    """Paths to the texts and attributes of a row; `.` for its own text."""
    if not before and (element.text or "").strip():
        yield "."
    for name in element.attrib:
        yield f"{before}@{_plain(name)}"
    if depth > 2:  # noqa: PLR2004 - rows are not deeper
        return
    tags = [_tag(child) for child in element]
    for child, tag in zip(element, tags, strict=True):
        if tags.count(tag) > 1:
            continue  # a row has one of each
        if (child.text or "").strip() or not len(child):
            yield f"{before}{tag}"
        yield from _fields(child, f"{before}{tag}/", depth + 1)


def _plain(name: str) -> str:
    return name.rpartition("}")[2]


def _text(element: Element, path: str) -> Any:
    if path == ".":
        return (element.text or "").strip()
    *steps, last = path.split("/")
    for step in steps:
        inner = _child(element, step)
        if inner is None:
            return None
        element = inner
    if last.startswith("@"):
        return next((v for k, v in element.attrib.items() if _plain(k) == last[1:]), None)
    child = _child(element, last)
    return None if child is None else (child.text or "").strip()


def _child(element: Element, tag: str) -> Element | None:
    return next((c for c in element if _tag(c) == tag), None)


def _is_leaf(element: Element) -> bool:
    """Whether it has a text, and no other elements."""
    return not len(element) and bool((element.text or "").strip())


def _parent_columns(ancestors: list[tuple[Element, ...]], taken: set[str]) -> list[Column]:  # noqa: C901 - a loop for each level
    """Attributes and leaf texts of the elements around the rows."""
    paths: dict[str, None] = {}
    seen: set[int] = set()
    for chain in ancestors:
        for ancestor in chain:
            if id(ancestor) not in seen:
                seen.add(id(ancestor))
                for name in ancestor.attrib:
                    paths.setdefault(f"@{_plain(name)}")
                for child in ancestor:
                    if _is_leaf(child):
                        paths.setdefault(_tag(child))
                    for leaf in filter(_is_leaf, child):
                        paths.setdefault(f"{_tag(child)}/{_tag(leaf)}")
    columns = []
    for path in [path for path in paths if path.partition("/")[0] not in taken][:60]:
        memo: dict[int, Any] = {}
        cells = []
        for chain in ancestors:
            key = id(chain[0]) if chain else 0
            if key not in memo:
                memo[key] = next(
                    (text for element in chain if (text := _text(element, path)) not in (None, "")),
                    None,
                )
            cells.append(memo[key])
        name = "_".join(words_of(path)) or "around"
        while name in taken:
            name = f"{name}_around"
        taken.add(name)
        columns.append(Column(name, path.replace("@", ""), cells, {"parent": path}))
    return columns
