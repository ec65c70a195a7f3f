"""Forks the program from an interpreter that has imported everything already, to save its start.

Where the same tests are run a second time, to see what another server makes of them, most of the
time would go into importing the same modules a thousand times. A process of each test worker waits
with them and forks; what it forks is a process of its own that runs `python -m dataportal`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLD = ("PYTHON", "LC_", "LANG", "DATAPORTAL_FAILPOINT", "FORCE_COLOR", "TERM")
"""Variables that are read when the interpreter or a module starts begin like this."""


class WarmStarts:
    """An interpreter that waits until it is closed.

    Args:
        env: the environment that it starts with.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = {name: value for name, value in env.items() if _is_cold(name)}
        self._folder = tempfile.TemporaryDirectory(prefix="warm-")
        self._address = str(Path(self._folder.name, "socket"))
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._address],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def suits(self, env: Mapping[str, str]) -> bool:
        """Whether a process with this environment may be forked off."""
        return self._env == {name: value for name, value in env.items() if _is_cold(name)}

    def run(
        self,
        args: tuple[str, ...],
        *,
        env: Mapping[str, str],
        cwd: Path,
        input_text: str,
        patience: float,
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` does it, with all output captured."""
        with (
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as stdout,
            tempfile.TemporaryFile() as stderr,
            self._connect(patience) as connection,
        ):
            stdin.write(input_text.encode())
            stdin.seek(0)
            wish = json.dumps({"args": args, "env": dict(env), "cwd": str(cwd)}).encode()
            streams = [file.fileno() for file in (stdin, stdout, stderr)]
            connection.settimeout(patience)
            socket.send_fds(connection, [len(wish).to_bytes(4)], streams)
            connection.sendall(wish)
            pid = int.from_bytes(connection.recv(4))
            try:
                code = int.from_bytes(connection.recv(4), signed=True)
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(args, patience) from None
            texts = []
            for file in (stdout, stderr):
                file.seek(0)
                texts.append(file.read().decode())
        return subprocess.CompletedProcess(list(args), code, *texts)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def _connect(self, patience: float) -> socket.socket:
        deadline = time.monotonic() + patience
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(self._address)
            except OSError:
                connection.close()
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return connection


def _is_cold(name: str) -> bool:
    return name.startswith(_COLD)


def _serve(address: str) -> None:
    """Wait for wishes; returns in each of the processes that fulfil one."""
    import dataportal

    for module in pkgutil.walk_packages(dataportal.__path__, "dataportal."):
        if not module.name.endswith("__main__") and "dataportal.testing" not in module.name:
            importlib.import_module(module.name)
    # what is there now is never looked through again, nor copied for that
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        while True:
            connection, _ = listener.accept()
            if os.fork():
                connection.close()
                continue
            break
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, streams, _, _ = socket.recv_fds(connection, 4, 3)
    size, text = int.from_bytes(head), b""
    while len(text) < size:
        text += connection.recv(size - len(text))
    pid = os.fork()
    if pid:
        with suppress(OSError):
            connection.sendall(pid.to_bytes(4))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with suppress(OSError):
            connection.sendall(status.to_bytes(4, signed=True))
        os._exit(0)
    connection.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    wish = json.loads(text)
    os.environ.clear()
    os.environ.update(wish["env"])
    time.tzset()
    os.chdir(wish["cwd"])
    sys.argv[1:] = wish["args"]


if __name__ == "__main__":
    _serve(sys.argv[1])
    # what `python -m` finds is neither here nor in the current folder
    del sys.path[0]
    runpy.run_module("dataportal", run_name="__main__", alter_sys=True)
