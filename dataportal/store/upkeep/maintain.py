"""Does the upkeep that is planned, beside whatever else is at work.

Each action is a transaction of its own, or needs none: what ends it in the middle, a kill, a full
disk, a limit of time, leaves the rows as they were or as they were to be. An action waits a few
seconds for its lock at most, as all others wait behind it meanwhile; then the next ones have their
turn, and it is tried again.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import psycopg

from dataportal.errors import DatabaseError, DatabaseTransientError, UpkeepError
from dataportal.failpoints import failpoint
from dataportal.store.connection import connect, database_errors
from dataportal.store.lock import lock_key, try_lock
from dataportal.store.migrations import require_schema
from dataportal.store.queries import query
from dataportal.store.upkeep.columnstore import read_edition
from dataportal.store.upkeep.contention import PAUSE, TRIES, is_held_up
from dataportal.store.upkeep.plan import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dataportal.store.read.storage import Storage
    from dataportal.store.upkeep.plan import Action

_LOCK_WAIT = "3s"
_SOONEST = 1.0  # seconds that an action must have left to be begun
_KEY = "maintenance of the tables"


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What became of one action.

    Attributes:
        action: it.
        seconds: how long it took.
        error: why it was not done; None if it was, or was never begun.
        begun: False for one for which no time was left.
    """

    action: Action
    seconds: float = 0.0
    error: DatabaseError | None = None
    begun: bool = True

    @property
    def done(self) -> bool:
        """Whether it was done."""
        return self.begun and self.error is None


@contextmanager
def open_upkeep(url: str) -> Iterator[psycopg.Connection | None]:
    """A connection that alone keeps the tables up; None if another one does.

    Raises:
        SchemaError: the schema does not fit; names the way out.
        DatabaseError: the database is out of reach.
    """
    with closing(connect(url, application_name="dataportal maintain", holds_lock=True)) as opened:
        schema = require_schema(opened)
        with database_errors("taking the lock for upkeep"):
            alone = try_lock(opened, lock_key(schema, _KEY))
        try:
            yield opened if alone else None
        except BaseException:
            # of a program that is gone the server would know when the statement has ended
            with suppress(psycopg.Error):
                opened.cancel_safe(timeout=2)
            raise


def check_owner(storage: Storage) -> None:
    """Look whether this role may keep the tables up, be anything due or not.

    Raises:
        UpkeepError: the tables belong to another role.
    """
    if storage.owners:
        names = " and ".join(repr(owner) for owner in storage.owners)
        raise UpkeepError(
            f"this role may not keep the tables up: they belong to {names}",
            hint="Run maintain as the owner of the tables, who also runs migrate; nothing was done",
        )


def maintain(
    connection: psycopg.Connection,
    storage: Storage,
    *,
    seconds: float | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Iterator[ActionResult]:
    """Do what is planned, an action after the other; what became of each.

    Args:
        connection: of `open_upkeep`, of the owner of the tables.
        storage: what is planned.
        seconds: how long it may take; what does not fit is left for the next time.
        progress: called with how many actions are done, and of how many.

    Raises:
        DatabaseError: the disk is full, or the connection is lost: what was done stays.
    """
    limits = _Limits(connection, seconds)
    edition = read_edition(connection)
    home = "" if edition is None else edition.home
    queue = deque((action, 1) for action in storage.actions)
    spent: dict[Action, float] = {}
    ended, total = 0, len(queue)
    waits = 0
    progress(0, total)
    while queue:
        action, attempt = queue.popleft()
        if limits.is_late():
            yield ActionResult(action, spent.get(action, 0.0), begun=False)
            continue
        started = time.monotonic()
        error: DatabaseError | None = None
        try:
            with database_errors(f"{action.work} of {action.relation}"):
                _act(connection, action, home, limits)
        except DatabaseError as fault:
            if connection.closed or _is_disk_full(fault):
                raise
            error = fault
        spent[action] = spent.get(action, 0.0) + time.monotonic() - started
        if limits.is_late() and isinstance(error, DatabaseTransientError):
            yield ActionResult(action, spent[action], begun=False)
            continue
        if error is not None and is_held_up(error) and attempt < TRIES:
            queue.append((action, attempt + 1))
            # with nothing else to do meanwhile, whoever holds the lock is given a moment
            waits += 1
            if waits >= len(queue):
                time.sleep(min(PAUSE, limits.remaining))
                waits = 0
            continue
        ended += 1
        progress(ended, total)
        yield ActionResult(action, spent[action], error)
    limits.lift()


class _Limits:
    """How long statements may wait for a lock, and how long they may take until all must end.

    Args:
        connection: whose statements.
        seconds: from now on; None for ever.
    """

    def __init__(self, connection: psycopg.Connection, seconds: float | None) -> None:
        self._connection = connection
        self._deadline = None if seconds is None else time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """The seconds that are left."""
        return inf if self._deadline is None else max(self._deadline - time.monotonic(), 0.0)

    def is_late(self) -> bool:
        """Whether too little is left for anything to be begun."""
        return self.remaining < _SOONEST

    def renew(self) -> None:
        """Set them for the statement that comes next: it may take what is left."""
        work = 0 if self._deadline is None else max(int(self.remaining * 1_000), 1)
        self._set(work)

    def lift(self) -> None:
        """Let what follows take its time."""
        self._set(0)

    def _set(self, milliseconds: int) -> None:
        self._connection.execute(
            query("maintain_limits"), {"lock": _LOCK_WAIT, "work": f"{milliseconds}ms"}
        )


def _act(connection: psycopg.Connection, action: Action, home: str, limits: _Limits) -> None:
    # as the server has quoted it
    relation = action.relation.encode()
    limits.renew()
    if action.work is Work.FORGET:
        while connection.execute(query("maintain_forget")).rowcount:
            limits.renew()
    elif action.work is Work.MERGE:
        with connection.transaction():
            connection.execute(query("columnstore_home"), {"home": home})
            connection.execute(query("chunk_merge"), {"chunks": list(action.chunks)})
            failpoint("before_merged")
    elif action.work in {Work.COMPRESS, Work.RECOMPRESS}:
        again = action.work is Work.RECOMPRESS
        with connection.transaction():
            connection.execute(query("columnstore_home"), {"home": home})
            connection.execute(
                query("columnstore_compress"), {"chunk": action.relation, "again": again}
            )
            failpoint("before_compressed")
        failpoint("after_compressed")
        if again:
            # what is left of the rows, and of their places in the indexes; of an empty table quick
            limits.renew()
            connection.execute(b"VACUUM " + relation)
            failpoint("after_vacuumed")
            limits.renew()
            connection.execute(b"REINDEX TABLE " + relation)
    elif action.work is Work.VACUUM:
        connection.execute(b"VACUUM " + relation)
    elif action.work is Work.REINDEX:
        _reindex(connection, action, limits)
    else:
        connection.execute(b"ANALYZE " + relation)


def _reindex(connection: psycopg.Connection, action: Action, limits: _Limits) -> None:
    """Make indexes anew beside those who write, one by one, in the room that the last has left."""
    names = {"relation": action.relation}
    # also what the last attempt left: each takes as much room as the index that it was to be
    for (index,) in connection.execute(query("maintain_left_over"), names).fetchall():
        connection.execute(b"DROP INDEX IF EXISTS " + index.encode())
    for (index,) in connection.execute(query("maintain_indexes"), names).fetchall():
        limits.renew()
        connection.execute(b"REINDEX INDEX CONCURRENTLY " + index.encode())


def _is_disk_full(error: DatabaseError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == "53100"
