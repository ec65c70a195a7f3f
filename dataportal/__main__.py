"""The entry point of the command: handles signals before anything heavy is imported."""

from __future__ import annotations

import gc
import signal
import sys
from importlib.machinery import PathFinder

from dataportal.process_end import end_process, refuse_exits


def main() -> int:
    """Run the command line of this process, and return its exit code.

    A SIGTERM or SIGINT that comes before a command has begun ends the process at once, with 143 or
    130: nothing is open yet. From then on the command says what a signal does.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    # what starting up makes stays: looking it through for cycles takes a seventh of the time
    gc.set_threshold(100_000, 20, 20)
    refuse_exits()
    # a thread that feeds the database needs the interpreter at every block, though others compute
    sys.setswitchinterval(0.001)
    sys.meta_path.insert(0, _ImportFilter())
    from dataportal.cli import run

    code = run(sys.argv[1:])
    # the interpreter's end takes our handlers back: a further signal would then change the code
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    loader = sys.modules.get("dataportal.plugins.loader")
    if loader is not None and loader.has_foreign_code():
        # everything is written and closed; what that code left behind is not waited for
        end_process(code)
    return code


class _ImportFilter:
    """Hides modules that httpx tries to import and does as well without.

    In the process of a command alone: a program that imports this package keeps them.
    """

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """None, which leaves the module to the other finders.

        Raises:
            ModuleNotFoundError: the module is one of those that are hidden.
        """
        del path, target
        # the libraries of httpx's own command line take longer to import than the rest of it does
        is_command_line = name == "httpx._main"
        # httpcore tries to import it for every lock it makes, several a request
        is_missing = name == "sniffio" and PathFinder.find_spec(name) is None
        if is_command_line or is_missing:
            # without this entry the whole import path is searched at each attempt
            sys.modules[name] = None  # type: ignore[assignment]  # None says that there is none
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _leave(number: int, _frame: object) -> None:
    end_process(128 + number)


if __name__ == "__main__":
    sys.exit(main())
