"""Takes files of an archive that have the same table as one, and names them by a pattern."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from dataportal.drafts.rows import Column, RowSet
from dataportal.drafts.text_tables import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.plugins.readers.archives import ArchiveFile

    Members = Sequence[tuple[ArchiveFile, list[RowSet]]]


def same_tables(read: Members) -> Members:
    """The files whose columns are called alike: of several kinds the one with the most cells."""
    groups: dict[tuple[Any, ...], list[tuple[ArchiveFile, list[RowSet]]]] = {}
    for file, sets in read:
        key = tuple(column.name for column in sets[0].columns)
        groups.setdefault(key, []).append((file, sets))
    return max(
        groups.values(),
        key=lambda group: sum(s[0].count * len(s[0].columns) for _, s in group),
    )


def merge_members(group: Members, files: Sequence[ArchiveFile]) -> list[RowSet]:
    """The rows of all files: `member` names them beside others, a field says what names say."""
    first = group[0][1][0]
    names = [file.name for file, _ in group]
    columns = []
    for index, column in enumerate(first.columns):
        cells: list[Any] = []
        for _, sets in group:
            cells += sets[0].columns[index].cells
        columns.append(Column(column.place, column.name, cells, column.beside))
    counts = [sets[0].count for _, sets in group]
    notes = dict(first.notes)
    params = dict(first.params)
    others = [file.name for file in files if file.name not in names]
    if others:
        params["member"] = _pattern(names, others)
        notes["member"] = f"the archive has {len(others)} more files, such as {others[0]}"
    word = _varying_word(names)
    if word is not None:
        pattern, words = word
        cells = [text for text, count in zip(words, counts, strict=True) for _ in range(count)]
        columns.append(Column("file", "file", cells, {"file": pattern}))
    merged = RowSet(first.kind, params, columns, notes, before=first.before)
    merged.style, merged.zone, merged.unit = first.style, first.zone, first.unit
    return [merged] if len(group) > 1 or others else group[0][1]


def _pattern(names: Sequence[str], others: Sequence[str]) -> str | list[str]:
    """Names with `*` for what changes from file to file, or `?` where that fits others too."""
    patterns = dict.fromkeys(re.sub(r"\d+", "*", name.rpartition("/")[2]) for name in names)
    patterns = dict.fromkeys(re.sub(r"\*(?:[-_.]?\*)+", "*", pattern) for pattern in patterns)
    if any(
        fnmatchcase(name.rpartition("/")[2], pattern) for name in others for pattern in patterns
    ):
        patterns = dict.fromkeys(re.sub(r"\d", "?", name.rpartition("/")[2]) for name in names)
    return next(iter(patterns)) if len(patterns) == 1 else [*patterns]


def _varying_word(names: Sequence[str]) -> tuple[str, list[str]] | None:
    """A word by which names differ beside their numbers, and what takes it out of a name."""
    masks = [re.sub(r"\d+", "0", name.rpartition("/")[2]) for name in names]
    if len(set(masks)) < 2:  # noqa: PLR2004 - all are of one kind
        return None
    start = _common(masks)
    end = _common([mask[::-1] for mask in masks])[::-1]
    # not through the middle of words
    start = re.sub(r"[^\W_]+$", "", start)
    end = re.sub(r"^[^\W_]+", "", end)
    words = [mask[len(start) : len(mask) - len(end)] for mask in masks]
    if not all(words) or any("0" in word for word in words):
        return None
    before = escape(start).replace("0", r"\d+")
    behind = escape(end).replace("0", r"\d+")
    return f"{before}(.+){behind}$", words


def _common(texts: Sequence[str]) -> str:
    shortest = min(texts, key=len)
    for length in range(len(shortest), 0, -1):
        if all(text.startswith(shortest[:length]) for text in texts):
            return shortest[:length]
    return ""
