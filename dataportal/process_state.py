"""Keeps what belongs to the whole process, and not to one plugin, as it was before plugins came.

A plugin may change the working directory, the environment, functions of the standard library or
settings of the interpreter. While runs go on that stands, as the plugin may need it; what shows
their results and tells others of them works in the process as it was.
"""

from __future__ import annotations

import builtins
import gc
import os
import signal
import sys
import threading
import time
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OWN = {*sys.stdlib_module_names, __name__.partition(".")[0]}
_CODE = (FunctionType, BuiltinFunctionType, type)
_ENDING = (signal.SIGTERM, signal.SIGINT)


class ProcessState:
    """The state of this process, as it is when this is made."""

    def __init__(self) -> None:
        import logging  # which a command that runs nothing does without

        self._folder: Path | None = None
        with suppress(OSError):
            self._folder = Path.cwd()
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._environment = dict(os.environ)
        self._recursion = sys.getrecursionlimit()
        self._digits = sys.get_int_max_str_digits()
        self._switch = sys.getswitchinterval()
        self._collects = gc.isenabled()
        self._warnings = list(warnings.filters)
        self._disabled = logging.root.manager.disable
        self._log = list(logging.root.handlers), logging.root.level
        self._handlers = {number: signal.getsignal(number) for number in _ENDING}
        # of each module what it does; what it holds changes by itself
        self._functions = [
            (vars(module), {name: value for name, value in vars(module).items() if _is_code(value)})
            for name, module in [("builtins", builtins), *list(sys.modules.items())]
            if name.partition(".")[0] in _OWN and hasattr(module, "__dict__")
        ]

    def restore(self) -> None:
        """Bring the process back to it."""
        import logging

        for namespace, functions in self._functions:
            for name, value in functions.items():
                if namespace.get(name) is not value:
                    namespace[name] = value
        sys.settrace(None)
        sys.setprofile(None)
        sys.setrecursionlimit(self._recursion)
        sys.set_int_max_str_digits(self._digits)
        sys.setswitchinterval(self._switch)
        (gc.enable if self._collects else gc.disable)()
        os.umask(self._umask)
        if self._folder is not None:
            with suppress(OSError):
                os.chdir(self._folder)
        if self._environment != dict(os.environ):
            os.environ.clear()
            os.environ.update(self._environment)
            time.tzset()
        if "socket" in sys.modules:
            sys.modules["socket"].setdefaulttimeout(None)
        warnings.filters[:] = self._warnings  # type: ignore[index]  # it is a list
        logging.disable(self._disabled)
        logging.root.handlers[:], level = self._log
        logging.root.setLevel(level)
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._handlers.items():
                if signal.getsignal(number) is not handler:
                    signal.signal(number, handler)


def _is_code(value: Any) -> bool:
    return isinstance(value, _CODE)


class _Keeper:
    """The state that is brought back when the block ends in which code from elsewhere runs."""

    is_wanted = False
    state: ProcessState | None = None


@contextmanager
def keep_process_state() -> Iterator[None]:
    """While the block runs code from elsewhere may change the process; then it is as it was."""
    _Keeper.is_wanted = True
    try:
        yield
    finally:
        state, _Keeper.state, _Keeper.is_wanted = _Keeper.state, None, False
        if state is not None:
            state.restore()


def note_process_state() -> None:
    """Note the state, if it is to be kept and is not noted yet; before such code is imported."""
    if _Keeper.is_wanted and _Keeper.state is None:
        _Keeper.state = ProcessState()
        sys.setrecursionlimit = _never_below(sys.getrecursionlimit(), sys.setrecursionlimit)


def _never_below(least: int, set_limit: Callable[[int], None]) -> Callable[[int], None]:
    """As `sys.setrecursionlimit`; a lower limit would end what others do in the middle."""

    def setrecursionlimit(limit: int) -> None:
        set_limit(max(limit, least))

    return setrecursionlimit
