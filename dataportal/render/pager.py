"""Shows a long text through the terminal's pager."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys

from dataportal.render.console import show


def page_through(text: str) -> None:
    """Show the text in `PAGER` (`less`), or just write it where there is no such program.

    What fits on the screen is written at once by less itself, unless LESS says otherwise.
    """
    command = shlex.split(os.environ.get("PAGER", "less"))
    if not command or shutil.which(command[0]) is None:
        show(text.splitlines())
        return
    sys.stdout.flush()
    # -F ends at once with a text that fits on the screen, -R passes colours on, -X leaves it there
    environment = {**os.environ, "LESS": os.environ.get("LESS", "-FRX")}
    pager = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, encoding="utf-8")  # noqa: S603 - the user's own choice
    # Ctrl-C is for the pager: it stops a search there
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pager.communicate(text)
    except BrokenPipeError:
        pass  # left before the end was read
    finally:
        signal.signal(signal.SIGINT, before)
        pager.wait()
