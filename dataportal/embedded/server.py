"""Embedded PostgreSQL server for commands without a DATABASE_URL; a lock file counts its users.

Three lock files lie beside the data directory. They are locked by flock, which the kernel lets go
of whatever kills a process:

    guard    exclusive, held while the server is being started or stopped
    users    shared, held by everyone who uses the server; whoever gets it alone was the last
    server   inherited by initdb and the server with all its children: free means that nothing is
             at work in the data directory, so that no process number has to be trusted for that

A server counts as running when it has been connected to. One that a killed command left behind is
used by the next command, which stops it at its end.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataportal.embedded.files import server_files
from dataportal.embedded.process import TICK, ensure_running, stop, try_exclusive_lock
from dataportal.errors import ConfigurationError, DatabaseTransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dataportal.embedded.files import ServerFiles

_ENTER_PATIENCE = 120.0  # seconds; longer than others need to start or stop the server
_LEAVE_PATIENCE = 5.0  # seconds; we must be gone within ten


@contextmanager
def embedded_server(
    *,
    say: Callable[[str], None],
    create: bool = True,
    data_home: Path | None = None,
    durable: bool = True,
) -> Iterator[str]:
    """The URL of an embedded PostgreSQL that runs at least as long as the block.

    Any number of processes may do this at once; they share one server, and the last one stops it.

    Args:
        say: called with one line of text when a data directory has been made.
        create: whether one may be made. Commands under -q say no: a cron line that lost its
            DATABASE_URL must fail and not write elsewhere, nor one whose XDG_DATA_HOME is lost.
        data_home: the folder to keep everything in; None for the user's own.
        durable: False makes a new data directory without fsync, for tests only.

    Raises:
        ConfigurationError: the extra is missing, there is no usable folder, or there is no data
            directory and none may be made.
        DatabaseError: the server does not start; the message has the end of its log.
        DatabaseTransientError: others have been starting or stopping it for too long.
    """
    files = server_files(data_home)
    if create:
        files.make_home()
    elif not files.is_made():
        raise ConfigurationError(
            f"there is no embedded database in {files.data}",
            hint="Set DATABASE_URL, or run once without -q to have one made there",
        )
    users = files.open_lock("users")
    try:
        with _guard(files, _ENTER_PATIENCE) as is_mine:
            if not is_mine:
                raise DatabaseTransientError(
                    "other commands have been starting or stopping the embedded PostgreSQL in "
                    f"{files.data} for {_ENTER_PATIENCE:.0f} s",
                    hint="Try again; if it stays so, look for dataportal and postgres processes",
                )
            fcntl.flock(users, fcntl.LOCK_SH)
            url, is_new = ensure_running(files, durable=durable)
        if is_new:
            say(
                f"created an embedded PostgreSQL {files.binaries.major} in {files.data}; "
                "set DATABASE_URL to use your own"
            )
        yield url
    finally:
        try:
            # whoever does not let us in is starting the server, and will stop it
            with _guard(files, _LEAVE_PATIENCE) as is_mine:
                if is_mine and try_exclusive_lock(users):
                    stop(files)
        finally:
            os.close(users)


@contextmanager
def _guard(files: ServerFiles, patience: float) -> Iterator[bool]:
    """Keep others from starting or stopping the server; false if they have not let us in."""
    descriptor = files.open_lock("guard")
    try:
        deadline = time.monotonic() + patience
        while not (is_mine := try_exclusive_lock(descriptor)) and time.monotonic() < deadline:
            # polled: a signal that asks us to end must not wait for somebody else's lock
            time.sleep(TICK)
        yield is_mine
    finally:
        os.close(descriptor)
