"""Starts, finds and stops the process of an embedded server, and clears up after a killed one."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from dataportal.embedded.binaries import runnable_binaries
from dataportal.embedded.files import ROLE, folder_error
from dataportal.errors import ConfigurationError, DatabaseError

if TYPE_CHECKING:
    from dataportal.embedded.files import ServerFiles

TICK = 0.01  # seconds between two looks at what cannot be awaited: a lock, a socket
_DATABASE = "dataportal"
_PORT = 5432  # a part of the socket's name; nothing listens on it
_START_PATIENCE = 300.0  # seconds; recovery after a crash may have much to replay
_STOP_PATIENCE = 5.0  # seconds; it goes down without us, and we must be gone within ten
_LONGEST_SOCKET = 103  # bytes of its path; the least of all systems (107 on Linux)
# what needs no quoting, neither in PostgreSQL's list of folders nor in libpq's list of hosts
_PLAIN = re.compile(r"/[\w./+-]*", re.ASCII)
_LONGEST_LOG = 1 << 20  # bytes


def try_exclusive_lock(descriptor: int) -> bool:
    """Lock a file exclusively, if nobody else has locked it; never waits."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def ensure_running(files: ServerFiles, *, durable: bool) -> tuple[str, bool]:
    """Start the server if need be: its URL, and whether its data directory was made just now.

    To be called by one process at a time.

    Raises:
        ConfigurationError: the folders cannot be used.
        DatabaseError: it does not start; the message has the end of its log.
    """
    server = files.open_lock("server")
    try:
        # one that does not answer may be on its way up or down: a killed command left it so
        url = _await_answer(files, server)
        if url is not None:
            return url, False
        is_new = not files.is_made()
        _start(files, server, make=is_new, durable=durable)
    finally:
        # the lock stays with the server, which has inherited the descriptor
        os.close(server)
    server = files.open_lock("server")
    try:
        url = _await_answer(files, server)
    finally:
        os.close(server)
    if url is None:
        raise _failure(files, "did not start")
    return url, is_new


def stop(files: ServerFiles) -> None:
    """Ask the server to end, without waiting for its clients, and give it some time to do so.

    To be called by one process at a time.
    """
    socket_folder = None
    is_asked = False
    deadline = time.monotonic() + _STOP_PATIENCE
    server = files.open_lock("server")
    try:
        while not try_exclusive_lock(server):
            if time.monotonic() > deadline:
                return
            # one that was started just now has not written its number yet
            if not is_asked and (pid := _postmaster(files)):
                socket_folder = _socket_folder(files)
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGINT)
                    is_asked = True
            time.sleep(TICK)
    finally:
        os.close(server)
    _remove(files, socket_folder)


def _await_answer(files: ServerFiles, server: int) -> str | None:
    """The URL as soon as the server answers; None once nothing is at work in the data directory.

    Then the lock of the server belongs to the descriptor.
    """
    deadline = time.monotonic() + _START_PATIENCE
    while True:
        if try_exclusive_lock(server):
            return None
        if url := _find_url(files):
            return url
        if time.monotonic() > deadline:
            raise _failure(files, f"has not answered for {_START_PATIENCE:.0f} s")
        time.sleep(TICK)


def _find_url(files: ServerFiles) -> str | None:
    """The URL of the server if it lets us in; its database is made if it is not there yet."""
    folder = _socket_folder(files)
    if folder is None or not (folder / f".s.PGSQL.{_PORT}").exists():
        return None
    import psycopg

    def url(database: str) -> str:
        return f"postgresql://{ROLE}@/{database}?host={quote(str(folder), safe='')}&port={_PORT}"

    try:
        with psycopg.connect(url("postgres"), autocommit=True, connect_timeout=5) as connection:
            rows = connection.execute("SELECT FROM pg_database WHERE datname = %s", [_DATABASE])
            if rows.fetchone() is None:
                connection.execute(f"CREATE DATABASE {_DATABASE}")
    except psycopg.OperationalError:
        return None
    return url(_DATABASE)


def _start(files: ServerFiles, server: int, *, make: bool, durable: bool) -> None:
    """Start the server and return at once. It keeps the descriptor of its lock."""
    try:
        binaries = runnable_binaries(files.binaries, files.account, files.home)
    except OSError as error:
        raise folder_error(files.home, error) from None
    if make:
        files.make_data(binaries, server, durable=durable)
    _clear(files)
    folder = _make_socket_folder(files)
    command = binaries.command(
        "postgres", f"-D{files.data}", f"-k{folder}", f"-p{_PORT}", "-clisten_addresses="
    )
    # The shell leaves the server to init, so that it may outlive us while others use it. pg_ctl
    # would do the same, but it puts paths into a shell command, where a $ in them has a meaning.
    process = subprocess.run(  # noqa: S603 - the paths are arguments, not part of the script
        ["/bin/sh", "-c", 'exec >>"$0" 2>&1; "$@" &', str(files.log), *command],
        **files.account.process_options(),
        pass_fds=(server,),
        capture_output=True,
        check=False,
    )
    if process.returncode != 0:
        raise _failure(files, f"did not start: {process.stderr.decode('utf-8', 'replace').strip()}")


