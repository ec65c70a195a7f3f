"""Distributes the tables of observations over the machines of a Citus cluster.

Each series lies on one machine, or all of a portal does. The rest stays on the coordinator, which
plans every statement and holds the advisory locks.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from dataportal.errors import SchemaError, UnsuitableServerError
from dataportal.failpoints import failpoint
from dataportal.store.connection import database_errors
from dataportal.store.migrations import schema_lock
from dataportal.store.queries import is_distributed, mark_distributed, query
from dataportal.store.rows import record_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg


class Unit(StrEnum):
    """What lies on one machine as a whole."""

    SERIES = "series"
    PORTAL = "portal"


class Node(NamedTuple):
    """A server of the cluster.

    Attributes:
        host: as the coordinator calls it.
        port: where it listens.
        is_coordinator: whether it plans; the others have the data.
        has_shards: whether it has a part of this portal's data.
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


class Distribution(NamedTuple):
    """How the tables of a portal lie.

    Attributes:
        unit: what lies on one machine as a whole; None where all tables do.
        nodes: the servers of the cluster, the coordinator first; none where there is no cluster.
    """

    unit: Unit | None
    nodes: Sequence[Node]


NOT_DISTRIBUTED = Distribution(None, ())


def distribute(connection: psycopg.Connection, unit: Unit) -> bool:
    """Distribute the tables, with all that they hold; False if they are so already.

    One transaction: all of it, or nothing. Other sessions wait meanwhile.

    Args:
        connection: to the coordinator, with a schema that is up to date.
        unit: what shall lie on one machine as a whole.

    Raises:
        UnsuitableServerError: Citus is not in this database, or the tables are hypertables, or are
            distributed otherwise.
        DatabaseError: the role may not, or the server refused or went away.
    """
    with schema_lock(connection):
        with database_errors("asking for the engine"):
            cursor = connection.cursor(row_factory=record_row(_Engine))
            engine = cursor.execute(query("distribute_engine")).fetchone()
        if is_distributed(connection):
            _check_unit(read_distribution(connection).unit, unit)
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
            column = "series_id" if unit is Unit.SERIES else ""
            connection.execute(query("distribute_by"), {"column": column})
            connection.execute(query("distribute_tables"))
            connection.execute(query("distribute_functions"))
            failpoint("distribute_before_commit")
        mark_distributed(connection)
    return True


def _check_unit(present: Unit | None, wanted: Unit) -> None:
    if present is not wanted:
        raise UnsuitableServerError(
            f"the tables are distributed by {present} already, and stay so",
            hint="Dump the series, and restore them into a portal that is distributed otherwise",
        )


def read_distribution(connection: psycopg.Connection) -> Distribution:
    """How the tables lie, and on which servers of the cluster.

    Raises:
        SchemaError: they are recorded as distributed, and are a copy that one server has.
        DatabaseError: the server refused or went away.
    """
    if not is_distributed(connection):
        return NOT_DISTRIBUTED
    with database_errors("asking for the nodes"):
        row = connection.execute(query("distribute_unit")).fetchone()
        if row is None:
            raise SchemaError(
                "the tables are recorded as distributed, and one server has all of them",
                hint="Record that, or distribute them again, with: dataportal migrate, or "
                "dataportal migrate --distribute",
            )
        cursor = connection.cursor(row_factory=record_row(Node))
        nodes = cursor.execute(query("distribute_nodes")).fetchall()
    return Distribution(Unit(row[0]), nodes)
