"""Shows what is longer than the screen through the terminal's pager."""

from __future__ import annotations

import os
import sys
from itertools import chain, islice
from typing import TYPE_CHECKING

from dataportal.render.console import is_terminal, show

if TYPE_CHECKING:
    from collections.abc import Iterable


_AHEAD = 20_000


def page_through(text: str) -> None:
    """Show the text in `PAGER` (`less`), or just write it where there is no such program.

    What fits on the screen is written at once by less itself, unless LESS says otherwise.
    """
    _page(text.splitlines())


def show_paged(lines: Iterable[str]) -> None:
    """Show an answer: in the pager if it is longer than the screen of a terminal, else as it is.

    So many lines are had before the pager begins that hardly a question to the database waits for
    somebody who reads; the others are asked for as it takes them, and no more once it is left.
    """
    if not (
        is_terminal(sys.stdout)
        and sys.stdin is not None
        and sys.stdin.isatty()
        # one that cannot move its cursor shows no pager
        and os.environ.get("TERM", "dumb") != "dumb"
    ):
        show(lines)
        return
    from shutil import get_terminal_size

    rest = iter(lines)
    first = list(islice(rest, _AHEAD))
    # one line is for the prompt that follows
    if len(first) < get_terminal_size().lines:
        show(first)
    else:
        _page(chain(first, rest))


def _page(lines: Iterable[str]) -> None:
    import shlex
    import shutil
    import signal
    import subprocess

    command = shlex.split(os.environ.get("PAGER", "less"))
    if not command or shutil.which(command[0]) is None:
        show(lines)
        return
    sys.stdout.flush()
    # -F ends at once with a text that fits on the screen, -R passes colours on, -X leaves it there
    environment = {**os.environ, "LESS": os.environ.get("LESS", "-FRX")}
    pager = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, encoding="utf-8")  # noqa: S603 - the user's own choice
    # Ctrl-C is for the pager: it stops a search there
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if pager.stdin is not None:
            with pager.stdin as stream:
                stream.writelines(f"{line}\n" for line in lines)
    except BrokenPipeError:
        pass  # left before the end was read
    finally:
        pager.wait()
        signal.signal(signal.SIGINT, before)
