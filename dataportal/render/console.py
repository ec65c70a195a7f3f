"""Writes to stdout and stderr: never fails half-way, and knows what the streams can show."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from dataportal.process_state import keep_process_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BUFFER = 64 * 1024


class _Sink(io.FileIO):
    """A file that stops writing at its first error, and keeps that error as `fault`.

    A reader that went away (`| head`) is no reason to stop the work, nor for a traceback.
    """

    fault: OSError | None = None
    has_content = False

    def write(self, data: object) -> int:
        if self.fault is None:
            try:
                count = super().write(data)  # type: ignore[arg-type]  # as FileIO declares it
            except OSError as error:
                self.fault = error
            else:
                # a line end alone shows nothing
                self.has_content = self.has_content or count > 1
                return count
        return memoryview(data).nbytes  # type: ignore[arg-type]  # a buffer, by the contract above


class _ForeignText(io.TextIOWrapper):
    """What code from elsewhere finds as stdout and stderr: its lines go to stderr, without secrets.

    To close it closes nothing, as it is not that code's alone.
    """

    def close(self) -> None:
        self.flush()


class _ForeignBuffer(io.BufferedWriter):
    """What lies beneath: not to be closed either."""

    def close(self) -> None:
        self.flush()


class _ForeignBytes(io.RawIOBase):
    """Writes to stderr what is printed, whatever became of `sys.stderr` meanwhile."""

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return stderr().isatty()

    def fileno(self) -> int:
        return 2

    def write(self, data: object) -> int:
        from dataportal.redaction import redact

        raw = bytes(memoryview(data))  # type: ignore[arg-type]  # a buffer, as of RawIOBase
        write_note(redact(raw.decode("utf-8", "backslashreplace")))
        return len(raw)


_sinks: dict[str, _Sink] = {}
_texts: dict[str, TextIO] = {}
_above_bars: list[TextIO] = []


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
        _texts[name] = text
        setattr(sys, name, text)


def stdout() -> TextIO:
    """Where results go, whatever `sys.stdout` is at the time."""
    return _texts.get("stdout") or sys.stdout


def stderr() -> TextIO:
    """Where notes go, whatever `sys.stderr` is at the time."""
    return _texts.get("stderr") or sys.stderr


def write_note(text: str) -> None:
    """Write to stderr, above the bars that are drawn there."""
    stream = _above_bars[-1] if _above_bars else stderr()
    stream.write(text)


@contextmanager
def bars_below(stream: TextIO) -> Iterator[None]:
    """While the block runs, what is written to stderr goes through what draws bars there."""
    _above_bars.append(stream)
    try:
        yield
    finally:
        _above_bars.pop()


@contextmanager
def foreign_output_on_stderr() -> Iterator[None]:
    """While the block runs, and later, what code from elsewhere writes goes to stderr.

    A plugin may print, replace or close `sys.stdout`, write to its number, or start a program that
    does: none of it ends up among the results, nor keeps these or a message away.
    """
    if "stdout" not in _sinks:
        yield
        return
    stdout().flush()
    os.dup2(2, 1)
    sys.stdout = _foreign_text()
    sys.stderr = _foreign_text()
    try:
        with keep_process_state():
            yield
    finally:
        sys.stdout = stdout()
        # threads that are left behind may go on writing
        sys.stderr = _foreign_text()


def _foreign_text() -> TextIO:
    buffer = _ForeignBuffer(_ForeignBytes(), _BUFFER)
    return _ForeignText(buffer, encoding="utf-8", errors="backslashreplace", line_buffering=True)


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
    for text in _texts.values():
        text.flush()
    fault = _sinks["stdout"].fault if "stdout" in _sinks else None
    return None if isinstance(fault, BrokenPipeError) else fault


def has_results() -> bool:
    """Whether anything reached stdout, or nobody reads it any longer; after `close_streams`."""
    sink = _sinks.get("stdout")
    return sink is None or sink.has_content or sink.fault is not None


def show(lines: Iterable[str]) -> None:
    """Write lines to stdout, and stop asking for more when nobody reads them any longer."""
    sink = _sinks.get("stdout")
    for line in lines:
        if sink is not None and sink.fault is not None:
            return
        stdout().write(line + "\n")


def note(text: str) -> None:
    """Write a line to stderr, after everything that was written to stdout."""
    stdout().flush()
    write_note(text + "\n")


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
