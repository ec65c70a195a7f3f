"""Finds out whether a source was last written on a server that another one has taken over from.

A standby that follows without waiting may lack the last of what was stored when it takes over, and
a server restored to a time lacks what came later. Either goes on in a timeline of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import psycopg

from dataportal.store.queries import query

if TYPE_CHECKING:
    from datetime import datetime


class Server(NamedTuple):
    """A server, for as long as it runs.

    Attributes:
        started_at: when it started.
        timeline: rises when a standby takes over; None where the server does not say.
    """

    started_at: datetime
    timeline: int | None


class Failover(NamedTuple):
    """Another server has taken over since a source was last written.

    Attributes:
        before: the timeline in which it was written.
        after: the one that goes on.
        known_through: what was known of the source was final up to here, by what the server has.
    """

    before: int
    after: int
    known_through: datetime | None


def current_server(
    connection: psycopg.Connection, started_at: datetime, last: Server | None
) -> Server:
    """The server behind a connection; only of one that has started anew the timeline is asked for.

    Args:
        connection: outside of a transaction.
        started_at: when it started.
        last: the one to which the source was last written, if that is known.
    """
    if last is not None and last.started_at == started_at:
        return last
    try:
        row = connection.execute(query("server_timeline")).fetchone()
    except psycopg.Error:
        # some that are hosted do not tell; one that is gone is noticed with the next statement
        row = None
    return Server(started_at, row[0] if row else None)


def find_failover(
    last: Server | None, server: Server, known_through: datetime | None
) -> Failover | None:
    """Whether the server has taken over from the one that a source was last written to."""
    if last is None or last.timeline is None or server.timeline is None:
        return None
    if server.timeline <= last.timeline:
        return None
    return Failover(last.timeline, server.timeline, known_through)
