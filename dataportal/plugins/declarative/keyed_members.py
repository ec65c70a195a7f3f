"""Finds rows in JSON objects whose keys are times or names: `{"2024-10-27": {"USD": 1.08}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dataportal.plugins.http.response import Answer

LIST: Final = "[]"
"""Stands for a list among the names of keys."""


class KeyedMembers(NamedTuple):
    """The innermost members of objects in one another.

    Attributes:
        rows: these members.
        columns: of each of them, the keys that lead to it, by their names.
    """

    rows: list[Any]
    columns: Mapping[str, list[str]]


def keyed_members(document: Any, names: Sequence[str], place: str, answer: Answer) -> KeyedMembers:
    """What the keys lead to, in the order of the document.

    Args:
        document: the outermost object.
        names: of its keys, and of those of the objects in it; `LIST` for a list.
        place: of the outermost, for messages.
        answer: the answer.

    Raises:
        BadDataError: there is something else than an object, or than a list.
    """

    def members(part: Any, level: int, keys: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
        if level == len(names):
            yield (part, *keys)
            return
        if names[level] == LIST and isinstance(part, list):
            for item in part:
                yield from members(item, level + 1, keys)
        elif names[level] != LIST and isinstance(part, dict):
            for key, item in part.items():
                yield from members(item, level + 1, (*keys, key))
        else:
            where = "".join(f"{key!r} of " for key in reversed(keys))
            raise answer.bad(
                f"has no {'list' if names[level] == LIST else 'object'} at {where}{place!r}",
                hint=f"by names a key for each object on the way to a row, and {LIST} for a list",
            )

    found = [*members(document, 0, ())]
    named = [name for name in names if name != LIST]
    return KeyedMembers(
        [row for row, *_ in found],
        {name: [keys[position] for _, *keys in found] for position, name in enumerate(named)},
    )
