"""The entry point of the command: handles signals before anything heavy is imported."""

from __future__ import annotations

import gc
import os
import signal
import sys


def main() -> int:
    """Run the command line of this process, and return its exit code.

    A SIGTERM or SIGINT that comes before a command has begun ends the process at once, with 143 or
    130: nothing is open yet. From then on the command says what a signal does.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    # what starting up makes stays: looking it through for cycles takes a seventh of the time
    gc.set_threshold(100_000, 20, 20)
    # a thread that feeds the database needs the interpreter at every block, though others compute
    sys.setswitchinterval(0.001)
    from dataportal.cli import run

    code = run(sys.argv[1:])
    # the interpreter's end takes our handlers back: a further signal would then change the code
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    return code


def _leave(number: int, _frame: object) -> None:
    os._exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
