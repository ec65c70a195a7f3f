"""Uses an embedded server from a process of its own, and looks at it from outside.

As a program, `python embedded_user.py HOME [UID]` prints a line for each message, then the URL,
and goes on until its standard input ends. UID, for root, is a user to become first.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dataportal.embedded.files import server_files
from dataportal.embedded.process import try_exclusive_lock
from dataportal.embedded.server import embedded_server
from dataportal.errors import DataportalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PATIENCE = 60.0  # seconds


def ignore(_: str) -> None:
    """Says nothing."""


def start_user(
    home: Path | str, *, env: Mapping[str, str] | None = None, uid: int | None = None
) -> subprocess.Popen[str]:
    """A process that uses the server in `home`, with pipes; an empty `home` is the user's own."""
    return subprocess.Popen(
        [sys.executable, __file__, str(home), *([str(uid)] if uid else [])],
        env={**os.environ, **(env or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


@contextmanager
def user(
    home: Path | str, *, env: Mapping[str, str] | None = None, uid: int | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that uses the server, and the URL it was given, once it has it."""
    with start_user(home, env=env, uid=uid) as process:
        try:
            yield process, await_url(process)
        finally:
            with suppress(BrokenPipeError):
                process.communicate(timeout=_PATIENCE)


def await_url(process: subprocess.Popen[str]) -> str:
    """The URL that the process prints once it has the server."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith("postgresql://"):
            return line.strip()
    raise AssertionError(f"it ended without a server: {process.communicate()}")


def postmaster(home: Path) -> int:
    """The number of the server's process."""
    recorded = server_files(home).data / "postmaster.pid"
    return int(recorded.read_text(encoding="utf-8").splitlines()[0])


def is_down(home: Path) -> bool:
    """Whether nothing is at work in the data directory."""
    descriptor = server_files(home).open_lock("server")
    try:
        return try_exclusive_lock(descriptor)
    finally:
        os.close(descriptor)


def await_true(condition: Callable[[], bool]) -> None:
    """Returns as soon as the condition holds; fails after a minute."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def end_server(home: Path) -> None:
    """Ends whatever a test has left running."""
    if home.is_dir() and not is_down(home):
        with suppress(OSError, ValueError):
            os.kill(postmaster(home), signal.SIGCONT)
            os.kill(postmaster(home), signal.SIGQUIT)
        await_true(lambda: is_down(home))


def _become(uid: int) -> None:
    # the interpreter's own files may be out of this user's reach, so everything is loaded before
    import platformdirs  # noqa: F401
    import psycopg

    with suppress(psycopg.OperationalError):
        psycopg.connect("host=/nowhere")
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def _main(home: str, *uids: str) -> None:
    for uid in uids:
        _become(int(uid))

    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    try:
        with embedded_server(say=say, data_home=Path(home) if home else None) as url:
            say(url)
            sys.stdin.read()
    except DataportalError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    _main(*sys.argv[1:])
