"""The entry point of the command: handles signals before anything heavy is imported."""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib.machinery import PathFinder


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
    sys.meta_path.insert(0, _Sparing())
    from dataportal.cli import run

    code = run(sys.argv[1:])
    # the interpreter's end takes our handlers back: a further signal would then change the code
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    return code


class _Sparing:
    """Finds that modules are missing which httpx looks for, and does as well without.

    In this process alone, where nobody else needs them: who imports httpx has them.
    """

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Nothing, so that others may find the module; or an error at once."""
        del path, target
        # the libraries of httpx's own command line take longer to import than the rest of it does
        is_spared = name == "httpx._main"
        # httpcore tries to import it for every lock it makes, several a request
        is_missing = name == "sniffio" and PathFinder.find_spec(name) is None
        if is_spared or is_missing:
            # what is missing is looked for in the whole import path each time, but for None
            sys.modules[name] = None  # type: ignore[assignment]  # None is how Python is told
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _leave(number: int, _frame: object) -> None:
    os._exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
