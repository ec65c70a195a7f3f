"""What SIGTERM and SIGINT do once a command has begun."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

_ENDING = (signal.SIGTERM, signal.SIGINT)


def unwind_on_signal() -> None:
    """From now on a signal ends the command as SystemExit does: what is open is closed on the way.

    A second signal does not wait for that.
    """
    for number in _ENDING:
        signal.signal(number, _unwind)


@contextmanager
def handed_to(stop: Callable[[int], None]) -> Iterator[None]:
    """While the block runs, `stop` gets the number of each signal, and nothing is interrupted."""
    before = [signal.signal(number, lambda n, _: stop(n)) for number in _ENDING]
    try:
        yield
    finally:
        for number, handler in zip(_ENDING, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def waking(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """While the block runs, a signal wakes the loop, whichever thread the kernel hands it to.

    Python carries out handlers in the main thread alone, and tells it nothing that waits for events
    when another thread was the one interrupted.
    """
    import socket

    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    loop.add_reader(ours, ours.recv, 4096)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        loop.remove_reader(ours)
        ours.close()
        theirs.close()


def _unwind(number: int, _frame: object) -> None:
    for other in _ENDING:
        signal.signal(other, _leave)
    raise SystemExit(128 + number)


def _leave(number: int, _frame: object) -> None:
    os._exit(128 + number)
