"""Reports an exception as a message on stderr, and gives its exit code.

Nothing else in the program prints errors.
"""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dataportal.command_lines import repeat_in
from dataportal.errors import (
    ConfigurationError,
    DataportalError,
    ExitCode,
    FileError,
    Interrupted,
    LockedError,
    UsageError,
)
from dataportal.render.console import note, printable
from dataportal.render.json_output import format_json

if TYPE_CHECKING:
    from collections.abc import Iterator

# What typer raises for a wrong command line; the class itself has no public name.
WrongCommandLine = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


def report_error(error: BaseException, *, json: bool, debug: bool) -> ExitCode:
    """Write the error to stderr, as text or as one JSON object, and return its exit code."""
    if isinstance(error, WrongCommandLine):
        error = _usage_error(error)
    if isinstance(error, DataportalError):
        code = error.signal_code if isinstance(error, Interrupted) else error.exit_code
    else:
        code = ExitCode.BUG
    if debug:
        text = "".join(traceback.format_exception(error))
        note("\n".join(printable(line, limit=5000) for line in text.splitlines()))
    if json:
        note(format_json({"error": error_document(error, code)}, one_line=True))
    else:
        note("\n".join(printable(line) for line in _error_lines(error)))
    return code


def output_error(fault: OSError | None) -> DataportalError:
    """The error for results that did not reach stdout; without a fault none were written."""
    return DataportalError(
        f"the output could not be written: {fault.strerror if fault else 'it is empty'}",
        hint="What was to be done is done; only its report is incomplete",
    )


def error_document(error: BaseException, code: ExitCode) -> dict[str, Any]:
    """The error as the object of the JSON contract."""
    fields: dict[str, Any] = {"kind": "bug", "message": _locate(error), "hint": _BUG_HINT}
    if isinstance(error, DataportalError):
        fields = {"kind": _kind(error), "message": error.message, "hint": _hint(error)}
    fields["exit_code"] = int(code)
    fields["page"] = _page(error)
    if isinstance(error, ConfigurationError):
        fields["problems"] = [
            {"where": problem.where, "message": problem.message, "source": problem.source}
            for problem in error.problems
        ]
    if isinstance(error, LockedError):
        fields["holder"] = error.holder
    return fields


_BUG_HINT = "This is a bug in dataportal. Run it again with --log-level debug for the traceback"


def _error_lines(error: BaseException) -> Iterator[str]:
    page = _page(error)
    more = f" (dataportal help {page})" if page else ""
    if isinstance(error, DataportalError):
        hint = _hint(error)
        text = f"{error.message}. {hint}" if hint else error.message
        yield f"dataportal: {text}{more}"
        if isinstance(error, ConfigurationError):
            yield from (f"  {problem}" for problem in error.problems)
    else:
        yield f"dataportal: bug: {_locate(error)}. {_BUG_HINT}{more}"


def _hint(error: DataportalError) -> str | None:
    """What to do next, by commands that name the same files and database."""
    return None if error.hint is None else repeat_in(error.hint)


def _page(error: BaseException) -> str | None:
    """The topic of the manual that says more about the error."""
    if not isinstance(error, DataportalError):
        return "troubleshooting"
    from dataportal.render.manual import page_of_message

    return page_of_message(error.message, of_file=isinstance(error, FileError))


def _locate(error: BaseException) -> str:
    """The error, and the last line of this package in its traceback."""
    stack = traceback.extract_tb(error.__traceback__)
    package = str(Path(__file__).parents[1])
    frames = [frame for frame in stack if frame.filename.startswith(package)] or list(stack)
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if not frames:
        return message
    path = Path(frames[-1].filename)
    try:
        path = path.relative_to(Path(package).parent)
    except ValueError:
        path = Path(path.name)
    return f"{message} ({path}:{frames[-1].lineno})"


def _kind(error: DataportalError) -> str:
    words = re.findall(r"[A-Z][a-z]+", type(error).__name__.removesuffix("Error"))
    return "_".join(words).lower()


def _usage_error(error: Any) -> UsageError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "dataportal"
    message = str(error.format_message()).strip().rstrip(".")
    return UsageError(message[:1].lower() + message[1:], hint=f"See: {command} --help")
