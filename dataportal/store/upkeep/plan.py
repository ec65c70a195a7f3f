"""Plans what upkeep is worth its while: pure, over facts about tables and chunks.

Every threshold stands here. What is small is left alone: a gain that nobody sees is not worth a
lock. Sizes that are to be gained are estimates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from dataportal.times import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

_COMPRESSED = 0.1
"""What rows take in the columnstore, of what they took before: hourly figures, as measured."""
_MEGABYTE = 1_000_000
_OPENED = 0.1
"""Rows again, of what is compressed in a chunk: from there on it is compressed anew."""
_DEAD, _FEWEST_DEAD = 0.05, 1_000
_MODIFIED, _FEWEST_MODIFIED = 0.1, 1_000
_BLOATED = 1.5
"""An index that is filled in no order is 1.3 times as large as one that is made anew."""


_CENTURY, _DECADE = timedelta(days=36_500), timedelta(days=3_650)
"""What a chunk is to cover of what is old: sql/README.md says why."""
_MERGED_BYTES = 200 * _MEGABYTE
"""Of chunks that become one: more would hold up those who read and write for long."""
_CHUNK_BYTES = 48_000
"""What a chunk takes that holds next to nothing."""


class Work(StrEnum):
    """A kind of upkeep, in the order in which they are done."""

    FORGET = "forget"
    MERGE = "merge"
    COMPRESS = "compress"
    RECOMPRESS = "recompress"
    VACUUM = "vacuum"
    REINDEX = "reindex"
    ANALYZE = "analyze"


@dataclass(frozen=True, slots=True)
class Chunk:
    """What the extension knows of a chunk.

    Attributes:
        start: its first ts.
        end: the first ts after it.
        is_compressed: whether it is, apart from what was written to it since.
        compressed_bytes: what its compressed part takes.
        rows_bytes: what that took as rows.
    """

    start: datetime
    end: datetime
    is_compressed: bool = False
    compressed_bytes: int = 0
    rows_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Relation:
    """A table without chunks, or a chunk.

    Attributes:
        table: the table that it is, or is part of.
        name: its own, qualified and quoted.
        owner: who owns it, if this role may not act for them.
        heap_bytes: what its rows take.
        index_bytes: what its indexes take.
        fresh_index_bytes: what they would take were they made anew.
        tuples: its rows when it was last looked at; -1 for never.
        live: its rows, as counted since.
        dead: rows that nobody sees any more.
        modified: rows that were written since it was last analyzed.
        left_over: indexes that a REINDEX made and did not finish.
        chunk: None for a table without chunks.
    """

    table: str
    name: str
    owner: str | None = None
    heap_bytes: int = 0
    index_bytes: int = 0
    fresh_index_bytes: int = 0
    tuples: int = -1
    live: int = 0
    dead: int = 0
    modified: int = 0
    left_over: tuple[str, ...] = ()
    chunk: Chunk | None = None

    @property
    def bytes(self) -> int:
        """What it takes, but for its compressed part."""
        return self.heap_bytes + self.index_bytes


@dataclass(frozen=True, slots=True)
class Action:
    """One piece of upkeep.

    Attributes:
        work: its kind.
        table: the table that it is for.
        relation: the chunk or table that it is done to.
        reason: why, in a few words.
        bytes: what that takes now.
        gain: how many of them it frees, as estimated.
        owner: who owns it, if this role may not act for them.
        start: the first ts of a chunk.
        end: the first ts after it.
        chunks: all chunks that become one.
    """

    work: Work
    table: str
    relation: str
    reason: str
    bytes: int
    gain: int = 0
    owner: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    chunks: tuple[str, ...] = ()


def plan_upkeep(
    relations: Sequence[Relation],
    *,
    after: timedelta | None,
    forgettable: int,
    now: datetime,
    merges: bool = False,
) -> list[Action]:
    """What is worth doing, in the order in which to do it: of a kind what gains most comes first.

    Args:
        relations: all tables without chunks, and all chunks.
        after: how old all in a chunk is before it is compressed; None for never.
        forgettable: how many runs may be forgotten.
        now: the time.
        merges: whether the server can make one chunk of several.
    """
    actions = [*_merge_actions(relations, now=now)] if merges else []
    # what becomes of them is looked at the next time
    merged = {name for action in actions for name in action.chunks}
    actions += [
        action
        for relation in relations
        if relation.name not in merged
        for action in _relation_actions(relation, after=after, now=now)
    ]
    if forgettable:
        owners = [r.owner for r in relations if r.table == "fetch_run"]
        size = sum(r.bytes for r in relations if r.table == "fetch_run")
        reason = f"{forgettable:,} runs older than 90 days wrote nothing"
        owner = next(iter(owners), None)
        actions.append(Action(Work.FORGET, "fetch_run", "fetch_run", reason, size, owner=owner))
    order = [*Work]
    return sorted(actions, key=lambda a: (order.index(a.work), -a.gain, a.relation))


def _merge_actions(relations: Sequence[Relation], *, now: datetime) -> Iterator[Action]:
    """Chunks that lie side by side in what one chunk would cover were it made now."""
    old = [
        (relation.table, chunk.start, block, relation)
        for relation in relations
        if (chunk := relation.chunk) and not chunk.is_compressed and (block := _block(chunk, now))
    ]
    group: list[Relation] = []
    last: tuple[object, ...] = ()
    for table, start, block, relation in sorted(old, key=lambda row: row[:2]):
        is_next = bool(group) and last == (table, block, start)
        if not is_next or sum(r.bytes for r in group) + relation.bytes > _MERGED_BYTES:
            yield from _merge_action(group)
            group = []
        group.append(relation)
        last = (table, block, relation.chunk.end if relation.chunk else None)
    yield from _merge_action(group)


def _merge_action(group: Sequence[Relation]) -> Iterator[Action]:
    if len(group) < 2:  # noqa: PLR2004 - one alone stays as it is
        return
    first, last = group[0], group[-1]
    yield Action(
        Work.MERGE,
        first.table,
        first.name,
        f"{len(group)} chunks of what is old make one",
        sum(relation.bytes for relation in group),
        (len(group) - 1) * _CHUNK_BYTES,
        owner=first.owner,
        start=first.chunk.start if first.chunk else None,
        end=last.chunk.end if last.chunk else None,
        chunks=tuple(relation.name for relation in group),
    )


def _block(chunk: Chunk, now: datetime) -> tuple[timedelta, int] | None:
    """The century or the ten years that a chunk is a part of; None if it is not so old."""
    width = _CENTURY if chunk.end <= EPOCH else _DECADE
    number = (chunk.start - EPOCH) // width
    is_part = (chunk.end - EPOCH - timedelta.resolution) // width == number
    is_old = chunk.end <= now - _DECADE
    return (width, number) if is_part and is_old else None


def _relation_actions(
    relation: Relation, *, after: timedelta | None, now: datetime
) -> Iterator[Action]:
    chunk = relation.chunk
    if chunk is not None and chunk.is_compressed:
        yield from _compressed_actions(relation, chunk, after=after, now=now)
        return
    if chunk is not None and _is_old(chunk, after, now):
        gain = int(relation.bytes * (1 - _COMPRESSED))
        yield _action(Work.COMPRESS, relation, "all in it is old enough", gain)
        return
    yield from _row_actions(relation)


def _compressed_actions(
    relation: Relation, chunk: Chunk, *, after: timedelta | None, now: datetime
) -> Iterator[Action]:
    """Of a compressed chunk the rows are those that were written to it since, or what they left."""
    limit = max(_MEGABYTE, _OPENED * chunk.compressed_bytes)
    if relation.bytes >= limit and _is_old(chunk, after, now):
        gain = int(relation.bytes * (1 - _COMPRESSED))
        yield _action(Work.RECOMPRESS, relation, "rows were written to it since", gain)


def _row_actions(relation: Relation) -> Iterator[Action]:
    rows = max(relation.live, 0)
    if relation.dead >= max(_FEWEST_DEAD, _DEAD * (rows + relation.dead)):
        yield _action(Work.VACUUM, relation, f"{relation.dead:,} rows are dead")
    is_modified = relation.modified >= max(_FEWEST_MODIFIED, _MODIFIED * rows)
    excess = relation.index_bytes - relation.fresh_index_bytes
    is_bloated = (
        relation.tuples >= 0
        # what has changed since is not counted in what it should be
        and not is_modified
        and excess >= _MEGABYTE
        and relation.index_bytes > _BLOATED * relation.fresh_index_bytes
    )
    if is_bloated:
        yield _action(Work.REINDEX, relation, "its indexes are larger than need be", excess)
    elif relation.left_over:
        reason = "an index was left behind, unfinished"
        yield _action(Work.REINDEX, relation, reason)
    if is_modified:
        yield _action(
            Work.ANALYZE, relation, f"{relation.modified:,} rows were written since the last time"
        )


def _action(work: Work, relation: Relation, reason: str, gain: int = 0) -> Action:
    chunk = relation.chunk
    return Action(
        work,
        relation.table,
        relation.name,
        reason,
        relation.bytes,
        gain,
        owner=relation.owner,
        start=None if chunk is None else chunk.start,
        end=None if chunk is None else chunk.end,
    )


def _is_old(chunk: Chunk, after: timedelta | None, now: datetime) -> bool:
    # an AFTER may reach back further than there are dates
    return after is not None and now - chunk.end >= after


def foreign_owners(relations: Iterable[Relation | Action]) -> list[str]:
    """The roles whose tables, or whose upkeep, this role may not act for."""
    return sorted({relation.owner for relation in relations if relation.owner is not None})
