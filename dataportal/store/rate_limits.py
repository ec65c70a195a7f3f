"""Rate limits that several machines keep together, counted in the database."""

from __future__ import annotations

from dataportal.store.connection import connect, database_errors
from dataportal.store.queries import query


class DatabaseRateLimiter:
    """Gives out slots for requests, on a connection of its own. Blocking; for one thread."""

    def __init__(self, url: str) -> None:
        self._connection = connect(url, application_name="dataportal request slots")

    def take(self, name: str, distance: float) -> float:
        """Take the next free slot of a host and key.

        Args:
            name: the host and key.
            distance: seconds from one slot to the next.

        Returns:
            The seconds until it begins; 0 or less for now.

        Raises:
            DatabaseError: the database cannot be asked.
        """
        with database_errors("taking a slot for a request"):
            row = self._connection.execute(
                query("request_slot_take"), {"name": name, "distance": distance}
            ).fetchone()
        return float(row[0]) if row else 0.0

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
