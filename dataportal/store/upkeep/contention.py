"""Work on the tables that somebody else's locks hold up for the moment, and that is tried again.

Whoever waits for a lock of a table has all wait behind that come later. So one waits for seconds
only, lets them by, and tries again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dataportal.errors import DatabaseError
from dataportal.store.connection import database_errors

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES, PAUSE = 5, 2.0
"""How often something is tried, and for how many seconds others are let by in between."""
_HELD_UP = {"55P03", "40P01", "40001", "42710"}
"""SQLSTATEs: a lock that is not to be had, a deadlock, rows that changed as they were compressed;
and a chunk that somebody else, such as the policy, has compressed while we waited for it."""


def is_held_up(error: DatabaseError) -> bool:
    """Whether that may be had later, as others are at work on the same table now."""
    return getattr(error.__cause__, "sqlstate", None) in _HELD_UP


def repeat(work: Callable[[], None], doing: str) -> None:
    """Do a work that leaves nothing behind when it is held up, and then is tried again.

    Args:
        work: it; connections wait for a lock as long as they are set to.
        doing: what that is, for the error.

    Raises:
        DatabaseError: it was held up each time, or failed.
    """
    for attempt in range(1, TRIES + 1):
        try:
            with database_errors(doing):
                work()
        except DatabaseError as error:
            if attempt == TRIES or not is_held_up(error):
                raise
            time.sleep(PAUSE)
        else:
            return
