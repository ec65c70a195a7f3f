"""Handles SIGTERM and SIGINT once a command has begun."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataportal.process_end import end_process

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

_ENDING = (signal.SIGTERM, signal.SIGINT)


class SignalExit(SystemExit):
    """A signal ends the command; nothing else that asks for its end is obeyed."""


def unwind_on_signal() -> None:
    """From now on a signal ends the command as SystemExit does: what is open is closed on the way.

    A second signal does not wait for that.
    """
    for number in _ENDING:
        signal.signal(number, _unwind)


@contextmanager
def call_on_signal(stop: Callable[[int], None]) -> Iterator[None]:
    """While the block runs, a signal calls `stop` with its number, and interrupts nothing."""
    previous = [signal.signal(number, lambda n, _: stop(n)) for number in _ENDING]
    try:
        yield
    finally:
        for number, handler in zip(_ENDING, previous, strict=True):
            signal.signal(number, handler)


@contextmanager
def wake_on_signal(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """While the block runs, a signal wakes the loop, whichever thread the kernel hands it to.

    Python carries out handlers in the main thread alone, and tells it nothing that waits for events
    when another thread was the one interrupted.
    """
    import socket

    receiver, sender = socket.socketpair()
    receiver.setblocking(False)
    sender.setblocking(False)
    loop.add_reader(receiver, receiver.recv, 4096)
    previous = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous)
        loop.remove_reader(receiver)
        receiver.close()
        sender.close()


def _unwind(number: int, _frame: object) -> None:
    for other in _ENDING:
        signal.signal(other, _leave)
    raise SignalExit(128 + number)


def _leave(number: int, _frame: object) -> None:
    end_process(128 + number)
