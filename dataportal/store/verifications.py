"""Records what was verified and when, and how far a verification has come that was broken off.

The history itself is only read for it. A role that may not write here verifies all the same, and
nothing is kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from dataportal.errors import LockedError
from dataportal.store.connection import connect, database_errors
from dataportal.store.lock import lock_key
from dataportal.store.pooling import is_pooled
from dataportal.store.queries import query
from dataportal.store.read.verify import Check, Fault, Progress, Scope
from dataportal.store.read.verify_steps import Range, Settled, Tally
from dataportal.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg


class Unfinished(NamedTuple):
    """A verification that was broken off: what it was of, and how far it came."""

    number: int
    started_at: datetime
    scope: Scope
    progress: Progress


@dataclass(frozen=True, slots=True)
class LatestVerification:
    """One that came to its end; `is_whole` tells whether it was of everything."""

    finished_at: datetime
    since: datetime | None
    sample: float | None
    checks: Sequence[str]
    found: int
    is_whole: bool


class VerificationRecord:
    """The row of one verification.

    Args:
        connection: may write.
        number: that of a verification that goes on.
        is_shared: the connection verifies, too: how far that has come cannot be kept meanwhile.
    """

    def __init__(
        self, connection: psycopg.Connection, number: int | None = None, *, is_shared: bool = False
    ) -> None:
        self._connection = connection
        self._number = number
        self._is_shared = is_shared

    @classmethod
    def open(
        cls, url: str, number: int | None = None, *, shared: psycopg.Connection | None = None
    ) -> VerificationRecord | None:
        """A record; None if the role may not write any, or the server takes none.

        Args:
            url: the database.
            number: that of a verification that goes on.
            shared: the connection to use; by default it has one of its own.

        Raises:
            DatabaseError: it is out of reach.
        """
        connection = shared or connect(url, application_name="dataportal verify")
        try:
            with database_errors("looking for the right to record"):
                row = connection.execute(
                    "SELECT has_table_privilege('verification', 'INSERT')"
                    " AND has_table_privilege('verification', 'UPDATE')"
                    " AND NOT pg_is_in_recovery()"
                ).fetchone()
        except BaseException:
            connection.close()
            raise
        if row == (True,):
            return cls(connection, number, is_shared=shared is not None)
        if shared is None:
            connection.close()
        return None

    def begin(self, scope: Scope) -> None:
        """Record that it begins, unless it goes on."""
        if self._number is None:
            with database_errors("recording the verification"):
                row = self._connection.execute(
                    query("verification_begin"),
                    {
                        "since": scope.since,
                        "sample": scope.sample,
                        "checks": [str(check) for check in Check if check in scope.checks],
                        "version": __version__,
                    },
                ).fetchone()
            self._number = row[0] if row else None
            if self._number is not None:
                take_verification(self._connection, self._number)

    def keep(self, progress: Progress) -> None:
        """Record how far it has come, if the connection is free for that."""
        if self._is_shared:
            return
        document = {
            "left": [list(piece) for piece in progress.left],
            "versions": list(progress.tally.versions.items()),
            "vintages": list(progress.tally.vintages.items()),
            "settled": asdict(progress.settled) if progress.settled else None,
            "settled_versions": progress.tally.settled_versions,
            "settled_vintages": progress.tally.settled_vintages,
            "began": progress.began.isoformat() if progress.began else None,
            "recent": [[run_id, *recorded] for run_id, recorded in progress.recent.items()],
            "found": dict(progress.found),
            "faults": [asdict(fault) for fault in progress.faults],
        }
        with database_errors("recording the verification"):
            self._connection.execute(
                query("verification_keep"),
                {
                    "verification": self._number,
                    "found": progress.found.total(),
                    "progress": Jsonb(document),
                },
            )

    def finish(self, found: int) -> None:
        """Record its end."""
        with database_errors("recording the verification"):
            self._connection.execute(
                query("verification_finish"), {"verification": self._number, "found": found}
            )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def unfinished_verification(connection: psycopg.Connection) -> Unfinished | None:
    """The newest one that was broken off, if none has been finished since; it is taken.

    Nobody else can take it as long as this connection is there.

    Raises:
        LockedError: it was not broken off: another program is at work on it.
        DatabaseError: the database cannot be asked.
    """
    with database_errors("looking for an unfinished verification"):
        row = connection.execute(query("verification_unfinished")).fetchone()
    if row is None:
        return None
    number, started_at, since, sample, checks, document = row
    if not take_verification(connection, number):
        raise LockedError(
            f"the verification that began at {started_at:%Y-%m-%d %H:%M:%SZ} is not broken off:"
            " another program is at work on it",
            holder="another verify",
            hint="Wait for its end, or begin another one without --resume",
        )
    return Unfinished(
        number,
        started_at,
        Scope(tuple(map(Check, checks)), since, sample),
        _progress(document),
    )


def take_verification(connection: psycopg.Connection, number: int) -> bool:
    """Keep others from going on with a verification as long as this connection is there.

    Behind a pooler that is not to be had: the lock would stay with a server process that serves
    others as well.

    Returns:
        False if somebody else has it.
    """
    if is_pooled(connection):
        return True
    with database_errors("taking the verification"):
        row = connection.execute("SELECT current_schema()").fetchone()
        key = lock_key(row[0] if row else "", f"verification:{number}")
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
    return row == (True,)


def latest_verifications(connection: psycopg.Connection) -> Sequence[LatestVerification]:
    """The newest that ended: of everything, and of a part; those that there are, newest first."""
    with database_errors("reading the verifications"):
        cursor = connection.cursor(row_factory=class_row(LatestVerification))
        rows = cursor.execute(query("verification_latest"), {"checks": len(Check)}).fetchall()
    return sorted(rows, key=lambda row: row.finished_at, reverse=True)


def _progress(document: Mapping[str, Any]) -> Progress:
    def counter(name: str) -> Counter[int]:
        return Counter(dict(document[name]))

    return Progress(
        [Range(*piece) for piece in document["left"]],
        Tally(
            counter("versions"),
            counter("vintages"),
            document["settled_versions"],
            document["settled_vintages"],
        ),
        datetime.fromisoformat(document["began"]),
        Settled(**document["settled"]),
        {run_id: (v, p, i) for run_id, v, p, i in document["recent"]},
        Counter({Check(check): count for check, count in document["found"].items()}),
        [Fault(**{**fault, "check": Check(fault["check"])}) for fault in document["faults"]],
    )
