"""Shows the checks of `healthcheck` and their verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from dataportal.command_lines import command_line, repeat_in
from dataportal.errors import ConfigurationError, ExitCode
from dataportal.render.formatting import NOTHING
from dataportal.render.storage import storage_fields
from dataportal.render.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dataportal.errors import DataportalError
    from dataportal.store.read.storage import Storage


_MOST_NAMES = 5
_FETCHED_AGAIN = ("failing", "never run", "stale")
"""States of sources that another run may make well."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The verdict over one thing: the configuration, the database, the schema, or a source.

    Attributes:
        name: which of these it is.
        source: the name of the source, if it is one or the fault lies in its entry.
        state: the state of the source.
        message: what is known of it, or what is wrong with it.
        code: the exit code that it asks for; DONE for what is well.
        remarks: what is to be known of it although it is well, or to be done where it is not.
        where: `file:line:column` of the entry of a source.
        variables: those that the entry takes something from.
    """

    name: str
    source: str | None = None
    state: str | None = None
    message: str = ""
    code: ExitCode = ExitCode.DONE
    remarks: Sequence[str] = ()
    where: str | None = None
    variables: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.code is ExitCode.DONE

    @property
    def entry(self) -> str | None:
        """Where a source that is ill is mended, if that is in its entry."""
        if self.ok or self.where is None:
            return None
        names = f", which takes {', '.join(self.variables)}" if self.variables else ""
        return f"its entry: {self.where}{names}"


def failure(name: str, error: DataportalError) -> CheckResult:
    """The verdict over a check that ended with this error."""
    message = repeat_in(str(error))
    if isinstance(error, ConfigurationError) and error.problems:
        message = "; ".join([message, *map(str, error.problems)])
    return CheckResult(name, message=message, code=error.exit_code)


@dataclass(frozen=True, slots=True)
class HealthView:
    """The answer of `healthcheck`; `storage` is None where the database was not asked."""

    checks: Sequence[CheckResult]
    storage: Storage | None = None

    def lines(self, stream: TextIO) -> Iterator[str]:
        """A table with a row for each check."""
        table = Table(("check", "verdict", "state", "what"), moods={"ok": "good", "ILL": "bad"})
        for check in self.checks:
            verdict = "ok" if check.ok else "ILL"
            name = check.source if check.name == "source" and check.source else check.name
            what = "; ".join(filter(None, [check.message, *check.remarks, check.entry]))
            table.add(name, verdict, check.state or NOTHING, what)
        yield from table.lines(stream)
        if command := self._fetch_command():
            yield f"once it is mended: {command}"

    def _fetch_command(self) -> str | None:
        """What fetches the sources again that are ill for want of a run that ended well."""
        ill = [check for check in self.checks if not check.ok and check.state in _FETCHED_AGAIN]
        if not ill:
            return None
        if len(ill) <= _MOST_NAMES:
            return command_line("fetch", *(check.source or "" for check in ill))
        states = [state for state in _FETCHED_AGAIN if any(check.state == state for check in ill)]
        options = [part for state in states for part in ("--state", state)]
        return command_line("fetch-all", *options)

    def document(self) -> Mapping[str, Any]:
        """`ok`, `checks`, and how much room the tables take."""
        return {
            "ok": all(check.ok for check in self.checks),
            "checks": [
                {
                    "check": check.name,
                    "source": check.source,
                    "ok": check.ok,
                    "state": check.state,
                    "message": check.message or None,
                    "remarks": check.remarks,
                    "where": check.where,
                }
                for check in self.checks
            ],
            "storage": None if self.storage is None else storage_fields(self.storage),
        }


class LiveView(HealthView):
    """The answer of `healthcheck --live`: that the program starts."""

    def __init__(self) -> None:
        super().__init__([CheckResult("live", message="the program starts")])

    def lines(self, stream: TextIO) -> Iterator[str]:
        """One word."""
        del stream
        yield "live"
