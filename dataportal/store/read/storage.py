"""How much room the tables take, which share of it is compressed, and what upkeep would gain."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dataportal.store.connection import database_errors
from dataportal.store.distribution import NOT_DISTRIBUTED, read_distribution
from dataportal.store.queries import query, query_for
from dataportal.store.rows import record_row
from dataportal.store.upkeep.columnstore import SEGMENTED_TABLES, read_columnstore, read_edition
from dataportal.store.upkeep.plan import Chunk, Relation, foreign_owners, plan_upkeep
from dataportal.times import utc_now

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

    from dataportal.store.distribution import Distribution
    from dataportal.store.upkeep.columnstore import ColumnstoreState
    from dataportal.store.upkeep.plan import Action

_TABLES = (
    *SEGMENTED_TABLES,
    *("time_series", "time_series_resolution", "time_series_issue"),
    *("fetch_run", "source_state", "request_slot", "verification"),
)


@dataclass(frozen=True, slots=True)
class TableStorage:
    """The room that one table takes.

    Attributes:
        table: its name.
        bytes: what it takes on the disk, with its indexes.
        chunks: how many chunks it has; None for one that has none.
        compressed_chunks: how many of them are compressed.
        rows_bytes: what it would take as rows, with their indexes.
        compressed_rows_bytes: how much of that is compressed.
    """

    table: str
    bytes: int
    chunks: int | None
    compressed_chunks: int
    rows_bytes: int
    compressed_rows_bytes: int

    @property
    def compressed_share(self) -> float:
        """How much of what the rows took, or take, is compressed, from 0 to 1."""
        return self.compressed_rows_bytes / self.rows_bytes if self.rows_bytes else 0.0


@dataclass(frozen=True, slots=True)
class Storage:
    """The room that all tables take, and the upkeep that is due.

    Attributes:
        tables: each of them.
        columnstore: how those of observations are compressed.
        actions: what `dataportal maintain` would do.
        distribution: how the tables lie on the servers of a cluster, if they do.
        owners: the roles that own any of the tables, of those that this one may not act for.
    """

    tables: tuple[TableStorage, ...]
    columnstore: ColumnstoreState
    actions: tuple[Action, ...]
    distribution: Distribution = NOT_DISTRIBUTED
    owners: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """What all tables take together."""
        return sum(table.bytes for table in self.tables)

    @property
    def gain(self) -> int:
        """How many bytes upkeep would free, as estimated."""
        return sum(action.gain for action in self.actions)

    @property
    def compressed_share(self) -> float:
        """How much of what the rows of observations took, or take, is compressed, from 0 to 1."""
        parts = [table for table in self.tables if table.table in SEGMENTED_TABLES]
        total = sum(table.rows_bytes for table in parts)
        return sum(table.compressed_rows_bytes for table in parts) / total if total else 0.0


class _ChunkRow(NamedTuple):
    """A chunk as the extension knows it."""

    table: str
    relation: int
    range_start: datetime
    range_end: datetime
    is_compressed: bool
    compressed_bytes: int | None
    rows_bytes: int | None


class _RelationRow(NamedTuple):
    """A table or chunk as PostgreSQL knows it."""

    relation: int
    name: str
    is_owned: bool
    owner: str
    heap_bytes: int
    index_bytes: int
    tuples: int
    live: int
    dead: int
    modified: int
    fresh_index_bytes: int
    left_over: list[str]


def read_storage(connection: psycopg.Connection, *, with_runs: bool = False) -> Storage:
    """The room that the tables take, and the upkeep that is due.

    Args:
        connection: one that reads.
        with_runs: whether to count the runs that may be forgotten, which of many takes a while and
            says nothing of room.

    Raises:
        DatabaseError: the database cannot be asked.
    """
    with database_errors("asking how much room the tables take"):
        columnstore = read_columnstore(connection)
        statement = query_for(connection, "storage_tables")
        tables = connection.execute(statement, {"tables": [*_TABLES]}).fetchall()
        chunks = _read_chunks(connection)
        ids = [oid for _, oid, _ in tables] + [row.relation for row in chunks]
        facts = _read_relations(connection, ids)
        forgettable = 0
        if with_runs:
            (forgettable,) = connection.execute(query("maintain_forgettable")).fetchone() or (0,)
        merges = False
        if chunks:
            (merges,) = connection.execute(query("chunk_mergeable")).fetchone() or (False,)
    by_table = defaultdict(list)
    for row in chunks:
        # one that was dropped meanwhile
        if row.relation in facts:
            by_table[row.table].append(row)
    relations = []
    storages = []
    for table, oid, total in tables:
        own = by_table[table]
        if own:
            relations += [_relation(table, facts[row.relation], row) for row in own]
        elif oid in facts:
            relations.append(_relation(table, facts[oid], None))
        storages.append(_table_storage(table, total, own, facts))
    actions = plan_upkeep(
        relations,
        after=columnstore.after,
        forgettable=forgettable,
        now=utc_now(),
        merges=merges,
    )
    return Storage(
        tuple(storages),
        columnstore,
        tuple(actions),
        read_distribution(connection),
        tuple(foreign_owners(relations)),
    )


def _read_chunks(connection: psycopg.Connection) -> list[_ChunkRow]:
    edition = read_edition(connection)
    if edition is None:
        return []
    with connection.transaction():
        connection.execute(query("columnstore_home"), {"home": edition.home})
        cursor = connection.cursor(row_factory=record_row(_ChunkRow))
        return cursor.execute(query("storage_chunks"), {"tables": [*SEGMENTED_TABLES]}).fetchall()


def _read_relations(connection: psycopg.Connection, ids: list[int]) -> dict[int, _RelationRow]:
    cursor = connection.cursor(row_factory=record_row(_RelationRow))
    rows = cursor.execute(query_for(connection, "storage_relations"), {"relations": ids})
    return {row.relation: row for row in rows}


def _relation(table: str, facts: _RelationRow, chunk: _ChunkRow | None) -> Relation:
    return Relation(
        table=table,
        name=facts.name,
        owner=None if facts.is_owned else facts.owner,
        heap_bytes=facts.heap_bytes,
        index_bytes=facts.index_bytes,
        fresh_index_bytes=facts.fresh_index_bytes,
        tuples=facts.tuples,
        live=facts.live,
        dead=facts.dead,
        modified=facts.modified,
        left_over=tuple(facts.left_over),
        chunk=None
        if chunk is None
        else Chunk(
            chunk.range_start,
            chunk.range_end,
            is_compressed=chunk.is_compressed,
            compressed_bytes=chunk.compressed_bytes or 0,
            rows_bytes=chunk.rows_bytes or 0,
        ),
    )


def _table_storage(
    table: str, total: int, chunks: list[_ChunkRow], facts: dict[int, _RelationRow]
) -> TableStorage:
    size, rows_bytes, compressed_rows_bytes = total, total, 0
    for chunk in chunks:
        own = facts[chunk.relation].heap_bytes + facts[chunk.relation].index_bytes
        compressed = chunk.rows_bytes or 0 if chunk.is_compressed else 0
        compressed_rows_bytes += compressed
        # what a compressed chunk has besides is rows again, or room that they left
        rows_bytes += own + compressed
        size += own + (chunk.compressed_bytes or 0)
    return TableStorage(
        table,
        size,
        chunks=len(chunks) or None,
        compressed_chunks=sum(chunk.is_compressed for chunk in chunks),
        rows_bytes=rows_bytes,
        compressed_rows_bytes=compressed_rows_bytes,
    )
