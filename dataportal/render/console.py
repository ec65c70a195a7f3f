"""Writes to stdout and stderr: never fails half-way, and knows what the streams can show."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

_BUFFER = 64 * 1024


class _Sink(io.FileIO):
    """A file that stops writing at its first error, and keeps that error as `fault`.

    A reader that went away (`| head`) is no reason to stop the work, nor for a traceback.
    """

    fault: OSError | None = None

    def write(self, data: object) -> int:
        if self.fault is None:
            try:
                return super().write(data)  # type: ignore[arg-type]  # as FileIO declares it
            except OSError as error:
                self.fault = error
        return memoryview(data).nbytes  # type: ignore[arg-type]  # a buffer, by the contract above


_sinks: dict[str, _Sink] = {}


def open_streams() -> None:
    """Replace stdout and stderr by streams that take every character and never raise on write."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:  # closed by the caller: `dataportal … >&-`
            # its number is taken, or the next file that is opened would be written to; and to
            # write to a file that is open for reading is the error that it is
            _occupy({"stdout": 1, "stderr": 2}[name])
            descriptor, encoding = os.open(os.devnull, os.O_RDONLY), "utf-8"
        else:
            # a number of its own, so that what others write to theirs can be led elsewhere
            descriptor, encoding = os.dup(stream.fileno()), stream.encoding
        sink = _sinks[name] = _Sink(descriptor, "w")
        text = io.TextIOWrapper(
            io.BufferedWriter(sink, _BUFFER),
            encoding=encoding,
            # a name that this locale cannot show is shown escaped
            errors="backslashreplace",
            line_buffering=name == "stderr" or sink.isatty(),
        )
        setattr(sys, name, text)


def lead_foreign_output_away() -> None:
    """Lead to stderr what anything but this module writes to stdout from now on.

    A plugin may write to the number of stdout itself, or start a program that does.
    """
    if "stdout" in _sinks:
        os.dup2(2, 1)


def _occupy(number: int) -> None:
    """Open nothing under the number of a stream, if that is still closed."""
    try:
        os.fstat(number)
    except OSError:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor != number:
            os.dup2(descriptor, number)
            os.close(descriptor)


def close_streams() -> OSError | None:
    """Flush both streams; the error that kept results from stdout, if there was one.

    A reader that went away is none.
    """
    for name in _sinks:
        getattr(sys, name).flush()
    fault = _sinks["stdout"].fault if "stdout" in _sinks else None
    return None if isinstance(fault, BrokenPipeError) else fault


def show(lines: Iterable[str]) -> None:
    """Write lines to stdout, and stop asking for more when nobody reads them any longer."""
    sink = _sinks.get("stdout")
    for line in lines:
        if sink is not None and sink.fault is not None:
            return
        sys.stdout.write(line + "\n")


def note(text: str) -> None:
    """Write a line to stderr, after everything that was written to stdout."""
    sys.stdout.flush()
    sys.stderr.write(text + "\n")


def say(message: str) -> None:
    """Tell the user something on the way: a line on stderr that begins with the program's name."""
    note(f"dataportal: {printable(message)}")


def printable(text: str, limit: int = 2000) -> str:
    """The text on one line, without secrets, control characters and terminal escapes."""
    from dataportal.redaction import harmless, redact

    return harmless(redact(text), limit)


def is_terminal(stream: TextIO) -> bool:
    """Whether the stream is a terminal that can do more than print."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def supports_escape_codes(stream: TextIO) -> bool:
    """Whether colours and moving lines suit the stream: a terminal, and NO_COLOR is not set."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def can_encode(stream: TextIO, text: str) -> bool:
    """Whether the stream's encoding has these characters."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
