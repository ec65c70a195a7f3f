"""Writes to rows that were just read, where each of them must still be as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dataportal.errors import DatabaseError
from dataportal.store.queries import query

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import psycopg

    from dataportal.store.write.diff import Rows


class Knowledge(NamedTuple):
    """What all that a merge writes has in common.

    Attributes:
        run_id: the run that brought it.
        known: K, the time from which it is known.
        in_chunks: the tables lie in chunks, so that no single index leads to a row.
    """

    run_id: int
    known: datetime
    in_chunks: bool


class ExactWrites:
    """Statements that must write as many rows as they name; checked all together.

    Args:
        connection: holds the source's lock.
        knowledge: asked before the first of them is sent; begins the transaction.
        size: how many points of different series go into one statement.
    """

    def __init__(
        self, connection: psycopg.Connection, knowledge: Callable[[], Knowledge], size: int
    ) -> None:
        self._connection = connection
        self.knowledge = knowledge
        self._size = size
        self._sent: list[tuple[str, int, psycopg.Cursor[Any]]] = []

    def send(self, name: str, rows: Rows) -> None:
        """One statement for all series that have the same times; in a pipeline without waiting."""
        if not rows:
            return
        run_id, known, in_chunks = self.knowledge()
        statement = query(f"{name}_in_chunks" if in_chunks else name)
        for grid in rows.grids(self._size):
            parameters = {
                "series": grid.series,
                "ts": grid.ts,
                "value": grid.values,
                "size": len(grid.ts),
                "low": grid.ts[0],
                "high": grid.ts[-1],
                "known": known,
                "run": run_id,
            }
            cursor = self._connection.execute(statement, parameters)
            self._sent.append((name, len(grid.values), cursor))

    def check(self) -> None:
        """Look at what became of them.

        Raises:
            DatabaseError: another writer was at these rows, in spite of the lock.
        """
        for name, expected, cursor in self._sent:
            if cursor.rowcount != expected:
                raise DatabaseError(
                    f"{name} touched {cursor.rowcount} rows where {expected} were compared",
                    hint="Something else writes to these tables: nothing of this slice was stored",
                )
        self._sent.clear()
