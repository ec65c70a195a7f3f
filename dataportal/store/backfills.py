"""Backfills of several sources: remembered as one thing, so that they can go on as one."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataportal.store.connection import connect, database_errors
from dataportal.store.migrations import ensure_schema
from dataportal.store.queries import query
from dataportal.store.rows import record_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import psycopg


@dataclass(frozen=True, slots=True)
class SourcesBackfill:
    """A backfill of several sources, and how far it has come.

    Attributes:
        backfill_id: its number.
        created_at: when it began.
        start: the start of its window.
        end: the end of it; None for the newest there is.
        sources: what was to be fetched, in the order in which it is begun.
        done: the sources that reached the end.
        begun: those of which a run took place, the ones that are done among them.
    """

    backfill_id: int
    created_at: datetime
    start: datetime
    end: datetime | None
    sources: Sequence[str]
    done: Sequence[str]
    begun: Sequence[str]

    @property
    def left(self) -> list[str]:
        """The sources that did not reach the end, whether they were begun or not."""
        done = set(self.done)
        return [source for source in self.sources if source not in done]


def add_backfill(url: str, sources: Sequence[str], start: datetime, end: datetime | None) -> int:
    """Record what a backfill is to fetch, in a schema brought up to date; its number.

    Raises:
        DatabaseError: the database is out of reach, or refuses.
    """
    with _connection(url) as connection, database_errors("recording the backfill"):
        connection.execute(query("backfill_prune"))
        parameters = {"start": start, "end": end, "sources": list(sources)}
        row = connection.execute(query("backfill_add"), parameters).fetchone()
    return int(row[0]) if row else 0


def unfinished_backfill(connection: psycopg.Connection) -> SourcesBackfill | None:
    """The newest backfill of several sources that was broken off, or else in which one failed."""
    with database_errors("looking for a backfill"):
        cursor = connection.cursor(row_factory=record_row(SourcesBackfill))
        return cursor.execute(query("backfill_unfinished")).fetchone()


def find_unfinished_backfill(url: str) -> SourcesBackfill | None:
    """The same, in a schema brought up to date.

    Raises:
        DatabaseError: the database is out of reach, or refuses.
    """
    with _connection(url) as connection:
        return unfinished_backfill(connection)


def close_backfill(url: str, backfill: int) -> SourcesBackfill | None:
    """How far a backfill has come; where nothing is left of it, it is recorded as finished.

    Raises:
        DatabaseError: the database is out of reach, or refuses.
    """
    with _connection(url) as connection, database_errors("recording the backfill"):
        cursor = connection.cursor(row_factory=record_row(SourcesBackfill))
        state = cursor.execute(query("backfill_state"), {"backfill": backfill}).fetchone()
        if state is not None and not state.left:
            connection.execute(query("backfill_finish"), {"backfill": backfill})
    return state


@contextmanager
def _connection(url: str) -> Iterator[psycopg.Connection]:
    with closing(connect(url, application_name="dataportal backfill")) as connection:
        ensure_schema(connection)
        yield connection
