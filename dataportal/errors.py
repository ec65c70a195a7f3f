"""Every error dataportal raises on purpose, grouped by what the caller can do about it.

DataportalError
├── UsageError              2    the command line, or the call, cannot be carried out
│   ├── FileError                a file that it names is missing, in the way or damaged
│   ├── UnknownSeriesError       a series that is named is not there; a KeyError too
│   ├── QuestionError            an argument of the Python API is none; a ValueError too
│   ├── UnknownColumnError       a frame has no such column; a KeyError too
│   └── TooLargeError            the answer does not fit into memory; a MemoryError too
├── ConfigurationError     78    sources.yaml, the environment or an extra is unusable; `problems`
│   └── MissingExtraError        a package is missing that an extra installs; an ImportError too
├── FetchError              3    one source could not be fetched
│   ├── TransientError           may pass: tried again, after `retry_after` seconds if known
│   ├── PermanentError           will not pass by itself: not tried again
│   ├── BadDataError             the provider answered, but not with what it promises
│   └── PluginError              the plugin itself broke
├── LockError               3    the source's lock is not ours
│   ├── LockedError        11    another run holds it; `holder`
│   └── LockLostError            the connection that held it is gone
├── DatabaseError          69    the database is out of reach or will not do
│   ├── DatabaseTransientError   may pass: connection lost, deadlock, timeout, too many clients
│   │   └── ClockError           its clock and that of this machine differ
│   ├── DatabaseAddressError 78  no database can have its address
│   ├── UnsuitableServerError 78 it cannot keep a lock: a pooler, or another kind of database
│   ├── EncodingError      78    its encoding cannot hold a text
│   ├── UpkeepError         78   the tables cannot be compressed or kept up: edition, role
│   ├── KnowledgeAheadError 78   a source knows something as of a time that is yet to come
│   └── SchemaError        78    the schema is too old, too new or half-way
└── Interrupted            143   SIGTERM or SIGINT ended the work
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class ExitCode(IntEnum):
    """The exit codes of the process; `meaning` is the line shown in every --help."""

    DONE = 0
    BUG = 1
    USAGE = 2
    INCOMPLETE = 3
    UNHEALTHY = 4
    LOCKED = 11
    DATABASE = 69
    CONFIGURATION = 78
    SIGINT = 130
    SIGTERM = 143

    @property
    def meaning(self) -> str:
        """One line for people."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.DONE: "done (also: nothing due, or skipped because another run holds the lock)",
    ExitCode.BUG: "a bug in dataportal",
    ExitCode.USAGE: "wrong usage",
    ExitCode.INCOMPLETE: "at least one source failed or was taken only in part",
    ExitCode.UNHEALTHY: "unhealthy or stale",
    ExitCode.LOCKED: "locked by another run, with --on-locked fail",
    ExitCode.DATABASE: "database out of reach",
    ExitCode.CONFIGURATION: "configuration unusable",
    ExitCode.SIGINT: "ended by SIGINT",
    ExitCode.SIGTERM: "ended by SIGTERM",
}

_SEVERITY = (
    ExitCode.SIGINT,
    ExitCode.SIGTERM,
    ExitCode.BUG,
    ExitCode.DATABASE,
    ExitCode.CONFIGURATION,
    ExitCode.LOCKED,
    ExitCode.INCOMPLETE,
    ExitCode.UNHEALTHY,
    ExitCode.USAGE,
    ExitCode.DONE,
)


def worst_code(codes: Iterable[ExitCode]) -> ExitCode:
    """The one code that stands for several: the most severe; DONE for none."""
    return min(codes, key=_SEVERITY.index, default=ExitCode.DONE)


class DataportalError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: what happened, and to what, in one sentence.
        hint: what to do next, or None where nothing can be advised.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class UsageError(DataportalError):
    """The command line, or a call, asks for something that cannot be done."""

    exit_code = ExitCode.USAGE


class FileError(UsageError):
    """A file that the command line names cannot be read or written, or is not what it should be."""


class UnknownSeriesError(UsageError, KeyError):
    """A series that is named is not there, or a glob matches none."""


class QuestionError(UsageError, ValueError):
    """What is asked by the Python API cannot be answered; the message names the argument."""


class UnknownColumnError(UsageError, KeyError):
    """A frame has no column of that name; the message names those that it has."""


class TooLargeError(UsageError, MemoryError):
    """An answer does not fit into memory; the message says how many rows it has."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: `where` is `file:line:column`, `source` the entry concerned."""

    where: str
    message: str
    source: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class ConfigurationError(DataportalError):
    """The configuration cannot be used; `problems` lists every fault found, in file order."""

    exit_code = ExitCode.CONFIGURATION

    def __init__(
        self, message: str, *, hint: str | None = None, problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class MissingExtraError(ConfigurationError, ImportError):
    """A package is not installed; the message names the command that installs it."""


class FetchError(DataportalError):
    """One source could not be fetched; the others are not touched by it."""

    exit_code = ExitCode.INCOMPLETE


class TransientError(FetchError):
    """Something that may pass: worth trying again.

    Args:
        message: what happened.
        retry_after: the seconds the provider asked to wait, or None.
        host: the host that failed, so that a run does not try it again in vain.
        hint: what to do next.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        host: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
        self.host = host


class PermanentError(FetchError):
    """Will not pass by itself: a wrong key, an unknown series, a certificate that expired."""


class BadDataError(FetchError):
    """The provider answered, but not with what it promises: a page, a cut text, another shape."""


class PluginError(FetchError):
    """The plugin itself broke: a bug in it, or an import that fails."""


class LockError(DataportalError):
    """The lock of a source is not ours."""

    exit_code = ExitCode.INCOMPLETE


class LockedError(LockError):
    """Another run holds the lock; `holder` says which, as far as is known."""

    exit_code = ExitCode.LOCKED

    def __init__(self, message: str, *, holder: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.holder = holder


class LockLostError(LockError):
    """The connection that held the lock is gone, so nothing may be written any more."""


class DatabaseError(DataportalError):
    """The database cannot be reached, or refuses."""

    exit_code = ExitCode.DATABASE


class DatabaseTransientError(DatabaseError):
    """May pass: a lost connection, a deadlock, a timeout, too many clients."""


class ClockError(DatabaseTransientError):
    """The database's clock and the program's differ by more than clocks do."""


class UnsuitableServerError(DatabaseError):
    """What answers cannot keep the lock of a source: a pooler, or another kind of database."""

    exit_code = ExitCode.CONFIGURATION


class DatabaseAddressError(DatabaseError):
    """What names the database cannot be the address of one."""

    exit_code = ExitCode.CONFIGURATION


class EncodingError(DatabaseError):
    """A text has a character that the database's encoding does not have."""

    exit_code = ExitCode.CONFIGURATION


class UpkeepError(DatabaseError):
    """The tables cannot be compressed or kept up as asked for: by this edition, role, or at all."""

    exit_code = ExitCode.CONFIGURATION


class KnowledgeAheadError(DatabaseError):
    """A source knows something as of a time that is yet to come."""

    exit_code = ExitCode.CONFIGURATION


class SchemaError(DatabaseError):
    """The schema in the database does not fit this program."""

    exit_code = ExitCode.CONFIGURATION


class Interrupted(DataportalError):  # noqa: N818 - names what happened, not a fault
    """A signal ended the work; `signal_code` is 130 or 143."""

    exit_code = ExitCode.SIGTERM

    def __init__(self, signal_code: ExitCode = ExitCode.SIGTERM) -> None:
        super().__init__(f"interrupted ({signal_code.name})")
        self.signal_code = signal_code
