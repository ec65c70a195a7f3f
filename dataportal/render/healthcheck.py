"""What a health check looked at, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from dataportal.errors import ConfigurationError, ExitCode
from dataportal.render.formatting import NOTHING
from dataportal.render.json_output import dumped
from dataportal.render.tables import Table, drawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dataportal.errors import DataportalError


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: the configuration, the database, the schema, or a source.

    `code` is what a failure makes of the exit code; DONE for what is well.
    """

    name: str
    source: str | None = None
    state: str | None = None
    message: str = ""
    code: ExitCode = ExitCode.DONE

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.code is ExitCode.DONE


def failed(name: str, error: DataportalError) -> Check:
    """The check that ended with this error."""
    message = str(error)
    if isinstance(error, ConfigurationError) and error.problems:
        message = "; ".join([message, *map(str, error.problems)])
    return Check(name, message=message, code=error.exit_code)


def check_lines(
    checks: Sequence[Check], *, json: bool, stream: TextIO | None = None
) -> Iterator[str]:
    """All checks, as they suit `stream` (stdout)."""
    if json:
        rows = [
            {
                "check": c.name,
                "source": c.source,
                "ok": c.ok,
                "state": c.state,
                "message": c.message or None,
            }
            for c in checks
        ]
        yield dumped({"ok": all(c.ok for c in checks), "checks": rows})
        return
    table = Table(("check", "verdict", "state", "what"), moods={"ok": "good", "ILL": "bad"})
    for c in checks:
        verdict = "ok" if c.ok else "ILL"
        name = c.source if c.name == "source" and c.source else c.name
        table.add(name, verdict, c.state or NOTHING, c.message)
    yield from drawn(table, stream)