def _clear(files: ServerFiles) -> None:
    """Remove what a killed server left. To be called while none is running."""
    _remove(files, _socket_folder(files))
    if _postmaster(files) is None:
        # PostgreSQL would give up over a file that was cut short, and over a number that is a dead
        # process's still or another program's by now, which it would take for a server.
        for name in ("postmaster.pid", f".s.PGSQL.{_PORT}.lock", f".s.PGSQL.{_PORT}"):
            (files.data / name).unlink(missing_ok=True)
    with suppress(OSError):
        if files.log.stat().st_size > _LONGEST_LOG:
            files.log.replace(files.log.with_suffix(".log.old"))


def _remove(files: ServerFiles, socket_folder: Path | None) -> None:
    if socket_folder is not None and socket_folder != files.data:
        shutil.rmtree(socket_folder, ignore_errors=True)


def _pid_file_lines(files: ServerFiles) -> list[str]:
    """The lines of postmaster.pid: number, data directory, start, port, socket's folder, more."""
    try:
        return (files.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _postmaster(files: ServerFiles) -> int | None:
    """The number in postmaster.pid, unless it certainly belongs to another program by now."""
    lines = _pid_file_lines(files)
    if not lines or not lines[0].isdecimal() or int(lines[0]) <= 1:
        return None
    process = Path("/proc", lines[0])
    with suppress(OSError):
        name, _, rest = process.joinpath("stat").read_text("utf-8", "replace").rpartition(")")
        # a dead one stays listed as Z where process 1 is a program that does not care for orphans
        if not name.endswith("(postgres") or rest.split()[0] == "Z":
            return None
        if process.joinpath("cwd").readlink() != files.data.resolve():
            return None
    return int(lines[0])


def _socket_folder(files: ServerFiles) -> Path | None:
    """Where the server that was started last has its socket, if the folder is private to it."""
    lines = _pid_file_lines(files)
    if len(lines) < 5 or not lines[4]:  # noqa: PLR2004 - the fifth line, see _pid_file_lines
        return None
    folder = Path(lines[4])
    try:
        status = folder.lstat()
    except OSError:
        return None
    # in a public folder such as /tmp somebody else may have put one of that name by now
    is_private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
    return folder if is_private and status.st_uid == files.account.uid else None


def _make_socket_folder(files: ServerFiles) -> Path:
    """The data directory, which is private, or a shorter one where its name cannot be used."""
    if _can_hold_socket(files.data):
        return files.data
    temporary = (os.environ.get("XDG_RUNTIME_DIR"), "/tmp", "/var/tmp", tempfile.gettempdir())  # noqa: S108 - a private folder is made there
    for parent in temporary:
        if not parent or not _can_hold_socket(Path(parent, "dataportal-12345678")):
            continue
        try:
            folder = Path(tempfile.mkdtemp(prefix="dataportal-", dir=parent))
            if files.account.is_other:
                os.chown(folder, files.account.uid, files.account.gid)
        except OSError:
            continue
        return folder
    raise ConfigurationError(
        f"the name {files.data} cannot be used for a socket, nor is there a temporary folder",
        hint="Set XDG_DATA_HOME to a shorter one, or DATABASE_URL to use a PostgreSQL of your own",
    )


def _can_hold_socket(folder: Path) -> bool:
    path = str(folder / f".s.PGSQL.{_PORT}")
    return len(path) <= _LONGEST_SOCKET and _PLAIN.fullmatch(path) is not None


def _failure(files: ServerFiles, fault: str) -> DatabaseError:
    lines = [line.strip() for line in files.last_log_lines().splitlines()]
    message = f"the embedded PostgreSQL in {files.data} {fault}"
    if any("No space left on device" in line for line in lines):
        return DatabaseError(
            f"{message}: its disk is full",
            hint=f"Make room where {files.data} lies; what was committed is not lost",
        )
    if lines:
        message += f"; its log ends: {' | '.join(lines)}"
    return DatabaseError(
        message,
        hint=f"Its whole log is {files.log}; or set DATABASE_URL to use a PostgreSQL of your own",
    )
