"""The operating system's user that an embedded server runs as: ours, but for root another one.

PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataportal.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

# the first is for an administrator who made one; the second is there on every system
_ACCOUNTS = ("dataportal", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the operating system; in containers it may be a number without a name."""

    uid: int
    gid: int
    name: str | None

    def __str__(self) -> str:
        return self.name or f"id {self.uid}"

    @property
    def is_other(self) -> bool:
        """Whether it is not ourselves; only root may take another."""
        return os.geteuid() == 0

    def process_options(self) -> dict[str, Any]:
        """The arguments of subprocess.run that start PostgreSQL's programs as this user.

        They get a session of their own, which keeps Ctrl-C of the terminal away from them. The
        environment is bare, so that no PG* variable leads them astray and no key of ours can be
        read in theirs.
        """
        paths = {
            name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ
        }
        switch: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": ()}
        return {
            "env": {"PATH": os.defpath, **paths, "LC_ALL": "C", "TZ": "UTC"},
            "cwd": "/",
            "umask": 0o077,
            "stdin": subprocess.DEVNULL,
            "start_new_session": True,
            **(switch if self.is_other else {}),
        }


def server_account(data: Path) -> Account:
    """Ourselves; for root the owner of the data directory, or where there is none a fixed account.

    Raises:
        ConfigurationError: there is no account for root's server.
    """
    uid = os.geteuid()
    if uid != 0:
        return Account(uid, os.getegid(), _user_name(uid))
    try:
        owner = data.stat()
    except OSError:
        owner = None
    if owner is not None and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, _user_name(owner.st_uid))
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name)
    raise ConfigurationError(
        f"the embedded PostgreSQL cannot run as root, and no user is called {_ACCOUNTS[-1]}",
        hint=f"Add a user {_ACCOUNTS[0]}, or set DATABASE_URL to use a PostgreSQL of your own",
    )


def _user_name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
