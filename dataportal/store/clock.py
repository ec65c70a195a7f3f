"""Compares the database's clock with the program's, and what a source knows with both.

What is known is dated by the database's clock. Had that run ahead, later values would be dated
ahead of all clocks too, and an answer as of now would give the older ones as final.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dataportal.errors import ClockError, KnowledgeAheadError
from dataportal.store.queries import query
from dataportal.times import iso

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

TOLERANCE = timedelta(minutes=5)
"""More is no drift of a clock."""


def latest_knowledge(connection: psycopg.Connection, source: str) -> datetime | None:
    """The latest time as of which anything of a source is known."""
    row = connection.execute(query("source_latest"), {"source": source}).fetchone()
    return row[0] if row else None


def check_knowledge(latest: datetime | None, source: str, *, now: datetime) -> None:
    """Refuse to write where the clock was wrong when the source was last written.

    Args:
        latest: the latest time as of which anything of it is known.
        source: the source.
        now: the program's time.

    Raises:
        KnowledgeAheadError: the source knows something as of a time that is yet to come.
    """
    if latest is not None and latest > now + TOLERANCE:
        raise KnowledgeAheadError(
            f"what source {source!r} knows is dated {iso(latest)}, which is yet to come: "
            "nothing is written",
            hint="A clock ran ahead; the tables' owner can bring its times back",
        )


def check_time(clock: datetime, *, before: datetime, after: datetime) -> None:
    """Refuse to write where the clocks differ: also one that jumps in the middle of a run.

    Args:
        clock: the database's time.
        before: the program's time when the question was sent.
        after: the program's time when the answer had come.

    Raises:
        ClockError: the clocks differ; may pass.
    """
    if not before - TOLERANCE <= clock <= after + TOLERANCE:
        raise ClockError(
            f"the database's clock says {iso(clock)}, and that of this machine {iso(after)}: "
            "nothing is written",
            hint="Set the one that is wrong",
        )
