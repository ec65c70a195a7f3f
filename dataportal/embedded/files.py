"""Files of an embedded server: data directory, logs, lock files; where they lie and who owns them.

An ordinary user's home for them is `<user data dir>/dataportal`. Root's is /var/lib/dataportal, and
the data directory in it belongs to an unprivileged account. XDG_DATA_HOME moves both. Nothing that
was there before is ever chmod-ed or chown-ed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataportal.embedded.account import server_account
from dataportal.embedded.binaries import installed_binaries
from dataportal.errors import ConfigurationError, DatabaseError
from dataportal.redaction import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dataportal.embedded.account import Account
    from dataportal.embedded.binaries import Binaries

ROLE = "dataportal"
_ROOT_HOME = Path("/var/lib/dataportal")
_HINT = "Set XDG_DATA_HOME to a folder of yours, or DATABASE_URL to use a PostgreSQL of your own"
_SETTINGS = {
    # the socket only: no port that anybody else could reach
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    # several first loads at a time fill more than the 4 MB that come with it
    "wal_buffers": "16MB",
    # no worker processes for I/O: the server lives for the length of one command
    "io_method": "sync",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
_UNSAFE_SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """Everything on disk that belongs to one embedded server of one major version."""

    home: Path
    binaries: Binaries
    account: Account

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self._path("")

    @property
    def log(self) -> Path:
        """The server's log, over all its runs."""
        return self.data / "server.log"

    def make_home(self) -> None:
        """Make the home, and the folders above it, where they are missing.

        Raises:
            ConfigurationError: it cannot be made.
        """
        # the account of root's server has to pass; an ordinary user's data is nobody else's
        mode = 0o755 if self.account.is_other else 0o700
        try:
            missing = [path for path in (self.home, *self.home.parents) if not path.exists()]
            for path in reversed(missing):
                with suppress(FileExistsError):  # another process was quicker
                    path.mkdir()
                    path.chmod(mode)
        except OSError as error:
            raise folder_error(self.home, error) from None

    def open_lock(self, name: str) -> int:
        """A descriptor of the lock file of that name, to be locked by flock and closed.

        Raises:
            ConfigurationError: the home cannot be written to.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(self._path(f".{name}"), flags, 0o600)
        except OSError as error:
            raise folder_error(self.home, error) from None

    def is_made(self) -> bool:
        """Whether there is a data directory that can be used.

        Raises:
            ConfigurationError: what is there belongs to another major version or another user, or
                is no data directory at all.
        """
        try:
            version = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
            owner = self.data.stat().st_uid
        except FileNotFoundError:
            self._check_no_other()
            return False
        except (OSError, UnicodeDecodeError) as error:
            raise folder_error(self.data, error) from None
        if version != str(self.binaries.major):
            raise self._version_error(self.data, version)
        if owner != self.account.uid:
            raise ConfigurationError(
                f"{self.data} belongs to user id {owner}, not to {self.account}", hint=_HINT
            )
        return True

    def make_data(self, binaries: Binaries, server_lock: int, *, durable: bool = True) -> None:
        """A fresh data directory, complete or not there at all.

        initdb works in a folder beside it that is renamed once everything is on the disk.

        Args:
            binaries: the ones that the account can run.
            server_lock: a descriptor that holds the server's lock. It is handed on to initdb, so
                that whoever finds the lock free knows that no initdb is at work any more.
            durable: False leaves out every fsync, for tests only.

        Raises:
            ConfigurationError: the home cannot be written to, or the user has no name.
            DatabaseError: initdb failed; the message has the end of its output.
        """
        if self.account.name is None:
            raise ConfigurationError(
                f"this process runs as user {self.account}, which has no name, and PostgreSQL "
                "makes a database only for users that have one",
                hint="Add the user to /etc/passwd, or set DATABASE_URL to use a PostgreSQL of "
                "your own",
            )
        staging = self._path(".new")
        try:
            if staging.exists():
                shutil.rmtree(staging)
            staging.mkdir(mode=0o700)
            if self.account.is_other:
                os.chown(staging, self.account.uid, self.account.gid)
            self._run_initdb(binaries, staging, server_lock, durable=durable)
            staging.rename(self.data)
            if durable:
                _sync(self.home)
        except OSError as error:
            raise folder_error(self.data, error) from None

    def last_log_lines(self, count: int = 8) -> str:
        """The end of the server's log, harmless and indented; empty where there is none."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 64 * 1024))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ""
        return _indent(lines[-count:])

    def _path(self, suffix: str) -> Path:
        """The data directory, or with a suffix what lies beside it."""
        return self.home / f"postgresql-{self.binaries.major}{suffix}"

    def _run_initdb(
        self, binaries: Binaries, staging: Path, server_lock: int, *, durable: bool
    ) -> None:
        settings = _SETTINGS if durable else {**_SETTINGS, **_UNSAFE_SETTINGS}
        process = subprocess.run(  # noqa: S603 - the server's own program, no shell
            binaries.command(
                "initdb",
                f"--pgdata={staging}",
                f"--username={ROLE}",
                "--auth-local=trust",
                "--auth-host=reject",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                *([] if durable else ["--no-sync"]),
                *(f"--set={name}={value}" for name, value in settings.items()),
            ),
            **self.account.process_options(),
            pass_fds=(server_lock,),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if process.returncode == 0:
            return
        shutil.rmtree(staging, ignore_errors=True)
        lines = process.stdout.decode("utf-8", "replace").splitlines()
        raise DatabaseError(
            f"initdb could not make {self.data} as user {self.account}:\n{_indent(lines[-8:])}",
            hint=f"That user must be able to reach {self.home}. {_HINT}",
        )

    def _check_no_other(self) -> None:
        if self.data.is_dir() and any(self.data.iterdir()):
            raise ConfigurationError(
                f"{self.data} is not empty, and not a data directory of PostgreSQL",
                hint=f"Move it away. {_HINT}",
            )
        for other in sorted(self.home.glob("postgresql-*/PG_VERSION")):
            version = other.parent.name.removeprefix("postgresql-")
            if version.isdecimal():
                raise self._version_error(other.parent, version)

    def _version_error(self, folder: Path, version: str) -> ConfigurationError:
        return ConfigurationError(
            f"{folder} was made by PostgreSQL {version}; the one installed is "
            f"{self.binaries.release}",
            hint=f"Dump it with the binaries of version {version} and move it away, "
            "or set DATABASE_URL to use a PostgreSQL of your own",
        )


def server_files(data_home: Path | None = None) -> ServerFiles:
    """The files of the embedded server that this user's commands use; nothing is made.

    Args:
        data_home: the folder to keep everything in; None for the user's own.

    Raises:
        ConfigurationError: the extra is missing, or there is no folder or user to work with.
    """
    home = (data_home or _default_home()).absolute()
    binaries = installed_binaries()
    return ServerFiles(home, binaries, server_account(home / f"postgresql-{binaries.major}"))


def folder_error(path: Path, error: Exception) -> ConfigurationError:
    """The error to raise where an embedded database cannot be kept in `path`."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return ConfigurationError(f"cannot keep an embedded database in {path}: {reason}", hint=_HINT)


def _default_home() -> Path:
    if os.geteuid() == 0 and not os.environ.get("XDG_DATA_HOME"):
        return _ROOT_HOME
    from platformdirs import user_data_path

    with suppress(RuntimeError):  # there is neither HOME nor XDG_DATA_HOME nor a name
        home = user_data_path("dataportal", appauthor=False)
        if home.is_absolute():
            return home
    raise ConfigurationError(
        "DATABASE_URL is not set, and this user has no home directory for an embedded database",
        hint=_HINT,
    )


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _indent(lines: Sequence[str]) -> str:
    return "\n".join(f"  {harmless(line)}" for line in lines)
