"""Distributes the tables of observations over the machines of a Citus cluster, each series on one.

The rest stays on the coordinator, which plans every statement and holds the advisory locks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dataportal.errors import UnsuitableServerError
from dataportal.failpoints import failpoint
from dataportal.store.connection import database_errors
from dataportal.store.migrations import schema_lock
from dataportal.store.queries import is_distributed, mark_distributed, query
from dataportal.store.rows import record_row

if TYPE_CHECKING:
    import psycopg


class Node(NamedTuple):
    """A server of the cluster.

    Attributes:
        host: as the coordinator calls it.
        port: where it listens.
        is_coordinator: whether it plans; the others have the data.
        has_shards: whether it has a part of the data.
        is_active: whether the coordinator uses it.
    """

    host: str
    port: int
    is_coordinator: bool
    has_shards: bool
    is_active: bool


class _Engine(NamedTuple):
    """What a database can do with tables.

    Attributes:
        citus: the version of the extension; None where there is none.
        has_timescaledb: whether the tables are hypertables.
    """

    citus: str | None
    has_timescaledb: bool


def distribute(connection: psycopg.Connection) -> bool:
    """Distribute the tables by series, with all that they hold; False if they are so already.

    One transaction: all of it, or nothing. Other sessions wait meanwhile.

    Args:
        connection: to the coordinator, with a schema that is up to date.

    Raises:
        UnsuitableServerError: Citus is not in this database, or the tables are hypertables.
        DatabaseError: the role may not, or the server refused or went away.
    """
    with schema_lock(connection):
        with database_errors("asking for the engine"):
            cursor = connection.cursor(row_factory=record_row(_Engine))
            engine = cursor.execute(query("distribute_engine")).fetchone()
        if is_distributed(connection):
            return False
        if engine is not None and engine.has_timescaledb:
            raise UnsuitableServerError(
                "the tables are hypertables of TimescaleDB, which Citus does not distribute",
                hint="Dump the series, and restore them into a database without TimescaleDB",
            )
        if engine is None or engine.citus is None:
            raise UnsuitableServerError(
                "Citus is not in this database: nothing is distributed",
                hint="On each node: CREATE EXTENSION citus; then name the nodes to the coordinator "
                "with citus_add_node",
            )
        with database_errors("distributing the tables"), connection.transaction():
            # of all that is stored
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute(query("distribute_tables"))
            connection.execute(query("distribute_functions"))
            failpoint("distribute_before_commit")
        mark_distributed(connection)
    return True


def nodes(connection: psycopg.Connection) -> list[Node]:
    """The servers over which the tables are distributed, the coordinator first; else none."""
    if not is_distributed(connection):
        return []
    with database_errors("asking for the nodes"):
        cursor = connection.cursor(row_factory=record_row(Node))
        return cursor.execute(query("distribute_nodes")).fetchall()
